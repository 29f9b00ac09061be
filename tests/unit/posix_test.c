/* SPDX-License-Identifier: Apache-2.0
 * posix_test.c - the POSIX platform's keystore, counter, waits and cancellation. Its storage runs
 * the contract in storage_test.c, its transport has https_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "firmware/port/posix.h"
#include "server/tls_certificate.h"
#include "tests/support/files.h"

static char folder[64];

static int make(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tacit-posix-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *path_of(const char *name) {
    static char paths[4][96];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static tacit_status try_open(tacit_posix **out) {
    char store[96], keys[96];
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    tacit_posix_config config = {.store_folder = store, .keystore_folder = keys};
    *out = NULL;
    return tacit_posix_open(out, &config);
}

static tacit_posix *open_platform(tacit_platform *f) {
    tacit_posix *p;
    assert_int_equal(try_open(&p), TACIT_OK);
    tacit_posix_platform(p, f);
    return p;
}

static size_t read_bytes(const char *name, uint8_t *out, size_t cap) {
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, cap, file);
    fclose(file);
    return len;
}

static void write_bytes(const char *name, const uint8_t *data, size_t len) {
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

static int mode_of(const char *name) {
    struct stat info;
    assert_int_equal(stat(path_of(name), &info), 0);
    return (int)(info.st_mode & 0777);
}

static double seconds_since(const struct timespec *from) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
}

/* ---- Keystore ----------------------------------------------------------------------------------
 */

static void keys_are_made_once(void **state) {
    (void)state;
    tacit_platform f;
    uint8_t first[32], second[32], tag[32], again[32], files[3][64];
    tacit_posix *p = open_platform(&f);
    tacit_posix_identity(p, first);
    assert_int_equal(f.mac(f.self, tag, (const uint8_t *)"m", 1), TACIT_OK);
    tacit_posix_close(p);
    assert_int_equal(read_bytes("keys/identity", files[0], 64), 32);
    assert_int_equal(read_bytes("keys/mac", files[1], 64), 32);
    assert_int_equal(read_bytes("keys/counter", files[2], 64), 8);
    assert_memory_not_equal(files[0], files[1], 32);
    assert_int_equal(mode_of("keys"), 0700);
    assert_int_equal(mode_of("store"), 0700);
    assert_int_equal(mode_of("keys/identity"), 0600);
    assert_int_equal(mode_of("keys/mac"), 0600);
    assert_int_equal(mode_of("keys/counter"), 0600);
    assert_int_equal(access(path_of("keys/new"), F_OK), -1);
    p = open_platform(&f);
    tacit_posix_identity(p, second);
    assert_memory_equal(first, second, 32);
    assert_int_equal(f.mac(f.self, again, (const uint8_t *)"m", 1), TACIT_OK);
    assert_memory_equal(tag, again, 32);
    tacit_posix_close(p);
    uint8_t now[64];
    assert_int_equal(read_bytes("keys/identity", now, 64), 32);
    assert_memory_equal(now, files[0], 32);
    assert_int_equal(read_bytes("keys/mac", now, 64), 32);
    assert_memory_equal(now, files[1], 32);
}

static void the_keys_of_the_files_are_used(void **state) {
    (void)state;
    tacit_platform f;
    uint8_t seed[32], mac_key[32], want[32], got[32], pk[32], want_pk[32], sk[64], sig[64];
    static const uint8_t msg[] = "some bytes";
    tacit_posix *p = open_platform(&f);
    assert_int_equal(read_bytes("keys/identity", seed, 32), 32);
    assert_int_equal(read_bytes("keys/mac", mac_key, 32), 32);
    tacit_sign_keypair(want_pk, sk, seed);
    tacit_posix_identity(p, pk);
    assert_memory_equal(pk, want_pk, 32);
    assert_int_equal(f.sign(f.self, sig, msg, sizeof msg), TACIT_OK);
    assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg), TACIT_OK);
    tacit_mac(want, mac_key, TACIT_LABEL_LEDGER, msg, sizeof msg);
    assert_int_equal(f.mac(f.self, got, msg, sizeof msg), TACIT_OK);
    assert_memory_equal(got, want, 32);
    tacit_posix_close(p);
}

static void two_devices_have_different_keys(void **state) {
    tacit_platform f;
    uint8_t one[32], two[32], random[2][32];
    tacit_posix *p = open_platform(&f);
    tacit_posix_identity(p, one);
    assert_int_equal(f.random(f.self, random[0], 32), TACIT_OK);
    assert_int_equal(f.random(f.self, random[1], 32), TACIT_OK);
    assert_memory_not_equal(random[0], random[1], 32);
    tacit_posix_close(p);
    assert_int_equal(clean(state), 0);
    assert_int_equal(make(state), 0);
    p = open_platform(&f);
    tacit_posix_identity(p, two);
    assert_memory_not_equal(one, two, 32);
    tacit_posix_close(p);
}

