/* SPDX-License-Identifier: Apache-2.0
 * ledger_test.c - the budget: what it accepts is what the accountant says, a charge is durable
 * before anyone is told, and neither crash, restored copy, lost file, foreign keystore nor clock
 * gives any of it back (security C4, H7). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "firmware/ledger.h"
#include "tests/support/device_fixture.h"

enum { DAY = 86400 };

typedef struct {
    fault_platform p;
    tacit_platform f;
    tacit_options o;
    tacit_ledger l;
    uint32_t epoch;
    bool enrolled;
} device;

static tacit_status reopen(device *d) {
    d->f = fault_callbacks(&d->p);
    return tacit_ledger_open(&d->l, &d->f, &d->o, d->enrolled ? &d->epoch : NULL, d->p.now_s);
}

static void begin(device *d) {
    memset(d, 0, sizeof *d);
    assert_int_equal(tacit_crypto_init(), TACIT_OK);
    fault_init(&d->p, 11);
    d->o.epsilon = 8;
    d->o.delta = 1e-6;
    d->o.period_s = 30 * DAY;
    d->epoch = 4;
    d->enrolled = true;
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(tacit_ledger_consent(&d->l, true), TACIT_OK);
}

/* A plan that costs a fifth or so of epsilon 8. */
static tacit_plan plan_of(uint64_t round) {
    tacit_plan p;
    memset(&p, 0, sizeof p);
    p.round = round;
    p.run = round;
    p.separation_s = 3600;
    p.scale = 1000;
    p.dims = 1024;
    p.mu = 8000000;
    return p;
}

static tacit_privacy status_of(const device *d) {
    tacit_privacy s;
    tacit_ledger_status(&d->l, &s, d->p.now_s);
    return s;
}

/* Joins, charges and settles; the status of the first step that is refused. */
static tacit_status take_part(device *d, const tacit_plan *plan) {
    tacit_status st = tacit_ledger_join(&d->l, plan, &fixture_floors, d->p.now_s);
    if (st == TACIT_OK) st = tacit_ledger_charge(&d->l, plan, d->p.now_s);
    if (st == TACIT_OK) st = tacit_ledger_settle(&d->l, false);
    return st;
}

static void next_day(device *d) { d->p.now_s += DAY; }

/* ---- The filter -------------------------------------------------------------------------------*/

static void test_spends_exactly_what_the_accountant_allows(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_mechanism m;
    tacit_plan plan = plan_of(1);
    assert_int_equal(tacit_plan_mechanism(&m, &plan), TACIT_OK);
    double delta = 1e-6 - 1024 * (pow(2, -40) + pow(2, -56));
    double rdp[TACIT_ORDER_COUNT] = {0}, twice[TACIT_ORDER_COUNT] = {0};
    int accepted = 0;
    for (;;) {
        double next[TACIT_ORDER_COUNT];
        memcpy(next, rdp, sizeof next);
        tacit_mechanism_charge(next, &m, 1);
        bool fits = tacit_grid_epsilon(next, delta, NULL) <= 8;
        plan = plan_of((uint64_t)accepted + 1);
        tacit_status st = take_part(&d, &plan);
        assert_int_equal(st, fits ? TACIT_OK : TACIT_BUDGET_SPENT);
        if (!fits) break;
        memcpy(rdp, next, sizeof rdp);
        tacit_mechanism_charge(twice, &m, 2);
        accepted++;
        tacit_privacy s = status_of(&d);
        double want = tacit_grid_epsilon(rdp, delta, NULL);
        assert_true(s.epsilon_spent >= want && s.epsilon_spent < want + 1e-9); /* rounds up */
        want = tacit_grid_epsilon(twice, delta, NULL);
        assert_true(s.epsilon_spent_replace >= want && s.epsilon_spent_replace < want + 1e-9);
        d.p.now_s += 3600;
    }
    assert_in_range(accepted, 3, 60);
    tacit_privacy s = status_of(&d);
    assert_int_equal(s.rounds_charged, accepted);
    assert_int_equal(s.rounds_joined, accepted); /* the refused one was not joined */
    assert_true(s.epsilon_spent <= 8 && s.epsilon_spent == s.epsilon_spent_ever);
    fault_free(&d.p);
}

static void test_refuses_a_plan_without_noise(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan plan = plan_of(1);
    plan.mu = 1;
    assert_int_equal(take_part(&d, &plan), TACIT_BUDGET_SPENT);
    assert_true(status_of(&d).epsilon_spent == 0);
    fault_free(&d.p);
}

