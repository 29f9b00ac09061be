/* SPDX-License-Identifier: Apache-2.0
 * participate_test.c - one device's part in a round: what is refused before anything is sent, what
 * is durable before each request's first byte, and what is left when randomness, store, power,
 * consent or the server fail at any point (security C4, H5, H7, M8). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/cert.h"
#include "common/crypto.h"
#include "tests/support/device_world.h"

enum { N = 5 };

static tacit_participation *part(world *w, uint32_t i) { return &w->devices[i].t->participation; }

static tacit_phase phase_of(world *w, uint32_t i) { return tacit_participation_phase(part(w, i)); }

static bool all_zero(const void *data, size_t len) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

static bool vectors_left(world *w, uint32_t i) {
    const tacit *t = w->devices[i].t;
    return !all_zero(t->x, t->options.max_dims * sizeof *t->x) ||
           !all_zero(t->words, t->options.max_dims * sizeof *t->words);
}

static void begin_all(world *w) {
    for (uint32_t i = 0; i < w->count; i++) assert_int_equal(world_begin(w, i), TACIT_OK);
}

/* One phase for all devices. */
static void run_phase(world *w, tacit_phase phase) {
    world_send_all(w, 0);
    world_close(w);
    world_deliver_all(w, 0, phase);
}

/* ---- A round ----------------------------------------------------------------------------------*/

static void test_whole_round(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    begin_all(&w);
    for (int p = 0; p < 5; p++) run_phase(&w, (tacit_phase)p);
    assert_int_equal(cohort_phase_now(w.cohort), COHORT_DONE);
    for (uint32_t i = 0; i < N; i++) {
        assert_false(w.devices[i].gone);
        assert_int_equal(phase_of(&w, i), TACIT_PHASE_DONE);
        const tacit_ledger_record *r = &w.devices[i].t->ledger.record;
        assert_int_equal(r->highest_round, 1);
        assert_int_equal(r->charged_round, 1);
        assert_int_equal(r->losses, 0);
        assert_false(r->unsettled);
        assert_int_equal(fault_count(&w.devices[i].p, 'e'), 1);
        assert_false(vectors_left(&w, i));
        double deviation, mine = world_projection(&w, i, &deviation);
        assert_true(deviation < 0.2);
        assert_true(fabs(mine - 1) < 4 * deviation); /* its vector is in the sum, once */
    }
    world_free(&w);
}

/* A device with nothing to say takes part like any other, with messages of the same size. */
static void test_empty_history_takes_part(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    float *would = malloc(w.plan.dims * sizeof *would);
    assert_non_null(would);
    assert_int_equal(world_begin(&w, 2), TACIT_OK);
    memcpy(would, w.devices[2].said, w.plan.dims * sizeof *would);
    tacit_participation_leave(part(&w, 2));
    assert_int_equal(tacit_forget_all(w.devices[2].t), TACIT_OK);
    begin_all(&w);
    assert_true(all_zero(w.devices[2].said, w.plan.dims * sizeof *would));
    size_t lens[N];
    for (int p = 0; p < 5; p++) {
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(world_send(&w, i), TACIT_OK);
            lens[i] = w.request.len;
        }
        if (p == TACIT_PHASE_MASK) {
            for (uint32_t i = 1; i < N; i++) {
                assert_true(lens[i] > w.plan.dims * w.plan.bits / 8);
                assert_in_range(lens[i], lens[0] - 2, lens[0] + 2); /* varints of the index */
            }
        }
        world_close(&w);
        world_deliver_all(&w, 0, (tacit_phase)p);
    }
    assert_int_equal(phase_of(&w, 2), TACIT_PHASE_DONE);
    assert_int_equal(w.devices[2].t->ledger.record.charged_round, 1);
    memcpy(w.devices[2].said, would, w.plan.dims * sizeof *would);
    free(would);
    double deviation, mine = world_projection(&w, 2, &deviation);
    assert_true(fabs(mine) < 4 * deviation); /* nothing of what it had forgotten */
    world_free(&w);
}

/* ---- Journal before bytes ---------------------------------------------------------------------*/

typedef struct {
    world *w;
    tacit_phase phase;
    bool checked;
} journal_probe;

