/* SPDX-License-Identifier: Apache-2.0
 * cut_search.c - samples many graphs and attacks each with everything in graph_adversary.h, beside
 * the bounds of tools/graph_bounds.h; one JSON object of the extremes found. Exit status 1 when a
 * bound is violated, 2 for wrong arguments.
 *
 *     cut_search [--weak] GRAPHS THREADS SEED N[:C:D]...
 *
 * --weak builds each graph from a third of its cycles: a control, in which bounds must be violated.
 * N alone stands for four pairs of fractions, N:C:D for max_colluding C and max_dropout D per
 * thousand. GRAPHS are spread evenly over all of them. The same arguments try the same graphs.
 * SIGINT and SIGTERM end the search early; what was found until then is reported. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/crypto.h"
#include "tests/support/graph_adversary.h"
#include "tools/graph_bounds.h"
#include "tools/output.h"
#include "tools/progress.h"

/* .1/.3 is refused on cycles; it is searched because the security text gives figures for it. */
static const uint16_t fractions[][2] = {{50, 100}, {100, 100}, {100, 200}, {100, 300}};
enum {
    FRACTIONS = sizeof fractions / sizeof fractions[0],
    MAX_CONFIGURATIONS = 64,
    MAX_THREADS = 64,
    STARTS = 4,      /* sets grown in each graph: half from the least degrees, half from anywhere */
    EXCHANGES = 10,  /* attempts to improve each */
    WALK_STEPS = 40, /* of the spectral attack */
    CORE_TRIES = 8
};

/* What was found in one graph, or the extremes over many. */
typedef struct {
    uint32_t graphs, violations;
    uint32_t cut_off;        /* most honest devices cut off with the dropouts allowed */
    uint32_t cut_off_free;   /* most vertices cut off, colluders chosen after the graph */
    uint32_t thinnest;       /* fewest honest devices around a set of more than r*, up to half */
    uint32_t dense;          /* smallest set with d neighbours inside on average */
    uint32_t core;           /* smallest set in which each device has t_v - c_v */
    uint32_t core_boundary;  /* fewest honest devices around such a set */
    double own, need;        /* two lists: greatest mean on the own side; mean need of that graph */
    uint32_t passing;        /* most devices with enough on their side of the thinnest bisection */
    uint32_t passing_raised; /* and after a search for that number */
    uint32_t both_cores;     /* most devices in the smaller of two groups that could both sign */
} extremes;

static extremes nothing_found(void) {
    return (extremes){.thinnest = UINT32_MAX,
                      .dense = UINT32_MAX,
                      .core = UINT32_MAX,
                      .core_boundary = UINT32_MAX};
}

static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void merge(extremes *into, const extremes *found) {
    into->graphs += found->graphs;
    into->violations += found->violations;
    into->cut_off = most(into->cut_off, found->cut_off);
    into->cut_off_free = most(into->cut_off_free, found->cut_off_free);
    into->thinnest = least(into->thinnest, found->thinnest);
    into->dense = least(into->dense, found->dense);
    into->core = least(into->core, found->core);
    into->core_boundary = least(into->core_boundary, found->core_boundary);
    if (found->own > into->own) {
        into->own = found->own;
        into->need = found->need;
    }
    into->passing = most(into->passing, found->passing);
    into->passing_raised = most(into->passing_raised, found->passing_raised);
    into->both_cores = most(into->both_cores, found->both_cores);
}

/* ---- one graph ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t *offsets;
    uint16_t *adjacent, *scratch;
    size_t edges;
    attacked graph;
    region work;
} sample;

static void sample_free(sample *s) {
    free(s->offsets);
    free(s->adjacent);
    free(s->scratch);
    attacked_free(&s->graph);
    region_free(&s->work);
}

/* A graph from a random seed (a real one is stretched from the session; the rest is the same). */
static bool sample_make(sample *s, const graph_bounds *b, bool weak, tacit_prng *p) {
    *s = (sample){.edges = 0};
    tacit_graph_rule rule = {.n = b->n, .cycles = weak ? b->cycles / 3 : b->cycles};
    uint8_t seed[TACIT_HASH_LEN];
    tacit_prng_bytes(p, seed, sizeof seed);
    s->edges = tacit_graph_edges_max(&rule);
    s->offsets = calloc(b->n + 1, sizeof *s->offsets);
    s->adjacent = calloc(s->edges, sizeof *s->adjacent);
    s->scratch = calloc(tacit_graph_scratch_count(b->n), sizeof *s->scratch);
    return s->offsets && s->adjacent && s->scratch && region_init(&s->work, b->n) &&
           tacit_graph_build(s->offsets, s->adjacent, s->edges, &rule, seed, s->scratch) ==
               TACIT_OK &&
           attacked_init(&s->graph, b->n, b->colluders, b->dropouts, s->offsets, s->adjacent, p);
}

