/* SPDX-License-Identifier: Apache-2.0
 * plan_test.c - the plan's bytes against a vector made by other code, the two ends of every range
 * (listed here once more, apart from the table in plan.c), every rule between fields, every changed
 * bit, and the device's floors against the graph rule itself. Run from the root of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "common/plan.h"
#include "common/prng.h"
#include "tests/support/format_samples.h"
#include "tests/support/named_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void encode_sample(uint8_t encoded[static TACIT_PLAN_LEN]) {
    tacit_plan p = sample_plan();
    tacit_plan_encode(encoded, &p);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void a_plan_equals_the_vector(void **state) {
    (void)state;
    uint8_t encoded[TACIT_PLAN_LEN], digest[TACIT_HASH_LEN], sig[TACIT_SIG_LEN];
    uint8_t pk[TACIT_KEY_LEN], sk[TACIT_SIGN_SECRET_LEN];
    sample_keys(pk, sk);
    encode_sample(encoded);
    named_expect("transcript.txt", "plan", encoded, sizeof encoded);
    tacit_plan_digest(digest, encoded);
    named_expect("transcript.txt", "plan_digest", digest, sizeof digest);
    tacit_plan_sign(sig, encoded, sk);
    named_expect("transcript.txt", "plan_signature", sig, sizeof sig);
    assert_int_equal(tacit_plan_verify(sig, encoded, pk), TACIT_OK);
}

static void decoding_gives_the_fields_back(void **state) {
    (void)state;
    uint8_t encoded[TACIT_PLAN_LEN], again[TACIT_PLAN_LEN];
    tacit_plan want = sample_plan(), got;
    const char *what = "unset";
    encode_sample(encoded);
    memset(&got, 0xAA, sizeof got);
    assert_int_equal(tacit_plan_decode(&got, &what, encoded), TACIT_OK);
    assert_int_equal(tacit_plan_decode(&got, NULL, encoded), TACIT_OK);
    assert_string_equal(what, "unset");
    assert_memory_equal(&got, &want, sizeof want);
    tacit_plan_encode(again, &got);
    assert_memory_equal(again, encoded, sizeof encoded);
}

/* What still decodes is another plan with another digest, and no signature covers it. */
static void every_changed_bit_shows(void **state) {
    (void)state;
    uint8_t encoded[TACIT_PLAN_LEN], again[TACIT_PLAN_LEN], sig[TACIT_SIG_LEN];
    uint8_t pk[TACIT_KEY_LEN], sk[TACIT_SIGN_SECRET_LEN];
    uint8_t digest[TACIT_HASH_LEN], other[TACIT_HASH_LEN];
    size_t accepted = 0;
    sample_keys(pk, sk);
    encode_sample(encoded);
    tacit_plan_digest(digest, encoded);
    tacit_plan_sign(sig, encoded, sk);
    for (size_t bit = 0; bit < 8 * sizeof encoded; bit++) {
        encoded[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        tacit_plan p;
        if (tacit_plan_decode(&p, NULL, encoded) == TACIT_OK) {
            tacit_plan_encode(again, &p);
            assert_memory_equal(again, encoded, sizeof encoded);
            accepted++;
        }
        tacit_plan_digest(other, encoded);
        assert_memory_not_equal(digest, other, sizeof digest);
        assert_int_equal(tacit_plan_verify(sig, encoded, pk), TACIT_BAD_SIGNATURE);
        encoded[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_true(accepted > 8 * 32 * 4); /* keys, digests and seed have no wrong value */
    for (size_t i = 0; i < sizeof sig; i++) {
        sig[i] ^= 1;
        assert_int_equal(tacit_plan_verify(sig, encoded, pk), TACIT_BAD_SIGNATURE);
        sig[i] ^= 1;
    }
}

/* ---- ranges ---------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    size_t at, len;
    uint64_t lo, hi;
} whole_range;

static const whole_range wholes[] = {
    {"suite", 12, 2, 1, 1},
    {"aggregation", 14, 2, 1, 1},
    {"round", 16, 8, 1, INT64_MAX},
    {"run", 24, 8, 0, INT64_MAX},
    {"sum_index", 32, 4, 0, 15},
    {"sum_count", 36, 4, 1, 16},
    {"opens_s", 40, 8, 1, UINT64_C(1) << 40},
    {"join_until_s", 48, 8, 1, UINT64_C(1) << 40},
    {"share_s", 56, 2, 1, 65535},
    {"mask_s", 58, 2, 1, 65535},
    {"agree_s", 60, 2, 1, 65535},
    {"reveal_s", 62, 2, 1, 65535},
    {"n_lo", 64, 4, 3, 10000},
    {"n_hi", 68, 4, 3, 10000},
    {"max_colluding", 72, 2, 0, 500},
    {"max_dropout", 74, 2, 0, 500},
    {"n_min_floor", 76, 4, 0, 10000},
    {"cohort_count", 80, 4, 1, 1},
    {"least_class", 84, 1, 1, 3},
    {"bits", 85, 1, 16, 32},
    {"blocks", 86, 1, 1, 3},
    {"item_count", 248, 4, 1, 1 << 20},
    {"factor", 252, 4, 0, 128},
    {"dims", 256, 4, 1, 1 << 20},
    {"slice_start", 260, 4, 0, (1 << 20) - 1},
    {"slice_count", 264, 4, 1, 1 << 20},
    {"separation_s", 268, 4, 0, 1 << 29},
    {"mu", 272, 8, 1, UINT64_C(1) << 50},
};

typedef struct {
    const char *name;
    size_t at;
    double lo, hi;
    bool lo_open; /* lo itself is refused */
} real_range;

static const real_range reals[] = {
    {"scale", 280, 1, 1 << 20, false},     {"counts_weight", 288, 0, 1, false},
    {"gradient_weight", 296, 0, 1, false}, {"a0", 304, 0, 100, true},
    {"user_ridge", 312, 0, 1e4, true},     {"user_ridge_exponent", 320, 0, 2, false},
    {"history_floor", 328, 1, 1e4, false}, {"leave_one_out", 336, 0, 1, false},
    {"epsilon", 344, 0, 100, true},        {"delta", 352, 0, 0.01, true},
};

/* Decodes, and says whether it was refused for the range of the named field. */
static bool range_refused(const uint8_t *encoded, const char *name) {
    tacit_plan p;
    const char *what = "";
    char prefix[64];
    tacit_status st = tacit_plan_decode(&p, &what, encoded);
    if (st == TACIT_OK) return false;
    snprintf(prefix, sizeof prefix, "plan: %s is ", name);
    bool named = strncmp(what, prefix, strlen(prefix)) == 0 && strstr(what, "out of range") != NULL;
    if (named) assert_int_equal(st, TACIT_BAD_PLAN);
    return named;
}

static void poke(uint8_t *encoded, const whole_range *r, uint64_t v) {
    for (size_t i = 0; i < r->len; i++) encoded[r->at + i] = (uint8_t)(v >> (8 * i));
}

static void whole_numbers_keep_their_ranges(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(wholes); i++) {
        const whole_range *r = &wholes[i];
        uint8_t encoded[TACIT_PLAN_LEN];
        uint64_t largest = r->len == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * r->len)) - 1;
        encode_sample(encoded);
        poke(encoded, r, r->lo);
        if (range_refused(encoded, r->name)) fail_msg("%s: least value refused", r->name);
        poke(encoded, r, r->hi);
        if (range_refused(encoded, r->name)) fail_msg("%s: greatest value refused", r->name);
        if (r->lo > 0) {
            poke(encoded, r, r->lo - 1);
            if (!range_refused(encoded, r->name)) fail_msg("%s: too small taken", r->name);
        }
        if (r->hi == largest) continue;
        poke(encoded, r, r->hi + 1);
        if (!range_refused(encoded, r->name)) fail_msg("%s: too large taken", r->name);
        poke(encoded, r, largest);
        if (!range_refused(encoded, r->name)) fail_msg("%s: all ones taken", r->name);
    }
}

