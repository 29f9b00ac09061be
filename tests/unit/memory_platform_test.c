/* SPDX-License-Identifier: Apache-2.0
 * memory_platform_test.c - the platform in memory keeps the promises tacit.h asks of a host: atomic
 * commits, ordered scans, a model slot that changes only on commit; and equal files are held once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "tools/memory_platform.h"

static memory_platform *new_platform(const memory_platform_options *options) {
    memory_platform *p = NULL;
    assert_int_equal(memory_platform_new(&p, options), TACIT_OK);
    return p;
}

static tacit_write write_of(const char *key, const char *value) {
    return (tacit_write){(const uint8_t *)key, strlen(key), (const uint8_t *)value,
                         value ? strlen(value) : 0};
}

static void put(const tacit_platform *f, const char *key, const char *value) {
    tacit_write w = write_of(key, value);
    assert_int_equal(f->storage_commit(f->self, &w, 1), TACIT_OK);
}

static void assert_stored(const tacit_platform *f, const char *key, const char *value) {
    uint8_t got[512];
    size_t len = 0;
    tacit_status st =
        f->storage_get(f->self, got, sizeof got, &len, (const uint8_t *)key, strlen(key));
    if (value == NULL) {
        assert_int_equal(st, TACIT_NOT_FOUND);
        return;
    }
    assert_int_equal(st, TACIT_OK);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(got, value, len);
}

static void test_storage_get_replace_delete(void **state) {
    (void)state;
    memory_platform *p = new_platform(NULL);
    tacit_platform f = memory_platform_callbacks(p);
    assert_stored(&f, "a", NULL);
    put(&f, "b", "two");
    put(&f, "a", "one");
    put(&f, "ab", "");
    assert_stored(&f, "a", "one");
    assert_stored(&f, "ab", "");
    put(&f, "a", "longer than before");
    assert_stored(&f, "a", "longer than before");
    assert_stored(&f, "b", "two");
    assert_int_equal(memory_platform_count(p), 3);
    put(&f, "a", NULL);
    put(&f, "zz", NULL); /* deleting what is not there is no error */
    assert_stored(&f, "a", NULL);
    assert_stored(&f, "b", "two");
    assert_int_equal(memory_platform_count(p), 2);
    uint8_t two[2];
    size_t len;
    assert_int_equal(f.storage_get(f.self, two, 2, &len, (const uint8_t *)"b", 1), TACIT_NO_SPACE);
    memory_platform_free(p);
}

static void test_commit_is_all_or_nothing(void **state) {
    (void)state;
    memory_platform *p = new_platform(NULL);
    tacit_platform f = memory_platform_callbacks(p);
    put(&f, "keep", "old");
    static const uint8_t long_key[33];
    tacit_write writes[3] = {
        write_of("keep", "new"), write_of("other", "x"), {long_key, sizeof long_key, long_key, 1}};
    assert_int_not_equal(f.storage_commit(f.self, writes, 3), TACIT_OK);
    assert_stored(&f, "keep", "old");
    assert_stored(&f, "other", NULL);
    memory_platform_fail(p, true);
    assert_int_equal(f.storage_commit(f.self, writes, 2), TACIT_STORAGE);
    assert_int_equal(f.counter_raise(f.self, 9), TACIT_STORAGE);
    assert_stored(&f, "keep", "old");
    memory_platform_fail(p, false);
    assert_int_equal(f.storage_commit(f.self, writes, 2), TACIT_OK);
    assert_stored(&f, "keep", "new");
    assert_stored(&f, "other", "x");
    /* Several writes of one key in one commit: the last one counts. */
    tacit_write same[3] = {write_of("k", "1"), write_of("k", NULL), write_of("k", "3")};
    assert_int_equal(f.storage_commit(f.self, same, 3), TACIT_OK);
    assert_stored(&f, "k", "3");
    memory_platform_free(p);
}

typedef struct {
    char seen[256];
    size_t left;
} visitor;

static tacit_status collect(void *self, const uint8_t *key, size_t key_len, const uint8_t *value,
                            size_t value_len) {
    visitor *v = self;
    size_t at = strlen(v->seen);
    snprintf(v->seen + at, sizeof v->seen - at, "%.*s=%.*s ", (int)key_len, (const char *)key,
             (int)value_len, (const char *)value);
    return --v->left == 0 ? TACIT_CORRUPT : TACIT_OK;
}

static void test_scan_is_ordered_and_stops(void **state) {
    (void)state;
    memory_platform *p = new_platform(NULL);
    tacit_platform f = memory_platform_callbacks(p);
    put(&f, "h3", "c");
    put(&f, "g", "-");
    put(&f, "h1", "a");
    put(&f, "i", "-");
    put(&f, "h2", "b");
    put(&f, "h", "root");
    visitor v = {.left = 99};
    assert_int_equal(f.storage_scan(f.self, (const uint8_t *)"h", 1, collect, &v), TACIT_OK);
    assert_string_equal(v.seen, "h=root h1=a h2=b h3=c ");
    visitor stop = {.left = 2};
    assert_int_equal(f.storage_scan(f.self, (const uint8_t *)"h", 1, collect, &stop),
                     TACIT_CORRUPT);
    assert_string_equal(stop.seen, "h=root h1=a ");
    memory_platform_free(p);
}

