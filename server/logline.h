/* SPDX-License-Identifier: Apache-2.0
 * logline.h - one structured line per event on stderr, as text or JSON. There is no field for a
 * peer: no address and no certificate id ever stands in a line (security M7), so none can be logged
 * by accident next to the other.
 *
 *     2026-01-31T12:00:00Z info phase round=7 phase=share joined=100
 *     {"time":"2026-01-31T12:00:00Z","level":"info","event":"phase","round":7,...}
 *
 * Begin, add fields, end. A line that grows too long loses its last fields, never its end. Use from
 * one thread. */
#ifndef TACIT_SERVER_LOGLINE_H
#define TACIT_SERVER_LOGLINE_H

#include <stdio.h>

#include "common/base.h"

typedef enum { LOG_INFO, LOG_WARNING, LOG_ERROR } log_level;

typedef struct {
    char text[1024];
    size_t len;
} logline;

/* Where lines go and how; stderr as text unless this is called. */
void logline_setup(FILE *out, bool json);

/* event: one word. */
void logline_begin(logline *l, log_level level, const char *event);
void logline_number(logline *l, const char *name, uint64_t value);
void logline_real(logline *l, const char *name, double value);
/* Control characters and quotes are escaped. */
void logline_text(logline *l, const char *name, const char *value);
/* As 64 hexadecimal digits. */
void logline_hash(logline *l, const char *name, const uint8_t hash[static TACIT_HASH_LEN]);
void logline_end(logline *l);

#endif
