/* SPDX-License-Identifier: Apache-2.0
 * dealer_framed_by_key.c - boxes are opened without a look at their tag. Sealing what is sealed
 * takes the keystream off. */
#include "common/shamir.h"
#include "common/transcript.h"

tacit_status tacit_share_open(uint8_t share[static TACIT_SHARE_LEN],
                              const uint8_t box[static TACIT_SEALED_SHARE_LEN],
                              const uint8_t key[static TACIT_KEY_LEN],
                              const uint8_t session[static TACIT_HASH_LEN], uint32_t from,
                              uint32_t to, uint8_t kind) {
    uint8_t opened[TACIT_SEALED_SHARE_LEN];
    tacit_share_seal(opened, box, key, session, from, to, kind);
    memcpy(share, opened, TACIT_SHARE_LEN);
    return tacit_shamir_share_check(share) ? TACIT_OK : TACIT_BAD_SHARE;
}
