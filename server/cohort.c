/* SPDX-License-Identifier: Apache-2.0
 * cohort.c - life of the server's cohort: memory, phases, the one way into failure, the report.
 *
 * What each phase takes stands in cohort_join.c, cohort_phases.c and cohort_reveal.c, what it
 * answers in cohort_answer.c, the sum in unmask.c. REVEAL closes when every device that agreed has
 * answered, when it has become quiet or at its deadline; it could close as soon as every secret has
 * t_v shares, which would save more of the wait and cost most of the spare shares that make up for
 * wrong ones, so it does not. Nothing here reads a clock, opens a socket or draws a random number.
 */
#include "server/cohort.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/ring.h"
#include "server/cohort_checks.h"

/* ---- life ------------------------------------------------------------------------------------ */

static tacit_status check_params(const cohort_params *params) {
    const tacit_plan *plan = &params->plan;
    if (plan->n_lo > plan->n_hi || plan->n_hi == 0 || plan->n_hi > TACIT_MAX_COHORT ||
        plan->dims == 0 || plan->dims > TACIT_MAX_DIMS || !tacit_ring_bits_check(plan->bits) ||
        plan->cohort_count == 0 || params->cohort >= plan->cohort_count)
        return TACIT_BAD_PLAN;
    /* Answers signed by another key than the plan's would make every device leave. */
    tacit_statement probe;
    uint8_t sig[TACIT_SIG_LEN];
    tacit_statement_digest(&probe, TACIT_LABEL_PLAN, params->plan_digest);
    tacit_statement_sign(sig, &probe, params->phase_secret);
    return tacit_statement_verify(sig, &probe, plan->phase_key) == TACIT_OK ? TACIT_OK
                                                                            : TACIT_BAD_PLAN;
}

static tacit_status copy_banned(cohort *c, const cohort_params *params) {
    uint32_t count = params->banned_count;
    c->params.banned = NULL;
    c->params.banned_count = 0;
    tacit_status st = key_table_init(&c->banned, count > 0 ? count : 1, c->secret);
    for (uint32_t i = 0; i < count && st == TACIT_OK; i++)
        if (key_table_find(&c->banned, params->banned[i]) == NULL)
            st = key_table_add(&c->banned, params->banned[i], 0);
    return st;
}

tacit_status cohort_new(cohort **out, const cohort_params *params) {
    *out = NULL;
    tacit_status st = check_params(params);
    if (st != TACIT_OK) return st;
    cohort *c = calloc(1, sizeof *c);
    if (c == NULL) return TACIT_NO_SPACE;
    uint32_t n_hi = params->plan.n_hi, expected = params->expected_count;
    c->params = *params;
    c->deadline_s = params->plan.join_until_s;
    c->target = expected > 0 && expected < n_hi ? expected : n_hi;
    tacit_mac(c->secret, params->plan_digest, TACIT_LABEL_STREAM, params->phase_secret,
              sizeof params->phase_secret);
    c->seats = calloc(n_hi, sizeof *c->seats);
    st = c->seats != NULL ? key_table_init(&c->ids, n_hi, c->secret) : TACIT_NO_SPACE;
    if (st == TACIT_OK) st = key_table_init(&c->strangers, n_hi, c->secret);
    if (st == TACIT_OK) st = copy_banned(c, params);
    if (st == TACIT_OK) st = key_table_init(&c->device_keys, n_hi, c->secret);
    if (st == TACIT_OK) st = key_table_init(&c->round_keys, 3 * n_hi, c->secret);
    if (st != TACIT_OK) {
        cohort_free(c);
        return st;
    }
    *out = c;
    return TACIT_OK;
}

void cohort_shares_free(cohort *c) {
    if (c->shares != NULL) tacit_wipe(c->shares, (size_t)c->offsets[c->rule.n] * TACIT_SHARE_LEN);
    free(c->shares);
    free(c->held);
    free(c->empty_boxes);
    free(c->boxes);
    c->shares = c->held = c->boxes = NULL;
    c->empty_boxes = NULL;
}

void cohort_job_free(cohort *c) {
    if (c->job.keys != NULL) tacit_wipe(c->job.keys, (size_t)c->job.key_count * TACIT_KEY_LEN);
    free(c->job.keys);
    free(c->job.secrets);
    free(c->job.packed);
    c->job = (cohort_job){0};
}

