/* SPDX-License-Identifier: Apache-2.0
 * secagg_checks.c - see secagg_checks.h. Nothing here decides what happens after a breach: the
 * machine leaves, always (tacit_secagg_fail). */
#include "firmware/secagg_checks.h"

/* ---- The roster ------------------------------------------------------------------------------ */

bool tacit_secagg_check_id_order(const uint8_t before[static TACIT_HASH_LEN],
                                 const uint8_t id[static TACIT_HASH_LEN]) {
    return memcmp(before, id, TACIT_HASH_LEN) < 0;
}

bool tacit_secagg_check_eligible(const tacit_plan *plan, const uint8_t id[static TACIT_HASH_LEN],
                                 uint32_t cohort) {
    return tacit_cohort_of(plan->beacon, plan->round, id, plan->cohort_count) == cohort;
}

bool tacit_secagg_check_own_seat(const uint8_t id[static TACIT_HASH_LEN],
                                 const uint8_t own_id[static TACIT_HASH_LEN], uint32_t at,
                                 uint32_t own_index) {
    bool own = memcmp(id, own_id, TACIT_HASH_LEN) == 0;
    return own == (at == own_index);
}

bool tacit_secagg_check_list(const uint8_t digest[static TACIT_HASH_LEN],
                             const uint8_t signed_digest[static TACIT_HASH_LEN]) {
    return tacit_equal(digest, signed_digest, TACIT_HASH_LEN);
}

tacit_status tacit_secagg_check_certificate(tacit_cert *cert,
                                            const uint8_t encoded[static TACIT_CERT_LEN],
                                            const tacit_secagg_params *params, uint64_t now_s) {
    return tacit_cert_verify(cert, encoded, params->authority_key, now_s, params->plan.least_class);
}

tacit_status tacit_secagg_check_join(const tacit_join *join,
                                     const uint8_t id[static TACIT_HASH_LEN],
                                     const uint8_t device_key[static TACIT_KEY_LEN],
                                     const tacit_secagg_params *params, uint32_t cohort) {
    uint8_t body[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_join_body(body, join, id);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN, params->plan_digest,
                         params->plan.model_digest, cohort, id, body);
    return tacit_statement_verify(join->signature, &statement, device_key);
}

static bool same(const uint8_t *a, const uint8_t *b) {
    return tacit_get_u64(a) == tacit_get_u64(b) && memcmp(a, b, TACIT_KEY_LEN) == 0;
}

bool tacit_secagg_check_one_seat(const tacit_secagg *s,
                                 const uint8_t device_key[static TACIT_KEY_LEN]) {
    if (same(device_key, s->device_key)) return false;
    for (uint32_t i = 0; i < s->next; i++)
        if (same(device_key, s->neighbours[i].device_key)) return false;
    return true;
}

/* True when one of the three values of `join` is one of the other three. */
static bool meets(const tacit_join *join, const uint8_t *channel_key, const uint8_t *mask_key,
                  const uint8_t *commitment) {
    const uint8_t *mine[3] = {join->channel_key, join->mask_key, join->commitment};
    for (int i = 0; i < 3; i++)
        if (same(mine[i], channel_key) || same(mine[i], mask_key) || same(mine[i], commitment))
            return true;
    return false;
}

bool tacit_secagg_check_keys_differ(const tacit_secagg *s, const tacit_join *join) {
    const tacit_join *own = &s->join;
    if (same(join->channel_key, join->mask_key) || same(join->channel_key, join->commitment) ||
        same(join->mask_key, join->commitment) ||
        meets(join, own->channel_key, own->mask_key, own->commitment))
        return false;
    for (uint32_t i = 0; i < s->next; i++) {
        const tacit_secagg_neighbour *v = &s->neighbours[i];
        if (meets(join, v->channel_key, v->mask_key, v->commitment)) return false;
    }
    return true;
}

bool tacit_secagg_check_in_time(uint64_t joined_s, uint64_t now_s) {
    return now_s - joined_s <= TACIT_JOIN_ANSWER_MAX_S; /* unsigned: also when now_s is before */
}

/* ---- Masks and shares ------------------------------------------------------------------------ */

bool tacit_secagg_mask_due(const tacit_secagg *s, uint32_t i) {
    return tacit_bit_get(s->u2, s->indices[i]);
}

bool tacit_secagg_share_due(const tacit_secagg *s, uint32_t i, uint8_t *kind) {
    uint32_t at = s->indices[i];
    if (!tacit_bit_get(s->u2, at)) return false;
    *kind = tacit_bit_get(s->u3, at) ? TACIT_KIND_B : TACIT_KIND_S;
    return (s->neighbours[i].opened >> *kind) & 1;
}

/* ---- Who is still there ---------------------------------------------------------------------- */

bool tacit_secagg_check_live(uint32_t live, uint32_t live_neighbours, uint32_t n_min,
                             uint32_t threshold) {
    return live >= n_min && live_neighbours >= threshold;
}

bool tacit_secagg_check_subset(const uint8_t *u3, const uint8_t *u2, uint32_t n) {
    return tacit_bitmap_subset(u3, u2, n);
}

bool tacit_secagg_check_agreed(uint32_t signatures, uint32_t threshold) {
    return signatures >= threshold;
}
