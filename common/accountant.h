/* SPDX-License-Identifier: Apache-2.0
 * accountant.h - Renyi differential privacy of what a device sends, composition and conversion.
 *
 * Unit: one device. Adjacency: zero-out (that device contributes null + noise); for replacement
 * double both sensitivities. Sources: Skellam bound, Agarwal-Kairouz-Liu 2021 Thm 3.5; sensitivity
 * of conditional rounding, Kairouz-Liu-Steinke 2021; RDP -> (epsilon, delta),
 * Canonne-Kamath-Steinke 2020 Prop. 12 (same as the improved bound of dp_accounting). No
 * amplification by sampling. */
#ifndef TACIT_COMMON_ACCOUNTANT_H
#define TACIT_COMMON_ACCOUNTANT_H

#include "common/base.h"

/* The grid of integer orders every RDP curve is kept on: 2..128 and 256. */
enum { TACIT_ORDER_COUNT = 128 };
uint32_t tacit_order(size_t index); /* index < TACIT_ORDER_COUNT */

/* ---- Sensitivity of the rounded integer vector ------------------------------------------------
 */
/* min{ x + sqrt d, sqrt(x^2 + d/4 + sqrt(2 ln(1/beta)) (x + sqrt(d)/2)) }, x = scale * clip,
 * beta = exp(-1/2); beta = 0 gives the first term alone. */
double tacit_sensitivity_l2(double scale, double clip, uint32_t dims, double beta);
/* l2 * min(sqrt d, l2). */
double tacit_sensitivity_l1(double l2, uint32_t dims);

/* ---- One release ------------------------------------------------------------------------------
 */
/* Skellam noise of total variance mu on integers with the given sensitivities:
 * rdp(a) = a l2^2/(2 mu) + min{ ((2a - 1) l2^2 + 6 l1)/(4 mu^2), 3 l1/(2 mu) }. Infinity for mu 0.
 */
double tacit_rdp_skellam(double order, double l2, double l1, double mu);
/* a * sensitivity^2 / (2 sigma^2); sigma 0 gives infinity. */
double tacit_rdp_gaussian(double order, double sensitivity, double sigma);

/* ---- Conversion
 * --------------------------------------------------------------------------------*/
/* epsilon(delta) = min over the given orders of rdp + ln(1 - 1/a) - ln(delta a)/(a - 1), floored at
 * 0. orders > 1. *best (may be NULL) receives the minimising order. count >= 1. */
double tacit_rdp_epsilon(const double *orders, const double *rdp, size_t count, double delta,
                         double *best);
/* delta(epsilon) = min over orders of exp((a-1)(rdp - eps + ln(1-1/a)) - ln a), at most 1 and at
 * most sqrt(1 - e^-rdp). */
double tacit_rdp_delta(const double *orders, const double *rdp, size_t count, double epsilon);
/* The same on the library's grid. */
double tacit_grid_epsilon(const double rdp[static TACIT_ORDER_COUNT], double delta, double *best);
/* Filter cap B(a) of one grid order: the largest summed RDP that still converts to epsilon at
 * delta by that order alone; negative caps are returned as 0 (Renyi filter, security.md H7). */
double tacit_filter_cap(uint32_t order, double epsilon, double delta);

/* zCDP: delta(rho, epsilon) and rho(epsilon, delta) by the Canonne-Kamath-Steinke bound over real
 * orders: the (eps, rho) table of algorithm.md section 3. */
double tacit_zcdp_delta(double rho, double epsilon);
double tacit_zcdp_rho(double epsilon, double delta);
/* Exact epsilon of one Gaussian release with noise multiplier sigma (sensitivity 1), by bisection
 * of delta(eps) = Phi(1/(2 sigma) - eps sigma) - e^eps Phi(-1/(2 sigma) - eps sigma). */
double tacit_gaussian_epsilon(double sigma, double delta);

/* ---- The mechanism of one update --------------------------------------------------------------
 */
typedef struct {
    double scale;       /* grid units per unit of the clipped vector (clip norm 1) */
    uint32_t dims;      /* padded length d */
    uint64_t mu;        /* variance of the sum's Skellam noise the plan promises, grid units^2 */
    double l2, l1;      /* inflated sensitivities, grid units */
    uint32_t l2_max;    /* floor(l2): bound on each |q_i| */
    uint64_t l2_sq_max; /* floor(l2^2): bound on sum q_i^2 */
} tacit_mechanism;

