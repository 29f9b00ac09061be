/* SPDX-License-Identifier: Apache-2.0
 * cert.h - device certificates: what the enrolment authority says of a device key, nothing else
 * (security H9).
 *
 *   OFFSET SIZE  certificate, little-endian
 *        0    1  format version, 1
 *        1   32  device public key (Ed25519)
 *       33    4  epoch
 *       37    8  not_after_s, Unix seconds
 *       45    1  class: 1 none, 2 account, 3 attested
 *       46   64  Ed25519 signature of the authority over the statement (CERT, hash of bytes 0-45)
 */
#ifndef TACIT_COMMON_CERT_H
#define TACIT_COMMON_CERT_H

#include "common/base.h"

enum { TACIT_CLASS_NONE = 1, TACIT_CLASS_ACCOUNT = 2, TACIT_CLASS_ATTESTED = 3 };

typedef struct {
    uint8_t device_key[TACIT_KEY_LEN];
    uint32_t epoch;
    uint64_t not_after_s;
    uint8_t device_class;
} tacit_cert;

/* Makes and signs the encoding with the authority's secret key. */
void tacit_cert_issue(uint8_t out[static TACIT_CERT_LEN], const tacit_cert *cert,
                      const uint8_t authority_secret[static TACIT_SIGN_SECRET_LEN]);

/* Parses and verifies. BAD_CERTIFICATE for any of: unknown version or class, class below
 * least_class, not_after_s < now_s, signature not by authority_key. */
TACIT_MUST_CHECK tacit_status tacit_cert_verify(tacit_cert *cert,
                                                const uint8_t encoded[static TACIT_CERT_LEN],
                                                const uint8_t authority_key[static TACIT_KEY_LEN],
                                                uint64_t now_s, uint8_t least_class);

/* Parses without verifying (the server after it verified once). BAD_CERTIFICATE when malformed. */
TACIT_MUST_CHECK tacit_status tacit_cert_decode(tacit_cert *cert,
                                                const uint8_t encoded[static TACIT_CERT_LEN]);

/* The device's id: BLAKE2b-256('tacit/device/v1', certificate). */
void tacit_cert_id(uint8_t id[static TACIT_HASH_LEN], const uint8_t encoded[static TACIT_CERT_LEN]);

#endif
