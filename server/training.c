/* SPDX-License-Identifier: Apache-2.0
 * training.c - see training.h. Splits a sum into its blocks, hands them to solve.c and keeps the
 * current model. It refuses to run a private plan whose budget was not calibrated. */
#include "server/training.h"

#include <math.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/ring.h"

/* Ship learned factors only when their signal is clear (algorithm: post-hoc check). */
static const double signal_floor = 20.0;

struct training {
    training_spec spec;
    const learn_features *features;
    learn_params params;
    learn_preset preset;
    tacit_run_budget budget;
    double kappa;
    bool private_run, continues, fell_back;
    uint32_t sum_index, sum_count;
    uint32_t item_count, feature_count;
    double weight;                             /* W, once the counts are known */
    double *counts, *bias, *factors, *content; /* c, b, V, X */
    float *counts_f, *bias_f, *factors_f, *content_f;
};

static uint32_t shown_factor(const training *t) { return t->fell_back ? 0 : t->params.k; }

static bool sum_has_counts(const training *t) { return t->sum_index == 0; }

static bool run_has_gradient(const training *t) { return t->params.gradient_sums > 0; }

static uint32_t vector_count(const training *t, uint32_t sum_index) {
    uint32_t counts = sum_index == 0 ? t->item_count : 0;
    return counts + (run_has_gradient(t) ? t->item_count * t->params.k : 0);
}

static void choose_params(training *t) {
    const training_spec *s = &t->spec;
    double rho = t->private_run ? tacit_zcdp_rho(s->epsilon, s->delta) : INFINITY;
    t->preset =
        t->private_run ? learn_preset_choose(s->devices, rho, 1.0, &t->kappa) : PRESET_CENTRAL;
    if (s->preset >= 0) t->preset = (learn_preset)s->preset;
    t->params = learn_params_of(t->preset);
    if (t->params.gradient_sums > 0) {
        if (s->factor > 0) t->params.k = s->factor;
        if (s->sums > 0) t->params.gradient_sums = s->sums;
        t->params.sums = t->params.gradient_sums;
        if (t->preset == PRESET_HI && t->params.gradient_sums == 2) t->params.user_ridge = 2.0;
    }
    t->sum_count = t->params.sums;
}

static tacit_status calibrate(training *t) {
    if (!t->private_run) {
        for (uint32_t i = 0; i < t->sum_count; i++) {
            bool first = i == 0;
            t->budget.counts_weight[i] = first ? sqrt(0.5) : 0.0;
            t->budget.gradient_weight[i] = first ? sqrt(0.5) : 1.0;
        }
        return TACIT_OK;
    }
    tacit_run_spec run = {.epsilon = t->spec.epsilon,
                          /* Devices keep the protocol's own part of delta back; so must the plan,
                           * or they would refuse the last sum. */
                          .delta = t->spec.delta - TACIT_PROTOCOL_DELTA,
                          .sums = t->sum_count,
                          .grow = t->params.grow,
                          .counts_share = t->params.counts_share,
                          .n = t->spec.devices};
    for (uint32_t i = 0; i < t->sum_count; i++) run.dims[i] = tacit_plan_padded(vector_count(t, i));
    return tacit_calibrate(&t->budget, &run, run_has_gradient(t));
}

static tacit_status allocate(training *t) {
    size_t m = t->item_count, k = t->params.k, f = t->feature_count;
    size_t vk = m * (k > 0 ? k : 1);
    t->counts = malloc(m * sizeof(double));
    t->bias = calloc(m, sizeof(double));
    t->factors = calloc(vk, sizeof(double));
    t->content = malloc(m * f * sizeof(double));
    t->counts_f = malloc(m * sizeof(float));
    t->bias_f = malloc(m * sizeof(float));
    t->factors_f = malloc(vk * sizeof(float));
    t->content_f = malloc(m * f * sizeof(float));
    bool ok = t->counts && t->bias && t->factors && t->content && t->counts_f && t->bias_f &&
              t->factors_f && t->content_f;
    return ok ? TACIT_OK : TACIT_NO_SPACE;
}

