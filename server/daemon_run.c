/* SPDX-License-Identifier: Apache-2.0
 * daemon_run.c - one training run after the other: what server/round.h says is due is done here,
 * with the store, the service and libuv's workers. When the store fails, what is due stays due and
 * is tried again with the next tick; devices are held meanwhile. */
#include <stdlib.h>
#include <time.h>

#include "common/crypto.h"
#include "server/daemon_internal.h"

/* ---- Log
 * ---------------------------------------------------------------------------------------*/

static void log_store(daemon_state *d, const char *what) {
    logline l;
    logline_begin(&l, LOG_ERROR, "store");
    logline_text(&l, "doing", what);
    logline_text(&l, "note", store_error(d->store));
    logline_end(&l);
}

static void log_run(const daemon_state *d, log_level level, const char *state, const char *note) {
    logline l;
    logline_begin(&l, level, "run");
    logline_number(&l, "run", d->run.run);
    logline_text(&l, "state", state);
    if (note[0] != 0) logline_text(&l, "note", note);
    logline_end(&l);
}

static void log_open(const daemon_state *d) {
    const tacit_plan *p = &round_plan(d->round)->plan;
    logline l;
    logline_begin(&l, LOG_INFO, "open");
    logline_number(&l, "run", p->run);
    logline_number(&l, "round", p->round);
    logline_number(&l, "sum", p->sum_index + 1);
    logline_number(&l, "sums", p->sum_count);
    logline_number(&l, "n_lo", p->n_lo);
    logline_number(&l, "n_hi", p->n_hi);
    logline_number(&l, "dims", p->dims);
    logline_number(&l, "bits", p->bits);
    logline_number(&l, "join_s", p->join_until_s - p->opens_s);
    logline_end(&l);
    const char *floor = round_plan(d->round)->floor;
    if (floor == NULL) return;
    logline_begin(&l, LOG_WARNING, "plan");
    logline_number(&l, "round", p->round);
    logline_text(&l, "note", floor);
    logline_end(&l);
}

static void log_end(const daemon_state *d, const round_end *e, http_counts counts) {
    const store_record *r = &e->record;
    logline l;
    logline_begin(&l, e->has_model ? LOG_INFO : LOG_WARNING, "round");
    logline_number(&l, "run", r->run);
    logline_number(&l, "round", r->round);
    logline_text(&l, "status", tacit_status_name((tacit_status)r->status));
    logline_number(&l, "joined", r->joined);
    logline_number(&l, "survivors", r->survivors);
    logline_number(&l, "honest", r->honest);
    logline_number(&l, "seconds", r->closed_s - r->opened_s);
    logline_real(&l, "epsilon", r->epsilon_so_far);
    if (e->has_model) {
        logline_number(&l, "model", e->model.number);
        logline_real(&l, "signal", round_step(d->round)->signal);
        logline_real(&l, "wrap_z", round_step(d->round)->wrap_z);
    }
    logline_number(&l, "requests", counts.requests);
    logline_number(&l, "refused", counts.refused);
    logline_number(&l, "connections", counts.connections);
    if (r->note[0] != 0) logline_text(&l, "note", r->note);
    logline_end(&l);
}

/* ---- Beginning a run ---------------------------------------------------------------------------
 * Reading the last model and calibrating the noise takes a while, so a worker does it. */

typedef struct run_start {
    store_model latest;
    bool has_latest;
    uint8_t *file, *blob;
    size_t file_len, blob_len;
    round_run *round;
    tacit_status status;
    char note[TACIT_NOTE_LEN + 1];
} run_start;

static void start_free(daemon_state *d) {
    if (d->start == NULL) return;
    free(d->start->file);
    free(d->start->blob);
    round_free(d->start->round);
    free(d->start);
    d->start = NULL;
}

/* From the store, on the loop: what the worker needs. */
static tacit_status gather_start(daemon_state *d, run_start *s) {
    tacit_status st = store_model_latest(d->store, &s->latest);
    s->has_latest = st == TACIT_OK;
    if (st == TACIT_OK)
        st = store_model_file(d->store, &s->file, &s->file_len, s->latest.digest);
    else if (st == TACIT_NOT_FOUND)
        st = TACIT_OK;
    if (st != TACIT_OK) return st;
    st = store_run_blob(d->store, &s->blob, &s->blob_len, d->run.run);
    if (st == TACIT_NOT_FOUND) st = TACIT_OK;
    if (st == TACIT_OK && d->run.state == RUN_WAITING)
        st = store_run_state(d->store, d->run.run, RUN_ACTIVE);
    return st;
}

