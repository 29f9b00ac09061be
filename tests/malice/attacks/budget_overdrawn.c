/* SPDX-License-Identifier: Apache-2.0
 * budget_overdrawn.c - the server's plans are expensive (little noise): one round takes most of the
 * period's budget. It offers a second. A device that charged it all the same would have told more
 * of its history than the epsilon its user agreed to. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, LATER_S = 86400 };

static bool wins(const char **why) {
    world w;
    tacit_privacy privacy;
    world_init(&w, N);
    tacit_status st = world_run(&w);
    bool first = st == TACIT_OK && world_holds(&w, 0);
    w.now_s += LATER_S;
    world_round(&w, 2, NULL);
    if (st == TACIT_OK) st = world_run(&w);
    *why = tacit_status_name(st);
    tacit_ledger_status(&w.devices[0].t->ledger, &privacy, w.now_s);
    bool won = first && st == TACIT_OK && world_holds(&w, 0) && privacy.rounds_charged == 2 &&
               privacy.epsilon_spent > privacy.epsilon_budget;
    world_free(&w);
    return won;
}

const malice_attack malice_budget_overdrawn = {
    .finding = "H7",
    .attack = "the server asks for another expensive round than the period's epsilon allows",
    .check = "tacit_ledger_check_caps",
    .wins = wins,
};
