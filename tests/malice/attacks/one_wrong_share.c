/* SPDX-License-Identifier: Apache-2.0
 * one_wrong_share.c - a dealer deals one wrong share among right ones. All shares that came are
 * used, so the secret does not come out, and to see that something is wrong is not to know what: a
 * server that can only notice it has lost the cohort to one number. The shares are a code; as long
 * as the wrong ones are at most half of the spare ones it tells which they are. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .seed = 55};
    uint8_t share[TACIT_SHARE_LEN];
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    rig_request(&r, 0);
    uint32_t dealer = rig_index(&r, r.d);
    tacit_SealedShares *pair = &r.m.items[4].body.sealed;
    rig_open_box(&r, share, pair->box_b, pair->peer, TACIT_KIND_B);
    share[0] ^= 1;
    rig_seal_box(&r, pair->box_b, share, pair->peer, TACIT_KIND_B);
    rig_sign(&r);
    assert_int_equal(rig_send(&r), TACIT_OK);
    rig_finish_until(&r, COHORT_DONE);
    *why = rig_named(&r, dealer) ? "the right sum, and the dealer is named" : "the right sum";
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_one_wrong_share = {
    .finding = "Malformed shares",
    .attack = "one wrong share among right ones loses the whole cohort",
    .check = "tacit_shamir_locate",
    .wins = wins,
};
