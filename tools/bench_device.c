/* SPDX-License-Identifier: Apache-2.0
 * bench_device.c - one device's share of a secure-aggregation round: CPU seconds from join to
 * reveal, bytes on the wire, memory, and how the first two grow with the cohort.
 *
 * The limit of the CPU row is what the protocol cannot do without, counted for this very round:
 * keystream, X25519, Ed25519. Everything else a device does (certificates' hashes, Merkle proofs,
 * Shamir shares, sealing, packing, the wire) is in the value and not in the limit. Traffic is the
 * bodies of the round without the masked vector: plan, five requests, five answers; HTTP's own
 * lines, TLS and the model, which is fetched once and not per round, are not in it. */
#include <stdio.h>

#include "common/ring.h"
#include "tools/bench.h"
#include "tools/bench_cohort.h"
#include "tools/bench_cost.h"

enum { MACHINES = 8, PLAYS = 3, MEMORY_LIMIT = 262144, DIMS = 100000, BITS = 20 };
static const double cpu_reach = 1.3;

/* Verifications: certificate and join of each neighbour and its own, each neighbour's agreement,
 * the server's word on four answers (the receipt comes after the reveal). Signatures: five
 * requests. */
static double round_limit(uint32_t dims, uint32_t neighbours) {
    const bench_cost *cost = bench_cost_get();
    double d = neighbours, len = (double)tacit_ring_packed_len(dims, BITS);
    return (d + 1) * len * cost->keystream_byte + 2 * d * cost->x25519 + 2 * cost->x25519_public +
           (2 * (d + 1) + d + 4) * cost->verify + 5 * cost->sign;
}

/* A cohort of real and played devices that has revealed; NULL after saying why not. */
static bench_cohort *play(const bench_cohort_spec *spec) {
    bench_cost_again();
    bench_cohort *c = bench_cohort_new(spec);
    if (c == NULL || bench_cohort_run(c, COHORT_REVEAL)) return c;
    bench_cohort_free(c);
    return NULL;
}

/* Degrees differ on cycles, so by the neighbour. */
static const bench_member *cheapest(const bench_cohort *c) {
    const bench_member *best = NULL;
    double least = INFINITY;
    for (uint32_t i = 0; i < c->spec.machine_count; i++) {
        const bench_member *m = &c->members[i];
        double each = m->cpu_s / tacit_secagg_neighbour_count(m->machine);
        if (each < least) best = m;
        if (each < least) least = each;
    }
    return best;
}

static void round_row(uint32_t n, uint32_t dims, double reach) {
    bench_cohort_spec spec = {.device_count = n,
                              .machine_count = MACHINES,
                              .max_colluding = 100,
                              .max_dropout = 200,
                              .dims = dims,
                              .bits = BITS};
    double cpu_s = INFINITY;
    uint32_t neighbours = 0;
    for (int i = 0; i < PLAYS; i++) {
        bench_cohort *c = play(&spec);
        if (c == NULL) {
            bench_fail("device.round.cpu");
            return;
        }
        const bench_member *m = cheapest(c);
        uint32_t degree = tacit_secagg_neighbour_count(m->machine);
        if (neighbours == 0 || m->cpu_s / degree < cpu_s / neighbours) {
            cpu_s = m->cpu_s;
            neighbours = degree;
        }
        bench_cohort_free(c);
    }
    char params[128];
    snprintf(params, sizeof params, "n=%u neighbours=%u dims=%u bits=%d dropouts=0 %s", n,
             neighbours, dims, BITS, neighbours < n - 1 ? "cycles" : "complete");
    bench_row_reach("device.round.cpu", cpu_s, "cpu s", round_limit(dims, neighbours), reach,
                    params);
}

/* ---- traffic --------------------------------------------------------------------------------- */

typedef struct {
    size_t plan, receipt; /* the two answers this cohort does not give, at their longest */
    size_t up, down;      /* all bodies without the vector */
} traffic;

static traffic traffic_of(const bench_member *m) {
    tacit_Message plan, receipt;
    memset(&plan, 0xff, sizeof plan);
    memset(&receipt, 0xff, sizeof receipt);
    plan.which_body = tacit_Message_plan_tag;
    receipt.which_body = tacit_Message_receipt_tag;
    traffic t = {.plan = tacit_wire_len(&plan), .receipt = tacit_wire_len(&receipt)};
    t.down = t.plan + t.receipt;
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) {
        t.up += m->up[phase];
        t.down += m->down[phase];
    }
    return t;
}

