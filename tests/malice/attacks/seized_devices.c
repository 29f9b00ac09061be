/* SPDX-License-Identifier: Apache-2.0
 * seized_devices.c - the round is over but for the receipts, everything went as it should, and the
 * server kept all boxes. Then five phones are seized (or a fault in the app shows their memory). If
 * the keys of the boxes they hold were still there, of both kinds, both secrets of anybody else in
 * the cohort could be rebuilt, and its vector read, long after it was sent. */
#include "firmware/secagg_internal.h"
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, SEIZED = 5 };

/* What the memory of the device at `holder` says about the victim's boxes. */
static void search(rogue_server *r, uint32_t victim, uint32_t holder) {
    const tacit_secagg *s = r->devices[holder]->machine;
    for (uint32_t i = 0; i < s->count; i++)
        for (uint8_t kind = TACIT_KIND_B; kind <= TACIT_KIND_S; kind++)
            rogue_open_box(r, victim, holder, kind, tacit_secagg_held(s, i, kind));
}

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 29});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, all);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, all);
    *why = st == TACIT_OK ? "nothing is left in memory after the reveal" : tacit_status_name(st);
    for (uint32_t d = 1; d <= SEIZED && st == TACIT_OK; d++)
        search(&r, victim, rogue_seat_of(&r, &r.f.devices[d]));
    bool won = rogue_reads_with_both(&r, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_seized_devices = {
    .finding = "C4, wipe",
    .attack = "devices seized after the reveal still hold the keys to both secrets of another",
    .check = "tacit_secagg_wipe",
    .wins = wins,
};
