/* SPDX-License-Identifier: Apache-2.0
 * graph_shape_test.c - what must hold for every graph, whatever the session: both derivations
 * agree, edges are symmetric and merged, degrees follow the model that the number of cycles was
 * computed from, and the honest survivors hang together after any random loss the plan allows. */
#include "common/prng.h"
#include "tests/support/graph_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    uint32_t n, max_colluding, max_dropout;
} shapes[] = {
    {3, 0, 0},        {4, 0, 0},       {60, 50, 50},    {512, 100, 200},  {513, 50, 100},
    {513, 100, 200},  {514, 100, 100}, {999, 50, 100},  {1000, 100, 200}, {1000, 200, 100},
    {1001, 100, 100}, {2003, 50, 50},  {2048, 50, 100}, {10000, 50, 100},
};

static void session_of(uint8_t session[static TACIT_HASH_LEN], uint8_t number) {
    memset(session, number, TACIT_HASH_LEN);
}

static void check_own_view(const graph *g, uint32_t i) {
    uint16_t own[TACIT_MAX_NEIGHBOURS];
    size_t count = 0;
    assert_int_equal(
        tacit_graph_neighbours(own, COUNT(own), &count, &g->rule, g->seed, i, g->scratch),
        TACIT_OK);
    assert_int_equal(count, degree_of(g, i));
    assert_memory_equal(own, g->adjacent + g->offsets[i], count * sizeof *own);
}

/* The server's whole graph is what each device derives for itself. A device's view costs as much as
 * the whole graph, so of the largest cohorts only some devices are asked, always the last one. */
static void build_equals_neighbours(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(shapes); s++) {
        graph g;
        uint8_t session[TACIT_HASH_LEN];
        session_of(session, (uint8_t)s);
        graph_make(&g, shapes[s].n, shapes[s].max_colluding, shapes[s].max_dropout, session);
        uint32_t n = g.rule.n;
        uint32_t step = n <= 514 ? 1 : 1 + n * g.rule.cycles / 1000;
        for (uint32_t i = 0; i < n; i += step) check_own_view(&g, i);
        check_own_view(&g, n - 1);
        graph_free(&g);
    }
}

static bool has_edge(const graph *g, uint32_t from, uint32_t to) {
    uint32_t low = g->offsets[from], high = g->offsets[from + 1];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->adjacent[mid] < to)
            low = mid + 1;
        else
            high = mid;
    }
    return low < g->offsets[from + 1] && g->adjacent[low] == to;
}

static void check_shape(const graph *g) {
    uint32_t n = g->rule.n, m = g->rule.cycles;
    assert_int_equal(g->offsets[0], 0);
    assert_true(g->offsets[n] <= tacit_graph_edges_max(&g->rule));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t degree = degree_of(g, i);
        if (m == 0) {
            assert_int_equal(degree, n - 1);
        } else { /* k_min holds but for 2^-20 per graph; these seeds are fixed */
            assert_true(degree >= m && degree <= 2 * m && degree >= g->rule.degree_min);
        }
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++) {
            assert_true(g->adjacent[e] < n);
            assert_true(g->adjacent[e] != i);
            assert_true(e == g->offsets[i] || g->adjacent[e] > g->adjacent[e - 1]);
            assert_true(has_edge(g, g->adjacent[e], i));
        }
    }
}

/* Removes `gone` random vertices; true when the others still hang together. */
static bool connected_without(const graph *g, uint32_t gone, tacit_prng *p) {
    uint32_t n = g->rule.n, seen = 0, head = 0;
    uint8_t *state = need(n, 1); /* 0 not reached, 1 reached, 2 gone */
    uint16_t *queue = need(n, sizeof *queue);
    for (uint32_t left = gone; left > 0;) {
        uint32_t i = tacit_prng_below(p, n);
        if (state[i] == 2) continue;
        state[i] = 2;
        left--;
    }
    uint32_t start = 0;
    while (state[start] == 2) start++;
    state[start] = 1;
    queue[seen++] = (uint16_t)start;
    while (head < seen) {
        uint32_t i = queue[head++];
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++) {
            uint16_t j = g->adjacent[e];
            if (state[j] != 0) continue;
            state[j] = 1;
            queue[seen++] = j;
        }
    }
    free(queue);
    free(state);
    return seen == n - gone;
}

