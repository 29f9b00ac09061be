/* SPDX-License-Identifier: Apache-2.0
 * immintrin.h - stands before the compiler's header of that name where kernels are built for the
 * emulation: SIMDe's plain C for every intrinsic, and no code for CPUs that may not be here. */
#ifndef TACIT_TESTS_SIMDE_IMMINTRIN_H
#define TACIT_TESTS_SIMDE_IMMINTRIN_H

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

/* __attribute__((target("avx512f"))) asks for nothing from here on. */
#define target(features)

#endif
