/* SPDX-License-Identifier: Apache-2.0
 * http_server_test.c - the HTTPS server on a real loop against clients that are many, slow, rude or
 * malformed: every exchange ends exactly once, memory stays bounded, and the next client is served.
 *
 * The server runs in a thread of its own with a small application:
 *   GET  /hello       "hello"            POST /echo      length and sum of the body
 *   GET  /hold        held until release GET  /big       BIG_LEN bytes, made on demand
 *   GET  /fail-first  LATE at once       GET  /fail-later one piece, then a failure
 *   GET  /pending     one piece, a pause, one piece */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/http.h"
#include "server/keys.h"
#include "tests/support/raw_client.h"

enum { BIG_LEN = 48 << 20, ECHO_MAX = 3 << 20, HELD_MAX = 2000, LIMIT = 900 };

/* ---- The application
 * ---------------------------------------------------------------------------*/

typedef struct app app;
typedef enum { NOTHING, RELEASE, WAKE, STOP } app_command;

typedef struct {
    app *a;
    http_exchange *x;
    size_t made;
    int step;
} making;

struct app {
    char dir[48];
    uv_loop_t loop;
    uv_async_t async;
    pthread_t thread;
    tls_server *tls;
    http_server *server;
    uint32_t port;
    http_exchange *held[HELD_MAX];
    int held_count, held_free;
    http_exchange *paused;
    sem_t done; /* a command was carried out */
    app_command command;
    /* What the loop's thread has seen; read by the test after a command, or polled. */
    _Atomic int heads, requests, gone, sources, sources_done;
    _Atomic size_t big_made, staged_peak;
    http_counts counts;
};

static app server; /* one at a time */

static tacit_status make_big(void *self, tacit_sink *out) {
    making *m = self;
    uint8_t piece[8192];
    if (m->made == BIG_LEN) return TACIT_NOT_FOUND;
    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = (uint8_t)((m->made + i) * 2654435761u >> 24);
    m->made += sizeof piece;
    m->a->big_made = m->made;
    return out->write(out->self, piece, sizeof piece);
}

static tacit_status fail_first(void *self, tacit_sink *out) {
    (void)self;
    (void)out;
    return TACIT_LATE;
}

static tacit_status fail_later(void *self, tacit_sink *out) {
    making *m = self;
    if (m->step++ > 0) return TACIT_ABORTED;
    uint8_t piece[9000] = {0};
    return out->write(out->self, piece, sizeof piece);
}

static tacit_status pause_between(void *self, tacit_sink *out) {
    making *m = self;
    if (m->step == 1 && m->a->paused != NULL) return TACIT_PENDING;
    if (m->step == 0) m->a->paused = m->x;
    return m->step++ < 2 ? out->write(out->self, (const uint8_t *)"part", 4) : TACIT_NOT_FOUND;
}

static void making_done(void *self) {
    making *m = self;
    if (m->a->paused == m->x) m->a->paused = NULL;
    m->a->sources_done++;
    free(m);
}

static void answer_from(app *a, http_exchange *x, uint64_t len,
                        tacit_status (*next)(void *, tacit_sink *)) {
    making *m = calloc(1, sizeof *m);
    *m = (making){.a = a, .x = x};
    a->sources++;
    http_reply reply = {.status = 200, .content_length = len, .source = {m, next, making_done}};
    http_answer(x, &reply);
}

static tacit_status on_head(void *self, http_exchange *x, size_t *body_max) {
    app *a = self;
    const tacit_http_head *head = http_request_head(x);
    if (strcmp(head->target, "/nowhere") == 0) return TACIT_NOT_FOUND;
    a->heads++;
    if (strcmp(head->target, "/echo") == 0) *body_max = ECHO_MAX;
    return TACIT_OK;
}

static void echo(http_exchange *x, tacit_bytes body) {
    char text[64];
    uint64_t sum = 0;
    for (size_t i = 0; i < body.len; i++) sum += (uint64_t)body.data[i] * (i + 1);
    int n = snprintf(text, sizeof text, "%zu %llu", body.len, (unsigned long long)sum);
    http_answer_bytes(x, 200, tacit_bytes_of(text, (size_t)n));
}

