/* SPDX-License-Identifier: Apache-2.0
 * contribute.c - the blocking driver: plan, model and the five requests over platform.exchange.
 * It knows URLs, HTTP statuses and waiting, and nothing of the protocol's content.
 *
 *   GET  /v1/plan                                     SignedPlan
 *   GET  /v1/model/{digest, hex}                      model file, resumed where it broke off
 *   GET  /v1/model/after/{number}                     the newest model above that number, or 404
 *   POST /v1/rounds/{round}/join                      then, {cohort} being "{round}-{number}":
 *   POST /v1/cohorts/{cohort}/{share|mask|agree|reveal}
 *   GET  the same URL with Tacit-Poll                 after a 202, or when an answer was lost
 *
 * A body is never sent twice (security C4): when a connection breaks after the body was made, the
 * device asks for the answer with a poll, and leaves if the server never saw the request. Waiting
 * has jitter and does not depend on the history (M1, M7). */
#include "common/cert.h"
#include "common/crypto.h"
#include "common/wire.h"
#include "firmware/client.h"
#include "firmware/text.h"

enum {
    PATH_LEN = 96,
    PHASE_SLACK_S = 120, /* beyond a phase's own duration, for held answers and slow networks */
    SUM_SLACK_S = 600,   /* the receipt also waits for the sum */
    MODEL_TRIES = 5      /* exchanges in a row that may bring nothing */
};

/* ---- Exchanges --------------------------------------------------------------------------------*/

/* Pauses for base_s .. 2 base_s seconds. */
static tacit_status pause_for(const tacit_platform *p, uint32_t base_s, tacit_status without) {
    uint8_t random[4];
    if (p->wait == NULL) return without;
    if (base_s < 1) base_s = 1;
    if (base_s > TACIT_WAIT_MAX_S) base_s = TACIT_WAIT_MAX_S;
    tacit_status st = tacit_platform_random(p, random, sizeof random);
    if (st != TACIT_OK) return st;
    return p->wait(p->self, base_s + tacit_get_u32(random) % (base_s + 1));
}

/* What an answer other than the expected ones means. */
static tacit_status refusal(const tacit_exchange *x) {
    if (x->problem > TACIT_OK && x->problem < TACIT_STATUS_COUNT) return (tacit_status)x->problem;
    switch (x->http_status) {
        case 404: return TACIT_NOT_FOUND;
        case 410: return TACIT_LATE;
        case 429:
        case 503: return TACIT_BUSY;
        default: return TACIT_TRANSPORT;
    }
}

/* ---- The plan ---------------------------------------------------------------------------------*/

typedef struct {
    tacit_wire_reader reader;
    tacit_Message message;
    bool complete;
    tacit_status status;
    uint64_t bytes;
} plan_answer;

static tacit_status take_plan(void *self, const uint8_t *data, size_t len) {
    plan_answer *a = self;
    tacit_bytes in = {data, len};
    a->bytes += len;
    while (in.len > 0 && a->status == TACIT_OK) {
        tacit_status st =
            a->complete ? TACIT_BAD_MESSAGE : tacit_wire_read(&a->reader, &a->message, &in);
        if (st == TACIT_PENDING) break;
        a->status = st;
        a->complete = true;
    }
    return a->status;
}

/* The signed plan; *bytes: length of the body. */
static tacit_status fetch_plan(tacit *t, uint8_t encoded[static TACIT_PLAN_LEN],
                               uint8_t sig[static TACIT_SIG_LEN], uint64_t *bytes) {
    const tacit_platform *p = &t->platform;
    plan_answer a;
    if (p->exchange == NULL) return TACIT_TRANSPORT;
    memset(&a, 0, sizeof a);
    tacit_wire_reader_init(&a.reader);
    tacit_exchange x = {.method = "GET", .path = "/v1/plan", .consume = take_plan, .self = &a};
    tacit_status st = p->exchange(p->self, &x);
    if (a.status != TACIT_OK) return a.status;
    if (st != TACIT_OK) return TACIT_TRANSPORT;
    if (x.http_status != 200) return refusal(&x);
    if (!a.complete || a.message.which_body != tacit_Message_plan_tag) return TACIT_BAD_MESSAGE;
    memcpy(encoded, a.message.body.plan.plan, TACIT_PLAN_LEN);
    memcpy(sig, a.message.body.plan.signature, TACIT_SIG_LEN);
    *bytes = a.bytes;
    return TACIT_OK;
}

