/* SPDX-License-Identifier: Apache-2.0
 * ring_check.h - one kernel of ring_kernel.h against packing that moves one bit at a time. Needs
 * nothing but the kernel and mmap, so it also runs where there is no cmocka and no libsodium. */
#ifndef TACIT_TESTS_SUPPORT_RING_CHECK_H
#define TACIT_TESTS_SUPPORT_RING_CHECK_H

#include "common/ring_kernel.h"

/* Takes the first words and returns how many, as the kernels do. */
typedef size_t (*ring_kernel)(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                              tacit_ring_op op);

static const uint32_t ring_widths[] = {16, 20, 24, 32};

/* tacit_ring_run_portable, and the public functions of ring.h, as kernels that take every word. */
size_t ring_check_portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op);
size_t ring_check_public(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                         tacit_ring_op op);

static inline uint32_t ring_mask_of(uint32_t bits) { return (uint32_t)((UINT64_C(1) << bits) - 1); }

/* Packs the low `bits` of each word, bit by bit. out: count * bits / 8 bytes. */
void ring_pack_slowly(uint8_t *out, const uint32_t *words, size_t count, uint32_t bits);

/* Every width, every operation, every count from 0 to 200, random words and input, both once right
 * before an unreadable page and once right behind one, and input at odd addresses. A kernel that
 * reads or writes outside them ends the program. Returns NULL, or what went wrong first: a wrong
 * word, a word touched that was not to be, more than most_left words left. The text is overwritten
 * by the next call. */
const char *ring_check(ring_kernel kernel, size_t most_left);

#endif
