/* SPDX-License-Identifier: Apache-2.0
 * accountant_test.c - the accountant against published values, against values of an independent
 * script, against a direct numeric Renyi sum of the Skellam distribution, and the planner against
 * its own promise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/accountant.h"

static void assert_near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance)) fail_msg("got %.12g, want %.12g", got, want);
}

static const double BETA = 0.60653065971263342; /* e^-1/2 */

/* ---- Conversion --------------------------------------------------------------------------------
 */

static void grid_is_the_documented_one(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 127; i++) assert_int_equal(tacit_order(i), i + 2);
    assert_int_equal(tacit_order(127), 256);
}

/* dp_accounting, rdp_privacy_accountant_test: Gaussian that costs exactly (1, 1e-6). */
static void gaussian_of_the_published_test(void **state) {
    (void)state;
    enum { COUNT = 98999 };
    static double orders[COUNT], rdp[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        orders[i] = (double)(i + 1001) / 1000;
        rdp[i] = tacit_rdp_gaussian(orders[i], 1, 4.530877117);
        assert_near(rdp[i], orders[i] / (2 * 4.530877117 * 4.530877117), 1e-12);
    }
    double best;
    assert_near(tacit_rdp_epsilon(orders, rdp, COUNT, 1e-6, &best), 1, 1e-7);
    assert_in_range((uint64_t)best, 2, 98);
    assert_near(tacit_rdp_delta(orders, rdp, COUNT, 1), 1e-6, 1e-12);
}

static void constant_curve_of_the_published_test(void **state) {
    (void)state;
    double orders[31], rdp[31], best;
    for (size_t i = 0; i < 31; i++) {
        orders[i] = (double)i + 2;
        rdp[i] = 1.1;
    }
    assert_near(tacit_rdp_epsilon(orders, rdp, 31, 1e-5, &best), 1.32783806176, 1e-7);
    assert_true(best == 32);
    assert_true(tacit_rdp_epsilon(orders, rdp, 31, 1e-5, NULL) > 1.3);
}

static void conversion_at_its_edges(void **state) {
    (void)state;
    const double two[2] = {2, 3}, zero[2] = {0, 0}, infinite[2] = {INFINITY, INFINITY};
    const double mixed[2] = {INFINITY, 0.5}, tiny[2] = {1e-11, 1e-11}, low[1] = {1.005};
    assert_true(tacit_rdp_epsilon(two, zero, 2, 1e-5, NULL) == 0);
    assert_true(tacit_rdp_delta(two, zero, 2, 0) == 0);
    assert_true(tacit_rdp_epsilon(two, tiny, 2, 1e-5, NULL) == 0);
    assert_near(tacit_rdp_delta(two, tiny, 2, 0), sqrt(1e-11), 1e-9);
    assert_true(isinf(tacit_rdp_epsilon(two, infinite, 2, 1e-5, NULL)));
    assert_true(tacit_rdp_delta(two, infinite, 2, 5) == 1);
    double best;
    double want = 0.5 + log(2.0 / 3) - log(3e-5) / 2;
    assert_near(tacit_rdp_epsilon(two, mixed, 2, 1e-5, &best), want, 1e-12);
    assert_true(best == 3);
    assert_true(isinf(tacit_rdp_epsilon(low, two, 1, 1e-5, NULL))); /* too near 1 to be used */
}

/* delta(epsilon(delta)) = delta wherever neither is cut off. */
static void epsilon_and_delta_are_inverse(void **state) {
    (void)state;
    double orders[TACIT_ORDER_COUNT], rdp[TACIT_ORDER_COUNT];
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) orders[i] = tacit_order(i);
    for (double sigma = 0.4; sigma < 30; sigma *= 1.5) {
        for (double delta = 1e-9; delta < 1e-3; delta *= 10) {
            for (size_t i = 0; i < TACIT_ORDER_COUNT; i++)
                rdp[i] = tacit_rdp_gaussian(orders[i], 1, sigma);
            double epsilon = tacit_grid_epsilon(rdp, delta, NULL);
            double back = tacit_rdp_delta(orders, rdp, TACIT_ORDER_COUNT, epsilon);
            assert_near(back / delta, 1, 1e-9);
        }
    }
}

/* ---- Composition -------------------------------------------------------------------------------
 */

