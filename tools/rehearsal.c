/* SPDX-License-Identifier: Apache-2.0
 * rehearsal.c - see rehearsal.h. */
#include "tools/rehearsal.h"

#include <math.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/ring.h"
#include "common/skellam.h"
#include "firmware/update.h"
#include "tools/quality.h"

/* What one thread needs to play devices, one after the other. */
typedef struct {
    void *memory;
    tacit_factor factor;
    tacit_history history;
    float *x;
    uint32_t *words, *sum; /* [dims]; sum mod 2^32 of the words of its devices */
    double *plain;         /* [dims]: plain sum of the statistics, without noise */
} player;

typedef struct {
    const rehearsal_spec *spec;
    const dataset_split *split;
    tacit_plan plan;
    bool noisy;
    uint64_t variance; /* of one device */
    player *players;
} sum_job;

static size_t longest_history(const dataset_split *s) {
    size_t longest = 1;
    for (size_t p = 0; p < s->person_count; p++) {
        size_t n = s->train_offsets[p + 1] - s->train_offsets[p];
        if (n > longest) longest = n;
    }
    return longest;
}

static tacit_status player_new(player *p, const tacit_model *model, size_t dims, size_t history) {
    tacit_arena arena;
    uint32_t row = model->factor > 0 ? model->factor : 1;
    tacit_arena_init(&arena, NULL, 0);
    tacit_factor_place(&p->factor, &arena, row);
    tacit_history_place(&p->history, &arena, (uint32_t)history);
    size_t need = arena.used;
    p->memory = aligned_alloc(TACIT_ARENA_ALIGN, (need + 15) / 16 * 16);
    p->x = malloc(dims * sizeof *p->x);
    p->words = malloc(dims * sizeof *p->words);
    p->sum = calloc(dims, sizeof *p->sum);
    p->plain = calloc(dims, sizeof *p->plain);
    if (!p->memory || !p->x || !p->words || !p->sum || !p->plain) return TACIT_NO_SPACE;
    tacit_arena_init(&arena, p->memory, need);
    tacit_factor_place(&p->factor, &arena, row);
    tacit_history_place(&p->history, &arena, (uint32_t)history);
    return tacit_factor_begin(&p->factor, model, false);
}

static void player_free(player *p) {
    free(p->memory);
    free(p->x);
    free(p->words);
    free(p->sum);
    free(p->plain);
}

static void load_history(tacit_history *h, const uint32_t *items, size_t count) {
    h->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        h->items[i] = (tacit_window_item){.item = items[i], .index = items[i], .interest = true};
}

/* One device's secrets: rounding and noise seeds from (seed, sum, person, kind). */
static void device_seed(uint8_t seed[TACIT_KEY_LEN], const sum_job *job, size_t person,
                        uint8_t kind) {
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_STREAM);
    tacit_hash_add_u64(&h, job->spec->seed);
    tacit_hash_add_u32(&h, job->plan.sum_index);
    tacit_hash_add_u64(&h, person);
    tacit_hash_add_u8(&h, kind);
    tacit_hash_end(&h, seed);
}

static tacit_status play(void *self, uint32_t thread, size_t from, size_t to) {
    sum_job *job = self;
    player *p = &job->players[thread];
    const dataset_split *s = job->split;
    for (size_t person = from; person < to; person++) {
        load_history(&p->history, s->train + s->train_offsets[person],
                     s->train_offsets[person + 1] - s->train_offsets[person]);
        tacit_update_statistics(p->x, &p->factor, &p->history, &job->plan);
        if (!job->noisy) {
            for (size_t i = 0; i < job->plan.dims; i++) p->plain[i] += (double)p->x[i];
            continue;
        }
        uint8_t rounding[TACIT_KEY_LEN], noise[TACIT_KEY_LEN];
        device_seed(rounding, job, person, 0);
        device_seed(noise, job, person, 1);
        tacit_status st =
            tacit_update_words(p->words, p->x, &job->plan, job->variance, rounding, noise);
        if (st != TACIT_OK) return st;
        tacit_ring_add(p->sum, p->words, job->plan.dims);
    }
    return TACIT_OK;
}

