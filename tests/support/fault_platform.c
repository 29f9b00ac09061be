/* SPDX-License-Identifier: Apache-2.0
 * fault_platform.c - see fault_platform.h. Slow and obvious on purpose: a sorted array, copied
 * whole for each commit, so that "all or none" needs no thought. */
#include "tests/support/fault_platform.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"

/* ---- Faults -----------------------------------------------------------------------------------*/

/* What happens to this durable call: FAULT_NONE, FAULT_FAIL (nothing happens, it fails) or
 * FAULT_DIE_AFTER (it takes effect, then fails). */
static fault_kind next_call(fault_platform *p) {
    p->durable_calls++;
    if (p->dead) return FAULT_FAIL;
    if (p->fault_at == 0 || p->durable_calls != p->fault_at) return FAULT_NONE;
    if (p->fault != FAULT_FAIL) p->dead = true;
    return p->fault == FAULT_DIE_AFTER ? FAULT_DIE_AFTER : FAULT_FAIL;
}

void fault_arm(fault_platform *p, fault_kind kind, uint64_t n) {
    p->fault = kind;
    p->fault_at = kind == FAULT_NONE ? 0 : p->durable_calls + n;
}

void fault_restart(fault_platform *p) {
    p->dead = false;
    p->fault_at = 0;
    p->random_fails_at = 0;
    free(p->staged);
    p->staged = NULL;
    p->staged_len = 0;
}

/* ---- Store ------------------------------------------------------------------------------------*/

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (c != 0) return c;
    return a_len < b_len ? -1 : a_len > b_len;
}

/* First entry not before the key. */
static size_t lower_bound(const fault_store *s, const uint8_t *key, size_t len) {
    size_t i = 0, hi = s->count;
    while (i < hi) {
        size_t mid = (i + hi) / 2;
        if (compare(s->entries[mid].key, s->entries[mid].key_len, key, len) < 0) {
            i = mid + 1;
        } else {
            hi = mid;
        }
    }
    return i;
}

static bool is_at(const fault_store *s, size_t i, const uint8_t *key, size_t len) {
    return i < s->count && compare(s->entries[i].key, s->entries[i].key_len, key, len) == 0;
}

static void store_write(fault_store *s, const tacit_write *w) {
    size_t i = lower_bound(s, w->key, w->key_len);
    bool there = is_at(s, i, w->key, w->key_len);
    fault_entry *at = &s->entries[i];
    if (w->value == NULL) {
        if (there) memmove(at, at + 1, (--s->count - i) * sizeof *at);
        return;
    }
    if (w->key_len > 32 || w->value_len > 512 || s->count == FAULT_MAX_ENTRIES) abort();
    if (!there) memmove(at + 1, at, (s->count++ - i) * sizeof *at);
    memcpy(at->key, w->key, w->key_len);
    memcpy(at->value, w->value, w->value_len);
    at->key_len = w->key_len;
    at->value_len = w->value_len;
}

static fault_store store_copy(const fault_store *s) {
    fault_store copy = {malloc(FAULT_MAX_ENTRIES * sizeof *copy.entries), s->count};
    if (copy.entries == NULL) abort();
    memcpy(copy.entries, s->entries, s->count * sizeof *copy.entries);
    return copy;
}

void fault_store_free(fault_store *s) {
    free(s->entries);
    s->entries = NULL;
}

fault_store fault_copy(const fault_platform *p) { return store_copy(&p->store); }

void fault_put_back(fault_platform *p, const fault_store *copy) {
    fault_store_free(&p->store);
    p->store = store_copy(copy);
}

fault_entry *fault_find(const fault_platform *p, const void *key, size_t key_len) {
    size_t i = lower_bound(&p->store, key, key_len);
    return is_at(&p->store, i, key, key_len) ? &p->store.entries[i] : NULL;
}

void fault_erase(fault_platform *p, const void *key, size_t key_len) {
    tacit_write w = {key, key_len, NULL, 0};
    store_write(&p->store, &w);
}

size_t fault_count(const fault_platform *p, char prefix) {
    size_t count = 0;
    for (size_t i = 0; i < p->store.count; i++) {
        count += p->store.entries[i].key[0] == (uint8_t)prefix;
    }
    return count;
}

static tacit_status storage_get(void *self, uint8_t *value, size_t cap, size_t *len,
                                const uint8_t *key, size_t key_len) {
    fault_platform *p = self;
    if (next_call(p) != FAULT_NONE) return TACIT_IO;
    const fault_entry *e = fault_find(p, key, key_len);
    if (e == NULL) return TACIT_NOT_FOUND;
    if (e->value_len > cap) return TACIT_NO_SPACE;
    memcpy(value, e->value, e->value_len);
    *len = e->value_len;
    return TACIT_OK;
}

static tacit_status storage_commit(void *self, const tacit_write *writes, size_t write_count) {
    fault_platform *p = self;
    fault_kind fault = next_call(p);
    if (fault == FAULT_FAIL) return TACIT_IO;
    for (size_t i = 0; i < write_count; i++) store_write(&p->store, &writes[i]);
    p->commits++;
    return fault == FAULT_NONE ? TACIT_OK : TACIT_IO;
}

