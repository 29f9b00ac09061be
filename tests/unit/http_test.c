/* SPDX-License-Identifier: Apache-2.0
 * http_test.c - the HTTP shim: heads, bodies of both kinds, pipelining with a pause, limits, and
 * the same events whatever pieces the bytes come in. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/http.h"

typedef struct {
    tacit_http_head head;
    char body[8192];
    size_t body_len;
    int heads, ends;
    tacit_status on_head, on_body, on_end; /* what the events answer */
} seen;

static tacit_status take_head(void *self, const tacit_http_head *head) {
    seen *s = self;
    s->head = *head;
    s->heads++;
    return s->on_head;
}

static tacit_status take_body(void *self, const uint8_t *data, size_t len) {
    seen *s = self;
    assert_true(s->heads == s->ends + 1);
    if (s->body_len + len > sizeof s->body) return TACIT_NO_SPACE;
    memcpy(s->body + s->body_len, data, len);
    s->body_len += len;
    return s->on_body;
}

static tacit_status take_end(void *self) {
    seen *s = self;
    s->ends++;
    return s->on_end;
}

static tacit_http *begin(seen *s, bool response) {
    memset(s, 0, sizeof *s);
    tacit_http *h = malloc(tacit_http_len());
    assert_non_null(h);
    tacit_http_events events = {s, take_head, take_body, take_end};
    tacit_http_init(h, response, &events);
    return h;
}

/* Feeds a whole text in pieces of `step` bytes; returns the last status. */
static tacit_status feed(tacit_http *h, const char *text, size_t len, size_t step) {
    for (size_t at = 0; at < len;) {
        size_t taken = 0, n = len - at < step ? len - at : step;
        tacit_status st = tacit_http_feed(h, &taken, (const uint8_t *)text + at, n);
        if (st != TACIT_OK) return st;
        assert_int_equal(taken, n);
        at += taken;
    }
    return TACIT_OK;
}

static tacit_status once(seen *s, bool response, const char *text) {
    tacit_http *h = begin(s, response);
    tacit_status st = feed(h, text, strlen(text), SIZE_MAX);
    free(h);
    return st;
}

static const char post[] =
    "POST /v1/rounds/7/join HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n"
    "Tacit-Poll: 04aabb \r\nX-Longer-Than-Any-Name-We-Keep-Here: 1\r\n\r\nhello world";

static void request_fields(void **state) {
    (void)state;
    seen s;
    for (size_t step = 1; step <= sizeof post; step++) {
        tacit_http *h = begin(&s, false);
        assert_int_equal(feed(h, post, sizeof post - 1, step), TACIT_OK);
        assert_int_equal(s.heads, 1);
        assert_int_equal(s.ends, 1);
        assert_string_equal(s.head.method, "POST");
        assert_string_equal(s.head.target, "/v1/rounds/7/join");
        assert_string_equal(s.head.poll, "04aabb");
        assert_int_equal(s.head.content_length, 11);
        assert_true(s.head.keep_alive);
        assert_false(s.head.expect_continue);
        assert_int_equal(s.body_len, 11);
        assert_memory_equal(s.body, "hello world", 11);
        assert_int_equal(tacit_http_close(h), TACIT_OK);
        free(h);
    }
}

static void get_fields(void **state) {
    (void)state;
    seen s;
    assert_int_equal(once(&s, false,
                          "GET /v1/model/ab HTTP/1.1\r\nRange: bytes=100-\r\nConnection: close\r\n"
                          "IF-NONE-MATCH: \"ab\"\r\nExpect: 100-Continue\r\n\r\n"),
                     TACIT_OK);
    assert_string_equal(s.head.method, "GET");
    assert_int_equal(s.head.range_start, 100);
    assert_string_equal(s.head.if_none_match, "\"ab\"");
    assert_false(s.head.keep_alive);
    assert_true(s.head.expect_continue);
    assert_true(s.head.content_length == UINT64_MAX);
    assert_int_equal(s.ends, 1);
}

static void other_ranges_are_ignored(void **state) {
    (void)state;
    static const char *const forms[] = {"bytes=0-5", "bytes=-5", "bytes=5-,7-",
                                        "items=5-",  "bytes=5",  "bytes=99999999999999999999-",
                                        "bytes= 5-", "bytes=-"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char text[160];
        seen s;
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nRange: %s\r\n\r\n", forms[i]);
        assert_int_equal(once(&s, false, text), TACIT_OK);
        assert_int_equal(s.head.range_start, 0);
    }
}

static void other_method(void **state) {
    (void)state;
    seen s;
    assert_int_equal(once(&s, false, "DELETE /x HTTP/1.1\r\n\r\n"), TACIT_OK);
    assert_string_equal(s.head.method, "OTHER");
}

