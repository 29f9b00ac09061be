/* SPDX-License-Identifier: Apache-2.0
 * tls_peer.h - a small HTTPS server in a thread, for tests of clients. A script says, connection by
 * connection, what it reads and answers, byte by byte if need be; so it can also do what no decent
 * server does. Blocking sockets of mbedTLS, a fresh certificate for "localhost". */
#ifndef TACIT_TESTS_TLS_PEER_H
#define TACIT_TESTS_TLS_PEER_H

#include "common/base.h"

typedef struct tls_peer tls_peer;

typedef struct {
    /* Called after the handshake of connection 0, 1, ...; the connection ends when it returns. */
    void (*script)(tls_peer *p, int connection);
    int connections; /* it stops listening after so many (a failed handshake counts) */
    bool plain;      /* no TLS: the script's bytes go out bare */
    bool tls12;      /* no higher version, where the library has one */
} tls_peer_options;

/* Ends the test when it cannot be made. */
tls_peer *tls_peer_start(const tls_peer_options *options);
/* Waits for the script's last connection (at most 10 s for each step) and frees. */
void tls_peer_stop(tls_peer *p);

const char *tls_peer_port(const tls_peer *p);
const char *tls_peer_certificate(const tls_peer *p); /* path of the PEM file */
int tls_peer_accepted(tls_peer *p);                  /* connections so far */
const char *tls_peer_version(tls_peer *p);           /* of the last handshake, "TLSv1.2" */

/* ---- For scripts -------------------------------------------------------------------------------
 */
/* Reads one request; false when the client has closed. Its head, without the empty line, and its
 * body, chunks joined, stand until the next one. */
bool tls_peer_read(tls_peer *p);
/* Reads the head only. */
bool tls_peer_read_head(tls_peer *p);
const char *tls_peer_head(const tls_peer *p);
const uint8_t *tls_peer_body(const tls_peer *p, size_t *len);
/* False when the client takes no more. */
bool tls_peer_send(tls_peer *p, const void *data, size_t len);
bool tls_peer_say(tls_peer *p, const char *text);
/* Closes in the way TLS asks for; without it the connection ends as a cut one does. */
void tls_peer_goodbye(tls_peer *p);

#endif
