/* SPDX-License-Identifier: Apache-2.0
 * model_fuzz.c - any bytes as a model file. As they come, only a file we signed may open. The last
 * 64 bytes are then replaced by a good signature, so that the checks before it are reached: what
 * opens must be the very file the writer makes of its rows, and every id must be found. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "tests/support/format_samples.h"

static uint8_t key[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];

static void sign_again(uint8_t *file, size_t len) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_statement s;
    tacit_hash_of(digest, TACIT_LABEL_MODEL, file, len - TACIT_SIG_LEN);
    tacit_statement_digest(&s, TACIT_LABEL_MODEL, digest);
    tacit_statement_sign(file + len - TACIT_SIG_LEN, &s, secret);
}

static void check_rows(const tacit_model *m, const uint8_t *file, size_t size) {
    tacit_model_source s = {.number = m->number,
                            .round = m->round,
                            .made_s = m->made_s,
                            .item_count = m->item_count,
                            .factor = m->factor,
                            .features = m->features,
                            .a0 = m->a0,
                            .a0_final = m->a0_final,
                            .user_ridge = m->user_ridge,
                            .user_ridge_final = m->user_ridge_final,
                            .user_ridge_exponent = m->user_ridge_exponent,
                            .count_scale = m->count_scale,
                            .ids = m->ids,
                            .bias = m->bias,
                            .counts = m->counts,
                            .factors = m->factors,
                            .content = m->content,
                            .kinds = m->kinds};
    uint8_t digest[TACIT_HASH_LEN], *again = malloc(size);
    if (again == NULL) abort();
    memcpy(s.catalogue, m->catalogue, sizeof s.catalogue);
    memcpy(s.plan_digest, m->plan_digest, sizeof s.plan_digest);
    REQUIRE(tacit_model_encode(again, size, digest, &s, secret) == TACIT_OK);
    REQUIRE(memcmp(again, file, size) == 0 && memcmp(digest, m->digest, sizeof digest) == 0);
    free(again);
    for (uint32_t i = 0; i < m->item_count; i++) {
        uint32_t index;
        REQUIRE(m->counts[i] >= 0 && m->bias[i] <= TACIT_MODEL_MAX_VALUE && m->kinds[i] <= 1);
        REQUIRE(tacit_model_find(m, &index, m->ids[i]) == TACIT_OK && index == i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (tacit_crypto_init() != TACIT_OK) abort();
    sample_keys(key, secret);
    uint8_t *file = malloc(size > 0 ? size : 1);
    if (file == NULL) abort();
    if (size > 0) memcpy(file, data, size);
    tacit_model model;
    const char *what = NULL;
    tacit_status first = tacit_model_open(&model, &what, file, size, key);
    REQUIRE((first == TACIT_OK) == (what == NULL));
    if (size >= TACIT_SIG_LEN) sign_again(file, size);
    tacit_status second = tacit_model_open(&model, NULL, file, size, key);
    REQUIRE(second == TACIT_OK || second == TACIT_BAD_MODEL);
    REQUIRE((first == TACIT_BAD_MODEL) == (second == TACIT_BAD_MODEL));
    if (first == TACIT_OK) REQUIRE(memcmp(file, data, size) == 0);
    if (second == TACIT_OK) check_rows(&model, file, size);
    free(file);
    return 0;
}
