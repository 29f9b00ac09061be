/* SPDX-License-Identifier: Apache-2.0
 * mask_test.c - mask keys and words against tests/vectors/mask.txt, cancelling, and that each field
 * of a key matters (security H3). Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/mask.h"
#include "common/prng.h"
#include "common/ring.h"
#include "tests/support/vectors.h"

static const uint32_t widths[] = {16, 20, 24, 32};

/* ---- vectors --------------------------------------------------------------------------------- */

static void check_pair(FILE *f) {
    uint8_t shared[32], session2[32], id_a[32], id_b[32], pk_a[32], pk_b[32], want[32], got[32];
    uint8_t *const fields[] = {shared, session2, id_a, id_b, pk_a, pk_b};
    for (size_t i = 0; i < 6; i++) vectors_hex(f, fields[i], 32);
    uint32_t bits = (uint32_t)vectors_u64(f), dims = (uint32_t)vectors_u64(f);
    vectors_hex(f, want, 32);
    tacit_mask_pair_key(got, shared, session2, id_a, id_b, pk_a, pk_b, bits, dims);
    assert_memory_equal(got, want, 32);
    tacit_mask_pair_key(got, shared, session2, id_b, id_a, pk_b, pk_a, bits, dims);
    assert_memory_equal(got, want, 32);
}

static void check_self(FILE *f) {
    uint8_t b[TACIT_SECRET_LEN], session2[32], id[32], want[32], got[32];
    vectors_hex(f, b, sizeof b);
    vectors_hex(f, session2, 32);
    vectors_hex(f, id, 32);
    vectors_hex(f, want, 32);
    tacit_mask_self_key(got, b, session2, id);
    assert_memory_equal(got, want, 32);
}

static void check_secret(FILE *f) {
    uint8_t s[TACIT_SECRET_LEN], sk[32], commitment[32], got[32];
    vectors_hex(f, s, sizeof s);
    vectors_hex(f, sk, 32);
    vectors_hex(f, commitment, 32);
    tacit_mask_secret_key(got, s);
    assert_memory_equal(got, sk, 32);
    tacit_mask_commit(got, s);
    assert_memory_equal(got, commitment, 32);
}

static void check_words(FILE *f) {
    uint8_t key[32];
    uint32_t got[64] = {0}, want[64];
    vectors_hex(f, key, 32);
    uint32_t bits = (uint32_t)vectors_u64(f);
    size_t first = (size_t)vectors_u64(f), count = (size_t)vectors_u64(f);
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) want[i] = (uint32_t)vectors_u64(f);
    tacit_mask_apply(got, first, count, bits, key, false);
    assert_memory_equal(got, want, 4 * count);
}

static void vectors(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*check)(FILE *);
        int lines;
    } kinds[] = {{"pair", check_pair, 4},
                 {"self", check_self, 3},
                 {"secret", check_secret, 3},
                 {"words", check_words, 12}};
    int seen[4] = {0};
    char word[VECTORS_WORD];
    FILE *f = vectors_open("mask.txt");
    while (vectors_word(f, word)) {
        size_t k = 0;
        while (k < 4 && strcmp(word, kinds[k].name) != 0) k++;
        if (k < 4) {
            kinds[k].check(f);
            seen[k]++;
        } else {
            vectors_skip_line(f);
        }
    }
    fclose(f);
    for (size_t k = 0; k < 4; k++) assert_int_equal(seen[k], kinds[k].lines);
}

/* ---- the keystream --------------------------------------------------------------------------- */

enum { LONG = 11000 };

/* The whole mask from one long keystream, unpacked at once. */
static void apply_slowly(uint32_t *words, size_t count, uint32_t bits, const uint8_t key[32],
                         bool subtract) {
    static const uint8_t nonce[12] = {0};
    static uint8_t stream[4 * LONG];
    static uint32_t mask[LONG];
    tacit_chacha20(stream, sizeof stream, key, nonce, 0);
    tacit_ring_unpack(mask, stream, count, bits);
    for (size_t i = 0; i < count; i++) words[i] += subtract ? 0 - mask[i] : mask[i];
}

static void any_range_alone(void **state) {
    (void)state;
    static uint32_t want[LONG], got[LONG], start[LONG];
    static const size_t firsts[] = {0, 512, 1024, 2048, 4096, 5120, 10240};
    static const size_t counts[] = {0, 2, 14, 510, 512, 514, 2048, 4096, 4098, 8190, 10998};
    uint8_t key[32];
    tacit_prng p;
    tacit_prng_init_seed(&p, 7, 0);
    tacit_prng_bytes(&p, key, sizeof key);
    for (size_t i = 0; i < LONG; i++) start[i] = tacit_prng_u32(&p);
    for (size_t w = 0; w < 4; w++)
        for (int subtract = 0; subtract < 2; subtract++) {
            memcpy(want, start, sizeof want);
            apply_slowly(want, LONG, widths[w], key, subtract);
            for (size_t a = 0; a < sizeof firsts / sizeof firsts[0]; a++)
                for (size_t b = 0; b < sizeof counts / sizeof counts[0]; b++) {
                    size_t first = firsts[a], count = counts[b];
                    if (first + count > LONG) continue;
                    memcpy(got, start, sizeof got);
                    tacit_mask_apply(got + first, first, count, widths[w], key, subtract);
                    assert_memory_equal(got + first, want + first, 4 * count);
                    assert_memory_equal(got, start, 4 * first);
                    assert_memory_equal(got + first + count, start + first + count,
                                        4 * (LONG - first - count));
                }
        }
}

