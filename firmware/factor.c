/* SPDX-License-Identifier: Apache-2.0
 * factor.c - see factor.h. Plain loops over contiguous rows that a compiler vectorises; the sizes
 * (rows of 16 to 256) are too small for a library to pay. It refuses pivots that are not positive
 * and finite instead of continuing with noise. */
#include "firmware/factor.h"

#include <math.h>

#include "common/crypto.h"

static size_t triangle(uint32_t len) { return (size_t)len * (len + 1) / 2; }

void tacit_factor_place(tacit_factor *f, tacit_arena *arena, uint32_t cap) {
    assert(cap <= TACIT_FACTOR_ROW_MAX);
    f->cap = cap;
    f->base = tacit_arena_take(arena, triangle(cap), sizeof(double));
    f->gram = tacit_arena_take(arena, triangle(cap), sizeof(double));
    f->root = tacit_arena_take(arena, triangle(cap), sizeof(double));
    f->base_rhs = tacit_arena_take(arena, cap, sizeof(double));
    f->rhs = tacit_arena_take(arena, cap, sizeof(double));
    f->u = tacit_arena_take(arena, cap, sizeof(double));
}

void tacit_factor_row(const tacit_factor *f, double *row, uint32_t index) {
    const tacit_model *m = f->model;
    for (uint32_t j = 0; j < m->factor; j++) row[j] = m->factors[(size_t)index * m->factor + j];
    if (!f->content) return;
    for (uint32_t j = 0; j < m->features; j++) {
        row[m->factor + j] = m->content[(size_t)index * m->features + j];
    }
}

double tacit_factor_target(const tacit_factor *f, uint32_t index) {
    return 1 + f->a0 - (double)f->model->bias[index];
}

double tacit_factor_dot(const double *a, const double *b, uint32_t len) {
    double lane[4] = {0, 0, 0, 0}, rest = 0;
    uint32_t i = 0;
    for (; i + 4 <= len; i += 4) {
        for (uint32_t j = 0; j < 4; j++) lane[j] += a[i + j] * b[i + j];
    }
    for (; i < len; i++) rest += a[i] * b[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]) + rest;
}

