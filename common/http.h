/* SPDX-License-Identifier: Apache-2.0
 * http.h - the little of HTTP/1.1 that both sides need, over http-parser (Debian 12) or llhttp
 * (Debian 13), chosen at build time. Streaming: bytes go in as they come, events come out; bodies
 * are never collected here. Chunked and Content-Length bodies; no trailers are used. Header fields
 * other than the ones below are skipped, 1xx answers too; a head above TACIT_HTTP_HEAD_MAX, HTTP
 * other than 1.1, an upgrade and a field below given twice end the parse.
 * It owns no socket and no memory beyond the struct. */
#ifndef TACIT_COMMON_HTTP_H
#define TACIT_COMMON_HTTP_H

#include "common/base.h"

enum { TACIT_HTTP_HEAD_MAX = 4096, TACIT_HTTP_TARGET_MAX = 255, TACIT_HTTP_FIELD_MAX = 255 };

typedef struct {
    bool response;
    char method[8];                         /* requests: "GET", "POST", else "OTHER" */
    char target[TACIT_HTTP_TARGET_MAX + 1]; /* requests: path, as sent */
    int status;                             /* responses */
    char poll[TACIT_HTTP_FIELD_MAX + 1];    /* Tacit-Poll, "" when absent */
    char if_none_match[80];                 /* If-None-Match, "" when absent */
    uint64_t range_start;    /* "Range: bytes=N-"; 0 when absent or of another form */
    uint32_t retry_after_s;  /* Retry-After in seconds; 0 when absent */
    uint64_t content_length; /* UINT64_MAX when absent (chunked) */
    bool keep_alive;
    bool expect_continue;
} tacit_http_head;

typedef struct tacit_http tacit_http;

/* Each returns OK or the status that ends the parse (handed back by tacit_http_feed). */
typedef struct {
    void *self;
    tacit_status (*on_head)(void *self, const tacit_http_head *head);
    tacit_status (*on_body)(void *self, const uint8_t *data, size_t len);
    tacit_status (*on_end)(void *self); /* the message is complete; another may follow */
} tacit_http_events;

/* Size to allocate for the opaque struct, then init. `response`: parse responses, else requests. */
size_t tacit_http_len(void);
void tacit_http_init(tacit_http *h, bool response, const tacit_http_events *events);

/* Feeds bytes; *taken says how many were used (all of them unless an event stopped it after a
 * complete message: on_end returning PENDING pauses there with OK, so that pipelined bytes wait).
 * BAD_MESSAGE for malformed HTTP, TOO_LARGE above a limit, or an event's own status. */
TACIT_MUST_CHECK tacit_status tacit_http_feed(tacit_http *h, size_t *taken, const uint8_t *data,
                                              size_t len);
/* The peer closed: OK when that ends a message properly or none was begun, TRUNCATED otherwise. */
TACIT_MUST_CHECK tacit_status tacit_http_close(tacit_http *h);

#endif
