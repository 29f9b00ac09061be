/* SPDX-License-Identifier: Apache-2.0
 * learn_linear.c - the shared linear algebra of the learning step (server/solve_internal.h).
 *
 * Thin on purpose: BLAS and LAPACK do the work. Symmetric matrices look the same in row-major and
 * column-major order, so LAPACK is called column-major throughout and nothing is transposed; its
 * column of eigenvectors or right-hand sides is a row here. */
#include "server/solve_internal.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

tacit_status solve_alloc(double **out, size_t rows, size_t cols) {
    size_t count;
    if (__builtin_mul_overflow(rows, cols, &count)) return TACIT_NO_SPACE;
    *out = calloc(count > 0 ? count : 1, sizeof **out);
    return *out != NULL ? TACIT_OK : TACIT_NO_SPACE;
}

bool solve_finite(const double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

bool solve_positive(const double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!(isfinite(x[i]) && x[i] > 0.0)) return false;
    }
    return true;
}

double solve_sum(const double *x, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += x[i];
    return sum;
}

bool solve_shape_ok(size_t item_count, size_t k) {
    return item_count >= 1 && item_count <= TACIT_MAX_ITEMS && k >= 1 && k <= TACIT_MAX_FACTOR;
}

tacit_status solve_cross(double *out, const double *x, size_t x_cols, const double *y,
                         size_t y_cols, const double *weight, size_t rows) {
    double *scaled = NULL;
    tacit_status st = solve_alloc(&scaled, SOLVE_BLOCK, y_cols);
    if (st != TACIT_OK) return st;
    memset(out, 0, x_cols * y_cols * sizeof *out);
    for (size_t first = 0; first < rows; first += SOLVE_BLOCK) {
        size_t count = rows - first < SOLVE_BLOCK ? rows - first : SOLVE_BLOCK;
        for (size_t i = 0; i < count; i++) {
            const double *row = y + (first + i) * y_cols;
            for (size_t j = 0; j < y_cols; j++) {
                scaled[i * y_cols + j] = weight[first + i] * row[j];
            }
        }
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)x_cols, (int)y_cols, (int)count,
                    1.0, x + first * x_cols, (int)x_cols, scaled, (int)y_cols, 1.0, out,
                    (int)y_cols);
    }
    free(scaled);
    return TACIT_OK;
}

/* LAPACK's own way of saying "out of memory" is a negative info; anything else is the numbers. */
static tacit_status status_of(lapack_int info) {
    if (info == 0) return TACIT_OK;
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR) {
        return TACIT_NO_SPACE;
    }
    return TACIT_NUMERIC;
}

tacit_status solve_eigen(double *values, double *a, size_t n) {
    return status_of(
        LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)n, a, (lapack_int)n, values));
}

tacit_status solve_symmetric(double *r, double *a, double *spare, size_t n, size_t count) {
    lapack_int size = (lapack_int)n, sides = (lapack_int)count;
    memcpy(spare, a, n * n * sizeof *a);
    lapack_int info = LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', size, sides, spare, size, r, size);
    if (info > 0) { /* not positive definite; r is still the right-hand side */
        lapack_int *pivots = malloc(n * sizeof *pivots);
        if (pivots == NULL) return TACIT_NO_SPACE;
        info = LAPACKE_dgesv(LAPACK_COL_MAJOR, size, sides, a, size, pivots, r, size);
        free(pivots);
    }
    tacit_status st = status_of(info);
    if (st == TACIT_OK && !solve_finite(r, n * count)) st = TACIT_NUMERIC;
    return st;
}
