/* SPDX-License-Identifier: Apache-2.0
 * tls_peer.c - see tls_peer.h. Its reading of HTTP is its own and knows only what the client under
 * test may send: a GET without a body, a POST in chunks. */
#include "tests/support/tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "common/crypto.h"
#include "server/tls_certificate.h"

enum { HEAD_MAX = 4096, BODY_MAX = 1 << 20, STEP_S = 10 };

struct tls_peer {
    tls_peer_options options;
    pthread_t thread;
    int listen_fd, fd;
    char port[8], certificate_path[64], version[16];
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets; /* given out, where the client takes them */
    atomic_int accepted;
    char head[HEAD_MAX + 1];
    uint8_t *body;
    size_t body_len;
};

static int os_random(void *self, unsigned char *out, size_t len) {
    (void)self;
    tacit_os_random(out, len);
    return 0;
}

static int socket_send(void *self, const unsigned char *data, size_t len) {
    ssize_t n = send(((tls_peer *)self)->fd, data, len, MSG_NOSIGNAL);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static int socket_receive(void *self, unsigned char *data, size_t len) {
    ssize_t n = recv(((tls_peer *)self)->fd, data, len, 0);
    return n < 0 ? MBEDTLS_ERR_SSL_TIMEOUT : (int)n;
}

/* Exactly len bytes. */
static bool read_exact(tls_peer *p, void *out, size_t len) {
    unsigned char *at = out;
    while (len > 0) {
        int n = p->options.plain ? socket_receive(p, at, len) : mbedtls_ssl_read(&p->ssl, at, len);
        if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* A line with its end, at most cap bytes; 0 when there is none. */
static size_t read_line(tls_peer *p, char *out, size_t cap) {
    for (size_t len = 0; len < cap;) {
        if (!read_exact(p, out + len, 1)) return 0;
        if (out[len++] == '\n') return len;
    }
    return 0;
}

bool tls_peer_read_head(tls_peer *p) {
    size_t len = 0, line;
    do {
        line = read_line(p, p->head + len, HEAD_MAX - len);
        if (line == 0) return false;
        len += line;
    } while (line > 2);
    p->head[len - 2] = 0;
    p->body_len = 0; /* not before: the test may still look at the last one */
    return true;
}

bool tls_peer_read(tls_peer *p) {
    char line[16];
    if (!tls_peer_read_head(p)) return false;
    if (strstr(p->head, "Transfer-Encoding: chunked\r\n") == NULL) return true;
    for (;;) {
        size_t line_len = read_line(p, line, sizeof line - 1);
        if (line_len < 3) return false;
        line[line_len] = 0;
        char *end;
        unsigned long len = strtoul(line, &end, 16);
        if (strcmp(end, "\r\n") != 0 || len > BODY_MAX - p->body_len) return false;
        if (!read_exact(p, p->body + p->body_len, len)) return false;
        p->body_len += len;
        if (read_line(p, line, sizeof line - 1) != 2) return false;
        if (len == 0) return true;
    }
}

const char *tls_peer_head(const tls_peer *p) { return p->head; }

const uint8_t *tls_peer_body(const tls_peer *p, size_t *len) {
    *len = p->body_len;
    return p->body;
}

bool tls_peer_send(tls_peer *p, const void *data, size_t len) {
    const unsigned char *at = data;
    while (len > 0) {
        int n = p->options.plain ? socket_send(p, at, len) : mbedtls_ssl_write(&p->ssl, at, len);
        if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool tls_peer_say(tls_peer *p, const char *text) { return tls_peer_send(p, text, strlen(text)); }

void tls_peer_goodbye(tls_peer *p) { (void)mbedtls_ssl_close_notify(&p->ssl); }

/* ---- The thread --------------------------------------------------------------------------------
 */

static bool shake_hands(tls_peer *p) {
    int r;
    if (mbedtls_ssl_setup(&p->ssl, &p->config) != 0) return false;
    mbedtls_ssl_set_bio(&p->ssl, p, socket_send, socket_receive, NULL);
    do {
        r = mbedtls_ssl_handshake(&p->ssl);
    } while (r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE);
    if (r == 0) snprintf(p->version, sizeof p->version, "%s", mbedtls_ssl_get_version(&p->ssl));
    return r == 0;
}

static void *run(void *self) {
    tls_peer *p = self;
    for (int i = 0; i < p->options.connections; i++) {
        struct pollfd waiting = {.fd = p->listen_fd, .events = POLLIN};
        if (poll(&waiting, 1, STEP_S * 1000) != 1) break;
        p->fd = accept(p->listen_fd, NULL, NULL);
        if (p->fd < 0) break;
        atomic_fetch_add(&p->accepted, 1);
        struct timeval limit = {.tv_sec = STEP_S};
        int one = 1; /* what was said is on its way before a close can take it back */
        setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        mbedtls_ssl_init(&p->ssl);
        if (p->options.plain || shake_hands(p)) p->options.script(p, i);
        mbedtls_ssl_free(&p->ssl);
        close(p->fd);
    }
    close(p->listen_fd);
    return NULL;
}

static void make_identity(tls_peer *p) {
    char key[TLS_PEM_MAX], crt[TLS_PEM_MAX];
    assert_int_equal(tls_certificate_make(key, crt, (uint64_t)time(NULL)), TACIT_OK);
    snprintf(p->certificate_path, sizeof p->certificate_path, "/tmp/tacit-peer-XXXXXX");
    int fd = mkstemp(p->certificate_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, crt, strlen(crt)), (ssize_t)strlen(crt));
    close(fd);
    const unsigned char *crt_pem = (const unsigned char *)crt,
                        *key_pem = (const unsigned char *)key;
    mbedtls_x509_crt_init(&p->certificate);
    mbedtls_pk_init(&p->key);
    assert_int_equal(mbedtls_x509_crt_parse(&p->certificate, crt_pem, strlen(crt) + 1), 0);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    assert_int_equal(
        mbedtls_pk_parse_key(&p->key, key_pem, strlen(key) + 1, NULL, 0, os_random, NULL), 0);
#else
    assert_int_equal(mbedtls_pk_parse_key(&p->key, key_pem, strlen(key) + 1, NULL, 0), 0);
#endif
}

static void configure(tls_peer *p) {
    mbedtls_ssl_config_init(&p->config);
    assert_int_equal(
        mbedtls_ssl_config_defaults(&p->config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT),
        0);
    mbedtls_ssl_conf_rng(&p->config, os_random, NULL);
    mbedtls_ssl_ticket_init(&p->tickets);
    assert_int_equal(
        mbedtls_ssl_ticket_setup(&p->tickets, os_random, NULL, MBEDTLS_CIPHER_AES_256_GCM, 3600),
        0);
    mbedtls_ssl_conf_session_tickets_cb(&p->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &p->tickets);
    assert_int_equal(mbedtls_ssl_conf_own_cert(&p->config, &p->certificate, &p->key), 0);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    if (p->options.tls12) mbedtls_ssl_conf_max_tls_version(&p->config, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
}

tls_peer *tls_peer_start(const tls_peer_options *options) {
    tls_peer *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->options = *options;
    p->body = malloc(BODY_MAX);
    assert_non_null(p->body);
    make_identity(p);
    configure(p);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->listen_fd >= 0);
    assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p->listen_fd, 16), 0);
    assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&at, &len), 0);
    snprintf(p->port, sizeof p->port, "%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
    return p;
}

void tls_peer_stop(tls_peer *p) {
    pthread_join(p->thread, NULL);
    unlink(p->certificate_path);
    mbedtls_ssl_config_free(&p->config);
    mbedtls_ssl_ticket_free(&p->tickets);
    mbedtls_x509_crt_free(&p->certificate);
    mbedtls_pk_free(&p->key);
    free(p->body);
    free(p);
}

const char *tls_peer_port(const tls_peer *p) { return p->port; }
const char *tls_peer_certificate(const tls_peer *p) { return p->certificate_path; }
int tls_peer_accepted(tls_peer *p) { return atomic_load(&p->accepted); }
const char *tls_peer_version(tls_peer *p) { return p->version; }
