/* SPDX-License-Identifier: Apache-2.0
 * graph_cut_by_dropouts.c - a server that knows the whole graph says who dropped out: if a set of
 * devices has few others around it, it lets exactly those others drop out. Set and rest then share
 * no mask, each has the shares and signatures it needs, and two sums open where there should be
 * one: of far fewer devices than the noise was shared out for. Two thousand devices, a tenth of
 * them colluding, a tenth that may drop out; the graph, the thresholds and the rules are the
 * product's, the devices' messages are not played. */
#include "tests/malice/malice.h"
#include "tests/support/graph_adversary.h"

enum { N = 2000 };

typedef struct {
    tacit_graph_rule rule;
    uint32_t offsets[N + 1];
    uint16_t *adjacent;
    attacked target;
    region work;
    uint8_t dropped[N];
    tacit_prng p;
} scene;

static void make(scene *s) {
    uint16_t scratch[N];
    uint8_t seed[TACIT_HASH_LEN];
    tacit_prng_init_seed(&s->p, 61, 0);
    tacit_prng_bytes(&s->p, seed, sizeof seed);
    assert_int_equal(tacit_graph_rule_init(&s->rule, N, 100, 100, 0), TACIT_OK);
    size_t edges = tacit_graph_edges_max(&s->rule);
    s->adjacent = calloc(edges, sizeof *s->adjacent);
    assert_non_null(s->adjacent);
    assert_int_equal(tacit_graph_build(s->offsets, s->adjacent, edges, &s->rule, seed, scratch),
                     TACIT_OK);
    assert_true(attacked_init(&s->target, N, s->rule.colluders, N - s->rule.n_min, s->offsets,
                              s->adjacent, &s->p));
    assert_true(region_init(&s->work, N));
    region_bar(&s->work, &s->target, false);
}

static bool wins(const char **why) {
    static scene s;
    make(&s);
    adversary_spectrum(&s.work, &s.target, 300, &s.p);
    adversary_sweep(&s.work, &s.target, 100);
    adversary_surround(s.dropped, &s.work, &s.target);
    verdict v = adversary_judge(&s.work, &s.target, s.dropped);
    bool won = v.remaining >= s.rule.n_min && v.starved == 0 && v.readable >= 2 &&
               v.least_read < s.rule.honest;
    *why = s.work.best_boundary > s.target.dropouts
               ? "more devices around every set than may drop out"
               : "no part has what it needs to be read";
    region_free(&s.work);
    attacked_free(&s.target);
    free(s.adjacent);
    return won;
}

const malice_attack malice_graph_cut_by_dropouts = {
    .finding = "Graph cutting",
    .attack = "the server lets exactly the devices around a set drop out and reads two sums",
    .check = "tacit_graph_build",
    .wins = wins,
};
