/* SPDX-License-Identifier: Apache-2.0
 * double_reveal.c - one more than the colluders among the neighbours. */
#include "common/graph.h"

tacit_status tacit_graph_threshold(const tacit_graph_rule *rule, uint32_t degree,
                                   uint32_t *threshold) {
    *threshold = tacit_graph_t1(rule->n, rule->colluders, degree) + 1;
    return TACIT_OK;
}
