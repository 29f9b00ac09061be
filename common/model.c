/* SPDX-License-Identifier: Apache-2.0
 * model.c - writes and opens the model file. Opening copies nothing: after every number has been
 * looked at once the rows are read where they lie, so a device can map the file. It refuses a file
 * whose length is not exactly that of its shape, any number that is not finite or above its bound
 * (security H4), and hosts whose bytes are not in the file's order. */
#include "common/model.h"

#include <float.h>
#include <math.h>

#include "common/crypto.h"
#include "common/transcript.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the model file is read in place: little-endian hosts only"
#endif
_Static_assert(sizeof(float) == 4 && FLT_MANT_DIG == 24, "IEEE 754 single");
_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "IEEE 754 double");

static const char magic[8] = {'T', 'A', 'C', 'I', 'T', 'M', 'F', '1'};

/* Unix seconds up to the year 36812. */
#define TIME_MAX (UINT64_C(1) << 40)

/* The header's real numbers; DBL_MIN as lo says "above zero". -0 is refused. */
static const struct {
    uint16_t at, member, source_member;
    double lo, hi;
    const char *what;
} reals[] = {
#define REAL(at, name, lo, hi)                                                       \
    {                                                                                \
        at, offsetof(tacit_model, name), offsetof(tacit_model_source, name), lo, hi, \
            "model: " #name " is not finite or out of range"                         \
    }
    REAL(48, a0, DBL_MIN, 100.0),
    REAL(56, a0_final, DBL_MIN, 100.0),
    REAL(64, user_ridge, DBL_MIN, 1e4),
    REAL(72, user_ridge_final, DBL_MIN, 1e4),
    REAL(80, user_ridge_exponent, 0.0, 2.0),
    REAL(152, count_scale, 0.0, TACIT_MODEL_MAX_VALUE),
#undef REAL
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- shape ----------------------------------------------------------------------------------- */

/* Where the arrays begin. Numbers are aligned to their size: 192 is a multiple of 8. */
typedef struct {
    size_t ids, bias, counts, factors, content, kinds, signature, end;
} layout;

static layout lay_out(uint32_t item_count, uint32_t factor, uint32_t features) {
    size_t m = item_count;
    layout at;
    at.ids = TACIT_MODEL_HEADER_LEN;
    at.bias = at.ids + 8 * m;
    at.counts = at.bias + 4 * m;
    at.factors = at.counts + 4 * m;
    at.content = at.factors + 4 * m * factor;
    at.kinds = at.content + 4 * m * features;
    at.signature = (at.kinds + m + 7) / 8 * 8;
    at.end = at.signature + TACIT_SIG_LEN;
    return at;
}

size_t tacit_model_len(uint32_t item_count, uint32_t factor, uint32_t features) {
    if (item_count < 1 || item_count > TACIT_MAX_ITEMS) return 0;
    if (factor > TACIT_MAX_FACTOR || features > TACIT_MAX_FEATURE) return 0;
    return lay_out(item_count, factor, features).end;
}

static bool all_zero(const uint8_t *data, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) any |= data[i];
    return any == 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Header and exact length; fills everything of the model but the digest. A sentence, or NULL. */
static const char *parse_header(tacit_model *model, const uint8_t *data, size_t len) {
    memset(model, 0, sizeof *model);
    if (len < TACIT_MODEL_HEADER_LEN + TACIT_SIG_LEN) return "model: too short";
    if (memcmp(data, magic, sizeof magic) != 0) return "model: not a model file";
    model->number = tacit_get_u64(data + 8);
    model->round = tacit_get_u64(data + 16);
    model->made_s = tacit_get_u64(data + 24);
    model->item_count = tacit_get_u32(data + 32);
    model->factor = tacit_get_u32(data + 36);
    model->features = tacit_get_u32(data + 40);
    size_t expected = tacit_model_len(model->item_count, model->factor, model->features);
    if (expected == 0) return "model: its shape is out of range";
    if (len != expected) return "model: its length does not fit its shape";
    if (model->number < 1 || model->number > INT64_MAX || model->round > INT64_MAX)
        return "model: number or round is out of range";
    if (model->made_s > TIME_MAX) return "model: made_s is out of range";
    for (size_t i = 0; i < COUNT(reals); i++) {
        double v = tacit_get_f64(data + reals[i].at);
        if (!(v >= reals[i].lo && v <= reals[i].hi) || signbit(v)) return reals[i].what;
        memcpy((uint8_t *)model + reals[i].member, &v, sizeof v);
    }
    memcpy(model->catalogue, data + 88, TACIT_HASH_LEN);
    memcpy(model->plan_digest, data + 120, TACIT_HASH_LEN);
    if (!all_zero(data + 44, 4) || !all_zero(data + 160, 32))
        return "model: a reserved byte is not zero";

    layout at = lay_out(model->item_count, model->factor, model->features);
    model->ids = (const uint64_t *)(const void *)(data + at.ids);
    model->bias = (const float *)(const void *)(data + at.bias);
    model->counts = (const float *)(const void *)(data + at.counts);
    model->factors = (const float *)(const void *)(data + at.factors);
    model->content = (const float *)(const void *)(data + at.content);
    model->kinds = data + at.kinds;
    if (!all_zero(data + at.kinds + model->item_count, at.signature - at.kinds - model->item_count))
        return "model: padding is not zero";
    return NULL;
}

/* True when every value lies in [lo, MAX]; NaN does not. */
static bool in_range(const float *values, size_t count, float lo) {
    bool ok = true;
    if (values == NULL) return count == 0;
    for (size_t i = 0; i < count; i++)
        ok &= (values[i] >= lo) & (values[i] <= TACIT_MODEL_MAX_VALUE);
    return ok;
}

static const char *check_rows(const tacit_model *model) {
    size_t m = model->item_count;
    assert(model->ids != NULL); /* place_rows has run */
    const float lo = -TACIT_MODEL_MAX_VALUE;
    for (size_t i = 1; i < m; i++)
        if (model->ids[i] <= model->ids[i - 1]) return "model: item ids do not ascend";
    if (!in_range(model->bias, m, lo)) return "model: a bias is not finite or too large";
    if (!in_range(model->counts, m, 0.0f)) return "model: a count is not finite or out of range";
    if (!in_range(model->factors, m * model->factor, lo))
        return "model: a factor is not finite or too large";
    if (!in_range(model->content, m * model->features, lo))
        return "model: a content feature is not finite or too large";
    uint8_t kinds = 0;
    for (size_t i = 0; i < m; i++) kinds |= model->kinds[i];
    if (kinds > 1) return "model: an item is of no known kind";
    return NULL;
}

static const char *check(tacit_model *model, const uint8_t *data, size_t len) {
    const char *wrong = parse_header(model, data, len);
    return wrong != NULL ? wrong : check_rows(model);
}

tacit_status tacit_model_open(tacit_model *model, const char **what, const uint8_t *data,
                              size_t len, const uint8_t model_key[static TACIT_KEY_LEN]) {
    if (((uintptr_t)data & 7) != 0) return TACIT_INVALID_ARGUMENT;
    const char *wrong = check(model, data, len);
    if (wrong != NULL) {
        if (what != NULL) *what = wrong;
        return TACIT_BAD_MODEL;
    }
    tacit_hash_of(model->digest, TACIT_LABEL_MODEL, data, len - TACIT_SIG_LEN);
    tacit_statement s;
    tacit_statement_digest(&s, TACIT_LABEL_MODEL, model->digest);
    tacit_status st = tacit_statement_verify(data + len - TACIT_SIG_LEN, &s, model_key);
    if (st != TACIT_OK && what != NULL) *what = "model: not signed by the pinned key";
    return st;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_array(uint8_t *out, const void *values, size_t len) {
    if (len > 0) memcpy(out, values, len);
}

static void put_header(uint8_t *out, const tacit_model_source *source) {
    memset(out, 0, TACIT_MODEL_HEADER_LEN);
    memcpy(out, magic, sizeof magic);
    tacit_put_u64(out + 8, source->number);
    tacit_put_u64(out + 16, source->round);
    tacit_put_u64(out + 24, source->made_s);
    tacit_put_u32(out + 32, source->item_count);
    tacit_put_u32(out + 36, source->factor);
    tacit_put_u32(out + 40, source->features);
    for (size_t i = 0; i < COUNT(reals); i++) {
        double v;
        memcpy(&v, (const uint8_t *)source + reals[i].source_member, sizeof v);
        tacit_put_f64(out + reals[i].at, v);
    }
    memcpy(out + 88, source->catalogue, TACIT_HASH_LEN);
    memcpy(out + 120, source->plan_digest, TACIT_HASH_LEN);
}

tacit_status tacit_model_encode(uint8_t *out, size_t cap, uint8_t digest[static TACIT_HASH_LEN],
                                const tacit_model_source *source,
                                const uint8_t secret[static TACIT_SIGN_SECRET_LEN]) {
    size_t m = source->item_count, len;
    if (((uintptr_t)out & 7) != 0) return TACIT_INVALID_ARGUMENT;
    len = tacit_model_len(source->item_count, source->factor, source->features);
    if (len == 0) return TACIT_BAD_MODEL;
    if (cap < len) return TACIT_NO_SPACE;
    layout at = lay_out(source->item_count, source->factor, source->features);
    put_header(out, source);
    put_array(out + at.ids, source->ids, 8 * m);
    put_array(out + at.bias, source->bias, 4 * m);
    put_array(out + at.counts, source->counts, 4 * m);
    put_array(out + at.factors, source->factors, 4 * m * source->factor);
    put_array(out + at.content, source->content, 4 * m * source->features);
    put_array(out + at.kinds, source->kinds, m);
    memset(out + at.kinds + m, 0, at.signature - at.kinds - m);

    tacit_model model;
    if (check(&model, out, len) != NULL) return TACIT_BAD_MODEL;
    tacit_hash_of(digest, TACIT_LABEL_MODEL, out, at.signature);
    tacit_statement s;
    tacit_statement_digest(&s, TACIT_LABEL_MODEL, digest);
    tacit_statement_sign(out + at.signature, &s, secret);
    return TACIT_OK;
}

tacit_status tacit_model_find(const tacit_model *model, uint32_t *index, uint64_t id) {
    uint32_t lo = 0, hi = model->item_count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (model->ids[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == model->item_count || model->ids[lo] != id) return TACIT_NOT_FOUND;
    *index = lo;
    return TACIT_OK;
}