static void on_request(void *self, http_exchange *x, tacit_bytes body) {
    app *a = self;
    const char *target = http_request_head(x)->target;
    a->requests++;
    size_t staged = http_server_counts(a->server).staged_now;
    if (staged > a->staged_peak) a->staged_peak = staged;
    http_set_user(x, NULL);
    if (strcmp(target, "/hello") == 0) {
        http_answer_bytes(x, 200, tacit_bytes_of("hello", 5));
    } else if (strcmp(target, "/echo") == 0) {
        echo(x, body);
    } else if (strcmp(target, "/big") == 0) {
        answer_from(a, x, BIG_LEN, make_big);
    } else if (strcmp(target, "/fail-first") == 0) {
        answer_from(a, x, UINT64_MAX, fail_first);
    } else if (strcmp(target, "/fail-later") == 0) {
        answer_from(a, x, UINT64_MAX, fail_later);
    } else if (strcmp(target, "/pending") == 0) {
        answer_from(a, x, UINT64_MAX, pause_between);
    } else if (strcmp(target, "/hold") == 0 && a->held_count < HELD_MAX) {
        a->held[a->held_count++] = x;
    } else {
        http_refuse(x, TACIT_WRONG_PHASE, "what is that");
    }
}

static void on_gone(void *self, http_exchange *x) {
    app *a = self;
    a->gone++;
    for (int i = 0; i < a->held_count; i++)
        if (a->held[i] == x) a->held[i] = NULL;
}

static void on_async(uv_async_t *async) {
    app *a = async->data;
    if (a->command == NOTHING) return;
    if (a->command == RELEASE) {
        for (int i = 0; i < a->held_count; i++)
            if (a->held[i] != NULL) http_answer_bytes(a->held[i], 200, tacit_bytes_of("now", 3));
        a->held_count = 0;
    } else if (a->command == WAKE) {
        http_exchange *x = a->paused;
        a->paused = NULL;
        if (x != NULL) http_wake(x);
    } else {
        http_server_stop(a->server);
        uv_close((uv_handle_t *)async, NULL);
    }
    if (a->command != STOP) a->counts = http_server_counts(a->server);
    a->command = NOTHING;
    sem_post(&a->done);
}

static void command(app *a, app_command what) {
    a->command = what;
    uv_async_send(&a->async);
    while (sem_wait(&a->done) != 0) continue;
}

