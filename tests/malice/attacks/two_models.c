/* SPDX-License-Identifier: Apache-2.0
 * two_models.c - model inconsistency (Pasquini, Francati, Ateniese 2022). All devices are given one
 * plan, but only the victim its model; the others get one that the operator signed as well, with
 * items nobody has ever seen. From that model their updates are null, so the sum, masked and
 * rightly unmasked, is the victim's vector. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, ITEMS = 60 };

static uint64_t unseen[ITEMS];

static void nobodys_items(fixture_numbers *numbers) {
    for (uint32_t i = 0; i < ITEMS; i++) unseen[i] = UINT64_C(1000000) + i;
    numbers->source.ids = unseen;
}

static bool silent(const world *w, uint32_t i) {
    for (uint32_t j = 0; j < w->plan.dims; j++)
        if (w->devices[i].said[j] != 0) return false;
    return true;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    fixture_model other = fixture_model_make(&w.keys, 2, ITEMS, 8, 4, nobodys_items);
    tacit_status st = TACIT_OK;
    for (uint32_t i = 1; i < N && st == TACIT_OK; i++)
        st = tacit_model_install(w.devices[i].t, other.file, other.len);
    if (st == TACIT_OK) st = world_run(&w);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && world_holds(&w, 0) && !silent(&w, 0);
    for (uint32_t i = 1; i < N && won; i++) won = silent(&w, i);
    fixture_model_free(&other);
    world_free(&w);
    return won;
}

const malice_attack malice_two_models = {
    .finding = "H4, 2.6",
    .attack = "the server gives all but one device a model that silences them, and reads the sum",
    .check = "tacit_participation_check_model",
    .wins = wins,
};