static void traffic_rows(uint32_t n, double down_limit, double up_limit) {
    bench_cohort_spec spec = {.device_count = n,
                              .machine_count = 1,
                              .max_colluding = 100,
                              .max_dropout = 100,
                              .dims = 512,
                              .bits = BITS};
    bench_cohort *c = play(&spec);
    if (c == NULL) {
        bench_fail("device.round.traffic.down, device.round.traffic.up");
        return;
    }
    const bench_member *m = &c->members[0];
    traffic t = traffic_of(m);
    uint32_t neighbours = tacit_secagg_neighbour_count(m->machine);
    char params[160];
    snprintf(params, sizeof params,
             "n=%u neighbours=%u dropouts=0: plan %zu join %zu share %zu mask %zu agree %zu "
             "receipt %zu",
             n, neighbours, t.plan, m->down[COHORT_JOIN], m->down[COHORT_SHARE],
             m->down[COHORT_MASK], m->down[COHORT_AGREE], t.receipt);
    bench_row_reach("device.round.traffic.down", (double)t.down, "bytes", down_limit, 1, params);
    snprintf(params, sizeof params,
             "n=%u neighbours=%u dropouts=0: join %zu share %zu mask %zu agree %zu reveal %zu", n,
             neighbours, m->up[COHORT_JOIN], m->up[COHORT_SHARE], m->up[COHORT_MASK],
             m->up[COHORT_AGREE], m->up[COHORT_REVEAL]);
    bench_row_reach("device.round.traffic.up", (double)t.up, "bytes", up_limit, 1, params);
    bench_cohort_free(c);
}

static void growth_rows(uint32_t n) {
    bench_cohort_spec spec = {.device_count = n,
                              .machine_count = MACHINES,
                              .max_colluding = 100,
                              .max_dropout = 200,
                              .dims = DIMS,
                              .bits = BITS};
    bench_cohort *c = play(&spec);
    if (c == NULL) {
        bench_fail("device.growth.cpu, device.growth.down, device.growth.up");
        return;
    }
    const bench_member *m = cheapest(c);
    traffic t = traffic_of(m);
    uint32_t neighbours = tacit_secagg_neighbour_count(m->machine);
    char params[128];
    snprintf(params, sizeof params, "n=%u neighbours=%u dims=%d bits=%d %s", n, neighbours, DIMS,
             BITS, c->rule.cycles > 0 ? "cycles" : "complete");
    bench_row("device.growth.cpu", m->cpu_s, "cpu s", round_limit(DIMS, neighbours), params);
    bench_row("device.growth.down", (double)t.down, "bytes", 0, params);
    bench_row("device.growth.up", (double)t.up, "bytes", 0, params);
    bench_cohort_free(c);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* What a workspace takes for the machine besides vector and words. The bound is for about 200
 * neighbours; the other rows show how it grows. */
static void memory_row(uint32_t n, double reach) {
    tacit_plan plan = {.n_lo = n, .n_hi = n, .max_colluding = 100, .max_dropout = 200};
    tacit_graph_rule rule;
    char params[128];
    size_t len = tacit_secagg_len(&plan);
    if (len == 0 || tacit_graph_rule_init(&rule, n, 100, 200, 0) != TACIT_OK) {
        bench_fail("device.round.memory");
        return;
    }
    snprintf(params, sizeof params, "n=%u neighbours>=%u, without the vector", n, rule.degree_min);
    bench_row_reach("device.round.memory", (double)len, "bytes", MEMORY_LIMIT, reach, params);
}

void bench_device(void) {
    if (bench_wanted("device.round.cpu")) {
        round_row(512, 1 << 16, 0);
        round_row(1000, DIMS, cpu_reach);
    }
    if (bench_wanted("device.round.traffic.down") || bench_wanted("device.round.traffic.up")) {
        traffic_rows(1000, 160e3, 40e3);
        traffic_rows(10000, 520e3, 48e3);
    }
    if (bench_wanted("device.growth.cpu") || bench_wanted("device.growth.down") ||
        bench_wanted("device.growth.up")) {
        static const uint32_t sizes[] = {256, 1000, 4000, 10000};
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) growth_rows(sizes[i]);
    }
    memory_row(642, 1);
    memory_row(512, 0);
    memory_row(10000, 0);
}
