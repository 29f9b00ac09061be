/* SPDX-License-Identifier: Apache-2.0
 * dataset_test.c - importers on small files with every kind of bad line, on the public datasets
 * when they are there, saving, and the split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "common/item.h"
#include "tests/support/files.h"
#include "tools/dataset.h"

static dataset *load(const char *folder, const dataset_options *o) {
    dataset *d = NULL;
    char note[TACIT_NOTE_LEN + 1];
    tacit_status st = dataset_load(&d, note, folder, o);
    if (st != TACIT_OK) fail_msg("%s: %s", folder, note);
    return d;
}

static size_t pairs_of(const dataset *d) {
    dataset_split *s = NULL;
    assert_int_equal(dataset_split_new(&s, d, 0, 1), TACIT_OK);
    size_t pairs = s->train_offsets[s->person_count];
    assert_int_equal(s->test_offsets[s->person_count], 0);
    dataset_split_free(s);
    return pairs;
}

/* ---- The public datasets -----------------------------------------------------------------------
 */

static void check_public(const char *name, size_t people, size_t items, size_t events,
                         size_t pairs) {
    const char *base = getenv("TACIT_DATA");
    char path[FILES_PATH];
    struct stat info;
    files_path(path, base && base[0] ? base : "../shared/data", name);
    if (stat(path, &info) != 0) {
        print_message("%s is absent: set TACIT_DATA to check it\n", path);
        skip();
    }
    dataset_options o = {.strict = true, .errors = stderr};
    dataset *d = load(path, &o);
    assert_string_equal(d->name, name);
    assert_int_equal(d->person_count, people);
    assert_int_equal(d->catalogue->count, items);
    assert_int_equal(d->event_count, events);
    assert_int_equal(pairs_of(d), pairs);
    assert_int_equal(d->bad_lines, 0);
    dataset_free(d);
}

static void test_ml_100k(void **state) {
    (void)state;
    check_public("ml-100k", 943, 1682, 100000, 100000);
}

static void test_ml_1m(void **state) {
    (void)state;
    check_public("ml-1m-implicit", 6018, 3018, 933517, 933517);
}

static void test_online_retail(void **state) {
    (void)state;
    check_public("online-retail", 4080, 3661, 397180, 266211);
}

/* ---- Small files -------------------------------------------------------------------------------
 */

/* A line of u.item with the flags of two genres. */
static void ml_item(char *out, size_t cap, const char *id, const char *title, int a, int b) {
    size_t at = strlen(out);
    at += (size_t)snprintf(out + at, cap - at, "%s|%s|01-Jan-1995||http://x", id, title);
    for (int g = 0; g < 19; g++)
        at += (size_t)snprintf(out + at, cap - at, "|%d", g == a || g == b);
    snprintf(out + at, cap - at, "\n");
}

static void test_ml_100k_bad_lines(void **state) {
    (void)state;
    char folder[FILES_PATH], items[2048] = "";
    files_folder(folder);
    ml_item(items, sizeof items, "1", "Caf\xE9 (1995)", 5, 8);
    ml_item(items, sizeof items, "2", "No year", 1, 1);
    ml_item(items, sizeof items, "x", "Not a number", 1, 1);
    ml_item(items, sizeof items, "2", "Twice", 1, 1);
    snprintf(items + strlen(items), 32, "3|Too few columns\n");
    files_text(folder, "u.item", items);
    files_text(folder, "u.data",
               "7\t1\t5\t100\n7\t2\t6\t101\n7\t2\tnan\t102\n8\t2\t1\t50\n7\t2\t3\t-5\n"
               "7\t99\t3\t103\n8\t1\t4\t40\n\t1\t4\t40\n");
    files_capture *errors = files_listen();
    dataset_options o = {.errors = errors->file};
    dataset *d = load(folder, &o);
    char *said = files_captured(errors);
    assert_int_equal(d->bad_lines, 7);
    assert_non_null(strstr(said, "u.item:3: item is not a number: 'x'"));
    assert_non_null(strstr(said, "u.item:4: this item stands twice: '2'"));
    assert_non_null(strstr(said, "u.item:5: 2 columns"));
    assert_non_null(strstr(said, "u.data:2: rating is not in 1..5: '6'"));
    assert_non_null(strstr(said, "u.data:3: rating is not in 1..5: 'nan'"));
    assert_non_null(strstr(said, "u.data:5: time is not a number: '-5'"));
    assert_non_null(strstr(said, "u.data:8: user is empty"));
    free(said);
    assert_string_equal(d->summary, "left out: 1 events of items that are not in the catalogue");
    assert_int_equal(d->catalogue->count, 2);
    assert_string_equal(d->catalogue->items[0].title, "Caf\xC3\xA9 (1995)");
    assert_string_equal(d->catalogue->items[0].features, "genre:Comedy genre:Drama decade:1990");
    assert_string_equal(d->catalogue->items[1].features, "genre:Action");
    assert_int_equal(d->person_count, 2);
    long p = dataset_find(d, "8");
    assert_int_equal(p, 1);
    assert_int_equal(dataset_find(d, "9"), -1);
    assert_int_equal(d->offsets[2] - d->offsets[1], 2); /* in the order of time */
    assert_int_equal(d->events[d->offsets[p]].time_s, 40);
    assert_int_equal(d->events[d->offsets[p] + 1].time_s, 50);
    dataset_free(d);
    char note[TACIT_NOTE_LEN + 1];
    o = (dataset_options){.strict = true};
    assert_int_equal(dataset_load(&d, note, folder, &o), TACIT_BAD_MESSAGE);
    assert_non_null(strstr(note, "u.item"));
    files_remove(folder);
}

