/* SPDX-License-Identifier: Apache-2.0
 * runs_too_close.c - a second training run opens as soon as the first is over, while the histories
 * are still the same and the victim is known to be online. The server picks who is asked: with all
 * but the victim in one and everybody in the other, two sums a minute apart differ by one device.
 * The devices keep an hour between two runs, whatever the plan says. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, HOUR_S = 3600 };

static void at_once(tacit_plan *plan) {
    plan->mu = 25000; /* twice within the budget */
    plan->separation_s = HOUR_S;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    world_round(&w, 1, at_once);
    tacit_status st = world_run(&w);
    bool first = st == TACIT_OK && world_holds(&w, 0);
    uint64_t charged_s = w.devices[0].t->ledger.record.last_s;
    world_round(&w, 2, at_once); /* round 2 is of run 2 */
    if (st == TACIT_OK) st = world_run(&w);
    *why = tacit_status_name(st);
    const tacit_ledger_record *r = &w.devices[0].t->ledger.record;
    bool won = first && st == TACIT_OK && world_holds(&w, 0) && r->rounds_charged == 2 &&
               r->last_s - charged_s < HOUR_S;
    world_free(&w);
    return won;
}

const malice_attack malice_runs_too_close = {
    .finding = "H7, differencing",
    .attack = "two runs minutes apart hold the same histories, for their difference",
    .check = "tacit_ledger_check_separation",
    .wins = wins,
};
