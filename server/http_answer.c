/* SPDX-License-Identifier: Apache-2.0
 * http_answer.c - bytes out: the head of an answer, its body from the source in pieces, chunked
 * where the length is not known, and never more than HTTP_HIGH_WATER that the peer has not taken.
 * The head is written only with the first piece, so a source that fails at once still becomes a
 * Problem. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/wire.h"
#include "server/http_internal.h"

typedef struct {
    uv_write_t request;
    http_exchange *x;
    uint8_t *data;
} writing;

/* ---- Writing
 * -----------------------------------------------------------------------------------*/

static bool taken(const http_exchange *x) {
    return x->flying == 0 && tls_session_output_len(x->tls) == 0;
}

static void on_written(uv_write_t *request, int status) {
    writing *w = (writing *)request;
    http_exchange *x = w->x;
    free(w->data);
    free(w);
    x->flying = 0;
    if (x->state == CONN_CLOSED) return;
    if (status < 0) return conn_close(x);
    if (x->state == CONN_ANSWERING)
        conn_pump(x);
    else
        conn_flush(x);
}

void conn_flush(http_exchange *x) {
    if (x->flying > 0 || tls_session_output_len(x->tls) == 0) return;
    size_t len = 0;
    writing *w = malloc(sizeof *w);
    uint8_t *data = w != NULL ? tls_session_take_output(x->tls, &len) : NULL;
    if (data == NULL) {
        free(w);
        return conn_close(x);
    }
    *w = (writing){.x = x, .data = data};
    uv_buf_t buf = uv_buf_init((char *)data, (unsigned)len);
    if (uv_write(&w->request, (uv_stream_t *)&x->tcp, &buf, 1, on_written) != 0) {
        free(data);
        free(w);
        return conn_close(x);
    }
    x->flying = len;
    if (x->state == CONN_ANSWERING) x->deadline_ms = conn_now_ms(x) + HTTP_WRITE_MS;
}

/* ---- The head
 * ----------------------------------------------------------------------------------*/

typedef struct {
    char text[1024];
    size_t len;
} lines;

static void grew(lines *l, int n) {
    assert(n >= 0 && (size_t)n < sizeof l->text - l->len); /* every field is bounded by its type */
    l->len += (size_t)n;
}

#define ADD(l, ...) grew(l, snprintf((l)->text + (l)->len, sizeof(l)->text - (l)->len, __VA_ARGS__))

static void add_date(lines *l) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm t;
    if (gmtime_r(&now, &t) == NULL) return;
    ADD(l, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[t.tm_wday], t.tm_mday,
        months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static tacit_status write_head(http_exchange *x) {
    const http_reply *r = &x->reply;
    lines l = {.len = 0};
    ADD(&l, "HTTP/1.1 %d %s\r\n", r->status, http_reason(r->status));
    add_date(&l);
    if (r->retry_after_s > 0) ADD(&l, "Retry-After: %u\r\n", r->retry_after_s);
    if (x->etag[0] != 0)
        ADD(&l,
            "ETag: %s\r\nAccept-Ranges: bytes\r\nCache-Control: public, max-age=31536000, "
            "immutable\r\n",
            x->etag);
    else
        ADD(&l, "Cache-Control: no-store\r\n");
    if (r->status == 206)
        ADD(&l, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)r->range_start,
            (unsigned long long)(r->range_total - 1), (unsigned long long)r->range_total);
    if (r->status == 416)
        ADD(&l, "Content-Range: bytes */%llu\r\n", (unsigned long long)r->range_total);
    if (r->content_length == UINT64_MAX)
        ADD(&l, "Transfer-Encoding: chunked\r\n");
    else if (r->status != 304)
        ADD(&l, "Content-Length: %llu\r\n", (unsigned long long)r->content_length);
    if (r->content_length > 0) ADD(&l, "Content-Type: application/octet-stream\r\n");
    if (!x->whole || !x->head.keep_alive) ADD(&l, "Connection: close\r\n");
    ADD(&l, "\r\n");
    x->head_sent = true;
    return tls_session_write(x->tls, l.text, l.len);
}

/* ---- The body
 * ----------------------------------------------------------------------------------*/

typedef struct {
    uint8_t *data;
    size_t len, cap;
} piece;

static tacit_status gather(void *self, const uint8_t *data, size_t len) {
    piece *p = self;
    if (len > p->cap - p->len) return TACIT_NO_SPACE;
    memcpy(p->data + p->len, data, len);
    p->len += len;
    return TACIT_OK;
}

/* Asks the source until half a piece is full. */
static tacit_status fill(http_exchange *x, piece *p) {
    const http_source *source = &x->reply.source;
    tacit_sink sink = {p, gather};
    tacit_status st = source->next != NULL ? TACIT_OK : TACIT_NOT_FOUND;
    while (st == TACIT_OK && p->len < HTTP_PIECE_MAX / 2) st = source->next(source->self, &sink);
    return st;
}

static tacit_status write_piece(http_exchange *x, const piece *p, bool last) {
    tacit_status st = TACIT_OK;
    bool chunked = x->reply.content_length == UINT64_MAX;
    char size[16];
    x->sent += p->len;
    if (!chunked &&
        (x->sent > x->reply.content_length || (last && x->sent != x->reply.content_length)))
        return TACIT_INTERNAL;
    if (p->len > 0) {
        int n = chunked ? snprintf(size, sizeof size, "%zx\r\n", p->len) : 0;
        if (n > 0) st = tls_session_write(x->tls, size, (size_t)n);
        if (st == TACIT_OK) st = tls_session_write(x->tls, p->data, p->len);
        if (st == TACIT_OK && chunked) st = tls_session_write(x->tls, "\r\n", 2);
    }
    if (st == TACIT_OK && last && chunked) st = tls_session_write(x->tls, "0\r\n\r\n", 5);
    return st;
}

