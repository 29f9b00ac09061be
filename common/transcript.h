/* SPDX-License-Identifier: Apache-2.0
 * transcript.h - what is hashed and what is signed in the protocol, in one place (security H2, H3).
 *
 * A statement is the byte string under a signature:
 *     len(label) u8 | label | context | cohort u32 | who | body[32]
 * with context = plan digest | model digest (join), session (share) or session2 (mask, agree,
 * reveal), who = id (join) or roster index u32 (all others), and body the digest of the message's
 * content given by the *_body functions. The server's answers use the *_ANSWER labels and name the
 * receiver in `who`. A verifier builds the statement from its own values, never from the peer's. */
#ifndef TACIT_COMMON_TRANSCRIPT_H
#define TACIT_COMMON_TRANSCRIPT_H

#include "common/base.h"
#include "common/crypto.h"

enum { TACIT_STATEMENT_MAX = 1 + 32 + 2 * TACIT_HASH_LEN + 4 + TACIT_HASH_LEN + TACIT_HASH_LEN };

typedef struct {
    uint8_t bytes[TACIT_STATEMENT_MAX];
    size_t len;
} tacit_statement;

/* Short statement for plan, model, certificate: len(label) | label | digest. */
void tacit_statement_digest(tacit_statement *s, tacit_label label,
                            const uint8_t digest[static TACIT_HASH_LEN]);
/* Join, its poll and its answer. */
void tacit_statement_join(tacit_statement *s, tacit_label label,
                          const uint8_t plan_digest[static TACIT_HASH_LEN],
                          const uint8_t model_digest[static TACIT_HASH_LEN], uint32_t cohort,
                          const uint8_t id[static TACIT_HASH_LEN],
                          const uint8_t body[static TACIT_HASH_LEN]);
/* All later phases and their answers; `session` is session or session2 as the table above says. */
void tacit_statement_phase(tacit_statement *s, tacit_label label,
                           const uint8_t session[static TACIT_HASH_LEN], uint32_t cohort,
                           uint32_t index, const uint8_t body[static TACIT_HASH_LEN]);

void tacit_statement_sign(uint8_t sig[static TACIT_SIG_LEN], const tacit_statement *s,
                          const uint8_t secret[static TACIT_SIGN_SECRET_LEN]);
TACIT_MUST_CHECK tacit_status tacit_statement_verify(const uint8_t sig[static TACIT_SIG_LEN],
                                                     const tacit_statement *s,
                                                     const uint8_t key[static TACIT_KEY_LEN]);

/* ---- Bodies -----------------------------------------------------------------------------------
 */
/* What a device says in join; also the content of its Merkle leaf. */
typedef struct {
    uint8_t certificate[TACIT_CERT_LEN];
    uint8_t channel_key[TACIT_KEY_LEN]; /* pk_c */
    uint8_t mask_key[TACIT_KEY_LEN];    /* pk_s */
    uint8_t commitment[TACIT_HASH_LEN]; /* H(b) */
    uint8_t checkpoint[TACIT_HASH_LEN];
    uint8_t signature[TACIT_SIG_LEN];
} tacit_join;

/* BODY hash over id, pk_c, pk_s, H(b), checkpoint. */
void tacit_join_body(uint8_t body[static TACIT_HASH_LEN], const tacit_join *join,
                     const uint8_t id[static TACIT_HASH_LEN]);
/* Merkle leaf hash over certificate | pk_c | pk_s | H(b) | checkpoint | signature. */
void tacit_join_leaf(uint8_t leaf[static TACIT_HASH_LEN], const tacit_join *join);

/* Share body, piece by piece: init, one add per sealed pair in roster order, end (tacit_hash_end).
 */
void tacit_share_body_init(tacit_hash *h, uint32_t count);
void tacit_share_body_add(tacit_hash *h, uint32_t peer,
                          const uint8_t box_s[static TACIT_SEALED_SHARE_LEN],
                          const uint8_t box_b[static TACIT_SEALED_SHARE_LEN]);
/* Mask body H(y): VECTOR hash of the packed masked vector; use tacit_hash_of(VECTOR). */
/* Agree body: digest of U3. Reveal body: init with U3's digest, one add per share key, end. */
void tacit_reveal_body_init(tacit_hash *h, const uint8_t u3_digest[static TACIT_HASH_LEN],
                            uint32_t count);
void tacit_reveal_body_add(tacit_hash *h, uint32_t owner, uint8_t kind,
                           const uint8_t key[static TACIT_KEY_LEN]);
/* Receipt body: BODY hash over U3's digest, survivors u32, sum digest. */
void tacit_receipt_body(uint8_t body[static TACIT_HASH_LEN],
                        const uint8_t u3_digest[static TACIT_HASH_LEN], uint32_t survivors,
                        const uint8_t sum_digest[static TACIT_HASH_LEN]);
