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

enum { MACHINES = 8, PLAYS = 6, MEMORY_LIMIT = 262144, DIMS = 100000, BITS = 20 };
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

/* ---- a cohort -------------------------------------------------------------------------------- */

typedef struct {
    double cpu_s; /* its own least over the plays, phase by phase */
    uint32_t neighbours;
    size_t up[COHORT_REVEAL + 1], down[COHORT_REVEAL + 1];
} device;

static double sum_of(const double *phases) {
    double sum = 0;
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) sum += phases[phase];
    return sum;
}

/* Keeps of each machine's phase the least. The seed is fixed, so every play is the same work. */
static bool play(double least[][COHORT_REVEAL + 1], device *devices,
                 const bench_cohort_spec *spec) {
    bench_cost_again();
    bench_cohort *c = bench_cohort_new(spec);
    bool ok = c != NULL && bench_cohort_run(c, COHORT_REVEAL);
    for (uint32_t i = 0; ok && i < spec->machine_count; i++) {
        const bench_member *m = &c->members[i];
        devices[i].neighbours = tacit_secagg_neighbour_count(m->machine);
        memcpy(devices[i].up, m->up, sizeof m->up);
        memcpy(devices[i].down, m->down, sizeof m->down);
        for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++)
            least[i][phase] = fmin(least[i][phase], m->cpu_s[phase]);
        devices[i].cpu_s = sum_of(least[i]);
    }
    bench_cohort_free(c);
    return ok;
}

static bool measure(device devices[MACHINES], const bench_cohort_spec *spec, int plays) {
    double least[MACHINES][COHORT_REVEAL + 1];
    for (int i = 0; i < MACHINES; i++)
        for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) least[i][phase] = INFINITY;
    for (int i = 0; i < plays; i++)
        if (!play(least, devices, spec)) return false;
    return true;
}

/* By the neighbour: degrees differ on cycles. */
static const device *cheapest(const device devices[MACHINES]) {
    const device *best = &devices[0];
    for (int i = 1; i < MACHINES; i++)
        if (devices[i].cpu_s / devices[i].neighbours < best->cpu_s / best->neighbours)
            best = &devices[i];
    return best;
}

static bench_cohort_spec spec_of(uint32_t n, uint32_t dims, uint16_t max_dropout) {
    return (bench_cohort_spec){.device_count = n,
                               .machine_count = MACHINES,
                               .max_colluding = 100,
                               .max_dropout = max_dropout,
                               .dims = dims,
                               .bits = BITS};
}

static void round_row(uint32_t n, uint32_t dims, double reach) {
    bench_cohort_spec spec = spec_of(n, dims, 200);
    device devices[MACHINES];
    if (!measure(devices, &spec, PLAYS)) {
        bench_fail("device.round.cpu");
        return;
    }
    const device *d = cheapest(devices);
    char params[128];
    snprintf(params, sizeof params, "n=%u neighbours=%u dims=%u bits=%d dropouts=0 %s", n,
             d->neighbours, dims, BITS, d->neighbours < n - 1 ? "cycles" : "complete");
    bench_row_reach("device.round.cpu", d->cpu_s, "cpu s", round_limit(dims, d->neighbours), reach,
                    params);
}

/* ---- traffic and growth ---------------------------------------------------------------------- */

/* The two answers such a cohort does not give, at their longest. */
static size_t longest(pb_size_t which) {
    tacit_Message m;
    memset(&m, 0xff, sizeof m);
    m.which_body = which;
    return tacit_wire_len(&m);
}

static size_t bytes_of(const size_t *phases) {
    size_t sum = 0;
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) sum += phases[phase];
    return sum;
}

static size_t down_of(const device *d) {
    return bytes_of(d->down) + longest(tacit_Message_plan_tag) + longest(tacit_Message_receipt_tag);
}

static void traffic_rows(uint32_t n, double down_limit, double up_limit) {
    bench_cohort_spec spec = spec_of(n, 512, 100);
    device devices[MACHINES];
    spec.machine_count = 1;
    if (!measure(devices, &spec, 1)) {
        bench_fail("device.round.traffic.down, device.round.traffic.up");
        return;
    }
    const device *d = &devices[0];
    char params[160];
    snprintf(params, sizeof params,
             "n=%u neighbours=%u dropouts=0: plan %zu join %zu share %zu mask %zu agree %zu "
             "receipt %zu",
             n, d->neighbours, longest(tacit_Message_plan_tag), d->down[COHORT_JOIN],
             d->down[COHORT_SHARE], d->down[COHORT_MASK], d->down[COHORT_AGREE],
             longest(tacit_Message_receipt_tag));
    bench_row_reach("device.round.traffic.down", (double)down_of(d), "bytes", down_limit, 1,
                    params);
    snprintf(params, sizeof params,
             "n=%u neighbours=%u dropouts=0: join %zu share %zu mask %zu agree %zu reveal %zu", n,
             d->neighbours, d->up[COHORT_JOIN], d->up[COHORT_SHARE], d->up[COHORT_MASK],
             d->up[COHORT_AGREE], d->up[COHORT_REVEAL]);
    bench_row_reach("device.round.traffic.up", (double)bytes_of(d->up), "bytes", up_limit, 1,
                    params);
}

/* The large ones are played once: the others' part takes nearly all the time. */
static void growth_rows(uint32_t n) {
    bench_cohort_spec spec = spec_of(n, DIMS, 200);
    device devices[MACHINES];
    if (!measure(devices, &spec, n < 2000 ? PLAYS : 1)) {
        bench_fail("device.growth.cpu, device.growth.down, device.growth.up");
        return;
    }
    const device *d = cheapest(devices);
    char params[128];
    snprintf(params, sizeof params, "n=%u neighbours=%u dims=%d bits=%d", n, d->neighbours, DIMS,
             BITS);
    bench_row("device.growth.cpu", d->cpu_s, "cpu s", round_limit(DIMS, d->neighbours), params);
    snprintf(params, sizeof params, "n=%u neighbours=%u", n, devices[0].neighbours);
    bench_row("device.growth.down", (double)down_of(&devices[0]), "bytes", 0, params);
    bench_row("device.growth.up", (double)bytes_of(devices[0].up), "bytes", 0, params);
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
