/* SPDX-License-Identifier: Apache-2.0
 * late_device.c - a device keeps its vector back until U3 is signed by everybody, and sends it
 * then. The others hold a U3 without it and reveal its mask secret s; a server that takes it back
 * into U3 now expects shares of its self mask b instead, takes the honest devices' answers for lies
 * and names them, one after the other. (Had some of them not signed yet, there would be two
 * bitmaps, and shares of both secrets.) A phase closes once; what comes later is late. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 34};
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    rig_request(&r, 0);
    rig_build(&r);
    federation_device *late = r.d;
    late->gone = true; /* for the moment */
    rig_finish_until(&r, COHORT_REVEAL);
    tacit_status st = cohort_submit(r.f.cohort, &late->slot, r.note, COHORT_MASK,
                                    tacit_bytes_of(r.body.data, r.body.len), r.f.now_s);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    uint32_t named = 0;
    for (uint32_t i = 1; i < r.f.device_count; i++)
        named += rig_named(&r, rig_index(&r, &r.f.devices[i]));
    bool won = !rig_ended_well(&r) || named > 0;
    rig_free(&r);
    return won;
}

const malice_attack malice_late_device = {
    .finding = "M1",
    .attack = "a device sends its vector after U3 was signed; the honest ones are named as liars",
    .check = "cohort_check_open",
    .wins = wins,
};
