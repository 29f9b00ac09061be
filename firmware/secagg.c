/* SPDX-License-Identifier: Apache-2.0
 * secagg.c - life of the device's cohort machine: memory, secrets, phases, join, poll. The answers'
 * checks stand in secagg_roster.c, secagg_shares.c, secagg_masks.c and secagg_reveal.c.
 *
 * There is one way out of every error: tacit_secagg_fail, which wipes. The machine refuses to say
 * anything twice, to go back a phase, or to look at a second answer of a phase (security C4). */
#include "firmware/secagg.h"

#include "common/mask.h"
#include "firmware/secagg_internal.h"

/* The machine holds a hash state, which wants cache-line alignment; the caller's block has 16. */
enum { BLOCK_ALIGN = 16, MACHINE_ALIGN = _Alignof(tacit_secagg), CAPACITY_MARGIN = 32 };

/* ---- memory ---------------------------------------------------------------------------------- */

/* Cycles of the graph at roster size n; 0 when the rule refuses it. */
static uint32_t cycles_at(const tacit_plan *plan, uint32_t n) {
    tacit_graph_rule rule;
    tacit_status st =
        tacit_graph_rule_init(&rule, n, plan->max_colluding, plan->max_dropout, plan->n_min_floor);
    return st == TACIT_OK ? rule.cycles : 0;
}

/* Neighbours to make room for; 0 when the plan is refused. The number of cycles grows with n but
 * for a ripple of a few cycles from the integer fractions, which the margin covers; should a graph
 * ask for more all the same, the device gets NO_SPACE and leaves. */
static uint32_t capacity_of(const tacit_plan *plan) {
    uint32_t lo = plan->n_lo, hi = plan->n_hi;
    if (lo < 3 || lo > hi || hi > TACIT_MAX_COHORT) return 0;
    if (hi <= TACIT_COMPLETE_GRAPH_MAX) {
        tacit_graph_rule rule;
        tacit_status st = tacit_graph_rule_init(&rule, hi, plan->max_colluding, plan->max_dropout,
                                                plan->n_min_floor);
        return st == TACIT_OK ? hi - 1 : 0;
    }
    uint32_t cycles = cycles_at(plan, hi);
    if (cycles == 0) return 0;
    uint32_t at_lo =
        cycles_at(plan, lo > TACIT_COMPLETE_GRAPH_MAX ? lo : TACIT_COMPLETE_GRAPH_MAX + 1);
    if (at_lo > cycles) cycles = at_lo;
    uint32_t capacity = 2 * cycles + CAPACITY_MARGIN;
    if (lo <= TACIT_COMPLETE_GRAPH_MAX && capacity < TACIT_COMPLETE_GRAPH_MAX - 1)
        capacity = TACIT_COMPLETE_GRAPH_MAX - 1;
    if (capacity > TACIT_MAX_NEIGHBOURS) capacity = TACIT_MAX_NEIGHBOURS;
    return capacity < hi - 1 ? capacity : hi - 1;
}

/* Bytes of the arrays behind the machine. u16 arrays first: everything after them is bytes. */
static size_t region_len(uint32_t capacity, uint32_t n_hi) {
    return sizeof(uint16_t) * (tacit_graph_scratch_count(n_hi) + capacity) +
           capacity * (sizeof(tacit_secagg_neighbour) + TACIT_SHARE_LEN + SECAGG_BOXES_LEN) +
           2 * tacit_bitmap_len(n_hi);
}

static size_t block_len(uint32_t capacity, uint32_t n_hi) {
    return MACHINE_ALIGN - BLOCK_ALIGN + sizeof(tacit_secagg) + region_len(capacity, n_hi);
}

size_t tacit_secagg_len(const tacit_plan *plan) {
    uint32_t capacity = capacity_of(plan);
    return capacity == 0 ? 0 : block_len(capacity, plan->n_hi);
}

size_t tacit_secagg_len_max(uint32_t n_hi) {
    if (n_hi < 3 || n_hi > TACIT_MAX_COHORT) return 0;
    return block_len(n_hi - 1 < TACIT_MAX_NEIGHBOURS ? n_hi - 1 : TACIT_MAX_NEIGHBOURS, n_hi);
}

