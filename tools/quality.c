/* SPDX-License-Identifier: Apache-2.0
 * quality.c - see quality.h. */
#include "tools/quality.h"

#include <pthread.h>
#include <stdlib.h>

#include "firmware/factor.h"
#include "tools/progress.h"

/* ---- Threads -----------------------------------------------------------------------------------
 */

typedef struct {
    pthread_mutex_t lock;
    size_t next, count, block, done;
    tacit_status status;
    tacit_status (*body)(void *self, uint32_t thread, size_t from, size_t to);
    void *self;
    const char *label;
} pool;

typedef struct {
    pool *pool;
    uint32_t index;
} worker;

static void *work(void *arg) {
    worker *w = arg;
    pool *p = w->pool;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        size_t from = p->next, to = from + p->block < p->count ? from + p->block : p->count;
        bool stop = from >= p->count || p->status != TACIT_OK;
        if (!stop) p->next = to;
        pthread_mutex_unlock(&p->lock);
        if (stop) return NULL;
        tacit_status st = p->body(p->self, w->index, from, to);
        pthread_mutex_lock(&p->lock);
        p->done += to - from;
        if (st != TACIT_OK && p->status == TACIT_OK) p->status = st;
        if (p->label != NULL) progress_show(p->label, p->done, p->count);
        pthread_mutex_unlock(&p->lock);
    }
}

tacit_status parallel_for(size_t count, size_t block, uint32_t threads,
                          tacit_status (*body)(void *self, uint32_t thread, size_t from, size_t to),
                          void *self, const char *progress_label) {
    enum { MAX_THREADS = 64 };
    pthread_t ids[MAX_THREADS];
    worker workers[MAX_THREADS];
    bool started[MAX_THREADS];
    pool p = {.count = count, .block = block, .body = body, .self = self, .label = progress_label};
    if (threads < 1 || threads > MAX_THREADS) return TACIT_INVALID_ARGUMENT;
    pthread_mutex_init(&p.lock, NULL);
    for (uint32_t i = 0; i < threads; i++) {
        workers[i] = (worker){&p, i};
        started[i] = i > 0 && pthread_create(&ids[i], NULL, work, &workers[i]) == 0;
    }
    work(&workers[0]);
    for (uint32_t i = 1; i < threads; i++)
        if (started[i]) pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&p.lock);
    if (progress_label != NULL) progress_end();
    return p.status;
}

/* ---- Ranking -----------------------------------------------------------------------------------
 */

typedef struct {
    uint32_t item;
    double score;
} ranked;

/* Better first: higher score, ties by lower index. */
static bool better(ranked a, ranked b) {
    return a.score > b.score || (a.score == b.score && a.item < b.item);
}

/* The best n of scores[item_count] outside seen[seen_count] (ascending), best first. */
static size_t top(uint32_t *out, const double *scores, size_t item_count, const uint32_t *seen,
                  size_t seen_count, size_t n) {
    ranked list[METRICS_MAX_N] = {{0, 0}};
    size_t count = 0, s = 0;
    for (uint32_t i = 0; i < item_count; i++) {
        if (s < seen_count && seen[s] == i) {
            s++;
            continue;
        }
        ranked r = {i, scores[i]};
        if (count == n && !better(r, list[count - 1])) continue;
        size_t at = count < n ? count++ : n - 1;
        for (; at > 0 && better(r, list[at - 1]); at--) list[at] = list[at - 1];
        list[at] = r;
    }
    for (size_t i = 0; i < count; i++) out[i] = list[i].item;
    return count;
}

typedef struct {
    const dataset_split *split;
    const tacit_model *model; /* NULL: rank by `popularity` */
    size_t n, item_count;
    const double *popularity;
    tacit_factor *factors;  /* one per thread */
    metrics_tally *tallies; /* one per thread */
    double **scores;        /* one per thread */
} ranking;

static tacit_status score_all(double *scores, const tacit_factor *f, size_t item_count) {
    double row[TACIT_FACTOR_ROW_MAX];
    for (uint32_t i = 0; i < item_count; i++) {
        tacit_factor_row(f, row, i);
        scores[i] = (double)f->model->bias[i] + tacit_factor_dot(f->u, row, f->len);
    }
    return TACIT_OK;
}

