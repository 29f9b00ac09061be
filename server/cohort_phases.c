/* SPDX-License-Identifier: Apache-2.0
 * cohort_phases.c - share, mask and agree: taking their messages, closing their phases (security
 * C6, H1, H2, H11). A phase is closed once and its set never grows afterwards (M1). When a set is
 * too small for a sum - below n_min, or so thin around some device that its secret could not be
 * rebuilt - the cohort is given up at once, before any further share is revealed for nothing. */
#include <stdlib.h>

#include "common/ring.h"
#include "server/cohort_checks.h"

/* ---- share ----------------------------------------------------------------------------------- */

/* Pair number `at` of the body into the stage; exactly the neighbours in ascending order. */
static tacit_status take_pair(cohort_request *r, tacit_hash *body, uint32_t at) {
    cohort *c = r->c;
    tacit_status st = cohort_request_next(r, tacit_Message_sealed_tag);
    if (st != TACIT_OK) return st;
    const tacit_SealedShares *m = &r->message.body.sealed;
    tacit_share_body_add(body, m->peer, m->box_s, m->box_b);
    if (at >= cohort_degree(c, r->index)) return TACIT_OK;
    uint32_t due = c->adjacent[c->offsets[r->index] + at];
    if (m->peer != due)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "sealed pair %u is for %u, neighbour %u is due",
                            at, m->peer, due);
    uint8_t *pair = c->stage + (size_t)at * COHORT_PAIR_LEN;
    memcpy(pair, m->box_s, TACIT_SEALED_SHARE_LEN);
    memcpy(pair + TACIT_SEALED_SHARE_LEN, m->box_b, TACIT_SEALED_SHARE_LEN);
    return TACIT_OK;
}

tacit_status cohort_take_share(cohort_request *r) {
    cohort *c = r->c;
    tacit_status st = cohort_request_next(r, tacit_Message_share_tag);
    if (st != TACIT_OK) return st;
    const tacit_ShareHeader header = r->message.body.share;
    st = cohort_request_seat(r, header.index);
    if (st != TACIT_OK) return st;
    if (cohort_request_copy(r, header.signature)) return TACIT_DUPLICATE;

    uint32_t degree = cohort_degree(c, header.index);
    if (header.count != degree)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "%u sealed pairs for %u neighbours", header.count,
                            degree);
    tacit_hash h;
    uint8_t body[TACIT_HASH_LEN];
    tacit_share_body_init(&h, header.count);
    for (uint32_t i = 0; i < header.count; i++) {
        st = take_pair(r, &h, i);
        if (st != TACIT_OK) return st;
    }
    tacit_hash_end(&h, body);
    st = cohort_request_end(r);
    if (st == TACIT_OK) st = cohort_request_judge(r, TACIT_LABEL_SHARE, header.signature, body);
    if (st != TACIT_OK) return st;
    memcpy(c->boxes + (size_t)c->offsets[header.index] * COHORT_PAIR_LEN, c->stage,
           (size_t)degree * COHORT_PAIR_LEN);
    cohort_request_accept(r, header.signature);
    return TACIT_OK;
}

tacit_status cohort_close_share(cohort *c) {
    uint32_t n = c->rule.n;
    const uint8_t *u2 = c->sets[COHORT_SHARE];
    c->report.shared = tacit_bitmap_count(u2, n);
    if (c->report.shared < c->rule.n_min)
        return cohort_fail(c, TACIT_TOO_FEW, "share: %u devices shared, %u needed",
                           c->report.shared, c->rule.n_min);
    tacit_bitmap_digest(c->report.u2_digest, u2, n);
    tacit_session2(c->session2, c->session, u2, n);
    c->sum = calloc(c->params.plan.dims, sizeof *c->sum);
    if (c->sum == NULL) return cohort_fail(c, TACIT_NO_SPACE, "share: no memory for the sum");
    c->waiting = c->report.shared;
    return TACIT_OK;
}

/* ---- mask ------------------------------------------------------------------------------------ */

/* The vector is hashed as it came and the signature is asked about that, so a device answers for
 * its own vector and never for one cut on the way. It is added only after everything was checked.
 */
