/* SPDX-License-Identifier: Apache-2.0
 * round.c - see round.h. The run's blob is "TRUN", failures u32, then the training's own state, so
 * that a restarted server neither forgets a sum nor the tries already spent. */
#include "server/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cert.h"
#include "common/crypto.h"
#include "common/ring.h"

enum { BLOB_HEAD = 8, BACK_OFF_DOUBLINGS = 6 };
static const uint8_t blob_magic[4] = {'T', 'R', 'U', 'N'};

struct round_run {
    round_setup setup;
    store_run run;
    training *training;
    round_due due;
    store_model model; /* newest published */
    bool has_model;
    uint32_t failures;
    uint64_t resume_s;
    round_offer offer;
    cohort_report report;
    const uint32_t *words; /* borrowed */
    training_step step;
    round_end end;
    uint8_t *file, *sum, *blob;
};

/* ---- Blob
 * --------------------------------------------------------------------------------------*/

static tacit_status blob_read(round_run *r, const uint8_t *blob, size_t len) {
    if (len < BLOB_HEAD || memcmp(blob, blob_magic, sizeof blob_magic) != 0) return TACIT_CORRUPT;
    r->failures = tacit_get_u32(blob + 4);
    if (training_state_restore(r->training, blob + BLOB_HEAD, len - BLOB_HEAD) != TACIT_OK)
        return TACIT_CORRUPT;
    return TACIT_OK;
}

static tacit_status blob_write(round_run *r) {
    size_t len = BLOB_HEAD + training_state_len(r->training);
    free(r->blob);
    r->blob = malloc(len);
    if (r->blob == NULL) return TACIT_NO_SPACE;
    memcpy(r->blob, blob_magic, sizeof blob_magic);
    tacit_put_u32(r->blob + 4, r->failures);
    training_state_save(r->training, r->blob + BLOB_HEAD);
    r->end.blob = r->blob;
    r->end.blob_len = len;
    return TACIT_OK;
}

/* ---- Plan
 * --------------------------------------------------------------------------------------*/

static void fill_plan(round_run *r, uint64_t number, uint64_t now_s) {
    tacit_plan *p = &r->offer.plan;
    const store_run *run = &r->run;
    memset(p, 0, sizeof *p);
    training_plan(r->training, p);
    p->version = TACIT_PROTOCOL_VERSION;
    p->version_min = TACIT_PROTOCOL_VERSION_MIN;
    p->suite = TACIT_SUITE_1;
    p->aggregation = TACIT_AGGREGATION_PEERS;
    p->round = number;
    p->run = run->run;
    p->opens_s = now_s;
    p->join_until_s = now_s + run->join_s;
    p->share_s = run->share_s;
    p->mask_s = run->mask_s;
    p->agree_s = run->agree_s;
    p->reveal_s = run->reveal_s;
    p->n_lo = run->n_lo;
    p->n_hi = run->n_hi;
    p->max_colluding = run->max_colluding;
    p->max_dropout = run->max_dropout;
    p->n_min_floor = run->n_min_floor;
    p->cohort_count = 1;
    p->least_class = TACIT_CLASS_NONE;
    p->separation_s = r->setup.separation_s;
    memcpy(p->model_digest, r->model.digest, TACIT_HASH_LEN);
    memcpy(p->authority_key, r->setup.authority_key, TACIT_KEY_LEN);
}

/* Encodes and reads back what a device will see; OK when it could accept it by the rules. */
static tacit_status check_plan(round_offer *o, const char **what) {
    tacit_plan seen;
    tacit_graph_rule rule;
    tacit_plan_encode(o->encoded, &o->plan);
    tacit_status st = tacit_plan_decode(&seen, what, o->encoded);
    if (st != TACIT_OK) return TACIT_BAD_PLAN;
    for (int i = 0; i < 2; i++) {
        st = tacit_graph_rule_init(&rule, i == 0 ? seen.n_lo : seen.n_hi, seen.max_colluding,
                                   seen.max_dropout, seen.n_min_floor);
        if (st != TACIT_OK) {
            *what = i == 0 ? "the graph rule refuses n_lo with these fractions"
                           : "the graph rule refuses n_hi with these fractions";
            return TACIT_BAD_PLAN;
        }
    }
    o->floor = NULL;
    if (tacit_plan_check_floors(&seen, &o->floor, &tacit_floors_shipped) == TACIT_OK)
        o->floor = NULL;
    else if (o->floor == NULL)
        o->floor = "below a shipped floor";
    return TACIT_OK;
}

