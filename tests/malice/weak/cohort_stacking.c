/* SPDX-License-Identifier: Apache-2.0
 * cohort_stacking.c - any device may sit in any cohort. */
#include "firmware/secagg_checks.h"

bool tacit_secagg_check_eligible(const tacit_plan *plan, const uint8_t id[static TACIT_HASH_LEN],
                                 uint32_t cohort) {
    (void)plan;
    (void)id;
    (void)cohort;
    return true;
}
