/* SPDX-License-Identifier: Apache-2.0
 * service.c - see service.h: the rounds devices may still ask about, and the clock that moves them.
 * The newest round is the one that is open or being summed; older ones stay for a minute or so,
 * until those who were in them have had their receipts. */
#include "server/service.h"

#include <stdlib.h>

#include "common/crypto.h"
#include "common/wire.h"
#include "server/logline.h"
#include "server/service_internal.h"

uint64_t service_now_s(const service *s) { return s->host.now_s(s->host.self); }

service_round *service_find(const service *s, uint64_t number) {
    service_round *r = s->rounds;
    while (r != NULL && r->number != number) r = r->next;
    return r;
}

/* ---- A round's course
 * --------------------------------------------------------------------------*/

static void log_phase(const service_round *r, const cohort_report *report, uint64_t now_s) {
    static const char *const names[] = {"join",   "share", "mask", "agree",
                                        "reveal", "sum",   "done", "failed"};
    logline l;
    cohort_phase phase = cohort_phase_now(r->cohort);
    uint64_t deadline_s = cohort_deadline_s(r->cohort);
    logline_begin(&l, phase == COHORT_FAILED ? LOG_WARNING : LOG_INFO, "phase");
    logline_number(&l, "round", r->number);
    logline_text(&l, "phase", names[phase]);
    logline_number(&l, "joined", report->joined);
    if (phase > COHORT_SHARE) logline_number(&l, "shared", report->shared);
    if (phase > COHORT_MASK) logline_number(&l, "survivors", report->survivors);
    if (phase > COHORT_AGREE) logline_number(&l, "agreed", report->sent[COHORT_AGREE]);
    if (phase > COHORT_REVEAL) logline_number(&l, "revealed", report->sent[COHORT_REVEAL]);
    uint32_t refused = 0;
    for (int i = 0; i <= COHORT_REVEAL; i++) refused += report->refused[i];
    logline_number(&l, "dropped", refused);
    if (deadline_s != UINT64_MAX)
        logline_number(&l, "closes_in_s", deadline_s > now_s ? deadline_s - now_s : 0);
    if (phase == COHORT_FAILED) {
        logline_text(&l, "status", tacit_status_name(report->failure));
        logline_text(&l, "note", report->failure_note);
    }
    logline_end(&l);
}

/* The time as the cohort shall see it. While uploads of the phase are on the way it is not quiet,
 * however slowly they come: the clock then stands at the end of the quiet time until the deadline.
 * A phase that is complete becomes so in a request, and then the clock is right. */
static uint64_t cohort_clock_s(const service_round *r, uint64_t now_s) {
    uint64_t stand_s = r->heard_s + r->s->options.quiet_s;
    if (now_s > cohort_deadline_s(r->cohort) || now_s <= stand_s) return now_s;
    for (const call *c = r->calls; c != NULL; c = c->next)
        if (c->place == CALL_STAGING && !c->poll) return stand_s;
    return now_s;
}

static void report_end(service_round *r) {
    cohort_report report;
    cohort_report_get(r->cohort, &report);
    r->ended = true;
    r->s->host.ended(r->s->host.self, &report, cohort_sum(r->cohort));
}

void service_advance(service_round *r) {
    if (r->ended) return;
    uint64_t now_s = service_now_s(r->s);
    cohort_report report;
    while (cohort_phase_now(r->cohort) < COHORT_SUM &&
           cohort_tick(r->cohort, cohort_clock_s(r, now_s))) {
        r->seen = cohort_phase_now(r->cohort);
        r->heard_s = now_s;
        cohort_report_get(r->cohort, &report);
        log_phase(r, &report, now_s);
        call_release_ready(r);
    }
    cohort_phase phase = cohort_phase_now(r->cohort);
    if (phase == COHORT_SUM && !r->job_on) return service_start_job(r);
    if (phase != COHORT_DONE && phase != COHORT_FAILED) return;
    if (r->seen != phase) {
        r->seen = phase;
        cohort_report_get(r->cohort, &report);
        log_phase(r, &report, now_s);
        call_release_ready(r);
    }
    report_end(r);
}

static void drop_round(service_round *r) {
    cohort_free(r->cohort);
    if (r->tasks != &r->whole) free(r->tasks);
    free(r);
}

