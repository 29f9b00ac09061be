/* SPDX-License-Identifier: Apache-2.0
 * cert.c - device certificates: 110 fixed bytes, of which the first 46 are hashed and signed. A
 * certificate says that the authority saw a device key in an epoch and of which class, nothing
 * about a person. Decoding refuses every version and class this build does not know. */
#include "common/cert.h"

#include "common/crypto.h"
#include "common/transcript.h"

enum {
    FORMAT_VERSION = 1,
    KEY_AT = 1,
    EPOCH_AT = 33,
    NOT_AFTER_AT = 37,
    CLASS_AT = 45,
    SIG_AT = 46
};

_Static_assert(SIG_AT + TACIT_SIG_LEN == TACIT_CERT_LEN, "the layout fills the certificate");
_Static_assert(KEY_AT + TACIT_KEY_LEN == EPOCH_AT, "the key ends where the epoch begins");

static void make_statement(tacit_statement *s, const uint8_t encoded[static TACIT_CERT_LEN]) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_CERT, encoded, SIG_AT);
    tacit_statement_digest(s, TACIT_LABEL_CERT, digest);
}

void tacit_cert_issue(uint8_t out[static TACIT_CERT_LEN], const tacit_cert *cert,
                      const uint8_t authority_secret[static TACIT_SIGN_SECRET_LEN]) {
    assert(cert->device_class >= TACIT_CLASS_NONE && cert->device_class <= TACIT_CLASS_ATTESTED);
    out[0] = FORMAT_VERSION;
    memcpy(out + KEY_AT, cert->device_key, TACIT_KEY_LEN);
    tacit_put_u32(out + EPOCH_AT, cert->epoch);
    tacit_put_u64(out + NOT_AFTER_AT, cert->not_after_s);
    out[CLASS_AT] = cert->device_class;
    tacit_statement s;
    make_statement(&s, out);
    tacit_statement_sign(out + SIG_AT, &s, authority_secret);
}

tacit_status tacit_cert_decode(tacit_cert *cert, const uint8_t encoded[static TACIT_CERT_LEN]) {
    uint8_t device_class = encoded[CLASS_AT];
    if (encoded[0] != FORMAT_VERSION) return TACIT_BAD_CERTIFICATE;
    if (device_class < TACIT_CLASS_NONE || device_class > TACIT_CLASS_ATTESTED)
        return TACIT_BAD_CERTIFICATE;
    memcpy(cert->device_key, encoded + KEY_AT, TACIT_KEY_LEN);
    cert->epoch = tacit_get_u32(encoded + EPOCH_AT);
    cert->not_after_s = tacit_get_u64(encoded + NOT_AFTER_AT);
    cert->device_class = device_class;
    return TACIT_OK;
}

tacit_status tacit_cert_verify(tacit_cert *cert, const uint8_t encoded[static TACIT_CERT_LEN],
                               const uint8_t authority_key[static TACIT_KEY_LEN], uint64_t now_s,
                               uint8_t least_class) {
    tacit_status st = tacit_cert_decode(cert, encoded);
    if (st != TACIT_OK) return st;
    if (cert->device_class < least_class || cert->not_after_s < now_s) return TACIT_BAD_CERTIFICATE;
    tacit_statement s;
    make_statement(&s, encoded);
    if (tacit_statement_verify(encoded + SIG_AT, &s, authority_key) != TACIT_OK)
        return TACIT_BAD_CERTIFICATE;
    return TACIT_OK;
}

void tacit_cert_id(uint8_t id[static TACIT_HASH_LEN],
                   const uint8_t encoded[static TACIT_CERT_LEN]) {
    tacit_hash_of(id, TACIT_LABEL_DEVICE_ID, encoded, TACIT_CERT_LEN);
}
