/* SPDX-License-Identifier: Apache-2.0
 * join_in_two_cohorts.c - one join in two rosters of one round. In the first cohort the victim
 * shares and is then lost (its process is killed), and the others rebuild its s, as they should. It
 * comes back in the same round; the server puts the join it already has among eight other devices,
 * and there the victim survives and its b is rebuilt: both secrets of one vector.
 *
 * A machine takes one roster and no second, so it takes a new machine. A whole device makes none
 * for a round it has joined: its ledger says so (restored_backup, second_run_after_restart). This
 * attack begins behind the ledger, at the secure sum alone. What stops it there is that the secrets
 * behind a join are drawn and live in one machine: a new one does not know the old join, leaves. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, VICTIM = N - 1, DEVICES = 2 * N - 1 };

/* Up to the s of the victim, which dealt and was not heard of again. */
static tacit_status first_cohort(rogue_server *r, tacit_join *join, uint8_t *s) {
    uint8_t all[TACIT_MAX_BITMAP_LEN], without[TACIT_MAX_BITMAP_LEN];
    rogue_seat(r, N);
    rogue_settle(r);
    uint32_t victim = rogue_seat_of(r, &r->f.devices[VICTIM]);
    *join = r->roster.joins[victim];
    rogue_everyone(r, all);
    rogue_everyone(r, without);
    rogue_without(without, victim);
    tacit_status st = rogue_all_shared(r, all);
    r->devices[victim] = NULL;
    if (st == TACIT_OK) st = rogue_all_masked(r);
    if (st == TACIT_OK) st = rogue_all_reveal(r, without);
    return st == TACIT_OK && !rogue_rebuild(r, s, victim, TACIT_KIND_S) ? TACIT_BAD_SHARE : st;
}

static void restart(rogue_server *r, federation_device *d) {
    free(d->memory);
    d->draw_count = 0;
    if (federation_device_start(&r->f, d) != TACIT_OK) fail_msg("the victim does not start");
}

/* The victim's vector with the s of the other cohort and the b of this one. */
static bool reads(const rogue_server *r, uint32_t victim, const uint8_t *s) {
    uint8_t b[TACIT_SECRET_LEN];
    uint32_t *words = r->vectors[victim];
    if (words == NULL || !rogue_rebuild(r, b, victim, TACIT_KIND_B)) return false;
    for (uint32_t i = 0; i < N; i++)
        if (i != victim) rogue_take_off_pair(r, words, victim, i, victim, s);
    rogue_take_off_self(r, words, victim, b);
    return rogue_is_update(r, words, victim);
}

static bool wins(const char **why) {
    rogue_server r;
    tacit_join join;
    uint8_t all[TACIT_MAX_BITMAP_LEN], s[TACIT_SECRET_LEN];
    rogue_init(
        &r, &(federation_spec){.device_count = DEVICES, .n_hi = N, .max_dropout = 200, .seed = 46});
    tacit_status st = first_cohort(&r, &join, s);
    if (st != TACIT_OK) fail_msg("the honest part: %s", tacit_status_name(st));
    restart(&r, &r.f.devices[VICTIM]);
    rogue_seat_from(&r, VICTIM, N);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[VICTIM]);
    r.roster.joins[victim] = join;
    rogue_settle(&r);
    rogue_everyone(&r, all);
    st = rogue_all_shared(&r, all);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, all);
    *why = tacit_status_name(st);
    bool won = reads(&r, victim, s);
    rogue_free(&r);
    return won;
}

const malice_attack malice_join_in_two_cohorts = {
    .finding = "C4, two cohorts",
    .attack = "one join in two cohorts of a round: s is rebuilt in one, b in the other; it is read",
    .check = "tacit_secagg_draw_secrets",
    .wins = wins,
};
