/* SPDX-License-Identifier: Apache-2.0
 * graph_test.c - thresholds, sizes and the derived graph.
 * The numbers of the protocol's security text (section B) stand here to the letter; a second, exact
 * implementation in another language stands in tests/vectors/graph.txt; what must hold for every
 * graph is tested in tests/property/graph_shape_test.c. Run from the root of the repository. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/graph.h"
#include "common/graph_size.h"
#include "common/hypergeometric.h"
#include "common/prng.h"
#include "tests/support/graph_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- helpers --------------------------------------------------------------------------------- */

/* The rule without the refusals of tacit_graph_rule_init, for numbers the public one never uses. */
static tacit_graph_rule bare_rule(uint32_t n, uint32_t max_colluding, uint32_t max_dropout) {
    tacit_graph_rule r = {.n = n, .max_colluding = max_colluding, .max_dropout = max_dropout};
    r.colluders = n * max_colluding / 1000;
    uint32_t dropouts = n * max_dropout / 1000;
    r.n_min = n - dropouts;
    r.slack = n <= TACIT_COMPLETE_GRAPH_MAX ? 0 : (n + 249) / 250;
    r.honest = r.n_min - r.colluders - r.slack;
    r.degree_min = n - 1;
    if (n > TACIT_COMPLETE_GRAPH_MAX) {
        r.degree_min = tacit_graph_degree_min(n, r.colluders, dropouts);
        r.cycles = tacit_graph_cycles_min(n, r.degree_min);
    }
    return r;
}

/* ---- known answers of the security text ------------------------------------------------------ */

static void known_thresholds(void **state) {
    (void)state;
    static const struct {
        uint32_t n, max_colluding, degree, t1, t;
    } rows[] = {
        {1000, 50, 94, 35, 65},     {1000, 50, 111, 37, 75},     {1000, 50, 118, 38, 79},
        {1000, 100, 120, 53, 87},   {1000, 100, 121, 53, 88},    {1000, 100, 141, 57, 100},
        {1000, 100, 150, 59, 105},  {1000, 100, 230, 71, 151},   {1000, 100, 231, 71, 152},
        {1000, 100, 264, 76, 171},  {1000, 100, 285, 78, 182},   {1000, 0, 100, 0, 51},
        {513, 100, 102, 43, 73},    {600, 100, 130, 50, 91},     {750, 100, 130, 52, 92},
        {2000, 100, 138, 61, 100},  {2000, 100, 158, 65, 112},   {2000, 100, 311, 92, 202},
        {5000, 100, 167, 70, 119},  {10000, 50, 131, 47, 90},    {10000, 100, 157, 69, 114},
        {10000, 100, 169, 72, 121}, {10000, 100, 365, 111, 239}, {60, 50, 59, 3, 32},
        {64, 100, 63, 6, 35},       {100, 100, 99, 10, 55},      {256, 100, 255, 25, 141},
        {511, 100, 510, 51, 281},   {512, 100, 511, 51, 282},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t colluders = rows[i].n * rows[i].max_colluding / 1000;
        uint32_t t1 = tacit_graph_t1(rows[i].n, colluders, rows[i].degree);
        if (t1 != rows[i].t1 || (rows[i].degree + t1) / 2 + 1 != rows[i].t)
            fail_msg("n %u D %u: t1 %u", rows[i].n, rows[i].degree, t1);
    }
}

