/* SPDX-License-Identifier: Apache-2.0
 * import.c - finds out what a folder holds and loads it: Tacit's own folders, MovieLens, Online
 * Retail; and any CSV with named columns. It never guesses columns: a file that is none of the
 * known ones needs their names. */
#include <stdlib.h>
#include <sys/stat.h>

#include "common/item.h"
#include "tools/import_internal.h"

static const char *const kind_names[] = {"", "view", "click", "cart", "purchase", "rating", "skip"};

const char *dataset_kind_name(uint8_t kind) {
    return kind < sizeof kind_names / sizeof kind_names[0] ? kind_names[kind] : "";
}

uint8_t dataset_kind_of(const char *name) {
    for (int k = TACIT_EVENT_VIEW; k <= TACIT_EVENT_SKIP; k++)
        if (strcmp(name, kind_names[k]) == 0) return (uint8_t)k;
    return 0;
}

/* columns: person item event value time; the last three may be "" */
static tacit_status event_line(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    uint8_t kind = f[2][0] ? dataset_kind_of(f[2]) : s->default_kind;
    float value = 0;
    uint64_t time_s = 0;
    bool fresh;
    if (f[0][0] == 0) return import_bad(note, "person is empty", "");
    if (f[1][0] == 0) return import_bad(note, "item is empty", "");
    if (kind == 0) return import_bad(note, "unknown event", f[2]);
    if (f[3][0] && !import_float(&value, f[3]))
        return import_bad(note, "value is not a number:", f[3]);
    if (f[4][0] && !import_u64(&time_s, f[4]) && !import_date(&time_s, f[4]))
        return import_bad(note, "time is neither Unix seconds nor a date:", f[4]);
    if (s->items_of_events) {
        tacit_status st = import_item(s, &fresh, f[1], f[1], "", 0);
        if (st != TACIT_OK) return st;
    }
    return dataset_builder_add(s->builder, f[0], tacit_item_id(f[1]), kind, value, time_s);
}

static tacit_status load_tacit(dataset **out, char *note, const char *folder,
                               const dataset_options *o) {
    import_state s;
    catalogue *c = NULL;
    char path[IMPORT_PATH_LEN];
    tacit_status st = import_begin(&s, o, note);
    if (st != TACIT_OK) return st;
    csv_spec spec = {.separator = ',',
                     .header = true,
                     .quotes = true,
                     .columns = {"person", "item", "event?", "value?", "time?"},
                     .column_count = 5,
                     .row = event_line};
    import_exists(folder, "interactions.csv", path);
    st = import_table(&s, path, spec, NULL);
    if (st == TACIT_OK) {
        size_t bad_lines = 0;
        import_exists(folder, "catalogue.csv", path);
        st = catalogue_load(&c, &bad_lines, path, o->strict, o->errors);
        s.bad_lines += bad_lines;
        if (st != TACIT_OK)
            snprintf(note, TACIT_NOTE_LEN + 1, "%.70s: %s", path, tacit_status_text(st));
    }
    if (st == TACIT_OK) st = import_finish(out, &s, c, folder, 1);
    import_end(&s);
    return st;
}

tacit_status dataset_load(dataset **out, char *note, const char *path, const dataset_options *o) {
    char file[IMPORT_PATH_LEN];
    struct stat info;
    bool any = o->format == DATASET_AUTO;
    note[0] = 0;
    if (stat(path, &info) != 0) {
        snprintf(note, TACIT_NOTE_LEN + 1, "%.100s: no such folder", path);
        return TACIT_NOT_FOUND;
    }
    bool events = import_exists(path, "interactions.csv", file);
    if ((any || o->format == DATASET_TACIT) && events && import_exists(path, "catalogue.csv", file))
        return load_tacit(out, note, path, o);
    if ((any || o->format == DATASET_ML_100K) && import_exists(path, "u.data", file))
        return import_ml100k(out, note, path, o);
    if ((any || o->format == DATASET_ML_1M) && events && import_exists(path, "items.csv", file))
        return import_ml1m(out, note, path, o);
    if ((any || o->format == DATASET_RETAIL) &&
        (import_exists(path, "online_retail.csv.gz", file) ||
         import_exists(path, "online_retail.csv", file)))
        return import_retail(out, note, file, path, o);
    snprintf(note, TACIT_NOTE_LEN + 1, "%.60s: holds none of the files of a known dataset", path);
    return TACIT_NOT_FOUND;
}

