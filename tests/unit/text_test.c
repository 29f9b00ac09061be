/* SPDX-License-Identifier: Apache-2.0
 * text_test.c - numbers written without printf are the numbers printf and strtod know. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/prng.h"
#include "firmware/text.h"

static const char *number(double v, int digits) {
    static char line[64];
    tacit_text t;
    tacit_text_init(&t, line, sizeof line);
    tacit_text_f64(&t, v, digits);
    assert_false(t.full);
    return line;
}

static void test_known_numbers(void **state) {
    (void)state;
    assert_string_equal(number(0, 9), "0");
    assert_string_equal(number(-0.0, 9), "0");
    assert_string_equal(number(1, 9), "1");
    assert_string_equal(number(-2.5, 9), "-2.5");
    assert_string_equal(number(100, 9), "100");
    assert_string_equal(number(123456, 3), "123000");
    assert_string_equal(number(0.001, 9), "0.001");
    assert_string_equal(number(0.00012345, 9), "0.00012345");
    assert_string_equal(number(9.9999, 3), "10");
    assert_string_equal(number(999.96, 4), "1000");
    assert_string_equal(number(1e-6, 9), "1e-6");
    assert_string_equal(number(-1.25e-30, 9), "-1.25e-30");
    assert_string_equal(number(1e22, 9), "1e22");
    assert_string_equal(number(NAN, 9), "null");
    assert_string_equal(number(-INFINITY, 9), "null");
}

static void test_numbers_come_back(void **state) {
    (void)state;
    tacit_prng prng;
    tacit_prng_init_seed(&prng, 1, 0);
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = tacit_prng_u32(&prng);
        float f;
        memcpy(&f, &bits, sizeof f);
        if (!isfinite(f)) continue;
        assert_true(strtof(number((double)f, 9), NULL) == f);
        double v = ldexp(tacit_prng_normal(&prng), (int)tacit_prng_below(&prng, 400) - 200);
        double back = strtod(number(v, 17), NULL);
        assert_true(fabs(back - v) <= fabs(v) * 1e-15); /* pow is not exact: the last digit */
    }
    assert_true(strtof(number((double)FLT_MAX, 9), NULL) == FLT_MAX);
    assert_true(strtof(number((double)FLT_TRUE_MIN, 9), NULL) == FLT_TRUE_MIN);
    assert_true(strtod(number(DBL_MAX, 15), NULL) > 1.797e308);
    assert_true(strtod(number(DBL_MIN, 17), NULL) > 0);
}

static void test_whole_numbers_and_hex(void **state) {
    (void)state;
    char line[40];
    tacit_text t;
    tacit_text_init(&t, line, sizeof line);
    tacit_text_u64(&t, 0);
    tacit_text_add(&t, " ");
    tacit_text_u64(&t, UINT64_MAX);
    tacit_text_add(&t, " ");
    tacit_text_hex(&t, (const uint8_t[]){0, 0xA5, 0xFF}, 3);
    assert_string_equal(line, "0 18446744073709551615 00a5ff");
    assert_int_equal(t.len, strlen(line));
}

static void test_full_buffers_are_marked(void **state) {
    (void)state;
    char line[6] = {1, 1, 1, 1, 1, 1};
    tacit_text t;
    tacit_text_init(&t, line, 5);
    tacit_text_add(&t, "abcd");
    assert_false(t.full);
    tacit_text_add(&t, "e");
    assert_true(t.full);
    assert_string_equal(line, "abcd");
    assert_int_equal(line[5], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_whole_numbers_and_hex),
        cmocka_unit_test(test_full_buffers_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