static const char chunked[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 7\r\n\r\n"
    "4;ext=1\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n";

static void chunked_response(void **state) {
    (void)state;
    seen s;
    for (size_t step = 1; step <= sizeof chunked; step++) {
        tacit_http *h = begin(&s, true);
        assert_int_equal(feed(h, chunked, sizeof chunked - 1, step), TACIT_OK);
        assert_int_equal(s.head.status, 200);
        assert_int_equal(s.head.retry_after_s, 7);
        assert_true(s.head.content_length == UINT64_MAX);
        assert_int_equal(s.ends, 1);
        assert_int_equal(s.body_len, 24);
        assert_memory_equal(s.body, "Wikipedia in \r\n\r\nchunks.", 24);
        assert_int_equal(tacit_http_close(h), TACIT_OK);
        free(h);
    }
}

static void informational_answers_are_skipped(void **state) {
    (void)state;
    seen s;
    assert_int_equal(once(&s, true,
                          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n"
                          "Content-Length: 2\r\n\r\nab"),
                     TACIT_OK);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.head.status, 202);
    assert_int_equal(s.body_len, 2);
}

static void body_until_close(void **state) {
    (void)state;
    seen s;
    tacit_http *h = begin(&s, true);
    static const char text[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc";
    assert_int_equal(feed(h, text, sizeof text - 1, 5), TACIT_OK);
    assert_int_equal(s.ends, 0);
    assert_int_equal(tacit_http_close(h), TACIT_OK);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.body_len, 3);
    free(h);
}

static void cut_messages_are_truncated(void **state) {
    (void)state;
    for (size_t len = 1; len < sizeof post - 1; len++) {
        seen s;
        tacit_http *h = begin(&s, false);
        assert_int_equal(feed(h, post, len, SIZE_MAX), TACIT_OK);
        assert_int_equal(s.ends, 0);
        assert_int_equal(tacit_http_close(h), TACIT_TRUNCATED);
        free(h);
    }
    for (size_t len = 20; len < sizeof chunked - 1; len++) {
        seen s;
        tacit_http *h = begin(&s, true);
        assert_int_equal(feed(h, chunked, len, SIZE_MAX), TACIT_OK);
        assert_int_equal(tacit_http_close(h), TACIT_TRUNCATED);
        free(h);
    }
}

static void pending_pauses_between_pipelined_messages(void **state) {
    (void)state;
    static const char text[] =
        "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /3 "
        "HTTP/1.1\r\n\r\n";
    static const char *const targets[] = {"/1", "/2", "/3"};
    for (size_t step = 1; step < sizeof text; step++) {
        seen s;
        tacit_http *h = begin(&s, false);
        s.on_end = TACIT_PENDING;
        size_t at = 0, len = sizeof text - 1;
        int ended = 0;
        while (at < len) {
            size_t taken = 0, n = len - at < step ? len - at : step;
            assert_int_equal(tacit_http_feed(h, &taken, (const uint8_t *)text + at, n), TACIT_OK);
            at += taken;
            assert_true(s.ends <= ended + 1);
            if (s.ends == ended + 1)
                assert_string_equal(s.head.target, targets[ended++]);
            else
                assert_int_equal(taken, n);
        }
        assert_int_equal(ended, 3);
        assert_int_equal(s.body_len, 3);
        free(h);
    }
}

