/* SPDX-License-Identifier: Apache-2.0
 * https_failure_test.c - every way a server, a network or a host can fail the HTTPS client: each
 * ends with its status, in bounded time and memory, and the next exchange works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/https_fixture.h"

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- Answers that end too early -----------------------------------------------------------------
 */

static const char *const cut_answers[] = {
    "",
    "HTTP/1.1 200",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n",
    "HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
};
enum { CUTS = sizeof cut_answers / sizeof *cut_answers };

/* Connection i: answer i / 2, with a goodbye when i is odd; the last one answers properly. */
static void cut(tls_peer *p, int connection) {
    if (!tls_peer_read(p)) return;
    tls_peer_say(p, connection == 2 * CUTS ? OK_EMPTY : cut_answers[connection / 2]);
    if (connection % 2) tls_peer_goodbye(p);
}

static void a_cut_answer_is_no_answer(void **state) {
    (void)state;
    pair p = pair_of(cut, 2 * CUTS + 1);
    for (int i = 0; i < 2 * CUTS; i++) {
        host h = {.give_len = 10, .give_step = 10};
        tacit_exchange x = post_of(&h);
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
        assert_int_equal(h.produced, 1);
        assert_int_equal(tls_peer_accepted(p.peer), i + 1);
    }
    host h = {.give_len = 10, .give_step = 10};
    assert_good(&p, post_of(&h), 200);
    pair_end(&p);
}

static void no_length(tls_peer *p, int connection) {
    if (!tls_peer_read(p)) return;
    tls_peer_say(p, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
    if (connection == 0) tls_peer_goodbye(p);
}

/* Only TLS's own goodbye tells the end of a body without a length from a cut. */
static void a_body_may_end_with_a_goodbye_only(void **state) {
    (void)state;
    uint8_t got[64];
    host h = {.got = got, .got_cap = sizeof got};
    pair p = pair_of(no_length, 2);
    assert_good(&p, get_of(&h), 200);
    assert_int_equal(h.got_len, 13);
    assert_memory_equal(got, "until the end", 13);
    h.got_len = 0;
    tacit_exchange x = get_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
    assert_int_equal(tls_peer_accepted(p.peer), 2);
    pair_end(&p);
}

/* ---- Answers that are none ----------------------------------------------------------------------
 */

static const char *const garbage[] = {
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "\x16\x03\x01\x02",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "GET / HTTP/1.1\r\n\r\n",
};
enum { GARBAGE = sizeof garbage / sizeof *garbage };

static void say_garbage(tls_peer *p, int connection) {
    if (!tls_peer_read(p)) return;
    tls_peer_say(p, garbage[connection]);
    (void)tls_peer_read(p); /* the client is the one that ends it */
}

static void garbage_is_told_from_silence(void **state) {
    (void)state;
    pair p = pair_of(say_garbage, GARBAGE);
    for (int i = 0; i < GARBAGE; i++) {
        host h = {.give_len = 0};
        tacit_exchange x = get_of(&h);
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_BAD_MESSAGE);
        assert_int_equal(tls_peer_accepted(p.peer), i + 1);
    }
    pair_end(&p);
}

static void say_plain(tls_peer *p, int connection) {
    (void)connection;
    tls_peer_say(p, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void a_server_without_tls_gets_nothing(void **state) {
    (void)state;
    host h = {.give_len = 10, .give_step = 10};
    pair p =
        pair_with(&(tls_peer_options){.script = say_plain, .connections = 1, .plain = true}, 5);
    tacit_exchange x = post_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
    assert_int_equal(h.produced, 0);
    pair_end(&p);
    p = pair_of(say_plain, 0); /* nobody listens any more */
    usleep(50000);
    x = post_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
    assert_int_equal(h.produced, 0);
    pair_end(&p);
}

/* ---- Answers without end ------------------------------------------------------------------------
 */

static void repeat(tls_peer *p, const char *text) {
    while (tls_peer_say(p, text)) continue;
}

static void endless(tls_peer *p, int connection) {
    static const char line[] =
        "X-Filler: 0123456789012345678901234567890123456789012345678901234\r\n";
    static const char body[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    if (!tls_peer_read(p)) return;
    if (connection == 0) {
        tls_peer_say(p, "HTTP/1.1 200 OK\r\n");
        repeat(p, line);
    } else if (connection == 1) {
        repeat(p, "HTTP/1.1 100 Continue\r\n\r\n");
    } else {
        tls_peer_say(p, connection == 2 ? "HTTP/1.1 503 No\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n");
        repeat(p, body);
    }
}

static void nothing_is_read_for_ever(void **state) {
    (void)state;
    uint8_t got[1000];
    pair p = pair_of(endless, 5);
    for (int i = 0; i < 5; i++) {
        host h = {.got = got, .got_cap = sizeof got};
        tacit_exchange x = get_of(&h);
        if (i == 3)
            x.consume = NULL; /* connection 3: a body that nobody wants; 4: it has a limit */
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TOO_LARGE);
        assert_int_equal(tls_peer_accepted(p.peer), i + 1);
        assert_int_equal(h.got_len > 0, i == 4);
    }
    pair_end(&p);
}

/* ---- Time ---------------------------------------------------------------------------------------
 */

/* 0: silent after the request; 1: a byte now and then; 2: a body a byte now and then; 3: a request
 * that is not read. */
static void slow(tls_peer *p, int connection) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n";
    if (connection == 3) {
        usleep(2500000);
        return;
    }
    if (!tls_peer_read(p)) return;
    if (connection == 0) (void)tls_peer_read(p);
    if (connection == 2) tls_peer_say(p, answer);
    for (int i = 0; i < 30 && tls_peer_send(p, answer + i, 1); i++) usleep(150000);
}

static void a_slow_server_cannot_stretch_the_time(void **state) {
    (void)state;
    pair p = pair_with(&(tls_peer_options){.script = slow, .connections = 4}, 1);
    for (int i = 0; i < 4; i++) {
        host h = {.give_len = i == 3 ? 64 << 20 : 100, .give_step = 50000};
        tacit_exchange x = post_of(&h);
        double start = now_s();
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
        double took = now_s() - start;
        if (took < 0.9 || took > 2.3) fail_msg("case %d took %.2f s", i, took);
    }
    pair_end(&p);
}

static void hold(tls_peer *p, int connection) {
    (void)connection;
    (void)tls_peer_read(p);
}

static void a_handshake_has_its_time_too(void **state) {
    (void)state;
    host h = {.give_len = 0};
    pair p = pair_with(&(tls_peer_options){.script = hold, .connections = 1, .plain = true}, 1);
    tacit_exchange x = get_of(&h);
    double start = now_s();
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
    double took = now_s() - start;
    assert_true(took > 0.9 && took < 2.3);
    pair_end(&p);
}

/* Pieces that keep coming are no timeout, however long the whole takes. */
static void steady(tls_peer *p, int connection) {
    static const uint8_t piece[20000];
    (void)connection;
    if (!tls_peer_read(p)) return;
    tls_peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        usleep(500000);
        tls_peer_send(p, piece, sizeof piece);
    }
}