/* ---- The model --------------------------------------------------------------------------------*/

typedef struct {
    tacit *t;
    const tacit_exchange *exchange;
    uint64_t have; /* bytes staged */
    bool begun;    /* this exchange has brought something */
    tacit_status status;
} model_answer;

static tacit_status take_model(void *self, const uint8_t *data, size_t len) {
    model_answer *a = self;
    const tacit_platform *p = &a->t->platform;
    /* A server that ignores ranges starts again. */
    if (!a->begun && a->exchange->http_status == 200) a->have = 0;
    a->begun = true;
    if (len > tacit_client_model_max(&a->t->options) - a->have) {
        a->status = TACIT_TOO_LARGE;
    } else if (p->model_write(p->self, (size_t)a->have, data, len) != TACIT_OK) {
        a->status = TACIT_STORAGE;
    } else {
        a->have += len;
    }
    return a->status;
}

/* Fetches the file at `path` and makes it the model; digest: what it must be, or NULL. */
static tacit_status fetch_file(tacit *t, const char *path, const uint8_t *digest) {
    const tacit_platform *p = &t->platform;
    tacit_exchange x;
    model_answer a = {.t = t, .exchange = &x};
    for (int tries = 0; tries < MODEL_TRIES; tries = a.begun ? 0 : tries + 1) {
        x = (tacit_exchange){.method = "GET",
                             .path = path,
                             .range_start = a.have,
                             .consume = take_model,
                             .self = &a};
        a.begun = false;
        tacit_status st = p->exchange(p->self, &x);
        if (a.status != TACIT_OK) return a.status;
        bool answered = st == TACIT_OK;
        /* 416: all of it was here already. */
        if (answered && (x.http_status == 200 || x.http_status == 206 ||
                         (x.http_status == 416 && a.have > 0))) {
            return tacit_client_adopt(t, digest);
        }
        tacit_status why = answered ? refusal(&x) : TACIT_TRANSPORT;
        if (why != TACIT_TRANSPORT && why != TACIT_BUSY) return why;
        st = pause_for(p, answered ? x.retry_after_s : 1, why);
        if (st != TACIT_OK) return st;
    }
    return TACIT_TRANSPORT;
}

static tacit_status fetch_model(tacit *t, const uint8_t digest[static TACIT_HASH_LEN]) {
    char path[PATH_LEN];
    tacit_text text;
    tacit_text_init(&text, path, sizeof path);
    tacit_text_add(&text, "/v1/model/");
    tacit_text_hex(&text, digest, TACIT_HASH_LEN);
    return fetch_file(t, path, digest);
}

/* The plan's model, loaded: the one in memory, the committed one, or the server's. */
static tacit_status ensure_model(tacit *t, const uint8_t digest[static TACIT_HASH_LEN]) {
    if (!t->loaded) {
        tacit_status st = tacit_model_load(t);
        if (st == TACIT_STORAGE) return st; /* anything else: replace it */
    }
    if (t->loaded && tacit_equal(t->model.digest, digest, TACIT_HASH_LEN)) return TACIT_OK;
    return fetch_model(t, digest);
}

tacit_status tacit_sync(tacit *t) {
    char path[PATH_LEN];
    tacit_text text;
    if (t->platform.exchange == NULL) return TACIT_TRANSPORT;
    if (!t->loaded) {
        tacit_status st = tacit_model_load(t);
        if (st == TACIT_STORAGE) return st; /* anything else: replace it */
    }
    tacit_text_init(&text, path, sizeof path);
    tacit_text_add(&text, "/v1/model/after/");
    tacit_text_u64(&text, t->loaded ? t->model.number : 0);
    tacit_status st = fetch_file(t, path, NULL);
    return st == TACIT_NOT_FOUND && t->loaded ? TACIT_OK : st; /* nothing newer */
}

/* ---- The five requests ------------------------------------------------------------------------*/

