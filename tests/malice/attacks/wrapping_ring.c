/* SPDX-License-Identifier: Apache-2.0
 * wrapping_ring.c - a careful operator asks for much privacy: the noise of a small cohort is then
 * large. If the plan's ring is too narrow for it, numbers of the sum run over the edge and come out
 * at the other end, off by 2^bits, and nothing in the protocol can see it: the sum is signed,
 * receipted and learnt from. The width is chosen from the noise and the greatest sum there may be.
 */
#include "common/ring.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, DIMS = 1024 };

/* Numbers of the delivered sum that are not what the devices' integers add up to. */
static uint32_t count_wrong(const rig *r) {
    const uint32_t *sum = cohort_sum(r->f.cohort);
    uint32_t wrong = 0;
    assert_non_null(sum);
    for (uint32_t i = 0; i < DIMS; i++) {
        int64_t plain = 0;
        for (uint32_t d = 0; d < N; d++) plain += (int32_t)r->f.devices[d].update[i];
        wrong += tacit_ring_centre(sum[i], r->f.plan.bits) != plain;
    }
    return wrong;
}

static bool wins(const char **why) {
    const tacit_run_spec run = {
        .epsilon = 0.034, .delta = 1e-5, .sums = 1, .grow = 1, .dims = {DIMS}, .n = N};
    tacit_run_budget budget;
    rig r;
    float x[DIMS];
    assert_int_equal(tacit_calibrate(&budget, &run, false), TACIT_OK);
    const federation_spec spec = {
        .device_count = N, .dims = DIMS, .bits = (uint8_t)budget.bits[0], .seed = 49};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    for (uint32_t i = 0; i < N; i++) {
        memset(x, 0, sizeof x);
        rig_contribute(&r, i, x, &budget.mechanism[0]);
    }
    rig_finish_until(&r, COHORT_DONE);
    *why = r.f.plan.bits == 20 ? "20 bits hold the sum" : "?";
    bool won = count_wrong(&r) > 0;
    rig_free(&r);
    return won;
}

const malice_attack malice_wrapping_ring = {
    .finding = "M3",
    .attack = "a sum with much noise runs over the edge of its ring and is delivered as right",
    .check = "tacit_wrap_bits",
    .wins = wins,
};
