/* SPDX-License-Identifier: Apache-2.0
 * participation_tells_the_history.c - one of seven people has done nothing in the app. The server
 * looks only at who joins and how long each message is. If devices with little to say stayed away,
 * or said it shorter, it would point at that person before any mask is taken off. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, SILENT = 3, PHASES = 5 };

/* Runs the round; len[i][p]: bytes of device i's message, 0 when there was none. */
static tacit_status watch(world *w, size_t len[N][PHASES]) {
    for (uint32_t i = 0; i < N; i++) w->devices[i].gone = world_begin(w, i) != TACIT_OK;
    for (int phase = 0; phase < PHASES; phase++) {
        for (uint32_t i = 0; i < N; i++) {
            len[i][phase] = 0;
            if (w->devices[i].gone) continue;
            tacit_status st = world_send(w, i);
            if (st != TACIT_OK) return st;
            len[i][phase] = w->request.len;
        }
        world_close(w);
        world_deliver_all(w, 0, (tacit_phase)phase);
    }
    return TACIT_OK;
}

/* By more than the two bytes that index 0 leaves out, which says nothing about a history. */
static bool differ(size_t len[N][PHASES], uint32_t i, uint32_t j) {
    for (int p = 0; p < PHASES; p++)
        if (len[i][p] > len[j][p] + 2 || len[j][p] > len[i][p] + 2) return true;
    return false;
}

static bool wins(const char **why) {
    world w;
    size_t len[N][PHASES];
    world_init(&w, N);
    tacit_status st = tacit_forget_all(w.devices[SILENT].t);
    if (st == TACIT_OK) st = watch(&w, len);
    *why = st == TACIT_OK ? "all join, with messages of one length but for the seat number"
                          : tacit_status_name(st);
    /* The odd one out: unlike all the others, which are alike. */
    uint32_t odd = N, found = 0;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        uint32_t unlike = 0;
        for (uint32_t j = 0; j < N; j++) unlike += differ(len, i, j);
        if (unlike == N - 1) {
            odd = i;
            found++;
        }
    }
    world_free(&w);
    return found == 1 && odd == SILENT;
}

const malice_attack malice_participation_tells_the_history = {
    .finding = "H6",
    .attack = "the server sees from who takes part, and how, whose history is empty",
    .check = "tacit_participation_ready",
    .wins = wins,
};
