/* SPDX-License-Identifier: Apache-2.0
 * graph_size.c - the searches for k_min and m, both exact and both linear: a few ms at n = 10000.
 * Floating point is kept to + * / in a fixed order, as in hypergeometric.c, so that device and
 * server find the same m. It holds no table and remembers nothing between calls. */
#include "common/graph_size.h"

#include "common/graph.h"

uint32_t tacit_graph_degree_min(uint32_t n, uint32_t colluders, uint32_t dropouts) {
    assert(n >= 3 && n <= TACIT_MAX_COHORT && colluders <= n && dropouts <= n);
    uint32_t last = n - 1 < TACIT_MAX_NEIGHBOURS ? n - 1 : TACIT_MAX_NEIGHBOURS;
    for (uint32_t k = 2; k <= last; k += 2) {
        if (!tacit_graph_connected(n, colluders, dropouts, k)) continue;
        uint32_t threshold = (k + tacit_graph_t1(n, colluders, k)) / 2 + 1;
        if (threshold <= tacit_graph_t2(n, n - dropouts, k)) return k;
    }
    return 0;
}

/* The distribution of the number of distinct neighbours, cut at `degree`: p[q] for first <= q <
 * degree; whatever reaches `degree` has left for good. */
typedef struct {
    double p[TACIT_MAX_NEIGHBOURS];
    uint32_t first;
} distinct;

/* One neighbour drawn among `others` vertices that can come; `excluded` of the known ones cannot
 * (0 for a cycle's first neighbour; 1 for its second, which is not the first again). A draw after q
 * distinct neighbours is new with probability (n - 1 - q) / others. */
static void draw(distinct *d, uint32_t n, uint32_t degree, uint32_t others, uint32_t excluded) {
    for (uint32_t q = degree - 1; q > d->first; q--) {
        double stay = d->p[q] * (double)(q - excluded);
        double come = d->p[q - 1] * (double)(n - q);
        d->p[q] = (stay + come) / (double)others;
    }
    uint32_t q = d->first;
    d->p[q] = q < excluded ? 0.0 : d->p[q] * (double)(q - excluded) / (double)others;
}

uint32_t tacit_graph_cycles_min(uint32_t n, uint32_t degree) {
    assert(n >= 3 && n <= TACIT_MAX_COHORT);
    assert(degree >= 1 && degree <= TACIT_MAX_NEIGHBOURS && degree < n);
    distinct d = {.first = 0};
    d.p[0] = 1.0;
    for (uint32_t cycles = 1; cycles <= TACIT_MAX_CYCLES; cycles++) {
        draw(&d, n, degree, n - 1, 0);
        draw(&d, n, degree, n - 2, 1);
        /* Terms below 2^-500 decide nothing and would soon be slow subnormals: dropped. */
        while (d.first + 1 < degree && d.p[d.first] < 0x1p-500) d.first++;
        double below = 0.0;
        for (uint32_t q = d.first; q < degree; q++) below += d.p[q];
        if (below * (double)n * 0x1p20 <= 1.0) return cycles;
    }
    return 0;
}
