/* SPDX-License-Identifier: Apache-2.0
 * charge_lost_in_a_crash.c - the device has sent its masked vector and loses power (or is killed by
 * an app that knows when). It counts as a survivor, the others reveal, the sum holds its vector. If
 * the charge were written after the vector, or only in memory, the device would wake up with its
 * whole budget, and could be asked again and again. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) st = world_begin(&w, i);
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL && st == TACIT_OK; phase++) {
        world_send_all(&w, 0);
        if (phase == TACIT_PHASE_MASK) {
            w.devices[0].p.dead = true; /* nothing is written any more */
            w.devices[0].gone = true;
        }
        world_close(&w);
        world_deliver_all(&w, 0, (tacit_phase)phase);
    }
    bool summed = st == TACIT_OK && cohort_phase_now(w.cohort) == COHORT_DONE && world_holds(&w, 0);
    tacit_close(w.devices[0].t);
    fault_restart(&w.devices[0].p);
    if (st == TACIT_OK) st = world_open(&w, 0);
    *why = summed ? "the charge was durable before the vector left" : tacit_status_name(st);
    bool won = summed && st == TACIT_OK && w.devices[0].t->ledger.record.rounds_charged == 0;
    world_free(&w);
    return won;
}

const malice_attack malice_charge_lost_in_a_crash = {
    .finding = "C4, journal",
    .attack = "a device that is killed after its vector forgets the charge, and may be asked again",
    .check = "tacit_ledger_charge",
    .wins = wins,
};
