/* SPDX-License-Identifier: Apache-2.0
 * https.h - ready-made transport: HTTP/1.1 over mbedTLS on blocking POSIX sockets, the server's
 * certificate pinned. Implements tacit_platform.exchange. Keeps one connection alive per object;
 * sends no cookie, no user agent, no language (security M7); never sends a body twice. TLS 1.2 with
 * mbedTLS 2.28, 1.3 where the library has it; ECDHE and an AEAD only, no tickets.
 * It refuses, before anything is sent, a path, poll value or host with a blank or a control
 * character. A trust object may serve many connections in many threads; a connection belongs to one
 * thread. */
#ifndef TACIT_FIRMWARE_PORT_HTTPS_H
#define TACIT_FIRMWARE_PORT_HTTPS_H

#include "firmware/tacit.h"

typedef struct tacit_https_trust tacit_https_trust;
typedef struct tacit_https tacit_https;

/* cert_pem_path: the server's certificate (or its issuer's) as the app ships it. IO when it cannot
 * be read, BAD_CERTIFICATE when it does not parse, NO_SPACE, INTERNAL when a library refuses. */
TACIT_CHECKED tacit_status tacit_https_trust_new(tacit_https_trust **out,
                                                 const char *cert_pem_path);
void tacit_https_trust_free(tacit_https_trust *trust);

/* Prepares a connection; the first exchange connects. host is also the name (or address) that the
 * certificate must carry.
 * timeout_s (0: 75 s, above the server's longest hold) bounds the connect with its handshake; then
 * the time of each 16 KB of a body, either way; and the wait for the answer's head. A peer that
 * sends or takes a byte now and then cannot stretch it. It does not bound the name look-up.
 * The trust object must outlive it. NO_SPACE; INVALID_ARGUMENT for a host (at most 255 bytes) or
 * port that is empty, too long or not printable. */
TACIT_CHECKED tacit_status tacit_https_new(tacit_https **out, const tacit_https_trust *trust,
                                           const char *host, const char *port, uint32_t timeout_s);
/* Says goodbye where that does not wait. NULL allowed. */
void tacit_https_free(tacit_https *c);

/* tacit_platform.exchange with self = the tacit_https. After anything but OK the connection is
 * dropped. TRANSPORT: no whole answer came. BAD_CERTIFICATE: not the pinned server. BAD_MESSAGE:
 * what came is no HTTP/1.1. TOO_LARGE: a head above its limit, or above 64 KB of a body that nobody
 * consumes. LEFT: the host said stop. INVALID_ARGUMENT, before sending. Else what produce or
 * consume returned. When the server answers and closes before it has taken the whole request, the
 * rest is not sent and that answer counts. */
tacit_status tacit_https_exchange(void *self, tacit_exchange *exchange);

/* Ends the exchange under way, and each later one, with LEFT as soon as the descriptor is readable.
 * It stays the caller's; -1: none. */
void tacit_https_stop_on(tacit_https *c, int fd);

/* Drops the connection at once, without a goodbye. */
void tacit_https_drop(tacit_https *c);

#endif
