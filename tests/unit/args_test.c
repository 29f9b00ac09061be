/* SPDX-License-Identifier: Apache-2.0
 * args_test.c - each kind of option: what it takes, what it refuses, and that a refused value does
 * not pass silently. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/files.h"
#include "tools/args.h"

typedef struct {
    bool flag;
    const char *text, *words[2];
    uint32_t u32;
    uint64_t u64, range[2];
    double number, epsilon;
    uint16_t fraction;
    size_t count;
} values;

/* Parses words (NULL-terminated) with stdout and stderr kept in *said (free it). */
static args_result parse(values *v, char **said, const char *const *words) {
    const arg_option options[] = {{"flag", ARG_FLAG, &v->flag, NULL, "a flag"},
                                  {"text", ARG_STRING, &v->text, "T", "a text"},
                                  {"u32", ARG_U32, &v->u32, "N", "a number"},
                                  {"u64", ARG_U64, &v->u64, "N", "a large number"},
                                  {"number", ARG_DOUBLE, &v->number, "X", "any number"},
                                  {"fraction", ARG_FRACTION, &v->fraction, "F", "a fraction"},
                                  {"epsilon", ARG_EPSILON, &v->epsilon, "E", "a budget"},
                                  {"range", ARG_RANGE, v->range, "A-B", "a range"},
                                  {NULL, ARG_FLAG, NULL, NULL, NULL}};
    char name[] = "test", copies[8][64], *argv[9] = {name};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        snprintf(copies[argc - 1], sizeof copies[0], "%s", words[argc - 1]);
        argv[argc] = copies[argc - 1];
    }
    char path[] = "/tmp/tacit-args-XXXXXX";
    int file = mkstemp(path), out = dup(1), err = dup(2);
    assert_true(file >= 0 && out >= 0 && err >= 0);
    unlink(path);
    fflush(NULL);
    dup2(file, 1);
    dup2(file, 2);
    args_result r =
        args_parse(argc, argv, options, "test [OPTIONS]", "About.", v->words, 2, &v->count);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    off_t len = lseek(file, 0, SEEK_END);
    *said = calloc((size_t)len + 1, 1);
    assert_non_null(*said);
    assert_int_equal(pread(file, *said, (size_t)len, 0), len);
    close(file);
    /* words[] point into copies[], which is gone after this: compare now. */
    for (size_t i = 0; r == ARGS_OK && i < v->count; i++)
        v->words[i] = strcmp(v->words[i], "one") == 0 ? "one" : "another";
    return r;
}

static void takes(values *v, const char *option, const char *value) {
    const char *words[] = {option, value, NULL};
    char *said;
    args_result r = parse(v, &said, words);
    if (r != ARGS_OK) fail_msg("%s %s: %s", option, value, said);
    free(said);
}

static void refuses(const char *option, const char *value, const char *wanted) {
    values v = {.u32 = 7};
    const char *words[] = {option, value, NULL};
    char *said;
    args_result r = parse(&v, &said, words);
    if (r != ARGS_BAD || strstr(said, wanted) == NULL)
        fail_msg("%s %s: %d, '%s'", option, value, r, said);
    free(said);
}

static void test_values(void **state) {
    (void)state;
    values v = {.u32 = 7};
    takes(&v, "--u32", "4294967295");
    assert_int_equal(v.u32, UINT32_MAX);
    takes(&v, "--u64", "18446744073709551615");
    assert_true(v.u64 == UINT64_MAX);
    takes(&v, "--number", "-1.5e3");
    assert_true(v.number == -1500);
    takes(&v, "--fraction", "0.125");
    assert_int_equal(v.fraction, 125);
    takes(&v, "--fraction", ".1");
    assert_int_equal(v.fraction, 100);
    takes(&v, "--fraction", "1");
    assert_int_equal(v.fraction, 1000);
    takes(&v, "--epsilon", "0.5");
    assert_true(v.epsilon == 0.5);
    takes(&v, "--epsilon", "none");
    assert_true(isinf(v.epsilon));
    takes(&v, "--range", "3-9");
    assert_true(v.range[0] == 3 && v.range[1] == 9);
    takes(&v, "--range", "4");
    assert_true(v.range[0] == 4 && v.range[1] == 4);
}

static void test_refusals(void **state) {
    (void)state;
    refuses("--u32", "4294967296", "--u32 wants a whole number");
    refuses("--u32", "-1", "--u32 wants a whole number");
    refuses("--u32", "1x", "--u32 wants a whole number");
    refuses("--u32", "", "--u32 wants a whole number");
    refuses("--u64", "18446744073709551616", "--u64 wants a whole number");
    refuses("--number", "nan", "--number wants a number");
    refuses("--number", "1.5x", "--number wants a number");
    refuses("--fraction", "0.1234", "at most three decimals");
    refuses("--fraction", "1.001", "--fraction wants a fraction");
    refuses("--fraction", "1e-1", "--fraction wants a fraction");
    refuses("--fraction", "-0.1", "--fraction wants a fraction");
    refuses("--epsilon", "0", "a positive number or 'none'");
    refuses("--epsilon", "inf", "a positive number or 'none'");
    refuses("--range", "9-3", "--range wants a number or a range");
    refuses("--range", "3-", "--range wants a number or a range");
    refuses("--unknown", "1", "unknown");
    refuses("one", "--text", "text");
}

static void test_words_and_flags(void **state) {
    (void)state;
    values v = {.u32 = 7};
    char *said;
    const char *mixed[] = {"one", "--flag", "two", "--text=three", NULL};
    assert_int_equal(parse(&v, &said, mixed), ARGS_OK);
    free(said);
    assert_true(v.flag);
    assert_int_equal(v.count, 2);
    assert_string_equal(v.words[0], "one");
    assert_string_equal(v.words[1], "another");
    assert_int_equal(v.u32, 7); /* untouched defaults stay */
    const char *many[] = {"one", "two", "three", NULL};
    assert_int_equal(parse(&v, &said, many), ARGS_BAD);
    assert_non_null(strstr(said, "unexpected argument 'three'"));
    free(said);
    const char *none[] = {NULL};
    assert_int_equal(parse(&v, &said, none), ARGS_OK);
    assert_int_equal(v.count, 0);
    free(said);
}

static void test_help_is_made_of_the_table(void **state) {
    (void)state;
    values v = {.u32 = 7, .epsilon = INFINITY, .fraction = 100, .range = {0, 2}};
    static const char *const wanted[] = {"usage: tacit test [OPTIONS]",
                                         "About.",
                                         "--flag",
                                         "a flag",
                                         "--u32 N",
                                         "[7]",
                                         "--epsilon E",
                                         "[none]",
                                         "[0.1]",
                                         "[0-2]",
                                         "--help"};
    const char *help[] = {"--help", NULL};
    char *said;
    assert_int_equal(parse(&v, &said, help), ARGS_HELP);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strstr(said, wanted[i]) == NULL) fail_msg("no '%s' in:\n%s", wanted[i], said);
    free(said);
    v.fraction = UINT16_MAX; /* no default */
    assert_int_equal(parse(&v, &said, help), ARGS_HELP);
    assert_null(strstr(said, "65.5"));
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_words_and_flags),
        cmocka_unit_test(test_help_is_made_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
