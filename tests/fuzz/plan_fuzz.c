/* SPDX-License-Identifier: Apache-2.0
 * plan_fuzz.c - any 512 bytes as a plan (shorter input ends in zeros). What decodes encodes to the
 * same bytes, keeps the promises of plan.h, and its floors agree with the rule at both ends of the
 * rosters it allows. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

#include "common/plan.h"

static void check_promises(const tacit_plan *p) {
    tacit_mechanism m;
    REQUIRE(tacit_plan_mechanism(&m, p) == TACIT_OK);
    REQUIRE(m.dims == p->dims && isfinite(m.l2) && m.l2 >= p->scale);
    REQUIRE(p->n_lo >= 3 && p->n_lo <= p->n_hi && p->n_hi <= TACIT_MAX_COHORT);
    REQUIRE(p->join_until_s - p->opens_s <= TACIT_JOIN_PHASE_MAX_S);
    REQUIRE((uint64_t)p->slice_start + p->slice_count <= p->item_count);
    REQUIRE(tacit_plan_vector_count(p) >= 1 && tacit_plan_vector_count(p) <= p->dims);
    REQUIRE(tacit_plan_padded(tacit_plan_vector_count(p)) <= p->dims);
    REQUIRE(p->cohort_count == 1 && p->epsilon > 0 && p->delta > 0 && p->delta <= 0.01);
}

static void check_floors(const tacit_plan *p) {
    const char *what = NULL;
    tacit_status st = tacit_plan_check_floors(p, &what, &tacit_floors_shipped);
    REQUIRE((st == TACIT_OK) == (what == NULL));
    const uint32_t ends[2] = {p->n_lo, p->n_hi};
    for (size_t i = 0; i < 2 && st == TACIT_OK; i++) {
        tacit_graph_rule rule;
        REQUIRE(tacit_plan_rule(&rule, p, ends[i], &tacit_floors_shipped) == TACIT_OK);
        REQUIRE(rule.honest >= tacit_floors_shipped.honest && 2 * rule.honest >= ends[i]);
        uint64_t share = tacit_plan_noise_share(p, &rule);
        REQUIRE(share >= 1 && share * rule.honest >= p->mu);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t encoded[TACIT_PLAN_LEN] = {0}, again[TACIT_PLAN_LEN];
    tacit_plan plan;
    const char *what = NULL;
    if (size > 0) memcpy(encoded, data, size < sizeof encoded ? size : sizeof encoded);
    tacit_status st = tacit_plan_decode(&plan, &what, encoded);
    REQUIRE((st == TACIT_OK) == (what == NULL));
    if (st != TACIT_OK) {
        REQUIRE(st == TACIT_BAD_PLAN || st == TACIT_BAD_VERSION);
        return 0;
    }
    tacit_plan_encode(again, &plan);
    REQUIRE(memcmp(again, encoded, sizeof again) == 0);
    check_promises(&plan);
    check_floors(&plan);
    return 0;
}