/* The newest model when the run may go on from it: ours, sound, of this catalogue. */
static bool usable(const daemon_state *d, run_start *s, tacit_model *model) {
    const char *what = NULL;
    if (s->file == NULL) return false;
    tacit_status st =
        tacit_model_open(model, &what, s->file, s->file_len, d->keys.model.public_key);
    return st == TACIT_OK && memcmp(model->catalogue, d->catalogue->digest, TACIT_HASH_LEN) == 0;
}

static void begin_run(uv_work_t *work) {
    daemon_state *d = work->data;
    run_start *s = d->start;
    tacit_model previous;
    training *t = NULL;
    const char *what = "";
    bool fits = usable(d, s, &previous);
    training_spec spec = {.epsilon = d->run.epsilon,
                          .delta = d->run.delta,
                          .devices = d->run.devices,
                          .preset = d->run.preset,
                          .factor = d->run.factor,
                          .sums = d->run.sums,
                          .seed = d->run.seed,
                          .previous = fits ? &previous : NULL};
    if (s->blob != NULL && !fits) {
        s->status = TACIT_BAD_MODEL;
        snprintf(s->note, sizeof s->note, "the catalogue or the model key changed during the run");
        return;
    }
    s->status = training_new(&t, &spec, d->features);
    if (s->status == TACIT_OK)
        s->status = round_new(&s->round, &what, &d->setup, &d->run, t,
                              s->has_latest ? &s->latest : NULL, s->blob, s->blob_len);
    if (s->status != TACIT_OK)
        snprintf(s->note, sizeof s->note, "%s", what[0] != 0 ? what : tacit_status_text(s->status));
}

static void after_begin(uv_work_t *work, int status) {
    daemon_state *d = work->data;
    run_start *s = d->start;
    (void)status;
    d->working = false;
    if (s->status == TACIT_OK) {
        d->round = s->round;
        s->round = NULL;
        log_run(d, LOG_INFO, "active", "");
    } else {
        log_run(d, LOG_ERROR, "failed", s->note);
        if (store_run_state(d->store, d->run.run, RUN_FAILED) != TACIT_OK)
            log_store(d, "run state");
    }
    start_free(d);
    daemon_step(d);
}

/* True when a run is being begun. */
static bool begin_next(daemon_state *d) {
    tacit_status st = store_run_next(d->store, &d->run);
    if (st != TACIT_OK) {
        if (st != TACIT_NOT_FOUND) log_store(d, "next run");
        return st != TACIT_NOT_FOUND;
    }
    d->worked = true;
    d->start = calloc(1, sizeof *d->start);
    if (d->start == NULL) return true;
    if (gather_start(d, d->start) != TACIT_OK) {
        log_store(d, "begin run");
        start_free(d);
        return true;
    }
    d->work.data = d;
    d->working = uv_queue_work(&d->loop, &d->work, begin_run, after_begin) == 0;
    if (!d->working) start_free(d);
    return true;
}

/* ---- A run's course
 * ----------------------------------------------------------------------------*/

/* Each does one thing that is due; false: try again with the next tick. */

static bool publish(daemon_state *d) {
    store_model m;
    const uint8_t *file = NULL;
    tacit_status st = round_start_model(d->round, &m, &file, (uint64_t)time(NULL));
    if (st == TACIT_OK) st = store_model_add(d->store, &m, file);
    if (st != TACIT_OK) {
        log_store(d, "publish");
        return false;
    }
    round_published(d->round);
    logline l;
    logline_begin(&l, LOG_INFO, "model");
    logline_number(&l, "model", m.number);
    logline_text(&l, "note", "content only");
    logline_end(&l);
    return true;
}

static bool reserve(daemon_state *d) {
    uint64_t number = 0;
    uint8_t seed[TACIT_KEY_LEN];
    const char *what = "";
    if (store_round_next(d->store, &number, d->run.run) != TACIT_OK) {
        log_store(d, "reserve round");
        return false;
    }
    tacit_os_random(seed, sizeof seed);
    tacit_status st = round_reserved(d->round, &what, number, seed, (uint64_t)time(NULL));
    tacit_wipe(seed, sizeof seed);
    if (st == TACIT_OK) return true;
    log_run(d, LOG_ERROR, "failed", what);
    if (store_run_state(d->store, d->run.run, RUN_FAILED) != TACIT_OK) log_store(d, "run state");
    return true; /* it is OVER */
}

