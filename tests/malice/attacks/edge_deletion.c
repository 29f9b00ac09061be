/* SPDX-License-Identifier: Apache-2.0
 * edge_deletion.c - the server tells one device that nobody but two colluders is left, and the
 * others that everybody is. A device that believed it would mask its vector towards the colluders
 * only; the others think it a survivor and rightly reveal the shares of its b. Nothing is left over
 * the vector. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN], few[TACIT_MAX_BITMAP_LEN] = {0};
    uint8_t colluders[TACIT_MAX_BITMAP_LEN] = {0};
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 250, .max_dropout = 200, .seed = 16});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    for (uint32_t i = 1; i < 3; i++) {
        tacit_bit_set(colluders, rogue_seat_of(&r, &r.f.devices[i]));
        tacit_bit_set(few, rogue_seat_of(&r, &r.f.devices[i]));
    }
    tacit_bit_set(few, victim);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, NULL);
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++)
        st = rogue_tell_u2(&r, i, i == victim ? few : all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_others_reveal(&r, victim, all);
    *why = tacit_status_name(st);
    bool won = rogue_reads_with_peers(&r, victim, colluders);
    rogue_free(&r);
    return won;
}

const malice_attack malice_edge_deletion = {
    .finding = "H1",
    .attack = "the server tells one device that only colluders are left and reads its vector",
    .check = "tacit_secagg_check_live",
    .wins = wins,
};
