/* SPDX-License-Identifier: Apache-2.0
 * import_movielens.c - MovieLens 100K (u.data, u.item) and MovieLens 1M as pairs (interactions.csv,
 * items.csv). Features are the genres and the decade of the year in the title. */
#include <ctype.h>

#include "tools/import_internal.h"

static const char *const ml_genres[] = {
    "unknown",     "Action", "Adventure", "Animation", "Children", "Comedy",  "Crime",
    "Documentary", "Drama",  "Fantasy",   "Film-Noir", "Horror",   "Musical", "Mystery",
    "Romance",     "Sci-Fi", "Thriller",  "War",       "Western"};

/* columns: id title release video imdb, 19 flags */
static tacit_status ml100k_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    char tokens[512] = "";
    uint64_t id;
    if (!import_u64(&id, f[0])) return import_bad(note, "item is not a number:", f[0]);
    for (size_t g = 0; g < 19; g++) {
        const char *flag = f[5 + g];
        if ((flag[0] != '0' && flag[0] != '1') || flag[1] != 0)
            return import_bad(note, "genre flag is neither 0 nor 1:", flag);
        size_t at = strlen(tokens);
        if (flag[0] == '1')
            snprintf(tokens + at, sizeof tokens - at, "%sgenre:%s", at ? " " : "", ml_genres[g]);
    }
    import_decade(tokens, sizeof tokens, f[1]);
    return import_item_once(self, note, f[0], f[1], tokens, 0);
}

/* columns: user item rating time */
static tacit_status ml100k_rating(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    import_state *s = self;
    uint64_t item, time_s;
    float value;
    if (f[0][0] == 0) return import_bad(note, "user is empty", "");
    if (!import_u64(&item, f[1])) return import_bad(note, "item is not a number:", f[1]);
    if (!import_float(&value, f[2]) || value < 1 || value > 5)
        return import_bad(note, "rating is not in 1..5:", f[2]);
    if (!import_u64(&time_s, f[3])) return import_bad(note, "time is not a number:", f[3]);
    return dataset_builder_add(s->builder, f[0], item, TACIT_EVENT_RATING, value, time_s);
}

tacit_status import_ml100k(dataset **out, char *note, const char *folder,
                           const dataset_options *options) {
    import_state s;
    char path[IMPORT_PATH_LEN];
    tacit_status st = import_begin(&s, options, note);
    if (st != TACIT_OK) return st;
    csv_spec items = {.separator = '|', .latin1 = true, .column_count = 24, .row = ml100k_item};
    csv_spec ratings = {.separator = '\t', .column_count = 4, .row = ml100k_rating};
    if (import_exists(folder, "u.item", path)) {
        st = import_table(&s, path, items, NULL);
    } else {
        snprintf(note, TACIT_NOTE_LEN + 1, "%.80s: no u.item", folder);
        st = TACIT_NOT_FOUND;
    }
    import_exists(folder, "u.data", path);
    if (st == TACIT_OK) st = import_table(&s, path, ratings, NULL);
    if (st == TACIT_OK) st = import_finish(out, &s, NULL, folder, 1);
    import_end(&s);
    return st;
}

/* columns: iid title genres */
static tacit_status ml1m_item(void *self, char *note, const char *const *f, size_t line) {
    (void)line;
    char tokens[512] = "";
    uint64_t id;
    if (!import_u64(&id, f[0])) return import_bad(note, "iid is not a number:", f[0]);
    if (strlen(f[2]) > 256) return import_bad(note, "genres are too long:", f[2]);
    for (const char *g = f[2]; *g;) {
        size_t len = strcspn(g, "|"), at = strlen(tokens);
        if (len > 0) {
            snprintf(tokens + at, sizeof tokens - at, "%sgenre:%.*s", at ? " " : "", (int)len, g);
            for (char *p = tokens + at + (at > 0); *p; p++)
                if (isspace((unsigned char)*p)) *p = '-';
        }
        g += len + (g[len] == '|');
    }
    import_decade(tokens, sizeof tokens, f[1]);
    return import_item_once(self, note, f[0], f[1], tokens, 0);
}

/* columns: user item */
static tacit_status ml1m_pair(void *self, char *note, const char *const *f, size_t line) {
    import_state *s = self;
    uint64_t item;
    (void)line;
    if (f[0][0] == 0) return import_bad(note, "user is empty", "");
    if (!import_u64(&item, f[1])) return import_bad(note, "item is not a number:", f[1]);
    return dataset_builder_add(s->builder, f[0], item, TACIT_EVENT_RATING, 0, 0);
}

tacit_status import_ml1m(dataset **out, char *note, const char *folder,
                         const dataset_options *options) {
    import_state s;
    char path[IMPORT_PATH_LEN];
    tacit_status st = import_begin(&s, options, note);
    if (st != TACIT_OK) return st;
    csv_spec items = {.separator = ',',
                      .header = true,
                      .quotes = true,
                      .columns = {"iid", "title", "genres"},
                      .column_count = 3,
                      .row = ml1m_item};
    csv_spec pairs = {.separator = ',',
                      .header = true,
                      .quotes = true,
                      .columns = {"user", "item"},
                      .column_count = 2,
                      .row = ml1m_pair};
    import_exists(folder, "items.csv", path);
    st = import_table(&s, path, items, NULL);
    import_exists(folder, "interactions.csv", path);
    if (st == TACIT_OK) st = import_table(&s, path, pairs, NULL);
    if (st == TACIT_OK) st = import_finish(out, &s, NULL, folder, 1);
    import_end(&s);
    return st;
}
