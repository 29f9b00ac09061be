/* SPDX-License-Identifier: Apache-2.0
 * workspace.h - the caller's one buffer, handed out from the front and never given back singly.
 *
 * The same code that places the parts also measures them (an arena without memory counts only), so
 * the size announced and the size used cannot differ. What an open `tacit` looks like:
 *
 *   [tacit][history window][seen bits][final system: base, Gram, root, vectors]
 *   [training system: the same, k wide][update: x, words][secagg machine]
 *   ^ base                              ^ only when max_dims > 0           ^ used == high <= cap
 *
 *   tacit             history batch, ledger record, model views, options, platform
 *   history window    max_history distinct items, 16 bytes each
 *   seen bits         max_items / 8
 *   systems           three packed triangles and four vectors of doubles; K = max_factor, then k
 *   update            x float [max_dims], words u32 [max_dims]; x becomes the packed vector
 *   secagg machine    the greatest tacit_secagg_len of a roster up to max_cohort
 *
 * Everything in it is wiped by tacit_close. */
#ifndef TACIT_FIRMWARE_WORKSPACE_H
#define TACIT_FIRMWARE_WORKSPACE_H

#include "common/base.h"

enum { TACIT_ARENA_ALIGN = 16 };

typedef struct {
    uint8_t *base; /* NULL: measure only */
    size_t cap, used;
    size_t high; /* most bytes ever in use */
    bool full;   /* something did not fit (or a size overflowed); stays set */
} tacit_arena;

/* base: TACIT_ARENA_ALIGN-aligned, or NULL with cap 0 to measure. */
void tacit_arena_init(tacit_arena *a, void *base, size_t cap);

/* `count` zeroed elements of `size` bytes, aligned to TACIT_ARENA_ALIGN. NULL when measuring, when
 * count is 0 or when they do not fit; the last sets `full`. */
void *tacit_arena_take(tacit_arena *a, size_t count, size_t size);

#endif
