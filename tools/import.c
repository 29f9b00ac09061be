/* SPDX-License-Identifier: Apache-2.0
 * import.c - the sources Tacit reads: its own folders, MovieLens 100K, MovieLens 1M pairs, the UCI
 * Online Retail invoice lines, any CSV with named columns. A line that breaks its format is
 * reported with its number and counted (csv_table.h); a line left out by a documented rule (a
 * cancelled invoice, a missing customer) is counted in the summary. */
#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/item.h"
#include "server/csv_table.h"
#include "tools/dataset.h"

typedef struct {
    dataset_builder *builder;
    catalogue_item *items; /* collected when the source carries its own catalogue */
    size_t item_count, item_cap;
    const char *const *names; /* column names for features (CSV) or genres */
    size_t name_count;
    size_t no_customer, cancelled;
    const dataset_csv *csv;
} import_state;

static tacit_status bad(char *note, const char *what, const char *value) {
    snprintf(note, TACIT_NOTE_LEN + 1, "%s '%.60s'", what, value);
    return TACIT_BAD_MESSAGE;
}

static bool parse_u64(uint64_t *out, const char *s) {
    char *end;
    if (!isdigit((unsigned char)s[0])) return false;
    *out = strtoull(s, &end, 10);
    return *end == 0;
}

static bool parse_float(float *out, const char *s) {
    char *end;
    if (s[0] == 0) return false;
    double v = strtod(s, &end);
    *out = (float)v;
    return *end == 0 && v == v && v > -1e30 && v < 1e30;
}

static tacit_status add_item(import_state *s, const char *key, const char *title,
                             const char *features, uint8_t kind) {
    if (s->item_count == s->item_cap) {
        size_t cap = s->item_cap ? s->item_cap * 2 : 1024;
        catalogue_item *grown = realloc(s->items, cap * sizeof *grown);
        if (grown == NULL) return TACIT_NO_SPACE;
        s->items = grown;
        s->item_cap = cap;
    }
    catalogue_item it = {.id = tacit_item_id(key),
                         .key = strdup(key),
                         .title = strdup(title),
                         .features = strdup(features),
                         .kind = kind};
    s->items[s->item_count++] = it;
    return it.key && it.title && it.features ? TACIT_OK : TACIT_NO_SPACE;
}

static void items_free(import_state *s) {
    for (size_t i = 0; i < s->item_count; i++) {
        free(s->items[i].key);
        free(s->items[i].title);
        free(s->items[i].features);
    }
    free(s->items);
    s->items = NULL;
    s->item_count = s->item_cap = 0;
}

/* " decade:1990" from "Toy Story (1995)"; nothing when there is no year. */
static void append_decade(char *tokens, size_t cap, const char *title) {
    const char *open = strrchr(title, '(');
    uint64_t year = 0;
    if (open != NULL)
        for (int i = 1; i <= 4 && isdigit((unsigned char)open[i]); i++)
            year = year * 10 + (uint64_t)(open[i] - '0');
    if (year < 1800 || year > 2200) return;
    size_t at = strlen(tokens);
    snprintf(tokens + at, cap - at, " decade:%u", (unsigned)(year / 10 * 10));
}

/* ---- MovieLens 100K ----------------------------------------------------------------------------
 */

static const char *const ml_genres[] = {
    "unknown",     "Action", "Adventure", "Animation", "Children", "Comedy",  "Crime",
    "Documentary", "Drama",  "Fantasy",   "Film-Noir", "Horror",   "Musical", "Mystery",
    "Romance",     "Sci-Fi", "Thriller",  "War",       "Western"};

static tacit_status ml100k_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    char tokens[512] = "";
    uint64_t id;
    if (!parse_u64(&id, f[0])) return bad(note, "item is not a number:", f[0]);
    for (size_t g = 0; g < 19; g++) {
        if (strcmp(f[5 + g], "0") != 0 && strcmp(f[5 + g], "1") != 0)
            return bad(note, "genre flag is neither 0 nor 1:", f[5 + g]);
        if (f[5 + g][0] == '1') {
            size_t at = strlen(tokens);
            snprintf(tokens + at, sizeof tokens - at, "%sgenre:%s", at ? " " : "", ml_genres[g]);
        }
    }
    append_decade(tokens, sizeof tokens, f[1]);
    return add_item(self, f[0], f[1], tokens, 0);
}