typedef struct {
    tacit *t;
    uint64_t up, down;
    bool sent;           /* the request was made to its end */
    bool heard;          /* a piece of the answer came */
    tacit_status status; /* first complaint of the participation or of the transport's emit */
    tacit_status (*emit)(void *emit_self, const uint8_t *data, size_t len);
    void *emit_self;
} driver;

static tacit_status emit_counted(void *self, const uint8_t *data, size_t len) {
    driver *d = self;
    d->up += len;
    return d->emit(d->emit_self, data, len);
}

static tacit_status produce(void *self,
                            tacit_status (*emit)(void *emit_self, const uint8_t *data, size_t len),
                            void *emit_self) {
    driver *d = self;
    tacit *t = d->t;
    tacit_sink sink = {d, emit_counted};
    d->emit = emit;
    d->emit_self = emit_self;
    if (d->sent) return d->status = TACIT_WRONG_PHASE;
    d->status =
        tacit_participation_request(&t->participation, &sink, t->platform.clock(t->platform.self));
    d->sent = d->status == TACIT_OK;
    return d->status;
}

static tacit_status consume(void *self, const uint8_t *data, size_t len) {
    driver *d = self;
    d->down += len;
    d->heard = true;
    d->status = tacit_participation_answer(&d->t->participation, data, len);
    return d->status;
}

static void phase_path(char path[static PATH_LEN], const tacit *t, tacit_phase phase) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    const tacit_plan *plan = &t->participation.plan;
    uint8_t id[TACIT_HASH_LEN];
    tacit_text text;
    tacit_text_init(&text, path, PATH_LEN);
    tacit_text_add(&text, phase == TACIT_PHASE_JOIN ? "/v1/rounds/" : "/v1/cohorts/");
    tacit_text_u64(&text, plan->round);
    if (phase != TACIT_PHASE_JOIN) {
        tacit_cert_id(id, t->certificate);
        tacit_text_add(&text, "-");
        tacit_text_u64(&text, tacit_cohort_of(plan->beacon, plan->round, id, plan->cohort_count));
    }
    tacit_text_add(&text, "/");
    tacit_text_add(&text, names[phase]);
}

uint32_t tacit_contribute_limit_s(const tacit_plan *plan, tacit_phase phase) {
    switch (phase) {
        case TACIT_PHASE_JOIN: return TACIT_JOIN_ANSWER_MAX_S;
        case TACIT_PHASE_SHARE: return plan->share_s + (uint32_t)PHASE_SLACK_S;
        case TACIT_PHASE_MASK: return plan->mask_s + (uint32_t)PHASE_SLACK_S;
        case TACIT_PHASE_AGREE: return plan->agree_s + (uint32_t)PHASE_SLACK_S;
        default: return plan->reveal_s + (uint32_t)SUM_SLACK_S;
    }
}

/* Says what one exchange came to: OK (answer complete), PENDING (ask again), or why to leave. */
static tacit_status judge(const driver *d, const tacit_exchange *x, tacit_status st) {
    if (d->status != TACIT_OK) return d->status;
    if (st != TACIT_OK) return d->sent && !d->heard ? TACIT_PENDING : TACIT_TRANSPORT;
    if (x->http_status == 200) return TACIT_OK;
    if (d->heard) return TACIT_TRANSPORT; /* half an answer is final: it cannot be taken twice */
    if (x->http_status == 202) return TACIT_PENDING;
    return refusal(x);
}

