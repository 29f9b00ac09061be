/* SPDX-License-Identifier: Apache-2.0
 * graph_bounds.h - what is proved of a graph of cycles, in numbers: which sets cannot be read apart
 * and how many honest devices the one readable sum holds. Source: security B, "Counts used below".
 *
 * These are an auditor's numbers. Device and server never need them: what they need follows from
 * common/graph.h, in plain doubles, bit for bit alike. Here logarithms are used freely; every
 * number is an upper bound on a probability, as a binary logarithm (-INFINITY: impossible).
 * Pure functions of their arguments; any thread may call them. */
#ifndef TACIT_TOOLS_GRAPH_BOUNDS_H
#define TACIT_TOOLS_GRAPH_BOUNDS_H

#include "common/graph.h"

/* The bounds hold but for 2^-80 per graph: 40 bits for the claim, 40 for a server that tries
 * rosters. */
enum { GRAPH_BOUNDS_LOG2 = -80 };

/* ---- one random cycle, m random cycles ------------------------------------------------------- */

/* Natural logarithm of P[a given set of `size` vertices makes `runs` runs on one random cycle of
 * n]: (n/j) C(s-1, j-1) C(n-s-1, j-1) / C(n, s). 1 <= size < n; runs >= 1. */
double graph_bounds_log_runs(uint32_t n, uint32_t size, uint32_t runs);

/* Natural logarithm of p0, P[no edge of one random cycle joins two given disjoint sets of r and s
 * vertices]; r, s >= 1, r + s <= n. The reference's sum over (j, i) runs of the two sets is summed
 * over i in closed form: the s vertices go into x - j gaps in C(x - j + s - 1, s) ways. */
double graph_bounds_log_apart(uint32_t n, uint32_t r, uint32_t s);

/* log2 b1(s): P[some set of `size` vertices has at least size * degree / 2 edges inside, repeated
 * ones counted], by the union bound and Chernoff's over `cycles` cycles. The minimum over theta is
 * that of a convex function, found to about 1e-9 bits; any other theta would bound it too.
 * 1 <= size < n, degree >= 1. */
double graph_bounds_log2_inner(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t size);

/* log2 b2(r): P[two disjoint sets of r and s vertices exist without an edge between them]. */
double graph_bounds_log2_apart(uint32_t n, uint32_t cycles, uint32_t r, uint32_t s);

/* s_min: the first size above `degree` with b1 > 2^-80, `last` + 1 when none up to `last` crosses:
 * no smaller set has `degree` distinct neighbours inside for each of its members. Up to `degree`
 * members that is so without any probability (b1 counts repeated edges and may cross there, which
 * means nothing). Every size is tried in turn: b1 need not be monotone. degree <= last < n */
uint32_t graph_bounds_inner_min(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t last);

/* r*: the last r <= survivors / 2 with b2(r) > 2^-80 for s = survivors - r, 0 when none: no more
 * than r* of the honest survivors can be without an edge to the others. Every r is tried. */
uint32_t graph_bounds_apart_max(uint32_t n, uint32_t cycles, uint32_t survivors);

/* ---- one configuration ----------------------------------------------------------------------- */

/* All that follows from (n, max_colluding, max_dropout), whether the protocol allows it or not. */
typedef struct {
    uint32_t n, max_colluding, max_dropout; /* fractions per thousand */
    bool complete;                          /* n <= TACIT_COMPLETE_GRAPH_MAX */
    uint32_t colluders, dropouts;           /* A, floor(delta n) */
    uint32_t n_min, slack;                  /* n - dropouts; r */
    int32_t honest;                         /* h = n_min - A - r; below 0: no such cohort */
    uint32_t degree_min, degree_min_t, degree_min_t1; /* k_min and its thresholds */
    uint32_t cycles;                                  /* m; 0 on the complete graph */
    uint32_t degree, degree_t, degree_t1,
        degree_t2;         /* typical D: the mean, rounded; n - 1 complete */
    uint32_t inner_degree; /* d = t - t1 at k_min; 0 when complete */
    uint32_t inner_min;    /* s_min for that d; 0 when complete */
    uint32_t apart_max;    /* r*; 0 when complete */
    int32_t guarantee;     /* n_min - A - r* */
    double phantoms;       /* seats without a device that cost all the dropouts (C3) */
    double log2_starved;  /* P[some device keeps fewer than t_v neighbours], dropouts independent at
                             rate max_dropout */
    uint32_t inner_least; /* least t_v - t1 of any device that takes part (t_v <= t2), whatever its
                             D up to 2m: honest neighbours inside a set that is read. What is cut
                             off is too small to be read when r* <= inner_least; 0 when complete */
} graph_bounds;

/* Fills *b. BAD_ROSTER: n outside 3..TACIT_MAX_COHORT. BELOW_FLOOR: a fraction above 1000, or no
 * k_min within n - 1 and TACIT_MAX_NEIGHBOURS, or no m within TACIT_MAX_CYCLES. NO_SPACE: no
 * memory. At most a tenth of a second. */
TACIT_MUST_CHECK tacit_status graph_bounds_make(graph_bounds *b, uint32_t n, uint32_t max_colluding,
                                                uint32_t max_dropout);

#endif