static void releases_compose(void **state) {
    (void)state;
    double sum[TACIT_ORDER_COUNT] = {0};
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        double a = tacit_order(i), one = tacit_rdp_gaussian(a, 1, 3.14159);
        assert_near(one, a / (2 * 3.14159 * 3.14159), 1e-7);
        for (int k = 0; k < 6; k++) sum[i] += one;
        assert_near(sum[i], 6 * one, 1e-7);
        /* heterogeneous noise is one release of effective sigma (sum sigma^-2)^-1/2 */
        double pair = tacit_rdp_gaussian(a, 1, 1.5) + tacit_rdp_gaussian(a, 1, 2.5);
        double sigma = 1 / sqrt(1 / (1.5 * 1.5) + 1 / (2.5 * 2.5));
        assert_near(pair, tacit_rdp_gaussian(a, 1, sigma), 1e-7);
    }
    /* what the conversion gives away against the exact Gaussian is about 9 % here, and never less
     * than nothing */
    double exact = tacit_gaussian_epsilon(3.14159 / sqrt(6), 1e-5);
    double by_rdp = tacit_grid_epsilon(sum, 1e-5, NULL);
    assert_true(by_rdp > exact && by_rdp < 1.12 * exact);
}

/* Two separate mechanisms charged one after the other are the sum of their curves, and cost more
 * than the dearer one and less than both epsilons together. */
static void mechanisms_compose(void **state) {
    (void)state;
    tacit_mechanism a, b;
    double ra[TACIT_ORDER_COUNT] = {0}, rb[TACIT_ORDER_COUNT] = {0}, both[TACIT_ORDER_COUNT] = {0};
    assert_int_equal(tacit_mechanism_init(&a, 200, 1024, 90000), TACIT_OK);
    assert_int_equal(tacit_mechanism_init(&b, 1280, 131072, 3000000), TACIT_OK);
    tacit_mechanism_charge(ra, &a, 1);
    tacit_mechanism_charge(rb, &b, 1);
    tacit_mechanism_charge(both, &a, 1);
    tacit_mechanism_charge(both, &b, 1);
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        assert_near(both[i], ra[i] + rb[i], 1e-12 * both[i]);
        assert_near(ra[i], tacit_rdp_skellam(tacit_order(i), a.l2, a.l1, 90000), 1e-12 * ra[i]);
    }
    double ea = tacit_grid_epsilon(ra, 1e-5, NULL), eb = tacit_grid_epsilon(rb, 1e-5, NULL);
    double e = tacit_grid_epsilon(both, 1e-5, NULL);
    assert_true(e > fmax(ea, eb) && e < ea + eb);
    /* replacement doubles both sensitivities */
    double twice[TACIT_ORDER_COUNT] = {0};
    tacit_mechanism_charge(twice, &a, 2);
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        assert_near(twice[i], tacit_rdp_skellam(tacit_order(i), 2 * a.l2, 2 * a.l1, 90000),
                    1e-12 * twice[i]);
        assert_true(twice[i] > 3.9 * ra[i]);
    }
}

/* The cap of an order converts back to epsilon by that order, and a whole curve stays inside some
 * cap exactly when it converts to at most epsilon. */
static void filter_caps_match_the_conversion(void **state) {
    (void)state;
    assert_near(tacit_filter_cap(10, 1, 1e-5), 1 - log(0.9) + log(1e-4) / 9, 1e-12);
    assert_true(tacit_filter_cap(2, 1, 1e-5) == 0); /* negative before it is cut */
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        double order = tacit_order(i), cap = tacit_filter_cap(tacit_order(i), 4, 1e-6);
        if (cap > 0) assert_near(tacit_rdp_epsilon(&order, &cap, 1, 1e-6, NULL), 4, 1e-12);
    }
    for (double sigma = 0.5; sigma < 8; sigma *= 1.01) {
        double rdp[TACIT_ORDER_COUNT];
        bool inside = false;
        for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
            rdp[i] = tacit_rdp_gaussian(tacit_order(i), 1, sigma);
            inside |= rdp[i] <= tacit_filter_cap(tacit_order(i), 2.5, 1e-6);
        }
        assert_int_equal(inside, tacit_grid_epsilon(rdp, 1e-6, NULL) <= 2.5);
    }
}

