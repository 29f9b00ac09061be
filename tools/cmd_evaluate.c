/* SPDX-License-Identifier: Apache-2.0
 * cmd_evaluate.c - `tacit evaluate`: held-out quality of the private training run, of popularity,
 * and of a central non-private solve of the same model, over random splits. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/graph.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/progress.h"
#include "tools/quality.h"
#include "tools/rehearsal.h"
#include "tools/server_folder.h"

typedef struct {
    const char *data, *preset_name;
    int32_t preset; /* -1: the kappa rule */
    double epsilon, delta;
    uint64_t seeds[2];
    uint32_t factor, sums, top_n, threads;
    double test_share;
    uint16_t max_colluding, max_dropout;
    bool strict, json, no_honest, no_central;
} options;

enum { ROW_POPULARITY, ROW_CENTRAL, ROW_PRIVATE, ROW_HONEST, ROW_COUNT };
static const char *const row_names[ROW_COUNT] = {"popularity", "central", "private", "honest"};

typedef struct {
    metrics mean[ROW_COUNT];
    double ndcg_square[ROW_COUNT];
    bool have[ROW_COUNT];
    uint32_t runs, sums, honest;
    char preset[16];
    double kappa, rho, signal, wrap_z;
    uint32_t bits, fell_back;
} results;

static void add(results *r, int row, const metrics *m) {
    metrics *s = &r->mean[row];
    r->have[row] = true;
    s->n = m->n;
    s->people = m->people;
    s->precision += m->precision;
    s->recall += m->recall;
    s->f1 += m->f1;
    s->ndcg += m->ndcg;
    s->hit_rate += m->hit_rate;
    s->coverage += m->coverage;
    r->ndcg_square[row] += m->ndcg * m->ndcg;
}

static void after_sum(void *self, const training *t, const training_step *step) {
    results *r = self;
    (void)t;
    r->signal = step->signal;
    r->wrap_z = step->wrap_z;
    r->fell_back += step->fell_back;
}

/* One training run and its quality into `row`. */
static tacit_status one_run(results *r, int row, const options *o, const dataset *d,
                            const learn_features *features, const dataset_split *split,
                            uint64_t seed, double epsilon, uint32_t honest) {
    bool central = row == ROW_CENTRAL;
    rehearsal_spec spec = {.training = {.epsilon = epsilon,
                                        .delta = o->delta,
                                        .preset = central ? -1 : o->preset,
                                        .factor = central ? 0 : o->factor,
                                        .sums = central ? 0 : o->sums,
                                        .seed = seed},
                           .seed = seed,
                           .honest = honest,
                           .threads = o->threads,
                           .progress = true};
    if (row == ROW_PRIVATE) {
        spec.after_sum = after_sum;
        spec.self = r;
    }
    training *t = NULL;
    tacit_model model;
    uint8_t *file = NULL;
    metrics m;
    tacit_status st = rehearsal_run(&t, &spec, features, split);
    if (st == TACIT_OK) st = rehearsal_model(&model, &file, t, d->catalogue);
    if (st == TACIT_OK) st = quality_of_model(&m, &model, split, o->top_n, o->threads);
    if (st == TACIT_OK) add(r, row, &m);
    if (st == TACIT_OK && row == ROW_PRIVATE) {
        const tacit_run_budget *b = training_budget(t);
        snprintf(r->preset, sizeof r->preset, "%s", training_preset_name(t));
        r->kappa = training_kappa(t);
        r->sums = training_sum_count(t);
        r->rho = b->rho;
        r->bits = b->bits[0];
    }
    training_free(t);
    free(file);
    return st;
}

static tacit_status one_split(results *r, const options *o, const dataset *d,
                              const learn_features *features, uint64_t seed) {
    dataset_split *split = NULL;
    metrics m;
    tacit_status st = dataset_split_new(&split, d, o->test_share, seed);
    if (st != TACIT_OK) return st;
    st = quality_of_popularity(&m, split, d->catalogue->count, o->top_n, o->threads);
    if (st == TACIT_OK) add(r, ROW_POPULARITY, &m);
    if (st == TACIT_OK && !o->no_central)
        st = one_run(r, ROW_CENTRAL, o, d, features, split, seed, INFINITY, 0);
    if (isfinite(o->epsilon)) {
        if (st == TACIT_OK)
            st = one_run(r, ROW_PRIVATE, o, d, features, split, seed, o->epsilon, 0);
        if (st == TACIT_OK && r->honest > 0)
            st = one_run(r, ROW_HONEST, o, d, features, split, seed, o->epsilon, r->honest);
    }
    dataset_split_free(split);
    r->runs++;
    return st;
}

