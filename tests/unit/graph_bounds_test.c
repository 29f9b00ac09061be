/* SPDX-License-Identifier: Apache-2.0
 * graph_bounds_test.c - the proofs' numbers: the table of the security text (section B) to the
 * letter, both counts against every cycle of up to 8 vertices, both bounds against other ways of
 * computing them, and what the protocol leans on over the whole range it allows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tools/graph_bounds.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- the table ------------------------------------------------------------------------------- */

/* starved: tenths of a bit; reduced: (1 - gamma) n_min, rounded. s_min are the exact first
 * crossings of the security text, not the rounded ones of its table. */
static const struct {
    uint32_t n, max_colluding, max_dropout, k_min, t_min, t1_min, cycles, degree, t, t2;
    uint32_t s_min, r_star, guarantee, reduced;
    int starved;
} table[] = {
    {256, 50, 100, 48, 31, 12, 0, 255, 134, 0, 0, 0, 219, 219, 0},
    {256, 100, 100, 64, 45, 25, 0, 255, 141, 0, 0, 0, 206, 208, 0},
    {256, 100, 200, 102, 64, 25, 0, 255, 141, 0, 0, 0, 180, 185, 0},
    {256, 100, 300, 158, 92, 25, 0, 255, 141, 0, 0, 0, 155, 162, 0},
    {512, 50, 100, 72, 49, 25, 0, 511, 269, 0, 0, 0, 436, 438, 0},
    {512, 100, 100, 98, 71, 43, 0, 511, 282, 0, 0, 0, 410, 415, 0},
    {512, 100, 200, 172, 112, 51, 0, 511, 282, 0, 0, 0, 359, 369, 0},
    {512, 100, 300, 276, 164, 51, 0, 511, 282, 0, 0, 0, 308, 323, 0},
    {1000, 50, 100, 94, 65, 35, 59, 111, 75, 79, 141, 2, 848, 855, -257},
    {1000, 100, 100, 120, 87, 53, 76, 141, 100, 105, 125, 2, 798, 810, -238},
    {1000, 100, 200, 230, 151, 71, 153, 264, 171, 176, 193, 1, 699, 720, -186},
    {1000, 100, 300, 450, 272, 93, 349, 503, 301, 309, 212, 1, 599, 630, -109},
    {2000, 50, 100, 106, 74, 40, 63, 122, 83, 87, 325, 3, 1697, 1710, -263},
    {2000, 100, 100, 138, 100, 61, 82, 158, 112, 117, 289, 4, 1596, 1620, -256},
    {2000, 100, 200, 280, 184, 87, 169, 311, 202, 207, 446, 3, 1397, 1440, -205},
    {2000, 100, 300, 634, 385, 135, 426, 694, 419, 426, 509, 1, 1199, 1260, -143},
    {5000, 50, 100, 114, 79, 43, 64, 126, 86, 89, 880, 9, 4241, 4275, -247},
    {5000, 100, 100, 152, 110, 67, 85, 167, 119, 123, 812, 9, 3991, 4050, -255},
    {5000, 100, 200, 324, 213, 101, 181, 349, 228, 231, 1245, 7, 3493, 3600, -217},
    {5000, 100, 300, 840, 511, 180, 494, 897, 543, 549, 1500, 3, 2997, 3150, -180},
    {10000, 50, 100, 120, 83, 45, 66, 131, 90, 92, 1849, 17, 8483, 8550, -250},
    {10000, 100, 100, 156, 113, 69, 85, 169, 121, 123, 1685, 19, 7981, 8100, -240},
    {10000, 100, 200, 344, 226, 107, 186, 365, 239, 241, 2609, 14, 6986, 7200, -217},
    {10000, 100, 300, 944, 574, 203, 522, 991, 601, 605, 3219, 7, 5993, 6300, -192},
};

static void reproduces_the_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        graph_bounds b;
        assert_int_equal(
            graph_bounds_make(&b, table[i].n, table[i].max_colluding, table[i].max_dropout),
            TACIT_OK);
        assert_int_equal(b.degree_min, table[i].k_min);
        assert_int_equal(b.degree_min_t, table[i].t_min);
        assert_int_equal(b.degree_min_t1, table[i].t1_min);
        assert_int_equal(b.cycles, table[i].cycles);
        assert_int_equal(b.degree, table[i].degree);
        assert_int_equal(b.degree_t, table[i].t);
        assert_int_equal(b.inner_min, table[i].s_min);
        assert_int_equal(b.apart_max, table[i].r_star);
        assert_int_equal(b.guarantee, table[i].guarantee);
        double reduced = (1000.0 - table[i].max_colluding) / 1000.0 * b.n_min;
        assert_int_equal(lround(reduced), table[i].reduced);
        if (b.complete) continue;
        assert_int_equal(b.degree_t2, table[i].t2);
        assert_int_equal(lround(10.0 * b.log2_starved), table[i].starved);
    }
}

