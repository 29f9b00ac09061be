/* SPDX-License-Identifier: Apache-2.0
 * vector_without_shares.c - who is in the roster may send. */
#include "server/cohort_checks.h"

bool cohort_may_send(const cohort *c, cohort_phase phase, uint32_t index) {
    (void)phase;
    return !c->roster[index]->dropped;
}