/* ---- Gaussian and zCDP -------------------------------------------------------------------------
 */

static void gaussian_values(void **state) {
    (void)state;
    const double sigma[5] = {0.5, 1, 2, 5, 10};
    const double exact[5] = {9.997256, 4.377178, 1.993091, 0.725522, 0.340669};
    const double by_rdp[5] = {10.801691, 4.752728, 2.168011, 0.794522, 0.375291};
    for (size_t k = 0; k < 5; k++) {
        double rdp[TACIT_ORDER_COUNT];
        for (size_t i = 0; i < TACIT_ORDER_COUNT; i++)
            rdp[i] = tacit_rdp_gaussian(tacit_order(i), 1, sigma[k]);
        assert_near(tacit_gaussian_epsilon(sigma[k], 1e-5), exact[k], 1e-6);
        assert_near(tacit_grid_epsilon(rdp, 1e-5, NULL), by_rdp[k], 1e-6);
    }
    assert_true(isinf(tacit_gaussian_epsilon(0, 1e-5)));
    assert_true(isinf(tacit_rdp_gaussian(2, 1, 0)));
    assert_true(tacit_gaussian_epsilon(1e6, 1e-5) == 0);
    /* far tails: no overflow, and just below 1/(2 s^2) + Phi^-1(1 - delta) / s, which leaves out
     * the second term of delta */
    double far = tacit_gaussian_epsilon(0.01, 1e-5), first_term = 5000 + 4.264891 * 100;
    assert_true(far < first_term && far > first_term - 1.5);
    double last = INFINITY;
    for (double s = 0.05; s < 50; s *= 1.1) {
        double epsilon = tacit_gaussian_epsilon(s, 1e-6);
        assert_true(epsilon < last);
        last = epsilon;
    }
}

static void zcdp_table(void **state) {
    (void)state;
    const double epsilon[5] = {0.5, 1, 2, 4, 8};
    const double rho[5] = {0.00851, 0.03056, 0.10826, 0.37314, 1.22971};
    for (size_t k = 0; k < 5; k++) {
        double got = tacit_zcdp_rho(epsilon[k], 1e-5);
        assert_near(got, rho[k], 5.01e-6); /* five printed decimals */
        assert_true(tacit_zcdp_delta(got, epsilon[k]) <= 1e-5);
        assert_true(tacit_zcdp_delta(got * 1.000001, epsilon[k]) > 1e-5);
        /* the exact Gaussian of the same rho costs less, the printed GDP column about 10 % */
        double exact = tacit_gaussian_epsilon(1 / sqrt(2 * got), 1e-5);
        assert_true(exact < epsilon[k] && exact > 0.85 * epsilon[k]);
    }
    assert_true(tacit_zcdp_delta(50, 0.1) > 0.999 && tacit_zcdp_delta(50, 0.1) <= 1);
}

/* ---- Sensitivity and Skellam -------------------------------------------------------------------
 */

static void sensitivity_values(void **state) {
    (void)state;
    const double x[5] = {10, 100, 1000, 3, 500};
    const uint32_t d[5] = {16, 1024, 65536, 4096, 262144};
    const double l2[5] = {10.77033, 101.843016, 1008.717998, 32.680269, 562.398435};
    const double plain[5] = {14, 132, 1256, 67, 1012};
    const double l1[5] = {43.0813, 3258.9765, 258231.8076, 1068.0, 287947.9989};
    for (size_t k = 0; k < 5; k++) {
        assert_near(tacit_sensitivity_l2(x[k], 1, d[k], BETA), l2[k], 1e-5);
        assert_near(tacit_sensitivity_l2(1, x[k], d[k], BETA), l2[k], 1e-5);
        assert_near(tacit_sensitivity_l2(x[k], 1, d[k], 0), plain[k], 1e-5);
        assert_near(tacit_sensitivity_l1(l2[k], d[k]), l1[k], 1e-3);
    }
}

