/* SPDX-License-Identifier: Apache-2.0
 * ring_test.c - packing against a reference that moves one bit at a time, every kernel against it,
 * and reads that must not pass the end of their input (it lies against an unreadable page). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/prng.h"
#include "common/ring.h"
#include "common/ring_kernel.h"

static const uint32_t widths[] = {16, 20, 24, 32};
enum { MAX_COUNT = 700 };

/* ---- helpers --------------------------------------------------------------------------------- */

static uint32_t mask_of(uint32_t bits) { return (uint32_t)((UINT64_C(1) << bits) - 1); }

static void pack_slowly(uint8_t *out, const uint32_t *words, size_t count, uint32_t bits) {
    memset(out, 0, count * bits / 8);
    for (size_t i = 0; i < count * bits; i++)
        if (words[i / bits] >> (i % bits) & 1) out[i / 8] = (uint8_t)(out[i / 8] | 1u << (i % 8));
}

static void fill(tacit_prng *p, uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) words[i] = tacit_prng_u32(p);
}

/* `len` bytes that end where an unreadable page begins. */
typedef struct {
    uint8_t *map, *data;
    size_t map_len;
} fenced;

static fenced fence_make(size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (len + page - 1) / page * page;
    fenced f = {.map_len = body + page};
    f.map = mmap(NULL, f.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(f.map, MAP_FAILED);
    assert_int_equal(mprotect(f.map + body, page, PROT_NONE), 0);
    f.data = f.map + body - len;
    return f;
}

static void fence_free(fenced *f) { assert_int_equal(munmap(f->map, f->map_len), 0); }

/* ---- tests ----------------------------------------------------------------------------------- */

static void widths_and_lengths(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 100; bits++)
        assert_int_equal(tacit_ring_bits_check(bits),
                         bits == 16 || bits == 20 || bits == 24 || bits == 32);
    for (size_t w = 0; w < 4; w++)
        for (size_t count = 0; count < 50; count += 2)
            assert_int_equal(tacit_ring_packed_len(count, widths[w]), count * widths[w] / 8);
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
        uint32_t bits = widths[w];
        for (size_t count = 0; count <= MAX_COUNT; count += bits == 20 || count > 80 ? 2 : 1) {
            size_t len = tacit_ring_packed_len(count, bits);
            fill(&p, words, count);
            packed[len] = 0xa5;
            tacit_ring_pack(packed, words, count, bits);
            pack_slowly(expected, words, count, bits);
            assert_memory_equal(packed, expected, len);
            assert_int_equal(packed[len], 0xa5);
            tacit_ring_unpack(back, packed, count, bits);
            for (size_t i = 0; i < count; i++) assert_int_equal(back[i], words[i] & mask_of(bits));
        }
    }
}

typedef size_t (*kernel)(uint32_t *, const uint8_t *, size_t, uint32_t, tacit_ring_op);

static size_t portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                       tacit_ring_op op) {
    tacit_ring_run_portable(words, in, count, bits, op);
    return count;
}

static size_t public_functions(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                               tacit_ring_op op) {
    if (op == TACIT_RING_SET) tacit_ring_unpack(words, in, count, bits);
    if (op == TACIT_RING_ADD) tacit_ring_add_packed(words, in, count, bits);
    if (op == TACIT_RING_SUB) tacit_ring_sub_packed(words, in, count, bits);
    return count;
}

/* Every count, every operation, input and words ending at a fence, input at odd addresses. */
static void check_kernel(kernel run, size_t most_left) {
    static uint32_t values[MAX_COUNT], before[MAX_COUNT];
    tacit_prng p;
    tacit_prng_init_seed(&p, 2, 0);
    for (size_t w = 0; w < 4; w++) {
        uint32_t bits = widths[w];
        for (size_t count = 2; count <= 130; count += bits == 20 ? 2 : 1) {
            size_t len = count * bits / 8;
            fenced in = fence_make(len), out = fence_make(4 * count);
            uint32_t *words = (uint32_t *)(void *)out.data;
            for (int op = TACIT_RING_SET; op <= TACIT_RING_SUB; op++) {
                fill(&p, values, count);
                fill(&p, before, count);
                memcpy(words, before, 4 * count);
                pack_slowly(in.data, values, count, bits);
                size_t done = run(words, in.data, count, bits, (tacit_ring_op)op);
                assert_true(done <= count && count - done <= most_left);
                for (size_t i = 0; i < count; i++) {
                    uint32_t v = values[i] & mask_of(bits), want = v;
                    if (op == TACIT_RING_ADD) want = before[i] + v;
                    if (op == TACIT_RING_SUB) want = before[i] - v;
                    assert_int_equal(words[i], i < done ? want : before[i]);
                }
            }
            fence_free(&in);
            fence_free(&out);
        }
    }
}

static void portable_kernel(void **state) {
    (void)state;
    check_kernel(portable, 0);
}

static void dispatched_kernel(void **state) {
    (void)state;
    check_kernel(public_functions, 0);
}

static void avx2_kernel(void **state) {
    (void)state;
#ifdef TACIT_RING_AVX2
    if (__builtin_cpu_supports("avx2")) {
        check_kernel(tacit_ring_run_avx2, 18);
        return;
    }
#endif
    print_message("no AVX2 here\n");
    skip();
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
        uint32_t bits = widths[w];
        int64_t half = INT64_C(1) << (bits - 1);
        const int64_t values[] = {0, 1, -1, 2, -2, half - 1, -half, -half + 1, 12345, -12345};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            uint32_t word = (uint32_t)(uint64_t)values[i];
            assert_int_equal(tacit_ring_centre(word, bits), values[i]);
            assert_int_equal(tacit_ring_centre(word & mask_of(bits), bits), values[i]);
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
        cmocka_unit_test(sums_wrap),          cmocka_unit_test(centred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
