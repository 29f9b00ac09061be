/* SPDX-License-Identifier: Apache-2.0
 * cohort_answer.c - the answers, one message at a time from the cohort's state, and who may ask for
 * them. Each is signed by the phase key for its one receiver, over values every receiver of a phase
 * has in common (security H1, H2). A phase that is open is not answered, and a device that is not
 * in the phase's set gets nothing. */
#include "common/merkle.h"
#include "server/cohort_checks.h"

static void make(tacit_Message *m, pb_size_t which) {
    memset(m, 0, sizeof *m);
    m->which_body = which;
}

static void sign(const cohort *c, uint8_t *sig, tacit_label label, const uint8_t *session,
                 uint32_t index, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, c->params.cohort, index, body);
    tacit_statement_sign(sig, &statement, c->params.phase_secret);
}

/* ---- join ------------------------------------------------------------------------------------ */

static void put_roster_header(const cohort *c, tacit_Message *m, const cohort_seat *seat) {
    make(m, tacit_Message_roster_tag);
    tacit_RosterHeader *h = &m->body.roster;
    h->cohort = c->params.cohort;
    h->index = seat->index;
    h->count = c->rule.n;
    memcpy(h->ids_digest, c->ids_digest, TACIT_HASH_LEN);
    memcpy(h->merkle_root, c->merkle_root, TACIT_HASH_LEN);
    tacit_statement statement;
    tacit_statement_join(&statement, TACIT_LABEL_JOIN_ANSWER, c->params.plan_digest,
                         c->params.plan.model_digest, c->params.cohort, seat->id, c->report.root);
    tacit_statement_sign(h->signature, &statement, c->params.phase_secret);
}

static void put_roster_ids(const cohort *c, tacit_Message *m, uint32_t from) {
    make(m, tacit_Message_roster_ids_tag);
    uint32_t count = c->rule.n - from;
    if (count > TACIT_IDS_PER_MESSAGE) count = TACIT_IDS_PER_MESSAGE;
    for (uint32_t i = 0; i < count; i++)
        memcpy(m->body.roster_ids.ids.bytes + (size_t)i * TACIT_HASH_LEN, c->roster[from + i]->id,
               TACIT_HASH_LEN);
    m->body.roster_ids.ids.size = (pb_size_t)(count * TACIT_HASH_LEN);
}

static tacit_status put_roster_entry(const cohort *c, tacit_Message *m, uint32_t index) {
    make(m, tacit_Message_roster_entry_tag);
    tacit_RosterEntry *entry = &m->body.roster_entry;
    size_t count = 0;
    entry->index = index;
    entry->has_join = true;
    tacit_wire_join_put(&entry->join, &c->roster[index]->join, c->params.cohort);
    tacit_status st = tacit_merkle_path(entry->proof.bytes, &count, c->nodes, c->rule.n, index);
    entry->proof.size = (pb_size_t)(count * TACIT_HASH_LEN);
    return st;
}

/* Header, id list, then own entry and the neighbours' in one ascending order. */
static tacit_status next_roster(const cohort *c, tacit_Message *m, const cohort_seat *seat,
                                uint32_t *cursor) {
    uint32_t lists = (c->rule.n + TACIT_IDS_PER_MESSAGE - 1) / TACIT_IDS_PER_MESSAGE;
    uint32_t at = (*cursor)++, v = seat->index;
    if (at == 0) {
        put_roster_header(c, m, seat);
        return TACIT_OK;
    }
    if (at <= lists) {
        put_roster_ids(c, m, (at - 1) * TACIT_IDS_PER_MESSAGE);
        return TACIT_OK;
    }
    at -= 1 + lists;
    uint32_t first = c->offsets[v], degree = cohort_degree(c, v), below = 0;
    if (at > degree) return TACIT_NOT_FOUND;
    while (below < degree && c->adjacent[first + below] < v) below++;
    if (at == below) return put_roster_entry(c, m, v);
    return put_roster_entry(c, m, c->adjacent[first + at - (at > below)]);
}

/* ---- share, mask, agree, reveal -------------------------------------------------------------- */

/* Steps over neighbours that are not in the set of `phase`; UINT32_MAX when none is left. *cursor
 * is 1 + the place in the row looked at next. */
