/* SPDX-License-Identifier: Apache-2.0
 * catalogue.c - see catalogue.h. */
#include "server/catalogue.h"

#include <stdlib.h>
#include <unistd.h>

#include <cblas.h>
#include <lapacke.h>

#include "common/crypto.h"
#include "common/item.h"
#include "server/csv_table.h"

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const catalogue_item *)a)->id, y = ((const catalogue_item *)b)->id;
    return x < y ? -1 : x > y;
}

static void item_clear(catalogue_item *item) {
    free(item->key);
    free(item->title);
    free(item->features);
}

void catalogue_free(catalogue *c) {
    if (c == NULL) return;
    for (size_t i = 0; i < c->count; i++) item_clear(&c->items[i]);
    free(c->items);
    free(c);
}

static void hash_string(tacit_hash *h, const char *s) {
    tacit_hash_add_u32(h, (uint32_t)strlen(s));
    tacit_hash_add(h, s, strlen(s));
}

static tacit_status finish(catalogue *c) {
    if (c->count == 0) return TACIT_NOT_FOUND;
    qsort(c->items, c->count, sizeof *c->items, by_id);
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_CATALOGUE);
    for (size_t i = 0; i < c->count; i++) {
        const catalogue_item *it = &c->items[i];
        if (i > 0 && it->id == c->items[i - 1].id) return TACIT_BAD_MESSAGE;
        tacit_hash_add_u64(&h, it->id);
        hash_string(&h, it->key);
        hash_string(&h, it->title);
        hash_string(&h, it->features);
        tacit_hash_add_u8(&h, it->kind);
    }
    tacit_hash_end(&h, c->digest);
    return TACIT_OK;
}

static tacit_status item_copy(catalogue_item *out, const catalogue_item *in) {
    out->id = in->id;
    out->kind = in->kind;
    out->key = strdup(in->key);
    out->title = strdup(in->title);
    out->features = strdup(in->features);
    if (out->key && out->title && out->features) return TACIT_OK;
    item_clear(out);
    return TACIT_NO_SPACE;
}

tacit_status catalogue_new(catalogue **out, const catalogue_item *items, size_t count) {
    catalogue *c = calloc(1, sizeof *c);
    if (c == NULL) return TACIT_NO_SPACE;
    tacit_status st = TACIT_NO_SPACE;
    c->items = calloc(count ? count : 1, sizeof *c->items);
    if (c->items == NULL) goto fail;
    for (; c->count < count; c->count++)
        if ((st = item_copy(&c->items[c->count], &items[c->count])) != TACIT_OK) goto fail;
    if ((st = finish(c)) != TACIT_OK) goto fail;
    *out = c;
    return TACIT_OK;
fail:
    catalogue_free(c);
    return st;
}

/* ---- CSV ---------------------------------------------------------------------------------------
 */

typedef struct {
    catalogue *c;
    size_t cap;
    uint64_t *seen; /* open-addressing set of (id + 1), power of two */
    size_t seen_cap;
} loader;

static tacit_status seen_add(loader *l, uint64_t id, bool *fresh) {
    if (l->c->count * 2 >= l->seen_cap) {
        size_t cap = l->seen_cap ? l->seen_cap * 2 : 1024;
        uint64_t *set = calloc(cap, sizeof *set);
        if (set == NULL) return TACIT_NO_SPACE;
        for (size_t i = 0; i < l->c->count; i++) {
            size_t at = (size_t)(l->c->items[i].id * UINT64_C(0x9E3779B97F4A7C15)) & (cap - 1);
            while (set[at] != 0) at = (at + 1) & (cap - 1);
            set[at] = l->c->items[i].id + 1;
        }
        free(l->seen);
        l->seen = set;
        l->seen_cap = cap;
    }
    size_t at = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15)) & (l->seen_cap - 1);
    while (l->seen[at] != 0 && l->seen[at] != id + 1) at = (at + 1) & (l->seen_cap - 1);
    *fresh = l->seen[at] == 0;
    l->seen[at] = id + 1;
    return TACIT_OK;
}

static tacit_status load_row(void *self, char *note, const char *const *fields, size_t line) {
    loader *l = self;
    (void)line;
    if (fields[0][0] == 0) {
        snprintf(note, TACIT_NOTE_LEN + 1, "column 'item' is empty");
        return TACIT_BAD_MESSAGE;
    }
    catalogue_item item = {.id = tacit_item_id(fields[0]),
                           .key = (char *)(uintptr_t)fields[0],
                           .title = (char *)(uintptr_t)fields[1],
                           .features = (char *)(uintptr_t)fields[3]};
    if (strcmp(fields[2], "offer") == 0) {
        item.kind = 1;
    } else if (fields[2][0] != 0 && strcmp(fields[2], "product") != 0) {
        snprintf(note, TACIT_NOTE_LEN + 1, "kind '%.40s' is neither product nor offer", fields[2]);
        return TACIT_BAD_MESSAGE;
    }
    if (l->c->count == TACIT_MAX_ITEMS) {
        snprintf(note, TACIT_NOTE_LEN + 1, "more than %d items", TACIT_MAX_ITEMS);
        return TACIT_BAD_MESSAGE;
    }
    bool fresh;
    tacit_status st = seen_add(l, item.id, &fresh);
    if (st != TACIT_OK) return st;
    if (!fresh) {
        snprintf(note, TACIT_NOTE_LEN + 1, "item '%.60s' stands twice", fields[0]);
        return TACIT_BAD_MESSAGE;
    }
    if (l->c->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 1024;
        catalogue_item *grown = realloc(l->c->items, cap * sizeof *grown);
        if (grown == NULL) return TACIT_NO_SPACE;
        l->c->items = grown;
        l->cap = cap;
    }
    st = item_copy(&l->c->items[l->c->count], &item);
    if (st == TACIT_OK) l->c->count++;
    return st;
}