/* At the first byte of a request: what does the store say at this moment? */
static tacit_status probe_journal(void *self, const uint8_t *data, size_t len) {
    (void)data;
    (void)len;
    journal_probe *j = self;
    const fault_platform *p = &j->w->devices[0].p;
    const fault_entry *ledger = fault_find(p, "l0", 2);
    assert_non_null(ledger);
    uint64_t joined = tacit_get_u64(ledger->value + 56);
    uint64_t charged = tacit_get_u64(ledger->value + 64);
    assert_int_equal(joined, 1);
    assert_int_equal(charged, j->phase >= TACIT_PHASE_MASK);
    assert_int_equal(fault_count(p, 'e'), j->phase >= TACIT_PHASE_AGREE);
    assert_int_equal(tacit_get_u64(ledger->value + 8), p->counter);
    j->checked = true;
    return TACIT_OK;
}

static void test_journal_is_durable_before_the_first_byte(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    begin_all(&w);
    assert_int_equal(tacit_get_u64(fault_find(&w.devices[0].p, "l0", 2)->value + 56), 0);
    for (int phase = 0; phase < 5; phase++) {
        /* The probe replaces the network: device 0 is silent towards the others in this phase, so
         * each phase wants a world of its own. */
        world_free(&w);
        world_init(&w, N);
        begin_all(&w);
        for (int p = 0; p < phase; p++) run_phase(&w, (tacit_phase)p);
        journal_probe probe = {&w, (tacit_phase)phase, false};
        tacit_sink sink = {&probe, probe_journal};
        assert_int_equal(tacit_participation_request(part(&w, 0), &sink, w.now_s), TACIT_OK);
        assert_true(probe.checked);
    }
    world_free(&w);
}

static tacit_status count_bytes(void *self, const uint8_t *data, size_t len) {
    (void)data;
    *(size_t *)self += len;
    return TACIT_OK;
}

/* A failed commit sends nothing, and the device is out. */
static void test_failed_commit_sends_nothing(void **state) {
    (void)state;
    const tacit_phase journals[3] = {TACIT_PHASE_JOIN, TACIT_PHASE_MASK, TACIT_PHASE_AGREE};
    for (int j = 0; j < 3; j++) {
        world w;
        world_init(&w, N);
        begin_all(&w);
        for (int p = 0; p < (int)journals[j]; p++) run_phase(&w, (tacit_phase)p);
        size_t sent = 0;
        tacit_sink sink = {&sent, count_bytes};
        fault_arm(&w.devices[0].p, FAULT_FAIL, 1);
        assert_int_equal(tacit_participation_request(part(&w, 0), &sink, w.now_s), TACIT_STORAGE);
        assert_int_equal(sent, 0);
        assert_int_equal(phase_of(&w, 0), TACIT_PHASE_LEFT);
        assert_false(vectors_left(&w, 0));
        assert_int_equal(tacit_participation_request(part(&w, 0), &sink, w.now_s), TACIT_LEFT);
        assert_int_equal(sent, 0);
        world_free(&w);
    }
}

/* The counter is part of the commit: when it cannot be raised nothing is sent either. */
static void test_failed_counter_sends_nothing(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    begin_all(&w);
    size_t sent = 0;
    tacit_sink sink = {&sent, count_bytes};
    w.devices[0].p.counter_fails = true;
    assert_int_equal(tacit_participation_request(part(&w, 0), &sink, w.now_s), TACIT_STORAGE);
    assert_int_equal(sent, 0);
    world_free(&w);
}

/* Runs device 0 through the whole round beside the others; *masked: the bytes of its vector were
 * begun. Stops when it fails. */
static void run_device(world *w, bool *joined, bool *masked) {
    *joined = *masked = false;
    for (int p = 0; p < 5; p++) {
        w->request.len = 0;
        tacit_sink sink = world_sink(&w->request);
        tacit_status st = tacit_participation_request(part(w, 0), &sink, w->now_s);
        if (w->request.len > 0 && p == TACIT_PHASE_JOIN) *joined = true;
        if (w->request.len > 0 && p == TACIT_PHASE_MASK) *masked = true;
        char note[TACIT_NOTE_LEN + 1];
        if (st == TACIT_OK) {
            tacit_bytes body = {w->request.data, w->request.len};
            st = cohort_submit(w->cohort, &w->devices[0].slot, note, (cohort_phase)p, body,
                               w->now_s);
            assert_int_equal(st, TACIT_OK);
        }
        world_send_all(w, 1);
        world_close(w);
        world_deliver_all(w, 1, (tacit_phase)p);
        if (st != TACIT_OK) return;
        world_collect(w, 0, (tacit_phase)p);
        if (world_deliver(w, 0) != TACIT_OK) return;
    }
}

static void make_cheap(tacit_plan *p) { p->mu = UINT64_C(1) << 23; }

/* The power goes at each durable call of the round. After the restart: what was sent is in the
 * ledger, the round is over for this device, nothing is charged twice, and the budget does not look
 * lost. (C4) */