static tacit_status ml100k_rating(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    uint64_t item, time_s;
    float value;
    if (f[0][0] == 0) return bad(note, "user is empty", "");
    if (!parse_u64(&item, f[1])) return bad(note, "item is not a number:", f[1]);
    if (!parse_float(&value, f[2]) || value < 1 || value > 5)
        return bad(note, "rating is not in 1..5:", f[2]);
    if (!parse_u64(&time_s, f[3])) return bad(note, "time is not a number:", f[3]);
    return dataset_builder_add(s->builder, f[0], item, TACIT_EVENT_RATING, value, time_s);
}

/* ---- MovieLens 1M pairs ------------------------------------------------------------------------
 */

static tacit_status ml1m_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    char tokens[512] = "", genres[256];
    uint64_t id;
    if (!parse_u64(&id, f[0])) return bad(note, "iid is not a number:", f[0]);
    if (strlen(f[2]) >= sizeof genres) return bad(note, "genres are too long:", f[2]);
    strcpy(genres, f[2]);
    char *rest = NULL;
    for (char *g = strtok_r(genres, "|", &rest); g; g = strtok_r(NULL, "|", &rest)) {
        size_t at = strlen(tokens);
        for (char *p = g; *p; p++)
            if (isspace((unsigned char)*p)) *p = '-';
        snprintf(tokens + at, sizeof tokens - at, "%sgenre:%s", at ? " " : "", g);
    }
    append_decade(tokens, sizeof tokens, f[1]);
    return add_item(self, f[0], f[1], tokens, 0);
}

static tacit_status ml1m_pair(void *self, char *note, const char *const *f, size_t line) {
    import_state *s = self;
    uint64_t item;
    (void)line;
    if (f[0][0] == 0) return bad(note, "user is empty", "");
    if (!parse_u64(&item, f[1])) return bad(note, "item is not a number:", f[1]);
    return dataset_builder_add(s->builder, f[0], item, TACIT_EVENT_RATING, 0, 0);
}

/* ---- Online Retail -----------------------------------------------------------------------------
 */

/* How often each (stock code, description) occurs; the commonest description names the item. */
typedef struct {
    char *code, *text;
    size_t order;
} described;

typedef struct {
    import_state base;
    described *rows;
    size_t count, cap;
} retail_state;

static bool parse_date(uint64_t *out, const char *s) {
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    int n = sscanf(s, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                   &tm.tm_min, &tm.tm_sec);
    if (n < 5 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31) return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t t = timegm(&tm);
    *out = (uint64_t)t;
    return t >= 0;
}

/* columns: InvoiceNo StockCode Description Quantity InvoiceDate CustomerID */
static tacit_status retail_line(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    retail_state *r = self;
    float quantity;
    uint64_t time_s;
    if (f[1][0] == 0) return bad(note, "StockCode is empty", "");
    if (!parse_float(&quantity, f[3])) return bad(note, "Quantity is not a number:", f[3]);
    if (!parse_date(&time_s, f[4])) return bad(note, "InvoiceDate is not a date:", f[4]);
    if (quantity <= 0 || f[0][0] == 'C') {
        r->base.cancelled++;
        return TACIT_OK;
    }
    if (f[5][0] == 0 || strcmp(f[5], "NA") == 0) {
        r->base.no_customer++;
        return TACIT_OK;
    }
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 4096;
        described *grown = realloc(r->rows, cap * sizeof *grown);
        if (grown == NULL) return TACIT_NO_SPACE;
        r->rows = grown;
        r->cap = cap;
    }
    described d = {strdup(f[1]), strdup(f[2]), r->count};
    r->rows[r->count++] = d;
    if (!d.code || !d.text) return TACIT_NO_SPACE;
    return dataset_builder_add(r->base.builder, f[5], tacit_item_id(f[1]), TACIT_EVENT_PURCHASE,
                               quantity, time_s);
}