static double mean_of(const results *r, double sum) { return sum / r->runs; }

static double ndcg_std(const results *r, int row) {
    if (r->runs < 2) return 0;
    double mean = mean_of(r, r->mean[row].ndcg);
    double var = (r->ndcg_square[row] - r->runs * mean * mean) / (r->runs - 1);
    return var > 0 ? sqrt(var) : 0;
}

static void print_table(const results *r, const options *o, const dataset *d) {
    printf("%s: %zu people, %zu items, %zu events%s%s\n", d->name, d->person_count,
           d->catalogue->count, d->event_count, d->summary[0] ? "; " : "", d->summary);
    printf(
        "test %g of each person's items at random, seeds %llu-%llu, top %u of all unseen items\n",
        o->test_share, (unsigned long long)o->seeds[0], (unsigned long long)o->seeds[1], o->top_n);
    if (isfinite(o->epsilon)) {
        printf(
            "epsilon %g, delta %g, zero-out adjacency, unit one device; preset %s (kappa %.0f), "
            "%u secure sum%s, rho %.5f, %u-bit ring, wrap distance %.1f sd\n",
            o->epsilon, o->delta, r->preset, r->kappa, r->sums, r->sums == 1 ? "" : "s", r->rho,
            r->bits, r->wrap_z);
        printf(
            "the devices' own update code with rotation, rounding and Skellam noise; in one "
            "process, without masks (they cancel exactly)\n");
        if (r->fell_back > 0)
            printf("%u of %u runs fell back to counts + content (Z < 20)\n", r->fell_back, r->runs);
    }
    printf("\n%-12s %8s %8s %10s %8s %8s %8s %9s\n", "method", "NDCG", "+-", "recall", "precision",
           "F1", "hit rate", "coverage");
    for (int row = 0; row < ROW_COUNT; row++) {
        const metrics *m = &r->mean[row];
        if (!r->have[row]) continue;
        printf("%-12s %8.4f %8.4f %10.4f %8.4f %8.4f %8.4f %9.4f\n", row_names[row],
               mean_of(r, m->ndcg), ndcg_std(r, row), mean_of(r, m->recall),
               mean_of(r, m->precision), mean_of(r, m->f1), mean_of(r, m->hit_rate),
               mean_of(r, m->coverage));
    }
    printf("\ncentral: the same model solved in the clear with the large setting\n");
    if (r->have[ROW_PRIVATE]) printf("private: total noise exactly mu, what the budget pays for\n");
    if (r->have[ROW_HONEST])
        printf(
            "honest: the noise of a cohort where nobody drops or colludes, at max_colluding %g, "
            "max_dropout %g (h = %u)\n",
            o->max_colluding / 1000.0, o->max_dropout / 1000.0, r->honest);
}

static int print_json(const results *r, const options *o, const dataset *d) {
    json_t *root = json_pack(
        "{s:s, s:I, s:I, s:I, s:o, s:f, s:[I,I], s:i, s:s, s:f, s:i, s:f, s:b}", "dataset", d->name,
        "people", (json_int_t)d->person_count, "items", (json_int_t)d->catalogue->count, "events",
        (json_int_t)d->event_count, "epsilon",
        isfinite(o->epsilon) ? json_real(o->epsilon) : json_null(), "delta", o->delta, "seeds",
        (json_int_t)o->seeds[0], (json_int_t)o->seeds[1], "top_n", (int)o->top_n, "preset",
        r->preset, "kappa", r->kappa, "secure_sums", (int)r->sums, "rho", r->rho, "masks", 0);
    json_t *methods = json_object();
    for (int row = 0; row < ROW_COUNT; row++) {
        const metrics *m = &r->mean[row];
        if (!r->have[row]) continue;
        json_object_set_new(
            methods, row_names[row],
            json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "ndcg", mean_of(r, m->ndcg),
                      "ndcg_std", ndcg_std(r, row), "recall", mean_of(r, m->recall), "precision",
                      mean_of(r, m->precision), "f1", mean_of(r, m->f1), "hit_rate",
                      mean_of(r, m->hit_rate), "coverage", mean_of(r, m->coverage)));
    }
    if (root == NULL || json_object_set_new(root, "methods", methods) != 0) return 1;
    int failed = json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return failed;
}

