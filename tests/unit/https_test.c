/* SPDX-License-Identifier: Apache-2.0
 * https_test.c - the HTTPS client against a server that says exactly what each test wants: what
 * goes out, how answers come in, which connections are kept and whom it trusts. How it fails is in
 * https_failure_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <mbedtls/ssl.h>

#include "tests/support/https_fixture.h"

/* ---- What goes out ------------------------------------------------------------------------------
 */

static void assert_head(const pair *p, const char *format) {
    char want[512];
    snprintf(want, sizeof want, format, tls_peer_port(p->peer));
    assert_string_equal(tls_peer_head(p->peer), want);
}

/* Nothing but what the protocol needs (security M7). */
static void heads_hold_nothing_more(void **state) {
    (void)state;
    host h = {.give_len = 0};
    pair p = pair_of(answer_empty, 1);
    assert_good(&p, get_of(&h), 200);
    assert_head(&p, "GET /v1/plan HTTP/1.1\r\nHost: localhost:%s\r\n");
    tacit_exchange x = get_of(&h);
    x.path = "/v1/cohorts/7-0/share";
    x.poll = "04ff";
    assert_good(&p, x, 200);
    assert_head(&p,
                "GET /v1/cohorts/7-0/share HTTP/1.1\r\nHost: localhost:%s\r\nTacit-Poll: 04ff\r\n");
    x = get_of(&h);
    x.range_start = 5000000000;
    assert_good(&p, x, 200);
    assert_head(&p, "GET /v1/plan HTTP/1.1\r\nHost: localhost:%s\r\nRange: bytes=5000000000-\r\n");
    assert_good(&p, post_of(&h), 200);
    assert_head(&p,
                "POST /v1/cohorts/7-0/mask HTTP/1.1\r\nHost: localhost:%s\r\n"
                "Transfer-Encoding: chunked\r\n");
    assert_int_equal(h.got_len, 0);
    pair_end(&p);
}

static void a_body_arrives_as_it_was_made(void **state) {
    (void)state;
    static const size_t lens[] = {0, 1, 15999, 16000, 16001, 100000, 700001};
    static const size_t steps[] = {1, 999, 16000, 50000};
    pair p = pair_of(answer_empty, 1);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (size_t j = i < 2 ? 0 : 1; j < sizeof steps / sizeof *steps; j++) {
            host h = {.give_len = lens[i], .give_step = steps[j]};
            assert_good(&p, post_of(&h), 200);
            assert_int_equal(h.produced, 1);
            size_t len;
            const uint8_t *body = tls_peer_body(p.peer, &len);
            assert_int_equal(len, lens[i]);
            for (size_t k = 0; k < len; k++)
                if (body[k] != pattern(k)) fail_msg("byte %zu of %zu", k, len);
        }
    pair_end(&p);
}

/* A path or poll value that would end its line, or the host's, never reaches the network. */
static void lines_cannot_be_broken(void **state) {
    (void)state;
    static const char *const bad[] = {"",     "plan",   "/a\r\nX: y", "/a b", "/a\tb",
                                      "/a\n", "/a\x7f", "/\xc3\xa4",  " /a",  "/a "};
    static const char *const bad_polls[] = {"", "a\r\nRange: bytes=0-", "a b", "\n", "a\x80"};
    host h = {.give_len = 0};
    pair p = pair_of(answer_empty, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tacit_exchange x = get_of(&h);
        x.path = bad[i];
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_INVALID_ARGUMENT);
    }
    for (size_t i = 0; i < sizeof bad_polls / sizeof *bad_polls; i++) {
        tacit_exchange x = get_of(&h);
        x.poll = bad_polls[i];
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_INVALID_ARGUMENT);
    }
    char long_path[1100];
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = 0;
    tacit_exchange x = get_of(&h);
    x.path = long_path;
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_INVALID_ARGUMENT);
    x = post_of(&h);
    x.method = "PUT";
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_INVALID_ARGUMENT);
    assert_int_equal(h.produced, 0);
    assert_int_equal(tls_peer_accepted(p.peer), 0);
    static const char *const hosts[] = {"", "a b", "a\r\nX: y", "a\n"};
    tacit_https *other = NULL;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        assert_int_equal(tacit_https_new(&other, p.trust, hosts[i], "443", 1),
                         TACIT_INVALID_ARGUMENT);
        assert_int_equal(tacit_https_new(&other, p.trust, "localhost", hosts[i], 1),
                         TACIT_INVALID_ARGUMENT);
    }
    memset(long_path, 'a', 256);
    long_path[256] = 0;
    assert_int_equal(tacit_https_new(&other, p.trust, long_path, "443", 1), TACIT_INVALID_ARGUMENT);
    assert_null(other);
    assert_good(&p, get_of(&h), 200); /* the same client still works */
    pair_end(&p);
}

