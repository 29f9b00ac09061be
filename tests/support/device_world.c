/* SPDX-License-Identifier: Apache-2.0
 * device_world.c - see device_world.h. */
#include "tests/support/device_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/ring.h"
#include "firmware/update.h"

static tacit_status append(void *self, const uint8_t *data, size_t len) {
    world_bytes *b = self;
    if (b->len + len > b->cap) {
        b->cap = 2 * (b->len + len);
        b->data = realloc(b->data, b->cap);
        assert_non_null(b->data);
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return TACIT_OK;
}

tacit_sink world_sink(world_bytes *b) { return (tacit_sink){b, append}; }

/* ---- Devices ----------------------------------------------------------------------------------*/

tacit_status world_open(world *w, uint32_t i) {
    world_device *d = &w->devices[i];
    d->f = d->platform != NULL ? *d->platform : fault_callbacks(&d->p);
    d->t = NULL;
    tacit_status st = tacit_open(&d->t, d->memory, d->memory_len, &d->o, &d->f);
    if (st != TACIT_OK) return st;
    tacit_client_floors(d->t, &fixture_floors);
    st = tacit_model_load(d->t);
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

void world_prepare(world *w, uint32_t i) {
    tacit *t = w->devices[i].t;
    assert_int_equal(tacit_model_install(t, w->model.file, w->model.len), TACIT_OK);
    assert_int_equal(tacit_consent_set(t, true), TACIT_OK);
    for (uint64_t j = 0; j < 12; j++) {
        tacit_event e = {.item = 10 * (1 + (7 * j + 11 * i) % 60), .kind = TACIT_EVENT_CLICK};
        assert_int_equal(tacit_record(t, &e), TACIT_OK);
    }
}

static void add_device(world *w, uint32_t i) {
    world_device *d = &w->devices[i];
    fault_init(&d->p, 100 + i);
    fixture_certify(d->certificate, &w->keys, &d->p, 1);
    d->o = fixture_options(&w->keys, d->certificate);
    d->o.epsilon = 100;
    d->memory_len = tacit_workspace_len(&d->o);
    d->memory = aligned_alloc(64, (d->memory_len + 63) & ~(size_t)63);
    assert_non_null(d->memory);
    d->said = calloc(d->o.max_dims, sizeof *d->said);
    assert_non_null(d->said);
    assert_int_equal(world_open(w, i), TACIT_OK);
    world_prepare(w, i);
}

void world_init(world *w, uint32_t count) {
    memset(w, 0, sizeof *w);
    assert_true(count >= 3 && count <= WORLD_MAX);
    fixture_keys_init(&w->keys);
    w->model = fixture_model_make(&w->keys, 1, 60, 8, 4, NULL);
    w->count = count;
    w->now_s = 1800000000;
    w->plan_status = 200;
    for (uint32_t i = 0; i < count; i++) add_device(w, i);
    world_round(w, 1, NULL);
}

void world_free(world *w) {
    for (uint32_t i = 0; i < w->count; i++) {
        tacit_close(w->devices[i].t);
        fault_free(&w->devices[i].p);
        free(w->devices[i].memory);
        free(w->devices[i].said);
    }
    cohort_free(w->cohort);
    fixture_model_free(&w->model);
    free(w->request.data);
    free(w->answer.data);
}

void world_round(world *w, uint64_t round, void (*change)(tacit_plan *plan)) {
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->devices[i].p.now_s > w->now_s) w->now_s = w->devices[i].p.now_s;
    }
    w->plan = fixture_plan(&w->keys, &w->model, round, 3, w->count, w->now_s);
    w->plan.max_dropout = 300;
    w->plan.max_colluding = 0;
    w->plan.mu = 15000; /* little noise, so that one device's part can be seen in the sum */
    if (change != NULL) change(&w->plan);
    w->plan_bytes = fixture_plan_sign(&w->keys, &w->plan);
    cohort_free(w->cohort);
    cohort_params params = {.plan = w->plan};
    tacit_plan_digest(params.plan_digest, w->plan_bytes.bytes);
    memcpy(params.phase_secret, w->keys.phase_secret, sizeof params.phase_secret);
    assert_int_equal(cohort_new(&w->cohort, &params), TACIT_OK);
    for (uint32_t i = 0; i < w->count; i++) {
        w->devices[i].gone = false;
        w->devices[i].p.now_s = w->now_s;
    }
}

