/* SPDX-License-Identifier: Apache-2.0
 * ring_neon.c - unpacking with NEON, which every 64-bit ARM has: eight words in two vectors.
 *
 * A byte table look-up puts the bytes of each word into its 32-bit lane, and at 20 bits a shift per
 * lane and a mask drop what belongs to the neighbour. The second load ends with the last byte of
 * the eight words, so that none is read beyond it. */
#include "common/ring_kernel.h"

#ifdef TACIT_RING_NEON

#include <arm_neon.h>

#define NEON __attribute__((always_inline)) static inline

/* Where the bytes of four words stand in a load; what is no place in it gives zero. */
static const uint8_t first20[16] = {0, 1, 2, 255, 2, 3, 4, 255, 5, 6, 7, 255, 7, 8, 9, 255};
static const uint8_t second20[16] = {6, 7, 8, 255, 8, 9, 10, 255, 11, 12, 13, 255, 13, 14, 15, 255};
static const uint8_t first24[16] = {0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255};
static const uint8_t second24[16] = {4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255, 13, 14, 15, 255};
static const int32_t shift20[4] = {0, -4, 0, -4};

NEON uint32x4_t gather(const uint8_t *in, const uint8_t *pick) {
    return vreinterpretq_u32_u8(vqtbl1q_u8(vld1q_u8(in), vld1q_u8(pick)));
}

NEON uint32x4_t gather20(const uint8_t *in, const uint8_t *pick) {
    return vandq_u32(vshlq_u32(gather(in, pick), vld1q_s32(shift20)), vdupq_n_u32(0xfffff));
}

NEON uint32x4_t widen(const uint8_t *in) { return vmovl_u16(vreinterpret_u16_u8(vld1_u8(in))); }

NEON void apply(uint32_t *words, uint32x4_t v, tacit_ring_op op) {
    if (op == TACIT_RING_ADD) v = vaddq_u32(vld1q_u32(words), v);
    if (op == TACIT_RING_SUB) v = vsubq_u32(vld1q_u32(words), v);
    vst1q_u32(words, v);
}

/* Eight words, from `bits` bytes. */
NEON void step(uint32_t *words, const uint8_t *in, uint32_t bits, tacit_ring_op op) {
    uint32x4_t a, b;
    switch (bits) {
        case 16: a = widen(in), b = widen(in + 8); break;
        case 20: a = gather20(in, first20), b = gather20(in + 4, second20); break;
        case 24: a = gather(in, first24), b = gather(in + 8, second24); break;
        default:
            a = vreinterpretq_u32_u8(vld1q_u8(in));
            b = vreinterpretq_u32_u8(vld1q_u8(in + 16));
    }
    apply(words, a, op);
    apply(words + 4, b, op);
}

/* Two steps a turn, so that counting does not cost as much as the words. */
NEON size_t run_width(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                      tacit_ring_op op) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16, in += (size_t)2 * bits) {
        step(words + i, in, bits, op);
        step(words + i + 8, in + bits, bits, op);
    }
    return i;
}

/* One copy of the loop for each width and operation. */
NEON size_t run(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits, tacit_ring_op op) {
    switch (bits) {
        case 16: return run_width(words, in, count, 16, op);
        case 20: return run_width(words, in, count, 20, op);
        case 24: return run_width(words, in, count, 24, op);
        default: return run_width(words, in, count, 32, op);
    }
}

size_t tacit_ring_run_neon(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op) {
    switch (op) {
        case TACIT_RING_SET: return run(words, in, count, bits, TACIT_RING_SET);
        case TACIT_RING_ADD: return run(words, in, count, bits, TACIT_RING_ADD);
        default: return run(words, in, count, bits, TACIT_RING_SUB);
    }
}

#else
typedef int tacit_ring_neon_absent; /* ISO C wants at least one declaration */
#endif
