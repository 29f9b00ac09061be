/* SPDX-License-Identifier: Apache-2.0
 * split_u3.c - nobody need have signed the same U3. */
#include "firmware/secagg_checks.h"

bool tacit_secagg_check_agreed(uint32_t signatures, uint32_t threshold) {
    (void)signatures;
    (void)threshold;
    return true;
}
