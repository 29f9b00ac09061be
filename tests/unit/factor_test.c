/* SPDX-License-Identifier: Apache-2.0
 * factor_test.c - the user factor against the reference implementation's histories and factors, a
 * tap against solving afresh, and systems that cannot be solved. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "firmware/factor.h"
#include "tests/support/device_fixture.h"

enum { MEMORY = 4 << 20 };

static double *ref_V, *ref_b;
static size_t ref_k;

static void fill_reference(fixture_numbers *n) {
    for (size_t i = 0; i < n->item_count; i++) n->bias[i] = (float)ref_b[i];
    for (size_t i = 0; i < n->item_count * ref_k; i++) n->factors[i] = (float)ref_V[i];
}

static tacit_arena arena_of(void *memory) {
    tacit_arena a;
    tacit_arena_init(&a, memory, MEMORY);
    return a;
}

static void *aligned(void) {
    void *p = aligned_alloc(64, MEMORY);
    assert_non_null(p);
    return p;
}

/* u of all 40 histories of the reference, rows [V]. The model's rows are floats: 1e-5. */
static void test_reference_user_factors(void **state) {
    (void)state;
    fixture_keys keys;
    fixture_keys_init(&keys);
    size_t m, k, n, h, one;
    ref_V = fixture_matrix("V", &m, &k);
    ref_b = fixture_matrix("b", &one, &n);
    assert_int_equal(one * n, m);
    ref_k = k;
    double *hist = fixture_matrix("hist", &n, &h);
    size_t users, width;
    double *U = fixture_matrix("U", &users, &width);
    assert_int_equal(users, n);
    assert_int_equal(width, k);
    fixture_model model = fixture_model_make(&keys, 1, (uint32_t)m, (uint32_t)k, 0, fill_reference);
    void *memory = aligned();
    tacit_arena a = arena_of(memory);
    tacit_factor f;
    memset(&f, 0, sizeof f);
    tacit_factor_place(&f, &a, (uint32_t)k);
    assert_int_equal(tacit_factor_begin(&f, &model.model, false), TACIT_OK);
    for (size_t user = 0; user < n; user++) {
        tacit_factor_clear(&f);
        for (size_t j = 0; j < h && !isnan(hist[user * h + j]); j++) {
            tacit_factor_change(&f, (uint32_t)hist[user * h + j], true);
        }
        assert_int_equal(tacit_factor_solve(&f), TACIT_OK);
        double norm = 0;
        for (size_t j = 0; j < k; j++) norm = fmax(norm, fabs(U[user * k + j]));
        for (size_t j = 0; j < k; j++) {
            assert_true(fabs(f.u[j] - U[user * k + j]) <= 1e-5 * norm);
        }
    }
    fixture_model_free(&model);
    free(memory);
    free(hist);
    free(U);
    free(ref_V);
    free(ref_b);
}

/* A u = rhs with A written out entry by entry, from the model's rows. */
static double residual(const tacit_factor *f, const uint32_t *items, size_t count) {
    double worst = 0, row[TACIT_FACTOR_ROW_MAX];
    const tacit_model *m = f->model;
    double ridge = f->ridge * pow((double)count / 100, f->exponent);
    for (uint32_t r = 0; r < f->len; r++) {
        double left = ridge * f->u[r], right = 0;
        for (uint32_t i = 0; i < m->item_count; i++) {
            tacit_factor_row(f, row, i);
            left += f->a0 * row[r] * tacit_factor_dot(row, f->u, f->len);
            right -= f->a0 * (double)m->bias[i] * row[r];
        }
        for (size_t j = 0; j < count; j++) {
            tacit_factor_row(f, row, items[j]);
            left += row[r] * tacit_factor_dot(row, f->u, f->len);
            right += row[r] * (1 + f->a0 - (double)m->bias[items[j]]);
        }
        worst = fmax(worst, fabs(left - right));
    }
    return worst;
}

