/* SPDX-License-Identifier: Apache-2.0
 * tls_certificate.c - see tls_certificate.h. The subject alternative name is written as DER by
 * hand, because mbedTLS 2.28 has no call for it; everything else is the same in 2.28 and 3.6. */
#include "server/tls_certificate.h"

#include <mbedtls/bignum.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <time.h>
#ifdef MBEDTLS_PSA_CRYPTO_C
#include <psa/crypto.h>
#endif

#include "common/crypto.h"

/* SEQUENCE { [2] "localhost", [2] "127.0.0.1", [7] 127.0.0.1 }: mbedTLS 2.28 compares host names
 * with the DNS entries only, also when they are addresses. */
static const unsigned char alternative_names[] = {
    0x30, 28,  0x82, 9,   'l', 'o', 'c', 'a', 'l', 'h',  'o', 's', 't', 0x82, 9,
    '1',  '2', '7',  '.', '0', '.', '0', '.', '1', 0x87, 4,   127, 0,   0,    1};

typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_pk_context key;
    mbedtls_x509write_cert crt;
    mbedtls_mpi serial;
} maker;

/* "YYYYMMDDhhmmss" */
static bool stamp(char out[static 16], uint64_t at_s) {
    time_t t = (time_t)at_s;
    struct tm tm;
    return gmtime_r(&t, &tm) != NULL && strftime(out, 16, "%Y%m%d%H%M%S", &tm) == 14;
}

static bool set_serial(maker *m) {
    unsigned char serial[16];
    tacit_os_random(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, full length */
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    return mbedtls_x509write_crt_set_serial_raw(&m->crt, serial, sizeof serial) == 0;
#else
    return mbedtls_mpi_read_binary(&m->serial, serial, sizeof serial) == 0 &&
           mbedtls_x509write_crt_set_serial(&m->crt, &m->serial) == 0;
#endif
}

static bool make_key(maker *m, char *pem) {
    return mbedtls_pk_setup(&m->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
           mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(m->key),
                               mbedtls_ctr_drbg_random, &m->random) == 0 &&
           mbedtls_pk_write_key_pem(&m->key, (unsigned char *)pem, TLS_PEM_MAX) == 0;
}

static bool make_certificate(maker *m, char *pem, uint64_t now_s) {
    char from[16], until[16];
    if (!stamp(from, now_s - 86400) || !stamp(until, now_s + 3650 * 86400ull)) return false;
    mbedtls_x509write_cert *c = &m->crt;
    mbedtls_x509write_crt_set_version(c, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(c, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(c, &m->key);
    mbedtls_x509write_crt_set_issuer_key(c, &m->key);
    return set_serial(m) && mbedtls_x509write_crt_set_subject_name(c, "CN=localhost") == 0 &&
           mbedtls_x509write_crt_set_issuer_name(c, "CN=localhost") == 0 &&
           mbedtls_x509write_crt_set_validity(c, from, until) == 0 &&
           mbedtls_x509write_crt_set_basic_constraints(c, 0, -1) == 0 &&
           mbedtls_x509write_crt_set_key_usage(c, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509write_crt_set_extension(c, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                               alternative_names, sizeof alternative_names) == 0 &&
           mbedtls_x509write_crt_pem(c, (unsigned char *)pem, TLS_PEM_MAX, mbedtls_ctr_drbg_random,
                                     &m->random) == 0;
}

tacit_status tls_certificate_make(char key_pem[static TLS_PEM_MAX],
                                  char crt_pem[static TLS_PEM_MAX], uint64_t now_s) {
    maker m;
#ifdef MBEDTLS_PSA_CRYPTO_C
    if (psa_crypto_init() != PSA_SUCCESS) return TACIT_INTERNAL; /* 3.6 signs through it */
#endif
    mbedtls_entropy_init(&m.entropy);
    mbedtls_ctr_drbg_init(&m.random);
    mbedtls_pk_init(&m.key);
    mbedtls_x509write_crt_init(&m.crt);
    mbedtls_mpi_init(&m.serial);
    bool good = mbedtls_ctr_drbg_seed(&m.random, mbedtls_entropy_func, &m.entropy, NULL, 0) == 0 &&
                make_key(&m, key_pem) && make_certificate(&m, crt_pem, now_s);
    mbedtls_mpi_free(&m.serial);
    mbedtls_x509write_crt_free(&m.crt);
    mbedtls_pk_free(&m.key);
    mbedtls_ctr_drbg_free(&m.random);
    mbedtls_entropy_free(&m.entropy);
    if (!good) tacit_wipe(key_pem, TLS_PEM_MAX);
    return good ? TACIT_OK : TACIT_INTERNAL;
}
