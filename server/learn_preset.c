/* SPDX-License-Identifier: Apache-2.0
 * learn_preset.c - the table of presets, the public rule that picks one, and what is learned from
 * counts alone.
 *
 * The table is part of the algorithm: a plan names a preset before any data is touched, so nothing
 * here looks at data. The numbers were tuned once on public data; docs/ALGORITHM.md says what each
 * of them does. */
#include "server/solve.h"

#include <math.h>

enum { PRESET_COUNT = PRESET_CENTRAL + 1 };

/* The kappa rule: from these values on, HI, LO, LO50; below, CONTENT. */
static const double kappa_floor[] = {3000.0, 1200.0, 400.0};

static const learn_params presets[PRESET_COUNT] = {
    [PRESET_HI] = {.k = 24,
                   .sums = 3,
                   .gradient_sums = 3,
                   .grow = 2.0,
                   .a0 = 0.5,
                   .a0_final = 0.7,
                   .item_ridge = 1e-3,
                   .user_ridge = 0.6,
                   .user_ridge_final = 2.0,
                   .user_ridge_exponent = 0.7,
                   .history_floor = 10.0,
                   .leave_one_out = 0.5,
                   .class_share = 0.45,
                   .gram_power = 0.3,
                   .feature_scale = 0.3,
                   .counts_share = 0.05,
                   .log_counts = true,
                   .feature_ridge = 0.5,
                   .weight_norm = 1.2,
                   .eb_iterations = 5,
                   .content_scale = 0.03},
    [PRESET_LO] = {.k = 16,
                   .sums = 1,
                   .gradient_sums = 1,
                   .grow = 2.0, /* has no say with one sum */
                   .a0 = 0.5,
                   .a0_final = 0.5,
                   .item_ridge = 1e-4,
                   .user_ridge = 0.6,
                   .user_ridge_final = 1.0,
                   .user_ridge_exponent = 0.0,
                   .history_floor = 10.0,
                   .leave_one_out = 0.5,
                   .class_share = 0.45,
                   .gram_power = 1.0,
                   .feature_scale = 0.4,
                   .counts_share = 0.15,
                   .log_counts = false,
                   .feature_ridge = 0.1,
                   .weight_norm = 1.2,
                   .eb_iterations = 5,
                   .content_scale = 0.03},
    [PRESET_CENTRAL] = {.k = 64,
                        .sums = 6,
                        .gradient_sums = 6,
                        .grow = 1.0,
                        .a0 = 1.0,
                        .a0_final = 1.0,
                        .item_ridge = 3e-4,
                        .user_ridge = 3.0,
                        .user_ridge_final = 3.0,
                        .user_ridge_exponent = 0.5,
                        .history_floor = 50.0,
                        .leave_one_out = 0.5,
                        .class_share = 0.5,
                        .gram_power = 1.0,
                        .feature_scale = 0.3,
                        /* There is no budget to share without noise; any value in (0, 1) only
                         * weights the blocks, and zero would drop the counts. */
                        .counts_share = 0.05,
                        .log_counts = true,
                        .feature_ridge = 0.1,
                        .weight_norm = 1.2,
                        .eb_iterations = 5,
                        .content_scale = 0.03},
};

learn_params learn_params_of(learn_preset preset) {
    assert((unsigned)preset < PRESET_COUNT);
    learn_params p = presets[preset];
    if (preset == PRESET_LO50 || preset == PRESET_CONTENT) p = presets[PRESET_LO];
    if (preset == PRESET_LO50) p.counts_share = 0.5;
    if (preset == PRESET_CONTENT) { /* one sum of counts, the features stand in for factors */
        p.k = 0;
        p.gradient_sums = 0;
        p.counts_share = 1.0;
        p.history_floor = 5.0;
    }
    return p;
}

const char *learn_preset_name(learn_preset preset) {
    static const char *const names[PRESET_COUNT] = {
        [PRESET_HI] = "HI",           [PRESET_LO] = "LO",           [PRESET_LO50] = "LO50",
        [PRESET_CONTENT] = "CONTENT", [PRESET_CENTRAL] = "CENTRAL",
    };
    return (unsigned)preset < PRESET_COUNT ? names[preset] : "unknown";
}

learn_preset learn_preset_choose(double n, double rho, double cohorts, double *kappa) {
    double value = n * sqrt(2.0 * rho) / sqrt(cohorts);
    if (kappa != NULL) *kappa = value;
    if (value >= kappa_floor[0]) return PRESET_HI;
    if (value >= kappa_floor[1]) return PRESET_LO;
    if (value >= kappa_floor[2]) return PRESET_LO50;
    return PRESET_CONTENT; /* also when a number is not one */
}

/* The comparisons are written so that a NaN in y survives into c and the weight, where learn_step
 * refuses it, instead of becoming a plausible floor. */
void learn_counts(double *c, double *weight, const double *y, size_t item_count, double noise_std,
                  double n, const learn_params *p) {
    double floor_count = noise_std / 2.0 < 1e-3 ? 1e-3 : noise_std / 2.0;
    double total = 0.0;
    for (size_t i = 0; i < item_count; i++) {
        total += y[i];
        c[i] = y[i] < floor_count ? floor_count : y[i];
    }
    *weight = p->weight_norm * n * n / (total < n ? n : total);
}

void learn_content_bias(double *b, const double *c, size_t item_count, double weight,
                        const learn_params *p) {
    for (size_t i = 0; i < item_count; i++) b[i] = c[i] / (c[i] + p->a0 * weight);
}
