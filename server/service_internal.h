/* SPDX-License-Identifier: Apache-2.0
 * service_internal.h - the objects behind service.h: rounds (service.c, service_job.c), calls
 * (service_call.c) and model files (service_model.c). */
#ifndef TACIT_SERVER_SERVICE_INTERNAL_H
#define TACIT_SERVER_SERVICE_INTERNAL_H

#include "server/service.h"

enum { SERVICE_TICK_MS = 100, SERVICE_LINGER_S = 60, SERVICE_MODELS = 4 };

typedef enum { ROUTE_PLAN, ROUTE_MODEL, ROUTE_MODEL_AFTER, ROUTE_PHASE } route_kind;

typedef struct {
    route_kind kind;
    uint64_t round;
    uint32_t cohort;
    cohort_phase phase;
    uint8_t digest[TACIT_HASH_LEN];
} route;

typedef struct model_file {
    struct model_file *next; /* newest first */
    uint8_t digest[TACIT_HASH_LEN];
    char etag[2 * TACIT_HASH_LEN + 3];
    uint8_t *file;
    size_t len;
    uint32_t users;
} model_file;

typedef enum {
    CALL_STAGING, /* its body is on the way */
    CALL_WAITING, /* accepted; the phase has not closed */
    CALL_SENDING  /* its answer is being made */
} call_place;

/* One request that is not answered to its end. */
typedef struct call {
    service *s;
    http_exchange *x;
    route route;
    call_place place;
    bool poll;
    struct service_round *round; /* of a phase */
    struct call *prev, *next;    /* of the round's */
    uint32_t slot, cursor;
    uint64_t hold_until_ms;
    model_file *model; /* of a model */
    size_t offset;
} call;

/* Work on the sum, on a worker thread. */
typedef struct job_task {
    uv_work_t work;
    struct service_round *round;
    uint32_t first, count;
} job_task;

typedef struct service_round {
    service *s;
    struct service_round *next; /* newest first */
    uint64_t number;
    cohort *cohort;
    cohort_phase seen; /* phase at the last look */
    uint64_t join_until_s;
    uint64_t heard_s;                    /* last request of the open phase, or its opening */
    uint8_t plan[TACIT_MAX_MESSAGE_LEN]; /* the body of GET /v1/plan */
    size_t plan_len;
    call *calls;
    bool job_on, ended, settled;
    uint32_t tasks_left;
    struct job_task *tasks; /* of the sum's stage; &whole when there was no memory for many */
    struct job_task whole;
    uint64_t expires_s; /* once settled */
} service_round;

struct service {
    uv_loop_t *loop;
    http_server *http;
    uv_timer_t timer;
    service_options options;
    service_host host;
    service_round *rounds;
    model_file *models;
    bool stopping;
};

/* service.c */
uint64_t service_now_s(const service *s);
/* Closes phases that are due, releases answers, starts the sum, reports the end. */
void service_advance(service_round *r);
service_round *service_find(const service *s, uint64_t number);

/* service_job.c */
void service_start_job(service_round *r);

/* service_call.c */
extern const http_handlers call_handlers; /* self is to be set */
/* Answers the calls whose phase has closed; refuses bodies that come too late. */
void call_release_ready(service_round *r);
/* Turns held answers into 202 when their time is over. */
void call_end_holds(service_round *r, uint64_t now_ms);

/* service_model.c */
TACIT_MUST_CHECK tacit_status model_get(service *s, model_file **out,
                                        const uint8_t digest[static TACIT_HASH_LEN]);
void model_put(service *s, model_file *m);
void model_free_all(service *s);

/* service_route.c: NOT_FOUND when it is none of ours. */
TACIT_MUST_CHECK tacit_status route_parse(route *out, const char *target);

#endif
