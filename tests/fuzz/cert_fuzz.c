/* SPDX-License-Identifier: Apache-2.0
 * cert_fuzz.c - any 110 bytes as a certificate (shorter input ends in zeros). What decodes, issued
 * again by our own authority, has the same first 46 bytes and verifies; as it came it must not
 * verify unless it is exactly that. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "tests/support/format_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t encoded[TACIT_CERT_LEN] = {0}, again[TACIT_CERT_LEN];
    uint8_t authority[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];
    tacit_cert cert, verified;
    if (tacit_crypto_init() != TACIT_OK) abort();
    sample_keys(authority, secret);
    if (size > 0) memcpy(encoded, data, size < sizeof encoded ? size : sizeof encoded);

    tacit_status st = tacit_cert_verify(&verified, encoded, authority, 0, TACIT_CLASS_NONE);
    if (tacit_cert_decode(&cert, encoded) != TACIT_OK) {
        REQUIRE(st == TACIT_BAD_CERTIFICATE);
        return 0;
    }
    REQUIRE(cert.device_class >= TACIT_CLASS_NONE && cert.device_class <= TACIT_CLASS_ATTESTED);
    tacit_cert_issue(again, &cert, secret);
    REQUIRE(memcmp(again, encoded, TACIT_CERT_LEN - TACIT_SIG_LEN) == 0);
    REQUIRE((st == TACIT_OK) == (memcmp(again, encoded, sizeof again) == 0));
    REQUIRE(tacit_cert_verify(&verified, again, authority, cert.not_after_s, cert.device_class) ==
            TACIT_OK);
    REQUIRE(verified.epoch == cert.epoch && verified.not_after_s == cert.not_after_s);
    return 0;
}
