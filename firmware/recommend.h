/* SPDX-License-Identifier: Apache-2.0
 * recommend.h - ranking: score_i = b_i + [V, X]_i . u over the catalogue, the best kept in a heap
 * that is the caller's output array. One pass over the model's rows, floats, no memory of its own
 * but one bit per item. Equal scores rank by lower item number. */
#ifndef TACIT_FIRMWARE_RECOMMEND_H
#define TACIT_FIRMWARE_RECOMMEND_H

#include "firmware/factor.h"
#include "firmware/history.h"
#include "firmware/tacit.h"

/* Best `cap` items, best first. Left out: items of the window (unless include_seen), hidden items
 * always, and what `allow` refuses; allow is asked only about items that would enter the list.
 * seen: scratch of tacit_bitmap_len(item_count) bytes. query may be NULL. */
void tacit_rank(tacit_scored *out, size_t *count, size_t cap, const tacit_factor *factor,
                const tacit_history *history, uint8_t *seen, const tacit_query *query);

/* Items by cosine of their rows to row `index`, best first, without it; rows of norm zero are alike
 * to nothing and left out. */
void tacit_rank_similar(tacit_scored *out, size_t *count, size_t cap, const tacit_model *model,
                        uint32_t index);

#endif
