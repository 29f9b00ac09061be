/* SPDX-License-Identifier: Apache-2.0
 * virtual_test.c - the simulation in virtual time: whole rounds are exact, each fault shows what it
 * does and breaks nothing, a run depends on its seed alone, and a planted breach is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tools/virtual.h"
#include "tools/virtual_pool.h"
#include "tools/virtual_queue.h"

static virtual_options small(uint32_t devices, uint64_t seed) {
    virtual_options o = {.devices = devices,
                         .rounds = 1,
                         .dims = 16,
                         .max_dropout = 200,
                         .max_colluding = 50,
                         .seed = seed,
                         .threads = 1};
    assert_true(virtual_faults_named(&o.faults, "none"));
    return o;
}

/* The result is large; the caller frees. */
static virtual_result *run(const virtual_options *o) {
    char note[TACIT_NOTE_LEN + 1];
    virtual_result *r = malloc(sizeof *r);
    assert_non_null(r);
    assert_null(virtual_options_wrong(o));
    tacit_status st = virtual_run(r, note, o);
    if (st != TACIT_OK) fail_msg("%s: %s", tacit_status_name(st), note);
    return r;
}

static void no_findings(const virtual_result *r, const virtual_options *o) {
    char command[600];
    if (r->finding_count == 0) return;
    virtual_command(command, sizeof command, o);
    fail_msg("%s\nrepeat: %s", r->findings[0], command);
}

static uint32_t sums(const virtual_result *r) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->round_count; i++)
        count += !r->rounds[i].crashed && r->rounds[i].ended == COHORT_DONE;
    return count;
}

/* ---- Whole rounds ------------------------------------------------------------------------------
 */

static void test_all_devices_get_a_receipt(void **state) {
    (void)state;
    static const uint32_t sizes[] = {3, 4, 5, 8, 13, 24, 40};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        virtual_options o = small(sizes[i], 100 + i);
        o.rounds = 2;
        o.dims = 16u << i;
        virtual_result *r = run(&o);
        no_findings(r, &o);
        assert_int_equal(r->round_count, 2);
        assert_false(r->shipped_floors);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(r->rounds[round].ended, COHORT_DONE);
            assert_int_equal(r->rounds[round].report.joined, sizes[i]);
            assert_int_equal(r->rounds[round].report.survivors, sizes[i]);
            assert_int_equal(r->rounds[round].receipts, sizes[i]);
        }
        assert_int_equal(r->ended[TACIT_OK], 2 * sizes[i]);
        assert_int_equal(r->contributions, 2 * sizes[i]);
        assert_true(r->scans >= 2 * 5 * sizes[i]);
        assert_true(r->bytes_up > 0 && r->bytes_down > r->bytes_up);
        free(r);
    }
}

static void test_every_ring_width_is_exact(void **state) {
    (void)state;
    static const uint32_t widths[] = {16, 20, 24, 32};
    for (int i = 0; i < 4; i++) {
        virtual_options o = small(6, 7);
        o.bits = widths[i];
        virtual_result *r = run(&o);
        no_findings(r, &o);
        assert_int_equal(r->bits, widths[i]);
        assert_int_equal(sums(r), 1);
        free(r);
    }
}

static void test_devices_that_vanish_cost_no_sum(void **state) {
    (void)state;
    uint64_t vanished = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        virtual_options o = small(30, seed);
        o.dropout = 0.1;
        o.max_dropout = 300;
        virtual_result *r = run(&o);
        no_findings(r, &o); /* a cohort that lost no more than planned and was given up is one */
        assert_int_equal(sums(r), 1);
        assert_int_equal(r->ended[TACIT_OK] + r->vanished, 30);
        vanished += r->vanished;
        free(r);
    }
    assert_true(vanished > 4);
}

static void test_too_many_vanish_and_nothing_is_revealed(void **state) {
    (void)state;
    virtual_options o = small(20, 3);
    o.dropout = 0.7;
    o.max_dropout = 100;
    virtual_result *r = run(&o);
    no_findings(r, &o);
    assert_int_equal(sums(r), 0);
    assert_int_equal(r->rounds[0].ended, COHORT_FAILED);
    assert_int_equal(r->ended[TACIT_OK], 0);
    free(r);
}