/* What a device really calls: the accepted thresholds, and the two refusals by parity. */
static void known_refusals(void **state) {
    (void)state;
    tacit_graph_rule rule;
    uint32_t t = 0;
    assert_int_equal(tacit_graph_rule_init(&rule, 1000, 100, 200, 0), TACIT_OK);
    assert_int_equal(tacit_graph_t2(1000, 800, 231), 151);
    assert_int_equal(tacit_graph_t2(1000, 800, 230), 151);
    assert_int_equal(tacit_graph_threshold(&rule, 231, &t), TACIT_TOO_FEW);
    assert_int_equal(tacit_graph_threshold(&rule, 230, &t), TACIT_OK);
    assert_int_equal(t, 151);
    assert_int_equal(tacit_graph_threshold(&rule, 264, &t), TACIT_OK);
    assert_int_equal(t, 171);

    assert_int_equal(tacit_graph_rule_init(&rule, 10000, 100, 100, 0), TACIT_OK);
    assert_int_equal(tacit_graph_t2(10000, 9000, 157), 113);
    assert_int_equal(tacit_graph_threshold(&rule, 157, &t), TACIT_TOO_FEW);
    assert_int_equal(tacit_graph_threshold(&rule, 156, &t), TACIT_OK);
    assert_int_equal(t, 113);

    assert_int_equal(tacit_graph_threshold(&rule, 0, &t), TACIT_TOO_FEW);
    assert_int_equal(tacit_graph_threshold(&rule, 1, &t), TACIT_TOO_FEW);
    assert_int_equal(tacit_graph_threshold(&rule, 2, &t), TACIT_TOO_FEW);
    assert_int_equal(tacit_graph_threshold(&rule, 1201, &t), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_graph_rule_init(&rule, 100, 100, 100, 0), TACIT_OK);
    assert_int_equal(tacit_graph_threshold(&rule, 99, &t), TACIT_OK);
    assert_int_equal(t, 55);
    assert_int_equal(tacit_graph_threshold(&rule, 98, &t), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_graph_threshold(&rule, 100, &t), TACIT_INVALID_ARGUMENT);
}

static const struct {
    uint32_t n, max_colluding, max_dropout, cycles, n_min, colluders, slack, honest;
} known_rules[] = {
    {60, 50, 50, 0, 57, 3, 0, 54},
    {100, 50, 100, 0, 90, 5, 0, 85},
    {100, 100, 200, 0, 80, 10, 0, 70},
    {128, 100, 200, 0, 103, 12, 0, 91},
    {256, 50, 100, 0, 231, 12, 0, 219},
    {256, 100, 200, 0, 205, 25, 0, 180},
    {256, 100, 300, 0, 180, 25, 0, 155},
    {300, 100, 200, 0, 240, 30, 0, 210},
    {512, 50, 100, 0, 461, 25, 0, 436},
    {512, 100, 300, 0, 359, 51, 0, 308},
    {513, 100, 100, 68, 462, 51, 3, 408},
    {513, 100, 200, 130, 411, 51, 3, 357},
    {600, 100, 200, 138, 480, 60, 3, 417},
    {750, 100, 200, 144, 600, 75, 3, 522},
    {999, 100, 200, 153, 800, 99, 4, 697},
    {1000, 50, 100, 59, 900, 50, 4, 846},
    {1000, 100, 100, 76, 900, 100, 4, 796},
    {1000, 100, 200, 153, 800, 100, 4, 696},
    {1000, 100, 300, 349, 700, 100, 4, 596},
    {1001, 100, 200, 153, 801, 100, 5, 696},
    {1500, 100, 200, 163, 1200, 150, 6, 1044},
    {2000, 50, 100, 63, 1800, 100, 8, 1692},
    {2000, 100, 100, 82, 1800, 200, 8, 1592},
    {2000, 100, 200, 169, 1600, 200, 8, 1392},
    {3000, 100, 200, 177, 2400, 300, 12, 2088},
    {5000, 50, 100, 64, 4500, 250, 20, 4230},
    {5000, 100, 100, 85, 4500, 500, 20, 3980},
    {5000, 100, 200, 181, 4000, 500, 20, 3480},
    {10000, 50, 100, 66, 9000, 500, 40, 8460},
    {10000, 100, 100, 85, 9000, 1000, 40, 7960},
    {10000, 100, 200, 186, 8000, 1000, 40, 6960},
    {2000, 100, 300, 426, 1400, 200, 8, 1192},
};

static void known_rule_numbers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(known_rules); i++) {
        uint32_t n = known_rules[i].n, gamma = known_rules[i].max_colluding;
        uint32_t delta = known_rules[i].max_dropout;
        tacit_graph_rule r;
        tacit_status st = tacit_graph_rule_init(&r, n, gamma, delta, 0);
        bool refused = n > TACIT_COMPLETE_GRAPH_MAX && delta > TACIT_CYCLES_MAX_DROPOUT;
        assert_int_equal(st, refused ? TACIT_BELOW_FLOOR : TACIT_OK);
        if (refused) r = bare_rule(n, gamma, delta);
        assert_int_equal(r.n, n);
        assert_int_equal(r.max_colluding, gamma);
        assert_int_equal(r.max_dropout, delta);
        assert_int_equal(r.cycles, known_rules[i].cycles);
        assert_int_equal(r.n_min, known_rules[i].n_min);
        assert_int_equal(r.colluders, known_rules[i].colluders);
        assert_int_equal(r.slack, known_rules[i].slack);
        assert_int_equal(r.honest, known_rules[i].honest);
    }
}

