/* SPDX-License-Identifier: Apache-2.0
 * graph_fixture.h - a whole derived graph in one object, for the tests of common/graph.
 * It fails the running test instead of returning errors. */
#ifndef TACIT_TESTS_GRAPH_FIXTURE_H
#define TACIT_TESTS_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/graph.h"

static inline void *need(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (p == NULL) fail_msg("out of memory");
    return p;
}

typedef struct {
    tacit_graph_rule rule;
    uint8_t seed[TACIT_HASH_LEN];
    uint32_t *offsets;
    uint16_t *adjacent;
    uint16_t *scratch;
} graph;

static inline void graph_make(graph *g, uint32_t n, uint32_t max_colluding, uint32_t max_dropout,
                              const uint8_t session[static TACIT_HASH_LEN]) {
    assert_int_equal(tacit_graph_rule_init(&g->rule, n, max_colluding, max_dropout, 0), TACIT_OK);
    tacit_graph_seed(g->seed, session);
    g->offsets = need(n + 1, sizeof *g->offsets);
    g->adjacent = need(tacit_graph_edges_max(&g->rule), sizeof *g->adjacent);
    g->scratch = need(tacit_graph_scratch_count(n), sizeof *g->scratch);
    assert_int_equal(tacit_graph_build(g->offsets, g->adjacent, tacit_graph_edges_max(&g->rule),
                                       &g->rule, g->seed, g->scratch),
                     TACIT_OK);
}

static inline void graph_free(graph *g) {
    free(g->offsets);
    free(g->adjacent);
    free(g->scratch);
}

static inline uint32_t degree_of(const graph *g, uint32_t i) {
    return g->offsets[i + 1] - g->offsets[i];
}

/* H(GRAPH, for every row: its length and its entries, 16 bits each). */
static inline void graph_digest(uint8_t out[static TACIT_HASH_LEN], const graph *g) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_GRAPH);
    for (uint32_t i = 0; i < g->rule.n; i++) {
        tacit_hash_add_u16(&h, (uint16_t)degree_of(g, i));
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++)
            tacit_hash_add_u16(&h, g->adjacent[e]);
    }
    tacit_hash_end(&h, out);
}

#endif
