/* SPDX-License-Identifier: Apache-2.0
 * config_fuzz.c - any bytes as tacit.ini: either a note that names the file, or values that print
 * and read back alike. */
#include <stdint.h>
#include <stdlib.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    config c, d;
    char note[CONFIG_NOTE_LEN + 1], text[4096];
    tacit_status st = config_parse(&c, note, "f", (const char *)data, size);
    if (st == TACIT_CONFIG) {
        if (strncmp(note, "f:", 2) != 0) abort();
        return 0;
    }
    if (st != TACIT_OK) abort();
    FILE *out = fmemopen(text, sizeof text, "w");
    if (out == NULL) abort();
    config_print(&c, out);
    long len = ftell(out);
    fclose(out);
    if (len < 0 || config_parse(&d, note, "f", text, (size_t)len) != TACIT_OK) abort();
    if (memcmp(&c, &d, sizeof c) != 0) abort();
    return 0;
}
