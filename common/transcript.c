/* SPDX-License-Identifier: Apache-2.0
 * transcript.c - the fixed byte strings behind every hash, signature and sealed share. They are
 * built field by field, each of fixed length, so that device, server and auditor agree to the byte
 * and no protobuf encoding is ever signed. It takes nothing apart: there is no parser here, because
 * a verifier builds the same bytes from its own values and compares (security H2, H3). */
#include "common/transcript.h"

#include "common/merkle.h"
#include "common/shamir.h"

/* ---- statements ------------------------------------------------------------------------------ */

static void put(tacit_statement *s, const void *data, size_t len) {
    assert(len <= sizeof s->bytes - s->len);
    memcpy(s->bytes + s->len, data, len);
    s->len += len;
}

static void put_number(tacit_statement *s, uint32_t v) {
    uint8_t b[4];
    tacit_put_u32(b, v);
    put(s, b, sizeof b);
}

static void begin(tacit_statement *s, tacit_label label) {
    const char *text = tacit_label_text(label);
    uint8_t len = (uint8_t)strlen(text);
    s->len = 0;
    put(s, &len, 1);
    put(s, text, len);
}

void tacit_statement_digest(tacit_statement *s, tacit_label label,
                            const uint8_t digest[static TACIT_HASH_LEN]) {
    begin(s, label);
    put(s, digest, TACIT_HASH_LEN);
}

void tacit_statement_join(tacit_statement *s, tacit_label label,
                          const uint8_t plan_digest[static TACIT_HASH_LEN],
                          const uint8_t model_digest[static TACIT_HASH_LEN], uint32_t cohort,
                          const uint8_t id[static TACIT_HASH_LEN],
                          const uint8_t body[static TACIT_HASH_LEN]) {
    begin(s, label);
    put(s, plan_digest, TACIT_HASH_LEN);
    put(s, model_digest, TACIT_HASH_LEN);
    put_number(s, cohort);
    put(s, id, TACIT_HASH_LEN);
    put(s, body, TACIT_HASH_LEN);
}

void tacit_statement_phase(tacit_statement *s, tacit_label label,
                           const uint8_t session[static TACIT_HASH_LEN], uint32_t cohort,
                           uint32_t index, const uint8_t body[static TACIT_HASH_LEN]) {
    begin(s, label);
    put(s, session, TACIT_HASH_LEN);
    put_number(s, cohort);
    put_number(s, index);
    put(s, body, TACIT_HASH_LEN);
}

void tacit_statement_sign(uint8_t sig[static TACIT_SIG_LEN], const tacit_statement *s,
                          const uint8_t secret[static TACIT_SIGN_SECRET_LEN]) {
    tacit_sign(sig, secret, s->bytes, s->len);
}

tacit_status tacit_statement_verify(const uint8_t sig[static TACIT_SIG_LEN],
                                    const tacit_statement *s,
                                    const uint8_t key[static TACIT_KEY_LEN]) {
    return tacit_verify(sig, key, s->bytes, s->len);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

void tacit_join_body(uint8_t body[static TACIT_HASH_LEN], const tacit_join *join,
                     const uint8_t id[static TACIT_HASH_LEN]) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_BODY);
    tacit_hash_add(&h, id, TACIT_HASH_LEN);
    tacit_hash_add(&h, join->channel_key, sizeof join->channel_key);
    tacit_hash_add(&h, join->mask_key, sizeof join->mask_key);
    tacit_hash_add(&h, join->commitment, sizeof join->commitment);
    tacit_hash_add(&h, join->checkpoint, sizeof join->checkpoint);
    tacit_hash_end(&h, body);
}

/* The leaf is the struct's fields in order; all are byte arrays, so the struct has no padding. */
_Static_assert(sizeof(tacit_join) ==
                   TACIT_CERT_LEN + 2 * TACIT_KEY_LEN + 2 * TACIT_HASH_LEN + TACIT_SIG_LEN,
               "a join is its bytes, in order");

void tacit_join_leaf(uint8_t leaf[static TACIT_HASH_LEN], const tacit_join *join) {
    tacit_merkle_leaf(leaf, join, sizeof *join);
}

void tacit_share_body_init(tacit_hash *h, uint32_t count) {
    tacit_hash_init(h, TACIT_LABEL_BODY);
    tacit_hash_add_u32(h, count);
}

