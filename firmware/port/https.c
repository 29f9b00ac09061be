/* SPDX-License-Identifier: Apache-2.0
 * https.c - see https.h. Requests stream through a 16 KB chunk buffer, answers through the parser
 * of common/http.h; nothing is held whole. The socket does not block: every wait is a poll with the
 * time that is left, so that a deadline holds over many small reads and the host can stop it. */
#include "firmware/port/https.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "common/crypto.h"
#include "common/http.h"
#include "common/wire.h"

enum {
    CHUNK = 16000,
    PROGRESS = 16384,         /* bytes that earn a new deadline */
    PROBLEM_MAX = 1024,       /* kept of an answer's body that is not for the consumer */
    UNWANTED_MAX = 64 * 1024, /* bytes before the head and after an error's head that are read */
    SEND_BUFFER = 128 * 1024, /* what the kernel may hold back: its sending counts as waiting */
    TIMEOUT_S = 75
};

struct tacit_https_trust {
    mbedtls_x509_crt certificate;
    mbedtls_ssl_config config;
};

struct tacit_https {
    const tacit_https_trust *trust;
    char host[256], port[16];
    uint32_t timeout_s;
    int fd, stop_fd;
    bool open;    /* ssl is set up */
    bool stopped; /* the host said stop */
    bool cut;     /* the server takes no more of this request */
    uint64_t deadline_ms;
    mbedtls_ssl_context ssl;
    tacit_http *parser;
    /* of the exchange in flight */
    tacit_exchange *exchange;
    bool began, headed, ended, keep_alive; /* the answer: a byte, its head, its end */
    size_t filled, problem_len, unwanted_len;
    uint8_t problem[PROBLEM_MAX];
    uint8_t chunk[8 + CHUNK + 2];
};