/* Everything that is worth something to an attacker, or large. */
static void discard(cohort *c) {
    cohort_shares_free(c);
    cohort_job_free(c);
    if (c->sum != NULL) tacit_wipe(c->sum, c->params.plan.dims * sizeof *c->sum);
    free(c->sum);
    c->sum = NULL;
}

void cohort_free(cohort *c) {
    if (c == NULL) return;
    discard(c);
    key_table_free(&c->ids);
    key_table_free(&c->strangers);
    key_table_free(&c->banned);
    key_table_free(&c->device_keys);
    key_table_free(&c->round_keys);
    for (int phase = 0; phase <= COHORT_REVEAL; phase++) free(c->sets[phase]);
    free(c->seats);
    free(c->roster);
    free(c->offsets);
    free(c->adjacent);
    free(c->thresholds);
    free(c->nodes);
    free(c->stage);
    free(c->blames);
    tacit_wipe(c, sizeof *c);
    free(c);
}

void cohort_note(char *note, const char *format, ...) {
    if (note == NULL) return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(note, TACIT_NOTE_LEN + 1, format, args);
    va_end(args);
}

tacit_status cohort_fail(cohort *c, tacit_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->report.failure_note, sizeof c->report.failure_note, format, args);
    va_end(args);
    c->report.failure = status;
    c->phase = COHORT_FAILED;
    discard(c);
    return status;
}

/* ---- the graph's edges ----------------------------------------------------------------------- */

uint32_t cohort_edge(const cohort *c, uint32_t v, uint32_t j) {
    uint32_t lo = c->offsets[v], hi = c->offsets[v + 1];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (c->adjacent[mid] < j)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->offsets[v + 1] && c->adjacent[lo] == j ? lo : UINT32_MAX;
}

uint32_t cohort_neighbours_in(const cohort *c, uint32_t v, cohort_phase phase) {
    uint32_t count = 0;
    for (uint32_t e = c->offsets[v]; e < c->offsets[v + 1]; e++)
        count += cohort_in(c, phase, c->adjacent[e]);
    return count;
}

bool cohort_secret_needed(const cohort *c, uint32_t v, uint8_t *kind) {
    if (!cohort_in(c, COHORT_SHARE, v)) return false;
    *kind = cohort_in(c, COHORT_MASK, v) ? TACIT_KIND_B : TACIT_KIND_S;
    return *kind == TACIT_KIND_B || cohort_neighbours_in(c, v, COHORT_MASK) > 0;
}

/* ---- phases ---------------------------------------------------------------------------------- */

static uint32_t duration_s(const cohort *c, cohort_phase phase) {
    const tacit_plan *plan = &c->params.plan;
    switch (phase) {
        case COHORT_SHARE: return plan->share_s;
        case COHORT_MASK: return plan->mask_s;
        case COHORT_AGREE: return plan->agree_s;
        default: return plan->reveal_s;
    }
}

static tacit_status close_phase(cohort *c) {
    switch (c->phase) {
        case COHORT_JOIN: return cohort_close_join(c);
        case COHORT_SHARE: return cohort_close_share(c);
        case COHORT_MASK: return cohort_close_mask(c);
        case COHORT_AGREE: return cohort_close_agree(c);
        default: return TACIT_OK;
    }
}

/* Enough have sent for the cohort to go on, and nobody else has for a while. */
static bool quiet(const cohort *c, uint64_t now_s) {
    const tacit_plan *plan = &c->params.plan;
    if (c->params.quiet_s == 0 || now_s <= c->heard_s + c->params.quiet_s) return false;
    if (c->phase != COHORT_JOIN) return c->report.sent[c->phase] >= c->rule.n_min;
    uint32_t usual = c->target - c->target * plan->max_dropout / 1000;
    return c->joined >= plan->n_lo && c->joined >= usual;
}

bool cohort_tick(cohort *c, uint64_t now_s) {
    if (c->phase >= COHORT_SUM) return false;
    bool complete = c->phase == COHORT_JOIN ? c->joined >= c->target : c->waiting == 0;
    if (!complete && now_s <= c->deadline_s && !quiet(c, now_s)) return false;
    if (close_phase(c) != TACIT_OK) return true;
    c->phase = (cohort_phase)(c->phase + 1);
    c->deadline_s = c->phase == COHORT_SUM ? UINT64_MAX : now_s + duration_s(c, c->phase);
    c->heard_s = now_s;
    return true;
}

