/* SPDX-License-Identifier: Apache-2.0
 * key_table.h - a map from 32-byte values to numbers, of fixed capacity: who joined under which id,
 * and which keys are taken. The values come from outside, so places are drawn with a keyed hash
 * that the sender cannot know; nobody can choose values that all fall on one place. Entries are
 * never removed. It refuses what would go above its capacity and allocates only in init. */
#ifndef TACIT_SERVER_KEY_TABLE_H
#define TACIT_SERVER_KEY_TABLE_H

#include "common/base.h"

typedef struct {
    uint8_t secret[TACIT_KEY_LEN];
    uint8_t (*keys)[TACIT_HASH_LEN]; /* [capacity], in order of adding */
    uint32_t *values;                /* [capacity] */
    uint32_t *places;                /* [place_count] number of an entry + 1; 0: free */
    uint32_t count, capacity;
    uint32_t place_count; /* power of two >= 2 x capacity */
} key_table;

/* capacity >= 1. NO_SPACE. Freed by key_table_free, also after a failure. */
TACIT_MUST_CHECK tacit_status key_table_init(key_table *t, uint32_t capacity,
                                             const uint8_t secret[static TACIT_KEY_LEN]);
/* A zeroed table may be freed. */
void key_table_free(key_table *t);

/* Where the value of `key` stands, to be read or changed; NULL when there is none. */
uint32_t *key_table_find(const key_table *t, const uint8_t key[static TACIT_HASH_LEN]);

/* Adds a key that is not there. NO_SPACE when the table is full, DUPLICATE when it is there. */
TACIT_MUST_CHECK tacit_status key_table_add(key_table *t, const uint8_t key[static TACIT_HASH_LEN],
                                            uint32_t value);

#endif
