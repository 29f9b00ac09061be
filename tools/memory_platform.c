/* SPDX-License-Identifier: Apache-2.0
 * memory_platform.c - see memory_platform.h. The storage is a sorted array of small blocks: a
 * device has at most some thousand keys and writes history at the end of its prefix, so a search is
 * a few comparisons and an insertion moves a few pointers. */
#include "tools/memory_platform.h"

#include <stdlib.h>
#include <time.h>

#include "common/crypto.h"
#include "common/prng.h"
#include "tools/memory_models.h"

enum { KEY_MAX = 32, VALUE_MAX = 512 };
enum { STREAM_IDENTITY, STREAM_MAC, STREAM_RANDOM };

typedef struct {
    uint8_t key_len;
    uint16_t value_len;
    uint8_t bytes[]; /* key | value */
} entry;

struct memory_platform {
    memory_platform_options options;
    memory_models *own_pool; /* options.models, or this one */
    entry **entries;         /* ascending by key */
    size_t count, cap;
    /* The staged file: a view of `view` as long as the bytes agree, else own bytes. */
    memory_blob *model, *view;
    uint8_t *staged;
    size_t staged_len, staged_cap;
    bool staging, fails;
    uint64_t counter;
    uint8_t public_key[TACIT_KEY_LEN], secret_key[TACIT_SIGN_SECRET_LEN], mac_key[TACIT_KEY_LEN];
    tacit_prng *prng; /* of a seeded device, else NULL */
};

/* ---- Storage -----------------------------------------------------------------------------------
 */

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* Index of the first key not below `key`. */
static size_t lower_bound(const memory_platform *p, const uint8_t *key, size_t key_len) {
    size_t lo = 0, hi = p->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare(p->entries[mid]->bytes, p->entries[mid]->key_len, key, key_len) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool is_at(const memory_platform *p, size_t at, const uint8_t *key, size_t key_len) {
    return at < p->count &&
           compare(p->entries[at]->bytes, p->entries[at]->key_len, key, key_len) == 0;
}

static tacit_status storage_get(void *self, uint8_t *value, size_t cap, size_t *len,
                                const uint8_t *key, size_t key_len) {
    const memory_platform *p = self;
    size_t at = lower_bound(p, key, key_len);
    if (!is_at(p, at, key, key_len)) return TACIT_NOT_FOUND;
    const entry *e = p->entries[at];
    if (e->value_len > cap) return TACIT_NO_SPACE;
    memcpy(value, e->bytes + e->key_len, e->value_len);
    *len = e->value_len;
    return TACIT_OK;
}

static void entry_free(entry *e) {
    if (e == NULL) return;
    tacit_wipe(e, sizeof *e + e->key_len + e->value_len);
    free(e);
}

static entry *entry_new(const tacit_write *w) {
    entry *e = malloc(sizeof *e + w->key_len + w->value_len);
    if (e == NULL) return NULL;
    e->key_len = (uint8_t)w->key_len;
    e->value_len = (uint16_t)w->value_len;
    memcpy(e->bytes, w->key, w->key_len);
    if (w->value_len > 0) memcpy(e->bytes + w->key_len, w->value, w->value_len);
    return e;
}

/* Cannot fail: the array has room and `fresh` (NULL: delete) was made before. */
static void apply(memory_platform *p, const tacit_write *w, entry *fresh) {
    size_t at = lower_bound(p, w->key, w->key_len);
    bool there = is_at(p, at, w->key, w->key_len);
    if (there) entry_free(p->entries[at]);
    size_t behind = p->count - at - there;
    if (fresh == NULL && there) {
        /* An array of pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
        memmove(p->entries + at, p->entries + at + 1, behind * sizeof *p->entries);
        p->count--;
    } else if (fresh != NULL) {
        if (!there) {
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): as above */
            memmove(p->entries + at + 1, p->entries + at, behind * sizeof *p->entries);
            p->count++;
        }
        p->entries[at] = fresh;
    }
}