static int by_code_text(const void *a, const void *b) {
    const described *x = a, *y = b;
    int c = strcmp(x->code, y->code);
    if (c == 0) c = strcmp(x->text, y->text);
    return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* Words [a-z]{2,} of the lower-cased description as tokens. */
static void words_of(char *tokens, size_t cap, const char *text) {
    size_t at = 0;
    for (const char *p = text; *p;) {
        size_t len = 0;
        while (isalpha((unsigned char)p[len])) len++;
        if (len >= 2 && at + len + 2 < cap) {
            if (at > 0) tokens[at++] = ' ';
            for (size_t i = 0; i < len; i++) tokens[at++] = (char)tolower((unsigned char)p[i]);
        }
        p += len ? len : 1;
    }
    tokens[at] = 0;
}

static tacit_status retail_items(retail_state *r) {
    qsort(r->rows, r->count, sizeof *r->rows, by_code_text);
    tacit_status st = TACIT_OK;
    for (size_t i = 0, j; i < r->count && st == TACIT_OK; i = j) {
        size_t best = i, best_count = 0;
        for (j = i; j < r->count && strcmp(r->rows[j].code, r->rows[i].code) == 0;) {
            size_t k = j;
            while (k < r->count && strcmp(r->rows[k].code, r->rows[i].code) == 0 &&
                   strcmp(r->rows[k].text, r->rows[j].text) == 0)
                k++;
            if (k - j > best_count) {
                best = j;
                best_count = k - j;
            }
            j = k;
        }
        char tokens[1024];
        words_of(tokens, sizeof tokens, r->rows[best].text);
        st = add_item(&r->base, r->rows[i].code, r->rows[best].text, tokens, 0);
    }
    return st;
}

static void retail_free(retail_state *r) {
    for (size_t i = 0; i < r->count; i++) {
        free(r->rows[i].code);
        free(r->rows[i].text);
    }
    free(r->rows);
    items_free(&r->base);
}

/* ---- Tacit's own folders and any CSV -----------------------------------------------------------
 */

static const char *const kind_names[] = {"", "view", "click", "cart", "purchase", "rating", "skip"};

static bool parse_kind(uint8_t *out, const char *s) {
    for (uint8_t k = 1; k < 7; k++)
        if (strcmp(s, kind_names[k]) == 0) {
            *out = k;
            return true;
        }
    *out = TACIT_EVENT_VIEW;
    return s[0] == 0;
}

/* columns: person item event value time; the last three may be "" */
static tacit_status event_line(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    uint8_t kind;
    float value = 0;
    uint64_t time_s = 0;
    if (f[0][0] == 0) return bad(note, "person is empty", "");
    if (f[1][0] == 0) return bad(note, "item is empty", "");
    if (!parse_kind(&kind, f[2])) return bad(note, "unknown event", f[2]);
    if (f[3][0] && !parse_float(&value, f[3])) return bad(note, "value is not a number:", f[3]);
    if (f[4][0] && !parse_u64(&time_s, f[4]) && !parse_date(&time_s, f[4]))
        return bad(note, "time is neither Unix seconds nor a date:", f[4]);
    if (s->csv != NULL && s->csv->catalogue == NULL) {
        tacit_status st = add_item(s, f[1], f[1], "", 0);
        if (st != TACIT_OK) return st;
    }
    return dataset_builder_add(s->builder, f[0], tacit_item_id(f[1]), kind, value, time_s);
}

/* columns: item title kind features... ; each feature column's words become tokens "column:word".
 */
static tacit_status csv_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    char tokens[4096] = "";
    if (f[0][0] == 0) return bad(note, "item is empty", "");
    bool offer = strcmp(f[2], "offer") == 0;
    if (!offer && f[2][0] && strcmp(f[2], "product") != 0)
        return bad(note, "kind is neither product nor offer:", f[2]);
    for (size_t c = 0; c < s->name_count; c++) {
        const char *p = f[3 + c];
        while (*p) {
            size_t len = strcspn(p, " \t|;,");
            size_t at = strlen(tokens);
            if (len > 0 && at + len + strlen(s->names[c]) + 3 < sizeof tokens)
                snprintf(tokens + at, sizeof tokens - at, "%s%s:%.*s", at ? " " : "", s->names[c],
                         (int)len, p);
            p += len + (p[len] ? 1 : 0);
        }
    }
    return add_item(s, f[0], f[1], tokens, offer);
}