static void lay_out(tacit_secagg *s, uint32_t capacity, uint32_t n_hi) {
    _Static_assert(_Alignof(tacit_secagg_neighbour) == 1, "the arrays after u16 are bytes");
    _Static_assert(SECAGG_HELD_LEN <= SECAGG_BOXES_LEN, "held keys take the boxes' place");
    s->capacity = capacity;
    s->region = (uint8_t *)(s + 1);
    s->region_len = region_len(capacity, n_hi);
    s->scratch = (uint16_t *)(void *)s->region;
    s->indices = s->scratch + tacit_graph_scratch_count(n_hi);
    s->neighbours = (tacit_secagg_neighbour *)(void *)(s->indices + capacity);
    s->dealt = (uint8_t *)(s->neighbours + capacity);
    s->boxes = s->dealt + (size_t)capacity * TACIT_SHARE_LEN;
    s->held = s->boxes;
    s->u2 = s->boxes + (size_t)capacity * SECAGG_BOXES_LEN;
    s->u3 = s->u2 + tacit_bitmap_len(n_hi);
    memset(s->region, 0, s->region_len);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Draws s, b and c, and what join tells of them. */
static tacit_status draw_secrets(tacit_secagg *s) {
    tacit_secagg_secrets *secrets = &s->secrets;
    tacit_status st = tacit_secagg_draw_secrets(secrets, &s->params);
    if (st != TACIT_OK) return st;
    uint8_t mask_secret[TACIT_KEY_LEN];
    tacit_mask_secret_key(mask_secret, secrets->s);
    tacit_x25519_public(s->join.mask_key, mask_secret);
    tacit_wipe(mask_secret, sizeof mask_secret);
    tacit_x25519_public(s->join.channel_key, secrets->c);
    tacit_mask_commit(s->join.commitment, secrets->b);
    return TACIT_OK;
}

tacit_status tacit_secagg_init(tacit_secagg **out, void *mem, size_t len,
                               const tacit_secagg_params *params) {
    const tacit_plan *plan = &params->plan;
    if (((uintptr_t)mem & (BLOCK_ALIGN - 1)) != 0) return TACIT_INVALID_ARGUMENT;
    /* Neighbours are checked against the pinned authority; a plan that names another is not ours.
     */
    if (!tacit_equal(plan->authority_key, params->authority_key, TACIT_KEY_LEN) ||
        plan->cohort_count == 0)
        return TACIT_BAD_PLAN;
    tacit_cert cert;
    tacit_status st = tacit_cert_decode(&cert, params->certificate);
    if (st != TACIT_OK) return st;
    uint32_t capacity = capacity_of(plan);
    if (capacity == 0) return TACIT_BELOW_FLOOR;
    if (len < tacit_secagg_len(plan)) return TACIT_NO_SPACE;

    uintptr_t at = ((uintptr_t)mem + MACHINE_ALIGN - 1) & ~(uintptr_t)(MACHINE_ALIGN - 1);
    tacit_secagg *s = (tacit_secagg *)(void *)((uint8_t *)mem + (at - (uintptr_t)mem));
    memset(s, 0, sizeof *s);
    s->params = *params;
    lay_out(s, capacity, plan->n_hi);
    tacit_wire_reader_init(&s->reader);
    memcpy(s->join.certificate, params->certificate, TACIT_CERT_LEN);
    tacit_cert_id(s->id, params->certificate);
    memcpy(s->device_key, cert.device_key, TACIT_KEY_LEN);
    s->cohort = tacit_cohort_of(plan->beacon, plan->round, s->id, plan->cohort_count);
    st = draw_secrets(s);
    if (st != TACIT_OK) return tacit_secagg_fail(s, st);
    *out = s;
    return TACIT_OK;
}

void tacit_secagg_wipe(tacit_secagg *s) {
    tacit_wipe(&s->secrets, sizeof s->secrets);
    tacit_wipe(&s->message, sizeof s->message);
    tacit_wipe(s->region, s->region_len);
    tacit_wire_reader_init(&s->reader);
    tacit_wipe(s->reader.buf, sizeof s->reader.buf);
}

void tacit_secagg_leave(tacit_secagg *s) {
    tacit_secagg_wipe(s);
    s->waiting = false;
    if (s->phase != TACIT_PHASE_DONE) s->phase = TACIT_PHASE_LEFT;
}

tacit_status tacit_secagg_fail(tacit_secagg *s, tacit_status status) {
    tacit_secagg_leave(s);
    return status;
}

/* ---- requests -------------------------------------------------------------------------------- */

tacit_status tacit_secagg_begin(tacit_secagg *s, tacit_phase phase) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (s->phase != phase || s->waiting) return tacit_secagg_fail(s, TACIT_WRONG_PHASE);
    return TACIT_OK;
}

