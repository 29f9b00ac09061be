/* SPDX-License-Identifier: Apache-2.0
 * virtual_platform.c - a device's platform in the simulation: the memory platform with a clock that
 * jumps, a disk that fails once when it is told to, power that goes in the middle of a storage
 * call, copies of the storage, and a recorder of all random values a participation takes. */
#include <stdlib.h>

#include "common/crypto.h"
#include "tools/virtual_internal.h"

/* ---- Clock and randomness ----------------------------------------------------------------------
 */

uint64_t virtual_clock_s(const virtual_device *d) {
    int64_t now_s = (int64_t)(VIRTUAL_OPENS_S + d->now_us / 1000000) + d->clock_off_s;
    return now_s > 0 ? (uint64_t)now_s : 0;
}

static uint64_t clock_now(void *self) { return virtual_clock_s(self); }

/* Pauses draw four bytes, which are no secret; everything longer is remembered. More of them than
 * there is room for would be a secret the checks do not know, so the device gets none. */
static tacit_status random_bytes(void *self, uint8_t *out, size_t len) {
    virtual_device *d = self;
    tacit_status st = d->inner.random(d->inner.self, out, len);
    if (st != TACIT_OK || len <= 4) return st;
    if (d->draw_count == VIRTUAL_DRAWS || len > TACIT_KEY_LEN) return TACIT_RANDOM;
    virtual_draw *draw = &d->draws[d->draw_count++];
    memcpy(draw->bytes, out, len);
    draw->len = (uint8_t)len;
    return TACIT_OK;
}

/* ---- The disk ----------------------------------------------------------------------------------
 */

/* Is it this call that goes wrong? A device without power answers nothing any more. */
static virtual_disk fault_now(virtual_device *d) {
    if (d->power_cut) return VIRTUAL_DISK_CUT_BEFORE;
    if (d->disk == VIRTUAL_DISK_WELL || d->disk_in == 0 || --d->disk_in > 0)
        return VIRTUAL_DISK_WELL;
    virtual_disk kind = d->disk;
    d->disk = VIRTUAL_DISK_WELL;
    return kind;
}

/* A storage call under the fault; `run` does what the disk does. */
static tacit_status call_storage(virtual_device *d, tacit_status (*run)(void *call), void *call) {
    virtual_disk fault = fault_now(d);
    tacit_status st = TACIT_STORAGE;
    if (fault == VIRTUAL_DISK_WELL || fault == VIRTUAL_DISK_CUT_AFTER) st = run(call);
    if (fault == VIRTUAL_DISK_WELL) return st;
    d->storage_failed = true;
    d->power_cut = d->power_cut || fault != VIRTUAL_DISK_FAILS;
    return TACIT_STORAGE;
}

typedef struct {
    const virtual_device *d;
    const tacit_write *writes;
    size_t write_count;
    uint64_t value;
} storage_call;

static tacit_status run_commit(void *self) {
    const storage_call *c = self;
    return c->d->inner.storage_commit(c->d->inner.self, c->writes, c->write_count);
}

static tacit_status storage_commit(void *self, const tacit_write *writes, size_t write_count) {
    storage_call call = {.d = self, .writes = writes, .write_count = write_count};
    return call_storage(self, run_commit, &call);
}

static tacit_status run_raise(void *self) {
    const storage_call *c = self;
    return c->d->inner.counter_raise(c->d->inner.self, c->value);
}

static tacit_status counter_raise(void *self, uint64_t value) {
    storage_call call = {.d = self, .value = value};
    return call_storage(self, run_raise, &call);
}

/* ---- What only passes through ------------------------------------------------------------------
 */

static tacit_status storage_get(void *self, uint8_t *value, size_t cap, size_t *len,
                                const uint8_t *key, size_t key_len) {
    const virtual_device *d = self;
    return d->inner.storage_get(d->inner.self, value, cap, len, key, key_len);
}

static tacit_status storage_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                                 tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                       size_t key_len, const uint8_t *value,
                                                       size_t value_len),
                                 void *visit_self) {
    const virtual_device *d = self;
    return d->inner.storage_scan(d->inner.self, prefix, prefix_len, visit, visit_self);
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    const virtual_device *d = self;
    return d->inner.sign(d->inner.self, sig, msg, len);
}