/* Reads through one of the two readers of csv_table.h: path, or data. */
static tacit_status load(catalogue **out, size_t *bad_count, csv_spec spec, const char *path,
                         const char *data, size_t len) {
    loader l = {.c = calloc(1, sizeof *l.c)};
    if (l.c == NULL) return TACIT_NO_SPACE;
    csv_result result = {0, 0};
    spec.self = &l;
    tacit_status st =
        path != NULL ? csv_read(&spec, &result, path) : csv_read_memory(&spec, &result, data, len);
    if (bad_count != NULL) *bad_count = result.bad;
    if (st == TACIT_OK) st = finish(l.c);
    free(l.seen);
    if (st == TACIT_OK)
        *out = l.c;
    else
        catalogue_free(l.c);
    return st;
}

static csv_spec spec_of(const char *name, bool strict, FILE *errors) {
    return (csv_spec){.name = name,
                      .separator = ',',
                      .header = true,
                      .quotes = true,
                      .strict = strict,
                      .errors = errors,
                      .columns = {"item", "title?", "kind?", "features?"},
                      .column_count = 4,
                      .row = load_row};
}

tacit_status catalogue_load(catalogue **out, size_t *bad_count, const char *path, bool strict,
                            FILE *errors) {
    return load(out, bad_count, spec_of(path, strict, errors), path, NULL, 0);
}

tacit_status catalogue_parse(catalogue **out, size_t *bad_count, const char *name, const char *data,
                             size_t len, bool strict, FILE *errors) {
    return load(out, bad_count, spec_of(name, strict, errors), NULL, data, len);
}

void catalogue_print(const catalogue *c, FILE *out) {
    fputs("item,title,kind,features\n", out);
    for (size_t i = 0; i < c->count; i++) {
        const catalogue_item *it = &c->items[i];
        csv_write_field(out, it->key);
        fputc(',', out);
        csv_write_field(out, it->title);
        fputs(it->kind ? ",offer," : ",product,", out);
        csv_write_field(out, it->features);
        fputc('\n', out);
    }
}

tacit_status catalogue_save(const catalogue *c, const char *path) {
    char temporary[4096];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary)
        return TACIT_INVALID_ARGUMENT;
    FILE *f = fopen(temporary, "w");
    if (f == NULL) return TACIT_IO;
    catalogue_print(c, f);
    bool ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
    ok = fclose(f) == 0 && ok;
    if (ok && rename(temporary, path) == 0) return TACIT_OK;
    unlink(temporary);
    return TACIT_IO;
}

long catalogue_find(const catalogue *c, uint64_t id) {
    catalogue_item key = {.id = id};
    catalogue_item *at = bsearch(&key, c->items, c->count, sizeof key, by_id);
    return at == NULL ? -1 : (long)(at - c->items);
}

/* ---- Features ----------------------------------------------------------------------------------
 */

typedef struct {
    char *text; /* borrowed from a duplicated feature string */
    uint32_t item;
} token;

static int by_text(const void *a, const void *b) {
    const token *x = a, *y = b;
    int c = strcmp(x->text, y->text);
    return c != 0 ? c : (x->item > y->item) - (x->item < y->item);
}

/* All (token, item) pairs, sorted, repeats removed. *copies keeps the strings alive. */
static tacit_status collect_tokens(token **out, size_t *out_count, char ***copies,
                                   const catalogue *c) {
    size_t count = 0, cap = 1024;
    token *tokens = malloc(cap * sizeof *tokens);
    char **texts = calloc(c->count, sizeof *texts);
    tacit_status st = tokens && texts ? TACIT_OK : TACIT_NO_SPACE;
    for (size_t i = 0; i < c->count && st == TACIT_OK; i++) {
        if ((texts[i] = strdup(c->items[i].features)) == NULL) {
            st = TACIT_NO_SPACE;
            break;
        }
        char *rest = NULL;
        for (char *t = strtok_r(texts[i], " \t", &rest); t; t = strtok_r(NULL, " \t", &rest)) {
            if (count == cap) {
                token *grown = realloc(tokens, 2 * cap * sizeof *tokens);
                if (grown == NULL) {
                    st = TACIT_NO_SPACE;
                    break;
                }
                tokens = grown;
                cap *= 2;
            }
            tokens[count++] = (token){t, (uint32_t)i};
        }
    }
    size_t kept = 0;
    if (st == TACIT_OK) {
        qsort(tokens, count, sizeof *tokens, by_text);
        for (size_t i = 0; i < count; i++)
            if (kept == 0 || by_text(&tokens[kept - 1], &tokens[i]) != 0)
                tokens[kept++] = tokens[i];
    }
    *out = tokens;
    *out_count = kept;
    *copies = texts;
    return st;
}