tacit_status tacit_secagg_sent(tacit_secagg *s, tacit_status status) {
    if (status != TACIT_OK) return tacit_secagg_fail(s, status);
    s->waiting = true;
    s->want = SECAGG_WANT_HEADER;
    s->next = 0;
    return TACIT_OK;
}

void tacit_secagg_message(tacit_secagg *s, pb_size_t which) {
    memset(&s->message, 0, sizeof s->message);
    s->message.which_body = which;
}

static tacit_status sign_statement(tacit_secagg *s, uint8_t *sig,
                                   const tacit_statement *statement) {
    return s->params.sign(s->params.self, sig, statement->bytes, statement->len);
}

tacit_status tacit_secagg_sign(tacit_secagg *s, uint8_t sig[static TACIT_SIG_LEN],
                               tacit_label label, const uint8_t *session, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, s->cohort, s->index, body);
    return sign_statement(s, sig, &statement);
}

tacit_status tacit_secagg_verify(const tacit_secagg *s, const uint8_t *sig, tacit_label label,
                                 const uint8_t *session, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, s->cohort, s->index, body);
    return tacit_statement_verify(sig, &statement, s->params.plan.phase_key);
}

/* A statement before there is a roster: own id and the cohort of security C2. */
static tacit_status sign_join(tacit_secagg *s, uint8_t *sig, tacit_label label,
                              const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_join(&statement, label, s->params.plan_digest, s->params.plan.model_digest,
                         s->cohort, s->id, body);
    return sign_statement(s, sig, &statement);
}

tacit_status tacit_secagg_join(tacit_secagg *s, tacit_sink *out, uint64_t now_s) {
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_JOIN);
    if (st != TACIT_OK) return st;
    uint8_t body[TACIT_HASH_LEN];
    tacit_join_body(body, &s->join, s->id);
    st = sign_join(s, s->join.signature, TACIT_LABEL_JOIN, body);
    if (st != TACIT_OK) return tacit_secagg_fail(s, st);
    s->joined_s = now_s;
    s->expires_s = UINT64_MAX;
    tacit_secagg_message(s, tacit_Message_join_tag);
    tacit_JoinRequest *join = &s->message.body.join;
    tacit_wire_join_put(join, &s->join, s->cohort);
    join->version = TACIT_PROTOCOL_VERSION;
    join->version_min = TACIT_PROTOCOL_VERSION_MIN;
    return tacit_secagg_sent(s, tacit_wire_write(&s->message, out));
}

/* ---- answers --------------------------------------------------------------------------------- */

static tacit_status take(tacit_secagg *s) {
    switch (s->phase) {
        case TACIT_PHASE_JOIN: return tacit_secagg_take_roster(s);
        case TACIT_PHASE_SHARE: return tacit_secagg_take_shares(s);
        case TACIT_PHASE_MASK: return tacit_secagg_take_survivors(s);
        case TACIT_PHASE_AGREE: return tacit_secagg_take_signatures(s);
        case TACIT_PHASE_REVEAL: return tacit_secagg_take_receipt(s);
        case TACIT_PHASE_DONE:
        case TACIT_PHASE_LEFT: break;
    }
    return TACIT_WRONG_PHASE;
}

