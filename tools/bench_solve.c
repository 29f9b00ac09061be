/* SPDX-License-Identifier: Apache-2.0
 * bench_solve.c - the server's learning step on random sums of the right shape, on one thread. The
 * limit is the matrix products over all items that the method needs, at the rate of a large dgemm
 * measured in the same run; factorisations of k x k matrices and passes over the sum are in the
 * value only. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/prng.h"
#include "server/solve.h"
#include "tools/bench.h"
#include "tools/bench_cost.h"

enum { FEATURES = 27 };

typedef struct {
    size_t items, k;
    learn_params p;
    learn_features *features;
    double *raw, *B, *V, *b, *c, *Cg, weight, noise_std;
    tacit_status status;
} problem;

static tacit_status make_features(problem *w) {
    size_t count = w->items * FEATURES;
    double *x = malloc(count * sizeof *x);
    tacit_prng prng;
    if (x == NULL) return TACIT_NO_SPACE;
    tacit_prng_init_seed(&prng, 8, w->items);
    for (size_t i = 0; i < count; i++)
        x[i] = i % FEATURES == FEATURES - 1 ? 1 : tacit_prng_unit(&prng) < 0.2;
    tacit_status st = learn_features_new(&w->features, x, w->items, FEATURES);
    free(x);
    return st;
}

/* Counts that fall like a shop's, rows of the sum no longer than their counts, some noise. */
static tacit_status make_problem(problem *w) {
    tacit_prng prng;
    size_t vk = w->items * w->k;
    w->raw = malloc(vk * sizeof *w->raw);
    w->B = malloc(vk * sizeof *w->B);
    w->V = malloc(vk * sizeof *w->V);
    w->b = malloc(w->items * sizeof *w->b);
    w->c = malloc(w->items * sizeof *w->c);
    w->Cg = calloc(w->k * w->k, sizeof *w->Cg);
    if (!w->raw || !w->B || !w->V || !w->b || !w->c || !w->Cg) return TACIT_NO_SPACE;
    tacit_prng_init_seed(&prng, 9, w->items);
    double total = 0;
    for (size_t i = 0; i < w->items; i++) total += w->c[i] = 5 + 2000.0 / (double)(1 + i % 1500);
    w->noise_std = 1;
    w->weight = 1.2 * 6018.0 * 6018.0 / total;
    for (size_t i = 0; i < vk; i++) {
        double lean = (i % w->k == 0 ? 0.5 : 0.05) * tacit_prng_normal(&prng);
        w->raw[i] = w->c[i / w->k] * lean + w->noise_std * tacit_prng_normal(&prng);
    }
    for (size_t j = 0; j < w->k; j++) w->Cg[j * w->k + j] = 1.0 / (double)w->k;
    return make_features(w);
}

static void free_problem(problem *w) {
    learn_features_free(w->features);
    free(w->raw);
    free(w->B);
    free(w->V);
    free(w->b);
    free(w->c);
    free(w->Cg);
}

static void keep(problem *w, tacit_status st) {
    if (w->status == TACIT_OK) w->status = st;
}

/* Flops of learn_item_solve over all items: the class moment, and two products with the pencil's
 * vectors. */
static double item_flops(const problem *w) {
    double n = (double)w->k + 1, k = (double)w->k;
    return (double)w->items * (2 * k * k + 4 * n * n);
}

/* Flops of the fit before it: in each iteration the weighted Gram of the regressors, their product
 * with the sum and the prediction; at the end the prediction again, and the second moment. */
static double fit_flops(const problem *w) {
    double f = FEATURES + (w->p.log_counts ? 2 : 0), k = (double)w->k;
    double iteration = 2 * f * f + 4 * f * k;
    return (double)w->items * (w->p.eb_iterations * iteration + 2 * f * k + 2 * k * k);
}

static void item_row(problem *w) {
    double took;
    BENCH_BEST(took, 5, 2,
               keep(w, learn_item_solve(w->b, w->V, w->raw, w->c, w->items, w->k, w->weight, w->Cg,
                                        w->p.class_share, &w->p)));
    char params[96];
    snprintf(params, sizeof params, "learn_item_solve items=%zu k=%zu, one thread", w->items, w->k);
    if (w->status == TACIT_OK)
        bench_row("server.solve", took, "cpu s", item_flops(w) * bench_cost_get()->flop, params);
}

static void step_row(problem *w) {
    double took = INFINITY;
    for (int run = 0; run < 3; run++) {
        memcpy(w->B, w->raw, w->items * w->k * sizeof *w->B);
        double start = bench_cpu_s();
        keep(w,
             learn_step(w->b, w->V, w->B, w->c, w->weight, w->noise_std, w->features, &w->p, NULL));
        took = fmin(took, bench_cpu_s() - start);
    }
    char params[96];
    snprintf(params, sizeof params, "learn_step items=%zu k=%zu features=%d, one thread", w->items,
             w->k, FEATURES);
    if (w->status == TACIT_OK)
        bench_row("server.solve", took, "cpu s",
                  (item_flops(w) + fit_flops(w)) * bench_cost_get()->flop, params);
}

static void run(size_t items, learn_preset preset, void (*row)(problem *w)) {
    problem w = {.items = items, .p = learn_params_of(preset)};
    w.k = w.p.k;
    w.status = make_problem(&w);
    if (w.status == TACIT_OK) row(&w);
    if (w.status != TACIT_OK) bench_fail("server.solve");
    free_problem(&w);
}

void bench_solve(void) {
    openblas_set_num_threads(1);
    run(3018, PRESET_CENTRAL, item_row);
    run(100000, PRESET_HI, step_row);
}