#define RETAIL_HEAD \
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

static void test_retail_rules(void **state) {
    (void)state;
    char folder[FILES_PATH];
    files_folder(folder);
    /* 11 buys five items (one twice, one under three descriptions); 12 only two, one of them
     * alone. */
    files_text(folder, "online_retail.csv",
               RETAIL_HEAD
               "1,A,RED MUG,1,2010-12-01 08:26:00,1,11,UK\n"
               "1,B,RARE NAME,2,2010-12-01 08:26:00,1,11,UK\n"
               "2,B,BLUE CUP 3D,2,2010-12-02 08:26:00,1,11,UK\n"
               "2,B,BLUE CUP 3D,2,2010-12-03 08:26:00,1,12,UK\n"
               "3,C,Lamp,1,2010-12-04,1,11,UK\n"
               "4,D,Lamp,1,2010-12-04T10:00,1,11,UK\n"
               "5,E,Lamp,1,2010-12-05 00:00:00,1,11,UK\n"
               "6,F,Only for 12,1,2010-12-05 00:00:00,1,12,UK\n"
               "C7,G,Returned,-1,2010-12-05 00:00:00,1,11,UK\n"
               "C8,G,Cancelled,1,2010-12-05 00:00:00,1,11,UK\n"
               "9,G,Nobody,1,2010-12-05 00:00:00,1,NA,UK\n"
               "10,H,Bad,one,2010-12-05 00:00:00,1,11,UK\n"
               "11,H,Bad,1,2010-13-05 00:00:00,1,11,UK\n"
               "12,H,Bad,1,2010-06-31 00:00:00,1,11,UK\n"
               "13,,Bad,1,2010-06-30 00:00:00,1,11,UK\n");
    dataset_options o = {.format = DATASET_RETAIL};
    dataset *d = load(folder, &o);
    assert_int_equal(d->bad_lines, 4);
    assert_int_equal(d->person_count, 1);
    assert_string_equal(d->keys[0], "11");
    assert_int_equal(d->event_count, 6);
    assert_int_equal(pairs_of(d), 5);
    assert_int_equal(d->catalogue->count, 5); /* F went with person 12 */
    assert_int_equal(catalogue_find(d->catalogue, tacit_item_id("F")), -1);
    long b = catalogue_find(d->catalogue, tacit_item_id("B"));
    assert_true(b >= 0);
    assert_string_equal(d->catalogue->items[b].title, "BLUE CUP 3D"); /* the commonest */
    assert_string_equal(d->catalogue->items[b].features, "blue cup");
    assert_string_equal(d->summary,
                        "left out: 2 cancelled or returned lines, 1 without a customer");
    assert_int_equal(d->events[0].time_s, 1291191960);
    for (size_t i = 0; i < d->event_count; i++) assert_true(d->events[i].item < 5);
    dataset_free(d);
    o.min_items = 1;
    d = load(folder, &o);
    assert_int_equal(d->person_count, 2);
    assert_int_equal(d->catalogue->count, 6);
    dataset_free(d);
    files_remove(folder);
}