/* Forgets settled rounds nobody asks about any more. */
static void forget_old(service *s, uint64_t now_s) {
    for (service_round **at = &s->rounds; *at != NULL;) {
        service_round *r = *at;
        bool over = r->settled && !r->job_on && r->calls == NULL && now_s > r->expires_s;
        if (over) {
            *at = r->next;
            drop_round(r);
        } else {
            at = &r->next;
        }
    }
}

static void on_tick(uv_timer_t *timer) {
    service *s = timer->data;
    for (service_round *r = s->rounds; r != NULL; r = r->next) {
        service_advance(r);
        call_end_holds(r, uv_now(s->loop));
    }
    forget_old(s, service_now_s(s));
}

/* ---- Interface
 * ---------------------------------------------------------------------------------*/

tacit_status service_new(service **out, char *note, uv_loop_t *loop, tls_server *tls,
                         const service_options *options, const service_host *host) {
    note[0] = 0;
    service *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    s->loop = loop;
    s->options = *options;
    s->host = *host;
    http_handlers handlers = call_handlers;
    handlers.self = s;
    tacit_status st = http_server_new(&s->http, note, loop, tls, &options->http, &handlers);
    if (st != TACIT_OK) {
        free(s);
        return st;
    }
    s->timer.data = s;
    if (uv_timer_init(loop, &s->timer) != 0 ||
        uv_timer_start(&s->timer, on_tick, SERVICE_TICK_MS, SERVICE_TICK_MS) != 0) {
        http_server_stop(s->http);
        free(s); /* the timer was never on */
        return TACIT_INTERNAL;
    }
    *out = s;
    return TACIT_OK;
}

uint32_t service_port(const service *s) { return http_server_port(s->http); }

static tacit_status write_plan(service_round *r, const round_offer *offer) {
    tacit_Message m;
    memset(&m, 0, sizeof m);
    m.which_body = tacit_Message_plan_tag;
    memcpy(m.body.plan.plan, offer->encoded, TACIT_PLAN_LEN);
    memcpy(m.body.plan.signature, offer->encoded + TACIT_PLAN_LEN, TACIT_SIG_LEN);
    tacit_wire_buffer buffer = {r->plan, 0, sizeof r->plan};
    tacit_sink sink = tacit_wire_buffer_sink(&buffer);
    tacit_status st = tacit_wire_write(&m, &sink);
    r->plan_len = buffer.len;
    return st;
}

tacit_status service_open(service *s, const round_offer *offer,
                          const uint8_t (*banned)[TACIT_HASH_LEN], uint32_t banned_count) {
    assert(s->rounds == NULL || s->rounds->settled);
    service_round *r = calloc(1, sizeof *r);
    if (r == NULL) return TACIT_NO_SPACE;
    cohort_params params = {.plan = offer->plan,
                            .expected_count = offer->expected_count,
                            .quiet_s = s->options.quiet_s,
                            .banned = banned,
                            .banned_count = banned_count};
    memcpy(params.plan_digest, offer->digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, offer->phase_secret, TACIT_SIGN_SECRET_LEN);
    r->s = s;
    r->number = offer->plan.round;
    r->join_until_s = offer->plan.join_until_s;
    r->heard_s = service_now_s(s);
    tacit_status st = write_plan(r, offer);
    if (st == TACIT_OK) st = cohort_new(&r->cohort, &params);
    tacit_wipe(&params, sizeof params);
    if (st != TACIT_OK) {
        free(r);
        return st;
    }
    r->next = s->rounds;
    s->rounds = r;
    return TACIT_OK;
}

void service_settle(service *s) {
    service_round *r = s->rounds;
    assert(r != NULL && r->ended && !r->settled);
    r->settled = true;
    r->expires_s = service_now_s(s) + s->options.hold_s + SERVICE_LINGER_S;
    call_release_ready(r);
}

bool service_idle(const service *s) { return http_server_open_exchanges(s->http) == 0; }
http_counts service_counts(const service *s) { return http_server_counts(s->http); }

void service_stop(service *s) {
    if (s->stopping) return;
    s->stopping = true;
    http_server_stop(s->http);
    uv_close((uv_handle_t *)&s->timer, NULL);
}

void service_free(service *s) {
    if (s == NULL) return;
    assert(s->stopping);
    while (s->rounds != NULL) {
        service_round *r = s->rounds;
        s->rounds = r->next;
        drop_round(r);
    }
    model_free_all(s);
    free(s);
}
