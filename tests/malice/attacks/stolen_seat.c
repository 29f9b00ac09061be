/* SPDX-License-Identifier: Apache-2.0
 * stolen_seat.c - certificates are public among neighbours. Somebody who saw one joins under it
 * with round keys of its own, before the device does: if the server seats who shows a certificate
 * rather than who signs with its key, the device finds its seat taken, and every honest device,
 * which does check the signature, leaves for that neighbour. One stranger empties the cohort. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 52};
    uint32_t slot = UINT32_MAX;
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    tacit_Message honest = r.m.items[0];
    r.m.items[0].body.join.mask_key[0] ^= 1;
    r.m.items[0].body.join.channel_key[0] ^= 1;
    tacit_status st = rig_submit(&r, &slot);
    *why = rig_said(&r, st);
    r.m.items[0] = honest;
    (void)!rig_send(&r);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_stolen_seat = {
    .finding = "H2",
    .attack = "a stranger joins under a certificate it has seen; all honest devices leave for it",
    .check = "cohort_verify_join",
    .wins = wins,
};
