/* SPDX-License-Identifier: Apache-2.0
 * solve.c - the damped Newton step per item: one gradient sum in, the next item factors out.
 *
 * Item i solves  M_i x_i = c_i m_i  with  m_i = (1, B_i / c_i),  x_i = (b_i, v_i)  and
 *     M_i = P + c_i Q + c_i cls m_i m_i',   P = a0 W (A + lam/k D),   Q = A - cls Bw + lam/k D.
 * P and Q are the same for all items, so one symmetric pencil (Q, P) diagonalises every P + c_i Q
 * at once: X'PX = I, X'QX = diag(lambda). With t = X'm_i and y = X diag(1/(1 + c_i lambda)) t the
 * rank-one term collapses, since the right-hand side is a multiple of m_i (Sherman-Morrison):
 *     x_i = c_i y / (1 + c_i cls m_i'y).
 * That is two matrix products over all items and one k^3, not a k^3 per item. An item whose
 * P + c_i Q is not safely positive definite is solved alone, by the equation as written. */
#include "server/solve_internal.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Smallest 1 + c_i lambda_j that the pencil is trusted with: relative error there is about the
 * machine's epsilon over this, far below what noise leaves of a factor. */
static const double pencil_floor = 1e-4;

/* What all items of one step share; n = k + 1. */
typedef struct {
    size_t n;
    double cls;
    bool pencil;       /* vectors and values hold */
    double *P, *Q;     /* [n x n] */
    double *vectors;   /* [n x n], row j: x_j with x_j'P x_j = 1 */
    double *values;    /* [n] lambda */
    double *spare;     /* [n x n] */
    double *own;       /* [n x n], the matrix of an item solved alone */
    double *m, *t, *y; /* [SOLVE_BLOCK x n] */
} newton;

static tacit_status newton_alloc(newton *w, size_t k) {
    w->n = k + 1;
    tacit_status st = solve_alloc(&w->P, w->n, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->Q, w->n, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->vectors, w->n, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->values, w->n, 1);
    if (st == TACIT_OK) st = solve_alloc(&w->spare, w->n, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->own, w->n, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->m, SOLVE_BLOCK, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->t, SOLVE_BLOCK, w->n);
    if (st == TACIT_OK) st = solve_alloc(&w->y, SOLVE_BLOCK, w->n);
    return st;
}

static void newton_free(newton *w) {
    free(w->y);
    free(w->t);
    free(w->m);
    free(w->own);
    free(w->spare);
    free(w->values);
    free(w->vectors);
    free(w->Q);
    free(w->P);
}

/* a [n x n] <- diag(1, Cg) + item_ridge / k diag(0, 1, ..., 1). */
static void ridged_gram(double *a, const double *Cg, size_t k, const learn_params *p) {
    size_t n = k + 1;
    memset(a, 0, n * n * sizeof *a);
    a[0] = 1.0;
    for (size_t r = 0; r < k; r++) {
        memcpy(a + (r + 1) * n + 1, Cg + r * k, k * sizeof *a);
        a[(r + 1) * n + r + 1] += p->item_ridge / (double)k;
    }
}

/* Bw [n x n] <- sum c_i m_i m_i' / sum c_i, m_i = (1, B_i / c_i). */
static tacit_status class_moment(double *Bw, const double *B, const double *c, size_t item_count,
                                 size_t k) {
    size_t n = k + 1;
    double *weight = NULL, *Bm = NULL;
    tacit_status st;
    if ((st = solve_alloc(&weight, item_count, 1)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&Bm, k, k)) != TACIT_OK) goto exit;
    double total = solve_sum(c, item_count);
    for (size_t i = 0; i < item_count; i++) weight[i] = 1.0 / (c[i] * total);
    if ((st = solve_cross(Bm, B, k, B, k, weight, item_count)) != TACIT_OK) goto exit;
    memset(Bw, 0, n * n * sizeof *Bw);
    Bw[0] = 1.0;
    for (size_t i = 0; i < item_count; i++) {
        for (size_t d = 0; d < k; d++) Bw[d + 1] += B[i * k + d] / total;
    }
    for (size_t r = 0; r < k; r++) {
        Bw[(r + 1) * n] = Bw[r + 1];
        memcpy(Bw + (r + 1) * n + 1, Bm + r * k, k * sizeof *Bw);
    }
exit:
    free(Bm);
    free(weight);
    return st;
}

/* P, Q, and the pencil when P is positive definite. */
static tacit_status newton_prepare(newton *w, const double *B, const double *c, size_t item_count,
                                   double weight, const double *Cg, const learn_params *p) {
    size_t n = w->n, k = n - 1;
    tacit_status st = class_moment(w->spare, B, c, item_count, k);
    if (st != TACIT_OK) return st;
    ridged_gram(w->P, Cg, k, p);
    for (size_t j = 0; j < n * n; j++) {
        w->Q[j] = w->P[j] - w->cls * w->spare[j];
        w->P[j] *= p->a0 * weight;
    }
    memcpy(w->vectors, w->Q, n * n * sizeof *w->Q);
    memcpy(w->spare, w->P, n * n * sizeof *w->P);
    lapack_int info = LAPACKE_dsygvd(LAPACK_COL_MAJOR, 1, 'V', 'U', (lapack_int)n, w->vectors,
                                     (lapack_int)n, w->spare, (lapack_int)n, w->values);
    if (info == LAPACK_WORK_MEMORY_ERROR) return TACIT_NO_SPACE;
    w->pencil = info == 0;
    return TACIT_OK;
}

