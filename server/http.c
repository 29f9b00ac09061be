/* SPDX-License-Identifier: Apache-2.0
 * http.c - see http.h: listening, the limits on connections and staged bytes, the queue of answers
 * to move on, and the clock that ends connections which do not get on.
 *
 * Above max_connections nothing is accepted: libuv then leaves the listening socket alone and the
 * kernel keeps newcomers waiting, which costs neither side a handshake. Between seven eighths and
 * the limit http_server_busy tells the handlers to refuse what can wait. */
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "server/http_internal.h"

enum { BACKLOG = 4096 };

/* ---- Queues
 * ------------------------------------------------------------------------------------*/

static void push(http_exchange **first, http_exchange **last, http_exchange *x) {
    x->queue_prev = *last;
    x->queue_next = NULL;
    if (*last != NULL)
        (*last)->queue_next = x;
    else
        *first = x;
    *last = x;
}

static void unlink_from(http_exchange **first, http_exchange **last, http_exchange *x) {
    if (x->queue_prev != NULL)
        x->queue_prev->queue_next = x->queue_next;
    else
        *first = x->queue_next;
    if (x->queue_next != NULL)
        x->queue_next->queue_prev = x->queue_prev;
    else
        *last = x->queue_prev;
    x->queue_prev = x->queue_next = NULL;
}

void conn_unqueue(http_exchange *x) {
    http_server *s = x->server;
    if (x->in_pump) unlink_from(&s->pump_first, &s->pump_last, x);
    if (x->in_quota) unlink_from(&s->quota_first, &s->quota_last, x);
    x->in_pump = x->in_quota = false;
}

/* A few answers at each turn of the loop, so that a thousand released at once starve nobody. */
static void on_idle(uv_idle_t *idle) {
    http_server *s = idle->data;
    for (int i = 0; i < HTTP_PIECES_PER_TURN && s->pump_first != NULL; i++) {
        http_exchange *x = s->pump_first;
        conn_unqueue(x);
        conn_pump(x);
    }
    if (s->pump_first == NULL) {
        uv_idle_stop(idle);
        s->idle_on = false;
    }
}

void conn_queue_pump(http_exchange *x) {
    http_server *s = x->server;
    if (x->in_pump || x->in_quota || x->state == CONN_CLOSED) return;
    push(&s->pump_first, &s->pump_last, x);
    x->in_pump = true;
    if (!s->idle_on && !s->stopping) s->idle_on = uv_idle_start(&s->idle, on_idle) == 0;
}

/* ---- Quota of staged bytes
 * ---------------------------------------------------------------------*/

static bool fits(const http_server *s, size_t len) {
    return s->staged == 0 ||
           (s->staged < s->options.staged_max && len <= s->options.staged_max - s->staged);
}

bool conn_reserve(http_exchange *x, size_t len) {
    http_server *s = x->server;
    if (s->quota_first == NULL && fits(s, len)) {
        s->staged += len;
        x->reserved = len;
        return true;
    }
    conn_unqueue(x);
    push(&s->quota_first, &s->quota_last, x);
    x->in_quota = true;
    return false;
}

void conn_release(http_exchange *x) {
    http_server *s = x->server;
    s->staged -= x->reserved;
    x->reserved = 0;
    while (s->quota_first != NULL && fits(s, s->quota_first->body_max)) {
        http_exchange *next = s->quota_first;
        conn_unqueue(next);
        s->staged += next->body_max;
        next->reserved = next->body_max;
        conn_queue_pump(next);
    }
}

/* ---- Connections
 * -------------------------------------------------------------------------------*/

uint64_t conn_now_ms(const http_exchange *x) { return uv_now(x->server->loop); }

uint32_t conn_jitter_s(const http_server *s) {
    uint32_t r = 0, span = s->options.retry_s + 1;
    tacit_os_random(&r, sizeof r);
    return s->options.retry_s + r % span;
}

static void accept_one(http_server *s);

static void on_closed(uv_handle_t *handle) {
    http_exchange *x = handle->data;
    tls_session_free(x->tls);
    free(x->parser);
    free(x->plain);
    free(x->body);
    free(x->bytes);
    free(x);
}

static void free_when_closed(http_server *s) {
    if (s->handles == 0 && s->counts.connections_now == 0) free(s);
}

void conn_close(http_exchange *x) {
    http_server *s = x->server;
    if (x->state == CONN_CLOSED) return;
    bool owed = x->owed;
    conn_unqueue(x);
    if (x->state == CONN_ANSWERING) conn_drop_answer(x);
    x->state = CONN_CLOSED;
    x->owed = false;
    if (owed) s->handlers.on_gone(s->handlers.self, x);
    if (x->counted) s->open_exchanges--;
    x->counted = false;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        s->all = x->next;
    if (x->next != NULL) x->next->prev = x->prev;
    uv_close((uv_handle_t *)&x->tcp, on_closed);
    s->counts.connections_now--;
    conn_release(x);
    if (s->accept_due && !s->stopping) accept_one(s);
    if (s->stopping) free_when_closed(s);
}

