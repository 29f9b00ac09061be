/* SPDX-License-Identifier: Apache-2.0
 * http_connection.c - bytes in: the socket feeds TLS, TLS the parser, the parser the handlers and
 * the staged body. Nothing here calls the handlers of another connection, and answers are only
 * queued, so that one read is one straight walk. While a request waits (for its phase, for quota or
 * for its reader) no more than HTTP_BACKLOG_MAX and one read of ciphertext is taken for it. */
#include <stdlib.h>

#include "server/http_internal.h"

/* ---- The body
 * ----------------------------------------------------------------------------------*/

static tacit_status stage(http_exchange *x, const uint8_t *data, size_t len) {
    if (len > x->body_max - x->body_len) return TACIT_TOO_LARGE;
    if (x->body_cap - x->body_len < len) {
        size_t cap = x->body_cap > 0 ? x->body_cap : 4096;
        while (cap - x->body_len < len) cap *= 2;
        if (cap > x->body_max) cap = x->body_max;
        uint8_t *grown = realloc(x->body, cap);
        if (grown == NULL) return TACIT_NO_SPACE;
        x->body = grown;
        x->body_cap = cap;
    }
    memcpy(x->body + x->body_len, data, len);
    x->body_len += len;
    return TACIT_OK;
}

static void drop_body(http_exchange *x) {
    free(x->body);
    x->body = NULL;
    x->body_len = x->body_cap = 0;
    conn_release(x);
}

/* ---- Parser events
 * -----------------------------------------------------------------------------*/

/* Refuses for a reason of this layer; the handlers hear that the exchange is gone. */
static void give_up(http_exchange *x, tacit_status status, const char *note) {
    http_server *s = x->server;
    if (x->owed) {
        x->owed = false;
        s->handlers.on_gone(s->handlers.self, x);
    }
    http_refuse(x, status, note);
}

static void await_body(http_exchange *x) {
    uint64_t length_ms = x->body_max / HTTP_BODY_BYTES_PER_MS;
    x->deadline_ms = conn_now_ms(x) + HTTP_BODY_MS + length_ms;
    if (!x->head.expect_continue) return;
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    x->head.expect_continue = false;
    if (tls_session_write(x->tls, go_on, sizeof go_on - 1) != TACIT_OK) x->deadline_ms = 1;
}

static tacit_status take_head(void *self, const tacit_http_head *head) {
    http_exchange *x = self;
    http_server *s = x->server;
    size_t body_max = 0;
    x->head = *head;
    x->whole = false;
    x->state = CONN_BODY;
    x->user = NULL;
    x->body_max = 0;
    s->counts.requests++;
    tacit_status st = s->handlers.on_head(s->handlers.self, x, &body_max);
    if (st != TACIT_OK) {
        if (x->state == CONN_BODY) http_refuse(x, st, NULL);
        return TACIT_OK; /* answered once the parser has seen whether a body follows */
    }
    x->owed = x->counted = true;
    s->open_exchanges++;
    if (head->content_length != UINT64_MAX) {
        if (head->content_length > body_max) {
            give_up(x, TACIT_TOO_LARGE, "the body is longer than this request may be");
            return TACIT_OK;
        }
        body_max = (size_t)head->content_length;
    }
    x->body_max = body_max;
    if (body_max == 0)
        x->deadline_ms = conn_now_ms(x) + HTTP_HEAD_MS;
    else if (conn_reserve(x, body_max))
        await_body(x);
    else
        x->deadline_ms = 0; /* the clock starts when the quota is given */
    return TACIT_OK;
}

static tacit_status take_body(void *self, const uint8_t *data, size_t len) {
    http_exchange *x = self;
    return x->state == CONN_BODY ? stage(x, data, len) : TACIT_ABORTED; /* refused meanwhile */
}

static tacit_status take_end(void *self) {
    http_exchange *x = self;
    http_server *s = x->server;
    x->whole = true;
    if (x->state != CONN_BODY) return TACIT_PENDING;
    if (x->in_quota) conn_unqueue(x); /* the whole body came with the head */
    x->state = CONN_HELD;
    x->deadline_ms = 0;
    s->handlers.on_request(s->handlers.self, x, tacit_bytes_of(x->body, x->body_len));
    drop_body(x);
    return TACIT_PENDING;
}

/* ---- Reading
 * -----------------------------------------------------------------------------------*/

