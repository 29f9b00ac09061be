/* SPDX-License-Identifier: Apache-2.0
 * generate.c - a synthetic shop that behaves like one: few items sell most, people look at what
 * they like, and part of what they like is written nowhere in the catalogue.
 *
 *   item    category, brand, two words, price; demand ~ 1 / (rank + q)^s in random order; a hidden
 *           style vector, which its words tell only roughly
 *   person  one to three favourite categories, liked brands, a price level, a hidden taste vector;
 *           number of events log-normal around the mean
 *   choice  distinct items without replacement, P(item) ~ demand x exp(taste), by the Gumbel trick
 *           (the largest of log weight + Gumbel noise); some items take several events (view,
 * click, cart, purchase), some shown items are skipped time    visits spread over a year, events
 * seconds to minutes apart within a visit
 *
 * The hidden part is what makes learning from other people worth while: popularity cannot see it
 * and features tell little of it. Cost: people x items draws. Deterministic in the seed. */
#include <math.h>
#include <stdlib.h>

#include "common/item.h"
#include "common/prng.h"
#include "tools/dataset.h"
#include "tools/generate_words.h"

enum { STYLES = 3, MAX_BRANDS = 400, PRICE_BUCKETS = 5, NAME_LEN = 24, TITLE_LEN = 128 };

/* How strongly each part moves a choice, in log odds. */
static const double demand_power = 1.3, demand_shift = 10, category_pull = 2.2, brand_pull = 0.9,
                    style_pull = 1.3, price_pull = 0.5, activity_spread = 0.6;
static const uint64_t year_start_s = 1704067200; /* 2024-01-01 */
enum { YEAR_S = 366 * 86400 };

typedef struct {
    uint32_t category, noun, brand, words[2], bucket;
    double log_demand, price;
    double style[STYLES];
} shop_item;

typedef struct {
    const dataset_generate_spec *spec;
    tacit_prng prng;
    shop_item *items;
    uint32_t brand_count;
    char brands[MAX_BRANDS][NAME_LEN];
    uint32_t brand_home[MAX_BRANDS]; /* a brand sells in two neighbouring categories */
    double word_style[GENERATE_WORDS][STYLES];
    double category_price[GENERATE_CATEGORIES];
} shop;

/* ---- Items -------------------------------------------------------------------------------------
 */

/* Two or three syllables, each brand once. */
static void make_brands(shop *s) {
    static const char *const start[] = {"Al",  "Bor", "Cas",  "Dor", "El",  "Fen", "Gar",
                                        "Hal", "Ist", "Jun",  "Kel", "Lum", "Mar", "Nor",
                                        "Or",  "Pel", "Quin", "Ros", "Sol", "Tam"};
    static const char *const end[] = {"a",    "berg", "dal", "en",  "field", "in",  "is",
                                      "mark", "o",    "ra",  "sen", "ström", "ton", "via",
                                      "well", "wick", "vik", "ys",  "um",    "ette"};
    enum { ALL = 20 * 20 };
    uint32_t order[ALL];
    s->brand_count = s->spec->items / 16;
    if (s->brand_count < 8) s->brand_count = 8;
    if (s->brand_count > MAX_BRANDS) s->brand_count = MAX_BRANDS;
    for (uint32_t i = 0; i < ALL; i++) order[i] = i;
    for (uint32_t i = 0; i < s->brand_count; i++) {
        uint32_t j = i + tacit_prng_below(&s->prng, ALL - i), t = order[i];
        order[i] = order[j];
        order[j] = t;
        snprintf(s->brands[i], NAME_LEN, "%s%s", start[order[i] / 20], end[order[i] % 20]);
        s->brand_home[i] = i % GENERATE_CATEGORIES;
    }
}

/* A word whose style is near the item's: the best of four random ones. */
static uint32_t choose_word(shop *s, const double *style) {
    uint32_t best = 0;
    double best_match = -INFINITY;
    for (int tries = 0; tries < 4; tries++) {
        uint32_t w = tacit_prng_below(&s->prng, GENERATE_WORDS);
        double match = 0;
        for (int k = 0; k < STYLES; k++) match += style[k] * s->word_style[w][k];
        if (match > best_match) best = w;
        if (match > best_match) best_match = match;
    }
    return best;
}

static void make_item(shop *s, shop_item *it, uint32_t rank) {
    it->category = tacit_prng_below(&s->prng, GENERATE_CATEGORIES);
    it->noun = tacit_prng_below(&s->prng, GENERATE_NOUNS);
    do {
        it->brand = tacit_prng_below(&s->prng, s->brand_count);
    } while (s->brand_count >= GENERATE_CATEGORIES && s->brand_home[it->brand] != it->category &&
             (s->brand_home[it->brand] + 1) % GENERATE_CATEGORIES != it->category);
    for (int k = 0; k < STYLES; k++) it->style[k] = tacit_prng_normal(&s->prng);
    it->words[0] = choose_word(s, it->style);
    do {
        it->words[1] = choose_word(s, it->style);
    } while (it->words[1] == it->words[0]);
    double level = tacit_prng_normal(&s->prng); /* within its category */
    it->price = floor(exp(s->category_price[it->category] + 0.6 * level)) + 0.99;
    it->bucket = level < -1 ? 0 : level < -0.3 ? 1 : level < 0.3 ? 2 : level < 1 ? 3 : 4;
    it->log_demand = -demand_power * log((double)rank + demand_shift);
}