static uint32_t next_neighbour(const cohort *c, uint32_t v, cohort_phase phase, uint32_t *cursor) {
    while (*cursor <= cohort_degree(c, v)) {
        uint32_t j = c->adjacent[c->offsets[v] + (*cursor)++ - 1];
        if (cohort_in(c, phase, j)) return j;
    }
    return UINT32_MAX;
}

static tacit_status next_share(const cohort *c, tacit_Message *m, uint32_t v, uint32_t *cursor) {
    if (c->phase > COHORT_MASK) return TACIT_LATE; /* who has not masked cannot go on */
    if (*cursor == 0) {
        *cursor = 1;
        make(m, tacit_Message_share_answer_tag);
        tacit_ShareAnswer *answer = &m->body.share_answer;
        size_t len = tacit_bitmap_len(c->rule.n);
        memcpy(answer->u2.bytes, c->sets[COHORT_SHARE], len);
        answer->u2.size = (pb_size_t)len;
        answer->count = cohort_neighbours_in(c, v, COHORT_SHARE);
        sign(c, answer->signature, TACIT_LABEL_SHARE_ANSWER, c->session, v, c->report.u2_digest);
        return TACIT_OK;
    }
    uint32_t peer = next_neighbour(c, v, COHORT_SHARE, cursor);
    if (peer == UINT32_MAX) return TACIT_NOT_FOUND;
    make(m, tacit_Message_sealed_tag);
    const uint8_t *pair = c->boxes + (size_t)cohort_edge(c, peer, v) * COHORT_PAIR_LEN;
    m->body.sealed.peer = peer;
    memcpy(m->body.sealed.box_s, pair, TACIT_SEALED_SHARE_LEN);
    memcpy(m->body.sealed.box_b, pair + TACIT_SEALED_SHARE_LEN, TACIT_SEALED_SHARE_LEN);
    return TACIT_OK;
}

static tacit_status next_survivors(const cohort *c, tacit_Message *m, uint32_t v,
                                   uint32_t *cursor) {
    if ((*cursor)++ > 0) return TACIT_NOT_FOUND;
    make(m, tacit_Message_mask_answer_tag);
    tacit_MaskAnswer *answer = &m->body.mask_answer;
    size_t len = tacit_bitmap_len(c->rule.n);
    memcpy(answer->u3.bytes, c->sets[COHORT_MASK], len);
    answer->u3.size = (pb_size_t)len;
    sign(c, answer->signature, TACIT_LABEL_MASK_ANSWER, c->session2, v, c->report.u3_digest);
    return TACIT_OK;
}

static tacit_status next_signature(const cohort *c, tacit_Message *m, uint32_t v,
                                   uint32_t *cursor) {
    if (*cursor == 0) {
        *cursor = 1;
        make(m, tacit_Message_agree_answer_tag);
        tacit_AgreeAnswer *answer = &m->body.agree_answer;
        answer->count = cohort_neighbours_in(c, v, COHORT_AGREE);
        sign(c, answer->signature, TACIT_LABEL_AGREE_ANSWER, c->session2, v, c->report.u3_digest);
        return TACIT_OK;
    }
    uint32_t peer = next_neighbour(c, v, COHORT_AGREE, cursor);
    if (peer == UINT32_MAX) return TACIT_NOT_FOUND;
    make(m, tacit_Message_agree_signature_tag);
    m->body.agree_signature.index = peer;
    memcpy(m->body.agree_signature.signature, c->roster[peer]->signatures[COHORT_AGREE],
           TACIT_SIG_LEN);
    return TACIT_OK;
}