/* Adds the threads' sums up and takes the learning step. */
static tacit_status learn_from(training *t, training_step *step, sum_job *job) {
    player *first = &job->players[0];
    size_t dims = job->plan.dims;
    uint32_t people = (uint32_t)job->split->person_count;
    for (uint32_t i = 1; i < job->spec->threads; i++) {
        tacit_ring_add(first->sum, job->players[i].sum, dims);
        for (size_t d = 0; d < dims; d++) first->plain[d] += job->players[i].plain[d];
    }
    if (!job->noisy) return training_apply_plain(t, step, first->plain, people);
    uint32_t mask = job->plan.bits == 32 ? UINT32_MAX : (UINT32_C(1) << job->plan.bits) - 1;
    for (size_t d = 0; d < dims; d++) first->sum[d] &= mask;
    tacit_skellam drawn;
    tacit_status st = tacit_skellam_init(&drawn, job->variance);
    if (st != TACIT_OK) return st;
    return training_apply(t, step, first->sum, people, (double)people * (double)drawn.variance);
}

static tacit_status run_sum(training *t, training_step *step, const rehearsal_spec *spec,
                            const dataset_split *split, const catalogue *no_catalogue) {
    sum_job job = {.spec = spec, .split = split, .noisy = isfinite(spec->training.epsilon)};
    tacit_model model;
    uint8_t *file = NULL;
    tacit_status st = rehearsal_model(&model, &file, t, no_catalogue);
    if (st != TACIT_OK) return st;
    training_plan(t, &job.plan);
    uint64_t divisor = spec->honest > 0 ? spec->honest : split->person_count;
    job.variance = (job.plan.mu + divisor - 1) / divisor;
    job.players = calloc(spec->threads, sizeof *job.players);
    st = job.players ? TACIT_OK : TACIT_NO_SPACE;
    size_t history = longest_history(split);
    for (uint32_t i = 0; i < spec->threads && st == TACIT_OK; i++)
        st = player_new(&job.players[i], &model, job.plan.dims, history);
    char label[32] = "sum";
    if (st == TACIT_OK)
        st = parallel_for(split->person_count, 8, spec->threads, play, &job,
                          spec->progress ? label : NULL);
    if (st == TACIT_OK) st = learn_from(t, step, &job);
    for (uint32_t i = 0; job.players != NULL && i < spec->threads; i++)
        player_free(&job.players[i]);
    free(job.players);
    free(file);
    return st;
}

tacit_status rehearsal_run(training **out, const rehearsal_spec *spec,
                           const learn_features *features, const dataset_split *split) {
    training_spec run = spec->training;
    training *t = NULL;
    run.devices = (uint32_t)split->person_count;
    tacit_status st = training_new(&t, &run, features);
    if (st != TACIT_OK) return st;
    while (!training_done(t)) {
        training_step step;
        if ((st = run_sum(t, &step, spec, split, NULL)) != TACIT_OK) {
            training_free(t);
            return st;
        }
        if (spec->after_sum != NULL) spec->after_sum(spec->self, t, &step);
    }
    *out = t;
    return TACIT_OK;
}

tacit_status rehearsal_model(tacit_model *model, uint8_t **file, const training *t,
                             const catalogue *c) {
    tacit_model_source source;
    uint8_t pk[TACIT_KEY_LEN], sk[TACIT_SIGN_SECRET_LEN], seed[TACIT_KEY_LEN] = {1}, digest[32];
    training_model(t, &source);
    size_t len = tacit_model_len(source.item_count, source.factor, source.features);
    uint64_t *ids = malloc(source.item_count * sizeof *ids);
    uint8_t *kinds = calloc(source.item_count, 1);
    *file = malloc(len);
    tacit_status st = ids && kinds && *file ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        for (uint32_t i = 0; i < source.item_count; i++) {
            ids[i] = c != NULL ? c->items[i].id : i;
            if (c != NULL) kinds[i] = c->items[i].kind;
        }
        source.ids = ids;
        source.kinds = kinds;
        source.number = 1;
        tacit_sign_keypair(pk, sk, seed);
        st = tacit_model_encode(*file, len, digest, &source, sk);
    }
    if (st == TACIT_OK) st = tacit_model_open(model, NULL, *file, len, pk);
    free(ids);
    free(kinds);
    if (st != TACIT_OK) {
        free(*file);
        *file = NULL;
    }
    return st;
}