static void skellam_values(void **state) {
    (void)state;
    const struct {
        double scale, central_std;
        uint32_t dims, sums;
        double delta, epsilon;
    } row[5] = {{100, 1, 1024, 1, 1e-5, 4.846011},
                {1000, 1, 1024, 1, 1e-5, 4.755911},
                {10, 1, 256, 1, 1e-5, 6.787012},
                {100, 3, 65536, 10, 1e-6, 9.769275},
                {64, 10, 131072, 100, 1e-6, 19.542774}};
    for (size_t k = 0; k < 5; k++) {
        double l2 = tacit_sensitivity_l2(row[k].scale, 1, row[k].dims, BETA);
        double l1 = tacit_sensitivity_l1(l2, row[k].dims), rdp[TACIT_ORDER_COUNT];
        double mu = row[k].scale * row[k].central_std * row[k].scale * row[k].central_std;
        for (size_t i = 0; i < TACIT_ORDER_COUNT; i++)
            rdp[i] = row[k].sums * tacit_rdp_skellam(tacit_order(i), l2, l1, mu);
        assert_near(tacit_grid_epsilon(rdp, row[k].delta, NULL), row[k].epsilon, 1e-5);
        /* the same through the mechanism */
        tacit_mechanism m;
        double charged[TACIT_ORDER_COUNT] = {0};
        assert_int_equal(tacit_mechanism_init(&m, row[k].scale, row[k].dims, (uint64_t)mu),
                         TACIT_OK);
        for (uint32_t t = 0; t < row[k].sums; t++) tacit_mechanism_charge(charged, &m, 1);
        assert_near(tacit_grid_epsilon(charged, row[k].delta, NULL), row[k].epsilon, 1e-5);
    }
    assert_true(isinf(tacit_rdp_skellam(2, 1, 1, 0)));
    /* both branches of the minimum: small mu takes 3 l1 / (2 mu), large mu the sharper one */
    assert_near(tacit_rdp_skellam(2, 5, 25, 1), 25 + 37.5, 1e-12);
    assert_near(tacit_rdp_skellam(2, 1, 1, 100), 0.01 + 9.0 / 40000, 1e-12);
}

/* ln P(X = k), k = 0 .. LAST, of the symmetric Skellam distribution: ln I_k by products of the
 * ratios r_k = I_(k+1) / I_k (continued fraction), normalised by summation. */
enum { LAST = 6000 };
static long double log_pmf[LAST + 1];

static void fill_log_pmf(long double mu) {
    static long double ratio[LAST + 201];
    long double r = 0, sum = 1, term = 1;
    for (size_t k = LAST + 200; k > 0; k--) {
        r = 1 / (2 * (long double)k / mu + r);
        ratio[k - 1] = r;
    }
    for (size_t k = 0; k < LAST && term > 0; k++) sum += 2 * (term *= ratio[k]);
    log_pmf[0] = -logl(sum);
    for (size_t k = 0; k < LAST; k++) log_pmf[k + 1] = log_pmf[k] + logl(ratio[k]);
}

/* 1/(a - 1) ln sum_x P(x)^a P(x - shift)^(1 - a). */
static long double numeric_renyi(long double a, int shift) {
    long double top = -INFINITY, sum = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int x = -(LAST - 10); x <= LAST - 10; x++) {
            size_t p = (size_t)(x < 0 ? -x : x), q = (size_t)(x < shift ? shift - x : x - shift);
            long double e = a * log_pmf[p] + (1 - a) * log_pmf[q];
            if (pass == 0) top = fmaxl(top, e);
            if (pass == 1) sum += expl(e - top);
        }
    }
    return (top + logl(sum)) / (a - 1);
}

/* The published bound must lie above the truth, and not far above where mu is large. */
static void skellam_bound_dominates_the_numeric_sum(void **state) {
    (void)state;
    const double mus[] = {4, 10, 32, 100, 1000, 10000}, orders[] = {2, 8, 32};
    for (size_t m = 0; m < 6; m++) {
        fill_log_pmf(mus[m]);
        for (int shift = 1; shift <= 3; shift += 2) {
            for (size_t k = 0; k < 3; k++) {
                double bound = tacit_rdp_skellam(orders[k], shift, shift, mus[m]);
                double truth = (double)numeric_renyi(orders[k], shift);
                double gaussian = orders[k] * shift * shift / (2 * mus[m]);
                if (!(truth <= bound))
                    fail_msg("mu %g order %g shift %d", mus[m], orders[k], shift);
                /* far out Skellam tails are fatter than the Gaussian's; else they are alike */
                if (mus[m] >= 100) assert_true(truth > 0.8 * gaussian);
                if (mus[m] >= 1000) assert_true(bound < 1.01 * truth);
            }
        }
    }
}

