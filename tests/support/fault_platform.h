/* SPDX-License-Identifier: Apache-2.0
 * fault_platform.h - a device's platform for tests of the device core: everything in memory, one
 * seed, a clock that only moves when told to, and faults on demand: the k-th durable call fails, or
 * the power goes just before or just after it; randomness, MAC, signature or counter fail; the
 * store is put back to an old copy while the keystore stays.
 *
 * "Durable call" counts storage_get, storage_commit, storage_scan, counter_read and counter_raise.
 * After the power went, every durable call fails until fault_restart. */
#ifndef TACIT_TESTS_FAULT_PLATFORM_H
#define TACIT_TESTS_FAULT_PLATFORM_H

#include "common/prng.h"
#include "firmware/tacit.h"

enum { FAULT_MAX_ENTRIES = 4096 };

typedef struct {
    uint8_t key[32], value[512];
    size_t key_len, value_len;
} fault_entry;

/* The store: what a backup would copy. */
typedef struct {
    fault_entry *entries; /* ascending by key */
    size_t count;
} fault_store;

typedef enum { FAULT_NONE, FAULT_FAIL, FAULT_DIE_BEFORE, FAULT_DIE_AFTER } fault_kind;

typedef struct {
    fault_store store;
    uint8_t *model, *staged;
    size_t model_len, staged_len;

    uint8_t identity[32], identity_secret[64], mac_key[32];
    uint64_t counter;
    bool no_counter;

    uint64_t now_s;
    tacit_prng prng;

    uint64_t durable_calls; /* so far */
    uint64_t commits;       /* that took effect */
    uint64_t fault_at;      /* 1-based durable call; 0: none */
    fault_kind fault;
    bool dead;
    uint64_t random_calls, random_fails_at; /* 1-based; 0: none */
    bool mac_fails, sign_fails, counter_fails, wait_fails;
    uint64_t waited_s;

    /* Network; NULL: none. */
    tacit_status (*exchange)(void *network_self, tacit_exchange *exchange);
    void (*waiting)(void *network_self, uint32_t seconds);
    void *network_self;
    uint32_t progress[8]; /* calls by phase */
} fault_platform;

/* Starts empty, at a fixed time, with keys from the seed. */
void fault_init(fault_platform *p, uint64_t seed);
void fault_free(fault_platform *p);
tacit_platform fault_callbacks(fault_platform *p);

/* The power comes back: the staged model is gone, no fault is armed. */
void fault_restart(fault_platform *p);
/* Arms a fault at the n-th durable call from now. */
void fault_arm(fault_platform *p, fault_kind kind, uint64_t n);

/* A copy of the store; put back replaces the store's content by a copy of it. */
fault_store fault_copy(const fault_platform *p);
void fault_put_back(fault_platform *p, const fault_store *copy);
void fault_store_free(fault_store *s);

/* Direct access for tests that tamper. NULL when absent. */
fault_entry *fault_find(const fault_platform *p, const void *key, size_t key_len);
void fault_erase(fault_platform *p, const void *key, size_t key_len);
/* Entries whose key begins with a byte. */
size_t fault_count(const fault_platform *p, char prefix);

#endif
