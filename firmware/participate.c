/* SPDX-License-Identifier: Apache-2.0
 * participate.c - see participate.h. The order inside each request is the point of this file: make
 * what can fail, commit, then send. It refuses to send after a failed commit and to look at a plan
 * before its signature. */
#include "firmware/participate.h"

#include "common/cert.h"
#include "common/crypto.h"
#include "common/ring.h"
#include "common/skellam.h"
#include "firmware/update.h"

enum {
    EVIDENCE_KEY_LEN = 9,
    CLOCK_SLACK_S = 300 /* a device clock this far behind may still join */
};

/* ---- Checks -----------------------------------------------------------------------------------*/

/* Does the plan fit this device's memory, and its noise the sampler? */
static tacit_status check_room(const tacit_plan *plan, const tacit_participation_room *room) {
    if (plan->dims > room->options->max_dims || plan->n_hi > room->options->max_cohort) {
        return TACIT_NO_SPACE;
    }
    size_t need = tacit_secagg_len(plan);
    if (need == 0) return TACIT_BELOW_FLOOR;
    if (need > room->machine_len) return TACIT_NO_SPACE;
    /* h is at least n / 2 (C5): no share of the noise is larger than this one. */
    tacit_skellam sampler;
    uint64_t honest = (plan->n_lo + 1) / 2;
    tacit_status st = tacit_skellam_init(&sampler, (plan->mu + honest - 1) / honest);
    return st == TACIT_OK ? TACIT_OK : TACIT_BAD_PLAN;
}

tacit_status tacit_participation_plan(tacit_plan *plan, const tacit_participation_room *room,
                                      const uint8_t encoded[static TACIT_PLAN_LEN],
                                      const uint8_t sig[static TACIT_SIG_LEN], uint64_t now_s) {
    const tacit_options *o = room->options;
    tacit_cert cert;
    tacit_status st = tacit_plan_verify(sig, encoded, o->plan_key);
    if (st != TACIT_OK) return st;
    if ((st = tacit_plan_decode(plan, NULL, encoded)) != TACIT_OK) return st;
    if (!tacit_equal(plan->authority_key, o->authority_key, TACIT_KEY_LEN)) return TACIT_BAD_PLAN;
    if (now_s > plan->join_until_s) return TACIT_LATE;
    if (plan->opens_s > CLOCK_SLACK_S && now_s < plan->opens_s - CLOCK_SLACK_S) {
        return TACIT_NOT_FOUND;
    }
    if ((st = tacit_plan_check_floors(plan, NULL, room->floors)) != TACIT_OK) return st;
    st = tacit_cert_verify(&cert, o->certificate, o->authority_key, now_s, plan->least_class);
    if (st != TACIT_OK) return st;
    if ((st = check_room(plan, room)) != TACIT_OK) return st;
    return tacit_ledger_check(room->ledger, plan, room->floors, now_s);
}

/* ---- Life -------------------------------------------------------------------------------------*/

tacit_status tacit_participation_begin(tacit_participation *p, const tacit_participation_room *room,
                                       const uint8_t encoded[static TACIT_PLAN_LEN],
                                       const uint8_t sig[static TACIT_SIG_LEN], uint64_t now_s) {
    memset(p, 0, sizeof *p);
    p->room = *room;
    tacit_status st = tacit_participation_ready(room, now_s);
    if (st != TACIT_OK) return st;
    if ((st = tacit_participation_plan(&p->plan, room, encoded, sig, now_s)) != TACIT_OK) return st;
    if ((st = tacit_participation_check_model(&p->plan, room->training->model)) != TACIT_OK)
        return st;

    tacit_secagg_params params = {.plan = p->plan,
                                  .floors = *room->floors,
                                  .self = room->platform->self,
                                  .random = room->platform->random,
                                  .sign = room->platform->sign};
    tacit_plan_digest(params.plan_digest, encoded);
    memcpy(params.certificate, room->options->certificate, TACIT_CERT_LEN);
    memcpy(params.authority_key, room->options->authority_key, TACIT_KEY_LEN);
    st = tacit_secagg_init(&p->secagg, room->machine, room->machine_len, &params);
    if (st != TACIT_OK) {
        p->secagg = NULL;
        return st;
    }
    (void)tacit_update_statistics(room->x, room->training, room->history, &p->plan);
    tacit_update_pad(room->training, room->history, &p->plan);
    return TACIT_OK;
}

