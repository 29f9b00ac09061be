/* SPDX-License-Identifier: Apache-2.0
 * store_lmdb_test.c - what LMDB storage does beyond the contract (storage_test.c): it grows, locks
 * its folder, and keeps the old state when the disk refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base.h"
#include "firmware/port/store_lmdb.h"
#include "tests/support/files.h"

static char folder[64];

static int make(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tacit-lmdb-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static tacit_lmdb *open_store(uint32_t map_mb) {
    tacit_lmdb *s = NULL;
    assert_int_equal(tacit_lmdb_open(&s, folder, map_mb), TACIT_OK);
    return s;
}

static const char *path_of(const char *name) {
    static char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Value i under key i: 500 bytes that tell it from all others. */
static tacit_status put(tacit_lmdb *s, uint32_t i) {
    uint8_t key[4], value[500];
    tacit_put_u32(key, i);
    memset(value, (int)(i & 0xff), sizeof value);
    tacit_put_u32(value, i);
    tacit_write w = {key, sizeof key, value, sizeof value};
    return tacit_lmdb_commit(s, &w, 1);
}

static bool has(tacit_lmdb *s, uint32_t i) {
    uint8_t key[4], value[512];
    size_t len = 0;
    tacit_put_u32(key, i);
    tacit_status st = tacit_lmdb_get(s, value, sizeof value, &len, key, sizeof key);
    if (st == TACIT_NOT_FOUND) return false;
    assert_int_equal(st, TACIT_OK);
    assert_int_equal(len, 500);
    assert_int_equal(tacit_get_u32(value), i);
    assert_int_equal(value[499], i & 0xff);
    return true;
}

/* 4 MB of values in a map of 1 MB, by commits of 64 so that a growth falls into the midst of one.
 */
static uint32_t fill(tacit_lmdb *s, uint32_t first) {
    enum { BATCH = 64, COUNT = 8192 };
    static uint8_t keys[BATCH][4], values[BATCH][500];
    tacit_write writes[BATCH];
    for (uint32_t i = first; i < first + COUNT; i += BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            tacit_put_u32(keys[j], i + j);
            memset(values[j], (int)((i + j) & 0xff), 500);
            tacit_put_u32(values[j], i + j);
            writes[j] = (tacit_write){keys[j], 4, values[j], 500};
        }
        assert_int_equal(tacit_lmdb_commit(s, writes, BATCH), TACIT_OK);
    }
    return first + COUNT;
}

static void a_full_map_grows(void **state) {
    (void)state;
    tacit_lmdb *s = open_store(1);
    uint32_t end = fill(s, 0);
    for (uint32_t i = 0; i < end; i++) assert_true(has(s, i));
    assert_false(has(s, end));
    tacit_lmdb_close(s);
    struct stat info;
    assert_int_equal(stat(path_of("data.mdb"), &info), 0);
    assert_true(info.st_size > 4 << 20);
    s = open_store(1); /* now smaller than what is there */
    assert_true(has(s, 0) && has(s, end - 1));
    end = fill(s, end);
    assert_true(has(s, 0) && has(s, end - 1));
    tacit_lmdb_close(s);
}

typedef struct {
    tacit_lmdb *store;
    uint32_t seen, written;
    tacit_status status;
} growing;

/* Writes as long as it can while the scan's own bytes must stay where they are. */
static tacit_status write_much(void *self, const uint8_t *key, size_t key_len, const uint8_t *value,
                               size_t value_len) {
    growing *g = self;
    assert_int_equal(key_len, 4);
    assert_int_equal(value_len, 500);
    while (g->status == TACIT_OK && g->written < 4096) {
        g->status = put(g->store, 1000000 + g->written);
        if (g->status == TACIT_OK) g->written++;
    }
    g->seen++;
    return memcmp(key, value, 4) == 0 ? TACIT_OK : TACIT_CORRUPT;
}

static void the_map_stays_while_a_scan_reads_it(void **state) {
    (void)state;
    tacit_lmdb *s = open_store(1);
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(put(s, i), TACIT_OK);
    growing g = {.store = s};
    assert_int_equal(tacit_lmdb_scan(s, NULL, 0, write_much, &g), TACIT_OK);
    assert_int_equal(g.seen, 8);
    assert_int_equal(g.status, TACIT_STORAGE);
    assert_in_range(g.written, 10, 4095);
    assert_true(has(s, 1000000 + g.written - 1));
    assert_false(has(s, 1000000 + g.written));
    assert_int_equal(put(s, 1000000 + g.written), TACIT_OK); /* and now it grows */
    tacit_lmdb_close(s);
}

static void a_folder_is_open_once(void **state) {
    (void)state;
    tacit_lmdb *s = open_store(0), *other = NULL;
    assert_int_equal(tacit_lmdb_open(&other, folder, 0), TACIT_STORAGE);
    assert_null(other);
    pid_t child = fork();
    if (child == 0) _exit(tacit_lmdb_open(&other, folder, 0) == TACIT_STORAGE ? 0 : 1);
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_int_equal(put(s, 1), TACIT_OK); /* the refused ones broke nothing */
    tacit_lmdb_close(s);
    s = open_store(0);
    assert_true(has(s, 1));
    tacit_lmdb_close(s);
}

