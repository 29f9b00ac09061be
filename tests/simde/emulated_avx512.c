/* SPDX-License-Identifier: Apache-2.0
 * emulated_avx512.c - common/ring_avx512.c on any machine. */
#define TACIT_RING_AVX512 1
#define tacit_ring_run_avx512 emulated_avx512
#include "tests/simde/emulated.h"

#ifdef EMULATED
#include "common/ring_avx512.c"
#ifndef TACIT_TESTS_SIMDE_IMMINTRIN_H
#error "build with -isystem tests/simde: these are the CPU's own instructions"
#endif
#endif
