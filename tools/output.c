/* SPDX-License-Identifier: Apache-2.0
 * output.c - see output.h. */
#include "tools/output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int complain(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("tacit: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return 1;
}

int misuse(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("tacit: ", stderr);
    vfprintf(stderr, format, list);
    fputs(" (see --help)\n", stderr);
    va_end(list);
    return 2;
}

int print_json(json_t *root) {
    bool ok = root != NULL &&
              json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
              putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(root);
    return ok ? 0 : complain("the result cannot be written");
}

json_t *json_text(const char *text) {
    json_t *s = json_string(text);
    if (s != NULL) return s;
    char *copy = strdup(text);
    if (copy == NULL) return NULL;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    s = json_string(copy);
    free(copy);
    return s;
}

json_t *json_hash(const uint8_t hash[static TACIT_HASH_LEN]) {
    char text[OUTPUT_HEX_LEN + 1];
    hash_text(text, hash);
    return json_string(text);
}

json_t *json_count(uint64_t n) { return json_integer((json_int_t)n); }

json_t *json_number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

void hash_text(char out[static OUTPUT_HEX_LEN + 1], const uint8_t hash[static TACIT_HASH_LEN]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < TACIT_HASH_LEN; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[OUTPUT_HEX_LEN] = 0;
}

void time_text(char out[static OUTPUT_TIME_LEN + 1], uint64_t time_s) {
    struct tm tm;
    time_t t = (time_t)time_s;
    out[0] = 0;
    if (gmtime_r(&t, &tm) != NULL) strftime(out, OUTPUT_TIME_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool path_join(char path[static OUTPUT_PATH_LEN], const char *dir, const char *name) {
    int n = snprintf(path, OUTPUT_PATH_LEN, "%s/%s", dir, name);
    return n > 0 && n < OUTPUT_PATH_LEN;
}

bool path_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

bool path_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int folder_make(const char *path) {
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && path_is_folder(path))) return 0;
    return complain("%s: %s", path, strerror(errno));
}