cohort_phase cohort_phase_now(const cohort *c) { return c->phase; }

uint64_t cohort_deadline_s(const cohort *c) {
    return c->phase < COHORT_SUM ? c->deadline_s : UINT64_MAX;
}

/* ---- requests -------------------------------------------------------------------------------- */

tacit_status cohort_submit(cohort *c, uint32_t *slot, char *note, cohort_phase phase,
                           tacit_bytes body, uint64_t now_s) {
    if (note != NULL) *note = '\0';
    tacit_status st = cohort_check_open(c, note, phase, now_s);
    if (st != TACIT_OK) return st;
    size_t max = cohort_body_max(c, phase);
    if (body.len > max) {
        cohort_note(note, "the body has %zu bytes, at most %zu are taken", body.len, max);
        return TACIT_TOO_LARGE;
    }
    cohort_request r = {.c = c, .phase = phase, .in = body, .note = note};
    tacit_wire_reader_init(&r.reader);
    switch (phase) {
        case COHORT_JOIN: st = cohort_take_join(&r, slot, now_s); break;
        case COHORT_SHARE: st = cohort_take_share(&r); break;
        case COHORT_MASK: st = cohort_take_mask(&r); break;
        case COHORT_AGREE: st = cohort_take_agree(&r); break;
        default: st = cohort_take_reveal(&r); break;
    }
    if (phase != COHORT_JOIN && (st == TACIT_OK || st == TACIT_DUPLICATE))
        *slot = (uint32_t)(r.seat - c->seats);
    if (st == TACIT_OK) c->heard_s = now_s;
    return st;
}

/* Encoded length of a message of this kind with every field at its longest. */
static size_t longest(pb_size_t which) {
    tacit_Message m;
    memset(&m, 0xff, sizeof m);
    m.which_body = which;
    return tacit_wire_len(&m);
}

size_t cohort_body_max(const cohort *c, cohort_phase phase) {
    const tacit_plan *plan = &c->params.plan;
    size_t neighbours = c->degree_max;
    if (neighbours == 0) /* no roster yet */
        neighbours = plan->n_hi - 1 < TACIT_MAX_NEIGHBOURS ? plan->n_hi - 1 : TACIT_MAX_NEIGHBOURS;
    switch (phase) {
        case COHORT_JOIN: return longest(tacit_Message_join_tag);
        case COHORT_SHARE:
            return longest(tacit_Message_share_tag) +
                   neighbours * longest(tacit_Message_sealed_tag);
        case COHORT_MASK:
            return longest(tacit_Message_mask_tag) + tacit_ring_packed_len(plan->dims, plan->bits);
        case COHORT_AGREE: return longest(tacit_Message_agree_tag);
        case COHORT_REVEAL:
            return longest(tacit_Message_reveal_tag) +
                   neighbours * longest(tacit_Message_revealed_tag);
        default: return 0;
    }
}

/* ---- what happened --------------------------------------------------------------------------- */

void cohort_blame_add(cohort *c, const cohort_blame *blame) {
    assert(c->report.blame_count < 2 * c->rule.n);
    cohort_blame *b = &c->blames[c->report.blame_count++];
    *b = *blame;
    memcpy(b->id, c->roster[b->index]->id, TACIT_HASH_LEN);
    memcpy(b->device_key, c->roster[b->index]->device_key, TACIT_KEY_LEN);
}

const char *cohort_fault_name(cohort_fault fault) {
    static const char *const names[] = {"message", "key", "deal", "unopened"};
    return names[fault];
}

bool cohort_fault_bans(cohort_fault fault) {
    return fault == COHORT_FAULT_KEY || fault == COHORT_FAULT_DEAL;
}

const uint32_t *cohort_sum(const cohort *c) { return c->phase == COHORT_DONE ? c->sum : NULL; }

void cohort_report_get(const cohort *c, cohort_report *out) {
    *out = c->report;
    out->blames = c->blames;
}

uint32_t cohort_slot_index(const cohort *c, uint32_t slot) {
    return slot < c->joined ? c->seats[slot].index : UINT32_MAX;
}

const uint8_t *cohort_u3(const cohort *c) {
    return c->report.survivors > 0 ? c->sets[COHORT_MASK] : NULL;
}

const uint8_t *cohort_id(const cohort *c, uint32_t index) {
    return c->roster != NULL && index < c->rule.n ? c->roster[index]->id : NULL;
}
