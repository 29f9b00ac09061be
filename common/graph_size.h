/* SPDX-License-Identifier: Apache-2.0
 * graph_size.h - how large a graph of cycles must be: the two searches behind
 * tacit_graph_rule_init. Plain numbers of security B without any policy: which n and fractions may
 * be used at all is decided by tacit_graph_rule_init, and nothing else in the protocol calls this.
 */
#ifndef TACIT_COMMON_GRAPH_SIZE_H
#define TACIT_COMMON_GRAPH_SIZE_H

#include "common/base.h"

/* k_min: the least even k <= min(n - 1, TACIT_MAX_NEIGHBOURS) that passes (1)-(4); 0 when none
 * does. Every even k is tried in turn, for passing is not monotone in k. n in 3..TACIT_MAX_COHORT,
 * colluders <= n, dropouts <= n. */
uint32_t tacit_graph_degree_min(uint32_t n, uint32_t colluders, uint32_t dropouts);

/* m: the least number of random Hamiltonian cycles on n vertices after which one vertex has fewer
 * than `degree` distinct neighbours with probability <= 2^-20 / n; 0 when TACIT_MAX_CYCLES do not
 * suffice. 1 <= degree <= TACIT_MAX_NEIGHBOURS, degree < n. */
uint32_t tacit_graph_cycles_min(uint32_t n, uint32_t degree);

#endif
