/* SPDX-License-Identifier: Apache-2.0
 * accountant.c - Renyi curves of one release, their conversion to (epsilon, delta), and the
 * mechanism whose integers the device checks. Planning a whole run is calibrate.c.
 *
 * Every formula is closed or a bisection with a fixed number of steps, so that all builds agree on
 * what a plan costs. Curves live on a fixed grid of integer orders: sums of curves, filters and
 * conversions then never interpolate. What it refuses: to round in the optimistic direction where
 * there is a choice (the bounds of the exact check are floored, bisections return the safe end). */
#include "common/accountant.h"

#include <math.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;
enum {
    GAUSSIAN_STEPS = 200, /* of the searches below: each goes on far beyond double precision */
    ZCDP_STEPS = 200,
    RHO_STEPS = 100,
    MIN_SCALE = 1,
    MAX_SCALE = 1 << 20,
    MAX_L2 = 1 << 21 /* the exact check's range, see rounding.h */
};

uint32_t tacit_order(size_t index) {
    assert(index < TACIT_ORDER_COUNT);
    return index < TACIT_ORDER_COUNT - 1 ? (uint32_t)index + 2 : 256;
}

/* ---- Sensitivity -------------------------------------------------------------------------------
 */

double tacit_sensitivity_l2(double scale, double clip, uint32_t dims, double beta) {
    double x = scale * clip, d = dims, always = x + sqrt(d);
    if (beta <= 0) return always;
    double spread = sqrt(2 * log(1 / beta)) * (x + sqrt(d) / 2);
    return fmin(always, sqrt(x * x + d / 4 + spread));
}

double tacit_sensitivity_l1(double l2, uint32_t dims) { return l2 * fmin(sqrt((double)dims), l2); }

/* ---- One release -------------------------------------------------------------------------------
 */

double tacit_rdp_skellam(double order, double l2, double l1, double mu) {
    if (!(mu > 0)) return INFINITY;
    double sharp = ((2 * order - 1) * l2 * l2 + 6 * l1) / (4 * mu * mu);
    return order * l2 * l2 / (2 * mu) + fmin(sharp, 3 * l1 / (2 * mu));
}

double tacit_rdp_gaussian(double order, double sensitivity, double sigma) {
    if (!(sigma > 0)) return INFINITY;
    return order * sensitivity * sensitivity / (2 * sigma * sigma);
}

/* ---- Conversion --------------------------------------------------------------------------------
 */

/* Below this order the conversion loses its digits; leaving an order out is always sound. */
static const double ORDER_MIN = 1.01;

/* epsilon of one order, which may be negative. */
static double order_epsilon(double order, double rdp, double delta) {
    return rdp + log1p(-1 / order) - log(delta * order) / (order - 1);
}

double tacit_rdp_epsilon(const double *orders, const double *rdp, size_t count, double delta,
                         double *best) {
    double least = INFINITY, least_order = count > 0 ? orders[0] : 0;
    for (size_t i = 0; i < count; i++) {
        double epsilon = INFINITY;
        /* total variation is at most sqrt(1 - e^-rdp), so within delta nothing is left to pay */
        if (delta * delta + expm1(-rdp[i]) > 0) {
            epsilon = 0;
        } else if (orders[i] > ORDER_MIN) {
            epsilon = order_epsilon(orders[i], rdp[i], delta);
        }
        if (epsilon < least) {
            least = epsilon;
            least_order = orders[i];
        }
    }
    if (best) *best = least_order;
    return fmax(least, 0);
}

double tacit_rdp_delta(const double *orders, const double *rdp, size_t count, double epsilon) {
    double least = 0; /* logarithm of delta */
    for (size_t i = 0; i < count; i++) {
        double a = orders[i];
        if (rdp[i] > 0) least = fmin(least, 0.5 * log(-expm1(-rdp[i])));
        if (!(rdp[i] > 0)) return 0; /* identical distributions */
        if (a > ORDER_MIN) {
            least = fmin(least, (a - 1) * (rdp[i] - epsilon + log1p(-1 / a)) - log(a));
        }
    }
    return exp(least);
}

double tacit_grid_epsilon(const double rdp[static TACIT_ORDER_COUNT], double delta, double *best) {
    double orders[TACIT_ORDER_COUNT];
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) orders[i] = tacit_order(i);
    return tacit_rdp_epsilon(orders, rdp, TACIT_ORDER_COUNT, delta, best);
}

double tacit_filter_cap(uint32_t order, double epsilon, double delta) {
    double a = order;
    return fmax(0, epsilon - log1p(-1 / a) + log(delta * a) / (a - 1));
}