/* A vertex that is not barred with the fewest neighbours that are not, among those above `after` in
 * (neighbours, vertex) order; called again and again it goes through them all. */
static uint32_t next_start(const sample *s, uint64_t *after) {
    uint64_t found = UINT64_MAX;
    for (uint32_t v = 0; v < s->graph.n; v++) {
        if (s->work.barred[v]) continue;
        uint64_t open = 0;
        for (uint32_t e = s->offsets[v]; e < s->offsets[v + 1]; e++)
            open += !s->work.barred[s->adjacent[e]];
        uint64_t key = open << 32 | v;
        if (key >= *after && key < found) found = key;
    }
    *after = found + 1;
    return (uint32_t)found;
}

static uint32_t largest_cut_off(sample *s, uint32_t budget, uint32_t half, tacit_prng *p) {
    uint32_t found = 0;
    uint64_t after = 0;
    for (uint32_t i = 0; i < STARTS; i++) {
        uint32_t start = tacit_prng_below(p, s->graph.n);
        while (s->work.barred[start]) start = tacit_prng_below(p, s->graph.n);
        if (i % 2 == 0) start = next_start(s, &after);
        adversary_grow(&s->work, &s->graph, start, budget, half, EXCHANGES, p);
        found = most(found, s->work.best_size);
    }
    return found;
}

static void judge(extremes *x, const graph_bounds *b) {
    bool broken = x->cut_off > b->apart_max || x->cut_off_free > b->apart_max ||
                  x->thinnest <= b->dropouts || x->dense < b->inner_min || x->core < b->inner_min ||
                  x->core_boundary <= b->dropouts || x->both_cores > 0;
    x->graphs = 1;
    x->violations = broken;
}

static void attack(extremes *x, sample *s, const graph_bounds *b, tacit_prng *p) {
    *x = nothing_found();
    uint32_t half = (b->n_min - b->colluders) / 2;
    region_bar(&s->work, &s->graph, true);
    x->cut_off_free = largest_cut_off(s, b->colluders + b->dropouts, half, p);
    adversary_dense(&s->work, &s->graph, b->inner_degree);
    x->dense = s->work.best_size;

    region_bar(&s->work, &s->graph, false);
    x->cut_off = largest_cut_off(s, b->dropouts, half, p);
    adversary_core(&s->work, &s->graph, CORE_TRIES, p);
    if (s->work.best_size > 0) {
        x->core = s->work.best_size;
        /* A set as large as the guarantee may well be the one readable sum. */
        if ((int32_t)x->core < b->guarantee) x->core_boundary = s->work.best_boundary;
    }
    adversary_spectrum(&s->work, &s->graph, WALK_STEPS, p);
    adversary_sweep(&s->work, &s->graph, b->apart_max);
    x->thinnest = s->work.best_boundary;
    two_lists two;
    adversary_split(&two, &s->work, &s->graph, p);
    x->own = two.own;
    x->need = two.need;
    x->passing = two.passing;
    x->passing_raised = two.passing_raised;
    x->both_cores = least(two.cores[0], two.cores[1]);
    judge(x, b);
}

/* ---- all of them ----------------------------------------------------------------------------- */

typedef struct {
    graph_bounds bounds[MAX_CONFIGURATIONS];
    extremes found[MAX_CONFIGURATIONS];
    uint32_t configurations, graphs, next, done;
    uint64_t seed;
    bool weak, out_of_memory;
    pthread_mutex_t lock;
} search;

static volatile sig_atomic_t stop; /* set by a signal */

static void on_signal(int number) {
    (void)number;
    stop = 1;
}

static void *work(void *self) {
    search *all = self;
    for (;;) {
        pthread_mutex_lock(&all->lock);
        uint32_t i = all->out_of_memory || stop ? all->graphs : all->next++;
        pthread_mutex_unlock(&all->lock);
        if (i >= all->graphs) return NULL;
        const graph_bounds *b = &all->bounds[i % all->configurations];
        tacit_prng p;
        sample s;
        extremes x = nothing_found();
        tacit_prng_init_seed(&p, all->seed, i);
        bool made = sample_make(&s, b, all->weak, &p);
        if (made) attack(&x, &s, b, &p);
        sample_free(&s);
        pthread_mutex_lock(&all->lock);
        all->out_of_memory = all->out_of_memory || !made;
        merge(&all->found[i % all->configurations], &x);
        progress_show("graphs", ++all->done, all->graphs);
        pthread_mutex_unlock(&all->lock);
    }
}

static json_t *count_or_null(uint32_t v) { return v == UINT32_MAX ? json_null() : json_count(v); }

