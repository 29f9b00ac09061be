/* SPDX-License-Identifier: Apache-2.0
 * agree_to_another_u3.c - a device signs another set of survivors than the one everybody was shown.
 * The server hands the signatures of agree round, and an honest device that finds one which is not
 * over its own U3 must leave: it cannot tell a lying neighbour from a lying server. So one bad
 * signature that the server counts drives everybody off. The server verifies each over its own U3
 * before it counts it. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 42};
    uint8_t other[TACIT_MAX_BITMAP_LEN] = {0xff}, digest[TACIT_HASH_LEN];
    rig_make(&r, &spec, TACIT_PHASE_AGREE);
    rig_request(&r, 0);
    tacit_bitmap_digest(digest, other, r.f.device_count); /* the last device is missing */
    rig_sign_as(&r, r.m.items[0].body.agree.signature, TACIT_LABEL_AGREE, r.f.cohort->session2,
                digest);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    r.d->gone = true;
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_agree_to_another_u3 = {
    .finding = "H2",
    .attack = "a device signs another U3, and every honest one that is handed that leaves",
    .check = "cohort_take_agree",
    .wins = wins,
};
