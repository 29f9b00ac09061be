/* SPDX-License-Identifier: Apache-2.0
 * many_attempts.c - nobody counts. */
#include "server/cohort_checks.h"

bool cohort_attempts_left(uint32_t attempts) {
    (void)attempts;
    return true;
}