static void a_damaged_keystore_is_refused_and_left_alone(void **state) {
    (void)state;
    static const char *const names[] = {"keys/identity", "keys/mac", "keys/counter"};
    static const size_t lens[] = {32, 32, 8};
    tacit_posix *p = NULL;
    assert_int_equal(try_open(&p), TACIT_OK);
    tacit_posix_close(p);
    for (size_t i = 0; i < 3; i++) {
        uint8_t good[65] = {0}, now[65];
        assert_int_equal(read_bytes(names[i], good, 65), lens[i]);
        const size_t wrong[] = {0, lens[i] - 1, lens[i] + 1};
        for (size_t j = 0; j < 3; j++) {
            write_bytes(names[i], good, wrong[j]);
            assert_int_equal(try_open(&p), TACIT_STORAGE);
            assert_null(p);
            assert_int_equal(read_bytes(names[i], now, 65), wrong[j]);
        }
        write_bytes(names[i], good, lens[i]);
        assert_int_equal(try_open(&p), TACIT_OK);
        tacit_posix_close(p);
    }
}

/* A counter that begins again at zero would let an old ledger pass; a new MAC key, a new ledger. */
static void a_keystore_with_an_identity_is_never_completed(void **state) {
    (void)state;
    static const char *const names[] = {"keys/mac", "keys/counter"};
    tacit_posix *p = NULL;
    assert_int_equal(try_open(&p), TACIT_OK);
    tacit_posix_close(p);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rename(path_of(names[i]), path_of("away")), 0);
        assert_int_equal(try_open(&p), TACIT_STORAGE);
        assert_int_equal(access(path_of(names[i]), F_OK), -1);
        assert_int_equal(rename(path_of("away"), path_of(names[i])), 0);
    }
    assert_int_equal(try_open(&p), TACIT_OK);
    tacit_posix_close(p);
}

/* The power went while the keystore was made: what is there is kept, the rest is made. */
static void a_keystore_half_made_is_finished(void **state) {
    (void)state;
    static const uint8_t count[8] = {5}, key[32] = {1, 2, 3}, half[7] = {9};
    uint8_t now[64];
    uint64_t value = 0;
    tacit_platform f;
    assert_int_equal(mkdir(path_of("keys"), 0700), 0);
    write_bytes("keys/counter", count, sizeof count);
    write_bytes("keys/mac", key, sizeof key);
    write_bytes("keys/new", half, sizeof half);
    tacit_posix *p = open_platform(&f);
    assert_int_equal(f.counter_read(f.self, &value), TACIT_OK);
    assert_int_equal(value, 5);
    assert_int_equal(read_bytes("keys/mac", now, 64), 32);
    assert_memory_equal(now, key, 32);
    assert_int_equal(read_bytes("keys/identity", now, 64), 32);
    tacit_posix_close(p);
}

static void a_keystore_is_open_once(void **state) {
    (void)state;
    tacit_posix *p, *other = NULL;
    tacit_platform f;
    p = open_platform(&f);
    char store[96], keys[96];
    snprintf(store, sizeof store, "%s/other", folder);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    tacit_posix_config config = {.store_folder = store, .keystore_folder = keys};
    assert_int_equal(tacit_posix_open(&other, &config), TACIT_STORAGE);
    config.keystore_folder = store; /* the store's folder is no keystore */
    assert_int_equal(tacit_posix_open(&other, &config), TACIT_STORAGE);
    assert_null(other);
    tacit_posix_close(p);
    p = open_platform(&f);
    tacit_posix_close(p);
    tacit_posix_close(NULL);
}

/* ---- Counter -----------------------------------------------------------------------------------
 */

static uint64_t count_of(const tacit_platform *f) {
    uint64_t value = UINT64_MAX;
    assert_int_equal(f->counter_read(f->self, &value), TACIT_OK);
    return value;
}

static void the_counter_only_rises(void **state) {
    (void)state;
    static const uint64_t raises[] = {1, 7, 3, 7, 0, 1ull << 40, 9, UINT64_MAX};
    tacit_platform f;
    uint64_t want = 0;
    tacit_posix *p = open_platform(&f);
    assert_int_equal(count_of(&f), 0);
    for (size_t i = 0; i < sizeof raises / sizeof *raises; i++) {
        assert_int_equal(f.counter_raise(f.self, raises[i]), TACIT_OK);
        if (raises[i] > want) want = raises[i];
        assert_int_equal(count_of(&f), want);
        if (i % 2 == 0) continue;
        tacit_posix_close(p);
        p = open_platform(&f);
        assert_int_equal(count_of(&f), want);
    }
    tacit_posix_close(p);
}