static void what_cannot_be_opened(void **state) {
    (void)state;
    tacit_lmdb *s = NULL;
    assert_int_equal(tacit_lmdb_open(&s, "/nowhere/at/all", 0), TACIT_STORAGE);
    assert_int_equal(tacit_lmdb_open(&s, folder, 1025), TACIT_INVALID_ARGUMENT);
    FILE *file = fopen(path_of("data.mdb"), "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++) fputs("this is no database", file);
    fclose(file);
    assert_int_equal(tacit_lmdb_open(&s, folder, 0), TACIT_STORAGE);
    assert_int_equal(tacit_lmdb_open(&s, path_of("data.mdb"), 0), TACIT_STORAGE);
    assert_null(s);
}

static void rights(void **state) {
    (void)state;
    char inner[96];
    struct stat info;
    snprintf(inner, sizeof inner, "%s/store", folder);
    tacit_lmdb *s = NULL;
    assert_int_equal(tacit_lmdb_open(&s, inner, 0), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"m", 1), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_OK);
    assert_int_equal(stat(inner, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(path_of("store/data.mdb"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(path_of("store/model"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    tacit_lmdb_close(s);
}

/* ---- When the disk refuses ---------------------------------------------------------------------
 */

static void a_full_disk_keeps_what_was_committed(void **state) {
    (void)state;
    tacit_lmdb *s = open_store(0);
    uint32_t count = 0;
    for (; count < 64; count++) assert_int_equal(put(s, count), TACIT_OK);
    struct stat info;
    assert_int_equal(stat(path_of("data.mdb"), &info), 0);
    files_limit((rlim_t)info.st_size);
    tacit_status st = TACIT_OK;
    while (count < 4096 && (st = put(s, count)) == TACIT_OK) count++;
    files_limit(RLIM_INFINITY);
    assert_int_equal(st, TACIT_STORAGE);
    for (uint32_t i = 0; i < count; i++) assert_true(has(s, i));
    assert_false(has(s, count));
    tacit_lmdb_close(s);
    s = open_store(0);
    for (uint32_t i = 0; i < count; i++) assert_true(has(s, i));
    assert_false(has(s, count));
    assert_int_equal(put(s, count), TACIT_OK);
    assert_true(has(s, count));
    tacit_lmdb_close(s);
}

static void assert_model(tacit_lmdb *s, const char *want) {
    const uint8_t *data;
    size_t len;
    assert_int_equal(tacit_lmdb_model_map(s, &data, &len), TACIT_OK);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(data, want, len);
}

static void a_full_disk_keeps_the_model(void **state) {
    (void)state;
    static const uint8_t big[100000] = {7};
    const uint8_t *staged;
    size_t len;
    tacit_lmdb *s = open_store(0);
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"old", 3), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_write(s, 0, big, 50000), TACIT_OK);
    files_limit(65536); /* the next write is taken in part */
    assert_int_equal(tacit_lmdb_model_write(s, 50000, big, 50000), TACIT_STORAGE);
    files_limit(RLIM_INFINITY);
    assert_int_equal(tacit_lmdb_model_staged(s, &staged, &len), TACIT_NOT_FOUND);
    assert_int_equal(access(path_of("model.new"), F_OK), -1); /* the disk has its space back */
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_STORAGE);
    assert_model(s, "old");
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"new", 3), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_OK);
    assert_model(s, "new");
    tacit_lmdb_close(s);
}

/* The bytes given out before a commit that fails are still in use by the caller. */
static void a_failed_commit_leaves_the_mapping(void **state) {
    (void)state;
    const uint8_t *data;
    size_t len;
    tacit_lmdb *s = open_store(0);
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"in use", 6), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_map(s, &data, &len), TACIT_OK);
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"next", 4), TACIT_OK);
    assert_int_equal(unlink(path_of("model.new")), 0); /* now the rename fails */
    assert_int_equal(tacit_lmdb_model_commit(s), TACIT_STORAGE);
    assert_memory_equal(data, "in use", 6);
    assert_model(s, "in use");
    tacit_lmdb_close(s);
}

static void a_download_cut_off_is_removed(void **state) {
    (void)state;
    tacit_lmdb *s = open_store(0);
    assert_int_equal(tacit_lmdb_model_write(s, 0, (const uint8_t *)"half", 4), TACIT_OK);
    tacit_lmdb_close(s);
    assert_int_equal(access(path_of("model.new"), F_OK), 0);
    s = open_store(0);
    assert_int_equal(access(path_of("model.new"), F_OK), -1);
    tacit_lmdb_close(s);
}

static void an_empty_model_file_is_no_model(void **state) {
    (void)state;
    const uint8_t *data;
    size_t len;
    tacit_lmdb *s = open_store(0);
    int fd = open(path_of("model"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(tacit_lmdb_model_map(s, &data, &len), TACIT_STORAGE);
    tacit_lmdb_close(s);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(a_full_map_grows),
        TEST(the_map_stays_while_a_scan_reads_it),
        TEST(a_folder_is_open_once),
        TEST(what_cannot_be_opened),
        TEST(rights),
        TEST(a_full_disk_keeps_what_was_committed),
        TEST(a_full_disk_keeps_the_model),
        TEST(a_failed_commit_leaves_the_mapping),
        TEST(a_download_cut_off_is_removed),
        TEST(an_empty_model_file_is_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
