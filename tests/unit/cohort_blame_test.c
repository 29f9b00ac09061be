/* SPDX-License-Identifier: Apache-2.0
 * cohort_blame_test.c - liars among the devices (security M2): wrong shares are corrected as far as
 * the spare ones bear, exactly the devices that provably lied are named, and those that cost a sum
 * do not join again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/cohort_expect.h"

typedef enum { DEAL_WRONG, DEAL_NOT_CANONICAL, DEAL_UNOPENABLE } bad_deal;

/* Seals the box again with another share in it, as only its dealer can. */
static void spoil_box(const rig *r, uint8_t *box, uint32_t to, uint8_t kind, bad_deal how) {
    uint8_t share[TACIT_SHARE_LEN];
    rig_open_box(r, share, box, to, kind);
    for (size_t limb = 0; limb < 5; limb++) share[8 * limb] ^= (uint8_t)(1 + to);
    if (how == DEAL_NOT_CANONICAL) memset(share + 16, 0xff, 8);
    rig_seal_box(r, box, share, to, kind);
    if (how == DEAL_UNOPENABLE) box[to % TACIT_SEALED_SHARE_LEN] ^= 1;
}

/* A cohort in REVEAL in which device 2 dealt `count` neighbours bad shares of both secrets; with
 * `vanish` it sends no vector, so that its s is needed. */
static void deal_badly(rig *r, const federation_spec *spec, uint32_t count, bad_deal how,
                       bool vanish) {
    rig_make(r, spec, TACIT_PHASE_SHARE);
    rig_request(r, 2);
    for (uint32_t i = 1; i <= count; i++) {
        tacit_SealedShares *pair = &r->m.items[i].body.sealed;
        spoil_box(r, pair->box_b, pair->peer, TACIT_KIND_B, how);
        spoil_box(r, pair->box_s, pair->peer, TACIT_KIND_S, how);
    }
    rig_sign(r);
    accepted(r);
    rig_finish_phase(r);
    r->f.devices[2].gone = vanish;
    while (rig_phase(r) < COHORT_REVEAL) rig_finish_phase(r);
}

/* Exactly one device is named: device 2, with these counts. */
static void named(const rig *r, cohort_fault fault, uint32_t wrong, uint32_t came) {
    const cohort_blame *blame = rig_blame_at(r, 0);
    assert_int_equal(rig_blame_count(r), 1);
    assert_int_equal(blame->index, cohort_slot_index(r->f.cohort, r->f.devices[2].slot));
    assert_memory_equal(blame->id, r->f.devices[2].id, TACIT_HASH_LEN);
    assert_int_equal(cohort_fault_bans(blame->fault), fault == COHORT_FAULT_DEAL);
    assert_memory_equal(blame->device_key, r->f.devices[2].device_key, TACIT_KEY_LEN);
    assert_int_equal(blame->phase, COHORT_SHARE);
    assert_string_equal(cohort_fault_name(blame->fault), cohort_fault_name(fault));
    assert_int_equal(blame->wrong, wrong);
    assert_int_equal(blame->came, came);
}

/* 40 devices, 39 neighbours, t_v 20: 19 shares to spare, which bear 9 wrong ones. */
static const federation_spec forty = {.device_count = 40, .max_dropout = 250, .seed = 5};

/* The cohort finishes without the liar's wrong shares, whichever secret is needed, and names it. */
static void test_wrong_shares_are_corrected(void **state) {
    (void)state;
    static const uint32_t counts[] = {1, 5, 9};
    for (size_t k = 0; k < 3; k++)
        for (int vanish = 0; vanish < 2; vanish++) {
            rig r;
            deal_badly(&r, &forty, counts[k], DEAL_WRONG, vanish);
            finish_well(&r, vanish ? 39 : 40);
            named(&r, COHORT_FAULT_DEAL, counts[k], 39);
            rig_free(&r);
        }
    /* With fewer shares to spare fewer wrong ones are borne: 25 of 39 come, 2 are wrong. */
    rig r;
    deal_badly(&r, &forty, 2, DEAL_WRONG, false);
    for (uint32_t i = 0, gone = 0; i < 40 && gone < 14; i++) {
        federation_device *d = &r.f.devices[i];
        d->gone = i != 2 && rig_index(&r, d) > 3; /* those it lied to stay */
        gone += d->gone;
    }
    finish_well(&r, 40);
    named(&r, COHORT_FAULT_DEAL, 2, 25);
    rig_free(&r);
}

/* More than the spare ones bear: no sum, and the dealer's own boxes say whose fault that is. */
static void test_too_many_wrong_shares(void **state) {
    (void)state;
    static const uint32_t counts[] = {10, 20, 39};
    for (size_t k = 0; k < 3; k++) {
        rig r;
        deal_badly(&r, &forty, counts[k], DEAL_WRONG, false);
        finish_badly(&r, COHORT_SUM, TACIT_BAD_SHARE, "too many of them wrong");
        named(&r, COHORT_FAULT_DEAL, 0, 39);
        rig_free(&r);
    }
}

