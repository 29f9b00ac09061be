/* SPDX-License-Identifier: Apache-2.0
 * replayed_join.c - in two earlier rounds three devices dropped out after they had shared, so their
 * s were rebuilt, as they should be. In the third those three are not there, but the server seats
 * their old joins: genuine certificates, keys and signatures, and it knows the mask secrets. They
 * count as survivors, cost nothing to unmask, and the server holds the sum of six where seven are
 * promised. A join is signed for one plan, so that it is worth nothing in another round. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, N_MIN = 7, OLD = 3 };

/* A join of an earlier round and what the server learnt about it. */
typedef struct {
    tacit_join join;
    federation_device ghost; /* draws[0] is its s */
} old_join;

/* An honest round in which the seats first .. end - 1 drop out after U2. */
static tacit_status earlier_round(rogue_server *r, uint32_t first, uint32_t end, old_join *old) {
    uint8_t u2[TACIT_MAX_BITMAP_LEN], u3[TACIT_MAX_BITMAP_LEN];
    rogue_seat(r, N);
    rogue_settle(r);
    rogue_everyone(r, u2);
    rogue_everyone(r, u3);
    tacit_status st = rogue_all_shared(r, u2);
    for (uint32_t i = first; i < end; i++) {
        rogue_without(u3, i);
        r->devices[i] = NULL;
    }
    if (st == TACIT_OK) st = rogue_all_masked(r);
    if (st == TACIT_OK) st = rogue_all_reveal(r, u3);
    for (uint32_t i = first; i < end && st == TACIT_OK; i++) {
        old[i].join = r->roster.joins[i];
        if (!rogue_rebuild(r, old[i].ghost.draws[0], i, TACIT_KIND_S)) st = TACIT_BAD_SHARE;
    }
    rogue_next_round(r);
    return st;
}

static bool wins(const char **why) {
    rogue_server r;
    static old_join old[OLD];
    uint8_t all[TACIT_MAX_BITMAP_LEN], real[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 250, .seed = 28});
    tacit_status st = earlier_round(&r, 0, 2, old);
    if (st == TACIT_OK) st = earlier_round(&r, 2, OLD, old);
    rogue_seat(&r, N);
    for (uint32_t i = 0; i < OLD; i++) r.roster.joins[i] = old[i].join;
    rogue_settle(&r);
    rogue_everyone(&r, all);
    rogue_everyone(&r, real);
    for (uint32_t i = 0; i < OLD; i++) {
        r.devices[i] = NULL;
        r.own[i] = &old[i].ghost;
        rogue_without(real, i);
    }
    if (st == TACIT_OK) st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, all);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && tacit_bitmap_count(real, N) < N_MIN && rogue_sums(&r, real);
    rogue_free(&r);
    return won;
}

const malice_attack malice_replayed_join = {
    .finding = "H2, replay",
    .attack = "joins of earlier dropouts, whose s is known, fill the seats of a cohort too small",
    .check = "tacit_statement_join",
    .wins = wins,
};
