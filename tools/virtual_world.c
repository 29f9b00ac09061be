/* SPDX-License-Identifier: Apache-2.0
 * virtual_world.c - what a simulated run is made of: keys, a model, calibrated plans, threads'
 * workspaces and enrolled devices with their synthetic histories. All of it follows from the seed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cert.h"
#include "common/crypto.h"
#include "tools/virtual_internal.h"

enum { STREAM_KEYS = 1, STREAM_MODEL = 2, STREAM_CHANCE = 3, STREAM_DEVICE = 1 << 20 };
enum { JOIN_S = 120, PHASE_S = 120, DAY_S = 86400, CERT_DAYS = 400 };

static const double EPSILON = 8, DELTA = 1e-5, POLICY_EPSILON = 100, COUNTS_SHARE = 0.3;

/* For cohorts too small for the shipped floors. */
static const tacit_floors small_floors = {
    .max_delta = 1e-5, .n_min = 2, .honest = 1, .max_dims = TACIT_MAX_DIMS};
enum { SHIPPED_FROM = 100 };

static tacit_status say(const virtual_sim *sim, tacit_status st, const char *what) {
    if (sim->note[0] == 0) snprintf(sim->note, TACIT_NOTE_LEN + 1, "%s", what);
    return st;
}

/* ---- Keys and model ----------------------------------------------------------------------------
 */

static void make_keys(virtual_sim *sim) {
    tacit_prng prng;
    uint8_t seed[TACIT_KEY_LEN];
    virtual_keys *all[4] = {&sim->plan_keys, &sim->model_keys, &sim->authority, &sim->phase_keys};
    tacit_prng_init_seed(&prng, sim->options.seed, STREAM_KEYS);
    for (int i = 0; i < 4; i++) {
        tacit_prng_bytes(&prng, seed, sizeof seed);
        tacit_sign_keypair(all[i]->public_key, all[i]->secret, seed);
    }
}

static void fill_numbers(float *out, size_t count, double scale, tacit_prng *prng) {
    for (size_t i = 0; i < count; i++) out[i] = (float)(scale * tacit_prng_normal(prng));
}

/* Eight numbers an item: one count and seven of the gradient fill the vector. */
static tacit_status make_model(virtual_sim *sim) {
    uint32_t items = sim->options.dims / (1 + VIRTUAL_FACTOR);
    tacit_prng prng;
    tacit_prng_init_seed(&prng, sim->options.seed, STREAM_MODEL);
    uint64_t *ids = calloc(items, sizeof *ids);
    float *numbers = calloc(items, (2 + VIRTUAL_FACTOR) * sizeof *numbers);
    uint8_t *kinds = calloc(items, 1);
    size_t len = tacit_model_len(items, VIRTUAL_FACTOR, 0);
    sim->model_file = malloc(len);
    tacit_status st = TACIT_NO_SPACE;
    if (ids != NULL && numbers != NULL && kinds != NULL && sim->model_file != NULL) {
        float *bias = numbers, *counts = bias + items, *factors = counts + items;
        for (uint32_t i = 0; i < items; i++) ids[i] = i + 1;
        fill_numbers(bias, items, 0.05, &prng);
        fill_numbers(factors, (size_t)items * VIRTUAL_FACTOR, 0.3, &prng);
        tacit_model_source source = {.number = 1,
                                     .made_s = VIRTUAL_OPENS_S,
                                     .item_count = items,
                                     .factor = VIRTUAL_FACTOR,
                                     .a0 = 0.5,
                                     .a0_final = 0.5,
                                     .user_ridge = 1,
                                     .user_ridge_final = 1,
                                     .user_ridge_exponent = 0.5,
                                     .count_scale = 1,
                                     .ids = ids,
                                     .bias = bias,
                                     .counts = counts,
                                     .factors = factors,
                                     .kinds = kinds};
        uint8_t digest[TACIT_HASH_LEN];
        st = tacit_model_encode(sim->model_file, len, digest, &source, sim->model_keys.secret);
        if (st == TACIT_OK)
            st = tacit_model_open(&sim->model, NULL, sim->model_file, len,
                                  sim->model_keys.public_key);
    }
    free(ids);
    free(numbers);
    free(kinds);
    return st;
}

