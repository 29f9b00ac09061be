/* SPDX-License-Identifier: Apache-2.0
 * key_substitution.c - the server in the middle. The others of the cohort are real devices with
 * real certificates, but their joins carry keys of the server's. They themselves see a wrong entry
 * and leave; the server goes on in their place. If the victim took keys that their device did not
 * sign, it would seal its shares to the server, which would read its vector in clear. The Merkle
 * tree does not help here: the server commits to the joins it made up. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    /* Devices 0 .. N - 1 are the cohort; the machines behind them make the server's keys. */
    rogue_init(&r, &(federation_spec){.device_count = 2 * N, .n_hi = N, .seed = 13});
    attack_roster own;
    attack_roster_make(&own, &r.f, N, N);
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    for (uint32_t i = 0; i < N; i++) {
        if (i == victim) continue;
        federation_device *puppet = &r.f.devices[N + i];
        const tacit_join *from = &own.joins[attack_roster_index(&own, puppet)];
        tacit_join *join = &r.roster.joins[i];
        memcpy(join->channel_key, from->channel_key, TACIT_KEY_LEN);
        memcpy(join->mask_key, from->mask_key, TACIT_KEY_LEN);
        memcpy(join->commitment, from->commitment, TACIT_HASH_LEN);
        attack_sign_join(&r.f, join, puppet->device_secret);
        r.devices[i] = puppet;
    }
    bool won = rogue_surrounds(&r, victim, why);
    attack_roster_free(&own);
    rogue_free(&r);
    return won;
}

const malice_attack malice_key_substitution = {
    .finding = "H2, man in the middle",
    .attack = "the server puts its own keys into the neighbours' joins and opens what is sealed",
    .check = "tacit_secagg_check_join",
    .wins = wins,
};
