/* SPDX-License-Identifier: Apache-2.0
 * noise_divided_by_honest_share_of_n_min.c - colluders are thought to drop out in proportion. */
#include "common/plan.h"

uint64_t tacit_plan_noise_share(const tacit_plan *plan, const tacit_graph_rule *rule) {
    uint64_t honest = (1000 - rule->max_colluding) * rule->n_min;
    return (1000 * plan->mu + honest - 1) / honest;
}
