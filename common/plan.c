/* SPDX-License-Identifier: Apache-2.0
 * plan.c - the plan's encoding and what a plan may say of itself. Every number stands in one of the
 * two tables below with its place and its range, and encoder, decoder and checks all read those
 * tables, so none of them can know a field the others do not. A plan is refused when any byte
 * that should be zero is not: what decodes encodes to the same bytes again. What a device demands
 * beyond this is in plan_floors.c. */
#include "common/plan.h"

#include <float.h>
#include <math.h>

#include "common/crypto.h"
#include "common/transcript.h"

/* ---- the layout and the ranges --------------------------------------------------------------- */

typedef struct {
    uint16_t at, len, member; /* offset in the encoding, bytes, offset in tacit_plan */
    uint64_t lo, hi;          /* accepted range, both ends included */
    const char *what;
} whole_field;

typedef struct {
    uint16_t at, member;
    double lo, hi; /* both ends included; DBL_MIN as lo says "above zero" */
    const char *what;
} real_field;

typedef struct {
    uint16_t at, member; /* 32 bytes, any value */
} bytes_field;

#define SIZE_OF(name) sizeof(((const tacit_plan *)0)->name)
#define WHOLE(at, name, lo, hi) \
    { at, SIZE_OF(name), offsetof(tacit_plan, name), lo, hi, "plan: " #name " is out of range" }
#define REAL(at, name, lo, hi) \
    { at, offsetof(tacit_plan, name), lo, hi, "plan: " #name " is not finite or out of range" }
#define BYTES(at, name) \
    { at, offsetof(tacit_plan, name) }

/* Numbers that a database keeps as signed 64-bit integers. */
#define COUNTER_MAX (uint64_t) INT64_MAX
/* Unix seconds up to the year 36812. */
#define TIME_MAX (UINT64_C(1) << 40)
#define MU_MAX (UINT64_C(1) << 50)
enum {
    FRACTION_MAX = 500,         /* per thousand; 2h >= n never holds above it */
    SEPARATION_MAX_S = 1 << 29, /* 17 years */
    SCALE_MAX = 1 << 20
};

static const char magic[8] = {'T', 'A', 'C', 'I', 'T', 'P', 'L', '1'};

static const whole_field wholes[] = {
    WHOLE(8, version, 1, UINT16_MAX),
    WHOLE(10, version_min, 1, UINT16_MAX),
    WHOLE(12, suite, TACIT_SUITE_1, TACIT_SUITE_1),
    WHOLE(14, aggregation, TACIT_AGGREGATION_PEERS, TACIT_AGGREGATION_PEERS),
    WHOLE(16, round, 1, COUNTER_MAX),
    WHOLE(24, run, 0, COUNTER_MAX),
    WHOLE(32, sum_index, 0, TACIT_MAX_SUMS - 1),
    WHOLE(36, sum_count, 1, TACIT_MAX_SUMS),
    WHOLE(40, opens_s, 1, TIME_MAX),
    WHOLE(48, join_until_s, 1, TIME_MAX),
    WHOLE(56, share_s, 1, UINT16_MAX),
    WHOLE(58, mask_s, 1, UINT16_MAX),
    WHOLE(60, agree_s, 1, UINT16_MAX),
    WHOLE(62, reveal_s, 1, UINT16_MAX),
    WHOLE(64, n_lo, 3, TACIT_MAX_COHORT),
    WHOLE(68, n_hi, 3, TACIT_MAX_COHORT),
    WHOLE(72, max_colluding, 0, FRACTION_MAX),
    WHOLE(74, max_dropout, 0, FRACTION_MAX),
    WHOLE(76, n_min_floor, 0, TACIT_MAX_COHORT),
    WHOLE(80, cohort_count, 1, 1), /* one cohort until there is a log (security C2) */
    WHOLE(84, least_class, 1, 3),
    WHOLE(85, bits, 16, 32),
    WHOLE(86, blocks, 1, TACIT_BLOCK_COUNTS | TACIT_BLOCK_GRADIENT),
    WHOLE(248, item_count, 1, TACIT_MAX_ITEMS),
    WHOLE(252, factor, 0, TACIT_MAX_FACTOR),
    WHOLE(256, dims, 1, TACIT_MAX_DIMS),
    WHOLE(260, slice_start, 0, TACIT_MAX_ITEMS - 1),
    WHOLE(264, slice_count, 1, TACIT_MAX_ITEMS),
    WHOLE(268, separation_s, 0, SEPARATION_MAX_S),
    WHOLE(272, mu, 1, MU_MAX),
};

static const real_field reals[] = {
    REAL(280, scale, 1.0, SCALE_MAX),     REAL(288, counts_weight, 0.0, 1.0),
    REAL(296, gradient_weight, 0.0, 1.0), REAL(304, a0, DBL_MIN, 100.0),
    REAL(312, user_ridge, DBL_MIN, 1e4),  REAL(320, user_ridge_exponent, 0.0, 2.0),
    REAL(328, history_floor, 1.0, 1e4),   REAL(336, leave_one_out, 0.0, 1.0),
    REAL(344, epsilon, DBL_MIN, 100.0),   REAL(352, delta, DBL_MIN, 0.01),
};

static const bytes_field strings[] = {
    BYTES(88, beacon),     BYTES(120, model_digest),  BYTES(152, authority_key),
    BYTES(184, phase_key), BYTES(216, rotation_seed),
};

/* What no field covers. */
static const struct { uint16_t at, len; } zeros[] = {{87, 1}, {360, TACIT_PLAN_LEN - 360}};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- moving numbers -------------------------------------------------------------------------- */

static uint64_t member_get(const tacit_plan *plan, const whole_field *f) {
    const uint8_t *from = (const uint8_t *)plan + f->member;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    switch (f->len) {
        case 1: return *from;
        case 2: memcpy(&v16, from, sizeof v16); return v16;
        case 4: memcpy(&v32, from, sizeof v32); return v32;
        default: memcpy(&v64, from, sizeof v64); return v64;
    }
}

static void member_set(tacit_plan *plan, const whole_field *f, uint64_t v) {
    uint8_t *to = (uint8_t *)plan + f->member;
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;
    switch (f->len) {
        case 1: *to = (uint8_t)v; break;
        case 2: memcpy(to, &v16, sizeof v16); break;
        case 4: memcpy(to, &v32, sizeof v32); break;
        default: memcpy(to, &v, sizeof v); break;
    }
}

static uint64_t number_get(const uint8_t *in, size_t len) {
    uint64_t v = 0;
    for (size_t i = len; i-- > 0;) v = v << 8 | in[i];
    return v;
}

static void number_put(uint8_t *out, size_t len, uint64_t v) {
    for (size_t i = 0; i < len; i++) out[i] = (uint8_t)(v >> (8 * i));
}

static bool all_zero(const uint8_t *data, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) any |= data[i];
    return any == 0;
}

/* ---- encoding -------------------------------------------------------------------------------- */

void tacit_plan_encode(uint8_t out[static TACIT_PLAN_LEN], const tacit_plan *plan) {
    memset(out, 0, TACIT_PLAN_LEN);
    memcpy(out, magic, sizeof magic);
    for (size_t i = 0; i < COUNT(wholes); i++)
        number_put(out + wholes[i].at, wholes[i].len, member_get(plan, &wholes[i]));
    for (size_t i = 0; i < COUNT(reals); i++) {
        double v;
        memcpy(&v, (const uint8_t *)plan + reals[i].member, sizeof v);
        tacit_put_f64(out + reals[i].at, v);
    }
    for (size_t i = 0; i < COUNT(strings); i++)
        memcpy(out + strings[i].at, (const uint8_t *)plan + strings[i].member, 32);
}

/* Fills the plan; a sentence when a number leaves its range, else NULL. */
static const char *parse(tacit_plan *plan, const uint8_t *encoded) {
    memset(plan, 0, sizeof *plan);
    for (size_t i = 0; i < COUNT(zeros); i++)
        if (!all_zero(encoded + zeros[i].at, zeros[i].len))
            return "plan: a reserved byte is not zero";
    for (size_t i = 0; i < COUNT(wholes); i++) {
        uint64_t v = number_get(encoded + wholes[i].at, wholes[i].len);
        if (v < wholes[i].lo || v > wholes[i].hi) return wholes[i].what;
        member_set(plan, &wholes[i], v);
    }
    for (size_t i = 0; i < COUNT(reals); i++) {
        double v = tacit_get_f64(encoded + reals[i].at);
        /* Written so that NaN fails; -0 would be a second encoding of 0. */
        if (!(v >= reals[i].lo && v <= reals[i].hi) || signbit(v)) return reals[i].what;
        memcpy((uint8_t *)plan + reals[i].member, &v, sizeof v);
    }
    for (size_t i = 0; i < COUNT(strings); i++)
        memcpy((uint8_t *)plan + strings[i].member, encoded + strings[i].at, 32);
    return NULL;
}

/* ---- what must hold between fields ----------------------------------------------------------- */

static const char *check_schedule(const tacit_plan *p) {
    if (p->sum_index >= p->sum_count) return "plan: sum_index is not below sum_count";
    if (p->join_until_s <= p->opens_s) return "plan: the join phase ends before it opens";
    if (p->join_until_s - p->opens_s > TACIT_JOIN_PHASE_MAX_S)
        return "plan: the join phase is longer than 8 minutes";
    if (p->n_lo > p->n_hi) return "plan: n_lo is above n_hi";
    if (!all_zero(p->beacon, sizeof p->beacon)) return "plan: a beacon needs a log";
    return NULL;
}

static const char *check_vector(const tacit_plan *p) {
    bool counts = (p->blocks & TACIT_BLOCK_COUNTS) != 0;
    bool gradient = (p->blocks & TACIT_BLOCK_GRADIENT) != 0;
    if (p->bits != 16 && p->bits != 20 && p->bits != 24 && p->bits != 32)
        return "plan: bits is not 16, 20, 24 or 32";
    if (p->slice_count > p->item_count || p->slice_start > p->item_count - p->slice_count)
        return "plan: the slice leaves the model";
    if (gradient && p->factor == 0) return "plan: a gradient needs factors";
    if ((p->dims & (p->dims - 1)) != 0) return "plan: dims is not a power of two";
    if (tacit_plan_vector_count(p) > p->dims) return "plan: dims is shorter than the blocks";
    if (counts != (p->counts_weight > 0) || gradient != (p->gradient_weight > 0))
        return "plan: a weight is zero exactly for a block that is absent";
    if (!(p->counts_weight * p->counts_weight + p->gradient_weight * p->gradient_weight <=
          1.0 + 1e-9))
        return "plan: the squares of the weights sum to more than 1";
    tacit_mechanism m;
    if (tacit_plan_mechanism(&m, p) != TACIT_OK) return "plan: scale, dims and mu do not fit";
    return NULL;
}

/* Magic and versions come first: they tell whether the rest means what this build thinks. */
static tacit_status check_version(const char **what, const uint8_t *encoded) {
    uint16_t version = tacit_get_u16(encoded + 8), least = tacit_get_u16(encoded + 10);
    if (memcmp(encoded, magic, sizeof magic) != 0) {
        *what = "plan: not a plan";
        return TACIT_BAD_PLAN;
    }
    if (least > version) {
        *what = "plan: version_min is above version";
        return TACIT_BAD_PLAN;
    }
    if (least > TACIT_PROTOCOL_VERSION || version < TACIT_PROTOCOL_VERSION_MIN) {
        *what = "plan: no common protocol version";
        return TACIT_BAD_VERSION;
    }
    return TACIT_OK;
}

tacit_status tacit_plan_decode(tacit_plan *plan, const char **what,
                               const uint8_t encoded[static TACIT_PLAN_LEN]) {
    const char *unused;
    if (what == NULL) what = &unused;
    tacit_status st = check_version(what, encoded);
    if (st != TACIT_OK) return st;
    const char *wrong = parse(plan, encoded);
    if (wrong == NULL) wrong = check_schedule(plan);
    if (wrong == NULL) wrong = check_vector(plan);
    if (wrong == NULL) return TACIT_OK;
    *what = wrong;
    return TACIT_BAD_PLAN;
}

/* ---- digest, signature, derived numbers ------------------------------------------------------ */

void tacit_plan_digest(uint8_t digest[static TACIT_HASH_LEN],
                       const uint8_t encoded[static TACIT_PLAN_LEN]) {
    tacit_hash_of(digest, TACIT_LABEL_PLAN, encoded, TACIT_PLAN_LEN);
}

static void make_statement(tacit_statement *s, const uint8_t encoded[static TACIT_PLAN_LEN]) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_plan_digest(digest, encoded);
    tacit_statement_digest(s, TACIT_LABEL_PLAN, digest);
}