static void test_csv_with_named_columns(void **state) {
    (void)state;
    char folder[FILES_PATH], events[FILES_PATH], items[FILES_PATH], note[TACIT_NOTE_LEN + 1];
    files_folder(folder);
    files_path(events, folder, "orders.csv");
    files_path(items, folder, "products.csv");
    files_text(folder, "orders.csv",
               "when;who;what;how\n2024-01-02 03:04;anna;sku-1;cart\n2024-01-01;anna;7;\n"
               "5;bert;7;stolen\n6;bert;sku-2;skip\nyesterday;bert;7;view\n7;bert;7;view\n");
    files_text(folder, "products.csv",
               "sku;name;brand;tags\nsku-1;A mug;Acme;red big\n7;Cup;Acme|Best;\nsku-1;Twice;;\n");
    dataset_csv csv = {.interactions = events,
                       .catalogue = items,
                       .person = "who",
                       .item = "what",
                       .event = "how",
                       .time = "when",
                       .item_key = "sku",
                       .title = "name",
                       .features = "brand,tags",
                       .separator = ';',
                       .default_kind = TACIT_EVENT_PURCHASE};
    dataset_options o = {.strict = false};
    dataset *d = NULL;
    assert_int_equal(dataset_load_csv(&d, note, &csv, &o), TACIT_OK);
    assert_int_equal(d->bad_lines, 3);
    assert_int_equal(d->person_count, 2);
    assert_int_equal(d->catalogue->count, 2);
    assert_string_equal(d->catalogue->items[0].features, "brand:Acme brand:Best");
    assert_string_equal(d->catalogue->items[1].features, "brand:Acme tags:red tags:big");
    assert_int_equal(d->events[0].kind, TACIT_EVENT_PURCHASE);
    assert_int_equal(d->events[0].time_s, 1704067200);
    assert_int_equal(d->events[1].kind, TACIT_EVENT_CART);
    assert_string_equal(d->summary, "left out: 1 events of items that are not in the catalogue");
    dataset_free(d);
    /* Without a catalogue the events' items are the catalogue. */
    csv.catalogue = NULL;
    csv.time = NULL;
    assert_int_equal(dataset_load_csv(&d, note, &csv, &o), TACIT_OK);
    assert_int_equal(d->catalogue->count, 3);
    assert_string_equal(d->catalogue->items[catalogue_find(d->catalogue, 7)].title, "7");
    dataset_free(d);
    csv.person = "nobody";
    assert_int_equal(dataset_load_csv(&d, note, &csv, &o), TACIT_BAD_MESSAGE);
    csv.person = "who";
    o.strict = true;
    assert_int_equal(dataset_load_csv(&d, note, &csv, &o), TACIT_BAD_MESSAGE);
    csv.interactions = "/no/such/file.csv";
    assert_int_equal(dataset_load_csv(&d, note, &csv, &o), TACIT_NOT_FOUND);
    assert_non_null(strstr(note, "no such file"));
    files_remove(folder);
}

static void test_unknown_folders(void **state) {
    (void)state;
    char folder[FILES_PATH], note[TACIT_NOTE_LEN + 1];
    dataset_options o = {.format = DATASET_AUTO};
    dataset *d = NULL;
    files_folder(folder);
    assert_int_equal(dataset_load(&d, note, folder, &o), TACIT_NOT_FOUND);
    assert_non_null(strstr(note, "none of the files"));
    files_text(folder, "u.data", "1\t1\t1\t1\n");
    assert_int_equal(dataset_load(&d, note, folder, &o), TACIT_NOT_FOUND);
    assert_non_null(strstr(note, "no u.item"));
    files_remove(folder);
    assert_int_equal(dataset_load(&d, note, folder, &o), TACIT_NOT_FOUND);
}

/* ---- Saving and splitting ----------------------------------------------------------------------
 */

static dataset *generated(uint32_t people, uint32_t items) {
    dataset *d = NULL;
    dataset_generate_spec spec = {
        .people = people, .items = items, .events_per_person = 20, .seed = 3};
    assert_int_equal(dataset_generate(&d, &spec), TACIT_OK);
    return d;
}

static void test_saved_and_loaded_is_the_same(void **state) {
    (void)state;
    char folder[FILES_PATH];
    files_folder(folder);
    dataset *d = generated(40, 60);
    d->events[3].value = 0.1f;
    free(d->keys[5]);
    d->keys[5] = strdup(" a, \"name\"");
    assert_int_equal(dataset_save(d, folder), TACIT_OK);
    dataset_options o = {.strict = true, .errors = stderr};
    dataset *again = load(folder, &o);
    assert_int_equal(again->person_count, d->person_count);
    assert_int_equal(again->event_count, d->event_count);
    assert_memory_equal(again->catalogue->digest, d->catalogue->digest, TACIT_HASH_LEN);
    for (size_t p = 0; p < d->person_count; p++) {
        assert_string_equal(again->keys[p], d->keys[p]);
        assert_int_equal(again->offsets[p + 1], d->offsets[p + 1]);
    }
    for (size_t i = 0; i < d->event_count; i++) {
        assert_int_equal(again->events[i].item, d->events[i].item);
        assert_int_equal(again->events[i].kind, d->events[i].kind);
        assert_int_equal(again->events[i].time_s, d->events[i].time_s);
        assert_true(again->events[i].value == d->events[i].value);
    }
    dataset_free(again);
    assert_int_equal(dataset_save(d, "/no/such/folder"), TACIT_IO);
    dataset_free(d);
    files_remove(folder);
}

