/* SPDX-License-Identifier: Apache-2.0
 * dealer_framed_by_silence.c - one holder's word is enough. */
#include "server/cohort_checks.h"

bool cohort_shows_boxes_shut(uint32_t missing, uint32_t threshold) {
    (void)threshold;
    return missing > 0;
}
