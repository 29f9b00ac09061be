/* SPDX-License-Identifier: Apache-2.0
 * service_call.c - one request from its head to the end of its answer. A body is staged whole,
 * given to the cohort once, and the exchange is then held; nothing is kept for it but its slot,
 * since answers are made on demand. What comes for a phase that has closed is told so before its
 * body is read. */
#include <stdlib.h>

#include "common/crypto.h"
#include "server/service_internal.h"

enum { SLICE = 8192, POLL_WAIT_S = 1, POLL_SPREAD_S = 3 };

/* ---- Calls
 * -------------------------------------------------------------------------------------*/

static call *call_new(service *s, http_exchange *x, const route *where, service_round *r) {
    call *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->s = s;
    c->x = x;
    c->route = *where;
    c->round = r;
    if (r != NULL) {
        c->next = r->calls;
        if (r->calls != NULL) r->calls->prev = c;
        r->calls = c;
    }
    http_set_user(x, c);
    return c;
}

static void call_free(void *self) {
    call *c = self;
    if (c->round != NULL) {
        if (c->prev != NULL)
            c->prev->next = c->next;
        else
            c->round->calls = c->next;
        if (c->next != NULL) c->next->prev = c->prev;
    }
    if (c->model != NULL) model_put(c->s, c->model);
    free(c);
}

static void refuse(call *c, tacit_status status, const char *note) {
    http_exchange *x = c->x;
    call_free(c);
    http_refuse(x, status, note != NULL && note[0] != 0 ? note : NULL);
}

/* ---- Phases
 * ------------------------------------------------------------------------------------*/

/* Has the phase's request still a chance? The cohort asks again when it has the body. */
static tacit_status check_phase(const service_round *r, cohort_phase phase) {
    cohort_phase now = cohort_phase_now(r->cohort);
    if (now == COHORT_FAILED) return TACIT_ABORTED;
    if (phase < now) return TACIT_LATE;
    return phase > now ? TACIT_WRONG_PHASE : TACIT_OK;
}

static bool ready(const service_round *r, cohort_phase phase) {
    if (!cohort_answer_ready(r->cohort, phase)) return false;
    return phase != COHORT_REVEAL || r->settled || cohort_phase_now(r->cohort) == COHORT_FAILED;
}

static tacit_status next_message(void *self, tacit_sink *out) {
    call *c = self;
    return cohort_answer_next(c->round->cohort, c->route.phase, c->slot, &c->cursor, out);
}

static void send_answer(call *c) {
    http_reply reply = {
        .status = 200, .content_length = UINT64_MAX, .source = {c, next_message, call_free}};
    c->place = CALL_SENDING;
    http_answer(c->x, &reply);
}

static void hold(call *c) {
    service *s = c->s;
    c->place = CALL_WAITING;
    c->hold_until_ms = uv_now(s->loop) + 1000ull * s->options.hold_s;
    if (ready(c->round, c->route.phase)) send_answer(c);
}

static void submit(call *c, tacit_bytes body) {
    service_round *r = c->round;
    char note[TACIT_NOTE_LEN + 1] = "";
    tacit_status st = check_phase(r, c->route.phase);
    if (st == TACIT_OK) {
        r->heard_s = service_now_s(c->s);
        st = cohort_submit(r->cohort, &c->slot, note, c->route.phase, body, r->heard_s);
    }
    if (st != TACIT_OK && st != TACIT_DUPLICATE) {
        refuse(c, st, note);
    } else {
        hold(c); /* a copy gets the same answer as the first (security H11) */
    }
    service_advance(r);
}

static void poll_answer(call *c) {
    const char *poll = http_request_head(c->x)->poll;
    tacit_status st = cohort_poll(c->round->cohort, &c->slot, c->route.phase, poll);
    if (st != TACIT_OK)
        refuse(c, st, NULL);
    else
        hold(c);
}

void call_release_ready(service_round *r) {
    for (call *c = r->calls, *next; c != NULL; c = next) {
        next = c->next;
        if (c->place == CALL_WAITING && ready(r, c->route.phase)) {
            send_answer(c);
        } else if (c->place == CALL_STAGING && !c->poll) {
            tacit_status st = check_phase(r, c->route.phase);
            if (st != TACIT_OK) refuse(c, st, "the phase closed while the body was on the way");
        }
    }
}

void call_end_holds(service_round *r, uint64_t now_ms) {
    for (call *c = r->calls, *next; c != NULL; c = next) {
        next = c->next;
        if (c->place != CALL_WAITING || c->hold_until_ms > now_ms) continue;
        uint32_t random = 0;
        tacit_os_random(&random, sizeof random);
        http_reply reply = {.status = 202, .retry_after_s = POLL_WAIT_S + random % POLL_SPREAD_S};
        http_exchange *x = c->x;
        call_free(c);
        http_answer(x, &reply);
    }
}

/* ---- Plan and models
 * ---------------------------------------------------------------------------*/

