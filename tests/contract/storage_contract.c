/* SPDX-License-Identifier: Apache-2.0
 * storage_contract.c - see storage_contract.h. */
#include "tests/contract/storage_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { KEY_MAX = 32, VALUE_MAX = 512, BIG_MODEL = 3 << 20 };

static tacit_write write_of(const char *key, const char *value) {
    return (tacit_write){(const uint8_t *)key, strlen(key), (const uint8_t *)value,
                         value ? strlen(value) : 0};
}

static tacit_status commit(const storage_subject *s, const tacit_write *writes, size_t count) {
    return s->callbacks.storage_commit(s->callbacks.self, writes, count);
}

static void put(const storage_subject *s, const char *key, const char *value) {
    tacit_write w = write_of(key, value);
    assert_int_equal(commit(s, &w, 1), TACIT_OK);
}

/* value NULL: nothing may be stored. */
static void assert_stored(const storage_subject *s, const char *key, const char *value) {
    uint8_t got[VALUE_MAX];
    size_t len = 0;
    tacit_status st = s->callbacks.storage_get(s->callbacks.self, got, sizeof got, &len,
                                               (const uint8_t *)key, strlen(key));
    if (value == NULL) {
        assert_int_equal(st, TACIT_NOT_FOUND);
        return;
    }
    assert_int_equal(st, TACIT_OK);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(got, value, len);
}

static void reopen(storage_subject *s) { assert_true(s->reopen(s->self, &s->callbacks)); }

/* ---- Storage -----------------------------------------------------------------------------------
 */

static void values_are_kept_replaced_and_deleted(void **state) {
    const storage_subject *s = *state;
    assert_stored(s, "a", NULL);
    put(s, "b", "two");
    put(s, "a", "one");
    put(s, "ab", "");
    assert_stored(s, "a", "one");
    assert_stored(s, "ab", "");
    put(s, "a", "longer than before");
    put(s, "b", "2");
    assert_stored(s, "a", "longer than before");
    assert_stored(s, "b", "2");
    put(s, "a", NULL);
    put(s, "never there", NULL); /* deleting what is not there is no error */
    assert_stored(s, "a", NULL);
    assert_stored(s, "ab", "");
    assert_stored(s, "b", "2");
}

static void a_small_buffer_is_refused(void **state) {
    const storage_subject *s = *state;
    uint8_t out[4] = {9, 9, 9, 9};
    size_t len = 0;
    put(s, "k", "abc");
    tacit_platform f = s->callbacks;
    assert_int_equal(f.storage_get(f.self, out, 2, &len, (const uint8_t *)"k", 1), TACIT_NO_SPACE);
    assert_int_equal(out[2], 9);
    assert_int_equal(f.storage_get(f.self, out, 3, &len, (const uint8_t *)"k", 1), TACIT_OK);
    assert_int_equal(len, 3);
    assert_int_equal(out[3], 9);
}

static void a_commit_is_all_or_nothing(void **state) {
    const storage_subject *s = *state;
    static const uint8_t bytes[VALUE_MAX + 1];
    put(s, "keep", "old");
    put(s, "gone", "not yet");
    tacit_write writes[4] = {write_of("keep", "new"), write_of("other", "x"),
                             write_of("gone", NULL)};
    const tacit_write bad[] = {
        {bytes, KEY_MAX + 1, bytes, 1}, {bytes, 0, bytes, 1}, {bytes, 1, bytes, VALUE_MAX + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        writes[3] = bad[i];
        assert_int_not_equal(commit(s, writes, 4), TACIT_OK);
        assert_stored(s, "keep", "old");
        assert_stored(s, "other", NULL);
        assert_stored(s, "gone", "not yet");
    }
    assert_int_equal(commit(s, writes, 3), TACIT_OK);
    assert_stored(s, "keep", "new");
    assert_stored(s, "other", "x");
    assert_stored(s, "gone", NULL);
}

static void writes_of_a_commit_apply_in_order(void **state) {
    const storage_subject *s = *state;
    tacit_write same[] = {write_of("k", "1"), write_of("k", NULL), write_of("k", "3"),
                          write_of("m", "1"), write_of("m", NULL)};
    assert_int_equal(commit(s, same, 5), TACIT_OK);
    assert_stored(s, "k", "3");
    assert_stored(s, "m", NULL);
    assert_int_equal(commit(s, same, 0), TACIT_OK); /* an empty commit is a commit */
}

static void the_longest_key_and_value_fit(void **state) {
    storage_subject *s = *state;
    uint8_t key[KEY_MAX], value[VALUE_MAX], got[VALUE_MAX];
    size_t len = 0;
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i * 8);
    for (size_t i = 0; i < sizeof value; i++) value[i] = (uint8_t)(i * 7 + i / 256);
    tacit_write w = {key, sizeof key, value, sizeof value};
    assert_int_equal(commit(s, &w, 1), TACIT_OK);
    reopen(s);
    tacit_platform f = s->callbacks;
    assert_int_equal(f.storage_get(f.self, got, sizeof got, &len, key, sizeof key), TACIT_OK);
    assert_int_equal(len, sizeof value);
    assert_memory_equal(got, value, len);
    assert_int_equal(f.storage_get(f.self, got, sizeof got, &len, key, sizeof key - 1),
                     TACIT_NOT_FOUND);
}