/* One item by its own equation. x [n] receives (b_i, v_i). */
static tacit_status solve_alone(newton *w, double *x, const double *m, double count) {
    size_t n = w->n;
    for (size_t r = 0; r < n; r++) {
        for (size_t d = 0; d < n; d++) {
            w->own[r * n + d] =
                w->P[r * n + d] + count * w->Q[r * n + d] + count * w->cls * m[r] * m[d];
        }
        x[r] = count * m[r];
    }
    return solve_symmetric(x, w->own, w->spare, n, 1);
}

/* t <- t / (1 + c lambda); *gain = m'y. False when the pencil is not to be trusted here. */
static bool divide_row(const newton *w, double *t, double *gain, double count) {
    *gain = 0.0;
    for (size_t j = 0; j < w->n; j++) {
        double d = 1.0 + count * w->values[j];
        if (!(d >= pencil_floor)) return false;
        *gain += t[j] * t[j] / d;
        t[j] /= d;
    }
    return true;
}

/* Items first .. first + count - 1, count <= SOLVE_BLOCK. */
static tacit_status solve_block(newton *w, double *b, double *V, const double *B, const double *c,
                                size_t first, size_t count) {
    size_t n = w->n, k = n - 1;
    double gain[SOLVE_BLOCK]; /* scale of y, or NAN: solve this item alone */
    for (size_t i = 0; i < count; i++) {
        double *m = w->m + i * n;
        m[0] = 1.0;
        for (size_t d = 0; d < k; d++) m[d + 1] = B[(first + i) * k + d] / c[first + i];
    }
    if (w->pencil) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)n, (int)n, 1.0, w->m,
                    (int)n, w->vectors, (int)n, 0.0, w->t, (int)n);
    }
    for (size_t i = 0; i < count; i++) {
        double ci = c[first + i];
        bool safe = w->pencil && divide_row(w, w->t + i * n, &gain[i], ci);
        gain[i] = safe ? ci / (1.0 + ci * w->cls * gain[i]) : NAN;
    }
    if (w->pencil) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)n, (int)n, 1.0,
                    w->t, (int)n, w->vectors, (int)n, 0.0, w->y, (int)n);
    }
    for (size_t i = 0; i < count; i++) {
        double *x = w->y + i * n;
        if (isnan(gain[i])) {
            tacit_status st = solve_alone(w, x, w->m + i * n, c[first + i]);
            if (st != TACIT_OK) return st;
        } else {
            cblas_dscal((int)n, gain[i], x, 1);
        }
        b[first + i] = x[0];
        memcpy(V + (first + i) * k, x + 1, k * sizeof *x);
    }
    return TACIT_OK;
}

