/* SPDX-License-Identifier: Apache-2.0
 * masked_sum_test.c - the property the whole protocol stands for: whoever vanishes when, either the
 * server's sum is the plain sum of the survivors' updates, bit for bit, or the cohort fails - and
 * which of the two, in which phase and why, is what the pattern alone foretells. Both sides are the
 * real ones; the forecast below knows only how many devices are left, not how masks work.
 *
 * Small cohorts are drawn from numbered seeds on all workers; a failure prints its number, and
 *     TACIT_SEED=<number> build/tests/masked_sum_test
 * repeats that draw alone. TACIT_DRAWS sets how many [10 000; 300 with TACIT_QUICK]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "common/ring.h"
#include "tests/support/federation.h"

enum { WORKERS = 2, DRAWS = 10000, DRAWS_QUICK = 300 };

/* ---- the forecast ---------------------------------------------------------------------------- */

typedef struct {
    uint32_t sent[TACIT_PHASE_REVEAL + 1]; /* devices that send each phase, when nothing fails */
    uint32_t n_min, threshold;
    tacit_status status; /* OK: a sum over sent[MASK] devices */
    const char *phase;   /* how the failure's note begins */
} forecast;

static forecast failing(forecast fc, tacit_status status, const char *phase) {
    fc.status = status;
    fc.phase = phase;
    return fc;
}

/* The complete graph, security C5 and C6 in integers. On it all devices have the same threshold t,
 * and every device of a set of m sees m - 1 neighbours in it. */
static forecast foretell(const federation *f) {
    const federation_spec *spec = &f->spec;
    forecast fc = {.status = TACIT_OK};
    for (uint32_t i = 0; i < f->device_count; i++)
        for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++)
            fc.sent[phase] += (int)f->devices[i].vanish > phase;
    uint32_t n = fc.sent[TACIT_PHASE_JOIN];
    uint32_t colluders = n * spec->max_colluding / 1000, dropouts = n * spec->max_dropout / 1000;
    fc.n_min = n - dropouts > spec->n_min_floor ? n - dropouts : spec->n_min_floor;
    fc.threshold = (n - 1 + colluders) / 2 + 1;

    if (n < spec->n_lo) return failing(fc, TACIT_TOO_FEW, "join:");
    if (fc.n_min > n || fc.n_min < colluders || 2 * (fc.n_min - colluders) < n)
        return failing(fc, TACIT_BELOW_FLOOR, "join:");
    /* Of n - dropouts survivors one sees one less; above that (t_v > t2) devices leave at once. */
    bool able = fc.threshold <= n - dropouts - 1;
    if (!able || fc.sent[TACIT_PHASE_SHARE] < fc.n_min) return failing(fc, TACIT_TOO_FEW, "share:");
    static const char *const names[] = {"join:", "share:", "mask:", "agree:", "sum:"};
    uint32_t before = fc.sent[TACIT_PHASE_SHARE];
    for (int phase = TACIT_PHASE_MASK; phase <= TACIT_PHASE_REVEAL; phase++) {
        uint32_t left = fc.sent[phase];
        if (before - 1 < fc.threshold) return failing(fc, TACIT_TOO_FEW, names[phase]);
        if (left < 1 || left - 1 < fc.threshold) return failing(fc, TACIT_TOO_FEW, names[phase]);
        if (phase == TACIT_PHASE_MASK && left < fc.n_min)
            return failing(fc, TACIT_TOO_FEW, names[phase]);
        before = left;
    }
    return fc;
}

/* ---- checking one cohort --------------------------------------------------------------------- */

static void complain(uint64_t seed, const char *what, uint64_t got, uint64_t wanted) {
    fail_msg("seed %llu: %s: got %llu, foretold %llu. Repeat with TACIT_SEED=%llu",
             (unsigned long long)seed, what, (unsigned long long)got, (unsigned long long)wanted,
             (unsigned long long)seed);
}

#define AGREES(what, got, wanted)                                                             \
    do {                                                                                      \
        if ((uint64_t)(got) != (uint64_t)(wanted)) complain(f->spec.seed, what, got, wanted); \
    } while (0)

