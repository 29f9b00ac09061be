/* SPDX-License-Identifier: Apache-2.0
 * model_test.c - the model file's bytes against a vector made by other code; every rule broken in a
 * file that is properly signed; every length and every changed bit. Files are given in buffers of
 * exactly their length, so that a sanitizer sees any read beyond. Run from the root of the
 * repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "common/model.h"
#include "tests/support/format_samples.h"
#include "tests/support/named_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Offsets of the sample: M = 3, k = 2, f = 1. */
enum {
    IDS = 192,
    BIAS = IDS + 24,
    COUNTS = BIAS + 12,
    FACTORS = COUNTS + 12,
    CONTENT = FACTORS + 24,
    KINDS = CONTENT + 12,
    PADDING = KINDS + 3,
    SIGNATURE = 280,
    LEN = SIGNATURE + TACIT_SIG_LEN
};

static uint8_t key[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];

/* The caller frees. */
static uint8_t *sample_file(void) {
    uint8_t *file = malloc(LEN), digest[TACIT_HASH_LEN];
    assert_non_null(file);
    tacit_model_source s = sample_model();
    assert_int_equal(tacit_model_len(3, 2, 1), LEN);
    assert_int_equal(tacit_model_encode(file, LEN, digest, &s, secret), TACIT_OK);
    return file;
}

static void sign_again(uint8_t *file, size_t len) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_statement s;
    tacit_hash_of(digest, TACIT_LABEL_MODEL, file, len - TACIT_SIG_LEN);
    tacit_statement_digest(&s, TACIT_LABEL_MODEL, digest);
    tacit_statement_sign(file + len - TACIT_SIG_LEN, &s, secret);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void a_model_equals_the_vector(void **state) {
    (void)state;
    uint8_t *file = malloc(LEN), digest[TACIT_HASH_LEN];
    assert_non_null(file);
    memset(file, 0xAA, LEN);
    tacit_model_source s = sample_model();
    assert_int_equal(tacit_model_encode(file, LEN, digest, &s, secret), TACIT_OK);
    named_expect("transcript.txt", "model", file, LEN);
    named_expect("transcript.txt", "model_digest", digest, sizeof digest);
    free(file);
}

static void opening_gives_the_rows_back(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    tacit_model_source s = sample_model();
    tacit_model m;
    const char *what = "unset";
    memset(&m, 0xAA, sizeof m);
    assert_int_equal(tacit_model_open(&m, &what, file, LEN, key), TACIT_OK);
    assert_string_equal(what, "unset");
    assert_true(m.number == s.number && m.round == s.round && m.made_s == s.made_s);
    assert_true(m.item_count == 3 && m.factor == 2 && m.features == 1);
    assert_true(m.a0 == s.a0 && m.a0_final == s.a0_final && m.count_scale == s.count_scale);
    assert_true(m.user_ridge == s.user_ridge && m.user_ridge_final == s.user_ridge_final &&
                m.user_ridge_exponent == s.user_ridge_exponent);
    assert_memory_equal(m.catalogue, s.catalogue, sizeof m.catalogue);
    assert_memory_equal(m.plan_digest, s.plan_digest, sizeof m.plan_digest);
    assert_memory_equal(m.ids, sample_ids, sizeof sample_ids);
    assert_memory_equal(m.bias, sample_bias, sizeof sample_bias);
    assert_memory_equal(m.counts, sample_counts, sizeof sample_counts);
    assert_memory_equal(m.factors, sample_factors, sizeof sample_factors);
    assert_memory_equal(m.content, sample_content, sizeof sample_content);
    assert_memory_equal(m.kinds, sample_kinds, sizeof sample_kinds);
    named_expect("transcript.txt", "model_digest", m.digest, sizeof m.digest);
    assert_ptr_equal(m.ids, file + IDS);
    assert_ptr_equal(m.kinds, file + KINDS);
    free(file);
}

