/* SPDX-License-Identifier: Apache-2.0
 * platform.h - the host's callbacks with their results narrowed to what callers may see. A host can
 * return any status; behind these functions a failed store is STORAGE and a failed source of
 * randomness is RANDOM, whatever the callback said. Nothing else of the core calls them directly.
 */
#ifndef TACIT_FIRMWARE_PLATFORM_H
#define TACIT_FIRMWARE_PLATFORM_H

#include "common/base.h"
#include "firmware/tacit.h"

/* Limits the host may rely on (tacit.h). */
enum { TACIT_STORE_KEY_MAX = 32, TACIT_STORE_VALUE_MAX = 512 };

TACIT_MUST_CHECK static inline tacit_status tacit_platform_random(const tacit_platform *p,
                                                                  void *out, size_t len) {
    return p->random(p->self, out, len) == TACIT_OK ? TACIT_OK : TACIT_RANDOM;
}

/* OK, NOT_FOUND, NO_SPACE (longer than cap: for a record of fixed length that is corruption) or
 * STORAGE. */
TACIT_MUST_CHECK static inline tacit_status tacit_platform_get(const tacit_platform *p,
                                                               uint8_t *value, size_t cap,
                                                               size_t *len, const uint8_t *key,
                                                               size_t key_len) {
    tacit_status st = p->storage_get(p->self, value, cap, len, key, key_len);
    if (st == TACIT_OK) return *len <= cap ? TACIT_OK : TACIT_STORAGE;
    return st == TACIT_NOT_FOUND || st == TACIT_NO_SPACE ? st : TACIT_STORAGE;
}

TACIT_MUST_CHECK static inline tacit_status tacit_platform_commit(const tacit_platform *p,
                                                                  const tacit_write *writes,
                                                                  size_t write_count) {
    tacit_status st = p->storage_commit(p->self, writes, write_count);
    return st == TACIT_OK ? TACIT_OK : TACIT_STORAGE;
}

#endif
