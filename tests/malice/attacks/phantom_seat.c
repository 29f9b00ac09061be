/* SPDX-License-Identifier: Apache-2.0
 * phantom_seat.c - a server without a single real accomplice invents devices and signs their
 * certificates itself. If a device took them for neighbours, it would sit in a cohort of puppets:
 * they open its shares of b, know all its pair masks, and its vector is read in clear. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    uint8_t u2[TACIT_MAX_BITMAP_LEN];
    federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 12};
    rogue_init(&r, &spec);
    uint8_t self_made[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN], seed[TACIT_KEY_LEN] = {1};
    tacit_sign_keypair(self_made, secret, seed);
    rogue_seat(&r, N);
    for (uint32_t i = 0; i < N; i++) {
        tacit_cert cert;
        tacit_join *join = &r.roster.joins[i];
        if (memcmp(r.roster.ids[i], r.f.devices[0].id, TACIT_HASH_LEN) == 0) continue;
        if (tacit_cert_decode(&cert, join->certificate) != TACIT_OK) return false;
        tacit_cert_issue(join->certificate, &cert, secret);
        attack_sign_join(&r.f, join, r.roster.secrets[i]);
        for (uint32_t d = 1; d < N; d++) /* the puppet that goes by this id from now on */
            if (memcmp(r.roster.ids[i], r.f.devices[d].id, TACIT_HASH_LEN) == 0)
                tacit_cert_id(r.f.devices[d].id, join->certificate);
    }
    attack_roster_sort(&r.roster);
    rogue_settle(&r);
    rogue_everyone(&r, u2);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    tacit_status st = rogue_tell_roster(&r, victim);
    if (st == TACIT_OK) st = rogue_take_shares(&r, victim);
    if (st == TACIT_OK) st = rogue_tell_u2(&r, victim, u2);
    if (st == TACIT_OK) st = rogue_take_vector(&r, victim);
    *why = tacit_status_name(st);
    for (uint32_t i = 0; i < N; i++)
        if (i != victim) rogue_open(&r, victim, i, i, r.devices[i]->draws[2]);
    bool won = rogue_reads_with_peers(&r, victim, u2);
    rogue_free(&r);
    return won;
}

const malice_attack malice_phantom_seat = {
    .finding = "C3",
    .attack = "the server seats devices of its own invention around a victim and reads its vector",
    .check = "tacit_secagg_check_certificate",
    .wins = wins,
};
