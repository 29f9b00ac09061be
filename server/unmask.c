/* SPDX-License-Identifier: Apache-2.0
 * unmask.c - the sum: the self masks of U3 come off, and every pair mask between a survivor and a
 * device that shared but sent no vector.
 *
 * Two stages of tasks that any number of threads may run. SECRETS, a few devices a task: rebuild a
 * device's secret, check it, derive the keys of the masks it stands for; where they go was counted
 * before, so tasks write side by side. MASKS, a range of coordinates small enough for the
 * nearest caches and, where there are too few such ranges for many threads, a part of the keys a
 * task: the part is added up on the stack and then put into the sum word by word, atomically.
 * A cohort with one secret that cannot be rebuilt has no sum: a mask left on makes every word
 * meaningless. Then, too, the dealers whose own boxes prove them wrong are named. */
#include <stdlib.h>

#include "common/mask.h"
#include "common/ring.h"
#include "server/cohort_checks.h"
#include "server/rebuild.h"

enum {
    SECRETS_PER_TASK = 4,
    RANGE_WORDS = 16 * TACIT_MASK_BLOCK,
    TASKS_WANTED = 128, /* of the second stage, if there are masks enough */
    PART_KEYS_MIN = 64  /* so that adding a part up is little beside making its masks */
};

static uint32_t ceil_div(uint32_t a, uint32_t b) { return a / b + (a % b != 0); }

/* ---- begin ----------------------------------------------------------------------------------- */

/* Which secret of v is needed, and how many masks of each sign it stands for. */
static void count_masks(const cohort *c, cohort_job_secret *secret, uint32_t v, uint32_t count[2]) {
    count[0] = count[1] = 0;
    secret->needed = cohort_secret_needed(c, v, &secret->kind);
    if (!secret->needed) return;
    if (secret->kind == TACIT_KIND_B) {
        count[0] = 1;
        return;
    }
    for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++) {
        uint32_t j = c->adjacent[e];
        if (!cohort_in(c, COHORT_MASK, j)) continue;
        count[tacit_mask_adds(c->roster[j]->id, c->roster[v]->id) ? 0 : 1]++;
    }
}

/* Gives every secret its places in the list of keys. */
static void place_keys(cohort *c) {
    cohort_job *job = &c->job;
    uint32_t count[2], total[2] = {0, 0};
    for (uint32_t v = 0; v < c->rule.n; v++) {
        count_masks(c, &job->secrets[v], v, count);
        job->secrets[v].subtract_at = total[0];
        job->secrets[v].add_at = total[1];
        total[0] += count[0];
        total[1] += count[1];
    }
    for (uint32_t v = 0; v < c->rule.n; v++) job->secrets[v].add_at += total[0];
    job->subtract_count = total[0];
    job->key_count = total[0] + total[1];
}

tacit_status cohort_job_begin(cohort *c) {
    cohort_job *job = &c->job;
    if (c->phase != COHORT_SUM || job->stage != COHORT_JOB_NONE) return TACIT_WRONG_PHASE;
    const tacit_plan *plan = &c->params.plan;
    job->secrets = calloc(c->rule.n, sizeof *job->secrets);
    if (job->secrets != NULL) place_keys(c);
    assert(job->secrets == NULL || job->key_count > 0); /* U3 has n_min devices, and 2h >= n */
    job->keys = calloc(job->key_count, TACIT_KEY_LEN);
    job->packed = malloc(tacit_ring_packed_len(plan->dims, plan->bits));
    if (job->secrets == NULL || job->keys == NULL || job->packed == NULL)
        return cohort_fail(c, TACIT_NO_SPACE, "sum: no memory to unmask");
    job->stage = COHORT_JOB_SECRETS;
    job->task_count = ceil_div(c->rule.n, SECRETS_PER_TASK);
    return TACIT_OK;
}

