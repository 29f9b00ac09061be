/* SPDX-License-Identifier: Apache-2.0
 * bench_cohort.c - see bench_cohort.h: the plan, the members, and the phases one after the other.
 * Only the machines' own calls and the server's submissions are timed. */
#include "tools/bench_cohort.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/cert.h"
#include "common/ring.h"
#include "tools/bench.h"

enum { OPENS_S = 1700000000, PIECE = 16384 };

static bool say(const char *what, tacit_status st, const char *note) {
    if (st == TACIT_OK) return true;
    fprintf(stderr, "bench: cohort: %s: %s%s%s\n", what, tacit_status_name(st), *note ? ": " : "",
            note);
    return false;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void fill_plan(bench_cohort *c) {
    const bench_cohort_spec *spec = &c->spec;
    uint8_t seed[TACIT_KEY_LEN];
    c->plan = (tacit_plan){.version = TACIT_PROTOCOL_VERSION,
                           .version_min = TACIT_PROTOCOL_VERSION_MIN,
                           .suite = TACIT_SUITE_1,
                           .aggregation = TACIT_AGGREGATION_PEERS,
                           .round = 1,
                           .run = 1,
                           .sum_count = 1,
                           .opens_s = OPENS_S,
                           .join_until_s = OPENS_S + 300,
                           .share_s = 300,
                           .mask_s = 300,
                           .agree_s = 300,
                           .reveal_s = 300,
                           .n_lo = spec->device_count,
                           .n_hi = spec->device_count,
                           .max_colluding = spec->max_colluding,
                           .max_dropout = spec->max_dropout,
                           .cohort_count = 1,
                           .least_class = TACIT_CLASS_ACCOUNT,
                           .bits = spec->bits,
                           .blocks = TACIT_BLOCK_COUNTS,
                           .item_count = spec->dims,
                           .factor = 8,
                           .dims = spec->dims,
                           .slice_count = spec->dims,
                           .separation_s = 3600,
                           .mu = 1000,
                           .scale = 16,
                           .counts_weight = 1,
                           .a0 = 1,
                           .user_ridge = 1,
                           .user_ridge_exponent = 0.5,
                           .history_floor = 1,
                           .leave_one_out = 0.5,
                           .epsilon = 8,
                           .delta = 1e-5};
    tacit_prng_bytes(&c->prng, seed, sizeof seed);
    tacit_sign_keypair(c->plan.authority_key, c->authority_secret, seed);
    tacit_prng_bytes(&c->prng, seed, sizeof seed);
    tacit_sign_keypair(c->plan.phase_key, c->phase_secret, seed);
    tacit_prng_bytes(&c->prng, c->plan.model_digest, TACIT_HASH_LEN);
    tacit_prng_bytes(&c->prng, c->plan.rotation_seed, TACIT_KEY_LEN);
}

/* The plan as its encoding gives it. A number of words that is no power of two is refused there and
 * by nothing behind it; such a plan is taken as it stands. */
static tacit_status seal_plan(bench_cohort *c) {
    uint8_t encoded[TACIT_PLAN_LEN];
    const char *what = "";
    tacit_plan_encode(encoded, &c->plan);
    tacit_plan_digest(c->plan_digest, encoded);
    if (tacit_plan_padded(c->plan.dims) != c->plan.dims) return TACIT_OK;
    tacit_status st = tacit_plan_decode(&c->plan, &what, encoded);
    return say("plan", st, what) ? TACIT_OK : st;
}

static tacit_status draw(void *self, uint8_t *out, size_t len) {
    bench_member *m = self;
    tacit_prng_bytes(&m->prng, out, len);
    return TACIT_OK;
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    const bench_member *m = self;
    tacit_sign(sig, m->secret, msg, len);
    return TACIT_OK;
}

static tacit_status start_machine(bench_cohort *c, bench_member *m) {
    tacit_secagg_params params = {
        .plan = c->plan, .floors = tacit_floors_shipped, .self = m, .random = draw, .sign = sign};
    memcpy(params.plan_digest, c->plan_digest, TACIT_HASH_LEN);
    memcpy(params.certificate, m->join.certificate, TACIT_CERT_LEN);
    memcpy(params.authority_key, c->plan.authority_key, TACIT_KEY_LEN);
    size_t len = tacit_secagg_len(&c->plan);
    m->memory = aligned_alloc(64, (len + 63) / 64 * 64);
    if (m->memory == NULL) return TACIT_NO_SPACE;
    double start = bench_cpu_s();
    tacit_status st = tacit_secagg_init(&m->machine, m->memory, len, &params);
    m->cpu_s[COHORT_JOIN] += bench_cpu_s() - start;
    return st;
}

static tacit_status start_server(bench_cohort *c) {
    cohort_params params = {.plan = c->plan,
                            .expected_count = c->spec.device_count,
                            .complete_graph = c->spec.complete};
    memcpy(params.plan_digest, c->plan_digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, c->phase_secret, TACIT_SIGN_SECRET_LEN);
    return cohort_new(&c->server, &params);
}

static tacit_status make(bench_cohort *c) {
    size_t len = tacit_ring_packed_len(c->plan.dims, c->plan.bits);
    c->members = calloc(c->spec.device_count, sizeof *c->members);
    c->roster = calloc(c->spec.device_count, sizeof(bench_member *));
    c->words = calloc(c->plan.dims, sizeof *c->words);
    c->packed = malloc(len);
    c->vector = malloc(len);
    if (!c->members || !c->roster || !c->words || !c->packed || !c->vector) return TACIT_NO_SPACE;
    tacit_prng_bytes(&c->prng, c->vector, len);
    tacit_hash_of(c->vector_digest, TACIT_LABEL_VECTOR, c->vector, len);
    tacit_status st = seal_plan(c);
    for (uint32_t i = 0; i < c->spec.device_count && st == TACIT_OK; i++) {
        bench_member *m = &c->members[i];
        bench_member_enrol(c, m);
        if (i < c->spec.machine_count)
            st = start_machine(c, m);
        else
            bench_member_join(c, m);
    }
    return st == TACIT_OK ? start_server(c) : st;
}

bench_cohort *bench_cohort_new(const bench_cohort_spec *spec) {
    bench_cohort *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->spec = *spec;
    c->now_s = OPENS_S + 1;
    tacit_prng_init_seed(&c->prng, 20, spec->device_count);
    fill_plan(c);
    if (say("start", make(c), "")) return c;
    bench_cohort_free(c);
    return NULL;
}

void bench_cohort_free(bench_cohort *c) {
    if (c == NULL) return;
    for (uint32_t i = 0; c->members != NULL && i < c->spec.device_count; i++)
        free(c->members[i].memory);
    cohort_free(c->server);
    free(c->members);
    free(c->roster);
    free(c->request.data);
    free(c->answer.data);
    free(c->words);
    free(c->packed);
    free(c->vector);
    free(c->offsets);
    free(c->adjacent);
    free(c->shares[0]);
    free(c->shares[1]);
    free(c);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The join is what the played devices seal to. A reveal must speak of every neighbour: a device
 * that could not open its shares would have had less work. */
static tacit_status read_request(bench_cohort *c, bench_member *m, cohort_phase phase) {
    tacit_wire_reader reader;
    tacit_bytes in = tacit_bytes_of(c->request.data, c->request.len);
    tacit_wire_reader_init(&reader);
    tacit_status st = tacit_wire_read(&reader, &c->message, &in);
    if (st == TACIT_OK && phase == COHORT_JOIN)
        tacit_wire_join_get(&m->join, &c->message.body.join);
    if (st == TACIT_OK && phase == COHORT_REVEAL &&
        c->message.body.reveal.count != tacit_secagg_neighbour_count(m->machine))
        st = TACIT_BAD_SHARE;
    return st;
}

static tacit_status request_machine(bench_cohort *c, bench_member *m, cohort_phase phase) {
    tacit_sink sink = byte_buffer_sink(&c->request);
    tacit_status st = TACIT_WRONG_PHASE;
    c->request.len = 0;
    for (uint32_t i = 0; i < c->plan.dims && phase == COHORT_MASK; i++) c->words[i] = i;
    double start = bench_cpu_s();
    switch (phase) {
        case COHORT_JOIN: st = tacit_secagg_join(m->machine, &sink, c->now_s); break;
        case COHORT_SHARE: st = tacit_secagg_share(m->machine, &sink); break;
        case COHORT_MASK: st = tacit_secagg_mask(m->machine, c->words, c->packed, &sink); break;
        case COHORT_AGREE: st = tacit_secagg_agree(m->machine, &sink); break;
        case COHORT_REVEAL: st = tacit_secagg_reveal(m->machine, &sink); break;
        default: break;
    }
    m->cpu_s[phase] += bench_cpu_s() - start;
    m->up[phase] = c->request.len;
    if (phase == COHORT_MASK && st == TACIT_OK)
        m->up[phase] -= tacit_ring_packed_len(c->plan.dims, c->plan.bits);
    return st == TACIT_OK ? read_request(c, m, phase) : st;
}

static bool send(bench_cohort *c, bench_member *m, cohort_phase phase) {
    char note[TACIT_NOTE_LEN + 1] = "";
    tacit_status st =
        m->machine != NULL ? request_machine(c, m, phase) : bench_member_request(c, m, phase);
    if (!say("request", st, "")) return false;
    tacit_bytes body = tacit_bytes_of(c->request.data, c->request.len);
    double start = bench_cpu_s();
    st = cohort_submit(c->server, &m->slot, note, phase, body, c->now_s);
    c->submit_s += bench_cpu_s() - start;
    c->submit_count++;
    return say("submit", st, note);
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool deliver(bench_cohort *c, bench_member *m, cohort_phase phase) {
    tacit_sink sink = byte_buffer_sink(&c->answer);
    uint32_t cursor = 0;
    tacit_status st = TACIT_OK;
    c->answer.len = 0;
    while (st == TACIT_OK) st = cohort_answer_next(c->server, phase, m->slot, &cursor, &sink);
    if (st != TACIT_NOT_FOUND) return say("answer", st, "");
    m->down[phase] = c->answer.len;
    st = TACIT_OK;
    double start = bench_cpu_s();
    for (size_t at = 0; at < c->answer.len && st == TACIT_OK; at += PIECE) {
        size_t left = c->answer.len - at;
        st = tacit_secagg_answer(m->machine, c->answer.data + at, left < PIECE ? left : PIECE);
    }
    if (st == TACIT_OK) st = tacit_secagg_answer_end(m->machine, c->now_s);
    m->cpu_s[phase] += bench_cpu_s() - start;
    return say("device", st, "");
}

/* ---- phases ---------------------------------------------------------------------------------- */

static tacit_status build_graph(bench_cohort *c) {
    uint8_t seed[TACIT_HASH_LEN] = {0};
    size_t edges = tacit_graph_edges_max(&c->rule);
    uint16_t *scratch = malloc(tacit_graph_scratch_count(c->rule.n) * sizeof *scratch);
    c->offsets = malloc((c->rule.n + 1) * sizeof *c->offsets);
    c->adjacent = malloc(edges * sizeof *c->adjacent);
    tacit_status st = TACIT_NO_SPACE;
    if (scratch != NULL && c->offsets != NULL && c->adjacent != NULL) {
        if (c->rule.cycles > 0) tacit_graph_seed(seed, c->session);
        st = tacit_graph_build(c->offsets, c->adjacent, edges, &c->rule, seed, scratch);
    }
    free(scratch);
    if (st != TACIT_OK || !c->spec.unmask) return st;
    for (size_t kind = 0; kind < 2; kind++) {
        c->shares[kind] = calloc(c->offsets[c->rule.n], TACIT_SHARE_LEN);
        if (c->shares[kind] == NULL) return TACIT_NO_SPACE;
    }
    return bench_member_deal(c);
}

/* What everyone knows once JOIN (the graph) or SHARE (session2) has closed. */
static bool learn(bench_cohort *c, cohort_phase closed) {
    cohort_report report;
    cohort_report_get(c->server, &report);
    if (report.failure != TACIT_OK) return say("server", report.failure, report.failure_note);
    if (closed == COHORT_JOIN) {
        c->rule = report.rule;
        tacit_session(c->session, c->plan_digest, c->plan.model_digest, 0, report.root,
                      report.joined);
        for (uint32_t i = 0; i < c->spec.device_count; i++)
            c->roster[cohort_slot_index(c->server, c->members[i].slot)] = &c->members[i];
        return say("graph", build_graph(c), "");
    }
    if (closed == COHORT_SHARE) {
        uint8_t u2[TACIT_MAX_BITMAP_LEN] = {0};
        for (uint32_t i = 0; i < c->rule.n; i++) tacit_bit_set(u2, i);
        tacit_session2(c->session2, c->session, u2, c->rule.n);
        for (uint32_t i = 0; i < c->spec.device_count; i++)
            c->members[i].gone = bench_member_vanishes(c, &c->members[i]);
    }
    return true;
}

bool bench_member_vanishes(const bench_cohort *c, const bench_member *m) {
    return (size_t)(m - c->members) >= c->spec.device_count - c->spec.vanish_count;
}

static void close_phase(bench_cohort *c, cohort_phase phase) {
    if (!cohort_tick(c->server, c->now_s) && cohort_phase_now(c->server) == phase) {
        c->now_s = cohort_deadline_s(c->server) + 1;
        cohort_tick(c->server, c->now_s);
    }
}

static bool run_phase(bench_cohort *c, cohort_phase phase) {
    c->submit_s = 0;
    c->submit_count = 0;
    for (uint32_t i = 0; i < c->spec.device_count; i++) {
        bench_member *m = &c->members[i];
        bool silent = phase == COHORT_REVEAL && m->machine == NULL && !c->spec.unmask;
        if (!m->gone && !silent && !send(c, m, phase)) return false;
    }
    if (phase == COHORT_REVEAL && !c->spec.unmask) return true;
    close_phase(c, phase);
    if (!learn(c, phase)) return false;
    for (uint32_t i = 0; i < c->spec.machine_count; i++)
        if (!deliver(c, &c->members[i], phase)) return false;
    return true;
}

bool bench_cohort_run(bench_cohort *c, cohort_phase last) {
    for (cohort_phase phase = cohort_phase_now(c->server); phase <= last;
         phase = (cohort_phase)(phase + 1))
        if (!run_phase(c, phase)) return false;
    return true;
}
