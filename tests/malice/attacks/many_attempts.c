/* SPDX-License-Identifier: Apache-2.0
 * many_attempts.c - whoever has seen a certificate (every neighbour of an earlier round has) can
 * send joins under it with a made-up signature. Each costs the attacker a few hundred bytes and the
 * server two checks of signatures; a laptop keeps the server's core busy while the honest devices'
 * joins wait. The number of failed attempts an id may cost is bounded, before signature work. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { TRIES = 2 * COHORT_JOIN_ATTEMPTS };

/* How many of the forged joins the server looked into. */
static uint32_t work_for(rig *r, tacit_status *last) {
    uint32_t looked = 0, slot;
    for (uint32_t i = 0; i < TRIES; i++) {
        r->m.items[0].body.join.signature[0] = (uint8_t)i;
        *last = rig_submit(r, &slot);
        looked += *last == TACIT_BAD_SIGNATURE;
    }
    return looked;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .seed = 45};
    tacit_status last;
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    uint32_t without_seat = work_for(&r, &last);
    rig_request(&r, 1);
    assert_int_equal(rig_send(&r), TACIT_OK);
    uint32_t with_seat = work_for(&r, &last);
    *why = rig_said(&r, last);
    bool won = without_seat > COHORT_JOIN_ATTEMPTS && with_seat > COHORT_JOIN_ATTEMPTS;
    rig_free(&r);
    return won;
}

const malice_attack malice_many_attempts = {
    .finding = "M12",
    .attack = "a stranger sends forged joins under a known certificate; each costs signature work",
    .check = "cohort_attempts_left",
    .wins = wins,
};
