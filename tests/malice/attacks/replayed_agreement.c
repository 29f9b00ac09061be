/* SPDX-License-Identifier: Apache-2.0
 * replayed_agreement.c - in three earlier rounds the same nine devices met, and each time another
 * two of seats 0, 1 and 2 dropped out; the survivors signed it, as they should. In the fourth
 * nobody drops out, but the server shows every device one of those three old sets of survivors with
 * the signatures of then. If a signature did not name its session, each view would look agreed on;
 * the three excluded have their s rebuilt, and the server holds the sum of six where seven are
 * promised. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9, N_MIN = 7, OUT = 3 };

typedef uint8_t signatures[N][TACIT_SIG_LEN];

/* All but two of the first three. */
static void view(uint8_t *u3, uint32_t kept) {
    memset(u3, 0, TACIT_MAX_BITMAP_LEN);
    for (uint32_t i = 0; i < N; i++)
        if (i >= OUT || i == kept) tacit_bit_set(u3, i);
}

static tacit_status mask_all(rogue_server *r) {
    uint8_t all[TACIT_MAX_BITMAP_LEN];
    rogue_seat(r, N);
    rogue_settle(r);
    rogue_everyone(r, all);
    tacit_status st = rogue_all_shared(r, all);
    return st == TACIT_OK ? rogue_all_masked(r) : st;
}

/* An honest round up to the signatures; only the seats of u3 are still there. */
static tacit_status earlier_round(rogue_server *r, const uint8_t *u3, signatures kept) {
    tacit_status st = mask_all(r);
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        if (!tacit_bit_get(u3, i)) continue;
        st = rogue_tell_u3(r, i, u3);
        if (st == TACIT_OK) st = rogue_take_agreement(r, i);
    }
    memcpy(kept, r->agreements, sizeof(signatures));
    rogue_next_round(r);
    return st;
}

static bool wins(const char **why) {
    rogue_server r;
    signatures old[OUT];
    uint8_t u3[TACIT_MAX_BITMAP_LEN], summed[TACIT_MAX_BITMAP_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 250, .seed = 21});
    tacit_status st = TACIT_OK;
    for (uint32_t kept = 0; kept < OUT && st == TACIT_OK; kept++) {
        view(u3, kept);
        st = earlier_round(&r, u3, old[kept]);
    }
    if (st == TACIT_OK) st = mask_all(&r);
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) {
        view(u3, i % OUT);
        st = rogue_tell_u3(&r, i, u3);
        if (st == TACIT_OK) st = rogue_take_agreement(&r, i);
        memcpy(r.agreements, old[i % OUT], sizeof(signatures));
        if (st == TACIT_OK) st = rogue_tell_agreements(&r, i, u3, u3);
        if (st == TACIT_OK) st = rogue_take_reveal(&r, i);
    }
    *why = tacit_status_name(st);
    rogue_everyone(&r, summed);
    for (uint32_t j = 0; j < OUT; j++) rogue_without(summed, j);
    bool won = st == TACIT_OK && tacit_bitmap_count(summed, N) < N_MIN && rogue_sums(&r, summed);
    rogue_free(&r);
    return won;
}

const malice_attack malice_replayed_agreement = {
    .finding = "H2, replay",
    .attack = "signatures of earlier rounds make other sets of survivors look agreed on",
    .check = "tacit_statement_phase",
    .wins = wins,
};
