/* SPDX-License-Identifier: Apache-2.0
 * bench_server.c - the server's part of a round: taking masked vectors, and taking the masks off
 * the sum. One thread, so a row is core-seconds: the tasks of the sum are
 * independent and divide by the cores. */
#include <stdio.h>
#include <stdlib.h>

#include "common/ring.h"
#include "tools/bench.h"
#include "tools/bench_cohort.h"
#include "tools/bench_cost.h"

enum { DEVICES = 512, DIMS = 1 << 16, BITS = 20, WINDOWS = 12 };
/* The shape published systems are measured in: everyone's neighbour everyone, raw ring words. */
enum { UNMASK_DEVICES = 1000, UNMASK_GONE = 300, UNMASK_DIMS = 100000, UNMASK_BITS = 24 };
/* Aims: the ratio, and in core-seconds what is far below the server of the SecAgg paper of 2017 at
 * this shape (414 s). */
static const double unmask_reach = 1.25, unmask_core_s = 60;

/* One vector hashed, one signature verified, one vector unpacked and added. */
static double absorb_limit(const bench_cohort *c) {
    const bench_cost *cost = bench_cost_get();
    size_t len = tacit_ring_packed_len(DIMS, BITS);
    uint32_t *sum = calloc(DIMS, sizeof *sum);
    double add;
    if (sum == NULL) return 0;
    BENCH_BEST(add, 10, 20, tacit_ring_add_packed(sum, c->vector, DIMS, BITS));
    free(sum);
    return (double)len * cost->hash_byte + cost->verify + add;
}

static void absorb_row(const bench_cohort *c) {
    double each = c->submit_s / c->submit_count;
    char params[128];
    snprintf(params, sizeof params, "dims=%d bits=%d, %.0f a second and core", DIMS, BITS,
             1 / each);
    bench_row("server.absorb", each * 1e6, "cpu us", absorb_limit(c) * 1e6, params);
}

/* A self mask per survivor; per device gone a public key (its secret is checked against it) and a
 * pair mask, one X25519 each, per neighbour that survived. */
static double unmask_limit(const bench_cohort *c, const bench_cost *cost, double *mask_count) {
    cohort_report report;
    cohort_report_get(c->server, &report);
    double pairs = 0, gone = report.rebuilt_s;
    for (uint32_t v = 0; v < c->rule.n; v++) {
        if (tacit_bit_get(cohort_u3(c->server), v)) continue;
        for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++)
            pairs += tacit_bit_get(cohort_u3(c->server), c->adjacent[e]);
    }
    *mask_count = pairs + report.rebuilt_b;
    return *mask_count * (double)tacit_ring_packed_len(c->plan.dims, c->plan.bits) *
               cost->keystream_byte +
           pairs * cost->x25519 + gone * cost->x25519_public;
}

/* The job's CPU seconds; between its tasks, outside the time, what the limit's pieces cost just
 * then. *secrets_s: of it for the first stage. */
static void run_job(bench_cohort *c, bench_cost *mean, double *took_s, double *secrets_s) {
    uint32_t windows = 0;
    double start = bench_cpu_s();
    tacit_status st = cohort_job_begin(c->server);
    *took_s = bench_cpu_s() - start;
    *secrets_s = 0;
    for (uint32_t tasks; st == TACIT_OK && (tasks = cohort_job_tasks(c->server)) > 0;) {
        uint32_t window = tasks / WINDOWS + 1;
        for (uint32_t i = 0; i < tasks; i++) {
            if (i % window == 0) bench_cost_add(mean), windows++;
            start = bench_cpu_s();
            cohort_job_run(c->server, i);
            *took_s += bench_cpu_s() - start;
        }
        start = bench_cpu_s();
        cohort_job_next(c->server);
        *took_s += bench_cpu_s() - start;
        if (*secrets_s == 0) *secrets_s = *took_s;
    }
    mean->keystream_byte /= windows;
    mean->x25519 /= windows;
    mean->x25519_public /= windows;
}

static void unmask_row(bench_cohort *c) {
    bench_cost mean = {0};
    double took, secrets, masks;
    run_job(c, &mean, &took, &secrets);
    cohort_report report;
    cohort_report_get(c->server, &report);
    if (cohort_phase_now(c->server) != COHORT_DONE) {
        fprintf(stderr, "bench: unmask: %s\n", report.failure_note);
        bench_fail("server.unmask");
        return;
    }
    double limit = unmask_limit(c, &mean, &masks);
    char params[160];
    snprintf(params, sizeof params,
             "n=%d complete dims=%d bits=%d gone=%u masks=%.0f secrets=%u; secrets %.2f s",
             UNMASK_DEVICES, UNMASK_DIMS, UNMASK_BITS, report.rebuilt_s, masks,
             report.rebuilt_b + report.rebuilt_s, secrets);
    bench_row_reach("server.unmask", took, "core s", limit, unmask_reach, params);
    bench_row_reach("server.unmask.core_seconds", took, "core s",
                    fmax(unmask_core_s, unmask_reach * limit), 1, params);
}

static void bench_absorb(void) {
    bench_cohort_spec spec = {.device_count = DEVICES,
                              .max_colluding = 100,
                              .max_dropout = 200,
                              .dims = DIMS,
                              .bits = BITS};
    bench_cohort *c = bench_cohort_new(&spec);
    if (c != NULL && bench_cohort_run(c, COHORT_MASK))
        absorb_row(c);
    else
        bench_fail("server.absorb");
    bench_cohort_free(c);
}

static void bench_unmask(void) {
    bench_cohort_spec spec = {.device_count = UNMASK_DEVICES,
                              .max_colluding = 100,
                              .max_dropout = 300,
                              .dims = UNMASK_DIMS,
                              .bits = UNMASK_BITS,
                              .complete = true,
                              .unmask = true,
                              .vanish_count = UNMASK_GONE};
    bench_cohort *c = bench_cohort_new(&spec);
    if (c != NULL && bench_cohort_run(c, COHORT_REVEAL))
        unmask_row(c);
    else
        bench_fail("server.unmask");
    bench_cohort_free(c);
}

void bench_server(void) {
    if (bench_wanted("server.absorb")) bench_absorb();
    if (bench_wanted("server.unmask") || bench_wanted("server.unmask.core_seconds")) bench_unmask();
}
