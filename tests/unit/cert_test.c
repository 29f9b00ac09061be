/* SPDX-License-Identifier: Apache-2.0
 * cert_test.c - the certificate's bytes against a vector made by other code, every rule of
 * verification from both sides, and every changed bit refused. Run from the root of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cert.h"
#include "tests/support/format_samples.h"
#include "tests/support/named_vectors.h"

enum { NOT_AFTER_S = 1800000000 };

static uint8_t authority[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];

static tacit_status verify(const uint8_t *encoded) {
    tacit_cert c;
    return tacit_cert_verify(&c, encoded, authority, NOT_AFTER_S, TACIT_CLASS_NONE);
}

static void a_certificate_equals_the_vector(void **state) {
    (void)state;
    tacit_cert c = sample_cert(), got;
    uint8_t encoded[TACIT_CERT_LEN], id[TACIT_HASH_LEN];
    tacit_cert_issue(encoded, &c, secret);
    named_expect("transcript.txt", "cert", encoded, sizeof encoded);
    tacit_cert_id(id, encoded);
    named_expect("transcript.txt", "cert_id", id, sizeof id);

    assert_int_equal(tacit_cert_verify(&got, encoded, authority, 0, TACIT_CLASS_NONE), TACIT_OK);
    assert_memory_equal(got.device_key, c.device_key, sizeof c.device_key);
    assert_int_equal(got.epoch, c.epoch);
    assert_true(got.not_after_s == c.not_after_s);
    assert_int_equal(got.device_class, c.device_class);
    assert_int_equal(tacit_cert_decode(&got, encoded), TACIT_OK);
    assert_memory_equal(got.device_key, c.device_key, sizeof c.device_key);
}

static void it_holds_to_its_last_second(void **state) {
    (void)state;
    tacit_cert c = sample_cert(), got;
    uint8_t encoded[TACIT_CERT_LEN];
    tacit_cert_issue(encoded, &c, secret);
    assert_int_equal(tacit_cert_verify(&got, encoded, authority, NOT_AFTER_S, 1), TACIT_OK);
    assert_int_equal(tacit_cert_verify(&got, encoded, authority, NOT_AFTER_S + 1, 1),
                     TACIT_BAD_CERTIFICATE);
    assert_int_equal(tacit_cert_verify(&got, encoded, authority, UINT64_MAX, 1),
                     TACIT_BAD_CERTIFICATE);
}

static void its_class_must_reach_the_least(void **state) {
    (void)state;
    for (uint8_t held = TACIT_CLASS_NONE; held <= TACIT_CLASS_ATTESTED; held++) {
        tacit_cert c = sample_cert(), got;
        uint8_t encoded[TACIT_CERT_LEN];
        c.device_class = held;
        tacit_cert_issue(encoded, &c, secret);
        for (uint8_t least = 1; least <= 4; least++)
            assert_int_equal(tacit_cert_verify(&got, encoded, authority, 0, least),
                             held >= least ? TACIT_OK : TACIT_BAD_CERTIFICATE);
    }
}

/* Properly signed, yet of a version or class that does not exist. */
static void unknown_versions_and_classes_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {{0, 0}, {0, 2}, {0, 255}, {45, 0}, {45, 4}, {45, 255}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tacit_cert c = sample_cert(), got;
        uint8_t encoded[TACIT_CERT_LEN], digest[TACIT_HASH_LEN];
        tacit_cert_issue(encoded, &c, secret);
        encoded[rows[i].at] = rows[i].value;
        tacit_statement s;
        tacit_hash_of(digest, TACIT_LABEL_CERT, encoded, TACIT_CERT_LEN - TACIT_SIG_LEN);
        tacit_statement_digest(&s, TACIT_LABEL_CERT, digest);
        tacit_statement_sign(encoded + TACIT_CERT_LEN - TACIT_SIG_LEN, &s, secret);
        assert_int_equal(tacit_cert_decode(&got, encoded), TACIT_BAD_CERTIFICATE);
        assert_int_equal(tacit_cert_verify(&got, encoded, authority, 0, 0), TACIT_BAD_CERTIFICATE);
    }
}

static void every_changed_bit_is_refused(void **state) {
    (void)state;
    tacit_cert c = sample_cert();
    uint8_t encoded[TACIT_CERT_LEN], id[TACIT_HASH_LEN], other[TACIT_HASH_LEN];
    tacit_cert_issue(encoded, &c, secret);
    tacit_cert_id(id, encoded);
    assert_int_equal(verify(encoded), TACIT_OK);
    for (size_t bit = 0; bit < 8 * sizeof encoded; bit++) {
        encoded[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(verify(encoded), TACIT_BAD_CERTIFICATE);
        tacit_cert_id(other, encoded);
        assert_memory_not_equal(id, other, sizeof id);
        encoded[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void another_authority_is_refused(void **state) {
    (void)state;
    tacit_cert c = sample_cert();
    uint8_t encoded[TACIT_CERT_LEN], seed[TACIT_KEY_LEN], pk[TACIT_KEY_LEN];
    uint8_t sk[TACIT_SIGN_SECRET_LEN];
    FILL(seed, 9);
    tacit_sign_keypair(pk, sk, seed);
    tacit_cert_issue(encoded, &c, sk);
    assert_int_equal(verify(encoded), TACIT_BAD_CERTIFICATE);
}

/* The authority's signature under another label is not a certificate. */
static void a_signature_of_another_kind_is_refused(void **state) {
    (void)state;
    tacit_cert c = sample_cert();
    uint8_t encoded[TACIT_CERT_LEN], digest[TACIT_HASH_LEN];
    tacit_cert_issue(encoded, &c, secret);
    tacit_statement s;
    tacit_hash_of(digest, TACIT_LABEL_CERT, encoded, TACIT_CERT_LEN - TACIT_SIG_LEN);
    tacit_statement_digest(&s, TACIT_LABEL_PLAN, digest);
    tacit_statement_sign(encoded + TACIT_CERT_LEN - TACIT_SIG_LEN, &s, secret);
    assert_int_equal(verify(encoded), TACIT_BAD_CERTIFICATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_equals_the_vector),
        cmocka_unit_test(it_holds_to_its_last_second),
        cmocka_unit_test(its_class_must_reach_the_least),
        cmocka_unit_test(unknown_versions_and_classes_are_refused),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(another_authority_is_refused),
        cmocka_unit_test(a_signature_of_another_kind_is_refused),
    };
    if (tacit_crypto_init() != TACIT_OK) return 1;
    sample_keys(authority, secret);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