typedef struct {
    char text[256];
    size_t left; /* visits until it says CORRUPT; 0: all */
} visitor;

static tacit_status note(void *self, const uint8_t *key, size_t key_len, const uint8_t *value,
                         size_t value_len) {
    visitor *v = self;
    size_t at = strlen(v->text);
    for (size_t i = 0; i < key_len; i++)
        at += (size_t)snprintf(v->text + at, sizeof v->text - at, "%02x", key[i]);
    snprintf(v->text + at, sizeof v->text - at, "=%.*s ", (int)value_len, (const char *)value);
    return v->left > 0 && --v->left == 0 ? TACIT_CORRUPT : TACIT_OK;
}

static void assert_scan(const storage_subject *s, const char *prefix, size_t prefix_len,
                        size_t stop_after, const char *want) {
    visitor v = {.left = stop_after};
    tacit_status st =
        s->callbacks.storage_scan(s->callbacks.self, (const uint8_t *)prefix, prefix_len, note, &v);
    assert_int_equal(st, stop_after > 0 ? TACIT_CORRUPT : TACIT_OK);
    assert_string_equal(v.text, want);
}

/* Bytes compare as unsigned numbers and a shorter key comes first. */
static void a_scan_is_ordered_by_bytes(void **state) {
    const storage_subject *s = *state;
    static const uint8_t high[] = {'h', 0xff}, low[] = {'h', 0, 1}, low2[] = {'h', 0},
                         all[] = {0xff};
    const tacit_write writes[] = {{high, 2, high, 0},    write_of("h3", "c"), write_of("g", "-"),
                                  {low, 3, high, 0},     write_of("h1", "a"), {all, 1, high, 0},
                                  {low2, 2, high, 0},    write_of("i", "-"),  write_of("h", "root"),
                                  write_of("h2", "bye"), write_of("h2", NULL)};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        assert_int_equal(commit(s, &writes[i], 1), TACIT_OK);
    assert_scan(s, "h", 1, 0, "68=root 6800= 680001= 6831=a 6833=c 68ff= ");
    assert_scan(s, "h3", 2, 0, "6833=c ");
    assert_scan(s, "h2", 2, 0, "");
    assert_scan(s, "\xff", 1, 0, "ff= ");
    assert_scan(s, "", 0, 0, "67=- 68=root 6800= 680001= 6831=a 6833=c 68ff= 69=- ff= ");
}

static void a_scan_stops_with_the_visitor(void **state) {
    const storage_subject *s = *state;
    assert_scan(s, "p", 1, 0, "");
    put(s, "p1", "a");
    put(s, "p2", "b");
    put(s, "p3", "c");
    assert_scan(s, "p", 1, 2, "7031=a 7032=b ");
    assert_scan(s, "p", 1, 3, "7031=a 7032=b 7033=c ");
    put(s, "p4", "d"); /* a scan that was stopped holds nothing up */
    assert_scan(s, "p4", 2, 0, "7034=d ");
}

static void what_was_committed_survives_a_restart(void **state) {
    storage_subject *s = *state;
    put(s, "stays", "1");
    put(s, "goes", "2");
    reopen(s);
    assert_stored(s, "stays", "1");
    put(s, "goes", NULL);
    put(s, "stays", "one");
    reopen(s);
    reopen(s);
    assert_stored(s, "stays", "one");
    assert_stored(s, "goes", NULL);
}