/* The table: k_min, its t and t1; m, a typical D, its t and t2 (the last two on cycles only). */
static void known_table(void **state) {
    (void)state;
    static const struct {
        uint32_t n, max_colluding, max_dropout, degree_min, t_min, t1_min, cycles, degree, t, t2;
    } rows[] = {
        {256, 50, 100, 48, 31, 12, 0, 255, 134, 0},
        {256, 100, 100, 64, 45, 25, 0, 255, 141, 0},
        {256, 100, 200, 102, 64, 25, 0, 255, 141, 0},
        {256, 100, 300, 158, 92, 25, 0, 255, 141, 0},
        {512, 50, 100, 72, 49, 25, 0, 511, 269, 0},
        {512, 100, 100, 98, 71, 43, 0, 511, 282, 0},
        {512, 100, 200, 172, 112, 51, 0, 511, 282, 0},
        {512, 100, 300, 276, 164, 51, 0, 511, 282, 0},
        {1000, 50, 100, 94, 65, 35, 59, 111, 75, 79},
        {1000, 100, 100, 120, 87, 53, 76, 141, 100, 105},
        {1000, 100, 200, 230, 151, 71, 153, 264, 171, 176},
        {1000, 100, 300, 450, 272, 93, 349, 503, 301, 309},
        {2000, 50, 100, 106, 74, 40, 63, 122, 83, 87},
        {2000, 100, 100, 138, 100, 61, 82, 158, 112, 117},
        {2000, 100, 200, 280, 184, 87, 169, 311, 202, 207},
        {2000, 100, 300, 634, 385, 135, 426, 694, 419, 426},
        {5000, 50, 100, 114, 79, 43, 64, 126, 86, 89},
        {5000, 100, 100, 152, 110, 67, 85, 167, 119, 123},
        {5000, 100, 200, 324, 213, 101, 181, 349, 228, 231},
        {5000, 100, 300, 840, 511, 180, 494, 897, 543, 549},
        {10000, 50, 100, 120, 83, 45, 66, 131, 90, 92},
        {10000, 100, 100, 156, 113, 69, 85, 169, 121, 123},
        {10000, 100, 200, 344, 226, 107, 186, 365, 239, 241},
        {10000, 100, 300, 944, 574, 203, 522, 991, 601, 605},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t n = rows[i].n, k = rows[i].degree_min;
        uint32_t colluders = n * rows[i].max_colluding / 1000;
        uint32_t dropouts = n * rows[i].max_dropout / 1000;
        assert_int_equal(tacit_graph_degree_min(n, colluders, dropouts), k);
        uint32_t t1 = tacit_graph_t1(n, colluders, k);
        assert_int_equal(t1, rows[i].t1_min);
        assert_int_equal((k + t1) / 2 + 1, rows[i].t_min);

        tacit_graph_rule rule = bare_rule(n, rows[i].max_colluding, rows[i].max_dropout);
        assert_int_equal(rule.cycles, rows[i].cycles);
        uint32_t t = 0;
        assert_int_equal(tacit_graph_threshold(&rule, rows[i].degree, &t), TACIT_OK);
        assert_int_equal(t, rows[i].t);
        if (rows[i].t2 != 0)
            assert_int_equal(tacit_graph_t2(n, n - dropouts, rows[i].degree), rows[i].t2);
    }
}

/* Condition (4) with 2^-(sigma + 1), in logarithms. */
static bool connected_at(uint32_t n, uint32_t gone, uint32_t k, double sigma) {
    double bound = log2((double)n * (n - k - 1) / 2.0);
    for (uint32_t i = 0; i < k && i < gone; i++)
        bound += log2((double)(gone - i) / (double)(n - i));
    return k > gone || bound <= -(sigma + 1.0);
}

