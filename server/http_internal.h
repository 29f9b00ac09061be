/* SPDX-License-Identifier: Apache-2.0
 * http_internal.h - the objects behind http.h, shared by http.c (listening, limits, timers),
 * http_connection.c (bytes in: TLS, parser, bodies) and http_answer.c (bytes out). */
#ifndef TACIT_SERVER_HTTP_INTERNAL_H
#define TACIT_SERVER_HTTP_INTERNAL_H

#include "server/http.h"

enum {
    HTTP_READ_MAX = 16384,      /* one read from a socket */
    HTTP_BACKLOG_MAX = 16384,   /* ciphertext kept while an exchange is not ready for it */
    HTTP_PIECES_PER_TURN = 32,  /* answers moved on before the loop looks at sockets again */
    HTTP_FIRST_MS = 75000,      /* from the connection to the first request */
    HTTP_IDLE_MS = 180000,      /* between requests: devices compute in between, and a POST that
                                   meets a closing connection costs a device its round */
    HTTP_HEAD_MS = 30000,       /* from the first byte of a head to its end */
    HTTP_BODY_MS = 30000,       /* least time for a body ... */
    HTTP_BODY_BYTES_PER_MS = 8, /* ... plus what its length takes at 8 KB/s */
    HTTP_WRITE_MS = 30000,      /* for the peer to take one write of at most the high water */
    HTTP_LINGER_MS = 15000,     /* to read on after a cut-off request, so that the answer arrives */
    HTTP_LINGER_MAX = 32 << 20,
    HTTP_TICK_MS = 1000
};

typedef enum {
    CONN_HEAD,      /* between requests or inside a head */
    CONN_BODY,      /* reading a body; may wait for quota */
    CONN_HELD,      /* the request is whole, the answer is not known yet */
    CONN_ANSWERING, /* the answer is being made and taken */
    CONN_LINGER,    /* all was said; reads on and forgets until the peer is done */
    CONN_CLOSED     /* the handle is closing */
} conn_state;

struct http_exchange {
    http_server *server;
    uv_tcp_t tcp;
    http_exchange *prev, *next;             /* all connections */
    http_exchange *queue_prev, *queue_next; /* pump or quota queue; in one of them at most */
    bool in_pump, in_quota;
    conn_state state;
    tls_session *tls;
    tacit_http *parser;
    tacit_http_head head;
    void *user;
    bool owed;            /* on_head let it pass and it was not answered: on_gone is due */
    bool counted;         /* in open_exchanges */
    bool whole;           /* the request has come to its end */
    bool reading;         /* uv_read is on */
    bool advancing;       /* inside conn_advance */
    bool begun;           /* bytes of a head have come */
    uint64_t deadline_ms; /* 0: none */
    uint8_t *plain;       /* decrypted bytes behind the current request */
    size_t plain_len;
    /* The request's body. */
    uint8_t *body;
    size_t body_len, body_cap, body_max, reserved;
    /* The answer. */
    http_reply reply;
    char etag[80];
    uint8_t *bytes; /* body of http_answer_bytes, or of a Problem */
    size_t bytes_len;
    bool head_sent, complete;
    uint64_t sent;
    size_t flying;   /* bytes in uv_write */
    size_t lingered; /* bytes forgotten */
    uv_shutdown_t shutdown;
};

struct http_server {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_idle_t idle;
    bool idle_on, stopping, accept_due;
    int handles; /* not closed yet */
    tls_server *tls;
    http_options options;
    http_handlers handlers;
    http_exchange *all;
    http_exchange *pump_first, *pump_last;
    http_exchange *quota_first, *quota_last;
    uint32_t port, open_exchanges;
    size_t staged;
    http_counts counts;
    uint8_t read[HTTP_READ_MAX], plain[HTTP_READ_MAX];
    uint8_t piece[HTTP_PIECE_MAX + HTTP_PIECE_MAX / 2];
};

/* http.c */
void conn_queue_pump(http_exchange *x);
void conn_unqueue(http_exchange *x);
/* True when the body may be staged now; else the connection waits in line. */
bool conn_reserve(http_exchange *x, size_t len);
void conn_release(http_exchange *x);
/* Drops the connection at once. */
void conn_close(http_exchange *x);
uint64_t conn_now_ms(const http_exchange *x);
uint32_t conn_jitter_s(const http_server *s);

/* http_connection.c */
TACIT_MUST_CHECK bool conn_open(http_exchange *x);
/* Moves on with what has come, also after the quota was given. */
void conn_advance(http_exchange *x);
/* The answer is complete and taken: the next request, or the end. */
void conn_answered(http_exchange *x);

/* http_answer.c */
/* Takes a turn: makes what fits under the high water and starts writing. */
void conn_pump(http_exchange *x);
/* Writes what TLS has put out. */
void conn_flush(http_exchange *x);
/* Forgets the answer and tells its source. */
void conn_drop_answer(http_exchange *x);

/* http_problem.c */
const char *http_reason(int status);

#endif