static void many_number(uint8_t key[6], uint8_t value[100], uint32_t i) {
    memcpy(key, "n/", 2);
    for (int b = 0; b < 4; b++) key[2 + b] = (uint8_t)(i >> (24 - 8 * b));
    memset(value, (int)(i * 31 & 0xff), 100);
    memcpy(value, key + 2, 4);
}

typedef struct {
    uint32_t next, step;
} counter;

static tacit_status check_number(void *self, const uint8_t *key, size_t key_len,
                                 const uint8_t *value, size_t value_len) {
    counter *c = self;
    uint8_t want_key[6], want_value[100];
    many_number(want_key, want_value, c->next);
    c->next += c->step;
    if (key_len != 6 || memcmp(key, want_key, 6) != 0) return TACIT_CORRUPT;
    return value_len == 100 && memcmp(value, want_value, 100) == 0 ? TACIT_OK : TACIT_CORRUPT;
}

static void scan_numbers(const storage_subject *s, uint32_t first, uint32_t step, uint32_t end) {
    counter c = {first, step};
    assert_int_equal(
        s->callbacks.storage_scan(s->callbacks.self, (const uint8_t *)"n/", 2, check_number, &c),
        TACIT_OK);
    assert_int_equal(c.next, end);
}

/* As many as the longest history and its journal, in commits of 64 as tacit_record_many makes. */
static void thousands_of_values(void **state) {
    storage_subject *s = *state;
    enum { COUNT = 8192, BATCH = 64 };
    static uint8_t keys[BATCH][6], values[BATCH][100];
    tacit_write writes[BATCH];
    for (uint32_t i = COUNT; i > 0; i -= BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            many_number(keys[j], values[j], i - 1 - j);
            writes[j] = (tacit_write){keys[j], 6, values[j], 100};
        }
        assert_int_equal(commit(s, writes, BATCH), TACIT_OK);
    }
    scan_numbers(s, 0, 1, COUNT);
    for (uint32_t i = 0; i < COUNT; i += 2 * BATCH) { /* the even ones go */
        for (uint32_t j = 0; j < BATCH; j++) {
            many_number(keys[j], values[j], i + 2 * j);
            writes[j] = (tacit_write){keys[j], 6, NULL, 0};
        }
        assert_int_equal(commit(s, writes, BATCH), TACIT_OK);
    }
    reopen(s);
    scan_numbers(s, 1, 2, COUNT + 1);
}

/* ---- Model slot --------------------------------------------------------------------------------
 */

static tacit_status stage(const storage_subject *s, size_t offset, const void *data, size_t len) {
    return s->callbacks.model_write(s->callbacks.self, offset, data, len);
}

static void assert_model(const storage_subject *s, const char *want) {
    const uint8_t *data = NULL;
    size_t len = 0;
    tacit_status st = s->callbacks.model_map(s->callbacks.self, &data, &len);
    assert_int_equal(st, want ? TACIT_OK : TACIT_NOT_FOUND);
    if (want == NULL) return;
    assert_int_equal(len, strlen(want));
    assert_memory_equal(data, want, len);
    assert_int_equal((uintptr_t)data % 8, 0);
}

static void assert_staged(const storage_subject *s, const char *want) {
    const uint8_t *data = NULL;
    size_t len = 0;
    tacit_status st = s->callbacks.model_staged(s->callbacks.self, &data, &len);
    assert_int_equal(st, want ? TACIT_OK : TACIT_NOT_FOUND);
    if (want == NULL) return;
    assert_int_equal(len, strlen(want));
    assert_memory_equal(data, want, len);
}

static tacit_status commit_model(const storage_subject *s) {
    return s->callbacks.model_commit(s->callbacks.self);
}

static void a_model_counts_from_its_commit_on(void **state) {
    storage_subject *s = *state;
    assert_model(s, NULL);
    assert_staged(s, NULL);
    assert_int_not_equal(commit_model(s), TACIT_OK);
    assert_int_equal(stage(s, 0, "first ", 6), TACIT_OK);
    assert_model(s, NULL);
    assert_staged(s, "first ");
    assert_int_equal(stage(s, 6, "model", 5), TACIT_OK);
    assert_staged(s, "first model");
    assert_int_equal(commit_model(s), TACIT_OK);
    assert_model(s, "first model");
    assert_staged(s, NULL);
    assert_int_not_equal(commit_model(s), TACIT_OK);
    assert_model(s, "first model");
    reopen(s);
    assert_model(s, "first model");
}