static void real_numbers_keep_their_ranges(void **state) {
    (void)state;
    const double never[] = {NAN, -NAN, INFINITY, -INFINITY, -0.0, -1.0, -DBL_MIN, 1e300, DBL_MAX};
    for (size_t i = 0; i < COUNT(reals); i++) {
        const real_range *r = &reals[i];
        uint8_t encoded[TACIT_PLAN_LEN];
        encode_sample(encoded);
        tacit_put_f64(encoded + r->at, r->lo_open ? DBL_MIN : r->lo);
        if (range_refused(encoded, r->name)) fail_msg("%s: least value refused", r->name);
        tacit_put_f64(encoded + r->at, r->hi);
        if (range_refused(encoded, r->name)) fail_msg("%s: greatest value refused", r->name);
        tacit_put_f64(encoded + r->at, r->lo_open ? r->lo : nextafter(r->lo, -INFINITY));
        if (!range_refused(encoded, r->name)) fail_msg("%s: too small taken", r->name);
        tacit_put_f64(encoded + r->at, nextafter(r->hi, INFINITY));
        if (!range_refused(encoded, r->name)) fail_msg("%s: too large taken", r->name);
        for (size_t k = 0; k < COUNT(never); k++) {
            tacit_put_f64(encoded + r->at, never[k]);
            if (!range_refused(encoded, r->name)) fail_msg("%s: %g taken", r->name, never[k]);
        }
        tacit_put_u64(encoded + r->at, UINT64_C(0x7ff0000000000001)); /* signalling NaN */
        assert_true(range_refused(encoded, r->name));
        if (!r->lo_open) continue;
        tacit_put_f64(encoded + r->at, DBL_TRUE_MIN);
        if (!range_refused(encoded, r->name)) fail_msg("%s: a subnormal taken", r->name);
    }
}

