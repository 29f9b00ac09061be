/* SPDX-License-Identifier: Apache-2.0
 * wrong_shares.c - what the shares give is believed. */
#include "server/cohort_checks.h"

bool cohort_fits_commitment(const cohort_seat *owner, const uint8_t secret[static TACIT_SECRET_LEN],
                            uint8_t kind) {
    (void)owner;
    (void)secret;
    (void)kind;
    return true;
}