/* ---- Loading -----------------------------------------------------------------------------------
 */

static bool exists(const char *folder, const char *file, char *path, size_t cap) {
    struct stat info;
    return (size_t)snprintf(path, cap, "%s/%s", folder, file) < cap && stat(path, &info) == 0 &&
           S_ISREG(info.st_mode);
}

static tacit_status read_table(const csv_spec *spec, const char *path, size_t *bad_lines,
                               char *note) {
    csv_result result = {0, 0};
    tacit_status st = csv_read(spec, &result, path);
    *bad_lines += result.bad;
    if (st != TACIT_OK)
        snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: %s", path, tacit_status_name(st));
    return st;
}

static csv_spec table(const char *path, const dataset_options *o, char separator, bool header,
                      bool quotes, void *self) {
    csv_spec spec = {.name = path,
                     .separator = separator,
                     .header = header,
                     .quotes = quotes,
                     .strict = o->strict,
                     .errors = o->errors,
                     .self = self};
    return spec;
}

static int item_by_id(const void *a, const void *b) {
    uint64_t x = ((const catalogue_item *)a)->id, y = ((const catalogue_item *)b)->id;
    return x < y ? -1 : x > y;
}

/* Items of a source may repeat (every invoice line names one): the first of each id stays. */
static tacit_status make_catalogue(catalogue **out, import_state *s) {
    qsort(s->items, s->item_count, sizeof *s->items, item_by_id);
    size_t kept = 0;
    for (size_t i = 0; i < s->item_count; i++) {
        if (kept > 0 && s->items[kept - 1].id == s->items[i].id) {
            free(s->items[i].key);
            free(s->items[i].title);
            free(s->items[i].features);
            continue;
        }
        s->items[kept++] = s->items[i];
    }
    s->item_count = kept;
    return catalogue_new(out, s->items, kept);
}

static tacit_status finish(dataset **out, char *note, import_state *s, catalogue *c,
                           const char *path, uint32_t min_items, size_t bad_lines) {
    size_t unknown = 0;
    const char *name = strrchr(path, '/');
    tacit_status st = dataset_builder_finish(out, &unknown, s->builder, c,
                                             name && name[1] ? name + 1 : path, min_items);
    if (st != TACIT_OK) {
        snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: no person with enough known items", path);
        return st;
    }
    dataset *d = *out;
    d->bad_lines = bad_lines;
    int at = 0;
    if (s->no_customer + s->cancelled > 0)
        at = snprintf(d->summary, sizeof d->summary,
                      "left out: %zu cancelled or returned lines, %zu without a customer; ",
                      s->cancelled, s->no_customer);
    if (unknown > 0)
        snprintf(d->summary + at, sizeof d->summary - (size_t)at,
                 "%zu events of items that are not in the catalogue", unknown);
    return TACIT_OK;
}

static tacit_status load_ml100k(dataset **out, char *note, const char *folder,
                                const dataset_options *o) {
    import_state s = {.builder = dataset_builder_new()};
    catalogue *c = NULL;
    char path[4096];
    size_t bad_lines = 0;
    if (s.builder == NULL) return TACIT_NO_SPACE;
    if (!exists(folder, "u.item", path, sizeof path)) {
        snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: no u.item", folder);
        dataset_builder_free(s.builder);
        return TACIT_NOT_FOUND;
    }
    csv_spec items = table(path, o, '|', false, false, &s);
    items.latin1 = true;
    items.column_count = 24;
    items.row = ml100k_item;
    tacit_status st = read_table(&items, path, &bad_lines, note);
    exists(folder, "u.data", path, sizeof path);
    csv_spec ratings = table(path, o, '\t', false, false, &s);
    ratings.column_count = 4;
    ratings.row = ml100k_rating;
    if (st == TACIT_OK) st = read_table(&ratings, path, &bad_lines, note);
    if (st == TACIT_OK) st = make_catalogue(&c, &s);
    if (st == TACIT_OK) st = finish(out, note, &s, c, folder, 1, bad_lines);
    items_free(&s);
    dataset_builder_free(s.builder);
    return st;
}