static void to_float(float *out, const double *in, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = (float)in[i];
}

/* Appended content part and the float views devices will see. */
static tacit_status refresh(training *t) {
    uint32_t k = shown_factor(t);
    learn_params p = t->fell_back ? learn_params_of(PRESET_CONTENT) : t->params;
    tacit_status st =
        learn_extend(t->content, t->features, k > 0 ? t->factors : NULL, t->counts, k, &p);
    if (st != TACIT_OK) return st;
    to_float(t->counts_f, t->counts, t->item_count);
    to_float(t->bias_f, t->bias, t->item_count);
    to_float(t->factors_f, t->factors, (size_t)t->item_count * k);
    to_float(t->content_f, t->content, (size_t)t->item_count * t->feature_count);
    return TACIT_OK;
}

static bool fits(const training *t, const tacit_model *m) {
    const learn_params *p = &t->params;
    return m->item_count == t->item_count && m->factor == p->k && m->features == t->feature_count &&
           m->a0 == p->a0 && m->user_ridge == p->user_ridge &&
           m->user_ridge_exponent == p->user_ridge_exponent && m->a0_final == p->a0_final &&
           m->user_ridge_final == p->user_ridge_final;
}

static tacit_status begin(training *t) {
    const tacit_model *m = t->spec.previous;
    t->continues = m != NULL && fits(t, m);
    for (size_t i = 0; i < t->item_count; i++)
        t->counts[i] = t->continues ? (double)m->counts[i] : 1.0;
    if (t->continues) {
        for (size_t i = 0; i < t->item_count; i++) t->bias[i] = (double)m->bias[i];
        for (size_t i = 0; i < (size_t)t->item_count * t->params.k; i++)
            t->factors[i] = (double)m->factors[i];
    } else if (t->params.k > 0) {
        tacit_status st = learn_start(t->factors, t->features, t->params.k, t->spec.seed);
        if (st != TACIT_OK) return st;
    }
    t->spec.previous = NULL; /* not kept */
    return refresh(t);
}

tacit_status training_new(training **out, const training_spec *spec,
                          const learn_features *features) {
    training *t = calloc(1, sizeof *t);
    if (t == NULL) return TACIT_NO_SPACE;
    t->spec = *spec;
    t->features = features;
    t->item_count = (uint32_t)learn_features_items(features);
    t->feature_count = (uint32_t)learn_features_count(features);
    t->private_run = isfinite(spec->epsilon);
    choose_params(t);
    tacit_status st = TACIT_INVALID_ARGUMENT;
    if (t->item_count == 0 || t->item_count > TACIT_MAX_ITEMS || t->params.k > TACIT_MAX_FACTOR ||
        t->sum_count > TACIT_MAX_SUMS || t->feature_count > TACIT_MAX_FEATURE ||
        vector_count(t, 0) > TACIT_MAX_DIMS)
        goto fail;
    if ((st = calibrate(t)) != TACIT_OK) goto fail;
    if ((st = allocate(t)) != TACIT_OK) goto fail;
    if ((st = begin(t)) != TACIT_OK) goto fail;
    *out = t;
    return TACIT_OK;
fail:
    training_free(t);
    return st;
}

void training_free(training *t) {
    if (t == NULL) return;
    free(t->counts);
    free(t->bias);
    free(t->factors);
    free(t->content);
    free(t->counts_f);
    free(t->bias_f);
    free(t->factors_f);
    free(t->content_f);
    free(t);
}

const char *training_preset_name(const training *t) { return learn_preset_name(t->preset); }
double training_kappa(const training *t) { return t->kappa; }
bool training_continues(const training *t) { return t->continues; }
uint32_t training_sum_count(const training *t) { return t->sum_count; }
uint32_t training_sum_index(const training *t) { return t->sum_index; }
bool training_done(const training *t) { return t->sum_index == t->sum_count; }
const learn_params *training_params(const training *t) { return &t->params; }
const tacit_run_budget *training_budget(const training *t) { return &t->budget; }

