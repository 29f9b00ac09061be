/* SPDX-License-Identifier: Apache-2.0
 * bench_person.c - what a device does for its own person and once per round for the sum: a tap, a
 * list, an update. Models and histories are random numbers of the right shape; taps and lists go
 * through the public calls of firmware/tacit.h on a platform in memory, so a tap's row contains the
 * sealing of the record but no disk. */
#include <cblas.h>
#include <lapacke.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/skellam.h"
#include "firmware/tacit.h"
#include "firmware/update.h"
#include "server/training.h"
#include "tools/bench.h"
#include "tools/bench_cost.h"
#include "tools/memory_platform.h"

enum { FACTOR = 24, FEATURES = 27, ROW = FACTOR + FEATURES, HISTORY = 150, SMALL = 3018 };

/* ---- a model of random numbers --------------------------------------------------------------- */

typedef struct {
    uint8_t *file;
    size_t len;
    uint8_t key[TACIT_KEY_LEN];
    tacit_model model;
} shop;

static float *numbers(size_t count, tacit_prng *prng, double scale) {
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; x != NULL && i < count; i++) x[i] = (float)(scale * tacit_prng_unit(prng));
    return x;
}

/* Items 1, 2, ..., M. */
static tacit_status encode(shop *s, tacit_model_source *m, const uint8_t *secret) {
    tacit_prng prng;
    tacit_prng_init_seed(&prng, 3, m->item_count);
    uint64_t *ids = malloc(m->item_count * sizeof *ids);
    uint8_t *kinds = calloc(m->item_count, 1), digest[TACIT_HASH_LEN];
    float *bias = numbers(m->item_count, &prng, 0.05), *counts = numbers(m->item_count, &prng, 9);
    float *factors = numbers((size_t)m->item_count * m->factor, &prng, 0.3);
    float *content = numbers((size_t)m->item_count * m->features, &prng, 0.2);
    tacit_status st = TACIT_NO_SPACE;
    s->len = tacit_model_len(m->item_count, m->factor, m->features);
    s->file = malloc(s->len);
    if (ids && kinds && bias && counts && factors && content && s->file) {
        for (uint32_t i = 0; i < m->item_count; i++) ids[i] = i + 1;
        m->ids = ids;
        m->kinds = kinds;
        m->bias = bias;
        m->counts = counts;
        m->factors = factors;
        m->content = content;
        st = tacit_model_encode(s->file, s->len, digest, m, secret);
    }
    free(ids);
    free(kinds);
    free(bias);
    free(counts);
    free(factors);
    free(content);
    return st;
}

static tacit_status shop_make(shop *s, uint32_t item_count, const learn_params *p) {
    uint8_t secret[TACIT_SIGN_SECRET_LEN], seed[TACIT_KEY_LEN] = {5};
    tacit_model_source m = {.number = 1,
                            .made_s = 1700000000,
                            .item_count = item_count,
                            .factor = FACTOR,
                            .features = FEATURES,
                            .a0 = p->a0,
                            .a0_final = p->a0_final,
                            .user_ridge = p->user_ridge,
                            .user_ridge_final = p->user_ridge_final,
                            .user_ridge_exponent = p->user_ridge_exponent,
                            .count_scale = 10};
    *s = (shop){0};
    tacit_sign_keypair(s->key, secret, seed);
    tacit_status st = encode(s, &m, secret);
    return st == TACIT_OK ? tacit_model_open(&s->model, NULL, s->file, s->len, s->key) : st;
}

/* ---- a device with that model and a history -------------------------------------------------- */

typedef struct {
    memory_platform *p;
    tacit_platform callbacks;
    void *memory;
    tacit *t;
    tacit_status status; /* first that was not OK */
} person;

static void keep(person *d, tacit_status st) {
    if (d->status == TACIT_OK) d->status = st;
}

static void tap(person *d, uint64_t item) {
    tacit_event event = {.item = item, .kind = TACIT_EVENT_VIEW};
    keep(d, tacit_record(d->t, &event));
}