uint32_t cohort_job_tasks(const cohort *c) {
    return c->phase == COHORT_SUM ? c->job.task_count : 0;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static uint8_t *key_at(const cohort *c, uint32_t at) {
    return c->job.keys + (size_t)at * TACIT_KEY_LEN;
}

/* What survivor j added towards the device v that is gone, subtracted, or the other way round. */
static tacit_status derive_pair_masks(const cohort *c, uint32_t v, const uint8_t *secret) {
    const tacit_plan *plan = &c->params.plan;
    const cohort_seat *gone = c->roster[v];
    uint32_t at[2] = {c->job.secrets[v].subtract_at, c->job.secrets[v].add_at};
    uint8_t mask_secret[TACIT_KEY_LEN], shared[TACIT_KEY_LEN];
    tacit_status st = TACIT_OK;
    tacit_mask_secret_key(mask_secret, secret);
    for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1] && st == TACIT_OK; e++) {
        uint32_t j = c->adjacent[e];
        if (!cohort_in(c, COHORT_MASK, j)) continue;
        const cohort_seat *seat = c->roster[j];
        st = tacit_x25519(shared, mask_secret, seat->join.mask_key);
        if (st != TACIT_OK) break;
        uint8_t *key = key_at(c, at[tacit_mask_adds(seat->id, gone->id) ? 0 : 1]++);
        tacit_mask_pair_key(key, shared, c->session2, seat->id, gone->id, seat->join.mask_key,
                            gone->join.mask_key, plan->bits, plan->dims);
    }
    tacit_wipe(mask_secret, sizeof mask_secret);
    tacit_wipe(shared, sizeof shared);
    return st;
}

static tacit_status derive_masks(const cohort *c, rebuild *r, uint32_t v) {
    cohort_job_secret *job = &c->job.secrets[v];
    uint8_t secret[TACIT_SECRET_LEN];
    rebuild_count count;
    tacit_status st = rebuild_secret(r, secret, &count, v, job->kind);
    job->came = (uint16_t)count.came;
    job->wrong = (uint16_t)count.wrong;
    if (st != TACIT_OK) return st;
    if (job->kind == TACIT_KIND_B)
        tacit_mask_self_key(key_at(c, job->subtract_at), secret, c->session2, c->roster[v]->id);
    else
        st = derive_pair_masks(c, v, secret);
    tacit_wipe(secret, sizeof secret);
    return st;
}

static void run_secrets(cohort *c, uint32_t task) {
    uint32_t first = task * SECRETS_PER_TASK, end = first + SECRETS_PER_TASK;
    if (end > c->rule.n) end = c->rule.n;
    rebuild *r = NULL;
    tacit_status room = rebuild_new(&r, c, task);
    for (uint32_t v = first; v < end; v++) {
        cohort_job_secret *job = &c->job.secrets[v];
        if (job->needed) job->status = room == TACIT_OK ? derive_masks(c, r, v) : room;
    }
    rebuild_free(r);
}

/* A dealer is named when at least t_v of its boxes were opened by their holders and what is in them
 * is no share, or shares that contradict each other or its commitment. Neighbours that revealed
 * without a key for its boxes prove nothing against it, few of them or many: they make it suspect
 * when its secret is lost for want of theirs. */
static void name_dealer(cohort *c, uint32_t v) {
    const cohort_job_secret *job = &c->job.secrets[v];
    uint32_t empty = c->empty_boxes[v], opened = job->came + empty;
    uint32_t unopened = cohort_neighbours_in(c, v, COHORT_REVEAL) - opened;
    bool bad = job->wrong > 0 || empty > 0 || job->status == TACIT_BAD_SHARE;
    cohort_blame blame = {.index = v, .phase = COHORT_SHARE};
    if (bad && opened >= c->thresholds[v]) {
        blame.fault = COHORT_FAULT_DEAL;
        blame.wrong = job->wrong + empty;
        blame.came = opened;
    } else if (job->status == TACIT_TOO_FEW && unopened > 0) {
        blame.fault = COHORT_FAULT_UNOPENED;
        blame.wrong = unopened;
        blame.came = job->came;
    } else {
        return;
    }
    cohort_blame_add(c, &blame);
}

