/* SPDX-License-Identifier: Apache-2.0
 * graph_bounds.c - union bounds over all sets of a size, with exact counts of one random cycle.
 * Both counts are sums of log-concave terms: the ratio of neighbouring terms falls, so there is one
 * peak, terms are taken outwards from it, and what is left out is less than a geometric series,
 * which is added. Searches go through every size: neither bound is assumed monotone. */
#include "tools/graph_bounds.h"

#include <math.h>
#include <stdlib.h>

#include "common/graph_size.h"

static double log_factorial(uint32_t n) {
    int sign; /* lgamma_r: lgamma itself writes a global */
    return lgamma_r((double)n + 1.0, &sign);
}

static double log_choose(uint32_t n, uint32_t k) {
    if (k > n) return -INFINITY;
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

/* ---- sums of log-concave terms --------------------------------------------------------------- */

/* Terms w(first..last) with w(j + 1) / w(j) = ratio(self, j), falling in j. */
typedef struct terms terms;
struct terms {
    double (*ratio)(const terms *self, double j);
    uint32_t first, last;
    double a, b, c, tilt; /* what the ratio needs */
};

/* The sum and the mean of j under it, relative to the term at the peak. */
typedef struct {
    uint32_t peak;
    double sum, mean;
} summed;

static uint32_t find_peak(const terms *t) {
    uint32_t low = t->first, high = t->last;
    while (low < high) { /* the first j whose ratio is at most 1: bisection, for the ratio falls */
        uint32_t mid = low + (high - low) / 2;
        if (t->ratio(t, (double)mid) <= 1.0)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static summed sum_terms(const terms *t) {
    const double small = 0x1p-70;
    summed s = {.peak = find_peak(t), .sum = 1.0};
    double moment = 0.0, w = 1.0;
    for (uint32_t j = s.peak; j < t->last; j++) {
        double q = t->ratio(t, (double)j);
        if (w < small && q < 1.0) { /* the rest: w (q + q^2 + ...) at most */
            s.sum += w * q / (1.0 - q);
            break;
        }
        w *= q;
        s.sum += w;
        moment += w * (double)(j + 1 - s.peak);
    }
    w = 1.0;
    for (uint32_t j = s.peak; j > t->first; j--) {
        double q = 1.0 / t->ratio(t, (double)(j - 1));
        if (w < small && q < 1.0) {
            s.sum += w * q / (1.0 - q);
            break;
        }
        w *= q;
        s.sum += w;
        moment -= w * (double)(s.peak - (j - 1));
    }
    s.mean = (double)s.peak + moment / s.sum;
    return s;
}

/* ---- sets with many edges inside ------------------------------------------------------------- */

double graph_bounds_log_runs(uint32_t n, uint32_t size, uint32_t runs) {
    assert(size >= 1 && size < n && runs >= 1);
    return log((double)n / (double)runs) + log_choose(size - 1, runs - 1) +
           log_choose(n - size - 1, runs - 1) - log_choose(n, size);
}

/* P(j + 1) / P(j) e^-theta of the number of runs j. a = s, b = n - s, tilt = e^-theta */
static double runs_ratio(const terms *t, double j) {
    return t->tilt * (t->a - j) * (t->b - j) / (j * (j + 1.0));
}

/* ln E[e^(theta (s - j))] of one cycle and the tilted mean of s - j. */
static double log_moment(uint32_t n, uint32_t size, double theta, double *mean) {
    uint32_t other = n - size;
    terms t = {.ratio = runs_ratio, .first = 1, .last = size < other ? size : other};
    t.a = (double)size;
    t.b = (double)other;
    t.tilt = exp(-theta);
    summed s = sum_terms(&t);
    *mean = (double)size - s.mean;
    return graph_bounds_log_runs(n, size, s.peak) + theta * (double)(size - s.peak) + log(s.sum);
}

/* One bound on b1, for any theta >= 0; *slope is its derivative in theta, which rises. */
static double log2_inner_at(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t size,
                            double theta, double *slope) {
    double edges = (double)size * (double)degree / 2.0, mean;
    double one = log_moment(n, size, theta, &mean);
    *slope = (double)cycles * mean - edges;
    return (log_choose(n, size) + (double)cycles * one - theta * edges) / M_LN2;
}

/* The theta at which the slope is zero; bisection. The slope is negative at 0, positive in the end.
 */
static double best_theta(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t size) {
    double low = 0.0, high = 1.0, slope;
    for (int doubled = 0; doubled < 6; doubled++) {
        log2_inner_at(n, cycles, degree, size, high, &slope);
        if (slope >= 0.0) break;
        low = high;
        high *= 2.0;
    }
    while (high - low > 1e-7) {
        double mid = (low + high) / 2.0;
        log2_inner_at(n, cycles, degree, size, mid, &slope);
        if (slope < 0.0)
            low = mid;
        else
            high = mid;
    }
    return high;
}

/* theta_out: where the bound was found, to start the next size from. */
static double log2_inner(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t size,
                         double *theta_out) {
    double slope, all = log_choose(n, size);
    double most = (double)cycles * (double)(size - 1), edges = (double)size * (double)degree / 2.0;
    if (most < edges) return -INFINITY; /* one run a cycle is the most */
    if (most == edges) return (all + cycles * graph_bounds_log_runs(n, size, 1)) / M_LN2;
    double untilted = log2_inner_at(n, cycles, degree, size, 0.0, &slope);
    if (slope >= 0.0) return untilted;
    *theta_out = best_theta(n, cycles, degree, size);
    return log2_inner_at(n, cycles, degree, size, *theta_out, &slope);
}

double graph_bounds_log2_inner(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t size) {
    assert(size >= 1 && size < n && degree >= 1 && cycles >= 1);
    double theta;
    return log2_inner(n, cycles, degree, size, &theta);
}

uint32_t graph_bounds_inner_min(uint32_t n, uint32_t cycles, uint32_t degree, uint32_t last) {
    assert(degree >= 1 && degree <= last && last < n && cycles >= 1);
    double theta = 0.0, slope;
    for (uint32_t size = degree + 1; size <= last; size++) {
        /* Any theta bounds b1, so the last size's often settles this one without a search. */
        if (log2_inner_at(n, cycles, degree, size, theta, &slope) <= GRAPH_BOUNDS_LOG2) continue;
        if (log2_inner(n, cycles, degree, size, &theta) > GRAPH_BOUNDS_LOG2) return size;
    }
    return last + 1;
}

/* ---- sets without an edge between them ------------------------------------------------------- */

/* Of C(x, j) C(r - 1, j - 1) C(x - j + s - 1, s): a = r, b = x, c = s. */
static double apart_ratio(const terms *t, double j) {
    return (t->b - j) / (j + 1.0) * ((t->a - j) / j) * (t->b - j - 1.0) / (t->b - j + t->c - 1.0);
}

double graph_bounds_log_apart(uint32_t n, uint32_t r, uint32_t s) {
    assert(r >= 1 && s >= 1 && r + s <= n);
    uint32_t x = n - r - s;
    if (x < 2) return -INFINITY; /* each set needs a gap of its own between other vertices */
    terms t = {.ratio = apart_ratio, .first = 1, .last = r < x - 1 ? r : x - 1};
    t.a = (double)r;
    t.b = (double)x;
    t.c = (double)s;
    summed sum = sum_terms(&t);
    uint32_t j = sum.peak;
    double peak = log_choose(x, j) + log_choose(r - 1, j - 1) + log_choose(x - j + s - 1, s);
    double places = log_factorial(n) - log_factorial(r) - log_factorial(s) - log_factorial(x);
    return log((double)n / (double)x) + peak + log(sum.sum) - places;
}

double graph_bounds_log2_apart(uint32_t n, uint32_t cycles, uint32_t r, uint32_t s) {
    uint32_t x = n - r - s;
    double places = log_factorial(n) - log_factorial(r) - log_factorial(s) - log_factorial(x);
    return (places + (double)cycles * graph_bounds_log_apart(n, r, s)) / M_LN2;
}

uint32_t graph_bounds_apart_max(uint32_t n, uint32_t cycles, uint32_t survivors) {
    assert(survivors <= n && cycles >= 1);
    for (uint32_t r = survivors / 2; r >= 1; r--)
        if (graph_bounds_log2_apart(n, cycles, r, survivors - r) > GRAPH_BOUNDS_LOG2) return r;
    return 0;
}

/* ---- degrees --------------------------------------------------------------------------------- */

/* p[q] = P[q distinct neighbours], q <= width = 2 cycles: each cycle draws two, the second not the
 * first (security B). The mean is returned. */
static double degree_distribution(double *p, uint32_t n, uint32_t cycles) {
    uint32_t width = 2 * cycles;
    for (uint32_t q = 0; q <= width; q++) p[q] = 0.0;
    p[0] = 1.0;
    for (uint32_t drawn = 0; drawn < width; drawn++) {
        uint32_t second = drawn % 2;
        double others = (double)(n - 1 - second);
        for (uint32_t q = drawn + 1; q > 0; q--) {
            double known = q < second ? 0.0 : (double)(q - second) / others;
            p[q] = p[q] * known + p[q - 1] * ((double)n - (double)q) / others;
        }
        p[0] = 0.0;
    }
    double mean = 0.0;
    for (uint32_t q = 0; q <= width; q++) mean += (double)q * p[q];
    return mean;
}

/* P[Bin(degree, keep) < t]: summed downwards from t - 1, far below the mode. */
static double binomial_below(uint32_t degree, double keep, uint32_t t) {
    if (t == 0) return 0.0;
    if (t > degree) return 1.0;
    double w = exp(log_choose(degree, t - 1) + (t - 1) * log(keep) +
                   (double)(degree - t + 1) * log1p(-keep));
    double sum = 0.0;
    for (uint32_t x = t - 1;; x--) {
        sum += w;
        if (x == 0) return sum < 1.0 ? sum : 1.0;
        w *= (double)x / (double)(degree - x + 1) * (1.0 - keep) / keep;
    }
}

/* ---- one configuration ----------------------------------------------------------------------- */

static uint32_t threshold_of(const graph_bounds *b, uint32_t degree, uint32_t *t1, uint32_t *t2) {
    *t1 = tacit_graph_t1(b->n, b->colluders, degree);
    *t2 = tacit_graph_t2(b->n, b->n - b->dropouts, degree);
    return (degree + *t1) / 2 + 1;
}

/* The union over n devices of what can befall one, by its number of neighbours. */
static void sum_over_degrees(graph_bounds *b, const double *p, uint32_t width) {
    double starved = 0.0;
    double keep = 1.0 - b->max_dropout / 1000.0;
    for (uint32_t q = 2; q <= width && q < b->n; q++) {
        uint32_t t1, t2;
        uint32_t t = threshold_of(b, q, &t1, &t2);
        if (b->max_dropout != 0) starved += p[q] * binomial_below(q, keep, t);
        if (t <= t2 && t - t1 < b->inner_least) b->inner_least = t - t1;
    }
    b->log2_starved = log2(fmin(1.0, (double)b->n * starved));
}

static tacit_status bound_cycles(graph_bounds *b) {
    b->cycles = tacit_graph_cycles_min(b->n, b->degree_min);
    if (b->cycles == 0) return TACIT_BELOW_FLOOR;
    uint32_t survivors = b->n_min > b->colluders ? b->n_min - b->colluders : 0;
    b->apart_max = graph_bounds_apart_max(b->n, b->cycles, survivors);
    b->inner_degree = b->degree_min_t - b->degree_min_t1;
    uint32_t last = survivors < b->n ? survivors : b->n - 1;
    if (last < b->inner_degree) last = b->inner_degree;
    b->inner_least = b->inner_degree;
    b->inner_min = graph_bounds_inner_min(b->n, b->cycles, b->inner_degree, last);
    uint32_t width = 2 * b->cycles;
    double *p = calloc(width + 1, sizeof *p);
    if (p == NULL) return TACIT_NO_SPACE;
    b->degree = (uint32_t)lround(degree_distribution(p, b->n, b->cycles));
    sum_over_degrees(b, p, width);
    free(p);
    return TACIT_OK;
}

static void bound_complete(graph_bounds *b) {
    uint32_t t1, t2, t = threshold_of(b, b->n - 1, &t1, &t2);
    double lost = 0.0;
    b->degree = b->n - 1;
    if (b->max_dropout != 0)
        lost = (double)b->n * binomial_below(b->degree, 1.0 - b->max_dropout / 1000.0, t);
    b->log2_starved = log2(fmin(1.0, lost));
}

tacit_status graph_bounds_make(graph_bounds *b, uint32_t n, uint32_t max_colluding,
                               uint32_t max_dropout) {
    *b = (graph_bounds){.n = n, .max_colluding = max_colluding, .max_dropout = max_dropout};
    if (n < 3 || n > TACIT_MAX_COHORT) return TACIT_BAD_ROSTER;
    if (max_colluding > 1000 || max_dropout > 1000) return TACIT_BELOW_FLOOR;
    b->complete = n <= TACIT_COMPLETE_GRAPH_MAX;
    b->colluders = n * max_colluding / 1000;
    b->dropouts = n * max_dropout / 1000;
    b->n_min = n - b->dropouts;
    b->slack = b->complete ? 0 : (n + 249) / 250;
    b->honest = (int32_t)b->n_min - (int32_t)b->colluders - (int32_t)b->slack;
    uint32_t unused;
    b->degree_min = tacit_graph_degree_min(n, b->colluders, b->dropouts);
    if (b->degree_min != 0)
        b->degree_min_t = threshold_of(b, b->degree_min, &b->degree_min_t1, &unused);
    tacit_status st = TACIT_OK;
    if (b->complete)
        bound_complete(b);
    else
        st = b->degree_min == 0 ? TACIT_BELOW_FLOOR : bound_cycles(b);
    if (st != TACIT_OK) return st;
    b->degree_t = threshold_of(b, b->degree, &b->degree_t1, &b->degree_t2);
    b->guarantee = (int32_t)b->n_min - (int32_t)b->colluders - (int32_t)b->apart_max;
    /* log(0) at a dropout of 1: no number of phantoms is needed, none is told */
    b->phantoms = fabs(log1p((double)max_dropout / -1000.0)) * (double)n / (double)b->degree;
    return TACIT_OK;
}