static void graph_properties(void **state) {
    (void)state;
    tacit_prng p;
    tacit_prng_init_seed(&p, 11, 0);
    for (size_t s = 0; s < COUNT(shapes); s++) {
        graph g;
        uint8_t session[TACIT_HASH_LEN];
        session_of(session, (uint8_t)(100 + s));
        graph_make(&g, shapes[s].n, shapes[s].max_colluding, shapes[s].max_dropout, session);
        check_shape(&g);
        uint32_t gone = g.rule.colluders + g.rule.n - g.rule.n_min;
        for (int i = 0; i < 5; i++) assert_true(connected_without(&g, gone, &p));
        graph_free(&g);
    }
}

/* The number of distinct neighbours follows the distribution m was computed from: over 40 graphs
 * its mean is (n - 1)(1 - (1 - 2 / (n - 1))^m) to four standard errors. A repeated edge is lost at
 * both its ends, so the mean of a graph has twice the variance of n independent degrees. */
static void degrees_follow_the_model(void **state) {
    (void)state;
    enum { GRAPHS = 40 };
    double sum = 0.0, n = 600.0, others = n - 1.0, miss = 1.0, both = 1.0;
    uint32_t cycles = 0;
    for (uint8_t i = 0; i < GRAPHS; i++) {
        graph g;
        uint8_t session[TACIT_HASH_LEN];
        session_of(session, i);
        graph_make(&g, 600, 100, 200, session);
        sum += (double)g.offsets[600];
        cycles = g.rule.cycles;
        graph_free(&g);
    }
    for (uint32_t c = 0; c < cycles; c++) { /* one given vertex never met; two given ones */
        miss *= 1.0 - 2.0 / others;
        both *= (others - 2.0) * (others - 3.0) / (others * (others - 1.0));
    }
    double missed = others * miss;
    double variance = missed + others * (others - 1.0) * both - missed * missed;
    double error = sum / (GRAPHS * n) - (others - missed);
    assert_true(error * error <= 16.0 * 2.0 * variance / (GRAPHS * n));
}

/* Another session, another graph; the same, the same. */
static void seed_decides(void **state) {
    (void)state;
    graph a, b, c;
    uint8_t session[TACIT_HASH_LEN], da[TACIT_HASH_LEN], db[TACIT_HASH_LEN], dc[TACIT_HASH_LEN];
    session_of(session, 1);
    graph_make(&a, 600, 50, 100, session);
    graph_make(&b, 600, 50, 100, session);
    session[31] ^= 1;
    graph_make(&c, 600, 50, 100, session);
    graph_digest(da, &a);
    graph_digest(db, &b);
    graph_digest(dc, &c);
    assert_memory_equal(da, db, sizeof da);
    assert_memory_not_equal(da, dc, sizeof da);
    graph_free(&a);
    graph_free(&b);
    graph_free(&c);
}

static void refuses_small_buffers(void **state) {
    (void)state;
    graph g;
    uint8_t session[TACIT_HASH_LEN];
    session_of(session, 9);
    graph_make(&g, 600, 50, 100, session);
    uint16_t own[TACIT_MAX_NEIGHBOURS];
    size_t count = 0, exact = degree_of(&g, 17);
    assert_int_equal(tacit_graph_neighbours(own, exact - 1, &count, &g.rule, g.seed, 17, g.scratch),
                     TACIT_NO_SPACE);
    assert_int_equal(tacit_graph_neighbours(own, exact, &count, &g.rule, g.seed, 17, g.scratch),
                     TACIT_OK);
    assert_int_equal(count, exact);
    assert_int_equal(
        tacit_graph_neighbours(own, COUNT(own), &count, &g.rule, g.seed, 600, g.scratch),
        TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_graph_build(g.offsets, g.adjacent, tacit_graph_edges_max(&g.rule) - 1,
                                       &g.rule, g.seed, g.scratch),
                     TACIT_NO_SPACE);
    graph_free(&g);

    tacit_graph_rule complete; /* reads neither seed nor scratch */
    assert_int_equal(tacit_graph_rule_init(&complete, 5, 0, 0, 0), TACIT_OK);
    assert_int_equal(tacit_graph_neighbours(own, 3, &count, &complete, NULL, 2, NULL),
                     TACIT_NO_SPACE);
    assert_int_equal(tacit_graph_neighbours(own, 4, &count, &complete, NULL, 2, NULL), TACIT_OK);
    static const uint16_t others[] = {0, 1, 3, 4};
    assert_int_equal(count, 4);
    assert_memory_equal(own, others, sizeof others);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_equals_neighbours),  cmocka_unit_test(graph_properties),
        cmocka_unit_test(degrees_follow_the_model), cmocka_unit_test(seed_decides),
        cmocka_unit_test(refuses_small_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