static void a_raise_that_cannot_be_written_fails(void **state) {
    (void)state;
    tacit_platform f;
    tacit_posix *p = open_platform(&f);
    assert_int_equal(f.counter_raise(f.self, 4), TACIT_OK);
    files_limit(5); /* of the eight bytes */
    tacit_status st = f.counter_raise(f.self, 9);
    files_limit(RLIM_INFINITY);
    assert_int_equal(st, TACIT_STORAGE);
    assert_int_equal(count_of(&f), 4);
    tacit_posix_close(p);
    p = open_platform(&f);
    assert_int_equal(count_of(&f), 4);
    assert_int_equal(f.counter_raise(f.self, 5), TACIT_OK);
    tacit_posix_close(p);
}

/* ---- Clock, waits, network ---------------------------------------------------------------------
 */

static void clock_and_wait(void **state) {
    (void)state;
    tacit_platform f;
    struct timespec start;
    tacit_posix *p = open_platform(&f);
    uint64_t now_s = f.clock(f.self), want_s = (uint64_t)time(NULL);
    assert_true(now_s <= want_s && now_s + 2 > want_s);
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(f.wait(f.self, 0), TACIT_OK);
    assert_true(seconds_since(&start) < 0.5);
    assert_int_equal(f.wait(f.self, 1), TACIT_OK);
    assert_true(seconds_since(&start) >= 1.0 && seconds_since(&start) < 1.9);
    tacit_posix_close(p);
}

static void *cancel_soon(void *self) {
    usleep(100000);
    tacit_posix_cancel(self);
    return NULL;
}

static void a_cancellation_ends_waits(void **state) {
    (void)state;
    tacit_platform f;
    struct timespec start;
    pthread_t thread;
    tacit_posix *p = open_platform(&f);
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, p), 0);
    assert_int_equal(f.wait(f.self, 3600), TACIT_LEFT);
    assert_int_equal(f.wait(f.self, 3600), TACIT_LEFT);
    assert_int_equal(f.wait(f.self, 0), TACIT_LEFT);
    assert_true(seconds_since(&start) < 5);
    pthread_join(thread, NULL);
    for (int i = 0; i < 100000; i++) tacit_posix_cancel(p); /* never blocks */
    tacit_posix_close(p);
}

static tacit_posix *of_handler;
static void on_alarm(int number) {
    (void)number;
    tacit_posix_cancel(of_handler);
}

static void a_signal_handler_may_cancel(void **state) {
    (void)state;
    tacit_platform f;
    of_handler = open_platform(&f);
    signal(SIGALRM, on_alarm);
    alarm(1);
    assert_int_equal(f.wait(f.self, 3600), TACIT_LEFT);
    tacit_posix_close(of_handler);
}

static void a_network_is_optional_and_whole(void **state) {
    (void)state;
    tacit_platform f;
    tacit_posix *p = open_platform(&f);
    assert_null(f.exchange);
    assert_null(tacit_posix_connection(p));
    tacit_posix_close(p);
    char store[96], keys[96], key[TLS_PEM_MAX], crt[TLS_PEM_MAX];
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    assert_int_equal(tls_certificate_make(key, crt, (uint64_t)time(NULL)), TACIT_OK);
    write_bytes("tls.crt", (const uint8_t *)crt, strlen(crt));
    tacit_https_trust *trust;
    assert_int_equal(tacit_https_trust_new(&trust, path_of("tls.crt")), TACIT_OK);
    tacit_posix_config config = {
        .store_folder = store, .keystore_folder = keys, .host = "localhost"};
    p = NULL;
    assert_int_equal(tacit_posix_open(&p, &config), TACIT_INVALID_ARGUMENT);
    config.port = "1";
    assert_int_equal(tacit_posix_open(&p, &config), TACIT_INVALID_ARGUMENT);
    config.trust = trust;
    config.host = "local host";
    assert_int_equal(tacit_posix_open(&p, &config), TACIT_INVALID_ARGUMENT);
    assert_null(p);
    config.host = "localhost";
    assert_int_equal(tacit_posix_open(&p, &config), TACIT_OK);
    tacit_posix_platform(p, &f);
    assert_non_null(tacit_posix_connection(p));
    tacit_exchange x = {.method = "GET", .path = "/v1/plan"};
    assert_int_equal(f.exchange(f.self, &x), TACIT_TRANSPORT); /* nobody listens on port 1 */
    assert_int_equal(x.http_status, 0);
    tacit_posix_cancel(p);
    assert_int_equal(f.exchange(f.self, &x), TACIT_LEFT);
    tacit_posix_close(p);
    tacit_https_trust_free(trust);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(keys_are_made_once),
        TEST(the_keys_of_the_files_are_used),
        TEST(two_devices_have_different_keys),
        TEST(a_damaged_keystore_is_refused_and_left_alone),
        TEST(a_keystore_with_an_identity_is_never_completed),
        TEST(a_keystore_half_made_is_finished),
        TEST(a_keystore_is_open_once),
        TEST(the_counter_only_rises),
        TEST(a_raise_that_cannot_be_written_fails),
        TEST(clock_and_wait),
        TEST(a_cancellation_ends_waits),
        TEST(a_signal_handler_may_cancel),
        TEST(a_network_is_optional_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
