/* SPDX-License-Identifier: Apache-2.0
 * ring_portable.c - unpacking in plain C. `bits` and `op` are constants in each copy of the loop,
 * so that the compiler can vectorise what it knows how to (16 and 32 bits) and unroll the rest. */
#include "common/ring_kernel.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static inline uint32_t load_u16(const uint8_t *in) { return tacit_get_u16(in); }
static inline uint32_t load_u32(const uint8_t *in) { return tacit_get_u32(in); }
#else
/* The same as above; as a plain load it vectorises. */
static inline uint32_t load_u16(const uint8_t *in) {
    uint16_t v;
    memcpy(&v, in, sizeof v);
    return v;
}

static inline uint32_t load_u32(const uint8_t *in) {
    uint32_t v;
    memcpy(&v, in, sizeof v);
    return v;
}
#endif

static inline void apply(uint32_t *word, uint32_t v, tacit_ring_op op) {
    if (op == TACIT_RING_SET) *word = v;
    if (op == TACIT_RING_ADD) *word += v;
    if (op == TACIT_RING_SUB) *word -= v;
}

static inline __attribute__((always_inline)) void run16(uint32_t *restrict words,
                                                        const uint8_t *restrict in, size_t count,
                                                        tacit_ring_op op) {
    for (size_t i = 0; i < count; i++) apply(&words[i], load_u16(in + 2 * i), op);
}

static inline __attribute__((always_inline)) void run20(uint32_t *restrict words,
                                                        const uint8_t *restrict in, size_t count,
                                                        tacit_ring_op op) {
    for (size_t i = 0; i + 2 <= count; i += 2, in += 5) {
        uint32_t low = load_u32(in);
        apply(&words[i], low & 0xfffff, op);
        apply(&words[i + 1], low >> 20 | (uint32_t)in[4] << 12, op);
    }
}

/* Four words in three loads of four bytes. */
static inline __attribute__((always_inline)) void run24(uint32_t *restrict words,
                                                        const uint8_t *restrict in, size_t count,
                                                        tacit_ring_op op) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4, in += 12) {
        uint32_t a = load_u32(in), b = load_u32(in + 4), c = load_u32(in + 8);
        apply(&words[i], a & 0xffffff, op);
        apply(&words[i + 1], a >> 24 | (b & 0xffff) << 8, op);
        apply(&words[i + 2], b >> 16 | (c & 0xff) << 16, op);
        apply(&words[i + 3], c >> 8, op);
    }
    for (; i < count; i++, in += 3) apply(&words[i], load_u16(in) | (uint32_t)in[2] << 16, op);
}

static inline __attribute__((always_inline)) void run32(uint32_t *restrict words,
                                                        const uint8_t *restrict in, size_t count,
                                                        tacit_ring_op op) {
    for (size_t i = 0; i < count; i++) apply(&words[i], load_u32(in + 4 * i), op);
}

static inline __attribute__((always_inline)) void run(uint32_t *words, const uint8_t *in,
                                                      size_t count, uint32_t bits,
                                                      tacit_ring_op op) {
    if (bits == 16) run16(words, in, count, op);
    if (bits == 20) run20(words, in, count, op);
    if (bits == 24) run24(words, in, count, op);
    if (bits == 32) run32(words, in, count, op);
}

void tacit_ring_run_portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                             tacit_ring_op op) {
    if (op == TACIT_RING_SET) run(words, in, count, bits, TACIT_RING_SET);
    if (op == TACIT_RING_ADD) run(words, in, count, bits, TACIT_RING_ADD);
    if (op == TACIT_RING_SUB) run(words, in, count, bits, TACIT_RING_SUB);
}
