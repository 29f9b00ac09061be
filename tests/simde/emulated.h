/* SPDX-License-Identifier: Apache-2.0
 * emulated.h - the kernels of ring_kernel.h built against SIMDe instead of a CPU's own
 * instructions: the same source files, so that every machine checks them all. */
#ifndef TACIT_TESTS_SIMDE_EMULATED_H
#define TACIT_TESTS_SIMDE_EMULATED_H

#include "common/ring_kernel.h"

/* Whether SIMDe was there to build with; without it the functions below do not exist. */
#if defined(__has_include)
#if __has_include(<simde/x86/avx512.h>) && __has_include(<simde/arm/neon.h>)
#define EMULATED 1
#endif
#endif

#ifdef EMULATED
size_t emulated_avx512(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                       tacit_ring_op op);
size_t emulated_neon(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                     tacit_ring_op op);
#endif

#endif