/* Every byte no field covers. */
static void reserved_bytes_are_zero(void **state) {
    (void)state;
    uint8_t encoded[TACIT_PLAN_LEN];
    tacit_plan p;
    const char *what;
    encode_sample(encoded);
    for (size_t at = 87; at < TACIT_PLAN_LEN; at = at == 87 ? 360 : at + 1) {
        for (unsigned v = 1; v < 256; v += 127) {
            encoded[at] = (uint8_t)v;
            assert_int_equal(tacit_plan_decode(&p, &what, encoded), TACIT_BAD_PLAN);
            assert_string_equal(what, "plan: a reserved byte is not zero");
        }
        encoded[at] = 0;
    }
    for (size_t at = 88; at < 120; at++) {
        encoded[at] = 1;
        assert_int_equal(tacit_plan_decode(&p, &what, encoded), TACIT_BAD_PLAN);
        assert_string_equal(what, "plan: a beacon needs a log");
        encoded[at] = 0;
    }
    assert_int_equal(tacit_plan_decode(&p, &what, encoded), TACIT_OK);
}

static void versions_overlap_or_are_refused(void **state) {
    (void)state;
    static const struct {
        uint16_t version, version_min;
        tacit_status want;
    } rows[] = {{1, 1, TACIT_OK},          {2, 1, TACIT_OK},          {65535, 1, TACIT_OK},
                {2, 2, TACIT_BAD_VERSION}, {9, 3, TACIT_BAD_VERSION}, {0, 0, TACIT_BAD_VERSION},
                {1, 2, TACIT_BAD_PLAN},    {0, 1, TACIT_BAD_PLAN},    {1, 0, TACIT_BAD_PLAN}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t encoded[TACIT_PLAN_LEN];
        tacit_plan p = sample_plan();
        const char *what = NULL;
        p.version = rows[i].version;
        p.version_min = rows[i].version_min;
        tacit_plan_encode(encoded, &p);
        assert_int_equal(tacit_plan_decode(&p, &what, encoded), rows[i].want);
        assert_int_equal(what == NULL, rows[i].want == TACIT_OK);
    }
    for (size_t at = 0; at < 8; at++) {
        uint8_t encoded[TACIT_PLAN_LEN];
        tacit_plan p;
        encode_sample(encoded);
        encoded[at] ^= 0x20;
        assert_int_equal(tacit_plan_decode(&p, NULL, encoded), TACIT_BAD_PLAN);
    }
}

/* ---- rules between fields -------------------------------------------------------------------- */

static void expect_decode(const tacit_plan *plan, const char *want) {
    uint8_t encoded[TACIT_PLAN_LEN];
    tacit_plan got;
    const char *what = "";
    tacit_plan_encode(encoded, plan);
    tacit_status st = tacit_plan_decode(&got, &what, encoded);
    if (want == NULL && st != TACIT_OK) fail_msg("refused: %s", what);
    if (want == NULL) return;
    assert_int_equal(st, TACIT_BAD_PLAN);
    if (strstr(what, want) == NULL) fail_msg("\"%s\" is not in \"%s\"", want, what);
}