/* ---- Mechanism ---------------------------------------------------------------------------------
 */

static void mechanism_derives_the_exact_bounds(void **state) {
    (void)state;
    tacit_mechanism m;
    assert_int_equal(tacit_mechanism_init(&m, 1000, 65536, 12345), TACIT_OK);
    assert_near(m.l2, 1008.717998, 1e-5);
    assert_near(m.l1, 258231.8076, 1e-3);
    assert_int_equal(m.l2_max, 1008);
    /* 10^6 + 65536 / 4 + 1000 + 128 = 1017512 exactly; rounding may only lose one */
    assert_in_range(m.l2_sq_max, 1017511, 1017512);
    assert_int_equal(m.mu, 12345);
    for (double scale = 1; scale < 1e6; scale *= 1.37) {
        for (uint32_t d = 1; d <= TACIT_MAX_DIMS; d *= 4) {
            assert_int_equal(tacit_mechanism_init(&m, scale, d, 1), TACIT_OK);
            long double square = (long double)m.l2 * m.l2;
            assert_true(square >= (long double)m.l2_sq_max && m.l2 >= m.l2_max);
            assert_true(square < (long double)m.l2_sq_max + 1.01L && m.l2 < m.l2_max + 1.0001);
        }
    }
    assert_int_equal(tacit_mechanism_init(&m, 1, 1, 1), TACIT_OK);
    assert_int_equal(tacit_mechanism_init(&m, 1 << 20, TACIT_MAX_DIMS, UINT64_C(1) << 50),
                     TACIT_OK);
    assert_int_equal(tacit_mechanism_init(&m, 0.99, 16, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 1048577, 16, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, NAN, 16, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, INFINITY, 16, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 100, 0, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 100, 48, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 100, 2 * TACIT_MAX_DIMS, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 100, 16, 0), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_mechanism_init(&m, 100, 16, (UINT64_C(1) << 50) + 1),
                     TACIT_INVALID_ARGUMENT);
}

/* ---- Planning ----------------------------------------------------------------------------------
 */

static tacit_run_spec spec_of(double epsilon, uint32_t sums, double counts_share, uint32_t dims) {
    tacit_run_spec s = {.epsilon = epsilon,
                        .delta = 1e-5,
                        .sums = sums,
                        .grow = 2,
                        .counts_share = counts_share,
                        .n = 6018};
    for (uint32_t t = 0; t < sums; t++) {
        s.dims[t] = dims;
        s.sum_norm[t] = 603;
    }
    return s;
}

/* What every plan must satisfy, whatever went in. */
static void check_budget(const tacit_run_budget *b, const tacit_run_spec *s) {
    double rdp[TACIT_ORDER_COUNT] = {0};
    for (uint32_t t = 0; t < s->sums; t++) {
        const tacit_mechanism *m = &b->mechanism[t];
        assert_int_equal(m->dims, s->dims[t]);
        tacit_mechanism_charge(rdp, m, 1);
        assert_near(b->sigma[t], sqrt((double)m->mu) / m->scale, 1e-12 * b->sigma[t]);
        double ac = b->counts_weight[t], ab = b->gradient_weight[t];
        assert_near(ac * ac + ab * ab, 1, 1e-12);
        /* each share of the grid in the variance is at most the tolerance, and a finer grid is
         * not taken without need: one of the two limits is met */
        double inflation = m->dims / (4 * m->scale * m->scale);
        double rounding = s->n / (6 * m->scale * m->scale * b->sigma[t] * b->sigma[t]);
        assert_true(inflation <= 0.02 * (1 + 1e-9) && rounding <= 0.02 * (1 + 1e-9));
        assert_true(inflation > 0.0199 || rounding > 0.0193);
        double norm = s->n * m->l2;
        if (s->sum_norm[t] > 0) norm = fmin(norm, s->sum_norm[t] * m->scale);
        double sd = sqrt(norm * norm / m->dims + 2 * (double)m->mu + s->n / 4.0);
        assert_true(ldexp(1, (int)b->bits[t] - 1) >= 6.5 * sd);
        if (b->bits[t] > 16) {
            uint32_t smaller = b->bits[t] == 32 ? 24 : b->bits[t] - 4;
            assert_true(ldexp(1, (int)smaller - 1) < 6.5 * sd);
        }
    }
    double epsilon = tacit_grid_epsilon(rdp, s->delta, NULL);
    assert_true(epsilon <= s->epsilon);
    double tightest = 1; /* mu is an integer: where it is small, its steps are coarse */
    for (uint32_t t = 0; t < s->sums; t++)
        tightest = fmax(tightest, 1 + 4.0 / (double)b->mechanism[t].mu);
    assert_true(epsilon * tightest >= s->epsilon * (1 - 1e-5));
}