static tacit_status storage_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                                 tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                       size_t key_len, const uint8_t *value,
                                                       size_t value_len),
                                 void *visit_self) {
    fault_platform *p = self;
    if (next_call(p) != FAULT_NONE) return TACIT_IO;
    for (size_t i = lower_bound(&p->store, prefix, prefix_len); i < p->store.count; i++) {
        const fault_entry *e = &p->store.entries[i];
        if (e->key_len < prefix_len || memcmp(e->key, prefix, prefix_len) != 0) break;
        tacit_status st = visit(visit_self, e->key, e->key_len, e->value, e->value_len);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

/* ---- Model slot -------------------------------------------------------------------------------*/

static tacit_status model_map(void *self, const uint8_t **data, size_t *len) {
    fault_platform *p = self;
    if (p->model == NULL) return TACIT_NOT_FOUND;
    *data = p->model;
    *len = p->model_len;
    return TACIT_OK;
}

static tacit_status model_write(void *self, size_t offset, const uint8_t *data, size_t len) {
    fault_platform *p = self;
    if (p->dead) return TACIT_IO;
    if (offset == 0) p->staged_len = 0;
    if (offset != p->staged_len) return TACIT_IO;
    uint8_t *grown = realloc(p->staged, offset + len + 1);
    if (grown == NULL) return TACIT_IO;
    p->staged = grown;
    memcpy(grown + offset, data, len);
    p->staged_len = offset + len;
    return TACIT_OK;
}

static tacit_status model_staged(void *self, const uint8_t **data, size_t *len) {
    fault_platform *p = self;
    if (p->staged == NULL) return TACIT_NOT_FOUND;
    *data = p->staged;
    *len = p->staged_len;
    return TACIT_OK;
}

static tacit_status model_commit(void *self) {
    fault_platform *p = self;
    if (p->dead || p->staged == NULL) return TACIT_IO;
    free(p->model);
    p->model = p->staged;
    p->model_len = p->staged_len;
    p->staged = NULL;
    p->staged_len = 0;
    return TACIT_OK;
}

/* ---- The rest ---------------------------------------------------------------------------------*/

static uint64_t clock_now(void *self) { return ((fault_platform *)self)->now_s; }

static tacit_status random_bytes(void *self, uint8_t *out, size_t len) {
    fault_platform *p = self;
    if (++p->random_calls == p->random_fails_at) return TACIT_IO;
    tacit_prng_bytes(&p->prng, out, len);
    return TACIT_OK;
}

static tacit_status exchange(void *self, tacit_exchange *x) {
    fault_platform *p = self;
    return p->exchange == NULL ? TACIT_TRANSPORT : p->exchange(p->network_self, x);
}

static tacit_status wait_for(void *self, uint32_t seconds) {
    fault_platform *p = self;
    if (p->wait_fails) return TACIT_LEFT;
    p->now_s += seconds;
    p->waited_s += seconds;
    if (p->waiting != NULL) p->waiting(p->network_self, seconds);
    return TACIT_OK;
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    fault_platform *p = self;
    if (p->sign_fails) return TACIT_IO;
    tacit_sign(sig, p->identity_secret, msg, len);
    return TACIT_OK;
}

static tacit_status mac(void *self, uint8_t out[32], const uint8_t *msg, size_t len) {
    fault_platform *p = self;
    if (p->mac_fails) return TACIT_IO;
    tacit_mac(out, p->mac_key, TACIT_LABEL_STREAM, msg, len);
    return TACIT_OK;
}

static tacit_status counter_read(void *self, uint64_t *value) {
    fault_platform *p = self;
    if (next_call(p) != FAULT_NONE || p->counter_fails) return TACIT_IO;
    *value = p->counter;
    return TACIT_OK;
}

static tacit_status counter_raise(void *self, uint64_t value) {
    fault_platform *p = self;
    fault_kind fault = next_call(p);
    if (fault == FAULT_FAIL || p->counter_fails) return TACIT_IO;
    if (value > p->counter) p->counter = value;
    return fault == FAULT_NONE ? TACIT_OK : TACIT_IO;
}

static void progress(void *self, uint32_t phase) {
    fault_platform *p = self;
    if (phase < 8) p->progress[phase]++;
}

void fault_init(fault_platform *p, uint64_t seed) {
    uint8_t key[32];
    memset(p, 0, sizeof *p);
    p->store.entries = malloc(FAULT_MAX_ENTRIES * sizeof *p->store.entries);
    if (p->store.entries == NULL) abort();
    p->now_s = 1800000000;
    tacit_prng_init_seed(&p->prng, seed, 0);
    tacit_prng_bytes(&p->prng, key, sizeof key);
    tacit_sign_keypair(p->identity, p->identity_secret, key);
    tacit_prng_bytes(&p->prng, p->mac_key, sizeof p->mac_key);
}

void fault_free(fault_platform *p) {
    fault_store_free(&p->store);
    free(p->model);
    free(p->staged);
    memset(p, 0, sizeof *p);
}

tacit_platform fault_callbacks(fault_platform *p) {
    tacit_platform f = {.self = p,
                        .clock = clock_now,
                        .random = random_bytes,
                        .storage_get = storage_get,
                        .storage_commit = storage_commit,
                        .storage_scan = storage_scan,
                        .model_map = model_map,
                        .model_write = model_write,
                        .model_staged = model_staged,
                        .model_commit = model_commit,
                        .exchange = exchange,
                        .wait = wait_for,
                        .sign = sign,
                        .mac = mac,
                        .counter_read = p->no_counter ? NULL : counter_read,
                        .counter_raise = p->no_counter ? NULL : counter_raise,
                        .progress = progress};
    return f;
}