tacit_status learn_item_solve(double *b, double *V, const double *B, const double *c,
                              size_t item_count, size_t k, double weight, const double *Cg,
                              double cls, const learn_params *p) {
    if (!solve_shape_ok(item_count, k)) return TACIT_INVALID_ARGUMENT;
    if (!solve_finite(B, item_count * k) || !solve_positive(c, item_count) ||
        !solve_finite(Cg, k * k) || !isfinite(weight) || !isfinite(cls) || cls < 0.0) {
        return TACIT_NUMERIC;
    }
    newton w = {.cls = cls};
    tacit_status st = newton_alloc(&w, k);
    if (st == TACIT_OK) st = newton_prepare(&w, B, c, item_count, weight, Cg, p);
    for (size_t first = 0; st == TACIT_OK && first < item_count; first += SOLVE_BLOCK) {
        size_t left = item_count - first;
        st = solve_block(&w, b, V, B, c, first, left < SOLVE_BLOCK ? left : SOLVE_BLOCK);
    }
    if (st == TACIT_OK && !(solve_finite(b, item_count) && solve_finite(V, item_count * k))) {
        st = TACIT_NUMERIC;
    }
    newton_free(&w);
    return st;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static tacit_status find_median(double *median, const double *c, size_t count) {
    double *sorted = NULL;
    tacit_status st = solve_alloc(&sorted, count, 1);
    if (st != TACIT_OK) return st;
    memcpy(sorted, c, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    *median =
        count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0;
    free(sorted);
    return TACIT_OK;
}

/* x [k + 1] <- (1, Fx Wf) of an item whose count is taken to be `median`. When there are log-count
 * regressors they are those of the median, centred as in the fit: the item's own count is noise. */
static void cold_direction(double *x, const double *fx, size_t fx_count, const double *Wf, size_t k,
                           const double *log_count) {
    x[0] = 1.0;
    memset(x + 1, 0, k * sizeof *x);
    for (size_t j = 0; j < fx_count; j++) {
        double value = fx[j];
        if (log_count != NULL && j == fx_count - 2) value = *log_count;
        if (log_count != NULL && j == fx_count - 1) value = *log_count * *log_count;
        cblas_daxpy((int)k, value, Wf + j * k, 1, x + 1, 1);
    }
}

static tacit_status cold_check(const uint32_t *cold, size_t cold_count, const double *c,
                               size_t fx_count, const double *Wf, size_t item_count, size_t k,
                               double weight, const double *Cg, const learn_params *p) {
    if (!solve_shape_ok(item_count, k) || cold_count > item_count ||
        fx_count < (p->log_counts ? 3U : 1U) || fx_count > TACIT_MAX_FEATURE + 2) {
        return TACIT_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < cold_count; i++) {
        if (cold[i] >= item_count) return TACIT_INVALID_ARGUMENT;
    }
    if (!solve_positive(c, item_count) || !solve_finite(Wf, fx_count * k) ||
        !solve_finite(Cg, k * k) || !solve_positive(&weight, 1)) {
        return TACIT_NUMERIC;
    }
    return TACIT_OK;
}

/* log(median) minus the c-weighted mean of log c: the regressor an item of median count has. */
static double centred_log(double median, const double *c, size_t item_count) {
    double mean = 0.0;
    for (size_t i = 0; i < item_count; i++) mean += c[i] * log(c[i]);
    return log(median) - mean / solve_sum(c, item_count);
}

tacit_status learn_cold_items(double *b, double *V, const uint32_t *cold, size_t cold_count,
                              const double *c, const double *fx, size_t fx_count, const double *Wf,
                              size_t item_count, size_t k, double weight, const double *Cg,
                              const learn_params *p) {
    size_t n = k + 1;
    double *a = NULL, *spare = NULL, *x = NULL, median = 0.0;
    tacit_status st = cold_check(cold, cold_count, c, fx_count, Wf, item_count, k, weight, Cg, p);
    if (st != TACIT_OK || cold_count == 0) return st;
    if ((st = solve_alloc(&a, n, n)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&spare, n, n)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&x, cold_count, n)) != TACIT_OK) goto exit;
    if ((st = find_median(&median, c, item_count)) != TACIT_OK) goto exit;

    double log_count = p->log_counts ? centred_log(median, c, item_count) : 0.0;
    for (size_t i = 0; i < cold_count; i++) {
        cold_direction(x + i * n, fx + cold[i] * fx_count, fx_count, Wf, k,
                       p->log_counts ? &log_count : NULL);
    }
    /* Without the class term every cold item has the same matrix: (a0 W + c)(A + lam/k D). */
    ridged_gram(a, Cg, k, p);
    if ((st = solve_symmetric(x, a, spare, n, cold_count)) != TACIT_OK) goto exit;
    double share = median / (p->a0 * weight + median);
    for (size_t i = 0; i < cold_count; i++) {
        b[cold[i]] = share * x[i * n];
        for (size_t d = 0; d < k; d++) V[cold[i] * k + d] = share * x[i * n + 1 + d];
    }
exit:
    free(x);
    free(spare);
    free(a);
    return st;
}

/* Z: how far the energy of the raw sum stands above that of pure noise, in standard deviations. */
static double find_signal(const double *B, size_t item_count, size_t k, double noise_std) {
    double variance = noise_std * noise_std, above = 0.0;
    if (variance == 0.0) return INFINITY;
    for (size_t i = 0; i < item_count; i++) {
        above += cblas_ddot((int)k, B + i * k, 1, B + i * k, 1) - (double)k * variance;
    }
    return above / (variance * sqrt(2.0 * (double)item_count * (double)k));
}

tacit_status learn_step(double *b, double *V, double *B, const double *c, double weight,
                        double noise_std, const learn_features *f, const learn_params *p,
                        learn_report *report) {
    size_t rows = learn_features_items(f), k = p->k, fx_count = learn_features_count(f);
    double *fx = NULL, *Wf = NULL, *Cg = NULL;
    learn_report found = {0};
    tacit_status st;
    if (!solve_shape_ok(rows, k)) return TACIT_INVALID_ARGUMENT;
    if (!solve_finite(B, rows * k) || !solve_positive(c, rows) || !solve_positive(&weight, 1) ||
        !isfinite(noise_std) || noise_std < 0.0) {
        return TACIT_NUMERIC;
    }
    if ((st = solve_alloc(&fx, rows, fx_count + 2)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&Wf, fx_count + 2, k)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&Cg, k, k)) != TACIT_OK) goto exit;

    found.signal = find_signal(B, rows, k, noise_std);
    learn_regressors(fx, &fx_count, f, c, p->log_counts);
    st = learn_denoise(B, Wf, &found.tau, c, fx, rows, fx_count, k, noise_std * noise_std, p);
    if (st != TACIT_OK) goto exit;
    if ((st = learn_second_moment(Cg, &found.cls, B, c, rows, k, p)) != TACIT_OK) goto exit;
    st = learn_item_solve(b, V, B, c, rows, k, weight, Cg, found.cls, p);
    if (st == TACIT_OK && report != NULL) *report = found;
exit:
    free(Cg);
    free(Wf);
    free(fx);
    return st;
}
