/* SPDX-License-Identifier: Apache-2.0
 * unreduced_share.c - a dealer adds the prime 2^61 - 1 to one limb of one share. Mod the prime it
 * is the right share, so it contradicts no other and cannot be found as the wrong one; but it is
 * not the one encoding every number has, and the rebuilding, which insists on that, gives up. One
 * share of one device stops the cohort. Refused when its box is opened, it is merely one share
 * less. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 40};
    uint8_t share[TACIT_SHARE_LEN];
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    rig_request(&r, 0);
    uint32_t dealer = rig_index(&r, r.d);
    tacit_SealedShares *pair = &r.m.items[1].body.sealed;
    rig_open_box(&r, share, pair->box_b, pair->peer, TACIT_KIND_B);
    tacit_put_u64(share, tacit_get_u64(share) + PRIME);
    rig_seal_box(&r, pair->box_b, share, pair->peer, TACIT_KIND_B);
    rig_sign(&r);
    assert_int_equal(rig_send(&r), TACIT_OK);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    *why = rig_named(&r, dealer) ? "the share is left out, its dealer named" : "left out";
    rig_free(&r);
    return won;
}

const malice_attack malice_unreduced_share = {
    .finding = "Malformed shares",
    .attack = "one share with a limb of 2^61 - 1 too much stops the whole cohort",
    .check = "tacit_shamir_share_check",
    .wins = wins,
};
