/* SPDX-License-Identifier: Apache-2.0
 * graph_deletion_test.c - what remains of real graphs when devices drop out: at random, and picked
 * by a server that knows the graph and the colluders (tests/support/graph_adversary). At least
 * n_min devices remain, and a device that keeps fewer than t_v live neighbours reveals nothing.
 * Then one part of the honest survivors holds n_min - A - r of them and only it can be read. That
 * the adversary is worth something is shown on graphs of the same degree that it does cut. */
#include "common/prng.h"
#include "tests/support/graph_adversary.h"
#include "tests/support/graph_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    uint32_t n, max_colluding, max_dropout;
} cohorts[] = {{513, 100, 200},  {600, 200, 250},  {1000, 50, 100}, {1000, 50, 50},
               {1000, 100, 200}, {2000, 100, 100}, {2000, 50, 100}};

static bool quick(void) { return getenv("TACIT_QUICK") != NULL; }

/* One graph under attack. */
typedef struct {
    graph graph;
    attacked target;
    region work;
    uint8_t *dropped;
    tacit_prng p;
} scene;

static void scene_make(scene *s, size_t cohort, uint8_t number) {
    uint8_t session[TACIT_HASH_LEN];
    memset(session, number, sizeof session);
    tacit_prng_init_seed(&s->p, number, cohort);
    graph_make(&s->graph, cohorts[cohort].n, cohorts[cohort].max_colluding,
               cohorts[cohort].max_dropout, session);
    const tacit_graph_rule *r = &s->graph.rule;
    assert_true(attacked_init(&s->target, r->n, r->colluders, r->n - r->n_min, s->graph.offsets,
                              s->graph.adjacent, &s->p));
    assert_true(region_init(&s->work, r->n));
    region_bar(&s->work, &s->target, false);
    s->dropped = need(r->n, 1);
}

static void scene_free(scene *s) {
    graph_free(&s->graph);
    attacked_free(&s->target);
    region_free(&s->work);
    free(s->dropped);
}

/* Whatever was dropped: one large part, and nothing beside it can be read. */
static verdict expect_one_sum(scene *s) {
    const tacit_graph_rule *r = &s->graph.rule;
    verdict v = adversary_judge(&s->work, &s->target, s->dropped);
    assert_true(v.remaining >= r->n_min);
    assert_true(v.largest >= r->honest);
    assert_true(v.readable <= 1);
    if (v.readable == 1) assert_int_equal(v.least_read, v.largest);
    /* all others together are within r, so no second part reaches n_min - A - r */
    assert_true(v.remaining - r->colluders - v.largest <= r->slack);
    if (v.starved == 0) assert_true(v.parts == 1 && v.readable == 1);
    return v;
}

/* ---- at random ------------------------------------------------------------------------------- */

static void drop_at_random(scene *s) {
    memset(s->dropped, 0, s->graph.rule.n);
    for (uint32_t left = s->target.dropouts; left > 0;) {
        uint32_t v = tacit_prng_below(&s->p, s->graph.rule.n);
        if (s->dropped[v] || s->target.colluding[v]) continue;
        s->dropped[v] = 1;
        left--;
    }
}

/* n t1-tails and n t2-tails are 2^-81 and 2^-20: with these fixed seeds nobody is starved. */
static void random_dropouts_leave_one_sum(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(cohorts); c++)
        for (uint8_t number = 0; number < (quick() ? 1 : 3); number++) {
            scene s;
            scene_make(&s, c, number);
            for (int i = 0; i < 10; i++) {
                drop_at_random(&s);
                verdict v = expect_one_sum(&s);
                assert_int_equal(v.starved, 0);
                assert_int_equal(v.largest, s.graph.rule.n_min - s.graph.rule.colluders);
            }
            scene_free(&s);
        }
}

/* ---- by choice ------------------------------------------------------------------------------- */