static tacit_status make_catalogue(catalogue **out, const shop *s) {
    uint32_t count = s->spec->items;
    catalogue_item *items = calloc(count, sizeof *items);
    if (items == NULL) return TACIT_NO_SPACE;
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < count && st == TACIT_OK; i++) {
        const shop_item *it = &s->items[i];
        const char *category = generate_categories[it->category].name;
        char key[32], title[TITLE_LEN], features[TITLE_LEN * 2];
        snprintf(key, sizeof key, "sku-%06u", i + 1);
        snprintf(title, sizeof title, "%s %s %s %s, %.2f", s->brands[it->brand],
                 generate_words[it->words[0]], generate_words[it->words[1]],
                 generate_categories[it->category].nouns[it->noun], it->price);
        snprintf(features, sizeof features, "category:%s brand:%s type:%s word:%s word:%s price:%u",
                 category, s->brands[it->brand], generate_categories[it->category].nouns[it->noun],
                 generate_words[it->words[0]], generate_words[it->words[1]], it->bucket + 1);
        for (char *p = features; (p = strpbrk(p, "-")) != NULL; p++) *p = '_';
        items[i].id = tacit_item_id(key);
        items[i].key = strdup(key);
        items[i].title = strdup(title);
        items[i].features = strdup(features);
        if (!items[i].key || !items[i].title || !items[i].features) st = TACIT_NO_SPACE;
    }
    if (st == TACIT_OK) st = catalogue_new(out, items, count);
    for (uint32_t i = 0; i < count; i++) {
        free(items[i].key);
        free(items[i].title);
        free(items[i].features);
    }
    free(items);
    return st;
}

static tacit_status make_items(shop *s) {
    uint32_t count = s->spec->items;
    uint32_t *ranks = malloc(count * sizeof *ranks);
    s->items = calloc(count, sizeof *s->items);
    if (ranks == NULL || s->items == NULL) {
        free(ranks);
        return TACIT_NO_SPACE;
    }
    for (uint32_t i = 0; i < count; i++) ranks[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t j = tacit_prng_below(&s->prng, i + 1), t = ranks[i];
        ranks[i] = ranks[j];
        ranks[j] = t;
    }
    for (uint32_t w = 0; w < GENERATE_WORDS; w++)
        for (int k = 0; k < STYLES; k++) s->word_style[w][k] = tacit_prng_normal(&s->prng);
    for (uint32_t c = 0; c < GENERATE_CATEGORIES; c++)
        s->category_price[c] = 2.0 + 2.0 * tacit_prng_unit(&s->prng);
    for (uint32_t i = 0; i < count; i++) make_item(s, &s->items[i], ranks[i] + 1);
    free(ranks);
    return TACIT_OK;
}

/* ---- People ------------------------------------------------------------------------------------
 */

typedef struct {
    double category[GENERATE_CATEGORIES], brand[MAX_BRANDS], style[STYLES], price_level;
} taste;

static void make_taste(shop *s, taste *t) {
    memset(t, 0, sizeof *t);
    uint32_t favourites = 1 + tacit_prng_below(&s->prng, 3);
    for (uint32_t c = 0; c < GENERATE_CATEGORIES; c++)
        t->category[c] = 0.4 * tacit_prng_normal(&s->prng);
    for (uint32_t i = 0; i < favourites; i++)
        t->category[tacit_prng_below(&s->prng, GENERATE_CATEGORIES)] = category_pull;
    for (uint32_t b = 0; b < s->brand_count; b++)
        t->brand[b] = tacit_prng_unit(&s->prng) < 0.15 ? brand_pull : 0;
    double norm = 1e-9;
    for (int k = 0; k < STYLES; k++) {
        t->style[k] = tacit_prng_normal(&s->prng);
        norm += t->style[k] * t->style[k];
    }
    for (int k = 0; k < STYLES; k++) t->style[k] *= style_pull / sqrt(norm);
    t->price_level = PRICE_BUCKETS * tacit_prng_unit(&s->prng) - 0.5;
}

typedef struct {
    double key; /* log weight + Gumbel noise */
    uint32_t item;
} choice;

