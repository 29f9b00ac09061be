/* SPDX-License-Identifier: Apache-2.0
 * prng_test.c - the stream is ChaCha20's keystream whatever is read from it and wherever the buffer
 * ends; bounded draws reject exactly what they must. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "common/crypto.h"
#include "common/prng.h"
#include "tests/support/vectors.h"

enum { LONG = 70000 };

/* ---- helpers --------------------------------------------------------------------------------- */

/* A stream whose next 32-bit words are `words`. */
static tacit_prng scripted(const uint32_t *words, size_t count) {
    tacit_prng p;
    tacit_prng_init_seed(&p, 0, 0);
    tacit_prng_refill(&p);
    p.used = TACIT_PRNG_BUFFER - 4 * (uint32_t)count;
    for (size_t i = 0; i < count; i++) tacit_put_u32(p.buf + p.used + 4 * i, words[i]);
    return p;
}

/* ---- the stream ------------------------------------------------------------------------------ */

static void vectors(void **state) {
    (void)state;
    uint8_t key[32], want[64], got[64], skipped[1001];
    char word[VECTORS_WORD];
    int lines = 0;
    FILE *f = vectors_open("mask.txt");
    while (vectors_word(f, word)) {
        if (strcmp(word, "stream") != 0) {
            vectors_skip_line(f);
            continue;
        }
        tacit_prng p;
        vectors_hex(f, key, 32);
        uint64_t stream = vectors_u64(f);
        size_t skip = (size_t)vectors_u64(f);
        vectors_hex(f, want, 64);
        tacit_prng_init(&p, key, stream);
        for (size_t take; skip > 0; skip -= take) {
            take = skip < sizeof skipped ? skip : sizeof skipped;
            tacit_prng_bytes(&p, skipped, take);
        }
        tacit_prng_bytes(&p, got, 64);
        assert_memory_equal(got, want, 64);
        lines++;
    }
    fclose(f);
    assert_int_equal(lines, 4);
}

/* Reads of every kind and length, aligned or not, follow the keystream without a gap. */
static void reads_follow_the_keystream(void **state) {
    (void)state;
    static uint8_t whole[LONG], piece[LONG];
    static const uint8_t key[32] = {1, 2, 3};
    uint8_t nonce[12] = {0};
    const uint64_t stream = UINT64_C(0x1122334455667788);
    tacit_put_u64(nonce, stream);
    tacit_chacha20(whole, LONG, key, nonce, 0);
    for (uint32_t pattern = 1; pattern < 40; pattern++) {
        tacit_prng p;
        tacit_prng_init(&p, key, stream);
        size_t at = 0;
        for (uint32_t turn = 0; at + 3000 < LONG; turn++) {
            size_t len = (turn * pattern * 7919u) % (turn % 16 == 0 ? 3000 : 11);
            switch ((turn + pattern) % 3) {
                case 0:
                    assert_true(tacit_prng_u32(&p) == tacit_get_u32(whole + at));
                    at += 4;
                    break;
                case 1:
                    assert_true(tacit_prng_u64(&p) == tacit_get_u64(whole + at));
                    at += 8;
                    break;
                default:
                    tacit_prng_bytes(&p, piece, len);
                    assert_memory_equal(piece, whole + at, len);
                    at += len;
            }
        }
    }
}

/* A number may begin at any byte before the buffer's end. */
static void numbers_across_the_end(void **state) {
    (void)state;
    static uint8_t whole[2 * TACIT_PRNG_BUFFER], skipped[TACIT_PRNG_BUFFER];
    static const uint8_t key[32] = {4}, nonce[12] = {0};
    tacit_chacha20(whole, sizeof whole, key, nonce, 0);
    for (size_t before = 0; before <= 9; before++) {
        size_t at = TACIT_PRNG_BUFFER - before;
        tacit_prng p;
        tacit_prng_init(&p, key, 0);
        tacit_prng_bytes(&p, skipped, at);
        assert_true(tacit_prng_u32(&p) == tacit_get_u32(whole + at));
        assert_true(tacit_prng_u32(&p) == tacit_get_u32(whole + at + 4));
        tacit_prng_init(&p, key, 0);
        tacit_prng_bytes(&p, skipped, at);
        assert_true(tacit_prng_u64(&p) == tacit_get_u64(whole + at));
        assert_true(tacit_prng_u64(&p) == tacit_get_u64(whole + at + 8));
    }
}

