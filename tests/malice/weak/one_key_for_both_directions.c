/* SPDX-License-Identifier: Apache-2.0
 * one_key_for_both_directions.c - one key for a pair of devices and a kind of share. */
#include "common/transcript.h"

void tacit_share_key(uint8_t key[static TACIT_KEY_LEN],
                     const uint8_t shared_c[static TACIT_KEY_LEN],
                     const uint8_t session[static TACIT_HASH_LEN], uint32_t from, uint32_t to,
                     uint8_t kind) {
    tacit_hash h;
    (void)from, (void)to;
    tacit_hash_init(&h, TACIT_LABEL_SHARE_KEY);
    tacit_hash_add(&h, shared_c, TACIT_KEY_LEN);
    tacit_hash_add(&h, session, TACIT_HASH_LEN);
    tacit_hash_add_u8(&h, kind);
    tacit_hash_end(&h, key);
}
