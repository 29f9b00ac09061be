/* SPDX-License-Identifier: Apache-2.0
 * crypto.h - the only room that names libsodium in common/ and firmware/. It composes published
 * primitives and invents none: BLAKE2b (RFC 7693), SHA-256, X25519 (RFC 7748), Ed25519 (RFC 8032),
 * XChaCha20-Poly1305, ChaCha20 (RFC 8439).
 *
 * Every hash and every signed byte string begins with a label of the one table below, so a value
 * made for one purpose can never be read as one made for another. Call tacit_crypto_init once per
 * process before anything else of this header. */
#ifndef TACIT_COMMON_CRYPTO_H
#define TACIT_COMMON_CRYPTO_H

#include "common/base.h"

/* The strings of security.md are used to the letter. SHARE_KEY and SHARE share one string by that
 * text: one is only ever hashed, the other only ever signed, so they cannot meet. */
#define TACIT_LABEL_MAP(XX)                     \
    XX(PLAN, "tacit/plan/v1")                   \
    XX(MODEL, "tacit/model/v1")                 \
    XX(CERT, "tacit/cert/v1")                   \
    XX(DEVICE_ID, "tacit/device/v1")            \
    XX(COHORT, "tacit/cohort")                  \
    XX(ROSTER, "tacit/roster/v1")               \
    XX(ROSTER_IDS, "tacit/roster-ids/v1")       \
    XX(SESSION, "tacit/session/v1")             \
    XX(SESSION2, "tacit/session2/v1")           \
    XX(GRAPH, "tacit/graph/v1")                 \
    XX(MASK_SECRET, "tacit/masksecret/v1")      \
    XX(COMMIT_B, "tacit/commit-b/v1")           \
    XX(PAIR_MASK, "tacit/pairmask/v1")          \
    XX(SELF_MASK, "tacit/selfmask/v1")          \
    XX(SHARE_KEY, "tacit/share/v1")             \
    XX(BODY, "tacit/body/v1")                   \
    XX(BITMAP, "tacit/bitmap/v1")               \
    XX(VECTOR, "tacit/vector/v1")               \
    XX(SUM, "tacit/sum/v1")                     \
    XX(JOIN, "tacit/join/v1")                   \
    XX(SHARE, "tacit/share/v1")                 \
    XX(MASK, "tacit/mask/v1")                   \
    XX(AGREE, "tacit/agree/v1")                 \
    XX(REVEAL, "tacit/reveal/v1")               \
    XX(JOIN_ANSWER, "tacit/join-answer/v1")     \
    XX(SHARE_ANSWER, "tacit/share-answer/v1")   \
    XX(MASK_ANSWER, "tacit/mask-answer/v1")     \
    XX(AGREE_ANSWER, "tacit/agree-answer/v1")   \
    XX(REVEAL_ANSWER, "tacit/reveal-answer/v1") \
    XX(POLL, "tacit/poll/v1")                   \
    XX(EVIDENCE, "tacit/evidence/v1")           \
    XX(HISTORY, "tacit/history/v1")             \
    XX(LEDGER, "tacit/ledger/v1")               \
    XX(ITEM_ID, "tacit/item/v1")                \
    XX(CATALOGUE, "tacit/catalogue/v1")         \
    XX(ROTATION, "tacit/rotation/v1")           \
    XX(STREAM, "tacit/stream/v1")

typedef enum {
#define XX(name, text) TACIT_LABEL_##name,
    TACIT_LABEL_MAP(XX)
#undef XX
        TACIT_LABEL_COUNT
} tacit_label;

/* The label's string, without a terminating zero in the hashed bytes. Static storage. */
const char *tacit_label_text(tacit_label label);

/* Prepares the library (CPU detection). Idempotent. INTERNAL when libsodium refuses. */
TACIT_MUST_CHECK tacit_status tacit_crypto_init(void);

/* Overwrites with zeros in a way the compiler does not remove. */
void tacit_wipe(void *data, size_t len);

/* Constant-time equality of len bytes. */
bool tacit_equal(const void *a, const void *b, size_t len);

/* Bytes from the operating system's CSPRNG. For hosts, the server and tools; the device core asks
 * its platform instead. Never fails (libsodium aborts the process when the OS has no entropy). */
void tacit_os_random(void *out, size_t len);