/* ---- Beginning
 * ---------------------------------------------------------------------------------*/

/* A plan as it would be now, with a stand-in number and key: finds a run that can never open. */
static tacit_status rehearse(round_run *r, const char **what) {
    uint8_t seed[TACIT_KEY_LEN] = {1};
    fill_plan(r, 1, 1);
    tacit_sign_keypair(r->offer.plan.phase_key, r->offer.phase_secret, seed);
    return check_plan(&r->offer, what);
}

tacit_status round_new(round_run **out, const char **what, const round_setup *setup,
                       const store_run *run, training *t, const store_model *latest,
                       const uint8_t *blob, size_t blob_len) {
    const char *ignored = NULL;
    if (what == NULL) what = &ignored;
    *what = "";
    round_run *r = calloc(1, sizeof *r);
    if (r == NULL) {
        training_free(t);
        return TACIT_NO_SPACE;
    }
    r->setup = *setup;
    r->run = *run;
    r->training = t;
    r->has_model = latest != NULL;
    if (latest != NULL) r->model = *latest;
    r->due = training_continues(t) && latest != NULL ? ROUND_RESERVE : ROUND_PUBLISH;
    tacit_status st = isfinite(run->epsilon) ? TACIT_OK : TACIT_INVALID_ARGUMENT;
    if (st == TACIT_OK && blob != NULL) {
        st = latest != NULL ? blob_read(r, blob, blob_len) : TACIT_CORRUPT;
        r->due = ROUND_RESERVE;
    }
    if (st == TACIT_OK && training_done(t)) r->due = ROUND_OVER;
    if (st == TACIT_OK && r->due != ROUND_OVER) st = rehearse(r, what);
    if (st != TACIT_OK) {
        round_free(r);
        return st;
    }
    *out = r;
    return TACIT_OK;
}

void round_free(round_run *r) {
    if (r == NULL) return;
    training_free(r->training);
    free(r->file);
    free(r->sum);
    free(r->blob);
    tacit_wipe(r, sizeof *r);
    free(r);
}

round_due round_next(const round_run *r) { return r->due; }

/* ---- Models
 * ------------------------------------------------------------------------------------*/

/* The training's current model as a signed file in r->file. */
static tacit_status encode_model(round_run *r, store_model *model, uint64_t round_number,
                                 uint64_t now_s) {
    tacit_model_source source;
    training_model(r->training, &source);
    source.number = r->has_model ? r->model.number + 1 : 1;
    source.round = round_number;
    source.made_s = now_s;
    source.ids = r->setup.ids;
    source.kinds = r->setup.kinds;
    memcpy(source.catalogue, r->setup.catalogue, TACIT_HASH_LEN);
    if (round_number > 0) memcpy(source.plan_digest, r->offer.digest, TACIT_HASH_LEN);
    if (source.item_count != r->setup.item_count) return TACIT_BAD_MODEL;
    size_t len = tacit_model_len(source.item_count, source.factor, source.features);
    if (len == 0) return TACIT_BAD_MODEL;
    free(r->file);
    r->file = malloc(len);
    if (r->file == NULL) return TACIT_NO_SPACE;
    memset(model, 0, sizeof *model);
    tacit_status st =
        tacit_model_encode(r->file, len, model->digest, &source, r->setup.model_secret);
    model->number = source.number;
    model->round = round_number;
    model->made_s = now_s;
    model->len = len;
    return st;
}

tacit_status round_start_model(round_run *r, store_model *model, const uint8_t **file,
                               uint64_t now_s) {
    assert(r->due == ROUND_PUBLISH);
    tacit_status st = encode_model(r, model, 0, now_s);
    if (st != TACIT_OK) return st;
    r->end.model = *model; /* taken over by round_published */
    *file = r->file;
    return TACIT_OK;
}

void round_published(round_run *r) {
    assert(r->due == ROUND_PUBLISH && r->file != NULL);
    r->model = r->end.model;
    r->has_model = true;
    r->due = ROUND_RESERVE;
}

/* ---- Opening
 * -----------------------------------------------------------------------------------*/