/* Without factors, without features, and with every count of items modulo the padding. */
static void shapes_round_trip(void **state) {
    (void)state;
    enum { MOST = 17 };
    uint64_t ids[MOST];
    float numbers[MOST * 4];
    uint8_t kinds[MOST], digest[TACIT_HASH_LEN];
    for (size_t i = 0; i < COUNT(numbers); i++) numbers[i] = (float)i;
    for (size_t i = 0; i < MOST; i++) ids[i] = 3 * i, kinds[i] = (uint8_t)(i % 2);
    for (uint32_t items = 1; items <= MOST; items++) {
        for (uint32_t shape = 0; shape < 9; shape++) {
            tacit_model_source s = sample_model();
            s.item_count = items, s.factor = shape % 3, s.features = shape / 3;
            s.ids = ids, s.bias = s.counts = numbers, s.kinds = kinds;
            s.factors = s.factor > 0 ? numbers : NULL;
            s.content = s.features > 0 ? numbers : NULL;
            size_t len = tacit_model_len(items, s.factor, s.features);
            size_t body = 192 + items * (17 + 4 * s.factor + 4 * s.features);
            assert_int_equal(len, (body + 7) / 8 * 8 + 64);
            uint8_t *file = malloc(len);
            assert_non_null(file);
            tacit_model m;
            assert_int_equal(tacit_model_encode(file, len - 1, digest, &s, secret), TACIT_NO_SPACE);
            assert_int_equal(tacit_model_encode(file, len, digest, &s, secret), TACIT_OK);
            assert_int_equal(tacit_model_open(&m, NULL, file, len, key), TACIT_OK);
            assert_memory_equal(m.digest, digest, sizeof digest);
            assert_memory_equal(m.kinds, kinds, items);
            if (s.features > 0)
                assert_memory_equal(m.content, numbers, sizeof(float) * items * s.features);
            free(file);
        }
    }
}

static void the_length_is_bounded(void **state) {
    (void)state;
    const uint32_t m = TACIT_MAX_ITEMS, k = TACIT_MAX_FACTOR, f = TACIT_MAX_FEATURE;
    assert_int_equal(tacit_model_len(m, k, f), 192 + (size_t)m * (17 + 4 * k + 4 * f) + 64);
    assert_int_equal(tacit_model_len(0, k, f), 0);
    assert_int_equal(tacit_model_len(m + 1, k, f), 0);
    assert_int_equal(tacit_model_len(m, k + 1, f), 0);
    assert_int_equal(tacit_model_len(m, k, f + 1), 0);
    assert_int_equal(tacit_model_len(UINT32_MAX, UINT32_MAX, UINT32_MAX), 0);
    assert_int_equal(tacit_model_len(1, 0, 0), 192 + 24 + 64);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void expect_open(const uint8_t *file, size_t len, tacit_status want, const char *sentence) {
    tacit_model m;
    const char *what = "";
    assert_int_equal(tacit_model_open(&m, &what, file, len, key), want);
    assert_int_equal(tacit_model_open(&m, NULL, file, len, key), want);
    if (what == NULL)
        fail_msg("no sentence, wanted \"%s\"", sentence);
    else if (strstr(what, sentence) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", sentence, what);
}

/* Pokes len bytes, signs properly, expects the refusal, and puts the old bytes back. */
static void poke(uint8_t *file, size_t at, const void *bytes, size_t len, const char *sentence) {
    uint8_t old[32];
    assert_true(len <= sizeof old);
    memcpy(old, file + at, len);
    memcpy(file + at, bytes, len);
    sign_again(file, LEN);
    expect_open(file, LEN, TACIT_BAD_MODEL, sentence);
    memcpy(file + at, old, len);
    sign_again(file, LEN);
}

static void poke_u64(uint8_t *file, size_t at, uint64_t v, const char *sentence) {
    uint8_t b[8];
    tacit_put_u64(b, v);
    poke(file, at, b, sizeof b, sentence);
}

static void poke_u32(uint8_t *file, size_t at, uint32_t v, const char *sentence) {
    uint8_t b[4];
    tacit_put_u32(b, v);
    poke(file, at, b, sizeof b, sentence);
}

static void poke_f64(uint8_t *file, size_t at, double v, const char *sentence) {
    uint8_t b[8];
    tacit_put_f64(b, v);
    poke(file, at, b, sizeof b, sentence);
}

static void header_rules(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    for (size_t at = 0; at < 8; at++) poke(file, at, "x", 1, "not a model file");
    poke_u64(file, 8, 0, "number or round");
    poke_u64(file, 8, UINT64_MAX, "number or round");
    poke_u64(file, 16, (uint64_t)INT64_MAX + 1, "number or round");
    poke_u64(file, 24, (UINT64_C(1) << 40) + 1, "made_s");
    poke_u32(file, 32, 0, "shape");
    poke_u32(file, 32, 4, "length");
    poke_u32(file, 32, 2, "length");
    poke_u32(file, 32, TACIT_MAX_ITEMS + 1, "shape");
    poke_u32(file, 36, TACIT_MAX_FACTOR + 1, "shape");
    poke_u32(file, 36, UINT32_MAX, "shape");
    poke_u32(file, 36, 1, "length");
    poke_u32(file, 40, TACIT_MAX_FEATURE + 1, "shape");
    poke_u32(file, 40, 2, "length");
    for (size_t at = 44; at < 48; at++) poke(file, at, "\1", 1, "reserved");
    for (size_t at = 160; at < 192; at++) poke(file, at, "\x80", 1, "reserved");
    for (size_t at = PADDING; at < SIGNATURE; at++) poke(file, at, "\1", 1, "padding");
    expect_open(file, LEN, TACIT_OK, "");
    free(file);
}

static void header_numbers_keep_their_ranges(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        double lo, hi;
        bool lo_open;
    } rows[] = {{"a0 ", 48, 0, 100, true},
                {"a0_final", 56, 0, 100, true},
                {"user_ridge ", 64, 0, 1e4, true},
                {"user_ridge_final", 72, 0, 1e4, true},
                {"user_ridge_exponent", 80, 0, 2, false},
                {"count_scale", 152, 0, 1e6, false}};
    const double never[] = {NAN, -NAN, INFINITY, -INFINITY, -0.0, -1.0, 1e300};
    uint8_t *file = sample_file();
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < COUNT(never); k++)
            poke_f64(file, rows[i].at, never[k], rows[i].name);
        poke_f64(file, rows[i].at, nextafter(rows[i].hi, INFINITY), rows[i].name);
        if (rows[i].lo_open) poke_f64(file, rows[i].at, 0, rows[i].name);
        tacit_put_f64(file + rows[i].at, rows[i].lo_open ? DBL_MIN : rows[i].lo);
        sign_again(file, LEN);
        expect_open(file, LEN, TACIT_OK, "");
        tacit_put_f64(file + rows[i].at, rows[i].hi);
        sign_again(file, LEN);
        expect_open(file, LEN, TACIT_OK, "");
    }
    free(file);
}

