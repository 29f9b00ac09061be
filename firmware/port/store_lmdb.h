/* SPDX-License-Identifier: Apache-2.0
 * store_lmdb.h - ready-made storage: LMDB for history and ledger, plain files for the model slot.
 * Implements the storage_* and model_* callbacks of tacit_platform with self = the store. A commit
 * returns only when LMDB has synced it. One thread at a time. */
#ifndef TACIT_FIRMWARE_PORT_STORE_LMDB_H
#define TACIT_FIRMWARE_PORT_STORE_LMDB_H

#include "firmware/tacit.h"

typedef struct tacit_lmdb tacit_lmdb;

/* Opens or creates `folder` (0700). map_mb bounds the database (0: 64 MB). STORAGE. */
TACIT_CHECKED tacit_status tacit_lmdb_open(tacit_lmdb **out, const char *folder, uint32_t map_mb);
void tacit_lmdb_close(tacit_lmdb *s);

tacit_status tacit_lmdb_get(void *self, uint8_t *value, size_t cap, size_t *len, const uint8_t *key,
                            size_t key_len);
tacit_status tacit_lmdb_commit(void *self, const tacit_write *writes, size_t write_count);
tacit_status tacit_lmdb_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                             tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                   size_t key_len, const uint8_t *value,
                                                   size_t value_len),
                             void *visit_self);
tacit_status tacit_lmdb_model_map(void *self, const uint8_t **data, size_t *len);
tacit_status tacit_lmdb_model_write(void *self, size_t offset, const uint8_t *data, size_t len);
tacit_status tacit_lmdb_model_staged(void *self, const uint8_t **data, size_t *len);
tacit_status tacit_lmdb_model_commit(void *self);

#endif
