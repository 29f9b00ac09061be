/* SPDX-License-Identifier: Apache-2.0
 * dataset.c - the builder every source feeds, saving, and the split. */
#include "tools/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/prng.h"
#include "server/csv_table.h"

typedef struct {
    uint32_t person;
    uint64_t item_id;
    dataset_event event;
    size_t order;
} raw_event;

struct dataset_builder {
    raw_event *events;
    size_t count, cap;
    char **keys;
    size_t key_count, key_cap;
    uint32_t *table; /* open addressing: person index + 1 */
    size_t table_cap;
};

static uint64_t hash_key(const char *s) {
    uint64_t h = UINT64_C(1469598103934665603);
    for (; *s; s++) h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static bool grow(void **p, size_t *cap, size_t need, size_t size) {
    if (need <= *cap) return true;
    size_t want = *cap ? *cap * 2 : 1024;
    while (want < need) want *= 2;
    void *grown = realloc(*p, want * size);
    if (grown == NULL) return false;
    *p = grown;
    *cap = want;
    return true;
}

dataset_builder *dataset_builder_new(void) { return calloc(1, sizeof(dataset_builder)); }

void dataset_builder_free(dataset_builder *b) {
    if (b == NULL) return;
    for (size_t i = 0; i < b->key_count; i++) free(b->keys[i]);
    free(b->keys);
    free(b->table);
    free(b->events);
    free(b);
}

static bool rehash(dataset_builder *b) {
    size_t cap = b->table_cap ? b->table_cap * 2 : 4096;
    uint32_t *table = calloc(cap, sizeof *table);
    if (table == NULL) return false;
    for (size_t i = 0; i < b->key_count; i++) {
        size_t at = hash_key(b->keys[i]) & (cap - 1);
        while (table[at]) at = (at + 1) & (cap - 1);
        table[at] = (uint32_t)i + 1;
    }
    free(b->table);
    b->table = table;
    b->table_cap = cap;
    return true;
}

static tacit_status person_index(dataset_builder *b, uint32_t *out, const char *key) {
    if (b->key_count * 2 >= b->table_cap && !rehash(b)) return TACIT_NO_SPACE;
    size_t at = hash_key(key) & (b->table_cap - 1);
    for (; b->table[at]; at = (at + 1) & (b->table_cap - 1))
        if (strcmp(b->keys[b->table[at] - 1], key) == 0) {
            *out = b->table[at] - 1;
            return TACIT_OK;
        }
    if (!grow((void **)&b->keys, &b->key_cap, b->key_count + 1, sizeof *b->keys))
        return TACIT_NO_SPACE;
    char *copy = strdup(key);
    if (copy == NULL) return TACIT_NO_SPACE;
    b->keys[b->key_count++] = copy;
    b->table[at] = (uint32_t)b->key_count;
    *out = (uint32_t)b->key_count - 1;
    return TACIT_OK;
}

tacit_status dataset_builder_add(dataset_builder *b, const char *person, uint64_t item_id,
                                 uint8_t kind, float value, uint64_t time_s) {
    uint32_t p;
    tacit_status st = person_index(b, &p, person);
    if (st != TACIT_OK) return st;
    if (!grow((void **)&b->events, &b->cap, b->count + 1, sizeof *b->events)) return TACIT_NO_SPACE;
    b->events[b->count] =
        (raw_event){p, item_id, {.kind = kind, .value = value, .time_s = time_s}, b->count};
    b->count++;
    return TACIT_OK;
}

static int by_person_time(const void *a, const void *b) {
    const raw_event *x = a, *y = b;
    if (x->person != y->person) return x->person < y->person ? -1 : 1;
    if (x->event.time_s != y->event.time_s) return x->event.time_s < y->event.time_s ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Distinct items with an event other than skip, ascending, into out; returns how many. */
static size_t distinct_items(uint32_t *out, const dataset_event *events, size_t count) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        if (events[i].kind != TACIT_EVENT_SKIP) out[n++] = events[i].item;
    if (n > 0) qsort(out, n, sizeof *out, by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || out[kept - 1] != out[i]) out[kept++] = out[i];
    return kept;
}

static tacit_status allocate(dataset *d, const dataset_builder *b, const char *name) {
    d->name = strdup(name);
    d->keys = calloc(b->key_count ? b->key_count : 1, sizeof *d->keys);
    d->offsets = calloc(b->key_count + 1, sizeof *d->offsets);
    d->events = malloc((b->count ? b->count : 1) * sizeof *d->events);
    return d->name && d->keys && d->offsets && d->events ? TACIT_OK : TACIT_NO_SPACE;
}

/* Takes items without events out of the catalogue and renumbers the events. */
static tacit_status drop_items(dataset *d) {
    catalogue *before = d->catalogue, *after = NULL;
    size_t count = 0;
    uint32_t *place = calloc(before->count + 1, sizeof *place);
    catalogue_item *kept = malloc((before->count + 1) * sizeof *kept);
    tacit_status st = place && kept ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        for (size_t i = 0; i < d->event_count; i++) place[d->events[i].item] = 1;
        for (size_t i = 0; i < before->count; i++) {
            if (place[i] == 0) continue;
            place[i] = (uint32_t)count;
            kept[count++] = before->items[i];
        }
        st = catalogue_new(&after, kept, count);
    }
    if (st == TACIT_OK) {
        for (size_t i = 0; i < d->event_count; i++) d->events[i].item = place[d->events[i].item];
        catalogue_free(before);
        d->catalogue = after;
    }
    free(place);
    free(kept);
    return st;
}

