/* SPDX-License-Identifier: Apache-2.0
 * plan_floors.c - the least privacy a device accepts, whatever a signed plan says (security C5,
 * H7). The floors are asked twice: for every roster size the plan allows before anything is sent,
 * and again at the size the device sees. It takes n_min and h from the graph rule and never from a
 * peer. */
#include "common/floors.h"

const tacit_floors tacit_floors_shipped = {.max_delta = 1e-5,
                                           .n_min = 57,
                                           .honest = 50,
                                           .max_colluding = 50,
                                           .max_dims = TACIT_MAX_DIMS,
                                           .separation_s = 3600};

/* The integers of the graph rule at one n, without its searches for k and m: n_min, and h, or -1
 * when the rule would refuse the n because n_min > n or 2h < n (C5). */
static int64_t honest_at(uint32_t *n_min, const tacit_plan *p, uint32_t n) {
    int64_t least = (int64_t)n - (int64_t)(n * p->max_dropout / 1000);
    if (least < (int64_t)p->n_min_floor) least = p->n_min_floor;
    if (least > (int64_t)n) return -1;
    int64_t slack = n <= TACIT_COMPLETE_GRAPH_MAX ? 0 : (n + 249) / 250;
    int64_t honest = least - (int64_t)(n * p->max_colluding / 1000) - slack;
    *n_min = (uint32_t)least;
    return 2 * honest < (int64_t)n ? -1 : honest;
}

/* Neither h nor 2h - n is monotone in n: a step of n moves n_min by 0 or 1, A by 0 or 1 and r by 0
 * or 1 (at 513 by 3), so h may fall by up to 2 (there by 5), and the worst n may lie anywhere in
 * [n_lo, n_hi]. The integers are cheap, so all of them are looked at. The searches for k_min and m
 * cost milliseconds each and are made at the two ends. They find an answer wherever the integers
 * pass: at n = 513 and n = 10000 for every pair of fractions cycles allow. Should one fail at an n
 * in between, tacit_plan_rule refuses that n once it is seen, before a share leaves the device. */
static const char *check_rosters(const tacit_plan *p, const tacit_floors *f) {
    for (uint32_t n = p->n_lo; n <= p->n_hi; n++) {
        uint32_t n_min;
        int64_t honest = honest_at(&n_min, p, n);
        if (honest < 0) return "plan: too few honest survivors for the protocol";
        const char *wrong = tacit_floors_check_sizes(n_min, (uint32_t)honest, f);
        if (wrong != NULL) return wrong;
    }
    const uint32_t ends[2] = {p->n_lo, p->n_hi};
    for (size_t i = 0; i < 2; i++) {
        tacit_graph_rule rule;
        if (tacit_graph_rule_init(&rule, ends[i], p->max_colluding, p->max_dropout,
                                  p->n_min_floor) != TACIT_OK)
            return "plan: the graph rule refuses its roster size and fractions";
    }
    return NULL;
}

tacit_status tacit_plan_check_floors(const tacit_plan *plan, const char **what,
                                     const tacit_floors *floors) {
    const char *wrong = tacit_floors_check_stated(plan, floors);
    if (wrong == NULL) wrong = check_rosters(plan, floors);
    if (wrong == NULL) return TACIT_OK;
    if (what != NULL) *what = wrong;
    return TACIT_BELOW_FLOOR;
}

tacit_status tacit_plan_rule(tacit_graph_rule *rule, const tacit_plan *plan, uint32_t n,
                             const tacit_floors *floors) {
    if (n < plan->n_lo || n > plan->n_hi) return TACIT_BAD_ROSTER;
    if (tacit_floors_check_stated(plan, floors) != NULL) return TACIT_BELOW_FLOOR;
    tacit_status st =
        tacit_graph_rule_init(rule, n, plan->max_colluding, plan->max_dropout, plan->n_min_floor);
    if (st != TACIT_OK) return st;
    return tacit_floors_check_sizes(rule->n_min, rule->honest, floors) == NULL ? TACIT_OK
                                                                               : TACIT_BELOW_FLOOR;
}

uint64_t tacit_plan_noise_share(const tacit_plan *plan, const tacit_graph_rule *rule) {
    assert(rule->honest >= 1);
    return (plan->mu + rule->honest - 1) / rule->honest;
}