static http_exchange *conn_new(http_server *s) {
    http_exchange *x = calloc(1, sizeof *x);
    if (x == NULL) return NULL;
    x->server = s;
    if (uv_tcp_init(s->loop, &x->tcp) != 0) {
        free(x);
        return NULL;
    }
    x->tcp.data = x;
    x->next = s->all;
    if (s->all != NULL) s->all->prev = x;
    s->all = x;
    s->counts.connections_now++;
    s->counts.connections++;
    return x;
}

static void accept_one(http_server *s) {
    s->accept_due = false;
    http_exchange *x = conn_new(s);
    if (x == NULL) {
        s->accept_due = true; /* tried again at the next tick */
        return;
    }
    if (uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)&x->tcp) != 0 || !conn_open(x))
        conn_close(x);
}

static void on_connection(uv_stream_t *stream, int status) {
    http_server *s = stream->data;
    if (status < 0 || s->stopping) return;
    if (s->counts.connections_now >= s->options.max_connections)
        s->accept_due = true;
    else
        accept_one(s);
}

static void on_tick(uv_timer_t *timer) {
    http_server *s = timer->data;
    uint64_t now_ms = uv_now(s->loop);
    for (http_exchange *x = s->all, *next; x != NULL; x = next) {
        next = x->next;
        if (x->deadline_ms != 0 && x->deadline_ms <= now_ms) conn_close(x);
    }
    if (s->accept_due && s->counts.connections_now < s->options.max_connections) accept_one(s);
}

/* ---- Server
 * ------------------------------------------------------------------------------------*/

static void on_handle_closed(uv_handle_t *handle) {
    http_server *s = handle->data;
    s->handles--;
    free_when_closed(s);
}

static int address_of(struct sockaddr_storage *out, const http_options *o) {
    int code = uv_ip4_addr(o->listen, (int)o->port, (struct sockaddr_in *)out);
    return code == 0 ? 0 : uv_ip6_addr(o->listen, (int)o->port, (struct sockaddr_in6 *)out);
}

static int listen_on(http_server *s) {
    struct sockaddr_storage address;
    int len = sizeof address, code = address_of(&address, &s->options);
    if (code == 0) code = uv_tcp_bind(&s->tcp, (const struct sockaddr *)&address, 0);
    if (code == 0) code = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
    if (code == 0) code = uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &len);
    if (code != 0) return code;
    const uint8_t *port = address.ss_family == AF_INET6
                              ? (const uint8_t *)&((struct sockaddr_in6 *)&address)->sin6_port
                              : (const uint8_t *)&((struct sockaddr_in *)&address)->sin_port;
    s->port = (uint32_t)(port[0] << 8 | port[1]);
    return 0;
}

tacit_status http_server_new(http_server **out, char *note, uv_loop_t *loop, tls_server *tls,
                             const http_options *options, const http_handlers *handlers) {
    note[0] = 0;
    http_server *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    s->loop = loop;
    s->tls = tls;
    s->options = *options;
    s->handlers = *handlers;
    s->tcp.data = s->timer.data = s->idle.data = s;
    int code = uv_tcp_init(loop, &s->tcp);
    if (code != 0 || uv_timer_init(loop, &s->timer) != 0 || uv_idle_init(loop, &s->idle) != 0) {
        free(s); /* only the first can fail, and then nothing was begun */
        return TACIT_IO;
    }
    s->handles = 3;
    code = listen_on(s);
    if (code == 0) code = uv_timer_start(&s->timer, on_tick, HTTP_TICK_MS, HTTP_TICK_MS);
    if (code != 0) {
        snprintf(note, TLS_NOTE_LEN + 1, "%.60s port %u: %s", options->listen, options->port,
                 uv_strerror(code));
        http_server_stop(s);
        return TACIT_IO;
    }
    *out = s;
    return TACIT_OK;
}

uint32_t http_server_port(const http_server *s) { return s->port; }

void http_server_stop(http_server *s) {
    if (s->stopping) return;
    while (s->all != NULL) conn_close(s->all);
    s->stopping = true;
    uv_close((uv_handle_t *)&s->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
    uv_close((uv_handle_t *)&s->idle, on_handle_closed);
}

bool http_server_busy(const http_server *s) {
    return s->counts.connections_now > s->options.max_connections / 8 * 7;
}

uint32_t http_server_open_exchanges(const http_server *s) { return s->open_exchanges; }

http_counts http_server_counts(const http_server *s) {
    http_counts c = s->counts;
    c.staged_now = s->staged;
    return c;
}

/* ---- Exchanges
 * ---------------------------------------------------------------------------------*/

const tacit_http_head *http_request_head(const http_exchange *x) { return &x->head; }
void http_set_user(http_exchange *x, void *user) { x->user = user; }
void *http_user(const http_exchange *x) { return x->user; }