/* ---- CSV with named columns --------------------------------------------------------------------
 */

/* columns: item title kind features... ; the words of feature column c become tokens "c:word". */
static tacit_status csv_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    char tokens[4096] = "";
    size_t at = 0;
    if (f[0][0] == 0) return import_bad(note, "item is empty", "");
    bool offer = strcmp(f[2], "offer") == 0;
    if (!offer && f[2][0] && strcmp(f[2], "product") != 0)
        return import_bad(note, "kind is neither product nor offer:", f[2]);
    for (size_t c = 0; c < s->name_count; c++)
        for (const char *p = f[3 + c]; *p;) {
            size_t len = strcspn(p, " \t\r\n|;,");
            size_t need = len + strlen(s->names[c]) + 2;
            if (len > 0 && at + need + 1 > sizeof tokens)
                return import_bad(note, "the features are too long:", f[0]);
            if (len > 0)
                at += (size_t)snprintf(tokens + at, sizeof tokens - at, "%s%s:%.*s", at ? " " : "",
                                       s->names[c], (int)len, p);
            p += len + (p[len] ? 1 : 0);
        }
    return import_item_once(s, note, f[0], f[1][0] ? f[1] : f[0], tokens, offer);
}

/* Splits "a,b,c" in place into names; false when there are more than cap. */
static bool split_names(const char **names, size_t *count, size_t cap, char *list) {
    char *rest = NULL;
    *count = 0;
    for (char *n = strtok_r(list, ",", &rest); n; n = strtok_r(NULL, ",", &rest)) {
        if (*count == cap) return false;
        names[(*count)++] = n;
    }
    return true;
}

static tacit_status csv_catalogue(import_state *s, const dataset_csv *csv) {
    char list[1024];
    const char *names[CSV_MAX_COLUMNS - 3];
    csv_spec spec = {.separator = csv->separator, .header = true, .quotes = true, .row = csv_item};
    const char *wanted = csv->features ? csv->features : "";
    if ((size_t)snprintf(list, sizeof list, "%s", wanted) >= sizeof list ||
        !split_names(names, &s->name_count, CSV_MAX_COLUMNS - 3, list)) {
        snprintf(s->note, TACIT_NOTE_LEN + 1, "more than %d feature columns", CSV_MAX_COLUMNS - 3);
        return TACIT_INVALID_ARGUMENT;
    }
    s->names = names;
    spec.columns[0] = csv->item_key ? csv->item_key : "item";
    spec.columns[1] = csv->title ? csv->title : "title?";
    spec.columns[2] = csv->kind ? csv->kind : "kind?";
    for (size_t i = 0; i < s->name_count; i++) spec.columns[3 + i] = names[i];
    spec.column_count = 3 + s->name_count;
    tacit_status st = import_table(s, csv->catalogue, spec, NULL);
    s->names = NULL;
    return st;
}

tacit_status dataset_load_csv(dataset **out, char *note, const dataset_csv *csv,
                              const dataset_options *o) {
    import_state s;
    note[0] = 0;
    tacit_status st = import_begin(&s, o, note);
    if (st != TACIT_OK) return st;
    if (csv->default_kind != 0) s.default_kind = csv->default_kind;
    s.items_of_events = csv->catalogue == NULL;
    if (csv->catalogue != NULL) st = csv_catalogue(&s, csv);
    csv_spec spec = {
        .separator = csv->separator,
        .header = true,
        .quotes = true,
        .columns = {csv->person, csv->item, csv->event ? csv->event : "event?",
                    csv->value ? csv->value : "value?", csv->time ? csv->time : "time?"},
        .column_count = 5,
        .row = event_line};
    if (st == TACIT_OK) st = import_table(&s, csv->interactions, spec, NULL);
    if (st == TACIT_OK) st = import_finish(out, &s, NULL, csv->interactions, 1);
    import_end(&s);
    return st;
}
