/* SPDX-License-Identifier: Apache-2.0
 * explain.c - see explain.h. One solve for the item, then one inner product per event. With an
 * empty history, or a system that could not be solved, the score is the bias alone. */
#include "firmware/explain.h"

#include "common/crypto.h"

static bool ranks_before(const tacit_reason *a, const tacit_reason *b) {
    return a->share > b->share || (a->share == b->share && a->item < b->item);
}

/* Puts a share in its place; returns what falls off the end. */
static double insert(tacit_reason *reasons, size_t *count, size_t cap, uint64_t item,
                     double share) {
    tacit_reason entry = {item, (float)share};
    double fallen = 0;
    size_t at = *count;
    if (at == cap) {
        if (cap == 0 || !ranks_before(&entry, &reasons[cap - 1])) return share;
        fallen = (double)reasons[cap - 1].share;
        at = cap - 1;
    } else {
        (*count)++;
    }
    for (; at > 0 && ranks_before(&entry, &reasons[at - 1]); at--) reasons[at] = reasons[at - 1];
    reasons[at] = entry;
    return fallen;
}

void tacit_explain_item(tacit_explanation *out, tacit_reason *reasons, size_t *reason_count,
                        size_t cap, const tacit_factor *factor, const tacit_history *history,
                        uint32_t index) {
    double t[TACIT_FACTOR_ROW_MAX], row[TACIT_FACTOR_ROW_MAX], rest = 0, base = 0;
    double bias = (double)factor->model->bias[index], score = bias;
    *reason_count = 0;
    if (factor->solved && factor->count > 0 && factor->len > 0) {
        tacit_factor_row(factor, t, index);
        score += tacit_factor_dot(t, factor->u, factor->len);
        tacit_factor_apply(factor, t);
        base = tacit_factor_dot(t, factor->base_rhs, factor->len);
        for (uint32_t j = 0; j < history->count; j++) {
            const tacit_window_item *w = &history->items[j];
            if (!w->interest || w->index == TACIT_NO_INDEX) continue;
            tacit_factor_row(factor, row, w->index);
            double share =
                tacit_factor_dot(t, row, factor->len) * tacit_factor_target(factor, w->index);
            rest += insert(reasons, reason_count, cap, w->item, share);
        }
    }
    *out = (tacit_explanation){(float)score, (float)bias, (float)base, (float)rest};
    tacit_wipe(t, sizeof t);
    tacit_wipe(row, sizeof row);
}