/* The last blocks of a stream are those of the counters below 2^32. */
static void last_blocks(void **state) {
    (void)state;
    static uint8_t want[TACIT_PRNG_BUFFER], got[TACIT_PRNG_BUFFER];
    static const uint8_t key[32] = {5}, nonce[12] = {0};
    tacit_prng p;
    tacit_prng_init(&p, key, 0);
    p.block = (UINT64_C(1) << 32) - TACIT_PRNG_BUFFER / 64;
    tacit_prng_bytes(&p, got, sizeof got);
    for (uint32_t i = 0; i < sizeof want / 64; i++)
        tacit_chacha20(want + (size_t)i * 64, 64, key, nonce, UINT32_MAX - (15 - i));
    assert_memory_equal(got, want, sizeof want);
    assert_true(p.block == UINT64_C(1) << 32);
}

static void seeds(void **state) {
    (void)state;
    static const uint8_t seed[8] = {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01};
    uint8_t key[32];
    tacit_prng a, b;
    tacit_hash_of(key, TACIT_LABEL_STREAM, seed, sizeof seed);
    tacit_prng_init(&a, key, 9);
    tacit_prng_init_seed(&b, UINT64_C(0x0123456789abcdef), 9);
    for (int i = 0; i < 300; i++) assert_true(tacit_prng_u64(&a) == tacit_prng_u64(&b));
    tacit_prng_init_seed(&a, 1, 0);
    uint64_t first = tacit_prng_u64(&a);
    tacit_prng_init_seed(&b, 1, 1);
    assert_true(first != tacit_prng_u64(&b));
    tacit_prng_init_seed(&b, 2, 0);
    assert_true(first != tacit_prng_u64(&b));
    tacit_prng_init_seed(&b, 1, 0);
    assert_true(first == tacit_prng_u64(&b));
}

static void wiped(void **state) {
    (void)state;
    tacit_prng p;
    tacit_prng_init_seed(&p, 3, 3);
    (void)tacit_prng_u32(&p);
    tacit_prng_wipe(&p);
    const uint8_t *bytes = (const uint8_t *)&p;
    for (size_t i = 0; i < sizeof p; i++) assert_int_equal(bytes[i], 0);
}

/* ---- bounded draws --------------------------------------------------------------------------- */

/* The largest word kept is floor(2^32 / bound) * bound - 1; all above it are drawn again. */
static void rejection_boundary(void **state) {
    (void)state;
    static const uint32_t bounds[] = {2,
                                      3,
                                      5,
                                      6,
                                      7,
                                      10,
                                      1000,
                                      65535,
                                      65537,
                                      1u << 31,
                                      (1u << 31) - 1,
                                      (1u << 31) + 1,
                                      3000000000u,
                                      UINT32_MAX - 1,
                                      UINT32_MAX};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint32_t bound = bounds[i];
        uint64_t limit = (UINT64_C(1) << 32) - (UINT64_C(1) << 32) % bound;
        uint32_t last = (uint32_t)(limit - 1);
        const uint32_t keep[] = {last, 0};
        tacit_prng p = scripted(keep, 2);
        assert_true(tacit_prng_below(&p, bound) == bound - 1);
        assert_true(tacit_prng_below(&p, bound) == 0);
        assert_int_equal(p.used, TACIT_PRNG_BUFFER);
        if (last == UINT32_MAX) continue;
        const uint32_t redraw[] = {last + 1, UINT32_MAX, bound - 1};
        p = scripted(redraw, 3);
        assert_true(tacit_prng_below(&p, bound) == bound - 1);
        assert_int_equal(p.used, TACIT_PRNG_BUFFER);
    }
}

static void bound_of_one(void **state) {
    (void)state;
    const uint32_t words[] = {UINT32_MAX, 12345};
    tacit_prng p = scripted(words, 2);
    assert_true(tacit_prng_below(&p, 1) == 0);
    assert_true(tacit_prng_below(&p, 1) == 0);
    assert_int_equal(p.used, TACIT_PRNG_BUFFER);
}