/* Above 512 devices everyone has some of the others as neighbours only. */
static void test_a_graph_of_cycles(void **state) {
    (void)state;
    if (getenv("TACIT_QUICK") != NULL) skip();
    virtual_options o = small(530, 5);
    o.dropout = 0.02;
    o.max_dropout = 80;
    o.threads = 2;
    virtual_result *r = run(&o);
    no_findings(r, &o);
    assert_true(r->shipped_floors);
    assert_int_equal(sums(r), 1);
    assert_true(r->rounds[0].report.rule.cycles > 0);
    assert_true(r->vanished > 0 && r->ended[TACIT_OK] + r->vanished == 530);
    free(r);
}

/* A run of sums ends and the next one keeps its distance from it. */
static void test_many_rounds(void **state) {
    (void)state;
    virtual_options o = small(3, 11);
    o.rounds = 18;
    virtual_result *r = run(&o);
    no_findings(r, &o);
    assert_int_equal(sums(r), 18);
    assert_int_equal(r->ended[TACIT_OK], 3 * 18);
    free(r);
}

/* ---- Faults ------------------------------------------------------------------------------------
 */

/* Two rounds of 24 devices under one kind of fault; the runs of a few seeds added up. */
static virtual_result *under(void (*change)(virtual_faults *f)) {
    virtual_result *all = calloc(1, sizeof *all);
    assert_non_null(all);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        virtual_options o = small(24, seed);
        o.rounds = 2;
        o.max_dropout = 300;
        change(&o.faults);
        virtual_result *r = run(&o);
        no_findings(r, &o);
        for (int i = 0; i < TACIT_STATUS_COUNT; i++) all->ended[i] += r->ended[i];
        for (uint32_t i = 0; i < r->round_count && all->round_count < VIRTUAL_ROUNDS; i++)
            all->rounds[all->round_count++] = r->rounds[i];
        all->events += r->events;
        all->messages += r->messages;
        all->crashes += r->crashes;
        all->server_crashes += r->server_crashes;
        all->disk_errors += r->disk_errors;
        all->restores += r->restores;
        all->refused_restores += r->refused_restores;
        free(r);
    }
    return all;
}

static void nothing(virtual_faults *f) { (void)f; }
static void loss(virtual_faults *f) { f->loss = 0.05; }
static void delay(virtual_faults *f) { f->delay_ms = 20000; }
static void duplicate(virtual_faults *f) { f->duplicate = 0.5; }
static void partition(virtual_faults *f) { f->partition = 0.15; }
static void crash(virtual_faults *f) { f->crash = 0.2; }
static void server_crash(virtual_faults *f) { f->server_crash = 0.6; }
static void disk_error(virtual_faults *f) { f->disk_error = 0.4; }
static void slow(virtual_faults *f) { f->slow = 0.15; }
static void clock_jump(virtual_faults *f) { f->clock_jump = 0.3; }
static void restore(virtual_faults *f) { f->restore = 0.2; }

static void test_loss(void **state) {
    (void)state;
    virtual_result *r = under(loss);
    /* Some lost their connection before it began or in the middle of an answer; others polled. */
    assert_true(r->ended[TACIT_TRANSPORT] > 0);
    assert_true(r->ended[TACIT_OK] > r->ended[TACIT_TRANSPORT]);
    assert_true(sums(r) > 0);
    free(r);
}

static void test_delay_reorders(void **state) {
    (void)state;
    virtual_result *r = under(delay), *calm = under(nothing);
    assert_true(sums(r) > 0);
    assert_true(r->rounds[0].seconds > calm->rounds[0].seconds);
    assert_true(calm->ended[TACIT_OK] == 6 * 24);
    free(r);
    free(calm);
}

static void test_duplicates_count_once(void **state) {
    (void)state;
    virtual_result *r = under(duplicate), *calm = under(nothing);
    /* A copy that comes when its phase has closed is told so, and a device may hear that first. */
    assert_int_equal(r->ended[TACIT_OK] + r->ended[TACIT_LATE], 6 * 24);
    assert_true(r->ended[TACIT_OK] > 6 * 20);
    assert_int_equal(sums(r), 6);
    assert_true(r->events > calm->events + calm->messages / 8);
    free(r);
    free(calm);
}

static void test_partition(void **state) {
    (void)state;
    virtual_result *r = under(partition);
    assert_true(r->ended[TACIT_OK] < 6 * 24);
    assert_true(r->ended[TACIT_OK] > 0);
    free(r);
}