#define EXPECT(want, ...)             \
    do {                              \
        tacit_plan p = sample_plan(); \
        __VA_ARGS__;                  \
        expect_decode(&p, want);      \
    } while (0)

static void the_schedule_holds_together(void **state) {
    (void)state;
    EXPECT(NULL, p.sum_index = 3);
    EXPECT("sum_index", p.sum_index = 4);
    EXPECT("sum_index", p.sum_index = 0, p.sum_count = 1, p.sum_index = 1);
    EXPECT("ends before", p.join_until_s = p.opens_s);
    EXPECT("ends before", p.join_until_s = p.opens_s - 1);
    EXPECT(NULL, p.join_until_s = p.opens_s + 1);
    EXPECT(NULL, p.join_until_s = p.opens_s + 480);
    EXPECT("8 minutes", p.join_until_s = p.opens_s + 481);
    EXPECT("8 minutes", p.opens_s = 1);
    EXPECT(NULL, p.n_lo = p.n_hi);
    EXPECT("n_lo", p.n_lo = p.n_hi + 1);
}

static void the_vector_holds_together(void **state) {
    (void)state;
    for (unsigned bits = 16; bits <= 32; bits++)
        EXPECT(bits == 16 || bits == 20 || bits == 24 || bits == 32 ? NULL : "bits",
               p.bits = (uint8_t)bits);
    EXPECT(NULL, p.slice_start = 0, p.slice_count = 10);
    EXPECT("slice", p.slice_start = 3);
    EXPECT("slice", p.slice_count = 11, p.slice_start = 0);
    EXPECT("slice", p.slice_start = (1 << 20) - 1, p.slice_count = 1 << 20);
    EXPECT("power of two", p.dims = 63);
    EXPECT("power of two", p.dims = 65);
    EXPECT("shorter", p.dims = 32);
    EXPECT(NULL, p.dims = 128);
    EXPECT("factors", p.factor = 0);
    EXPECT(NULL, p.factor = 7);
    EXPECT("shorter", p.factor = 8);
    EXPECT("shorter", p.item_count = p.slice_count = 1 << 20, p.slice_start = 0, p.factor = 128);
    /* The greatest scale and dims still make a mechanism whose check fits its integers. */
    EXPECT(NULL, p.scale = 1 << 20, p.dims = 1 << 20, p.mu = 1);
    EXPECT(NULL, p.scale = 1, p.dims = 1 << 20, p.mu = UINT64_C(1) << 50);
}

static void weights_belong_to_blocks(void **state) {
    (void)state;
    EXPECT("weight", p.counts_weight = 0);
    EXPECT("weight", p.gradient_weight = 0);
    EXPECT("weight", p.blocks = TACIT_BLOCK_COUNTS);
    EXPECT("weight", p.blocks = TACIT_BLOCK_GRADIENT);
    EXPECT(NULL, p.blocks = TACIT_BLOCK_COUNTS, p.gradient_weight = 0, p.factor = 0);
    EXPECT(NULL, p.blocks = TACIT_BLOCK_GRADIENT, p.counts_weight = 0);
    EXPECT("weight", p.blocks = TACIT_BLOCK_COUNTS, p.gradient_weight = 0, p.counts_weight = 0);
    EXPECT("weight", p.blocks = TACIT_BLOCK_GRADIENT, p.counts_weight = DBL_MIN);
    EXPECT("more than 1", p.counts_weight = 0.61);
    EXPECT("more than 1", p.counts_weight = 1, p.gradient_weight = 1);
    EXPECT(NULL, p.counts_weight = sqrt(0.5), p.gradient_weight = sqrt(0.5));
    EXPECT(NULL, p.counts_weight = 0.1, p.gradient_weight = 0.1);
}

/* ---- derived numbers ------------------------------------------------------------------------- */