/* ---- Steps ------------------------------------------------------------------------------------*/

static tacit_participation *part(const world *w, uint32_t i) {
    return &w->devices[i].t->participation;
}

tacit_status world_begin(world *w, uint32_t i) {
    world_device *d = &w->devices[i];
    tacit_participation_room room = tacit_client_room(d->t);
    tacit_status st = tacit_participation_begin(&d->t->participation, &room, w->plan_bytes.bytes,
                                                w->plan_bytes.sig, w->now_s);
    if (st == TACIT_OK) memcpy(d->said, d->t->x, w->plan.dims * sizeof *d->said);
    return st;
}

tacit_status world_send(world *w, uint32_t i) {
    world_device *d = &w->devices[i];
    tacit_phase phase = tacit_participation_phase(part(w, i));
    w->request.len = 0;
    tacit_sink sink = world_sink(&w->request);
    tacit_status st = tacit_participation_request(part(w, i), &sink, w->now_s);
    if (st != TACIT_OK) return st;
    char note[TACIT_NOTE_LEN + 1];
    tacit_bytes body = {w->request.data, w->request.len};
    return cohort_submit(w->cohort, &d->slot, note, (cohort_phase)phase, body, w->now_s);
}

static void set_clocks(world *w) {
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->devices[i].p.now_s < w->now_s) w->devices[i].p.now_s = w->now_s;
    }
}

void world_close(world *w) {
    cohort_phase before = cohort_phase_now(w->cohort);
    (void)cohort_tick(w->cohort, w->now_s);
    if (cohort_phase_now(w->cohort) == before) {
        w->now_s = cohort_deadline_s(w->cohort) + 1;
        (void)cohort_tick(w->cohort, w->now_s);
    }
    if (cohort_phase_now(w->cohort) == COHORT_SUM) {
        assert_int_equal(cohort_sum_now(w->cohort), TACIT_OK);
    }
    set_clocks(w);
}

void world_collect(world *w, uint32_t i, tacit_phase phase) {
    uint32_t cursor = 0;
    tacit_sink sink = world_sink(&w->answer);
    w->answer.len = 0;
    tacit_status st;
    do {
        st = cohort_answer_next(w->cohort, (cohort_phase)phase, w->devices[i].slot, &cursor, &sink);
    } while (st == TACIT_OK);
}

tacit_status world_deliver(world *w, uint32_t i) {
    tacit_status st = TACIT_OK;
    for (size_t at = 0; at < w->answer.len && st == TACIT_OK;) {
        size_t len = 1 + (at * 7 + 3) % 700;
        if (len > w->answer.len - at) len = w->answer.len - at;
        st = tacit_participation_answer(part(w, i), w->answer.data + at, len);
        at += len;
    }
    return st == TACIT_OK ? tacit_participation_answer_end(part(w, i), w->now_s) : st;
}

void world_send_all(world *w, uint32_t first) {
    for (uint32_t i = first; i < w->count; i++) {
        world_device *d = &w->devices[i];
        if (!d->gone && world_send(w, i) != TACIT_OK) {
            d->gone = true;
            tacit_participation_leave(part(w, i));
        }
    }
}

void world_deliver_all(world *w, uint32_t first, tacit_phase phase) {
    for (uint32_t i = first; i < w->count; i++) {
        world_device *d = &w->devices[i];
        if (d->gone) continue;
        world_collect(w, i, phase);
        if (world_deliver(w, i) != TACIT_OK) d->gone = true;
    }
}