tacit_status cohort_take_mask(cohort_request *r) {
    cohort *c = r->c;
    const tacit_plan *plan = &c->params.plan;
    tacit_status st = cohort_request_next(r, tacit_Message_mask_tag);
    if (st != TACIT_OK) return st;
    const tacit_MaskRequest header = r->message.body.mask;
    st = cohort_request_seat(r, header.index);
    if (st != TACIT_OK) return st;
    if (cohort_request_copy(r, header.signature)) return TACIT_DUPLICATE;

    if (header.vector_len != r->in.len) {
        cohort_note(r->note, "the vector has %zu bytes, %u were announced", r->in.len,
                    header.vector_len);
        return r->in.len < header.vector_len ? TACIT_TRUNCATED : TACIT_BAD_MESSAGE;
    }
    if (!cohort_fits_vector(c, header.vector_len))
        cohort_request_find(r, TACIT_BAD_MESSAGE, "the vector has %u bytes instead of %zu",
                            header.vector_len, tacit_ring_packed_len(plan->dims, plan->bits));
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_VECTOR, r->in.data, r->in.len);
    if (memcmp(digest, header.vector_digest, sizeof digest) != 0)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "the vector is not the announced one");
    st = cohort_request_judge(r, TACIT_LABEL_MASK, header.signature, digest);
    if (st != TACIT_OK) return st;
    tacit_ring_add_packed(c->sum, r->in.data, plan->dims, plan->bits);
    cohort_request_accept(r, header.signature);
    return TACIT_OK;
}

/* Whether every secret the sum needs can still be rebuilt if all of `phase`'s set goes on. A device
 * goes on when at least t_v of its neighbours are in the set with it (agree and its answer's
 * check); a secret needs t_v of its owner's neighbours among those. */
static tacit_status check_reachable(cohort *c, cohort_phase phase, const char *name) {
    uint32_t n = c->rule.n;
    uint8_t going[TACIT_MAX_BITMAP_LEN] = {0};
    for (uint32_t v = 0; v < n; v++)
        if (cohort_in(c, phase, v) && cohort_neighbours_in(c, v, phase) >= c->thresholds[v])
            tacit_bit_set(going, v);
    for (uint32_t v = 0; v < n; v++) {
        uint8_t kind;
        uint32_t holders = 0;
        if (!cohort_secret_needed(c, v, &kind)) continue;
        for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++)
            holders += tacit_bit_get(going, c->adjacent[e]);
        if (holders < c->thresholds[v])
            return cohort_fail(c, TACIT_TOO_FEW,
                               "%s: device %u has %u neighbours left who can reveal, %u needed",
                               name, v, holders, c->thresholds[v]);
    }
    return TACIT_OK;
}

/* Of the two boxes at each edge only the one whose secret the sum needs stays. */
static void keep_due_boxes(cohort *c) {
    for (uint32_t v = 0; v < c->rule.n; v++) {
        size_t second = cohort_in(c, COHORT_MASK, v) ? TACIT_SEALED_SHARE_LEN : 0;
        for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++)
            memmove(cohort_due_box(c, e), c->boxes + (size_t)e * COHORT_PAIR_LEN + second,
                    TACIT_SEALED_SHARE_LEN);
    }
    uint8_t *kept = realloc(c->boxes, (size_t)c->offsets[c->rule.n] * TACIT_SEALED_SHARE_LEN);
    if (kept != NULL) c->boxes = kept;
}

tacit_status cohort_close_mask(cohort *c) {
    uint32_t n = c->rule.n;
    const uint8_t *u3 = c->sets[COHORT_MASK];
    c->report.survivors = tacit_bitmap_count(u3, n);
    if (c->report.survivors < c->rule.n_min)
        return cohort_fail(c, TACIT_TOO_FEW, "mask: %u vectors arrived, %u needed",
                           c->report.survivors, c->rule.n_min);
    tacit_bitmap_digest(c->report.u3_digest, u3, n);
    keep_due_boxes(c);
    c->waiting = c->report.survivors;
    return check_reachable(c, COHORT_MASK, "mask");
}

/* ---- agree ----------------------------------------------------------------------------------- */

/* The body is this server's own U3, so a signature of another set is no signature of this. */
tacit_status cohort_take_agree(cohort_request *r) {
    tacit_status st = cohort_request_next(r, tacit_Message_agree_tag);
    if (st == TACIT_OK) st = cohort_request_end(r);
    if (st != TACIT_OK) return st;
    const tacit_AgreeRequest m = r->message.body.agree;
    st = cohort_request_seat(r, m.index);
    if (st != TACIT_OK) return st;
    if (cohort_request_copy(r, m.signature)) return TACIT_DUPLICATE;
    st = cohort_request_judge(r, TACIT_LABEL_AGREE, m.signature, r->c->report.u3_digest);
    if (st == TACIT_OK) cohort_request_accept(r, m.signature);
    return st;
}

tacit_status cohort_close_agree(cohort *c) {
    size_t edges = c->offsets[c->rule.n];
    c->shares = calloc(edges, TACIT_SHARE_LEN);
    c->held = calloc((edges + 7) / 8, 1);
    c->empty_boxes = calloc(c->rule.n, sizeof *c->empty_boxes);
    if (c->shares == NULL || c->held == NULL || c->empty_boxes == NULL)
        return cohort_fail(c, TACIT_NO_SPACE, "agree: no memory for the shares");
    c->waiting = tacit_bitmap_count(c->sets[COHORT_AGREE], c->rule.n);
    return check_reachable(c, COHORT_AGREE, "agree");
}