static void derived_numbers(void **state) {
    (void)state;
    tacit_plan p = sample_plan();
    assert_int_equal(tacit_plan_vector_count(&p), 8 + 8 * 4);
    p.blocks = TACIT_BLOCK_COUNTS;
    assert_int_equal(tacit_plan_vector_count(&p), 8);
    p.blocks = TACIT_BLOCK_GRADIENT;
    assert_int_equal(tacit_plan_vector_count(&p), 32);
    static const uint32_t padded[][2] = {{1, 1},       {2, 2},       {3, 4},
                                         {4, 4},       {5, 8},       {1000, 1024},
                                         {1024, 1024}, {1025, 2048}, {1u << 31, 1u << 31}};
    for (size_t i = 0; i < COUNT(padded); i++)
        assert_int_equal(tacit_plan_padded(padded[i][0]), padded[i][1]);

    tacit_mechanism m;
    p = sample_plan();
    assert_int_equal(tacit_plan_mechanism(&m, &p), TACIT_OK);
    assert_true(m.scale == p.scale && m.dims == p.dims && m.mu == p.mu && m.l2 > p.scale);
}

/* The share is never less than mu / h, so h shares are never less than mu. */
static void noise_shares_add_up(void **state) {
    (void)state;
    static const uint64_t mus[] = {1, 84, 85, 86, 1000000007, UINT64_C(1) << 50};
    for (uint32_t honest = 1; honest <= 10000; honest += 83) {
        tacit_graph_rule rule = {.honest = honest};
        for (size_t i = 0; i < COUNT(mus); i++) {
            tacit_plan p = sample_plan();
            p.mu = mus[i];
            uint64_t share = tacit_plan_noise_share(&p, &rule);
            assert_true(share * honest >= p.mu && (share - 1) * honest < p.mu);
        }
    }
}

/* ---- floors ---------------------------------------------------------------------------------- */

static void expect_floor(const tacit_plan *plan, const tacit_floors *floors, const char *want) {
    const char *what = "";
    tacit_status st = tacit_plan_check_floors(plan, &what, floors);
    assert_int_equal(tacit_plan_check_floors(plan, NULL, floors), st);
    if (want == NULL && st != TACIT_OK) fail_msg("refused: %s", what);
    if (want == NULL) return;
    assert_int_equal(st, TACIT_BELOW_FLOOR);
    if (strstr(what, want) == NULL) fail_msg("\"%s\" is not in \"%s\"", want, what);
}

#define FLOOR(want, ...)                       \
    do {                                       \
        tacit_plan p = sample_plan();          \
        tacit_floors f = tacit_floors_shipped; \
        __VA_ARGS__;                           \
        expect_floor(&p, &f, want);            \
    } while (0)

static void shipped_floors_are_the_published_ones(void **state) {
    (void)state;
    const tacit_floors *f = &tacit_floors_shipped;
    assert_true(f->max_delta == 1e-5);
    assert_int_equal(f->n_min, 57);
    assert_int_equal(f->honest, 50);
    assert_int_equal(f->max_colluding, 50);
    assert_int_equal(f->max_dims, 1 << 20);
    assert_int_equal(f->separation_s, 3600);
}

/* Each floor from both sides. */
static void floors_refuse_what_is_below(void **state) {
    (void)state;
    FLOOR(NULL, (void)0);
    FLOOR(NULL, p.delta = 1e-5);
    FLOOR("delta", p.delta = nextafter(1e-5, 1));
    FLOOR(NULL, p.separation_s = 3600);
    FLOOR("closer", p.separation_s = 3599);
    FLOOR(NULL, p.max_colluding = 51);
    FLOOR("colluding", p.max_colluding = 49);
    FLOOR(NULL, f.max_dims = 64);
    FLOOR("dims", f.max_dims = 63);
    /* n_lo 100: n_min 90, A 5, h 85. */
    FLOOR(NULL, f.n_min = 90, f.honest = 85);
    FLOOR("few survivors", f.n_min = 91);
    FLOOR("honest survivors for this device", f.honest = 86);
    /* The smallest roster the shipped floors ever take: 59 at .05/.05 (n_min 57, h 55). */
    FLOOR(NULL, p.n_lo = 59, p.n_min_floor = 0, p.max_dropout = 50);
    FLOOR("survivors", p.n_lo = 58, p.n_min_floor = 0, p.max_dropout = 50);
    /* The plan's own floor may be above a roster it allows. */
    FLOOR("protocol", p.n_min_floor = 101);
    FLOOR(NULL, p.n_min_floor = 100);
    /* 2h >= n. */
    FLOOR(NULL, p.n_lo = p.n_hi = 200, p.max_dropout = 450, p.n_min_floor = 0);
    FLOOR("protocol", p.n_lo = p.n_hi = 200, p.max_dropout = 455, p.n_min_floor = 0);
    /* On cycles the fractions are bounded from both sides. */
    FLOOR(NULL, p.n_hi = 1000);
    FLOOR("graph rule", p.n_hi = 1000, p.max_dropout = 251, p.n_min_floor = 0);
    FLOOR("graph rule", p.n_hi = 1000, p.max_dropout = 49);
    FLOOR("graph rule", p.n_hi = 513, p.max_dropout = 49);
    FLOOR(NULL, p.n_hi = 512, p.max_dropout = 49);
}

