/* SPDX-License-Identifier: Apache-2.0
 * ring.c - packed words to and from memory: the public functions over the kernels of ring_kernel.h.
 *
 * Which kernel runs is asked of the CPU at every call, so that no state is kept; the question costs
 * a load and a test, and every caller brings at least a block of words. Asking also asks whether
 * the operating system keeps the registers the kernel needs. */
#include "common/ring.h"

#include "common/ring_kernel.h"

bool tacit_ring_bits_check(uint32_t bits) {
    return bits == 16 || bits == 20 || bits == 24 || bits == 32;
}

size_t tacit_ring_packed_len(size_t count, uint32_t bits) {
    assert(tacit_ring_bits_check(bits) && (bits != 20 || count % 2 == 0));
    return count / 2 * (bits / 4) + count % 2 * (bits / 8);
}

void tacit_ring_pack(uint8_t *out, const uint32_t *words, size_t count, uint32_t bits) {
    assert(tacit_ring_bits_check(bits) && (bits != 20 || count % 2 == 0));
    if (bits == 16)
        for (size_t i = 0; i < count; i++) tacit_put_u16(out + 2 * i, (uint16_t)words[i]);
    if (bits == 20)
        for (size_t i = 0; i < count; i += 2, out += 5) {
            uint32_t a = words[i] & 0xfffff, b = words[i + 1] & 0xfffff;
            tacit_put_u32(out, a | b << 20);
            out[4] = (uint8_t)(b >> 12);
        }
    if (bits == 24)
        for (size_t i = 0; i < count; i++, out += 3) {
            tacit_put_u16(out, (uint16_t)words[i]);
            out[2] = (uint8_t)(words[i] >> 16);
        }
    if (bits == 32)
        for (size_t i = 0; i < count; i++) tacit_put_u32(out + 4 * i, words[i]);
}

const char *tacit_ring_kernel_name(void) {
#ifdef TACIT_RING_AVX512
    if (tacit_ring_has_avx512()) return "avx512";
#endif
#ifdef TACIT_RING_AVX2
    if (tacit_ring_has_avx2()) return "avx2";
#endif
#ifdef TACIT_RING_NEON
    return "neon";
#endif
    return "portable";
}

/* Each kernel this machine has, the fastest first, takes as much as it can of what is left. */
static void run(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits, tacit_ring_op op) {
    assert(tacit_ring_bits_check(bits) && (bits != 20 || count % 2 == 0));
    size_t done = 0;
#ifdef TACIT_RING_AVX512
    if (tacit_ring_has_avx512()) done += tacit_ring_run_avx512(words, in, count, bits, op);
#endif
#ifdef TACIT_RING_AVX2
    if (tacit_ring_has_avx2())
        done += tacit_ring_run_avx2(words + done, in + done * bits / 8, count - done, bits, op);
#endif
#ifdef TACIT_RING_NEON
    done += tacit_ring_run_neon(words, in, count, bits, op);
#endif
    tacit_ring_run_portable(words + done, in + done * bits / 8, count - done, bits, op);
}

void tacit_ring_unpack(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits) {
    run(words, in, count, bits, TACIT_RING_SET);
}

void tacit_ring_add_packed(uint32_t *sum, const uint8_t *in, size_t count, uint32_t bits) {
    run(sum, in, count, bits, TACIT_RING_ADD);
}

void tacit_ring_sub_packed(uint32_t *sum, const uint8_t *in, size_t count, uint32_t bits) {
    run(sum, in, count, bits, TACIT_RING_SUB);
}

void tacit_ring_add(uint32_t *a, const uint32_t *b, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] += b[i];
}

void tacit_ring_sub(uint32_t *a, const uint32_t *b, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] -= b[i];
}

int32_t tacit_ring_centre(uint32_t word, uint32_t bits) {
    assert(tacit_ring_bits_check(bits));
    uint32_t half = UINT32_C(1) << (bits - 1);
    uint32_t low = word & (half | (half - 1));
    return (int32_t)((int64_t)(low ^ half) - (int64_t)half);
}