/* First token after `from` with another text. */
static size_t run_end(const token *tokens, size_t count, size_t from) {
    size_t to = from + 1;
    while (to < count && strcmp(tokens[to].text, tokens[from].text) == 0) to++;
    return to;
}

/* Binary matrix [M x *width] of tokens that at least min_items items carry. */
static tacit_status one_hot(double **out, size_t *width, const token *tokens, size_t count,
                            size_t item_count, uint32_t min_items) {
    size_t columns = 0, column = 0;
    for (size_t i = 0, j; i < count; i = j) {
        j = run_end(tokens, count, i);
        columns += j - i >= min_items;
    }
    double *F = calloc(item_count * (columns ? columns : 1), sizeof *F);
    if (F == NULL) return TACIT_NO_SPACE;
    for (size_t i = 0, j; i < count; i = j) {
        j = run_end(tokens, count, i);
        if (j - i < min_items) continue;
        for (size_t t = i; t < j; t++) F[tokens[t].item * columns + column] = 1.0;
        column++;
    }
    *out = F;
    *width = columns;
    return TACIT_OK;
}

/* U S of the leading CATALOGUE_FEATURES_MAX singular triples = F E, E the leading eigenvectors of
 * F'F. Column signs are made unique (largest entry positive), so every build gets one answer. */
static tacit_status reduce(double *F, size_t *width, size_t item_count) {
    lapack_int n = (lapack_int)*width, want = CATALOGUE_FEATURES_MAX, found = 0;
    size_t w = *width;
    double *gram = malloc(w * w * sizeof *gram), *values = malloc(w * sizeof *values);
    double *vectors = malloc(w * (size_t)want * sizeof *vectors);
    double *reduced = malloc(item_count * (size_t)want * sizeof *reduced);
    lapack_int *support = malloc(2 * (size_t)want * sizeof *support);
    tacit_status st = TACIT_NO_SPACE;
    if (!gram || !values || !vectors || !reduced || !support) goto exit;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, (int)item_count, 1.0, F, n, 0.0, gram, n);
    st = TACIT_NUMERIC;
    if (LAPACKE_dsyevr(LAPACK_ROW_MAJOR, 'V', 'I', 'U', n, gram, n, 0, 0, n - want + 1, n, 0.0,
                       &found, values, vectors, want, support) != 0 ||
        found != want)
        goto exit;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)item_count, want, n, 1.0, F, n,
                vectors, want, 0.0, reduced, want);
    for (size_t j = 0; j < (size_t)want; j++) {
        double best = 0;
        for (size_t i = 0; i < w; i++) {
            double v = vectors[i * (size_t)want + j];
            if (v * v > best * best) best = v;
        }
        size_t to = (size_t)want - 1 - j; /* descending */
        for (size_t i = 0; i < item_count; i++)
            F[i * (size_t)want + to] = (best < 0 ? -1 : 1) * reduced[i * (size_t)want + j];
    }
    *width = (size_t)want;
    st = TACIT_OK;
exit:
    free(gram);
    free(values);
    free(vectors);
    free(reduced);
    free(support);
    return st;
}

tacit_status catalogue_features(learn_features **out, const catalogue *c, uint32_t min_items) {
    token *tokens = NULL;
    char **copies = NULL;
    double *F = NULL, *with_constant = NULL;
    size_t count = 0, width = 0;
    tacit_status st = collect_tokens(&tokens, &count, &copies, c);
    if (st == TACIT_OK) st = one_hot(&F, &width, tokens, count, c->count, min_items);
    if (st == TACIT_OK && width > CATALOGUE_FEATURES_MAX) st = reduce(F, &width, c->count);
    if (st == TACIT_OK) {
        with_constant = malloc(c->count * (width + 1) * sizeof *with_constant);
        st = with_constant ? TACIT_OK : TACIT_NO_SPACE;
    }
    if (st == TACIT_OK) {
        for (size_t i = 0; i < c->count; i++) {
            memcpy(with_constant + i * (width + 1), F + i * width, width * sizeof *F);
            with_constant[i * (width + 1) + width] = 1.0;
        }
        st = learn_features_new(out, with_constant, c->count, width + 1);
    }
    if (copies != NULL)
        for (size_t i = 0; i < c->count; i++) free(copies[i]);
    free(copies);
    free(tokens);
    free(F);
    free(with_constant);
    return st;
}