static tacit_status load_ml1m(dataset **out, char *note, const char *folder,
                              const dataset_options *o) {
    import_state s = {.builder = dataset_builder_new()};
    catalogue *c = NULL;
    char path[4096];
    size_t bad_lines = 0;
    if (s.builder == NULL) return TACIT_NO_SPACE;
    exists(folder, "items.csv", path, sizeof path);
    csv_spec items = table(path, o, ',', true, true, &s);
    items.columns[0] = "iid";
    items.columns[1] = "title";
    items.columns[2] = "genres";
    items.column_count = 3;
    items.row = ml1m_item;
    tacit_status st = read_table(&items, path, &bad_lines, note);
    exists(folder, "interactions.csv", path, sizeof path);
    csv_spec pairs = table(path, o, ',', true, true, &s);
    pairs.columns[0] = "user";
    pairs.columns[1] = "item";
    pairs.column_count = 2;
    pairs.row = ml1m_pair;
    if (st == TACIT_OK) st = read_table(&pairs, path, &bad_lines, note);
    if (st == TACIT_OK) st = make_catalogue(&c, &s);
    if (st == TACIT_OK) st = finish(out, note, &s, c, folder, 1, bad_lines);
    items_free(&s);
    dataset_builder_free(s.builder);
    return st;
}

static tacit_status load_retail(dataset **out, char *note, const char *file, const char *folder,
                                const dataset_options *o) {
    retail_state r = {.base = {.builder = dataset_builder_new()}};
    catalogue *c = NULL;
    size_t bad_lines = 0;
    if (r.base.builder == NULL) return TACIT_NO_SPACE;
    csv_spec spec = table(file, o, ',', true, true, &r);
    static const char *const columns[] = {"InvoiceNo", "StockCode",   "Description",
                                          "Quantity",  "InvoiceDate", "CustomerID"};
    for (size_t i = 0; i < 6; i++) spec.columns[i] = columns[i];
    spec.column_count = 6;
    spec.row = retail_line;
    tacit_status st = read_table(&spec, file, &bad_lines, note);
    if (st == TACIT_OK) st = retail_items(&r);
    if (st == TACIT_OK) st = make_catalogue(&c, &r.base);
    if (st == TACIT_OK)
        st = finish(out, note, &r.base, c, folder, o->min_items ? o->min_items : 5, bad_lines);
    retail_free(&r);
    dataset_builder_free(r.base.builder);
    return st;
}

static tacit_status load_tacit(dataset **out, char *note, const char *folder,
                               const dataset_options *o) {
    import_state s = {.builder = dataset_builder_new()};
    catalogue *c = NULL;
    char path[4096];
    size_t bad_lines = 0;
    if (s.builder == NULL) return TACIT_NO_SPACE;
    exists(folder, "catalogue.csv", path, sizeof path);
    tacit_status st = catalogue_load(&c, &bad_lines, path, o->strict, o->errors);
    if (st != TACIT_OK)
        snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: %s", path, tacit_status_name(st));
    exists(folder, "interactions.csv", path, sizeof path);
    csv_spec spec = table(path, o, ',', true, true, &s);
    static const char *const columns[] = {"person", "item", "event?", "value?", "time?"};
    for (size_t i = 0; i < 5; i++) spec.columns[i] = columns[i];
    spec.column_count = 5;
    spec.row = event_line;
    if (st == TACIT_OK) {
        st = read_table(&spec, path, &bad_lines, note);
        if (st == TACIT_OK)
            st = finish(out, note, &s, c, folder, 1, bad_lines);
        else
            catalogue_free(c);
    }
    dataset_builder_free(s.builder);
    return st;
}