static uint32_t half_of(const scene *s) {
    return (s->graph.rule.n_min - s->graph.rule.colluders) / 2;
}

/* Cuts off as many devices as it can, starting from the one with fewest honest neighbours. */
static uint32_t cut_off(scene *s, uint32_t start) {
    adversary_grow(&s->work, &s->target, start, s->target.dropouts, half_of(s), 20, &s->p);
    uint32_t found = s->work.best_size;
    if (found == 0) return 0;
    adversary_surround(s->dropped, &s->work, &s->target);
    verdict v = expect_one_sum(s);
    assert_true(v.starved >= found); /* those cut off keep only colluders and each other */
    assert_true(v.remaining - s->graph.rule.colluders - v.largest >= found);
    return found;
}

static void isolating_devices_reads_nothing(void **state) {
    (void)state;
    uint32_t most = 0;
    for (size_t c = 0; c < COUNT(cohorts); c++) {
        scene s;
        scene_make(&s, c, (uint8_t)(40 + c));
        uint32_t n = s.graph.rule.n, start = 0;
        while (s.target.colluding[start]) start++;
        for (uint32_t v = start; v < n; v++)
            if (!s.target.colluding[v] && degree_of(&s.graph, v) < degree_of(&s.graph, start))
                start = v;
        for (int i = 0; i < (quick() ? 2 : 8); i++) {
            uint32_t found = cut_off(&s, start);
            if (found > most) most = found;
            do start = tacit_prng_below(&s.p, n);
            while (s.target.colluding[start]);
        }
        scene_free(&s);
    }
    assert_true(most >= 2); /* the attack does cut devices off: that is what r is for */
}

/* The thinnest cut of each size class, with the best use of all dropouts, stays far from a cut. */
static void thin_cuts_do_not_cut(void **state) {
    (void)state;
    static const uint32_t above[] = {0, 5, 50};
    for (size_t c = 0; c < COUNT(cohorts); c++) {
        scene s;
        scene_make(&s, c, (uint8_t)(60 + c));
        adversary_spectrum(&s.work, &s.target, 100, &s.p);
        for (size_t i = 0; i < COUNT(above); i++) {
            adversary_sweep(&s.work, &s.target, above[i]);
            if (above[i] >= s.graph.rule.slack)
                assert_true(s.work.best_boundary > s.target.dropouts);
            adversary_surround(s.dropped, &s.work, &s.target);
            expect_one_sum(&s);
        }
        scene_free(&s);
    }
}

/* The smallest sets that could sign and be read by themselves are most of the cohort, and have
 * everybody else around them. */
static void readable_sets_are_large(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(cohorts); c++) {
        scene s;
        scene_make(&s, c, (uint8_t)(80 + c));
        uint32_t honest = s.graph.rule.n - s.graph.rule.colluders;
        for (int i = 0; i < (quick() ? 1 : 3); i++) {
            adversary_core(&s.work, &s.target, 8, &s.p);
            uint32_t size = s.work.best_size;
            assert_true(size > honest / 2); /* so no two of them beside each other */
            if (size < s.graph.rule.honest) assert_true(s.work.best_boundary > s.target.dropouts);
            adversary_surround(s.dropped, &s.work, &s.target);
            expect_one_sum(&s);
        }
        scene_free(&s);
    }
}

/* Two lists of survivors at once: on the best bisection found the average device lacks signatures,
 * and when those who lack them leave in turn, one side is empty. The security text reports 60 and
 * 128 neighbours on the own side for n = 1000 at .05/.1 and .1/.2: this search is as good. */
static void no_two_lists(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(cohorts); c++) {
        scene s;
        two_lists two;
        scene_make(&s, c, (uint8_t)(100 + c));
        adversary_spectrum(&s.work, &s.target, 60, &s.p);
        adversary_split(&two, &s.work, &s.target, &s.p);
        uint32_t honest = s.graph.rule.n - s.graph.rule.colluders;
        assert_true(two.own < two.need);
        if (c == 2) assert_true(two.own > 59.0);
        if (c == 4) assert_true(two.own > 127.0);
        assert_true(two.passing_raised >= two.passing && two.passing_raised < honest / 4);
        assert_true(two.cores[0] == 0 || two.cores[1] == 0);
        scene_free(&s);
    }
}