static void answer_plan(call *c) {
    service *s = c->s;
    http_exchange *x = c->x;
    const service_round *r = s->rounds;
    call_free(c);
    if (r != NULL && r->seen == COHORT_JOIN && service_now_s(s) <= r->join_until_s)
        http_answer_bytes(x, 200, tacit_bytes_of(r->plan, r->plan_len));
    else
        http_refuse_for_now(x, TACIT_NOT_FOUND, "no round is open");
}

static tacit_status next_slice(void *self, tacit_sink *out) {
    call *c = self;
    size_t left = c->model->len - c->offset, len = left < SLICE ? left : SLICE;
    if (len == 0) return TACIT_NOT_FOUND;
    tacit_status st = out->write(out->self, c->model->file + c->offset, len);
    c->offset += len;
    return st;
}

/* The newest model, when it is newer than the one the device has. */
static tacit_status find_newest(call *c) {
    uint64_t number = 0;
    const service_host *host = &c->s->host;
    tacit_status st = host->newest_model(host->self, c->route.digest, &number);
    return st == TACIT_OK && number <= c->route.round ? TACIT_NOT_FOUND : st;
}

static void answer_model(call *c) {
    http_exchange *x = c->x;
    const tacit_http_head *head = http_request_head(x);
    tacit_status st = TACIT_OK;
    if (c->route.kind == ROUTE_MODEL_AFTER) st = find_newest(c);
    if (st == TACIT_OK) st = model_get(c->s, &c->model, c->route.digest);
    if (st != TACIT_OK) return refuse(c, st, "no such model");
    const model_file *m = c->model;
    http_reply reply = {.status = 200, .etag = m->etag, .content_length = m->len};
    bool known = strcmp(head->if_none_match, m->etag) == 0;
    if (known || head->range_start >= m->len) {
        char etag[sizeof m->etag];
        memcpy(etag, m->etag, sizeof etag);
        reply = (http_reply){.status = known ? 304 : 416, .etag = etag, .range_total = m->len};
        call_free(c);
        return http_answer(x, &reply);
    }
    if (head->range_start > 0) {
        reply.status = 206;
        reply.range_start = head->range_start;
        reply.range_total = m->len;
        reply.content_length = m->len - head->range_start;
        c->offset = (size_t)head->range_start;
    }
    c->place = CALL_SENDING;
    reply.source = (http_source){c, next_slice, call_free};
    http_answer(x, &reply);
}

/* ---- Handlers
 * ----------------------------------------------------------------------------------*/

/* The round a phase's request names. */
static tacit_status find_round(service *s, service_round **out, const route *where) {
    *out = service_find(s, where->round);
    if (*out != NULL) return where->cohort == 0 ? TACIT_OK : TACIT_NOT_FOUND;
    return s->rounds != NULL && where->round < s->rounds->number ? TACIT_LATE : TACIT_NOT_FOUND;
}

/* What may not be asked at all, before a body is read. */
static tacit_status admit(service *s, service_round **r, size_t *body_max, bool *poll,
                          const route *where, const tacit_http_head *head) {
    bool post = strcmp(head->method, "POST") == 0, get = strcmp(head->method, "GET") == 0;
    bool can_wait = where->kind != ROUTE_PHASE || (where->phase == COHORT_JOIN && post);
    if ((!post && !get) || (post && where->kind != ROUTE_PHASE)) return TACIT_NOT_FOUND;
    if (can_wait && http_server_busy(s->http)) return TACIT_BUSY;
    if (where->kind != ROUTE_PHASE) return TACIT_OK;
    tacit_status st = find_round(s, r, where);
    if (st != TACIT_OK) return st;
    *poll = get;
    if (get) return head->poll[0] != 0 ? TACIT_OK : TACIT_BAD_MESSAGE;
    st = check_phase(*r, where->phase);
    if (st == TACIT_OK) *body_max = cohort_body_max((*r)->cohort, where->phase);
    return st;
}

static tacit_status on_head(void *self, http_exchange *x, size_t *body_max) {
    service *s = self;
    const tacit_http_head *head = http_request_head(x);
    service_round *r = NULL;
    route where;
    bool poll = false;
    tacit_status st = route_parse(&where, head->target);
    if (st == TACIT_OK) st = admit(s, &r, body_max, &poll, &where, head);
    if (st != TACIT_OK) return st;
    call *c = call_new(s, x, &where, r);
    if (c == NULL) return TACIT_BUSY;
    c->poll = poll;
    return TACIT_OK;
}

static void on_request(void *self, http_exchange *x, tacit_bytes body) {
    (void)self;
    call *c = http_user(x);
    switch (c->route.kind) {
        case ROUTE_PLAN: answer_plan(c); break;
        case ROUTE_MODEL:
        case ROUTE_MODEL_AFTER: answer_model(c); break;
        case ROUTE_PHASE:
            if (c->poll)
                poll_answer(c);
            else
                submit(c, body);
            break;
    }
}

static void on_gone(void *self, http_exchange *x) {
    (void)self;
    call_free(http_user(x));
}

const http_handlers call_handlers = {NULL, on_head, on_request, on_gone};
