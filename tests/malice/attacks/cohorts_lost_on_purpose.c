/* SPDX-License-Identifier: Apache-2.0
 * cohorts_lost_on_purpose.c - the server lets every cohort die once the masked vectors are there.
 * It learns nothing from them, but each device has paid: a charge is never given back, or a server
 * could ask as often as it likes. So it could burn a month's budget in an afternoon and say nothing
 * works. Three losses, and the device stops. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, LATER_S = 7200, ROUNDS = 5 };

static void cheap(tacit_plan *plan) { plan->mu = UINT64_C(1) << 22; }

static tacit_status lose_one(world *w, uint64_t round) {
    w->now_s += LATER_S;
    world_round(w, round, cheap);
    for (uint32_t i = 0; i < N; i++) {
        tacit_status st = world_begin(w, i);
        if (st != TACIT_OK) return st;
    }
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_MASK; phase++) {
        world_send_all(w, 0);
        if (phase == TACIT_PHASE_MASK) break; /* the server is silent from here on */
        world_close(w);
        world_deliver_all(w, 0, (tacit_phase)phase);
    }
    for (uint32_t i = 0; i < N; i++) tacit_participation_leave(&w->devices[i].t->participation);
    return TACIT_OK;
}

static bool wins(const char **why) {
    world w;
    tacit_privacy privacy;
    world_init(&w, N);
    tacit_status st = TACIT_OK;
    for (uint64_t round = 1; round <= ROUNDS && st == TACIT_OK; round++) st = lose_one(&w, round);
    *why = tacit_status_name(st);
    tacit_ledger_status(&w.devices[0].t->ledger, &privacy, w.now_s);
    bool won = st == TACIT_OK && privacy.rounds_charged == ROUNDS;
    world_free(&w);
    return won;
}

const malice_attack malice_cohorts_lost_on_purpose = {
    .finding = "H7",
    .attack = "the server lets cohorts die after the charge and burns the devices' budget",
    .check = "tacit_ledger_check_losses",
    .wins = wins,
};
