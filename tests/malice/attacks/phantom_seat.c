/* SPDX-License-Identifier: Apache-2.0
 * phantom_seat.c - a server without a single real accomplice invents devices and signs their
 * certificates itself. If a device took them for neighbours, it would sit in a cohort of puppets:
 * they open its shares of b, know all its pair masks, and its vector is read in clear. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 12});
    uint8_t self_made[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN], seed[TACIT_KEY_LEN] = {1};
    tacit_sign_keypair(self_made, secret, seed);
    rogue_seat(&r, N);
    for (uint32_t i = 1; i < N; i++) {
        tacit_cert cert;
        const federation_device *puppet = &r.f.devices[i];
        if (tacit_cert_decode(&cert, puppet->certificate) != TACIT_OK) return false;
        rogue_certify(&r, i, &cert, secret, puppet->device_secret);
    }
    rogue_settle(&r);
    bool won = rogue_surrounds(&r, rogue_seat_of(&r, &r.f.devices[0]), why);
    rogue_free(&r);
    return won;
}

const malice_attack malice_phantom_seat = {
    .finding = "C3",
    .attack = "the server seats devices of its own invention around a victim and reads its vector",
    .check = "tacit_secagg_check_certificate",
    .wins = wins,
};