static void test_crashes(void **state) {
    (void)state;
    virtual_result *r = under(crash);
    assert_true(r->crashes > 10);
    /* Who comes back in time is told that the round is used. */
    assert_true(r->ended[TACIT_ROUND_USED] > 0);
    assert_true(sums(r) > 0);
    free(r);
}

static void test_server_crashes(void **state) {
    (void)state;
    virtual_result *r = under(server_crash);
    assert_true(r->server_crashes > 0);
    assert_int_equal(sums(r), 6); /* a crashed round is followed by another one */
    for (uint32_t i = 0; i < r->round_count; i++)
        if (r->rounds[i].crashed) assert_int_equal(r->rounds[i].receipts, 0);
    free(r);
}

static void test_disk_errors(void **state) {
    (void)state;
    virtual_result *r = under(disk_error);
    assert_true(r->disk_errors > 10);
    assert_true(r->ended[TACIT_STORAGE] > 0); /* the call failed and the device went on living */
    assert_true(r->crashes > 0);              /* the power went */
    free(r);
}

static void test_slow_devices_are_late(void **state) {
    (void)state;
    virtual_result *r = under(slow);
    assert_true(r->ended[TACIT_LATE] > 0);
    assert_true(r->ended[TACIT_OK] > 0);
    free(r);
}

static void test_clock_jumps(void **state) {
    (void)state;
    virtual_result *r = under(clock_jump);
    assert_true(r->ended[TACIT_LATE] + r->ended[TACIT_NOT_FOUND] > 0);
    assert_true(r->ended[TACIT_OK] > 0);
    free(r);
}

static void test_restored_copies_stay_out(void **state) {
    (void)state;
    virtual_result *r = under(restore);
    assert_true(r->restores > 3);
    assert_true(r->refused_restores > 0);
    free(r);
}

static void test_everything_at_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        virtual_options o = small(20 + 3 * (uint32_t)seed, seed);
        o.rounds = 3;
        o.max_dropout = 300;
        assert_true(virtual_faults_named(&o.faults, seed & 1 ? "light" : "heavy"));
        virtual_result *r = run(&o);
        no_findings(r, &o);
        assert_true(r->contributions >= o.devices);
        free(r);
    }
}

/* ---- One seed, one run -------------------------------------------------------------------------
 */

static void test_threads_change_nothing(void **state) {
    (void)state;
    virtual_options o = small(25, 9);
    o.rounds = 2;
    assert_true(virtual_faults_named(&o.faults, "heavy"));
    virtual_result *one = run(&o);
    for (uint32_t threads = 2; threads <= 5; threads += 3) {
        o.threads = threads;
        virtual_result *more = run(&o);
        memcpy(more->cpu_s, one->cpu_s, sizeof one->cpu_s); /* all but the cost is the same */
        assert_memory_equal(more, one, sizeof *one);
        free(more);
    }
    o.seed = 10;
    virtual_result *other = run(&o);
    assert_memory_not_equal(other->trace, one->trace, sizeof one->trace);
    free(other);
    free(one);
}

/* ---- The checks themselves ---------------------------------------------------------------------
 */

static void finds(virtual_plant plant, const char *what, const char *word) {
    virtual_options o = small(8, 7731);
    char command[600];
    o.plant = plant;
    virtual_result *r = run(&o);
    assert_true(r->finding_count > 0);
    if (strstr(r->findings[0], what) == NULL) fail_msg("%s", r->findings[0]);
    virtual_command(command, sizeof command, &o);
    assert_non_null(strstr(command, "build/tacit simulate --virtual --devices 8 "));
    assert_non_null(strstr(command, "--seed 7731"));
    assert_non_null(strstr(command, word));
    free(r);
}

static void test_a_planted_breach_is_found(void **state) {
    (void)state;
    finds(VIRTUAL_PLANT_SUM, "word 0 of the sum is", "--plant sum");
    finds(VIRTUAL_PLANT_REVEAL, "shares of both secrets", "--plant reveal");
    finds(VIRTUAL_PLANT_SECRET, "s stands in its store", "--plant secret");
}

