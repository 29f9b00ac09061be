/* SPDX-License-Identifier: Apache-2.0
 * contribute_test.c - tacit_contribute and tacit_sync against a server in the same process: held
 * and lost answers, lost requests, refusals, and a model that arrives in pieces or is not the one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "firmware/update.h"
#include "tests/support/device_world.h"

enum { N = 4 };

static tacit *first(world *w) { return w->devices[0].t; }

static const tacit_ledger_record *ledger(world *w) { return &first(w)->ledger.record; }

static void begin(world *w) {
    world_init(w, N);
    world_connect(w);
}

/* ---- Rounds -----------------------------------------------------------------------------------*/

static void assert_receipt(world *w, const tacit_receipt *r) {
    cohort_report report;
    cohort_report_get(w->cohort, &report);
    assert_int_equal(r->round, w->plan.round);
    assert_int_equal(r->survivors, N);
    assert_memory_equal(r->sum_digest, report.sum_digest, sizeof r->sum_digest);
    tacit_privacy privacy;
    assert_int_equal(tacit_privacy_status(first(w), &privacy), TACIT_OK);
    assert_true(r->epsilon_spent > 0 && r->epsilon_spent == privacy.epsilon_spent);
    assert_int_equal(privacy.rounds_charged, 1);
    assert_int_equal(privacy.losses, 0);
    assert_true(privacy.enrolled && privacy.consent && !privacy.paused);
    double deviation, mine = 0;
    memset(w->devices[0].said, 0, w->plan.dims * sizeof(float));
    tacit_participation_room room = tacit_client_room(first(w));
    (void)tacit_update_statistics(w->devices[0].said, room.training, room.history, &w->plan);
    mine = world_projection(w, 0, &deviation);
    assert_true(mine > 1 - 4 * deviation && mine < 1 + 4 * deviation);
}

static void test_contributes(void **state) {
    (void)state;
    world w;
    tacit_receipt r;
    begin(&w);
    assert_int_equal(tacit_contribute(first(&w), &r), TACIT_OK);
    assert_receipt(&w, &r);
    uint64_t vector = w.plan.dims * w.plan.bits / 8;
    assert_in_range(r.bytes_up, vector, vector + 3000);
    assert_in_range(r.bytes_down, 1000, 10000);
    for (int p = 0; p < 5; p++) {
        assert_int_equal(w.posts[p], 1);
        assert_int_equal(w.polls[p], 0);
        assert_int_equal(w.devices[0].p.progress[p], 1);
    }
    assert_int_equal(w.devices[0].p.progress[5], 1);
    assert_int_equal(w.model_gets, 0); /* it was here already */
    assert_int_equal(tacit_contribute(first(&w), &r), TACIT_ROUND_USED);
    assert_int_equal(w.posts[0], 1);
    world_free(&w);
}

/* Held answers come by poll; a lost answer is asked for again; the body is never sent again. */
static void test_answers_by_poll(void **state) {
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        world w;
        tacit_receipt r;
        begin(&w);
        for (int p = 0; p < 5; p++) {
            w.hold[p] = lost == 0;
            w.lose_answer[p] = lost == 1;
        }
        w.poll_busy_once = true;
        assert_int_equal(tacit_contribute(first(&w), &r), TACIT_OK);
        assert_receipt(&w, &r);
        for (int p = 0; p < 5; p++) {
            assert_int_equal(w.posts[p], 1);
            assert_int_equal(w.polls[p], p == 0 ? 2 : 1);
        }
        uint64_t waited_s = w.devices[0].p.waited_s;
        assert_in_range(waited_s, 6, 40); /* 6 polls of 1 to 4 s, and the spread of the join */
        world_free(&w);
    }
}

/* The connection broke before the server had it all: the poll finds nothing, and the device leaves
 * instead of sending again. */
static void test_lost_request_leaves(void **state) {
    (void)state;
    for (int p = 0; p < 5; p++) {
        world w;
        tacit_receipt r;
        begin(&w);
        w.lose_request[p] = true;
        assert_int_not_equal(tacit_contribute(first(&w), &r), TACIT_OK);
        assert_int_equal(w.posts[p], 1);
        assert_int_equal(w.polls[p], 1);
        assert_int_equal(tacit_participation_phase(&first(&w)->participation), TACIT_PHASE_LEFT);
        assert_int_equal(ledger(&w)->charged_round, p >= 2);
        assert_int_equal(ledger(&w)->losses, p >= 2);
        world_free(&w);
    }
}

/* Half an answer is final (security C4): no poll, no second look. */
static void test_cut_answer_leaves(void **state) {
    (void)state;
    for (int p = 0; p < 5; p++) {
        world w;
        tacit_receipt r;
        begin(&w);
        w.cut_answer[p] = true;
        assert_int_equal(tacit_contribute(first(&w), &r), TACIT_TRANSPORT);
        assert_int_equal(w.polls[p], 0);
        assert_int_equal(ledger(&w)->losses, p >= 2);
        world_free(&w);
    }
}