static tacit_status mac(void *self, uint8_t out[32], const uint8_t *msg, size_t len) {
    const virtual_device *d = self;
    return d->inner.mac(d->inner.self, out, msg, len);
}

static tacit_status counter_read(void *self, uint64_t *value) {
    const virtual_device *d = self;
    return d->inner.counter_read(d->inner.self, value);
}

void virtual_platform_make(virtual_device *d) {
    d->inner = memory_platform_callbacks(d->store);
    d->platform = (tacit_platform){.self = d,
                                   .clock = clock_now,
                                   .random = random_bytes,
                                   .storage_get = storage_get,
                                   .storage_commit = storage_commit,
                                   .storage_scan = storage_scan,
                                   .sign = sign,
                                   .mac = mac,
                                   .counter_read = counter_read,
                                   .counter_raise = counter_raise};
}

/* ---- Copies ------------------------------------------------------------------------------------
 */

typedef struct {
    uint8_t key_len;
    uint16_t value_len;
    uint8_t key[TACIT_STORE_KEY_MAX], value[TACIT_STORE_VALUE_MAX];
} copied;

struct virtual_copy {
    size_t count, cap;
    copied *entries;
};

static tacit_status copy_entry(void *self, const uint8_t *key, size_t key_len, const uint8_t *value,
                               size_t value_len) {
    virtual_copy *c = self;
    if (c->count == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 16;
        copied *grown = realloc(c->entries, cap * sizeof *grown);
        if (grown == NULL) return TACIT_NO_SPACE;
        c->entries = grown;
        c->cap = cap;
    }
    copied *e = &c->entries[c->count++];
    e->key_len = (uint8_t)key_len;
    e->value_len = (uint16_t)value_len;
    memcpy(e->key, key, key_len);
    memcpy(e->value, value, value_len);
    return TACIT_OK;
}

static tacit_status copy_new(virtual_copy **out, const virtual_device *d) {
    const uint8_t none = 0;
    *out = calloc(1, sizeof **out);
    if (*out == NULL) return TACIT_NO_SPACE;
    return d->inner.storage_scan(d->inner.self, &none, 0, copy_entry, *out);
}

static void copy_free(virtual_copy *c) {
    if (c != NULL) free(c->entries);
    free(c);
}

tacit_status virtual_copy_take(virtual_device *d) {
    virtual_copy_free(d);
    return copy_new(&d->copy, d);
}

/* Everything that is there goes, everything of the copy comes; the keystore stays as it is. */
tacit_status virtual_copy_restore(virtual_device *d) {
    virtual_copy *now = NULL;
    tacit_status st = copy_new(&now, d);
    for (size_t i = 0; i < (now ? now->count : 0) && st == TACIT_OK; i++) {
        tacit_write gone = {now->entries[i].key, now->entries[i].key_len, NULL, 0};
        st = d->inner.storage_commit(d->inner.self, &gone, 1);
    }
    for (size_t i = 0; i < d->copy->count && st == TACIT_OK; i++) {
        const copied *e = &d->copy->entries[i];
        tacit_write back = {e->key, e->key_len, e->value, e->value_len};
        st = d->inner.storage_commit(d->inner.self, &back, 1);
    }
    copy_free(now);
    return st;
}

void virtual_copy_free(virtual_device *d) {
    copy_free(d->copy);
    d->copy = NULL;
}

/* Offsets: ledger.h. */
bool virtual_durable_read(virtual_durable *out, const virtual_device *d) {
    uint8_t value[TACIT_STORE_VALUE_MAX];
    static const uint8_t key[2] = {'l', '0'};
    size_t len = 0;
    memset(out, 0, sizeof *out);
    if (d->inner.storage_get(d->inner.self, value, sizeof value, &len, key, sizeof key) != TACIT_OK)
        return false;
    if (len != sizeof value) return false;
    out->counter = tacit_get_u64(value + 8);
    out->joined_round = tacit_get_u64(value + 56);
    out->charged_round = tacit_get_u64(value + 64);
    out->charges = tacit_get_u64(value + 104);
    return true;
}
