/* SPDX-License-Identifier: Apache-2.0
 * skellam.c - exact Skellam noise by inversion of committed tables, several draws to a coordinate.
 *
 * One draw takes 16 bytes of the stream, read as a little-endian 128-bit number: the highest bit is
 * the sign, the other 127 bits are looked up among the table's cumulative words. The search halves
 * the table a fixed number of times; the only thing that depends on the sample is which words are
 * loaded. Coordinates are searched LANES at a time, so that the loads of one wait for nobody.
 * Stream order: blocks of BLOCK coordinates; in a block, part by part; in a part, by coordinate.
 * What it refuses: variances that no sum of TACIT_SKELLAM_MAX_PARTS tables reaches (above 16.7
 * million); it never scales a sample, since a scaled Skellam variable is not a Skellam variable. */
#include "common/skellam.h"

#include <math.h>

#include "common/crypto.h"
#include "common/skellam_table.h"

enum {
    LANES = 8,      /* coordinates searched side by side */
    BLOCK = 256,    /* coordinates whose random bytes are fetched at once: 4 KB */
    DRAW_LEN = 16,  /* bytes of the stream in one draw */
    FREE_PARTS = 6, /* parts chosen freely; the others are copies of the largest table */
    SLACK = 100,    /* a sum may exceed the asked variance by variance / SLACK */
    LARGEST = TACIT_SKELLAM_TABLE_COUNT - 1
};

/* ---- Which tables ------------------------------------------------------------------------------
 * Rule, the same for everybody who asks: the fewest draws that reach a sum in [variance,
 * variance + variance / 100] with at most FREE_PARTS parts other than the largest table; among
 * those the least sum; among those the sequence that is larger at its first difference. */
typedef struct {
    uint64_t least, most; /* what the free parts must add up to */
    uint64_t best;        /* least sum found, UINT64_MAX before */
    uint8_t part[FREE_PARTS], best_part[FREE_PARTS];
} search;

/* Extends `sum`, made of `used` parts, by `left` more tables of index <= top. Depth <= FREE_PARTS.
 */
static void extend(search *s, uint64_t sum, uint32_t used, uint32_t left, uint32_t top) {
    if (left == 0) {
        if (sum < s->least || sum > s->most || sum >= s->best) return;
        s->best = sum;
        memcpy(s->best_part, s->part, sizeof s->best_part);
        return;
    }
    for (uint32_t i = top + 1; i-- > 0;) {
        uint64_t v = tacit_skellam_tables[i].variance;
        if (sum + left * v < s->least) return; /* smaller tables do not reach it either */
        if (sum + v > s->most) continue;
        s->part[used] = (uint8_t)i;
        extend(s, sum + v, used + 1, left - 1, i);
    }
}

/* Best sum of exactly `parts` tables for s->variance's request; false when there is none. */
static bool compose(tacit_skellam *s, uint64_t variance, uint32_t parts) {
    const uint64_t largest = tacit_skellam_tables[LARGEST].variance;
    uint64_t best = UINT64_MAX;
    for (uint32_t unfree = 0; unfree <= FREE_PARTS && unfree <= parts; unfree++) {
        uint32_t free_parts = unfree, copies = parts - unfree;
        uint64_t base = copies * largest, most = variance + variance / SLACK;
        if (base > most) continue;
        search find = {.least = variance > base ? variance - base : 0,
                       .most = most - base,
                       .best = UINT64_MAX};
        extend(&find, 0, 0, free_parts, LARGEST - 1);
        if (find.best == UINT64_MAX || base + find.best >= best) continue;
        best = base + find.best;
        memset(s->parts, LARGEST, copies);
        memcpy(s->parts + copies, find.best_part, free_parts);
    }
    s->variance = best;
    s->part_count = parts;
    return best != UINT64_MAX;
}

