/* SPDX-License-Identifier: Apache-2.0
 * config.h - DIR/tacit.ini: what the operator decides, with defaults for everything.
 *
 *   [server]                            [round]   defaults of `tacit round start`
 *   listen = 127.0.0.1                  join_s = 120      (at most 480)
 *   port = 8443         (0: any)        share_s = 60
 *   workers = 0         (0: per core)   mask_s = 120
 *   hold_s = 50         (1..50)         agree_s = 60
 *   retry_s = 5                         reveal_s = 60
 *   staged_mb = 256                     max_colluding = 0.1   (at most three digits)
 *   max_connections = 4096              max_dropout = 0.2
 *   catalogue = catalogue.csv           n_lo = 100
 *                                       n_hi = 2000
 *                                       n_min_floor = 0   (0: none)
 *                                       expected = 0      (0: joining goes on until n_hi or time)
 *                                       separation_s = 3600
 *                                       back_off_s = 5
 *                                       quiet_s = 5       (0: never; see cohort.h)
 *
 * Unknown sections and keys, keys given twice, and values out of range are refused with "file:line:
 * what": a typing error must not silently become a default. */
#ifndef TACIT_SERVER_CONFIG_H
#define TACIT_SERVER_CONFIG_H

#include <stdio.h>

#include "common/base.h"

enum { CONFIG_NOTE_LEN = 255, CONFIG_TEXT_LEN = 127 };

typedef struct {
    char listen[CONFIG_TEXT_LEN + 1]; /* IPv4 or IPv6 address */
    uint32_t port;
    uint32_t workers; /* threads for unmasking and learning; 0: one per core */
    uint32_t hold_s;  /* a held answer becomes 202 after this */
    uint32_t retry_s; /* devices told to come back do so after retry_s to 2 retry_s */
    uint32_t staged_mb;
    uint32_t max_connections;
    char catalogue[CONFIG_TEXT_LEN + 1]; /* relative to DIR unless it begins with '/' */
    /* [round] */
    uint32_t join_s, share_s, mask_s, agree_s, reveal_s;
    uint32_t max_colluding, max_dropout; /* per thousand */
    uint32_t n_lo, n_hi, n_min_floor, expected;
    uint32_t separation_s, back_off_s, quiet_s;
} config;

void config_default(config *c);

/* Defaults, then the file. A file that does not exist leaves the defaults (OK). CONFIG with the
 * first error in note (CONFIG_NOTE_LEN + 1 bytes); IO. */
TACIT_MUST_CHECK tacit_status config_load(config *c, char *note, const char *path);
/* The same from memory; name stands for the file in notes. */
TACIT_MUST_CHECK tacit_status config_parse(config *c, char *note, const char *name,
                                           const char *data, size_t len);
/* Writes the file that config_load would read back to the same values. */
void config_print(const config *c, FILE *out);

/* "0", "0.1", "0.125" -> per thousand, 0..500; CONFIG for any other text. */
TACIT_MUST_CHECK tacit_status config_fraction(uint32_t *per_thousand, const char *text);

#endif