void tacit_share_body_add(tacit_hash *h, uint32_t peer,
                          const uint8_t box_s[static TACIT_SEALED_SHARE_LEN],
                          const uint8_t box_b[static TACIT_SEALED_SHARE_LEN]) {
    tacit_hash_add_u32(h, peer);
    tacit_hash_add(h, box_s, TACIT_SEALED_SHARE_LEN);
    tacit_hash_add(h, box_b, TACIT_SEALED_SHARE_LEN);
}

void tacit_reveal_body_init(tacit_hash *h, const uint8_t u3_digest[static TACIT_HASH_LEN],
                            uint32_t count) {
    tacit_hash_init(h, TACIT_LABEL_BODY);
    tacit_hash_add(h, u3_digest, TACIT_HASH_LEN);
    tacit_hash_add_u32(h, count);
}

void tacit_reveal_body_add(tacit_hash *h, uint32_t owner, uint8_t kind,
                           const uint8_t key[static TACIT_KEY_LEN]) {
    tacit_hash_add_u32(h, owner);
    tacit_hash_add_u8(h, kind);
    tacit_hash_add(h, key, TACIT_KEY_LEN);
}

void tacit_receipt_body(uint8_t body[static TACIT_HASH_LEN],
                        const uint8_t u3_digest[static TACIT_HASH_LEN], uint32_t survivors,
                        const uint8_t sum_digest[static TACIT_HASH_LEN]) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_BODY);
    tacit_hash_add(&h, u3_digest, TACIT_HASH_LEN);
    tacit_hash_add_u32(&h, survivors);
    tacit_hash_add(&h, sum_digest, TACIT_HASH_LEN);
    tacit_hash_end(&h, body);
}

void tacit_bitmap_digest(uint8_t digest[static TACIT_HASH_LEN], const uint8_t *bitmap, uint32_t n) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_BITMAP);
    tacit_hash_add_u32(&h, n);
    tacit_hash_add(&h, bitmap, tacit_bitmap_len(n));
    tacit_hash_end(&h, digest);
}

void tacit_sum_digest(uint8_t digest[static TACIT_HASH_LEN], uint32_t survivors, uint32_t bits,
                      uint32_t dims, const uint8_t *packed, size_t len) {
    assert(bits <= 32);
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_SUM);
    tacit_hash_add_u32(&h, survivors);
    tacit_hash_add_u8(&h, (uint8_t)bits);
    tacit_hash_add_u32(&h, dims);
    tacit_hash_add(&h, packed, len);
    tacit_hash_end(&h, digest);
}

/* ---- sessions -------------------------------------------------------------------------------- */

uint32_t tacit_cohort_of(const uint8_t beacon[static TACIT_HASH_LEN], uint64_t round,
                         const uint8_t id[static TACIT_HASH_LEN], uint32_t cohort_count) {
    assert(cohort_count >= 1);
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_COHORT);
    tacit_hash_add(&h, beacon, TACIT_HASH_LEN);
    tacit_hash_add_u64(&h, round);
    tacit_hash_add(&h, id, TACIT_HASH_LEN);
    tacit_hash_end(&h, digest);
    return (uint32_t)(tacit_get_u64(digest) % cohort_count);
}

void tacit_roster_root(uint8_t root[static TACIT_HASH_LEN], uint32_t n,
                       const uint8_t ids_digest[static TACIT_HASH_LEN],
                       const uint8_t merkle_root[static TACIT_HASH_LEN]) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_ROSTER);
    tacit_hash_add_u32(&h, n);
    tacit_hash_add(&h, ids_digest, TACIT_HASH_LEN);
    tacit_hash_add(&h, merkle_root, TACIT_HASH_LEN);
    tacit_hash_end(&h, root);
}

void tacit_session(uint8_t session[static TACIT_HASH_LEN],
                   const uint8_t plan_digest[static TACIT_HASH_LEN],
                   const uint8_t model_digest[static TACIT_HASH_LEN], uint32_t cohort,
                   const uint8_t root[static TACIT_HASH_LEN], uint32_t n) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_SESSION);
    tacit_hash_add(&h, plan_digest, TACIT_HASH_LEN);
    tacit_hash_add(&h, model_digest, TACIT_HASH_LEN);
    tacit_hash_add_u32(&h, cohort);
    tacit_hash_add(&h, root, TACIT_HASH_LEN);
    tacit_hash_add_u32(&h, n);
    tacit_hash_end(&h, session);
}