static void assert_model(const tacit_platform *f, const uint8_t *want, size_t want_len) {
    const uint8_t *data;
    size_t len;
    assert_int_equal(f->model_map(f->self, &data, &len), TACIT_OK);
    assert_int_equal(len, want_len);
    assert_memory_equal(data, want, len);
    assert_int_equal((uintptr_t)data % 8, 0);
}

/* Writes a file in pieces of `piece` bytes. */
static void download(const tacit_platform *f, const uint8_t *file, size_t len, size_t piece) {
    for (size_t at = 0; at < len; at += piece)
        assert_int_equal(
            f->model_write(f->self, at, file + at, len - at < piece ? len - at : piece), TACIT_OK);
}

enum { FILE_LEN = 200000 };

static uint8_t *make_file(uint8_t kind) {
    uint8_t *file = malloc(FILE_LEN);
    assert_non_null(file);
    for (size_t i = 0; i < FILE_LEN; i++)
        file[i] = (uint8_t)(i * 31 + (i > FILE_LEN / 2 ? kind : 0));
    return file;
}

static void test_model_changes_on_commit_only(void **state) {
    (void)state;
    uint8_t *one = make_file(1), *two = make_file(2);
    const uint8_t *data;
    size_t len;
    memory_platform *p = new_platform(NULL);
    tacit_platform f = memory_platform_callbacks(p);
    assert_int_equal(f.model_map(f.self, &data, &len), TACIT_NOT_FOUND);
    assert_int_equal(f.model_commit(f.self), TACIT_STORAGE);
    assert_int_equal(f.model_write(f.self, 5, one, 5), TACIT_STORAGE); /* not from the beginning */
    download(&f, one, FILE_LEN, 4000);
    assert_int_equal(f.model_staged(f.self, &data, &len), TACIT_OK);
    assert_int_equal(len, FILE_LEN);
    assert_memory_equal(data, one, len);
    assert_int_equal(f.model_map(f.self, &data, &len), TACIT_NOT_FOUND);
    assert_int_equal(f.model_commit(f.self), TACIT_OK);
    assert_model(&f, one, FILE_LEN);
    /* The second file agrees with the first one for half of its length. */
    download(&f, two, FILE_LEN, 7777);
    assert_model(&f, one, FILE_LEN);
    assert_int_equal(f.model_staged(f.self, &data, &len), TACIT_OK);
    assert_memory_equal(data, two, FILE_LEN);
    assert_int_equal(f.model_write(f.self, 12, one, 5), TACIT_STORAGE); /* a gap */
    memory_platform_restart(p);
    assert_int_equal(f.model_commit(f.self), TACIT_STORAGE);
    assert_model(&f, one, FILE_LEN);
    download(&f, two, FILE_LEN, FILE_LEN);
    memory_platform_fail(p, true);
    assert_int_equal(f.model_commit(f.self), TACIT_STORAGE);
    memory_platform_fail(p, false);
    assert_int_equal(f.model_commit(f.self), TACIT_OK);
    assert_model(&f, two, FILE_LEN);
    /* A shorter file that is the beginning of a known one. */
    download(&f, two, 1000, 100);
    assert_int_equal(f.model_commit(f.self), TACIT_OK);
    assert_model(&f, two, 1000);
    memory_platform_free(p);
    free(one);
    free(two);
}

static void test_equal_files_are_held_once(void **state) {
    (void)state;
    enum { DEVICES = 50 };
    uint8_t *one = make_file(1), *two = make_file(2);
    memory_models *pool = memory_models_new();
    memory_platform *p[DEVICES];
    tacit_platform f[DEVICES];
    memory_platform_options o = {.models = pool};
    assert_int_equal(memory_models_add(pool, one, FILE_LEN), TACIT_OK);
    for (int i = 0; i < DEVICES; i++) {
        p[i] = new_platform(&o);
        f[i] = memory_platform_callbacks(p[i]);
        download(&f[i], one, FILE_LEN, 60000);
        assert_true(memory_platform_len(p[i]) < 2048); /* staging took no copy */
        assert_int_equal(f[i].model_commit(f[i].self), TACIT_OK);
    }
    assert_int_equal(memory_models_count(pool), 1);
    assert_int_equal(memory_models_len(pool), FILE_LEN);
    for (int i = 0; i < DEVICES; i++) {
        download(&f[i], two, FILE_LEN, 60000);
        assert_int_equal(f[i].model_commit(f[i].self), TACIT_OK);
        assert_int_equal(memory_models_count(pool), i + 1 < DEVICES ? 2 : 1);
    }
    for (int i = 0; i < DEVICES; i++) assert_model(&f[i], two, FILE_LEN);
    for (int i = 0; i < DEVICES; i++) memory_platform_free(p[i]);
    assert_int_equal(memory_models_count(pool), 1); /* the newest stays for the next device */
    memory_models_free(pool);
    free(one);
    free(two);
}