/* Taps and withdrawals one by one give what solving the whole history afresh gives. */
static void test_taps_equal_a_fresh_solve(void **state) {
    (void)state;
    fixture_keys keys;
    fixture_keys_init(&keys);
    const uint32_t shapes[4][2] = {{5, 0}, {0, 7}, {16, 11}, {33, 21}};
    for (int shape = 0; shape < 4; shape++) {
        fixture_model model =
            fixture_model_make(&keys, 1, 203, shapes[shape][0], shapes[shape][1], NULL);
        void *memory = aligned();
        tacit_arena a = arena_of(memory);
        tacit_factor tapped, fresh;
        memset(&tapped, 0, sizeof tapped);
        memset(&fresh, 0, sizeof fresh);
        tacit_factor_place(&tapped, &a, 60);
        tacit_factor_place(&fresh, &a, 60);
        assert_int_equal(tacit_factor_begin(&tapped, &model.model, true), TACIT_OK);
        assert_int_equal(tacit_factor_begin(&fresh, &model.model, true), TACIT_OK);
        uint32_t items[64];
        size_t count = 0;
        for (uint32_t tap = 0; tap < 120; tap++) {
            if (tap % 3 == 2) {
                tacit_factor_change(&tapped, items[--count], false);
            } else {
                items[count] = (tap * 37) % 203;
                tacit_factor_change(&tapped, items[count++], true);
            }
            assert_int_equal(tacit_factor_solve(&tapped), TACIT_OK);
        }
        tacit_factor_clear(&fresh);
        for (size_t j = 0; j < count; j++) tacit_factor_change(&fresh, items[j], true);
        assert_int_equal(tacit_factor_solve(&fresh), TACIT_OK);
        for (uint32_t j = 0; j < fresh.len; j++) {
            assert_true(fabs(tapped.u[j] - fresh.u[j]) < 1e-9);
        }
        assert_true(residual(&fresh, items, count) < 1e-9);
        fixture_model_free(&model);
        free(memory);
    }
}

static void test_empty_history_is_zero(void **state) {
    (void)state;
    fixture_keys keys;
    fixture_keys_init(&keys);
    fixture_model model = fixture_model_make(&keys, 1, 50, 4, 3, NULL);
    void *memory = aligned();
    tacit_arena a = arena_of(memory);
    tacit_factor f;
    memset(&f, 0, sizeof f);
    tacit_factor_place(&f, &a, 7);
    assert_int_equal(tacit_factor_begin(&f, &model.model, true), TACIT_OK);
    assert_int_equal(tacit_factor_solve(&f), TACIT_OK);
    for (uint32_t j = 0; j < f.len; j++) assert_true(f.u[j] == 0);
    tacit_factor_change(&f, 3, true);
    assert_int_equal(tacit_factor_solve(&f), TACIT_OK);
    assert_true(fabs(f.u[0]) > 0);
    tacit_factor_change(&f, 3, false);
    assert_int_equal(tacit_factor_solve(&f), TACIT_OK);
    for (uint32_t j = 0; j < f.len; j++) assert_true(f.u[j] == 0);
    fixture_model_free(&model);
    free(memory);
}

static void test_rows_longer_than_the_room(void **state) {
    (void)state;
    fixture_keys keys;
    fixture_keys_init(&keys);
    fixture_model model = fixture_model_make(&keys, 1, 20, 4, 3, NULL);
    void *memory = aligned();
    tacit_arena a = arena_of(memory);
    tacit_factor f;
    memset(&f, 0, sizeof f);
    tacit_factor_place(&f, &a, 6);
    assert_int_equal(tacit_factor_begin(&f, &model.model, true), TACIT_NO_SPACE);
    assert_null(f.model);
    assert_int_equal(tacit_factor_begin(&f, &model.model, false), TACIT_OK);
    fixture_model_free(&model);
    free(memory);
}

/* Rows all alike and huge, the smallest ridge there is: rank one beyond double precision. */
static void fill_singular(fixture_numbers *n) {
    for (size_t i = 0; i < (size_t)n->item_count * n->factor; i++) n->factors[i] = 1e6f;
    n->source.user_ridge = 1e-300;
}

static void test_singular_is_refused(void **state) {
    (void)state;
    fixture_keys keys;
    fixture_keys_init(&keys);
    fixture_model model = fixture_model_make(&keys, 1, 64, 8, 0, fill_singular);
    void *memory = aligned();
    tacit_arena a = arena_of(memory);
    tacit_factor f;
    memset(&f, 0, sizeof f);
    tacit_factor_place(&f, &a, 8);
    assert_int_equal(tacit_factor_begin(&f, &model.model, false), TACIT_OK);
    tacit_factor_change(&f, 1, true);
    assert_int_equal(tacit_factor_solve(&f), TACIT_NUMERIC);
    for (uint32_t j = 0; j < f.len; j++) assert_true(f.u[j] == 0);
    assert_false(f.solved);
    fixture_model_free(&model);
    free(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_user_factors),
        cmocka_unit_test(test_taps_equal_a_fresh_solve),
        cmocka_unit_test(test_empty_history_is_zero),
        cmocka_unit_test(test_rows_longer_than_the_room),
        cmocka_unit_test(test_singular_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