/* Survivors are those who do not vanish before their vector is sent; the server is not asked. */
static void check_sum(const federation *f, const cohort_report *report, const forecast *fc) {
    uint32_t dims = f->plan.dims, mask = UINT32_MAX >> (32 - f->plan.bits);
    const uint32_t *sum = cohort_sum(f->cohort);
    for (uint32_t w = 0; w < dims; w++) {
        uint32_t plain = 0;
        for (uint32_t i = 0; i < f->device_count; i++)
            if (f->devices[i].vanish > TACIT_PHASE_MASK) plain += f->devices[i].update[w];
        AGREES("a word of the sum", sum[w], plain & mask);
    }
    AGREES("survivors", report->survivors, fc->sent[TACIT_PHASE_MASK]);
    AGREES("b rebuilt", report->rebuilt_b, fc->sent[TACIT_PHASE_MASK]);
    AGREES("s rebuilt", report->rebuilt_s,
           fc->sent[TACIT_PHASE_SHARE] - fc->sent[TACIT_PHASE_MASK]);
    for (uint32_t i = 0; i < f->device_count; i++) {
        const federation_device *d = &f->devices[i];
        uint8_t digest[TACIT_HASH_LEN];
        AGREES("a device in U3", federation_survived(f, d), d->vanish > TACIT_PHASE_MASK);
        AGREES("a device done", tacit_secagg_phase(d->machine) == TACIT_PHASE_DONE,
               d->vanish > TACIT_PHASE_REVEAL);
        if (d->vanish <= TACIT_PHASE_REVEAL) continue;
        AGREES("survivors on the receipt", tacit_secagg_survivors(d->machine, digest),
               report->survivors);
        AGREES("the receipt's digest", memcmp(digest, report->sum_digest, sizeof digest) == 0,
               true);
    }
}

static void check_outcome(const federation *f, const forecast *fc) {
    cohort_report report;
    cohort_report_get(f->cohort, &report);
    if (report.failure != fc->status ||
        (fc->phase != NULL && strncmp(report.failure_note, fc->phase, strlen(fc->phase)) != 0)) {
        printf("foretold %s %s, got %s %s\n", tacit_status_name(fc->status),
               fc->phase != NULL ? fc->phase : "", tacit_status_name(report.failure),
               report.failure_note);
        complain(f->spec.seed, "status", report.failure, fc->status);
    }
    AGREES("phase", cohort_phase_now(f->cohort),
           fc->status == TACIT_OK ? COHORT_DONE : COHORT_FAILED);
    AGREES("a sum", cohort_sum(f->cohort) != NULL, fc->status == TACIT_OK);
    if (fc->status == TACIT_OK) check_sum(f, &report, fc);
}

/* ---- small cohorts --------------------------------------------------------------------------- */

/* Whether a machine accepts the fractions at all at this size (the plan's own check, C5). */
static bool plan_holds(const federation_spec *spec) {
    uint32_t n = spec->device_count, colluders = n * spec->max_colluding / 1000;
    uint32_t n_min = n - n * spec->max_dropout / 1000;
    if (n_min < spec->n_min_floor) n_min = spec->n_min_floor;
    return n_min >= colluders + 1 && 2 * (n_min - colluders) >= n && n_min >= 2;
}

static void draw_spec(federation_spec *spec, tacit_prng *p) {
    /* Time goes with the square of the size. */
    static const uint8_t sizes[] = {3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 7, 8};
    static const uint8_t widths[] = {16, 20, 24, 32};
    static const uint16_t dropouts[] = {0, 130, 150, 170, 200, 260, 340};
    do {
        spec->device_count = sizes[tacit_prng_below(p, sizeof sizes)];
        spec->max_colluding = (uint16_t)(tacit_prng_below(p, 3) == 0 ? 150 : 0);
        spec->max_dropout = dropouts[tacit_prng_below(p, sizeof dropouts / sizeof dropouts[0])];
        spec->n_min_floor =
            tacit_prng_below(p, 4) == 0 ? 2 + tacit_prng_below(p, spec->device_count - 1) : 0;
        spec->dims = 2u << tacit_prng_below(p, 6);
        spec->bits = widths[tacit_prng_below(p, sizeof widths)];
        spec->n_lo = 3;
    } while (!plan_holds(spec));
}