static void row_numbers_keep_their_bound(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t at, count;
        float lo;
    } rows[] = {{"bias", BIAS, 3, -TACIT_MODEL_MAX_VALUE},
                {"count", COUNTS, 3, 0},
                {"factor", FACTORS, 6, -TACIT_MODEL_MAX_VALUE},
                {"content", CONTENT, 3, -TACIT_MODEL_MAX_VALUE}};
    uint8_t *file = sample_file();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const float wrong[] = {NAN,
                               -NAN,
                               INFINITY,
                               -INFINITY,
                               nextafterf(TACIT_MODEL_MAX_VALUE, INFINITY),
                               nextafterf(rows[i].lo, -INFINITY)};
        for (size_t k = 0; k < rows[i].count; k++) {
            size_t at = rows[i].at + 4 * k;
            for (size_t w = 0; w < COUNT(wrong); w++)
                poke(file, at, &wrong[w], sizeof wrong[w], rows[i].name);
            const float most = TACIT_MODEL_MAX_VALUE;
            memcpy(file + at, k % 2 == 0 ? &rows[i].lo : &most, sizeof most);
        }
        sign_again(file, LEN);
        expect_open(file, LEN, TACIT_OK, "");
    }
    free(file);
}

static void ids_ascend_and_kinds_are_known(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    poke_u64(file, IDS, 12, "ascend");
    poke_u64(file, IDS, 13, "ascend");
    poke_u64(file, IDS + 8, 11, "ascend");
    poke_u64(file, IDS + 16, 12, "ascend");
    poke_u64(file, IDS + 16, 0, "ascend");
    for (size_t i = 0; i < 3; i++) {
        poke(file, KINDS + i, "\2", 1, "kind");
        poke(file, KINDS + i, "\xff", 1, "kind");
    }
    expect_open(file, LEN, TACIT_OK, "");
    free(file);
}

static void every_other_length_is_refused(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    for (size_t len = 0; len < LEN + 80; len++) {
        if (len == LEN) continue;
        uint8_t *cut = malloc(len > 0 ? len : 1);
        assert_non_null(cut);
        memset(cut, 0, len);
        memcpy(cut, file, len < LEN ? len : LEN);
        if (len > TACIT_SIG_LEN) sign_again(cut, len);
        expect_open(cut, len, TACIT_BAD_MODEL, "");
        free(cut);
    }
    free(file);
}

