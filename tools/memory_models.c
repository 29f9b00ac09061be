/* SPDX-License-Identifier: Apache-2.0
 * memory_models.c - the pool of model files. A blob never changes after it was put in, so devices
 * read it without a lock; the lock guards the list and the counts only. */
#include <pthread.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "tools/memory_models.h"

struct memory_models {
    pthread_mutex_t lock;
    memory_blob *first;  /* newest first */
    memory_blob *newest; /* the blob the pool itself holds */
};

memory_models *memory_models_new(void) {
    memory_models *pool = calloc(1, sizeof *pool);
    if (pool != NULL && pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        pool = NULL;
    }
    return pool;
}

/* With the lock held. */
static void drop(memory_models *pool, memory_blob *blob) {
    if (--blob->references > 0) return;
    memory_blob **at = &pool->first;
    while (*at != NULL && *at != blob) at = &(*at)->next;
    assert(*at == blob);
    *at = blob->next;
    free(blob->data);
    free(blob);
}

void memory_models_free(memory_models *pool) {
    if (pool == NULL) return;
    if (pool->newest != NULL) drop(pool, pool->newest);
    assert(pool->first == NULL); /* a device still holds a file */
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

memory_blob *memory_models_take(memory_models *pool, uint8_t *data, size_t len) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_MODEL, data, len);
    pthread_mutex_lock(&pool->lock);
    memory_blob *blob = pool->first;
    while (blob != NULL && (blob->len != len || memcmp(blob->digest, digest, sizeof digest) != 0))
        blob = blob->next;
    if (blob != NULL) {
        free(data);
        blob->references++;
    } else if ((blob = calloc(1, sizeof *blob)) != NULL) {
        *blob = (memory_blob){.data = data, .len = len, .references = 2, .next = pool->first};
        memcpy(blob->digest, digest, sizeof digest);
        memory_blob *before = pool->newest;
        pool->first = pool->newest = blob;
        if (before != NULL) drop(pool, before);
    } else {
        free(data);
    }
    pthread_mutex_unlock(&pool->lock);
    return blob;
}

static bool begins_with(const memory_blob *blob, const uint8_t *head, size_t head_len,
                        const uint8_t *data, size_t len) {
    return blob->len >= head_len && blob->len - head_len >= len &&
           (head_len == 0 || memcmp(blob->data, head, head_len) == 0) &&
           (len == 0 || memcmp(blob->data + head_len, data, len) == 0);
}

memory_blob *memory_models_match(memory_models *pool, const uint8_t *head, size_t head_len,
                                 const uint8_t *data, size_t len) {
    pthread_mutex_lock(&pool->lock);
    memory_blob *blob = pool->first;
    while (blob != NULL && !begins_with(blob, head, head_len, data, len)) blob = blob->next;
    if (blob != NULL) blob->references++;
    pthread_mutex_unlock(&pool->lock);
    return blob;
}

void memory_models_release(memory_models *pool, memory_blob *blob) {
    if (blob == NULL) return;
    pthread_mutex_lock(&pool->lock);
    drop(pool, blob);
    pthread_mutex_unlock(&pool->lock);
}

tacit_status memory_models_add(memory_models *pool, const uint8_t *file, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    if (copy == NULL) return TACIT_NO_SPACE;
    memcpy(copy, file, len);
    memory_blob *blob = memory_models_take(pool, copy, len);
    if (blob == NULL) return TACIT_NO_SPACE;
    memory_models_release(pool, blob);
    return TACIT_OK;
}

size_t memory_models_count(memory_models *pool) {
    size_t count = 0;
    pthread_mutex_lock(&pool->lock);
    for (const memory_blob *b = pool->first; b != NULL; b = b->next) count++;
    pthread_mutex_unlock(&pool->lock);
    return count;
}

size_t memory_models_len(memory_models *pool) {
    size_t len = 0;
    pthread_mutex_lock(&pool->lock);
    for (const memory_blob *b = pool->first; b != NULL; b = b->next) len += b->len;
    pthread_mutex_unlock(&pool->lock);
    return len;
}
