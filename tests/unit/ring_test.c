/* SPDX-License-Identifier: Apache-2.0
 * ring_test.c - packing against a reference that moves one bit at a time, and every kernel against
 * it between unreadable pages: those this CPU has, and AVX-512 and NEON in emulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/prng.h"
#include "common/ring.h"
#include "tests/simde/emulated.h"
#include "tests/support/ring_check.h"

enum { MAX_COUNT = 700 };

/* ---- helpers --------------------------------------------------------------------------------- */

static void fill(tacit_prng *p, uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) words[i] = tacit_prng_u32(p);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void widths_and_lengths(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 100; bits++)
        assert_int_equal(tacit_ring_bits_check(bits),
                         bits == 16 || bits == 20 || bits == 24 || bits == 32);
    for (size_t w = 0; w < 4; w++)
        for (size_t count = 0; count < 50; count += 2)
            assert_int_equal(tacit_ring_packed_len(count, ring_widths[w]),
                             count * ring_widths[w] / 8);
    assert_int_equal(tacit_ring_packed_len(7, 24), 21);
    assert_int_equal(tacit_ring_packed_len(1, 16), 2);
    assert_int_equal(tacit_ring_packed_len((size_t)1 << 20, 32), 4 << 20);
}

static void known_bytes(void **state) {
    (void)state;
    static const uint32_t words[2] = {0xfff12345, 0xabcdef01};
    uint8_t out[8];
    tacit_ring_pack(out, words, 2, 16);
    assert_memory_equal(out, "\x45\x23\x01\xef", 4);
    tacit_ring_pack(out, words, 2, 20);
    assert_memory_equal(out, "\x45\x23\x11\xf0\xde", 5);
    tacit_ring_pack(out, words, 2, 24);
    assert_memory_equal(out, "\x45\x23\xf1\x01\xef\xcd", 6);
    tacit_ring_pack(out, words, 2, 32);
    assert_memory_equal(out, "\x45\x23\xf1\xff\x01\xef\xcd\xab", 8);
}

static void pack_and_unpack(void **state) {
    (void)state;
    static uint32_t words[MAX_COUNT], back[MAX_COUNT];
    static uint8_t packed[4 * MAX_COUNT + 1], expected[4 * MAX_COUNT];
    tacit_prng p;
    tacit_prng_init_seed(&p, 1, 0);
    for (size_t w = 0; w < 4; w++) {
        uint32_t bits = ring_widths[w];
        for (size_t count = 0; count <= MAX_COUNT; count += bits == 20 || count > 80 ? 2 : 1) {
            size_t len = tacit_ring_packed_len(count, bits);
            fill(&p, words, count);
            packed[len] = 0xa5;
            tacit_ring_pack(packed, words, count, bits);
            ring_pack_slowly(expected, words, count, bits);
            assert_memory_equal(packed, expected, len);
            assert_int_equal(packed[len], 0xa5);
            tacit_ring_unpack(back, packed, count, bits);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(back[i], words[i] & ring_mask_of(bits));
        }
    }
}

static void check_kernel(const char *name, ring_kernel kernel, size_t most_left) {
    const char *wrong = ring_check(kernel, most_left);
    if (wrong != NULL) fail_msg("%s: %s", name, wrong);
    print_message("%s ran\n", name);
}

static void not_here(const char *name) {
    print_message("%s: not on this machine\n", name);
    skip();
}

static void portable_kernel(void **state) {
    (void)state;
    check_kernel("portable", ring_check_portable, 0);
}

static void dispatched_kernel(void **state) {
    (void)state;
    check_kernel("dispatch", ring_check_public, 0);
    print_message("%s comes first here\n", tacit_ring_kernel_name());
}

static void avx2_kernel(void **state) {
    (void)state;
#ifdef TACIT_RING_AVX2
    if (tacit_ring_has_avx2()) {
        check_kernel("AVX2", tacit_ring_run_avx2, 15);
        return;
    }
#endif
    not_here("AVX2");
}

/* By the CPU where it can, and in emulation wherever SIMDe is installed. */
static void avx512_kernel(void **state) {
    (void)state;
    bool ran = false;
#ifdef TACIT_RING_AVX512
    if (tacit_ring_has_avx512()) {
        check_kernel("AVX-512", tacit_ring_run_avx512, 47);
        ran = true;
    }
#endif
#ifdef EMULATED
    check_kernel("AVX-512 in emulation", emulated_avx512, 47);
    ran = true;
#endif
    if (!ran) not_here("AVX-512");
}

static void neon_kernel(void **state) {
    (void)state;
    bool ran = false;
#ifdef TACIT_RING_NEON
    check_kernel("NEON", tacit_ring_run_neon, 15);
    ran = true;
#endif
#ifdef EMULATED
    check_kernel("NEON in emulation", emulated_neon, 15);
    ran = true;
#endif
    if (!ran) not_here("NEON");
}

static void sums_wrap(void **state) {
    (void)state;
    static uint32_t a[1001], b[1001], start[1001];
    tacit_prng p;
    tacit_prng_init_seed(&p, 3, 0);
    fill(&p, a, 1001);
    fill(&p, b, 1001);
    memcpy(start, a, sizeof a);
    tacit_ring_add(a, b, 1001);
    for (size_t i = 0; i < 1001; i++)
        assert_int_equal(a[i], ((uint64_t)start[i] + b[i]) % (UINT64_C(1) << 32));
    tacit_ring_sub(a, b, 1001);
    assert_memory_equal(a, start, sizeof a);
    tacit_ring_sub(a, b, 1001);
    for (size_t i = 0; i < 1001; i++) assert_int_equal(a[i] + b[i], start[i]);
}

static void centred(void **state) {
    (void)state;
    for (size_t w = 0; w < 4; w++) {
        uint32_t bits = ring_widths[w];
        int64_t half = INT64_C(1) << (bits - 1);
        const int64_t values[] = {0, 1, -1, 2, -2, half - 1, -half, -half + 1, 12345, -12345};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            uint32_t word = (uint32_t)(uint64_t)values[i];
            assert_int_equal(tacit_ring_centre(word, bits), values[i]);
            assert_int_equal(tacit_ring_centre(word & ring_mask_of(bits), bits), values[i]);
            if (bits < 32)
                assert_int_equal(tacit_ring_centre(word ^ UINT32_C(1) << bits, bits), values[i]);
        }
    }
    for (uint32_t v = 0; v < 1u << 16; v++)
        assert_int_equal(tacit_ring_centre(v, 16), v < 1u << 15 ? (int)v : (int)v - (1 << 16));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_and_lengths), cmocka_unit_test(known_bytes),
        cmocka_unit_test(pack_and_unpack),    cmocka_unit_test(portable_kernel),
        cmocka_unit_test(dispatched_kernel),  cmocka_unit_test(avx2_kernel),
        cmocka_unit_test(avx512_kernel),      cmocka_unit_test(neon_kernel),
        cmocka_unit_test(sums_wrap),          cmocka_unit_test(centred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