/* "p phantoms: < 1 at n = 1000, 6 at 10 000 for .1/.2" */
static void counts_phantoms(void **state) {
    (void)state;
    static const uint32_t fractions[][2] = {{50, 100}, {100, 100}, {100, 200}, {100, 300}};
    graph_bounds b;
    for (size_t i = 0; i < COUNT(fractions); i++) {
        assert_int_equal(graph_bounds_make(&b, 1000, fractions[i][0], fractions[i][1]), TACIT_OK);
        assert_true(b.phantoms > 0.0 && b.phantoms < 1.0);
    }
    assert_int_equal(graph_bounds_make(&b, 10000, 100, 200), TACIT_OK);
    assert_true(b.phantoms >= 6.0 && b.phantoms < 7.0);
    /* by the formula: so many drive off delta n devices, and all fit into r beside r* */
    double driven_off = 10000.0 * (1.0 - exp(-b.phantoms * b.degree / 10000.0));
    assert_true(fabs(driven_off - 2000.0) < 1e-6);
    assert_true((uint32_t)ceil(b.phantoms) + b.apart_max <= b.slack);
}

static void refuses(void **state) {
    (void)state;
    graph_bounds b;
    assert_int_equal(graph_bounds_make(&b, 2, 100, 200), TACIT_BAD_ROSTER);
    assert_int_equal(graph_bounds_make(&b, 10001, 100, 200), TACIT_BAD_ROSTER);
    assert_int_equal(graph_bounds_make(&b, 1000, 1001, 0), TACIT_BELOW_FLOOR);
    assert_int_equal(graph_bounds_make(&b, 1000, 0, 1001), TACIT_BELOW_FLOOR);
    assert_int_equal(graph_bounds_make(&b, 600, 300, 300), TACIT_BELOW_FLOOR); /* no k */
    assert_int_equal(graph_bounds_make(&b, 1000, 0, 0), TACIT_OK);
    assert_true(b.log2_starved == -INFINITY && b.phantoms == 0.0);
    assert_int_equal(graph_bounds_make(&b, 3, 1000, 1000), TACIT_OK);
    assert_int_equal(b.guarantee, -3);
}

/* ---- every cycle of a few vertices ----------------------------------------------------------- */

enum { FEW = 8 };

typedef struct {
    uint32_t n, cycles;
    uint32_t runs[FEW][FEW];  /* [size][runs of the set 0..size - 1] */
    uint32_t apart[FEW][FEW]; /* [r][s]: no edge between 0..r - 1 and r..r + s - 1 */
} counted;

static void count_cycle(counted *c, const uint32_t *order) {
    uint32_t n = c->n;
    c->cycles++;
    for (uint32_t size = 1; size < n; size++) {
        uint32_t runs = 0;
        for (uint32_t i = 0; i < n; i++) runs += order[i] < size && order[(i + 1) % n] >= size;
        c->runs[size][runs]++;
    }
    for (uint32_t r = 1; r < n; r++)
        for (uint32_t s = 1; r + s <= n; s++) {
            bool apart = true;
            for (uint32_t i = 0; i < n; i++) {
                uint32_t a = order[i], b = order[(i + 1) % n];
                uint32_t low = a < b ? a : b, high = a < b ? b : a;
                apart = apart && !(low < r && high >= r && high < r + s);
            }
            c->apart[r][s] += apart;
        }
}

/* All orders of places 1.. with vertex 0 first: (n - 1)! directed cycles. */
static void each_cycle(counted *c, uint32_t *order, uint32_t at) {
    if (at == c->n) count_cycle(c, order);
    for (uint32_t i = at; i < c->n; i++) {
        uint32_t t = order[at];
        order[at] = order[i];
        order[i] = t;
        each_cycle(c, order, at + 1);
        t = order[at];
        order[at] = order[i];
        order[i] = t;
    }
}

