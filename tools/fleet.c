/* SPDX-License-Identifier: Apache-2.0
 * fleet.c - see fleet.h. */
#include "tools/fleet.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cert.h"
#include "common/crypto.h"
#include "common/prng.h"
#include "firmware/port/posix.h"
#include "tools/memory_platform.h"
#include "tools/quality.h"

enum { STACK_LEN = 512 * 1024, STAYS = FLEET_STAGES - 1 };

typedef struct {
    fleet *fleet;
    uint32_t index;
    tacit *library;
    void *workspace;
    memory_platform *memory; /* one of these two */
    tacit_posix *posix;
    tacit_https *connection; /* with memory and HTTPS */
    tacit_platform platform;
    tacit_platform base; /* the POSIX platform below it */
    uint8_t certificate[TACIT_CERT_LEN];
    /* of the round in flight */
    uint32_t vanish;
    tacit_status status;
    tacit_receipt receipt;
    double cpu_s;
} device;

struct fleet {
    fleet_spec spec;
    memory_models *models;
    device *devices;
    uint32_t opened;
};

/* ---- Network with vanishing --------------------------------------------------------------------
 */

/* Phase of a request path, STAYS for anything but the five. */
static uint32_t stage_of(const tacit_exchange *x) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    const char *last = strrchr(x->path, '/');
    if (strcmp(x->method, "POST") != 0 || last == NULL) return STAYS;
    for (uint32_t i = 0; i < STAYS; i++)
        if (strcmp(last + 1, names[i]) == 0) return i;
    return STAYS;
}

static tacit_status device_exchange(void *self, tacit_exchange *x) {
    device *d = self;
    uint32_t stage = stage_of(x);
    tacit_https *c = d->posix != NULL ? tacit_posix_connection(d->posix) : d->connection;
    if (stage != STAYS && stage >= d->vanish) {
        if (c != NULL) tacit_https_drop(c);
        return TACIT_TRANSPORT;
    }
    if (d->fleet->spec.exchange != NULL) return d->fleet->spec.exchange(d->fleet->spec.hub, x);
    return tacit_https_exchange(c, x);
}

static tacit_status device_wait(void *self, uint32_t seconds) {
    (void)self;
    struct timespec t = {.tv_sec = seconds};
    nanosleep(&t, NULL);
    return TACIT_OK;
}

/* With stores on disk the POSIX platform does everything but the network, which may vanish; its
 * callbacks get the device and pass its platform on. */
#define POSIX_CALL(name, parameters, arguments)            \
    static tacit_status posix_##name parameters {          \
        const tacit_platform *p = &((device *)self)->base; \
        return p->name arguments;                          \
    }
POSIX_CALL(random, (void *self, uint8_t *out, size_t len), (p->self, out, len))
POSIX_CALL(storage_get,
           (void *self, uint8_t *value, size_t cap, size_t *len, const uint8_t *key,
            size_t key_len),
           (p->self, value, cap, len, key, key_len))
POSIX_CALL(storage_commit, (void *self, const tacit_write *writes, size_t write_count),
           (p->self, writes, write_count))
POSIX_CALL(storage_scan,
           (void *self, const uint8_t *prefix, size_t prefix_len,
            tacit_status (*visit)(void *visit_self, const uint8_t *key, size_t key_len,
                                  const uint8_t *value, size_t value_len),
            void *visit_self),
           (p->self, prefix, prefix_len, visit, visit_self))
POSIX_CALL(model_map, (void *self, const uint8_t **data, size_t *len), (p->self, data, len))
POSIX_CALL(model_write, (void *self, size_t offset, const uint8_t *data, size_t len),
           (p->self, offset, data, len))
POSIX_CALL(model_staged, (void *self, const uint8_t **data, size_t *len), (p->self, data, len))
POSIX_CALL(model_commit, (void *self), (p->self))
POSIX_CALL(sign, (void *self, uint8_t sig[64], const uint8_t *msg, size_t len),
           (p->self, sig, msg, len))
POSIX_CALL(mac, (void *self, uint8_t out[32], const uint8_t *msg, size_t len),
           (p->self, out, msg, len))
POSIX_CALL(counter_read, (void *self, uint64_t *value), (p->self, value))
POSIX_CALL(counter_raise, (void *self, uint64_t value), (p->self, value))

static uint64_t posix_clock(void *self) {
    const tacit_platform *p = &((device *)self)->base;
    return p->clock(p->self);
}

