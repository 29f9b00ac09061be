/* SPDX-License-Identifier: Apache-2.0
 * ending_certificate.c - a device joins with a certificate that holds now and ends in ten seconds.
 * When the phase has closed and the others look at the roster, they see a neighbour whose
 * certificate has ended, and leave, all of them. The server asks for a certificate that outlives
 * the moment at which anybody still looks. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, LEFT_S = 10 };

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 54};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    federation_device *d = &r.f.devices[0];
    free(d->memory);
    federation_device_enrol(&r.f, d, TACIT_CLASS_ACCOUNT, r.f.now_s + LEFT_S);
    assert_int_equal(federation_device_start(&r.f, d), TACIT_OK);
    rig_request(&r, 0);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    for (uint32_t i = 1; i < N; i++)
        assert_int_equal(federation_send(&r.f, &r.f.devices[i]), TACIT_OK);
    r.f.now_s += 2 * LEFT_S; /* still well before the phase must close */
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_ending_certificate = {
    .finding = "C3",
    .attack = "a device joins with a certificate about to end and all honest devices leave for it",
    .check = "cohort_certificate_until",
    .wins = wins,
};