static void test_caps_are_fixed_for_the_period(void **state) {
    (void)state;
    device d;
    begin(&d);
    d.o.epsilon = 50; /* the app's next version is more generous, or wants to be */
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_true(status_of(&d).epsilon_budget == 8);
    d.p.now_s += 30 * DAY;
    assert_true(status_of(&d).epsilon_budget == 50);
    fault_free(&d.p);
}

/* ---- Rounds -----------------------------------------------------------------------------------*/

static void test_a_round_is_joined_and_charged_once(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan five = plan_of(5), four = plan_of(4);
    assert_int_equal(tacit_ledger_charge(&d.l, &five, d.p.now_s),
                     TACIT_ROUND_USED); /* not joined */
    assert_int_equal(tacit_ledger_join(&d.l, &five, &fixture_floors, d.p.now_s), TACIT_OK);
    assert_int_equal(tacit_ledger_join(&d.l, &five, &fixture_floors, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(tacit_ledger_join(&d.l, &four, &fixture_floors, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(tacit_ledger_charge(&d.l, &four, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(tacit_ledger_charge(&d.l, &five, d.p.now_s), TACIT_OK);
    assert_int_equal(tacit_ledger_charge(&d.l, &five, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(reopen(&d), TACIT_OK);
    next_day(&d);
    assert_int_equal(tacit_ledger_join(&d.l, &five, &fixture_floors, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(tacit_ledger_charge(&d.l, &five, d.p.now_s), TACIT_ROUND_USED);
    assert_int_equal(status_of(&d).rounds_charged, 1);
    /* A later round joined since makes the earlier one unchargeable. */
    tacit_plan six = plan_of(6), seven = plan_of(7);
    assert_int_equal(tacit_ledger_join(&d.l, &six, &fixture_floors, d.p.now_s), TACIT_OK);
    assert_int_equal(tacit_ledger_join(&d.l, &seven, &fixture_floors, d.p.now_s), TACIT_OK);
    assert_int_equal(tacit_ledger_charge(&d.l, &six, d.p.now_s), TACIT_ROUND_USED);
    fault_free(&d.p);
}

static void test_consent(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan plan = plan_of(1);
    assert_int_equal(tacit_ledger_consent(&d.l, false), TACIT_OK);
    assert_int_equal(take_part(&d, &plan), TACIT_NO_CONSENT);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(take_part(&d, &plan), TACIT_NO_CONSENT);
    assert_int_equal(tacit_ledger_consent(&d.l, true), TACIT_OK);
    assert_int_equal(tacit_ledger_join(&d.l, &plan, &fixture_floors, d.p.now_s), TACIT_OK);
    fault_arm(&d.p, FAULT_FAIL, 1); /* withdrawn, but the store fails: counts all the same */
    assert_int_equal(tacit_ledger_consent(&d.l, false), TACIT_STORAGE);
    assert_int_equal(tacit_ledger_charge(&d.l, &plan, d.p.now_s), TACIT_NO_CONSENT);
    fault_free(&d.p);
}

static void test_separation_holds_between_runs(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan a = plan_of(1), b = plan_of(2), c = plan_of(3);
    b.run = a.run; /* the second sum of the same run */
    assert_int_equal(take_part(&d, &a), TACIT_OK);
    assert_int_equal(take_part(&d, &b), TACIT_OK);
    assert_int_equal(take_part(&d, &c), TACIT_TOO_SOON);
    d.p.now_s += 3599;
    assert_int_equal(take_part(&d, &c), TACIT_TOO_SOON);
    d.p.now_s -= 7200; /* a clock that goes back is no separation */
    assert_int_equal(take_part(&d, &c), TACIT_TOO_SOON);
    d.p.now_s += 7201;
    assert_int_equal(take_part(&d, &c), TACIT_OK);
    tacit_floors strict = fixture_floors;
    strict.separation_s = 7200; /* the device's own floor is longer than the plan's */
    c = plan_of(4);
    d.p.now_s += 3600;
    assert_int_equal(tacit_ledger_check(&d.l, &c, &strict, d.p.now_s), TACIT_TOO_SOON);
    assert_int_equal(tacit_ledger_check(&d.l, &c, &fixture_floors, d.p.now_s), TACIT_OK);
    fault_free(&d.p);
}

/* A server cannot stretch one run for ever to get around the separation. */
static void test_a_run_has_a_most_of_sums(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t round = 1; round <= TACIT_MAX_SUMS + 1; round++) {
        tacit_plan plan = plan_of(round);
        plan.run = 1;
        plan.mu = UINT64_C(1) << 40; /* nearly free */
        assert_int_equal(take_part(&d, &plan), round <= TACIT_MAX_SUMS ? TACIT_OK : TACIT_TOO_SOON);
    }
    fault_free(&d.p);
}

static void test_a_period_has_a_most_of_charges(void **state) {
    (void)state;
    device d;
    begin(&d);
    d.l.record.period_charges = TACIT_LEDGER_MAX_CHARGES - 1;
    tacit_plan a = plan_of(1), b = plan_of(2);
    a.mu = b.mu = UINT64_C(1) << 40;
    assert_int_equal(take_part(&d, &a), TACIT_OK);
    next_day(&d);
    assert_int_equal(take_part(&d, &b), TACIT_BUDGET_SPENT); /* delta is used up, not epsilon */
    fault_free(&d.p);
}

static void test_losses_pause(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t round = 1; round <= 3; round++) {
        tacit_plan plan = plan_of(round);
        plan.mu = UINT64_C(1) << 34;
        assert_false(status_of(&d).paused);
        assert_int_equal(tacit_ledger_join(&d.l, &plan, &fixture_floors, d.p.now_s), TACIT_OK);
        assert_int_equal(tacit_ledger_charge(&d.l, &plan, d.p.now_s), TACIT_OK);
        if (round == 2) {
            assert_int_equal(reopen(&d), TACIT_OK); /* a crash after mask is a loss as well */
        } else {
            assert_int_equal(tacit_ledger_settle(&d.l, true), TACIT_OK);
            assert_int_equal(tacit_ledger_settle(&d.l, true), TACIT_OK); /* counts once */
        }
        assert_int_equal(status_of(&d).losses, round);
        next_day(&d);
    }
    tacit_plan plan = plan_of(4);
    plan.mu = UINT64_C(1) << 34;
    assert_int_equal(take_part(&d, &plan), TACIT_PAUSED);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_true(status_of(&d).paused);
    d.p.now_s += 30 * DAY;
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    fault_free(&d.p);
}

/* ---- Time -------------------------------------------------------------------------------------*/

static void test_periods_only_move_forward(void **state) {
    (void)state;
    device d;
    begin(&d);
    uint64_t start_s = d.p.now_s;
    tacit_plan plan = plan_of(1);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    double spent = status_of(&d).epsilon_spent;
    assert_true(spent > 0);
    d.p.now_s = start_s - 365 * DAY;
    assert_true(status_of(&d).epsilon_spent == spent);
    assert_int_equal(status_of(&d).period_start_s, start_s);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(status_of(&d).period_start_s, start_s);
    d.p.now_s = start_s + 30 * DAY - 1;
    assert_true(status_of(&d).epsilon_spent == spent);
    d.p.now_s = start_s + 95 * DAY;
    assert_true(status_of(&d).epsilon_spent == 0);
    assert_true(status_of(&d).epsilon_spent_ever == spent);
    assert_int_equal(status_of(&d).period_start_s, start_s + 90 * DAY);
    plan = plan_of(2);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    d.p.now_s = start_s + DAY; /* back in the first period: the new one goes on */
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(status_of(&d).period_start_s, start_s + 90 * DAY);
    assert_true(status_of(&d).epsilon_spent == spent);
    fault_free(&d.p);
}

/* ---- Lost ledgers -----------------------------------------------------------------------------*/

static void assert_exhausted(device *d) {
    tacit_plan plan = plan_of(1000);
    assert_int_equal(reopen(d), TACIT_OK);
    assert_true(status_of(d).epsilon_spent >= 8);
    assert_false(status_of(d).consent);
    assert_int_equal(tacit_ledger_consent(&d->l, true), TACIT_OK);
    assert_int_equal(take_part(d, &plan), TACIT_BUDGET_SPENT);
    assert_int_equal(reopen(d), TACIT_OK); /* and it stays so */
    assert_int_equal(take_part(d, &plan), TACIT_BUDGET_SPENT);
    d->p.now_s += 400 * DAY; /* no period ends it */
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(take_part(d, &plan), TACIT_BUDGET_SPENT);
    d->epoch = 3; /* nor an older epoch, nor the same */
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(take_part(d, &plan), TACIT_BUDGET_SPENT);
    d->epoch = 4;
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(take_part(d, &plan), TACIT_BUDGET_SPENT);
    d->epoch = 5;
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(take_part(d, &plan), TACIT_OK);
}

static void erase_ledger(device *d) {
    for (uint8_t i = '0'; i <= '6'; i++) fault_erase(&d->p, (uint8_t[2]){'l', i}, 2);
}

static void test_missing_ledger_is_exhausted(void **state) {
    (void)state;
    device d;
    begin(&d);
    erase_ledger(&d);
    assert_exhausted(&d);
    fault_free(&d.p);
}

static void test_restored_copy_is_exhausted(void **state) {
    (void)state;
    device d;
    begin(&d);
    fault_store old = fault_copy(&d.p);
    tacit_plan plan = plan_of(1);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    fault_put_back(&d.p, &old);
    assert_exhausted(&d);
    fault_store_free(&old);
    fault_free(&d.p);
}

static void test_every_byte_of_the_record_counts(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan plan = plan_of(1);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    fault_store good = fault_copy(&d.p);
    for (uint8_t chunk = '0'; chunk <= '6'; chunk++) {
        for (size_t byte = 0; byte < 512; byte += 37) {
            fault_find(&d.p, (uint8_t[2]){'l', chunk}, 2)->value[byte] ^= 0x10;
            assert_int_equal(reopen(&d), TACIT_OK);
            assert_true(d.l.record.exhausted);
            fault_put_back(&d.p, &good);
            d.p.counter = 0; /* only the bytes are on trial here */
            assert_int_equal(reopen(&d), TACIT_OK);
            assert_false(d.l.record.exhausted);
        }
    }
    fault_find(&d.p, "l3", 2)->value_len = 511;
    assert_exhausted(&d);
    fault_store_free(&good);
    fault_free(&d.p);
}

static void test_another_keystore_is_exhausted(void **state) {
    (void)state;
    device d;
    begin(&d);
    d.p.mac_key[0] ^= 1;
    assert_exhausted(&d);
    fault_free(&d.p);
}

/* Without a counter a copy cannot be told from the original, but a missing file can. */
static void test_without_a_counter(void **state) {
    (void)state;
    device d;
    begin(&d);
    fault_free(&d.p);
    fault_init(&d.p, 12);
    d.p.no_counter = true;
    d.enrolled = false; /* first opened before enrolment */
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(tacit_ledger_consent(&d.l, true), TACIT_OK);
    d.enrolled = true;
    assert_int_equal(reopen(&d), TACIT_OK);
    tacit_plan plan = plan_of(1);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    erase_ledger(&d);
    assert_exhausted(&d);
    fault_free(&d.p);
}

/* An app that lost its certificate together with the ledger: the first epoch seen afterwards may be
 * the old one, so only the second frees the budget. */
static void test_unknown_epoch(void **state) {
    (void)state;
    device d;
    begin(&d);
    erase_ledger(&d);
    d.enrolled = false;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_true(d.l.record.exhausted);
    d.enrolled = true;
    d.epoch = 6;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_true(d.l.record.exhausted);
    d.epoch = 7;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_false(d.l.record.exhausted);
    fault_free(&d.p);
}

/* A newer certificate is no refund for a ledger that was never lost. */
static void test_new_epoch_keeps_the_spend(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan plan = plan_of(1);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    double spent = status_of(&d).epsilon_spent;
    d.epoch = 9;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_true(status_of(&d).epsilon_spent == spent);
    assert_true(status_of(&d).consent);
    fault_free(&d.p);
}

static void test_a_failing_keystore_shuts_the_budget_only(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_plan plan = plan_of(1);
    d.p.mac_fails = true;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_not_equal(take_part(&d, &plan), TACIT_OK);
    d.p.mac_fails = false;
    d.p.counter_fails = true;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_not_equal(take_part(&d, &plan), TACIT_OK);
    d.p.counter_fails = false;
    assert_int_equal(reopen(&d), TACIT_OK); /* it was passing: nothing was branded */
    assert_true(d.l.record.consent);
    assert_int_equal(take_part(&d, &plan), TACIT_OK);
    fault_free(&d.p);
}

/* ---- Power cuts -------------------------------------------------------------------------------*/

/* The power goes at each durable call of a whole round, before or after it takes effect. Whatever
 * the ledger said OK to must be in it afterwards; a round never fits twice; nothing looks lost. */
static void test_power_cut_at_every_durable_call(void **state) {
    (void)state;
    fault_kind kinds[3] = {FAULT_DIE_BEFORE, FAULT_DIE_AFTER, FAULT_FAIL};
    for (int k = 0; k < 3; k++) {
        for (uint64_t at = 1;; at++) {
            device d;
            begin(&d);
            tacit_plan plan = plan_of(1);
            fault_arm(&d.p, kinds[k], at);
            bool opened = reopen(&d) == TACIT_OK, joined = false, charged = false;
            if (opened) {
                joined = tacit_ledger_join(&d.l, &plan, &fixture_floors, d.p.now_s) == TACIT_OK;
                charged = joined && tacit_ledger_charge(&d.l, &plan, d.p.now_s) == TACIT_OK;
            }
            bool settled = charged && tacit_ledger_settle(&d.l, false) == TACIT_OK;
            bool struck = d.p.durable_calls >= d.p.fault_at;
            fault_restart(&d.p);
            assert_int_equal(reopen(&d), TACIT_OK);
            assert_false(d.l.record.exhausted);
            assert_true(d.l.record.consent);
            if (joined) assert_int_equal(d.l.record.highest_round, 1);
            if (charged) {
                assert_int_equal(d.l.record.charged_round, 1);
                assert_int_equal(status_of(&d).rounds_charged, 1);
                assert_true(status_of(&d).epsilon_spent > 0);
                assert_int_equal(tacit_ledger_charge(&d.l, &plan, d.p.now_s), TACIT_ROUND_USED);
            }
            if (settled) assert_int_equal(d.l.record.losses, 0);
            if (joined) {
                assert_int_equal(tacit_ledger_join(&d.l, &plan, &fixture_floors, d.p.now_s),
                                 TACIT_ROUND_USED);
            }
            assert_false(d.l.record.unsettled);
            fault_free(&d.p);
            if (!struck) {
                assert_true(settled && at > 12);
                break;
            }
        }
    }
}

/* The store is put back to each state it was ever in, after each step of two rounds. */
static void test_every_old_copy_is_refused(void **state) {
    (void)state;
    device d;
    begin(&d);
    enum { STEPS = 6 };
    fault_store copies[STEPS + 1];
    uint64_t counters[STEPS + 1];
    tacit_plan a = plan_of(1), b = plan_of(2);
    b.run = a.run;
    for (int step = 0; step <= STEPS; step++) {
        copies[step] = fault_copy(&d.p);
        counters[step] = d.p.counter;
        const tacit_plan *plan = step < 3 ? &a : &b;
        tacit_status st = TACIT_OK;
        switch (step % 3) {
            case 0:
                if (step < STEPS) {
                    st = tacit_ledger_join(&d.l, plan, &fixture_floors, d.p.now_s);
                }
                break;
            case 1: st = tacit_ledger_charge(&d.l, plan, d.p.now_s); break;
            default: st = tacit_ledger_settle(&d.l, false); break;
        }
        assert_int_equal(st, TACIT_OK);
    }
    for (int now = 0; now <= STEPS; now++) {
        for (int old = 0; old <= STEPS; old++) {
            if (old > now) continue;
            fault_put_back(&d.p, &copies[old]);
            d.p.counter = counters[now];
            assert_int_equal(reopen(&d), TACIT_OK);
            assert_int_equal(d.l.record.exhausted, old < now);
        }
    }
    for (int step = 0; step <= STEPS; step++) fault_store_free(&copies[step]);
    fault_free(&d.p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spends_exactly_what_the_accountant_allows),
        cmocka_unit_test(test_refuses_a_plan_without_noise),
        cmocka_unit_test(test_caps_are_fixed_for_the_period),
        cmocka_unit_test(test_a_round_is_joined_and_charged_once),
        cmocka_unit_test(test_consent),
        cmocka_unit_test(test_separation_holds_between_runs),
        cmocka_unit_test(test_a_run_has_a_most_of_sums),
        cmocka_unit_test(test_a_period_has_a_most_of_charges),
        cmocka_unit_test(test_losses_pause),
        cmocka_unit_test(test_periods_only_move_forward),
        cmocka_unit_test(test_missing_ledger_is_exhausted),
        cmocka_unit_test(test_restored_copy_is_exhausted),
        cmocka_unit_test(test_every_byte_of_the_record_counts),
        cmocka_unit_test(test_another_keystore_is_exhausted),
        cmocka_unit_test(test_without_a_counter),
        cmocka_unit_test(test_unknown_epoch),
        cmocka_unit_test(test_new_epoch_keeps_the_spend),
        cmocka_unit_test(test_a_failing_keystore_shuts_the_budget_only),
        cmocka_unit_test(test_power_cut_at_every_durable_call),
        cmocka_unit_test(test_every_old_copy_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