/* The floor of the whole interval is the floor of its worst roster, wherever that lies. */
static bool every_roster_passes(const tacit_plan *p, const tacit_floors *f) {
    for (uint32_t n = p->n_lo; n <= p->n_hi; n++) {
        tacit_graph_rule r;
        if (tacit_graph_rule_init(&r, n, p->max_colluding, p->max_dropout, p->n_min_floor) !=
            TACIT_OK)
            return false;
        if (r.n_min < f->n_min || r.honest < f->honest) return false;
    }
    return true;
}

static void floors_agree_with_the_rule_at_every_roster(void **state) {
    (void)state;
    uint8_t seed[TACIT_KEY_LEN] = {5};
    tacit_prng prng;
    tacit_prng_init(&prng, seed, 0);
    size_t passed = 0, inner = 0, trials = 3000;
    for (size_t i = 0; i < trials; i++) {
        tacit_plan p = sample_plan();
        tacit_floors f = {.max_delta = 1, .max_dims = TACIT_MAX_DIMS};
        p.max_colluding = (uint16_t)tacit_prng_below(&prng, 250);
        p.max_dropout = (uint16_t)tacit_prng_below(&prng, 350);
        p.n_lo = 3 + tacit_prng_below(&prng, 300);
        p.n_hi = p.n_lo + tacit_prng_below(&prng, 50);
        p.n_min_floor = tacit_prng_below(&prng, 2) ? p.n_lo - tacit_prng_below(&prng, 3) : 0;
        tacit_graph_rule lo, hi;
        if (tacit_graph_rule_init(&lo, p.n_lo, p.max_colluding, p.max_dropout, p.n_min_floor) ==
            TACIT_OK)
            f.honest = lo.honest;
        bool want = every_roster_passes(&p, &f);
        bool ends = f.honest > 0 &&
                    tacit_graph_rule_init(&hi, p.n_hi, p.max_colluding, p.max_dropout,
                                          p.n_min_floor) == TACIT_OK &&
                    hi.honest >= f.honest;
        assert_int_equal(tacit_plan_check_floors(&p, NULL, &f),
                         want ? TACIT_OK : TACIT_BELOW_FLOOR);
        passed += want;
        inner += ends && !want; /* only a roster in between breaks the floor */
    }
    assert_true(passed > trials / 20 && passed < trials * 19 / 20);
    assert_true(inner > 10);
}

/* r is 0 at 512 and 3 at 513: the worst roster of 512..600 is neither end. */
static void the_step_to_cycles_is_seen(void **state) {
    (void)state;
    tacit_graph_rule last, first;
    assert_int_equal(tacit_graph_rule_init(&last, 512, 50, 100, 0), TACIT_OK);
    assert_int_equal(tacit_graph_rule_init(&first, 513, 50, 100, 0), TACIT_OK);
    assert_true(first.honest < last.honest);
    FLOOR(NULL, p.n_lo = p.n_hi = 512, f.honest = last.honest);
    FLOOR(NULL, p.n_lo = 550, p.n_hi = 600, f.honest = last.honest);
    FLOOR("honest", p.n_lo = 512, p.n_hi = 600, f.honest = last.honest);
    FLOOR(NULL, p.n_lo = 512, p.n_hi = 600, f.honest = first.honest);
}

