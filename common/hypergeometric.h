/* SPDX-License-Identifier: Apache-2.0
 * hypergeometric.h - the exact-enough tail that every threshold of the graph rests on (security B).
 * Only + * / of IEEE doubles, each weight relative to the mode, the tail summed from its far end;
 * with FMA contraction off both sides of the protocol agree bit for bit. It refuses nothing: the
 * arguments are numbers the caller has already bounded. */
#ifndef TACIT_COMMON_HYPERGEOMETRIC_H
#define TACIT_COMMON_HYPERGEOMETRIC_H

#include "common/base.h"

/* X counts the marked among `draws` vertices drawn without replacement from n, of which `marked`
 * are marked: marked <= n, draws <= n, draws <= TACIT_MAX_NEIGHBOURS, 3 <= n <= TACIT_MAX_COHORT.
 * Returns the least tau with Pr[X > tau] <= 1 / scale, scale > 2 * TACIT_MAX_NEIGHBOURS.
 *
 * The lower tail is the same function seen from the unmarked side: the greatest tau with
 * Pr[X < tau] <= 1 / scale is draws - tacit_hypergeometric_above(n, n - marked, draws, scale). */
uint32_t tacit_hypergeometric_above(uint32_t n, uint32_t marked, uint32_t draws, double scale);

#endif