tacit_phase tacit_participation_phase(const tacit_participation *p) {
    return p->secagg == NULL ? TACIT_PHASE_LEFT : tacit_secagg_phase(p->secagg);
}

bool tacit_participation_waiting(const tacit_participation *p) {
    return p->secagg != NULL && tacit_secagg_waiting(p->secagg);
}

void tacit_participation_forget(tacit_participation *p) {
    if (p->secagg != NULL) tacit_wipe(p->room.x, p->plan.dims * sizeof(float));
}

static void wipe_vectors(tacit_participation *p) {
    tacit_wipe(p->room.x, p->plan.dims * sizeof(float));
    tacit_wipe(p->room.words, p->plan.dims * sizeof(uint32_t));
}

/* When this commit fails the charge stays unsettled and the next open counts a loss, which errs on
 * the safe side; the cohort is over either way. */
static void settle(tacit_participation *p, bool lost) {
    if (p->charged && !p->ended) {
        tacit_status st = tacit_ledger_settle(p->room.ledger, lost);
        (void)st;
    }
    p->ended = true;
}

void tacit_participation_leave(tacit_participation *p) {
    if (p->secagg == NULL) return;
    tacit_secagg_leave(p->secagg);
    wipe_vectors(p);
    settle(p, true);
}

/* Hands on OK; leaves on anything else. */
static tacit_status or_leave(tacit_participation *p, tacit_status st) {
    if (st != TACIT_OK) tacit_participation_leave(p);
    return st;
}

/* ---- Requests ---------------------------------------------------------------------------------*/

static tacit_status make_words(tacit_participation *p) {
    uint8_t rounding[TACIT_KEY_LEN], noise[TACIT_KEY_LEN];
    uint64_t variance;
    const tacit_platform *platform = p->room.platform;
    tacit_status st = tacit_secagg_noise_share(p->secagg, &variance);
    if (st == TACIT_OK) st = tacit_platform_random(platform, rounding, sizeof rounding);
    if (st == TACIT_OK) st = tacit_platform_random(platform, noise, sizeof noise);
    if (st == TACIT_OK) {
        st = tacit_update_words(p->room.words, p->room.x, &p->plan, variance, rounding, noise);
    }
    tacit_wipe(rounding, sizeof rounding);
    tacit_wipe(noise, sizeof noise);
    return st;
}

static tacit_status send_mask(tacit_participation *p, tacit_sink *out, uint64_t now_s) {
    tacit_status st = make_words(p);
    if (st != TACIT_OK) return st;
    st = tacit_ledger_charge(p->room.ledger, &p->plan, now_s);
    p->charged = p->room.ledger->record.charged_round == p->plan.round;
    if (st != TACIT_OK) return st;
    _Static_assert(sizeof(float) == sizeof(uint32_t), "x has room for the packed vector");
    st = tacit_secagg_mask(p->secagg, p->room.words, (uint8_t *)p->room.x, out);
    wipe_vectors(p);
    return st;
}

static tacit_status send_agree(tacit_participation *p, tacit_sink *out) {
    uint8_t key[EVIDENCE_KEY_LEN] = {'e'}, evidence[TACIT_HASH_LEN];
    tacit_status st = tacit_secagg_evidence(p->secagg, evidence);
    if (st != TACIT_OK) return st;
    for (int i = 0; i < 8; i++) key[1 + i] = (uint8_t)(p->plan.round >> (56 - 8 * i));
    tacit_write write = {key, sizeof key, evidence, sizeof evidence};
    if ((st = tacit_platform_commit(p->room.platform, &write, 1)) != TACIT_OK) return st;
    return tacit_secagg_agree(p->secagg, out);
}

