/* SPDX-License-Identifier: Apache-2.0
 * learn_features.c - what the public features of the catalogue give: the start of a training run,
 * the regressors of the empirical-Bayes fit and the content part appended to the final model.
 *
 * Nothing here reads a sum except the already noisy counts, which only weight the centring. The
 * signs of principal axes are arbitrary; they are fixed (largest component positive) so that a
 * training run can be repeated elsewhere. */
#include "server/solve_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "common/prng.h"

struct learn_features {
    size_t item_count, feature_count;
    double *x; /* [item_count x feature_count] */
};

static const double eigen_floor = 1e-6;  /* keeps a constant column's eigenvalue above zero */
static const double whiten_floor = 1e-2; /* rare features are not blown up beyond a factor 10 */

tacit_status learn_features_new(learn_features **out, const double *features, size_t item_count,
                                size_t feature_count) {
    *out = NULL;
    if (item_count < 1 || item_count > TACIT_MAX_ITEMS || feature_count < 1 ||
        feature_count > TACIT_MAX_FEATURE) {
        return TACIT_INVALID_ARGUMENT;
    }
    size_t last = feature_count - 1;
    if (!solve_finite(features, item_count * feature_count)) return TACIT_NUMERIC;
    for (size_t i = 0; i < item_count; i++) {
        if (features[i * feature_count + last] != features[last]) return TACIT_INVALID_ARGUMENT;
    }
    learn_features *f = malloc(sizeof *f);
    if (f == NULL) return TACIT_NO_SPACE;
    f->item_count = item_count;
    f->feature_count = feature_count;
    tacit_status st = solve_alloc(&f->x, item_count, feature_count);
    if (st != TACIT_OK) {
        free(f);
        return st;
    }
    memcpy(f->x, features, item_count * feature_count * sizeof *features);
    *out = f;
    return TACIT_OK;
}

void learn_features_free(learn_features *f) {
    if (f == NULL) return;
    free(f->x);
    free(f);
}

size_t learn_features_count(const learn_features *f) { return f->feature_count; }

size_t learn_features_items(const learn_features *f) { return f->item_count; }

void learn_regressors(double *fx, size_t *fx_count, const learn_features *f, const double *c,
                      bool log_counts) {
    size_t count = f->feature_count, wide = count + (log_counts ? 2 : 0);
    double mean = 0.0, total = 0.0;
    if (log_counts) {
        for (size_t i = 0; i < f->item_count; i++) {
            mean += c[i] * log(c[i]);
            total += c[i];
        }
        mean /= total;
    }
    for (size_t i = 0; i < f->item_count; i++) {
        memcpy(fx + i * wide, f->x + i * count, count * sizeof *fx);
        if (!log_counts) continue;
        double x = log(c[i]) - mean;
        fx[i * wide + count] = x;
        fx[i * wide + count + 1] = x * x;
    }
    *fx_count = wide;
}

/* Principal axes of the features under the item weights. centred [M x f] receives F minus its
 * weighted mean, values [f] ascending, axes [f x f] one axis per row. */
static tacit_status find_axes(double *centred, double *values, double *axes,
                              const learn_features *f, const double *weight) {
    size_t rows = f->item_count, count = f->feature_count;
    double total = solve_sum(weight, rows);
    for (size_t j = 0; j < count; j++) {
        double mean = 0.0;
        for (size_t i = 0; i < rows; i++) mean += weight[i] * f->x[i * count + j];
        mean /= total;
        for (size_t i = 0; i < rows; i++) centred[i * count + j] = f->x[i * count + j] - mean;
    }
    tacit_status st = solve_cross(axes, centred, count, centred, count, weight, rows);
    if (st != TACIT_OK) return st;
    for (size_t j = 0; j < count * count; j++) axes[j] /= total;
    for (size_t j = 0; j < count; j++) axes[j * count + j] += eigen_floor;
    st = solve_eigen(values, axes, count);
    if (st != TACIT_OK) return st;
    for (size_t j = 0; j < count; j++) {
        double *axis = axes + j * count, largest = 0.0;
        for (size_t d = 0; d < count; d++) {
            if (fabs(axis[d]) > fabs(largest)) largest = axis[d];
        }
        if (largest < 0.0) cblas_dscal((int)count, -1.0, axis, 1);
    }
    return TACIT_OK;
}

