/* SPDX-License-Identifier: Apache-2.0
 * prng.h - a buffered ChaCha20 stream: graph permutations, rotation signs, rounding, noise, splits.
 * Deterministic in (key, nonce). 2^32 blocks (256 GiB) per stream, far above any use; reaching the
 * end is a programmer error (assert). Secret streams are wiped with tacit_prng_wipe. */
#ifndef TACIT_COMMON_PRNG_H
#define TACIT_COMMON_PRNG_H

#include "common/base.h"

enum { TACIT_PRNG_BUFFER = 1024 };

typedef struct {
    uint8_t key[TACIT_KEY_LEN];
    uint8_t nonce[12];
    uint64_t block; /* next block to make */
    uint32_t used;  /* bytes of buf already given out */
    _Alignas(16) uint8_t buf[TACIT_PRNG_BUFFER];
} tacit_prng;

/* Starts the stream of `key` with nonce = `stream` as 12 little-endian bytes, counter 0. */
void tacit_prng_init(tacit_prng *p, const uint8_t key[static TACIT_KEY_LEN], uint64_t stream);

/* Starts a stream from a plain number: key = BLAKE2b(STREAM label, seed). For simulations, splits
 * and tests, never for secrets. */
void tacit_prng_init_seed(tacit_prng *p, uint64_t seed, uint64_t stream);

/* Refills the buffer; used by the inline readers below. */
void tacit_prng_refill(tacit_prng *p);

void tacit_prng_bytes(tacit_prng *p, void *out, size_t len);

/* Next 32 or 64 bits, little-endian from the stream. Words are taken in stream order; a read that
 * does not fit in the buffer's rest skips nothing: it continues in the next block. */
uint32_t tacit_prng_u32(tacit_prng *p);
uint64_t tacit_prng_u64(tacit_prng *p);

/* Uniform in [0, bound), bound >= 1, by rejection: draw w until w < floor(2^32/bound)*bound, then
 * w mod bound (security.md B, Fisher-Yates). */
uint32_t tacit_prng_below(tacit_prng *p, uint32_t bound);

/* Uniform double in [0, 1) with 53 random bits; standard normal by Box-Muller. Simulation only:
 * nothing that privacy rests on uses floating-point randomness. */
double tacit_prng_unit(tacit_prng *p);
double tacit_prng_normal(tacit_prng *p);

void tacit_prng_wipe(tacit_prng *p);

#endif