static void *run(void *self) {
    app *a = self;
    uv_run(&a->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void start(uint32_t max_connections, size_t staged_max) {
    app *a = &server;
    char note[TLS_NOTE_LEN + 1], crt[96], key[96];
    memset(a, 0, sizeof *a);
    snprintf(a->dir, sizeof a->dir, "/tmp/tacit-http-XXXXXX");
    assert_non_null(mkdtemp(a->dir));
    assert_int_equal(keys_init(a->dir, note), TACIT_OK);
    snprintf(crt, sizeof crt, "%.47s/keys/tls.crt", a->dir);
    snprintf(key, sizeof key, "%.47s/keys/tls.key", a->dir);
    raw_trust(crt);
    assert_int_equal(tls_server_new(&a->tls, note, crt, key), TACIT_OK);
    assert_int_equal(uv_loop_init(&a->loop), 0);
    assert_int_equal(uv_async_init(&a->loop, &a->async, on_async), 0);
    assert_int_equal(sem_init(&a->done, 0, 0), 0);
    a->async.data = a;
    http_options options = {.listen = "127.0.0.1",
                            .max_connections = max_connections,
                            .staged_max = staged_max,
                            .retry_s = 4};
    http_handlers handlers = {a, on_head, on_request, on_gone};
    assert_int_equal(http_server_new(&a->server, note, &a->loop, a->tls, &options, &handlers),
                     TACIT_OK);
    a->port = http_server_port(a->server);
    assert_int_equal(pthread_create(&a->thread, NULL, run, a), 0);
}

/* Ends the server; every exchange that passed its head must have ended exactly once by then. */
static void stop(void) {
    app *a = &server;
    char line[96];
    command(a, STOP);
    pthread_join(a->thread, NULL);
    assert_int_equal(uv_loop_close(&a->loop), 0); /* nothing is left open */
    tls_server_free(a->tls);
    sem_destroy(&a->done);
    snprintf(line, sizeof line, "rm -rf %.47s", a->dir);
    if (system(line) != 0) fail();
    assert_int_equal(a->sources, a->sources_done);
}

/* Waits until a number seen by the loop's thread is reached. */
static void await(const _Atomic int *number, int wanted) {
    for (int i = 0; i < 2000 && *number < wanted; i++) usleep(5000);
    assert_int_equal(*number, wanted);
}

static void still_serves(void) {
    raw_client *c = raw_open(server.port);
    const raw_answer *r = raw_ask(c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r->head.status, 200);
    assert_int_equal(r->len, 5);
    assert_memory_equal(r->body, "hello", 5);
    raw_close(c);
}

/* ---- Plain service
 * -----------------------------------------------------------------------------*/

static void answers_and_keeps_connections(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    raw_client *c = raw_open(server.port);
    const char *version = raw_version(c), *suite = raw_suite(c);
    assert_true(strcmp(version, "TLSv1.2") == 0 || strcmp(version, "TLSv1.3") == 0);
    assert_true(strstr(suite, "GCM") != NULL || strstr(suite, "CHACHA20") != NULL);
    assert_true(strstr(suite, "ECDHE") != NULL || strncmp(suite, "TLS1-3", 6) == 0);
    for (int i = 0; i < 3; i++) {
        const raw_answer *r = raw_ask(c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(r->head.status, 200);
        assert_int_equal(r->head.content_length, 5);
        assert_true(r->head.keep_alive);
    }
    /* Pipelined: answered one after the other, in order. */
    raw_answer r;
    assert_true(
        raw_say(c,
                "GET /hello HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n"
                "abGET /nowhere HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\nConnection: close\r\n\r\n"));
    assert_true(raw_answer_get(c, &r));
    assert_memory_equal(r.body, "hello", 5);
    assert_true(raw_answer_get(c, &r));
    assert_memory_equal(r.body, "2 293", 5);
    assert_true(raw_answer_get(c, &r));
    assert_int_equal(r.head.status, 404);
    assert_int_equal(raw_problem(&r, NULL), TACIT_NOT_FOUND);
    assert_true(raw_answer_get(c, &r));
    assert_int_equal(r.head.status, 200);
    assert_false(r.head.keep_alive);
    assert_true(raw_ended(c));
    raw_close(c);
    stop();
}

static uint8_t *a_body(size_t len, char *want, size_t cap) {
    uint8_t *body = malloc(len);
    uint64_t sum = 0;
    assert_non_null(body);
    for (size_t i = 0; i < len; i++) sum += (uint64_t)(body[i] = (uint8_t)(i * 7 + 3)) * (i + 1);
    snprintf(want, cap, "%zu %llu", len, (unsigned long long)sum);
    return body;
}

static void takes_bodies_of_both_kinds(void **state) {
    (void)state;
    char want[64], head[128];
    size_t len = 1500000;
    uint8_t *body = a_body(len, want, sizeof want);
    raw_answer r;
    start(LIMIT, 8 << 20);
    raw_client *c = raw_open(server.port);
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", len);
    assert_true(raw_say(c, head) && raw_send(c, body, len) && raw_answer_get(c, &r));
    assert_int_equal(r.len, strlen(want));
    assert_memory_equal(r.body, want, r.len);
    /* In chunks, with a pause, and asked for before it is sent. */
    assert_true(raw_say(c,
                        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                        "Expect: 100-continue\r\n\r\n"));
    char go_on[64];
    size_t got = raw_read(c, go_on, sizeof go_on);
    assert_memory_equal(go_on, "HTTP/1.1 100 Continue\r\n\r\n", got);
    for (size_t at = 0; at < len;) {
        size_t n = len - at < 77777 ? len - at : 77777;
        snprintf(head, sizeof head, "%zx\r\n", n);
        assert_true(raw_say(c, head) && raw_send(c, body + at, n) && raw_say(c, "\r\n"));
        at += n;
        if (at > len / 2 && at < len / 2 + 77777) usleep(50000);
    }
    assert_true(raw_say(c, "0\r\n\r\n") && raw_answer_get(c, &r));
    assert_int_equal(r.len, strlen(want));
    assert_memory_equal(r.body, want, r.len);
    raw_close(c);
    free(body);
    stop();
}

static void too_large_bodies_are_told(void **state) {
    (void)state;
    char want[64], head[128], note[TACIT_NOTE_LEN + 1];
    size_t len = ECHO_MAX + 1;
    uint8_t *body = a_body(len, want, sizeof want);
    raw_answer r;
    start(LIMIT, 8 << 20);
    for (int kind = 0; kind < 3; kind++) {
        raw_client *c = raw_open(server.port);
        if (kind == 0) /* too long by its own words; sends it all the same and then listens */
            snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", len);
        else if (kind == 1) /* too long in the end */
            snprintf(head, sizeof head,
                     "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
        else /* where no body belongs */
            snprintf(head, sizeof head, "POST /hello HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", len);
        assert_true(raw_say(c, head));
        (void)raw_send(c, body, len);
        if (kind == 1) (void)raw_say(c, "\r\n0\r\n\r\n");
        assert_true(raw_answer_get(c, &r));
        assert_int_equal(r.head.status, 413);
        assert_int_equal(raw_problem(&r, note), TACIT_TOO_LARGE);
        assert_false(r.head.keep_alive);
        raw_close(c);
    }
    free(body);
    still_serves();
    stop();
}

static void malformed_requests_are_told(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"NONSENSE\r\n\r\n", 400},
        {"GET /hello HTTP/1.0\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST /nowhere HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 404},
        {"GET /other HTTP/1.1\r\n\r\n", 409}};
    start(LIMIT, 8 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        raw_client *c = raw_open(server.port);
        const raw_answer *r = raw_ask(c, cases[i].text);
        assert_int_equal(r->head.status, cases[i].status);
        assert_true(raw_problem(r, NULL) != UINT32_MAX);
        raw_close(c);
    }
    /* After a good request too. */
    raw_client *c = raw_open(server.port);
    (void)raw_ask(c, "GET /hello HTTP/1.1\r\n\r\n");
    const raw_answer *r = raw_ask(c, "\x01\x02\x03\r\n\r\n");
    assert_int_equal(r->head.status, 400);
    assert_true(raw_ended(c));
    raw_close(c);
    char head[8000];
    memset(head, 'a', sizeof head);
    memcpy(head, "GET /hello HTTP/1.1\r\nx: ", 24);
    c = raw_open(server.port);
    assert_true(raw_send(c, head, sizeof head));
    raw_answer told;
    assert_true(raw_answer_get(c, &told));
    assert_int_equal(told.head.status, 413);
    raw_close(c);
    still_serves();
    stop();
}

static void no_tls_no_service(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    static const char plain[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    raw_client *c = raw_connect(server.port);
    assert_non_null(c);
    assert_true(raw_send_plain(c, plain, sizeof plain - 1));
    assert_false(raw_handshake(c));
    raw_reset(c);
    assert_int_equal(server.requests, 0);
    still_serves();
    stop();
}

/* ---- Sources
 * -----------------------------------------------------------------------------------*/

static void sources_fail_pause_and_end(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    raw_client *c = raw_open(server.port);
    const raw_answer *r = raw_ask(c, "GET /fail-first HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 410);
    assert_int_equal(raw_problem(r, NULL), TACIT_LATE);
    raw_answer answer;
    assert_true(raw_say(c, "GET /pending HTTP/1.1\r\n\r\n"));
    await(&server.requests, 2);
    usleep(50000);
    command(&server, WAKE);
    assert_true(raw_answer_get(c, &answer));
    assert_int_equal(answer.len, 8);
    assert_memory_equal(answer.body, "partpart", 8);
    assert_true(raw_say(c, "GET /fail-later HTTP/1.1\r\n\r\n"));
    assert_false(raw_answer_get(c, &answer)); /* cut off, and it shows */
    assert_int_equal(answer.head.status, 200);
    raw_close(c);
    still_serves();
    stop();
}

static void slow_readers_hold_little(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    raw_client *c = raw_open(server.port);
    assert_true(raw_say(c, "GET /big HTTP/1.1\r\n\r\n"));
    size_t before = 0;
    for (int i = 0; i < 40 && (i < 5 || server.big_made != before); i++) {
        before = server.big_made;
        usleep(100000); /* until the sockets' buffers are full */
    }
    assert_true(server.big_made > 0);
    assert_true(server.big_made < BIG_LEN / 2); /* made only as far as it is taken */
    still_serves();                             /* and nobody waits for the slow one */
    raw_answer r;
    assert_true(raw_answer_get(c, &r));
    assert_int_equal(r.len, BIG_LEN);
    for (size_t i = 0; i < r.len; i += 4099)
        assert_int_equal(r.body[i], (uint8_t)(i * 2654435761u >> 24));
    raw_close(c);
    stop();
}

/* ---- Many at once
 * ------------------------------------------------------------------------------*/

static void many_are_held_and_released(void **state) {
    (void)state;
    enum { MANY = 300 };
    static raw_client *clients[MANY];
    start(LIMIT, 8 << 20);
    for (int i = 0; i < MANY; i++) {
        clients[i] = raw_open(server.port);
        assert_true(raw_say(clients[i], "GET /hold HTTP/1.1\r\n\r\n"));
    }
    await(&server.requests, MANY);
    still_serves();
    command(&server, RELEASE);
    for (int i = 0; i < MANY; i++) {
        raw_answer r;
        assert_true(raw_answer_get(clients[i], &r));
        assert_memory_equal(r.body, "now", 3);
        raw_close(clients[i]);
    }
    assert_int_equal(server.gone, 0);
    stop();
}

static void connections_above_the_limit_wait(void **state) {
    (void)state;
    enum { MOST = 16 };
    raw_client *clients[MOST];
    start(MOST, 8 << 20);
    for (int i = 0; i < MOST; i++) clients[i] = raw_open(server.port);
    raw_client *next = raw_connect(server.port); /* the kernel takes it, the server does not */
    assert_non_null(next);
    usleep(200000);
    command(&server, RELEASE);
    assert_int_equal(server.counts.connections_now, MOST);
    raw_reset(clients[0]);
    assert_true(raw_handshake(next));
    (void)raw_ask(next, "GET /hello HTTP/1.1\r\n\r\n");
    raw_close(next);
    for (int i = 1; i < MOST; i++) raw_close(clients[i]);
    still_serves();
    stop();
}

static void uploads_wait_for_their_quota(void **state) {
    (void)state;
    enum { UPLOADS = 6, LEN = 900000 };
    static const char head[] = "POST /echo HTTP/1.1\r\nContent-Length: 900000\r\n\r\n";
    raw_client *clients[UPLOADS];
    char want[64];
    uint8_t *body = a_body(LEN, want, sizeof want);
    start(LIMIT, 2000000);
    /* All begin; two fit. The rest are not read, but not refused either. */
    for (int i = 0; i < UPLOADS; i++) {
        clients[i] = raw_open(server.port);
        assert_true(raw_say(clients[i], head));
        assert_true(raw_send(clients[i], body, 40000));
    }
    await(&server.heads, UPLOADS);
    command(&server, RELEASE);
    assert_int_equal(server.counts.staged_now, 2 * LEN);
    raw_reset(clients[UPLOADS - 1]); /* one goes away while it waits in line */
    raw_reset(clients[0]);           /* and one while its body is staged */
    for (int i = 1; i < UPLOADS - 1; i++) {
        raw_answer r;
        assert_true(raw_send(clients[i], body + 40000, LEN - 40000));
        assert_true(raw_answer_get(clients[i], &r));
        assert_int_equal(r.head.status, 200);
        assert_memory_equal(r.body, want, strlen(want));
        raw_close(clients[i]);
    }
    assert_true(server.staged_peak <= 2 * LEN);
    await(&server.gone, 2);
    command(&server, RELEASE);
    assert_int_equal(server.counts.staged_now, 0);
    free(body);
    stop();
}

/* ---- Rude clients
 * ------------------------------------------------------------------------------*/

static void resets_in_every_state(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    int gone = 0, sources = 0;
    for (int pass = 0; pass < 10; pass++) {
        raw_client *c = raw_connect(server.port); /* before the handshake */
        raw_reset(c);
        c = raw_connect(server.port); /* inside it */
        assert_true(raw_send_plain(c, "\x16\x03\x01\x02\x00\x01\x00", 7));
        raw_reset(c);
        c = raw_open(server.port); /* behind it */
        raw_reset(c);
        c = raw_open(server.port); /* inside a head */
        assert_true(raw_say(c, "GET /hello HTT"));
        raw_reset(c);
        c = raw_open(server.port); /* inside a body */
        assert_true(raw_say(c, "POST /echo HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc"));
        raw_reset(c);              /* the head may or may not be in: either is right */
        c = raw_open(server.port); /* held */
        int before = server.requests;
        assert_true(raw_say(c, "GET /hold HTTP/1.1\r\n\r\n"));
        await(&server.requests, before + 1);
        raw_reset(c);
        gone++;
        c = raw_open(server.port); /* inside an answer */
        assert_true(raw_say(c, "GET /big HTTP/1.1\r\n\r\n"));
        await(&server.sources, ++sources);
        raw_reset(c);
        await(&server.sources_done, sources);
    }
    for (int i = 0; i < 400 && server.gone < gone; i++) usleep(5000);
    assert_true(server.gone >= gone);
    still_serves();
    for (int i = 0; i < 400; i++) {
        command(&server, RELEASE);
        if (server.counts.connections_now == 0) break;
        usleep(5000);
    }
    assert_int_equal(server.counts.connections_now, 0);
    assert_int_equal(server.counts.staged_now, 0);
    stop();
    /* Heads that passed ended in exactly one way: a whole request, or gone. */
    assert_int_equal(server.heads, server.requests + server.gone - gone);
}

static void stops_with_everything_open(void **state) {
    (void)state;
    start(LIMIT, 8 << 20);
    raw_client *c[4];
    for (int i = 0; i < 4; i++) c[i] = raw_open(server.port);
    assert_true(raw_say(c[0], "GET /hold HTTP/1.1\r\n\r\n"));
    assert_true(raw_say(c[1], "GET /big HTTP/1.1\r\n\r\n"));
    assert_true(raw_say(c[2], "POST /echo HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc"));
    await(&server.heads, 3);
    await(&server.requests, 2);
    stop();
    assert_int_equal(server.gone, 2);
    for (int i = 0; i < 4; i++) raw_reset(c[i]);
}

int main(void) {
    struct rlimit files;
    if (tacit_crypto_init() != TACIT_OK) return 1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_keeps_connections),
        cmocka_unit_test(takes_bodies_of_both_kinds),
        cmocka_unit_test(too_large_bodies_are_told),
        cmocka_unit_test(malformed_requests_are_told),
        cmocka_unit_test(no_tls_no_service),
        cmocka_unit_test(sources_fail_pause_and_end),
        cmocka_unit_test(slow_readers_hold_little),
        cmocka_unit_test(many_are_held_and_released),
        cmocka_unit_test(connections_above_the_limit_wait),
        cmocka_unit_test(uploads_wait_for_their_quota),
        cmocka_unit_test(resets_in_every_state),
        cmocka_unit_test(stops_with_everything_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
