/* SPDX-License-Identifier: Apache-2.0
 * arm_neon.h - NEON in the plain C of SIMDe, where kernels are built for the emulation. */
#ifndef TACIT_TESTS_SIMDE_ARM_NEON_H
#define TACIT_TESTS_SIMDE_ARM_NEON_H

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon.h>

#endif
