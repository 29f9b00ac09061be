/* SPDX-License-Identifier: Apache-2.0
 * shares_asked_twice.c - "that cohort came to nothing, please deal your shares again". A device
 * that dealt its s and b in two cohorts could have one rebuilt in each. Here it is worse: the
 * machine has wiped c after the first boxes, so the second would be sealed with a key of zeros,
 * which the server has too. It opens them all and needs nobody's reveal to read the vector. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    const uint8_t zero[TACIT_KEY_LEN] = {0};
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 22});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, NULL);
    if (st == TACIT_OK) st = rogue_take_shares(&r, victim);
    for (uint32_t i = 0; i < N; i++)
        if (i != victim) rogue_open(&r, victim, i, victim, zero);
    if (st == TACIT_OK) st = rogue_tell_u2(&r, victim, all);
    if (st == TACIT_OK) st = rogue_take_vector(&r, victim);
    *why = tacit_status_name(st);
    bool won = rogue_reads_with_both(&r, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_shares_asked_twice = {
    .finding = "C4, two cohorts",
    .attack = "the server has the shares dealt once more, sealed with a wiped key, and opens them",
    .check = "tacit_secagg_begin",
    .wins = wins,
};
