/* SPDX-License-Identifier: Apache-2.0
 * restored_backup.c - before a round a copy of each device's store is made (a cloud backup, a
 * snapshot of a virtual machine). After the round it is put back; the keystore with its counter
 * stays. The old ledger knows neither the round nor the charge: if the device believed it, the same
 * round would be contributed to twice and paid for once. The user even consents again. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7 };

static tacit_status put_back(world *w, const fault_store *copies) {
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        tacit_close(w->devices[i].t);
        fault_restart(&w->devices[i].p);
        fault_put_back(&w->devices[i].p, &copies[i]);
        st = world_open(w, i);
        if (st == TACIT_OK) st = tacit_consent_set(w->devices[i].t, true);
    }
    return st;
}

static bool wins(const char **why) {
    world w;
    fault_store copies[N];
    world_init(&w, N);
    for (uint32_t i = 0; i < N; i++) copies[i] = fault_copy(&w.devices[i].p);
    tacit_status st = world_run(&w);
    bool first = st == TACIT_OK && world_holds(&w, 0);
    if (st == TACIT_OK) st = put_back(&w, copies);
    world_round(&w, w.plan.round, NULL);
    if (st == TACIT_OK) st = world_run(&w);
    *why = tacit_status_name(st);
    bool won = first && st == TACIT_OK && world_holds(&w, 0) &&
               w.devices[0].t->ledger.record.rounds_charged == 1;
    for (uint32_t i = 0; i < N; i++) fault_store_free(&copies[i]);
    world_free(&w);
    return won;
}

const malice_attack malice_restored_backup = {
    .finding = "C4",
    .attack =
        "a restored backup refunds the charge and the round, and the device contributes again",
    .check = "tacit_ledger_check_counter",
    .wins = wins,
};
