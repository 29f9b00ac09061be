/* SPDX-License-Identifier: Apache-2.0
 * graph.h - the one room that knows who is whose neighbour and which thresholds hold.
 * Normative source: docs of the protocol, security.md C5, C6 and section B (hypergeometric rule,
 * sigma = 80; Hamiltonian cycles with merged edges). Device and server call the same functions and
 * never read m, k or t from each other.
 *
 * Fractions are integers per thousand. Tails are computed with + * / of IEEE doubles only, each
 * term relative to the mode, summed from the far end; compiled without FMA contraction, so both
 * sides agree bit for bit. */
#ifndef TACIT_COMMON_GRAPH_H
#define TACIT_COMMON_GRAPH_H

#include "common/base.h"

/* What follows from (n, max_colluding, max_dropout) alone. */
typedef struct {
    uint32_t n;             /* roster size, 3..TACIT_MAX_COHORT */
    uint32_t max_colluding; /* per thousand */
    uint32_t max_dropout;   /* per thousand */
    uint32_t colluders;     /* A = n * max_colluding / 1000 */
    uint32_t n_min;         /* max(plan floor, n - n * max_dropout / 1000) */
    uint32_t slack;         /* r: 0 on the complete graph, ceil(n / 250) on cycles */
    uint32_t honest;        /* h = n_min - A - r: honest survivors the protocol guarantees */
    uint32_t cycles;        /* m; 0 means the complete graph */
    uint32_t degree_min;    /* k_min on cycles (least even k passing (1)-(4)), n - 1 on complete */
} tacit_graph_rule;

/* On cycles, per thousand. Below 50 dropouts r was never shown to cover r* (security B, which would
 * allow 20 colluders). With fewer than 50 colluders the threshold is hardly above half of the
 * neighbours, and the best bisections known leave the mean device enough of them on its own side
 * for two lists of survivors (docs/GRAPH.md, the weak corner). */
enum { TACIT_CYCLES_MIN_COLLUDING = 50, TACIT_CYCLES_MIN_DROPOUT = 50 };

/* Computes the rule. n_min_floor is the plan's floor (0: none). Refuses with
 *   BAD_ROSTER   n outside 3..TACIT_MAX_COHORT
 *   BELOW_FLOOR  n_min > n; 2h < n (C5); on cycles a fraction above TACIT_CYCLES_MAX_* or below
 *                TACIT_CYCLES_MIN_*, no k or m within TACIT_MAX_CYCLES that satisfies (1)-(4).
 * Costs up to a few milliseconds on cycles (k_min and m searches). */
TACIT_MUST_CHECK tacit_status tacit_graph_rule_init(tacit_graph_rule *rule, uint32_t n,
                                                    uint32_t max_colluding, uint32_t max_dropout,
                                                    uint32_t n_min_floor);

/* The complete graph also above TACIT_COMPLETE_GRAPH_MAX, so that a benchmark can be set beside
 * published systems that have no other. Only a server told so by its caller uses it; the device's
 * path never does (tacit_graph_rule_init and tacit_plan_rule give cycles there or refuse), so no
 * device takes part in such a cohort. Arguments and refusals as above without those of cycles;
 * BAD_ROSTER also above TACIT_MAX_NEIGHBOURS + 1. */
TACIT_MUST_CHECK tacit_status tacit_graph_rule_complete(tacit_graph_rule *rule, uint32_t n,
                                                        uint32_t max_colluding,
                                                        uint32_t max_dropout, uint32_t n_min_floor);

/* t1(n, A, d): least tau with Pr[Hyp(n, A, d) > tau] <= 2^-81 / n on cycles; exactly A (but at most
 * d) on the complete graph, i.e. when d == n - 1. */
uint32_t tacit_graph_t1(uint32_t n, uint32_t colluders, uint32_t degree);

/* t2(n, S, d): greatest tau with Pr[Hyp(n, S, d) < tau] <= 2^-20 / n, S = n - floor(delta n). */
uint32_t tacit_graph_t2(uint32_t n, uint32_t survivors, uint32_t degree);

/* The device's own threshold t_v = floor((d + t1) / 2) + 1 for d distinct neighbours. TOO_FEW when
 * t_v > t2 (the device leaves like a dropout; C6 "parity") or d < 2. */
TACIT_MUST_CHECK tacit_status tacit_graph_threshold(const tacit_graph_rule *rule, uint32_t degree,
                                                    uint32_t *threshold);

/* Condition (4): n(n-k-1)/2 * C(n-k, B-k)/C(n, B) <= 2^-81 with B = A + floor(delta n). */
bool tacit_graph_connected(uint32_t n, uint32_t colluders, uint32_t dropouts, uint32_t degree);

/* The stretched graph seed of a session: x_0 = H('tacit/graph/v1', session), x_{i+1} =
 * H('tacit/graph/v1', x_i), seed = x_16384. About 5 ms: compute once per session. */
void tacit_graph_seed(uint8_t seed[static TACIT_HASH_LEN],
                      const uint8_t session[static TACIT_HASH_LEN]);

/* Scratch for one cycle's permutation: tacit_graph_scratch_count(n) uint16_t (n entries). */
size_t tacit_graph_scratch_count(uint32_t n);

/* Distinct neighbours of device `index`, ascending, into out[cap]; *count says how many. `seed` is
 * not read on the complete graph (may be NULL), nor `scratch` (may be NULL).
 * NO_SPACE when cap is too small (TACIT_MAX_NEIGHBOURS always suffices). */
TACIT_MUST_CHECK tacit_status tacit_graph_neighbours(uint16_t *out, size_t cap, size_t *count,
                                                     const tacit_graph_rule *rule,
                                                     const uint8_t *seed, uint32_t index,
                                                     uint16_t *scratch);

/* The whole graph at once, for the server. Compressed rows: the neighbours of i, ascending, are
 * adjacent[offsets[i]] .. adjacent[offsets[i + 1] - 1]. offsets has n + 1 entries; adjacent must
 * hold tacit_graph_edges_max(rule) entries. Same result as tacit_graph_neighbours for each i. */
size_t tacit_graph_edges_max(const tacit_graph_rule *rule);
TACIT_MUST_CHECK tacit_status tacit_graph_build(uint32_t *offsets, uint16_t *adjacent,
                                                size_t adjacent_cap, const tacit_graph_rule *rule,
                                                const uint8_t *seed, uint16_t *scratch);

#endif