/* ---- Plans -------------------------------------------------------------------------------------
 */

static tacit_plan plan_of(const virtual_sim *sim, uint64_t number) {
    const virtual_options *o = &sim->options;
    const tacit_run_budget *b = &sim->budget;
    uint64_t now_s = VIRTUAL_OPENS_S + sim->now_us / 1000000;
    tacit_plan p = {.version = TACIT_PROTOCOL_VERSION,
                    .version_min = TACIT_PROTOCOL_VERSION_MIN,
                    .suite = TACIT_SUITE_1,
                    .aggregation = TACIT_AGGREGATION_PEERS,
                    .round = number,
                    .run = 1 + (number - 1) / TACIT_MAX_SUMS,
                    .sum_index = (uint32_t)((number - 1) % TACIT_MAX_SUMS),
                    .sum_count = TACIT_MAX_SUMS,
                    .opens_s = now_s,
                    .join_until_s = now_s + JOIN_S,
                    .share_s = PHASE_S,
                    .mask_s = PHASE_S,
                    .agree_s = PHASE_S,
                    .reveal_s = PHASE_S,
                    .n_lo = sim->n_lo,
                    .n_hi = o->devices,
                    .max_colluding = o->max_colluding,
                    .max_dropout = o->max_dropout,
                    .cohort_count = 1,
                    .least_class = TACIT_CLASS_ACCOUNT,
                    .bits = (uint8_t)(o->bits != 0 ? o->bits : b->bits[0]),
                    .blocks = TACIT_BLOCK_COUNTS | TACIT_BLOCK_GRADIENT,
                    .item_count = sim->model.item_count,
                    .factor = sim->model.factor,
                    .dims = o->dims,
                    .slice_count = sim->model.item_count,
                    .separation_s = tacit_floors_shipped.separation_s,
                    .mu = b->mechanism[0].mu,
                    .scale = b->mechanism[0].scale,
                    .counts_weight = b->counts_weight[0],
                    .gradient_weight = b->gradient_weight[0],
                    .a0 = sim->model.a0,
                    .user_ridge = sim->model.user_ridge,
                    .user_ridge_exponent = sim->model.user_ridge_exponent,
                    .history_floor = 10,
                    .leave_one_out = 0.5,
                    .epsilon = EPSILON,
                    .delta = DELTA};
    memcpy(p.model_digest, sim->model.digest, TACIT_HASH_LEN);
    memcpy(p.authority_key, sim->authority.public_key, TACIT_KEY_LEN);
    memcpy(p.phase_key, sim->phase_keys.public_key, TACIT_KEY_LEN);
    memset(p.rotation_seed, (int)(number & 0xff), TACIT_KEY_LEN);
    return p;
}

tacit_status virtual_world_plan(virtual_sim *sim, virtual_round *round, uint64_t number) {
    const char *what = "";
    round->plan = plan_of(sim, number);
    tacit_plan_encode(round->encoded, &round->plan);
    tacit_plan_digest(round->digest, round->encoded);
    tacit_plan_sign(round->sig, round->encoded, sim->plan_keys.secret);
    tacit_status st = tacit_plan_decode(&round->plan, &what, round->encoded);
    return st == TACIT_OK ? TACIT_OK : say(sim, st, what);
}

