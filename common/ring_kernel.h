/* SPDX-License-Identifier: Apache-2.0
 * ring_kernel.h - private to ring.c and its tests: the loops that unpack words.
 *
 * Once in plain C, which is the reference and serves every machine, and once each for AVX2, AVX-512
 * and NEON. All give the same words and read nothing outside count * bits / 8 bytes; the tests
 * compare them. Unpacking runs beside the keystream of every mask, so its speed decides how near
 * tacit_mask_apply comes to the bare cipher. */
#ifndef TACIT_COMMON_RING_KERNEL_H
#define TACIT_COMMON_RING_KERNEL_H

#include "common/base.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TACIT_RING_AVX2 1
#define TACIT_RING_AVX512 1
#endif
#if defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TACIT_RING_NEON 1
#endif

typedef enum {
    TACIT_RING_SET, /* words[i]  = unpacked word */
    TACIT_RING_ADD, /* words[i] += unpacked word */
    TACIT_RING_SUB  /* words[i] -= unpacked word */
} tacit_ring_op;

/* Which kernel ring.h's functions take first here: "avx512", "avx2", "neon" or "portable". */
const char *tacit_ring_kernel_name(void);

/* All `count` words, as ring.h packs them. `words` and `in` do not overlap. */
void tacit_ring_run_portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                             tacit_ring_op op);

/* The others take the first words, as many as fit their turn, and return how many: a multiple of
 * 16, all but 15 at most with AVX2 and NEON, a multiple of 32, all but 47 at most with AVX-512. */

#ifdef TACIT_RING_AVX2
/* Whether the CPU has what the kernel needs and the operating system keeps its registers. */
static inline bool tacit_ring_has_avx2(void) { return __builtin_cpu_supports("avx2"); }
size_t tacit_ring_run_avx2(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op);
#endif

#ifdef TACIT_RING_AVX512
static inline bool tacit_ring_has_avx512(void) {
    return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
}
size_t tacit_ring_run_avx512(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                             tacit_ring_op op);
#endif

#ifdef TACIT_RING_NEON
size_t tacit_ring_run_neon(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op);
#endif

#endif