static void test_split(void **state) {
    (void)state;
    dataset *d = generated(50, 80);
    dataset_split *all = NULL, *s = NULL, *same = NULL, *other = NULL;
    assert_int_equal(dataset_split_new(&all, d, 0, 1), TACIT_OK);
    assert_int_equal(dataset_split_new(&s, d, 0.2, 1), TACIT_OK);
    assert_int_equal(dataset_split_new(&same, d, 0.2, 1), TACIT_OK);
    assert_int_equal(dataset_split_new(&other, d, 0.2, 2), TACIT_OK);
    for (size_t p = 0; p < d->person_count; p++) {
        size_t H = all->train_offsets[p + 1] - all->train_offsets[p];
        size_t train = s->train_offsets[p + 1] - s->train_offsets[p];
        size_t test = s->test_offsets[p + 1] - s->test_offsets[p];
        assert_int_equal(test, (H + 2) / 5); /* round(.2 H) */
        assert_int_equal(train + test, H);
        /* Both parts ascend and together they are the whole. */
        const uint32_t *a = s->train + s->train_offsets[p], *b = s->test + s->test_offsets[p];
        for (size_t i = 0, ai = 0, bi = 0; i < H; i++) {
            uint32_t want = all->train[all->train_offsets[p] + i];
            if (ai < train && a[ai] == want)
                ai++;
            else if (bi < test && b[bi] == want)
                bi++;
            else
                fail_msg("person %zu: item %u is in neither part", p, want);
        }
    }
    size_t tests = s->test_offsets[s->person_count];
    assert_int_equal(tests, same->test_offsets[s->person_count]);
    assert_memory_equal(s->test, same->test, tests * sizeof *s->test);
    assert_memory_not_equal(s->test, other->test, tests * sizeof *s->test);
    dataset_split_free(all);
    dataset_split_free(s);
    dataset_split_free(same);
    dataset_split_free(other);
    dataset_free(d);
}

static void test_skips_are_no_interest(void **state) {
    (void)state;
    catalogue_item items[3] = {{.id = 1, .key = "1", .title = "", .features = ""},
                               {.id = 2, .key = "2", .title = "", .features = ""},
                               {.id = 3, .key = "3", .title = "", .features = ""}};
    catalogue *c = NULL;
    dataset *d = NULL;
    size_t unknown;
    assert_int_equal(catalogue_new(&c, items, 3), TACIT_OK);
    dataset_builder *b = dataset_builder_new();
    assert_int_equal(dataset_builder_add(b, "a", 1, TACIT_EVENT_VIEW, 0, 5), TACIT_OK);
    assert_int_equal(dataset_builder_add(b, "a", 2, TACIT_EVENT_SKIP, 0, 4), TACIT_OK);
    assert_int_equal(dataset_builder_add(b, "a", 1, TACIT_EVENT_PURCHASE, 0, 3), TACIT_OK);
    assert_int_equal(dataset_builder_add(b, "b", 3, TACIT_EVENT_SKIP, 0, 4), TACIT_OK);
    assert_int_equal(dataset_builder_finish(&d, &unknown, b, c, "t", 1, true), TACIT_OK);
    dataset_builder_free(b);
    assert_int_equal(d->person_count, 1);
    assert_int_equal(d->catalogue->count, 2); /* a skip touches an item, person b is gone */
    assert_int_equal(d->event_count, 3);
    assert_int_equal(d->events[0].kind, TACIT_EVENT_PURCHASE);
    assert_int_equal(pairs_of(d), 1);
    dataset_free(d);
    assert_int_equal(dataset_kind_of("skip"), TACIT_EVENT_SKIP);
    assert_int_equal(dataset_kind_of("skips"), 0);
    assert_string_equal(dataset_kind_name(TACIT_EVENT_RATING), "rating");
    assert_string_equal(dataset_kind_name(200), "");
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ml_100k),         cmocka_unit_test(test_ml_1m),
        cmocka_unit_test(test_online_retail),   cmocka_unit_test(test_ml_100k_bad_lines),
        cmocka_unit_test(test_retail_rules),    cmocka_unit_test(test_csv_with_named_columns),
        cmocka_unit_test(test_unknown_folders), cmocka_unit_test(test_saved_and_loaded_is_the_same),
        cmocka_unit_test(test_split),           cmocka_unit_test(test_skips_are_no_interest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