/* The rule at sigma = 40 gives what others published: the degrees in the tests of Google's
 * federated compute platform (semi-honest, t = t1 + 1) and, with 2t > k + t1, those of the
 * protocol's survey. sigma = 80 is what the rest of this file uses. */
static void published_degrees_at_40_bits(void **state) {
    (void)state;
    static const struct {
        uint32_t n, max_colluding, max_dropout;
        bool semi_honest;
        uint32_t k, t;
    } rows[] = {
        {100, 330, 330, true, 68, 34},     {1000, 330, 330, true, 286, 150},
        {10000, 330, 330, true, 422, 221}, {100, 300, 300, false, 92, 62},
        {1000, 100, 100, false, 96, 67},   {1000, 100, 200, false, 194, 124},
        {10000, 100, 100, false, 122, 85}, {10000, 100, 200, false, 280, 179},
        {1000, 50, 50, false, 52, 37},     {10000, 200, 200, false, 482, 328},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t n = rows[i].n, k = 0, t = 0;
        uint32_t colluders = n * rows[i].max_colluding / 1000;
        uint32_t dropouts = n * rows[i].max_dropout / 1000;
        for (k = 2; k < n && k <= TACIT_MAX_NEIGHBOURS; k += 2) {
            uint32_t t1 = tacit_hypergeometric_above(n, colluders, k, (double)n * 0x1p41);
            t = rows[i].semi_honest ? t1 + 1 : (k + t1) / 2 + 1;
            if (t <= tacit_graph_t2(n, n - dropouts, k) &&
                connected_at(n, colluders + dropouts, k, 40.0))
                break;
        }
        if (k != rows[i].k || t != rows[i].t)
            fail_msg("n %u: %u/%u, not %u/%u", n, k, t, rows[i].k, rows[i].t);
    }
}

/* ---- what the rule refuses ------------------------------------------------------------------- */

static void rule_refuses(void **state) {
    (void)state;
    static const struct {
        uint32_t n, max_colluding, max_dropout, floor;
        tacit_status status;
    } rows[] = {
        {0, 0, 0, 0, TACIT_BAD_ROSTER},
        {2, 0, 0, 0, TACIT_BAD_ROSTER},
        {3, 0, 0, 0, TACIT_OK},
        {10001, 100, 200, 0, TACIT_BAD_ROSTER},
        {UINT32_MAX, 100, 200, 0, TACIT_BAD_ROSTER},
        {100, 1001, 0, 0, TACIT_BELOW_FLOOR},
        {100, 0, UINT32_MAX, 0, TACIT_BELOW_FLOOR},
        {100, 1000, 0, 0, TACIT_BELOW_FLOOR},
        {100, 0, 1000, 0, TACIT_BELOW_FLOOR},
        {100, 600, 600, 0, TACIT_BELOW_FLOOR}, /* n_min < A */
        {100, 0, 0, 100, TACIT_OK},
        {100, 0, 0, 101, TACIT_BELOW_FLOOR}, /* n_min > n */
        {100, 0, 0, UINT32_MAX, TACIT_BELOW_FLOOR},
        {100, 100, 400, 0, TACIT_OK},          /* 2h == n */
        {100, 100, 410, 0, TACIT_BELOW_FLOOR}, /* 2h == n - 2 */
        {100, 100, 410, 60, TACIT_OK},         /* the plan's floor mends it */
        {101, 100, 400, 0, TACIT_OK},          /* 2h == n + 1 */
        {512, 100, 300, 0, TACIT_OK},          /* complete: fractions as wide as C5 allows */
        {512, 0, 0, 0, TACIT_OK},
        {512, 300, 200, 0, TACIT_OK},
        {513, 100, 300, 0, TACIT_BELOW_FLOOR}, /* cycles: only the range that was argued */
        {1000, 100, 251, 0, TACIT_BELOW_FLOOR},
        {1000, 100, 250, 0, TACIT_OK},
        {1000, 201, 100, 0, TACIT_BELOW_FLOOR},
        {1000, 200, 100, 0, TACIT_OK},
        {1000, 49, 100, 0, TACIT_BELOW_FLOOR},
        {1000, 50, 100, 0, TACIT_OK},
        {1000, 100, 49, 0, TACIT_BELOW_FLOOR},
        {1000, 100, 50, 0, TACIT_OK},
        {1000, 0, 100, 0, TACIT_BELOW_FLOOR},
        {513, 200, 250, 0, TACIT_OK}, /* the corners of that range */
        {10000, 200, 250, 0, TACIT_OK},
        {10000, 50, 50, 0, TACIT_OK},
        {10000, 100, 200, 0, TACIT_OK},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        tacit_graph_rule r;
        tacit_status st = tacit_graph_rule_init(&r, rows[i].n, rows[i].max_colluding,
                                                rows[i].max_dropout, rows[i].floor);
        if (st != rows[i].status) fail_msg("row %zu: %s", i, tacit_status_name(st));
    }
}

