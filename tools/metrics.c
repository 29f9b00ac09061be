/* SPDX-License-Identifier: Apache-2.0
 * metrics.c - see metrics.h. */
#include "tools/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int metrics_begin(metrics_tally *t, size_t n, size_t item_count) {
    memset(t, 0, sizeof *t);
    t->sum.n = n;
    t->item_count = item_count;
    t->shown = calloc(item_count ? item_count : 1, 1);
    return t->shown == NULL ? -1 : 0;
}

static bool holds(const uint32_t *sorted, size_t count, uint32_t item) {
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sorted[mid] < item)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && sorted[lo] == item;
}

void metrics_add(metrics_tally *t, const uint32_t *ranked, size_t ranked_count,
                 const uint32_t *test, size_t test_count) {
    if (test_count == 0) return;
    double gain = 0, ideal = 0;
    size_t hits = 0;
    for (size_t i = 0; i < ranked_count && i < t->sum.n; i++) {
        t->shown[ranked[i]] = 1;
        if (!holds(test, test_count, ranked[i])) continue;
        hits++;
        gain += 1.0 / log2((double)i + 2.0);
    }
    for (size_t i = 0; i < test_count && i < t->sum.n; i++) ideal += 1.0 / log2((double)i + 2.0);
    double precision = (double)hits / (double)t->sum.n;
    double recall = (double)hits / (double)test_count;
    t->sum.people++;
    t->sum.precision += precision;
    t->sum.recall += recall;
    t->sum.f1 += hits ? 2 * precision * recall / (precision + recall) : 0;
    t->sum.ndcg += gain / ideal;
    t->sum.hit_rate += hits > 0;
}

void metrics_merge(metrics_tally *t, const metrics_tally *other) {
    t->sum.people += other->sum.people;
    t->sum.precision += other->sum.precision;
    t->sum.recall += other->sum.recall;
    t->sum.f1 += other->sum.f1;
    t->sum.ndcg += other->sum.ndcg;
    t->sum.hit_rate += other->sum.hit_rate;
    for (size_t i = 0; i < t->item_count; i++) t->shown[i] |= other->shown[i];
}

metrics metrics_end(metrics_tally *t) {
    metrics m = t->sum;
    double people = m.people ? (double)m.people : 1.0;
    size_t shown = 0;
    for (size_t i = 0; i < t->item_count; i++) shown += t->shown[i];
    m.precision /= people;
    m.recall /= people;
    m.f1 /= people;
    m.ndcg /= people;
    m.hit_rate /= people;
    m.coverage = t->item_count ? (double)shown / (double)t->item_count : 0;
    free(t->shown);
    t->shown = NULL;
    return m;
}