void training_plan(const training *t, tacit_plan *plan) {
    assert(!training_done(t));
    uint32_t i = t->sum_index;
    const learn_params *p = &t->params;
    plan->sum_index = i;
    plan->sum_count = t->sum_count;
    plan->blocks = (uint8_t)((sum_has_counts(t) ? TACIT_BLOCK_COUNTS : 0) |
                             (run_has_gradient(t) ? TACIT_BLOCK_GRADIENT : 0));
    plan->item_count = t->item_count;
    plan->factor = p->k;
    plan->slice_start = 0;
    plan->slice_count = t->item_count;
    plan->dims = tacit_plan_padded(vector_count(t, i));
    plan->bits = (uint8_t)t->budget.bits[i];
    plan->mu = t->budget.mechanism[i].mu;
    plan->scale = t->budget.mechanism[i].scale;
    plan->counts_weight = t->budget.counts_weight[i];
    plan->gradient_weight = t->budget.gradient_weight[i];
    plan->a0 = p->a0;
    plan->user_ridge = p->user_ridge;
    plan->user_ridge_exponent = p->user_ridge_exponent;
    plan->history_floor = p->history_floor;
    plan->leave_one_out = p->leave_one_out;
    plan->epsilon = t->spec.epsilon;
    plan->delta = t->spec.delta;
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_ROTATION);
    tacit_hash_add_u64(&h, t->spec.seed);
    tacit_hash_add_u32(&h, i);
    tacit_hash_end(&h, plan->rotation_seed);
}

/* sum: [vector_count], real units; noise_std per number of it. */
static tacit_status learn(training *t, training_step *step, const double *sum, double noise_std,
                          uint32_t survivors) {
    const learn_params *p = &t->params;
    double a_c = t->budget.counts_weight[t->sum_index];
    double a_b = t->budget.gradient_weight[t->sum_index];
    size_t m = t->item_count, offset = sum_has_counts(t) ? m : 0;
    step->noise_std = noise_std;
    step->signal = INFINITY;
    tacit_status st = TACIT_OK;
    double *block = malloc(m * (p->k > 0 ? p->k : 1) * sizeof *block);
    if (block == NULL) return TACIT_NO_SPACE;
    if (sum_has_counts(t)) {
        for (size_t i = 0; i < m; i++) block[i] = sum[i] / a_c;
        learn_counts(t->counts, &t->weight, block, m, noise_std / a_c, survivors, p);
    }
    if (run_has_gradient(t)) {
        learn_report report;
        for (size_t i = 0; i < m * p->k; i++) block[i] = sum[offset + i] / a_b;
        st = learn_step(t->bias, t->factors, block, t->counts, t->weight, noise_std / a_b,
                        t->features, p, &report);
        if (st != TACIT_OK) goto exit;
        step->signal = report.signal;
        step->cls = report.cls;
        step->tau = report.tau;
        t->fell_back = t->sum_index + 1 == t->sum_count && !(report.signal >= signal_floor);
    }
    if (!run_has_gradient(t) || t->fell_back) {
        learn_params content = learn_params_of(PRESET_CONTENT);
        learn_content_bias(t->bias, t->counts, m, t->weight, &content);
    }
    step->fell_back = t->fell_back;
    if ((st = refresh(t)) == TACIT_OK) t->sum_index++;
exit:
    free(block);
    return st;
}

