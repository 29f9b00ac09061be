/* SPDX-License-Identifier: Apache-2.0
 * mask.h - masks: key derivation (security H3) and adding or removing their keystream.
 *
 *   key_ij = BLAKE2b-256('tacit/pairmask/v1', DH, session2, id_lo, id_hi, pk_lo, pk_hi, bits u8,
 *            dims u32)         sign: + at the device with the lower id, - at the other
 *   key_b  = BLAKE2b-256('tacit/selfmask/v1', b, session2, id)          sign: +
 *
 * lo/hi order ids as byte strings; pk are the X25519 mask keys in the same order. The mask's words
 * are the packed ring words (ring.h) of the ChaCha20-IETF keystream of the key, nonce 0, counter 0;
 * so `dims * bits / 8` bytes of keystream are used, and any range of words that begins on a
 * multiple of TACIT_MASK_BLOCK words can be computed alone. */
#ifndef TACIT_COMMON_MASK_H
#define TACIT_COMMON_MASK_H

#include "common/base.h"

/* Words per independent block: 512 * bits / 8 is a whole number of ChaCha20 blocks for each width.
 */
enum { TACIT_MASK_BLOCK = 512 };

void tacit_mask_pair_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t shared[static TACIT_KEY_LEN],
                         const uint8_t session2[static TACIT_HASH_LEN],
                         const uint8_t id_a[static TACIT_HASH_LEN],
                         const uint8_t id_b[static TACIT_HASH_LEN],
                         const uint8_t pk_a[static TACIT_KEY_LEN],
                         const uint8_t pk_b[static TACIT_KEY_LEN], uint32_t bits, uint32_t dims);

void tacit_mask_self_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t secret_b[static TACIT_SECRET_LEN],
                         const uint8_t session2[static TACIT_HASH_LEN],
                         const uint8_t id[static TACIT_HASH_LEN]);

/* The X25519 secret mask key from the shared secret s: BLAKE2b-256('tacit/masksecret/v1', s). */
void tacit_mask_secret_key(uint8_t sk[static TACIT_KEY_LEN],
                           const uint8_t secret_s[static TACIT_SECRET_LEN]);

/* Commitment to b that travels in the join message: BLAKE2b-256('tacit/commit-b/v1', b). */
void tacit_mask_commit(uint8_t commitment[static TACIT_HASH_LEN],
                       const uint8_t secret_b[static TACIT_SECRET_LEN]);

/* words[i] += or -= mask word (first + i), i < count, mod 2^32 (only the low `bits` of the mask
 * word are added). `first` is a multiple of TACIT_MASK_BLOCK. Works in blocks on the stack, which
 * are wiped. This is the hot loop of device and server: within a few percent of the bare keystream.
 */
void tacit_mask_apply(uint32_t *words, size_t first, size_t count, uint32_t bits,
                      const uint8_t key[static TACIT_KEY_LEN], bool subtract);

/* +1 when `mine` adds the pair mask, i.e. when mine < theirs as byte strings; false otherwise. */
bool tacit_mask_adds(const uint8_t mine[static TACIT_HASH_LEN],
                     const uint8_t theirs[static TACIT_HASH_LEN]);

#endif
