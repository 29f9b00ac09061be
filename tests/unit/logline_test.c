/* SPDX-License-Identifier: Apache-2.0
 * logline_test.c - log lines in both forms: every one parses, whatever stands in the fields. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "server/logline.h"

static char text[4096];
static FILE *out;

static void begin(bool json) {
    memset(text, 0, sizeof text);
    out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    logline_setup(out, json);
}

static void end(void) {
    fclose(out);
    logline_setup(NULL, false);
}

static void a_line_as_text(void **state) {
    (void)state;
    logline l;
    begin(false);
    logline_begin(&l, LOG_WARNING, "phase");
    logline_number(&l, "round", UINT64_MAX);
    logline_text(&l, "note", "a \"b\"\n");
    logline_real(&l, "epsilon", 7.5);
    logline_end(&l);
    end();
    assert_int_equal(text[10], 'T');
    assert_string_equal(
        text + 20,
        " warning phase round=18446744073709551615 note=\"a \\\"b\\\"\\u000a\" epsilon=7.5\n");
}

static void a_line_as_json(void **state) {
    (void)state;
    char odd[300];
    for (size_t i = 0; i + 1 < sizeof odd; i++) odd[i] = (char)(i % 127 + 1);
    odd[sizeof odd - 1] = 0;
    logline l;
    begin(true);
    logline_begin(&l, LOG_ERROR, "run");
    logline_number(&l, "round", 7);
    logline_text(&l, "note", odd);
    logline_real(&l, "signal", INFINITY);
    logline_real(&l, "z", 0.25);
    logline_end(&l);
    end();
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(root, "event")), "run");
    assert_int_equal(json_integer_value(json_object_get(root, "round")), 7);
    const char *note = json_string_value(json_object_get(root, "note"));
    assert_non_null(note);
    assert_memory_equal(note, odd, strlen(note)); /* cut, but not changed */
    assert_true(strlen(note) > 100);
    assert_true(json_is_null(json_object_get(root, "signal")));
    assert_true(json_real_value(json_object_get(root, "z")) == 0.25);
    json_decref(root);
}

static void long_lines_lose_fields_and_still_parse(void **state) {
    (void)state;
    char name[16];
    logline l;
    for (int json = 0; json < 2; json++) {
        begin(json == 1);
        logline_begin(&l, LOG_INFO, "many");
        for (int i = 0; i < 200; i++) {
            snprintf(name, sizeof name, "f%d", i);
            logline_text(&l, name, "some words of a value");
        }
        logline_end(&l);
        end();
        size_t len = strlen(text);
        assert_true(len < sizeof l.text);
        assert_int_equal(text[len - 1], '\n');
        if (json == 0) continue;
        json_t *root = json_loads(text, 0, NULL);
        assert_non_null(root);
        assert_true(json_object_size(root) > 20);
        json_decref(root);
    }
}

/* 64 digits, the first byte's high half first. */
static void a_hash(void **state) {
    (void)state;
    static const uint8_t hash[TACIT_HASH_LEN] = {0x01, 0xfe};
    logline l;
    begin(true);
    logline_begin(&l, LOG_INFO, "blame");
    logline_hash(&l, "device", hash);
    logline_end(&l);
    end();
    assert_non_null(strstr(text,
                           "\"device\":\"01fe0000000000000000000000000000"
                           "00000000000000000000000000000000\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_as_text),
        cmocka_unit_test(a_line_as_json),
        cmocka_unit_test(a_hash),
        cmocka_unit_test(long_lines_lose_fields_and_still_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
