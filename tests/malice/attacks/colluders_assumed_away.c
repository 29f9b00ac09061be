/* SPDX-License-Identifier: Apache-2.0
 * colluders_assumed_away.c - a signed plan that assumes no colluders at all, against devices whose
 * floor is fifty in a thousand. By such a plan each device would add a share of noise as if all
 * survivors added theirs; two of forty collude and do not, and the sum has less noise than the mu
 * that its epsilon was computed from. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum {
    N = 40,
    FLOOR = 50,
    DELTA = 250,
    COLLUDERS = N * FLOOR / 1000,
    N_MIN = N - N * DELTA / 1000
};

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    federation_spec spec = {.device_count = N, .max_dropout = DELTA, .seed = 27};
    rogue_init(&r, &spec);
    r.f.floors.max_colluding = FLOOR;
    rogue_next_round(&r); /* machines with those floors */
    rogue_seat(&r, N);
    rogue_settle(&r);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, all);
    uint64_t variance = 0;
    if (st == TACIT_OK) st = rogue_noise_of(&r, N_MIN - COLLUDERS, &variance);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && variance < r.f.plan.mu;
    rogue_free(&r);
    return won;
}

const malice_attack malice_colluders_assumed_away = {
    .finding = "H7",
    .attack = "a signed plan assumes no colluders, and the noise in the sum is too little",
    .check = "tacit_floors_check_stated",
    .wins = wins,
};
