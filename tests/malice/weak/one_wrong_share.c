/* SPDX-License-Identifier: Apache-2.0
 * one_wrong_share.c - wrong shares are noticed and not found. */
#include "common/shamir.h"

tacit_status tacit_shamir_locate(uint8_t *wrong, const uint8_t *shares, const uint16_t *points,
                                 const uint64_t *lagrange, size_t count, size_t threshold,
                                 uint64_t *scratch) {
    (void)wrong, (void)shares, (void)points, (void)lagrange;
    (void)count, (void)threshold, (void)scratch;
    return TACIT_BAD_SHARE;
}
