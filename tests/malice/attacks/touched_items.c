/* SPDX-License-Identifier: Apache-2.0
 * touched_items.c - a perfect sum and still a leak: most people touch few items, so where only one
 * of a cohort did, the numbers of the sum are that one's. If noise were put only on the numbers a
 * device has something to say about (it is cheaper, and the totals look as noisy as they should),
 * the zeros of the sum would draw the list of touched items. Every device adds noise to every
 * number, and before that spreads its statistics over all of them. */
#include "common/hadamard.h"
#include "common/ring.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, ITEMS = 64, TOUCHED = 4 };
static const uint32_t touched[TOUCHED] = {5, 23, 24, 60};

/* Whether the TOUCHED greatest of these numbers are those of the touched items, and only they. */
static bool shows(const double *sum) {
    double least = 1e30, most = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        bool is = false;
        for (uint32_t k = 0; k < TOUCHED; k++) is |= touched[k] == i;
        double size = sum[i] < 0 ? -sum[i] : sum[i];
        if (is && size < least) least = size;
        if (!is && size > most) most = size;
    }
    return least > most;
}

/* The attacker reads the sum as it stands and with the rotation taken off. */
static bool reads_items(const rig *r) {
    const uint32_t *sum = cohort_sum(r->f.cohort);
    double x[ITEMS];
    assert_non_null(sum);
    for (uint32_t i = 0; i < ITEMS; i++) x[i] = tacit_ring_centre(sum[i], r->f.plan.bits);
    if (shows(x)) return true;
    tacit_unrotate_f64(x, ITEMS, r->f.plan.rotation_seed);
    return shows(x);
}

static bool wins(const char **why) {
    const tacit_run_spec run = {
        .epsilon = 1, .delta = 1e-5, .sums = 1, .grow = 1, .dims = {ITEMS}, .n = N};
    tacit_run_budget budget;
    rig r;
    assert_int_equal(tacit_calibrate(&budget, &run, false), TACIT_OK);
    const federation_spec spec = {
        .device_count = N, .dims = ITEMS, .bits = (uint8_t)budget.bits[0], .seed = 50};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    for (uint32_t i = 0; i < N; i++) {
        float x[ITEMS] = {0};
        for (uint32_t k = 0; k < TOUCHED && i == 0; k++) x[touched[k]] = 0.49f;
        rig_contribute(&r, i, x, &budget.mechanism[0]);
    }
    rig_finish_until(&r, COHORT_DONE);
    *why = "the noise stands on every number";
    bool won = reads_items(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_touched_items = {
    .finding = "Sparse leakage",
    .attack = "where a sum is zero nobody touched the item: one person's list of items is read",
    .check = "tacit_update_words",
    .wins = wins,
};
