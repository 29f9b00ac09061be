/* SPDX-License-Identifier: Apache-2.0
 * late_device.c - a message is taken whenever it comes. */
#include "server/cohort_checks.h"

tacit_status cohort_check_open(const cohort *c, char *note, cohort_phase phase, uint64_t now_s) {
    (void)note;
    (void)now_s;
    return phase <= c->phase && c->phase < COHORT_SUM ? TACIT_OK : TACIT_WRONG_PHASE;
}