tacit_status tacit_secagg_answer(tacit_secagg *s, const uint8_t *data, size_t len) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (!s->waiting) return tacit_secagg_fail(s, TACIT_WRONG_PHASE);
    tacit_bytes in = tacit_bytes_of(data, len);
    while (in.len > 0) {
        tacit_status st = tacit_wire_read(&s->reader, &s->message, &in);
        if (st == TACIT_PENDING) return TACIT_OK;
        if (st == TACIT_OK) st = take(s);
        if (st != TACIT_OK) return tacit_secagg_fail(s, st);
    }
    return TACIT_OK;
}

/* What only the end of an answer can tell. */
static tacit_status finish(tacit_secagg *s, uint64_t now_s) {
    if (!tacit_wire_reader_idle(&s->reader) || s->want != SECAGG_WANT_END) return TACIT_TRUNCATED;
    switch (s->phase) {
        case TACIT_PHASE_JOIN: return tacit_secagg_end_roster(s, now_s);
        case TACIT_PHASE_SHARE: tacit_secagg_end_shares(s); return TACIT_OK;
        default: return TACIT_OK;
    }
}

tacit_status tacit_secagg_answer_end(tacit_secagg *s, uint64_t now_s) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (!s->waiting) return tacit_secagg_fail(s, TACIT_WRONG_PHASE);
    tacit_status st = finish(s, now_s);
    if (st != TACIT_OK) return tacit_secagg_fail(s, st);
    s->phase = (tacit_phase)(s->phase + 1);
    s->waiting = false;
    if (s->phase == TACIT_PHASE_DONE) tacit_secagg_wipe(s);
    return TACIT_OK;
}

/* ---- poll ------------------------------------------------------------------------------------ */

static char *put_hex(char *out, const uint8_t *data, size_t len) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    return out;
}

tacit_status tacit_secagg_poll(tacit_secagg *s, char *out) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (!s->waiting) return tacit_secagg_fail(s, TACIT_WRONG_PHASE);
    uint8_t body[TACIT_HASH_LEN], sig[TACIT_SIG_LEN], who[1 + TACIT_HASH_LEN];
    tacit_poll_body(body, (uint8_t)s->phase);
    tacit_status st;
    if (s->phase == TACIT_PHASE_JOIN) {
        who[0] = TACIT_HASH_LEN;
        memcpy(who + 1, s->id, TACIT_HASH_LEN);
        st = sign_join(s, sig, TACIT_LABEL_POLL, body);
    } else {
        who[0] = 4;
        tacit_put_u32(who + 1, s->index);
        st = tacit_secagg_sign(s, sig, TACIT_LABEL_POLL,
                               s->phase == TACIT_PHASE_SHARE ? s->session : s->session2, body);
    }
    if (st != TACIT_OK) return tacit_secagg_fail(s, st);
    out = put_hex(out, who, 1u + who[0]);
    out = put_hex(out, sig, sizeof sig);
    *out = '\0';
    return TACIT_OK;
}

/* ---- views ----------------------------------------------------------------------------------- */

tacit_phase tacit_secagg_phase(const tacit_secagg *s) { return s->phase; }

bool tacit_secagg_waiting(const tacit_secagg *s) { return s->waiting; }

uint32_t tacit_secagg_roster_count(const tacit_secagg *s) { return s->rule.n; }

uint32_t tacit_secagg_index(const tacit_secagg *s) { return s->index; }

uint32_t tacit_secagg_neighbour_count(const tacit_secagg *s) { return s->count; }

uint32_t tacit_secagg_survivors(const tacit_secagg *s, uint8_t sum_digest[static TACIT_HASH_LEN]) {
    memcpy(sum_digest, s->sum_digest, TACIT_HASH_LEN);
    return s->survivors;
}

void tacit_secagg_id(const tacit_secagg *s, uint8_t id[static TACIT_HASH_LEN]) {
    memcpy(id, s->id, TACIT_HASH_LEN);
}