static void test_power_cut_anywhere(void **state) {
    (void)state;
    const fault_kind kinds[2] = {FAULT_DIE_BEFORE, FAULT_DIE_AFTER};
    for (int k = 0; k < 2; k++) {
        bool struck = true;
        for (uint64_t at = 1; struck; at++) {
            world w;
            bool joined, masked;
            world_init(&w, 4);
            world_round(&w, 1, make_cheap);
            begin_all(&w);
            fault_arm(&w.devices[0].p, kinds[k], at);
            run_device(&w, &joined, &masked);
            struck = w.devices[0].p.dead;
            fault_restart(&w.devices[0].p);
            memset(w.devices[0].memory, 0, w.devices[0].memory_len); /* RAM is gone */
            assert_int_equal(world_open(&w, 0), TACIT_OK);
            const tacit_ledger_record *r = &w.devices[0].t->ledger.record;
            assert_false(r->exhausted);
            assert_true(r->consent);
            if (joined) {
                assert_int_equal(r->highest_round, 1);
                assert_int_equal(world_begin(&w, 0), TACIT_ROUND_USED);
            }
            if (masked) {
                assert_int_equal(r->charged_round, 1);
                assert_int_equal(r->rounds_charged, 1);
            }
            assert_true(r->rounds_charged <= 1);
            assert_false(r->unsettled);
            if (!struck) {
                assert_true(joined && masked);
                assert_int_equal(r->losses, 0);
                assert_true(at > 7);
            }
            world_free(&w);
        }
    }
}

/* The store is put back to what it was before the round, after the vector was sent: the device must
 * not take part again, in this round or any later one. */
static void test_restored_copy_takes_no_part(void **state) {
    (void)state;
    world w;
    bool joined, masked;
    world_init(&w, 4);
    begin_all(&w);
    fault_store before = fault_copy(&w.devices[0].p);
    run_device(&w, &joined, &masked);
    assert_true(masked);
    fault_put_back(&w.devices[0].p, &before);
    memset(w.devices[0].memory, 0, w.devices[0].memory_len);
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_NO_CONSENT);
    assert_int_equal(tacit_consent_set(w.devices[0].t, true), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_BUDGET_SPENT);
    w.now_s += 40 * 86400;
    world_round(&w, 2, NULL);
    assert_int_equal(world_begin(&w, 0), TACIT_BUDGET_SPENT);
    fault_store_free(&before);
    world_free(&w);
}

/* ---- Randomness, signatures, answers ----------------------------------------------------------*/

/* Without randomness no vector leaves: not with known noise, not without noise. */
static void test_failing_randomness(void **state) {
    (void)state;
    bool struck = true;
    int early = 0, late = 0;
    for (uint64_t at = 1; struck; at++) {
        world w;
        bool joined, masked;
        world_init(&w, 4);
        fault_platform *p = &w.devices[0].p;
        for (uint32_t i = 1; i < 4; i++) assert_int_equal(world_begin(&w, i), TACIT_OK);
        p->random_fails_at = p->random_calls + at;
        tacit_status st = world_begin(&w, 0);
        if (st == TACIT_OK) {
            run_device(&w, &joined, &masked);
            struck = p->random_calls >= p->random_fails_at;
            assert_int_equal(masked, !struck);
            assert_int_equal(phase_of(&w, 0), struck ? TACIT_PHASE_LEFT : TACIT_PHASE_DONE);
            assert_false(vectors_left(&w, 0));
            late++;
        } else {
            assert_int_equal(st, TACIT_RANDOM);
            early++;
        }
        assert_true(w.devices[0].t->ledger.record.losses == 0 || !struck);
        world_free(&w);
    }
    assert_true(early >= 3 && late >= 3);
}

static void test_failing_signature_leaves(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    begin_all(&w);
    run_phase(&w, TACIT_PHASE_JOIN);
    w.devices[0].p.sign_fails = true;
    assert_int_not_equal(world_send(&w, 0), TACIT_OK);
    assert_int_equal(phase_of(&w, 0), TACIT_PHASE_LEFT);
    world_free(&w);
}

