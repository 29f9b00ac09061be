/* SPDX-License-Identifier: Apache-2.0
 * unreduced_share.c - forty bytes are a share. */
#include "common/shamir.h"

bool tacit_shamir_share_check(const uint8_t share[static TACIT_SHARE_LEN]) {
    (void)share;
    return true;
}
