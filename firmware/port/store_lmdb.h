/* SPDX-License-Identifier: Apache-2.0
 * store_lmdb.h - ready-made storage: LMDB for history and ledger, plain files for the model slot.
 * Implements the storage_* and model_* callbacks of tacit_platform with self = the store. A commit
 * returns only when LMDB has synced it. One thread at a time.
 *
 * It refuses to share: the folder is locked while it is open, because two processes that each hold
 * the ledger in memory would spend the same budget twice. */
#ifndef TACIT_FIRMWARE_PORT_STORE_LMDB_H
#define TACIT_FIRMWARE_PORT_STORE_LMDB_H

#include "firmware/tacit.h"

typedef struct tacit_lmdb tacit_lmdb;

/* Opens or creates `folder` (0700; its parent must exist). map_mb is the first size of the
 * database's map (0: 64 MB; at most 1024); it is doubled when it is full, so only the disk bounds
 * the store. STORAGE: it cannot be opened, or is open already, here or in another process.
 * NO_SPACE. */
TACIT_CHECKED tacit_status tacit_lmdb_open(tacit_lmdb **out, const char *folder, uint32_t map_mb);
/* NULL allowed. */
void tacit_lmdb_close(tacit_lmdb *s);

/* As tacit_platform says; besides, a commit refuses keys and values above the limits of tacit_write
 * with INVALID_ARGUMENT. Bytes given by model_staged stay readable until the next call for the
 * staged file; a failed model_write or commit drops nothing that model_map has given out. */

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
