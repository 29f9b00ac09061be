/* SPDX-License-Identifier: Apache-2.0
 * ring.h - vectors of integers mod 2^bits, bits in {16, 20, 24, 32}, and their packed wire form.
 *
 * In memory a word is a uint32_t. Adding and subtracting wraps mod 2^32, which is a multiple of
 * 2^bits, so nothing needs reducing before the packing or the final centring cuts to `bits`.
 * Packed: little-endian bit string, word i in bits [i*bits, (i+1)*bits), so 20-bit words pair up
 * into 5 bytes. `count` must be even for 20 bits (padded lengths are powers of two >= 2). */
#ifndef TACIT_COMMON_RING_H
#define TACIT_COMMON_RING_H

#include "common/base.h"

/* True for 16, 20, 24 and 32. */
bool tacit_ring_bits_check(uint32_t bits);

/* count * bits / 8. */
size_t tacit_ring_packed_len(size_t count, uint32_t bits);

/* Packs the low `bits` of each word. out: tacit_ring_packed_len(count, bits) bytes. */
void tacit_ring_pack(uint8_t *out, const uint32_t *words, size_t count, uint32_t bits);
/* Inverse; words get values in [0, 2^bits). */
void tacit_ring_unpack(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits);

/* sum[i] += or -= words unpacked from `in`, mod 2^32, without a temporary vector. */
void tacit_ring_add_packed(uint32_t *sum, const uint8_t *in, size_t count, uint32_t bits);
void tacit_ring_sub_packed(uint32_t *sum, const uint8_t *in, size_t count, uint32_t bits);

/* a[i] += b[i], a[i] -= b[i] mod 2^32. */
void tacit_ring_add(uint32_t *a, const uint32_t *b, size_t count);
void tacit_ring_sub(uint32_t *a, const uint32_t *b, size_t count);

/* Representative of the word mod 2^bits in [-2^(bits-1), 2^(bits-1)). */
int32_t tacit_ring_centre(uint32_t word, uint32_t bits);

#endif
