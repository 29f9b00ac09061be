/* SPDX-License-Identifier: Apache-2.0
 * cohort_reveal.c - shares of the secrets the sum needs, from devices that agreed on U3: of b about
 * a neighbour in U3, of s about one in U2 only (security C6, H2 and section C). What comes is the
 * key of the box the share lies in, and the box has been here since SHARE under its dealer's
 * signature; so nobody can say anything about a share but give it or not. A key that does not open
 * its box is its holder's lie, a box without a share in it its dealer's (M2). The whole message
 * must be right: it refuses the other kind of share for anybody, and shares about devices that
 * never shared or are no neighbours. Fewer keys than neighbours are normal: a box that did not open
 * gives none. */
#include "server/cohort_checks.h"

enum { ENTRY_LEN = 8 + TACIT_KEY_LEN }; /* in the stage: edge u32, owner u32, key */
#define NO_EDGE UINT32_MAX              /* the box held no share */
_Static_assert((int)ENTRY_LEN <= (int)COHORT_PAIR_LEN, "the stage holds one key per neighbour");

static tacit_status take_one(cohort_request *r, tacit_hash *body, uint32_t at, uint32_t *next) {
    cohort *c = r->c;
    tacit_status st = cohort_request_next(r, tacit_Message_revealed_tag);
    if (st != TACIT_OK) return st;
    const tacit_RevealedShare *m = &r->message.body.revealed;
    tacit_reveal_body_add(body, m->owner, (uint8_t)m->kind, m->key);
    if (r->finding != TACIT_OK) return TACIT_OK;

    uint32_t edge = m->owner < c->rule.n ? cohort_edge(c, m->owner, r->index) : NO_EDGE;
    if (m->owner < *next)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "share %u is out of order or repeated", at);
    else if (edge == NO_EDGE)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "share %u is about %u, who is no neighbour", at,
                            m->owner);
    else if (!cohort_in(c, COHORT_SHARE, m->owner))
        cohort_request_find(r, TACIT_BAD_MESSAGE, "share %u is about %u, who never shared", at,
                            m->owner);
    else if (m->kind != (cohort_in(c, COHORT_MASK, m->owner) ? TACIT_KIND_B : TACIT_KIND_S))
        cohort_request_find(r, TACIT_BAD_MESSAGE, "share %u is of the wrong secret of %u", at,
                            m->owner);
    if (r->finding != TACIT_OK) return TACIT_OK;
    *next = m->owner + 1;
    uint8_t *entry = c->stage + (size_t)at * ENTRY_LEN;
    tacit_put_u32(entry, edge);
    tacit_put_u32(entry + 4, m->owner);
    memcpy(entry + 8, m->key, TACIT_KEY_LEN);
    return TACIT_OK;
}

static tacit_status take_all(cohort_request *r, const tacit_RevealHeader *header) {
    cohort *c = r->c;
    uint32_t degree = cohort_degree(c, header->index), next = 0;
    if (header->count > degree)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "%u shares from %u neighbours", header->count,
                            degree);
    tacit_hash h;
    uint8_t body[TACIT_HASH_LEN];
    tacit_reveal_body_init(&h, c->report.u3_digest, header->count);
    for (uint32_t i = 0; i < header->count; i++) {
        tacit_status st = take_one(r, &h, i, &next);
        if (st != TACIT_OK) return st;
    }
    tacit_hash_end(&h, body);
    tacit_status st = cohort_request_end(r);
    if (st == TACIT_OK) st = cohort_request_judge(r, TACIT_LABEL_REVEAL, header->signature, body);
    return st;
}

/* Opens the staged boxes into the shares' places, which count only once all have opened; the edge
 * of a box that holds no share becomes NO_EDGE. */
static tacit_status open_boxes(cohort_request *r, uint32_t count) {
    cohort *c = r->c;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *entry = c->stage + (size_t)i * ENTRY_LEN;
        uint32_t edge = tacit_get_u32(entry), owner = tacit_get_u32(entry + 4);
        uint8_t kind = cohort_in(c, COHORT_MASK, owner) ? TACIT_KIND_B : TACIT_KIND_S;
        tacit_status st =
            tacit_share_open(c->shares + (size_t)edge * TACIT_SHARE_LEN, cohort_due_box(c, edge),
                             entry + 8, c->session, owner, r->index, kind);
        if (st == TACIT_BAD_SHARE) tacit_put_u32(entry, NO_EDGE);
        if (cohort_shows_holder_lied(st))
            return cohort_request_refuse(r, TACIT_BAD_SHARE, COHORT_FAULT_KEY,
                                         "key %u does not open the box of %u", i, owner);
    }
    return TACIT_OK;
}

tacit_status cohort_take_reveal(cohort_request *r) {
    cohort *c = r->c;
    tacit_status st = cohort_request_next(r, tacit_Message_reveal_tag);
    if (st != TACIT_OK) return st;
    const tacit_RevealHeader header = r->message.body.reveal;
    st = cohort_request_seat(r, header.index);
    if (st != TACIT_OK) return st;
    if (cohort_request_copy(r, header.signature)) return TACIT_DUPLICATE;

    st = take_all(r, &header);
    if (st == TACIT_OK) st = open_boxes(r, header.count);
    for (uint32_t i = 0; i < header.count && st == TACIT_OK; i++) {
        const uint8_t *entry = c->stage + (size_t)i * ENTRY_LEN;
        uint32_t edge = tacit_get_u32(entry);
        if (edge != NO_EDGE)
            tacit_bit_set(c->held, edge);
        else
            c->empty_boxes[tacit_get_u32(entry + 4)]++;
    }
    if (st == TACIT_OK) cohort_request_accept(r, header.signature);
    tacit_wipe(c->stage, (size_t)c->degree_max * COHORT_PAIR_LEN);
    tacit_wipe(&r->message, sizeof r->message);
    tacit_wipe(r->reader.buf, sizeof r->reader.buf);
    return st;
}
