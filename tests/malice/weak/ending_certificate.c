/* SPDX-License-Identifier: Apache-2.0
 * ending_certificate.c - what holds now will do. */
#include "server/cohort_checks.h"

uint64_t cohort_certificate_until(const cohort *c, uint64_t now_s) {
    (void)c;
    return now_s;
}
