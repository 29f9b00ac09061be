/* SPDX-License-Identifier: Apache-2.0
 * dealer_framed_by_key.c - a holder wants a dealer thrown out: it reveals a wrong key for that
 * dealer's box. A cipher without a tag "opens" under any key, and what comes out is no share; then
 * the dealer, whose box it is, looks like the liar. The tag refuses the key, and the key stands
 * under the holder's own signature. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 38};
    rig_make(&r, &spec, TACIT_PHASE_REVEAL);
    rig_request(&r, 0);
    uint32_t holder = rig_index(&r, r.d), dealer = r.m.items[1].body.revealed.owner;
    r.m.items[1].body.revealed.key[0] ^= 1;
    rig_sign(&r);
    (void)!rig_send(&r);
    rig_finish_until(&r, COHORT_DONE);
    *why = rig_named(&r, holder) ? "the holder is named" : "nobody is named";
    bool won = rig_named(&r, dealer) && !rig_named(&r, holder);
    rig_free(&r);
    return won;
}

const malice_attack malice_dealer_framed_by_key = {
    .finding = "M2",
    .attack = "a holder reveals a wrong key so that the honest dealer of the box is named for it",
    .check = "tacit_share_open",
    .wins = wins,
};