/* The figures of the two main presets on the reference data set. */
static void calibrates_the_presets(void **state) {
    (void)state;
    tacit_run_spec s = spec_of(8, 3, 0.05, 131072);
    tacit_run_budget b;
    assert_int_equal(tacit_calibrate(&b, &s, true), TACIT_OK);
    check_budget(&b, &s);
    const double high[3] = {1.480, 1.224, 0.865};
    for (uint32_t t = 0; t < 3; t++) { /* grid and correction cost between 0.5 and 2.5 % */
        assert_true(b.sigma[t] > 1.005 * high[t] && b.sigma[t] < 1.025 * high[t]);
        assert_near(b.mechanism[t].scale, 1280, 1e-9);
        assert_int_equal(b.bits[t], 16);
    }
    assert_near(b.counts_weight[0], 0.519, 5e-4);
    assert_near(b.gradient_weight[0], 0.855, 5e-4);
    assert_true(b.counts_weight[1] == 0 && b.gradient_weight[1] == 1);
    assert_true(b.counts_weight[2] == 0 && b.gradient_weight[2] == 1);
    assert_true(b.rho < 1.22971 && b.rho > 0.97 * 1.22971);

    for (uint32_t t = 0; t < 3; t++) s.sum_norm[t] = 0; /* worst case: a wider ring, same noise */
    tacit_run_budget worst;
    assert_int_equal(tacit_calibrate(&worst, &s, true), TACIT_OK);
    check_budget(&worst, &s);
    for (uint32_t t = 0; t < 3; t++) {
        assert_int_equal(worst.bits[t], 20);
        assert_int_equal(worst.mechanism[t].mu, b.mechanism[t].mu);
    }

    s = spec_of(1, 1, 0.15, 65536);
    assert_int_equal(tacit_calibrate(&b, &s, true), TACIT_OK);
    check_budget(&b, &s);
    assert_near(b.counts_weight[0], 0.387, 5e-4);
    assert_near(b.gradient_weight[0], 0.922, 5e-4);
    assert_true(b.sigma[0] > 1.005 * 4.045 && b.sigma[0] < 1.025 * 4.045);
}

static void calibrates_over_the_range(void **state) {
    (void)state;
    const double epsilons[] = {0.05, 0.5, 1, 4, 8, 30, 100};
    const uint32_t ns[] = {57, 1000, 10000};
    for (size_t e = 0; e < 7; e++) {
        for (size_t k = 0; k < 3; k++) {
            for (uint32_t dims = 256; dims <= TACIT_MAX_DIMS; dims *= 16) {
                tacit_run_spec s = spec_of(epsilons[e], 1 + (uint32_t)e % 4, 0.1, dims);
                tacit_run_budget b;
                s.n = ns[k];
                s.sum_norm[0] = 0;
                s.grow = 1.5;
                s.delta = k == 1 ? 1e-6 : 1e-5;
                assert_int_equal(tacit_calibrate(&b, &s, true), TACIT_OK);
                check_budget(&b, &s);
            }
        }
    }
}

/* Two plans of the same input are the same bytes; a counts-only run spends all on the counts. */
static void calibration_is_deterministic(void **state) {
    (void)state;
    tacit_run_spec s = spec_of(2, 1, 1, 4096);
    tacit_run_budget a, b;
    s.sum_norm[0] = 0;
    assert_int_equal(tacit_calibrate(&a, &s, false), TACIT_OK);
    assert_int_equal(tacit_calibrate(&b, &s, false), TACIT_OK);
    assert_memory_equal(&a, &b, sizeof a);
    check_budget(&a, &s);
    assert_true(a.counts_weight[0] == 1 && a.gradient_weight[0] == 0);
    s.dims[0] = 131072;
    s.counts_share = 0.5; /* ignored without a gradient block */
    assert_int_equal(tacit_calibrate(&a, &s, false), TACIT_OK);
    assert_true(a.counts_weight[0] == 1);
}

