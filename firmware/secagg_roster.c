/* SPDX-License-Identifier: Apache-2.0
 * secagg_roster.c - the join answer: one roster, the same for everyone (security C2, C3, C6, H2).
 *
 * The header's signed root fixes the session and with it the graph, so the neighbours are known
 * before the first id arrives and only theirs are kept while the whole list streams by. What is
 * refused: a roster that breaks any rule of its list, a neighbour without a certificate of the
 * pinned authority, a key seen twice, one entry too many or too few, an answer after ten minutes.
 */
#include "common/merkle.h"
#include "firmware/secagg_internal.h"

/* ---- header ---------------------------------------------------------------------------------- */

/* The server's word for one roster; the statement names this device. */
static tacit_status verify_header(tacit_secagg *s, const tacit_RosterHeader *h) {
    tacit_statement statement;
    tacit_roster_root(s->root, h->count, h->ids_digest, h->merkle_root);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN_ANSWER, s->params.plan_digest,
                         s->params.plan.model_digest, s->cohort, s->id, s->root);
    return tacit_statement_verify(h->signature, &statement, s->params.plan.phase_key);
}

/* Derives neighbours and threshold; nothing of it comes from the server (security C6). */
static tacit_status derive_neighbours(tacit_secagg *s) {
    uint8_t seed[TACIT_HASH_LEN] = {0};
    size_t count;
    if (s->rule.cycles > 0) tacit_graph_seed(seed, s->session);
    tacit_status st = tacit_graph_neighbours(s->indices, s->capacity, &count, &s->rule, seed,
                                             s->index, s->scratch);
    if (st != TACIT_OK) return st;
    s->count = (uint32_t)count;
    return tacit_graph_threshold(&s->rule, s->count, &s->threshold);
}

static tacit_status take_header(tacit_secagg *s, const tacit_RosterHeader *h) {
    const tacit_plan *plan = &s->params.plan;
    tacit_status st = verify_header(s, h);
    if (st != TACIT_OK) return st;
    if (h->cohort != s->cohort || h->index >= h->count) return TACIT_BAD_ROSTER;
    st = tacit_plan_rule(&s->rule, plan, h->count, &s->params.floors); /* n in [n_lo, n_hi] too */
    if (st != TACIT_OK) return st;
    s->index = h->index;
    memcpy(s->ids_digest, h->ids_digest, TACIT_HASH_LEN);
    memcpy(s->merkle_root, h->merkle_root, TACIT_HASH_LEN);
    tacit_session(s->session, s->params.plan_digest, plan->model_digest, s->cohort, s->root,
                  h->count);
    tacit_hash_init(&s->ids_hash, TACIT_LABEL_ROSTER_IDS);
    s->want = SECAGG_WANT_IDS;
    return derive_neighbours(s);
}

/* ---- id list --------------------------------------------------------------------------------- */

static tacit_status take_id(tacit_secagg *s, const uint8_t *id) {
    const tacit_plan *plan = &s->params.plan;
    uint32_t at = s->ids_seen;
    if (at > 0 && memcmp(s->last_id, id, TACIT_HASH_LEN) >= 0) return TACIT_BAD_ROSTER;
    if (tacit_cohort_of(plan->beacon, plan->round, id, plan->cohort_count) != s->cohort)
        return TACIT_BAD_ROSTER;
    bool own = memcmp(id, s->id, TACIT_HASH_LEN) == 0;
    if (own != (at == s->index)) return TACIT_BAD_ROSTER;
    if (s->next < s->count && s->indices[s->next] == at)
        memcpy(s->neighbours[s->next++].id, id, TACIT_HASH_LEN);
    memcpy(s->last_id, id, TACIT_HASH_LEN);
    s->ids_seen = at + 1;
    return TACIT_OK;
}

