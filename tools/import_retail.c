/* SPDX-License-Identifier: Apache-2.0
 * import_retail.c - the UCI Online Retail invoice lines, raw and messy. Rules, in this order: lines
 * whose Quantity is not positive or whose InvoiceNo begins with C are returns; lines without a
 * CustomerID belong to nobody; people with fewer than five distinct items are left out; then items
 * that none of the remaining people bought. An item's title is its commonest description. */
#include <ctype.h>
#include <stdlib.h>

#include "common/item.h"
#include "tools/import_internal.h"

/* How often each (stock code, description) occurs. */
typedef struct {
    char *code, *text;
    size_t order, times;
} described;

typedef struct {
    import_state base;
    described *rows; /* distinct */
    size_t count, cap;
    size_t *table; /* open addressing: index into rows + 1 */
    size_t table_cap;
} retail_state;

static size_t slot_of(const retail_state *r, const char *code, const char *text) {
    uint64_t h = UINT64_C(1469598103934665603);
    for (const char *p = code; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
    h *= UINT64_C(1099511628211); /* the boundary counts */
    for (const char *p = text; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
    size_t at = (size_t)(h ^ h >> 29) & (r->table_cap - 1);
    for (; r->table[at] != 0; at = (at + 1) & (r->table_cap - 1)) {
        const described *d = &r->rows[r->table[at] - 1];
        if (strcmp(d->code, code) == 0 && strcmp(d->text, text) == 0) break;
    }
    return at;
}

static bool reserve(retail_state *r) {
    if (r->count < r->cap) return true;
    size_t cap = r->cap ? r->cap * 2 : 4096;
    described *rows = realloc(r->rows, cap * sizeof *rows);
    if (rows == NULL) return false;
    r->rows = rows;
    r->cap = cap;
    size_t *table = calloc(cap * 2, sizeof *table);
    if (table == NULL) return false;
    free(r->table);
    r->table = table;
    r->table_cap = cap * 2;
    for (size_t i = 0; i < r->count; i++)
        r->table[slot_of(r, r->rows[i].code, r->rows[i].text)] = i + 1;
    return true;
}

static tacit_status describe(retail_state *r, const char *code, const char *text) {
    if (!reserve(r)) return TACIT_NO_SPACE;
    size_t at = slot_of(r, code, text);
    if (r->table[at] == 0) {
        described d = {strdup(code), strdup(text), r->count, 0};
        r->rows[r->count++] = d;
        r->table[at] = r->count;
        if (!d.code || !d.text) return TACIT_NO_SPACE;
    }
    r->rows[r->table[at] - 1].times++;
    return TACIT_OK;
}

/* columns: InvoiceNo StockCode Description Quantity InvoiceDate CustomerID */
static tacit_status retail_line(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    retail_state *r = self;
    float quantity;
    uint64_t time_s;
    if (f[1][0] == 0) return import_bad(note, "StockCode is empty", "");
    if (!import_float(&quantity, f[3])) return import_bad(note, "Quantity is not a number:", f[3]);
    if (!import_date(&time_s, f[4])) return import_bad(note, "InvoiceDate is not a date:", f[4]);
    if (quantity <= 0 || f[0][0] == 'C') {
        r->base.cancelled++;
        return TACIT_OK;
    }
    if (f[5][0] == 0 || strcmp(f[5], "NA") == 0) {
        r->base.no_customer++;
        return TACIT_OK;
    }
    tacit_status st = describe(r, f[1], f[2]);
    if (st != TACIT_OK) return st;
    return dataset_builder_add(r->base.builder, f[5], tacit_item_id(f[1]), TACIT_EVENT_PURCHASE,
                               quantity, time_s);
}

/* By code; the commonest first, then the one that came first. */
static int by_code_times(const void *a, const void *b) {
    const described *x = a, *y = b;
    int c = strcmp(x->code, y->code);
    if (c != 0) return c;
    if (x->times != y->times) return x->times > y->times ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
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
    char tokens[1024];
    bool fresh;
    tacit_status st = TACIT_OK;
    if (r->count > 0) qsort(r->rows, r->count, sizeof *r->rows, by_code_times);
    for (size_t i = 0; i < r->count && st == TACIT_OK; i++) {
        const described *d = &r->rows[i];
        if (i > 0 && strcmp(d->code, r->rows[i - 1].code) == 0) continue;
        words_of(tokens, sizeof tokens, d->text);
        st = import_item(&r->base, &fresh, d->code, d->text, tokens, 0);
    }
    return st;
}

tacit_status import_retail(dataset **out, char *note, const char *file, const char *folder,
                           const dataset_options *options) {
    retail_state r = {.rows = NULL};
    tacit_status st = import_begin(&r.base, options, note);
    if (st != TACIT_OK) return st;
    r.base.items_of_events = true;
    csv_spec spec = {.separator = ',',
                     .header = true,
                     .quotes = true,
                     .columns = {"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate",
                                 "CustomerID"},
                     .column_count = 6,
                     .row = retail_line};
    st = import_table(&r.base, file, spec, &r);
    if (st == TACIT_OK) st = retail_items(&r);
    if (st == TACIT_OK) st = import_finish(out, &r.base, NULL, folder, 5);
    for (size_t i = 0; i < r.count; i++) {
        free(r.rows[i].code);
        free(r.rows[i].text);
    }
    free(r.rows);
    free(r.table);
    import_end(&r.base);
    return st;
}