static void a_new_model_leaves_the_old_one_readable(void **state) {
    storage_subject *s = *state;
    const uint8_t *old;
    size_t len;
    assert_int_equal(stage(s, 0, "the old one", 11), TACIT_OK);
    assert_int_equal(commit_model(s), TACIT_OK);
    assert_int_equal(s->callbacks.model_map(s->callbacks.self, &old, &len), TACIT_OK);
    assert_int_equal(stage(s, 0, "another", 7), TACIT_OK);
    assert_staged(s, "another");
    assert_int_equal(stage(s, 0, "new", 3), TACIT_OK); /* offset 0 begins again */
    assert_staged(s, "new");
    assert_model(s, "the old one");
    assert_memory_equal(old, "the old one", 11);
    assert_int_equal(commit_model(s), TACIT_OK);
    assert_model(s, "new");
}

static void pieces_must_join(void **state) {
    storage_subject *s = *state;
    assert_int_not_equal(stage(s, 4, "tail", 4), TACIT_OK); /* nothing begun */
    assert_int_equal(stage(s, 0, "head", 4), TACIT_OK);
    assert_int_not_equal(stage(s, 5, "gap", 3), TACIT_OK);
    assert_int_not_equal(stage(s, 3, "back", 4), TACIT_OK);
    assert_int_equal(stage(s, 0, "again", 5), TACIT_OK);
    assert_int_equal(stage(s, 5, "", 0), TACIT_OK);
    assert_int_equal(stage(s, 5, "!", 1), TACIT_OK);
    assert_int_equal(commit_model(s), TACIT_OK);
    assert_model(s, "again!");
}

static void a_staged_model_ends_with_the_power(void **state) {
    storage_subject *s = *state;
    assert_int_equal(stage(s, 0, "kept", 4), TACIT_OK);
    assert_int_equal(commit_model(s), TACIT_OK);
    assert_int_equal(stage(s, 0, "lost", 4), TACIT_OK);
    reopen(s);
    assert_staged(s, NULL);
    assert_int_not_equal(stage(s, 4, "more", 4), TACIT_OK);
    assert_int_not_equal(commit_model(s), TACIT_OK);
    assert_model(s, "kept");
}

static void a_big_model_in_small_pieces(void **state) {
    storage_subject *s = *state;
    const uint8_t *data;
    size_t len;
    uint8_t *file = malloc(BIG_MODEL);
    assert_non_null(file);
    for (uint32_t i = 0; i < BIG_MODEL; i++) file[i] = (uint8_t)((i * 2654435761u) >> 24);
    for (size_t at = 0, piece = 1; at < BIG_MODEL;
         at += piece, piece = 1 + (piece * 7 + 13) % 20000) {
        if (piece > BIG_MODEL - at) piece = BIG_MODEL - at;
        assert_int_equal(stage(s, at, file + at, piece), TACIT_OK);
    }
    assert_int_equal(s->callbacks.model_staged(s->callbacks.self, &data, &len), TACIT_OK);
    assert_int_equal(len, BIG_MODEL);
    assert_memory_equal(data, file, BIG_MODEL);
    assert_int_equal(commit_model(s), TACIT_OK);
    reopen(s);
    assert_int_equal(s->callbacks.model_map(s->callbacks.self, &data, &len), TACIT_OK);
    assert_int_equal(len, BIG_MODEL);
    assert_memory_equal(data, file, BIG_MODEL);
    free(file);
}

int storage_contract_run(const char *name, int (*make)(void **state), int (*end)(void **state)) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, make, end)
    const struct CMUnitTest tests[] = {
        TEST(values_are_kept_replaced_and_deleted),
        TEST(a_small_buffer_is_refused),
        TEST(a_commit_is_all_or_nothing),
        TEST(writes_of_a_commit_apply_in_order),
        TEST(the_longest_key_and_value_fit),
        TEST(a_scan_is_ordered_by_bytes),
        TEST(a_scan_stops_with_the_visitor),
        TEST(what_was_committed_survives_a_restart),
        TEST(thousands_of_values),
        TEST(a_model_counts_from_its_commit_on),
        TEST(a_new_model_leaves_the_old_one_readable),
        TEST(pieces_must_join),
        TEST(a_staged_model_ends_with_the_power),
        TEST(a_big_model_in_small_pieces),
    };
#undef TEST
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