/* Every secret was tried: names, counts, and goes on or gives up for the first that failed. */
static tacit_status judge_secrets(cohort *c) {
    uint32_t failed = UINT32_MAX;
    for (uint32_t v = 0; v < c->rule.n; v++) {
        const cohort_job_secret *job = &c->job.secrets[v];
        if (!job->needed) continue;
        name_dealer(c, v);
        if (job->status != TACIT_OK && failed == UINT32_MAX) failed = v;
        if (job->kind == TACIT_KIND_B)
            c->report.rebuilt_b += job->status == TACIT_OK;
        else
            c->report.rebuilt_s += job->status == TACIT_OK;
    }
    if (failed == UINT32_MAX) return TACIT_OK;
    const cohort_job_secret *job = &c->job.secrets[failed];
    if (job->status != TACIT_TOO_FEW && job->status != TACIT_BAD_SHARE)
        return cohort_fail(c, job->status, "sum: device %u: %s", failed,
                           tacit_status_text(job->status));
    return cohort_fail(c, job->status, "sum: secret %s of device %u: %u shares, %u needed%s",
                       job->kind == TACIT_KIND_B ? "b" : "s", failed, job->came,
                       c->thresholds[failed],
                       job->status == TACIT_BAD_SHARE ? ", too many of them wrong" : "");
}

/* ---- masks ----------------------------------------------------------------------------------- */

static void begin_masks(cohort *c) {
    cohort_job *job = &c->job;
    cohort_shares_free(c);
    job->stage = COHORT_JOB_MASKS;
    job->ranges = ceil_div(c->params.plan.dims, RANGE_WORDS);
    job->parts = ceil_div(TASKS_WANTED, job->ranges);
    uint32_t most = job->key_count / PART_KEYS_MIN;
    if (job->parts > most) job->parts = most > 0 ? most : 1;
    job->task_count = job->ranges * job->parts;
}

static void apply_keys(const cohort *c, uint32_t *words, size_t first, size_t count,
                       uint32_t from_key, uint32_t to_key) {
    const cohort_job *job = &c->job;
    for (uint32_t i = from_key; i < to_key; i++)
        tacit_mask_apply(words, first, count, c->params.plan.bits, key_at(c, i),
                         i < job->subtract_count);
}

static void run_masks(cohort *c, uint32_t task) {
    const cohort_job *job = &c->job;
    const tacit_plan *plan = &c->params.plan;
    uint32_t part = task / job->ranges;
    size_t first = (size_t)(task % job->ranges) * RANGE_WORDS;
    size_t count = plan->dims - first < RANGE_WORDS ? plan->dims - first : RANGE_WORDS;
    if (job->parts == 1) return apply_keys(c, c->sum + first, first, count, 0, job->key_count);
    uint32_t from = (uint32_t)((uint64_t)job->key_count * part / job->parts);
    uint32_t to = (uint32_t)((uint64_t)job->key_count * (part + 1) / job->parts);
    uint32_t words[RANGE_WORDS];
    memset(words, 0, count * sizeof *words);
    apply_keys(c, words, first, count, from, to);
    for (size_t i = 0; i < count; i++)
        (void)__atomic_fetch_add(&c->sum[first + i], words[i], __ATOMIC_RELAXED);
    tacit_wipe(words, sizeof words);
}

static void finish(cohort *c) {
    const tacit_plan *plan = &c->params.plan;
    tacit_ring_pack(c->job.packed, c->sum, plan->dims, plan->bits);
    tacit_ring_unpack(c->sum, c->job.packed, plan->dims, plan->bits);
    tacit_sum_digest(c->report.sum_digest, c->report.survivors, plan->bits, plan->dims,
                     c->job.packed, tacit_ring_packed_len(plan->dims, plan->bits));
    cohort_job_free(c);
    c->phase = COHORT_DONE;
}

/* ---- the job --------------------------------------------------------------------------------- */

void cohort_job_run(cohort *c, uint32_t task) {
    assert(task < cohort_job_tasks(c));
    if (c->job.stage == COHORT_JOB_SECRETS)
        run_secrets(c, task);
    else
        run_masks(c, task);
}

void cohort_job_next(cohort *c) {
    assert(c->phase == COHORT_SUM && c->job.stage != COHORT_JOB_NONE);
    if (c->job.stage == COHORT_JOB_MASKS)
        finish(c);
    else if (judge_secrets(c) == TACIT_OK)
        begin_masks(c);
}

tacit_status cohort_sum_now(cohort *c) {
    tacit_status st = cohort_job_begin(c);
    if (st != TACIT_OK) return st;
    for (uint32_t tasks; (tasks = cohort_job_tasks(c)) > 0; cohort_job_next(c))
        for (uint32_t task = 0; task < tasks; task++) cohort_job_run(c, task);
    return c->report.failure;
}
