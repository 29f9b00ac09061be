/* SPDX-License-Identifier: Apache-2.0
 * catalogue_test.c - catalogue files: order, duplicates, bad rows, round trip; and the feature
 * matrix made of tokens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "common/item.h"
#include "server/catalogue.h"
#include "tests/support/files.h"

static catalogue *load(const char *text, size_t *bad) {
    char folder[FILES_PATH], path[FILES_PATH];
    catalogue *c = NULL;
    files_folder(folder);
    files_text(folder, "catalogue.csv", text);
    files_path(path, folder, "catalogue.csv");
    assert_int_equal(catalogue_load(&c, bad, path, false, NULL), TACIT_OK);
    files_remove(folder);
    return c;
}

static void test_rows_are_sorted_by_id(void **state) {
    (void)state;
    size_t bad;
    catalogue *c = load(
        "item,title,kind,features\n"
        "mug-blue,Blue mug,product,colour:blue type:mug\n"
        "20,\"Twenty, in all\",offer,\n"
        "3,Three,,colour:red\n",
        &bad);
    assert_int_equal(bad, 0);
    assert_int_equal(c->count, 3);
    assert_int_equal(c->items[0].id, 3);
    assert_int_equal(c->items[0].kind, 0);
    assert_int_equal(c->items[1].id, 20);
    assert_int_equal(c->items[1].kind, 1);
    assert_string_equal(c->items[1].title, "Twenty, in all");
    assert_int_equal(c->items[2].id, tacit_item_id("mug-blue")); /* hashed ids have the top bit */
    assert_true(c->items[2].id >> 63);
    assert_string_equal(c->items[2].features, "colour:blue type:mug");
    assert_int_equal(catalogue_find(c, 20), 1);
    assert_int_equal(catalogue_find(c, tacit_item_id("mug-blue")), 2);
    assert_int_equal(catalogue_find(c, 4), -1);
    catalogue_free(c);
}

static void test_bad_rows_are_left_out(void **state) {
    (void)state;
    static const char text[] =
        "item,title,kind\n"
        "1,One,product\n"
        ",No key,product\n"
        "2,Two,thing\n"
        "1,One again,product\n"
        "3,Three,offer\n";
    size_t bad;
    catalogue *c = load(text, &bad);
    assert_int_equal(bad, 3);
    assert_int_equal(c->count, 2);
    assert_string_equal(c->items[0].title, "One");
    catalogue_free(c);
    char folder[FILES_PATH], path[FILES_PATH];
    files_folder(folder);
    files_text(folder, "c.csv", text);
    files_path(path, folder, "c.csv");
    files_capture *errors = files_listen();
    assert_int_equal(catalogue_load(&c, &bad, path, true, errors->file), TACIT_BAD_MESSAGE);
    char *said = files_captured(errors);
    assert_non_null(strstr(said, "c.csv:3: "));
    assert_null(strstr(said, "c.csv:4: "));
    free(said);
    files_text(folder, "empty.csv", "item,title\n");
    files_path(path, folder, "empty.csv");
    assert_int_equal(catalogue_load(&c, &bad, path, false, NULL), TACIT_NOT_FOUND);
    files_path(path, folder, "absent.csv");
    assert_int_not_equal(catalogue_load(&c, &bad, path, false, NULL), TACIT_OK);
    files_remove(folder);
}

static void test_saved_and_loaded_is_the_same(void **state) {
    (void)state;
    catalogue_item items[3] = {
        {.id = 9, .key = "9", .title = " a \"title\", with\nall", .features = "x:1 y:2", .kind = 1},
        {.id = 0, .key = "key, too", .title = "", .features = ""},
        {.id = 2, .key = "2", .title = "plain", .features = "z"}};
    items[1].id = tacit_item_id(items[1].key);
    catalogue *c = NULL, *again = NULL;
    assert_int_equal(catalogue_new(&c, items, 3), TACIT_OK);
    char folder[FILES_PATH], path[FILES_PATH];
    size_t bad;
    files_folder(folder);
    files_path(path, folder, "c.csv");
    assert_int_equal(catalogue_save(c, path), TACIT_OK);
    assert_int_equal(catalogue_load(&again, &bad, path, true, NULL), TACIT_OK);
    assert_int_equal(again->count, 3);
    assert_memory_equal(c->digest, again->digest, TACIT_HASH_LEN);
    catalogue_free(again);
    /* The digest covers every field. */
    items[2].title = "Plain";
    assert_int_equal(catalogue_new(&again, items, 3), TACIT_OK);
    assert_memory_not_equal(c->digest, again->digest, TACIT_HASH_LEN);
    catalogue_free(again);
    items[2].id = 9;
    assert_int_equal(catalogue_new(&again, items, 3), TACIT_BAD_MESSAGE);
    files_path(path, folder, "no/such/folder.csv");
    assert_int_equal(catalogue_save(c, path), TACIT_IO);
    catalogue_free(c);
    files_remove(folder);
}

/* `count` items; item i carries a token of each of its residues. */
static catalogue *tokens(size_t count, size_t words) {
    catalogue_item *items = calloc(count, sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < count; i++) {
        char text[128];
        items[i].id = i + 1;
        items[i].title = strdup("");
        snprintf(text, sizeof text, "%zu", i + 1);
        items[i].key = strdup(text);
        snprintf(text, sizeof text, "common w%zu w%zu rare%zu", i % words, (i * 7 + 3) % words, i);
        items[i].features = strdup(text);
    }
    catalogue *c = NULL;
    assert_int_equal(catalogue_new(&c, items, count), TACIT_OK);
    for (size_t i = 0; i < count; i++) {
        free(items[i].key);
        free(items[i].title);
        free(items[i].features);
    }
    free(items);
    return c;
}

static void test_features(void **state) {
    (void)state;
    learn_features *f = NULL;
    catalogue *c = tokens(60, 10);
    /* "common", w0 .. w9 and the constant; every rareN stands on one item only. */
    assert_int_equal(catalogue_features(&f, c, CATALOGUE_TOKEN_MIN_ITEMS), TACIT_OK);
    assert_int_equal(learn_features_items(f), 60);
    assert_int_equal(learn_features_count(f), 12);
    learn_features_free(f);
    assert_int_equal(catalogue_features(&f, c, 61), TACIT_OK);
    assert_int_equal(learn_features_count(f), 1);
    learn_features_free(f);
    catalogue_free(c);
    c = tokens(400, 90); /* more tokens than columns: reduced */
    assert_int_equal(catalogue_features(&f, c, CATALOGUE_TOKEN_MIN_ITEMS), TACIT_OK);
    assert_int_equal(learn_features_count(f), CATALOGUE_FEATURES_MAX + 1);
    learn_features_free(f);
    catalogue_free(c);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted_by_id),
        cmocka_unit_test(test_bad_rows_are_left_out),
        cmocka_unit_test(test_saved_and_loaded_is_the_same),
        cmocka_unit_test(test_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
