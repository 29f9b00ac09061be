/* SPDX-License-Identifier: Apache-2.0
 * update.c - see update.h. It refuses to let a number that is not finite, or a vector longer than
 * the clip, reach the rounding; what the model or the plan makes of a history can then only waste a
 * device's round, not its privacy. */
#include "firmware/update.h"

#include <math.h>

#include "common/accountant.h"
#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/rounding.h"
#include "common/skellam.h"

static const double clip_norm = 1 - TACIT_UPDATE_SLACK;

static double norm_of(const float *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

bool tacit_update_clip(float *x, size_t count) {
    double norm = norm_of(x, count);
    if (!(norm <= clip_norm)) {
        double factor = clip_norm / norm;
        for (size_t i = 0; i < count && isfinite(norm); i++) x[i] = (float)((double)x[i] * factor);
        if (isfinite(norm)) norm = norm_of(x, count);
    }
    /* Rounding to float moves the scaled norm by at most 2^-24 of itself. */
    if (norm > 0 && norm <= clip_norm * (1 + 1e-7)) return true;
    memset(x, 0, count * sizeof *x);
    return false;
}

/* Brings the training system to this history; false when there is nothing to say. */
static bool solve(tacit_factor *training, const tacit_history *history) {
    tacit_factor_clear(training);
    for (uint32_t i = 0; i < history->count; i++) {
        const tacit_window_item *w = &history->items[i];
        if (w->interest && w->index != TACIT_NO_INDEX) {
            tacit_factor_change(training, w->index, true);
        }
    }
    return training->count > 0 && tacit_factor_solve(training) == TACIT_OK;
}

/* out [k] <- weight * z_i: the unit-norm, fractionally leave-one-out direction. */
static void gradient_row(float *out, const tacit_factor *training, uint32_t index, double weight,
                         double leave_one_out) {
    double q[TACIT_FACTOR_ROW_MAX], a[TACIT_FACTOR_ROW_MAX];
    uint32_t k = training->len;
    tacit_factor_row(training, q, index);
    memcpy(a, q, k * sizeof *a);
    tacit_factor_apply(training, a);
    double h = tacit_factor_dot(q, a, k);
    double residual = tacit_factor_dot(q, training->u, k) - tacit_factor_target(training, index);
    double step = leave_one_out * residual / fmax(1 - h, 1e-3);
    for (uint32_t j = 0; j < k; j++) a[j] = training->u[j] + step * a[j];
    double factor = weight / (sqrt(tacit_factor_dot(a, a, k)) + 1e-12);
    for (uint32_t j = 0; j < k; j++) out[j] = (float)(factor * a[j]);
    tacit_wipe(q, sizeof q);
    tacit_wipe(a, sizeof a);
}

/* Whether item w counts and has rows in the plan's slice. */
static bool in_slice(const tacit_window_item *w, const tacit_plan *plan) {
    return w->interest && w->index != TACIT_NO_INDEX && w->index >= plan->slice_start &&
           w->index - plan->slice_start < plan->slice_count;
}

bool tacit_update_statistics(float *x, tacit_factor *training, const tacit_history *history,
                             const tacit_plan *plan) {
    assert(training->model != NULL && training->len == plan->factor);
    memset(x, 0, plan->dims * sizeof *x);
    if (!solve(training, history)) return false;
    bool counts = plan->blocks & TACIT_BLOCK_COUNTS, gradient = plan->blocks & TACIT_BLOCK_GRADIENT;
    double w = 1 / sqrt(fmax(training->count, plan->history_floor));
    float *rows = x + (counts ? plan->slice_count : 0);
    for (uint32_t i = 0; i < history->count; i++) {
        const tacit_window_item *item = &history->items[i];
        if (!in_slice(item, plan)) continue;
        uint32_t at = item->index - plan->slice_start;
        if (counts) x[at] = (float)(plan->counts_weight * w);
        if (gradient) {
            gradient_row(rows + (size_t)at * plan->factor, training, item->index,
                         plan->gradient_weight * w, plan->leave_one_out);
        }
    }
    return tacit_update_clip(x, plan->dims);
}

static void pad_rows(const tacit_factor *training, uint32_t first, uint32_t end,
                     const tacit_plan *plan) {
    float row[TACIT_FACTOR_ROW_MAX];
    if (!training->solved || !(plan->blocks & TACIT_BLOCK_GRADIENT)) return;
    for (uint32_t i = first; i < end; i++)
        gradient_row(row, training, i % training->model->item_count, 1, plan->leave_one_out);
    tacit_wipe(row, sizeof row);
}

static void pad_items(tacit_factor *training, uint32_t end) {
    for (uint32_t i = training->count; i < end; i++)
        tacit_factor_change(training, i % training->model->item_count, true);
}

void tacit_update_pad(tacit_factor *training, const tacit_history *history,
                      const tacit_plan *plan) {
    uint32_t rows = 0;
    for (uint32_t i = 0; i < history->count; i++) rows += in_slice(&history->items[i], plan);
    if (training->count > 0) { /* solved already: rows before the system changes */
        pad_rows(training, rows, history->cap, plan);
        pad_items(training, history->cap);
    } else {
        pad_items(training, history->cap);
        if (tacit_factor_solve(training) == TACIT_OK) pad_rows(training, rows, history->cap, plan);
    }
    tacit_factor_clear(training);
}

tacit_status tacit_update_quantise(int32_t *q, float *x, const tacit_plan *plan,
                                   tacit_prng *rounding) {
    tacit_mechanism m;
    uint32_t tries;
    if (tacit_plan_mechanism(&m, plan) != TACIT_OK) return TACIT_BAD_PLAN;
    tacit_rotate_f32(x, plan->dims, plan->rotation_seed);
    tacit_round(q, &tries, x, plan->dims, m.scale, m.l2_max, m.l2_sq_max, rounding);
    return TACIT_OK;
}

tacit_status tacit_update_words(uint32_t *words, float *x, const tacit_plan *plan,
                                uint64_t noise_variance,
                                const uint8_t rounding_seed[static TACIT_KEY_LEN],
                                const uint8_t noise_seed[static TACIT_KEY_LEN]) {
    tacit_skellam sampler;
    tacit_prng prng;
    tacit_status st = tacit_skellam_init(&sampler, noise_variance);
    if (st != TACIT_OK) return st;
    /* Two's complement: the integers mod 2^32 are already the words. */
    int32_t *q = (int32_t *)words;
    tacit_prng_init(&prng, rounding_seed, 0);
    st = tacit_update_quantise(q, x, plan, &prng);
    tacit_prng_wipe(&prng);
    if (st != TACIT_OK) {
        tacit_wipe(words, plan->dims * sizeof *words);
        return st;
    }
    tacit_prng_init(&prng, noise_seed, 1);
    tacit_skellam_add(q, plan->dims, &sampler, &prng);
    tacit_prng_wipe(&prng);
    return TACIT_OK;
}