tacit_status dataset_builder_finish(dataset **out, size_t *unknown, dataset_builder *b,
                                    catalogue *c, const char *name, uint32_t min_items,
                                    bool drop_untouched) {
    dataset *d = calloc(1, sizeof *d);
    uint32_t *items = malloc((b->count ? b->count : 1) * sizeof *items);
    tacit_status st = d && items ? allocate(d, b, name) : TACIT_NO_SPACE;
    if (d != NULL) d->catalogue = c;
    *unknown = 0;
    if (st == TACIT_OK && b->count > 0)
        qsort(b->events, b->count, sizeof *b->events, by_person_time);
    for (size_t i = 0, j; i < b->count && st == TACIT_OK; i = j) {
        uint32_t person = b->events[i].person;
        size_t from = d->event_count;
        for (j = i; j < b->count && b->events[j].person == person; j++) {
            long at = catalogue_find(c, b->events[j].item_id);
            if (at < 0) {
                (*unknown)++;
                continue;
            }
            d->events[d->event_count] = b->events[j].event;
            d->events[d->event_count++].item = (uint32_t)at;
        }
        if (distinct_items(items, d->events + from, d->event_count - from) < min_items) {
            d->event_count = from;
            continue;
        }
        d->keys[d->person_count++] = b->keys[person];
        b->keys[person] = NULL;
        d->offsets[d->person_count] = d->event_count;
    }
    free(items);
    if (st == TACIT_OK && d->person_count == 0) st = TACIT_NOT_FOUND;
    if (st == TACIT_OK && drop_untouched) st = drop_items(d);
    if (st == TACIT_OK)
        *out = d;
    else if (d != NULL)
        dataset_free(d);
    else
        catalogue_free(c);
    return st;
}

void dataset_free(dataset *d) {
    if (d == NULL) return;
    for (size_t i = 0; i < d->person_count; i++) free(d->keys[i]);
    catalogue_free(d->catalogue);
    free(d->keys);
    free(d->offsets);
    free(d->events);
    free(d->name);
    free(d);
}

long dataset_find(const dataset *d, const char *key) {
    for (size_t p = 0; p < d->person_count; p++)
        if (strcmp(d->keys[p], key) == 0) return (long)p;
    return -1;
}

