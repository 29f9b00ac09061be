/* SPDX-License-Identifier: Apache-2.0
 * phantom_survivors.c - twelve joined, three dropped out before U2, two more before U3: seven
 * vectors, two fewer than n_min. The server sets the bits of two of the first three in U3; nobody
 * has a mask towards those, so they cost it nothing, and the count is right again. The sum of seven
 * is laid open where nine are promised. (Two views of U2 in one cohort gain nothing by themselves:
 * the survivors of one agreed U3 all lie in every view, so the edges between them are there.) */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 12, N_MIN = 9, SURVIVORS = 7, PHANTOMS = 2 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t u2[TACIT_MAX_BITMAP_LEN] = {0}, u3[TACIT_MAX_BITMAP_LEN] = {0};
    uint8_t real[TACIT_MAX_BITMAP_LEN] = {0};
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 333, .seed = 17});
    rogue_seat(&r, N);
    rogue_settle(&r);
    for (uint32_t i = 0; i < N_MIN; i++) tacit_bit_set(u2, i);
    for (uint32_t i = 0; i < SURVIVORS; i++) tacit_bit_set(real, i);
    memcpy(u3, real, sizeof u3);
    for (uint32_t i = 0; i < PHANTOMS; i++) tacit_bit_set(u3, N - 1 - i);
    tacit_status st = rogue_all_shared(&r, u2);
    for (uint32_t i = SURVIVORS; i < N; i++) r.devices[i] = NULL; /* gone */
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, u3);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && tacit_bitmap_count(real, N) < N_MIN && rogue_sums(&r, real);
    rogue_free(&r);
    return won;
}

const malice_attack malice_phantom_survivors = {
    .finding = "H1",
    .attack = "the server counts devices that never masked as survivors and sums fewer than n_min",
    .check = "tacit_secagg_check_subset",
    .wins = wins,
};
