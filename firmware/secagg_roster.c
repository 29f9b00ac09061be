/* SPDX-License-Identifier: Apache-2.0
 * secagg_roster.c - the join answer: one roster, the same for everyone (security C2, C3, C6, H2).
 *
 * The header's signed root fixes the session and with it the graph, so the neighbours are known
 * before the first id arrives and only theirs are kept while the whole list streams by. What is
 * refused: a roster that breaks any rule of its list, a neighbour without a certificate of the
 * pinned authority, a key seen twice, one entry too many or too few, an answer after ten minutes.
 */
#include "common/merkle.h"
#include "firmware/secagg_checks.h"

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
    uint32_t at = s->ids_seen;
    if (at > 0 && !tacit_secagg_check_id_order(s->last_id, id)) return TACIT_BAD_ROSTER;
    if (!tacit_secagg_check_eligible(&s->params.plan, id, s->cohort)) return TACIT_BAD_ROSTER;
    if (!tacit_secagg_check_own_seat(id, s->id, at, s->index)) return TACIT_BAD_ROSTER;
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
    if (!tacit_secagg_check_list(digest, s->ids_digest)) return TACIT_BAD_ROSTER;
    assert(s->next == s->count);
    s->next = 0;
    s->want = SECAGG_WANT_ITEMS;
    return TACIT_OK;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* An entry as anyone's must be: its certificate is the id's, it hangs in the committed tree, the
 * authority is the pinned one, the join was signed for this very plan and model. The certificate's
 * end is kept for the end of the answer, when the time is known again. */
static tacit_status check_entry(tacit_secagg *s, tacit_cert *cert, const tacit_join *join,
                                const uint8_t *id, const tacit_RosterEntry *m) {
    uint8_t got[TACIT_HASH_LEN], leaf[TACIT_HASH_LEN];
    tacit_cert_id(got, join->certificate);
    if (memcmp(got, id, TACIT_HASH_LEN) != 0 || m->join.cohort != s->cohort)
        return TACIT_BAD_ROSTER;
    if (m->proof.size % TACIT_HASH_LEN != 0) return TACIT_BAD_PROOF;
    tacit_join_leaf(leaf, join);
    tacit_status st = tacit_merkle_verify(s->merkle_root, leaf, m->index, s->rule.n, m->proof.bytes,
                                          m->proof.size / TACIT_HASH_LEN);
    if (st != TACIT_OK) return st;
    st = tacit_secagg_check_certificate(cert, join->certificate, &s->params, s->joined_s);
    if (st != TACIT_OK) return st;
    if (cert->not_after_s < s->expires_s) s->expires_s = cert->not_after_s;
    return tacit_secagg_check_join(join, id, cert->device_key, &s->params, s->cohort);
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
    if (!tacit_secagg_check_one_seat(s, cert.device_key)) return TACIT_BAD_KEY;
    if (!tacit_secagg_check_keys_differ(s, join)) return TACIT_BAD_KEY;
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
    if (!tacit_secagg_check_in_time(s->joined_s, now_s)) return TACIT_LATE;
    if (s->expires_s < now_s) return TACIT_BAD_CERTIFICATE;
    return TACIT_OK;
}
