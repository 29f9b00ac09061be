/* SPDX-License-Identifier: Apache-2.0
 * copied_mask_key.c - a mask's key without the identities of its two devices. */
#include "common/crypto.h"
#include "common/mask.h"

void tacit_mask_pair_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t shared[static TACIT_KEY_LEN],
                         const uint8_t session2[static TACIT_HASH_LEN],
                         const uint8_t id_a[static TACIT_HASH_LEN],
                         const uint8_t id_b[static TACIT_HASH_LEN],
                         const uint8_t pk_a[static TACIT_KEY_LEN],
                         const uint8_t pk_b[static TACIT_KEY_LEN], uint32_t bits, uint32_t dims) {
    tacit_hash h;
    (void)id_a, (void)id_b, (void)pk_a, (void)pk_b;
    tacit_hash_init(&h, TACIT_LABEL_PAIR_MASK);
    tacit_hash_add(&h, shared, TACIT_KEY_LEN);
    tacit_hash_add(&h, session2, TACIT_HASH_LEN);
    tacit_hash_add_u8(&h, (uint8_t)bits);
    tacit_hash_add_u32(&h, dims);
    tacit_hash_end(&h, key);
}
