/* SPDX-License-Identifier: Apache-2.0
 * learn_denoise.c - what a noisy gradient sum says once its noise is accounted for: the
 * empirical-Bayes fit on public regressors, James-Stein shrinkage of the rest, and the second
 * moment of user directions read off the result.
 *
 * docs/ALGORITHM.md, steps "Denoise" and "Second moment". Passes over the items are blocked, so
 * scratch is a few blocks however large the catalogue. Refuses a fit without iterations. */
#include "server/solve_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

/* One fit in progress. Wt is the regression's weights, transposed: one row per factor column. */
typedef struct {
    const double *c, *fx;
    size_t item_count, fx_count, k;
    double noise_variance;
    double *weight;      /* [M] scratch */
    double *Wt;          /* [k x fx_count] */
    double *gram, *copy; /* [fx_count x fx_count] */
    double *rest;        /* [SOLVE_BLOCK x k]: residual of one block */
} fit;

static tacit_status fit_alloc(fit *t) {
    tacit_status st = solve_alloc(&t->weight, t->item_count, 1);
    if (st == TACIT_OK) st = solve_alloc(&t->Wt, t->k, t->fx_count);
    if (st == TACIT_OK) st = solve_alloc(&t->gram, t->fx_count, t->fx_count);
    if (st == TACIT_OK) st = solve_alloc(&t->copy, t->fx_count, t->fx_count);
    if (st == TACIT_OK) st = solve_alloc(&t->rest, SOLVE_BLOCK, t->k);
    return st;
}

static void fit_free(fit *t) {
    free(t->rest);
    free(t->copy);
    free(t->gram);
    free(t->Wt);
    free(t->weight);
}

/* Variance of a number in row i of B around its prediction, at prior variance tau. */
static double row_variance(const fit *t, size_t i, double tau) {
    return tau * t->c[i] * t->c[i] + t->noise_variance;
}

/* Ridge regression of B on c_i Fx_i, rows weighted by their precision. */
static tacit_status regress(fit *t, const double *B, double tau, double ridge) {
    size_t n = t->fx_count;
    for (size_t i = 0; i < t->item_count; i++) {
        t->weight[i] = t->c[i] * t->c[i] / row_variance(t, i, tau);
    }
    tacit_status st = solve_cross(t->gram, t->fx, n, t->fx, n, t->weight, t->item_count);
    if (st != TACIT_OK) return st;
    for (size_t j = 0; j < n; j++) t->gram[j * n + j] += ridge / (tau + 1e-9);
    for (size_t i = 0; i < t->item_count; i++) {
        t->weight[i] = t->c[i] / row_variance(t, i, tau);
    }
    st = solve_cross(t->Wt, B, t->k, t->fx, n, t->weight, t->item_count);
    if (st != TACIT_OK) return st;
    return solve_symmetric(t->Wt, t->gram, t->copy, n, t->k);
}

/* rest <- B_i - c_i Fx_i Wf for the rows of one block. */
static void find_rest(const fit *t, const double *B, size_t first, size_t count) {
    size_t k = t->k, n = t->fx_count;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)k, (int)n, 1.0,
                t->fx + first * n, (int)n, t->Wt, (int)n, 0.0, t->rest, (int)k);
    for (size_t i = 0; i < count; i++) {
        double *rest = t->rest + i * k;
        const double *row = B + (first + i) * k;
        for (size_t j = 0; j < k; j++) rest[j] = row[j] - t->c[first + i] * rest[j];
    }
}

static size_t block_len(const fit *t, size_t first) {
    size_t left = t->item_count - first;
    return left < SOLVE_BLOCK ? left : SOLVE_BLOCK;
}

/* Moment estimate of the prior variance from the residuals left at the present tau. */
static double next_tau(const fit *t, const double *B, double tau) {
    double top = 0.0, bottom = 0.0;
    for (size_t first = 0; first < t->item_count; first += SOLVE_BLOCK) {
        size_t count = block_len(t, first);
        find_rest(t, B, first, count);
        for (size_t i = 0; i < count; i++) {
            const double *rest = t->rest + i * t->k;
            double mean_square = cblas_ddot((int)t->k, rest, 1, rest, 1) / (double)t->k;
            double gain = t->c[first + i] / row_variance(t, first + i, tau);
            top += gain * gain * (mean_square - t->noise_variance);
            bottom += gain * gain * t->c[first + i] * t->c[first + i];
        }
    }
    double found = top / bottom;
    return found < 1e-6 ? 1e-6 : found;
}

/* B_i <- prediction + positive-part James-Stein of the residual. A factor of length 1 or 2 has no
 * James-Stein gain: its residual is kept whole. */
static void shrink(const fit *t, double *B) {
    double dims = t->k > 2 ? (double)t->k - 2.0 : 0.0;
    for (size_t first = 0; first < t->item_count; first += SOLVE_BLOCK) {
        size_t count = block_len(t, first);
        find_rest(t, B, first, count);
        for (size_t i = 0; i < count; i++) {
            const double *rest = t->rest + i * t->k;
            double square = cblas_ddot((int)t->k, rest, 1, rest, 1);
            double lost = dims * t->noise_variance / fmax(square, 1e-12);
            if (lost > 1.0) lost = 1.0;
            cblas_daxpy((int)t->k, -lost, rest, 1, B + (first + i) * t->k, 1);
        }
    }
}

