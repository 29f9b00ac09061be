/* SPDX-License-Identifier: Apache-2.0
 * service_job.c - taking the masks off on libuv's worker threads: prepare (one worker has the whole
 * cohort), then every slice by itself, then finish. Slices are queued one by one, so a pool of any
 * size is kept busy and other work gets its turn. */
#include <stdlib.h>

#include "server/service_internal.h"

typedef struct slice {
    uv_work_t work;
    service_round *round;
    uint32_t index;
} slice;

static void job_over(service_round *r) {
    r->job_on = false;
    if (!r->s->stopping) service_advance(r);
}

/* ---- Finish
 * ------------------------------------------------------------------------------------*/

static void finish(uv_work_t *work) {
    service_round *r = work->data;
    for (uint32_t i = 0; r->serial && i < cohort_job_slices(r->cohort); i++)
        cohort_job_run(r->cohort, i);
    cohort_job_finish(r->cohort);
}

static void after_finish(uv_work_t *work, int status) {
    service_round *r = work->data;
    (void)status;
    r->preparing = false;
    if (!r->s->stopping) call_unpark(r);
    job_over(r);
}

/* ---- Slices
 * ------------------------------------------------------------------------------------*/

static void run_slice(uv_work_t *work) {
    slice *part = work->data;
    cohort_job_run(part->round->cohort, part->index);
}

static void start_finish(service_round *r) {
    free(r->slices);
    r->slices = NULL;
    r->preparing = true; /* finish writes what answers read */
    r->work.data = r;
    if (r->s->stopping || uv_queue_work(r->s->loop, &r->work, finish, after_finish) != 0) {
        r->preparing = false;
        job_over(r);
    }
}

static void after_slice(uv_work_t *work, int status) {
    slice *part = work->data;
    service_round *r = part->round;
    (void)status;
    if (--r->slices_left == 0) start_finish(r);
}

static void start_slices(service_round *r) {
    uint32_t count = cohort_job_slices(r->cohort);
    r->slices = calloc(count, sizeof *r->slices);
    r->serial = r->slices == NULL;
    if (r->serial) return start_finish(r);
    r->slices_left = count;
    for (uint32_t i = 0; i < count; i++) {
        slice *part = &r->slices[i];
        *part = (slice){.round = r, .index = i};
        part->work.data = part;
        int code = uv_queue_work(r->s->loop, &part->work, run_slice, after_slice);
        assert(code == 0); /* it fails only without a callback */
        (void)code;
    }
}

/* ---- Prepare
 * -----------------------------------------------------------------------------------*/

static void prepare(uv_work_t *work) {
    service_round *r = work->data;
    tacit_status st = cohort_job_prepare(r->cohort);
    (void)st; /* the cohort is in FAILED then and keeps the reason */
}

static void after_prepare(uv_work_t *work, int status) {
    service_round *r = work->data;
    (void)status;
    r->preparing = false;
    if (r->s->stopping) {
        job_over(r);
        return;
    }
    call_unpark(r);
    if (cohort_phase_now(r->cohort) == COHORT_SUM)
        start_slices(r);
    else
        job_over(r);
}

void service_start_job(service_round *r) {
    r->job_on = r->preparing = true;
    r->work.data = r;
    if (uv_queue_work(r->s->loop, &r->work, prepare, after_prepare) != 0) {
        r->preparing = false;
        job_over(r);
    }
}
