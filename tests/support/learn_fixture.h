/* SPDX-License-Identifier: Apache-2.0
 * learn_fixture.h - slow, obvious mathematics for the tests of server/solve.h: elimination, one
 * item's equation written out entry by entry, and what a device does with a history.
 *
 * Shares no code with server/ or firmware/ and calls no BLAS. Sizes are asserted, not checked. */
#ifndef TACIT_TESTS_LEARN_FIXTURE_H
#define TACIT_TESTS_LEARN_FIXTURE_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/solve.h"

enum { FIXTURE_MAX_SIDE = 72 };

/* x <- a^-1 x by elimination with row pivots; a [n x n] is destroyed. */
static inline void fixture_eliminate(double *a, double *x, size_t n) {
    for (size_t p = 0; p < n; p++) {
        size_t best = p;
        for (size_t r = p + 1; r < n; r++) {
            if (fabs(a[r * n + p]) > fabs(a[best * n + p])) best = r;
        }
        for (size_t d = 0; d < n && best != p; d++) {
            double swap = a[p * n + d];
            a[p * n + d] = a[best * n + d];
            a[best * n + d] = swap;
        }
        double swap = x[p];
        x[p] = x[best];
        x[best] = swap;
        for (size_t r = p + 1; r < n; r++) {
            double factor = a[r * n + p] / a[p * n + p];
            for (size_t d = p; d < n; d++) a[r * n + d] -= factor * a[p * n + d];
            x[r] -= factor * x[p];
        }
    }
    for (size_t p = n; p-- > 0;) {
        for (size_t d = p + 1; d < n; d++) x[p] -= a[p * n + d] * x[d];
        x[p] /= a[p * n + p];
    }
}

/* Bw [n x n] = sum c m m' / sum c, n = k + 1, m = (1, B_i / c_i). */
static inline void fixture_class_moment(double *Bw, const double *B, const double *c,
                                        size_t item_count, size_t k) {
    size_t n = k + 1;
    double total = 0.0, m[FIXTURE_MAX_SIDE] = {1.0};
    assert(n <= FIXTURE_MAX_SIDE);
    memset(Bw, 0, n * n * sizeof *Bw);
    for (size_t i = 0; i < item_count; i++) total += c[i];
    for (size_t i = 0; i < item_count; i++) {
        for (size_t d = 0; d < k; d++) m[d + 1] = B[i * k + d] / c[i];
        for (size_t r = 0; r < n; r++) {
            for (size_t d = 0; d < n; d++) Bw[r * n + d] += c[i] * m[r] * m[d] / total;
        }
    }
}

/* x [k + 1] = (b_i, v_i): the item's equation entry by entry. Bw from fixture_class_moment. */
static inline void fixture_item(double *x, const double *Bi, double ci, const double *Bw,
                                const double *Cg, size_t k, double weight, double cls,
                                const learn_params *p) {
    static double a[FIXTURE_MAX_SIDE * FIXTURE_MAX_SIDE];
    size_t n = k + 1;
    double m[FIXTURE_MAX_SIDE] = {1.0};
    assert(n <= FIXTURE_MAX_SIDE);
    for (size_t d = 0; d < k; d++) m[d + 1] = Bi[d] / ci;
    for (size_t r = 0; r < n; r++) {
        for (size_t d = 0; d < n; d++) {
            double gram = r == 0 || d == 0 ? (r == d ? 1.0 : 0.0) : Cg[(r - 1) * k + d - 1];
            double ridge = r == d && r > 0 ? p->item_ridge / (double)k : 0.0;
            a[r * n + d] = p->a0 * weight * gram +
                           ci * (gram - cls * Bw[r * n + d] + cls * m[r] * m[d]) +
                           ridge * (ci + p->a0 * weight);
        }
        x[r] = r == 0 ? ci : Bi[r - 1];
    }
    fixture_eliminate(a, x, n);
}

/* ---- The device -------------------------------------------------------------------------------*/
/* u [k]: the user factor of a history against V [M x k], b. inverse [k x k] may be NULL. */
static inline void fixture_user(double *u, double *inverse, const double *V, const double *b,
                                size_t item_count, size_t k, const uint32_t *history, size_t count,
                                double a0, double ridge) {
    double a[FIXTURE_MAX_SIDE * FIXTURE_MAX_SIDE] = {0}, copy[FIXTURE_MAX_SIDE * FIXTURE_MAX_SIDE];
    assert(k <= FIXTURE_MAX_SIDE);
    memset(u, 0, k * sizeof *u);
    for (size_t i = 0; i < item_count; i++) {
        for (size_t r = 0; r < k; r++) {
            u[r] -= a0 * V[i * k + r] * b[i];
            for (size_t d = 0; d < k; d++) a[r * k + d] += a0 * V[i * k + r] * V[i * k + d];
        }
    }
    for (size_t h = 0; h < count; h++) {
        const double *v = V + history[h] * k;
        for (size_t r = 0; r < k; r++) {
            u[r] += (1.0 + a0 - b[history[h]]) * v[r];
            for (size_t d = 0; d < k; d++) a[r * k + d] += v[r] * v[d];
        }
    }
    for (size_t r = 0; r < k; r++) a[r * k + r] += ridge;
    for (size_t r = 0; inverse != NULL && r < k; r++) {
        double *row = inverse + r * k;
        memset(row, 0, k * sizeof *row);
        row[r] = 1.0;
        memcpy(copy, a, k * k * sizeof *a);
        fixture_eliminate(copy, row, k);
    }
    fixture_eliminate(a, u, k);
}

/* Adds one device's rows to B [M x k] and its weights to y [M]. */
static inline void fixture_upload(double *B, double *y, const double *V, const double *b,
                                  size_t item_count, size_t k, const uint32_t *history,
                                  size_t count, const learn_params *p) {
    double u[FIXTURE_MAX_SIDE], inverse[FIXTURE_MAX_SIDE * FIXTURE_MAX_SIDE];
    double ridge = p->user_ridge * pow((double)count / 100.0, p->user_ridge_exponent);
    double w = 1.0 / sqrt(fmax((double)count, p->history_floor));
    fixture_user(u, inverse, V, b, item_count, k, history, count, p->a0, ridge);
    for (size_t h = 0; h < count; h++) {
        const double *q = V + history[h] * k;
        double a[FIXTURE_MAX_SIDE] = {0}, z[FIXTURE_MAX_SIDE], lever = 0.0, miss = 0.0, norm = 0.0;
        for (size_t r = 0; r < k; r++) {
            for (size_t d = 0; d < k; d++) a[r] += inverse[r * k + d] * q[d];
            lever += q[r] * a[r];
            miss += q[r] * u[r];
        }
        miss -= 1.0 + p->a0 - b[history[h]];
        for (size_t r = 0; r < k; r++) {
            z[r] = u[r] + p->leave_one_out * miss / fmax(1.0 - lever, 1e-3) * a[r];
            norm += z[r] * z[r];
        }
        for (size_t r = 0; r < k; r++) B[history[h] * k + r] += w * z[r] / (sqrt(norm) + 1e-12);
        y[history[h]] += w;
    }
}

#endif