tacit_status learn_denoise(double *B, double *Wf, double *tau, const double *c, const double *fx,
                           size_t item_count, size_t fx_count, size_t k, double noise_variance,
                           const learn_params *p) {
    if (!solve_shape_ok(item_count, k) || fx_count < 1 || fx_count > TACIT_MAX_FEATURE + 2 ||
        p->eb_iterations < 1) {
        return TACIT_INVALID_ARGUMENT;
    }
    if (!solve_finite(B, item_count * k) || !solve_positive(c, item_count) ||
        !solve_finite(fx, item_count * fx_count) || !isfinite(noise_variance) ||
        noise_variance < 0.0) {
        return TACIT_NUMERIC;
    }
    fit t = {.c = c,
             .fx = fx,
             .item_count = item_count,
             .fx_count = fx_count,
             .k = k,
             .noise_variance = noise_variance};
    double found = 0.05 / (double)k;
    tacit_status st = fit_alloc(&t);
    for (uint32_t round = 0; st == TACIT_OK && round < p->eb_iterations; round++) {
        st = regress(&t, B, found, p->feature_ridge);
        if (st == TACIT_OK) found = next_tau(&t, B, found);
        if (st == TACIT_OK && !isfinite(found)) st = TACIT_NUMERIC;
    }
    if (st == TACIT_OK) {
        shrink(&t, B);
        for (size_t j = 0; j < fx_count; j++) {
            for (size_t d = 0; d < k; d++) Wf[j * k + d] = t.Wt[d * fx_count + j];
        }
        *tau = found;
        if (!solve_finite(B, item_count * k)) st = TACIT_NUMERIC;
    }
    fit_free(&t);
    return st;
}

/* a [k x k] <- sum_j scale_j e_j e_j' over the rows e_j of vectors; half is scratch [k x k]. */
static void rebuild(double *a, double *half, const double *vectors, const double *scale, size_t k) {
    for (size_t j = 0; j < k; j++) {
        for (size_t d = 0; d < k; d++) half[j * k + d] = scale[j] * vectors[j * k + d];
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k, (int)k, (int)k, 1.0, vectors,
                (int)k, half, (int)k, 0.0, a, (int)k);
}

/* Largest eigenvalue of L Bm L, L symmetric [k x k]. half, inner [k x k] and values [k]: scratch.
 */
static tacit_status largest_ratio(double *ratio, const double *L, const double *Bm, double *half,
                                  double *inner, double *values, size_t k) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)k, (int)k, 1.0, L, (int)k,
                Bm, (int)k, 0.0, half, (int)k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)k, (int)k, 1.0, half,
                (int)k, L, (int)k, 0.0, inner, (int)k);
    tacit_status st = solve_eigen(values, inner, k);
    *ratio = values[k - 1];
    return st;
}

/* From Bm [k x k], the between-item second moment, to Cg and the largest safe class share. room
 * holds 4 k^2 + 3 k doubles. */
static tacit_status widen(double *Cg, double *cls, double *Bm, double *room, size_t k,
                          const learn_params *p) {
    double *vectors = room, *half = room + k * k, *L = half + k * k, *inner = L + k * k;
    double *values = inner + k * k, *power = values + k, *inverse_root = power + k;
    double trace = 0.0, total = 0.0, ratio = 0.0;
    for (size_t j = 0; j < k; j++) trace += Bm[j * k + j];
    double isotropic = (trace < 0.8 ? 1.0 - trace : 0.2) / (double)k;
    double wide_trace = trace + isotropic * (double)k;
    for (size_t j = 0; j < k * k; j++) vectors[j] = Bm[j] / wide_trace;
    for (size_t j = 0; j < k; j++) vectors[j * k + j] += isotropic / wide_trace;
    tacit_status st = solve_eigen(values, vectors, k);
    if (st != TACIT_OK) return st;

    for (size_t j = 0; j < k; j++) power[j] = pow(fmax(values[j], 1e-9), p->gram_power);
    total = solve_sum(power, k);
    for (size_t j = 0; j < k; j++) {
        power[j] /= total;
        inverse_root[j] = 1.0 / sqrt(power[j]);
    }
    rebuild(Cg, half, vectors, power, k);
    rebuild(L, half, vectors, inverse_root, k);
    st = largest_ratio(&ratio, L, Bm, half, inner, values, k);
    if (st != TACIT_OK) return st;
    double safe = 0.7 / fmax(ratio, 1.0);
    *cls = p->class_share < safe ? p->class_share : safe;
    return solve_finite(Cg, k * k) && isfinite(ratio) ? TACIT_OK : TACIT_NUMERIC;
}

tacit_status learn_second_moment(double *Cg, double *cls, const double *B, const double *c,
                                 size_t item_count, size_t k, const learn_params *p) {
    if (!solve_shape_ok(item_count, k)) return TACIT_INVALID_ARGUMENT;
    if (!solve_finite(B, item_count * k) || !solve_positive(c, item_count)) return TACIT_NUMERIC;
    double *weight = NULL, *Bm = NULL, *room = NULL;
    tacit_status st;
    if ((st = solve_alloc(&weight, item_count, 1)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&Bm, k, k)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&room, k, 4 * k + 3)) != TACIT_OK) goto exit;

    double total = solve_sum(c, item_count);
    for (size_t i = 0; i < item_count; i++) weight[i] = 1.0 / (c[i] * total);
    if ((st = solve_cross(Bm, B, k, B, k, weight, item_count)) != TACIT_OK) goto exit;
    st = widen(Cg, cls, Bm, room, k, p);
exit:
    free(room);
    free(Bm);
    free(weight);
    return st;
}
