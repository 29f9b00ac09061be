/* SPDX-License-Identifier: Apache-2.0
 * history_over_the_bound.c - the noise is measured out for vectors of square norm at most
 * floor(D2^2). Here the update lies where rounding adds most: every coordinate half way between two
 * integers, the norm just below the clip. The server offers round after round; without the exact
 * check some vectors come out longer than the accountant ever allowed for, and the epsilon the
 * ledger charges for them is too small. */
#include <math.h>

#include "common/hadamard.h"
#include "firmware/update.h"
#include "tests/malice/malice.h"

enum { DIMS = 1024, ROUNDS = 400 };

/* The vector that becomes (1/2, 1/2, ...) on the grid once it is rotated. */
static void worst_case(float *x, const tacit_plan *plan) {
    double y[DIMS];
    for (uint32_t i = 0; i < DIMS; i++) y[i] = 0.5 / plan->scale * (1 - 1e-5);
    tacit_unrotate_f64(y, DIMS, plan->rotation_seed);
    for (uint32_t i = 0; i < DIMS; i++) x[i] = (float)y[i];
}

static bool wins(const char **why) {
    federation f;
    tacit_mechanism m;
    tacit_prng prng;
    static float x[DIMS];
    static int32_t q[DIMS];
    federation_init_plan(&f, &(federation_spec){.device_count = 9, .dims = DIMS, .seed = 25});
    f.plan.scale = 0.5 * sqrt(DIMS);
    tacit_status st = tacit_plan_mechanism(&m, &f.plan);
    tacit_prng_init_seed(&prng, 25, 0);
    uint32_t longer = 0, null = 0;
    for (int round = 0; round < ROUNDS && st == TACIT_OK; round++) {
        uint64_t sum = 0;
        worst_case(x, &f.plan);
        if (!tacit_update_clip(x, DIMS)) null++;
        st = tacit_update_quantise(q, x, &f.plan, &prng);
        for (uint32_t i = 0; i < DIMS; i++) sum += (uint64_t)((int64_t)q[i] * q[i]);
        longer += sum > m.l2_sq_max;
    }
    *why = st != TACIT_OK
               ? tacit_status_name(st)
               : "every vector keeps sum q_i^2 <= floor(D2^2): longer ones are drawn again";
    return longer > 0 && null == 0;
}

const malice_attack malice_history_over_the_bound = {
    .finding = "H5",
    .attack =
        "an update where rounding adds most leaves longer than what the accountant charges for",
    .check = "tacit_rounding_check",
    .wins = wins,
};