/* Pearson's statistic at five standard deviations. The last bound is 3/4 of 2^32: without rejection
 * its lowest third would come twice as often. */
static void uniform_below(void **state) {
    (void)state;
    enum { DRAWS = 300000 };
    static const uint32_t bounds[] = {2, 3, 6, 10, 100, 3u << 30};
    static uint32_t seen[100];
    tacit_prng p;
    tacit_prng_init_seed(&p, 77, 0);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint32_t bound = bounds[i], cells = bound <= 100 ? bound : 3;
        memset(seen, 0, sizeof seen);
        for (int d = 0; d < DRAWS; d++) {
            uint32_t v = tacit_prng_below(&p, bound);
            assert_true(v < bound);
            seen[bound <= 100 ? v : v >> 30]++;
        }
        double sum = 0, expected = (double)DRAWS / cells;
        for (uint32_t c = 0; c < cells; c++)
            sum += (seen[c] - expected) * (seen[c] - expected) / expected;
        assert_true(sum < cells - 1 + 5 * sqrt(2.0 * (cells - 1)) + 10);
    }
}

/* ---- doubles --------------------------------------------------------------------------------- */

static void units(void **state) {
    (void)state;
    /* All ones give the largest double below 1, all zeros 0. */
    static const uint32_t words[] = {UINT32_MAX, UINT32_MAX, 0, 0, 0x7ff, 0, 0x800, 0};
    tacit_prng p = scripted(words, 8);
    assert_true(tacit_prng_unit(&p) == nextafter(1.0, 0.0));
    assert_true(tacit_prng_unit(&p) == 0.0);
    assert_true(tacit_prng_unit(&p) == 0.0);
    assert_true(tacit_prng_unit(&p) == ldexp(1.0, -53));
    double sum = 0, square = 0;
    enum { DRAWS = 200000 };
    for (int i = 0; i < DRAWS; i++) {
        double u = tacit_prng_unit(&p);
        assert_true(u >= 0 && u < 1);
        sum += u;
        square += u * u;
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 5 * 0.2887 / sqrt(DRAWS));
    assert_true(fabs(square / DRAWS - 1.0 / 3) < 5 * 0.2982 / sqrt(DRAWS));
}

static void normals(void **state) {
    (void)state;
    enum { DRAWS = 200000 };
    double sum = 0, square = 0, fourth = 0;
    int beyond_two = 0;
    tacit_prng p;
    tacit_prng_init_seed(&p, 78, 0);
    for (int i = 0; i < DRAWS; i++) {
        double z = tacit_prng_normal(&p);
        assert_true(isfinite(z));
        sum += z;
        square += z * z;
        fourth += z * z * z * z;
        beyond_two += fabs(z) > 2;
    }
    assert_true(fabs(sum / DRAWS) < 5 / sqrt(DRAWS));
    assert_true(fabs(square / DRAWS - 1) < 5 * sqrt(2.0 / DRAWS));
    assert_true(fabs(fourth / DRAWS - 3) < 5 * sqrt(96.0 / DRAWS));
    assert_true(fabs((double)beyond_two / DRAWS - 0.0455) < 5 * sqrt(0.0434 / DRAWS));
    /* The draw that would ask for the logarithm of zero. */
    static const uint32_t words[] = {UINT32_MAX, UINT32_MAX, 0, 0, 0, 0, 0, 0};
    p = scripted(words, 8);
    assert_true(isfinite(tacit_prng_normal(&p)));
    assert_true(tacit_prng_normal(&p) == 0.0);
}

static int prepare(void **state) {
    (void)state;
    return tacit_crypto_init() == TACIT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(reads_follow_the_keystream),
        cmocka_unit_test(numbers_across_the_end),
        cmocka_unit_test(last_blocks),
        cmocka_unit_test(seeds),
        cmocka_unit_test(wiped),
        cmocka_unit_test(rejection_boundary),
        cmocka_unit_test(bound_of_one),
        cmocka_unit_test(uniform_below),
        cmocka_unit_test(units),
        cmocka_unit_test(normals),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