static void person_make(person *d, const shop *s) {
    uint8_t seed[TACIT_KEY_LEN] = {6};
    memory_platform_options how = {.seed = seed};
    tacit_options o = {.epsilon = 8,
                       .delta = 1e-6,
                       .period_s = 30 * 86400,
                       .max_items = s->model.item_count,
                       .max_factor = ROW,
                       .max_history = 2 * HISTORY};
    memcpy(o.model_key, s->key, TACIT_KEY_LEN);
    *d = (person){0};
    d->status = memory_platform_new(&d->p, &how);
    if (d->status != TACIT_OK) return;
    size_t len = tacit_workspace_len(&o);
    d->callbacks = memory_platform_callbacks(d->p);
    d->memory = aligned_alloc(64, (len + 63) / 64 * 64);
    keep(d,
         d->memory == NULL ? TACIT_NO_SPACE : tacit_open(&d->t, d->memory, len, &o, &d->callbacks));
    if (d->status == TACIT_OK) keep(d, tacit_model_install(d->t, s->file, s->len));
    for (uint64_t i = 0; i < HISTORY && d->status == TACIT_OK; i++) tap(d, 1 + 13 * i);
}

static void person_free(person *d) {
    tacit_close(d->t);
    free(d->memory);
    memory_platform_free(d->p);
}

/* ---- device.tap ------------------------------------------------------------------------------ */

/* One sealed record, and a rank-1 change, a Cholesky factorisation and a solve by OpenBLAS. */
static double tap_limit(void) {
    static double gram[ROW * ROW], work[ROW * ROW], row[ROW], x[ROW];
    double blas;
    lapack_int info = 0;
    for (int i = 0; i < ROW; i++) {
        row[i] = 0.1 + 0.01 * i;
        gram[i * ROW + i] = 100;
    }
    openblas_set_num_threads(1);
    BENCH_BEST(blas, 20, 200, {
        cblas_dsyr(CblasColMajor, CblasLower, ROW, 1e-6, row, 1, gram, ROW);
        memcpy(work, gram, sizeof work);
        memcpy(x, row, sizeof x);
        info |= LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', ROW, work, ROW);
        info |= LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', ROW, 1, work, ROW, x, ROW);
    });
    if (info != 0) bench_fail("the limit of device.tap");
    return blas + bench_cost_get()->seal;
}

static void tap_row(person *d) {
    double took;
    uint64_t item = 2;
    BENCH_BEST(took, 20, 50, { tap(d, 1 + (item++ * 7) % SMALL); });
    if (d->status != TACIT_OK)
        bench_fail("device.tap");
    else
        bench_row("device.tap", took * 1e6, "cpu us", tap_limit() * 1e6,
                  "row=51 stored in memory; limit: one sealed record, dsyr, dpotrf, dpotrs");
}

/* ---- device.recommend ------------------------------------------------------------------------ */