/* The searches end: graphs that need too many neighbours or cycles do not exist here. Within the
 * fractions that tacit_graph_rule_init lets through this never happens: the widest needs m = 594.
 */
static void searches_give_up(void **state) {
    (void)state;
    assert_int_equal(tacit_graph_degree_min(10000, 3000, 3300), 0);
    assert_int_equal(tacit_graph_degree_min(600, 300, 300), 0);
    assert_int_equal(tacit_graph_cycles_min(513, 512), 0);
    assert_int_equal(tacit_graph_cycles_min(10000, 1200), 0);
    assert_int_equal(tacit_graph_cycles_min(1000, 1), 1);
    assert_int_equal(tacit_graph_cycles_min(1000, 2), 1); /* one cycle gives two neighbours */
    tacit_graph_rule r;
    assert_int_equal(tacit_graph_rule_init(&r, 10000, 200, 250, 0), TACIT_OK);
    assert_int_equal(r.cycles, 594);
    assert_int_equal(r.degree_min, 1068);
}

/* A floor raises n_min and h, and leaves k, m and t alone: they follow from delta. */
static void floor_raises_n_min_only(void **state) {
    (void)state;
    tacit_graph_rule a, b;
    assert_int_equal(tacit_graph_rule_init(&a, 1000, 100, 200, 0), TACIT_OK);
    assert_int_equal(tacit_graph_rule_init(&b, 1000, 100, 200, 850), TACIT_OK);
    assert_int_equal(b.n_min, 850);
    assert_int_equal(b.honest, 746);
    assert_int_equal(b.cycles, a.cycles);
    assert_int_equal(b.degree_min, a.degree_min);
    uint32_t ta = 0, tb = 0;
    assert_int_equal(tacit_graph_threshold(&a, 264, &ta), TACIT_OK);
    assert_int_equal(tacit_graph_threshold(&b, 264, &tb), TACIT_OK);
    assert_int_equal(ta, tb);
    assert_int_equal(tacit_graph_rule_init(&b, 1000, 100, 200, 700), TACIT_OK);
    assert_int_equal(b.n_min, 800);
}

/* Every accepted rule keeps what the protocol leans on, whatever the numbers (security C5, B). */
static void rule_keeps_its_promises(void **state) {
    (void)state;
    tacit_prng p;
    tacit_prng_init_seed(&p, 7, 0);
    uint32_t accepted = 0;
    for (int i = 0; i < 400; i++) {
        uint32_t n = 3 + tacit_prng_below(&p, i % 4 == 0 ? TACIT_MAX_COHORT - 2 : 700);
        uint32_t gamma = tacit_prng_below(&p, 220), delta = tacit_prng_below(&p, 270);
        tacit_graph_rule r;
        if (tacit_graph_rule_init(&r, n, gamma, delta, 0) != TACIT_OK) continue;
        accepted++;
        assert_true(2 * r.honest >= n);
        assert_int_equal(r.honest + r.slack + r.colluders, r.n_min);
        assert_true((r.cycles == 0) == (n <= TACIT_COMPLETE_GRAPH_MAX));
        if (r.cycles == 0) continue;
        uint32_t t = 0, dropouts = n * delta / 1000;
        assert_true(r.degree_min % 2 == 0 && r.degree_min <= 2 * r.cycles);
        assert_true(r.cycles <= TACIT_MAX_CYCLES);
        assert_true(tacit_graph_connected(n, r.colluders, dropouts, r.degree_min));
        assert_int_equal(tacit_graph_threshold(&r, r.degree_min, &t), TACIT_OK);
        assert_true(2 * t > r.degree_min + tacit_graph_t1(n, r.colluders, r.degree_min));
        for (uint32_t k = 2; k < r.degree_min; k += 2) /* the least, not just one that passes */
            assert_true(!tacit_graph_connected(n, r.colluders, dropouts, k) ||
                        tacit_graph_threshold(&r, k, &t) == TACIT_TOO_FEW);
    }
    assert_true(accepted >= 200);
}