/* Stores the blames of the round before, unless that is done. */
static bool keep_blames(daemon_state *d) {
    if (d->blame_count == 0) return true;
    if (store_blame_add(d->store, d->blames, d->blame_count) != TACIT_OK) {
        log_store(d, "keep blames");
        return false;
    }
    free(d->blames);
    d->blames = NULL;
    d->blame_count = 0;
    return true;
}

static tacit_status open_service(daemon_state *d, const round_offer *o) {
    uint8_t(*banned)[TACIT_KEY_LEN];
    uint32_t count;
    tacit_status st = store_banned(d->store, &banned, &count);
    if (st != TACIT_OK)
        log_store(d, "read bans");
    else
        st = service_open(d->service, o, (const uint8_t(*)[TACIT_KEY_LEN])banned, count);
    free(banned);
    return st;
}

static bool open_round(daemon_state *d) {
    if (!keep_blames(d)) return false; /* nobody gets in again by a full disk */
    const round_offer *o = round_plan(d->round);
    tacit_status st = store_plan_put(d->store, o->plan.round, o->encoded, sizeof o->encoded);
    if (st != TACIT_OK && st != TACIT_DUPLICATE) { /* a second try finds the plan already kept */
        log_store(d, "keep plan");
        return false;
    }
    st = open_service(d, o);
    if (st != TACIT_OK) {
        log_run(d, LOG_ERROR, "no cohort", tacit_status_text(st));
        return false;
    }
    round_opened(d->round);
    log_open(d);
    return true;
}

static void learn(uv_work_t *work) {
    daemon_state *d = work->data;
    round_learn(d->round);
}

static void after_learn(uv_work_t *work, int status) {
    daemon_state *d = work->data;
    (void)status;
    d->working = false;
    daemon_step(d);
}

static bool start_learning(daemon_state *d) {
    d->work.data = d;
    d->working = uv_queue_work(&d->loop, &d->work, learn, after_learn) == 0;
    return false; /* goes on in after_learn */
}

static bool commit(daemon_state *d) {
    const round_end *e = round_result(d->round);
    store_record record = e->record;
    tacit_status st =
        store_commit_sum(d->store, &record, e->has_model ? &e->model : NULL, e->model_file, e->sum,
                         e->sum_len, e->blob, e->blob_len, e->state);
    if (st != TACIT_OK) {
        log_store(d, "record round");
        return false;
    }
    http_counts none = {0};
    log_end(d, e, d->stopping ? none : service_counts(d->service));
    if (e->state == RUN_DONE) log_run(d, LOG_INFO, "done", "");
    if (e->state == RUN_FAILED) log_run(d, LOG_ERROR, "failed", "too many rounds failed in a row");
    round_committed(d->round, (uint64_t)time(NULL));
    if (!d->stopping) service_settle(d->service);
    return true;
}

static bool act(daemon_state *d) {
    switch (round_next(d->round)) {
        case ROUND_PUBLISH: return publish(d);
        case ROUND_RESERVE: return d->stopping ? false : reserve(d);
        case ROUND_OPEN: return d->stopping ? false : open_round(d);
        case ROUND_GATHER: return false;
        case ROUND_LEARN: return start_learning(d);
        case ROUND_COMMIT: return commit(d);
        case ROUND_WAIT:
            if ((uint64_t)time(NULL) < round_resume_s(d->round)) return false;
            round_resume(d->round);
            return true;
        case ROUND_OVER:
            round_free(d->round);
            d->round = NULL;
            return true;
    }
    return false;
}

void daemon_step(daemon_state *d) {
    while (!d->working) {
        if (d->round == NULL) {
            if (d->stopping || !begin_next(d) || !d->working) return;
        } else if (!act(d)) {
            return;
        }
    }
}

/* ---- The service's questions
 * -------------------------------------------------------------------*/

static tacit_status model_file(void *self, uint8_t **file, size_t *len,
                               const uint8_t digest[static TACIT_HASH_LEN]) {
    daemon_state *d = self;
    tacit_status st = store_model_file(d->store, file, len, digest);
    if (st != TACIT_OK && st != TACIT_NOT_FOUND) log_store(d, "read model");
    return st;
}

