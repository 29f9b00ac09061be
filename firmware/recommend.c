/* SPDX-License-Identifier: Apache-2.0
 * recommend.c - see recommend.h. The heap's root is the worst of the best so far, so an item that
 * cannot enter costs one comparison. It refuses scores that are not finite: such an item is left
 * out. */
#include "firmware/recommend.h"

#include <math.h>

#include "common/crypto.h"

/* ---- The heap: a parent ranks behind its children ---------------------------------------------*/

static bool ranks_before(const tacit_scored *a, const tacit_scored *b) {
    return a->score > b->score || (a->score == b->score && a->item < b->item);
}

static void sink_down(tacit_scored *heap, size_t count, size_t at) {
    tacit_scored moving = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && ranks_before(&heap[child], &heap[child + 1])) child++;
        if (!ranks_before(&moving, &heap[child])) break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

static void push(tacit_scored *heap, size_t *count, size_t cap, const tacit_scored *entry) {
    if (*count == cap) {
        heap[0] = *entry;
        sink_down(heap, cap, 0);
        return;
    }
    size_t at = (*count)++;
    for (; at > 0 && ranks_before(&heap[(at - 1) / 2], entry); at = (at - 1) / 2) {
        heap[at] = heap[(at - 1) / 2];
    }
    heap[at] = *entry;
}

static bool enters(const tacit_scored *heap, size_t count, size_t cap, const tacit_scored *entry) {
    if (cap == 0 || !isfinite(entry->score)) return false;
    return count < cap || ranks_before(entry, &heap[0]);
}

/* Heap to list, best first. */
static void sort(tacit_scored *heap, size_t count) {
    for (; count > 1; count--) {
        tacit_scored worst = heap[0];
        heap[0] = heap[count - 1];
        heap[count - 1] = worst;
        sink_down(heap, count - 1, 0);
    }
}

/* ---- Ranking ----------------------------------------------------------------------------------*/

#if defined(__GNUC__)
typedef float lanes __attribute__((vector_size(16)));
#else
typedef struct {
    float at[4];
} lanes;
#endif

/* sum of a[i] b[i], i < 4, added to each lane. */
static inline void add4(lanes *sum, const float *a, const float *b) {
#if defined(__GNUC__)
    lanes x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    *sum += x * y;
#else
    for (int i = 0; i < 4; i++) sum->at[i] += a[i] * b[i];
#endif
}

/* Eight running sums, always added up in one order, so that every build ranks alike. Vectors are
 * spelled out because gcc 12 makes scalar code of the plain loop, four times slower. */
static float dot(const float *a, const float *b, uint32_t len) {
    lanes low = {0}, high = {0};
    float lane[8], rest = 0;
    uint32_t i = 0;
    for (; i + 8 <= len; i += 8) {
        add4(&low, a + i, b + i);
        add4(&high, a + i + 4, b + i + 4);
    }
    for (; i < len; i++) rest += a[i] * b[i];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7])) + rest;
}

static void mark(uint8_t *seen, const tacit_history *history, uint32_t item_count,
                 bool include_seen) {
    memset(seen, 0, tacit_bitmap_len(item_count));
    for (uint32_t i = 0; i < history->count; i++) {
        const tacit_window_item *w = &history->items[i];
        if (w->index != TACIT_NO_INDEX && (w->hidden || !include_seen)) {
            tacit_bit_set(seen, w->index);
        }
    }
}

void tacit_rank(tacit_scored *out, size_t *count, size_t cap, const tacit_factor *factor,
                const tacit_history *history, uint8_t *seen, const tacit_query *query) {
    static const tacit_query everything = {false, NULL, NULL};
    const tacit_model *m = factor->model;
    float u[TACIT_FACTOR_ROW_MAX];
    if (query == NULL) query = &everything;
    for (uint32_t j = 0; j < factor->len; j++) u[j] = (float)factor->u[j];
    mark(seen, history, m->item_count, query->include_seen);
    *count = 0;
    const float *v = m->factors, *x = m->content;
    uint32_t k = m->factor, f = factor->content ? m->features : 0;
    for (uint32_t i = 0; i < m->item_count; i++) {
        if (tacit_bit_get(seen, i)) continue;
        tacit_scored entry = {m->ids[i], m->bias[i] + dot(v + (size_t)i * k, u, k) +
                                             dot(x + (size_t)i * f, u + k, f)};
        if (!enters(out, *count, cap, &entry)) continue;
        if (query->allow != NULL && !query->allow(query->allow_self, entry.item)) continue;
        push(out, count, cap, &entry);
    }
    sort(out, *count);
    tacit_wipe(u, sizeof u);
}

/* Row [V, X] of an item as floats, and its norm. */
static float row_of(float *row, const tacit_model *m, uint32_t index) {
    const float *v = m->factors + (size_t)index * m->factor;
    const float *x = m->content + (size_t)index * m->features;
    for (uint32_t j = 0; j < m->factor; j++) row[j] = v[j];
    for (uint32_t j = 0; j < m->features; j++) row[m->factor + j] = x[j];
    return sqrtf(dot(v, v, m->factor) + dot(x, x, m->features));
}

void tacit_rank_similar(tacit_scored *out, size_t *count, size_t cap, const tacit_model *model,
                        uint32_t index) {
    float row[TACIT_FACTOR_ROW_MAX];
    float norm = row_of(row, model, index);
    uint32_t k = model->factor, f = model->features;
    *count = 0;
    for (uint32_t i = 0; i < model->item_count && norm > 0; i++) {
        const float *v = model->factors + (size_t)i * k, *x = model->content + (size_t)i * f;
        float other = sqrtf(dot(v, v, k) + dot(x, x, f));
        if (i == index || !(other > 0)) continue;
        tacit_scored entry = {model->ids[i], (dot(v, row, k) + dot(x, row + k, f)) / norm / other};
        if (enters(out, *count, cap, &entry)) push(out, count, cap, &entry);
    }
    sort(out, *count);
}
