/* SPDX-License-Identifier: Apache-2.0
 * virtual_pool.c - see virtual_pool.h. Threads sleep between two runs; the caller's takes part. */
#include "tools/virtual_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

typedef struct {
    virtual_pool *pool;
    uint32_t number;
} member;

struct virtual_pool {
    pthread_mutex_t lock;
    pthread_cond_t begun, ended;
    pthread_t ids[MAX_THREADS];
    member members[MAX_THREADS];
    uint32_t threads;
    uint64_t run; /* number of the run, so that a thread sees a new one */
    uint32_t next, count, working;
    bool stopping;
    void (*work)(void *self, uint32_t index, uint32_t thread);
    void *self;
};

/* Takes pieces until there are none; the lock is held on entry and return. */
static void take_pieces(virtual_pool *p, uint32_t thread) {
    while (p->next < p->count) {
        uint32_t index = p->next++;
        p->working++;
        pthread_mutex_unlock(&p->lock);
        p->work(p->self, index, thread);
        pthread_mutex_lock(&p->lock);
        p->working--;
    }
    if (p->working == 0) pthread_cond_signal(&p->ended);
}

static void *serve(void *arg) {
    const member *m = arg;
    virtual_pool *p = m->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        if (p->run == seen) {
            pthread_cond_wait(&p->begun, &p->lock);
            continue;
        }
        seen = p->run;
        take_pieces(p, m->number);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

virtual_pool *virtual_pool_new(uint32_t threads) {
    virtual_pool *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->begun, NULL);
    pthread_cond_init(&p->ended, NULL);
    p->threads = 1;
    while (p->threads < threads && p->threads < MAX_THREADS) {
        p->members[p->threads] = (member){p, p->threads};
        if (pthread_create(&p->ids[p->threads], NULL, serve, &p->members[p->threads]) != 0) break;
        p->threads++;
    }
    return p;
}

void virtual_pool_free(virtual_pool *p) {
    if (p == NULL) return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->begun);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 1; i < p->threads; i++) pthread_join(p->ids[i], NULL);
    pthread_cond_destroy(&p->begun);
    pthread_cond_destroy(&p->ended);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void virtual_pool_run(virtual_pool *p, uint32_t count,
                      void (*work)(void *self, uint32_t index, uint32_t thread), void *self) {
    pthread_mutex_lock(&p->lock);
    p->work = work;
    p->self = self;
    p->next = 0;
    p->count = count;
    p->run++;
    if (count > 1) pthread_cond_broadcast(&p->begun);
    take_pieces(p, 0);
    while (p->working > 0) pthread_cond_wait(&p->ended, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
