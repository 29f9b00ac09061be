/* SPDX-License-Identifier: Apache-2.0
 * garbled_upload.c - the signature is verified over what the message says of its vector. */
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

    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_VECTOR, r->in.data, r->in.len);
    if (header.vector_len != r->in.len || !cohort_fits_vector(r->c, header.vector_len) ||
        memcmp(digest, header.vector_digest, sizeof digest) != 0)
        cohort_request_find(r, TACIT_BAD_MESSAGE, "the vector is not the announced one");
    st = cohort_request_judge(r, TACIT_LABEL_MASK, header.signature, header.vector_digest);
    if (st != TACIT_OK) return st;
    tacit_ring_add_packed(r->c->sum, r->in.data, plan->dims, plan->bits);
    cohort_request_accept(r, header.signature);
    return TACIT_OK;
}