tacit_status tacit_skellam_init(tacit_skellam *s, uint64_t variance) {
    memset(s, 0, sizeof *s);
    if (variance < 1 || variance > UINT64_C(1) << 40) return TACIT_INVALID_ARGUMENT;
    const uint64_t largest = tacit_skellam_tables[LARGEST].variance;
    for (uint64_t k = (variance + largest - 1) / largest; k <= TACIT_SKELLAM_MAX_PARTS; k++) {
        if (compose(s, variance, (uint32_t)k)) return TACIT_OK;
    }
    return TACIT_INVALID_ARGUMENT;
}

/* ---- Drawing -----------------------------------------------------------------------------------
 */

/* Everything secret that drawing leaves in memory, so that one wipe removes it. */
typedef struct {
    uint8_t bytes[BLOCK * DRAW_LEN];
    int32_t sum[BLOCK];
    uint64_t high[LANES], low[LANES], at[LANES]; /* the uniform numbers; first candidate of each */
} scratch;

/* Adds LANES draws of table t to w->sum[first ..], from the bytes at first * DRAW_LEN. */
static inline void draw_lanes(scratch *w, size_t first, const tacit_skellam_table *t) {
    const tacit_skellam_word *words = tacit_skellam_words + t->offset;
    const uint8_t *bytes = w->bytes + DRAW_LEN * first;
    uint64_t *high = w->high, *low = w->low, *at = w->at;
    for (int i = 0; i < LANES; i++) {
        low[i] = tacit_get_u64(bytes + DRAW_LEN * i);
        high[i] = tacit_get_u64(bytes + DRAW_LEN * i + 8) & INT64_MAX;
        at[i] = 0;
    }
    uint64_t count = t->word_count; /* candidates at .. at + count - 1 */
    for (uint32_t step = 0; step < t->steps; step++) {
        uint64_t half = count >> 1;
        for (int i = 0; i < LANES; i++) {
            const tacit_skellam_word *word = &words[at[i] + half - 1];
            /* both numbers are below 2^127, so the top bit of the difference is u < word */
            uint64_t below = (high[i] - word->high - (low[i] < word->low)) >> 63;
            at[i] += half & (below - 1);
        }
        count -= half;
    }
    for (int i = 0; i < LANES; i++) {
        int32_t sign = -(int32_t)(bytes[DRAW_LEN * i + 15] >> 7);
        w->sum[first + (size_t)i] += ((int32_t)at[i] ^ sign) - sign;
    }
}

void tacit_skellam_add(int32_t *q, size_t count, const tacit_skellam *s, tacit_prng *prng) {
    assert(s->part_count >= 1 && s->part_count <= TACIT_SKELLAM_MAX_PARTS);
    scratch w;
    memset(&w, 0, sizeof w);
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t block = count - first < BLOCK ? count - first : BLOCK;
        memset(w.sum, 0, sizeof w.sum);
        for (uint32_t p = 0; p < s->part_count; p++) {
            assert(s->parts[p] < TACIT_SKELLAM_TABLE_COUNT);
            tacit_prng_bytes(prng, w.bytes, block * DRAW_LEN);
            for (size_t i = 0; i < block; i += LANES) { /* lanes beyond the block are dropped */
                draw_lanes(&w, i, &tacit_skellam_tables[s->parts[p]]);
            }
        }
        for (size_t i = 0; i < block; i++) q[first + i] += w.sum[i];
    }
    tacit_wipe(&w, sizeof w);
}

double tacit_skellam_log2_tv(const tacit_skellam *s, size_t count) {
    return log2((double)count * s->part_count) - TACIT_SKELLAM_TV_BITS;
}

uint32_t tacit_skellam_table_count(void) { return TACIT_SKELLAM_TABLE_COUNT; }

uint64_t tacit_skellam_table_variance(uint32_t table) {
    assert(table < TACIT_SKELLAM_TABLE_COUNT);
    return tacit_skellam_tables[table].variance;
}