static bool wants_bytes(const http_exchange *x) {
    return (x->state == CONN_HEAD || x->state == CONN_BODY) && !x->in_quota;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    http_exchange *x = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)x->server->read, sizeof x->server->read);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
    http_exchange *x = stream->data;
    if (len == 0 || x->state == CONN_CLOSED) return;
    if (len < 0) {
        conn_close(x);
    } else if (x->state == CONN_LINGER) {
        x->lingered += (size_t)len;
        if (x->lingered > HTTP_LINGER_MAX) conn_close(x);
    } else if (tls_session_feed(x->tls, (const uint8_t *)buf->base, (size_t)len) != TACIT_OK) {
        conn_close(x);
    } else {
        conn_advance(x);
    }
}

/* Reads as long as there is room, so that a peer's going away is noticed also while it waits. */
static void set_reading(http_exchange *x) {
    bool want =
        x->state == CONN_LINGER || wants_bytes(x) || tls_session_backlog(x->tls) < HTTP_BACKLOG_MAX;
    if (want == x->reading) return;
    if (!want)
        uv_read_stop((uv_stream_t *)&x->tcp);
    else if (uv_read_start((uv_stream_t *)&x->tcp, on_alloc, on_read) != 0)
        return conn_close(x);
    x->reading = want;
}

static void keep_rest(http_exchange *x, const uint8_t *data, size_t len) {
    if (len == 0) return;
    x->plain = malloc(len);
    if (x->plain == NULL) return conn_close(x);
    memcpy(x->plain, data, len);
    x->plain_len = len;
}

/* One piece of plaintext through the parser; false when there is none. */
static bool step(http_exchange *x) {
    http_server *s = x->server;
    uint8_t *own = x->plain; /* what an earlier read had behind its request */
    const uint8_t *data = own;
    size_t len = x->plain_len, taken = 0;
    x->plain = NULL;
    x->plain_len = 0;
    if (own == NULL) {
        tacit_status got = tls_session_read(x->tls, s->plain, sizeof s->plain, &len);
        if (got == TACIT_PENDING) return false;
        if (got != TACIT_OK) {
            conn_flush(x); /* the alert, if there is one */
            if (x->flying == 0)
                conn_close(x);
            else
                x->deadline_ms = conn_now_ms(x) + HTTP_TICK_MS;
            return false;
        }
        data = s->plain;
    }
    if (x->state == CONN_HEAD && !x->begun) {
        x->begun = true;
        x->deadline_ms = conn_now_ms(x) + HTTP_HEAD_MS;
    }
    tacit_status st = tacit_http_feed(x->parser, &taken, data, len);
    if (st == TACIT_OK)
        keep_rest(x, data + taken, len - taken);
    else if (x->state == CONN_HEAD || x->state == CONN_BODY)
        give_up(x, st, "the request is not HTTP/1.1 as expected here");
    free(own);
    return true;
}

void conn_advance(http_exchange *x) {
    if (x->advancing || x->state == CONN_CLOSED) return;
    if (x->state == CONN_BODY && !x->in_quota && x->deadline_ms == 0) await_body(x);
    x->advancing = true;
    while (wants_bytes(x) && step(x)) continue;
    x->advancing = false;
    if (x->state != CONN_CLOSED) set_reading(x);
    if (x->state != CONN_CLOSED) conn_flush(x);
}

/* ---- Beginning and end
 * -------------------------------------------------------------------------*/

bool conn_open(http_exchange *x) {
    tacit_http_events events = {x, take_head, take_body, take_end};
    x->parser = malloc(tacit_http_len());
    if (x->parser == NULL || tls_session_new(&x->tls, x->server->tls) != TACIT_OK) return false;
    tacit_http_init(x->parser, false, &events);
    if (uv_tcp_nodelay(&x->tcp, 1) != 0) return false;
    x->state = CONN_HEAD;
    x->deadline_ms = conn_now_ms(x) + HTTP_FIRST_MS;
    set_reading(x);
    return x->state != CONN_CLOSED;
}

static void on_shutdown(uv_shutdown_t *request, int status) {
    (void)request;
    (void)status; /* the peer's close or the deadline ends the connection */
}

static void linger(http_exchange *x) {
    tls_session_goodbye(x->tls);
    conn_flush(x);
    if (x->state == CONN_CLOSED) return;
    x->state = CONN_LINGER;
    x->deadline_ms = conn_now_ms(x) + HTTP_LINGER_MS;
    if (uv_shutdown(&x->shutdown, (uv_stream_t *)&x->tcp, on_shutdown) != 0) return conn_close(x);
    set_reading(x);
}

void conn_answered(http_exchange *x) {
    http_server *s = x->server;
    conn_drop_answer(x);
    if (x->counted) s->open_exchanges--;
    x->counted = false;
    if (!x->whole || !x->head.keep_alive || s->stopping) return linger(x);
    x->state = CONN_HEAD;
    x->begun = x->whole = x->head_sent = false;
    x->deadline_ms = conn_now_ms(x) + HTTP_IDLE_MS;
    conn_advance(x);
}