static void test_options_out_of_range_are_named(void **state) {
    (void)state;
    virtual_options o = small(10, 1), bad;
#define REFUSED(change, word)                                       \
    do {                                                            \
        bad = o;                                                    \
        bad.change;                                                 \
        assert_non_null(virtual_options_wrong(&bad));               \
        assert_non_null(strstr(virtual_options_wrong(&bad), word)); \
    } while (0)
    assert_null(virtual_options_wrong(&o));
    REFUSED(devices = 2, "--devices");
    REFUSED(devices = 10001, "--devices");
    REFUSED(rounds = 0, "--rounds");
    REFUSED(rounds = 33, "--rounds");
    REFUSED(dims = 8, "--dims");
    REFUSED(dims = 48, "--dims");
    REFUSED(bits = 17, "--bits");
    REFUSED(max_dropout = 1001, "fractions");
    REFUSED(dropout = 1.5, "--dropout");
    REFUSED(faults.loss = -0.1, "chances");
    REFUSED(faults.restore = 2, "chances");
    REFUSED(faults.delay_ms = 60001, "--delay-ms");
    REFUSED(threads = 0, "--threads");
#undef REFUSED
    assert_false(virtual_faults_named(&o.faults, "many"));
}

/* A plan that no device may accept is no run. */
static void test_a_plan_below_the_floors_is_refused(void **state) {
    (void)state;
    char note[TACIT_NOTE_LEN + 1];
    virtual_result *r = malloc(sizeof *r);
    assert_non_null(r);
    virtual_options o = small(100, 1);
    o.max_colluding = 20; /* the shipped floors want 50 */
    assert_int_equal(virtual_run(r, note, &o), TACIT_BELOW_FLOOR);
    assert_non_null(strstr(note, "colluding"));
    free(r);
}

/* ---- Queue and pool ----------------------------------------------------------------------------
 */

static void test_events_come_in_order(void **state) {
    (void)state;
    virtual_queue q = {0};
    uint64_t seed = 12345;
    for (uint32_t i = 0; i < 3000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        assert_true(virtual_queue_put(&q, (virtual_event){.at_us = seed >> 57, .device = i}));
    }
    uint64_t at_us = 0;
    uint32_t device = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        const virtual_event *next = virtual_queue_peek(&q);
        assert_non_null(next);
        uint32_t expected = next->device;
        virtual_event e = virtual_queue_take(&q);
        assert_int_equal(e.device, expected);
        assert_true(e.at_us > at_us || (e.at_us == at_us && (i == 0 || e.device > device)));
        at_us = e.at_us;
        device = e.device;
    }
    assert_null(virtual_queue_peek(&q));
    /* Bodies of events that never happen are released. */
    assert_true(virtual_queue_put(&q, (virtual_event){.body = virtual_body_new("x", 1, false)}));
    virtual_queue_free(&q);
}

enum { PIECES = 1000 };

static void count_piece(void *self, uint32_t index, uint32_t thread) {
    uint32_t *counts = self;
    assert_true(thread < 3);
    counts[index]++;
}

static void test_every_piece_is_done_once(void **state) {
    (void)state;
    static uint32_t counts[PIECES];
    virtual_pool *p = virtual_pool_new(3);
    assert_non_null(p);
    for (int run_number = 0; run_number < 20; run_number++)
        virtual_pool_run(p, PIECES, count_piece, counts);
    virtual_pool_run(p, 0, count_piece, counts);
    virtual_pool_run(p, 1, count_piece, counts);
    for (uint32_t i = 0; i < PIECES; i++) assert_int_equal(counts[i], 20 + (i == 0));
    virtual_pool_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_devices_get_a_receipt),
        cmocka_unit_test(test_every_ring_width_is_exact),
        cmocka_unit_test(test_devices_that_vanish_cost_no_sum),
        cmocka_unit_test(test_too_many_vanish_and_nothing_is_revealed),
        cmocka_unit_test(test_a_graph_of_cycles),
        cmocka_unit_test(test_many_rounds),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_delay_reorders),
        cmocka_unit_test(test_duplicates_count_once),
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_server_crashes),
        cmocka_unit_test(test_disk_errors),
        cmocka_unit_test(test_slow_devices_are_late),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_restored_copies_stay_out),
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_a_planted_breach_is_found),
        cmocka_unit_test(test_options_out_of_range_are_named),
        cmocka_unit_test(test_a_plan_below_the_floors_is_refused),
        cmocka_unit_test(test_events_come_in_order),
        cmocka_unit_test(test_every_piece_is_done_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
