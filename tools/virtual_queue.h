/* SPDX-License-Identifier: Apache-2.0
 * virtual_queue.h - what happens next: a heap of events ordered by virtual time, and by the order
 * of scheduling where times are equal. */
#ifndef TACIT_TOOLS_VIRTUAL_QUEUE_H
#define TACIT_TOOLS_VIRTUAL_QUEUE_H

#include "common/base.h"

typedef enum {
    /* Of a device: */
    VIRTUAL_START,   /* its host finds the moment good and contributes */
    VIRTUAL_REQUEST, /* has computed long enough: makes its next request */
    VIRTUAL_ANSWER,  /* an answer arrives, status 200; `cut`: only its first half */
    VIRTUAL_HELD,    /* 202: come back after `value` seconds */
    VIRTUAL_REFUSED, /* a Problem with status `value` */
    VIRTUAL_LOST,    /* notices that its connection has broken */
    VIRTUAL_POLL,    /* its pause is over */
    VIRTUAL_CRASH,
    VIRTUAL_RESTART,
    VIRTUAL_JUMP,   /* its clock jumps by the `value` seconds (two's complement) */
    VIRTUAL_BACKUP, /* somebody copies its storage */
    /* Of the server: */
    VIRTUAL_ARRIVE, /* a request has arrived */
    VIRTUAL_TICK,
    VIRTUAL_SETTLE, /* the sum is published */
    VIRTUAL_SERVER_CRASH,
    VIRTUAL_OPEN /* opens the next round */
} virtual_kind;

/* True for events of a device. */
static inline bool virtual_of_device(virtual_kind kind) { return kind < VIRTUAL_ARRIVE; }

enum { VIRTUAL_PHASE_PLAN = 5 }; /* behind the cohort's JOIN .. REVEAL: the fetch of the plan */

/* A request's body or a poll's header, shared by the copies of a message. */
typedef struct {
    uint32_t users;
    bool poll;
    size_t len;
    uint8_t data[];
} virtual_body;

typedef struct {
    uint64_t at_us, order;
    virtual_kind kind;
    uint32_t device;
    uint64_t token; /* the device's exchange it belongs to; another one is over and ignores it */
    uint64_t round;
    uint8_t phase;
    bool cut;
    uint32_t slot, value;
    virtual_body *body;
} virtual_event;

typedef struct {
    virtual_event *heap;
    size_t count, cap;
    uint64_t order;
} virtual_queue;

/* Sets `order`. False when memory runs out. */
TACIT_MUST_CHECK bool virtual_queue_put(virtual_queue *q, virtual_event event);
/* The next event; NULL when there is none. Valid until the next put or take. */
const virtual_event *virtual_queue_peek(const virtual_queue *q);
virtual_event virtual_queue_take(virtual_queue *q);
/* With the bodies of the events left. */
void virtual_queue_free(virtual_queue *q);

virtual_body *virtual_body_new(const void *data, size_t len, bool poll); /* NULL: no memory */
void virtual_body_release(virtual_body *body);                           /* NULL allowed */

#endif
