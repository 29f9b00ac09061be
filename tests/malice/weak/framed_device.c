/* SPDX-License-Identifier: Apache-2.0
 * framed_device.c - what a message says counts before its signature does. */
#include "server/cohort_checks.h"

tacit_status cohort_request_judge(cohort_request *r, tacit_label label, const uint8_t *signature,
                                  const uint8_t *body) {
    if (r->finding != TACIT_OK)
        return cohort_request_refuse(r, r->finding, COHORT_FAULT_MESSAGE, "breaks the protocol");
    tacit_statement statement;
    tacit_statement_phase(&statement, label, cohort_session_of(r->c, r->phase), r->c->params.cohort,
                          r->index, body);
    tacit_status st = tacit_statement_verify(signature, &statement, r->seat->device_key);
    return st == TACIT_OK && cohort_has_sent(r->seat, r->phase) ? TACIT_DUPLICATE : st;
}