/* ---- graphs that are cut --------------------------------------------------------------------- */

/* A graph from a list of edges, attacked like ours. */
typedef struct {
    uint32_t *offsets;
    uint16_t *adjacent;
    attacked target;
    region work;
    uint8_t *dropped;
    tacit_prng p;
} weak;

/* joined(a, b, n): do places a < b on the ring share an edge? Places are permuted at random. */
static void weak_make(weak *w, uint32_t n, uint32_t colluders, uint32_t dropouts,
                      bool (*joined)(uint32_t a, uint32_t b, uint32_t n)) {
    uint16_t *place = need(n, sizeof *place);
    tacit_prng_init_seed(&w->p, 5, 0);
    for (uint32_t i = 0; i < n; i++) place[i] = (uint16_t)i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = tacit_prng_below(&w->p, i + 1);
        uint16_t t = place[i];
        place[i] = place[j];
        place[j] = t;
    }
    w->offsets = need(n + 1, sizeof *w->offsets);
    w->adjacent = need((size_t)n * TACIT_MAX_NEIGHBOURS, sizeof *w->adjacent);
    for (uint32_t v = 0; v < n; v++) {
        w->offsets[v + 1] = w->offsets[v];
        for (uint32_t u = 0; u < n; u++) {
            uint32_t a = place[u] < place[v] ? place[u] : place[v];
            uint32_t b = place[u] < place[v] ? place[v] : place[u];
            if (u != v && joined(a, b, n)) w->adjacent[w->offsets[v + 1]++] = (uint16_t)u;
        }
    }
    free(place);
    assert_true(attacked_init(&w->target, n, colluders, dropouts, w->offsets, w->adjacent, &w->p));
    assert_true(region_init(&w->work, n));
    region_bar(&w->work, &w->target, false);
    w->dropped = need(n, 1);
}

static void weak_free(weak *w) {
    free(w->offsets);
    free(w->adjacent);
    free(w->dropped);
    attacked_free(&w->target);
    region_free(&w->work);
}

/* n = 2000, .1/.1: our graph has 158 neighbours, A = 200, 200 dropouts, h = 1592. */
enum { N = 2000, COLLUDERS = 200, DROPOUTS = 200, HALF = 79, GROUP = 125, GATES = 20 };

/* Permuted ring (Harary): each device and the 79 on either side. */
static bool ring(uint32_t a, uint32_t b, uint32_t n) { return b - a <= HALF || a + n - b <= HALF; }

/* Islands: groups of 125 that all know each other; 20 of each know 20 of the next. */
static bool islands(uint32_t a, uint32_t b, uint32_t n) {
    uint32_t groups = n / GROUP, x = a / GROUP, y = b / GROUP;
    if (x == y) return true;
    bool next = (x + 1) % groups == y || (y + 1) % groups == x;
    return next && a % GROUP < GATES && b % GROUP < GATES;
}

/* The sweep finds a cut within the dropouts; who is around it is dropped. */
static verdict sweep_and_drop(weak *w) {
    adversary_spectrum(&w->work, &w->target, 300, &w->p);
    adversary_sweep(&w->work, &w->target, 100);
    assert_true(w->work.best_boundary <= DROPOUTS);
    adversary_surround(w->dropped, &w->work, &w->target);
    verdict v = adversary_judge(&w->work, &w->target, w->dropped);
    assert_true(v.remaining >= N - DROPOUTS);
    return v;
}

