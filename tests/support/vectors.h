/* SPDX-License-Identifier: Apache-2.0
 * vectors.h - reads the text files of tests/vectors, word by word, and hexadecimal strings.
 * A file that is absent or does not say what the test expects fails the test. Include after
 * cmocka.h. */
#ifndef TACIT_TESTS_SUPPORT_VECTORS_H
#define TACIT_TESTS_SUPPORT_VECTORS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_WORD = 512 };

/* `name` without folder; the caller closes. */
static inline FILE *vectors_open(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "tests/vectors/%s", name);
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s: run from the root of the repository", path);
    return f;
}

/* The next word, comments left out; false at the end of the file. */
static inline bool vectors_word(FILE *f, char word[static VECTORS_WORD]) {
    while (fscanf(f, "%511s", word) == 1) {
        if (word[0] != '#') return true;
        int c;
        do c = fgetc(f);
        while (c != '\n' && c != EOF);
    }
    return false;
}

/* Leaves the rest of the line. */
static inline void vectors_skip_line(FILE *f) {
    int c;
    do c = fgetc(f);
    while (c != '\n' && c != EOF);
}

/* Decodes exactly `len` bytes. */
static inline void hex_decode(uint8_t *out, size_t len, const char *hex) {
    if (strlen(hex) != 2 * len) fail_msg("%zu bytes expected, not \"%s\"", len, hex);
    for (size_t i = 0; i < len; i++) {
        unsigned v;
        if (sscanf(hex + 2 * i, "%2x", &v) != 1) fail_msg("not hexadecimal: \"%s\"", hex);
        out[i] = (uint8_t)v;
    }
}

static inline void vectors_hex(FILE *f, uint8_t *out, size_t len) {
    char word[VECTORS_WORD];
    if (!vectors_word(f, word)) fail_msg("the file ends too early");
    hex_decode(out, len, word);
}

static inline uint64_t vectors_u64(FILE *f) {
    char word[VECTORS_WORD], *end;
    if (!vectors_word(f, word)) fail_msg("the file ends too early");
    uint64_t v = strtoull(word, &end, 10);
    if (*end != 0) fail_msg("not a number: \"%s\"", word);
    return v;
}

#endif
