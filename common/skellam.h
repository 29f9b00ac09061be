/* SPDX-License-Identifier: Apache-2.0
 * skellam.h - exact integer sampler of the symmetric Skellam distribution (difference of two
 * Poissons of mean variance / 2 each), closed under addition (Agarwal, Kairouz, Liu 2021).
 *
 * Inversion of committed tables of 128-bit cumulative words made offline with interval arithmetic
 * (tools/make_skellam.py; total variation at most 2^-90 per coordinate); a larger variance is a sum
 * of several table draws; each draw takes 16 bytes of the stream and a fixed-depth search with no
 * early exit (security.md M4). */
#ifndef TACIT_COMMON_SKELLAM_H
#define TACIT_COMMON_SKELLAM_H

#include "common/base.h"
#include "common/prng.h"

enum { TACIT_SKELLAM_MAX_PARTS = 255 }; /* of at most 65536 each: up to 2^24 - 2^16 */

/* How a variance is put together from tables. */
typedef struct {
    uint64_t variance;                      /* what is really drawn, >= what was asked */
    uint32_t part_count;                    /* table draws per coordinate */
    uint8_t parts[TACIT_SKELLAM_MAX_PARTS]; /* table indices, largest first */
} tacit_skellam;

/* Least sum of tables that reaches `variance` (1 .. 255 times the largest table, 16 711 680),
 * rounded up by at most 1 %; few draws per coordinate are preferred within that (the exact rule
 * stands in skellam.c). INVALID_ARGUMENT outside the range: more than TACIT_SKELLAM_MAX_PARTS
 * draws. */
TACIT_MUST_CHECK tacit_status tacit_skellam_init(tacit_skellam *s, uint64_t variance);

/* Adds one sample to each of q[0..count-1] (caller keeps |q| far from the int32 range). */
void tacit_skellam_add(int32_t *q, size_t count, const tacit_skellam *s, tacit_prng *prng);

/* log2 of the sampler's total variation distance for `count` coordinates: an upper bound, to be
 * added to delta. */
double tacit_skellam_log2_tv(const tacit_skellam *s, size_t count);

/* Tables, for tests: number of them, variance of each, and the fixed search depth. */
uint32_t tacit_skellam_table_count(void);
uint64_t tacit_skellam_table_variance(uint32_t table);

#endif