/* The ring is cut in two: no part holds n_min - A - r. With t = D / 2, the least that lets secrets
 * open after half of the neighbours are gone, both parts are read. With t_v nothing is read: beside
 * a cut of a ring a device keeps only half of its neighbours, and 2t > D + t1. */
static void a_permuted_ring_is_cut(void **state) {
    (void)state;
    weak w;
    weak_make(&w, N, COLLUDERS, DROPOUTS, ring);
    verdict v = sweep_and_drop(&w);
    assert_int_equal(v.parts, 2);
    assert_true(v.largest < 1592);
    assert_true(v.starved > 0 && v.readable == 0);
    for (uint32_t i = 0; i < N; i++) w.target.threshold[i] = HALF;
    attacked_needs(&w.target);
    v = adversary_judge(&w.work, &w.target, w.dropped);
    assert_int_equal(v.readable, 2);
    assert_true(v.least_read > 100 && v.least_read < 1592);
    weak_free(&w);
}

/* The same threshold does not help the adversary against our graph: it is not cut at all. */
static void our_graph_is_not_cut_at_half(void **state) {
    (void)state;
    scene s;
    scene_make(&s, 5, 7); /* 2000, .1/.1 */
    assert_int_equal(s.graph.rule.n, N);
    assert_int_equal(s.target.dropouts, DROPOUTS);
    for (uint32_t v = 0; v < N; v++) s.target.threshold[v] = degree_of(&s.graph, v) / 2;
    attacked_needs(&s.target);
    adversary_spectrum(&s.work, &s.target, 300, &s.p);
    adversary_sweep(&s.work, &s.target, 100);
    assert_true(s.work.best_boundary > 4 * DROPOUTS);
    adversary_surround(s.dropped, &s.work, &s.target);
    verdict v = expect_one_sum(&s);
    assert_true(v.parts == 1 && v.starved == 0);
    scene_free(&s);
}

/* Islands are read by themselves under every rule of the protocol: n_min remain, everybody has t_v
 * live neighbours, and there are two sums. Growth and peeling find them as well as the sweep. */
static void islands_are_read_apart(void **state) {
    (void)state;
    weak w;
    weak_make(&w, N, COLLUDERS, DROPOUTS, islands);
    verdict v = sweep_and_drop(&w);
    assert_true(v.parts >= 2 && v.starved == 0);
    assert_int_equal(v.readable, v.parts);
    assert_true(v.least_read < 1592);

    adversary_core(&w.work, &w.target, 8, &w.p);
    assert_true(w.work.best_size > 0 && w.work.best_size <= GROUP);
    assert_true(w.work.best_boundary <= DROPOUTS);
    adversary_surround(w.dropped, &w.work, &w.target);
    v = adversary_judge(&w.work, &w.target, w.dropped);
    assert_true(v.starved == 0 && v.readable == 2);
    assert_true(v.least_read <= GROUP);

    uint32_t start = 0;
    while (w.target.colluding[start]) start++;
    adversary_grow(&w.work, &w.target, start, DROPOUTS, 800, 0, &w.p);
    assert_true(w.work.best_size >= GROUP / 2);

    adversary_dense(&w.work, &w.target, 90);
    assert_true(w.work.best_size <= GROUP);
    two_lists two;
    adversary_spectrum(&w.work, &w.target, 300, &w.p);
    adversary_split(&two, &w.work, &w.target, &w.p);
    assert_true(two.own > two.need);
    assert_true(two.cores[0] > GROUP / 2 && two.cores[1] > GROUP / 2);
    weak_free(&w);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_dropouts_leave_one_sum),
        cmocka_unit_test(isolating_devices_reads_nothing),
        cmocka_unit_test(thin_cuts_do_not_cut),
        cmocka_unit_test(readable_sets_are_large),
        cmocka_unit_test(no_two_lists),
        cmocka_unit_test(a_permuted_ring_is_cut),
        cmocka_unit_test(our_graph_is_not_cut_at_half),
        cmocka_unit_test(islands_are_read_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