/* A cohort lost after mask is counted; one lost before is not. */
static void test_losses_are_counted_after_mask_only(void **state) {
    (void)state;
    for (int phase = 0; phase < 5; phase++) {
        world w;
        world_init(&w, N);
        begin_all(&w);
        for (int p = 0; p < phase; p++) run_phase(&w, (tacit_phase)p);
        world_send_all(&w, 0);
        world_close(&w);
        world_collect(&w, 0, (tacit_phase)phase);
        w.answer.data[12] ^= 0x40; /* a bad answer is final */
        assert_int_not_equal(world_deliver(&w, 0), TACIT_OK);
        w.answer.data[12] ^= 0x40;
        assert_int_equal(world_deliver(&w, 0), TACIT_LEFT);
        assert_int_equal(w.devices[0].t->ledger.record.losses, phase >= TACIT_PHASE_MASK);
        assert_false(w.devices[0].t->ledger.record.unsettled);
        assert_false(vectors_left(&w, 0));
        world_free(&w);
    }
}

/* ---- The person changes their mind ------------------------------------------------------------*/

static void test_withdrawn_consent_leaves(void **state) {
    (void)state;
    for (int phase = 0; phase < 5; phase++) {
        world w;
        world_init(&w, N);
        begin_all(&w);
        for (int p = 0; p < phase; p++) run_phase(&w, (tacit_phase)p);
        assert_int_equal(tacit_consent_set(w.devices[0].t, false), TACIT_OK);
        assert_int_equal(phase_of(&w, 0), TACIT_PHASE_LEFT);
        size_t sent = 0;
        tacit_sink sink = {&sent, count_bytes};
        assert_int_not_equal(tacit_participation_request(part(&w, 0), &sink, w.now_s), TACIT_OK);
        assert_int_equal(sent, 0);
        assert_false(vectors_left(&w, 0));
        world_free(&w);
    }
}

/* Forgetting before mask: the same messages, nothing of the history in the sum. */
static void test_forget_in_a_round_sends_null(void **state) {
    (void)state;
    for (int how = 0; how < 2; how++) {
        world w;
        world_init(&w, N);
        begin_all(&w);
        run_phase(&w, TACIT_PHASE_JOIN);
        run_phase(&w, TACIT_PHASE_SHARE);
        uint64_t item = w.devices[0].t->history.items[3].item;
        tacit_status st =
            how == 0 ? tacit_forget_item(w.devices[0].t, item) : tacit_forget_all(w.devices[0].t);
        assert_int_equal(st, TACIT_OK);
        for (int p = 2; p < 5; p++) run_phase(&w, (tacit_phase)p);
        assert_int_equal(phase_of(&w, 0), TACIT_PHASE_DONE);
        double deviation, mine = world_projection(&w, 0, &deviation);
        assert_true(fabs(mine) < 4 * deviation);
        assert_int_equal(w.devices[0].t->ledger.record.charged_round, 1); /* no refund */
        world_free(&w);
    }
}

/* ---- What is refused --------------------------------------------------------------------------*/

static void change_bits(tacit_plan *p) { p->bits = 22; }
static void change_authority(tacit_plan *p) { p->authority_key[0] ^= 1; }
static void change_model(tacit_plan *p) { p->model_digest[3] ^= 1; }
static void change_a0(tacit_plan *p) { p->a0 = nextafter(p->a0, 1); }
static void change_ridge(tacit_plan *p) { p->user_ridge *= 2; }
static void change_exponent(tacit_plan *p) { p->user_ridge_exponent = 0; }
static void change_items(tacit_plan *p) { p->item_count++; }
static void change_factor(tacit_plan *p) { p->factor--; }
static void change_dims(tacit_plan *p) { p->dims = 2048; }
static void change_roster(tacit_plan *p) { p->n_hi = 33; }
static void change_class(tacit_plan *p) { p->least_class = TACIT_CLASS_ATTESTED; }
static void change_noise(tacit_plan *p) { p->mu = 9000; }
static void change_share(tacit_plan *p) { p->mu = UINT64_C(1) << 44; }
static void change_late(tacit_plan *p) { p->opens_s -= 400, p->join_until_s -= 301; }
static void change_early(tacit_plan *p) { p->opens_s += 400, p->join_until_s += 400; }
static void change_delta(tacit_plan *p) { p->delta = 1e-4; }
static void change_floor(tacit_plan *p) { p->n_min_floor = p->n_lo + 1; }
static void change_version(tacit_plan *p) { p->version = p->version_min = 2; }