/* Sum of floats, in as many lanes as keep the adders busy: what reading the model takes. */
static float sum_of(const float *x, size_t count) {
    enum { LANES = 32 };
    float lane[LANES] = {0}, sum = 0;
    for (size_t i = 0; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) lane[j] += x[i + j];
    for (size_t j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

static void recommend_row(person *d, const shop *s) {
    tacit_scored list[20];
    size_t count = 0, numbers_count = (size_t)s->model.item_count * (ROW + 1);
    const tacit_model *m = &s->model;
    double took, pass;
    float used = 0;
    int repeats = m->item_count > 10000 ? 5 : 100;
    BENCH_BEST(took, 10, repeats, keep(d, tacit_recommend(d->t, list, &count, 20, NULL)));
    BENCH_BEST(pass, 10, repeats, {
        used = sum_of(m->bias, m->item_count);
        used += sum_of(m->factors, (size_t)m->item_count * FACTOR);
        used += sum_of(m->content, (size_t)m->item_count * FEATURES);
        BENCH_KEEP(&used);
    });
    if (d->status != TACIT_OK || count != 20) {
        bench_fail("device.recommend");
        return;
    }
    char params[128];
    snprintf(params, sizeof params, "items=%u row=51 top=20; limit: one pass over %zu floats",
             m->item_count, numbers_count);
    bench_row("device.recommend", took * 1e6, "cpu us", pass * 1e6, params);
}

static void own_rows(uint32_t item_count, const learn_params *p) {
    shop s;
    person d = {0};
    if (shop_make(&s, item_count, p) == TACIT_OK) {
        person_make(&d, &s);
        if (d.status == TACIT_OK) recommend_row(&d, &s);
        if (d.status == TACIT_OK && item_count == SMALL) tap_row(&d);
        if (d.status != TACIT_OK) bench_fail("device.recommend, device.tap");
        person_free(&d);
    } else {
        bench_fail("device.recommend, device.tap");
    }
    free(s.file);
}

/* ---- device.update.cpu ----------------------------------------------------------------------- */

/* The first sum of a run planned for 6018 devices at epsilon 8, and one device's part of its noise.
 */
static tacit_status plan_update(tacit_plan *plan, uint64_t *noise) {
    double *features = malloc((size_t)SMALL * FEATURES * sizeof *features);
    learn_features *f = NULL;
    training *t = NULL;
    tacit_prng prng;
    tacit_graph_rule rule;
    training_spec spec = {
        .epsilon = 8, .delta = 1e-5, .devices = 6018, .preset = PRESET_HI, .factor = FACTOR};
    if (features == NULL) return TACIT_NO_SPACE;
    tacit_prng_init_seed(&prng, 4, 0);
    for (size_t i = 0; i < (size_t)SMALL * FEATURES; i++)
        features[i] = i % FEATURES == FEATURES - 1 ? 1 : tacit_prng_unit(&prng) < 0.2;
    memset(plan, 0, sizeof *plan);
    tacit_status st = learn_features_new(&f, features, SMALL, FEATURES);
    if (st == TACIT_OK) st = training_new(&t, &spec, f);
    if (st == TACIT_OK) training_plan(t, plan);
    if (st == TACIT_OK) st = tacit_graph_rule_init(&rule, 6018, 100, 100, 0);
    if (st == TACIT_OK) *noise = tacit_plan_noise_share(plan, &rule);
    training_free(t);
    learn_features_free(f);
    free(features);
    return st;
}

typedef struct {
    tacit_plan plan;
    uint64_t noise;
    tacit_factor training;
    tacit_history history;
    tacit_window_item items[HISTORY];
    float *x;
    uint32_t *words;
    uint8_t seed[TACIT_KEY_LEN];
    tacit_status status;
} update;

static void make_update(update *u) {
    if (!tacit_update_statistics(u->x, &u->training, &u->history, &u->plan))
        u->status = TACIT_INTERNAL;
    tacit_status st = tacit_update_words(u->words, u->x, &u->plan, u->noise, u->seed, u->seed);
    if (u->status == TACIT_OK) u->status = st;
}

/* Keystream: a sign bit, a 32-bit uniform and 16 bytes per table draw for each coordinate; and one
 * pass over vector and words. */
static void update_row(update *u) {
    const bench_cost *cost = bench_cost_get();
    tacit_skellam sampler;
    double took, dims = u->plan.dims;
    u->status = tacit_skellam_init(&sampler, u->noise);
    BENCH_BEST(took, 5, 4, make_update(u));
    if (u->status != TACIT_OK) {
        bench_fail("device.update.cpu");
        return;
    }
    double limit = dims * (0.125 + 4 + 16.0 * sampler.part_count) * cost->keystream_byte +
                   dims * 4 * cost->memory_byte;
    char params[160];
    snprintf(params, sizeof params,
             "items=%d history=%d k=%d dims=%u noise_variance=%llu parts=%u (n=6018 epsilon=8)",
             SMALL, HISTORY, FACTOR, u->plan.dims, (unsigned long long)u->noise,
             sampler.part_count);
    bench_row("device.update.cpu", took, "cpu s", limit, params);
}

static void update_rows(const learn_params *p) {
    static update u;
    shop s = {0};
    enum { SYSTEM = 1 << 16 };
    void *memory = aligned_alloc(64, SYSTEM);
    tacit_arena arena;
    tacit_status st = memory != NULL ? plan_update(&u.plan, &u.noise) : TACIT_NO_SPACE;
    if (st == TACIT_OK) st = shop_make(&s, SMALL, p);
    if (st == TACIT_OK) {
        tacit_arena_init(&arena, memory, SYSTEM);
        tacit_factor_place(&u.training, &arena, FACTOR);
        st = tacit_factor_begin(&u.training, &s.model, false);
        u.history = (tacit_history){.items = u.items, .cap = HISTORY};
        for (uint64_t i = 0; i < HISTORY; i++)
            (void)tacit_history_note(&u.history, 1 + 13 * i, TACIT_EVENT_VIEW, &s.model);
        u.x = malloc(u.plan.dims * sizeof *u.x);
        u.words = malloc(u.plan.dims * sizeof *u.words);
    }
    if (st == TACIT_OK && u.x != NULL && u.words != NULL)
        update_row(&u);
    else
        bench_fail("device.update.cpu");
    free(u.x);
    free(u.words);
    free(s.file);
    free(memory);
}

void bench_person(void) {
    learn_params p = learn_params_of(PRESET_HI);
    if (bench_wanted("device.update.cpu")) update_rows(&p);
    if (!bench_wanted("device.tap") && !bench_wanted("device.recommend")) return;
    own_rows(SMALL, &p);
    if (bench_wanted("device.recommend")) own_rows(100000, &p);
}