static json_t *report_one(const graph_bounds *b, const extremes *x) {
    return json_pack(
        "{s:i, s:f, s:f, s:i, s:i, s:{s:i, s:i, s:i}, s:{s:o, s:i}, s:{s:o, s:i, s:i}, "
        "s:{s:o, s:i, s:o, s:i}, s:{s:f, s:f, s:i, s:i, s:i, s:i}}",
        "devices", (int)b->n, "max_colluding", b->max_colluding / 1000.0, "max_dropout",
        b->max_dropout / 1000.0, "graphs", (int)x->graphs, "violations", (int)x->violations,
        "cut_off", "largest", (int)x->cut_off, "largest_with_chosen_colluders",
        (int)x->cut_off_free, "bound_r_star", (int)b->apart_max, "thinnest_cut",
        "honest_devices_to_drop", count_or_null(x->thinnest), "dropouts_allowed", (int)b->dropouts,
        "dense_set", "smallest", count_or_null(x->dense), "bound_s_min", (int)b->inner_min,
        "neighbours_inside", (int)b->inner_degree, "readable_set", "smallest",
        count_or_null(x->core), "bound_s_min", (int)b->inner_min, "honest_devices_to_drop",
        count_or_null(x->core_boundary), "dropouts_allowed", (int)b->dropouts, "two_lists",
        "mean_on_own_side", x->own, "mean_needed", x->need, "devices_passing", (int)x->passing,
        "devices_passing_at_most", (int)x->passing_raised, "of_devices", (int)(b->n - b->colluders),
        "in_the_smaller_group_that_signs", (int)x->both_cores);
}

static int report(const search *all, double seconds) {
    json_t *list = json_array();
    uint32_t violations = 0;
    for (uint32_t i = 0; i < all->configurations; i++) {
        violations += all->found[i].violations;
        json_array_append_new(list, report_one(&all->bounds[i], &all->found[i]));
    }
    json_t *root = json_pack("{s:i, s:I, s:f, s:i, s:o}", "graphs", (int)all->done, "seed",
                             (json_int_t)all->seed, "seconds", seconds, "violations",
                             (int)violations, "configurations", list);
    return print_json(root) != 0 || violations > 0;
}

static bool number(uint32_t *out, const char *text, uint32_t low, uint32_t high) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && v >= low && v <= high;
}

static int run(search *all, uint32_t threads) {
    pthread_t thread[MAX_THREADS];
    uint32_t started = 0;
    struct timespec begin, end;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (started < threads && pthread_create(&thread[started], NULL, work, all) == 0) started++;
    for (uint32_t i = 0; i < started; i++) pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    progress_end();
    if (started == 0 || all->out_of_memory)
        return complain("cut_search: %s", started == 0 ? "no thread starts" : "out of memory");
    return report(
        all, (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
}

static bool configure(search *all, uint32_t n, uint32_t max_colluding, uint32_t max_dropout) {
    if (all->configurations == MAX_CONFIGURATIONS) return false;
    graph_bounds *b = &all->bounds[all->configurations];
    if (graph_bounds_make(b, n, max_colluding, max_dropout) != TACIT_OK || b->complete)
        return false;
    all->found[all->configurations++] = nothing_found();
    return true;
}

/* N or N:C:D */
static bool configure_from(search *all, const char *text) {
    uint32_t v[3];
    char part[16];
    size_t count = 0;
    for (; count < 3; count++) {
        size_t len = strcspn(text, ":");
        if (len >= sizeof part) return false;
        memcpy(part, text, len);
        part[len] = 0;
        if (!number(&v[count], part, 0, TACIT_MAX_COHORT)) return false;
        if (text[len] == 0) break;
        text += len + 1;
    }
    if (count == 2) return configure(all, v[0], v[1], v[2]);
    bool ok = count == 0;
    for (size_t f = 0; ok && f < FRACTIONS; f++)
        ok = configure(all, v[0], fractions[f][0], fractions[f][1]);
    return ok;
}

int main(int argc, char **argv) {
    static search all;
    all.weak = argc > 1 && strcmp(argv[1], "--weak") == 0;
    argv += all.weak;
    argc -= all.weak;
    uint32_t threads = 0, seed = 0;
    if (tacit_crypto_init() != TACIT_OK || pthread_mutex_init(&all.lock, NULL) != 0) return 1;
    bool ok = argc >= 5 && number(&all.graphs, argv[1], 1, 100000000) &&
              number(&threads, argv[2], 1, MAX_THREADS) && number(&seed, argv[3], 0, UINT32_MAX);
    all.seed = seed;
    for (int i = 4; ok && i < argc; i++) ok = configure_from(&all, argv[i]);
    if (!ok) {
        fprintf(
            stderr,
            "usage: cut_search [--weak] GRAPHS THREADS SEED N[:C:D]...   (N from 513 to 10000)\n");
        return 2;
    }
    return run(&all, threads);
}
