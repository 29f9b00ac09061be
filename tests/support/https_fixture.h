/* SPDX-License-Identifier: Apache-2.0
 * https_fixture.h - a client of firmware/port/https.h and a tls_peer that knows its certificate,
 * and a host that makes request bodies and takes answers. After cmocka.h. */
#ifndef TACIT_TESTS_HTTPS_FIXTURE_H
#define TACIT_TESTS_HTTPS_FIXTURE_H

#include <stdio.h>

#include "common/wire.h"
#include "firmware/port/https.h"
#include "tests/support/tls_peer.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

typedef struct {
    tls_peer *peer;
    tacit_https_trust *trust;
    tacit_https *client;
} pair;

static inline pair pair_with(const tls_peer_options *options, uint32_t timeout_s) {
    pair p;
    p.peer = tls_peer_start(options);
    assert_int_equal(tacit_https_trust_new(&p.trust, tls_peer_certificate(p.peer)), TACIT_OK);
    assert_int_equal(
        tacit_https_new(&p.client, p.trust, "localhost", tls_peer_port(p.peer), timeout_s),
        TACIT_OK);
    return p;
}

static inline pair pair_of(void (*script)(tls_peer *p, int connection), int connections) {
    return pair_with(&(tls_peer_options){.script = script, .connections = connections}, 5);
}

static inline void pair_end(pair *p) {
    tacit_https_free(p->client);
    tls_peer_stop(p->peer);
    tacit_https_trust_free(p->trust);
}

/* What the client got, and what it gives. */
typedef struct {
    uint8_t *got;
    size_t got_len, got_cap, pieces;
    tacit_status consume_status;
    size_t give_len, give_step;
    tacit_status produce_status;
    int produced;
} host;

static inline uint8_t pattern(size_t i) { return (uint8_t)(i * 131 + (i >> 8) * 7 + (i >> 16)); }

static inline tacit_status consume(void *self, const uint8_t *data, size_t len) {
    host *h = self;
    if (h->got != NULL) {
        if (len > h->got_cap - h->got_len) return TACIT_TOO_LARGE;
        memcpy(h->got + h->got_len, data, len);
    }
    h->got_len += len;
    h->pieces++;
    return h->consume_status;
}

static inline tacit_status produce(void *self,
                                   tacit_status (*emit)(void *emit_self, const uint8_t *data,
                                                        size_t len),
                                   void *emit_self) {
    host *h = self;
    uint8_t piece[50000];
    h->produced++;
    for (size_t at = 0, len; at < h->give_len; at += len) {
        len = h->give_step < h->give_len - at ? h->give_step : h->give_len - at;
        for (size_t i = 0; i < len; i++) piece[i] = pattern(at + i);
        tacit_status st = emit(emit_self, piece, len);
        if (st != TACIT_OK) return st;
    }
    return h->produce_status;
}

static inline tacit_exchange get_of(host *h) {
    return (tacit_exchange){.method = "GET", .path = "/v1/plan", .consume = consume, .self = h};
}

static inline tacit_exchange post_of(host *h) {
    return (tacit_exchange){.method = "POST",
                            .path = "/v1/cohorts/7-0/mask",
                            .produce = produce,
                            .consume = consume,
                            .self = h};
}

static inline void assert_good(pair *p, tacit_exchange x, int http_status) {
    assert_int_equal(tacit_https_exchange(p->client, &x), TACIT_OK);
    assert_int_equal(x.http_status, http_status);
}

/* ---- Scripts of the peer -----------------------------------------------------------------------
 */

static inline void answer_empty(tls_peer *p, int connection) {
    (void)connection;
    while (tls_peer_read(p)) tls_peer_say(p, OK_EMPTY);
}

/* A body with a Problem message, as the server makes it. */
static inline void say_problem(tls_peer *p, const char *head, tacit_status status) {
    uint8_t bytes[256];
    char text[192];
    tacit_Message m;
    tacit_wire_buffer buffer = {bytes, 0, sizeof bytes};
    tacit_sink sink = tacit_wire_buffer_sink(&buffer);
    tacit_wire_problem(&m, status, "come back later");
    if (tacit_wire_write(&m, &sink) != TACIT_OK) return;
    snprintf(text, sizeof text, "%s\r\nContent-Length: %zu\r\n\r\n", head, buffer.len);
    tls_peer_say(p, text);
    tls_peer_send(p, bytes, buffer.len);
}

#endif
