/* SPDX-License-Identifier: Apache-2.0
 * virtual.c - see virtual.h: the run. Takes events in batches (virtual_internal.h), lets the
 * devices' machines work on all threads, and puts what came of it in order. */
#include "tools/virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/crypto.h"
#include "tools/progress.h"
#include "tools/virtual_internal.h"

enum { SECOND_US = 1000000, RESTART_S = 45, SOON_S = 3, AGAIN_S = 4 };

double virtual_cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

const char *virtual_part_text(virtual_part part) {
    static const char *const texts[] = {
#define XX(name, text) text,
        VIRTUAL_PART_MAP(XX)
#undef XX
    };
    return texts[part];
}

/* ---- Options -----------------------------------------------------------------------------------
 */

bool virtual_faults_named(virtual_faults *out, const char *name) {
    static const virtual_faults none = {.delay_ms = 100};
    static const virtual_faults light = {.loss = 0.005,
                                         .duplicate = 0.01,
                                         .partition = 0.02,
                                         .crash = 0.01,
                                         .server_crash = 0.1,
                                         .disk_error = 0.01,
                                         .slow = 0.01,
                                         .clock_jump = 0.01,
                                         .restore = 0.005,
                                         .delay_ms = 500};
    static const virtual_faults heavy = {.loss = 0.03,
                                         .duplicate = 0.05,
                                         .partition = 0.1,
                                         .crash = 0.05,
                                         .server_crash = 0.3,
                                         .disk_error = 0.05,
                                         .slow = 0.05,
                                         .clock_jump = 0.05,
                                         .restore = 0.02,
                                         .delay_ms = 3000};
    const virtual_faults *found = strcmp(name, "none") == 0    ? &none
                                  : strcmp(name, "light") == 0 ? &light
                                  : strcmp(name, "heavy") == 0 ? &heavy
                                                               : NULL;
    if (found != NULL) *out = *found;
    return found != NULL;
}

static bool is_chance(double p) { return p >= 0 && p <= 1; }

const char *virtual_options_wrong(const virtual_options *o) {
    const virtual_faults *f = &o->faults;
    if (o->devices < 3 || o->devices > TACIT_MAX_COHORT) return "--devices 3..10000";
    if (o->rounds < 1 || o->rounds > VIRTUAL_ROUNDS / 2) return "--rounds 1..32";
    if (o->dims < 16 || o->dims > TACIT_MAX_DIMS || (o->dims & (o->dims - 1)) != 0)
        return "--dims wants a power of two, 16..1048576";
    if (o->bits != 0 && o->bits != 16 && o->bits != 20 && o->bits != 24 && o->bits != 32)
        return "--bits 0, 16, 20, 24 or 32";
    if (o->max_colluding > 1000 || o->max_dropout > 1000) return "fractions lie in 0..1";
    if (!is_chance(o->dropout)) return "--dropout is a chance, 0..1";
    if (!is_chance(f->loss) || !is_chance(f->duplicate) || !is_chance(f->partition) ||
        !is_chance(f->crash) || !is_chance(f->server_crash) || !is_chance(f->disk_error) ||
        !is_chance(f->slow) || !is_chance(f->clock_jump) || !is_chance(f->restore))
        return "faults are chances, 0..1";
    if (f->delay_ms > 60000) return "--delay-ms 0..60000";
    if (o->threads < 1 || o->threads > 64) return "--threads 1..64";
    return NULL;
}

void virtual_command(char *out, size_t len, const virtual_options *o) {
    static const char *const plants[] = {"", " --plant sum", " --plant reveal", " --plant secret"};
    const virtual_faults *f = &o->faults;
    (void)snprintf(out, len,
                   "build/tacit simulate --virtual --devices %u --rounds %u --dims %u --bits %u "
                   "--dropout %.10g --max-dropout %.3f --max-colluding %.3f --loss %.10g "
                   "--duplicate %.10g --partition %.10g --crash %.10g --server-crash %.10g "
                   "--disk-error %.10g --slow %.10g --clock-jump %.10g --restore %.10g "
                   "--delay-ms %u --seed %llu%s",
                   o->devices, o->rounds, o->dims, o->bits, o->dropout, o->max_dropout / 1000.0,
                   o->max_colluding / 1000.0, f->loss, f->duplicate, f->partition, f->crash,
                   f->server_crash, f->disk_error, f->slow, f->clock_jump, f->restore, f->delay_ms,
                   (unsigned long long)o->seed, plants[o->plant]);
}

/* ---- A batch -----------------------------------------------------------------------------------
 */

static bool in_batch(const virtual_sim *sim, uint32_t count, uint32_t device) {
    for (uint32_t i = 0; i < count; i++)
        if (sim->batch[i].event.device == device) return true;
    return false;
}