/* The probability, times the number of cycles, is the count: a whole number. */
static void assert_counts(double log_p, uint32_t cycles, uint32_t count) {
    double expected = exp(log_p) * cycles;
    if (!(fabs(expected - count) < 1e-6)) fail_msg("%.9f, counted %u", expected, count);
}

static void counts_every_small_cycle(void **state) {
    (void)state;
    for (uint32_t n = 3; n <= FEW; n++) {
        counted c = {.n = n};
        uint32_t order[FEW];
        for (uint32_t i = 0; i < n; i++) order[i] = i;
        each_cycle(&c, order, 1);
        for (uint32_t size = 1; size < n; size++)
            for (uint32_t runs = 1; runs < FEW; runs++)
                assert_counts(graph_bounds_log_runs(n, size, runs), c.cycles, c.runs[size][runs]);
        for (uint32_t r = 1; r < n; r++)
            for (uint32_t s = 1; r + s <= n; s++)
                assert_counts(graph_bounds_log_apart(n, r, s), c.cycles, c.apart[r][s]);
    }
}

/* ---- the sums, term by term ------------------------------------------------------------------ */

static double log_choose(uint32_t n, uint32_t k) {
    return k > n ? -INFINITY : lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

static double log_add(double a, double b) {
    double high = a > b ? a : b;
    return high == -INFINITY ? high : high + log(exp(a - high) + exp(b - high));
}

/* The security text's own double sum. */
static double log_apart_slowly(uint32_t n, uint32_t r, uint32_t s) {
    uint32_t x = n - r - s;
    double sum = -INFINITY;
    for (uint32_t j = 1; j <= x && j <= r; j++)
        for (uint32_t i = 1; i <= x - j && i <= s; i++)
            sum = log_add(sum, log_choose(x, j) + log_choose(r - 1, j - 1) + log_choose(x - j, i) +
                                   log_choose(s - 1, i - 1));
    return sum + log((double)n / x) - log_choose(n, r) - log_choose(n - r, s);
}

static void sums_every_term(void **state) {
    (void)state;
    static const uint32_t sets[][3] = {{40, 1, 30},     {40, 20, 18},    {90, 30, 30},
                                       {513, 1, 410},   {513, 7, 404},   {513, 200, 211},
                                       {2000, 4, 1596}, {2000, 700, 900}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        uint32_t n = sets[i][0], r = sets[i][1], s = sets[i][2];
        double slow = log_apart_slowly(n, r, s), fast = graph_bounds_log_apart(n, r, s);
        if (!(fabs(slow - fast) < 1e-8)) fail_msg("%u %u %u: %.12g %.12g", n, r, s, slow, fast);
        assert_true(fabs(graph_bounds_log_apart(n, s, r) - fast) < 1e-8); /* as good as symmetric */
    }
    assert_true(graph_bounds_log_apart(100, 50, 50) == -INFINITY);
    assert_true(graph_bounds_log_apart(100, 50, 49) == -INFINITY);
}

/* b2 in whole numbers of any size, made elsewhere: the crossing lies between neighbouring rows. */
static void equals_exact_arithmetic(void **state) {
    (void)state;
    static const struct {
        uint32_t n, cycles, r, s;
        double log2_b2;
    } rows[] = {{1000, 76, 2, 798, 33.67}, {1000, 76, 3, 797, -302.20}, {750, 61, 1, 600, 259.20},
                {750, 61, 2, 599, -12.14}, {650, 49, 2, 538, -57.54},   {700, 72, 2, 544, -79.78},
                {700, 72, 4, 542, -669.66}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        double found = graph_bounds_log2_apart(rows[i].n, rows[i].cycles, rows[i].r, rows[i].s);
        if (!(fabs(found - rows[i].log2_b2) < 0.0051)) fail_msg("row %zu: %.4f", i, found);
    }
}

/* ln E[e^(theta (s - j))], all terms. */
static double log_moment_slowly(uint32_t n, uint32_t size, double theta) {
    double sum = -INFINITY;
    for (uint32_t j = 1; j <= size && j <= n - size; j++)
        sum = log_add(sum, graph_bounds_log_runs(n, size, j) + theta * (size - j));
    return sum;
}

/* The bound is the least over theta: no theta of a fine grid gives less, and one comes near. */
static void chernoff_is_minimal(void **state) {
    (void)state;
    static const uint32_t sets[][4] = {
        {1000, 76, 34, 125},  {1000, 59, 30, 141}, {1000, 153, 80, 90}, {1000, 76, 34, 36},
        {2000, 169, 97, 446}, {513, 25, 14, 2},    {600, 329, 119, 590}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        uint32_t n = sets[i][0], m = sets[i][1], d = sets[i][2], s = sets[i][3];
        double found = graph_bounds_log2_inner(n, m, d, s), least = INFINITY;
        for (double theta = 0.0; theta < 12.0; theta += 0.002) {
            double log_p = m * log_moment_slowly(n, s, theta) - theta * s * d / 2.0;
            least = fmin(least, (log_choose(n, s) + log_p) / M_LN2);
            if (theta > 6.0) theta += 0.01;
        }
        if (!(found <= least + 1e-6 && found >= least - 0.05))
            fail_msg("n %u s %u: %.6f, grid %.6f", n, s, found, least);
    }
    /* nothing to bound, nothing possible, and only just possible (one run in every cycle) */
    assert_true(fabs(graph_bounds_log2_inner(100, 10, 1, 99) - log2(100.0)) < 1e-9);
    assert_true(graph_bounds_log2_inner(100, 10, 30, 3) == -INFINITY);
    assert_true(graph_bounds_log2_inner(100, 10, 1, 1) == -INFINITY);
    double just = graph_bounds_log2_inner(100, 10, 10, 2);
    assert_true(fabs(just - log2(4950.0) - 10.0 * log2(2.0 / 99.0)) < 1e-9);
}

/* P[one set of s has >= edges inside] exactly, cycle by cycle: the bound is above it, not far. */
static void chernoff_bounds_the_tail(void **state) {
    (void)state;
    enum { N = 60, S = 12, M = 8, MOST = M * (S - 1) };
    double p[MOST + 1] = {1.0}, next[MOST + 1];
    for (uint32_t c = 0; c < M; c++) {
        for (uint32_t e = 0; e <= MOST; e++) next[e] = 0.0;
        for (uint32_t e = 0; e <= MOST; e++)
            for (uint32_t j = 1; j <= S && e + S - j <= MOST; j++)
                next[e + S - j] += p[e] * exp(graph_bounds_log_runs(N, S, j));
        for (uint32_t e = 0; e <= MOST; e++) p[e] = next[e];
    }
    double tail = 0.0, before = INFINITY;
    for (uint32_t edges = MOST, d; edges > 20; edges--) {
        tail += p[edges];
        if (edges % (S / 2) != 0) continue;
        d = edges / (S / 2);
        double bound = graph_bounds_log2_inner(N, M, d, S) - log_choose(N, S) / M_LN2;
        assert_true(bound + 1e-9 >= log2(tail) && bound < log2(tail) + 8.0);
        assert_true(d == MOST / (S / 2) || bound > before); /* fewer edges, likelier */
        before = bound;
    }
    assert_true(before < INFINITY);
}

/* ---- the searches ---------------------------------------------------------------------------- */

/* The peak is found by bisection because terms are log-concave; so they are. */
static void terms_are_log_concave(void **state) {
    (void)state;
    static const uint32_t sets[][2] = {{513, 2},      {513, 100},    {513, 256},   {513, 500},
                                       {10000, 1849}, {10000, 5000}, {10000, 9998}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        uint32_t n = sets[i][0], s = sets[i][1], last = s < n - s ? s : n - s;
        for (uint32_t j = 2; j < last; j++) {
            double bend = graph_bounds_log_runs(n, s, j - 1) + graph_bounds_log_runs(n, s, j + 1) -
                          2.0 * graph_bounds_log_runs(n, s, j);
            assert_true(bend < 1e-7); /* rounding of lgamma near 10000 */
        }
    }
}

/* The searches against the bounds themselves, size by size; more cycles, smaller and fewer sets. */
static void searches_find_the_crossings(void **state) {
    (void)state;
    static const uint32_t rows[][4] = {/* n, m, d, honest survivors */
                                       {513, 25, 14, 478},  {513, 304, 107, 283},
                                       {600, 138, 67, 420}, {1000, 76, 34, 800},
                                       {1000, 20, 5, 800},  {1000, 6, 9, 700}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t n = rows[i][0], m = rows[i][1], d = rows[i][2], h = rows[i][3];
        uint32_t first = h + 1, last = 0;
        for (uint32_t s = h; s > d; s--)
            if (graph_bounds_log2_inner(n, m, d, s) > GRAPH_BOUNDS_LOG2) first = s;
        for (uint32_t r = 1; r <= h / 2; r++)
            if (graph_bounds_log2_apart(n, m, r, h - r) > GRAPH_BOUNDS_LOG2) last = r;
        assert_int_equal(graph_bounds_inner_min(n, m, d, h), first);
        assert_int_equal(graph_bounds_apart_max(n, m, h), last);
        assert_true(graph_bounds_apart_max(n, m + 1, h) <= last);
        assert_true(graph_bounds_inner_min(n, m, d + 1, h) >= first);
    }
    assert_int_equal(graph_bounds_inner_min(1000, 2, 800, 801), 802);
    assert_int_equal(graph_bounds_apart_max(1000, 59, 0), 0);
    assert_int_equal(graph_bounds_apart_max(1000, 2, 800), 400); /* two cycles are easily cut */
}

/* t - t1 never falls when a device has one more neighbour, so d at k_min is the least. */
static void more_neighbours_need_more_inside(void **state) {
    (void)state;
    static const uint32_t rosters[][2] = {{513, 51}, {1000, 100}, {2000, 40}, {10000, 2000}};
    for (size_t i = 0; i < COUNT(rosters); i++) {
        uint32_t before = 0;
        for (uint32_t degree = 2; degree <= 500; degree++) {
            uint32_t t1 = tacit_graph_t1(rosters[i][0], rosters[i][1], degree);
            uint32_t inner = (degree + t1) / 2 + 1 - t1;
            assert_true(inner >= before);
            before = inner;
        }
    }
}

/* ---- the whole range ------------------------------------------------------------------------- */

/* Over all the protocol allows on cycles: r covers r* with a quarter to spare, and what is cut off
 * is too small to be read. Of the last there are two proofs: r* < s_min, by counting edges; and
 * r* < inner_least, for whoever can be read has that many honest neighbours beside it. */
static void slack_covers_what_is_cut_off(void **state) {
    (void)state;
    static const uint32_t sizes[] = {513,  750,  1000, 10000, 600,  2000,
                                     5000, 1001, 1500, 3000,  4000, 7500};
    static const uint32_t colluding[] = {50, 200, 100, 75, 150};
    static const uint32_t dropout[] = {50, 250, 100, 200, 150};
    bool quick = getenv("TACIT_QUICK") != NULL;
    for (size_t i = 0; i < (quick ? 4 : COUNT(sizes)); i++)
        for (size_t c = 0; c < (quick ? 3 : COUNT(colluding)); c++)
            for (size_t d = 0; d < (quick ? 3 : COUNT(dropout)); d++) {
                uint32_t n = sizes[i];
                tacit_graph_rule rule;
                assert_int_equal(tacit_graph_rule_init(&rule, n, colluding[c], dropout[d], 0),
                                 TACIT_OK);
                graph_bounds b;
                assert_int_equal(graph_bounds_make(&b, n, colluding[c], dropout[d]), TACIT_OK);
                assert_int_equal(b.cycles, rule.cycles);
                assert_int_equal(b.degree_min, rule.degree_min);
                assert_int_equal(b.honest, rule.honest);
                if (4 * b.apart_max > 3 * rule.slack || b.apart_max >= b.inner_min ||
                    b.apart_max >= b.inner_least || b.inner_least > b.inner_degree ||
                    b.guarantee < (int32_t)rule.honest)
                    fail_msg("n %u, %u, %u: r* %u, s_min %u, d %u, least %u", n, colluding[c],
                             dropout[d], b.apart_max, b.inner_min, b.inner_degree, b.inner_least);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reproduces_the_table),
        cmocka_unit_test(counts_phantoms),
        cmocka_unit_test(refuses),
        cmocka_unit_test(counts_every_small_cycle),
        cmocka_unit_test(sums_every_term),
        cmocka_unit_test(equals_exact_arithmetic),
        cmocka_unit_test(chernoff_is_minimal),
        cmocka_unit_test(chernoff_bounds_the_tail),
        cmocka_unit_test(terms_are_log_concave),
        cmocka_unit_test(searches_find_the_crossings),
        cmocka_unit_test(more_neighbours_need_more_inside),
        cmocka_unit_test(slack_covers_what_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
