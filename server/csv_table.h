/* SPDX-License-Identifier: Apache-2.0
 * csv_table.h - reading CSV files with named columns, over libcsv: quotes, embedded separators,
 * CRLF, gzip. Each bad line is reported with its number, counted, and does not stop the rest unless
 * strict. The catalogue, the interactions and the importers all read through here. */
#ifndef TACIT_SERVER_CSV_TABLE_H
#define TACIT_SERVER_CSV_TABLE_H

#include <stdio.h>

#include "common/base.h"

enum { CSV_MAX_COLUMNS = 32, CSV_MAX_FIELD = 8192 };

typedef struct {
    const char *name;   /* for messages */
    char separator;     /* ',', '\t', '|', ... */
    bool header;        /* the first row names the columns */
    bool latin1;        /* convert fields from Latin-1 to UTF-8 */
    bool quotes;        /* "..." quoting is understood */
    bool strict;        /* the first bad line ends the read with BAD_MESSAGE */
    size_t error_limit; /* bad lines printed at most (0: 20); all are counted */
    FILE *errors;       /* may be NULL */
    /* Wanted columns by name (header) or, without a header, by position; the row callback gets them
     * in this order. A name ending in '?' is optional: "" when absent. */
    const char *columns[CSV_MAX_COLUMNS];
    size_t column_count;
    /* OK, or BAD_MESSAGE with a reason in note (TACIT_NOTE_LEN + 1 bytes): the line is bad. Any
     * other status ends the read. Fields are zero-terminated UTF-8, valid during the call. */
    tacit_status (*row)(void *self, char *note, const char *const *fields, size_t line);
    void *self;
} csv_spec;

typedef struct {
    size_t lines; /* data lines seen */
    size_t bad;
} csv_result;

/* Reads a file, plain or gzip. NOT_FOUND when it does not exist, IO, BAD_MESSAGE (strict, or a
 * required column is missing), or what `row` returned. result may be NULL. */
TACIT_MUST_CHECK tacit_status csv_read(const csv_spec *spec, csv_result *result, const char *path);
/* The same over memory, for tests and fuzzing. */
TACIT_MUST_CHECK tacit_status csv_read_memory(const csv_spec *spec, csv_result *result,
                                              const char *data, size_t len);

/* Writes one field, quoted where needed. */
void csv_write_field(FILE *out, const char *field);

#endif
