/* SPDX-License-Identifier: Apache-2.0
 * second_seat.c - one device with two certificates under its one device key (a new one was issued
 * while the old one still held) takes two seats. Each seat is genuine for itself; but every honest
 * device that finds the same key twice among its neighbours must leave, for what it sees may as
 * well be a server that fills the roster with one colluder. One device empties the cohort. The
 * server gives a device key one seat, whatever certificate it comes under. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

/* The machine of the last device begins again as a second one of the first. */
static void take_identity(federation *f) {
    federation_device *d = &f->devices[N - 1];
    tacit_cert cert = {.epoch = 2,
                       .not_after_s = f->plan.join_until_s + 86400,
                       .device_class = TACIT_CLASS_ACCOUNT};
    memcpy(d->device_key, f->devices[0].device_key, sizeof d->device_key);
    memcpy(d->device_secret, f->devices[0].device_secret, sizeof d->device_secret);
    memcpy(cert.device_key, d->device_key, TACIT_KEY_LEN);
    tacit_cert_issue(d->certificate, &cert, f->authority_secret);
    tacit_cert_id(d->id, d->certificate);
    free(d->memory);
    assert_int_equal(federation_device_start(f, d), TACIT_OK);
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 43};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    take_identity(&r.f);
    for (uint32_t i = 0; i < N - 1; i++)
        assert_int_equal(federation_send(&r.f, &r.f.devices[i]), TACIT_OK);
    rig_request(&r, N - 1);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    r.d->gone = st != TACIT_OK;
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_second_seat = {
    .finding = "C3",
    .attack = "a device joins under two certificates and every honest one that sees it leaves",
    .check = "cohort_claim_device_key",
    .wins = wins,
};
