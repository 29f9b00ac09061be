/* SPDX-License-Identifier: Apache-2.0
 * service_job.c - taking the masks off on libuv's worker threads: all tasks of a stage are queued
 * one by one, so a pool of any size is kept busy; what stands between the stages is short and runs
 * on the loop. */
#include <stdlib.h>

#include "server/service_internal.h"

static void start_stage(service_round *r);

static void run_tasks(uv_work_t *work) {
    const job_task *t = work->data;
    for (uint32_t i = 0; i < t->count; i++) cohort_job_run(t->round->cohort, t->first + i);
}

static void after_tasks(uv_work_t *work, int status) {
    const job_task *t = work->data;
    service_round *r = t->round;
    (void)status;
    if (--r->tasks_left > 0) return;
    if (r->tasks != &r->whole) free(r->tasks);
    r->tasks = NULL;
    cohort_job_next(r->cohort);
    start_stage(r);
}

static void job_over(service_round *r) {
    r->job_on = false;
    if (!r->s->stopping) service_advance(r);
}

/* Queues the tasks of the stage the job is in: one by one, or all in a row where there is no memory
 * for that. */
static void start_stage(service_round *r) {
    uint32_t count = cohort_job_tasks(r->cohort), items = count;
    if (count == 0 || r->s->stopping) return job_over(r);
    r->tasks = calloc(count, sizeof *r->tasks);
    if (r->tasks == NULL) {
        r->tasks = &r->whole;
        items = 1;
    }
    r->tasks_left = items;
    for (uint32_t i = 0; i < items; i++) {
        job_task *t = &r->tasks[i];
        *t = (job_task){.round = r, .first = i, .count = items == 1 ? count : 1};
        t->work.data = t;
        int code = uv_queue_work(r->s->loop, &t->work, run_tasks, after_tasks);
        assert(code == 0); /* it fails only without a callback */
        (void)code;
    }
}

void service_start_job(service_round *r) {
    tacit_status st = cohort_job_begin(r->cohort);
    (void)st; /* the cohort is in FAILED then and keeps the reason */
    r->job_on = true;
    start_stage(r);
}