static int by_key_down(const void *a, const void *b) {
    const choice *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void rank_items(shop *s, choice *out, const taste *t) {
    for (uint32_t i = 0; i < s->spec->items; i++) {
        const shop_item *it = &s->items[i];
        double away = (double)it->bucket - t->price_level;
        double pull = it->log_demand + t->category[it->category] + t->brand[it->brand] -
                      price_pull * away * away / 2;
        for (int k = 0; k < STYLES; k++) pull += t->style[k] * it->style[k];
        out[i] = (choice){pull - log(-log(tacit_prng_unit(&s->prng) + 1e-300)), i};
    }
    qsort(out, s->spec->items, sizeof *out, by_key_down);
}

/* How far a person goes with an item: mostly a look. */
static uint32_t last_kind(tacit_prng *prng) {
    double u = tacit_prng_unit(prng);
    return u < 0.60   ? TACIT_EVENT_VIEW
           : u < 0.82 ? TACIT_EVENT_CLICK
           : u < 0.92 ? TACIT_EVENT_CART
                      : TACIT_EVENT_PURCHASE;
}

enum { SKIP_PERCENT = 5, LEAST_EVENTS = 5, VISIT_ITEMS = 4 };

/* One person's events; visits come in the order of time, items in random order. */
static tacit_status make_events(shop *s, dataset_builder *b, const catalogue_item *keys,
                                const choice *ranked, uint32_t person, uint32_t wanted) {
    char name[32];
    uint32_t made = 0, taken = 0, skipped = 0;
    uint64_t time_s = year_start_s + tacit_prng_below(&s->prng, YEAR_S / 2);
    uint32_t gap_s = (uint32_t)((double)YEAR_S / 2 * VISIT_ITEMS * 1.5 / (double)(wanted + 1));
    snprintf(name, sizeof name, "p%05u", person + 1);
    tacit_status st = TACIT_OK;
    while (made < wanted && taken + skipped < s->spec->items && st == TACIT_OK) {
        if (tacit_prng_below(&s->prng, VISIT_ITEMS) == 0)
            time_s += 3600 + tacit_prng_below(&s->prng, 2 * gap_s + 1);
        if (tacit_prng_below(&s->prng, 100) < SKIP_PERCENT) {
            /* What was shown and not wanted stands far down the list. */
            uint32_t item = ranked[s->spec->items - 1 - skipped++].item;
            st = dataset_builder_add(b, name, keys[item].id, TACIT_EVENT_SKIP, 0, time_s++);
            made++;
            continue;
        }
        uint32_t item = ranked[taken++].item, last = last_kind(&s->prng);
        for (uint32_t kind = TACIT_EVENT_VIEW; kind <= last && st == TACIT_OK; kind++) {
            if (kind != last && tacit_prng_unit(&s->prng) < 0.5) continue; /* seen elsewhere */
            float value = kind == TACIT_EVENT_PURCHASE ? (float)s->items[item].price : 0;
            st = dataset_builder_add(b, name, keys[item].id, (uint8_t)kind, value, time_s);
            time_s += 5 + tacit_prng_below(&s->prng, 90);
            made++;
        }
    }
    return st;
}

static tacit_status make_people(shop *s, dataset_builder *b) {
    const dataset_generate_spec *spec = s->spec;
    choice *ranked = malloc(spec->items * sizeof *ranked);
    taste *t = malloc(sizeof *t);
    catalogue_item *keys = calloc(spec->items, sizeof *keys); /* ids only, in shop order */
    tacit_status st = ranked && t && keys ? TACIT_OK : TACIT_NO_SPACE;
    for (uint32_t i = 0; i < spec->items && st == TACIT_OK; i++) {
        char key[32];
        snprintf(key, sizeof key, "sku-%06u", i + 1);
        keys[i].id = tacit_item_id(key);
    }
    for (uint32_t p = 0; p < spec->people && st == TACIT_OK; p++) {
        double spread = activity_spread * tacit_prng_normal(&s->prng);
        double mean = exp(spread - activity_spread * activity_spread / 2);
        double wanted = floor(spec->events_per_person * mean + 0.5);
        if (wanted < LEAST_EVENTS) wanted = LEAST_EVENTS;
        make_taste(s, t);
        rank_items(s, ranked, t);
        st = make_events(s, b, keys, ranked, p, (uint32_t)wanted);
    }
    free(ranked);
    free(t);
    free(keys);
    return st;
}

tacit_status dataset_generate(dataset **out, const dataset_generate_spec *spec) {
    if (spec->people < 1 || spec->people > 10000000 || spec->items < 10 ||
        spec->items > TACIT_MAX_ITEMS || !(spec->events_per_person >= LEAST_EVENTS) ||
        spec->events_per_person > spec->items)
        return TACIT_INVALID_ARGUMENT;
    shop *s = calloc(1, sizeof *s);
    dataset_builder *b = dataset_builder_new();
    catalogue *c = NULL;
    size_t unknown;
    tacit_status st = s && b ? TACIT_OK : TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        s->spec = spec;
        tacit_prng_init_seed(&s->prng, spec->seed, 7);
        make_brands(s);
        st = make_items(s);
    }
    if (st == TACIT_OK) st = make_people(s, b);
    if (st == TACIT_OK) st = make_catalogue(&c, s);
    if (st == TACIT_OK) st = dataset_builder_finish(out, &unknown, b, c, "generated", 1, false);
    dataset_builder_free(b);
    if (s != NULL) free(s->items);
    free(s);
    return st;
}