tacit_status training_apply(training *t, training_step *step, const uint32_t *words,
                            uint32_t survivors, double noise_variance) {
    assert(!training_done(t) && t->private_run);
    memset(step, 0, sizeof *step);
    tacit_plan plan;
    memset(&plan, 0, sizeof plan);
    training_plan(t, &plan);
    double *x = malloc(plan.dims * sizeof *x);
    if (x == NULL) return TACIT_NO_SPACE;
    double square = 0;
    for (size_t i = 0; i < plan.dims; i++) {
        x[i] = (double)tacit_ring_centre(words[i], plan.bits);
        square += x[i] * x[i];
    }
    /* Rounding of a coordinate in general position has variance 1/6. */
    double variance = noise_variance + (double)survivors / 6.0;
    /* No more than `survivors` vectors of the mechanism's norm can be in an honest sum; one that is
     * longer was not unmasked right or was poisoned, and teaches nothing. */
    double longest = (double)survivors * t->budget.mechanism[t->sum_index].l2;
    if (square > 2 * (longest * longest + (double)plan.dims * variance)) {
        free(x);
        return TACIT_BAD_MESSAGE;
    }
    double sum_square = square - (double)plan.dims * variance;
    step->wrap_z = tacit_wrap_z(plan.bits, sqrt(sum_square > 0 ? sum_square : 0), plan.dims,
                                noise_variance, survivors);
    tacit_unrotate_f64(x, plan.dims, plan.rotation_seed);
    for (size_t i = 0; i < plan.dims; i++) x[i] /= plan.scale;
    tacit_status st = learn(t, step, x, sqrt(variance) / plan.scale, survivors);
    free(x);
    return st;
}

tacit_status training_apply_plain(training *t, training_step *step, const double *sum,
                                  uint32_t survivors) {
    assert(!training_done(t));
    memset(step, 0, sizeof *step);
    step->wrap_z = INFINITY;
    return learn(t, step, sum, 0.0, survivors);
}

void training_model(const training *t, tacit_model_source *source) {
    learn_params content = learn_params_of(PRESET_CONTENT);
    const learn_params *p = t->fell_back ? &content : &t->params;
    memset(source, 0, sizeof *source);
    source->item_count = t->item_count;
    source->factor = shown_factor(t);
    source->features = t->feature_count;
    source->a0 = p->a0;
    source->a0_final = p->a0_final;
    source->user_ridge = p->user_ridge;
    source->user_ridge_final = p->user_ridge_final;
    source->user_ridge_exponent = p->user_ridge_exponent;
    source->count_scale = t->weight;
    source->bias = t->bias_f;
    source->counts = t->counts_f;
    source->factors = source->factor > 0 ? t->factors_f : NULL;
    source->content = t->content_f;
}

/* ---- State between sums: sum_index u32, fell_back u32, M u32, k u32, W, c, b, V as f64 ---------
 */

static size_t state_numbers(const training *t) {
    return 1 + (size_t)t->item_count * (2 + t->params.k);
}

size_t training_state_len(const training *t) { return 16 + 8 * state_numbers(t); }

static uint8_t *put_all(uint8_t *out, const double *in, size_t count) {
    for (size_t i = 0; i < count; i++, out += 8) tacit_put_f64(out, in[i]);
    return out;
}

static const uint8_t *get_all(double *out, const uint8_t *in, size_t count) {
    for (size_t i = 0; i < count; i++, in += 8) out[i] = tacit_get_f64(in);
    return in;
}

void training_state_save(const training *t, uint8_t *out) {
    tacit_put_u32(out, t->sum_index);
    tacit_put_u32(out + 4, t->fell_back);
    tacit_put_u32(out + 8, t->item_count);
    tacit_put_u32(out + 12, t->params.k);
    tacit_put_f64(out + 16, t->weight);
    uint8_t *at = put_all(out + 24, t->counts, t->item_count);
    at = put_all(at, t->bias, t->item_count);
    put_all(at, t->factors, (size_t)t->item_count * t->params.k);
}

tacit_status training_state_restore(training *t, const uint8_t *in, size_t len) {
    if (len != training_state_len(t) || tacit_get_u32(in) > t->sum_count ||
        tacit_get_u32(in + 4) > 1 || tacit_get_u32(in + 8) != t->item_count ||
        tacit_get_u32(in + 12) != t->params.k)
        return TACIT_BAD_MESSAGE;
    t->sum_index = tacit_get_u32(in);
    t->fell_back = tacit_get_u32(in + 4) != 0;
    t->weight = tacit_get_f64(in + 16);
    const uint8_t *at = get_all(t->counts, in + 24, t->item_count);
    at = get_all(t->bias, at, t->item_count);
    get_all(t->factors, at, (size_t)t->item_count * t->params.k);
    return refresh(t);
}
