/* SPDX-License-Identifier: Apache-2.0
 * ring_avx2.c - unpacking with AVX2, eight words a vector.
 *
 * One half of a vector takes four words: a byte shuffle puts the bytes of each into its 32-bit
 * lane, and at 20 bits a shift per lane and a mask drop what belongs to the neighbour. Compiled for
 * AVX2 function by function, so the library as a whole still runs on any x86-64; ring.c asks the
 * CPU first. What does not fill two vectors is left to the portable kernel. */
#include "common/ring_kernel.h"

#ifdef TACIT_RING_AVX2

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2"), always_inline)) static inline

AVX2 __m128i load(const uint8_t *in) { return _mm_loadu_si128((const __m128i *)(const void *)in); }

/* Sixteen bytes from `in` in the lower half, sixteen from in + upper in the upper. */
AVX2 __m256i load_halves(const uint8_t *in, size_t upper) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load(in)), load(in + upper), 1);
}

/* The upper half's load ends with the last byte, so that none is read beyond it. */
AVX2 __m256i unpack20(const uint8_t *in) {
    const __m256i pick = _mm256_setr_epi8(0, 1, 2, -1, 2, 3, 4, -1, 5, 6, 7, -1, 7, 8, 9, -1, 6, 7,
                                          8, -1, 8, 9, 10, -1, 11, 12, 13, -1, 13, 14, 15, -1);
    const __m256i shift = _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4);
    __m256i v = _mm256_srlv_epi32(_mm256_shuffle_epi8(load_halves(in, 4), pick), shift);
    return _mm256_and_si256(v, _mm256_set1_epi32(0xfffff));
}

AVX2 __m256i unpack24(const uint8_t *in) {
    const __m256i pick = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4,
                                          5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    return _mm256_shuffle_epi8(load_halves(in, 8), pick);
}

/* Eight words, from `bits` bytes. */
AVX2 __m256i unpack(const uint8_t *in, uint32_t bits) {
    switch (bits) {
        case 16: return _mm256_cvtepu16_epi32(load(in));
        case 20: return unpack20(in);
        case 24: return unpack24(in);
        default: return _mm256_loadu_si256((const __m256i *)(const void *)in);
    }
}

AVX2 void apply(uint32_t *words, __m256i v, tacit_ring_op op) {
    __m256i *p = (__m256i *)(void *)words;
    if (op == TACIT_RING_ADD) v = _mm256_add_epi32(_mm256_loadu_si256(p), v);
    if (op == TACIT_RING_SUB) v = _mm256_sub_epi32(_mm256_loadu_si256(p), v);
    _mm256_storeu_si256(p, v);
}

/* Two vectors a turn, so that counting does not cost as much as the words. */
AVX2 size_t run_width(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                      tacit_ring_op op) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16, in += (size_t)2 * bits) {
        apply(words + i, unpack(in, bits), op);
        apply(words + i + 8, unpack(in + bits, bits), op);
    }
    return i;
}

/* One copy of the loop for each width and operation. */
AVX2 size_t run(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits, tacit_ring_op op) {
    switch (bits) {
        case 16: return run_width(words, in, count, 16, op);
        case 20: return run_width(words, in, count, 20, op);
        case 24: return run_width(words, in, count, 24, op);
        default: return run_width(words, in, count, 32, op);
    }
}

__attribute__((target("avx2"))) size_t tacit_ring_run_avx2(uint32_t *words, const uint8_t *in,
                                                           size_t count, uint32_t bits,
                                                           tacit_ring_op op) {
    switch (op) {
        case TACIT_RING_SET: return run(words, in, count, bits, TACIT_RING_SET);
        case TACIT_RING_ADD: return run(words, in, count, bits, TACIT_RING_ADD);
        default: return run(words, in, count, bits, TACIT_RING_SUB);
    }
}

#else
typedef int tacit_ring_avx2_absent; /* ISO C wants at least one declaration */
#endif