static bool reserve(memory_platform *p, size_t more) {
    if (p->count + more <= p->cap) return true;
    size_t cap = p->cap ? p->cap : 16;
    while (cap < p->count + more) cap *= 2;
    entry **grown = realloc(p->entries, cap * sizeof(entry *));
    if (grown == NULL) return false;
    p->entries = grown;
    p->cap = cap;
    return true;
}

/* All or nothing: everything that can fail is done before the first write is applied. */
static tacit_status storage_commit(void *self, const tacit_write *writes, size_t write_count) {
    memory_platform *p = self;
    if (p->fails) return TACIT_STORAGE;
    for (size_t i = 0; i < write_count; i++)
        if (writes[i].key_len == 0 || writes[i].key_len > KEY_MAX ||
            writes[i].value_len > VALUE_MAX)
            return TACIT_INVALID_ARGUMENT;
    entry **fresh = calloc(write_count ? write_count : 1, sizeof(entry *));
    if (fresh == NULL) return TACIT_STORAGE;
    bool ok = reserve(p, write_count);
    for (size_t i = 0; i < write_count && ok; i++)
        if (writes[i].value != NULL) ok = (fresh[i] = entry_new(&writes[i])) != NULL;
    for (size_t i = 0; i < write_count; i++)
        if (ok)
            apply(p, &writes[i], fresh[i]);
        else
            entry_free(fresh[i]);
    free(fresh);
    return ok ? TACIT_OK : TACIT_STORAGE;
}