static tacit_status rank_people(void *self, uint32_t thread, size_t from, size_t to) {
    ranking *r = self;
    for (size_t p = from; p < to; p++) {
        const uint32_t *train = r->split->train + r->split->train_offsets[p];
        size_t train_count = r->split->train_offsets[p + 1] - r->split->train_offsets[p];
        const double *scores = r->popularity;
        if (r->model != NULL) {
            tacit_factor *f = &r->factors[thread];
            tacit_factor_clear(f);
            for (size_t i = 0; i < train_count; i++) tacit_factor_change(f, train[i], true);
            tacit_status st = tacit_factor_solve(f);
            if (st != TACIT_OK) return st;
            score_all(r->scores[thread], f, r->item_count);
            scores = r->scores[thread];
        }
        uint32_t list[METRICS_MAX_N];
        size_t count = top(list, scores, r->item_count, train, train_count, r->n);
        metrics_add(&r->tallies[thread], list, count, r->split->test + r->split->test_offsets[p],
                    r->split->test_offsets[p + 1] - r->split->test_offsets[p]);
    }
    return TACIT_OK;
}

/* Memory and a begun factor for each thread. */
static tacit_status prepare(ranking *r, void **memory, uint32_t threads) {
    for (uint32_t t = 0; t < threads; t++) {
        if (metrics_begin(&r->tallies[t], r->n, r->item_count) != 0) return TACIT_NO_SPACE;
        if (r->model == NULL) continue;
        tacit_arena arena;
        uint32_t len = r->model->factor + r->model->features;
        tacit_arena_init(&arena, NULL, 0);
        tacit_factor_place(&r->factors[t], &arena, len);
        size_t need = arena.used;
        memory[t] = aligned_alloc(TACIT_ARENA_ALIGN, (need + 15) / 16 * 16);
        r->scores[t] = malloc(r->item_count * sizeof(double));
        if (memory[t] == NULL || r->scores[t] == NULL) return TACIT_NO_SPACE;
        tacit_arena_init(&arena, memory[t], need);
        tacit_factor_place(&r->factors[t], &arena, len);
        tacit_status st = tacit_factor_begin(&r->factors[t], r->model, true);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

static tacit_status run(metrics *out, ranking *r, uint32_t threads) {
    void **memory = calloc(threads, sizeof *memory);
    r->factors = calloc(threads, sizeof *r->factors);
    r->tallies = calloc(threads, sizeof *r->tallies);
    r->scores = calloc(threads, sizeof *r->scores);
    tacit_status st = memory && r->factors && r->tallies && r->scores ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) st = prepare(r, memory, threads);
    if (st == TACIT_OK)
        st = parallel_for(r->split->person_count, 32, threads, rank_people, r, NULL);
    if (st == TACIT_OK) {
        for (uint32_t t = 1; t < threads; t++) metrics_merge(&r->tallies[0], &r->tallies[t]);
        *out = metrics_end(&r->tallies[0]);
    }
    for (uint32_t t = 0; t < threads; t++) {
        if (r->tallies != NULL) free(r->tallies[t].shown);
        if (r->scores != NULL) free(r->scores[t]);
        if (memory != NULL) free(memory[t]);
    }
    free(memory);
    free(r->factors);
    free(r->tallies);
    free(r->scores);
    return st;
}

tacit_status quality_of_model(metrics *out, const tacit_model *model, const dataset_split *split,
                              size_t n, uint32_t threads) {
    ranking r = {.split = split, .model = model, .n = n, .item_count = model->item_count};
    return run(out, &r, threads);
}

tacit_status quality_of_popularity(metrics *out, const dataset_split *split, size_t item_count,
                                   size_t n, uint32_t threads) {
    double *counts = calloc(item_count ? item_count : 1, sizeof *counts);
    if (counts == NULL) return TACIT_NO_SPACE;
    for (size_t i = 0; i < split->train_offsets[split->person_count]; i++)
        counts[split->train[i]] += 1;
    ranking r = {.split = split, .n = n, .item_count = item_count, .popularity = counts};
    tacit_status st = run(out, &r, threads);
    free(counts);
    return st;
}