/* Each device vanishes with a chance drawn per cohort; sometimes all at the same step. */
static void draw_vanishing(federation *f, tacit_prng *p) {
    static const uint8_t percents[] = {0, 15, 15, 20, 30, 50};
    uint32_t percent = percents[tacit_prng_below(p, sizeof percents)];
    uint32_t step = tacit_prng_below(p, 8);
    for (uint32_t i = 0; i < f->device_count; i++) {
        uint32_t own = tacit_prng_below(p, 5);
        if (tacit_prng_below(p, 100) >= percent) continue;
        f->devices[i].vanish = (tacit_phase)(step < 5 ? step : own);
    }
}

typedef struct {
    uint32_t sums, sums_with_dropouts, failed[5];
} tally;

static void run_draw(uint64_t seed, tally *t) {
    federation f;
    federation_spec spec = {.seed = seed};
    tacit_prng p;
    tacit_prng_init_seed(&p, seed, 77);
    draw_spec(&spec, &p);
    federation_init(&f, &spec);
    draw_vanishing(&f, &p);
    forecast fc = foretell(&f);
    (void)!federation_run(&f);
    check_outcome(&f, &fc);
    if (fc.status == TACIT_OK) {
        t->sums++;
        t->sums_with_dropouts += fc.sent[TACIT_PHASE_REVEAL] < f.device_count;
    } else {
        static const char first[] = "jsmas"; /* join share mask agree sum */
        int stage = fc.phase[1] == 'u' ? 4 : 0;
        while (stage < 4 && first[stage] != fc.phase[0]) stage++;
        t->failed[stage]++;
    }
    federation_free(&f);
}

static _Atomic uint64_t next_seed;
static uint64_t last_seed;
static _Atomic uint64_t running[WORKERS]; /* shown when the process aborts */

typedef struct {
    int number;
    tally tally;
} worker;

