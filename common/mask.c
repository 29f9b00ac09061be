/* SPDX-License-Identifier: Apache-2.0
 * mask.c - mask keys with the identities in them (security H3) and the hot loop over the keystream.
 *
 * Every field that is hashed has a fixed length. The loop makes a few kilobytes of keystream, which
 * stay in the first-level cache, and adds them unpacked before it makes the next; so a vector is
 * read and written once, and a mask is never held as a whole. */
#include "common/mask.h"

#include "common/crypto.h"
#include "common/ring.h"

/* Keystream per turn of the loop, at most; measured best between 4 and 16 KB. */
enum { TURN_LEN = 8192 };

bool tacit_mask_adds(const uint8_t mine[static TACIT_HASH_LEN],
                     const uint8_t theirs[static TACIT_HASH_LEN]) {
    return memcmp(mine, theirs, TACIT_HASH_LEN) < 0;
}

void tacit_mask_pair_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t shared[static TACIT_KEY_LEN],
                         const uint8_t session2[static TACIT_HASH_LEN],
                         const uint8_t id_a[static TACIT_HASH_LEN],
                         const uint8_t id_b[static TACIT_HASH_LEN],
                         const uint8_t pk_a[static TACIT_KEY_LEN],
                         const uint8_t pk_b[static TACIT_KEY_LEN], uint32_t bits, uint32_t dims) {
    bool a_first = tacit_mask_adds(id_a, id_b);
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_PAIR_MASK);
    tacit_hash_add(&h, shared, TACIT_KEY_LEN);
    tacit_hash_add(&h, session2, TACIT_HASH_LEN);
    tacit_hash_add(&h, a_first ? id_a : id_b, TACIT_HASH_LEN);
    tacit_hash_add(&h, a_first ? id_b : id_a, TACIT_HASH_LEN);
    tacit_hash_add(&h, a_first ? pk_a : pk_b, TACIT_KEY_LEN);
    tacit_hash_add(&h, a_first ? pk_b : pk_a, TACIT_KEY_LEN);
    tacit_hash_add_u8(&h, (uint8_t)bits);
    tacit_hash_add_u32(&h, dims);
    tacit_hash_end(&h, key);
}

void tacit_mask_self_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t secret_b[static TACIT_SECRET_LEN],
                         const uint8_t session2[static TACIT_HASH_LEN],
                         const uint8_t id[static TACIT_HASH_LEN]) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_SELF_MASK);
    tacit_hash_add(&h, secret_b, TACIT_SECRET_LEN);
    tacit_hash_add(&h, session2, TACIT_HASH_LEN);
    tacit_hash_add(&h, id, TACIT_HASH_LEN);
    tacit_hash_end(&h, key);
}

void tacit_mask_secret_key(uint8_t sk[static TACIT_KEY_LEN],
                           const uint8_t secret_s[static TACIT_SECRET_LEN]) {
    tacit_hash_of(sk, TACIT_LABEL_MASK_SECRET, secret_s, TACIT_SECRET_LEN);
}

void tacit_mask_commit(uint8_t commitment[static TACIT_HASH_LEN],
                       const uint8_t secret_b[static TACIT_SECRET_LEN]) {
    tacit_hash_of(commitment, TACIT_LABEL_COMMIT_B, secret_b, TACIT_SECRET_LEN);
}

void tacit_mask_apply(uint32_t *words, size_t first, size_t count, uint32_t bits,
                      const uint8_t key[static TACIT_KEY_LEN], bool subtract) {
    static const uint8_t nonce[12] = {0};
    _Alignas(64) uint8_t stream[TURN_LEN];
    assert(first % TACIT_MASK_BLOCK == 0 && tacit_ring_bits_check(bits));
    /* 512 words of `bits` bits are `bits` ChaCha20 blocks of 512 bits. */
    size_t blocks = TURN_LEN / (64 * (size_t)bits);
    size_t turn = blocks * TACIT_MASK_BLOCK, used = 0;
    uint64_t at = (uint64_t)(first / TACIT_MASK_BLOCK) * bits;
    assert(at + (uint64_t)count * bits / 512 < UINT32_MAX);
    for (size_t done = 0; done < count; done += turn, at += blocks * bits) {
        size_t n = count - done < turn ? count - done : turn;
        size_t len = tacit_ring_packed_len(n, bits);
        tacit_chacha20(stream, len, key, nonce, (uint32_t)at);
        if (subtract)
            tacit_ring_sub_packed(words + done, stream, n, bits);
        else
            tacit_ring_add_packed(words + done, stream, n, bits);
        if (len > used) used = len;
    }
    tacit_wipe(stream, used);
}