/* t += weight x x' */
static void rank1(double *restrict t, const double *restrict x, uint32_t len, double weight) {
    for (uint32_t i = 0; i < len; i++) {
        /* x [len] is whole. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        double w = weight * x[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        for (uint32_t j = 0; j <= i; j++) t[j] += w * x[j];
        t += i + 1;
    }
}

/* t += weight (sum of four x x'): one pass over the triangle for four rows. x: [4 x len] */
static void rank4(double *restrict t, const double *restrict x, uint32_t len, double weight) {
    const double *a = x, *b = x + len, *c = b + len, *d = c + len;
    for (uint32_t i = 0; i < len; i++) {
        double wa = weight * a[i], wb = weight * b[i], wc = weight * c[i], wd = weight * d[i];
        for (uint32_t j = 0; j <= i; j++) {
            t[j] += (wa * a[j] + wb * b[j]) + (wc * c[j] + wd * d[j]);
        }
        t += i + 1;
    }
}

static void build_base(tacit_factor *f) {
    double rows[4 * TACIT_FACTOR_ROW_MAX];
    uint32_t count = f->model->item_count, i = 0;
    memset(f->base, 0, triangle(f->len) * sizeof(double));
    memset(f->base_rhs, 0, f->len * sizeof(double));
    for (; i < count; i++) {
        double *row = rows + (size_t)(i & 3) * f->len, b = f->model->bias[i];
        tacit_factor_row(f, row, i);
        for (uint32_t j = 0; j < f->len; j++) f->base_rhs[j] -= f->a0 * b * row[j];
        if ((i & 3) == 3) rank4(f->base, rows, f->len, f->a0);
    }
    for (uint32_t j = 0; j < (count & 3); j++) {
        rank1(f->base, rows + (size_t)j * f->len, f->len, f->a0);
    }
}

/* Everything a history left, whatever model it was solved with. */
static void erase(tacit_factor *f) {
    if (f->cap == 0) return;
    tacit_wipe(f->gram, triangle(f->cap) * sizeof(double));
    tacit_wipe(f->root, triangle(f->cap) * sizeof(double));
    tacit_wipe(f->rhs, f->cap * sizeof(double));
    tacit_wipe(f->u, f->cap * sizeof(double));
}

tacit_status tacit_factor_begin(tacit_factor *f, const tacit_model *model, bool content) {
    uint32_t len = model->factor + (content ? model->features : 0);
    f->model = NULL;
    if (len > f->cap) return TACIT_NO_SPACE;
    f->model = model;
    f->len = len;
    f->content = content;
    f->a0 = content ? model->a0_final : model->a0;
    f->ridge = content ? model->user_ridge_final : model->user_ridge;
    f->exponent = model->user_ridge_exponent;
    if (len > 0) build_base(f);
    tacit_factor_clear(f);
    return TACIT_OK;
}

void tacit_factor_clear(tacit_factor *f) {
    f->count = 0;
    f->solved = false;
    erase(f);
    if (f->model == NULL || f->len == 0) return;
    memcpy(f->gram, f->base, triangle(f->len) * sizeof(double));
    memcpy(f->rhs, f->base_rhs, f->len * sizeof(double));
}

void tacit_factor_change(tacit_factor *f, uint32_t index, bool add) {
    double row[TACIT_FACTOR_ROW_MAX];
    assert(add || f->count > 0);
    f->count = add ? f->count + 1 : f->count - 1;
    f->solved = false;
    if (f->len == 0) return;
    double sign = add ? 1 : -1, target = sign * tacit_factor_target(f, index);
    tacit_factor_row(f, row, index);
    rank1(f->gram, row, f->len, sign);
    /* row [len] is whole. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    for (uint32_t j = 0; j < f->len; j++) f->rhs[j] += target * row[j];
    tacit_wipe(row, sizeof row);
}

/* root <- Cholesky factor of gram + ridge I; diagonal entries are kept as their reciprocals. */
static tacit_status cholesky(double *root, const double *gram, uint32_t len, double ridge) {
    for (uint32_t i = 0; i < len; i++) {
        double *row = root + triangle(i);
        const double *in = gram + triangle(i);
        for (uint32_t j = 0; j < i; j++) {
            const double *other = root + triangle(j);
            row[j] = (in[j] - tacit_factor_dot(row, other, j)) * other[j];
        }
        double pivot = in[i] + ridge - tacit_factor_dot(row, row, i);
        if (!(pivot > 0) || !isfinite(pivot)) return TACIT_NUMERIC;
        row[i] = 1 / sqrt(pivot);
    }
    return TACIT_OK;
}

void tacit_factor_apply(const tacit_factor *f, double *x) {
    assert(f->solved && f->count > 0);
    for (uint32_t i = 0; i < f->len; i++) {
        const double *row = f->root + triangle(i);
        x[i] = (x[i] - tacit_factor_dot(row, x, i)) * row[i];
    }
    for (uint32_t i = f->len; i-- > 0;) {
        const double *row = f->root + triangle(i);
        x[i] *= row[i];
        for (uint32_t j = 0; j < i; j++) x[j] -= row[j] * x[i];
    }
}

tacit_status tacit_factor_solve(tacit_factor *f) {
    f->solved = false;
    if (f->len > 0) memset(f->u, 0, f->len * sizeof(double));
    if (f->count > 0 && f->len > 0) {
        double ridge = f->ridge * pow(f->count / 100.0, f->exponent);
        tacit_status st = cholesky(f->root, f->gram, f->len, ridge);
        if (st != TACIT_OK) return st;
        f->solved = true;
        memcpy(f->u, f->rhs, f->len * sizeof(double));
        tacit_factor_apply(f, f->u);
        for (uint32_t j = 0; j < f->len; j++) {
            if (isfinite(f->u[j])) continue;
            memset(f->u, 0, f->len * sizeof(double));
            f->solved = false;
            return TACIT_NUMERIC;
        }
    }
    f->solved = true;
    return TACIT_OK;
}