static void *work(void *arg) {
    worker *w = arg;
    for (;;) {
        uint64_t seed = atomic_fetch_add(&next_seed, 1);
        if (seed > last_seed) return NULL;
        atomic_store(&running[w->number], seed);
        run_draw(seed, &w->tally);
    }
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void test_small(void **state) {
    (void)state;
    uint64_t only = number_of("TACIT_SEED", 0);
    uint64_t draws = number_of("TACIT_DRAWS", getenv("TACIT_QUICK") != NULL ? DRAWS_QUICK : DRAWS);
    atomic_store(&next_seed, only != 0 ? only : 1);
    last_seed = only != 0 ? only : draws;
    pthread_t threads[WORKERS];
    worker workers[WORKERS] = {{0}};
    for (int i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    tally all = {0};
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        all.sums += workers[i].tally.sums;
        all.sums_with_dropouts += workers[i].tally.sums_with_dropouts;
        for (int s = 0; s < 5; s++) all.failed[s] += workers[i].tally.failed[s];
    }
    printf(
        "%u sums, %u of them with dropouts; failed as foretold: %u join, %u share, %u mask, "
        "%u agree, %u sum\n",
        all.sums, all.sums_with_dropouts, all.failed[0], all.failed[1], all.failed[2],
        all.failed[3], all.failed[4]);
    if (only != 0) return;
    /* A generator gone astray would prove nothing: each outcome must have been there. */
    assert_true(all.sums >= draws / 4);
    assert_true(all.sums_with_dropouts >= draws / 20);
    for (int s = 0; s < 5; s++) assert_true(all.failed[s] >= draws / 100);
}

/* ---- large cohorts --------------------------------------------------------------------------- */

/* One phase of a large federation: requests made and answers taken by all workers, each its own
 * devices; submitted in one order. */
typedef struct {
    federation *f;
    federation_bytes *requests; /* [device_count] */
    uint32_t from;
    bool answers;
} crew;

static void *serve(void *arg) {
    const crew *c = arg;
    federation_bytes answer = {0};
    for (uint32_t i = c->from; i < c->f->device_count; i += WORKERS) {
        federation_device *d = &c->f->devices[i];
        if (d->gone) continue;
        tacit_status st;
        if (!c->answers) {
            st = federation_request(c->f, d, &c->requests[i]);
        } else {
            /* One that vanishes before its next request need not read this answer. */
            if ((int)d->vanish == (int)tacit_secagg_phase(d->machine) + 1) continue;
            st = federation_collect(c->f, d, &answer);
            if (st == TACIT_OK) st = federation_deliver(c->f, d, &answer);
        }
        if (st != TACIT_OK)
            fail_msg("seed %llu: device %u: %s", (unsigned long long)c->f->spec.seed, i,
                     tacit_status_name(st));
    }
    federation_bytes_free(&answer);
    return NULL;
}

static void serve_all(federation *f, federation_bytes *requests, bool answers) {
    pthread_t threads[WORKERS];
    crew crews[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        crews[i] = (crew){f, requests, i, answers};
        assert_int_equal(pthread_create(&threads[i], NULL, serve, &crews[i]), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void run_large_phase(federation *f, federation_bytes *requests, cohort_phase phase) {
    for (uint32_t i = 0; i < f->device_count; i++) {
        federation_device *d = &f->devices[i];
        if (d->gone || (int)d->vanish != (int)phase) continue;
        tacit_secagg_leave(d->machine);
        d->gone = true;
    }
    serve_all(f, requests, false);
    for (uint32_t i = 0; i < f->device_count; i++) {
        federation_device *d = &f->devices[i];
        char note[TACIT_NOTE_LEN + 1];
        if (d->gone) continue;
        tacit_status st =
            cohort_submit(f->cohort, &d->slot, note, phase,
                          tacit_bytes_of(requests[i].data, requests[i].len), f->now_s);
        if (st != TACIT_OK) fail_msg("device %u: %s: %s", i, tacit_status_name(st), note);
    }
    federation_close(f);
    cohort_report report;
    cohort_report_get(f->cohort, &report);
    if (report.failure != TACIT_OK) fail_msg("%s", report.failure_note);
    serve_all(f, requests, true);
}

/* Devices vanish at random, counts[phase] of them before each phase. */
static void run_large(const federation_spec *spec, const uint32_t counts[static 5]) {
    federation f;
    tacit_prng p;
    federation_init(&f, spec);
    tacit_prng_init_seed(&p, spec->seed, 78);
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++)
        for (uint32_t k = 0; k < counts[phase];) {
            federation_device *d = &f.devices[tacit_prng_below(&p, f.device_count)];
            if (d->vanish != FEDERATION_NEVER) continue;
            d->vanish = (tacit_phase)phase;
            k++;
        }
    federation_bytes *requests = calloc(f.device_count, sizeof *requests);
    assert_non_null(requests);
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++)
        run_large_phase(&f, requests, (cohort_phase)phase);
    forecast fc = {.status = TACIT_OK};
    for (uint32_t i = 0; i < f.device_count; i++)
        for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++)
            fc.sent[phase] += (int)f.devices[i].vanish > phase;
    check_outcome(&f, &fc);
    for (uint32_t i = 0; i < f.device_count; i++) federation_bytes_free(&requests[i]);
    free(requests);
    federation_free(&f);
}

/* 512 devices, the largest complete graph: A = 10, t_v = 261, n_min = 267, t2 = 266. The many that
 * leave early are those whose checks would take the test's time. */
static void test_complete_512(void **state) {
    (void)state;
    if (getenv("TACIT_QUICK") != NULL || getenv("TACIT_SEED") != NULL) skip();
    federation_spec spec = {.device_count = 512,
                            .max_colluding = 20,
                            .max_dropout = 480,
                            .dims = 1024,
                            .bits = 20,
                            .seed = 512};
    const uint32_t counts[5] = {0, 200, 42, 4, 3}; /* U2 312, U3 270, agreed 266, revealed 263 */
    run_large(&spec, counts);
}

/* 520 devices on cycles; degrees differ, so there is no forecast of thresholds, only few leave. */
static void test_cycles_520(void **state) {
    (void)state;
    if (getenv("TACIT_QUICK") != NULL || getenv("TACIT_SEED") != NULL) skip();
    federation_spec spec = {.device_count = 520,
                            .max_colluding = 50,
                            .max_dropout = 100,
                            .dims = 1024,
                            .bits = 24,
                            .seed = 520};
    const uint32_t counts[5] = {0, 20, 20, 5, 5};
    run_large(&spec, counts);
}

static void show_running(int signal_number) {
    for (int i = 0; i < WORKERS; i++)
        fprintf(stderr, "worker %d was at TACIT_SEED=%llu\n", i,
                (unsigned long long)atomic_load(&running[i]));
    signal(signal_number, SIG_DFL);
}

int main(void) {
    /* A failed assertion on a worker must end the process: cmocka's jump belongs to its thread. */
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    signal(SIGABRT, show_running);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_complete_512),
        cmocka_unit_test(test_cycles_520),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