/* ---- Trust -------------------------------------------------------------------------------------
 */

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
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
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
#ifdef MBEDTLS_SSL_SESSION_TICKETS
    mbedtls_ssl_conf_session_tickets(&t->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    mbedtls_ssl_conf_groups(&t->config, groups);
    mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_curves(&t->config, groups);
    mbedtls_ssl_conf_min_version(&t->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

/* mbedTLS 2.28 keeps a table of multiples in a public key's group and makes it at the first
 * verification, without a lock. Verifying nonsense makes it now, before threads share the key. */
static void settle_keys(mbedtls_x509_crt *certificate) {
    static const unsigned char hash[32] = {1}, one_one[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    for (mbedtls_x509_crt *c = certificate; c != NULL; c = c->next)
        if (mbedtls_pk_can_do(&c->pk, MBEDTLS_PK_ECDSA))
            (void)mbedtls_pk_verify(&c->pk, MBEDTLS_MD_SHA256, hash, sizeof hash, one_one,
                                    sizeof one_one);
}

static tacit_status read_certificate(mbedtls_x509_crt *out, const char *path) {
    if (access(path, R_OK) != 0) return TACIT_IO;
    int r = mbedtls_x509_crt_parse_file(out, path);
    if (r == 0) return TACIT_OK;
    return r == MBEDTLS_ERR_X509_ALLOC_FAILED ? TACIT_NO_SPACE : TACIT_BAD_CERTIFICATE;
}

tacit_status tacit_https_trust_new(tacit_https_trust **out, const char *cert_pem_path) {
    tacit_https_trust *t = calloc(1, sizeof *t);
    if (t == NULL) return TACIT_NO_SPACE;
    mbedtls_x509_crt_init(&t->certificate);
    mbedtls_ssl_config_init(&t->config);
    tacit_status st = tacit_crypto_init();
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    if (st == TACIT_OK && psa_crypto_init() != PSA_SUCCESS) st = TACIT_INTERNAL;
#endif
    if (st == TACIT_OK) st = read_certificate(&t->certificate, cert_pem_path);
    if (st == TACIT_OK &&
        mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        st = TACIT_INTERNAL;
    if (st != TACIT_OK) {
        tacit_https_trust_free(t);
        return st;
    }
    configure(t);
    settle_keys(&t->certificate);
    *out = t;
    return TACIT_OK;
}

void tacit_https_trust_free(tacit_https_trust *t) {
    if (t == NULL) return;
    mbedtls_ssl_config_free(&t->config);
    mbedtls_x509_crt_free(&t->certificate);
    free(t);
}

/* ---- Connection --------------------------------------------------------------------------------
 */

/* What may stand in a line of the head: something, and neither blanks nor control characters. */
static bool is_plain(const char *text) {
    if (*text == 0) return false;
    for (; *text != 0; text++)
        if (*text <= ' ' || *text > '~') return false;
    return true;
}

tacit_status tacit_https_new(tacit_https **out, const tacit_https_trust *trust, const char *host,
                             const char *port, uint32_t timeout_s) {
    tacit_https *c = calloc(1, sizeof *c);
    if (c == NULL) return TACIT_NO_SPACE;
    if (strlen(host) >= sizeof c->host || strlen(port) >= sizeof c->port || !is_plain(host) ||
        !is_plain(port)) {
        free(c);
        return TACIT_INVALID_ARGUMENT;
    }
    c->parser = malloc(tacit_http_len());
    if (c->parser == NULL) {
        free(c);
        return TACIT_NO_SPACE;
    }
    c->trust = trust;
    memcpy(c->host, host, strlen(host) + 1);
    memcpy(c->port, port, strlen(port) + 1);
    c->timeout_s = timeout_s ? timeout_s : (uint32_t)TIMEOUT_S;
    c->fd = c->stop_fd = -1;
    *out = c;
    return TACIT_OK;
}

void tacit_https_stop_on(tacit_https *c, int fd) { c->stop_fd = fd; }

void tacit_https_drop(tacit_https *c) {
    if (c->open) mbedtls_ssl_free(&c->ssl);
    if (c->fd >= 0) close(c->fd);
    c->open = false;
    c->fd = -1;
}

void tacit_https_free(tacit_https *c) {
    if (c == NULL) return;
    c->deadline_ms = 0;
    if (c->open) (void)mbedtls_ssl_close_notify(&c->ssl);
    tacit_https_drop(c);
    free(c->parser);
    tacit_wipe(c, sizeof *c);
    free(c);
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void renew_deadline(tacit_https *c) {
    c->deadline_ms = now_ms() + (uint64_t)c->timeout_s * 1000;
}

static tacit_status failure(const tacit_https *c) {
    return c->stopped ? TACIT_LEFT : TACIT_TRANSPORT;
}

/* Waits for the socket. False when the deadline passes first or the host says stop. What is there
 * already is taken even after the deadline: the host itself may have been slow. */
static bool is_ready(tacit_https *c, short events) {
    for (;;) {
        uint64_t now = now_ms(), left = c->deadline_ms > now ? c->deadline_ms - now : 0;
        struct pollfd fds[2] = {{.fd = c->fd, .events = events},
                                {.fd = c->stop_fd, .events = POLLIN}};
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0 && fds[1].revents != 0) c->stopped = true;
        if (n > 0) return !c->stopped;
        if (left == 0) return false;
    }
}

static int socket_send(void *self, const unsigned char *data, size_t len) {
    tacit_https *c = self;
    for (;;) {
        if (!is_ready(c, POLLOUT)) return MBEDTLS_ERR_SSL_TIMEOUT;
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n >= 0) return (int)n;
        if (errno == EPIPE || errno == ECONNRESET) return MBEDTLS_ERR_NET_CONN_RESET;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return MBEDTLS_ERR_NET_SEND_FAILED;
    }
}

static int socket_receive(void *self, unsigned char *data, size_t len) {
    tacit_https *c = self;
    for (;;) {
        if (!is_ready(c, POLLIN)) return MBEDTLS_ERR_SSL_TIMEOUT;
        ssize_t n = recv(c->fd, data, len, 0);
        if (n >= 0) return (int)n;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return MBEDTLS_ERR_NET_RECV_FAILED;
    }
}

static bool connect_to(tacit_https *c, const struct addrinfo *a) {
    int one = 1, send_buffer = SEND_BUFFER, error = 0;
    socklen_t error_len = sizeof error;
    c->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (c->fd < 0) return false;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    if (connect(c->fd, a->ai_addr, a->ai_addrlen) == 0) return true;
    if ((errno == EINPROGRESS || errno == EINTR) && is_ready(c, POLLOUT) &&
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 && error == 0)
        return true;
    close(c->fd);
    c->fd = -1;
    return false;
}

/* Tries the addresses in turn, each with its part of the time: the first may lead nowhere. */
static tacit_status dial(tacit_https *c) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;
    uint64_t count = 0;
    if (getaddrinfo(c->host, c->port, &hints, &list) != 0) return TACIT_TRANSPORT;
    renew_deadline(c);
    uint64_t end = c->deadline_ms;
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next) count++;
    for (struct addrinfo *a = list; a != NULL && c->fd < 0 && !c->stopped; a = a->ai_next) {
        uint64_t now = now_ms();
        c->deadline_ms = now + (end > now ? end - now : 0) / count--;
        (void)connect_to(c, a);
    }
    c->deadline_ms = end;
    freeaddrinfo(list);
    return c->fd >= 0 ? TACIT_OK : failure(c);
}

/* Results of mbedTLS that only mean "call again". */
static bool again(int r) {
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (r == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) return true;
#endif
    return r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static tacit_status handshake(tacit_https *c) {
    mbedtls_ssl_init(&c->ssl);
    c->open = true;
    if (mbedtls_ssl_setup(&c->ssl, &c->trust->config) != 0 ||
        mbedtls_ssl_set_hostname(&c->ssl, c->host) != 0)
        return TACIT_NO_SPACE;
    mbedtls_ssl_set_bio(&c->ssl, c, socket_send, socket_receive, NULL);
    int r;
    do {
        r = mbedtls_ssl_handshake(&c->ssl);
    } while (again(r));
    if (r == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) return TACIT_BAD_CERTIFICATE;
    return r == 0 ? TACIT_OK : failure(c);
}

/* A kept connection with something to read was closed, or its server talks out of turn. */
static bool is_quiet(const tacit_https *c) {
    struct pollfd fd = {.fd = c->fd, .events = POLLIN};
    return mbedtls_ssl_get_bytes_avail(&c->ssl) == 0 && poll(&fd, 1, 0) == 0;
}

/* Takes the connection that is there or makes one. */
static tacit_status prepare(tacit_https *c, bool *reused) {
    struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};
    *reused = c->cut = false;
    c->stopped = poll(&stop, 1, 0) > 0;
    if (c->stopped) return TACIT_LEFT;
    if (c->open && !is_quiet(c)) tacit_https_drop(c);
    *reused = c->open;
    if (*reused) return TACIT_OK;
    tacit_status st = dial(c);
    return st == TACIT_OK ? handshake(c) : st;
}

/* OK also when the server has closed its side: then the rest of the request goes nowhere, and its
 * answer, which may be on the way, decides. */
static tacit_status write_all(tacit_https *c, const void *data, size_t len) {
    const unsigned char *p = data;
    if (c->cut) return TACIT_OK;
    renew_deadline(c);
    while (len > 0) {
        int n = mbedtls_ssl_write(&c->ssl, p, len);
        if (again(n)) continue;
        if (n == MBEDTLS_ERR_NET_CONN_RESET) {
            c->cut = true;
            return TACIT_OK;
        }
        if (n <= 0) return failure(c);
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

typedef struct {
    char text[1024];
    size_t len;
    bool full;
} head_text;

static void add(head_text *h, const char *text) {
    size_t len = strlen(text);
    if (h->full || len > sizeof h->text - h->len) {
        h->full = true;
        return;
    }
    memcpy(h->text + h->len, text, len);
    h->len += len;
}

static bool is_post(const tacit_exchange *x) { return strcmp(x->method, "POST") == 0; }

/* INVALID_ARGUMENT for what would make another request than the one asked for. */
static tacit_status make_head(const tacit_https *c, head_text *h, const tacit_exchange *x) {
    char range[48];
    bool literal = strchr(c->host, ':') != NULL; /* an IPv6 address */
    h->len = 0;
    h->full = false;
    if (!is_post(x) && strcmp(x->method, "GET") != 0) return TACIT_INVALID_ARGUMENT;
    if (x->path[0] != '/' || !is_plain(x->path)) return TACIT_INVALID_ARGUMENT;
    if (x->poll != NULL && !is_plain(x->poll)) return TACIT_INVALID_ARGUMENT;
    add(h, x->method);
    add(h, " ");
    add(h, x->path);
    add(h, literal ? " HTTP/1.1\r\nHost: [" : " HTTP/1.1\r\nHost: ");
    add(h, c->host);
    add(h, literal ? "]" : "");
    if (strcmp(c->port, "443") != 0) {
        add(h, ":");
        add(h, c->port);
    }
    if (x->poll != NULL) {
        add(h, "\r\nTacit-Poll: ");
        add(h, x->poll);
    }
    if (x->range_start > 0) {
        snprintf(range, sizeof range, "\r\nRange: bytes=%llu-", (unsigned long long)x->range_start);
        add(h, range);
    }
    add(h, is_post(x) ? "\r\nTransfer-Encoding: chunked\r\n\r\n" : "\r\n\r\n");
    return h->full ? TACIT_INVALID_ARGUMENT : TACIT_OK;
}

static tacit_status send_request(tacit_https *c, const head_text *head) {
    const tacit_exchange *x = c->exchange;
    tacit_status st = write_all(c, head->text, head->len);
    if (st != TACIT_OK || !is_post(x)) return st;
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
    c->headed = true;
    c->unwanted_len = 0;
    c->exchange->http_status = head->status;
    c->exchange->retry_after_s = head->retry_after_s;
    c->keep_alive = head->keep_alive;
    return TACIT_OK;
}

static tacit_status on_body(void *self, const uint8_t *data, size_t len) {
    tacit_https *c = self;
    tacit_exchange *x = c->exchange;
    bool good = x->http_status == 200 || x->http_status == 206;
    if (good && x->consume != NULL) return x->consume(x->self, data, len);
    if (len > UNWANTED_MAX - c->unwanted_len) return TACIT_TOO_LARGE;
    c->unwanted_len += len;
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
    tacit_exchange *x = c->exchange;
    tacit_wire_reader_init(&reader);
    if (x->http_status != 200 && x->http_status != 206 && c->problem_len > 0 &&
        tacit_wire_read(&reader, &m, &in) == TACIT_OK &&
        m.which_body == tacit_Message_problem_tag && m.body.problem.status < TACIT_STATUS_COUNT)
        x->problem = m.body.problem.status;
}

/* The server's goodbye. It ends a body that has no length; without it a cut one looks alike. */
static tacit_status end_by_close(tacit_https *c) {
    c->keep_alive = false;
    if (!c->began || tacit_http_close(c->parser) != TACIT_OK || !c->ended) return TACIT_TRANSPORT;
    return TACIT_OK;
}

static tacit_status receive_answer(tacit_https *c) {
    tacit_http_events events = {c, on_head, on_body, on_end};
    unsigned char buffer[8192];
    size_t progress = 0;
    tacit_http_init(c->parser, true, &events);
    c->headed = c->ended = c->keep_alive = false;
    c->problem_len = c->unwanted_len = 0;
    renew_deadline(c);
    while (!c->ended) {
        int n = mbedtls_ssl_read(&c->ssl, buffer, sizeof buffer);
        if (again(n)) continue;
        if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return end_by_close(c);
        if (n <= 0) return failure(c);
        size_t taken, len = (size_t)n;
        c->began = true;
        tacit_status st = tacit_http_feed(c->parser, &taken, buffer, len);
        if (st != TACIT_OK) return st;
        if (taken < len) c->keep_alive = false; /* more than was asked for */
        if (!c->headed && (c->unwanted_len += len) > UNWANTED_MAX) return TACIT_TOO_LARGE;
        progress += len;
        if (c->headed && progress >= PROGRESS) {
            progress = 0;
            renew_deadline(c);
        }
    }
    return TACIT_OK;
}

tacit_status tacit_https_exchange(void *self, tacit_exchange *x) {
    tacit_https *c = self;
    head_text head;
    bool reused;
    c->exchange = x;
    x->http_status = 0;
    x->retry_after_s = x->problem = 0;
    tacit_status st = make_head(c, &head, x);
    if (st != TACIT_OK) return st;
    do {
        c->began = false;
        st = prepare(c, &reused);
        if (st == TACIT_OK) st = send_request(c, &head);
        if (st == TACIT_OK) st = receive_answer(c);
        if (st == TACIT_OK) read_problem(c);
        if (st != TACIT_OK || c->cut || !c->keep_alive) tacit_https_drop(c);
        /* A kept connection may close just when it is used again; only a GET may be repeated. */
    } while (st == TACIT_TRANSPORT && reused && !c->began && !is_post(x));
    return st;
}
