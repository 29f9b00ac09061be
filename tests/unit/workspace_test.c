/* SPDX-License-Identifier: Apache-2.0
 * workspace_test.c - the arena measures what it later gives, never gives more than it has, and
 * tacit_workspace_len is exactly what tacit_open needs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "firmware/client.h"
#include "firmware/workspace.h"
#include "tests/support/device_fixture.h"

static void *aligned(size_t len) {
    void *p = aligned_alloc(64, (len + 63) & ~(size_t)63);
    assert_non_null(p);
    return p;
}

static void take_parts(tacit_arena *a, void *out[4]) {
    out[0] = tacit_arena_take(a, 3, 5);
    out[1] = tacit_arena_take(a, 1, 16);
    out[2] = tacit_arena_take(a, 0, 8);
    out[3] = tacit_arena_take(a, 7, 8);
}

static void test_measured_is_used(void **state) {
    (void)state;
    tacit_arena measure, arena;
    void *parts[4];
    tacit_arena_init(&measure, NULL, 0);
    take_parts(&measure, parts);
    for (int i = 0; i < 4; i++) assert_null(parts[i]);
    assert_int_equal(measure.used, 16 + 16 + 64); /* rounded up to the alignment */
    assert_false(measure.full);

    uint8_t *memory = aligned(measure.used);
    memset(memory, 0xAA, measure.used);
    tacit_arena_init(&arena, memory, measure.used);
    take_parts(&arena, parts);
    assert_int_equal(arena.used, measure.used);
    assert_int_equal(arena.high, measure.used);
    assert_false(arena.full);
    assert_ptr_equal(parts[0], memory);
    assert_ptr_equal(parts[1], memory + 16);
    assert_null(parts[2]);
    assert_ptr_equal(parts[3], memory + 32);
    for (size_t i = 0; i < arena.used; i++) assert_int_equal(memory[i], 0);
    free(memory);
}

static void test_what_does_not_fit_is_refused(void **state) {
    (void)state;
    uint8_t *memory = aligned(64);
    tacit_arena a;
    tacit_arena_init(&a, memory, 48);
    assert_non_null(tacit_arena_take(&a, 33, 1)); /* takes 48 */
    assert_false(a.full);
    assert_null(tacit_arena_take(&a, 1, 1));
    assert_true(a.full);
    assert_int_equal(a.used, 48);

    tacit_arena_init(&a, memory, 48);
    assert_null(tacit_arena_take(&a, SIZE_MAX / 2, 3)); /* the product overflows */
    assert_true(a.full);
    assert_int_equal(a.used, 0);
    tacit_arena_init(&a, NULL, 0);
    (void)tacit_arena_take(&a, SIZE_MAX - 8, 1); /* the rounding overflows */
    assert_true(a.full);
    free(memory);
}

static void test_options_out_of_range(void **state) {
    (void)state;
    fixture_keys k;
    fixture_keys_init(&k);
    tacit_options good = fixture_options(&k, NULL), o;
    assert_true(tacit_workspace_len(&good) > 0);
#define REFUSED(change)                               \
    do {                                              \
        o = good;                                     \
        change;                                       \
        assert_int_equal(tacit_workspace_len(&o), 0); \
    } while (0)
    REFUSED(o.epsilon = 0);
    REFUSED(o.epsilon = -1);
    REFUSED(o.epsilon = (double)NAN);
    REFUSED(o.epsilon = 101);
    REFUSED(o.delta = 2e-5);
    REFUSED(o.delta = 0);
    REFUSED(o.delta = 1e-9); /* below what the protocol itself may fail by */
    REFUSED(o.period_s = 86399);
    REFUSED(o.max_items = 0);
    REFUSED(o.max_items = TACIT_MAX_ITEMS + 1);
    REFUSED(o.max_factor = 257);
    REFUSED(o.max_history = 0);
    REFUSED(o.max_history = 4097);
    REFUSED(o.max_dims = 1000);
    REFUSED(o.max_dims = 1u << 21);
    REFUSED(o.max_cohort = 2);
    REFUSED(o.max_cohort = 10001);
    o = good;
    o.max_dims = 0;
    o.max_cohort = 0; /* not looked at on a device that never contributes */
    assert_true(tacit_workspace_len(&o) > 0);
    assert_true(tacit_workspace_len(&o) < tacit_workspace_len(&good));
}

static void test_open_needs_exactly_that(void **state) {
    (void)state;
    fixture_keys k;
    fault_platform p;
    fixture_keys_init(&k);
    fault_init(&p, 1);
    tacit_options o = fixture_options(&k, NULL);
    tacit_platform f = fault_callbacks(&p);
    size_t need = tacit_workspace_len(&o);
    uint8_t *memory = aligned(need + 64);
    memset(memory, 0x5C, need + 64);
    tacit *t;
    assert_int_equal(tacit_open(&t, memory, need - 1, &o, &f), TACIT_NO_SPACE);
    assert_int_equal(tacit_open(&t, memory + 8, need + 32, &o, &f), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_open(&t, memory, need, &o, &f), TACIT_OK);
    assert_int_equal(t->arena.high, need);
    tacit_close(t);
    for (size_t i = 0; i < need; i++) assert_int_equal(memory[i], 0); /* wiped */
    for (size_t i = need; i < need + 64; i++) assert_int_equal(memory[i], 0x5C);
    f.mac = NULL;
    assert_int_equal(tacit_open(&t, memory, need, &o, &f), TACIT_INVALID_ARGUMENT);
    free(memory);
    fault_free(&p);
}

/* The largest device stays in reach of a phone, the smallest of a microcontroller. */
static void test_sizes(void **state) {
    (void)state;
    fixture_keys k;
    fixture_keys_init(&k);
    tacit_options o = fixture_options(&k, NULL);
    o.max_items = 4096, o.max_factor = 44, o.max_history = 512, o.max_dims = 1u << 17,
    o.max_cohort = 1000;
    size_t phone = tacit_workspace_len(&o);
    assert_in_range(phone, 8u << 17, (8u << 17) + (700u << 10));
    o.max_items = 512, o.max_factor = 16, o.max_history = 64, o.max_dims = 0;
    assert_in_range(tacit_workspace_len(&o), 1, 40u << 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measured_is_used),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_open_needs_exactly_that),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
