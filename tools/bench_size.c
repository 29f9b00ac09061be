/* SPDX-License-Identifier: Apache-2.0
 * bench_size.c - one secure sum over ten thousand devices: the real machines of all of them and of
 * the server in this process and in virtual time (virtual.h), on two threads. The sum is compared
 * with the plain one; a wrong sum is no row. Minutes, so its progress shows on a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/ring.h"
#include "tools/bench.h"
#include "tools/bench_cost.h"
#include "tools/virtual.h"

enum { DEVICES = 10000, DIMS = 65536, THREADS = 2, MOST_S = 24 * 60, MOST_MIB = 4096 };

/* What nobody could save, for the devices that got a receipt alone: keystream, X25519, Ed25519, for
 * the mean number of distinct neighbours that m cycles give. */
static double cpu_limit(const virtual_result *r) {
    const bench_cost *cost = bench_cost_get();
    const tacit_graph_rule *rule = &r->rounds[0].report.rule;
    double others = rule->n - 1.0, d = others * (1 - pow(1 - 2 / others, rule->cycles));
    double len = (double)tacit_ring_packed_len(DIMS, r->bits);
    double each = (d + 1) * len * cost->keystream_byte + 2 * d * cost->x25519 +
                  2 * cost->x25519_public + (2 * (d + 1) + d + 4) * cost->verify + 5 * cost->sign;
    return each * r->rounds[0].receipts;
}

static void rows(const virtual_result *r, double wall_s, double cpu_s) {
    const cohort_report *c = &r->rounds[0].report;
    struct rusage usage;
    char params[200];
    snprintf(params, sizeof params, "n=%u dims=%d bits=%u survivors=%u receipts=%u threads=%d",
             c->joined, DIMS, r->bits, c->survivors, r->rounds[0].receipts, THREADS);
    bench_row_reach("secagg.size.seconds", wall_s, "s", MOST_S, 1, params);
    bench_row("secagg.size.core_seconds", cpu_s, "core s", cpu_limit(r), params);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        bench_row_reach("secagg.size.memory", (double)usage.ru_maxrss / 1024, "MiB peak", MOST_MIB,
                        1, params);
}

void bench_size(void) {
    virtual_options options = {.devices = DEVICES,
                               .rounds = 1,
                               .dims = DIMS,
                               .max_colluding = 100,
                               .max_dropout = 120,
                               .dropout = 0.1,
                               .seed = 1,
                               .threads = THREADS,
                               .progress = true};
    char note[TACIT_NOTE_LEN + 1] = "";
    virtual_result *r = NULL;
    if (virtual_faults_named(&options.faults, "none")) r = calloc(1, sizeof *r);
    if (r == NULL) return bench_fail("secagg.size");
    double wall_s = bench_wall_s(), cpu_s = bench_cpu_s();
    tacit_status st = virtual_run(r, note, &options);
    wall_s = bench_wall_s() - wall_s;
    cpu_s = bench_cpu_s() - cpu_s;
    if (st == TACIT_OK && r->finding_count == 0 && r->rounds[0].ended == COHORT_DONE) {
        rows(r, wall_s, cpu_s);
    } else {
        fprintf(stderr, "bench: size: %s %s %s\n", tacit_status_name(st), note, r->findings[0]);
        bench_fail("secagg.size");
    }
    free(r);
}
