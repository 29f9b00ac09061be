/* SPDX-License-Identifier: Apache-2.0
 * skellam_table.h - the committed tables behind skellam.c, made by tools/make_skellam.py. Private
 * to the sampler and its test. A table holds cumulative words of the magnitude of a symmetric
 * Skellam variable, because the sign is one fair bit of its own: half the size, and still exact. */
#ifndef TACIT_COMMON_SKELLAM_TABLE_H
#define TACIT_COMMON_SKELLAM_TABLE_H

#include "common/base.h"

enum {
    TACIT_SKELLAM_TABLE_COUNT = 59,
    TACIT_SKELLAM_WORD_COUNT = 17321,
    TACIT_SKELLAM_TV_BITS =
        98 /* total variation of one draw is at most 2^-98 (proved by the tool) */
};

/* A 127-bit number, high * 2^64 + low, high < 2^63. */
typedef struct {
    uint64_t high, low;
} tacit_skellam_word;

typedef struct {
    uint32_t variance;
    uint32_t offset;     /* first word in tacit_skellam_words */
    uint32_t word_count; /* magnitudes 0 .. word_count - 1 */
    uint32_t steps;      /* depth of the search: ceil(log2 word_count) */
} tacit_skellam_table;

/* Word k of a table is floor(2^127 P(|X| <= k)), strictly increasing; the last is 2^127 - 1. */
extern const tacit_skellam_word tacit_skellam_words[TACIT_SKELLAM_WORD_COUNT];
/* In order of increasing variance. */
extern const tacit_skellam_table tacit_skellam_tables[TACIT_SKELLAM_TABLE_COUNT];

#endif
