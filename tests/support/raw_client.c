/* SPDX-License-Identifier: Apache-2.0
 * raw_client.c - see raw_client.h. Certificates are not verified: the server is the one under test.
 */
#include "tests/support/raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#ifdef MBEDTLS_PSA_CRYPTO_C
#include <psa/crypto.h>
#endif

#include "common/crypto.h"
#include "common/wire.h"

static char trust_path[256];

struct raw_client {
    int fd;
    mbedtls_x509_crt trust;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    tacit_http *parser;
    uint8_t kept[16384]; /* plaintext behind the last answer */
    size_t kept_len;
    raw_answer answer; /* of raw_ask, and being collected */
    size_t cap;
    bool ended;
};

static int os_random(void *self, unsigned char *out, size_t len) {
    (void)self;
    tacit_os_random(out, len);
    return 0;
}

static int give(void *self, const unsigned char *data, size_t len) {
    raw_client *c = self;
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static int take(void *self, unsigned char *out, size_t len) {
    raw_client *c = self;
    ssize_t n = recv(c->fd, out, len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) fail_msg("the server says nothing");
    return n < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)n;
}

static tacit_status on_head(void *self, const tacit_http_head *head) {
    raw_client *c = self;
    c->answer.head = *head;
    return TACIT_OK;
}

static tacit_status on_body(void *self, const uint8_t *data, size_t len) {
    raw_client *c = self;
    if (c->answer.len + len > c->cap) {
        c->cap = 2 * (c->answer.len + len);
        c->answer.body = realloc(c->answer.body, c->cap);
        assert_non_null(c->answer.body);
    }
    memcpy(c->answer.body + c->answer.len, data, len);
    c->answer.len += len;
    return TACIT_OK;
}

static tacit_status on_end(void *self) {
    raw_client *c = self;
    c->ended = true;
    return TACIT_PENDING;
}

void raw_trust(const char *crt_path) {
    assert_true(strlen(crt_path) < sizeof trust_path);
    memcpy(trust_path, crt_path, strlen(crt_path) + 1);
}

raw_client *raw_connect(uint32_t port) {
    raw_client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = 20};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    mbedtls_x509_crt_init(&c->trust);
    mbedtls_ssl_config_init(&c->config);
    mbedtls_ssl_init(&c->ssl);
    c->parser = malloc(tacit_http_len());
    assert_non_null(c->parser);
    if (connect(c->fd, (const struct sockaddr *)&address, sizeof address) == 0) return c;
    raw_reset(c);
    return NULL;
}

bool raw_handshake(raw_client *c) {
#ifdef MBEDTLS_PSA_CRYPTO_C
    if (psa_crypto_init() != PSA_SUCCESS) return false;
#endif
    assert_int_equal(
        mbedtls_ssl_config_defaults(&c->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT),
        0);
    assert_int_equal(mbedtls_x509_crt_parse_file(&c->trust, trust_path), 0);
    mbedtls_ssl_conf_ca_chain(&c->config, &c->trust, NULL);
    mbedtls_ssl_conf_rng(&c->config, os_random, NULL);
    assert_int_equal(mbedtls_ssl_setup(&c->ssl, &c->config), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&c->ssl, "localhost"), 0);
    mbedtls_ssl_set_bio(&c->ssl, c, give, take, NULL);
    int code;
    do {
        code = mbedtls_ssl_handshake(&c->ssl);
    } while (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE);
    return code == 0;
}

raw_client *raw_open(uint32_t port) {
    raw_client *c = raw_connect(port);
    if (c == NULL || !raw_handshake(c)) fail_msg("no handshake");
    return c;
}

const char *raw_version(const raw_client *c) { return mbedtls_ssl_get_version(&c->ssl); }
const char *raw_suite(const raw_client *c) { return mbedtls_ssl_get_ciphersuite(&c->ssl); }

bool raw_send(raw_client *c, const void *data, size_t len) {
    const unsigned char *at = data;
    while (len > 0) {
        int n = mbedtls_ssl_write(&c->ssl, at, len);
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool raw_say(raw_client *c, const char *text) { return raw_send(c, text, strlen(text)); }

bool raw_send_plain(raw_client *c, const void *data, size_t len) {
    return send(c->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

size_t raw_read(raw_client *c, void *out, size_t cap) {
    int n;
    do {
        n = mbedtls_ssl_read(&c->ssl, out, cap);
    } while (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
             || n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
#endif
    );
    return n > 0 ? (size_t)n : 0;
}

bool raw_answer_get(raw_client *c, raw_answer *answer) {
    tacit_http_events events = {c, on_head, on_body, on_end};
    tacit_http_init(c->parser, true, &events);
    c->answer.len = 0;
    c->ended = false;
    while (!c->ended) {
        if (c->kept_len == 0) c->kept_len = raw_read(c, c->kept, sizeof c->kept);
        if (c->kept_len == 0) return false;
        size_t taken = 0;
        if (tacit_http_feed(c->parser, &taken, c->kept, c->kept_len) != TACIT_OK) return false;
        memmove(c->kept, c->kept + taken, c->kept_len - taken);
        c->kept_len -= taken;
    }
    *answer = c->answer;
    return true;
}

const raw_answer *raw_ask(raw_client *c, const char *text) {
    raw_answer answer;
    if (!raw_say(c, text) || !raw_answer_get(c, &answer)) fail_msg("no answer to: %s", text);
    return &c->answer;
}

uint32_t raw_problem(const raw_answer *answer, char *note) {
    tacit_wire_reader reader;
    tacit_Message m;
    tacit_bytes in = tacit_bytes_of(answer->body, answer->len);
    tacit_wire_reader_init(&reader);
    if (answer->len == 0 || tacit_wire_read(&reader, &m, &in) != TACIT_OK || in.len > 0 ||
        m.which_body != tacit_Message_problem_tag)
        return UINT32_MAX;
    if (note != NULL) memcpy(note, m.body.problem.note, strlen(m.body.problem.note) + 1);
    return m.body.problem.status;
}

bool raw_ended(raw_client *c) {
    uint8_t byte;
    return c->kept_len == 0 && raw_read(c, &byte, 1) == 0;
}

void raw_close(raw_client *c) {
    (void)mbedtls_ssl_close_notify(&c->ssl);
    close(c->fd);
    mbedtls_ssl_free(&c->ssl);
    mbedtls_ssl_config_free(&c->config);
    mbedtls_x509_crt_free(&c->trust);
    free(c->parser);
    free(c->answer.body);
    free(c);
}

void raw_reset(raw_client *c) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(c->fd);
    mbedtls_ssl_free(&c->ssl);
    mbedtls_ssl_config_free(&c->config);
    mbedtls_x509_crt_free(&c->trust);
    free(c->parser);
    free(c->answer.body);
    free(c);
}
