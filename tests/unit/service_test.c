/* SPDX-License-Identifier: Apache-2.0
 * service_test.c - the routes with real devices' machines over real TLS: plans, models, held
 * answers and polls, whole cohorts and failed ones, receipts only after the record, and every
 * refusal with its HTTP status. The clock is the test's; the loop runs in a thread. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/keys.h"
#include "server/logline.h"
#include "server/service.h"
#include "tests/support/federation.h"
#include "tests/support/raw_client.h"

enum { MODEL_LEN = 300001 };

/* ---- The host
 * ----------------------------------------------------------------------------------*/

typedef enum { NOTHING, OPEN, SETTLE, STOP } host_command;

typedef struct {
    char dir[48];
    uv_loop_t loop;
    uv_async_t async;
    pthread_t thread;
    tls_server *tls;
    service *service;
    uint32_t port;
    _Atomic uint64_t now_s;
    host_command command;
    sem_t done;
    const round_offer *offer;
    tacit_status opened;
    cohort_report report;
    uint32_t *sum;
    uint32_t dims;
    _Atomic int ends;
    _Atomic uint64_t newest; /* its number; 0: there is none */
    uint8_t model[MODEL_LEN], digest[TACIT_HASH_LEN];
} host;

static host h; /* one at a time */

static uint64_t now_s(void *self) {
    (void)self;
    return h.now_s;
}

static tacit_status model_file(void *self, uint8_t **file, size_t *len,
                               const uint8_t digest[static TACIT_HASH_LEN]) {
    (void)self;
    if (memcmp(digest, h.digest, TACIT_HASH_LEN) != 0) return TACIT_NOT_FOUND;
    *file = malloc(MODEL_LEN);
    if (*file == NULL) return TACIT_NO_SPACE;
    memcpy(*file, h.model, MODEL_LEN);
    *len = MODEL_LEN;
    return TACIT_OK;
}

static tacit_status newest_model(void *self, uint8_t digest[static TACIT_HASH_LEN],
                                 uint64_t *number) {
    (void)self;
    if (h.newest == 0) return TACIT_NOT_FOUND;
    memcpy(digest, h.digest, TACIT_HASH_LEN);
    *number = h.newest;
    return TACIT_OK;
}

static void ended(void *self, const cohort_report *report, const uint32_t *words) {
    (void)self;
    h.report = *report;
    free(h.sum);
    h.sum = NULL;
    if (words != NULL) {
        h.sum = malloc(h.dims * sizeof *h.sum);
        memcpy(h.sum, words, h.dims * sizeof *h.sum);
    }
    h.ends++;
}

static void on_async(uv_async_t *async) {
    if (h.command == NOTHING) return;
    if (h.command == OPEN) h.opened = service_open(h.service, h.offer, NULL, 0);
    if (h.command == SETTLE) service_settle(h.service);
    if (h.command == STOP) {
        service_stop(h.service);
        uv_close((uv_handle_t *)async, NULL);
    }
    h.command = NOTHING;
    sem_post(&h.done);
}

static void command(host_command what) {
    h.command = what;
    uv_async_send(&h.async);
    while (sem_wait(&h.done) != 0) continue;
}

static void *run(void *self) {
    (void)self;
    uv_run(&h.loop, UV_RUN_DEFAULT);
    return NULL;
}

