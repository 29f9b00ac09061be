/* SPDX-License-Identifier: Apache-2.0
 * calibrate.c - from (epsilon, delta) and the shapes of the sums to scales, variances and widths.
 *
 * One number, rho, sets everything: shares of rho give each sum its noise per number, that gives
 * the grid, the grid gives the integer sensitivity, and noise times sensitivity gives mu. rho is
 * found by bisection on what the finished integer mechanisms cost together, so rounding, inflation
 * and the Skellam correction are paid for, not assumed away. What it refuses: budgets that no order
 * of the grid can meet and vectors that no ring width holds. */
#include "common/accountant.h"

#include <math.h>

static const double TOLERANCE = 0.02; /* of the variance lost to the grid (algorithm, section 7) */
static const double MAX_SCALE = 1 << 20;
/* Part of epsilon left unspent: who adds the charges up in another order, or rounds each of them
 * up, still finds them inside the budget. */
static const double MARGIN = 1e-6;
enum { STEPS = 200 };

static bool check_spec(const tacit_run_spec *spec, bool sums_gradient) {
    if (!(spec->epsilon > 0 && spec->epsilon <= 100)) return false;
    if (!(spec->delta > 0 && spec->delta <= 0.01)) return false;
    if (spec->sums < 1 || spec->sums > TACIT_MAX_SUMS || spec->n < 1) return false;
    if (!sums_gradient && spec->sums != 1) return false;
    if (!(spec->grow >= 1e-3 && spec->grow <= 1e3)) return false;
    if (!(spec->counts_share >= 0 && spec->counts_share < 1) && sums_gradient) return false;
    for (uint32_t t = 0; t < spec->sums; t++) {
        if (!(spec->sum_norm[t] >= 0 && spec->sum_norm[t] <= 1e12)) return false;
    }
    return true;
}

/* Parts of rho that each sum takes, and the block weights: algorithm section 3, point 3. */
static void share(tacit_run_budget *out, double parts[static TACIT_MAX_SUMS],
                  const tacit_run_spec *spec, bool sums_gradient) {
    double grown[TACIT_MAX_SUMS], total = 0, g = 1;
    for (uint32_t t = 0; t < spec->sums; t++, g *= spec->grow) total += grown[t] = g;
    for (uint32_t t = 0; t < spec->sums; t++) {
        double counts = t == 0 ? spec->counts_share : 0;
        double gradient = (1 - spec->counts_share) * grown[t] / total;
        if (!sums_gradient) {
            counts = 1;
            gradient = 0;
        }
        parts[t] = counts + gradient;
        out->counts_weight[t] = sqrt(counts / parts[t]);
        out->gradient_weight[t] = sqrt(gradient / parts[t]);
    }
}

/* The mechanism of one sum whose noise has standard deviation sigma per number of a unit vector. */
static tacit_status build(tacit_mechanism *m, uint32_t dims, uint32_t n, double sigma) {
    double scale = sqrt(fmax(dims / 4.0, n / (6 * sigma * sigma)) / TOLERANCE);
    scale = fmin(scale, MAX_SCALE);
    tacit_status status = tacit_mechanism_init(m, scale, dims, 1); /* for the sensitivity */
    if (status != TACIT_OK) return status;
    double std = sigma * m->l2, mu = ceil(std * std);
    if (!(mu <= 0x1p50)) return TACIT_INVALID_ARGUMENT;
    m->mu = (uint64_t)fmax(mu, 1);
    return TACIT_OK;
}

/* Builds every mechanism for a total of rho; true when together they stay inside the budget. */
static bool afford(tacit_run_budget *out, const double parts[static TACIT_MAX_SUMS],
                   const tacit_run_spec *spec, double rho) {
    double rdp[TACIT_ORDER_COUNT] = {0};
    for (uint32_t t = 0; t < spec->sums; t++) {
        tacit_mechanism *m = &out->mechanism[t];
        double sigma = 1 / sqrt(2 * rho * parts[t]);
        if (build(m, spec->dims[t], spec->n, sigma) != TACIT_OK) return false;
        out->sigma[t] = sqrt((double)m->mu) / m->scale;
        tacit_mechanism_charge(rdp, m, 1);
    }
    out->rho = rho;
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) { /* the same question a device's filter asks */
        double cap = tacit_filter_cap(tacit_order(i), spec->epsilon * (1 - MARGIN), spec->delta);
        if (rdp[i] <= cap) return true;
    }
    return false;
}

/* The greatest norm sum t is expected to have, in grid units. */
static double norm_on_grid(const tacit_mechanism *m, const tacit_run_spec *spec, uint32_t t) {
    double norm = spec->n * m->l2; /* everybody sends the same vector */
    return spec->sum_norm[t] > 0 ? fmin(norm, spec->sum_norm[t] * m->scale) : norm;
}

tacit_status tacit_calibrate(tacit_run_budget *out, const tacit_run_spec *spec,
                             bool sums_gradient) {
    double parts[TACIT_MAX_SUMS] = {0};
    memset(out, 0, sizeof *out);
    if (!check_spec(spec, sums_gradient)) return TACIT_INVALID_ARGUMENT;
    share(out, parts, spec, sums_gradient);
    /* Gaussian noise over real orders is cheaper than Skellam noise on the grid, so its rho (twice
     * that, to be sure) is above the answer. Too small a rho needs noise beyond any mechanism. */
    double hi = fmax(2 * tacit_zcdp_rho(spec->epsilon, spec->delta), 1e-6), lo = hi;
    int halvings = 0;
    while (!afford(out, parts, spec, lo)) {
        if (++halvings > 40) return TACIT_INVALID_ARGUMENT;
        hi = lo;
        lo /= 2;
    }
    for (int i = 0; i < STEPS && hi - lo > lo * 1e-15; i++) {
        double mid = lo + (hi - lo) / 2;
        if (afford(out, parts, spec, mid)) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    if (!afford(out, parts, spec, lo)) return TACIT_INTERNAL; /* it was affordable a moment ago */
    for (uint32_t t = 0; t < spec->sums; t++) {
        const tacit_mechanism *m = &out->mechanism[t];
        out->bits[t] =
            tacit_wrap_bits(norm_on_grid(m, spec, t), m->dims, 2 * (double)m->mu, spec->n);
        if (out->bits[t] == 0) return TACIT_INVALID_ARGUMENT;
    }
    return TACIT_OK;
}