/* ---- zCDP and the exact Gaussian ---------------------------------------------------------------
 */

/* ln delta of order 1 + e^x under rho-zCDP (Canonne, Kamath, Steinke 2020, Prop. 12). */
static double zcdp_log_delta(double rho, double epsilon, double x) {
    double a = 1 + exp(x);
    return (a - 1) * (a * rho - epsilon) - log(a - 1) + a * log1p(-1 / a);
}

double tacit_zcdp_delta(double rho, double epsilon) {
    double lo = log(1e-4), hi = log(1e5); /* the objective is unimodal in x */
    for (int i = 0; i < ZCDP_STEPS; i++) {
        double a = lo + (hi - lo) * 0.382, b = lo + (hi - lo) * 0.618;
        if (zcdp_log_delta(rho, epsilon, a) < zcdp_log_delta(rho, epsilon, b)) {
            hi = b;
        } else {
            lo = a;
        }
    }
    return exp(fmin(0, zcdp_log_delta(rho, epsilon, (lo + hi) / 2)));
}

double tacit_zcdp_rho(double epsilon, double delta) {
    double lo = 1e-8, hi = 100;
    for (int i = 0; i < RHO_STEPS; i++) {
        double rho = sqrt(lo * hi);
        if (tacit_zcdp_delta(rho, epsilon) > delta) {
            hi = rho;
        } else {
            lo = rho;
        }
    }
    return lo;
}

/* ln Phi(x), also where Phi(x) is far below the smallest double. */
static double log_normal_cdf(double x) {
    if (x > -30) return log(0.5 * erfc(-x / sqrt(2)));
    double y = 1 / (x * x); /* asymptotic series; the next term is below 105 / 30^8 */
    return -x * x / 2 - log(-x) - HALF_LOG_2PI + log1p(y * (-1 + y * (3 - 15 * y)));
}

/* ln delta(epsilon) of one Gaussian release; -infinity where rounding leaves nothing. */
static double gaussian_log_delta(double sigma, double epsilon) {
    double first = log_normal_cdf(1 / (2 * sigma) - epsilon * sigma);
    double second = epsilon + log_normal_cdf(-1 / (2 * sigma) - epsilon * sigma);
    return second < first ? first + log(-expm1(second - first)) : -INFINITY;
}

double tacit_gaussian_epsilon(double sigma, double delta) {
    if (!(sigma > 0)) return INFINITY;
    double target = log(delta), lo = 0, hi = 1;
    if (gaussian_log_delta(sigma, 0) <= target) return 0;
    while (gaussian_log_delta(sigma, hi) > target) {
        lo = hi;
        hi *= 2;
        if (!(hi < 1e300)) return INFINITY;
    }
    for (int i = 0; i < GAUSSIAN_STEPS; i++) {
        double mid = (lo + hi) / 2;
        if (gaussian_log_delta(sigma, mid) > target) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return hi;
}

/* ---- The mechanism of one update ---------------------------------------------------------------
 */

tacit_status tacit_mechanism_init(tacit_mechanism *m, double scale, uint32_t dims, uint64_t mu) {
    memset(m, 0, sizeof *m);
    if (!(scale >= MIN_SCALE && scale <= MAX_SCALE)) return TACIT_INVALID_ARGUMENT;
    if (dims < 1 || dims > TACIT_MAX_DIMS || (dims & (dims - 1)) != 0) {
        return TACIT_INVALID_ARGUMENT;
    }
    if (mu < 1 || mu > UINT64_C(1) << 50) return TACIT_INVALID_ARGUMENT;
    double l2 = tacit_sensitivity_l2(scale, 1, dims, exp(-0.5));
    if (!(floor(l2) <= MAX_L2)) return TACIT_INVALID_ARGUMENT;
    m->scale = scale;
    m->dims = dims;
    m->mu = mu;
    m->l2_max = (uint32_t)floor(l2);
    m->l2_sq_max = (uint64_t)floor(l2 * l2);
    /* One step up: the product above may have been rounded up to the integer, and what is charged
     * must cover what the check lets through. */
    m->l2 = nextafter(l2, INFINITY);
    m->l1 = tacit_sensitivity_l1(m->l2, dims);
    return TACIT_OK;
}

void tacit_mechanism_charge(double rdp[static TACIT_ORDER_COUNT], const tacit_mechanism *m,
                            double sensitivity_factor) {
    double l2 = m->l2 * sensitivity_factor, l1 = m->l1 * sensitivity_factor;
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        rdp[i] += tacit_rdp_skellam(tacit_order(i), l2, l1, (double)m->mu);
    }
}