static void start(uint32_t hold_s, uint32_t max_connections) {
    char note[TLS_NOTE_LEN + 1], crt[96], key[96];
    memset(&h, 0, sizeof h);
    h.now_s = 1;
    for (size_t i = 0; i < MODEL_LEN; i++) h.model[i] = (uint8_t)(i * 31 + i / 256);
    memset(h.digest, 0x5a, sizeof h.digest);
    snprintf(h.dir, sizeof h.dir, "/tmp/tacit-service-XXXXXX");
    assert_non_null(mkdtemp(h.dir));
    assert_int_equal(keys_init(h.dir, note), TACIT_OK);
    snprintf(crt, sizeof crt, "%.47s/keys/tls.crt", h.dir);
    snprintf(key, sizeof key, "%.47s/keys/tls.key", h.dir);
    raw_trust(crt);
    assert_int_equal(tls_server_new(&h.tls, note, crt, key), TACIT_OK);
    assert_int_equal(uv_loop_init(&h.loop), 0);
    assert_int_equal(uv_async_init(&h.loop, &h.async, on_async), 0);
    assert_int_equal(sem_init(&h.done, 0, 0), 0);
    service_options options = {.http = {.listen = "127.0.0.1",
                                        .max_connections = max_connections,
                                        .staged_max = 8 << 20,
                                        .retry_s = 4},
                               .hold_s = hold_s};
    service_host calls = {NULL, now_s, model_file, newest_model, ended};
    assert_int_equal(service_new(&h.service, note, &h.loop, h.tls, &options, &calls), TACIT_OK);
    h.port = service_port(h.service);
    assert_int_equal(pthread_create(&h.thread, NULL, run, NULL), 0);
}

static void stop(void) {
    char line[96];
    command(STOP);
    pthread_join(h.thread, NULL);
    assert_int_equal(uv_loop_close(&h.loop), 0);
    service_free(h.service);
    tls_server_free(h.tls);
    sem_destroy(&h.done);
    free(h.sum);
    snprintf(line, sizeof line, "rm -rf %.47s", h.dir);
    if (system(line) != 0) fail();
}

static void await_ends(int wanted) {
    for (int i = 0; i < 2000 && h.ends < wanted; i++) usleep(5000);
    assert_int_equal(h.ends, wanted);
}

/* ---- A federation over the wire
 * ----------------------------------------------------------------*/

static void open_for(federation *f, round_offer *o, uint32_t expected) {
    memset(o, 0, sizeof *o);
    o->plan = f->plan;
    tacit_plan_encode(o->encoded, &f->plan);
    memset(o->encoded + TACIT_PLAN_LEN, 0x77, TACIT_SIG_LEN);
    memcpy(o->digest, f->plan_digest, TACIT_HASH_LEN);
    memcpy(o->phase_secret, f->phase_secret, TACIT_SIGN_SECRET_LEN);
    o->expected_count = expected;
    h.offer = o;
    h.dims = f->plan.dims;
    h.now_s = f->now_s;
    command(OPEN);
    assert_int_equal(h.opened, TACIT_OK);
}

static const char *url(const federation *f, tacit_phase phase) {
    static const char *const names[] = {"", "share", "mask", "agree", "reveal"};
    static char text[96];
    unsigned long long round_number = f->plan.round;
    if (phase == TACIT_PHASE_JOIN)
        snprintf(text, sizeof text, "/v1/rounds/%llu/join", round_number);
    else
        snprintf(text, sizeof text, "/v1/cohorts/%llu-0/%s", round_number, names[phase]);
    return text;
}

static void post(raw_client *c, const char *target, const void *body, size_t len) {
    char head[256];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             target, len);
    assert_true(raw_say(c, head));
    assert_true(len == 0 || raw_send(c, body, len));
}

/* Makes the device's request that is due and posts it; keeps the body for those who want it. */
static void post_request(raw_client *c, federation *f, federation_device *d,
                         federation_bytes *body) {
    tacit_phase phase = tacit_secagg_phase(d->machine);
    assert_int_equal(federation_request(f, d, body), TACIT_OK);
    post(c, url(f, phase), body->data, body->len);
}

static void poll(raw_client *c, const federation *f, federation_device *d) {
    char value[2 * TACIT_POLL_MAX + 1], head[512];
    assert_int_equal(tacit_secagg_poll(d->machine, value), TACIT_OK);
    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nTacit-Poll: %s\r\n\r\n",
             url(f, tacit_secagg_phase(d->machine)), value);
    assert_true(raw_say(c, head));
}

