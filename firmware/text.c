/* SPDX-License-Identifier: Apache-2.0
 * text.c - see text.h. Numbers are made digit by digit, because the core has no printf. It refuses
 * to write past the buffer and says so. */
#include "firmware/text.h"

#include <math.h>

void tacit_text_init(tacit_text *t, char *data, size_t cap) {
    assert(cap >= 1);
    *t = (tacit_text){data, 0, cap, false};
    data[0] = 0;
}

static void add_char(tacit_text *t, char c) {
    if (t->len + 1 >= t->cap) {
        t->full = true;
        return;
    }
    t->data[t->len++] = c;
    t->data[t->len] = 0;
}

void tacit_text_add(tacit_text *t, const char *s) {
    while (*s) add_char(t, *s++);
}

void tacit_text_u64(tacit_text *t, uint64_t v) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (count > 0) add_char(t, digits[--count]);
}

void tacit_text_hex(tacit_text *t, const uint8_t *data, size_t len) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        add_char(t, hex[data[i] >> 4]);
        add_char(t, hex[data[i] & 15]);
    }
}

/* v = 0.d1d2d3... * 10^(exponent + 1), d1 != 0: the digits as one integer. */
static uint64_t to_digits(int *exponent, double v, int digits) {
    uint64_t limit = 1;
    for (int i = 0; i < digits; i++) limit *= 10;
    *exponent = (int)floor(log10(v));
    /* Two steps, because 10^308 * 10^16 is beyond a double. */
    int shift = digits - 1 - *exponent, half = shift / 2;
    double scaled = v * pow(10, half) * pow(10, shift - half);
    uint64_t whole = (uint64_t)(scaled + 0.5);
    if (whole >= limit) { /* log10 or the rounding crossed a power of ten */
        whole /= 10;
        ++*exponent;
    }
    return whole;
}

void tacit_text_f64(tacit_text *t, double v, int digits) {
    assert(digits >= 1 && digits <= 17);
    if (!isfinite(v)) {
        tacit_text_add(t, "null");
        return;
    }
    if (signbit(v) && v != 0) add_char(t, '-');
    v = fabs(v);
    if (v == 0) {
        add_char(t, '0');
        return;
    }
    int exponent;
    uint64_t whole = to_digits(&exponent, v, digits);
    while (whole % 10 == 0 && digits > 1) {
        whole /= 10;
        digits--;
    }
    char d[20];
    for (int i = digits; i-- > 0; whole /= 10) d[i] = (char)('0' + whole % 10);
    bool plain = exponent >= -5 && exponent <= 16;
    int point = plain ? exponent : 0; /* digits[point] is the last one before the point */
    if (point < 0) tacit_text_add(t, "0.");
    for (int i = point + 1; i < 0; i++) add_char(t, '0');
    for (int i = 0; i < digits; i++) {
        add_char(t, d[i]);
        if (i == point && i + 1 < digits) add_char(t, '.');
    }
    for (int i = digits; i <= point; i++) add_char(t, '0');
    if (plain) return;
    add_char(t, 'e');
    if (exponent < 0) add_char(t, '-');
    tacit_text_u64(t, (uint64_t)(exponent < 0 ? -exponent : exponent));
}