typedef struct {
    memory_models *pool;
    uint8_t *files[2];
} crowd;

static void *one_of_many(void *self) {
    crowd *c = self;
    memory_platform *p = NULL;
    memory_platform_options o = {.models = c->pool};
    for (int i = 0; i < 40; i++) {
        if (memory_platform_new(&p, &o) != TACIT_OK) return c;
        tacit_platform f = memory_platform_callbacks(p);
        const uint8_t *data, *want = c->files[i & 1];
        size_t len;
        bool ok = true;
        for (size_t at = 0; at < FILE_LEN && ok; at += 50000)
            ok = f.model_write(f.self, at, want + at, 50000) == TACIT_OK;
        ok = ok && f.model_commit(f.self) == TACIT_OK &&
             f.model_map(f.self, &data, &len) == TACIT_OK && len == FILE_LEN &&
             memcmp(data, want, len) == 0;
        memory_platform_free(p);
        if (!ok) return c;
    }
    return NULL;
}

static void test_pool_from_many_threads(void **state) {
    (void)state;
    crowd c = {memory_models_new(), {make_file(1), make_file(2)}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, one_of_many, &c), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = &c;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(memory_models_count(c.pool), 1);
    memory_models_free(c.pool);
    free(c.files[0]);
    free(c.files[1]);
}

static uint64_t virtual_clock(void *self) { return *(const uint64_t *)self; }

static void test_identity_repeats_with_the_seed(void **state) {
    (void)state;
    uint8_t seed[32] = {7}, other[32] = {8}, a[40], b[40], sig[64], m1[32], m2[32];
    uint64_t now = 1234, counter = 1;
    memory_platform_options o = {.seed = seed, .clock = virtual_clock, .clock_self = &now};
    memory_platform *p = new_platform(&o), *q = new_platform(&o);
    o.seed = other;
    memory_platform *r = new_platform(&o);
    o.seed = NULL;
    o.no_counter = true;
    memory_platform *s = new_platform(&o);
    tacit_platform f = memory_platform_callbacks(p), g = memory_platform_callbacks(q),
                   h = memory_platform_callbacks(r), n = memory_platform_callbacks(s);
    assert_memory_equal(memory_platform_identity(p), memory_platform_identity(q), 32);
    assert_memory_not_equal(memory_platform_identity(p), memory_platform_identity(r), 32);
    assert_memory_not_equal(memory_platform_identity(p), memory_platform_identity(s), 32);
    assert_int_equal(f.random(f.self, a, sizeof a), TACIT_OK);
    assert_int_equal(g.random(g.self, b, sizeof b), TACIT_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(g.random(g.self, b, sizeof b), TACIT_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(f.sign(f.self, sig, (const uint8_t *)"hello", 5), TACIT_OK);
    assert_int_equal(tacit_verify(sig, memory_platform_identity(p), "hello", 5), TACIT_OK);
    assert_int_equal(f.mac(f.self, m1, a, sizeof a), TACIT_OK);
    assert_int_equal(g.mac(g.self, m2, a, sizeof a), TACIT_OK);
    assert_memory_equal(m1, m2, 32);
    assert_int_equal(h.mac(h.self, m2, a, sizeof a), TACIT_OK);
    assert_memory_not_equal(m1, m2, 32);
    now = 99;
    assert_int_equal(f.clock(f.self), 99);
    assert_int_equal(f.counter_raise(f.self, 5), TACIT_OK);
    assert_int_equal(f.counter_raise(f.self, 3), TACIT_OK);
    assert_int_equal(f.counter_read(f.self, &counter), TACIT_OK);
    assert_int_equal(counter, 5);
    assert_null(n.counter_read);
    assert_null(n.counter_raise);
    memory_platform_free(p);
    memory_platform_free(q);
    memory_platform_free(r);
    memory_platform_free(s);
}

static tacit_status answer(void *self, tacit_exchange *x) {
    x->http_status = ++*(int *)self + 200;
    return TACIT_OK;
}

static void test_network_is_the_callers(void **state) {
    (void)state;
    int calls = 0;
    memory_platform *p = new_platform(NULL);
    tacit_platform f = memory_platform_callbacks(p);
    tacit_exchange x = {.method = "GET", .path = "/v1/plan"};
    assert_int_equal(f.exchange(f.self, &x), TACIT_TRANSPORT);
    assert_int_equal(f.wait(f.self, 1), TACIT_TRANSPORT);
    memory_platform_connect(p, answer, NULL, &calls);
    assert_int_equal(f.exchange(f.self, &x), TACIT_OK);
    assert_int_equal(x.http_status, 201);
    memory_platform_free(p);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_get_replace_delete),
        cmocka_unit_test(test_commit_is_all_or_nothing),
        cmocka_unit_test(test_scan_is_ordered_and_stops),
        cmocka_unit_test(test_model_changes_on_commit_only),
        cmocka_unit_test(test_equal_files_are_held_once),
        cmocka_unit_test(test_pool_from_many_threads),
        cmocka_unit_test(test_identity_repeats_with_the_seed),
        cmocka_unit_test(test_network_is_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