/* Only what its device waits for is fetched. */
static void prepare(virtual_sim *sim, virtual_step *step) {
    byte_buffer kept = step->answer;
    virtual_event e = step->event;
    *step = (virtual_step){.event = e, .device = &sim->devices[e.device], .answer = kept};
    const virtual_device *d = step->device;
    step->answer.len = 0;
    if (e.kind == VIRTUAL_ANSWER && d->on && d->busy && e.token == d->token)
        virtual_server_pull(sim, step);
}

static void run_step(void *self, uint32_t index, uint32_t thread) {
    virtual_sim *sim = self;
    virtual_device_step(sim, &sim->workers[thread], &sim->batch[index]);
}

static void put_device(virtual_sim *sim, const virtual_device *d, virtual_kind kind,
                       uint64_t at_us) {
    virtual_put(sim, (virtual_event){.at_us = at_us,
                                     .kind = kind,
                                     .device = d->number,
                                     .token = d->token,
                                     .round = d->round});
}

/* A receipt names the server's sum. */
static void note_receipt(virtual_sim *sim, const virtual_step *step) {
    const virtual_device *d = step->device;
    virtual_round_result *r = &sim->result->rounds[d->round - 1];
    r->receipts++;
    if (r->ended != COHORT_DONE || r->report.survivors != step->survivors ||
        !tacit_equal(r->report.sum_digest, step->sum_digest, TACIT_HASH_LEN))
        virtual_find(sim, "round %llu: device %u has a receipt for another sum than the server's",
                     (unsigned long long)d->round, d->number);
}

/* Not busy any more: asks again when a round it has not tried is open, or after a crash. */
static void host_again(virtual_sim *sim, const virtual_step *step) {
    const virtual_device *d = step->device;
    bool restarted = step->event.kind == VIRTUAL_RESTART;
    if (d->tried >= sim->server.round && !restarted) return;
    put_device(sim, d, VIRTUAL_START,
               step->event.at_us + VIRTUAL_LATENCY_US +
                   virtual_uniform(sim, (uint64_t)AGAIN_S * SECOND_US));
}

static void count_end(virtual_sim *sim, const virtual_step *step) {
    virtual_result *r = sim->result;
    r->vanished += step->vanished;
    r->disk_errors += step->disk_error;
    r->restores += step->restored;
    r->refused_restores += step->refused_restore;
    r->scans += step->scans;
    if (step->next == VIRTUAL_NEXT_DOWN) r->crashes++;
    if (step->next == VIRTUAL_NEXT_OVER && step->status != TACIT_PENDING) {
        r->contributions++;
        r->ended[step->status]++;
    }
    /* Whoever vanished from a roster counts against its max_dropout. */
    if (step->vanished && step->device->vanish > COHORT_JOIN)
        sim->rounds[step->device->round - 1].lost++;
}

/* In event order: what was found, sent and scheduled. */
static void finish(virtual_sim *sim, virtual_step *step) {
    virtual_device *d = step->device;
    uint64_t at_us = step->event.at_us;
    if (step->breach) virtual_find(sim, "%s", step->finding);
    count_end(sim, step);
    if (step->receipt) note_receipt(sim, step);
    if (step->body != NULL) {
        if (d->phase == COHORT_REVEAL && !step->body->poll)
            virtual_check_reveal(sim, d, step->body, d->round);
        virtual_network_request(sim, d, step->body, at_us);
    }
    switch (step->next) {
        case VIRTUAL_NEXT_NONE: break;
        case VIRTUAL_NEXT_REQUEST: {
            uint8_t phase = d->begun ? (uint8_t)tacit_participation_phase(&d->part) : COHORT_JOIN;
            at_us += virtual_compute_us(sim, d, phase) + (uint64_t)step->pause_s * SECOND_US;
            virtual_put(sim,
                        (virtual_event){.at_us = at_us,
                                        .kind = VIRTUAL_REQUEST,
                                        .device = d->number,
                                        .token = d->token,
                                        .cut = virtual_chance(sim, sim->options.faults.loss / 4)});
            break;
        }
        case VIRTUAL_NEXT_PAUSE:
            put_device(sim, d, VIRTUAL_POLL, at_us + (uint64_t)step->pause_s * SECOND_US);
            break;
        case VIRTUAL_NEXT_OVER: host_again(sim, step); break;
        case VIRTUAL_NEXT_DOWN:
            put_device(sim, d, VIRTUAL_RESTART,
                       at_us + SECOND_US + virtual_uniform(sim, (uint64_t)RESTART_S * SECOND_US));
            break;
    }
}

static void trace(tacit_hash *h, const virtual_event *e) {
    tacit_hash_add_u64(h, e->at_us);
    tacit_hash_add_u32(h, (uint32_t)e->kind);
    tacit_hash_add_u32(h, e->device);
    tacit_hash_add_u64(h, e->token);
    tacit_hash_add_u32(h, e->value);
}