void tacit_session2(uint8_t session2[static TACIT_HASH_LEN],
                    const uint8_t session[static TACIT_HASH_LEN], const uint8_t *u2, uint32_t n) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_SESSION2);
    tacit_hash_add(&h, session, TACIT_HASH_LEN);
    tacit_hash_add_u32(&h, n);
    tacit_hash_add(&h, u2, tacit_bitmap_len(n));
    tacit_hash_end(&h, session2);
}

void tacit_evidence(uint8_t out[static TACIT_HASH_LEN], const uint8_t root[static TACIT_HASH_LEN],
                    const uint8_t u2_digest[static TACIT_HASH_LEN],
                    const uint8_t u3_digest[static TACIT_HASH_LEN]) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_EVIDENCE);
    tacit_hash_add(&h, root, TACIT_HASH_LEN);
    tacit_hash_add(&h, u2_digest, TACIT_HASH_LEN);
    tacit_hash_add(&h, u3_digest, TACIT_HASH_LEN);
    tacit_hash_end(&h, out);
}

/* ---- sealed shares --------------------------------------------------------------------------- */

enum { SHARE_AD_LEN = TACIT_HASH_LEN + 4 + 4 + 1 };

/* The same session, from, to, kind stand in the key and in the associated data. */
static void make_ad(uint8_t ad[static SHARE_AD_LEN], const uint8_t *session, uint32_t from,
                    uint32_t to, uint8_t kind) {
    memcpy(ad, session, TACIT_HASH_LEN);
    tacit_put_u32(ad + TACIT_HASH_LEN, from);
    tacit_put_u32(ad + TACIT_HASH_LEN + 4, to);
    ad[TACIT_HASH_LEN + 8] = kind;
}

void tacit_share_key(uint8_t key[static TACIT_KEY_LEN],
                     const uint8_t shared_c[static TACIT_KEY_LEN],
                     const uint8_t session[static TACIT_HASH_LEN], uint32_t from, uint32_t to,
                     uint8_t kind) {
    uint8_t ad[SHARE_AD_LEN];
    make_ad(ad, session, from, to, kind);
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_SHARE_KEY);
    tacit_hash_add(&h, shared_c, TACIT_KEY_LEN);
    tacit_hash_add(&h, ad, SHARE_AD_LEN);
    tacit_hash_end(&h, key);
}

static const uint8_t zero_nonce[TACIT_NONCE_LEN];

void tacit_share_seal(uint8_t box[static TACIT_SEALED_SHARE_LEN],
                      const uint8_t share[static TACIT_SHARE_LEN],
                      const uint8_t key[static TACIT_KEY_LEN],
                      const uint8_t session[static TACIT_HASH_LEN], uint32_t from, uint32_t to,
                      uint8_t kind) {
    uint8_t ad[SHARE_AD_LEN];
    make_ad(ad, session, from, to, kind);
    tacit_seal(box, share, TACIT_SHARE_LEN, ad, sizeof ad, zero_nonce, key);
}

tacit_status tacit_share_open(uint8_t share[static TACIT_SHARE_LEN],
                              const uint8_t box[static TACIT_SEALED_SHARE_LEN],
                              const uint8_t key[static TACIT_KEY_LEN],
                              const uint8_t session[static TACIT_HASH_LEN], uint32_t from,
                              uint32_t to, uint8_t kind) {
    uint8_t ad[SHARE_AD_LEN];
    make_ad(ad, session, from, to, kind);
    tacit_status st =
        tacit_open_box(share, box, TACIT_SEALED_SHARE_LEN, ad, sizeof ad, zero_nonce, key);
    if (st == TACIT_OK && !tacit_shamir_share_check(share)) st = TACIT_BAD_SHARE;
    if (st != TACIT_OK) tacit_wipe(share, TACIT_SHARE_LEN);
    return st;
}

/* ---- poll ------------------------------------------------------------------------------------ */

void tacit_poll_body(uint8_t body[static TACIT_HASH_LEN], uint8_t phase) {
    tacit_hash_of(body, TACIT_LABEL_BODY, &phase, 1);
}
