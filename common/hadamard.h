/* SPDX-License-Identifier: Apache-2.0
 * hadamard.h - the randomised rotation z = (1/sqrt d) H diag(signs) pad(x) and its inverse.
 * Spreads a sparse update over all coordinates before rounding, so that one coordinate's range is
 * small (Kairouz, Liu, Steinke 2021). Signs come from a public seed in the plan. */
#ifndef TACIT_COMMON_HADAMARD_H
#define TACIT_COMMON_HADAMARD_H

#include "common/base.h"

/* In-place fast Walsh-Hadamard transform without normalisation. count: a power of two, 1..2^20.
 * H(H(x)) = count * x. Cache-blocked; the float variant serves devices, double the server. */
void tacit_hadamard_f32(float *x, size_t count);
void tacit_hadamard_f64(double *x, size_t count);

/* Multiplies x[i] by sign i of the seed's stream (ChaCha20 keystream bits, lowest first: bit set
 * means -1). key = BLAKE2b(ROTATION label, seed). */
void tacit_hadamard_signs_f32(float *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]);
void tacit_hadamard_signs_f64(double *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]);

/* z = (1/sqrt count) H diag(signs) x, in place. */
void tacit_rotate_f32(float *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]);
/* x = diag(signs) (1/sqrt count) H z, in place: the inverse of the above. */
void tacit_unrotate_f64(double *z, size_t count, const uint8_t seed[static TACIT_KEY_LEN]);

#endif