static void wrap_posix(device *d) {
    tacit_posix_platform(d->posix, &d->base);
    d->platform = (tacit_platform){.self = d,
                                   .clock = posix_clock,
                                   .random = posix_random,
                                   .storage_get = posix_storage_get,
                                   .storage_commit = posix_storage_commit,
                                   .storage_scan = posix_storage_scan,
                                   .model_map = posix_model_map,
                                   .model_write = posix_model_write,
                                   .model_staged = posix_model_staged,
                                   .model_commit = posix_model_commit,
                                   .exchange = device_exchange,
                                   .wait = device_wait,
                                   .sign = posix_sign,
                                   .mac = posix_mac,
                                   .counter_read = posix_counter_read,
                                   .counter_raise = posix_counter_raise};
}

/* ---- One device --------------------------------------------------------------------------------
 */

static tacit_status open_posix(device *d) {
    const fleet_spec *s = &d->fleet->spec;
    char store[4096], keystore[4096];
    int a = snprintf(store, sizeof store, "%s/%u", s->stores, d->index);
    int b = snprintf(keystore, sizeof keystore, "%s/%u.keys", s->stores, d->index);
    if (a < 0 || b < 0 || (size_t)a >= sizeof store || (size_t)b >= sizeof keystore)
        return TACIT_INVALID_ARGUMENT;
    tacit_posix_config config = {.store_folder = store,
                                 .keystore_folder = keystore,
                                 .host = s->exchange ? NULL : s->host,
                                 .port = s->port,
                                 .trust = s->trust};
    return tacit_posix_open(&d->posix, &config);
}

static tacit_status open_platform(device *d, uint8_t identity[TACIT_KEY_LEN]) {
    const fleet_spec *s = &d->fleet->spec;
    tacit_status st;
    if (s->stores != NULL) {
        st = open_posix(d);
        if (st != TACIT_OK) return st;
        tacit_posix_identity(d->posix, identity);
        wrap_posix(d);
        return TACIT_OK;
    }
    memory_platform_options options = {.models = d->fleet->models,
                                       .exchange = device_exchange,
                                       .wait = device_wait,
                                       .network_self = d};
    st = memory_platform_new(&d->memory, &options);
    if (st != TACIT_OK) return st;
    d->platform = memory_platform_callbacks(d->memory);
    memcpy(identity, memory_platform_identity(d->memory), TACIT_KEY_LEN);
    if (s->exchange == NULL) st = tacit_https_new(&d->connection, s->trust, s->host, s->port, 0);
    return st;
}

static void certify(device *d, const uint8_t identity[TACIT_KEY_LEN]) {
    tacit_cert cert = {.epoch = 1,
                       .not_after_s = (uint64_t)time(NULL) + 86400 * 30,
                       .device_class = TACIT_CLASS_ACCOUNT};
    memcpy(cert.device_key, identity, TACIT_KEY_LEN);
    tacit_cert_issue(d->certificate, &cert, d->fleet->spec.authority->secret);
}

static tacit_options options_of(const device *d) {
    const fleet_spec *s = &d->fleet->spec;
    size_t items = s->data->catalogue->count;
    tacit_options o = {
        .certificate = d->certificate,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .period_s = 86400 * 30,
        .max_items = (uint32_t)items,
        .max_factor = s->max_factor,
        .max_history = items < TACIT_MAX_HISTORY ? (uint32_t)items : TACIT_MAX_HISTORY,
        .max_dims = s->max_dims,
        .max_cohort = s->device_count};
    memcpy(o.plan_key, s->pins->plan_key, TACIT_KEY_LEN);
    memcpy(o.model_key, s->pins->model_key, TACIT_KEY_LEN);
    memcpy(o.authority_key, s->pins->authority_key, TACIT_KEY_LEN);
    /* A product takes this from its keystore; here one key per device index will do. */
    tacit_put_u32(o.history_key, d->index + 1);
    return o;
}