tacit_status round_reserved(round_run *r, const char **what, uint64_t number,
                            const uint8_t phase_seed[static TACIT_KEY_LEN], uint64_t now_s) {
    assert(r->due == ROUND_RESERVE);
    const char *ignored = NULL;
    round_offer *o = &r->offer;
    fill_plan(r, number, now_s);
    tacit_sign_keypair(o->plan.phase_key, o->phase_secret, phase_seed);
    tacit_status st = check_plan(o, what != NULL ? what : &ignored);
    if (st != TACIT_OK) {
        r->due = ROUND_OVER;
        return st;
    }
    tacit_plan_digest(o->digest, o->encoded);
    tacit_plan_sign(o->encoded + TACIT_PLAN_LEN, o->encoded, r->setup.plan_secret);
    o->expected_count = r->run.expected;
    r->due = ROUND_OPEN;
    return TACIT_OK;
}

const round_offer *round_plan(const round_run *r) {
    assert(r->due != ROUND_PUBLISH && r->due != ROUND_RESERVE);
    return &r->offer;
}

void round_opened(round_run *r) {
    assert(r->due == ROUND_OPEN);
    r->due = ROUND_GATHER;
}

/* ---- Ending
 * ------------------------------------------------------------------------------------*/

/* epsilon of the sums released so far, `count` of them, at the run's delta, zero-out. */
static double spent(const round_run *r, uint32_t count) {
    double rdp[TACIT_ORDER_COUNT] = {0};
    const tacit_run_budget *budget = training_budget(r->training);
    if (count == 0) return 0;
    for (uint32_t i = 0; i < count; i++) tacit_mechanism_charge(rdp, &budget->mechanism[i], 1.0);
    return tacit_grid_epsilon(rdp, r->run.delta, NULL);
}

static void record_plan(store_record *e, const tacit_plan *p, const uint8_t *digest) {
    e->round = p->round;
    e->run = p->run;
    e->opened_s = p->opens_s;
    e->sum_index = p->sum_index;
    e->sum_count = p->sum_count;
    memcpy(e->plan_digest, digest, TACIT_HASH_LEN);
    memcpy(e->model_before, p->model_digest, TACIT_HASH_LEN);
}

static void record_cohort(store_record *e, const cohort_report *c) {
    e->joined = c->joined;
    e->shared = c->shared;
    e->survivors = c->survivors;
    e->honest = c->rule.honest;
    memcpy(e->root, c->root, TACIT_HASH_LEN);
    memcpy(e->u2_digest, c->u2_digest, TACIT_HASH_LEN);
    memcpy(e->u3_digest, c->u3_digest, TACIT_HASH_LEN);
    memcpy(e->sum_digest, c->sum_digest, TACIT_HASH_LEN);
}

/* The round gave no model. */
static void fail_round(round_run *r, tacit_status status, const char *note) {
    store_record *e = &r->end.record;
    r->failures++;
    r->end.has_model = false;
    r->end.sum = NULL;
    r->end.sum_len = 0;
    e->status = status;
    e->epsilon_so_far = spent(r, e->sum_index);
    snprintf(e->note, sizeof e->note, "%s", note);
    r->end.state = r->failures >= ROUND_TRIES ? RUN_FAILED : RUN_ACTIVE;
    if (blob_write(r) != TACIT_OK) r->end.blob = NULL; /* the store keeps the older one */
    r->due = ROUND_COMMIT;
}

void round_gathered(round_run *r, const cohort_report *report, const uint32_t *words,
                    uint64_t now_s) {
    assert(r->due == ROUND_GATHER);
    memset(&r->end, 0, sizeof r->end);
    store_record *e = &r->end.record;
    r->report = *report;
    r->words = words;
    record_plan(e, &r->offer.plan, r->offer.digest);
    record_cohort(e, report);
    e->closed_s = now_s;
    snprintf(e->preset, sizeof e->preset, "%s", training_preset_name(r->training));
    if (report->failure != TACIT_OK || words == NULL) {
        tacit_status why = report->failure != TACIT_OK ? report->failure : TACIT_ABORTED;
        fail_round(r, why, report->failure_note);
    } else {
        r->due = ROUND_LEARN;
    }
}