/* The benchmarks' complete graph: the same integers without slack, everyone's neighbour everyone,
 * and its own refusals. Up to 512 it is the rule itself. */
static void complete_for_benchmarks(void **state) {
    (void)state;
    tacit_graph_rule r, plain;
    uint32_t t = 0;
    assert_int_equal(tacit_graph_rule_complete(&r, 1000, 100, 300, 0), TACIT_OK);
    assert_int_equal(r.cycles, 0);
    assert_int_equal(r.degree_min, 999);
    assert_int_equal(r.slack, 0);
    assert_int_equal(r.n_min, 700);
    assert_int_equal(r.honest, 600);
    assert_int_equal(tacit_graph_threshold(&r, 999, &t), TACIT_OK);
    assert_int_equal(t, (999 + 100) / 2 + 1);
    assert_int_equal(tacit_graph_rule_init(&plain, 1000, 100, 300, 0), TACIT_BELOW_FLOOR);
    assert_int_equal(tacit_graph_rule_complete(&r, TACIT_MAX_NEIGHBOURS + 1, 100, 200, 0),
                     TACIT_OK);
    assert_int_equal(tacit_graph_rule_complete(&r, TACIT_MAX_NEIGHBOURS + 2, 100, 200, 0),
                     TACIT_BAD_ROSTER);
    assert_int_equal(tacit_graph_rule_complete(&r, 2, 0, 0, 0), TACIT_BAD_ROSTER);
    assert_int_equal(tacit_graph_rule_complete(&r, 1000, 100, 500, 0), TACIT_BELOW_FLOOR);
    assert_int_equal(tacit_graph_rule_complete(&r, 1000, 100, 300, 1001), TACIT_BELOW_FLOOR);
    memset(&r, 0, sizeof r);
    memset(&plain, 0, sizeof plain);
    assert_int_equal(tacit_graph_rule_complete(&r, 512, 100, 200, 0), TACIT_OK);
    assert_int_equal(tacit_graph_rule_init(&plain, 512, 100, 200, 0), TACIT_OK);
    assert_memory_equal(&r, &plain, sizeof r);
}

/* ---- the exact second implementation --------------------------------------------------------- */

static uint8_t nibble(char c) { return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); }

