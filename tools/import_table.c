/* SPDX-License-Identifier: Apache-2.0
 * import_table.c - the steps every importer goes through: parse fields, collect items, read tables,
 * finish. A line that breaks its format is reported with its number and counted (csv_table.h); a
 * line left out by a documented rule is counted in the summary. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/item.h"
#include "tools/import_internal.h"

tacit_status import_bad(char *note, const char *what, const char *value) {
    snprintf(note, TACIT_NOTE_LEN + 1, "%s '%.60s'", what, value);
    return TACIT_BAD_MESSAGE;
}

bool import_u64(uint64_t *out, const char *field) {
    char *end;
    if (!isdigit((unsigned char)field[0])) return false;
    errno = 0;
    *out = strtoull(field, &end, 10);
    return *end == 0 && errno == 0;
}

bool import_float(float *out, const char *field) {
    char *end;
    if (field[0] == 0) return false;
    double v = strtod(field, &end);
    if (*end != 0 || !(v > -1e30 && v < 1e30)) return false;
    *out = (float)v;
    return true;
}

/* Exactly `digits` digits at *at, which moves on. */
static bool take_digits(int *out, const char **at, int digits) {
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at)) return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, char c) {
    if (**at != c) return false;
    (*at)++;
    return true;
}

bool import_date(uint64_t *out, const char *field) {
    struct tm tm = {0}, back;
    int year, month, day, hour = 0, minute = 0, second = 0;
    const char *at = field;
    if (!take_digits(&year, &at, 4) || !take(&at, '-') || !take_digits(&month, &at, 2) ||
        !take(&at, '-') || !take_digits(&day, &at, 2))
        return false;
    if (*at != 0) {
        if (!take(&at, ' ') && !take(&at, 'T')) return false;
        if (!take_digits(&hour, &at, 2) || !take(&at, ':') || !take_digits(&minute, &at, 2))
            return false;
        if (take(&at, ':') && !take_digits(&second, &at, 2)) return false;
        take(&at, 'Z');
    }
    if (*at != 0 || hour > 23 || minute > 59 || second > 60) return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    time_t t = timegm(&tm);
    /* timegm carries the 31st of June over into July: the way back shows it. */
    if (t < 0 || gmtime_r(&t, &back) == NULL) return false;
    *out = (uint64_t)t;
    return second == 60 || (back.tm_mon == month - 1 && back.tm_mday == day);
}

/* ---- Items -------------------------------------------------------------------------------------
 */

