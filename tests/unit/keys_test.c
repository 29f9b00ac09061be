/* SPDX-License-Identifier: Apache-2.0
 * keys_test.c - a deployment's keys: what is made, with which rights, that it loads and matches,
 * that nothing is overwritten, and that the TLS identity verifies for localhost. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/keys.h"

static char dir[64], note[KEYS_NOTE_LEN + 1];

static void remove_tree(void) {
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0) fail();
}

static int make(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tacit-keys-XXXXXX");
    if (mkdtemp(dir) == NULL) return -1;
    return keys_init(dir, note) == TACIT_OK ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    remove_tree();
    return 0;
}

static const char *path_of(const char *name) {
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int mode_of(const char *name) {
    struct stat s;
    assert_int_equal(stat(path_of(name), &s), 0);
    return (int)(s.st_mode & 0777);
}

static void write_text(const char *name, const char *text) {
    FILE *out = fopen(path_of(name), "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void rights(void **state) {
    (void)state;
    static const char *const secrets[] = {"authority/authority.key", "keys/plan.key",
                                          "keys/model.key", "keys/tls.key"};
    for (size_t i = 0; i < 4; i++) assert_int_equal(mode_of(secrets[i]), 0600);
    assert_int_equal(mode_of("authority"), 0700);
    assert_int_equal(mode_of("keys"), 0700);
}

static void loads_and_matches(void **state) {
    (void)state;
    keys_server s;
    keys_pair authority;
    keys_pins pins;
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_OK);
    assert_int_equal(keys_load_authority(&authority, note, dir), TACIT_OK);
    assert_int_equal(keys_load_pins(&pins, note, path_of("app/pins.ini")), TACIT_OK);
    assert_memory_equal(pins.plan_key, s.plan.public_key, 32);
    assert_memory_equal(pins.model_key, s.model.public_key, 32);
    assert_memory_equal(pins.authority_key, s.authority_key, 32);
    assert_memory_equal(authority.public_key, s.authority_key, 32);
    assert_memory_not_equal(pins.plan_key, pins.model_key, 32);
    uint8_t sig[TACIT_SIG_LEN];
    tacit_sign(sig, s.plan.secret, "abc", 3);
    assert_int_equal(tacit_verify(sig, pins.plan_key, "abc", 3), TACIT_OK);
    keys_server_wipe(&s);
    static const keys_server zero;
    assert_memory_equal(&s, &zero, sizeof s);
}

static void server_works_without_the_authority_folder(void **state) {
    (void)state;
    keys_server s;
    keys_pair authority;
    char moved[128];
    snprintf(moved, sizeof moved, "%s/elsewhere", dir);
    assert_int_equal(rename(path_of("authority"), moved), 0);
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_OK);
    assert_int_equal(keys_load_authority(&authority, note, dir), TACIT_IO);
}

static void never_overwrites(void **state) {
    (void)state;
    keys_server before, after;
    assert_int_equal(keys_load_server(&before, note, dir), TACIT_OK);
    assert_int_equal(keys_init(dir, note), TACIT_DUPLICATE);
    assert_non_null(strstr(note, "authority.key"));
    assert_int_equal(keys_load_server(&after, note, dir), TACIT_OK);
    assert_memory_equal(&before, &after, sizeof after);
    /* One file alone is enough, and nothing else is made beside it. */
    remove_tree();
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_equal(mkdir(path_of("keys"), 0755), 0);
    write_text("keys/tls.key", "mine");
    assert_int_equal(keys_init(dir, note), TACIT_DUPLICATE);
    assert_non_null(strstr(note, "tls.key"));
    assert_int_equal(access(path_of("authority"), F_OK), -1);
}

static void bad_files_are_named(void **state) {
    (void)state;
    keys_server s;
    assert_int_equal(chmod(path_of("keys/plan.key"), 0644), 0);
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_BAD_KEY);
    assert_non_null(strstr(note, "plan.key: others may read it"));
    assert_int_equal(chmod(path_of("keys/plan.key"), 0600), 0);
    write_text("keys/plan.pub", "0000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_BAD_KEY);
    assert_non_null(strstr(note, "plan.pub"));
    write_text("keys/plan.key", "xyz\n");
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_BAD_KEY);
    assert_non_null(strstr(note, "64 hexadecimal digits"));
    assert_int_equal(unlink(path_of("keys/plan.key")), 0);
    assert_int_equal(keys_load_server(&s, note, dir), TACIT_IO);
}

static void bad_pins(void **state) {
    (void)state;
    keys_pins pins;
    static const char *const bad[] = {
        "", "[pins]\nplan_key = 00\n", "[other]\nplan_key = 1\n", "[pins]\nrubbish\n",
        "[pins]\nplan_key = 0000000000000000000000000000000000000000000000000000000000000000\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_text("pins.ini", bad[i]);
        assert_int_equal(keys_load_pins(&pins, note, path_of("pins.ini")), TACIT_BAD_KEY);
    }
    assert_int_equal(keys_load_pins(&pins, note, path_of("none.ini")), TACIT_IO);
}

static void certificate_is_for_localhost(void **state) {
    (void)state;
    mbedtls_x509_crt crt, pin;
    mbedtls_x509_crt_init(&crt);
    mbedtls_x509_crt_init(&pin);
    assert_int_equal(mbedtls_x509_crt_parse_file(&crt, path_of("keys/tls.crt")), 0);
    assert_int_equal(mbedtls_x509_crt_parse_file(&pin, path_of("app/server.crt")), 0);
    uint32_t flags = 0;
    assert_int_equal(mbedtls_x509_crt_verify(&crt, &pin, NULL, "localhost", &flags, NULL, NULL), 0);
    assert_int_equal(mbedtls_x509_crt_verify(&crt, &pin, NULL, "127.0.0.1", &flags, NULL, NULL), 0);
    assert_int_not_equal(
        mbedtls_x509_crt_verify(&crt, &pin, NULL, "example.org", &flags, NULL, NULL), 0);
    char text[2048];
    assert_true(mbedtls_x509_crt_info(text, sizeof text, "", &crt) > 0);
    assert_non_null(strstr(text, "localhost"));
    assert_non_null(strstr(text, "256 bits"));
    mbedtls_x509_crt_free(&crt);
    mbedtls_x509_crt_free(&pin);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rights, make, clean),
        cmocka_unit_test_setup_teardown(loads_and_matches, make, clean),
        cmocka_unit_test_setup_teardown(server_works_without_the_authority_folder, make, clean),
        cmocka_unit_test_setup_teardown(never_overwrites, make, clean),
        cmocka_unit_test_setup_teardown(bad_files_are_named, make, clean),
        cmocka_unit_test_setup_teardown(bad_pins, make, clean),
        cmocka_unit_test_setup_teardown(certificate_is_for_localhost, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