/* One piece; false when nothing more can be made now. */
static bool make(http_exchange *x) {
    http_server *s = x->server;
    piece p = {s->piece, 0, sizeof s->piece};
    tacit_status made = fill(x, &p);
    bool last = made == TACIT_NOT_FOUND;
    if (made != TACIT_OK && !last && made != TACIT_PENDING) {
        if (!x->head_sent && p.len == 0)
            http_refuse(x, made, NULL);
        else
            conn_close(x); /* an answer cut off shows: chunks without an end, or a short length */
        return false;
    }
    if (made == TACIT_PENDING && p.len == 0) return false;
    tacit_status st = x->head_sent ? TACIT_OK : write_head(x);
    if (st == TACIT_OK) st = write_piece(x, &p, last);
    if (st != TACIT_OK) {
        conn_close(x);
        return false;
    }
    x->complete = last;
    return made == TACIT_OK;
}

void conn_pump(http_exchange *x) {
    if (x->state == CONN_BODY || x->state == CONN_HEAD) return conn_advance(x);
    if (x->state != CONN_ANSWERING || x->advancing) return;
    while (!x->complete && x->flying + tls_session_output_len(x->tls) < HTTP_HIGH_WATER)
        if (!make(x)) break;
    if (x->state != CONN_ANSWERING) return;
    conn_flush(x);
    if (x->state != CONN_ANSWERING || !taken(x)) return;
    if (x->complete)
        conn_answered(x);
    else
        x->deadline_ms = 0; /* waits for its source */
}

void conn_drop_answer(http_exchange *x) {
    http_source source = x->reply.source;
    memset(&x->reply, 0, sizeof x->reply);
    if (source.done != NULL) source.done(source.self);
    free(x->bytes);
    x->bytes = NULL;
    x->bytes_len = 0;
}

/* ---- Interface
 * ---------------------------------------------------------------------------------*/

static void begin(http_exchange *x, const http_reply *reply) {
    assert(x->state == CONN_BODY || x->state == CONN_HELD || !x->head_sent);
    conn_unqueue(x);
    x->reply = *reply;
    snprintf(x->etag, sizeof x->etag, "%s", reply->etag != NULL ? reply->etag : "");
    x->reply.etag = NULL;
    x->owed = false;
    if (x->state == CONN_BODY) { /* what was staged is not wanted any more */
        free(x->body);
        x->body = NULL;
        x->body_len = x->body_cap = 0;
        x->state = CONN_ANSWERING;
        conn_release(x);
    }
    x->state = CONN_ANSWERING;
    x->head_sent = x->complete = false;
    x->sent = 0;
    x->deadline_ms = 0;
    conn_queue_pump(x);
}

void http_answer(http_exchange *x, const http_reply *reply) {
    if (x->state == CONN_CLOSED) {
        if (reply->source.done != NULL) reply->source.done(reply->source.self);
        return;
    }
    begin(x, reply);
}

static tacit_status next_bytes(void *self, tacit_sink *out) {
    http_exchange *x = self;
    if (x->bytes == NULL) return TACIT_NOT_FOUND;
    tacit_status st = out->write(out->self, x->bytes, x->bytes_len);
    free(x->bytes);
    x->bytes = NULL;
    return st;
}

/* Takes over malloc'ed bytes. */
static void answer_owned(http_exchange *x, int status, uint32_t retry_after_s, uint8_t *bytes,
                         size_t len) {
    http_reply reply = {.status = status, .retry_after_s = retry_after_s, .content_length = len};
    if (len > 0) reply.source = (http_source){x, next_bytes, NULL};
    begin(x, &reply);
    x->bytes = bytes;
    x->bytes_len = len;
}

void http_answer_bytes(http_exchange *x, int status, tacit_bytes body) {
    assert(body.len <= HTTP_PIECE_MAX);
    if (x->state == CONN_CLOSED) return;
    uint8_t *bytes = malloc(body.len > 0 ? body.len : 1);
    if (bytes == NULL) return conn_close(x);
    if (body.len > 0) memcpy(bytes, body.data, body.len);
    answer_owned(x, status, 0, bytes, body.len);
}

static void refuse(http_exchange *x, tacit_status status, const char *note, bool for_now) {
    if (x->state == CONN_CLOSED) return;
    if (x->state == CONN_ANSWERING) conn_drop_answer(x); /* its source failed at once */
    tacit_Message m;
    uint8_t *bytes = malloc(TACIT_MAX_MESSAGE_LEN);
    if (bytes == NULL) return conn_close(x);
    tacit_wire_buffer buffer = {bytes, 0, TACIT_MAX_MESSAGE_LEN};
    tacit_sink sink = tacit_wire_buffer_sink(&buffer);
    tacit_wire_problem(&m, status, note != NULL ? note : tacit_status_text(status));
    if (tacit_wire_write(&m, &sink) != TACIT_OK) buffer.len = 0;
    int code = http_status_of(status);
    x->server->counts.refused++;
    answer_owned(x, code, for_now || code == 503 ? conn_jitter_s(x->server) : 0, bytes, buffer.len);
}

void http_refuse(http_exchange *x, tacit_status status, const char *note) {
    refuse(x, status, note, false);
}

void http_refuse_for_now(http_exchange *x, tacit_status status, const char *note) {
    refuse(x, status, note, true);
}

void http_wake(http_exchange *x) { conn_queue_pump(x); }
