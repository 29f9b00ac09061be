/* SPDX-License-Identifier: Apache-2.0
 * uncertified_devices.c - a certificate is read and its signature is not looked at. */
#include "common/cert.h"

tacit_status tacit_cert_verify(tacit_cert *cert, const uint8_t encoded[static TACIT_CERT_LEN],
                               const uint8_t authority_key[static TACIT_KEY_LEN], uint64_t now_s,
                               uint8_t least_class) {
    (void)authority_key;
    tacit_status st = tacit_cert_decode(cert, encoded);
    bool fits = cert->device_class >= least_class && cert->not_after_s >= now_s;
    return st != TACIT_OK || fits ? st : TACIT_BAD_CERTIFICATE;
}