tacit_status dataset_save(const dataset *d, const char *folder) {
    char path[4096], temporary[4096 + 8];
    if (strlen(folder) + sizeof "/interactions.csv" > sizeof path) return TACIT_INVALID_ARGUMENT;
    snprintf(path, sizeof path, "%s/catalogue.csv", folder);
    tacit_status st = catalogue_save(d->catalogue, path);
    if (st != TACIT_OK) return st;
    snprintf(path, sizeof path, "%s/interactions.csv", folder);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *f = fopen(temporary, "w");
    if (f == NULL) return TACIT_IO;
    fputs("person,item,event,value,time\n", f);
    for (size_t p = 0; p < d->person_count; p++)
        for (size_t i = d->offsets[p]; i < d->offsets[p + 1]; i++) {
            const dataset_event *e = &d->events[i];
            csv_write_field(f, d->keys[p]);
            fputc(',', f);
            csv_write_field(f, d->catalogue->items[e->item].key);
            fprintf(f, ",%s,%.9g,%llu\n", dataset_kind_name(e->kind), (double)e->value,
                    (unsigned long long)e->time_s);
        }
    bool ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
    ok = fclose(f) == 0 && ok;
    if (ok && rename(temporary, path) == 0) return TACIT_OK;
    unlink(temporary);
    return TACIT_IO;
}

/* ---- Split -------------------------------------------------------------------------------------
 */

void dataset_split_free(dataset_split *s) {
    if (s == NULL) return;
    free(s->train_offsets);
    free(s->test_offsets);
    free(s->train);
    free(s->test);
    free(s);
}

/* Moves `take` random items of items[count] to its end (partial Fisher-Yates), both parts sorted.
 */
static void draw_test(uint32_t *items, size_t count, size_t take, tacit_prng *prng) {
    for (size_t i = 0; i < take; i++) {
        size_t last = count - 1 - i;
        size_t j = tacit_prng_below(prng, (uint32_t)(last + 1));
        uint32_t t = items[last];
        items[last] = items[j];
        items[j] = t;
    }
    if (count > take) qsort(items, count - take, sizeof *items, by_number);
    if (take > 0) qsort(items + count - take, take, sizeof *items, by_number);
}

tacit_status dataset_split_new(dataset_split **out, const dataset *d, double share, uint64_t seed) {
    assert(share >= 0 && share <= 1);
    dataset_split *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    s->person_count = d->person_count;
    s->train_offsets = calloc(d->person_count + 1, sizeof *s->train_offsets);
    s->test_offsets = calloc(d->person_count + 1, sizeof *s->test_offsets);
    s->train = malloc((d->event_count ? d->event_count : 1) * sizeof *s->train);
    s->test = malloc((d->event_count ? d->event_count : 1) * sizeof *s->test);
    uint32_t *items = calloc(d->event_count ? d->event_count : 1, sizeof *items);
    if (!s->train_offsets || !s->test_offsets || !s->train || !s->test || !items) {
        free(items);
        dataset_split_free(s);
        return TACIT_NO_SPACE;
    }
    tacit_prng prng;
    tacit_prng_init_seed(&prng, seed, 1);
    for (size_t p = 0; p < d->person_count; p++) {
        size_t from = d->offsets[p];
        size_t count = distinct_items(items, d->events + from, d->offsets[p + 1] - from);
        size_t take = (size_t)lround(share * (double)count);
        draw_test(items, count, take, &prng);
        memcpy(s->train + s->train_offsets[p], items, (count - take) * sizeof *items);
        memcpy(s->test + s->test_offsets[p], items + count - take, take * sizeof *items);
        s->train_offsets[p + 1] = s->train_offsets[p] + count - take;
        s->test_offsets[p + 1] = s->test_offsets[p] + take;
    }
    free(items);
    *out = s;
    return TACIT_OK;
}