static void a_long_answer_may_take_its_time(void **state) {
    (void)state;
    host h = {.give_len = 0};
    pair p = pair_with(&(tls_peer_options){.script = steady, .connections = 1}, 1);
    assert_good(&p, get_of(&h), 200);
    assert_int_equal(h.got_len, 100000);
    pair_end(&p);
}

/* ---- The host's own wishes ----------------------------------------------------------------------
 */

static void *write_soon(void *self) {
    usleep(200000);
    assert_int_equal(write(*(int *)self, "", 1), 1);
    return NULL;
}

static void hold_request(tls_peer *p, int connection) {
    (void)connection;
    while (tls_peer_read(p)) continue;
}

static void a_stop_ends_a_held_exchange(void **state) {
    (void)state;
    int ends[2];
    pthread_t thread;
    host h = {.give_len = 10, .give_step = 10};
    assert_int_equal(pipe(ends), 0);
    pair p = pair_of(hold_request, 1);
    tacit_https_stop_on(p.client, ends[0]);
    assert_int_equal(pthread_create(&thread, NULL, write_soon, &ends[1]), 0);
    tacit_exchange x = post_of(&h);
    double start = now_s();
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_LEFT);
    assert_true(now_s() - start < 2);
    pthread_join(thread, NULL);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_LEFT);
    assert_int_equal(h.produced, 1);
    assert_int_equal(tls_peer_accepted(p.peer), 1);
    pair_end(&p);
    close(ends[0]);
    close(ends[1]);
}

static void what_the_host_says_is_handed_on(void **state) {
    (void)state;
    host h = {.give_len = 40000, .give_step = 1000, .produce_status = TACIT_BUDGET_SPENT};
    pair p = pair_of(answer_empty, 2);
    tacit_exchange x = post_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_BUDGET_SPENT);
    h.produce_status = TACIT_OK;
    assert_good(&p, post_of(&h), 200); /* not on the connection with half a request */
    assert_int_equal(tls_peer_accepted(p.peer), 2);
    tacit_https_drop(p.client);
    tacit_https_drop(p.client); /* twice is no harm */
    pair_end(&p);
}

static void say_body(tls_peer *p, int connection) {
    (void)connection;
    while (tls_peer_read(p)) tls_peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
}

static void a_consumer_that_refuses_ends_the_connection(void **state) {
    (void)state;
    host h = {.consume_status = TACIT_BAD_ROSTER};
    pair p = pair_of(say_body, 2);
    tacit_exchange x = get_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_BAD_ROSTER);
    h.consume_status = TACIT_OK;
    assert_good(&p, get_of(&h), 200);
    assert_int_equal(h.got_len, 8);
    assert_int_equal(tls_peer_accepted(p.peer), 2);
    pair_end(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_answer_is_no_answer),
        cmocka_unit_test(a_body_may_end_with_a_goodbye_only),
        cmocka_unit_test(garbage_is_told_from_silence),
        cmocka_unit_test(a_server_without_tls_gets_nothing),
        cmocka_unit_test(nothing_is_read_for_ever),
        cmocka_unit_test(a_slow_server_cannot_stretch_the_time),
        cmocka_unit_test(a_handshake_has_its_time_too),
        cmocka_unit_test(a_long_answer_may_take_its_time),
        cmocka_unit_test(a_stop_ends_a_held_exchange),
        cmocka_unit_test(what_the_host_says_is_handed_on),
        cmocka_unit_test(a_consumer_that_refuses_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
