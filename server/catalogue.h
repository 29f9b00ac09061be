/* SPDX-License-Identifier: Apache-2.0
 * catalogue.h - the public catalogue: items, titles, kinds and content features.
 *
 * The catalogue file is CSV with the header `item,title,kind,features`: item is the host's key (a
 * decimal number or any string), kind is `product` or `offer`, features are tokens separated by
 * blanks ("genre:Comedy decade:1990"). Rows are sorted by item id on load, so the row number is the
 * model's item index. Titles and features never travel to the server from a device: they are
 * public. */
#ifndef TACIT_SERVER_CATALOGUE_H
#define TACIT_SERVER_CATALOGUE_H

#include <stdio.h>

#include "common/base.h"
#include "server/solve.h"

typedef struct {
    uint64_t id;
    char *key;      /* as in the file */
    char *title;    /* UTF-8 */
    char *features; /* tokens separated by single blanks */
    uint8_t kind;   /* 0 product, 1 offer */
} catalogue_item;

typedef struct {
    catalogue_item *items; /* ascending by id */
    size_t count;
    uint8_t digest[TACIT_HASH_LEN]; /* CATALOGUE hash over the loaded items */
} catalogue;

/* Reads a catalogue file. A bad line is reported to `errors` (may be NULL) as "file:line: what" and
 * skipped, or, when strict, ends the load with BAD_MESSAGE; *bad_count (may be NULL) counts them.
 * IO when the file cannot be read, NOT_FOUND when no good line is in it. */
TACIT_MUST_CHECK tacit_status catalogue_load(catalogue **out, size_t *bad_count, const char *path,
                                             bool strict, FILE *errors);
/* The same from memory; name stands for the file in messages. */
TACIT_MUST_CHECK tacit_status catalogue_parse(catalogue **out, size_t *bad_count, const char *name,
                                              const char *data, size_t len, bool strict,
                                              FILE *errors);
/* Takes items from memory (copied, sorted); BAD_MESSAGE when two have one id. */
TACIT_MUST_CHECK tacit_status catalogue_new(catalogue **out, const catalogue_item *items,
                                            size_t count);
/* Writes the CSV that reads back to the same items. */
void catalogue_print(const catalogue *c, FILE *out);
/* The same into a file, atomically (temporary file, fsync, rename). */
TACIT_MUST_CHECK tacit_status catalogue_save(const catalogue *c, const char *path);
void catalogue_free(catalogue *c);

/* Index of an id, or -1. */
long catalogue_find(const catalogue *c, uint64_t id);

enum { CATALOGUE_FEATURES_MAX = 64, CATALOGUE_TOKEN_MIN_ITEMS = 3 };

/* The feature matrix of algorithm.md: one column per token that at least min_items items carry;
 * when more than CATALOGUE_FEATURES_MAX remain, the leading left singular vectors times singular
 * values of that binary matrix; then a constant column. */
TACIT_MUST_CHECK tacit_status catalogue_features(learn_features **out, const catalogue *c,
                                                 uint32_t min_items);

#endif