static tacit_status take_ids(tacit_secagg *s, const uint8_t *ids, size_t len) {
    size_t count = len / TACIT_HASH_LEN;
    if (len % TACIT_HASH_LEN != 0 || count == 0) return TACIT_BAD_MESSAGE;
    if (count > s->rule.n - s->ids_seen) return TACIT_BAD_ROSTER;
    tacit_hash_add(&s->ids_hash, ids, len);
    for (size_t i = 0; i < count; i++) {
        tacit_status st = take_id(s, ids + i * TACIT_HASH_LEN);
        if (st != TACIT_OK) return st;
    }
    if (s->ids_seen < s->rule.n) return TACIT_OK;
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_end(&s->ids_hash, digest);
    if (!tacit_equal(digest, s->ids_digest, sizeof digest)) return TACIT_BAD_ROSTER;
    assert(s->next == s->count);
    s->next = 0;
    s->want = SECAGG_WANT_ITEMS;
    return TACIT_OK;
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool same(const uint8_t *a, const uint8_t *b) {
    return tacit_get_u64(a) == tacit_get_u64(b) && memcmp(a, b, TACIT_KEY_LEN) == 0;
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

/* Equal keys anywhere among the neighbours and this device, also across types (security H2), and
 * one device key on two seats (C3). */
static bool keys_repeat(const tacit_secagg *s, const tacit_join *join, const uint8_t *device_key) {
    const tacit_join *own = &s->join;
    if (same(join->channel_key, join->mask_key) || same(join->channel_key, join->commitment) ||
        same(join->mask_key, join->commitment) || same(device_key, s->device_key) ||
        meets(join, own->channel_key, own->mask_key, own->commitment))
        return true;
    for (uint32_t i = 0; i < s->next; i++) {
        const tacit_secagg_neighbour *v = &s->neighbours[i];
        if (same(device_key, v->device_key) ||
            meets(join, v->channel_key, v->mask_key, v->commitment))
            return true;
    }
    return false;
}

/* An entry as anyone's must be: its certificate is the id's, it hangs in the committed tree, the
 * authority is the pinned one, the join was signed for this very plan and model. The certificate's
 * end is kept for the end of the answer, when the time is known again. */
static tacit_status check_entry(tacit_secagg *s, tacit_cert *cert, const tacit_join *join,
                                const uint8_t *id, const tacit_RosterEntry *m) {
    uint8_t got[TACIT_HASH_LEN], leaf[TACIT_HASH_LEN], body[TACIT_HASH_LEN];
    tacit_cert_id(got, join->certificate);
    if (memcmp(got, id, TACIT_HASH_LEN) != 0 || m->join.cohort != s->cohort)
        return TACIT_BAD_ROSTER;
    if (m->proof.size % TACIT_HASH_LEN != 0) return TACIT_BAD_PROOF;
    tacit_join_leaf(leaf, join);
    tacit_status st = tacit_merkle_verify(s->merkle_root, leaf, m->index, s->rule.n, m->proof.bytes,
                                          m->proof.size / TACIT_HASH_LEN);
    if (st != TACIT_OK) return st;
    st = tacit_cert_verify(cert, join->certificate, s->params.authority_key, s->joined_s,
                           s->params.plan.least_class);
    if (st != TACIT_OK) return st;
    if (cert->not_after_s < s->expires_s) s->expires_s = cert->not_after_s;
    tacit_statement statement;
    tacit_join_body(body, join, id);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN, s->params.plan_digest,
                         s->params.plan.model_digest, s->cohort, id, body);
    return tacit_statement_verify(join->signature, &statement, cert->device_key);
}

static tacit_status take_own(tacit_secagg *s, const tacit_RosterEntry *m, const tacit_join *join) {
    tacit_cert cert;
    tacit_status st = check_entry(s, &cert, join, s->id, m);
    if (st != TACIT_OK) return st;
    s->own_seen = true;
    return memcmp(join, &s->join, sizeof *join) == 0 ? TACIT_OK : TACIT_BAD_ROSTER;
}

static tacit_status take_neighbour(tacit_secagg *s, const tacit_RosterEntry *m,
                                   const tacit_join *join) {
    tacit_secagg_neighbour *v = &s->neighbours[s->next];
    tacit_cert cert;
    tacit_status st = check_entry(s, &cert, join, v->id, m);
    if (st != TACIT_OK) return st;
    if (keys_repeat(s, join, cert.device_key)) return TACIT_BAD_KEY;
    if (tacit_x25519_low_order(join->channel_key) || tacit_x25519_low_order(join->mask_key))
        return TACIT_BAD_KEY; /* before anything is charged for this cohort */
    memcpy(v->channel_key, join->channel_key, TACIT_KEY_LEN);
    memcpy(v->mask_key, join->mask_key, TACIT_KEY_LEN);
    memcpy(v->commitment, join->commitment, TACIT_HASH_LEN);
    memcpy(v->device_key, cert.device_key, TACIT_KEY_LEN);
    s->next++;
    return TACIT_OK;
}

/* Own entry and the neighbours', in one ascending order, each exactly once. */
static tacit_status take_entry(tacit_secagg *s, const tacit_RosterEntry *m) {
    _Static_assert(sizeof(tacit_join) == TACIT_CERT_LEN + 4 * TACIT_KEY_LEN + TACIT_SIG_LEN,
                   "joins are compared as bytes");
    bool own = !s->own_seen && (s->next == s->count || s->indices[s->next] > s->index);
    if (m->index != (own ? s->index : s->indices[s->next])) return TACIT_BAD_ROSTER;
    if (!m->has_join) return TACIT_BAD_MESSAGE;
    tacit_join join;
    tacit_wire_join_get(&join, &m->join);
    tacit_status st = own ? take_own(s, m, &join) : take_neighbour(s, m, &join);
    if (s->own_seen && s->next == s->count) s->want = SECAGG_WANT_END;
    return st;
}

/* ---- the answer ------------------------------------------------------------------------------ */

tacit_status tacit_secagg_take_roster(tacit_secagg *s) {
    const tacit_Message *m = &s->message;
    if (s->want == SECAGG_WANT_HEADER && m->which_body == tacit_Message_roster_tag)
        return take_header(s, &m->body.roster);
    if (s->want == SECAGG_WANT_IDS && m->which_body == tacit_Message_roster_ids_tag)
        return take_ids(s, m->body.roster_ids.ids.bytes, m->body.roster_ids.ids.size);
    if (s->want == SECAGG_WANT_ITEMS && m->which_body == tacit_Message_roster_entry_tag)
        return take_entry(s, &m->body.roster_entry);
    return TACIT_BAD_MESSAGE;
}

tacit_status tacit_secagg_end_roster(tacit_secagg *s, uint64_t now_s) {
    /* Bounds the time a server has to try rosters (security B, grinding). Unsigned: a clock that
     * went back says nothing about that time and counts as late. */
    if (now_s - s->joined_s > TACIT_JOIN_ANSWER_MAX_S) return TACIT_LATE;
    if (s->expires_s < now_s) return TACIT_BAD_CERTIFICATE;
    return TACIT_OK;
}