static tacit_status run_phase(driver *d, tacit_phase phase) {
    tacit *t = d->t;
    const tacit_platform *p = &t->platform;
    char path[PATH_LEN], poll[2 * TACIT_POLL_MAX + 1];
    phase_path(path, t, phase);
    d->sent = d->heard = false;
    uint64_t start_s = p->clock(p->self);
    uint32_t limit_s = tacit_contribute_limit_s(&t->participation.plan, phase);
    tacit_exchange x = {
        .method = "POST", .path = path, .produce = produce, .consume = consume, .self = d};
    tacit_status st = judge(d, &x, p->exchange(p->self, &x));
    /* Each turn waits a second or more, so the count bounds the loop when the clock does not. */
    for (uint32_t turn = 0; st == TACIT_PENDING; turn++) {
        uint64_t now_s = p->clock(p->self);
        if (turn > limit_s || (now_s > start_s && now_s - start_s > limit_s)) return TACIT_LATE;
        if ((st = pause_for(p, x.retry_after_s, TACIT_TRANSPORT)) != TACIT_OK) return st;
        if ((st = tacit_secagg_poll(t->participation.secagg, poll)) != TACIT_OK) return st;
        x = (tacit_exchange){
            .method = "GET", .path = path, .poll = poll, .consume = consume, .self = d};
        st = judge(d, &x, p->exchange(p->self, &x));
        if (st == TACIT_BUSY) st = TACIT_PENDING; /* only this poll was shed */
    }
    if (st != TACIT_OK) return st;
    return tacit_participation_answer_end(&t->participation, p->clock(p->self));
}

static void report_progress(const tacit *t, uint32_t phase) {
    if (t->platform.progress != NULL) t->platform.progress(t->platform.self, phase);
}

/* Spreads the devices that see a plan at the same moment. */
static tacit_status spread_join(const tacit *t, const tacit_plan *plan) {
    const tacit_platform *p = &t->platform;
    uint8_t random[4];
    uint64_t now_s = p->clock(p->self);
    uint64_t left_s = plan->join_until_s > now_s ? plan->join_until_s - now_s : 0;
    uint32_t most_s = TACIT_JOIN_SPREAD_MAX_S;
    if (left_s / TACIT_JOIN_SPREAD_PART < most_s)
        most_s = (uint32_t)(left_s / TACIT_JOIN_SPREAD_PART);
    if (p->wait == NULL || most_s == 0) return TACIT_OK;
    tacit_status st = tacit_platform_random(p, random, sizeof random);
    if (st != TACIT_OK) return st;
    uint32_t pause_s = tacit_get_u32(random) % (most_s + 1);
    return pause_s == 0 ? TACIT_OK : p->wait(p->self, pause_s);
}

/* Everything before the first byte of the round. */
static tacit_status prepare(tacit *t, uint64_t *down) {
    const tacit_platform *p = &t->platform;
    tacit_participation_room room = tacit_client_room(t);
    uint8_t encoded[TACIT_PLAN_LEN], sig[TACIT_SIG_LEN];
    tacit_plan plan;
    tacit_status st = tacit_participation_ready(&room, p->clock(p->self));
    if (st == TACIT_OK) st = fetch_plan(t, encoded, sig, down);
    if (st == TACIT_OK) {
        st = tacit_participation_plan(&plan, &room, encoded, sig, p->clock(p->self));
    }
    if (st == TACIT_OK) st = ensure_model(t, plan.model_digest);
    if (st == TACIT_OK) st = spread_join(t, &plan);
    if (st != TACIT_OK) return st;
    return tacit_participation_begin(&t->participation, &room, encoded, sig, p->clock(p->self));
}

tacit_status tacit_contribute(tacit *t, tacit_receipt *receipt) {
    driver d = {.t = t};
    tacit_participation *part = &t->participation;
    tacit_participation_leave(part);
    tacit_status st = prepare(t, &d.down);
    while (st == TACIT_OK && tacit_participation_phase(part) < TACIT_PHASE_DONE) {
        tacit_phase phase = tacit_participation_phase(part);
        report_progress(t, (uint32_t)phase);
        st = run_phase(&d, phase);
    }
    if (st == TACIT_OK && tacit_participation_phase(part) != TACIT_PHASE_DONE) st = TACIT_LEFT;
    if (st == TACIT_OK) {
        tacit_privacy privacy;
        report_progress(t, TACIT_PHASE_DONE);
        tacit_ledger_status(&t->ledger, &privacy, t->platform.clock(t->platform.self));
        memset(receipt, 0, sizeof *receipt);
        receipt->round = part->plan.round;
        receipt->survivors = tacit_secagg_survivors(part->secagg, receipt->sum_digest);
        receipt->epsilon_spent = privacy.epsilon_spent;
        receipt->bytes_up = d.up;
        receipt->bytes_down = d.down;
    }
    tacit_participation_leave(part);
    return st;
}