/* A run's noise and width, the floors, and the least roster that keeps them. */
static tacit_status make_budget(virtual_sim *sim) {
    const virtual_options *o = &sim->options;
    tacit_run_spec spec = {.epsilon = EPSILON,
                           .delta = DELTA - 2 * TACIT_PROTOCOL_DELTA,
                           .sums = 1,
                           .grow = 1,
                           .counts_share = COUNTS_SHARE,
                           .dims = {o->dims},
                           .n = o->devices};
    tacit_status st = tacit_calibrate(&sim->budget, &spec, true);
    if (st != TACIT_OK) return say(sim, st, "no noise and ring width for this size");
    bool shipped = o->devices >= SHIPPED_FROM;
    sim->floors = shipped ? &tacit_floors_shipped : &small_floors;
    sim->result->shipped_floors = shipped;
    const char *what = "no roster size keeps the floors";
    uint32_t step = o->devices / 50 + 1;
    sim->n_lo = o->devices * 6 / 10 > 3 ? o->devices * 6 / 10 : 3;
    for (; sim->n_lo <= o->devices; sim->n_lo += step) {
        tacit_plan plan = plan_of(sim, 1);
        if (tacit_plan_check_floors(&plan, &what, sim->floors) == TACIT_OK) return TACIT_OK;
    }
    return say(sim, TACIT_BELOW_FLOOR, what);
}

/* ---- Threads' workspaces -----------------------------------------------------------------------
 */

static void place_worker(virtual_worker *w, const virtual_sim *sim, tacit_arena *arena) {
    tacit_factor_place(&w->training, arena, VIRTUAL_FACTOR);
    tacit_history_place(&w->history, arena, VIRTUAL_HISTORY);
    w->x = tacit_arena_take(arena, sim->options.dims, sizeof *w->x);
    w->words = tacit_arena_take(arena, sim->options.dims, sizeof *w->words);
    w->sum = tacit_arena_take(arena, sim->options.dims, sizeof *w->sum);
}

static tacit_status make_worker(virtual_worker *w, const virtual_sim *sim) {
    tacit_arena arena;
    tacit_arena_init(&arena, NULL, 0);
    place_worker(w, sim, &arena);
    size_t len = arena.high;
    w->memory = aligned_alloc(64, (len + 63) & ~(size_t)63);
    if (w->memory == NULL) return TACIT_NO_SPACE;
    tacit_arena_init(&arena, w->memory, len);
    place_worker(w, sim, &arena);
    return tacit_factor_begin(&w->training, &sim->model, false);
}

/* Distinct items: the number of items is a power of two and the stride is odd. */
void virtual_world_history(virtual_worker *w, const virtual_sim *sim, const virtual_device *d) {
    tacit_prng prng;
    uint32_t items = sim->model.item_count;
    uint32_t most = items < VIRTUAL_HISTORY ? items : VIRTUAL_HISTORY;
    tacit_prng_init_seed(&prng, sim->options.seed ^ 0x5eed, STREAM_DEVICE + d->number);
    w->history.count = tacit_prng_below(&prng, most + 1);
    uint32_t at = tacit_prng_below(&prng, items), stride = 1 + 2 * tacit_prng_below(&prng, items);
    for (uint32_t i = 0; i < w->history.count; i++, at = (at + stride) % items)
        w->history.items[i] =
            (tacit_window_item){.item = sim->model.ids[at], .index = at, .interest = true};
}

/* ---- Devices -----------------------------------------------------------------------------------
 */

static tacit_status make_device(virtual_sim *sim, virtual_device *d) {
    tacit_prng prng;
    uint8_t seed[TACIT_KEY_LEN];
    tacit_prng_init_seed(&prng, sim->options.seed, STREAM_DEVICE + d->number);
    tacit_prng_bytes(&prng, seed, sizeof seed);
    memory_platform_options options = {.seed = seed, .models = sim->models};
    tacit_status st = memory_platform_new(&d->store, &options);
    if (st != TACIT_OK) return st;
    virtual_platform_make(d);
    tacit_cert cert = {.epoch = 1,
                       .not_after_s = VIRTUAL_OPENS_S + (uint64_t)CERT_DAYS * DAY_S,
                       .device_class = TACIT_CLASS_ACCOUNT};
    memcpy(cert.device_key, memory_platform_identity(d->store), TACIT_KEY_LEN);
    tacit_cert_issue(d->certificate, &cert, sim->authority.secret);
    tacit_options *o = &d->options;
    memcpy(o->plan_key, sim->plan_keys.public_key, TACIT_KEY_LEN);
    memcpy(o->model_key, sim->model_keys.public_key, TACIT_KEY_LEN);
    memcpy(o->authority_key, sim->authority.public_key, TACIT_KEY_LEN);
    o->certificate = d->certificate;
    o->epsilon = POLICY_EPSILON;
    o->delta = DELTA;
    o->period_s = (uint64_t)30 * DAY_S;
    o->max_items = sim->model.item_count;
    o->max_factor = VIRTUAL_FACTOR;
    o->max_history = VIRTUAL_HISTORY;
    o->max_dims = sim->options.dims;
    o->max_cohort = sim->options.devices;
    d->vanish = VIRTUAL_NEVER;
    st = virtual_device_boot(d);
    return st == TACIT_OK ? tacit_ledger_consent(&d->ledger, true) : st;
}