/* A secret that all shares agree on and that is not the committed one. */
static void test_uncommitted_secret(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &forty, TACIT_PHASE_REVEAL);
    r.f.cohort->roster[rig_index(&r, &r.f.devices[2])]->join.commitment[0] ^= 1;
    finish_badly(&r, COHORT_SUM, TACIT_BAD_SHARE, "too many of them wrong");
    named(&r, COHORT_FAULT_DEAL, 0, 39);
    rig_free(&r);
}

/* A box that opens and holds no share is the dealer's doing; one that does not open may be the
 * holder's: its dealer is suspect when its secret is lost for it. */
static void test_boxes_without_shares(void **state) {
    (void)state;
    rig r;
    deal_badly(&r, &forty, 19, DEAL_NOT_CANONICAL, false);
    finish_well(&r, 40);
    named(&r, COHORT_FAULT_DEAL, 19, 39);
    rig_free(&r);
    deal_badly(&r, &forty, 19, DEAL_UNOPENABLE, false);
    finish_well(&r, 40);
    assert_int_equal(rig_blame_count(&r), 0);
    rig_free(&r);
    deal_badly(&r, &forty, 20, DEAL_UNOPENABLE, false);
    finish_badly(&r, COHORT_SUM, TACIT_TOO_FEW, "19 shares, 20 needed");
    named(&r, COHORT_FAULT_UNOPENED, 20, 19);
    rig_free(&r);
}

/* With colluders assumed t_v is above half of the neighbours: a liar needs to spoil fewer boxes
 * than t_v to lose the cohort its sum. It is written down all the same. */
static void test_as_few_bad_boxes_as_it_takes(void **state) {
    (void)state;
    /* 39 neighbours, A = 4, t_v 22: 18 bad boxes leave 21. */
    const federation_spec spec = {
        .device_count = 40, .max_colluding = 100, .max_dropout = 250, .seed = 6};
    rig r;
    deal_badly(&r, &spec, 18, DEAL_NOT_CANONICAL, false);
    finish_badly(&r, COHORT_SUM, TACIT_TOO_FEW, "21 shares, 22 needed");
    named(&r, COHORT_FAULT_DEAL, 18, 39);
    rig_free(&r);
    deal_badly(&r, &spec, 18, DEAL_UNOPENABLE, true);
    finish_badly(&r, COHORT_SUM, TACIT_TOO_FEW, "21 shares, 22 needed");
    named(&r, COHORT_FAULT_UNOPENED, 18, 21);
    rig_free(&r);
}

/* Shares that are missing because devices went name nobody. */
static void test_missing_shares_name_nobody(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &forty, TACIT_PHASE_REVEAL);
    for (uint32_t i = 0; i < 20; i++) r.f.devices[39 - i].gone = true;
    finish_badly(&r, COHORT_SUM, TACIT_TOO_FEW, "shares, 20 needed");
    assert_int_equal(rig_blame_count(&r), 0);
    rig_free(&r);
}

/* Who cost a sum is not admitted again; a message that was merely wrong is no reason. */
static void test_named_devices_do_not_join_again(void **state) {
    (void)state;
    assert_false(cohort_fault_bans(COHORT_FAULT_MESSAGE));
    assert_true(cohort_fault_bans(COHORT_FAULT_KEY));
    assert_true(cohort_fault_bans(COHORT_FAULT_DEAL));
    assert_false(cohort_fault_bans(COHORT_FAULT_UNOPENED));
    rig r;
    rig_make(&r, &forty, TACIT_PHASE_JOIN);
    uint8_t banned[3][TACIT_KEY_LEN]; /* one of them twice */
    memcpy(banned[0], r.f.devices[1].device_key, TACIT_KEY_LEN);
    memcpy(banned[1], r.f.devices[4].device_key, TACIT_KEY_LEN);
    memcpy(banned[2], r.f.devices[1].device_key, TACIT_KEY_LEN);
    cohort_params params = r.f.cohort->params;
    params.banned = (const uint8_t(*)[TACIT_KEY_LEN])banned;
    params.banned_count = 3;
    cohort_free(r.f.cohort);
    assert_int_equal(cohort_new(&r.f.cohort, &params), TACIT_OK);
    memset(banned, 0, sizeof banned);
    /* Not under a new certificate either. */
    federation_device *again = &r.f.devices[4];
    tacit_cert cert = {.epoch = 2, .not_after_s = r.f.plan.join_until_s + 86400, .device_class = 2};
    memcpy(cert.device_key, again->device_key, TACIT_KEY_LEN);
    rig_request(&r, 4);
    tacit_cert_issue(r.m.items[0].body.join.certificate, &cert, r.f.authority_secret);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "broke the protocol in a round before");
    again->gone = true;
    rig_request(&r, 1);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "broke the protocol in a round before");
    r.d->gone = true;
    finish_well(&r, 38);
    rig_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_shares_are_corrected),
        cmocka_unit_test(test_too_many_wrong_shares),
        cmocka_unit_test(test_uncommitted_secret),
        cmocka_unit_test(test_boxes_without_shares),
        cmocka_unit_test(test_as_few_bad_boxes_as_it_takes),
        cmocka_unit_test(test_missing_shares_name_nobody),
        cmocka_unit_test(test_named_devices_do_not_join_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
