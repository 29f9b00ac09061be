/* SPDX-License-Identifier: Apache-2.0
 * virtual_server.c - the server's edge in miniature, as service.c and service_call.c have it: a
 * body is given to the cohort once, its exchange is held until the phase closes or becomes a 202,
 * answers are made when they are fetched and stored for nobody. Rounds follow one another; a server
 * that crashes has lost its cohort and opens the next round, with a higher number. */
#include <stdlib.h>

#include "tools/virtual_internal.h"

enum {
    SECOND_US = 1000000,
    QUIET_S = 5,
    POLL_WAIT_S = 1,
    POLL_SPREAD_S = 3,
    SUM_S = 2,     /* the masks come off and the model is published */
    LINGER_S = 90, /* a finished round is still answered, and the next one opens */
    RUN_GAP_S = 7200,
    RESTART_S = 30
};

static uint64_t now_s(const virtual_sim *sim) { return VIRTUAL_OPENS_S + sim->now_us / SECOND_US; }

static virtual_round *newest(virtual_sim *sim) { return &sim->rounds[sim->server.round - 1]; }

static void put_server(virtual_sim *sim, virtual_kind kind, uint64_t in_us) {
    virtual_put(sim, (virtual_event){
                         .at_us = sim->now_us + in_us, .kind = kind, .round = sim->server.round});
}

/* ---- Rounds ------------------------------------------------------------------------------------
 */

static void open_round(virtual_sim *sim) {
    virtual_server *s = &sim->server;
    if (sim->result->round_count == VIRTUAL_ROUNDS) return;
    cohort_free(s->cohort);
    s->cohort = NULL;
    s->round++;
    s->up = true;
    s->settled = s->summed = false;
    virtual_round *round = newest(sim);
    virtual_round_result *result = &sim->result->rounds[sim->result->round_count++];
    result->round = s->round;
    round->opened_us = sim->now_us;
    round->kinds = calloc(sim->options.devices, 1);
    round->slot_device = calloc(sim->options.devices, sizeof *round->slot_device);
    tacit_status st = TACIT_NO_SPACE;
    if (round->kinds != NULL && round->slot_device != NULL)
        st = virtual_world_plan(sim, round, s->round);
    if (st == TACIT_OK) {
        cohort_params params = {
            .plan = round->plan, .expected_count = sim->options.devices, .quiet_s = QUIET_S};
        memcpy(params.plan_digest, round->digest, TACIT_HASH_LEN);
        memcpy(params.phase_secret, sim->phase_keys.secret, TACIT_SIGN_SECRET_LEN);
        st = cohort_new(&s->cohort, &params);
    }
    if (st != TACIT_OK) {
        sim->status = st;
        return;
    }
    virtual_network_round(sim);
    put_server(sim, VIRTUAL_TICK, SECOND_US);
}

/* The next round after this one; the sums of a run follow each other, runs keep their distance. */
static void open_next(virtual_sim *sim, uint64_t in_s) {
    if (sim->rounds_ended >= sim->options.rounds) return;
    if (sim->server.round % TACIT_MAX_SUMS == 0) in_s += RUN_GAP_S;
    put_server(sim, VIRTUAL_OPEN, in_s * SECOND_US);
}

static void round_over(virtual_sim *sim) {
    virtual_round *round = newest(sim);
    virtual_round_result *result = &sim->result->rounds[sim->server.round - 1];
    sim->server.settled = true;
    sim->rounds_ended++;
    result->ended = cohort_phase_now(sim->server.cohort);
    result->seconds = (double)(sim->now_us - round->opened_us) / SECOND_US;
    cohort_report_get(sim->server.cohort, &result->report);
    virtual_check_cohort(sim, round, result);
    result->report.blames = NULL; /* the cohort's own */
    open_next(sim, LINGER_S);
}

/* ---- The sum -----------------------------------------------------------------------------------
 */

typedef struct {
    virtual_sim *sim;
} job;

static void run_task(void *self, uint32_t index, uint32_t thread) {
    job *j = self;
    VIRTUAL_TIMED(j->sim->workers[thread].cpu_s, SERVER_SUM,
                  cohort_job_run(j->sim->server.cohort, index));
}

/* The whole unmasking, its tasks on the workers. */
static tacit_status take_masks_off(virtual_sim *sim) {
    cohort *c = sim->server.cohort;
    job j = {sim};
    tacit_status st;
    VIRTUAL_TIMED(sim->serial_cpu_s, SERVER_SUM, st = cohort_job_begin(c));
    for (uint32_t tasks; st == TACIT_OK && (tasks = cohort_job_tasks(c)) > 0;) {
        virtual_pool_run(sim->pool, tasks, run_task, &j);
        VIRTUAL_TIMED(sim->serial_cpu_s, SERVER_SUM, cohort_job_next(c));
    }
    return st;
}