/* ---- What comes in ------------------------------------------------------------------------------
 */

enum { BIG = 1000003 };

static void answer_big(tls_peer *p, int connection) {
    static uint8_t bytes[BIG];
    char head[96];
    (void)connection;
    for (size_t i = 0; i < BIG; i++) bytes[i] = pattern(i);
    for (int turn = 0; tls_peer_read(p); turn++) {
        if (turn == 0) {
            tls_peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (size_t at = 0, len; at < BIG; at += len) {
                len = 1 + at % 30000 < BIG - at ? 1 + at % 30000 : BIG - at;
                snprintf(head, sizeof head, "%zx\r\n", len);
                tls_peer_say(p, head);
                tls_peer_send(p, bytes + at, len);
                tls_peer_say(p, "\r\n");
            }
            tls_peer_say(p, "0\r\n\r\n");
        } else {
            snprintf(head, sizeof head, "HTTP/1.1 206 Part\r\nContent-Length: %d\r\n\r\n", BIG - 3);
            tls_peer_say(p, head);
            tls_peer_send(p, bytes + 3, BIG - 3);
        }
    }
}

static void an_answer_is_consumed_in_pieces(void **state) {
    (void)state;
    pair p = pair_of(answer_big, 1);
    host h = {.got = malloc(BIG), .got_cap = BIG};
    assert_non_null(h.got);
    assert_good(&p, get_of(&h), 200);
    assert_int_equal(h.got_len, BIG);
    assert_true(h.pieces >= BIG / 8192);
    for (size_t i = 0; i < BIG; i++)
        if (h.got[i] != pattern(i)) fail_msg("byte %zu", i);
    h.got_len = 0;
    tacit_exchange x = get_of(&h);
    x.range_start = 3;
    assert_good(&p, x, 206);
    assert_int_equal(h.got_len, BIG - 3);
    for (size_t i = 0; i < BIG - 3; i++)
        if (h.got[i] != pattern(i + 3)) fail_msg("byte %zu", i);
    free(h.got);
    assert_int_equal(tls_peer_accepted(p.peer), 1);
    pair_end(&p);
}