/* Takes the device's answer, polling when it is told to come back. */
static void take_answer(raw_client *c, raw_answer *r, const federation *f, federation_device *d) {
    assert_true(raw_answer_get(c, r));
    for (int turns = 0; r->head.status == 202 && turns < 20; turns++) {
        poll(c, f, d);
        assert_true(raw_answer_get(c, r));
    }
    assert_int_equal(r->head.status, 200);
}

static void give_answer(const raw_answer *r, federation *f, federation_device *d) {
    federation_bytes in = {r->body, r->len, r->len};
    assert_int_equal(federation_deliver(f, d, &in), TACIT_OK);
}

static void deliver(raw_client *c, federation *f, federation_device *d) {
    raw_answer r;
    take_answer(c, &r, f, d);
    give_answer(&r, f, d);
}

static int refused(raw_client *c, tacit_status *problem) {
    raw_answer r;
    assert_true(raw_answer_get(c, &r));
    *problem = (tacit_status)raw_problem(&r, NULL);
    return r.head.status;
}

static void expect(raw_client *c, int http, tacit_status status) {
    tacit_status problem;
    assert_int_equal(refused(c, &problem), http);
    assert_int_equal(problem, status);
}

static void ask(raw_client *c, const char *text, int http, tacit_status status) {
    assert_true(raw_say(c, text));
    expect(c, http, status);
}

/* ---- Plans and models
 * --------------------------------------------------------------------------*/

static void plans_are_shown_while_joining(void **state) {
    (void)state;
    federation f;
    round_offer o;
    start(5, 900);
    raw_client *c = raw_open(h.port);
    const raw_answer *r = raw_ask(c, "GET /v1/plan HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 404);
    assert_int_equal(raw_problem(r, NULL), TACIT_NOT_FOUND);
    assert_in_range(r->head.retry_after_s, 4, 8);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .seed = 1});
    open_for(&f, &o, 0);
    r = raw_ask(c, "GET /v1/plan HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 200);
    tacit_wire_reader reader;
    tacit_Message m;
    tacit_bytes in = tacit_bytes_of(r->body, r->len);
    tacit_wire_reader_init(&reader);
    assert_int_equal(tacit_wire_read(&reader, &m, &in), TACIT_OK);
    assert_int_equal(in.len, 0);
    assert_int_equal(m.which_body, tacit_Message_plan_tag);
    assert_memory_equal(m.body.plan.plan, o.encoded, TACIT_PLAN_LEN);
    assert_memory_equal(m.body.plan.signature, o.encoded + TACIT_PLAN_LEN, TACIT_SIG_LEN);
    h.now_s = f.plan.join_until_s + 1;
    ask(c, "GET /v1/plan HTTP/1.1\r\n\r\n", 404, TACIT_NOT_FOUND);
    await_ends(1);
    assert_int_not_equal(h.report.failure, TACIT_OK);
    raw_close(c);
    stop();
    federation_free(&f);
}