enum { SERVER_EVENTS = 4096 };

/* What lies within the latency of the first event: device events into sim->batch, the server's into
 * `server`, and the order of all of them. */
typedef struct {
    virtual_event server[SERVER_EVENTS];
    int32_t order[SERVER_EVENTS + VIRTUAL_BATCH]; /* i: batch[i]; -1 - i: server[i] */
    uint32_t devices, servers, count;
} window;

static void collect(virtual_sim *sim, window *w) {
    const virtual_event *next = virtual_queue_peek(&sim->queue);
    uint64_t end_us = next->at_us + VIRTUAL_LATENCY_US;
    w->devices = w->servers = w->count = 0;
    while (next != NULL && next->at_us < end_us && w->servers < SERVER_EVENTS) {
        if (virtual_of_device(next->kind)) {
            if (w->devices == VIRTUAL_BATCH || in_batch(sim, w->devices, next->device)) break;
            sim->batch[w->devices].event = virtual_queue_take(&sim->queue);
            w->order[w->count++] = (int32_t)w->devices++;
        } else {
            w->server[w->servers] = virtual_queue_take(&sim->queue);
            w->order[w->count++] = -1 - (int32_t)w->servers++;
        }
        next = virtual_queue_peek(&sim->queue);
    }
}

static void run_window(virtual_sim *sim, window *w, tacit_hash *h) {
    collect(sim, w);
    for (uint32_t i = 0; i < w->devices; i++) prepare(sim, &sim->batch[i]);
    if (w->devices > 0) virtual_pool_run(sim->pool, w->devices, run_step, sim);
    for (uint32_t i = 0; i < w->count; i++) {
        int32_t at = w->order[i];
        virtual_event *e = at >= 0 ? &sim->batch[at].event : &w->server[-1 - at];
        trace(h, e);
        sim->now_us = e->at_us;
        if (at >= 0)
            finish(sim, &sim->batch[at]);
        else
            virtual_server_event(sim, e);
    }
    sim->result->events += w->count;
}

/* ---- The run -----------------------------------------------------------------------------------
 */

static void show(const virtual_sim *sim) {
    static const char *const names[] = {"join",   "share", "mask", "agree",
                                        "reveal", "sum",   "done", "given up"};
    const virtual_server *s = &sim->server;
    char label[64];
    if (!sim->options.progress) return;
    if (s->cohort == NULL) {
        progress_show("the server is down", 0, 0);
        return;
    }
    cohort_report report;
    cohort_phase phase = cohort_phase_now(s->cohort);
    cohort_report_get(s->cohort, &report);
    snprintf(label, sizeof label, "round %llu, %s", (unsigned long long)s->round, names[phase]);
    progress_show(label, report.sent[phase <= COHORT_REVEAL ? phase : COHORT_REVEAL],
                  sim->options.devices);
}

static void run_events(virtual_sim *sim, window *w) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_STREAM);
    virtual_put(sim, (virtual_event){.at_us = 0, .kind = VIRTUAL_OPEN});
    while (sim->status == TACIT_OK && virtual_queue_peek(&sim->queue) != NULL) {
        run_window(sim, w, &h);
        show(sim);
    }
    tacit_hash_end(&h, sim->result->trace);
    if (sim->options.progress) progress_end();
}

static void sum_up(virtual_sim *sim) {
    virtual_result *r = sim->result;
    r->virtual_s = (double)sim->now_us / SECOND_US;
    r->bits = sim->rounds[0].plan.bits;
    r->mu = sim->rounds[0].plan.mu;
    for (int part = 0; part < VIRTUAL_PART_COUNT; part++) {
        r->cpu_s[part] = sim->serial_cpu_s[part];
        for (uint32_t t = 0; sim->workers != NULL && t < sim->options.threads; t++)
            r->cpu_s[part] += sim->workers[t].cpu_s[part];
    }
}

tacit_status virtual_run(virtual_result *result, char *note, const virtual_options *options) {
    memset(result, 0, sizeof *result);
    note[0] = 0;
    virtual_sim *sim = calloc(1, sizeof *sim);
    window *w = malloc(sizeof *w);
    tacit_status st = TACIT_NO_SPACE;
    if (sim != NULL && w != NULL) {
        sim->options = *options;
        sim->result = result;
        sim->note = note;
        sim->scan_all = options->devices <= 1000;
        st = virtual_world_make(sim);
        if (st == TACIT_OK) {
            run_events(sim, w);
            st = sim->status;
        }
        if (st == TACIT_OK) virtual_check_end(sim);
        sum_up(sim);
        virtual_server_free(sim);
        virtual_queue_free(&sim->queue);
        virtual_world_free(sim);
    }
    free(w);
    free(sim);
    return st;
}
