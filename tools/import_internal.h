/* SPDX-License-Identifier: Apache-2.0
 * import_internal.h - what the importers share: the state rows are collected in, parsers that
 * accept a whole field or nothing, and the steps every format goes through. Only tools/import*.c
 * include this. */
#ifndef TACIT_TOOLS_IMPORT_INTERNAL_H
#define TACIT_TOOLS_IMPORT_INTERNAL_H

#include "server/csv_table.h"
#include "tools/dataset.h"

enum { IMPORT_PATH_LEN = 4096 };

typedef struct {
    const dataset_options *options;
    char *note; /* TACIT_NOTE_LEN + 1 */
    dataset_builder *builder;
    catalogue_item *items; /* collected when the source carries its own catalogue */
    size_t item_count, item_cap;
    uint64_t *seen; /* open addressing: index into items + 1 */
    size_t seen_cap;
    bool items_of_events;     /* the catalogue is made of the events' items: untouched ones go */
    const char *const *names; /* column names of the features of a CSV catalogue */
    size_t name_count;
    uint8_t default_kind; /* of an event without a kind */
    size_t no_customer, cancelled, bad_lines;
} import_state;

/* Writes "what 'value'" and returns BAD_MESSAGE. */
tacit_status import_bad(char *note, const char *what, const char *value);
/* The whole field or false. Numbers: decimal digits below 2^64; finite floats within 1e30. Dates:
 * "2010-12-01", "2010-12-01 08:26", "2010-12-01T08:26:00Z", UTC. */
bool import_u64(uint64_t *out, const char *field);
bool import_float(float *out, const char *field);
bool import_date(uint64_t *out, const char *field);

/* Adds an item, copying the strings; *fresh is false and nothing happens when its id was added
 * before. */
tacit_status import_item(import_state *s, bool *fresh, const char *key, const char *title,
                         const char *features, uint8_t kind);
/* The same for catalogue rows: a second one is a bad line. */
tacit_status import_item_once(import_state *s, char *note, const char *key, const char *title,
                              const char *features, uint8_t kind);
/* " decade:1990" behind the tokens from "Toy Story (1995)"; nothing without a year. */
void import_decade(char *tokens, size_t cap, const char *title);

tacit_status import_begin(import_state *s, const dataset_options *options, char *note);
/* Reads one file through `row` (self: the state, or what `self` says when not NULL). */
tacit_status import_table(import_state *s, const char *path, csv_spec spec, void *self);
/* Catalogue (from the items, unless given: it is taken over) and people into a dataset. */
tacit_status import_finish(dataset **out, import_state *s, catalogue *given, const char *path,
                           uint32_t min_items);
void import_end(import_state *s);

/* folder/file as a regular file; path [IMPORT_PATH_LEN]. */
bool import_exists(const char *folder, const char *file, char *path);

tacit_status import_ml100k(dataset **out, char *note, const char *folder,
                           const dataset_options *options);
tacit_status import_ml1m(dataset **out, char *note, const char *folder,
                         const dataset_options *options);
/* file: the invoice lines; folder: names the dataset. */
tacit_status import_retail(dataset **out, char *note, const char *file, const char *folder,
                           const dataset_options *options);

#endif
