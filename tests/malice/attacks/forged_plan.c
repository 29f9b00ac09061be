/* SPDX-License-Identifier: Apache-2.0
 * forged_plan.c - somebody between the devices and the server (a broken certificate authority, a
 * captive portal, a stolen host) without any key of the operator's. It signs a plan itself, with a
 * phase key of its own, and plays the server. Devices that took the plan would give their sum to a
 * stranger, under noise of the stranger's choice. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

static bool wins(const char **why) {
    world w;
    uint8_t seed[TACIT_KEY_LEN] = {99}, unpinned[TACIT_KEY_LEN];
    world_init(&w, N);
    tacit_sign_keypair(unpinned, w.keys.plan_secret, seed);
    seed[0]++;
    tacit_sign_keypair(w.keys.phase_key, w.keys.phase_secret, seed);
    world_round(&w, 1, NULL);
    tacit_status st = world_run(&w);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && world_holds(&w, 0);
    world_free(&w);
    return won;
}

const malice_attack malice_forged_plan = {
    .finding = "H2, plan",
    .attack = "a stranger without any key signs a plan, plays the server and gets the sum",
    .check = "tacit_plan_verify",
    .wins = wins,
};
