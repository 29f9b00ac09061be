/* SPDX-License-Identifier: Apache-2.0
 * output.h - how every command speaks: complaints on stderr, one JSON object on stdout, hashes as
 * hexadecimal, times as UTC. */
#ifndef TACIT_TOOLS_OUTPUT_H
#define TACIT_TOOLS_OUTPUT_H

#include <jansson.h>

#include "common/base.h"

enum { OUTPUT_HEX_LEN = 2 * TACIT_HASH_LEN, OUTPUT_TIME_LEN = 20, OUTPUT_PATH_LEN = 4096 };

/* "tacit: ..." and a line break on stderr. Returns 1, the exit status of a failure. */
int complain(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
/* The same for wrong arguments: returns 2. */
int misuse(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* Prints the object (its reference is taken) and a line break. 0, or 1 after a complaint. */
int print_json(json_t *root);
/* A string; bytes that are not UTF-8 become '?'. */
json_t *json_text(const char *text);
json_t *json_hash(const uint8_t hash[static TACIT_HASH_LEN]);
json_t *json_count(uint64_t n);
/* A number, or null when it is not finite. */
json_t *json_number(double v);

void hash_text(char out[static OUTPUT_HEX_LEN + 1], const uint8_t hash[static TACIT_HASH_LEN]);
/* "2024-01-01T00:00:00Z" */
void time_text(char out[static OUTPUT_TIME_LEN + 1], uint64_t time_s);

/* dir/name; false when it does not fit. path [OUTPUT_PATH_LEN] */
bool path_join(char path[static OUTPUT_PATH_LEN], const char *dir, const char *name);
bool path_exists(const char *path);
bool path_is_folder(const char *path);
/* Makes a folder (not its parents) unless it is there. 0, or 1 after a complaint. */
int folder_make(const char *path);

#endif