tacit_status tacit_participation_request(tacit_participation *p, tacit_sink *out, uint64_t now_s) {
    if (p->secagg == NULL) return TACIT_LEFT;
    const tacit_participation_room *room = &p->room;
    if (!room->ledger->record.consent) return or_leave(p, TACIT_NO_CONSENT);
    if (tacit_participation_waiting(p)) return or_leave(p, TACIT_WRONG_PHASE);
    tacit_status st = TACIT_WRONG_PHASE;
    switch (tacit_secagg_phase(p->secagg)) {
        case TACIT_PHASE_JOIN:
            st = tacit_ledger_join(room->ledger, &p->plan, room->floors, now_s);
            if (st == TACIT_OK) st = tacit_secagg_join(p->secagg, out, now_s);
            break;
        case TACIT_PHASE_SHARE: st = tacit_secagg_share(p->secagg, out); break;
        case TACIT_PHASE_MASK: st = send_mask(p, out, now_s); break;
        case TACIT_PHASE_AGREE: st = send_agree(p, out); break;
        case TACIT_PHASE_REVEAL: st = tacit_secagg_reveal(p->secagg, out); break;
        case TACIT_PHASE_DONE: return TACIT_WRONG_PHASE;
        case TACIT_PHASE_LEFT: return TACIT_LEFT;
    }
    return or_leave(p, st);
}

/* ---- Answers ----------------------------------------------------------------------------------*/

tacit_status tacit_participation_answer(tacit_participation *p, const uint8_t *data, size_t len) {
    if (p->secagg == NULL) return TACIT_LEFT;
    if (!p->room.ledger->record.consent) return or_leave(p, TACIT_NO_CONSENT);
    return or_leave(p, tacit_secagg_answer(p->secagg, data, len));
}

tacit_status tacit_participation_answer_end(tacit_participation *p, uint64_t now_s) {
    if (p->secagg == NULL) return TACIT_LEFT;
    if (!p->room.ledger->record.consent) return or_leave(p, TACIT_NO_CONSENT);
    tacit_status st = tacit_secagg_answer_end(p->secagg, now_s);
    if (st != TACIT_OK) return or_leave(p, st);
    if (tacit_secagg_phase(p->secagg) != TACIT_PHASE_DONE) return TACIT_OK;
    settle(p, false);
    return TACIT_OK;
}

/* ---- Evidence ---------------------------------------------------------------------------------*/

typedef struct {
    tacit_status (*visit)(void *self, uint64_t round, const uint8_t evidence[TACIT_HASH_LEN]);
    void *self;
    tacit_status result;
} evidence_state;

static tacit_status visit_evidence(void *self, const uint8_t *key, size_t key_len,
                                   const uint8_t *value, size_t value_len) {
    evidence_state *e = self;
    uint64_t round = 0;
    e->result = TACIT_CORRUPT;
    if (key_len != EVIDENCE_KEY_LEN || value_len != TACIT_HASH_LEN) return e->result;
    for (int i = 0; i < 8; i++) round = round << 8 | key[1 + i];
    e->result = e->visit(e->self, round, value);
    return e->result;
}

tacit_status tacit_participation_evidence(
    const tacit_platform *platform,
    tacit_status (*visit)(void *self, uint64_t round, const uint8_t evidence[TACIT_HASH_LEN]),
    void *self) {
    static const uint8_t prefix[1] = {'e'};
    evidence_state e = {visit, self, TACIT_OK};
    tacit_status st =
        platform->storage_scan(platform->self, prefix, sizeof prefix, visit_evidence, &e);
    if (e.result != TACIT_OK) return e.result;
    return st == TACIT_OK ? TACIT_OK : TACIT_STORAGE;
}
