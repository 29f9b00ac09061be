/* SPDX-License-Identifier: Apache-2.0
 * model.h - the signed, immutable model file: layout, checks, zero-copy rows.
 *
 * The file is read in place (mapped or in memory), 8-byte aligned, little-endian, IEEE floats. Rows
 * stand in ascending order of item id; a row's place is the item's index everywhere else.
 *
 *   OFFSET SIZE  model file
 *        0    8  magic "TACITMF1"
 *        8    8  number (1 = content only, grows by one per published model)
 *       16    8  round that made it (0: none)
 *       24    8  made_s, Unix seconds
 *       32    4  item_count M       36    4  factor k        40    4  features f     44    4  zero
 *       48    8  a0 (training)      56    8  a0_final        64    8  user_ridge
 *       72    8  user_ridge_final   80    8  user_ridge_exponent
 *       88   32  catalogue digest  120   32  plan digest that made it (zeros: none)
 *      152    8  count_scale: cohort weight W (public, from the sum)     160   32  zero
 *      192    .  ids      u64 [M]
 *        .    .  bias     f32 [M]            b
 *        .    .  counts   f32 [M]            c, the denoised popularity
 *        .    .  factors  f32 [M x k]        V
 *        .    .  content  f32 [M x f]        X, appended public features, scaled
 *        .    .  kinds    u8 [M]             0 product, 1 offer; then zero padding to 8 bytes
 *      end   64  Ed25519 signature of the model key over the statement (MODEL, digest)
 */
#ifndef TACIT_COMMON_MODEL_H
#define TACIT_COMMON_MODEL_H

#include "common/base.h"

enum { TACIT_MODEL_HEADER_LEN = 192 };

typedef struct {
    uint64_t number, round, made_s;
    uint32_t item_count, factor, features;
    double a0, a0_final, user_ridge, user_ridge_final, user_ridge_exponent;
    double count_scale;
    uint8_t catalogue[TACIT_HASH_LEN];
    uint8_t plan_digest[TACIT_HASH_LEN];
    /* Views into the file; valid as long as the bytes are. */
    const uint64_t *ids; /* ascending; use tacit_model_id on big-endian hosts */
    const float *bias, *counts, *factors, *content;
    const uint8_t *kinds;
    uint8_t
        digest[TACIT_HASH_LEN]; /* BLAKE2b-256('tacit/model/v1', all bytes before the signature) */
} tacit_model;

/* Largest absolute value any number of a model may have (H4). */
#define TACIT_MODEL_MAX_VALUE 1e6f

/* File length for the given shape, signature included; 0 when a bound is exceeded. */
size_t tacit_model_len(uint32_t item_count, uint32_t factor, uint32_t features);

/* Opens a file in memory: shape, exact length, finite and bounded numbers, ids strictly ascending,
 * zeros where the layout says so, then digest and signature under model_key. `data` must be 8-byte
 * aligned and outlive `model`. BAD_MODEL, or BAD_SIGNATURE; *what (may be NULL): static sentence.
 */
TACIT_MUST_CHECK tacit_status tacit_model_open(tacit_model *model, const char **what,
                                               const uint8_t *data, size_t len,
                                               const uint8_t model_key[static TACIT_KEY_LEN]);

/* What a writer fills in. Arrays as in the layout; content may be NULL when features is 0, factors
 * when factor is 0. */
typedef struct {
    uint64_t number, round, made_s;
    uint32_t item_count, factor, features;
    double a0, a0_final, user_ridge, user_ridge_final, user_ridge_exponent, count_scale;
    uint8_t catalogue[TACIT_HASH_LEN];
    uint8_t plan_digest[TACIT_HASH_LEN];
    const uint64_t *ids;
    const float *bias, *counts, *factors, *content;
    const uint8_t *kinds;
} tacit_model_source;

/* Encodes and signs into out[tacit_model_len(...)]; digest receives the file's digest. BAD_MODEL
 * when the source breaks a rule of tacit_model_open, NO_SPACE when cap is too small. */
TACIT_MUST_CHECK tacit_status tacit_model_encode(
    uint8_t *out, size_t cap, uint8_t digest[static TACIT_HASH_LEN],
    const tacit_model_source *source, const uint8_t secret[static TACIT_SIGN_SECRET_LEN]);

/* Index of an item id by binary search; NOT_FOUND. */
TACIT_MUST_CHECK tacit_status tacit_model_find(const tacit_model *model, uint32_t *index,
                                               uint64_t id);

#endif
