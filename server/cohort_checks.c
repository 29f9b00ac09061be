/* SPDX-License-Identifier: Apache-2.0
 * cohort_checks.c - see cohort_checks.h. */
#include "server/cohort_checks.h"

#include "common/mask.h"
#include "common/ring.h"

/* ---- any message ----------------------------------------------------------------------------- */

tacit_status cohort_check_open(const cohort *c, char *note, cohort_phase phase, uint64_t now_s) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    if ((int)phase < COHORT_JOIN || phase > COHORT_REVEAL) {
        cohort_note(note, "no such phase");
        return TACIT_WRONG_PHASE;
    }
    if (c->phase == COHORT_FAILED) {
        cohort_note(note, "the cohort was given up");
        return TACIT_ABORTED;
    }
    if (phase > c->phase || (phase == COHORT_JOIN && now_s < c->params.plan.opens_s)) {
        cohort_note(note, "%s has not opened yet", names[phase]);
        return TACIT_WRONG_PHASE;
    }
    if (phase < c->phase || now_s > c->deadline_s) {
        cohort_note(note, "%s has closed", names[phase]);
        return TACIT_LATE;
    }
    return TACIT_OK;
}

bool cohort_may_send(const cohort *c, cohort_phase phase, uint32_t index) {
    cohort_phase before = (cohort_phase)(phase - 1);
    bool in = before == COHORT_JOIN ? c->thresholds[index] != 0 : cohort_in(c, before, index);
    return in && !c->roster[index]->dropped;
}

bool cohort_has_sent(const cohort_seat *seat, cohort_phase phase) {
    return (seat->sent >> phase & 1) != 0;
}

/* ---- joins ----------------------------------------------------------------------------------- */

bool cohort_attempts_left(uint32_t attempts) { return attempts < COHORT_JOIN_ATTEMPTS; }

uint64_t cohort_certificate_until(const cohort *c, uint64_t now_s) {
    uint64_t taken_s = c->params.plan.join_until_s + c->params.plan.share_s;
    return taken_s > now_s ? taken_s : now_s;
}

tacit_status cohort_verify_join(const cohort *c, const tacit_join *join,
                                const uint8_t id[static TACIT_HASH_LEN],
                                const uint8_t device_key[static TACIT_KEY_LEN]) {
    uint8_t body[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_join_body(body, join, id);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN, c->params.plan_digest,
                         c->params.plan.model_digest, c->params.cohort, id, body);
    return tacit_statement_verify(join->signature, &statement, device_key);
}

const char *cohort_find_bad_key(const cohort *c, const tacit_join *join) {
    const uint8_t *keys[3] = {join->channel_key, join->mask_key, join->commitment};
    uint8_t shared[TACIT_KEY_LEN];
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < i; k++)
            if (memcmp(keys[i], keys[k], TACIT_KEY_LEN) == 0) return "a key appears twice";
        if (key_table_find(&c->round_keys, keys[i]) != NULL)
            return "a key is another device's already";
    }
    if (tacit_x25519(shared, c->secret, join->channel_key) != TACIT_OK ||
        tacit_x25519(shared, c->secret, join->mask_key) != TACIT_OK)
        return "a key is of low order";
    return NULL;
}

bool cohort_claim_device_key(cohort *c, const uint8_t device_key[static TACIT_KEY_LEN]) {
    return key_table_add(&c->device_keys, device_key, c->joined) == TACIT_OK;
}

/* ---- vectors --------------------------------------------------------------------------------- */

bool cohort_fits_vector(const cohort *c, uint32_t announced_len) {
    const tacit_plan *plan = &c->params.plan;
    return announced_len == tacit_ring_packed_len(plan->dims, plan->bits);
}

/* ---- shares ---------------------------------------------------------------------------------- */

bool cohort_fits_commitment(const cohort_seat *owner, const uint8_t secret[static TACIT_SECRET_LEN],
                            uint8_t kind) {
    uint8_t got[TACIT_HASH_LEN], mask_secret[TACIT_KEY_LEN];
    if (kind == TACIT_KIND_B) {
        tacit_mask_commit(got, secret);
        return tacit_equal(got, owner->join.commitment, sizeof got);
    }
    tacit_mask_secret_key(mask_secret, secret);
    tacit_x25519_public(got, mask_secret);
    tacit_wipe(mask_secret, sizeof mask_secret);
    return tacit_equal(got, owner->join.mask_key, sizeof got);
}

bool cohort_shows_holder_lied(tacit_status opened) { return opened == TACIT_CORRUPT; }