static void the_newest_model_is_found_by_its_number(void **state) {
    (void)state;
    start(5, 900);
    raw_client *c = raw_open(h.port);
    ask(c, "GET /v1/model/after/0 HTTP/1.1\r\n\r\n", 404, TACIT_NOT_FOUND);
    h.newest = 7;
    const raw_answer *r = raw_ask(c, "GET /v1/model/after/6 HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 200);
    assert_int_equal(r->len, MODEL_LEN);
    assert_memory_equal(r->body, h.model, MODEL_LEN);
    ask(c, "GET /v1/model/after/7 HTTP/1.1\r\n\r\n", 404, TACIT_NOT_FOUND);
    ask(c, "GET /v1/model/after/-1 HTTP/1.1\r\n\r\n", 404, TACIT_NOT_FOUND);
    raw_close(c);
    stop();
}

/* The head of an answer, as text. */
static void head_of(raw_client *c, char *text, size_t cap) {
    size_t len = 0;
    text[0] = 0;
    while (strstr(text, "\r\n\r\n") == NULL && len + 1 < cap) {
        size_t n = raw_read(c, text + len, cap - 1 - len);
        assert_true(n > 0);
        text[len += n] = 0;
    }
}

static void models_are_resumable_and_cached(void **state) {
    (void)state;
    static const char target[] =
        "/v1/model/5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
    char request[400], head[4096];
    start(5, 900);
    raw_client *c = raw_open(h.port);
    for (int turn = 0; turn < 2; turn++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", target);
        const raw_answer *r = raw_ask(c, request);
        assert_int_equal(r->head.status, 200);
        assert_int_equal(r->head.content_length, MODEL_LEN);
        assert_int_equal(r->len, MODEL_LEN);
        assert_memory_equal(r->body, h.model, MODEL_LEN);
        static const size_t starts[] = {1, 8191, 8192, 250000, MODEL_LEN - 1};
        for (size_t i = 0; i < 5; i++) {
            size_t from = starts[i];
            snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nRange: bytes=%zu-\r\n\r\n",
                     target, from);
            r = raw_ask(c, request);
            assert_int_equal(r->head.status, 206);
            assert_int_equal(r->len, MODEL_LEN - from);
            assert_memory_equal(r->body, h.model + from, r->len);
        }
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nRange: bytes=%d-\r\n\r\n", target,
                 MODEL_LEN);
        r = raw_ask(c, request);
        assert_int_equal(r->head.status, 416);
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nIf-None-Match: \"%s\"\r\n\r\n",
                 target, target + strlen("/v1/model/"));
        r = raw_ask(c, request);
        assert_int_equal(r->head.status, 304);
        assert_int_equal(r->len, 0);
    }
    ask(c,
        "GET /v1/model/0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1"
        "\r\n\r\n",
        404, TACIT_NOT_FOUND);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nRange: bytes=299999-\r\n\r\n", target);
    assert_true(raw_say(c, request));
    head_of(c, head, sizeof head);
    assert_non_null(strstr(head, "\r\nContent-Range: bytes 299999-300000/300001\r\n"));
    assert_non_null(strstr(head, "\r\nETag: \"5a5a"));
    assert_non_null(strstr(head, "immutable"));
    raw_close(c);
    stop();
}

/* ---- Refusals
 * ----------------------------------------------------------------------------------*/

static void wrong_targets(void **state) {
    (void)state;
    static const char *const targets[] = {
        "/",
        "/v1/plan/",
        "/v1/plan?x=1",
        "/v1/model/5a",
        "/v1/model/5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A",
        "/v1/rounds/2/join",
        "/v1/rounds/01/join",
        "/v1/rounds/18446744073709551617/join",
        "/v1/rounds//join",
        "/v1/rounds/1/joins",
        "/v1/cohorts/1/share",
        "/v1/cohorts/1-1/share",
        "/v1/cohorts/1-0/join",
        "/v1/cohorts/1-0/",
        "/v1/cohorts/2-0/mask",
        "/v1/cohorts/1-4294967296/mask"};
    federation f;
    round_offer o;
    start(5, 900);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .seed = 2});
    open_for(&f, &o, 0);
    raw_client *c = raw_open(h.port);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        post(c, targets[i], NULL, 0);
        expect(c, 404, TACIT_NOT_FOUND);
    }
    ask(c, "DELETE /v1/plan HTTP/1.1\r\n\r\n", 404, TACIT_NOT_FOUND);
    post(c, "/v1/plan", NULL, 0);
    expect(c, 404, TACIT_NOT_FOUND);
    post(c, "/v1/rounds/0/join", NULL, 0); /* before this one */
    expect(c, 410, TACIT_LATE);
    ask(c, "GET /v1/cohorts/1-0/share HTTP/1.1\r\n\r\n", 400, TACIT_BAD_MESSAGE);
    ask(c, "GET /v1/rounds/1/join HTTP/1.1\r\nTacit-Poll: 20zz\r\n\r\n", 400, TACIT_BAD_MESSAGE);
    raw_close(c);
    stop();
    federation_free(&f);
}

