/* SPDX-License-Identifier: Apache-2.0
 * lowered_floors.c - the operator signs a plan, correct in every field, for cohorts of seven. The
 * devices have the shipped floors: at least 57 survivors. If a plan could lower them, the server
 * would hold sums of seven, and after a few rounds know the one device it came for. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

static void as_shipped(tacit_plan *plan) {
    plan->max_colluding = 50;
    plan->max_dropout = 200;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    for (uint32_t i = 0; i < N; i++) tacit_client_floors(w.devices[i].t, &tacit_floors_shipped);
    world_round(&w, 1, as_shipped);
    tacit_status st = world_run(&w);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && N < tacit_floors_shipped.n_min && world_holds(&w, 0);
    world_free(&w);
    return won;
}

const malice_attack malice_lowered_floors = {
    .finding = "H7",
    .attack = "a signed plan asks for cohorts far below the device's floor and gets a sum of seven",
    .check = "tacit_floors_check_sizes",
    .wins = wins,
};
