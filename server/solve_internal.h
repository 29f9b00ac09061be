/* SPDX-License-Identifier: Apache-2.0
 * solve_internal.h - the little linear algebra that the parts of server/solve.h share: scratch,
 * checks of inputs, weighted cross products, one symmetric eigenproblem, one symmetric solve.
 *
 * Private to server/solve.c and server/learn_*.c. Matrices are row-major doubles. Work over items
 * goes in blocks of SOLVE_BLOCK rows, so that scratch does not grow with the catalogue. Sizes fit
 * in BLAS's int because callers check them against common/limits.h first. */
#ifndef TACIT_SERVER_SOLVE_INTERNAL_H
#define TACIT_SERVER_SOLVE_INTERNAL_H

#include "server/solve.h"

enum { SOLVE_BLOCK = 1024 };

/* Zeroed [rows x cols] doubles, to be freed by the caller; NO_SPACE. */
TACIT_MUST_CHECK tacit_status solve_alloc(double **out, size_t rows, size_t cols);

bool solve_finite(const double *x, size_t count);
/* Every number finite and above zero. */
bool solve_positive(const double *x, size_t count);
double solve_sum(const double *x, size_t count);

/* out [x_cols x y_cols] <- sum over rows of weight_i x_i y_i'. x [rows x x_cols], y [rows x
 * y_cols], weight [rows]; out may not overlap them. NO_SPACE. */
TACIT_MUST_CHECK tacit_status solve_cross(double *out, const double *x, size_t x_cols,
                                          const double *y, size_t y_cols, const double *weight,
                                          size_t rows);

/* a [n x n] symmetric; on return row j of a is the unit eigenvector of values[j], ascending. */
TACIT_MUST_CHECK tacit_status solve_eigen(double *values, double *a, size_t n);

/* Solves a x_j = r_j for every row r_j of r [count x n], in place. a [n x n] symmetric: Cholesky,
 * and LU when a is not positive definite. a is destroyed; spare [n x n] is scratch. NUMERIC when a
 * is singular or a result is not finite. */
TACIT_MUST_CHECK tacit_status solve_symmetric(double *r, double *a, double *spare, size_t n,
                                              size_t count);

/* ok when 1 <= item_count <= TACIT_MAX_ITEMS and 1 <= k <= TACIT_MAX_FACTOR. */
bool solve_shape_ok(size_t item_count, size_t k);

#endif
