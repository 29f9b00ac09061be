/* SPDX-License-Identifier: Apache-2.0
 * double_reveal.c - the server tells half of the honest devices that the victim survived, and the
 * other half that it did not; two colluders sign both views and give both their shares. If t_v were
 * only large enough against colluders (t1 + 1, the rule for a server that keeps to the protocol),
 * each half could agree by itself: s and b of the victim are both rebuilt, and its vector is read.
 */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, COLLUDERS = 2, HALF = 3 };

/* Signs one view for a colluding seat. */
static void collude(rogue_server *r, uint32_t seat, const uint8_t *u3) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_bitmap_digest(digest, u3, N);
    tacit_statement_phase(&statement, TACIT_LABEL_AGREE, r->session2[seat], 0, seat, digest);
    tacit_statement_sign(r->agreements[seat], &statement, r->devices[seat]->device_secret);
}

/* Device numbers first .. first + HALF - 1 and the colluders agree on u3; the half reveals. */
static tacit_status reveal_half(rogue_server *r, uint32_t first, const uint8_t *u3) {
    uint8_t group[TACIT_MAX_BITMAP_LEN] = {0};
    tacit_status st = TACIT_OK;
    for (uint32_t d = 1; d <= COLLUDERS; d++) {
        uint32_t seat = rogue_seat_of(r, &r->f.devices[d]);
        collude(r, seat, u3);
        tacit_bit_set(group, seat);
    }
    for (uint32_t d = first; d < first + HALF && st == TACIT_OK; d++) {
        uint32_t seat = rogue_seat_of(r, &r->f.devices[d]);
        tacit_bit_set(group, seat);
        st = rogue_tell_u3(r, seat, u3);
        if (st == TACIT_OK) st = rogue_take_agreement(r, seat);
    }
    for (uint32_t d = first; d < first + HALF && st == TACIT_OK; d++) {
        uint32_t seat = rogue_seat_of(r, &r->f.devices[d]);
        st = rogue_tell_agreements(r, seat, u3, group);
        if (st == TACIT_OK) st = rogue_take_reveal(r, seat);
    }
    return st;
}

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN], without[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 250, .max_dropout = 200, .seed = 19});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, all);
    rogue_everyone(&r, without);
    rogue_without(without, victim);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = reveal_half(&r, 1 + COLLUDERS, all);
    if (st == TACIT_OK) st = reveal_half(&r, 1 + COLLUDERS + HALF, without);
    *why = tacit_status_name(st);
    for (uint32_t d = 1; d <= COLLUDERS && st == TACIT_OK; d++) {
        uint32_t seat = rogue_seat_of(&r, &r.f.devices[d]);
        rogue_open(&r, victim, seat, seat, r.f.devices[d].draws[2]);
    }
    bool won = rogue_reads_with_both(&r, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_double_reveal = {
    .finding = "2.6, double reveal",
    .attack = "two halves reveal the two secrets of one device, colluders help both; it is read",
    .check = "tacit_graph_threshold",
    .wins = wins,
};
