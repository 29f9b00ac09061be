/* SPDX-License-Identifier: Apache-2.0
 * https.h - ready-made transport: HTTP/1.1 over mbedTLS on blocking POSIX sockets, the server's
 * certificate pinned. Implements tacit_platform.exchange. Keeps one connection alive per object;
 * sends no cookie, no user agent, no language (security M7); never sends a body twice.
 * A trust object may serve many connections in many threads; a connection belongs to one thread. */
#ifndef TACIT_FIRMWARE_PORT_HTTPS_H
#define TACIT_FIRMWARE_PORT_HTTPS_H

#include "firmware/tacit.h"

typedef struct tacit_https_trust tacit_https_trust;
typedef struct tacit_https tacit_https;

/* cert_pem_path: the server's certificate (or its issuer's) as the app ships it. IO when it cannot
 * be read, BAD_CERTIFICATE when it does not parse. */
TACIT_CHECKED tacit_status tacit_https_trust_new(tacit_https_trust **out,
                                                 const char *cert_pem_path);
void tacit_https_trust_free(tacit_https_trust *trust);

/* Prepares a connection; the first exchange connects. host is also the name the certificate must
 * carry. timeout_s bounds each wait for the network (0: 75 s, above the server's longest hold).
 * The trust object must outlive it. NO_SPACE. */
TACIT_CHECKED tacit_status tacit_https_new(tacit_https **out, const tacit_https_trust *trust,
                                           const char *host, const char *port, uint32_t timeout_s);
void tacit_https_free(tacit_https *c);

/* tacit_platform.exchange with self = the tacit_https. */
tacit_status tacit_https_exchange(void *self, tacit_exchange *exchange);

/* Drops the connection at once, without a goodbye. */
void tacit_https_drop(tacit_https *c);

#endif
