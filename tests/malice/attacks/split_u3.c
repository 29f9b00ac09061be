/* SPDX-License-Identifier: Apache-2.0
 * split_u3.c - everybody survives, and every device is told that two of seats 0, 1 and 2 did not,
 * each time another two. Each view has the seven survivors that n_min asks for. If a device
 * revealed its shares without having seen that its neighbours signed the same view, all three would
 * have their s rebuilt, and the server would hold the sum of six. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, N_MIN = 7, OUT = 3 };

/* What seat i is told: without two of the three, never without itself. */
static void view_of(const rogue_server *r, uint8_t *u3, uint32_t i) {
    uint32_t kept = i % OUT;
    rogue_everyone(r, u3);
    for (uint32_t j = 0; j < OUT; j++)
        if (j != kept) rogue_without(u3, j);
}

static tacit_status reveal_split(rogue_server *r) {
    uint8_t u3[TACIT_MAX_BITMAP_LEN], same[TACIT_MAX_BITMAP_LEN];
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        view_of(r, u3, i);
        st = rogue_tell_u3(r, i, u3);
        if (st == TACIT_OK) st = rogue_take_agreement(r, i);
    }
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        view_of(r, u3, i);
        memset(same, 0, sizeof same);
        for (uint32_t j = 0; j < N; j++)
            if (j % OUT == i % OUT) tacit_bit_set(same, j);
        st = rogue_tell_agreements(r, i, u3, same);
        if (st == TACIT_OK) st = rogue_take_reveal(r, i);
    }
    return st;
}

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN], summed[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 250, .seed = 18});
    rogue_seat(&r, N);
    rogue_settle(&r);
    rogue_everyone(&r, all);
    rogue_everyone(&r, summed);
    for (uint32_t j = 0; j < OUT; j++) rogue_without(summed, j);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = reveal_split(&r);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && tacit_bitmap_count(summed, N) < N_MIN && rogue_sums(&r, summed);
    rogue_free(&r);
    return won;
}

const malice_attack malice_split_u3 = {
    .finding = "H1, split U3",
    .attack = "the server tells each device another set of survivors and sums fewer than n_min",
    .check = "tacit_secagg_check_agreed",
    .wins = wins,
};