/* The person's training items, in the order they stand, as one event each. */
static tacit_status record_history(device *d) {
    const fleet_spec *s = &d->fleet->spec;
    const uint32_t *items = s->split->train + s->split->train_offsets[d->index];
    size_t count = s->split->train_offsets[d->index + 1] - s->split->train_offsets[d->index];
    tacit_event batch[64];
    if (tacit_history_count(d->library) > 0) return TACIT_OK; /* a store on disk from before */
    for (size_t from = 0; from < count; from += 64) {
        size_t n = count - from < 64 ? count - from : 64;
        for (size_t i = 0; i < n; i++)
            batch[i] = (tacit_event){.item = s->data->catalogue->items[items[from + i]].id,
                                     .kind = TACIT_EVENT_PURCHASE};
        tacit_status st = tacit_record_many(d->library, batch, n);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

static tacit_status device_open(device *d) {
    uint8_t identity[TACIT_KEY_LEN];
    tacit_status st = open_platform(d, identity);
    if (st != TACIT_OK) return st;
    certify(d, identity);
    tacit_options options = options_of(d);
    size_t len = tacit_workspace_len(&options);
    if (len == 0) return TACIT_INVALID_ARGUMENT;
    d->workspace = aligned_alloc(16, (len + 15) / 16 * 16);
    if (d->workspace == NULL) return TACIT_NO_SPACE;
    st = tacit_open(&d->library, d->workspace, len, &options, &d->platform);
    if (st == TACIT_OK) st = record_history(d);
    if (st == TACIT_OK) st = tacit_consent_set(d->library, true);
    return st;
}

static void device_close(device *d) {
    tacit_close(d->library);
    free(d->workspace);
    memory_platform_free(d->memory);
    tacit_posix_close(d->posix);
    tacit_https_free(d->connection);
}

/* ---- The fleet ---------------------------------------------------------------------------------
 */

static tacit_status open_some(void *self, uint32_t thread, size_t from, size_t to) {
    fleet *f = self;
    (void)thread;
    for (size_t i = from; i < to; i++) {
        tacit_status st = device_open(&f->devices[i]);
        if (st != TACIT_OK) return f->devices[i].status = st;
    }
    return TACIT_OK;
}

tacit_status fleet_new(fleet **out, char *note, const fleet_spec *spec) {
    fleet *f = calloc(1, sizeof *f);
    note[0] = 0;
    if (f == NULL) return TACIT_NO_SPACE;
    f->spec = *spec;
    f->models = memory_models_new();
    f->devices = calloc(spec->device_count, sizeof *f->devices);
    tacit_status st = f->models && f->devices ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK && spec->stores != NULL) (void)mkdir(spec->stores, 0700);
    for (uint32_t i = 0; st == TACIT_OK && i < spec->device_count; i++) {
        f->devices[i].fleet = f;
        f->devices[i].index = i;
    }
    if (st == TACIT_OK)
        st = parallel_for(spec->device_count, 4, spec->threads, open_some, f, "devices");
    if (st == TACIT_OK) {
        *out = f;
        return TACIT_OK;
    }
    for (uint32_t i = 0; f->devices != NULL && i < spec->device_count; i++)
        if (f->devices[i].status != TACIT_OK)
            snprintf(note, TACIT_NOTE_LEN + 1, "device %u: %s", i,
                     tacit_status_text(f->devices[i].status));
    fleet_free(f);
    return st;
}

void fleet_free(fleet *f) {
    if (f == NULL) return;
    for (uint32_t i = 0; f->devices != NULL && i < f->spec.device_count; i++)
        device_close(&f->devices[i]);
    free(f->devices);
    memory_models_free(f->models);
    free(f);
}

tacit *fleet_device(fleet *f, uint32_t index) { return f->devices[index].library; }

/* ---- A round -----------------------------------------------------------------------------------
 */

static double thread_cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *contribute(void *arg) {
    device *d = arg;
    double start = thread_cpu_s();
    d->status = tacit_contribute(d->library, &d->receipt);
    d->cpu_s = thread_cpu_s() - start;
    return NULL;
}

static void draw_dropouts(fleet *f, fleet_round_result *r, uint64_t round) {
    tacit_prng prng;
    tacit_prng_init_seed(&prng, f->spec.seed, round);
    for (uint32_t i = 0; i < f->spec.device_count; i++) {
        bool vanishes = tacit_prng_unit(&prng) < f->spec.dropout;
        uint32_t stage = tacit_prng_below(&prng, STAYS);
        f->devices[i].vanish = vanishes ? stage : STAYS;
        r->vanished[f->devices[i].vanish]++;
    }
}

static void count_device(fleet_round_result *r, const device *d) {
    if (d->status == TACIT_OK) {
        if (r->succeeded > 0 && memcmp(r->sum_digest, d->receipt.sum_digest, 32) != 0)
            r->receipts_differ = true;
        memcpy(r->sum_digest, d->receipt.sum_digest, 32);
        r->survivors = d->receipt.survivors;
        r->succeeded++;
        r->bytes_up += (double)d->receipt.bytes_up;
        r->bytes_down += (double)d->receipt.bytes_down;
        if (d->receipt.epsilon_spent > r->epsilon_spent)
            r->epsilon_spent = d->receipt.epsilon_spent;
        r->cpu_s += d->cpu_s;
    } else if (d->vanish == STAYS) {
        if (r->failed++ == 0) r->first_failure = d->status;
    }
}

tacit_status fleet_round(fleet *f, fleet_round_result *r, uint64_t round) {
    uint32_t n = f->spec.device_count;
    pthread_t *threads = calloc(n, sizeof *threads);
    bool *started = calloc(n, sizeof *started);
    pthread_attr_t attributes;
    memset(r, 0, sizeof *r);
    r->device_count = n;
    tacit_status st = threads && started ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        draw_dropouts(f, r, round);
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK_LEN);
        for (uint32_t i = 0; i < n; i++) {
            started[i] = pthread_create(&threads[i], &attributes, contribute, &f->devices[i]) == 0;
            if (!started[i]) f->devices[i].status = TACIT_NO_SPACE;
        }
        for (uint32_t i = 0; i < n; i++)
            if (started[i]) pthread_join(threads[i], NULL);
        pthread_attr_destroy(&attributes);
        for (uint32_t i = 0; i < n; i++) count_device(r, &f->devices[i]);
    }
    if (r->succeeded > 0) {
        r->bytes_up /= r->succeeded;
        r->bytes_down /= r->succeeded;
        r->cpu_s /= r->succeeded;
    }
    free(threads);
    free(started);
    return st;
}