static tacit_status next_receipt(const cohort *c, tacit_Message *m, uint32_t v, uint32_t *cursor) {
    if ((*cursor)++ > 0) return TACIT_NOT_FOUND;
    uint8_t body[TACIT_HASH_LEN];
    tacit_receipt_body(body, c->report.u3_digest, c->report.survivors, c->report.sum_digest);
    make(m, tacit_Message_receipt_tag);
    m->body.receipt.survivors = c->report.survivors;
    memcpy(m->body.receipt.sum_digest, c->report.sum_digest, TACIT_HASH_LEN);
    sign(c, m->body.receipt.signature, TACIT_LABEL_REVEAL_ANSWER, c->session2, v, body);
    return TACIT_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

bool cohort_answer_ready(const cohort *c, cohort_phase phase) {
    return phase == COHORT_REVEAL ? c->phase >= COHORT_DONE : c->phase > phase;
}

tacit_status cohort_answer_next(const cohort *c, cohort_phase phase, uint32_t slot,
                                uint32_t *cursor, tacit_sink *out) {
    if ((int)phase < COHORT_JOIN || phase > COHORT_REVEAL) return TACIT_INVALID_ARGUMENT;
    if (!cohort_answer_ready(c, phase)) return TACIT_PENDING;
    if (c->phase == COHORT_FAILED) return TACIT_ABORTED;
    if (slot >= c->joined) return TACIT_LATE;
    const cohort_seat *seat = &c->seats[slot];
    if (phase != COHORT_JOIN && !cohort_in(c, phase, seat->index)) return TACIT_LATE;
    tacit_Message m;
    tacit_status st;
    switch (phase) {
        case COHORT_JOIN: st = next_roster(c, &m, seat, cursor); break;
        case COHORT_SHARE: st = next_share(c, &m, seat->index, cursor); break;
        case COHORT_MASK: st = next_survivors(c, &m, seat->index, cursor); break;
        case COHORT_AGREE: st = next_signature(c, &m, seat->index, cursor); break;
        default: st = next_receipt(c, &m, seat->index, cursor); break;
    }
    return st == TACIT_OK ? tacit_wire_write(&m, out) : st;
}

/* ---- poll ------------------------------------------------------------------------------------ */

static int hex_digit(char ch) {
    if (ch >= '0' && ch <= '9') return ch - '0';
    if (ch >= 'a' && ch <= 'f') return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F') return ch - 'A' + 10;
    return -1;
}

/* who_len | who | signature, of the length the phase asks for. */
static bool read_poll(uint8_t *out, size_t len, const char *poll) {
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(poll[2 * i]);
        int low = high < 0 ? -1 : hex_digit(poll[2 * i + 1]);
        if (low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return poll[2 * len] == '\0';
}

/* The seat that polls, and what it must have signed. */
static tacit_status find_seat(const cohort *c, const cohort_seat **seat, tacit_statement *statement,
                              cohort_phase phase, const uint8_t *who) {
    uint8_t body[TACIT_HASH_LEN];
    tacit_poll_body(body, (uint8_t)phase);
    if (phase == COHORT_JOIN) {
        const uint32_t *slot = key_table_find(&c->ids, who);
        if (slot == NULL) return TACIT_WRONG_PHASE;
        *seat = &c->seats[*slot];
        tacit_statement_join(statement, TACIT_LABEL_POLL, c->params.plan_digest,
                             c->params.plan.model_digest, c->params.cohort, who, body);
        return TACIT_OK;
    }
    uint32_t index = tacit_get_u32(who);
    if (c->sets[phase] == NULL) return TACIT_WRONG_PHASE; /* no roster yet */
    if (index >= c->rule.n) return TACIT_BAD_MESSAGE;
    *seat = c->roster[index];
    tacit_statement_phase(statement, TACIT_LABEL_POLL, cohort_session_of(c, phase),
                          c->params.cohort, index, body);
    return TACIT_OK;
}

tacit_status cohort_poll(const cohort *c, uint32_t *slot, cohort_phase phase, const char *poll) {
    if ((int)phase < COHORT_JOIN || phase > COHORT_REVEAL) return TACIT_WRONG_PHASE;
    uint8_t bytes[TACIT_POLL_MAX];
    size_t who_len = phase == COHORT_JOIN ? TACIT_HASH_LEN : 4;
    if (!read_poll(bytes, 1 + who_len + TACIT_SIG_LEN, poll) || bytes[0] != who_len)
        return TACIT_BAD_MESSAGE;
    const cohort_seat *seat = NULL;
    tacit_statement statement;
    tacit_status st = find_seat(c, &seat, &statement, phase, bytes + 1);
    if (st != TACIT_OK) return st;
    if (!cohort_has_sent(seat, phase)) return TACIT_WRONG_PHASE;
    st = tacit_statement_verify(bytes + 1 + who_len, &statement, seat->device_key);
    if (st == TACIT_OK) *slot = (uint32_t)(seat - c->seats);
    return st;
}