static void test_refusals_by_the_server(void **state) {
    (void)state;
    const struct {
        int status;
        uint32_t problem;
        tacit_status want;
    } cases[] = {{410, 0, TACIT_LATE},
                 {503, 0, TACIT_BUSY},
                 {404, 0, TACIT_NOT_FOUND},
                 {500, 0, TACIT_TRANSPORT},
                 {400, TACIT_BAD_MESSAGE, TACIT_BAD_MESSAGE},
                 {400, TACIT_BAD_VERSION, TACIT_BAD_VERSION},
                 {400, 60000, TACIT_TRANSPORT}, /* no status of ours */
                 {302, 0, TACIT_TRANSPORT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int p = -1; p < 5; p++) {
            world w;
            tacit_receipt r;
            begin(&w);
            if (p < 0) {
                w.plan_status = cases[i].status;
            } else {
                w.phase_status[p] = cases[i].status;
            }
            w.problem = cases[i].problem;
            assert_int_equal(tacit_contribute(first(&w), &r), cases[i].want);
            assert_int_equal(ledger(&w)->highest_round, p >= 0);
            assert_int_equal(ledger(&w)->losses, p >= 2);
            world_free(&w);
        }
    }
}

/* Nothing is asked of the server for a device that may not contribute anyway. */
static void test_silent_without_consent(void **state) {
    (void)state;
    world w;
    tacit_receipt r;
    begin(&w);
    assert_int_equal(tacit_consent_set(first(&w), false), TACIT_OK);
    assert_int_equal(tacit_contribute(first(&w), &r), TACIT_NO_CONSENT);
    assert_int_equal(w.plan_gets, 0);
    world_free(&w);
}

static void test_cancelled_wait_leaves(void **state) {
    (void)state;
    world w;
    tacit_receipt r;
    begin(&w);
    w.hold[2] = true;
    w.devices[0].p.wait_fails = true;
    tacit_status st = tacit_contribute(first(&w), &r);
    assert_int_equal(st, TACIT_LEFT);
    world_free(&w);
}

/* A server that never closes a phase is waited for as long as the plan says, not for ever. */
static tacit_status never_ready(void *self, tacit_exchange *x) {
    world *w = self;
    if (strcmp(x->path, "/v1/plan") == 0) {
        tacit_Message m;
        memset(&m, 0, sizeof m);
        m.which_body = tacit_Message_plan_tag;
        memcpy(m.body.plan.plan, w->plan_bytes.bytes, TACIT_PLAN_LEN);
        memcpy(m.body.plan.signature, w->plan_bytes.sig, TACIT_SIG_LEN);
        w->answer.len = 0;
        tacit_sink sink = world_sink(&w->answer);
        assert_int_equal(tacit_wire_write(&m, &sink), TACIT_OK);
        x->http_status = 200;
        return x->consume(x->self, w->answer.data, w->answer.len);
    }
    if (x->produce != NULL) {
        tacit_sink sink = world_sink(&w->request);
        tacit_status st = x->produce(x->self, sink.write, sink.self);
        if (st != TACIT_OK) return st;
    }
    w->polls[0]++;
    x->http_status = 202;
    x->retry_after_s = w->model_breaks; /* borrowed: the pause the server asks for */
    return TACIT_OK;
}

static void test_waiting_has_an_end(void **state) {
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        world w;
        tacit_receipt r;
        world_init(&w, N);
        w.devices[0].p.exchange = never_ready;
        w.devices[0].p.network_self = &w;
        w.model_breaks = frozen ? 0 : 100000; /* at most a minute or two is believed */
        uint64_t start_s = w.devices[0].p.now_s;
        assert_int_equal(tacit_contribute(first(&w), &r), TACIT_LATE);
        assert_in_range(w.devices[0].p.now_s - start_s, 600, 800);
        if (!frozen) assert_in_range(w.polls[0], 5, 14);
        world_free(&w);
    }
}

/* ---- Models -----------------------------------------------------------------------------------*/

/* A second model is published, and a round on it begins. */
static void publish(world *w, uint64_t number) {
    fixture_model_free(&w->model);
    w->model = fixture_model_make(&w->keys, number, 60, 8, 4, NULL);
    world_round(w, 1, NULL);
}

static void test_fetches_the_plans_model_first(void **state) {
    (void)state;
    world w;
    tacit_receipt r;
    world_init(&w, N);
    publish(&w, 2);
    for (uint32_t i = 1; i < N; i++) {
        assert_int_equal(tacit_model_install(w.devices[i].t, w.model.file, w.model.len), TACIT_OK);
    }
    world_connect(&w);
    assert_int_equal(tacit_contribute(first(&w), &r), TACIT_OK);
    assert_receipt(&w, &r);
    assert_int_equal(w.model_gets, 1);
    assert_int_equal(first(&w)->model.number, 2);
    world_free(&w);
}

