/* SPDX-License-Identifier: Apache-2.0
 * http.h - an HTTPS server on a libuv loop that many thousands may wait on. It knows connections,
 * quotas and time limits, and nothing of rounds; what to answer is asked from the handlers.
 *
 * One exchange is one request and its answer; a connection has one at a time and keeps it while the
 * answer is held. A request body is staged whole under a quota for the process: when the quota is
 * used up the server stops reading from the connection until there is room, so load delays uploads
 * and never refuses them. An answer is made piece by piece while the peer takes it, never more than
 * HTTP_HIGH_WATER ahead. What a peer does ends at most its own connection. */
#ifndef TACIT_SERVER_HTTP_H
#define TACIT_SERVER_HTTP_H

#include <uv.h>

#include "common/http.h"
#include "server/tls.h"

enum { HTTP_HIGH_WATER = 65536, HTTP_PIECE_MAX = 16384 };

typedef struct http_server http_server;
typedef struct http_exchange http_exchange;

/* All called on the loop's thread. An exchange that on_head let pass is owed an answer
 * (http_answer*, http_refuse*), or on_gone is called; never both. */
typedef struct {
    void *self;
    /* A request begins. OK with the greatest body it may have, or a status that refuses it (the
     * handler may have refused it itself, with a note). */
    tacit_status (*on_head)(void *self, http_exchange *x, size_t *body_max);
    /* The request is whole; body is valid during the call. Answer now or later. */
    void (*on_request)(void *self, http_exchange *x, tacit_bytes body);
    /* The peer went away (or was too slow) before it was answered. */
    void (*on_gone)(void *self, http_exchange *x);
} http_handlers;

typedef struct {
    const char *listen; /* address */
    uint32_t port;      /* 0: any */
    uint32_t max_connections;
    size_t staged_max; /* bytes of bodies in flight */
    uint32_t retry_s;  /* Retry-After of a 503: retry_s to 2 retry_s */
} http_options;

/* Listens. The handlers, the loop and tls outlive the server. CONFIG, IO with the reason in note
 * (TLS_NOTE_LEN + 1 bytes). */
TACIT_MUST_CHECK tacit_status http_server_new(http_server **out, char *note, uv_loop_t *loop,
                                              tls_server *tls, const http_options *options,
                                              const http_handlers *handlers);
/* The port listened on. */
uint32_t http_server_port(const http_server *s);
/* Ends listening and drops every connection; the object frees itself once the loop has closed its
 * handles. */
void http_server_stop(http_server *s);

/* True above seven eighths of max_connections: the time to refuse what can wait. */
bool http_server_busy(const http_server *s);
/* Connections whose exchange is not answered yet. */
uint32_t http_server_open_exchanges(const http_server *s);

typedef struct {
    uint64_t connections, requests, refused; /* since the start */
    uint32_t connections_now;
    size_t staged_now;
} http_counts;
http_counts http_server_counts(const http_server *s);

/* ---- Exchanges
 * ---------------------------------------------------------------------------------*/

const tacit_http_head *http_request_head(const http_exchange *x);
void http_set_user(http_exchange *x, void *user);
void *http_user(const http_exchange *x);

/* Makes the body of an answer on demand. next appends a piece (at most HTTP_PIECE_MAX bytes in one
 * call): OK, more may follow; NOT_FOUND: complete; PENDING: nothing now, http_wake later; any other
 * status: as the first result it becomes a Problem, later it cuts the answer off. done (may be
 * NULL) is called once, also when the peer goes away. */
typedef struct {
    void *self;
    tacit_status (*next)(void *self, tacit_sink *out);
    void (*done)(void *self);
} http_source;

typedef struct {
    int status;
    uint32_t retry_after_s; /* 0: none */
    const char *etag;       /* NULL: none; with it the answer is cacheable for ever; copied */
    uint64_t range_start, range_total; /* of a 206; Content-Range */
    uint64_t content_length;           /* of the source; UINT64_MAX: chunked */
    http_source source;                /* next NULL: no body */
} http_reply;

void http_answer(http_exchange *x, const http_reply *reply);
/* A short body, copied (at most HTTP_PIECE_MAX). */
void http_answer_bytes(http_exchange *x, int status, tacit_bytes body);
/* A Problem message; the HTTP status follows from the table in http_problem.c. note may be NULL. A
 * request whose body has not all come is cut off after the answer. */
void http_refuse(http_exchange *x, tacit_status status, const char *note);
/* The same with a Retry-After of retry_s to 2 retry_s; a 503 always has one. */
void http_refuse_for_now(http_exchange *x, tacit_status status, const char *note);
/* The source of this exchange has something again. */
void http_wake(http_exchange *x);

/* The HTTP status a refusal is told with. */
int http_status_of(tacit_status status);

#endif
