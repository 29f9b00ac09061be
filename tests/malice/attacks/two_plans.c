/* SPDX-License-Identifier: Apache-2.0
 * two_plans.c - the operator signs two plans of one round. The victim gets the honest one; the
 * others get one whose scale and noise variance are a thousand times smaller, which their budgets
 * allow as well, and which makes their updates and their share of the noise nothing in the sum.
 * What is left in it is the victim's vector, under its own share of the noise alone.
 *
 * Everything hangs on the plan's digest: the joins are signed over it, so the cohort does not take
 * them (nor would the neighbours, tacit_secagg_check_join, when a server looks away), and session
 * and masks follow from it, so that masks under two plans do not cancel. */
#include "common/hadamard.h"
#include "common/ring.h"
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, PHASES = 5 };

/* The first status that is not OK; the joins one by one, to hear what is said of them. */
static tacit_status run(world *w, const fixture_signed_plan *others) {
    const fixture_signed_plan honest = w->plan_bytes;
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        w->plan_bytes = i == 0 ? honest : *others;
        st = world_begin(w, i);
        if (st != TACIT_OK) fail_msg("device %u refuses its plan: %s", i, tacit_status_name(st));
        st = world_send(w, i);
    }
    for (int phase = 0; phase < PHASES && st == TACIT_OK; phase++) {
        if (phase > 0) world_send_all(w, 0);
        world_close(w);
        world_deliver_all(w, 0, (tacit_phase)phase);
        for (uint32_t i = 0; i < N; i++)
            if (w->devices[i].gone) st = TACIT_LEFT;
    }
    return st;
}

/* The sum as the honest plan reads it: the victim's whole part is in it, and what else is in it is
 * less than half of the noise that plan promises, let alone six other updates. */
static bool stands_alone(const world *w) {
    const uint32_t *words = cohort_sum(w->cohort);
    const float *said = w->devices[0].said;
    uint32_t dims = w->plan.dims;
    double along = 0, square = 0, rest = 0;
    double promised = 2 * (double)w->plan.mu * dims / (w->plan.scale * w->plan.scale);
    double *sum = malloc(dims * sizeof *sum);
    assert_non_null(sum);
    for (uint32_t j = 0; j < dims; j++)
        sum[j] = tacit_ring_centre(words[j], w->plan.bits) / w->plan.scale;
    tacit_unrotate_f64(sum, dims, w->plan.rotation_seed);
    for (uint32_t j = 0; j < dims; j++) {
        double mine = (double)said[j], other = sum[j] - mine;
        along += sum[j] * mine;
        square += mine * mine;
        rest += other * other;
    }
    free(sum);
    return along > square / 2 && rest < promised / 2;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    tacit_plan quiet = w.plan;
    quiet.scale = 1;
    quiet.mu = 16;
    const fixture_signed_plan others = fixture_plan_sign(&w.keys, &quiet);
    tacit_status st = run(&w, &others);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && stands_alone(&w);
    world_free(&w);
    return won;
}

const malice_attack malice_two_plans = {
    .finding = "H4",
    .attack = "all but one device get a plan that silences them and their noise; one is read",
    .check = "tacit_plan_digest",
    .wins = wins,
};