static const struct {
    void (*change)(tacit_plan *plan);
    tacit_status want;
} refusals[] = {
    {change_bits, TACIT_BAD_PLAN},         {change_authority, TACIT_BAD_PLAN},
    {change_model, TACIT_BAD_MODEL},       {change_a0, TACIT_BAD_PLAN},
    {change_ridge, TACIT_BAD_PLAN},        {change_exponent, TACIT_BAD_PLAN},
    {change_items, TACIT_BAD_PLAN},        {change_factor, TACIT_BAD_PLAN},
    {change_dims, TACIT_NO_SPACE},         {change_roster, TACIT_NO_SPACE},
    {change_class, TACIT_BAD_CERTIFICATE}, {change_noise, TACIT_BUDGET_SPENT},
    {change_share, TACIT_BAD_PLAN},        {change_late, TACIT_LATE},
    {change_early, TACIT_NOT_FOUND},       {change_delta, TACIT_BELOW_FLOOR},
    {change_floor, TACIT_BELOW_FLOOR},     {change_version, TACIT_BAD_VERSION},
};

static void sign_changed(world *w, void (*edit)(tacit_plan *plan)) {
    tacit_plan p = w->plan;
    if (edit != NULL) edit(&p);
    w->plan_bytes = fixture_plan_sign(&w->keys, &p);
}

/* Each broken promise of a plan is refused before anything is stored or drawn. */
static void test_plans_are_refused(void **state) {
    (void)state;
    world w;
    world_init(&w, 3);
    world_device *d = &w.devices[0];
    uint64_t commits = d->p.commits;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        sign_changed(&w, refusals[i].change);
        assert_int_equal(world_begin(&w, 0), refusals[i].want);
        assert_int_equal(phase_of(&w, 0), TACIT_PHASE_LEFT);
    }
    sign_changed(&w, NULL);
    w.plan_bytes.sig[5] ^= 1;
    assert_int_equal(world_begin(&w, 0), TACIT_BAD_SIGNATURE);
    w.plan_bytes.sig[5] ^= 1;
    w.plan_bytes.bytes[280] ^= 1; /* the scale: not what was signed */
    assert_int_equal(world_begin(&w, 0), TACIT_BAD_SIGNATURE);
    w.plan_bytes.bytes[280] ^= 1;
    assert_int_equal(d->p.commits, commits);
    assert_int_equal(world_begin(&w, 0), TACIT_OK); /* and the plan itself is fine */
    world_free(&w);
}

/* The shipped floors, as a device without test floors applies them. */
static void test_shipped_floors_refuse_small_cohorts(void **state) {
    (void)state;
    world w;
    world_init(&w, 3);
    tacit_client_floors(w.devices[0].t, &tacit_floors_shipped);
    assert_int_equal(world_begin(&w, 0), TACIT_BELOW_FLOOR);
    world_free(&w);
}

static void test_devices_that_may_not_contribute(void **state) {
    (void)state;
    world w;
    world_init(&w, 3);
    world_device *d = &w.devices[0];
    assert_int_equal(tacit_consent_set(d->t, false), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_NO_CONSENT);
    assert_int_equal(tacit_consent_set(d->t, true), TACIT_OK);

    d->o.certificate = NULL;
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_NOT_ENROLLED);
    d->o.certificate = d->certificate;

    d->certificate[60] ^= 1; /* not signed by the authority */
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_BAD_CERTIFICATE);
    d->certificate[60] ^= 1;

    d->o.max_dims = 0; /* recommends only; the workspace is larger than it needs */
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    tacit_participation_room room = tacit_client_room(d->t);
    assert_int_equal(tacit_participation_ready(&room, w.now_s), TACIT_NO_SPACE);
    d->o.max_dims = 1024;
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    assert_int_equal(world_begin(&w, 0), TACIT_OK);
    tacit_participation_leave(part(&w, 0));

    w.now_s += 61 * 86400; /* the certificate has ended */
    world_round(&w, 2, NULL);
    assert_int_equal(world_begin(&w, 0), TACIT_BAD_CERTIFICATE);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_round),
        cmocka_unit_test(test_empty_history_takes_part),
        cmocka_unit_test(test_journal_is_durable_before_the_first_byte),
        cmocka_unit_test(test_failed_commit_sends_nothing),
        cmocka_unit_test(test_failed_counter_sends_nothing),
        cmocka_unit_test(test_power_cut_anywhere),
        cmocka_unit_test(test_restored_copy_takes_no_part),
        cmocka_unit_test(test_failing_randomness),
        cmocka_unit_test(test_failing_signature_leaves),
        cmocka_unit_test(test_losses_are_counted_after_mask_only),
        cmocka_unit_test(test_withdrawn_consent_leaves),
        cmocka_unit_test(test_forget_in_a_round_sends_null),
        cmocka_unit_test(test_plans_are_refused),
        cmocka_unit_test(test_shipped_floors_refuse_small_cohorts),
        cmocka_unit_test(test_devices_that_may_not_contribute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