static tacit_status storage_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                                 tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                       size_t key_len, const uint8_t *value,
                                                       size_t value_len),
                                 void *visit_self) {
    const memory_platform *p = self;
    for (size_t i = lower_bound(p, prefix, prefix_len); i < p->count; i++) {
        const entry *e = p->entries[i];
        if (e->key_len < prefix_len || memcmp(e->bytes, prefix, prefix_len) != 0) break;
        tacit_status st =
            visit(visit_self, e->bytes, e->key_len, e->bytes + e->key_len, e->value_len);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

/* ---- Model slot --------------------------------------------------------------------------------
 */

static memory_models *pool_of(const memory_platform *p) {
    return p->options.models != NULL ? p->options.models : p->own_pool;
}

static tacit_status model_map(void *self, const uint8_t **data, size_t *len) {
    const memory_platform *p = self;
    if (p->model == NULL) return TACIT_NOT_FOUND;
    *data = p->model->data;
    *len = p->model->len;
    return TACIT_OK;
}

static void unstage(memory_platform *p) {
    memory_models_release(pool_of(p), p->view);
    free(p->staged);
    p->view = NULL;
    p->staged = NULL;
    p->staged_len = p->staged_cap = 0;
    p->staging = false;
}

static bool stage_bytes(memory_platform *p, const uint8_t *data, size_t len) {
    if (len == 0) return true;
    if (p->staged == NULL || p->staged_len + len > p->staged_cap) {
        size_t cap = p->staged_cap ? p->staged_cap * 2 : 65536;
        while (cap < p->staged_len + len) cap *= 2;
        uint8_t *grown = realloc(p->staged, cap);
        if (grown == NULL) return false;
        p->staged = grown;
        p->staged_cap = cap;
    }
    memcpy(p->staged + p->staged_len, data, len);
    p->staged_len += len;
    return true;
}

/* The bytes have left the file that was viewed: another one of the pool, or a copy from here on. */
static bool stage_elsewhere(memory_platform *p, const uint8_t *data, size_t len) {
    memory_models *pool = pool_of(p);
    memory_blob *before = p->view;
    size_t head_len = p->staged_len;
    memory_blob *view =
        memory_models_match(pool, before ? before->data : NULL, before ? head_len : 0, data, len);
    bool ok = true;
    p->view = view;
    if (view != NULL) {
        p->staged_len += len;
    } else {
        p->staged_len = 0;
        ok =
            (before == NULL || stage_bytes(p, before->data, head_len)) && stage_bytes(p, data, len);
    }
    memory_models_release(pool, before);
    return ok;
}

static tacit_status model_write(void *self, size_t offset, const uint8_t *data, size_t len) {
    memory_platform *p = self;
    bool ok;
    if (offset == 0) {
        unstage(p);
        p->staging = true;
    }
    if (!p->staging || offset != p->staged_len || p->fails) return TACIT_STORAGE;
    if (p->staged != NULL) {
        ok = stage_bytes(p, data, len);
    } else if (p->view != NULL && p->view->len - p->staged_len >= len &&
               memcmp(p->view->data + p->staged_len, data, len) == 0) {
        p->staged_len += len;
        ok = true;
    } else {
        ok = stage_elsewhere(p, data, len);
    }
    if (!ok) unstage(p);
    return ok ? TACIT_OK : TACIT_STORAGE;
}

static tacit_status model_staged(void *self, const uint8_t **data, size_t *len) {
    const memory_platform *p = self;
    if (!p->staging || (p->view == NULL && p->staged == NULL)) return TACIT_NOT_FOUND;
    *data = p->view != NULL ? p->view->data : p->staged;
    *len = p->staged_len;
    return TACIT_OK;
}

static tacit_status model_commit(void *self) {
    memory_platform *p = self;
    memory_blob *blob = NULL;
    if (p->fails || !p->staging || (p->view == NULL && p->staged == NULL)) return TACIT_STORAGE;
    if (p->view != NULL && p->view->len == p->staged_len) {
        blob = p->view; /* its reference goes to the model */
        p->view = NULL;
    } else {
        size_t len = p->staged_len;
        uint8_t *file = malloc(len ? len : 1); /* exact: a pool keeps it long */
        if (file == NULL) return TACIT_STORAGE;
        memcpy(file, p->view != NULL ? p->view->data : p->staged, len);
        blob = memory_models_take(pool_of(p), file, len);
    }
    unstage(p);
    if (blob == NULL) return TACIT_STORAGE;
    memory_models_release(pool_of(p), p->model);
    p->model = blob;
    return TACIT_OK;
}

/* ---- Keystore, clock, randomness, network ------------------------------------------------------
 */

static uint64_t clock_now(void *self) {
    const memory_platform *p = self;
    return p->options.clock ? p->options.clock(p->options.clock_self) : (uint64_t)time(NULL);
}

static tacit_status random_bytes(void *self, uint8_t *out, size_t len) {
    memory_platform *p = self;
    if (p->prng != NULL)
        tacit_prng_bytes(p->prng, out, len);
    else
        tacit_os_random(out, len);
    return TACIT_OK;
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    const memory_platform *p = self;
    tacit_sign(sig, p->secret_key, msg, len);
    return TACIT_OK;
}

static tacit_status mac(void *self, uint8_t out[32], const uint8_t *msg, size_t len) {
    const memory_platform *p = self;
    tacit_mac(out, p->mac_key, TACIT_LABEL_LEDGER, msg, len);
    return TACIT_OK;
}

static tacit_status counter_read(void *self, uint64_t *value) {
    *value = ((const memory_platform *)self)->counter;
    return TACIT_OK;
}

static tacit_status counter_raise(void *self, uint64_t value) {
    memory_platform *p = self;
    if (p->fails) return TACIT_STORAGE;
    if (value > p->counter) p->counter = value;
    return TACIT_OK;
}

static tacit_status exchange(void *self, tacit_exchange *x) {
    const memory_platform *p = self;
    if (p->options.exchange == NULL) return TACIT_TRANSPORT;
    return p->options.exchange(p->options.network_self, x);
}

static tacit_status wait_seconds(void *self, uint32_t seconds) {
    const memory_platform *p = self;
    if (p->options.wait == NULL) return TACIT_TRANSPORT;
    return p->options.wait(p->options.network_self, seconds);
}

static void progress(void *self, uint32_t phase) {
    const memory_platform *p = self;
    if (p->options.progress != NULL) p->options.progress(p->options.network_self, phase);
}

tacit_platform memory_platform_callbacks(memory_platform *p) {
    return (tacit_platform){.self = p,
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
                            .wait = wait_seconds,
                            .sign = sign,
                            .mac = mac,
                            .counter_read = p->options.no_counter ? NULL : counter_read,
                            .counter_raise = p->options.no_counter ? NULL : counter_raise,
                            .progress = progress};
}

/* ---- Life --------------------------------------------------------------------------------------
 */

/* One derived key: 32 bytes of the seed's stream, or of the operating system. */
static void derive(uint8_t out[TACIT_KEY_LEN], const uint8_t *seed, uint64_t stream) {
    tacit_prng prng;
    if (seed == NULL) {
        tacit_os_random(out, TACIT_KEY_LEN);
        return;
    }
    tacit_prng_init(&prng, seed, stream);
    tacit_prng_bytes(&prng, out, TACIT_KEY_LEN);
    tacit_prng_wipe(&prng);
}

tacit_status memory_platform_new(memory_platform **out, const memory_platform_options *options) {
    uint8_t identity_seed[TACIT_KEY_LEN];
    memory_platform *p = calloc(1, sizeof *p);
    if (p == NULL) return TACIT_NO_SPACE;
    if (options != NULL) p->options = *options;
    const uint8_t *seed = p->options.seed;
    p->options.seed = NULL; /* the caller's memory is not kept */
    if (p->options.models == NULL && (p->own_pool = memory_models_new()) == NULL) goto fail;
    if (seed != NULL) {
        if ((p->prng = malloc(sizeof *p->prng)) == NULL) goto fail;
        tacit_prng_init(p->prng, seed, STREAM_RANDOM);
    }
    derive(identity_seed, seed, STREAM_IDENTITY);
    tacit_sign_keypair(p->public_key, p->secret_key, identity_seed);
    tacit_wipe(identity_seed, sizeof identity_seed);
    derive(p->mac_key, seed, STREAM_MAC);
    *out = p;
    return TACIT_OK;
fail:
    memory_platform_free(p);
    return TACIT_NO_SPACE;
}

void memory_platform_free(memory_platform *p) {
    if (p == NULL) return;
    for (size_t i = 0; i < p->count; i++) entry_free(p->entries[i]);
    free(p->entries);
    if (pool_of(p) != NULL) {
        unstage(p);
        memory_models_release(pool_of(p), p->model);
    }
    memory_models_free(p->own_pool);
    if (p->prng != NULL) tacit_prng_wipe(p->prng);
    free(p->prng);
    tacit_wipe(p, sizeof *p);
    free(p);
}

void memory_platform_connect(memory_platform *p,
                             tacit_status (*network)(void *network_self, tacit_exchange *exchange),
                             tacit_status (*wait)(void *network_self, uint32_t seconds),
                             void *network_self) {
    p->options.exchange = network;
    p->options.wait = wait;
    p->options.network_self = network_self;
}

const uint8_t *memory_platform_identity(const memory_platform *p) { return p->public_key; }

void memory_platform_restart(memory_platform *p) { unstage(p); }

void memory_platform_fail(memory_platform *p, bool commits_fail) { p->fails = commits_fail; }

size_t memory_platform_count(const memory_platform *p) { return p->count; }

size_t memory_platform_len(const memory_platform *p) {
    size_t len = sizeof *p + p->cap * sizeof(entry *) + p->staged_cap +
                 (p->prng != NULL ? sizeof *p->prng : 0);
    for (size_t i = 0; i < p->count; i++)
        len += sizeof(entry) + p->entries[i]->key_len + p->entries[i]->value_len;
    return len + (p->own_pool != NULL ? memory_models_len(p->own_pool) : 0);
}