/* Later sums get grow times the budget of the one before. */
static void shares_follow_grow(void **state) {
    (void)state;
    tacit_run_spec s = spec_of(8, TACIT_MAX_SUMS, 0, 65536);
    tacit_run_budget b;
    s.grow = 1.25;
    assert_int_equal(tacit_calibrate(&b, &s, true), TACIT_OK);
    check_budget(&b, &s);
    for (uint32_t t = 1; t < s.sums; t++) {
        double ratio = b.sigma[t - 1] / b.sigma[t];
        assert_near(ratio * ratio, 1.25, 1e-3);
    }
}

static void refuses_bad_plans(void **state) {
    (void)state;
    const tacit_run_spec good = spec_of(8, 3, 0.05, 131072);
    tacit_run_budget b;
    tacit_run_spec s = good;
#define REFUSED(change) \
    s = good;           \
    change;             \
    assert_int_equal(tacit_calibrate(&b, &s, true), TACIT_INVALID_ARGUMENT)
    REFUSED(s.epsilon = 0);
    REFUSED(s.epsilon = -1);
    REFUSED(s.epsilon = 100.1);
    REFUSED(s.epsilon = NAN);
    REFUSED(s.epsilon = 0.001); /* below what the grid's orders can certify */
    REFUSED(s.delta = 0);
    REFUSED(s.delta = 0.011);
    REFUSED(s.delta = NAN);
    REFUSED(s.sums = 0);
    REFUSED(s.sums = TACIT_MAX_SUMS + 1);
    REFUSED(s.grow = 0);
    REFUSED(s.grow = INFINITY);
    REFUSED(s.counts_share = 1);
    REFUSED(s.counts_share = -0.1);
    REFUSED(s.counts_share = NAN);
    REFUSED(s.dims[2] = 100);
    REFUSED(s.dims[0] = 0);
    REFUSED(s.n = 0);
    REFUSED(s.sum_norm[1] = -1);
    REFUSED(s.sum_norm[1] = NAN);
    /* one number that everybody sends: no ring of 32 bits holds n l2 of so many */
    REFUSED((s.sums = 1, s.dims[0] = 1, s.n = UINT32_MAX, s.sum_norm[0] = 0));
#undef REFUSED
    assert_int_equal(tacit_calibrate(&b, &good, false), TACIT_INVALID_ARGUMENT); /* three sums */
    assert_int_equal(tacit_calibrate(&b, &good, true), TACIT_OK);
}

static void wrap_distance(void **state) {
    (void)state;
    /* 2^15 / sqrt(30000^2 / 900 + 10^6 + 4000 / 4) */
    assert_near(tacit_wrap_z(16, 30000, 900, 1e6, 4000), 32768 / sqrt(1e6 + 1e6 + 1000), 1e-9);
    assert_near(tacit_wrap_z(20, 30000, 900, 1e6, 4000) / tacit_wrap_z(16, 30000, 900, 1e6, 4000),
                16, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_is_the_documented_one),
        cmocka_unit_test(gaussian_of_the_published_test),
        cmocka_unit_test(constant_curve_of_the_published_test),
        cmocka_unit_test(conversion_at_its_edges),
        cmocka_unit_test(epsilon_and_delta_are_inverse),
        cmocka_unit_test(releases_compose),
        cmocka_unit_test(mechanisms_compose),
        cmocka_unit_test(filter_caps_match_the_conversion),
        cmocka_unit_test(gaussian_values),
        cmocka_unit_test(zcdp_table),
        cmocka_unit_test(sensitivity_values),
        cmocka_unit_test(skellam_values),
        cmocka_unit_test(skellam_bound_dominates_the_numeric_sum),
        cmocka_unit_test(mechanism_derives_the_exact_bounds),
        cmocka_unit_test(calibrates_the_presets),
        cmocka_unit_test(calibrates_over_the_range),
        cmocka_unit_test(calibration_is_deterministic),
        cmocka_unit_test(shares_follow_grow),
        cmocka_unit_test(refuses_bad_plans),
        cmocka_unit_test(wrap_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