static void from_hex(uint8_t out[static TACIT_HASH_LEN], const char *hex) {
    for (size_t i = 0; i < TACIT_HASH_LEN; i++)
        out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

/* "row index neighbours...": against both derivations of the graph line above it. */
static void check_row(const graph *g, const char *text) {
    char *at;
    uint16_t expect[TACIT_MAX_NEIGHBOURS], got[TACIT_MAX_NEIGHBOURS];
    uint32_t index = (uint32_t)strtoul(text, &at, 10);
    size_t count = 0, got_count = 0;
    while (*at == ' ') {
        assert_true(count < TACIT_MAX_NEIGHBOURS);
        expect[count++] = (uint16_t)strtoul(at, &at, 10);
    }
    assert_int_equal(
        tacit_graph_neighbours(got, COUNT(got), &got_count, &g->rule, g->seed, index, g->scratch),
        TACIT_OK);
    assert_int_equal(got_count, count);
    assert_memory_equal(got, expect, count * sizeof *expect);
    assert_int_equal(degree_of(g, index), count);
    assert_memory_equal(g->adjacent + g->offsets[index], expect, count * sizeof *expect);
}

static void check_number_line(const char *line, const char *word, const uint32_t v[static 5]) {
    if (strcmp(word, "t1") == 0) {
        if (tacit_graph_t1(v[0], v[1], v[2]) != v[3]) fail_msg("%s", line);
    } else if (strcmp(word, "t2") == 0) {
        if (tacit_graph_t2(v[0], v[1], v[2]) != v[3]) fail_msg("%s", line);
    } else if (strcmp(word, "connected") == 0) {
        for (uint32_t k = 0; k < v[0]; k++)
            if (tacit_graph_connected(v[0], v[1], v[2], k) != (k >= v[3])) fail_msg("%s", line);
    } else if (strcmp(word, "size") == 0) {
        uint32_t k = tacit_graph_degree_min(v[0], v[1], v[2]);
        if (k != v[3] || tacit_graph_cycles_min(v[0], k) != v[4]) fail_msg("%s", line);
    } else {
        fail_msg("unknown line: %s", line);
    }
}

static void vectors(void **state) {
    (void)state;
    FILE *f = fopen("tests/vectors/graph.txt", "r");
    if (f == NULL) fail_msg("tests/vectors/graph.txt: run from the root of the repository");
    static char line[16384];
    char word[16], a[80], b[80];
    graph g = {.offsets = NULL, .adjacent = NULL, .scratch = NULL};
    uint32_t v[5], lines = 0, graphs = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#') continue;
        assert_non_null(strchr(line, '\n'));
        assert_int_equal(sscanf(line, "%15s", word), 1);
        lines++;
        uint8_t session[TACIT_HASH_LEN], expect[TACIT_HASH_LEN], got[TACIT_HASH_LEN];
        if (strcmp(word, "seed") == 0) {
            assert_int_equal(sscanf(line, "%*s %64s %64s", a, b), 2);
            from_hex(session, a);
            from_hex(expect, b);
            tacit_graph_seed(got, session);
            assert_memory_equal(got, expect, sizeof got);
        } else if (strcmp(word, "graph") == 0) {
            assert_int_equal(sscanf(line, "%*s %64s %u %u %u %64s", a, &v[0], &v[1], &v[2], b), 5);
            from_hex(session, a);
            from_hex(expect, b);
            graph_free(&g);
            graph_make(&g, v[0], v[1], v[2], session);
            graph_digest(got, &g);
            assert_memory_equal(got, expect, sizeof got);
            graphs++;
        } else if (strcmp(word, "row") == 0) {
            assert_true(graphs > 0);
            check_row(&g, line + strlen("row "));
        } else {
            memset(v, 0, sizeof v);
            assert_true(sscanf(line, "%*s %u %u %u %u %u", &v[0], &v[1], &v[2], &v[3], &v[4]) >= 4);
            check_number_line(line, word, v);
        }
    }
    graph_free(&g);
    fclose(f);
    assert_int_equal(graphs, 5);
    assert_int_equal(lines, 1012);
}

/* ---- tails: by counting ---------------------------------------------------------------------- */

/* Every tail of small populations, against binomial coefficients in 64-bit integers. */
static void tails_by_counting(void **state) {
    (void)state;
    static uint64_t choose[31][31];
    for (int i = 0; i <= 30; i++) {
        choose[i][0] = 1;
        for (int j = 1; j <= i; j++)
            choose[i][j] = choose[i - 1][j - 1] + (j < i ? choose[i - 1][j] : 0);
    }
    const uint64_t scale = 4096; /* more than 2 * TACIT_MAX_NEIGHBOURS */
    for (uint32_t n = 3; n <= 30; n++)
        for (uint32_t marked = 0; marked <= n; marked++)
            for (uint32_t draws = 0; draws <= n; draws++) {
                uint32_t tau = draws < marked ? draws : marked;
                uint64_t tail = 0;
                while (tau > 0) {
                    uint64_t term = draws - tau > n - marked
                                        ? 0
                                        : choose[marked][tau] * choose[n - marked][draws - tau];
                    if ((tail + term) * scale > choose[n][draws]) break;
                    tail += term;
                    tau--;
                }
                if (tacit_hypergeometric_above(n, marked, draws, (double)scale) != tau)
                    fail_msg("Hyp(%u, %u, %u)", n, marked, draws);
            }
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_thresholds),
        cmocka_unit_test(known_refusals),
        cmocka_unit_test(known_rule_numbers),
        cmocka_unit_test(known_table),
        cmocka_unit_test(published_degrees_at_40_bits),
        cmocka_unit_test(rule_refuses),
        cmocka_unit_test(searches_give_up),
        cmocka_unit_test(floor_raises_n_min_only),
        cmocka_unit_test(rule_keeps_its_promises),
        cmocka_unit_test(complete_for_benchmarks),
        cmocka_unit_test(vectors),
        cmocka_unit_test(tails_by_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
