/* SPDX-License-Identifier: Apache-2.0
 * memory_platform.h - a device's platform that lives in memory: storage, model slot, identity, MAC,
 * counter, randomness. One object is one device; thousands of them run in one process, each in one
 * thread at a time, so nothing here is global and equal model files are held once.
 *
 * It is for tools and tests. It keeps no secret from the process it lives in and loses everything
 * with it; a product uses port/store_lmdb and the keystore of its operating system. */
#ifndef TACIT_TOOLS_MEMORY_PLATFORM_H
#define TACIT_TOOLS_MEMORY_PLATFORM_H

#include "common/base.h"
#include "firmware/tacit.h"

/* ---- Model files shared among devices ----------------------------------------------------------
 * A pool holds each distinct file (by digest) once, read-only and counted. The newest file stays
 * as long as the pool, older ones as long as a device holds them. A device that downloads a file
 * the pool already has stages a view of it while the bytes agree and copies only when they differ,
 * so put the file in first (one device's sync, or memory_models_add) and a thousand downloads cost
 * no memory. Thread-safe. */
typedef struct memory_models memory_models;

memory_models *memory_models_new(void); /* NULL when memory runs out */
/* After all its devices. NULL allowed. */
void memory_models_free(memory_models *pool);
/* Copies a file in. NO_SPACE. */
TACIT_MUST_CHECK tacit_status memory_models_add(memory_models *pool, const uint8_t *file,
                                                size_t len);
/* Distinct files held and their bytes. */
size_t memory_models_count(memory_models *pool);
size_t memory_models_len(memory_models *pool);

/* ---- One device --------------------------------------------------------------------------------
 */
typedef struct memory_platform memory_platform;

typedef struct {
    /* [32]: identity key, MAC key and all random bytes follow from it, so a run repeats exactly.
     * NULL: keys from the operating system, random bytes too. */
    const uint8_t *seed;
    memory_models *models; /* NULL: a pool of its own */
    /* Optional, else the system's clock. */
    uint64_t (*clock)(void *clock_self);
    void *clock_self;
    /* Optional network, as in tacit_platform but with network_self. */
    tacit_status (*exchange)(void *network_self, tacit_exchange *exchange);
    tacit_status (*wait)(void *network_self, uint32_t seconds);
    void (*progress)(void *network_self, uint32_t phase);
    void *network_self;
    bool no_counter; /* a platform without a monotonic counter */
} memory_platform_options;

/* options may be NULL. NO_SPACE. */
TACIT_MUST_CHECK tacit_status memory_platform_new(memory_platform **out,
                                                  const memory_platform_options *options);
/* Wipes keys and storage. NULL allowed. */
void memory_platform_free(memory_platform *p);

/* The callbacks; valid as long as the object. */
tacit_platform memory_platform_callbacks(memory_platform *p);

/* Sets or replaces the network after the object was made. */
void memory_platform_connect(memory_platform *p,
                             tacit_status (*exchange)(void *network_self, tacit_exchange *exchange),
                             tacit_status (*wait)(void *network_self, uint32_t seconds),
                             void *network_self);

/* Ed25519 public key of the identity [32]: what the authority certifies. */
const uint8_t *memory_platform_identity(const memory_platform *p);

/* What a power cut does to the platform: the staged model is gone, what was committed stays. */
void memory_platform_restart(memory_platform *p);
/* From now on commits of storage and model fail (true) or work again (false). */
void memory_platform_fail(memory_platform *p, bool commits_fail);

/* Keys stored, and bytes this device holds (storage and a model of its own, not shared files). */
size_t memory_platform_count(const memory_platform *p);
size_t memory_platform_len(const memory_platform *p);

#endif
