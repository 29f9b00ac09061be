/* SPDX-License-Identifier: Apache-2.0
 * tls.c - see tls.h. mbedTLS is given two memory buffers instead of a socket, so it never blocks
 * and never asks to write again. What differs between 2.28 and 3.6 stands in configure. */
#include "server/tls.h"

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef MBEDTLS_PSA_CRYPTO_C
#include <psa/crypto.h>
#endif

#include "common/crypto.h"

typedef struct {
    uint8_t *data;
    size_t from, to, cap; /* the bytes are data[from .. to) */
} buffer;

struct tls_server {
    mbedtls_ssl_config config;
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
};

struct tls_session {
    mbedtls_ssl_context ssl;
    buffer in, out;
    bool ready, broken;
};

static const int suites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0};

#if MBEDTLS_VERSION_NUMBER >= 0x03010000
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_NONE};
#endif

static int os_random(void *self, unsigned char *out, size_t len) {
    (void)self;
    tacit_os_random(out, len);
    return 0;
}

static bool append(buffer *b, const uint8_t *data, size_t len) {
    if (b->from == b->to) b->from = b->to = 0;
    if (b->cap - b->to < len) {
        size_t have = b->to - b->from, cap = b->cap > 0 ? b->cap : 4096;
        while (cap - have < len) cap *= 2;
        uint8_t *moved = malloc(cap);
        if (moved == NULL) return false;
        if (have > 0) memcpy(moved, b->data + b->from, have);
        free(b->data);
        *b = (buffer){moved, 0, have, cap};
    }
    memcpy(b->data + b->to, data, len);
    b->to += len;
    return true;
}

/* ---- Server
 * ------------------------------------------------------------------------------------*/

static tacit_status refuse(tls_server *s, char *note, const char *path, int code) {
    char words[120];
    mbedtls_strerror(code, words, sizeof words);
    snprintf(note, TLS_NOTE_LEN + 1, "%.100s: %s", path, words);
    tls_server_free(s);
    return TACIT_CONFIG;
}

static void configure(mbedtls_ssl_config *c) {
    mbedtls_ssl_conf_rng(c, os_random, NULL);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_NONE); /* devices sign inside the messages */
#if MBEDTLS_VERSION_NUMBER >= 0x03010000
    mbedtls_ssl_conf_groups(c, groups);
#else
    mbedtls_ssl_conf_curves(c, groups);
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static int parse_key(mbedtls_pk_context *key, const char *path) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_keyfile(key, path, NULL, os_random, NULL);
#else
    return mbedtls_pk_parse_keyfile(key, path, NULL);
#endif
}

static int check_pair(tls_server *s) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_check_pair(&s->crt.pk, &s->key, os_random, NULL);
#else
    return mbedtls_pk_check_pair(&s->crt.pk, &s->key);
#endif
}

tacit_status tls_server_new(tls_server **out, char *note, const char *crt_path,
                            const char *key_path) {
    int code;
    note[0] = 0;
    tls_server *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
#ifdef MBEDTLS_PSA_CRYPTO_C
    if (psa_crypto_init() != PSA_SUCCESS) {
        free(s);
        return TACIT_INTERNAL;
    }
#endif
    mbedtls_ssl_config_init(&s->config);
    mbedtls_x509_crt_init(&s->crt);
    mbedtls_pk_init(&s->key);
    if ((code = mbedtls_x509_crt_parse_file(&s->crt, crt_path)) != 0)
        return refuse(s, note, crt_path, code);
    if ((code = parse_key(&s->key, key_path)) != 0) return refuse(s, note, key_path, code);
    if ((code = check_pair(s)) != 0) return refuse(s, note, key_path, code);
    code = mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
                                       MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code == 0) code = mbedtls_ssl_conf_own_cert(&s->config, &s->crt, &s->key);
    if (code != 0) return refuse(s, note, crt_path, code);
    configure(&s->config);
    *out = s;
    return TACIT_OK;
}

void tls_server_free(tls_server *s) {
    if (s == NULL) return;
    mbedtls_ssl_config_free(&s->config);
    mbedtls_x509_crt_free(&s->crt);
    mbedtls_pk_free(&s->key);
    free(s);
}

/* ---- Session
 * -----------------------------------------------------------------------------------*/

static int give(void *self, const unsigned char *data, size_t len) {
    tls_session *s = self;
    if (!append(&s->out, data, len)) return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    return (int)len;
}

static int take(void *self, unsigned char *out, size_t cap) {
    tls_session *s = self;
    size_t have = s->in.to - s->in.from;
    if (have == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    if (cap > have) cap = have;
    memcpy(out, s->in.data + s->in.from, cap);
    s->in.from += cap;
    return (int)cap;
}

tacit_status tls_session_new(tls_session **out, tls_server *server) {
    tls_session *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    mbedtls_ssl_init(&s->ssl);
    if (mbedtls_ssl_setup(&s->ssl, &server->config) != 0) {
        tls_session_free(s);
        return TACIT_NO_SPACE;
    }
    mbedtls_ssl_set_bio(&s->ssl, s, give, take, NULL);
    *out = s;
    return TACIT_OK;
}

void tls_session_free(tls_session *s) {
    if (s == NULL) return;
    mbedtls_ssl_free(&s->ssl);
    free(s->in.data);
    free(s->out.data);
    free(s);
}

tacit_status tls_session_feed(tls_session *s, const uint8_t *data, size_t len) {
    return append(&s->in, data, len) ? TACIT_OK : TACIT_NO_SPACE;
}

size_t tls_session_backlog(const tls_session *s) { return s->in.to - s->in.from; }
bool tls_session_ready(const tls_session *s) { return s->ready; }

static tacit_status broken(tls_session *s) {
    s->broken = true;
    return TACIT_TRANSPORT;
}

tacit_status tls_session_read(tls_session *s, uint8_t *out, size_t cap, size_t *len) {
    *len = 0;
    if (s->broken) return TACIT_TRANSPORT;
    if (!s->ready) {
        int code = mbedtls_ssl_handshake(&s->ssl);
        if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
            return TACIT_PENDING;
        if (code != 0) return broken(s);
        s->ready = true;
    }
    int n = mbedtls_ssl_read(&s->ssl, out, cap);
    if (n > 0) {
        *len = (size_t)n;
        return TACIT_OK;
    }
    return n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE ? TACIT_PENDING
                                                                             : broken(s);
}

tacit_status tls_session_write(tls_session *s, const void *data, size_t len) {
    const uint8_t *at = data;
    if (s->broken || !s->ready) return TACIT_TRANSPORT;
    while (len > 0) {
        int n = mbedtls_ssl_write(&s->ssl, at, len);
        if (n <= 0) return broken(s);
        at += n;
        len -= (size_t)n;
    }
    return TACIT_OK;
}

void tls_session_goodbye(tls_session *s) {
    if (s->ready && !s->broken && mbedtls_ssl_close_notify(&s->ssl) != 0) s->broken = true;
}

size_t tls_session_output_len(const tls_session *s) { return s->out.to - s->out.from; }

uint8_t *tls_session_take_output(tls_session *s, size_t *len) {
    *len = s->out.to - s->out.from; /* nothing is ever taken from the front alone: from is 0 */
    if (*len == 0) return NULL;
    uint8_t *data = s->out.data;
    s->out = (buffer){0};
    return data;
}
