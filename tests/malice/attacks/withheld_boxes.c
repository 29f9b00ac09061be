/* SPDX-License-Identifier: Apache-2.0
 * withheld_boxes.c - everybody shared, U2 says so, but the server hands one device the boxes of two
 * colluders only. A device that masked towards those whose shares it holds would mask towards the
 * colluders alone. The others think it a survivor and rightly reveal the shares of its b; its
 * vector is then in clear. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

/* Forgets the boxes that go to the victim, but for the colluders'. What was lost is put back by the
 * caller, who still needs to know who dealt. */
static void withhold(rogue_server *r, uint32_t victim, const uint8_t *colluders, bool *kept) {
    for (uint32_t i = 0; i < N; i++) {
        kept[i] = r->dealt[i * N + victim];
        if (!tacit_bit_get(colluders, i)) r->dealt[i * N + victim] = false;
    }
}

static bool wins(const char **why) {
    rogue_server r;
    bool kept[N];
    uint8_t all[TACIT_MAX_BITMAP_LEN], colluders[TACIT_MAX_BITMAP_LEN] = {0};
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 250, .max_dropout = 200, .seed = 23});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    for (uint32_t i = 1; i < 3; i++) tacit_bit_set(colluders, rogue_seat_of(&r, &r.f.devices[i]));
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, NULL);
    withhold(&r, victim, colluders, kept);
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) st = rogue_tell_u2(&r, i, all);
    for (uint32_t i = 0; i < N; i++) r.dealt[i * N + victim] = kept[i];
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_others_reveal(&r, victim, all);
    *why = st == TACIT_OK ? "the vector is masked towards everybody in U2" : tacit_status_name(st);
    bool won = rogue_reads_with_peers(&r, victim, colluders);
    rogue_free(&r);
    return won;
}

const malice_attack malice_withheld_boxes = {
    .finding = "H1",
    .attack = "the server withholds boxes so that a device masks towards colluders only",
    .check = "tacit_secagg_mask_due",
    .wins = wins,
};
