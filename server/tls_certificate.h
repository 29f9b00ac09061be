/* SPDX-License-Identifier: Apache-2.0
 * tls_certificate.h - a fresh self-signed TLS identity for keys_init. The app pins the certificate,
 * so no outside authority is asked; operators with one put their own tls.key and tls.crt in place.
 */
#ifndef TACIT_SERVER_TLS_CERTIFICATE_H
#define TACIT_SERVER_TLS_CERTIFICATE_H

#include "common/base.h"

enum { TLS_PEM_MAX = 4096 };

/* PEM texts, zero-terminated: an ECDSA P-256 key and its certificate for CN localhost, SAN
 * localhost and 127.0.0.1, valid from a day before now_s for ten years. INTERNAL when mbedTLS
 * refuses. */
TACIT_MUST_CHECK tacit_status tls_certificate_make(char key_pem[static TLS_PEM_MAX],
                                                   char crt_pem[static TLS_PEM_MAX],
                                                   uint64_t now_s);

#endif