static void odd_counts(void **state) {
    (void)state;
    uint32_t want[40] = {0}, got[40] = {0};
    static const uint8_t key[32] = {9};
    static const uint32_t bits[] = {16, 24, 32};
    for (size_t w = 0; w < 3; w++) {
        memset(want, 0, sizeof want);
        apply_slowly(want, 40, bits[w], key, false);
        for (size_t count = 0; count < 40; count++) {
            memset(got, 0, sizeof got);
            tacit_mask_apply(got, 0, count, bits[w], key, false);
            assert_memory_equal(got, want, 4 * count);
            for (size_t i = count; i < 40; i++) assert_int_equal(got[i], 0);
        }
    }
}

static void adding_and_removing(void **state) {
    (void)state;
    static uint32_t words[5000], start[5000];
    static const uint8_t key[32] = {1, 2, 3};
    for (size_t i = 0; i < 5000; i++) start[i] = (uint32_t)(i * 2654435761u);
    for (size_t w = 0; w < 4; w++) {
        memcpy(words, start, sizeof words);
        tacit_mask_apply(words, 0, 5000, widths[w], key, false);
        size_t same = 0;
        for (size_t i = 0; i < 5000; i++) {
            same += words[i] == start[i];
            assert_true((uint64_t)(uint32_t)(words[i] - start[i]) < UINT64_C(1) << widths[w]);
        }
        assert_true(same < 10);
        tacit_mask_apply(words, 0, 5000, widths[w], key, true);
        assert_memory_equal(words, start, sizeof words);
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Three devices mask; the pair masks leave nothing but the three self masks in the sum. */
static void pair_masks_cancel(void **state) {
    (void)state;
    enum { N = 3, DIMS = 2048, BITS = 20 };
    static uint32_t sum[DIMS], expected[DIMS];
    uint8_t id[N][32], sk[N][32], pk[N][32], b[N][TACIT_SECRET_LEN], shared[32], key[32];
    static const uint8_t session2[32] = {5};
    tacit_prng p;
    tacit_prng_init_seed(&p, 11, 0);
    for (size_t i = 0; i < N; i++) {
        tacit_prng_bytes(&p, id[i], 32);
        tacit_prng_bytes(&p, b[i], TACIT_SECRET_LEN);
        tacit_mask_secret_key(sk[i], b[i]);
        tacit_x25519_public(pk[i], sk[i]);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            if (i == j) continue;
            assert_int_equal(tacit_x25519(shared, sk[i], pk[j]), TACIT_OK);
            tacit_mask_pair_key(key, shared, session2, id[i], id[j], pk[i], pk[j], BITS, DIMS);
            tacit_mask_apply(sum, 0, DIMS, BITS, key, !tacit_mask_adds(id[i], id[j]));
        }
        tacit_mask_self_key(key, b[i], session2, id[i]);
        tacit_mask_apply(sum, 0, DIMS, BITS, key, false);
        tacit_mask_apply(expected, 0, DIMS, BITS, key, false);
    }
    assert_memory_equal(sum, expected, sizeof sum);
}

static void every_field_counts(void **state) {
    (void)state;
    uint8_t f[6][32], base[32], other[32];
    for (size_t i = 0; i < 6; i++) memset(f[i], (int)i + 1, 32);
    tacit_mask_pair_key(base, f[0], f[1], f[2], f[3], f[4], f[5], 24, 4096);
    for (size_t i = 0; i < 6; i++)
        for (size_t at = 0; at < 32; at += 31) {
            f[i][at] ^= 0x80;
            tacit_mask_pair_key(other, f[0], f[1], f[2], f[3], f[4], f[5], 24, 4096);
            assert_memory_not_equal(other, base, 32);
            f[i][at] ^= 0x80;
        }
    tacit_mask_pair_key(other, f[0], f[1], f[2], f[3], f[4], f[5], 20, 4096);
    assert_memory_not_equal(other, base, 32);
    tacit_mask_pair_key(other, f[0], f[1], f[2], f[3], f[4], f[5], 24, 8192);
    assert_memory_not_equal(other, base, 32);
    /* The same ids with the keys the other way round: a copied key does not copy the keystream. */
    tacit_mask_pair_key(other, f[0], f[1], f[2], f[3], f[5], f[4], 24, 4096);
    assert_memory_not_equal(other, base, 32);
    tacit_mask_self_key(base, f[0], f[1], f[2]);
    for (size_t i = 0; i < 3; i++) {
        f[i][30] ^= 1;
        tacit_mask_self_key(other, f[0], f[1], f[2]);
        assert_memory_not_equal(other, base, 32);
        f[i][30] ^= 1;
    }
}

/* Ids are compared as unsigned bytes, first byte first. */
static void who_adds(void **state) {
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_false(tacit_mask_adds(a, b));
    b[31] = 1;
    assert_true(tacit_mask_adds(a, b));
    assert_false(tacit_mask_adds(b, a));
    a[0] = 0x80;
    b[0] = 0x7f;
    assert_true(tacit_mask_adds(b, a));
    assert_false(tacit_mask_adds(a, b));
}

static int prepare(void **state) {
    (void)state;
    return tacit_crypto_init() == TACIT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),           cmocka_unit_test(any_range_alone),
        cmocka_unit_test(odd_counts),        cmocka_unit_test(adding_and_removing),
        cmocka_unit_test(pair_masks_cancel), cmocka_unit_test(every_field_counts),
        cmocka_unit_test(who_adds),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