static int evaluate(const options *o) {
    dataset *d = NULL;
    learn_features *features = NULL;
    results r = {.runs = 0};
    char note[TACIT_NOTE_LEN + 1];
    dataset_options load = {.strict = o->strict, .errors = stderr};
    tacit_status st = dataset_load(&d, note, o->data, &load);
    if (st != TACIT_OK) {
        fprintf(stderr, "tacit evaluate: %s\n", note);
        return 1;
    }
    st = catalogue_features(&features, d->catalogue, CATALOGUE_TOKEN_MIN_ITEMS);
    tacit_graph_rule rule;
    if (st == TACIT_OK && isfinite(o->epsilon) && !o->no_honest &&
        tacit_graph_rule_init(&rule, (uint32_t)d->person_count, o->max_colluding, o->max_dropout,
                              0) == TACIT_OK)
        r.honest = rule.honest;
    for (uint64_t seed = o->seeds[0]; st == TACIT_OK && seed <= o->seeds[1]; seed++)
        st = one_split(&r, o, d, features, seed);
    int failed = st != TACIT_OK;
    if (failed)
        fprintf(stderr, "tacit evaluate: %s: %s\n", tacit_status_name(st), tacit_status_text(st));
    else if (o->json)
        failed = print_json(&r, o, d);
    else
        print_table(&r, o, d);
    learn_features_free(features);
    dataset_free(d);
    return failed;
}

int cmd_evaluate(int argc, char **argv) {
    const char *root = getenv("TACIT_DATA");
    char standard[4096];
    snprintf(standard, sizeof standard, "%s/ml-1m-implicit", root ? root : "../shared/data");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    options o = {.data = standard,
                 .preset_name = "auto",
                 .epsilon = INFINITY,
                 .delta = 1e-5,
                 .seeds = {0, 0},
                 .top_n = 20,
                 .test_share = 0.2,
                 .max_colluding = 100,
                 .max_dropout = 100,
                 .threads = cores > 0 && cores < 64 ? (uint32_t)cores : 1};
    const arg_option table[] = {
        {"data", ARG_STRING, &o.data, "DIR",
         "dataset folder: Tacit's own, ml-100k, ml-1m-implicit, online-retail"},
        {"epsilon", ARG_EPSILON, &o.epsilon, "E", "privacy budget of the whole run, or none"},
        {"delta", ARG_DOUBLE, &o.delta, "D", "its delta"},
        {"seeds", ARG_RANGE, o.seeds, "A-B", "splits and noise to average over"},
        {"preset", ARG_STRING, &o.preset_name, "NAME",
         "auto (the kappa rule), hi, lo, lo50, content"},
        {"factor", ARG_U32, &o.factor, "K", "factor length (0: the preset's)"},
        {"sums", ARG_U32, &o.sums, "T", "secure sums (0: the preset's)"},
        {"top", ARG_U32, &o.top_n, "N", "length of the lists, at most 100"},
        {"test-share", ARG_DOUBLE, &o.test_share, "S", "share of each person's items held out"},
        {"max-colluding", ARG_FRACTION, &o.max_colluding, "F", "of the honest-cohort row"},
        {"max-dropout", ARG_FRACTION, &o.max_dropout, "F", "of the honest-cohort row"},
        {"no-honest", ARG_FLAG, &o.no_honest, NULL, "leave the honest-cohort row out"},
        {"no-central", ARG_FLAG, &o.no_central, NULL, "leave the non-private ceiling out"},
        {"threads", ARG_U32, &o.threads, "N", "threads"},
        {"strict", ARG_FLAG, &o.strict, NULL, "stop at the first bad line of the data"},
        {"json", ARG_FLAG, &o.json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL},
    };
    args_result parsed = args_parse(argc, argv, table, "evaluate [OPTIONS]",
                                    "Trains on a random part of each person's items, ranks all "
                                    "unseen items, and scores the lists\n"
                                    "on the held-out rest. The private run uses the device "
                                    "library's update code in one process,\n"
                                    "without masks: those cancel exactly and change no figure.",
                                    NULL, 0, NULL);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (!run_preset_of(&o.preset, o.preset_name)) {
        fprintf(stderr, "tacit evaluate: --preset knows auto, hi, lo, lo50, content, not '%s'\n",
                o.preset_name);
        return 2;
    }
    if (o.top_n < 1 || o.top_n > METRICS_MAX_N || o.threads < 1 || o.threads > 64 ||
        !(o.test_share > 0 && o.test_share < 1)) {
        fprintf(stderr,
                "tacit evaluate: --top 1..100, --threads 1..64, --test-share between 0 and 1\n");
        return 2;
    }
    return evaluate(&o);
}