static void wrong_bodies(void **state) {
    (void)state;
    federation f;
    round_offer o;
    federation_bytes body = {0};
    uint8_t large[8192] = {0};
    start(5, 900);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .seed = 3});
    open_for(&f, &o, 0);
    raw_client *c = raw_open(h.port);
    post(c, "/v1/rounds/1/join", NULL, 0);
    expect(c, 400, TACIT_TRUNCATED);
    post(c, "/v1/rounds/1/join", "\x03zzz", 4);
    expect(c, 400, TACIT_BAD_MESSAGE);
    post(c, "/v1/cohorts/1-0/share", "\x03zzz", 4);
    expect(c, 409, TACIT_WRONG_PHASE);
    raw_close(c); /* its body was not read, so neither is this connection any more */
    c = raw_open(h.port);
    assert_int_equal(federation_request(&f, &f.devices[0], &body), TACIT_OK);
    body.data[body.len - 1] ^= 1; /* the end of its signature */
    post(c, "/v1/rounds/1/join", body.data, body.len);
    expect(c, 403, TACIT_BAD_SIGNATURE);
    post(c, "/v1/rounds/1/join", large, sizeof large);
    expect(c, 413, TACIT_TOO_LARGE);
    raw_close(c);
    federation_bytes_free(&body);
    stop();
    federation_free(&f);
}

static void what_can_wait_is_refused_under_load(void **state) {
    (void)state;
    enum { MOST = 32 };
    raw_client *c[MOST - 1];
    federation f;
    round_offer o;
    start(5, MOST);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .seed = 4});
    open_for(&f, &o, 0);
    for (int i = 0; i < MOST - 1; i++) {
        c[i] = raw_open(h.port);
        (void)raw_ask(c[i], "GET /v1/nothing HTTP/1.1\r\n\r\n");
    }
    const raw_answer *r = raw_ask(c[0], "GET /v1/plan HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 503);
    assert_int_equal(raw_problem(r, NULL), TACIT_BUSY);
    assert_in_range(r->head.retry_after_s, 4, 8);
    post(c[0], "/v1/rounds/1/join", NULL, 0);
    expect(c[0], 503, TACIT_BUSY);
    /* Those who are inside a round are served all the same. */
    post(c[0], "/v1/cohorts/1-0/mask", NULL, 0);
    expect(c[0], 409, TACIT_WRONG_PHASE);
    for (int i = 1; i < MOST - 1; i++) raw_close(c[i]);
    for (int i = 0; i < 100; i++) {
        r = raw_ask(c[0], "GET /v1/plan HTTP/1.1\r\n\r\n");
        if (r->head.status == 200) break;
        usleep(20000);
    }
    assert_int_equal(r->head.status, 200);
    raw_close(c[0]);
    stop();
    federation_free(&f);
}

/* ---- Cohorts
 * -----------------------------------------------------------------------------------*/

enum { DEVICES = 6 };

