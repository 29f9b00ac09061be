/* SPDX-License-Identifier: Apache-2.0
 * rebuild_test.c - secrets from shares among which some are wrong or missing (security M2), at
 * sizes where few choices of shares are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/cohort_fixture.h"

/* Complete graph of 101 without colluders: 100 neighbours, t_v 51. */
enum { N = 101, T_V = 51 };
static const federation_spec spec = {.device_count = N, .max_dropout = 300, .seed = 21};

static void make(cohort_fixture *x, uint32_t dropped) {
    cohort_fixture_make(x, &spec);
    for (int phase = COHORT_SHARE; phase <= COHORT_AGREE; phase++)
        cohort_fixture_fill(x, (cohort_phase)phase);
    for (uint32_t i = 0; i < dropped; i++) { /* in U2 only: their s is needed */
        cohort_fixture_clear(x, COHORT_MASK, i);
        cohort_fixture_clear(x, COHORT_AGREE, i);
    }
    cohort_fixture_reveal(x);
    assert_int_equal(x->c->thresholds[0], T_V);
}

/* `holder` gives no shares, or wrong ones. */
static void silence(cohort_fixture *x, uint32_t holder) {
    for (uint32_t v = 0; v < N; v++) {
        uint32_t e = v == holder ? UINT32_MAX : cohort_edge(x->c, v, holder);
        if (e != UINT32_MAX) x->c->held[e >> 3] = (uint8_t)(x->c->held[e >> 3] & ~(1u << (e & 7)));
    }
}
static void spoil(cohort_fixture *x, uint32_t holder) {
    for (uint32_t v = 0; v < N; v++)
        if (v != holder) x->c->shares[(size_t)cohort_edge(x->c, v, holder) * TACIT_SHARE_LEN] ^= 1;
}

static tacit_status rebuild_one(const cohort_fixture *x, rebuild *r, uint32_t v) {
    uint8_t secret[TACIT_SECRET_LEN], kind;
    uint32_t share_count;
    assert_true(cohort_secret_needed(x->c, v, &kind));
    tacit_status st = rebuild_secret(r, secret, &share_count, v, kind);
    size_t slot = (size_t)(x->c->roster[v] - x->c->seats);
    if (st == TACIT_OK) assert_memory_equal(secret, x->secrets[slot][kind], sizeof secret);
    return st;
}

/* Both kinds of secret, all shares right: the first choice is the right one. */
static void test_honest(void **state) {
    (void)state;
    cohort_fixture x;
    rebuild *r;
    make(&x, 20);
    assert_int_equal(rebuild_new(&r, x.c), TACIT_OK);
    for (uint32_t v = 0; v < N; v++) assert_int_equal(rebuild_one(&x, r, v), TACIT_OK);
    assert_int_equal(rebuild_tries(r), 0);
    rebuild_free(r);
    cohort_fixture_free(&x);
}

/* One wrong share and one to spare: replacing one share after the other must find it, whoever lies,
 * and no later secret pays for the same liar again. */
static void test_one_liar_one_spare(void **state) {
    (void)state;
    cohort_fixture x;
    make(&x, 0);
    for (uint32_t i = 0; i < N - T_V - 2; i++) silence(&x, 2 * i + 1);
    for (uint32_t k = 0; k <= T_V; k += 5) {
        uint32_t liar = 2 * k;
        rebuild *r;
        spoil(&x, liar);
        assert_int_equal(rebuild_new(&r, x.c), TACIT_OK);
        uint32_t first = liar == 0 ? 2 : 0; /* holds shares itself: t_v + 1 came of its own */
        assert_int_equal(rebuild_one(&x, r, first), TACIT_OK);
        uint32_t tries = rebuild_tries(r);
        assert_true(tries <= 2 * T_V);
        for (uint32_t v = 0; v < N; v++) assert_int_equal(rebuild_one(&x, r, v), TACIT_OK);
        assert_true(rebuild_tries(r) <= tries + 2 * T_V);
        rebuild_free(r);
        spoil(&x, liar); /* right again */
    }
    cohort_fixture_free(&x);
}

/* Several liars, many shares to spare: found once, avoided afterwards. */
static void test_several_liars(void **state) {
    (void)state;
    cohort_fixture x;
    make(&x, 10);
    for (uint32_t i = 0; i < 3; i++) spoil(&x, 20 + 7 * i);
    rebuild *r;
    assert_int_equal(rebuild_new(&r, x.c), TACIT_OK);
    for (uint32_t v = 0; v < N; v++) assert_int_equal(rebuild_one(&x, r, v), TACIT_OK);
    assert_true(rebuild_tries(r) > 0 && rebuild_tries(r) <= 3 * (2 * T_V + 64));
    rebuild_free(r);
    cohort_fixture_free(&x);
}

/* Too few shares, and enough of them but too few right ones; the search for those ends. */
static void test_impossible(void **state) {
    (void)state;
    cohort_fixture x;
    make(&x, 0);
    for (uint32_t i = 1; i <= N - 1 - T_V; i++) spoil(&x, i);
    rebuild *r;
    assert_int_equal(rebuild_new(&r, x.c), TACIT_OK);
    spoil(&x, N - 1); /* one liar more than device 0's shares bear */
    assert_int_equal(rebuild_one(&x, r, 0), TACIT_BAD_SHARE);
    assert_true(rebuild_tries(r) > 0 && rebuild_tries(r) <= 2 * T_V + 64);
    for (uint32_t i = 1; i <= N - T_V; i++) silence(&x, i);
    assert_int_equal(rebuild_one(&x, r, 0), TACIT_TOO_FEW);
    rebuild_free(r);
    cohort_fixture_free(&x);
}

/* A dealer whose shares lie on no polynomial of its commitment fails alone. */
static void test_bad_dealer(void **state) {
    (void)state;
    cohort_fixture x;
    make(&x, 0);
    x.c->roster[5]->join.commitment[0] ^= 1;
    rebuild *r;
    assert_int_equal(rebuild_new(&r, x.c), TACIT_OK);
    for (uint32_t v = 0; v < N; v++)
        assert_int_equal(rebuild_one(&x, r, v), v == 5 ? TACIT_BAD_SHARE : TACIT_OK);
    rebuild_free(r);
    cohort_fixture_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),        cmocka_unit_test(test_one_liar_one_spare),
        cmocka_unit_test(test_several_liars), cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_bad_dealer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
