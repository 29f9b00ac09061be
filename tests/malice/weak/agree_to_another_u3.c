/* SPDX-License-Identifier: Apache-2.0
 * agree_to_another_u3.c - agreement is what says it is. */
#include "server/cohort_checks.h"

tacit_status cohort_take_agree(cohort_request *r) {
    tacit_status st = cohort_request_next(r, tacit_Message_agree_tag);
    if (st == TACIT_OK) st = cohort_request_end(r);
    if (st != TACIT_OK) return st;
    const tacit_AgreeRequest m = r->message.body.agree;
    st = cohort_request_seat(r, m.index);
    if (st != TACIT_OK) return st;
    if (cohort_has_sent(r->seat, r->phase)) return TACIT_DUPLICATE;
    cohort_request_accept(r, m.signature);
    return TACIT_OK;
}