/* ---- Outside rounds ----------------------------------------------------------------------------
 */

static tacit_status sync_some(void *self, uint32_t thread, size_t from, size_t to) {
    fleet *f = self;
    (void)thread;
    for (size_t i = from; i < to; i++) {
        f->devices[i].vanish = STAYS;
        tacit_status st = tacit_sync(f->devices[i].library);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

tacit_status fleet_sync(fleet *f) {
    /* The first one alone, so that the others share the file it brought. */
    tacit_status st = sync_some(f, 0, 0, 1);
    if (st != TACIT_OK) return st;
    return parallel_for(f->spec.device_count, 8, f->spec.threads, sync_some, f, "models");
}

typedef struct {
    fleet *fleet;
    size_t n;
    metrics_tally *tallies;
} quality_job;

static tacit_status rank_some(void *self, uint32_t thread, size_t from, size_t to) {
    quality_job *job = self;
    const fleet_spec *s = &job->fleet->spec;
    for (size_t p = from; p < to; p++) {
        tacit_scored list[METRICS_MAX_N];
        uint32_t items[METRICS_MAX_N];
        size_t count;
        tacit_status st =
            tacit_recommend(job->fleet->devices[p].library, list, &count, job->n, NULL);
        if (st != TACIT_OK) return st;
        for (size_t i = 0; i < count; i++)
            items[i] = (uint32_t)catalogue_find(s->data->catalogue, list[i].item);
        metrics_add(&job->tallies[thread], items, count, s->split->test + s->split->test_offsets[p],
                    s->split->test_offsets[p + 1] - s->split->test_offsets[p]);
    }
    return TACIT_OK;
}

tacit_status fleet_quality(fleet *f, metrics *out, size_t n) {
    uint32_t threads = f->spec.threads;
    quality_job job = {.fleet = f, .n = n, .tallies = calloc(threads, sizeof(metrics_tally))};
    if (job.tallies == NULL) return TACIT_NO_SPACE;
    assert(n <= METRICS_MAX_N);
    tacit_status st = TACIT_OK;
    for (uint32_t t = 0; t < threads && st == TACIT_OK; t++)
        if (metrics_begin(&job.tallies[t], n, f->spec.data->catalogue->count) != 0)
            st = TACIT_NO_SPACE;
    if (st == TACIT_OK) st = parallel_for(f->spec.device_count, 8, threads, rank_some, &job, NULL);
    for (uint32_t t = 1; t < threads && st == TACIT_OK; t++)
        metrics_merge(&job.tallies[0], &job.tallies[t]);
    if (st == TACIT_OK) *out = metrics_end(&job.tallies[0]);
    for (uint32_t t = 0; t < threads; t++) free(job.tallies[t].shown);
    free(job.tallies);
    return st;
}
