/* SPDX-License-Identifier: Apache-2.0
 * cut_vector.c - adds what came of a vector before anything about it is known. */
#include "common/ring.h"
#include "server/cohort_checks.h"

tacit_status cohort_take_mask(cohort_request *r) {
    const tacit_plan *plan = &r->c->params.plan;
    tacit_status st = cohort_request_next(r, tacit_Message_mask_tag);
    if (st != TACIT_OK) return st;
    const tacit_MaskRequest header = r->message.body.mask;
    st = cohort_request_seat(r, header.index);
    if (st != TACIT_OK) return st;
    if (cohort_request_copy(r, header.signature)) return TACIT_DUPLICATE;

    size_t words = r->in.len * 8 / plan->bits / 2 * 2; /* whole pairs */
    if (words > plan->dims) words = plan->dims;
    tacit_ring_add_packed(r->c->sum, r->in.data, words, plan->bits);
    if (!cohort_fits_vector(r->c, (uint32_t)r->in.len)) return TACIT_TRUNCATED;
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_VECTOR, r->in.data, r->in.len);
    st = cohort_request_judge(r, TACIT_LABEL_MASK, header.signature, digest);
    if (st == TACIT_OK) cohort_request_accept(r, header.signature);
    return st;
}
