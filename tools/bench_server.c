/* SPDX-License-Identifier: Apache-2.0
 * bench_server.c - the server's part of a round: taking masked vectors, and taking the masks off
 * the sum. One thread, so a row is core-seconds: slices are independent and divide by the cores. */
#include <stdio.h>
#include <stdlib.h>

#include "common/ring.h"
#include "tools/bench.h"
#include "tools/bench_cohort.h"
#include "tools/bench_cost.h"

enum { DEVICES = 512, DIMS = 1 << 16, BITS = 20 };

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
static double unmask_limit(const bench_cohort *c, double *mask_count) {
    const bench_cost *cost = bench_cost_get();
    cohort_report report;
    cohort_report_get(c->server, &report);
    double pairs = 0, gone = report.rebuilt_s;
    for (uint32_t v = 0; v < c->rule.n; v++) {
        if (tacit_bit_get(cohort_u3(c->server), v)) continue;
        for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++)
            pairs += tacit_bit_get(cohort_u3(c->server), c->adjacent[e]);
    }
    *mask_count = pairs + report.rebuilt_b;
    return *mask_count * (double)tacit_ring_packed_len(DIMS, BITS) * cost->keystream_byte +
           pairs * cost->x25519 + gone * cost->x25519_public;
}

static void unmask_row(bench_cohort *c) {
    double start = bench_cpu_s(), prepared = start, masks;
    tacit_status st = cohort_job_begin(c->server);
    for (uint32_t tasks; (tasks = cohort_job_tasks(c->server)) > 0; cohort_job_next(c->server)) {
        for (uint32_t i = 0; i < tasks; i++) cohort_job_run(c->server, i);
        if (prepared == start) prepared = bench_cpu_s();
    }
    double took = bench_cpu_s() - start;
    cohort_report report;
    cohort_report_get(c->server, &report);
    if (st != TACIT_OK || cohort_phase_now(c->server) != COHORT_DONE) {
        fprintf(stderr, "bench: unmask: %s\n", report.failure_note);
        bench_fail("server.unmask");
        return;
    }
    double limit = unmask_limit(c, &masks);
    char params[160];
    snprintf(params, sizeof params,
             "n=%d complete dims=%d bits=%d gone=%u masks=%.0f secrets=%u; secrets %.2f s", DEVICES,
             DIMS, BITS, report.rebuilt_s, masks, report.rebuilt_b + report.rebuilt_s,
             prepared - start);
    bench_row("server.unmask", took, "core s", limit, params);
}

void bench_server(void) {
    bench_cohort_spec spec = {.device_count = DEVICES,
                              .max_colluding = 100,
                              .max_dropout = 200,
                              .dims = DIMS,
                              .bits = BITS,
                              .unmask = bench_wanted("server.unmask"),
                              .vanish_count = DEVICES / 10};
    bench_cohort *c = bench_cohort_new(&spec);
    if (c != NULL && bench_cohort_run(c, COHORT_MASK)) {
        absorb_row(c);
        if (spec.unmask && bench_cohort_run(c, COHORT_REVEAL))
            unmask_row(c);
        else if (spec.unmask)
            bench_fail("server.unmask");
    } else {
        bench_fail("server.absorb, server.unmask");
    }
    bench_cohort_free(c);
}
