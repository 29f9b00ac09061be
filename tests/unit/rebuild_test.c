/* SPDX-License-Identifier: Apache-2.0
 * rebuild_test.c - secrets from shares among which some are wrong or missing (security M2), at
 * sizes where few choices of shares are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/rebuild.h"
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

static tacit_status rebuild_one(const cohort_fixture *x, rebuild *r, rebuild_count *count,
                                uint32_t v) {
    uint8_t secret[TACIT_SECRET_LEN], kind;
    static const uint8_t zero[TACIT_SECRET_LEN];
    assert_true(cohort_secret_needed(x->c, v, &kind));
    memset(secret, 7, sizeof secret);
    tacit_status st = rebuild_secret(r, secret, count, v, kind);
    size_t slot = (size_t)(x->c->roster[v] - x->c->seats);
    if (st == TACIT_OK) assert_memory_equal(secret, x->secrets[slot][kind], sizeof secret);
    if (st == TACIT_BAD_SHARE) assert_memory_equal(secret, zero, sizeof secret);
    return st;
}

static void check_all(cohort_fixture *x, uint32_t wrong) {
    rebuild *r;
    rebuild_count count;
    assert_int_equal(rebuild_new(&r, x->c, 0), TACIT_OK);
    for (uint32_t v = 0; v < N; v++) {
        assert_int_equal(rebuild_one(x, r, &count, v), TACIT_OK);
        assert_in_range(count.came, T_V, N - 1);
        assert_in_range(count.wrong, wrong > 0 ? wrong - 1 : 0, wrong); /* none about itself */
    }
    rebuild_free(r);
}

/* Both kinds of secret, all shares right. */
static void test_honest(void **state) {
    (void)state;
    cohort_fixture x;
    make(&x, 20);
    check_all(&x, 0);
    cohort_fixture_free(&x);
}

/* As many wrong ones as half of the spare ones, wherever they stand. */
static void test_wrong_shares(void **state) {
    (void)state;
    cohort_fixture x;
    for (uint32_t first = 0; first < 3; first++) {
        make(&x, 10);
        for (uint32_t i = 0; i < 18; i++) spoil(&x, 20 + first + 4 * i); /* agreed: 91 */
        check_all(&x, 18);
        cohort_fixture_free(&x);
    }
}

/* Two spare shares bear one wrong one, one none. */
static void test_few_spare(void **state) {
    (void)state;
    cohort_fixture x;
    rebuild *r;
    rebuild_count count;
    make(&x, 0);
    for (uint32_t i = 0; i < N - T_V - 3; i++) silence(&x, 2 * i + 1);
    spoil(&x, 4);
    assert_int_equal(rebuild_new(&r, x.c, 0), TACIT_OK);
    assert_int_equal(rebuild_one(&x, r, &count, 2), TACIT_OK);
    assert_int_equal(count.came, T_V + 2);
    assert_int_equal(count.wrong, 1);
    silence(&x, 6);
    assert_int_equal(rebuild_one(&x, r, &count, 2), TACIT_BAD_SHARE);
    assert_int_equal(count.came, T_V + 1);
    silence(&x, 8);
    assert_int_equal(rebuild_one(&x, r, &count, 2), TACIT_BAD_SHARE); /* by the commitment */
    silence(&x, 10);
    assert_int_equal(rebuild_one(&x, r, &count, 2), TACIT_TOO_FEW);
    assert_int_equal(count.came, T_V - 1);
    rebuild_free(r);
    cohort_fixture_free(&x);
}

/* One wrong share too many: no secret, and no wrong secret. */
static void test_too_many(void **state) {
    (void)state;
    cohort_fixture x;
    rebuild *r;
    rebuild_count count;
    make(&x, 0);
    for (uint32_t i = 1; i <= (N - 1 - T_V) / 2; i++) spoil(&x, i);
    assert_int_equal(rebuild_new(&r, x.c, 0), TACIT_OK);
    assert_int_equal(rebuild_one(&x, r, &count, 0), TACIT_OK);
    for (uint32_t i = (N - 1 - T_V) / 2 + 1; i < N; i++) {
        spoil(&x, i);
        assert_int_equal(rebuild_one(&x, r, &count, 0), TACIT_BAD_SHARE);
    }
    rebuild_free(r);
    cohort_fixture_free(&x);
}

/* A dealer whose shares lie on a polynomial that is not its commitment's fails alone. */
static void test_bad_dealer(void **state) {
    (void)state;
    cohort_fixture x;
    rebuild *r;
    rebuild_count count;
    make(&x, 0);
    x.c->roster[5]->join.commitment[0] ^= 1;
    assert_int_equal(rebuild_new(&r, x.c, 0), TACIT_OK);
    for (uint32_t v = 0; v < N; v++)
        assert_int_equal(rebuild_one(&x, r, &count, v), v == 5 ? TACIT_BAD_SHARE : TACIT_OK);
    rebuild_free(r);
    cohort_fixture_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),     cmocka_unit_test(test_wrong_shares),
        cmocka_unit_test(test_few_spare),  cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_bad_dealer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