tacit_status world_run(world *w) {
    for (uint32_t i = 0; i < w->count; i++) {
        tacit_status st = world_begin(w, i);
        if (st != TACIT_OK) return st;
    }
    for (int phase = 0; phase < 5; phase++) {
        world_send_all(w, 0);
        world_close(w);
        world_deliver_all(w, 0, (tacit_phase)phase);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->devices[i].gone) return TACIT_LEFT;
    }
    return TACIT_OK;
}

/* ---- The sum ----------------------------------------------------------------------------------*/

double world_projection(const world *w, uint32_t i, double *deviation) {
    uint32_t dims = w->plan.dims;
    const uint32_t *words = cohort_sum(w->cohort);
    const float *mine = w->devices[i].said;
    double *sum = malloc(dims * sizeof *sum), result = 0, square = 0;
    assert_non_null(sum);
    for (uint32_t j = 0; j < dims; j++) {
        sum[j] = tacit_ring_centre(words[j], w->plan.bits) / w->plan.scale;
    }
    tacit_unrotate_f64(sum, dims, w->plan.rotation_seed);
    for (uint32_t other = 0; other < w->count; other++) {
        uint32_t index = cohort_slot_index(w->cohort, w->devices[other].slot);
        bool survived = index != UINT32_MAX && tacit_bit_get(cohort_u3(w->cohort), index);
        if (other == i || !survived) continue;
        for (uint32_t j = 0; j < dims; j++) sum[j] -= (double)w->devices[other].said[j];
    }
    for (uint32_t j = 0; j < dims; j++) {
        result += sum[j] * (double)mine[j];
        square += (double)mine[j] * (double)mine[j];
    }
    free(sum);
    /* Up to count / h shares of mu, and the rounding. */
    double variance = 2 * (double)w->plan.mu / w->plan.scale / w->plan.scale;
    *deviation = sqrt(square * variance) + 1e-3;
    return result;
}

bool world_holds(const world *w, uint32_t i) {
    double deviation, mine = world_projection(w, i, &deviation);
    return deviation < 0.25 && fabs(mine - 1) < 4 * deviation;
}

/* ---- The server as device 0 sees it -----------------------------------------------------------*/

static tacit_status hand_over(const world_bytes *b, size_t len, tacit_exchange *x) {
    for (size_t at = 0; at < len;) {
        size_t piece = len - at < 333 ? len - at : 333;
        tacit_status st = x->consume(x->self, b->data + at, piece);
        if (st != TACIT_OK) return st;
        at += piece;
    }
    return TACIT_OK;
}

static tacit_status give_plan(world *w, tacit_exchange *x) {
    tacit_Message m;
    memset(&m, 0, sizeof m);
    w->plan_gets++;
    x->http_status = w->plan_status;
    x->problem = w->problem;
    if (w->plan_status != 200) return TACIT_OK;
    m.which_body = tacit_Message_plan_tag;
    memcpy(m.body.plan.plan, w->plan_bytes.bytes, TACIT_PLAN_LEN);
    memcpy(m.body.plan.signature, w->plan_bytes.sig, TACIT_SIG_LEN);
    w->answer.len = 0;
    tacit_sink sink = world_sink(&w->answer);
    assert_int_equal(tacit_wire_write(&m, &sink), TACIT_OK);
    return hand_over(&w->answer, w->answer.len, x);
}

static tacit_status give_model(world *w, tacit_exchange *x) {
    w->model_gets++;
    const char *after = strstr(x->path, "/after/");
    if (after != NULL && strtoull(after + 7, NULL, 10) >= w->model.model.number) {
        x->http_status = 404;
        return TACIT_OK;
    }
    size_t start = w->model_ignores_range ? 0 : (size_t)x->range_start;
    if (start >= w->model.len) {
        x->http_status = 416;
        return TACIT_OK;
    }
    x->http_status = start > 0 ? 206 : 200;
    w->answer.len = 0;
    assert_int_equal(append(&w->answer, w->model.file + start, w->model.len - start), TACIT_OK);
    if (w->model_is_other) w->answer.data[w->answer.len / 2] ^= 1;
    size_t len = w->answer.len;
    if (w->model_breaks > 0) {
        w->model_breaks--;
        len = w->model.len / 3 < len ? w->model.len / 3 : len;
    }
    tacit_status st = hand_over(&w->answer, len, x);
    if (st != TACIT_OK) return st;
    return len < w->answer.len ? TACIT_TRANSPORT : TACIT_OK;
}