void tacit_plan_sign(uint8_t sig[static TACIT_SIG_LEN],
                     const uint8_t encoded[static TACIT_PLAN_LEN],
                     const uint8_t secret[static TACIT_SIGN_SECRET_LEN]) {
    tacit_statement s;
    make_statement(&s, encoded);
    tacit_statement_sign(sig, &s, secret);
}

tacit_status tacit_plan_verify(const uint8_t sig[static TACIT_SIG_LEN],
                               const uint8_t encoded[static TACIT_PLAN_LEN],
                               const uint8_t key[static TACIT_KEY_LEN]) {
    tacit_statement s;
    make_statement(&s, encoded);
    return tacit_statement_verify(sig, &s, key);
}

tacit_status tacit_plan_mechanism(tacit_mechanism *m, const tacit_plan *plan) {
    return tacit_mechanism_init(m, plan->scale, plan->dims, plan->mu);
}

uint32_t tacit_plan_vector_count(const tacit_plan *plan) {
    uint32_t count = 0;
    if (plan->blocks & TACIT_BLOCK_COUNTS) count += plan->slice_count;
    if (plan->blocks & TACIT_BLOCK_GRADIENT) count += plan->slice_count * plan->factor;
    return count;
}

uint32_t tacit_plan_padded(uint32_t count) {
    assert(count >= 1 && count <= UINT32_C(1) << 31);
    uint32_t padded = 1;
    while (padded < count) padded *= 2;
    return padded;
}