tacit_status dataset_load(dataset **out, char *note, const char *path, const dataset_options *o) {
    char file[4096];
    struct stat info;
    note[0] = 0;
    if (stat(path, &info) != 0) {
        snprintf(note, TACIT_NOTE_LEN + 1, "%.100s: no such folder", path);
        return TACIT_NOT_FOUND;
    }
    bool any = o->format == DATASET_AUTO;
    if ((any || o->format == DATASET_TACIT) && exists(path, "catalogue.csv", file, sizeof file) &&
        exists(path, "interactions.csv", file, sizeof file))
        return load_tacit(out, note, path, o);
    if ((any || o->format == DATASET_ML_100K) && exists(path, "u.data", file, sizeof file))
        return load_ml100k(out, note, path, o);
    if ((any || o->format == DATASET_ML_1M) && exists(path, "items.csv", file, sizeof file) &&
        exists(path, "interactions.csv", file, sizeof file))
        return load_ml1m(out, note, path, o);
    if ((any || o->format == DATASET_RETAIL) &&
        (exists(path, "online_retail.csv.gz", file, sizeof file) ||
         exists(path, "online_retail.csv", file, sizeof file)))
        return load_retail(out, note, file, path, o);
    snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: none of the known file names is in it", path);
    return TACIT_NOT_FOUND;
}

/* Splits "a,b,c" in place into names. */
static size_t split_names(const char **names, size_t cap, char *list) {
    size_t count = 0;
    char *rest = NULL;
    for (char *n = strtok_r(list, ",", &rest); n && count < cap; n = strtok_r(NULL, ",", &rest))
        names[count++] = n;
    return count;
}

static tacit_status read_csv_catalogue(import_state *s, char *note, size_t *bad_lines,
                                       const dataset_csv *csv, const dataset_options *o) {
    char list[1024] = "";
    const char *names[CSV_MAX_COLUMNS - 3];
    if (csv->features != NULL && strlen(csv->features) >= sizeof list) return TACIT_TOO_LARGE;
    if (csv->features != NULL) strcpy(list, csv->features);
    s->name_count = split_names(names, CSV_MAX_COLUMNS - 3, list);
    s->names = names;
    csv_spec spec = table(csv->catalogue, o, csv->separator, true, true, s);
    spec.columns[0] = csv->item_key ? csv->item_key : "item";
    spec.columns[1] = csv->title ? csv->title : "title?";
    spec.columns[2] = csv->kind ? csv->kind : "kind?";
    for (size_t i = 0; i < s->name_count; i++) spec.columns[3 + i] = names[i];
    spec.column_count = 3 + s->name_count;
    spec.row = csv_item;
    tacit_status st = read_table(&spec, csv->catalogue, bad_lines, note);
    s->names = NULL;
    return st;
}

tacit_status dataset_load_csv(dataset **out, char *note, const dataset_csv *csv,
                              const dataset_options *o) {
    import_state s = {.builder = dataset_builder_new(), .csv = csv};
    catalogue *c = NULL;
    size_t bad_lines = 0;
    tacit_status st = TACIT_OK;
    if (s.builder == NULL) return TACIT_NO_SPACE;
    note[0] = 0;
    if (csv->catalogue != NULL) st = read_csv_catalogue(&s, note, &bad_lines, csv, o);
    csv_spec spec = table(csv->interactions, o, csv->separator, true, true, &s);
    spec.columns[0] = csv->person;
    spec.columns[1] = csv->item;
    spec.columns[2] = csv->event ? csv->event : "event?";
    spec.columns[3] = csv->value ? csv->value : "value?";
    spec.columns[4] = csv->time ? csv->time : "time?";
    spec.column_count = 5;
    spec.row = event_line;
    if (st == TACIT_OK) st = read_table(&spec, csv->interactions, &bad_lines, note);
    if (st == TACIT_OK) st = make_catalogue(&c, &s);
    if (st == TACIT_OK) st = finish(out, note, &s, c, csv->interactions, 1, bad_lines);
    items_free(&s);
    dataset_builder_free(s.builder);
    return st;
}
