/* SPDX-License-Identifier: Apache-2.0
 * factor.h - the user factor: the exact ridge solution over the history,
 *     A = a0 Q'Q + Q_H' Q_H + ridge (H / 100)^exponent I,   u = A^-1 (Q_H' y + r0),
 *     y_i = 1 + a0 - b_i,   r0 = -a0 Q' b,
 * Q the model's rows: [V] while training, [V, X] for the final ranking. (Equations: local solve of
 * the learning algorithm.) An empty history has u = 0: it is ranked by popularity.
 *
 * Everything is double. Symmetric matrices are packed lower triangles, row i from i (i + 1) / 2.
 * Hu, Koren, Volinsky 2008 for the shared base a0 Q'Q, computed once per model; a tap then costs
 * one rank-1 change and one Cholesky. It refuses a system that is not positive definite (NUMERIC).
 */
#ifndef TACIT_FIRMWARE_FACTOR_H
#define TACIT_FIRMWARE_FACTOR_H

#include "common/base.h"
#include "common/model.h"
#include "firmware/workspace.h"

enum { TACIT_FACTOR_ROW_MAX = TACIT_MAX_FACTOR + TACIT_MAX_FEATURE };

typedef struct {
    const tacit_model *model; /* NULL until begun */
    uint32_t cap;             /* greatest row length */
    uint32_t len;             /* row length with this model: k, or k + f */
    bool content;             /* rows are [V, X] */
    double a0, ridge, exponent;
    double *base;     /* [triangle] a0 Q'Q */
    double *gram;     /* [triangle] base + Q_H' Q_H */
    double *root;     /* [triangle] Cholesky factor of A */
    double *base_rhs; /* [len] r0 */
    double *rhs;      /* [len] r0 + Q_H' y */
    double *u;        /* [len] the user factor */
    uint32_t count;   /* H */
    bool solved;      /* root and u belong to the current history */
} tacit_factor;

/* Takes the memory for rows up to `cap` long. */
void tacit_factor_place(tacit_factor *f, tacit_arena *arena, uint32_t cap);

/* Begins with a model and an empty history. content: rows [V, X] with the model's final parameters;
 * otherwise rows [V] with its training parameters. NO_SPACE when the rows are longer than cap.
 * Costs M len^2 / 2 multiply-adds. */
TACIT_MUST_CHECK tacit_status tacit_factor_begin(tacit_factor *f, const tacit_model *model,
                                                 bool content);
/* Back to the empty history; nothing derived from the old one is left in memory. Works without a
 * model too. */
void tacit_factor_clear(tacit_factor *f);

/* Item `index` begins (add) or ceases to be in the history. */
void tacit_factor_change(tacit_factor *f, uint32_t index, bool add);

/* root and u of the current history. NUMERIC leaves u = 0 and `solved` false. */
TACIT_MUST_CHECK tacit_status tacit_factor_solve(tacit_factor *f);

/* x <- A^-1 x, x [len]; after a solve with count > 0. */
void tacit_factor_apply(const tacit_factor *f, double *x);

/* Row of an item, [len]. */
void tacit_factor_row(const tacit_factor *f, double *row, uint32_t index);
/* y of an item. */
double tacit_factor_target(const tacit_factor *f, uint32_t index);

/* sum a_i b_i over [len]. */
double tacit_factor_dot(const double *a, const double *b, uint32_t len);

#endif