static void answer_refusals(tls_peer *p, int connection) {
    (void)connection;
    for (int turn = 0; tls_peer_read(p); turn++) {
        switch (turn) {
            case 0:
                tls_peer_say(p, "HTTP/1.1 202 Wait\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
                break;
            case 1: say_problem(p, "HTTP/1.1 503 No\r\nRetry-After: 30", TACIT_BUSY); break;
            case 2: say_problem(p, "HTTP/1.1 410 Gone", TACIT_LATE); break;
            case 3:
                tls_peer_say(p, "HTTP/1.1 500 No\r\nContent-Length: 11\r\n\r\n\xff\xff nonsense");
                break;
            case 4: tls_peer_say(p, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"); break;
            default: say_problem(p, "HTTP/1.1 200 OK", TACIT_BUSY); break;
        }
    }
}

static void refusals_carry_their_reason(void **state) {
    (void)state;
    static const struct {
        int http_status;
        uint32_t retry_after_s, problem;
    } want[] = {{202, 7, 0}, {503, 30, TACIT_BUSY}, {410, 0, TACIT_LATE}, {500, 0, 0}, {404, 0, 0}};
    pair p = pair_of(answer_refusals, 1);
    host h = {.give_len = 0};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        tacit_exchange x = i % 2 ? post_of(&h) : get_of(&h);
        x.problem = x.retry_after_s = 77;
        assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_OK);
        assert_int_equal(x.http_status, want[i].http_status);
        assert_int_equal(x.retry_after_s, want[i].retry_after_s);
        assert_int_equal(x.problem, want[i].problem);
        assert_int_equal(h.pieces, 0); /* no refusal reaches the consumer */
    }
    tacit_exchange x = get_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_OK);
    assert_int_equal(x.problem, 0); /* a body that was asked for is the consumer's alone */
    assert_true(h.got_len > 0);
    assert_int_equal(tls_peer_accepted(p.peer), 1);
    pair_end(&p);
}

/* ---- Which connections are kept -----------------------------------------------------------------
 */

static void answer_and_close(tls_peer *p, int connection) {
    if (!tls_peer_read(p)) return;
    if (connection == 0)
        tls_peer_say(p, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else
        tls_peer_say(p, OK_EMPTY);
    if (connection == 2) tls_peer_say(p, "HTTP/1.1 200 OK\r\n"); /* out of turn */
    tls_peer_goodbye(p);
}

static void a_closed_connection_is_noticed_before_a_body_is_lost(void **state) {
    (void)state;
    pair p = pair_of(answer_and_close, 4);
    for (int i = 0; i < 4; i++) {
        host h = {.give_len = 40000, .give_step = 5000};
        assert_good(&p, post_of(&h), 200);
        assert_int_equal(h.produced, 1);
        assert_int_equal(tls_peer_accepted(p.peer), i + 1);
        usleep(50000); /* the close arrives */
    }
    pair_end(&p);
}

static atomic_int requests_seen;

/* Answers one request; takes the next one and closes without a word. */
static void answer_once(tls_peer *p, int connection) {
    (void)connection;
    for (int i = 0; i < 2 && tls_peer_read(p); i++) {
        atomic_fetch_add(&requests_seen, 1);
        if (i == 0) tls_peer_say(p, OK_EMPTY);
    }
}

static void only_a_get_is_sent_again(void **state) {
    (void)state;
    host h = {.give_len = 10, .give_step = 10};
    atomic_store(&requests_seen, 0);
    pair p = pair_of(answer_once, 3);
    assert_good(&p, get_of(&h), 200);
    assert_good(&p, get_of(&h), 200); /* the second attempt, on a connection of its own */
    assert_int_equal(atomic_load(&requests_seen), 3);
    assert_int_equal(tls_peer_accepted(p.peer), 2);
    tacit_exchange x = post_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_TRANSPORT);
    assert_int_equal(h.produced, 1);
    assert_int_equal(atomic_load(&requests_seen), 4);
    assert_good(&p, post_of(&h), 200);
    assert_int_equal(h.produced, 2);
    assert_int_equal(tls_peer_accepted(p.peer), 3);
    pair_end(&p);
}

/* Reads a head only, refuses, and closes while the client is still sending. */
static void refuse_early(tls_peer *p, int connection) {
    (void)connection;
    if (!tls_peer_read_head(p)) return;
    say_problem(p, "HTTP/1.1 503 No\r\nConnection: close\r\nRetry-After: 9", TACIT_BUSY);
    tls_peer_goodbye(p);
}

static void an_early_refusal_is_heard(void **state) {
    (void)state;
    host h = {.give_len = 16 << 20, .give_step = 50000};
    pair p = pair_of(refuse_early, 1);
    tacit_exchange x = post_of(&h);
    assert_int_equal(tacit_https_exchange(p.client, &x), TACIT_OK);
    assert_int_equal(x.http_status, 503);
    assert_int_equal(x.retry_after_s, 9);
    assert_int_equal(x.problem, TACIT_BUSY);
    pair_end(&p);
}

