/* SPDX-License-Identifier: Apache-2.0
 * key_table_test.c - the map from 32-byte values to numbers: full tables, repeated and absent keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/prng.h"
#include "server/key_table.h"

static void key_of(uint8_t key[static TACIT_HASH_LEN], uint32_t i) {
    memset(key, 0, TACIT_HASH_LEN);
    tacit_put_u32(key + 28, i); /* alike in all bytes but the last */
}

/* Tables filled to the last entry, under many secrets: everything is found, nothing else is, and a
 * search for what is not there ends. */
static void test_full(void **state) {
    (void)state;
    static const uint32_t capacities[] = {1, 2, 3, 4, 5, 64, 1000};
    tacit_prng p;
    tacit_prng_init_seed(&p, 1, 0);
    for (uint32_t round = 0; round < 70; round++) {
        uint32_t capacity = capacities[round % 7];
        uint8_t secret[TACIT_KEY_LEN], key[TACIT_HASH_LEN];
        key_table t;
        tacit_prng_bytes(&p, secret, sizeof secret);
        assert_int_equal(key_table_init(&t, capacity, secret), TACIT_OK);
        for (uint32_t i = 0; i < capacity; i++) {
            key_of(key, i);
            assert_null(key_table_find(&t, key));
            assert_int_equal(key_table_add(&t, key, 7 * i), TACIT_OK);
            assert_int_equal(key_table_add(&t, key, 1), TACIT_DUPLICATE);
        }
        key_of(key, capacity);
        assert_int_equal(key_table_add(&t, key, 1), TACIT_NO_SPACE);
        for (uint32_t i = 0; i < 3 * capacity + 20; i++) {
            key_of(key, i);
            const uint32_t *value = key_table_find(&t, key);
            assert_int_equal(value != NULL, i < capacity);
            if (value != NULL) assert_int_equal(*value, 7 * i);
        }
        key_table_free(&t);
    }
}

/* A value can be changed in its place. */
static void test_value(void **state) {
    (void)state;
    uint8_t secret[TACIT_KEY_LEN] = {1}, key[TACIT_HASH_LEN] = {2};
    key_table t;
    assert_int_equal(key_table_init(&t, 1, secret), TACIT_OK);
    assert_int_equal(key_table_add(&t, key, 3), TACIT_OK);
    ++*key_table_find(&t, key);
    assert_int_equal(*key_table_find(&t, key), 4);
    key_table_free(&t);
    key_table_free(&t); /* zeroed: allowed */
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
