/* SPDX-License-Identifier: Apache-2.0
 * named_vectors.h - looks up one line "name value" of a file in tests/vectors, for files with long
 * values and many names. It fails the running test when the line is missing. Include after
 * cmocka.h.
 */
#ifndef TACIT_TESTS_SUPPORT_NAMED_VECTORS_H
#define TACIT_TESTS_SUPPORT_NAMED_VECTORS_H

#include "common/base.h"
#include "tests/support/vectors.h"

enum { NAMED_LINE = 16384 };

/* The value's text; valid until the next call. */
static inline const char *named_text(const char *file, const char *name) {
    static char line[NAMED_LINE];
    FILE *f = vectors_open(file);
    size_t len = strlen(name);
    bool found = false;
    while (!found && fgets(line, sizeof line, f) != NULL)
        found = strncmp(line, name, len) == 0 && line[len] == ' ';
    fclose(f);
    if (!found) fail_msg("%s: no line %s", file, name);
    line[strcspn(line, "\n")] = '\0';
    return line + len + 1;
}

/* The value's bytes into out[cap]; how many there are. */
static inline size_t named_bytes(uint8_t *out, size_t cap, const char *file, const char *name) {
    const char *text = named_text(file, name);
    size_t len = strlen(text) / 2;
    if (len > cap) fail_msg("%s: longer than %zu bytes", name, cap);
    hex_decode(out, len, text);
    return len;
}

/* `got` is the value, to the byte. */
static inline void named_expect(const char *file, const char *name, const void *got, size_t len) {
    static uint8_t want[NAMED_LINE / 2];
    size_t want_len = named_bytes(want, sizeof want, file, name);
    if (want_len != len) fail_msg("%s: %zu bytes, not %zu", name, len, want_len);
    if (memcmp(want, got, len) != 0) fail_msg("%s differs", name);
}

#endif
