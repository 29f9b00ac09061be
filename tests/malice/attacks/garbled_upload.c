/* SPDX-License-Identifier: Apache-2.0
 * garbled_upload.c - one byte of a vector changes on the way, by a bad line or by somebody who
 * wants its sender thrown out. The head of the message still bears a genuine signature over the
 * digest of the vector as it was sent; a server that verifies the signature over what the head
 * says, and then finds that the vector is another, believes it has caught the device lying and
 * names it. The signature is asked about the vector that came: a device answers for its own bytes
 * alone, and may send them again. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .seed = 57};
    uint32_t slot = UINT32_MAX;
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    rig_request(&r, 0);
    r.body.data[r.body.len - 1] ^= 1;
    tacit_status st = rig_submit_bytes(&r, r.body.data, r.body.len, &slot);
    *why = rig_said(&r, st);
    (void)!rig_send(&r); /* as it was */
    rig_finish_until(&r, COHORT_DONE);
    bool won = rig_named(&r, rig_index(&r, r.d)) || !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_garbled_upload = {
    .finding = "H2, H11",
    .attack = "a byte of an upload is changed on the way and its honest sender is thrown out",
    .check = "cohort_take_mask",
    .wins = wins,
};