typedef struct {
    virtual_sim *sim;
    tacit_status status[64]; /* by thread */
} making;

static void make_one(void *self, uint32_t index, uint32_t thread) {
    making *m = self;
    virtual_device *d = &m->sim->devices[index];
    tacit_status st = TACIT_OK;
    d->number = index;
    VIRTUAL_TIMED(m->sim->workers[thread].cpu_s, ENROL, st = make_device(m->sim, d));
    if (st != TACIT_OK) m->status[thread] = st;
}

static tacit_status make_devices(virtual_sim *sim) {
    making m = {.sim = sim};
    sim->devices = calloc(sim->options.devices, sizeof *sim->devices);
    if (sim->devices == NULL) return TACIT_NO_SPACE;
    virtual_pool_run(sim->pool, sim->options.devices, make_one, &m);
    for (uint32_t i = 0; i < sim->options.threads; i++)
        if (m.status[i] != TACIT_OK) return m.status[i];
    return TACIT_OK;
}

/* ---- The whole ---------------------------------------------------------------------------------
 */

tacit_status virtual_world_make(virtual_sim *sim) {
    tacit_status st = tacit_crypto_init();
    if (st != TACIT_OK) return st;
    sim->models = memory_models_new();
    sim->pool = virtual_pool_new(sim->options.threads);
    sim->workers = calloc(sim->options.threads, sizeof *sim->workers);
    sim->batch = calloc(VIRTUAL_BATCH, sizeof *sim->batch);
    if (sim->models == NULL || sim->pool == NULL || sim->workers == NULL || sim->batch == NULL)
        return say(sim, TACIT_NO_SPACE, "no memory");
    tacit_prng_init_seed(&sim->chance, sim->options.seed, STREAM_CHANCE);
    make_keys(sim);
    st = make_model(sim);
    if (st == TACIT_OK) st = make_budget(sim);
    for (uint32_t i = 0; i < sim->options.threads && st == TACIT_OK; i++)
        st = make_worker(&sim->workers[i], sim);
    if (st == TACIT_OK) st = make_devices(sim);
    return st == TACIT_OK ? TACIT_OK : say(sim, st, "making keys, model and devices");
}

static void free_device(virtual_device *d) {
    memory_platform_free(d->store);
    virtual_copy_free(d);
    free(d->machine);
    free(d->said.at);
    free(d->said.x);
}

void virtual_world_free(virtual_sim *sim) {
    for (uint32_t i = 0; sim->devices != NULL && i < sim->options.devices; i++)
        free_device(&sim->devices[i]);
    for (uint32_t i = 0; sim->workers != NULL && i < sim->options.threads; i++) {
        free(sim->workers[i].memory);
        free(sim->workers[i].out.data);
    }
    for (uint32_t i = 0; sim->batch != NULL && i < VIRTUAL_BATCH; i++)
        free(sim->batch[i].answer.data);
    for (uint32_t i = 0; i < VIRTUAL_ROUNDS; i++) {
        free(sim->rounds[i].kinds);
        free(sim->rounds[i].slot_device);
    }
    virtual_pool_free(sim->pool);
    memory_models_free(sim->models);
    free(sim->devices);
    free(sim->workers);
    free(sim->batch);
    free(sim->model_file);
}