static tacit_status give_answer(world *w, tacit_exchange *x, tacit_phase phase) {
    x->http_status = 200;
    world_collect(w, 0, phase);
    if (!w->cut_answer[phase]) return hand_over(&w->answer, w->answer.len, x);
    tacit_status st = hand_over(&w->answer, w->answer.len / 2, x);
    return st == TACIT_OK ? TACIT_TRANSPORT : st;
}

static void check_path(const world *w, const char *path, tacit_phase phase) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    char want[96];
    snprintf(want, sizeof want,
             phase == TACIT_PHASE_JOIN ? "/v1/rounds/%llu/%s" : "/v1/cohorts/%llu-0/%s",
             (unsigned long long)w->plan.round, names[phase]);
    assert_string_equal(path, want);
}

static tacit_status post(world *w, tacit_exchange *x, tacit_phase phase) {
    char note[TACIT_NOTE_LEN + 1];
    check_path(w, x->path, phase);
    w->posts[phase]++;
    w->request.len = 0;
    if (w->lose_request[phase]) {
        w->lose_request[phase] = false;
        world_bytes lost = {NULL, 0, 0};
        tacit_status st = x->produce(x->self, append, &lost);
        free(lost.data);
        return st == TACIT_OK ? TACIT_TRANSPORT : st;
    }
    tacit_status st = x->produce(x->self, append, &w->request);
    if (st != TACIT_OK) return st;
    x->http_status = w->phase_status[phase];
    x->problem = w->problem;
    if (x->http_status != 0) return TACIT_OK;
    tacit_bytes body = {w->request.data, w->request.len};
    st = cohort_submit(w->cohort, &w->devices[0].slot, note, (cohort_phase)phase, body, w->now_s);
    assert_int_equal(st, TACIT_OK);
    world_send_all(w, 1);
    world_close(w);
    world_deliver_all(w, 1, phase);
    if (w->lose_answer[phase]) return TACIT_TRANSPORT;
    if (!w->hold[phase]) return give_answer(w, x, phase);
    x->http_status = 202;
    x->retry_after_s = 2;
    return TACIT_OK;
}

static tacit_status exchange(void *self, tacit_exchange *x) {
    static const char *const names[] = {"/join", "/share", "/mask", "/agree", "/reveal"};
    world *w = self;
    if (strcmp(x->path, "/v1/plan") == 0) return give_plan(w, x);
    if (strncmp(x->path, "/v1/model/", 10) == 0) return give_model(w, x);
    int phase = 0;
    while (phase < 5 && strcmp(strrchr(x->path, '/'), names[phase]) != 0) phase++;
    assert_true(phase < 5);
    if (strcmp(x->method, "POST") == 0) return post(w, x, (tacit_phase)phase);
    uint32_t slot;
    check_path(w, x->path, (tacit_phase)phase);
    assert_null(x->produce);
    w->polls[phase]++;
    if (w->poll_busy_once) {
        w->poll_busy_once = false;
        x->http_status = 503;
        return TACIT_OK;
    }
    tacit_status st = cohort_poll(w->cohort, &slot, (cohort_phase)phase, x->poll);
    if (st != TACIT_OK) {
        x->http_status = 404;
        x->problem = (uint32_t)st;
        return TACIT_OK;
    }
    assert_int_equal(slot, w->devices[0].slot);
    return give_answer(w, x, (tacit_phase)phase);
}

/* The other devices' first step: they begin once device 0 has seen the plan. */
void world_connect(world *w) {
    w->devices[0].p.exchange = exchange;
    w->devices[0].p.network_self = w;
    for (uint32_t i = 1; i < w->count; i++) assert_int_equal(world_begin(w, i), TACIT_OK);
}
