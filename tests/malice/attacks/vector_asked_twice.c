/* SPDX-License-Identifier: Apache-2.0
 * vector_asked_twice.c - "the connection broke, please send your vector again". A second vector of
 * the same cohort would carry new noise and rounding under masks of the same round; and since the
 * machine has wiped s and b after the first, it would mask with nothing but zeros, which the server
 * knows too: the vector is read in clear. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    const uint8_t zero[TACIT_SECRET_LEN] = {0};
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 20});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_take_vector(&r, victim);
    if (st == TACIT_OK) st = rogue_take_vector(&r, victim);
    *why = tacit_status_name(st);
    uint32_t *words = r.vectors[victim];
    if (words != NULL) {
        for (uint32_t i = 0; i < N; i++)
            if (i != victim) rogue_take_off_pair(&r, words, victim, i, victim, zero);
        rogue_take_off_self(&r, words, victim, zero);
    }
    bool won = words != NULL && rogue_is_update(&r, words, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_vector_asked_twice = {
    .finding = "C4, retry",
    .attack = "the server asks for the vector once more and gets it under masks of wiped secrets",
    .check = "tacit_secagg_begin",
    .wins = wins,
};
