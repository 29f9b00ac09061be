/* SPDX-License-Identifier: Apache-2.0
 * service.h - what devices see of the server: the routes, the open round's cohort, held answers,
 * the model files. One thread (the loop's); unmasking runs on libuv's worker threads.
 *
 *   GET  /v1/plan                                   200 SignedPlan, 404 when no round is open
 *   GET  /v1/model/{64 hex}                         200, 206 (Range: bytes=N-), 304, 416, 404
 *   GET  /v1/model/after/{number}                   the newest model above that number, or 404
 *   POST /v1/rounds/{round}/join                    200 when the phase has closed, 202 before that
 *   POST /v1/cohorts/{round}-{cohort}/{share|mask|agree|reveal}             after hold_s
 *   GET  the same URL with Tacit-Poll               the answer of a request sent before
 *
 * Everything else, and every refusal, is a Problem with the HTTP status of http_problem.c. Receipts
 * are given only once the round is recorded, so none contradicts the record after a crash. */
#ifndef TACIT_SERVER_SERVICE_H
#define TACIT_SERVER_SERVICE_H

#include "server/http.h"
#include "server/round.h"

typedef struct service service;

/* Called on the loop's thread. */
typedef struct {
    void *self;
    uint64_t (*now_s)(void *self); /* Unix time */
    /* A published model's file, malloc'ed for the caller; NOT_FOUND. */
    tacit_status (*model_file)(void *self, uint8_t **file, size_t *len,
                               const uint8_t digest[static TACIT_HASH_LEN]);
    /* Digest and number of the newest published model; NOT_FOUND. */
    tacit_status (*newest_model)(void *self, uint8_t digest[static TACIT_HASH_LEN],
                                 uint64_t *number);
    /* The open round's cohort has ended. words [dims] are NULL when it failed and stay valid until
     * service_settle, which the host owes. */
    void (*ended)(void *self, const cohort_report *report, const uint32_t *words);
} service_host;

typedef struct {
    http_options http;
    uint32_t hold_s;  /* a held answer becomes 202 after this */
    uint32_t quiet_s; /* as in cohort_params */
} service_options;

/* Listens. loop, tls and host outlive it. As http_server_new. */
TACIT_MUST_CHECK tacit_status service_new(service **out, char *note, uv_loop_t *loop,
                                          tls_server *tls, const service_options *options,
                                          const service_host *host);
uint32_t service_port(const service *s);

/* Shows the plan and takes joins, but those of the device keys banned[banned_count] (copied). The
 * round before must be settled. NO_SPACE, BAD_PLAN. */
TACIT_MUST_CHECK tacit_status service_open(service *s, const round_offer *offer,
                                           const uint8_t (*banned)[TACIT_HASH_LEN],
                                           uint32_t banned_count);
/* The round is recorded: receipts (or the news that it failed) go out. */
void service_settle(service *s);

/* True when nobody waits for an answer. */
bool service_idle(const service *s);
http_counts service_counts(const service *s);

/* Drops everybody and closes its handles; from then on only service_free may be called. */
void service_stop(service *s);
/* After service_stop, once the loop has run dry. Wipes and frees the cohorts. NULL allowed. */
void service_free(service *s);

#endif