static void a_cohort_with_polls_copies_and_a_dropout(void **state) {
    (void)state;
    federation f;
    round_offer o;
    raw_client *c[DEVICES];
    federation_bytes body[DEVICES] = {{0}};
    start(1, 900);
    federation_init_devices(
        &f, &(federation_spec){.device_count = DEVICES, .max_dropout = 200, .seed = 5});
    open_for(&f, &o, DEVICES);
    for (int i = 0; i < DEVICES; i++) c[i] = raw_open(h.port);

    /* The first waits, is told to come back, polls, waits again. */
    raw_answer r;
    post_request(c[0], &f, &f.devices[0], &body[0]);
    assert_true(raw_answer_get(c[0], &r));
    assert_int_equal(r.head.status, 202);
    assert_in_range(r.head.retry_after_s, 1, 3);
    assert_int_equal(r.len, 0);
    poll(c[0], &f, &f.devices[0]);
    /* A copy of its body gets the same answer as the first (security H11). */
    raw_client *copy = raw_open(h.port);
    post(copy, url(&f, TACIT_PHASE_JOIN), body[0].data, body[0].len);
    for (int i = 1; i < DEVICES; i++) post_request(c[i], &f, &f.devices[i], &body[i]);
    take_answer(c[0], &r, &f, &f.devices[0]);
    raw_answer same;
    take_answer(copy, &same, &f, &f.devices[0]);
    assert_int_equal(same.len, r.len);
    assert_memory_equal(same.body, r.body, r.len);
    give_answer(&r, &f, &f.devices[0]);
    for (int i = 1; i < DEVICES; i++) deliver(c[i], &f, &f.devices[i]);
    /* A join now is late, and is told before it is read. */
    post(copy, url(&f, TACIT_PHASE_JOIN), NULL, 0);
    expect(copy, 410, TACIT_LATE);
    raw_close(copy);

    for (int i = 0; i < DEVICES; i++) post_request(c[i], &f, &f.devices[i], &body[i]);
    for (int i = 0; i < DEVICES; i++) deliver(c[i], &f, &f.devices[i]);

    /* The last vanishes in the middle of its upload; the phase closes at its deadline. */
    for (int i = 0; i < DEVICES - 1; i++) post_request(c[i], &f, &f.devices[i], &body[i]);
    assert_int_equal(federation_request(&f, &f.devices[DEVICES - 1], &body[DEVICES - 1]), TACIT_OK);
    char head[256];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n",
             url(&f, TACIT_PHASE_MASK), body[DEVICES - 1].len);
    assert_true(raw_say(c[DEVICES - 1], head));
    assert_true(raw_send(c[DEVICES - 1], body[DEVICES - 1].data, body[DEVICES - 1].len / 2));
    for (int i = 0; i < DEVICES - 1; i++) { /* nobody is answered yet */
        assert_true(raw_answer_get(c[i], &r));
        assert_int_equal(r.head.status, 202);
    }
    h.now_s += f.plan.mask_s + 1;
    f.now_s = h.now_s;
    expect(c[DEVICES - 1], 410, TACIT_LATE);
    raw_close(c[DEVICES - 1]);
    for (int i = 0; i < DEVICES - 1; i++) {
        poll(c[i], &f, &f.devices[i]);
        deliver(c[i], &f, &f.devices[i]);
    }
    for (int phase = 0; phase < 2; phase++) {
        for (int i = 0; i < DEVICES - 1; i++) post_request(c[i], &f, &f.devices[i], &body[i]);
        if (phase == 0)
            for (int i = 0; i < DEVICES - 1; i++) deliver(c[i], &f, &f.devices[i]);
    }

    /* The sum is right; receipts come only once it is recorded. */
    await_ends(1);
    assert_int_equal(h.report.failure, TACIT_OK);
    assert_int_equal(h.report.survivors, DEVICES - 1);
    assert_non_null(h.sum);
    uint32_t modulus_mask = (1u << f.plan.bits) - 1;
    for (uint32_t k = 0; k < f.plan.dims; k++) {
        uint32_t want = 0;
        for (int i = 0; i < DEVICES - 1; i++) want += f.devices[i].update[k];
        assert_int_equal(h.sum[k], want & modulus_mask);
    }
    assert_true(raw_answer_get(c[0], &r));
    assert_int_equal(r.head.status, 202);
    poll(c[0], &f, &f.devices[0]);
    command(SETTLE);
    for (int i = 0; i < DEVICES - 1; i++) deliver(c[i], &f, &f.devices[i]);
    for (int i = 0; i < DEVICES - 1; i++) {
        uint8_t digest[TACIT_HASH_LEN];
        assert_int_equal(tacit_secagg_phase(f.devices[i].machine), TACIT_PHASE_DONE);
        assert_int_equal(tacit_secagg_survivors(f.devices[i].machine, digest), DEVICES - 1);
        assert_memory_equal(digest, h.report.sum_digest, TACIT_HASH_LEN);
        raw_close(c[i]);
    }
    for (int i = 0; i < DEVICES; i++) federation_bytes_free(&body[i]);
    stop();
    federation_free(&f);
}