static void test_sync_resumes(void **state) {
    (void)state;
    for (int ignores = 0; ignores < 2; ignores++) {
        world w;
        world_init(&w, N);
        publish(&w, 2);
        w.devices[0].p.exchange = NULL;
        assert_int_equal(tacit_sync(first(&w)), TACIT_TRANSPORT);
        for (uint32_t i = 1; i < N; i++) w.devices[i].gone = true;
        w.model_breaks = 2;
        w.model_ignores_range = ignores;
        for (uint32_t i = 1; i < N; i++) {
            assert_int_equal(tacit_model_install(w.devices[i].t, w.model.file, w.model.len),
                             TACIT_OK);
        }
        world_connect(&w);
        assert_int_equal(tacit_sync(first(&w)), TACIT_OK);
        assert_int_equal(first(&w)->model.number, 2);
        assert_memory_equal(first(&w)->model.digest, w.model.digest, TACIT_HASH_LEN);
        assert_int_equal(w.model_gets, 3);
        assert_int_equal(tacit_sync(first(&w)), TACIT_OK); /* nothing newer */
        assert_int_equal(w.model_gets, 4);
        assert_int_equal(first(&w)->model.number, 2);
        assert_int_equal(w.plan_gets, 0); /* wants no open round */
        world_free(&w);
    }
}

static void test_sync_gives_up(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    publish(&w, 2);
    w.devices[0].p.exchange = NULL;
    for (uint32_t i = 1; i < N; i++) {
        assert_int_equal(tacit_model_install(w.devices[i].t, w.model.file, w.model.len), TACIT_OK);
    }
    world_connect(&w);
    w.model_is_other = true; /* a byte of the file is wrong */
    tacit_status st = tacit_sync(first(&w));
    assert_true(st == TACIT_BAD_SIGNATURE || st == TACIT_BAD_MODEL);
    assert_int_equal(first(&w)->model.number, 1); /* the old one stays in use */
    tacit_scored best[3];
    size_t count;
    assert_int_equal(tacit_recommend(first(&w), best, &count, 3, NULL), TACIT_OK);
    assert_int_equal(count, 3);
    w.model_is_other = false;
    assert_int_equal(tacit_sync(first(&w)), TACIT_OK);
    assert_int_equal(first(&w)->model.number, 2);
    world_free(&w);
}

static void test_sync_of_a_new_device(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    world_connect(&w);
    free(w.devices[0].p.model);
    w.devices[0].p.model = NULL;
    assert_int_equal(world_open(&w, 0), TACIT_OK);
    assert_int_equal(tacit_model_load(first(&w)), TACIT_NOT_FOUND);
    w.model.model.number = 0; /* the server has none yet */
    assert_int_equal(tacit_sync(first(&w)), TACIT_NOT_FOUND);
    w.model.model.number = 1;
    assert_int_equal(tacit_sync(first(&w)), TACIT_OK);
    tacit_scored best[3];
    size_t count;
    assert_int_equal(tacit_recommend(first(&w), best, &count, 3, NULL), TACIT_OK);
    assert_int_equal(count, 3);
    world_free(&w);
}

/* A plan may not take a device back to an older model. */
static void test_older_model_is_refused(void **state) {
    (void)state;
    world w;
    world_init(&w, N);
    publish(&w, 5);
    assert_int_equal(tacit_model_install(first(&w), w.model.file, w.model.len), TACIT_OK);
    publish(&w, 4);
    for (uint32_t i = 1; i < N; i++) {
        assert_int_equal(tacit_model_install(w.devices[i].t, w.model.file, w.model.len), TACIT_OK);
    }
    world_connect(&w);
    tacit_receipt r;
    assert_int_equal(tacit_contribute(first(&w), &r), TACIT_BAD_MODEL);
    assert_int_equal(first(&w)->model.number, 5);
    assert_int_equal(w.posts[0], 0);
    assert_int_equal(tacit_sync(first(&w)), TACIT_OK); /* 4 is not newer */
    assert_int_equal(first(&w)->model.number, 5);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contributes),
        cmocka_unit_test(test_answers_by_poll),
        cmocka_unit_test(test_lost_request_leaves),
        cmocka_unit_test(test_cut_answer_leaves),
        cmocka_unit_test(test_refusals_by_the_server),
        cmocka_unit_test(test_silent_without_consent),
        cmocka_unit_test(test_cancelled_wait_leaves),
        cmocka_unit_test(test_waiting_has_an_end),
        cmocka_unit_test(test_fetches_the_plans_model_first),
        cmocka_unit_test(test_sync_resumes),
        cmocka_unit_test(test_sync_gives_up),
        cmocka_unit_test(test_sync_of_a_new_device),
        cmocka_unit_test(test_older_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
