/* SPDX-License-Identifier: Apache-2.0
 * crypto.c - thin wrappers over libsodium that put a label before whatever is hashed. They exist so
 * that one file decides which primitive is meant and how its refusals become a tacit_status; they
 * add no cryptography. Refuse: low-order X25519 keys, boxes whose tag does not verify. */
#include "common/crypto.h"

#include <sodium.h>

_Static_assert(sizeof(((tacit_hash *)0)->opaque) >= sizeof(crypto_generichash_state),
               "tacit_hash holds libsodium's state");
_Static_assert(crypto_generichash_BYTES == TACIT_HASH_LEN, "BLAKE2b-256");
_Static_assert(crypto_sign_SECRETKEYBYTES == TACIT_SIGN_SECRET_LEN, "Ed25519 secret key");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == TACIT_NONCE_LEN, "XChaCha20 nonce");

static const char *const label_texts[TACIT_LABEL_COUNT] = {
#define XX(name, text) text,
    TACIT_LABEL_MAP(XX)
#undef XX
};

const char *tacit_label_text(tacit_label label) {
    assert((unsigned)label < TACIT_LABEL_COUNT);
    return label_texts[label];
}

tacit_status tacit_crypto_init(void) { return sodium_init() < 0 ? TACIT_INTERNAL : TACIT_OK; }

void tacit_wipe(void *data, size_t len) { sodium_memzero(data, len); }

bool tacit_equal(const void *a, const void *b, size_t len) { return sodium_memcmp(a, b, len) == 0; }

void tacit_os_random(void *out, size_t len) { randombytes_buf(out, len); }

static crypto_generichash_state *state_of(tacit_hash *h) {
    return (crypto_generichash_state *)(void *)h->opaque;
}

static void add_label(crypto_generichash_state *s, tacit_label label) {
    const char *text = tacit_label_text(label);
    uint8_t len = (uint8_t)strlen(text);
    crypto_generichash_update(s, &len, 1);
    crypto_generichash_update(s, (const uint8_t *)text, len);
}

void tacit_hash_init(tacit_hash *h, tacit_label label) {
    crypto_generichash_init(state_of(h), NULL, 0, TACIT_HASH_LEN);
    add_label(state_of(h), label);
}

void tacit_hash_add(tacit_hash *h, const void *data, size_t len) {
    crypto_generichash_update(state_of(h), data, len);
}

void tacit_hash_add_u8(tacit_hash *h, uint8_t v) { tacit_hash_add(h, &v, 1); }

void tacit_hash_add_u16(tacit_hash *h, uint16_t v) {
    uint8_t b[2];
    tacit_put_u16(b, v);
    tacit_hash_add(h, b, sizeof b);
}

void tacit_hash_add_u32(tacit_hash *h, uint32_t v) {
    uint8_t b[4];
    tacit_put_u32(b, v);
    tacit_hash_add(h, b, sizeof b);
}

void tacit_hash_add_u64(tacit_hash *h, uint64_t v) {
    uint8_t b[8];
    tacit_put_u64(b, v);
    tacit_hash_add(h, b, sizeof b);
}

void tacit_hash_end(tacit_hash *h, uint8_t out[static TACIT_HASH_LEN]) {
    crypto_generichash_final(state_of(h), out, TACIT_HASH_LEN);
    tacit_wipe(h, sizeof *h);
}

void tacit_hash_of(uint8_t out[static TACIT_HASH_LEN], tacit_label label, const void *data,
                   size_t len) {
    tacit_hash h;
    tacit_hash_init(&h, label);
    tacit_hash_add(&h, data, len);
    tacit_hash_end(&h, out);
}

void tacit_mac(uint8_t out[static TACIT_HASH_LEN], const uint8_t key[static TACIT_KEY_LEN],
               tacit_label label, const void *data, size_t len) {
    crypto_generichash_state s;
    crypto_generichash_init(&s, key, TACIT_KEY_LEN, TACIT_HASH_LEN);
    add_label(&s, label);
    crypto_generichash_update(&s, data, len);
    crypto_generichash_final(&s, out, TACIT_HASH_LEN);
    tacit_wipe(&s, sizeof s);
}