static void every_changed_bit_is_refused(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    for (size_t bit = 0; bit < 8 * LEN; bit++) {
        tacit_model m;
        file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        tacit_status st = tacit_model_open(&m, NULL, file, LEN, key);
        assert_true(st == TACIT_BAD_MODEL || st == TACIT_BAD_SIGNATURE);
        if (bit / 8 >= SIGNATURE) assert_int_equal(st, TACIT_BAD_SIGNATURE);
        file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    expect_open(file, LEN, TACIT_OK, "");
    key[0] ^= 1;
    expect_open(file, LEN, TACIT_BAD_SIGNATURE, "pinned key");
    key[0] ^= 1;
    free(file);
}

static void an_unaligned_file_is_refused(void **state) {
    (void)state;
    uint8_t *file = sample_file();
    uint8_t *room = malloc(LEN + 8), digest[TACIT_HASH_LEN];
    assert_non_null(room);
    tacit_model_source s = sample_model();
    for (size_t shift = 1; shift < 8; shift++) {
        memcpy(room + shift, file, LEN);
        expect_open(room + shift, LEN, TACIT_INVALID_ARGUMENT, "");
        assert_int_equal(tacit_model_encode(room + shift, LEN, digest, &s, secret),
                         TACIT_INVALID_ARGUMENT);
    }
    free(room);
    free(file);
}

/* The writer keeps the reader's rules: nothing is signed that would not open. */
static void a_writer_cannot_break_the_rules(void **state) {
    (void)state;
    static const float nan3[3] = {0, NAN, 0}, negative3[3] = {0, -1, 0};
    static const uint64_t unsorted[3] = {1, 3, 2}, repeated[3] = {1, 1, 2};
    static const uint8_t kinds[3] = {0, 2, 0};
    tacit_model_source s[12];
    for (size_t i = 0; i < COUNT(s); i++) s[i] = sample_model();
    s[0].bias = nan3, s[1].counts = negative3, s[2].content = nan3, s[3].ids = unsorted;
    s[4].ids = repeated, s[5].kinds = kinds, s[6].number = 0, s[7].a0 = NAN;
    s[8].user_ridge = 0, s[9].item_count = 0, s[10].factor = TACIT_MAX_FACTOR + 1;
    s[11].made_s = UINT64_MAX;
    uint8_t *file = malloc(LEN), digest[TACIT_HASH_LEN];
    assert_non_null(file);
    for (size_t i = 0; i < COUNT(s); i++) {
        memset(file, 0, LEN);
        assert_int_equal(tacit_model_encode(file, LEN, digest, &s[i], secret), TACIT_BAD_MODEL);
        tacit_model m;
        assert_int_equal(tacit_model_open(&m, NULL, file, LEN, key), TACIT_BAD_MODEL);
    }
    free(file);
}

/* ---- finding --------------------------------------------------------------------------------- */

static void every_id_is_found_and_no_other(void **state) {
    (void)state;
    enum { ITEMS = 100 };
    uint64_t ids[ITEMS];
    tacit_model m = {.ids = ids};
    for (size_t i = 0; i < ITEMS; i++) ids[i] = 10 + 3 * i;
    for (uint32_t items = 1; items <= ITEMS; items++) {
        m.item_count = items;
        for (uint64_t id = 0; id < 10 + 3 * ITEMS; id++) {
            uint32_t index = 12345;
            bool there = id >= 10 && (id - 10) % 3 == 0 && (id - 10) / 3 < items;
            assert_int_equal(tacit_model_find(&m, &index, id), there ? TACIT_OK : TACIT_NOT_FOUND);
            assert_int_equal(index, there ? (id - 10) / 3 : 12345);
        }
        uint32_t index;
        assert_int_equal(tacit_model_find(&m, &index, UINT64_MAX), TACIT_NOT_FOUND);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_equals_the_vector),
        cmocka_unit_test(opening_gives_the_rows_back),
        cmocka_unit_test(shapes_round_trip),
        cmocka_unit_test(the_length_is_bounded),
        cmocka_unit_test(header_rules),
        cmocka_unit_test(header_numbers_keep_their_ranges),
        cmocka_unit_test(row_numbers_keep_their_bound),
        cmocka_unit_test(ids_ascend_and_kinds_are_known),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(an_unaligned_file_is_refused),
        cmocka_unit_test(a_writer_cannot_break_the_rules),
        cmocka_unit_test(every_id_is_found_and_no_other),
    };
    if (tacit_crypto_init() != TACIT_OK) return 1;
    sample_keys(key, secret);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
