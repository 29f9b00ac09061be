/* SPDX-License-Identifier: Apache-2.0
 * dataset.h - a shop and its people in memory: catalogue and events; import, generate, split.
 *
 * On disk a dataset is a folder with catalogue.csv (server/catalogue.h) and interactions.csv with
 * the header `person,item,event,value,time` (time: Unix seconds). Only tools and tests see people's
 * histories like this: the product never collects them. */
#ifndef TACIT_TOOLS_DATASET_H
#define TACIT_TOOLS_DATASET_H

#include <stdio.h>

#include "common/base.h"
#include "firmware/tacit.h"
#include "server/catalogue.h"

typedef struct {
    uint32_t item; /* catalogue index */
    uint8_t kind;  /* tacit_event_kind */
    float value;
    uint64_t time_s;
} dataset_event;

typedef struct {
    char *name; /* "ml-100k", a folder's name, ... for reports */
    catalogue *catalogue;
    size_t person_count;
    char **keys;           /* [person_count] */
    size_t *offsets;       /* [person_count + 1] into events */
    dataset_event *events; /* per person in order of time, ties in file order */
    size_t event_count;
    size_t bad_lines;
    char summary[256]; /* what an importer left out by its documented rules, "" when nothing */
} dataset;

typedef enum {
    DATASET_AUTO,
    DATASET_TACIT,   /* a folder written by import or generate */
    DATASET_ML_100K, /* u.data, u.item */
    DATASET_ML_1M,   /* interactions.csv (user,item), items.csv (iid,title,genres) */
    DATASET_RETAIL   /* online_retail.csv or .csv.gz */
} dataset_format;

typedef struct {
    dataset_format format;
    bool strict;
    FILE *errors; /* where bad lines are reported; may be NULL */
    /* People with fewer distinct items are left out (0: 5 for Retail, else 1). */
    uint32_t min_items;
} dataset_options;

/* Loads any known layout. note (TACIT_NOTE_LEN + 1) says what and where on failure. NOT_FOUND when
 * the folder holds none of them. */
TACIT_MUST_CHECK tacit_status dataset_load(dataset **out, char *note, const char *path,
                                           const dataset_options *options);
void dataset_free(dataset *d);
/* Index of a person, or -1. */
long dataset_find(const dataset *d, const char *key);

/* "view", "click", ... of a tacit_event_kind, and back (0: no such kind). */
const char *dataset_kind_name(uint8_t kind);
uint8_t dataset_kind_of(const char *name);

/* CSV with named columns, as `tacit import --csv` takes it; empty names are absent. */
typedef struct {
    const char *interactions,
        *catalogue; /* paths; catalogue may be NULL: items of the interactions */
    const char *person, *item, *event, *value,
        *time;                           /* column names; event, value, time may be NULL */
    const char *item_key, *title, *kind; /* catalogue columns; title, kind may be NULL */
    const char *features; /* comma-separated column names whose values become tokens, or NULL */
    char separator;
    uint8_t default_kind; /* of events without a kind; 0: view */
} dataset_csv;
TACIT_MUST_CHECK tacit_status dataset_load_csv(dataset **out, char *note, const dataset_csv *csv,
                                               const dataset_options *options);

/* A realistic synthetic shop: long-tailed items with categories, brands, words and prices, people
 * with tastes. Deterministic in the seed. */
typedef struct {
    uint32_t people, items;
    double events_per_person; /* mean, >= 5 */
    uint64_t seed;
} dataset_generate_spec;
TACIT_MUST_CHECK tacit_status dataset_generate(dataset **out, const dataset_generate_spec *spec);

/* Writes catalogue.csv and interactions.csv into an existing folder. */
TACIT_MUST_CHECK tacit_status dataset_save(const dataset *d, const char *folder);

/* Distinct items per person with at least one event other than skip (algorithm: H_u), ascending
 * index, as compressed rows; and a random split of them. */
typedef struct {
    size_t person_count;
    size_t *train_offsets, *test_offsets; /* [person_count + 1] */
    uint32_t *train, *test;               /* item indices, ascending per person */
} dataset_split;

/* test = round(share * H) items of each person at random, in the stream of `seed`. share 0: all in
 * train. */
TACIT_MUST_CHECK tacit_status dataset_split_new(dataset_split **out, const dataset *d, double share,
                                                uint64_t seed);
void dataset_split_free(dataset_split *s);

/* For builders inside tools/: collects events by person key and item id. */
typedef struct dataset_builder dataset_builder;
dataset_builder *dataset_builder_new(void);
TACIT_MUST_CHECK tacit_status dataset_builder_add(dataset_builder *b, const char *person,
                                                  uint64_t item_id, uint8_t kind, float value,
                                                  uint64_t time_s);
/* Takes the catalogue over, also on failure. Events of items that are not in it are counted in
 * *unknown. People with fewer than min_items distinct items are left out; then, with
 * drop_untouched, items that none of the remaining people has an event of. The builder is used up.
 * NOT_FOUND when nobody remains. */
TACIT_MUST_CHECK tacit_status dataset_builder_finish(dataset **out, size_t *unknown,
                                                     dataset_builder *b, catalogue *c,
                                                     const char *name, uint32_t min_items,
                                                     bool drop_untouched);
void dataset_builder_free(dataset_builder *b);

#endif
