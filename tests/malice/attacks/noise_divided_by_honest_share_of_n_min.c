/* SPDX-License-Identifier: Apache-2.0
 * noise_divided_by_honest_share_of_n_min.c - exactly n_min survive, and all colluders are among
 * them: they do not drop out, and they add no noise. If each honest device added mu / ((1 - gamma)
 * n_min), as if colluders dropped out like everybody else, the noise in the sum would be less than
 * the mu that epsilon was computed from. The variances are those the sampler really draws. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 40, GAMMA = 200, DELTA = 250 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    tacit_graph_rule rule;
    rogue_init(&r,
               &(federation_spec){
                   .device_count = N, .max_colluding = GAMMA, .max_dropout = DELTA, .seed = 26});
    rogue_seat(&r, N);
    rogue_settle(&r);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = tacit_graph_rule_init(&rule, N, GAMMA, DELTA, 0);
    uint64_t variance = 0;
    if (st == TACIT_OK) st = rogue_noise_of(&r, rule.n_min - rule.colluders, &variance);
    *why =
        st == TACIT_OK ? "the honest among n_min survivors add at least mu" : tacit_status_name(st);
    bool won = st == TACIT_OK && variance < r.f.plan.mu;
    rogue_free(&r);
    return won;
}

const malice_attack malice_noise_divided_by_honest_share_of_n_min = {
    .finding = "C5",
    .attack = "all colluders survive and add no noise: the sum has less than the plan promised",
    .check = "tacit_plan_noise_share",
    .wins = wins,
};