/* ---- Calls -------------------------------------------------------------------------------------
 */

static bool ready(const virtual_server *s, uint8_t phase) {
    if (!cohort_answer_ready(s->cohort, (cohort_phase)phase)) return false;
    return phase != COHORT_REVEAL || s->settled || cohort_phase_now(s->cohort) == COHORT_FAILED;
}

static void release_ready(virtual_sim *sim) {
    virtual_server *s = &sim->server;
    size_t kept = 0;
    for (size_t i = 0; i < s->call_count; i++) {
        if (ready(s, s->calls[i].phase))
            virtual_network_answer(sim, &s->calls[i], VIRTUAL_ANSWER, 0);
        else
            s->calls[kept++] = s->calls[i];
    }
    s->call_count = kept;
}

static void end_holds(virtual_sim *sim) {
    virtual_server *s = &sim->server;
    size_t kept = 0;
    for (size_t i = 0; i < s->call_count; i++) {
        if (s->calls[i].hold_until_us <= sim->now_us)
            virtual_network_answer(sim, &s->calls[i], VIRTUAL_HELD,
                                   POLL_WAIT_S + (uint32_t)virtual_uniform(sim, POLL_SPREAD_S));
        else
            s->calls[kept++] = s->calls[i];
    }
    s->call_count = kept;
}

static void hold(virtual_sim *sim, virtual_call call) {
    virtual_server *s = &sim->server;
    if (ready(s, call.phase)) return virtual_network_answer(sim, &call, VIRTUAL_ANSWER, 0);
    if (s->call_count == s->call_cap) {
        size_t cap = s->call_cap ? 2 * s->call_cap : 256;
        virtual_call *grown = realloc(s->calls, cap * sizeof *grown);
        if (grown == NULL) {
            sim->status = TACIT_NO_SPACE;
            return;
        }
        s->calls = grown;
        s->call_cap = cap;
    }
    call.hold_until_us = sim->now_us + (uint64_t)TACIT_HOLD_MAX_S * SECOND_US;
    s->calls[s->call_count++] = call;
}

/* Closes what can be closed. */
static void advance(virtual_sim *sim) {
    virtual_server *s = &sim->server;
    bool changed = true;
    if (s->settled) return;
    while (cohort_phase_now(s->cohort) < COHORT_SUM && changed) {
        VIRTUAL_TIMED(sim->serial_cpu_s, SERVER_CLOSE,
                      changed = cohort_tick(s->cohort, now_s(sim)));
        if (changed) release_ready(sim);
    }
    if (cohort_phase_now(s->cohort) == COHORT_SUM && !s->summed) {
        s->summed = true;
        tacit_status st = take_masks_off(sim);
        if (st == TACIT_NO_SPACE) sim->status = st;
        virtual_check_sum(sim, newest(sim));
        put_server(sim, VIRTUAL_SETTLE, (uint64_t)SUM_S * SECOND_US);
    }
    if (cohort_phase_now(s->cohort) == COHORT_FAILED) {
        release_ready(sim);
        round_over(sim);
    }
}

/* ---- Requests ----------------------------------------------------------------------------------
 */

static tacit_status check_phase(const virtual_server *s, uint8_t phase) {
    cohort_phase now = cohort_phase_now(s->cohort);
    if (now == COHORT_FAILED) return TACIT_ABORTED;
    if (phase < now) return TACIT_LATE;
    return phase > now ? TACIT_WRONG_PHASE : TACIT_OK;
}

static tacit_status submit(virtual_sim *sim, virtual_call *call, const virtual_event *e) {
    virtual_server *s = &sim->server;
    tacit_status st = check_phase(s, e->phase);
    if (st != TACIT_OK) return st;
    double start = virtual_cpu_s();
    st = cohort_submit(s->cohort, &call->slot, NULL, (cohort_phase)e->phase,
                       tacit_bytes_of(e->body->data, e->body->len), now_s(sim));
    sim->serial_cpu_s[VIRTUAL_PART_SERVER_JOIN + e->phase] += virtual_cpu_s() - start;
    if (st == TACIT_OK && e->phase == COHORT_JOIN) newest(sim)->slot_device[call->slot] = e->device;
    return st == TACIT_DUPLICATE ? TACIT_OK : st;
}

static tacit_status take_request(virtual_sim *sim, virtual_call *call, const virtual_event *e) {
    virtual_server *s = &sim->server;
    if (e->round != s->round) return e->round < s->round ? TACIT_LATE : TACIT_NOT_FOUND;
    if (!e->body->poll) return submit(sim, call, e);
    return cohort_poll(s->cohort, &call->slot, (cohort_phase)e->phase, (const char *)e->body->data);
}

