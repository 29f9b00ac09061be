/* SPDX-License-Identifier: Apache-2.0
 * forgotten_history.c - a person deletes everything in the middle of a round, before the vector is
 * sent. The statistics were made when the round began; if they were sent all the same, the server
 * would learn of the history that the person believes to be gone. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) st = world_begin(&w, i);
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL && st == TACIT_OK; phase++) {
        if (phase == TACIT_PHASE_MASK) st = tacit_forget_all(w.devices[0].t);
        world_send_all(&w, 0);
        world_close(&w);
        world_deliver_all(&w, 0, (tacit_phase)phase);
    }
    bool summed = st == TACIT_OK && cohort_phase_now(w.cohort) == COHORT_DONE;
    *why = summed ? "the device is in the sum with the null vector" : tacit_status_name(st);
    bool won = summed && world_holds(&w, 0);
    world_free(&w);
    return won;
}

const malice_attack malice_forgotten_history = {
    .finding = "M8",
    .attack = "the server gets the update of a history that was deleted before it was sent",
    .check = "tacit_participation_forget",
    .wins = wins,
};
