/* SPDX-License-Identifier: Apache-2.0
 * ring_avx512.c - unpacking with AVX-512, sixteen words a vector.
 *
 * One load of 64 bytes holds sixteen words of any width; a permutation of bytes puts those of each
 * word into its 32-bit lane, and at 20 bits a shift per lane and a mask drop what belongs to the
 * neighbour. The permutation is of AVX-512 VBMI (Intel since Ice Lake, AMD since Zen 4): the CPUs
 * before it slow their clock down for 512-bit vectors and are better served by AVX2. Compiled
 * function by function like ring_avx2.c. */
#include "common/ring_kernel.h"

#ifdef TACIT_RING_AVX512

#include <immintrin.h>

#define TARGET target("avx512f,avx512bw,avx512vbmi")
#define AVX512 __attribute__((TARGET, always_inline)) static inline

/* The bytes of two or four words that begin at byte b; the lanes' last bytes (0 here) are zeroed.
 */
#define TWO_OF_16(b) b, b + 1, 0, 0, b + 2, b + 3, 0, 0
#define TWO_OF_20(b) b, b + 1, b + 2, 0, b + 2, b + 3, b + 4, 0
#define TWO_OF_24(b) b, b + 1, b + 2, 0, b + 3, b + 4, b + 5, 0
/* Eight pairs of `len` bytes. */
#define PICK(two, len)                                                                          \
    {                                                                                           \
        two(0), two(len), two(2 * len), two(3 * len), two(4 * len), two(5 * len), two(6 * len), \
            two(7 * len)                                                                        \
    }

static const uint8_t pick16[64] = PICK(TWO_OF_16, 4), pick20[64] = PICK(TWO_OF_20, 5),
                     pick24[64] = PICK(TWO_OF_24, 6);
/* One bit a byte: which of each lane's four are kept. */
static const uint64_t keep2 = UINT64_C(0x3333333333333333), keep3 = UINT64_C(0x7777777777777777);

AVX512 __m512i load(const void *in) { return _mm512_loadu_si512(in); }

/* Sixteen words, from the first 2 * bits of the 64 bytes at `in`. */
AVX512 __m512i unpack(const uint8_t *in, uint32_t bits) {
    const __m512i shift = _mm512_set4_epi32(4, 0, 4, 0), v = load(in);
    switch (bits) {
        case 16: return _mm512_maskz_permutexvar_epi8(keep2, load(pick16), v);
        case 24: return _mm512_maskz_permutexvar_epi8(keep3, load(pick24), v);
        case 20:
            return _mm512_and_si512(
                _mm512_srlv_epi32(_mm512_maskz_permutexvar_epi8(keep3, load(pick20), v), shift),
                _mm512_set1_epi32(0xfffff));
        default: return v;
    }
}

AVX512 void apply(uint32_t *words, __m512i v, tacit_ring_op op) {
    if (op == TACIT_RING_ADD) v = _mm512_add_epi32(load(words), v);
    if (op == TACIT_RING_SUB) v = _mm512_sub_epi32(load(words), v);
    _mm512_storeu_si512(words, v);
}

/* Two vectors a turn. `spare`: words that must follow because the second load reads 64 bytes where
 * its words fill 2 * bits: 16 at 16 bits, 10 at 20, 6 at 24. */
AVX512 size_t run_width(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                        tacit_ring_op op) {
    const size_t spare = (512 - 16 * bits + bits - 1) / bits;
    size_t i = 0;
    for (; i + 32 + spare <= count; i += 32, in += (size_t)4 * bits) {
        apply(words + i, unpack(in, bits), op);
        apply(words + i + 16, unpack(in + (size_t)2 * bits, bits), op);
    }
    return i;
}

/* One copy of the loop for each width and operation. */
AVX512 size_t run(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                  tacit_ring_op op) {
    switch (bits) {
        case 16: return run_width(words, in, count, 16, op);
        case 20: return run_width(words, in, count, 20, op);
        case 24: return run_width(words, in, count, 24, op);
        default: return run_width(words, in, count, 32, op);
    }
}

__attribute__((TARGET)) size_t tacit_ring_run_avx512(uint32_t *words, const uint8_t *in,
                                                     size_t count, uint32_t bits,
                                                     tacit_ring_op op) {
    switch (op) {
        case TACIT_RING_SET: return run(words, in, count, bits, TACIT_RING_SET);
        case TACIT_RING_ADD: return run(words, in, count, bits, TACIT_RING_ADD);
        default: return run(words, in, count, bits, TACIT_RING_SUB);
    }
}

#else
typedef int tacit_ring_avx512_absent; /* ISO C wants at least one declaration */
#endif