/* ---- BLAKE2b-256 over len(label) (1 byte) | label | whatever is added -------------------------
 * Fields added are of fixed length or preceded by their length; callers keep to that (H3). */
typedef struct {
    _Alignas(64) uint8_t opaque[384];
} tacit_hash;

void tacit_hash_init(tacit_hash *h, tacit_label label);
void tacit_hash_add(tacit_hash *h, const void *data, size_t len);
void tacit_hash_add_u8(tacit_hash *h, uint8_t v);
void tacit_hash_add_u16(tacit_hash *h, uint16_t v);
void tacit_hash_add_u32(tacit_hash *h, uint32_t v);
void tacit_hash_add_u64(tacit_hash *h, uint64_t v);
/* Ends the hash and wipes the state. */
void tacit_hash_end(tacit_hash *h, uint8_t out[static TACIT_HASH_LEN]);

/* One-shot: label and one string. */
void tacit_hash_of(uint8_t out[static TACIT_HASH_LEN], tacit_label label, const void *data,
                   size_t len);

/* Keyed BLAKE2b-256 (a MAC) over the label and one string. */
void tacit_mac(uint8_t out[static TACIT_HASH_LEN], const uint8_t key[static TACIT_KEY_LEN],
               tacit_label label, const void *data, size_t len);

/* SHA-256 over a one-byte prefix and two strings (either may be empty): the Merkle tree's hash. */
void tacit_sha256_prefixed(uint8_t out[static TACIT_HASH_LEN], uint8_t prefix, const void *a,
                           size_t a_len, const void *b, size_t b_len);

/* ---- X25519 ---------------------------------------------------------------------------------- */
void tacit_x25519_public(uint8_t pk[static TACIT_KEY_LEN], const uint8_t sk[static TACIT_KEY_LEN]);

/* True for the seven encodings of points of low order, whatever their top bit (RFC 7748
 * section 6.1): keys to refuse before anything rests on them. pk is public; not constant time. */
bool tacit_x25519_low_order(const uint8_t pk[static TACIT_KEY_LEN]);

/* shared = sk * pk. BAD_KEY when the result is zero (a low-order key): the caller aborts (H2). */
TACIT_MUST_CHECK tacit_status tacit_x25519(uint8_t shared[static TACIT_KEY_LEN],
                                           const uint8_t sk[static TACIT_KEY_LEN],
                                           const uint8_t pk[static TACIT_KEY_LEN]);

/* ---- Ed25519 --------------------------------------------------------------------------------- */
void tacit_sign_keypair(uint8_t pk[static TACIT_KEY_LEN], uint8_t sk[static TACIT_SIGN_SECRET_LEN],
                        const uint8_t seed[static TACIT_KEY_LEN]);
void tacit_sign(uint8_t sig[static TACIT_SIG_LEN], const uint8_t sk[static TACIT_SIGN_SECRET_LEN],
                const void *msg, size_t len);
TACIT_MUST_CHECK tacit_status tacit_verify(const uint8_t sig[static TACIT_SIG_LEN],
                                           const uint8_t pk[static TACIT_KEY_LEN], const void *msg,
                                           size_t len);

/* ---- XChaCha20-Poly1305. box_len = msg_len + TACIT_TAG_LEN; in-place is allowed. ------------- */
void tacit_seal(uint8_t *box, const void *msg, size_t msg_len, const void *ad, size_t ad_len,
                const uint8_t nonce[static TACIT_NONCE_LEN],
                const uint8_t key[static TACIT_KEY_LEN]);
/* msg_len = box_len - TACIT_TAG_LEN. CORRUPT when the tag does not verify or box_len is too small;
 * msg is then zeroed. */
TACIT_MUST_CHECK tacit_status tacit_open_box(uint8_t *msg, const void *box, size_t box_len,
                                             const void *ad, size_t ad_len,
                                             const uint8_t nonce[static TACIT_NONCE_LEN],
                                             const uint8_t key[static TACIT_KEY_LEN]);

/* ---- ChaCha20-IETF keystream ----------------------------------------------------------------- */
/* Writes `len` bytes of the keystream of (key, nonce) starting at 64-byte block `block`. */
void tacit_chacha20(uint8_t *out, size_t len, const uint8_t key[static TACIT_KEY_LEN],
                    const uint8_t nonce[static 12], uint32_t block);

#endif
