/* SPDX-License-Identifier: Apache-2.0
 * metrics.h - top-N quality on held-out items: precision, recall, F1, NDCG, hit rate, coverage.
 * Recall = hits / |test|; NDCG's ideal is min(N, |test|) hits at the top; candidates are all items
 * outside the training history. Averages are over people with at least one test item. */
#ifndef TACIT_TOOLS_METRICS_H
#define TACIT_TOOLS_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum { METRICS_MAX_N = 100 };

typedef struct {
    size_t n; /* list length */
    size_t people;
    double precision, recall, f1, ndcg, hit_rate, coverage;
} metrics;

typedef struct {
    metrics sum;
    size_t item_count;
    uint8_t *shown; /* [item_count], for coverage */
} metrics_tally;

int metrics_begin(metrics_tally *t, size_t n, size_t item_count);
/* One person: the ranked list (at most n item indices, best first) and the test items, ascending.
 */
void metrics_add(metrics_tally *t, const uint32_t *ranked, size_t ranked_count,
                 const uint32_t *test, size_t test_count);
/* Adds another tally (of another thread) into t. */
void metrics_merge(metrics_tally *t, const metrics_tally *other);
/* Averages; frees the tally. */
metrics metrics_end(metrics_tally *t);

#endif
