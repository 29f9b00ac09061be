/* SPDX-License-Identifier: Apache-2.0
 * reveal_asked_twice.c - "your answer was lost, here is U3 again": everybody has revealed the self
 * mask b of the victim, a survivor; then the server tells them another U3, in which the victim
 * dropped out, lets them agree on that one too, and asks for the shares of its s. With both secrets
 * it reads the vector. In the product two things stop that: who revealed has wiped the share keys,
 * and takes nothing but a receipt from then on. Both are done by the one function that reveals. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t all[TACIT_MAX_BITMAP_LEN], without[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 45});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, all);
    rogue_everyone(&r, without);
    rogue_without(without, victim);
    tacit_status st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, all);
    if (st != TACIT_OK) fail_msg("the honest part: %s", tacit_status_name(st));
    st = rogue_all_reveal(&r, without);
    *why = tacit_status_name(st);
    bool won = rogue_reads_with_both(&r, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_reveal_asked_twice = {
    .finding = "C4, retry",
    .attack = "devices that revealed are asked again under another U3; both secrets, one vector",
    .check = "tacit_secagg_reveal",
    .wins = wins,
};