/* Fills the derived fields. INVALID_ARGUMENT unless scale is finite in [1, 2^20], dims a power of
 * two in 1..TACIT_MAX_DIMS and mu in 1..2^50, and l2_max <= 2^21. */
TACIT_MUST_CHECK tacit_status tacit_mechanism_init(tacit_mechanism *m, double scale, uint32_t dims,
                                                   uint64_t mu);
/* Adds the mechanism's RDP to rdp on the grid; `sensitivity_factor` 1 for zero-out, 2 for
 * replacement. */
void tacit_mechanism_charge(double rdp[static TACIT_ORDER_COUNT], const tacit_mechanism *m,
                            double sensitivity_factor);

/* What the protocol itself may fail by, kept back from delta on both sides (security H7): for each
 * of at most TACIT_PERIOD_COHORTS cohorts of a period 2^-40 (graph) and 2^-56 (the sampler's total
 * variation: 2^-98 a draw, at most 2^20 coordinates of 255 draws, at most 10000 devices whose
 * shares make up the noise). */
enum { TACIT_PERIOD_COHORTS = 1024 };
#define TACIT_COHORT_DELTA (0x1p-40 + 0x1p-56)
#define TACIT_PROTOCOL_DELTA (TACIT_PERIOD_COHORTS * TACIT_COHORT_DELTA)

/* ---- Planning a run of sums (server) ----------------------------------------------------------
 */
enum { TACIT_MAX_SUMS = 16 };

typedef struct {
    double epsilon, delta;         /* of the whole run, per device, zero-out */
    uint32_t sums;                 /* T: secure sums in the run, 1..TACIT_MAX_SUMS */
    double grow;                   /* budget growth per gradient sum: g_t prop. grow^t */
    double counts_share;           /* f_cnt: budget share of the counts block in sum 1 */
    uint32_t dims[TACIT_MAX_SUMS]; /* padded length of each sum's vector */
    uint32_t n;                    /* planned roster size */
    double
        sum_norm[TACIT_MAX_SUMS]; /* public guess of the norm of the plain sum; 0: worst case n */
} tacit_run_spec;

typedef struct {
    double rho; /* total zCDP-like budget found by bisection on the Skellam curve */
    double counts_weight[TACIT_MAX_SUMS];   /* a_c */
    double gradient_weight[TACIT_MAX_SUMS]; /* a_b; a_c^2 + a_b^2 = 1 */
    double sigma[TACIT_MAX_SUMS]; /* noise std per number of the unit-clip vector: sqrt(mu)/scale */
    uint32_t bits[TACIT_MAX_SUMS]; /* ring width: 16, 20, 24 or 32 */
    tacit_mechanism mechanism[TACIT_MAX_SUMS];
} tacit_run_budget;

/* Calibrates scale (algorithm.md section 7, tol 0.02), mu (least integer) and bits (security.md:
 * smallest of 16, 20, 24, 32 with 2^(b-1) >= 6.5 sd, sd of M3, counting noise n mu / h at most
 * 2 mu) so that the composition of all sums satisfies (epsilon, delta) on the grid. T = sums;
 * sums_gradient is false only for the counts-only (CONTENT) run, where a_c = 1, a_b = 0.
 * INVALID_ARGUMENT for a budget outside epsilon (0, 100], delta (0, 0.01], or when no ring width
 * suffices. */
TACIT_MUST_CHECK tacit_status tacit_calibrate(tacit_run_budget *out, const tacit_run_spec *spec,
                                              bool sums_gradient);

/* Wrap distance z of security.md M3: 2^(bits-1) / sqrt(sum_norm_grid^2 / dims + noise + n / 4). */
double tacit_wrap_z(uint32_t bits, double sum_norm_grid, uint32_t dims, double noise_variance,
                    uint32_t n);
/* Least ring width (16, 20, 24 or 32) with a wrap distance of at least 6.5; 0 when none has it. */
uint32_t tacit_wrap_bits(double sum_norm_grid, uint32_t dims, double noise_variance, uint32_t n);

#endif
