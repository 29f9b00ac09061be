/* SPDX-License-Identifier: Apache-2.0
 * emulated_neon.c - common/ring_neon.c on any machine. */
#define TACIT_RING_NEON 1
#define tacit_ring_run_neon emulated_neon
#include "tests/simde/emulated.h"

#ifdef EMULATED
#include "common/ring_neon.c"
#ifndef TACIT_TESTS_SIMDE_ARM_NEON_H
#error "build with -isystem tests/simde: these are the CPU's own instructions"
#endif
#endif
