/* SPDX-License-Identifier: Apache-2.0
 * https.c - see https.h. Requests stream through a 16 KB chunk buffer, answers through the parser
 * of common/http.h; nothing is held whole. */
#include "firmware/port/https.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "common/crypto.h"
#include "common/http.h"
#include "common/wire.h"

enum { CHUNK = 16000, PROBLEM_MAX = 1024 };

struct tacit_https_trust {
    mbedtls_x509_crt certificate;
    mbedtls_ssl_config config;
};

struct tacit_https {
    const tacit_https_trust *trust;
    char host[256], port[16];
    uint32_t timeout_s;
    int fd;
    bool open;
    mbedtls_ssl_context ssl;
    tacit_http *parser;
    /* of the exchange in flight */
    tacit_exchange *exchange;
    bool ended, keep_alive;
    size_t filled;
    size_t problem_len;
    uint8_t problem[PROBLEM_MAX];
    uint8_t chunk[CHUNK + 16];
};

/* libsodium's OS generator is thread-safe, unlike a shared mbedTLS DRBG. */
static int os_random(void *self, unsigned char *out, size_t len) {
    (void)self;
    tacit_os_random(out, len);
    return 0;
}

static const int suites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    0,
};

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_NONE};
#endif

static void configure(tacit_https_trust *t) {
    mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&t->config, &t->certificate, NULL);
    mbedtls_ssl_conf_rng(&t->config, os_random, NULL);
    mbedtls_ssl_conf_ciphersuites(&t->config, suites);
    mbedtls_ssl_conf_session_tickets(&t->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    mbedtls_ssl_conf_groups(&t->config, groups);
    mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_curves(&t->config, groups);
    mbedtls_ssl_conf_min_version(&t->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

tacit_status tacit_https_trust_new(tacit_https_trust **out, const char *cert_pem_path) {
    tacit_https_trust *t = calloc(1, sizeof *t);
    if (t == NULL) return TACIT_NO_SPACE;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    (void)psa_crypto_init();
#endif
    mbedtls_x509_crt_init(&t->certificate);
    mbedtls_ssl_config_init(&t->config);
    tacit_status st = TACIT_INTERNAL;
    if (access(cert_pem_path, R_OK) != 0) {
        st = TACIT_IO;
    } else if (mbedtls_x509_crt_parse_file(&t->certificate, cert_pem_path) != 0) {
        st = TACIT_BAD_CERTIFICATE;
    } else if (mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT) == 0) {
        configure(t);
        *out = t;
        return TACIT_OK;
    }
    tacit_https_trust_free(t);
    return st;
}

void tacit_https_trust_free(tacit_https_trust *t) {
    if (t == NULL) return;
    mbedtls_ssl_config_free(&t->config);
    mbedtls_x509_crt_free(&t->certificate);
    free(t);
}

/* ---- Connection --------------------------------------------------------------------------------
 */

tacit_status tacit_https_new(tacit_https **out, const tacit_https_trust *trust, const char *host,
                             const char *port, uint32_t timeout_s) {
    tacit_https *c = calloc(1, sizeof *c);
    if (c == NULL) return TACIT_NO_SPACE;
    c->parser = malloc(tacit_http_len());
    if (c->parser == NULL || strlen(host) >= sizeof c->host || strlen(port) >= sizeof c->port) {
        tacit_status st = c->parser == NULL ? TACIT_NO_SPACE : TACIT_INVALID_ARGUMENT;
        free(c->parser);
        free(c);
        return st;
    }
    c->trust = trust;
    memcpy(c->host, host, strlen(host) + 1);
    memcpy(c->port, port, strlen(port) + 1);
    c->timeout_s = timeout_s ? timeout_s : 75;
    c->fd = -1;
    *out = c;
    return TACIT_OK;
}

void tacit_https_drop(tacit_https *c) {
    if (c->open) mbedtls_ssl_free(&c->ssl);
    if (c->fd >= 0) close(c->fd);
    c->open = false;
    c->fd = -1;
}

void tacit_https_free(tacit_https *c) {
    if (c == NULL) return;
    tacit_https_drop(c);
    free(c->parser);
    free(c);
}

static int socket_send(void *self, const unsigned char *data, size_t len) {
    tacit_https *c = self;
    ssize_t n;
    do {
        n = send(c->fd, data, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static int socket_receive(void *self, unsigned char *data, size_t len) {
    tacit_https *c = self;
    ssize_t n;
    do {
        n = recv(c->fd, data, len, 0);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? MBEDTLS_ERR_SSL_TIMEOUT : (int)n;
}

static tacit_status dial(tacit_https *c) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;
    if (getaddrinfo(c->host, c->port, &hints, &list) != 0) return TACIT_TRANSPORT;
    struct timeval limit = {.tv_sec = c->timeout_s};
    int one = 1;
    for (struct addrinfo *a = list; a != NULL && c->fd < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            c->fd = fd;
        else
            close(fd);
    }
    freeaddrinfo(list);
    return c->fd >= 0 ? TACIT_OK : TACIT_TRANSPORT;
}

static tacit_status handshake(tacit_https *c) {
    mbedtls_ssl_init(&c->ssl);
    c->open = true;
    if (mbedtls_ssl_setup(&c->ssl, &c->trust->config) != 0 ||
        mbedtls_ssl_set_hostname(&c->ssl, c->host) != 0)
        return TACIT_NO_SPACE;
    mbedtls_ssl_set_bio(&c->ssl, c, socket_send, socket_receive, NULL);
    int r;
    while ((r = mbedtls_ssl_handshake(&c->ssl)) != 0) {
        if (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) return TACIT_BAD_CERTIFICATE;
        if (r != MBEDTLS_ERR_SSL_WANT_READ && r != MBEDTLS_ERR_SSL_WANT_WRITE)
            return TACIT_TRANSPORT;
    }
    return TACIT_OK;
}

static tacit_status write_all(tacit_https *c, const void *data, size_t len) {
    const unsigned char *p = data;
    while (len > 0) {
        int n = mbedtls_ssl_write(&c->ssl, p, len);
        if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) continue;
        if (n <= 0) return TACIT_TRANSPORT;
        p += n;
        len -= (size_t)n;
    }
    return TACIT_OK;
}

/* ---- Request -----------------------------------------------------------------------------------
 */

/* The chunk's bytes stand at offset 8, so that its size in hex goes before and "\r\n" behind, in
 * one write. */
static tacit_status flush_chunk(tacit_https *c) {
    static const char digits[] = "0123456789abcdef";
    if (c->filled == 0) return TACIT_OK;
    for (size_t i = 0; i < 6; i++) c->chunk[i] = (uint8_t)digits[(c->filled >> (4 * (5 - i))) & 15];
    memcpy(c->chunk + 6, "\r\n", 2);
    memcpy(c->chunk + 8 + c->filled, "\r\n", 2);
    tacit_status st = write_all(c, c->chunk, 8 + c->filled + 2);
    c->filled = 0;
    return st;
}

static tacit_status emit(void *self, const uint8_t *data, size_t len) {
    tacit_https *c = self;
    while (len > 0) {
        size_t take = CHUNK - c->filled < len ? CHUNK - c->filled : len;
        memcpy(c->chunk + 8 + c->filled, data, take);
        c->filled += take;
        data += take;
        len -= take;
        if (c->filled == CHUNK) {
            tacit_status st = flush_chunk(c);
            if (st != TACIT_OK) return st;
        }
    }
    return TACIT_OK;
}

static tacit_status send_request(tacit_https *c, tacit_exchange *x) {
    char head[1024];
    bool post = strcmp(x->method, "POST") == 0;
    int len =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\n", x->method, x->path, c->host);
    if (x->poll != NULL && len > 0 && (size_t)len < sizeof head)
        len += snprintf(head + len, sizeof head - (size_t)len, "Tacit-Poll: %s\r\n", x->poll);
    if (x->range_start > 0 && len > 0 && (size_t)len < sizeof head)
        len += snprintf(head + len, sizeof head - (size_t)len, "Range: bytes=%llu-\r\n",
                        (unsigned long long)x->range_start);
    if (len > 0 && (size_t)len < sizeof head)
        len += snprintf(head + len, sizeof head - (size_t)len, "%s\r\n",
                        post ? "Transfer-Encoding: chunked\r\n" : "");
    if (len < 0 || (size_t)len >= sizeof head) return TACIT_INVALID_ARGUMENT;
    tacit_status st = write_all(c, head, (size_t)len);
    if (st != TACIT_OK || !post) return st;
    c->filled = 0;
    if (x->produce != NULL) st = x->produce(x->self, emit, c);
    if (st == TACIT_OK) st = flush_chunk(c);
    if (st == TACIT_OK) st = write_all(c, "0\r\n\r\n", 5);
    tacit_wipe(c->chunk, sizeof c->chunk);
    return st;
}

/* ---- Answer ------------------------------------------------------------------------------------
 */

static tacit_status on_head(void *self, const tacit_http_head *head) {
    tacit_https *c = self;
    c->exchange->http_status = head->status;
    c->exchange->retry_after_s = head->retry_after_s;
    c->keep_alive = head->keep_alive;
    return TACIT_OK;
}

static tacit_status on_body(void *self, const uint8_t *data, size_t len) {
    tacit_https *c = self;
    tacit_exchange *x = c->exchange;
    if (x->http_status == 200 || x->http_status == 206)
        return x->consume != NULL ? x->consume(x->self, data, len) : TACIT_OK;
    if (len > PROBLEM_MAX - c->problem_len) len = PROBLEM_MAX - c->problem_len;
    memcpy(c->problem + c->problem_len, data, len);
    c->problem_len += len;
    return TACIT_OK;
}

static tacit_status on_end(void *self) {
    tacit_https *c = self;
    c->ended = true;
    return TACIT_PENDING;
}

static void read_problem(tacit_https *c) {
    tacit_wire_reader reader;
    tacit_Message m;
    tacit_bytes in = tacit_bytes_of(c->problem, c->problem_len);
    c->exchange->problem = 0;
    tacit_wire_reader_init(&reader);
    if (c->problem_len > 0 && tacit_wire_read(&reader, &m, &in) == TACIT_OK &&
        m.which_body == tacit_Message_problem_tag && m.body.problem.status < TACIT_STATUS_COUNT)
        c->exchange->problem = m.body.problem.status;
}

static tacit_status receive_answer(tacit_https *c, bool *began) {
    tacit_http_events events = {c, on_head, on_body, on_end};
    unsigned char buffer[8192];
    tacit_http_init(c->parser, true, &events);
    c->ended = false;
    c->problem_len = 0;
    while (!c->ended) {
        int n = mbedtls_ssl_read(&c->ssl, buffer, sizeof buffer);
        if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) continue;
        if (n <= 0) return TACIT_TRANSPORT;
        *began = true;
        size_t taken;
        tacit_status st = tacit_http_feed(c->parser, &taken, buffer, (size_t)n);
        if (st != TACIT_OK) return st;
    }
    read_problem(c);
    return TACIT_OK;
}

tacit_status tacit_https_exchange(void *self, tacit_exchange *x) {
    tacit_https *c = self;
    bool retried = false;
    c->exchange = x;
    x->http_status = 0;
    x->retry_after_s = x->problem = 0;
    for (;;) {
        bool reused = c->open, began = false;
        tacit_status st = TACIT_OK;
        if (!reused) {
            st = dial(c);
            if (st == TACIT_OK) st = handshake(c);
        }
        if (st == TACIT_OK) st = send_request(c, x);
        if (st == TACIT_OK) st = receive_answer(c, &began);
        if (st == TACIT_OK) {
            if (!c->keep_alive) tacit_https_drop(c);
            return TACIT_OK;
        }
        tacit_https_drop(c);
        /* A kept connection may have been closed meanwhile; only a GET may be sent again. */
        if (!reused || began || retried || strcmp(x->method, "GET") != 0) return st;
        retried = true;
    }
}
