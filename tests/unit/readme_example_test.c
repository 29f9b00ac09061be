/* SPDX-License-Identifier: Apache-2.0
 * readme_example_test.c - the program that README.md shows does what README.md says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/device_fixture.h"

int readme_example_main(int argc, char **argv);
#define main readme_example_main
#include "tests/readme_example.c"
#undef main

enum { ITEMS = 120 };

static char folder[64], key[65];

static int make(void **state) {
    fixture_keys keys;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tacit-readme-XXXXXX");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) return -1;
    fixture_keys_init(&keys);
    for (int i = 0; i < 32; i++) snprintf(key + 2 * i, 3, "%02x", keys.model_key[i]);
    fixture_model m = fixture_model_make(&keys, 1, ITEMS, 8, 6, NULL);
    FILE *out = fopen("model.bin", "wb");
    bool ok = out != NULL && fwrite(m.file, 1, m.len, out) == m.len;
    if (out != NULL) fclose(out);
    fixture_model_free(&m);
    return ok ? 0 : -1;
}

static int clean(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

/* Runs it with its standard output in the file "out". */
static int run(int argc, char **argv) {
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0);
    assert_non_null(freopen("out", "w", stdout));
    int result = readme_example_main(argc, argv);
    fflush(stdout);
    assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    close(kept);
    return result;
}

static void it_ranks_and_explains(void **state) {
    (void)state;
    static char program[] = "readme_example", path[] = "model.bin", a[] = "10", b[] = "370";
    char *argv[] = {program, path, key, a, b, NULL};
    for (int turn = 0; turn < 2; turn++) { /* the second time over the history of the first */
        assert_int_equal(run(5, argv), 0);
        FILE *in = fopen("out", "r");
        assert_non_null(in);
        char line[128];
        int lines = 0;
        float last = 1e30f, score;
        for (; fgets(line, sizeof line, in) != NULL; lines++) {
            unsigned long long item, reason;
            assert_int_equal(sscanf(line, "%llu (%f) because of %llu", &item, &score, &reason), 3);
            assert_true(item % 10 == 0 && item <= 10 * ITEMS && item != 10 && item != 370);
            assert_true(reason == 10 || reason == 370);
            assert_true(score <= last);
            last = score;
        }
        fclose(in);
        assert_int_equal(lines, 5);
    }
    assert_int_equal(access("store/model", F_OK), 0);
    assert_int_equal(access("keystore/identity", F_OK), 0);
}

static void it_says_what_it_wants(void **state) {
    (void)state;
    static char program[] = "readme_example";
    char *argv[] = {program, NULL};
    assert_int_equal(run(1, argv), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_ranks_and_explains, make, clean),
        cmocka_unit_test_setup_teardown(it_says_what_it_wants, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