static tacit_status pack_sum(round_run *r) {
    const tacit_plan *p = &r->offer.plan;
    r->end.sum_len = tacit_ring_packed_len(p->dims, p->bits);
    free(r->sum);
    r->sum = malloc(r->end.sum_len);
    if (r->sum == NULL) return TACIT_NO_SPACE;
    tacit_ring_pack(r->sum, r->words, p->dims, p->bits);
    r->end.sum = r->sum;
    return TACIT_OK;
}

static tacit_status learn(round_run *r) {
    const tacit_plan *p = &r->offer.plan;
    const cohort_report *c = &r->report;
    store_record *e = &r->end.record;
    uint64_t share = tacit_plan_noise_share(p, &c->rule);
    tacit_status st = training_apply(r->training, &r->step, r->words, c->survivors,
                                     (double)c->survivors * (double)share);
    if (st == TACIT_OK) st = encode_model(r, &r->end.model, p->round, e->closed_s);
    if (st == TACIT_OK) st = pack_sum(r);
    if (st == TACIT_OK) {
        uint32_t failures = r->failures;
        r->failures = 0;
        if ((st = blob_write(r)) != TACIT_OK) r->failures = failures;
    }
    return st;
}

void round_learn(round_run *r) {
    assert(r->due == ROUND_LEARN);
    store_record *e = &r->end.record;
    size_t len = training_state_len(r->training);
    uint8_t *before = malloc(len);
    tacit_status st = before != NULL ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        training_state_save(r->training, before);
        st = learn(r);
        if (st != TACIT_OK) {
            tacit_status back = training_state_restore(r->training, before, len);
            if (back != TACIT_OK) r->failures = ROUND_TRIES; /* nothing to try again from */
        }
    }
    free(before);
    if (st != TACIT_OK) {
        fail_round(r, st, "the learning step failed");
        return;
    }
    r->end.has_model = true;
    r->end.model_file = r->file;
    memcpy(e->model_after, r->end.model.digest, TACIT_HASH_LEN);
    e->status = TACIT_OK;
    e->epsilon_so_far = spent(r, e->sum_index + 1);
    if (r->step.fell_back)
        snprintf(e->note, sizeof e->note, "signal %.3g is below the floor: counts and content only",
                 r->step.signal);
    r->end.state = training_done(r->training) ? RUN_DONE : RUN_ACTIVE;
    r->due = ROUND_COMMIT;
}

const training_step *round_step(const round_run *r) { return &r->step; }

const round_end *round_result(const round_run *r) {
    assert(r->due == ROUND_COMMIT);
    return &r->end;
}

void round_committed(round_run *r, uint64_t now_s) {
    assert(r->due == ROUND_COMMIT);
    tacit_wipe(r->offer.phase_secret, sizeof r->offer.phase_secret);
    r->words = NULL;
    if (r->end.has_model) {
        r->model = r->end.model;
        r->has_model = true;
        r->due = r->end.state == RUN_DONE ? ROUND_OVER : ROUND_RESERVE;
        return;
    }
    uint32_t doublings = r->failures - 1;
    if (doublings > BACK_OFF_DOUBLINGS) doublings = BACK_OFF_DOUBLINGS;
    r->resume_s = now_s + ((uint64_t)r->setup.back_off_s << doublings);
    r->due = r->end.state == RUN_FAILED ? ROUND_OVER : ROUND_WAIT;
}

uint64_t round_resume_s(const round_run *r) { return r->resume_s; }

void round_resume(round_run *r) {
    assert(r->due == ROUND_WAIT);
    r->due = ROUND_RESERVE;
}

uint32_t round_failures(const round_run *r) { return r->failures; }

tacit_status round_cut_off(store_record *record, const uint8_t *plan, size_t len, uint64_t now_s) {
    tacit_plan p;
    uint8_t digest[TACIT_HASH_LEN];
    if (len != ROUND_PLAN_LEN || tacit_plan_decode(&p, NULL, plan) != TACIT_OK)
        return TACIT_BAD_MESSAGE;
    memset(record, 0, sizeof *record);
    tacit_plan_digest(digest, plan);
    record_plan(record, &p, digest);
    record->closed_s = now_s;
    record->status = TACIT_ABORTED;
    snprintf(record->note, sizeof record->note, "the server stopped before the cohort finished");
    return TACIT_OK;
}