static size_t slot_of(const import_state *s, uint64_t id) {
    size_t at = (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (s->seen_cap - 1);
    while (s->seen[at] != 0 && s->items[s->seen[at] - 1].id != id)
        at = (at + 1) & (s->seen_cap - 1);
    return at;
}

static bool reserve(import_state *s) {
    if (s->item_count < s->item_cap) return true;
    size_t cap = s->item_cap ? s->item_cap * 2 : 1024;
    catalogue_item *items = realloc(s->items, cap * sizeof *items);
    if (items == NULL) return false;
    s->items = items;
    s->item_cap = cap;
    uint64_t *seen = calloc(cap * 2, sizeof *seen);
    if (seen == NULL) return false;
    free(s->seen);
    s->seen = seen;
    s->seen_cap = cap * 2;
    for (size_t i = 0; i < s->item_count; i++) s->seen[slot_of(s, s->items[i].id)] = i + 1;
    return true;
}

tacit_status import_item(import_state *s, bool *fresh, const char *key, const char *title,
                         const char *features, uint8_t kind) {
    if (!reserve(s)) return TACIT_NO_SPACE;
    catalogue_item it = {.id = tacit_item_id(key), .kind = kind};
    size_t at = slot_of(s, it.id);
    *fresh = s->seen[at] == 0;
    if (!*fresh) return TACIT_OK;
    if (s->item_count == TACIT_MAX_ITEMS) return TACIT_TOO_LARGE;
    it.key = strdup(key);
    it.title = strdup(title);
    it.features = strdup(features);
    s->items[s->item_count++] = it;
    s->seen[at] = s->item_count;
    return it.key && it.title && it.features ? TACIT_OK : TACIT_NO_SPACE;
}

tacit_status import_item_once(import_state *s, char *note, const char *key, const char *title,
                              const char *features, uint8_t kind) {
    bool fresh;
    tacit_status st = import_item(s, &fresh, key, title, features, kind);
    return st != TACIT_OK || fresh ? st : import_bad(note, "this item stands twice:", key);
}

void import_decade(char *tokens, size_t cap, const char *title) {
    const char *open = strrchr(title, '(');
    int year = 0;
    if (open == NULL) return;
    open++;
    if (!take_digits(&year, &open, 4) || year < 1800 || year > 2200) return;
    size_t at = strlen(tokens);
    snprintf(tokens + at, cap - at, "%sdecade:%d", at ? " " : "", year / 10 * 10);
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

tacit_status import_begin(import_state *s, const dataset_options *options, char *note) {
    *s = (import_state){.options = options, .note = note, .default_kind = TACIT_EVENT_VIEW};
    s->builder = dataset_builder_new();
    return s->builder != NULL ? TACIT_OK : TACIT_NO_SPACE;
}

void import_end(import_state *s) {
    for (size_t i = 0; i < s->item_count; i++) {
        free(s->items[i].key);
        free(s->items[i].title);
        free(s->items[i].features);
    }
    free(s->items);
    free(s->seen);
    dataset_builder_free(s->builder);
}

tacit_status import_table(import_state *s, const char *path, csv_spec spec, void *self) {
    csv_result result = {0, 0};
    spec.name = path;
    spec.strict = s->options->strict;
    spec.errors = s->options->errors;
    spec.self = self != NULL ? self : s;
    tacit_status st = csv_read(&spec, &result, path);
    s->bad_lines += result.bad;
    if (st == TACIT_OK) return st;
    const char *why = tacit_status_text(st);
    if (st == TACIT_NOT_FOUND) why = "no such file";
    if (st == TACIT_BAD_MESSAGE) why = "a bad line, or a column is missing";
    if (st == TACIT_TRUNCATED) why = "the line that names the columns is missing";
    snprintf(s->note, TACIT_NOTE_LEN + 1, "%.70s: %s", path, why);
    return st;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const catalogue_item *)a)->id, y = ((const catalogue_item *)b)->id;
    return x < y ? -1 : x > y;
}

tacit_status import_finish(dataset **out, import_state *s, catalogue *given, const char *path,
                           uint32_t min_items) {
    size_t unknown = 0;
    const char *name = strrchr(path, '/');
    catalogue *c = given;
    if (c == NULL) {
        if (s->item_count > 0) qsort(s->items, s->item_count, sizeof *s->items, by_id);
        if (s->seen != NULL) memset(s->seen, 0, s->seen_cap * sizeof *s->seen); /* order changed */
        tacit_status st = catalogue_new(&c, s->items, s->item_count);
        if (st != TACIT_OK) return st;
    }
    uint32_t least = s->options->min_items ? s->options->min_items : min_items;
    tacit_status st = dataset_builder_finish(
        out, &unknown, s->builder, c, name && name[1] ? name + 1 : path, least, s->items_of_events);
    if (st != TACIT_OK) {
        snprintf(
            s->note, TACIT_NOTE_LEN + 1, "%.70s: %s", path,
            st == TACIT_NOT_FOUND ? "no person with enough known items" : tacit_status_text(st));
        return st;
    }
    dataset *d = *out;
    d->bad_lines = s->bad_lines;
    int at = 0;
    if (s->no_customer + s->cancelled > 0)
        at = snprintf(d->summary, sizeof d->summary,
                      "left out: %zu cancelled or returned lines, %zu without a customer",
                      s->cancelled, s->no_customer);
    if (unknown > 0)
        snprintf(d->summary + at, sizeof d->summary - (size_t)at,
                 "%s%zu events of items that are not in the catalogue",
                 at ? "; " : "left out: ", unknown);
    return TACIT_OK;
}

bool import_exists(const char *folder, const char *file, char *path) {
    struct stat info;
    return (size_t)snprintf(path, IMPORT_PATH_LEN, "%s/%s", folder, file) < IMPORT_PATH_LEN &&
           stat(path, &info) == 0 && S_ISREG(info.st_mode);
}
