/* SPDX-License-Identifier: Apache-2.0
 * replayed_shares.c - somebody recorded a device's share message in one round and sends it in the
 * next, a moment before the device itself: the signature is genuine. If it did not say for which
 * session it was made, the old boxes would count, the device's own message would be a copy too
 * many, and none of its neighbours could open what they are handed: no sum, and the honest device
 * is named for sealing badly. What is signed names the session. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

static bool wins(const char **why) {
    rig first, r;
    federation_spec spec = {.device_count = N, .seed = 48};
    rig_make(&first, &spec, TACIT_PHASE_SHARE);
    rig_request(&first, 0);
    /* The same people in another round: another plan, fresh secrets. */
    spec.bits = 24;
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    assert_memory_equal(r.f.devices[0].id, first.f.devices[0].id, TACIT_HASH_LEN);
    for (uint32_t i = 0; i < N; i++) tacit_prng_init_seed(&r.f.devices[i].prng, spec.seed + 1, i);
    rig_finish_until(&r, COHORT_SHARE);
    uint32_t slot, victim = rig_index(&r, &r.f.devices[0]);
    tacit_status st = rig_submit_bytes(&r, first.body.data, first.body.len, &slot);
    *why = rig_said(&r, st);
    rig_request(&r, 0); /* too late: its machine waits for an answer, and gets that of the copy */
    (void)!rig_send(&r);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r) || rig_named(&r, victim);
    rig_free(&first);
    rig_free(&r);
    return won;
}

const malice_attack malice_replayed_shares = {
    .finding = "H2",
    .attack = "a share message of an earlier round is sent again and ruins its device's round",
    .check = "tacit_statement_phase",
    .wins = wins,
};
