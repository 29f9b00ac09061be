/* SPDX-License-Identifier: Apache-2.0
 * unmask.c - the sum: the self masks of U3 come off, and every pair mask between a survivor and a
 * device that shared but sent no vector. All keys are derived once, before the first slice; a slice
 * is a range of coordinates small enough for the first-level cache, through which all masks go, so
 * slices are independent and any number of threads may run them. A cohort with one secret that
 * cannot be rebuilt has no sum: a mask left on makes every word meaningless. */
#include <stdlib.h>

#include "common/mask.h"
#include "common/ring.h"
#include "server/cohort_internal.h"

enum { SLICE_WORDS = 16 * TACIT_MASK_BLOCK };

/* ---- keys ------------------------------------------------------------------------------------ */

static size_t count_masks(const cohort *c) {
    size_t count = 0;
    for (uint32_t v = 0; v < c->rule.n; v++) {
        uint8_t kind;
        if (!cohort_secret_needed(c, v, &kind)) continue;
        count += kind == TACIT_KIND_B ? 1 : cohort_neighbours_in(c, v, COHORT_MASK);
    }
    return count;
}

/* The next free key: from the front when the mask is to be subtracted, else from the end. */
static uint8_t *next_key(cohort_job *job, size_t *added, bool subtract) {
    size_t at = subtract ? job->subtract_count++ : job->key_count - 1 - (*added)++;
    return job->keys + at * TACIT_KEY_LEN;
}

/* What survivor j added towards the device v that is gone, subtracted, or the other way round. */
static tacit_status derive_pair_masks(cohort *c, uint32_t v, const uint8_t *secret, size_t *added) {
    const tacit_plan *plan = &c->params.plan;
    const cohort_seat *gone = c->roster[v];
    uint8_t mask_secret[TACIT_KEY_LEN], shared[TACIT_KEY_LEN];
    tacit_status st = TACIT_OK;
    tacit_mask_secret_key(mask_secret, secret);
    for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1] && st == TACIT_OK; e++) {
        uint32_t j = c->adjacent[e];
        if (!cohort_in(c, COHORT_MASK, j)) continue;
        const cohort_seat *seat = c->roster[j];
        st = tacit_x25519(shared, mask_secret, seat->join.mask_key);
        if (st != TACIT_OK) break;
        uint8_t *key = next_key(&c->job, added, tacit_mask_adds(seat->id, gone->id));
        tacit_mask_pair_key(key, shared, c->session2, seat->id, gone->id, seat->join.mask_key,
                            gone->join.mask_key, plan->bits, plan->dims);
    }
    tacit_wipe(mask_secret, sizeof mask_secret);
    tacit_wipe(shared, sizeof shared);
    return st;
}

static tacit_status derive_masks(cohort *c, rebuild *r) {
    uint8_t secret[TACIT_SECRET_LEN], kind;
    size_t added = 0;
    tacit_status st = TACIT_OK;
    for (uint32_t v = 0; v < c->rule.n && st == TACIT_OK; v++) {
        uint32_t share_count = 0;
        if (!cohort_secret_needed(c, v, &kind)) continue;
        st = rebuild_secret(r, secret, &share_count, v, kind);
        if (st != TACIT_OK) {
            st = cohort_fail(c, st, "sum: secret %s of device %u: %u shares, %u needed%s",
                             kind == TACIT_KIND_B ? "b" : "s", v, share_count, c->thresholds[v],
                             st == TACIT_BAD_SHARE ? ", no choice of them fits" : "");
        } else if (kind == TACIT_KIND_B) {
            tacit_mask_self_key(next_key(&c->job, &added, true), secret, c->session2,
                                c->roster[v]->id);
            c->report.rebuilt_b++;
        } else {
            st = derive_pair_masks(c, v, secret, &added);
            if (st != TACIT_OK)
                st = cohort_fail(c, st, "sum: a pair secret of device %u is of low order", v);
            else
                c->report.rebuilt_s++;
        }
    }
    tacit_wipe(secret, sizeof secret);
    return st;
}

tacit_status cohort_job_prepare(cohort *c) {
    if (c->phase != COHORT_SUM || c->job.prepared) return TACIT_WRONG_PHASE;
    const tacit_plan *plan = &c->params.plan;
    rebuild *r = NULL;
    c->job.key_count = count_masks(c);
    assert(c->job.key_count > 0); /* U3 has n_min devices at least, and 2h >= n makes n_min > 0 */
    c->job.keys = calloc(c->job.key_count, TACIT_KEY_LEN);
    c->job.packed = malloc(tacit_ring_packed_len(plan->dims, plan->bits));
    tacit_status st = TACIT_NO_SPACE;
    if (c->job.keys != NULL && c->job.packed != NULL) st = rebuild_new(&r, c);
    if (st != TACIT_OK)
        st = cohort_fail(c, st, "sum: no memory to unmask");
    else
        st = derive_masks(c, r);
    rebuild_free(r);
    if (st != TACIT_OK) return st;
    cohort_shares_free(c);
    c->job.prepared = true;
    return TACIT_OK;
}

/* ---- slices ---------------------------------------------------------------------------------- */

uint32_t cohort_job_slices(const cohort *c) {
    return (c->params.plan.dims + SLICE_WORDS - 1) / SLICE_WORDS;
}

void cohort_job_run(cohort *c, uint32_t slice) {
    const cohort_job *job = &c->job;
    const tacit_plan *plan = &c->params.plan;
    assert(job->prepared && slice < cohort_job_slices(c));
    size_t first = (size_t)slice * SLICE_WORDS;
    size_t count = plan->dims - first < SLICE_WORDS ? plan->dims - first : SLICE_WORDS;
    for (size_t i = 0; i < job->key_count; i++)
        tacit_mask_apply(c->sum + first, first, count, plan->bits, job->keys + i * TACIT_KEY_LEN,
                         i < job->subtract_count);
}

void cohort_job_finish(cohort *c) {
    const tacit_plan *plan = &c->params.plan;
    assert(c->phase == COHORT_SUM && c->job.prepared);
    tacit_ring_pack(c->job.packed, c->sum, plan->dims, plan->bits);
    tacit_ring_unpack(c->sum, c->job.packed, plan->dims, plan->bits);
    tacit_sum_digest(c->report.sum_digest, c->report.survivors, plan->bits, plan->dims,
                     c->job.packed, tacit_ring_packed_len(plan->dims, plan->bits));
    cohort_job_free(c);
    c->phase = COHORT_DONE;
}

tacit_status cohort_sum_now(cohort *c) {
    tacit_status st = cohort_job_prepare(c);
    if (st != TACIT_OK) return st;
    for (uint32_t slice = 0; slice < cohort_job_slices(c); slice++) cohort_job_run(c, slice);
    cohort_job_finish(c);
    return TACIT_OK;
}
