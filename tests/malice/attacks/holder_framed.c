/* SPDX-License-Identifier: Apache-2.0
 * holder_framed.c - a dealer wants somebody else thrown out: it seals something to that holder that
 * is no share at all. The holder's key opens the box, so the holder can only reveal it, honestly;
 * and the server finds no share in it. Who did that? The tag of the box answers: a box that opened
 * holds what its dealer put there, and only a key that does not open it is its holder's lie. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 37};
    uint8_t no_share[TACIT_SHARE_LEN];
    memset(no_share, 0xff, sizeof no_share);
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    rig_request(&r, 0);
    uint32_t dealer = rig_index(&r, r.d), holder = r.m.items[1].body.sealed.peer;
    rig_seal_box(&r, r.m.items[1].body.sealed.box_b, no_share, holder, TACIT_KIND_B);
    rig_sign(&r);
    assert_int_equal(rig_send(&r), TACIT_OK);
    rig_finish_until(&r, COHORT_DONE);
    *why = rig_named(&r, dealer) ? "the dealer is named" : "nobody is named";
    bool won = rig_named(&r, holder);
    rig_free(&r);
    return won;
}

const malice_attack malice_holder_framed = {
    .finding = "M2",
    .attack = "a dealer seals a box without a share so that its honest holder is named for it",
    .check = "cohort_shows_holder_lied",
    .wins = wins,
};
