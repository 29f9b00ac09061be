/* SPDX-License-Identifier: Apache-2.0
 * logline.c - see logline.h. Every field is added whole or not at all, and room for the end is kept
 * back, so that a line always parses. */
#include "server/logline.h"

#include <math.h>
#include <time.h>

enum { TAIL = 3 }; /* "}\n" and the zero */

static struct {
    FILE *out;
    bool json;
} setup;

void logline_setup(FILE *out, bool json) {
    setup.out = out;
    setup.json = json;
}

static bool append(logline *l, const char *text) {
    size_t len = strlen(text);
    if (l->len + len + TAIL > sizeof l->text) return false;
    memcpy(l->text + l->len, text, len + 1);
    l->len += len;
    return true;
}

/* " name=" or ",\"name\":", then the value; takes back what did not fit. */
static void field(logline *l, const char *name, const char *value) {
    size_t before = l->len;
    bool good = append(l, setup.json ? ",\"" : " ") && append(l, name) &&
                append(l, setup.json ? "\":" : "=") && append(l, value);
    if (!good) l->text[l->len = before] = 0;
}

void logline_begin(logline *l, log_level level, const char *event) {
    static const char *const names[] = {"info", "warning", "error"};
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    l->len = 0;
    if (gmtime_r(&now, &tm) == NULL ||
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        stamp[0] = 0;
    int n = snprintf(
        l->text, sizeof l->text,
        setup.json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%.60s\"" : "%s %s %.60s", stamp,
        names[level], event);
    l->len = n > 0 ? (size_t)n : 0;
}

void logline_number(logline *l, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    field(l, name, text);
}

void logline_real(logline *l, const char *name, double value) {
    char text[40];
    if (isfinite(value))
        snprintf(text, sizeof text, "%.6g", value);
    else
        snprintf(text, sizeof text, "%s", setup.json ? "null" : isnan(value) ? "nan" : "inf");
    field(l, name, text);
}

void logline_text(logline *l, const char *name, const char *value) {
    char text[512];
    size_t n = 0;
    text[n++] = '"';
    for (; *value != 0 && n < sizeof text - 8; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\') {
            text[n++] = '\\';
            text[n++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            n += (size_t)snprintf(text + n, 7, "\\u%04x", c);
        } else {
            text[n++] = (char)c;
        }
    }
    text[n++] = '"';
    text[n] = 0;
    field(l, name, text);
}

void logline_hash(logline *l, const char *name, const uint8_t hash[static TACIT_HASH_LEN]) {
    char text[2 * TACIT_HASH_LEN + 1];
    for (size_t i = 0; i < TACIT_HASH_LEN; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
    logline_text(l, name, text);
}

void logline_end(logline *l) {
    FILE *out = setup.out != NULL ? setup.out : stderr;
    l->len += (size_t)snprintf(l->text + l->len, TAIL, setup.json ? "}\n" : "\n");
    fwrite(l->text, 1, l->len, out);
    fflush(out);
}
