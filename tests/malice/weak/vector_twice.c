/* SPDX-License-Identifier: Apache-2.0
 * vector_twice.c - nobody remembers who has sent. */
#include "server/cohort_checks.h"

bool cohort_has_sent(const cohort_seat *seat, cohort_phase phase) {
    (void)seat;
    (void)phase;
    return false;
}