/* BITMAP hash over n u32 and the bitmap: body of agree, of the share and mask answers, of the agree
 * answer (U3). */
void tacit_bitmap_digest(uint8_t digest[static TACIT_HASH_LEN], const uint8_t *bitmap, uint32_t n);
/* SUM hash over n_survivors u32, bits u8, dims u32 and the packed sum. */
void tacit_sum_digest(uint8_t digest[static TACIT_HASH_LEN], uint32_t survivors, uint32_t bits,
                      uint32_t dims, const uint8_t *packed, size_t len);

/* ---- Sessions
 * ----------------------------------------------------------------------------------*/
/* Cohort of an id: first 8 bytes, little-endian, of H('tacit/cohort', beacon, round u64, id) mod C
 * (security C2). */
uint32_t tacit_cohort_of(const uint8_t beacon[static TACIT_HASH_LEN], uint64_t round,
                         const uint8_t id[static TACIT_HASH_LEN], uint32_t cohort_count);
/* root = H('tacit/roster/v1', n u32, ids digest, Merkle root); the ids digest is the ROSTER_IDS
 * hash over the sorted ids. */
void tacit_roster_root(uint8_t root[static TACIT_HASH_LEN], uint32_t n,
                       const uint8_t ids_digest[static TACIT_HASH_LEN],
                       const uint8_t merkle_root[static TACIT_HASH_LEN]);
/* session = H('tacit/session/v1', plan digest, model digest, cohort u32, root, n u32). */
void tacit_session(uint8_t session[static TACIT_HASH_LEN],
                   const uint8_t plan_digest[static TACIT_HASH_LEN],
                   const uint8_t model_digest[static TACIT_HASH_LEN], uint32_t cohort,
                   const uint8_t root[static TACIT_HASH_LEN], uint32_t n);
/* session2 = H('tacit/session2/v1', session, n u32, U2 bitmap). */
void tacit_session2(uint8_t session2[static TACIT_HASH_LEN],
                    const uint8_t session[static TACIT_HASH_LEN], const uint8_t *u2, uint32_t n);
/* Evidence a device keeps before agree: H('tacit/evidence/v1', root, U2 digest, U3 digest) (C4). */
void tacit_evidence(uint8_t out[static TACIT_HASH_LEN], const uint8_t root[static TACIT_HASH_LEN],
                    const uint8_t u2_digest[static TACIT_HASH_LEN],
                    const uint8_t u3_digest[static TACIT_HASH_LEN]);

/* ---- Sealed shares (H3)
 * ------------------------------------------------------------------------*/
enum { TACIT_KIND_B = 0, TACIT_KIND_S = 1 };

/* The key of one box: BLAKE2b-256('tacit/share/v1', DH_c, session, from u32, to u32, kind u8), DH_c
 * the X25519 secret of both channel keys. One key per direction and kind: giving it away opens that
 * one share and nothing else, which is how shares are revealed and liars named (M2). */
void tacit_share_key(uint8_t key[static TACIT_KEY_LEN],
                     const uint8_t shared_c[static TACIT_KEY_LEN],
                     const uint8_t session[static TACIT_HASH_LEN], uint32_t from, uint32_t to,
                     uint8_t kind);

/* XChaCha20-Poly1305 under that key, used once, so the nonce is zero. Associated data = session,
 * from, to, kind. */
void tacit_share_seal(uint8_t box[static TACIT_SEALED_SHARE_LEN],
                      const uint8_t share[static TACIT_SHARE_LEN],
                      const uint8_t key[static TACIT_KEY_LEN],
                      const uint8_t session[static TACIT_HASH_LEN], uint32_t from, uint32_t to,
                      uint8_t kind);
/* CORRUPT when it does not open under this key; BAD_SHARE when it opens and the share inside is not
 * canonical, which is the dealer's doing. */
TACIT_MUST_CHECK tacit_status tacit_share_open(uint8_t share[static TACIT_SHARE_LEN],
                                               const uint8_t box[static TACIT_SEALED_SHARE_LEN],
                                               const uint8_t key[static TACIT_KEY_LEN],
                                               const uint8_t session[static TACIT_HASH_LEN],
                                               uint32_t from, uint32_t to, uint8_t kind);

/* ---- Poll --------------------------------------------------------------------------------------
 */
/* After a 202 the device GETs the same URL with the header "Tacit-Poll: <hex>" of
 * who_len u8 (4 or 32) | who | signature over the statement of the phase (join: the join statement)
 * with label POLL and body = BODY hash of the phase number u8 (0 join .. 4 reveal). */
enum { TACIT_POLL_MAX = 1 + TACIT_HASH_LEN + TACIT_SIG_LEN };
void tacit_poll_body(uint8_t body[static TACIT_HASH_LEN], uint8_t phase);

#endif