/* On cycles too the integers of the check are those of the rule. */
static void floors_agree_with_the_rule_on_cycles(void **state) {
    (void)state;
    static const uint16_t fractions[][2] = {{50, 100}, {100, 200}, {133, 77}, {200, 300}};
    static const uint32_t sizes[] = {513, 749, 750, 751, 1000, 1001, 4999, 5000, 9999, 10000};
    size_t refused = 0;
    for (size_t i = 0; i < COUNT(fractions); i++) {
        for (size_t k = 0; k < COUNT(sizes); k++) {
            tacit_graph_rule r;
            uint32_t n = sizes[k];
            if (tacit_graph_rule_init(&r, n, fractions[i][0], fractions[i][1], 0) != TACIT_OK) {
                refused++;
                FLOOR("", p.n_lo = p.n_hi = n, p.max_colluding = fractions[i][0],
                      p.max_dropout = fractions[i][1], p.n_min_floor = 0);
                continue;
            }
            FLOOR(NULL, p.n_lo = p.n_hi = n, p.max_colluding = fractions[i][0],
                  p.max_dropout = fractions[i][1], p.n_min_floor = 0, f.honest = r.honest,
                  f.n_min = r.n_min);
            FLOOR("honest", p.n_lo = p.n_hi = n, p.max_colluding = fractions[i][0],
                  p.max_dropout = fractions[i][1], p.n_min_floor = 0, f.honest = r.honest + 1);
            FLOOR("survivors", p.n_lo = p.n_hi = n, p.max_colluding = fractions[i][0],
                  p.max_dropout = fractions[i][1], p.n_min_floor = 0, f.n_min = r.n_min + 1);
        }
    }
    assert_int_equal(refused, COUNT(sizes));
}

static void the_rule_at_the_roster_seen(void **state) {
    (void)state;
    tacit_plan p = sample_plan();
    tacit_floors f = tacit_floors_shipped;
    tacit_graph_rule got, want;
    assert_int_equal(tacit_plan_rule(&got, &p, 99, &f), TACIT_BAD_ROSTER);
    assert_int_equal(tacit_plan_rule(&got, &p, 201, &f), TACIT_BAD_ROSTER);
    for (uint32_t n = 100; n <= 200; n++) {
        assert_int_equal(tacit_plan_rule(&got, &p, n, &f), TACIT_OK);
        assert_int_equal(tacit_graph_rule_init(&want, n, 50, 100, 90), TACIT_OK);
        assert_memory_equal(&got, &want, sizeof got);
    }
    f.honest = 86; /* h is 85 at 100 */
    assert_int_equal(tacit_plan_rule(&got, &p, 100, &f), TACIT_BELOW_FLOOR);
    assert_int_equal(tacit_plan_rule(&got, &p, 200, &f), TACIT_OK);
    f = tacit_floors_shipped;
    f.n_min = 91;
    assert_int_equal(tacit_plan_rule(&got, &p, 100, &f), TACIT_BELOW_FLOOR);
    f = tacit_floors_shipped;
    f.max_delta = 1e-7;
    assert_int_equal(tacit_plan_rule(&got, &p, 100, &f), TACIT_BELOW_FLOOR);
    p.max_dropout = 460, p.n_min_floor = 0;
    assert_int_equal(tacit_plan_rule(&got, &p, 100, &tacit_floors_shipped), TACIT_BELOW_FLOOR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_equals_the_vector),
        cmocka_unit_test(decoding_gives_the_fields_back),
        cmocka_unit_test(every_changed_bit_shows),
        cmocka_unit_test(whole_numbers_keep_their_ranges),
        cmocka_unit_test(real_numbers_keep_their_ranges),
        cmocka_unit_test(reserved_bytes_are_zero),
        cmocka_unit_test(versions_overlap_or_are_refused),
        cmocka_unit_test(the_schedule_holds_together),
        cmocka_unit_test(the_vector_holds_together),
        cmocka_unit_test(weights_belong_to_blocks),
        cmocka_unit_test(derived_numbers),
        cmocka_unit_test(noise_shares_add_up),
        cmocka_unit_test(shipped_floors_are_the_published_ones),
        cmocka_unit_test(floors_refuse_what_is_below),
        cmocka_unit_test(floors_agree_with_the_rule_at_every_roster),
        cmocka_unit_test(the_step_to_cycles_is_seen),
        cmocka_unit_test(floors_agree_with_the_rule_on_cycles),
        cmocka_unit_test(the_rule_at_the_roster_seen),
    };
    if (tacit_crypto_init() != TACIT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