/* Scales V to overall standard deviation 0.1 / sqrt k. NUMERIC when V is constant. */
static tacit_status scale_start(double *V, size_t count, uint32_t k) {
    double mean = solve_sum(V, count) / (double)count, variance = 0.0;
    for (size_t i = 0; i < count; i++) variance += (V[i] - mean) * (V[i] - mean);
    variance /= (double)count;
    if (!(isfinite(variance) && variance > 0.0)) return TACIT_NUMERIC;
    double scale = 0.1 / sqrt((double)k * variance);
    for (size_t i = 0; i < count; i++) V[i] *= scale;
    return TACIT_OK;
}

tacit_status learn_start(double *V, const learn_features *f, uint32_t k, uint64_t seed) {
    size_t rows = f->item_count, count = f->feature_count, used = k < count ? k : count;
    double *centred = NULL, *values = NULL, *axes = NULL, *weight = NULL;
    tacit_status st;
    if (!solve_shape_ok(rows, k)) return TACIT_INVALID_ARGUMENT;
    if ((st = solve_alloc(&centred, rows, count)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&values, count, 1)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&axes, count, count)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&weight, rows, 1)) != TACIT_OK) goto exit;
    for (size_t i = 0; i < rows; i++) weight[i] = 1.0;
    if ((st = find_axes(centred, values, axes, f, weight)) != TACIT_OK) goto exit;

    for (size_t j = 0; j < used; j++) { /* the longest axis first */
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)count, 1.0, centred, (int)count,
                    axes + (count - 1 - j) * count, 1, 0.0, V + j, (int)k);
    }
    if (used < k) {
        tacit_prng p;
        tacit_prng_init_seed(&p, seed, 0);
        double scale = 0.1 * sqrt(values[count - 1]);
        for (size_t i = 0; i < rows; i++) {
            for (size_t j = used; j < k; j++) V[i * k + j] = scale * tacit_prng_normal(&p);
        }
        tacit_prng_wipe(&p);
    }
    st = scale_start(V, rows * k, k);
exit:
    free(weight);
    free(axes);
    free(values);
    free(centred);
    return st;
}

/* Scale of the appended features: feature_scale times the c-weighted root mean square length of a
 * factor, spread over f columns. */
static double content_scale(const double *V, const double *c, size_t rows, size_t count, uint32_t k,
                            const learn_params *p) {
    if (k == 0) return p->content_scale;
    double energy = 0.0;
    for (size_t i = 0; i < rows; i++) {
        energy += c[i] * cblas_ddot((int)k, V + i * k, 1, V + i * k, 1);
    }
    return p->feature_scale * sqrt(energy / (solve_sum(c, rows) * (double)count));
}

tacit_status learn_extend(double *X, const learn_features *f, const double *V, const double *c,
                          uint32_t k, const learn_params *p) {
    size_t rows = f->item_count, count = f->feature_count;
    double *centred = NULL, *values = NULL, *axes = NULL;
    tacit_status st;
    if (k > TACIT_MAX_FACTOR) return TACIT_INVALID_ARGUMENT;
    if (!solve_positive(c, rows) || !solve_finite(V, rows * k)) return TACIT_NUMERIC;
    if ((st = solve_alloc(&centred, rows, count)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&values, count, 1)) != TACIT_OK) goto exit;
    if ((st = solve_alloc(&axes, count, count)) != TACIT_OK) goto exit;
    if ((st = find_axes(centred, values, axes, f, c)) != TACIT_OK) goto exit;

    double scale = content_scale(V, c, rows, count, k, p);
    for (size_t j = 0; j < count; j++) {
        double whiten = scale / sqrt((values[j] > 0.0 ? values[j] : 0.0) + whiten_floor);
        cblas_dscal((int)count, whiten, axes + j * count, 1);
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)count, (int)count, 1.0,
                centred, (int)count, axes, (int)count, 0.0, X, (int)count);
    if (!solve_finite(X, rows * count)) st = TACIT_NUMERIC;
exit:
    free(axes);
    free(values);
    free(centred);
    return st;
}
