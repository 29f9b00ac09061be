/* SPDX-License-Identifier: Apache-2.0
 * memory_models.h - inside of memory_platform: how a device takes and gives back shared files. Only
 * memory_platform.c and memory_models.c include this. */
#ifndef TACIT_TOOLS_MEMORY_MODELS_H
#define TACIT_TOOLS_MEMORY_MODELS_H

#include "tools/memory_platform.h"

typedef struct memory_blob memory_blob;
struct memory_blob {
    uint8_t *data; /* from malloc, so 8-byte aligned; never written to again */
    size_t len;
    uint8_t digest[TACIT_HASH_LEN];
    size_t references; /* under the pool's lock */
    memory_blob *next;
};

/* Takes `data` (from malloc) over, or frees it when the pool already has the same file. NULL when
 * memory runs out (data is freed). The caller gets one reference. */
memory_blob *memory_models_take(memory_models *pool, uint8_t *data, size_t len);
/* A file that begins with head | data, with one reference, or NULL. */
memory_blob *memory_models_match(memory_models *pool, const uint8_t *head, size_t head_len,
                                 const uint8_t *data, size_t len);
/* Gives a reference back. blob may be NULL. */
void memory_models_release(memory_models *pool, memory_blob *blob);

#endif