/* ---- Whom it trusts
 * ------------------------------------------------------------------------------
 */

static void the_pinned_certificate_and_its_name_are_required(void **state) {
    (void)state;
    host h = {.give_len = 10, .give_step = 10};
    pair p = pair_of(answer_empty, 3);
    pair other = pair_of(answer_empty, 0);
    tacit_https *c;
    assert_int_equal(tacit_https_new(&c, other.trust, "localhost", tls_peer_port(p.peer), 5),
                     TACIT_OK);
    tacit_exchange x = post_of(&h);
    assert_int_equal(tacit_https_exchange(c, &x), TACIT_BAD_CERTIFICATE);
    tacit_https_free(c);
    /* The same address by a name that the certificate does not carry. */
    assert_int_equal(tacit_https_new(&c, p.trust, "127.1", tls_peer_port(p.peer), 5), TACIT_OK);
    assert_int_equal(tacit_https_exchange(c, &x), TACIT_BAD_CERTIFICATE);
    tacit_https_free(c);
    assert_int_equal(h.produced, 0);
    assert_good(&p, post_of(&h), 200);
    tacit_https_trust *trust = NULL;
    assert_int_equal(tacit_https_trust_new(&trust, "/nowhere/tls.crt"), TACIT_IO);
    assert_int_equal(tacit_https_trust_new(&trust, "/proc/self/status"), TACIT_BAD_CERTIFICATE);
    assert_null(trust);
    pair_end(&other);
    pair_end(&p);
}

static void both_versions_of_tls(void **state) {
    (void)state;
    host h = {.give_len = 40000, .give_step = 1000};
    pair p =
        pair_with(&(tls_peer_options){.script = answer_empty, .connections = 1, .tls12 = true}, 5);
    assert_good(&p, post_of(&h), 200);
    assert_string_equal(tls_peer_version(p.peer), "TLSv1.2");
    pair_end(&p);
    p = pair_of(answer_empty, 1);
    assert_good(&p, post_of(&h), 200);
    assert_good(&p, get_of(&h), 200);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    assert_string_equal(tls_peer_version(p.peer), "TLSv1.3");
#else
    assert_string_equal(tls_peer_version(p.peer), "TLSv1.2");
#endif
    pair_end(&p);
}

typedef struct {
    pair *p;
    tacit_status worst;
} caller;

static void *call(void *self) {
    caller *k = self;
    host h = {.give_len = 20000, .give_step = 5000};
    tacit_https *c;
    k->worst = tacit_https_new(&c, k->p->trust, "localhost", tls_peer_port(k->p->peer), 10);
    if (k->worst != TACIT_OK) return NULL;
    tacit_exchange x = post_of(&h);
    k->worst = tacit_https_exchange(c, &x);
    tacit_https_free(c);
    return NULL;
}

static void threads_share_the_trust(void **state) {
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    caller callers[THREADS];
    pair p = pair_of(answer_empty, THREADS);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){&p, TACIT_INTERNAL};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(callers[i].worst, TACIT_OK);
    pair_end(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_hold_nothing_more),
        cmocka_unit_test(a_body_arrives_as_it_was_made),
        cmocka_unit_test(lines_cannot_be_broken),
        cmocka_unit_test(an_answer_is_consumed_in_pieces),
        cmocka_unit_test(refusals_carry_their_reason),
        cmocka_unit_test(a_closed_connection_is_noticed_before_a_body_is_lost),
        cmocka_unit_test(only_a_get_is_sent_again),
        cmocka_unit_test(an_early_refusal_is_heard),
        cmocka_unit_test(the_pinned_certificate_and_its_name_are_required),
        cmocka_unit_test(both_versions_of_tls),
        cmocka_unit_test(threads_share_the_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
