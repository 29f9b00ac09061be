/* SPDX-License-Identifier: Apache-2.0
 * second_run_after_restart.c - a round is over, the server has its sum. Every app is restarted (an
 * update, a crash the server knows how to cause), and the server offers the same round again. A
 * device that only remembers rounds in memory would contribute a second time: two cohorts of one
 * round hold its vector, with fresh noise each time. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

/* Twice within the budget of a period, so that nothing else stands in the way. */
static void affordable(tacit_plan *plan) { plan->mu = 25000; }

static tacit_status restart(world *w) {
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        tacit_close(w->devices[i].t);
        fault_restart(&w->devices[i].p);
        st = world_open(w, i);
    }
    return st;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    world_round(&w, 1, affordable);
    tacit_status st = world_run(&w);
    bool first = st == TACIT_OK && world_holds(&w, 0);
    if (st == TACIT_OK) st = restart(&w);
    world_round(&w, w.plan.round, affordable);
    if (st == TACIT_OK) st = world_run(&w);
    *why = tacit_status_name(st);
    bool won = first && st == TACIT_OK && world_holds(&w, 0) &&
               w.devices[0].t->ledger.record.highest_round == 1;
    world_free(&w);
    return won;
}

const malice_attack malice_second_run_after_restart = {
    .finding = "C4",
    .attack =
        "the server offers a round again after a restart and has the vector in two sums of it",
    .check = "tacit_ledger_check_round",
    .wins = wins,
};
