/* SPDX-License-Identifier: Apache-2.0
 * tls.h - the server side of TLS without a socket: ciphertext in, plaintext out, and the other way.
 * TLS 1.2 at least, 1.3 where mbedTLS has it; X25519 and P-256; ephemeral keys and authenticated
 * ciphers only; no session tickets and no session cache, so nothing links two connections (security
 * M7). Builds with mbedTLS 2.28 and 3.6. One thread. */
#ifndef TACIT_SERVER_TLS_H
#define TACIT_SERVER_TLS_H

#include "common/base.h"

typedef struct tls_server tls_server;
typedef struct tls_session tls_session;

enum { TLS_NOTE_LEN = 255 };

/* PEM files. CONFIG with a sentence in note (TLS_NOTE_LEN + 1 bytes). */
TACIT_MUST_CHECK tacit_status tls_server_new(tls_server **out, char *note, const char *crt_path,
                                             const char *key_path);
void tls_server_free(tls_server *s);

/* The server must outlive its sessions. NO_SPACE. */
TACIT_MUST_CHECK tacit_status tls_session_new(tls_session **out, tls_server *server);
void tls_session_free(tls_session *s);

/* Ciphertext from the peer. NO_SPACE. */
TACIT_MUST_CHECK tacit_status tls_session_feed(tls_session *s, const uint8_t *data, size_t len);
/* Ciphertext not taken apart yet. */
size_t tls_session_backlog(const tls_session *s);
/* Shakes hands when that is due, then gives plaintext. OK with *len >= 1; PENDING: more ciphertext
 * is wanted; TRANSPORT: the peer said goodbye or broke the protocol (an alert may be in the
 * output). */
TACIT_MUST_CHECK tacit_status tls_session_read(tls_session *s, uint8_t *out, size_t cap,
                                               size_t *len);
/* True once the handshake is over. */
bool tls_session_ready(const tls_session *s);
/* Encrypts; the records are in the output. TRANSPORT, NO_SPACE. */
TACIT_MUST_CHECK tacit_status tls_session_write(tls_session *s, const void *data, size_t len);
/* close_notify into the output. */
void tls_session_goodbye(tls_session *s);

/* Ciphertext for the peer, not yet taken. */
size_t tls_session_output_len(const tls_session *s);
/* Hands it over, malloc'ed; NULL when there is none. */
uint8_t *tls_session_take_output(tls_session *s, size_t *len);

#endif
