/* SPDX-License-Identifier: Apache-2.0
 * text.h - short ASCII strings in a caller's buffer: request paths and JSON lines. No locale, no
 * stdio. A string that does not fit is marked and must not be used. */
#ifndef TACIT_FIRMWARE_TEXT_H
#define TACIT_FIRMWARE_TEXT_H

#include "common/base.h"

typedef struct {
    char *data; /* always zero-terminated */
    size_t len, cap;
    bool full; /* something was cut off */
} tacit_text;

/* cap >= 1. */
void tacit_text_init(tacit_text *t, char *data, size_t cap);
void tacit_text_add(tacit_text *t, const char *s);
void tacit_text_u64(tacit_text *t, uint64_t v);
void tacit_text_hex(tacit_text *t, const uint8_t *data, size_t len);
/* Decimal with `digits` (1..17) significant digits, trailing zeros left out; a JSON number, or
 * "null" when v is not finite. 9 digits give a float back, 17 a double. */
void tacit_text_f64(tacit_text *t, double v, int digits);

#endif
