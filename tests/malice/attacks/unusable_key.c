/* SPDX-License-Identifier: Apache-2.0
 * unusable_key.c - a device joins with a mask key of low order, under which every Diffie-Hellman
 * secret is zero and every mask known. The honest ones do not use such a key: they leave, all of
 * them, for the roster cannot be changed any more. So the server refuses at the door what the
 * neighbours would leave for. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

static bool wins(const char **why) {
    static const uint8_t low_order[TACIT_KEY_LEN] = {1};
    rig r;
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 53};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    memcpy(r.m.items[0].body.join.mask_key, low_order, TACIT_KEY_LEN);
    rig_sign(&r);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_unusable_key = {
    .finding = "H2",
    .attack = "a device joins with a mask key of low order and all honest devices leave for it",
    .check = "cohort_find_bad_key",
    .wins = wins,
};