static tacit_status newest_model(void *self, uint8_t digest[static TACIT_HASH_LEN],
                                 uint64_t *number) {
    daemon_state *d = self;
    store_model newest;
    tacit_status st = store_model_latest(d->store, &newest);
    if (st != TACIT_OK) return st;
    memcpy(digest, newest.digest, TACIT_HASH_LEN);
    *number = newest.number;
    return TACIT_OK;
}

static uint64_t now_s(void *self) {
    (void)self;
    return (uint64_t)time(NULL);
}

static void log_blame(uint64_t round, const cohort_blame *b) {
    logline l;
    logline_begin(&l, LOG_WARNING, "blame");
    logline_number(&l, "round", round);
    logline_hash(&l, "device", b->id);
    logline_text(&l, "fault", cohort_fault_name(b->fault));
    logline_number(&l, "phase", (uint64_t)b->phase);
    logline_number(&l, "wrong", b->wrong);
    logline_number(&l, "came", b->came);
    logline_text(&l, "banned", cohort_fault_bans(b->fault) ? "yes" : "no");
    logline_end(&l);
}

/* Kept before the round is recorded, so that a crash in between forgets nobody; when the store
 * fails the next round waits for it. */
static void take_blames(daemon_state *d, const cohort_report *report) {
    uint64_t round = round_plan(d->round)->plan.round;
    d->blames = calloc(report->blame_count, sizeof *d->blames);
    d->blame_count = d->blames != NULL ? report->blame_count : 0;
    for (uint32_t i = 0; i < report->blame_count; i++) {
        const cohort_blame *b = &report->blames[i];
        log_blame(round, b);
        if (d->blames == NULL) continue;
        store_blame *kept = &d->blames[i];
        *kept = (store_blame){.round = round,
                              .phase = (uint32_t)b->phase,
                              .banned = cohort_fault_bans(b->fault),
                              .wrong = b->wrong,
                              .came = b->came};
        memcpy(kept->id, b->id, TACIT_HASH_LEN);
        memcpy(kept->device_key, b->device_key, TACIT_KEY_LEN);
        snprintf(kept->fault, sizeof kept->fault, "%s", cohort_fault_name(b->fault));
    }
    (void)keep_blames(d);
}

static void ended(void *self, const cohort_report *report, const uint32_t *words) {
    daemon_state *d = self;
    if (report->blame_count > 0) take_blames(d, report);
    round_gathered(d->round, report, words, (uint64_t)time(NULL));
    daemon_step(d);
}

const service_host daemon_host = {NULL, now_s, model_file, newest_model, ended};

/* ---- After a crash
 * -----------------------------------------------------------------------------*/

static tacit_status record_one(daemon_state *d, uint64_t number, uint64_t run_number) {
    uint8_t plan[ROUND_PLAN_LEN];
    size_t len = 0;
    store_run run;
    store_record record;
    tacit_status st = store_plan_get(d->store, plan, sizeof plan, &len, number);
    if (st == TACIT_OK) st = round_cut_off(&record, plan, len, (uint64_t)time(NULL));
    if (st != TACIT_OK || record.round != number || record.run != run_number) {
        memset(&record, 0, sizeof record);
        record.round = number;
        record.run = run_number;
        record.status = TACIT_CORRUPT;
        snprintf(record.note, sizeof record.note, "the stored plan cannot be read");
    }
    st = store_run_get(d->store, &run, run_number);
    if (st == TACIT_OK)
        st = store_commit_sum(d->store, &record, NULL, NULL, NULL, 0, NULL, 0, run.state);
    return st;
}

tacit_status daemon_record_cut_off(daemon_state *d) {
    uint64_t number = 0, run_number = 0;
    tacit_status st;
    while ((st = store_round_unrecorded(d->store, &number, &run_number)) == TACIT_OK) {
        if ((st = record_one(d, number, run_number)) != TACIT_OK) return st;
        logline l;
        logline_begin(&l, LOG_WARNING, "round");
        logline_number(&l, "run", run_number);
        logline_number(&l, "round", number);
        logline_text(&l, "note", "cut off when the server stopped; recorded as given up");
        logline_end(&l);
    }
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

void daemon_run_free(daemon_state *d) {
    start_free(d);
    free(d->blames);
    round_free(d->round);
    d->round = NULL;
}
