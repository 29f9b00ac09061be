/* SPDX-License-Identifier: Apache-2.0
 * hub.c - see hub.h. One lock guards the cohort; devices wait on one condition for phase closings.
 */
#include "tools/hub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/crypto.h"
#include "tools/byte_buffer.h"

typedef struct {
    uint8_t *file;
    size_t len;
    uint64_t number;
    uint8_t digest[TACIT_HASH_LEN];
} kept_model;

struct hub {
    round_run *round;
    cohort *cohort;
    bool open;
    uint32_t quiet_s;
    uint64_t number;      /* last round number */
    kept_model models[2]; /* newest, and the one before */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static uint64_t now_s(void) { return (uint64_t)time(NULL); }

tacit_status hub_new(hub **out, round_run *round, uint32_t quiet_s) {
    hub *h = calloc(1, sizeof *h);
    if (h == NULL) return TACIT_NO_SPACE;
    h->round = round;
    h->quiet_s = quiet_s;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    *out = h;
    return TACIT_OK;
}

void hub_free(hub *h) {
    if (h == NULL) return;
    cohort_free(h->cohort);
    round_free(h->round);
    free(h->models[0].file);
    free(h->models[1].file);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static tacit_status keep_model(hub *h, const store_model *model, const uint8_t *file) {
    uint8_t *copy = malloc(model->len);
    if (copy == NULL) return TACIT_NO_SPACE;
    memcpy(copy, file, model->len);
    pthread_mutex_lock(&h->lock);
    free(h->models[1].file);
    h->models[1] = h->models[0];
    h->models[0] = (kept_model){.file = copy, .len = model->len, .number = model->number};
    memcpy(h->models[0].digest, model->digest, TACIT_HASH_LEN);
    pthread_mutex_unlock(&h->lock);
    return TACIT_OK;
}

static tacit_status publish_start(hub *h) {
    store_model model;
    const uint8_t *file;
    tacit_status st = round_start_model(h->round, &model, &file, now_s());
    if (st == TACIT_OK) st = keep_model(h, &model, file);
    if (st == TACIT_OK) round_published(h->round);
    return st;
}

static tacit_status open_cohort(hub *h) {
    const round_offer *offer = round_plan(h->round);
    cohort_params params = {
        .plan = offer->plan, .expected_count = offer->expected_count, .quiet_s = h->quiet_s};
    memcpy(params.plan_digest, offer->digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, offer->phase_secret, TACIT_SIGN_SECRET_LEN);
    cohort *c = NULL;
    tacit_status st = cohort_new(&c, &params);
    tacit_wipe(&params, sizeof params);
    if (st != TACIT_OK) return st;
    pthread_mutex_lock(&h->lock);
    cohort_free(h->cohort);
    h->cohort = c;
    h->open = true;
    pthread_mutex_unlock(&h->lock);
    round_opened(h->round);
    return TACIT_OK;
}

bool hub_open(hub *h, const char **note) {
    tacit_status st = TACIT_OK;
    *note = NULL;
    while (st == TACIT_OK) {
        uint8_t seed[TACIT_KEY_LEN];
        switch (round_next(h->round)) {
            case ROUND_PUBLISH: st = publish_start(h); break;
            case ROUND_RESERVE:
                tacit_os_random(seed, sizeof seed);
                st = round_reserved(h->round, note, ++h->number, seed, now_s());
                tacit_wipe(seed, sizeof seed);
                break;
            case ROUND_OPEN: st = open_cohort(h); break;
            case ROUND_WAIT: round_resume(h->round); break;
            case ROUND_GATHER: return true;
            case ROUND_LEARN:
            case ROUND_COMMIT:
            case ROUND_OVER: return false;
        }
    }
    if (*note == NULL) *note = tacit_status_text(st);
    return false;
}

const round_offer *hub_offer(const hub *h) { return round_plan(h->round); }

/* Advances the cohort by the clock until it ends. The sum is taken under the lock: devices have
 * nothing to do meanwhile but to wait for their receipts. */
static void gather(hub *h) {
    const struct timespec step = {.tv_nsec = 5000000};
    for (bool ended = false; !ended;) {
        pthread_mutex_lock(&h->lock);
        bool moved = false;
        while (cohort_tick(h->cohort, now_s())) moved = true;
        if (cohort_phase_now(h->cohort) == COHORT_SUM) {
            (void)!cohort_sum_now(h->cohort);
            moved = true;
        }
        cohort_phase phase = cohort_phase_now(h->cohort);
        ended = phase == COHORT_DONE || phase == COHORT_FAILED;
        if (moved) pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
        if (!ended) nanosleep(&step, NULL);
    }
}

tacit_status hub_drive(hub *h, store_record *record) {
    cohort_report report;
    gather(h);
    pthread_mutex_lock(&h->lock);
    h->open = false;
    cohort_report_get(h->cohort, &report);
    bool done = cohort_phase_now(h->cohort) == COHORT_DONE;
    round_gathered(h->round, &report, done ? cohort_sum(h->cohort) : NULL, now_s());
    pthread_mutex_unlock(&h->lock);
    if (round_next(h->round) == ROUND_LEARN) round_learn(h->round);
    const round_end *end = round_result(h->round);
    *record = end->record;
    tacit_status st = TACIT_OK;
    if (end->has_model) st = keep_model(h, &end->model, end->model_file);
    round_committed(h->round, now_s());
    return st;
}

/* ---- Exchanges ---------------------------------------------------------------------------------
 */

static tacit_status refuse(tacit_exchange *x, int http_status, tacit_status problem) {
    x->http_status = http_status;
    x->problem = (uint32_t)problem;
    return TACIT_OK;
}

static tacit_status serve_plan(hub *h, tacit_exchange *x) {
    tacit_Message m = {.which_body = tacit_Message_plan_tag};
    byte_buffer out = {0};
    tacit_sink sink = {&out, byte_buffer_append};
    pthread_mutex_lock(&h->lock);
    bool open = h->open;
    if (open) {
        const round_offer *offer = round_plan(h->round);
        memcpy(m.body.plan.plan, offer->encoded, TACIT_PLAN_LEN);
        memcpy(m.body.plan.signature, offer->encoded + TACIT_PLAN_LEN, TACIT_SIG_LEN);
    }
    pthread_mutex_unlock(&h->lock);
    if (!open) return refuse(x, 404, TACIT_NOT_FOUND);
    tacit_status st = tacit_wire_write(&m, &sink);
    x->http_status = 200;
    if (st == TACIT_OK) st = x->consume(x->self, out.data, out.len);
    free(out.data);
    return st;
}

/* The kept model a path asks for, or NULL: /v1/model/{hex digest} or /v1/model/after/{number}. */
static const kept_model *wanted_model(const hub *h, const char *name) {
    char hex[2 * TACIT_HASH_LEN + 1];
    if (strncmp(name, "after/", 6) == 0)
        return h->models[0].file && h->models[0].number > strtoull(name + 6, NULL, 10)
                   ? &h->models[0]
                   : NULL;
    for (int i = 0; i < 2; i++) {
        for (int b = 0; b < TACIT_HASH_LEN; b++)
            snprintf(hex + 2 * b, 3, "%02x", h->models[i].digest[b]);
        if (h->models[i].file != NULL && strcmp(name, hex) == 0) return &h->models[i];
    }
    return NULL;
}

static tacit_status serve_model(hub *h, tacit_exchange *x) {
    byte_buffer out = {0};
    pthread_mutex_lock(&h->lock);
    const kept_model *m = wanted_model(h, x->path + strlen("/v1/model/"));
    tacit_status st = TACIT_OK;
    if (m != NULL && x->range_start <= m->len)
        st = byte_buffer_append(&out, m->file + x->range_start, m->len - x->range_start);
    pthread_mutex_unlock(&h->lock);
    if (out.data == NULL) return st == TACIT_OK ? refuse(x, 404, TACIT_NOT_FOUND) : st;
    x->http_status = x->range_start > 0 ? 206 : 200;
    st = x->consume(x->self, out.data, out.len);
    free(out.data);
    return st;
}

static bool phase_of(cohort_phase *phase, const char *path) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    const char *last = strrchr(path, '/');
    for (int i = 0; last != NULL && i < 5; i++)
        if (strcmp(last + 1, names[i]) == 0) {
            *phase = (cohort_phase)i;
            return true;
        }
    return false;
}

/* Waits under the lock until the phase's answer is ready, then collects it. */
static tacit_status collect(hub *h, byte_buffer *out, cohort_phase phase, uint32_t slot) {
    tacit_sink sink = {out, byte_buffer_append};
    uint32_t cursor = 0;
    while (!cohort_answer_ready(h->cohort, phase) && cohort_phase_now(h->cohort) != COHORT_FAILED)
        pthread_cond_wait(&h->changed, &h->lock);
    tacit_status st;
    do {
        st = cohort_answer_next(h->cohort, phase, slot, &cursor, &sink);
    } while (st == TACIT_OK);
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

static tacit_status serve_phase(hub *h, tacit_exchange *x) {
    cohort_phase phase;
    byte_buffer in = {0}, out = {0};
    uint32_t slot = 0;
    if (strcmp(x->method, "POST") != 0 || !phase_of(&phase, x->path))
        return refuse(x, 404, TACIT_NOT_FOUND);
    tacit_status st = x->produce(x->self, byte_buffer_append, &in);
    if (st != TACIT_OK) {
        free(in.data);
        return st;
    }
    pthread_mutex_lock(&h->lock);
    if (!h->open)
        st = TACIT_LATE;
    else
        st = cohort_submit(h->cohort, &slot, NULL, phase, tacit_bytes_of(in.data, in.len), now_s());
    if (st == TACIT_OK) st = collect(h, &out, phase, slot);
    pthread_mutex_unlock(&h->lock);
    free(in.data);
    if (st != TACIT_OK) {
        free(out.data);
        return refuse(x, st == TACIT_LATE ? 410 : 400, st);
    }
    x->http_status = 200;
    st = x->consume(x->self, out.data, out.len);
    free(out.data);
    return st;
}

tacit_status hub_exchange(void *self, tacit_exchange *x) {
    hub *h = self;
    x->http_status = 0;
    x->retry_after_s = x->problem = 0;
    if (strcmp(x->path, "/v1/plan") == 0) return serve_plan(h, x);
    if (strncmp(x->path, "/v1/model/", 10) == 0) return serve_model(h, x);
    return serve_phase(h, x);
}
