/* SPDX-License-Identifier: Apache-2.0
 * fixed_threshold_on_cycles.c - one (k, t) for all, from the table. */
#include "common/graph.h"

tacit_status tacit_graph_threshold(const tacit_graph_rule *rule, uint32_t degree,
                                   uint32_t *threshold) {
    uint32_t k = rule->degree_min;
    (void)degree;
    *threshold = (k + tacit_graph_t1(rule->n, rule->colluders, k)) / 2 + 1;
    return TACIT_OK;
}