static void a_cohort_that_fails_tells_everybody(void **state) {
    (void)state;
    federation f, g;
    round_offer o, p;
    raw_client *c[2];
    federation_bytes body = {0};
    start(20, 900);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .n_lo = 4, .seed = 6});
    open_for(&f, &o, 0);
    for (int i = 0; i < 2; i++) {
        c[i] = raw_open(h.port);
        post_request(c[i], &f, &f.devices[i], &body);
    }
    usleep(100000);
    h.now_s = f.plan.join_until_s + 1;
    for (int i = 0; i < 2; i++) expect(c[i], 410, TACIT_ABORTED);
    await_ends(1);
    assert_int_equal(h.report.failure, TACIT_TOO_FEW);
    assert_int_equal(h.report.joined, 2);
    assert_null(h.sum);
    post(c[0], "/v1/cohorts/1-0/share", NULL, 0);
    expect(c[0], 410, TACIT_ABORTED);
    command(SETTLE);
    /* The next round opens beside it; the old one is remembered for a while, then it is just late.
     */
    federation_init_devices(&g, &(federation_spec){.device_count = 5, .seed = 7});
    g.plan.round = 2;
    uint8_t encoded[TACIT_PLAN_LEN];
    tacit_plan_encode(encoded, &g.plan);
    tacit_plan_digest(g.plan_digest, encoded);
    open_for(&g, &p, 0);
    post(c[1], "/v1/rounds/1/join", NULL, 0);
    expect(c[1], 410, TACIT_ABORTED);
    h.now_s += 3600;
    await_ends(2); /* the second was over long before */
    usleep(300000);
    post(c[1], "/v1/rounds/1/join", NULL, 0);
    expect(c[1], 410, TACIT_LATE);
    for (int i = 0; i < 2; i++) raw_close(c[i]);
    federation_bytes_free(&body);
    stop();
    federation_free(&f);
    federation_free(&g);
}

static void stops_in_the_middle_of_a_round(void **state) {
    (void)state;
    federation f;
    round_offer o;
    raw_client *c[3];
    federation_bytes body = {0};
    start(20, 900);
    federation_init_devices(&f, &(federation_spec){.device_count = 5, .seed = 8});
    open_for(&f, &o, 0);
    for (int i = 0; i < 3; i++) {
        c[i] = raw_open(h.port);
        post_request(c[i], &f, &f.devices[i], &body);
    }
    usleep(100000);
    stop();
    for (int i = 0; i < 3; i++) {
        assert_true(raw_ended(c[i]));
        raw_close(c[i]);
    }
    federation_bytes_free(&body);
    federation_free(&f);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    FILE *log = fopen("/dev/null", "w");
    if (log == NULL) return 1;
    logline_setup(log, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_shown_while_joining),
        cmocka_unit_test(models_are_resumable_and_cached),
        cmocka_unit_test(the_newest_model_is_found_by_its_number),
        cmocka_unit_test(wrong_targets),
        cmocka_unit_test(wrong_bodies),
        cmocka_unit_test(what_can_wait_is_refused_under_load),
        cmocka_unit_test(a_cohort_with_polls_copies_and_a_dropout),
        cmocka_unit_test(a_cohort_that_fails_tells_everybody),
        cmocka_unit_test(stops_in_the_middle_of_a_round),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    fclose(log);
    return failures;
}
