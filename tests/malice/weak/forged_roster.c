/* SPDX-License-Identifier: Apache-2.0
 * forged_roster.c - the list is not compared with the digest that the server signed. */
#include "firmware/secagg_checks.h"

bool tacit_secagg_check_list(const uint8_t digest[static TACIT_HASH_LEN],
                             const uint8_t signed_digest[static TACIT_HASH_LEN]) {
    (void)digest;
    (void)signed_digest;
    return true;
}