static void pipelined_without_pause(void **state) {
    (void)state;
    seen s;
    assert_int_equal(once(&s, false, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"), TACIT_OK);
    assert_int_equal(s.heads, 2);
    assert_int_equal(s.ends, 2);
}

static void events_end_the_parse(void **state) {
    (void)state;
    for (int which = 0; which < 3; which++) {
        seen s;
        tacit_http *h = begin(&s, false);
        if (which == 0) s.on_head = TACIT_NOT_FOUND;
        if (which == 1) s.on_body = TACIT_NO_SPACE;
        if (which == 2) s.on_end = TACIT_LATE;
        tacit_status wanted = which == 0   ? TACIT_NOT_FOUND
                              : which == 1 ? TACIT_NO_SPACE
                                           : TACIT_LATE;
        assert_int_equal(feed(h, post, sizeof post - 1, SIZE_MAX), wanted);
        size_t taken = 9; /* the error stays */
        assert_int_equal(tacit_http_feed(h, &taken, (const uint8_t *)"x", 1), wanted);
        assert_int_equal(taken, 0);
        assert_int_equal(tacit_http_close(h), wanted);
        free(h);
    }
}

static void malformed(void **state) {
    (void)state;
    static const char *const bad[] = {
        "garbage\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTacit-Poll: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nTacit-Poll: 1\r\nTacit-Poll: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nExpect: a-miracle\r\n\r\n",
        "GET / HTTP/1.1\r\nRange : bytes=1-\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        seen s;
        if (once(&s, false, bad[i]) != TACIT_BAD_MESSAGE) fail_msg("accepted: %s", bad[i]);
        assert_int_equal(s.ends, 0);
    }
}

/* A head of exactly `len` bytes, made with fields we skip. */
static void head_of(char *out, size_t len) {
    static const char line[] = "GET / HTTP/1.1\r\n";
    memcpy(out, line, sizeof line);
    size_t at = sizeof line - 1;
    while (len - at > 200) {
        memcpy(out + at, "x: ", 3);
        memset(out + at + 3, 'a', 95);
        memcpy(out + at + 98, "\r\n", 2);
        at += 100;
    }
    memcpy(out + at, "x: ", 3);
    memset(out + at + 3, 'a', len - at - 7);
    memcpy(out + len - 4, "\r\n\r\n", 4);
}

static void head_limit_is_exact(void **state) {
    (void)state;
    static char text[TACIT_HTTP_HEAD_MAX + 64];
    for (size_t step = 1; step <= 5000; step += 833) {
        for (size_t len = TACIT_HTTP_HEAD_MAX - 1; len <= TACIT_HTTP_HEAD_MAX; len++) {
            seen s;
            tacit_http *h = begin(&s, false);
            head_of(text, len);
            assert_int_equal(feed(h, text, len, step), TACIT_OK);
            assert_int_equal(s.ends, 1);
            free(h);
        }
        seen s;
        tacit_http *h = begin(&s, false);
        head_of(text, TACIT_HTTP_HEAD_MAX + 40);
        assert_int_equal(feed(h, text, TACIT_HTTP_HEAD_MAX + 36, step), TACIT_TOO_LARGE);
        assert_int_equal(s.ends, 0);
        free(h);
    }
}

static void long_values(void **state) {
    (void)state;
    char text[1024], value[400];
    seen s;
    memset(value, 'a', sizeof value);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nTacit-Poll: %.255s\r\n\r\n", value);
    assert_int_equal(once(&s, false, text), TACIT_OK);
    assert_int_equal(strlen(s.head.poll), 255);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nTacit-Poll: %.256s\r\n\r\n", value);
    assert_int_equal(once(&s, false, text), TACIT_TOO_LARGE);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nIf-None-Match: %.200s\r\n\r\n", value);
    assert_int_equal(once(&s, false, text), TACIT_OK);
    assert_string_equal(s.head.if_none_match, "");
    snprintf(text, sizeof text, "GET /%.254s HTTP/1.1\r\n\r\n", value);
    assert_int_equal(once(&s, false, text), TACIT_OK);
    assert_int_equal(strlen(s.head.target), 255);
    snprintf(text, sizeof text, "GET /%.255s HTTP/1.1\r\n\r\n", value);
    assert_int_equal(once(&s, false, text), TACIT_TOO_LARGE);
}

static void chunk_extensions_are_bounded(void **state) {
    (void)state;
    seen s;
    tacit_http *h = begin(&s, false);
    static const char head[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    assert_int_equal(feed(h, head, sizeof head - 1, SIZE_MAX), TACIT_OK);
    tacit_status st = TACIT_OK;
    int rounds = 0;
    while (st == TACIT_OK && rounds++ < 100)
        st = feed(h,
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  100, SIZE_MAX);
    assert_int_equal(st, TACIT_TOO_LARGE);
    assert_true(rounds <= TACIT_HTTP_HEAD_MAX / 100 + 2);
    free(h);
}

static void large_body_passes(void **state) {
    (void)state;
    seen s;
    tacit_http *h = begin(&s, false);
    static char text[9000];
    int n = snprintf(text, sizeof text, "POST / HTTP/1.1\r\nContent-Length: 8000\r\n\r\n");
    memset(text + n, 'b', 8000);
    assert_int_equal(feed(h, text, (size_t)n + 8000, 8192), TACIT_OK);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.body_len, 8000);
    free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_fields),
        cmocka_unit_test(get_fields),
        cmocka_unit_test(other_ranges_are_ignored),
        cmocka_unit_test(other_method),
        cmocka_unit_test(chunked_response),
        cmocka_unit_test(informational_answers_are_skipped),
        cmocka_unit_test(body_until_close),
        cmocka_unit_test(cut_messages_are_truncated),
        cmocka_unit_test(pending_pauses_between_pipelined_messages),
        cmocka_unit_test(pipelined_without_pause),
        cmocka_unit_test(events_end_the_parse),
        cmocka_unit_test(malformed),
        cmocka_unit_test(head_limit_is_exact),
        cmocka_unit_test(long_values),
        cmocka_unit_test(chunk_extensions_are_bounded),
        cmocka_unit_test(large_body_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
