/* SPDX-License-Identifier: Apache-2.0
 * key_table.c - open addressing with linear probing over places drawn by a keyed BLAKE2b. At most
 * half of the places are taken, so a search ends soon whatever the keys are. It never grows. */
#include "server/key_table.h"

#include <stdlib.h>

#include "common/crypto.h"

tacit_status key_table_init(key_table *t, uint32_t capacity,
                            const uint8_t secret[static TACIT_KEY_LEN]) {
    *t = (key_table){.capacity = capacity, .place_count = 2};
    memcpy(t->secret, secret, TACIT_KEY_LEN);
    while (t->place_count < 2 * capacity) t->place_count *= 2;
    t->keys = (uint8_t(*)[TACIT_HASH_LEN])calloc(capacity, sizeof *t->keys);
    t->values = (uint32_t *)calloc(capacity, sizeof *t->values);
    t->places = (uint32_t *)calloc(t->place_count, sizeof *t->places);
    return t->keys != NULL && t->values != NULL && t->places != NULL ? TACIT_OK : TACIT_NO_SPACE;
}

void key_table_free(key_table *t) {
    free(t->keys);
    free(t->values);
    free(t->places);
    tacit_wipe(t, sizeof *t);
}

/* The place that holds `key`, or the free one where it would stand. */
static uint32_t seek(const key_table *t, const uint8_t *key) {
    uint8_t mac[TACIT_HASH_LEN];
    tacit_mac(mac, t->secret, TACIT_LABEL_STREAM, key, TACIT_HASH_LEN);
    uint32_t at = tacit_get_u32(mac) & (t->place_count - 1);
    while (t->places[at] != 0 && memcmp(t->keys[t->places[at] - 1], key, TACIT_HASH_LEN) != 0)
        at = (at + 1) & (t->place_count - 1);
    return at;
}

uint32_t *key_table_find(const key_table *t, const uint8_t key[static TACIT_HASH_LEN]) {
    uint32_t entry = t->places[seek(t, key)];
    return entry == 0 ? NULL : &t->values[entry - 1];
}

tacit_status key_table_add(key_table *t, const uint8_t key[static TACIT_HASH_LEN], uint32_t value) {
    uint32_t at = seek(t, key);
    if (t->places[at] != 0) return TACIT_DUPLICATE;
    if (t->count == t->capacity) return TACIT_NO_SPACE;
    memcpy(t->keys[t->count], key, TACIT_HASH_LEN);
    t->values[t->count] = value;
    t->places[at] = ++t->count;
    return TACIT_OK;
}