void tacit_sha256_prefixed(uint8_t out[static TACIT_HASH_LEN], uint8_t prefix, const void *a,
                           size_t a_len, const void *b, size_t b_len) {
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, &prefix, 1);
    if (a_len > 0) crypto_hash_sha256_update(&s, a, a_len);
    if (b_len > 0) crypto_hash_sha256_update(&s, b, b_len);
    crypto_hash_sha256_final(&s, out);
}

void tacit_x25519_public(uint8_t pk[static TACIT_KEY_LEN], const uint8_t sk[static TACIT_KEY_LEN]) {
    crypto_scalarmult_base(pk, sk);
}

/* The u coordinates of all points whose order divides 8. */
static const uint8_t low_order_points[7][TACIT_KEY_LEN] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}};

bool tacit_x25519_low_order(const uint8_t pk[static TACIT_KEY_LEN]) {
    uint8_t masked[TACIT_KEY_LEN];
    bool found = false;
    memcpy(masked, pk, sizeof masked);
    masked[31] &= 0x7f;
    for (size_t i = 0; i < 7; i++) found |= memcmp(masked, low_order_points[i], sizeof masked) == 0;
    return found;
}

tacit_status tacit_x25519(uint8_t shared[static TACIT_KEY_LEN],
                          const uint8_t sk[static TACIT_KEY_LEN],
                          const uint8_t pk[static TACIT_KEY_LEN]) {
    return crypto_scalarmult(shared, sk, pk) == 0 ? TACIT_OK : TACIT_BAD_KEY;
}

void tacit_sign_keypair(uint8_t pk[static TACIT_KEY_LEN], uint8_t sk[static TACIT_SIGN_SECRET_LEN],
                        const uint8_t seed[static TACIT_KEY_LEN]) {
    crypto_sign_seed_keypair(pk, sk, seed);
}

void tacit_sign(uint8_t sig[static TACIT_SIG_LEN], const uint8_t sk[static TACIT_SIGN_SECRET_LEN],
                const void *msg, size_t len) {
    crypto_sign_detached(sig, NULL, msg, len, sk);
}

tacit_status tacit_verify(const uint8_t sig[static TACIT_SIG_LEN],
                          const uint8_t pk[static TACIT_KEY_LEN], const void *msg, size_t len) {
    return crypto_sign_verify_detached(sig, msg, len, pk) == 0 ? TACIT_OK : TACIT_BAD_SIGNATURE;
}

void tacit_seal(uint8_t *box, const void *msg, size_t msg_len, const void *ad, size_t ad_len,
                const uint8_t nonce[static TACIT_NONCE_LEN],
                const uint8_t key[static TACIT_KEY_LEN]) {
    crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, msg, msg_len, ad, ad_len, NULL, nonce,
                                               key);
}

tacit_status tacit_open_box(uint8_t *msg, const void *box, size_t box_len, const void *ad,
                            size_t ad_len, const uint8_t nonce[static TACIT_NONCE_LEN],
                            const uint8_t key[static TACIT_KEY_LEN]) {
    if (box_len < TACIT_TAG_LEN) return TACIT_CORRUPT;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(msg, NULL, NULL, box, box_len, ad, ad_len, nonce,
                                                   key) == 0)
        return TACIT_OK;
    tacit_wipe(msg, box_len - TACIT_TAG_LEN);
    return TACIT_CORRUPT;
}

void tacit_chacha20(uint8_t *out, size_t len, const uint8_t key[static TACIT_KEY_LEN],
                    const uint8_t nonce[static 12], uint32_t block) {
    /* libsodium offers a first block only for xor. Zeros that stay in the cache cost less than
     * clearing `out` first and reading it back. */
    static const uint8_t zeros[4096] = {0};
    while (len > 0) {
        size_t take = len < sizeof zeros ? len : sizeof zeros;
        crypto_stream_chacha20_ietf_xor_ic(out, zeros, take, nonce, block, key);
        out += take;
        len -= take;
        block += (uint32_t)(sizeof zeros / 64);
    }
}