static void on_arrive(virtual_sim *sim, const virtual_event *e) {
    virtual_server *s = &sim->server;
    virtual_call call = {.device = e->device, .token = e->token, .phase = e->phase};
    if (!s->up) return virtual_network_break(sim, &call);
    if (e->phase == VIRTUAL_PHASE_PLAN) {
        bool open = cohort_phase_now(s->cohort) == COHORT_JOIN &&
                    now_s(sim) <= newest(sim)->plan.join_until_s;
        if (open) {
            sim->result->bytes_down += TACIT_PLAN_LEN + TACIT_SIG_LEN;
            return virtual_network_answer(sim, &call, VIRTUAL_ANSWER, 0);
        }
        return virtual_network_answer(sim, &call, VIRTUAL_REFUSED, TACIT_NOT_FOUND);
    }
    tacit_status st = take_request(sim, &call, e);
    if (st == TACIT_OK)
        hold(sim, call);
    else
        virtual_network_answer(sim, &call, VIRTUAL_REFUSED, (uint32_t)st);
    advance(sim);
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

void virtual_server_pull(virtual_sim *sim, virtual_step *step) {
    virtual_server *s = &sim->server;
    virtual_event *e = &step->event;
    tacit_sink sink = byte_buffer_sink(&step->answer);
    tacit_status st = TACIT_OK;
    uint32_t cursor = 0;
    step->answer.len = 0;
    step->answer_whole = false;
    if (e->phase == VIRTUAL_PHASE_PLAN) return;
    /* The server that was to make it is gone: the connection breaks. */
    if (!s->up || e->round != s->round) return;
    double start = virtual_cpu_s();
    while (st == TACIT_OK)
        st = cohort_answer_next(s->cohort, (cohort_phase)e->phase, e->slot, &cursor, &sink);
    sim->serial_cpu_s[VIRTUAL_PART_SERVER_ANSWER] += virtual_cpu_s() - start;
    if (st == TACIT_NO_SPACE) sim->status = st;
    if (st != TACIT_NOT_FOUND) { /* a Problem instead */
        step->answer.len = 0;
        e->kind = VIRTUAL_REFUSED;
        e->value = (uint32_t)st;
        return;
    }
    step->answer_whole = !e->cut;
    if (e->cut) step->answer.len /= 2;
    sim->result->bytes_down += step->answer.len;
}

/* ---- Events ------------------------------------------------------------------------------------
 */

static void on_tick(virtual_sim *sim) {
    const virtual_round *round = newest(sim);
    const tacit_plan *p = &round->plan;
    uint64_t most_s = (p->join_until_s - p->opens_s) + p->share_s + p->mask_s + p->agree_s +
                      p->reveal_s + LINGER_S;
    advance(sim);
    end_holds(sim);
    if (!sim->server.settled && sim->now_us > round->opened_us + most_s * SECOND_US) {
        virtual_find(sim, "round %llu: still in phase %d after %llu s: a phase did not close",
                     (unsigned long long)sim->server.round,
                     (int)cohort_phase_now(sim->server.cohort), (unsigned long long)most_s);
        round_over(sim);
        return;
    }
    if (!sim->server.settled || sim->server.call_count > 0)
        put_server(sim, VIRTUAL_TICK, SECOND_US);
}

static void on_settle(virtual_sim *sim) {
    round_over(sim);
    release_ready(sim);
}

static void on_crash(virtual_sim *sim) {
    virtual_server *s = &sim->server;
    virtual_round_result *result = &sim->result->rounds[s->round - 1];
    if (!s->up || s->settled) return;
    result->crashed = true;
    result->ended = cohort_phase_now(s->cohort);
    cohort_report_get(s->cohort, &result->report);
    result->report.blames = NULL; /* the cohort's own */
    sim->result->server_crashes++;
    for (size_t i = 0; i < s->call_count; i++) virtual_network_break(sim, &s->calls[i]);
    s->call_count = 0;
    cohort_free(s->cohort);
    s->cohort = NULL;
    s->up = false;
    open_next(sim, 1 + virtual_uniform(sim, RESTART_S));
}

void virtual_server_event(virtual_sim *sim, virtual_event *e) {
    const virtual_server *s = &sim->server;
    bool current = s->up && e->round == s->round;
    switch (e->kind) {
        case VIRTUAL_ARRIVE:
            on_arrive(sim, e);
            virtual_body_release(e->body);
            break;
        case VIRTUAL_TICK:
            if (current) on_tick(sim);
            break;
        case VIRTUAL_SETTLE:
            if (current && !s->settled) on_settle(sim);
            break;
        case VIRTUAL_SERVER_CRASH:
            if (current) on_crash(sim);
            break;
        case VIRTUAL_OPEN:
            if (e->round == s->round) open_round(sim);
            break;
        default: break;
    }
}

void virtual_server_free(virtual_sim *sim) {
    cohort_free(sim->server.cohort);
    free(sim->server.calls);
}
