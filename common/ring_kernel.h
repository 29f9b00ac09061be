/* SPDX-License-Identifier: Apache-2.0
 * ring_kernel.h - private to ring.c and its test: the loops that unpack words, once in plain C (the
 * reference, and all there is on most devices) and once for CPUs with AVX2. Both give the same
 * words; the test compares them. Unpacking runs beside the keystream of every mask, so its speed
 * decides how near tacit_mask_apply comes to the bare cipher. */
#ifndef TACIT_COMMON_RING_KERNEL_H
#define TACIT_COMMON_RING_KERNEL_H

#include "common/base.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TACIT_RING_AVX2 1
#endif

typedef enum {
    TACIT_RING_SET, /* words[i]  = unpacked word */
    TACIT_RING_ADD, /* words[i] += unpacked word */
    TACIT_RING_SUB  /* words[i] -= unpacked word */
} tacit_ring_op;

/* All `count` words, as ring.h packs them. `words` and `in` do not overlap. */
void tacit_ring_run_portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                             tacit_ring_op op);

#ifdef TACIT_RING_AVX2
/* The first words, as many as fit whole vectors without reading past count * bits / 8 bytes.
 * Returns how many: a multiple of 16. The CPU must have AVX2. */
size_t tacit_ring_run_avx2(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op);
#endif

#endif
