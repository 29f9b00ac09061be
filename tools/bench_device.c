/* SPDX-License-Identifier: Apache-2.0
 * bench_device.c - one device's share of a secure-aggregation round: CPU seconds from join to
 * reveal, and memory. The limit of the CPU row is what the protocol cannot do without, counted for
 * this very round: keystream, X25519, Ed25519. Everything else a device does (certificates' hashes,
 * Merkle proofs, Shamir shares, sealing, packing, the wire) is in the value and not in the limit.
 */
#include <stdio.h>

#include "common/ring.h"
#include "tools/bench.h"
#include "tools/bench_cohort.h"
#include "tools/bench_cost.h"

enum { MACHINES = 3, MEMORY_LIMIT = 262144 };

/* Verifications: certificate and join of each neighbour and its own, each neighbour's agreement,
 * the server's word on four answers (the receipt comes after the reveal). Signatures: five
 * requests. */
static double round_limit(const bench_cohort *c, uint32_t neighbours) {
    const bench_cost *cost = bench_cost_get();
    double d = neighbours, len = (double)tacit_ring_packed_len(c->plan.dims, c->plan.bits);
    return (d + 1) * len * cost->keystream_byte + 2 * d * cost->x25519 + 2 * cost->x25519_public +
           (2 * (d + 1) + d + 4) * cost->verify + 5 * cost->sign;
}

static void round_row(uint32_t n, uint32_t dims) {
    bench_cohort_spec spec = {.device_count = n,
                              .machine_count = MACHINES,
                              .max_colluding = 100,
                              .max_dropout = 200,
                              .dims = dims,
                              .bits = 20};
    bench_cohort *c = bench_cohort_new(&spec);
    if (c == NULL || !bench_cohort_run(c, COHORT_REVEAL)) {
        bench_cohort_free(c);
        bench_fail("device.round.cpu");
        return;
    }
    const bench_member *best = &c->members[0];
    for (uint32_t i = 1; i < MACHINES; i++)
        if (c->members[i].cpu_s < best->cpu_s) best = &c->members[i];
    uint32_t index = tacit_secagg_index(best->machine);
    uint32_t neighbours = c->offsets[index + 1] - c->offsets[index];
    char params[128];
    snprintf(params, sizeof params, "n=%u neighbours=%u dims=%u bits=20 dropouts=0 %s", n,
             neighbours, dims, c->rule.cycles > 0 ? "cycles" : "complete");
    bench_row("device.round.cpu", best->cpu_s, "cpu s", round_limit(c, neighbours), params);
    bench_cohort_free(c);
}

/* What a workspace takes for the machine besides vector and words. The bound was set for about 200
 * neighbours; the other rows show how it grows. */
static void memory_row(uint32_t n) {
    tacit_plan plan = {.n_lo = n, .n_hi = n, .max_colluding = 100, .max_dropout = 200};
    tacit_graph_rule rule;
    char params[128];
    size_t len = tacit_secagg_len(&plan);
    if (len == 0 || tacit_graph_rule_init(&rule, n, 100, 200, 0) != TACIT_OK) {
        bench_fail("device.round.memory");
        return;
    }
    snprintf(params, sizeof params, "n=%u neighbours>=%u, without the vector", n, rule.degree_min);
    bench_row("device.round.memory", (double)len, "bytes", MEMORY_LIMIT, params);
}

void bench_device(void) {
    if (bench_wanted("device.round.cpu")) {
        round_row(512, 1 << 16);
        round_row(1000, 1 << 17);
    }
    memory_row(642);
    memory_row(512);
    memory_row(10000);
}
