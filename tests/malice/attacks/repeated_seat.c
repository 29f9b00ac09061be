/* SPDX-License-Identifier: Apache-2.0
 * repeated_seat.c - one colluding device with eight certificates (it renewed early, under the same
 * device key) takes all the seats beside the victim. The ids differ, so the list is in order, and
 * n and n_min look as they should; but the eight are one, which holds eight shares of b and knows
 * eight pair masks. (One id listed twice is stopped before, by tacit_secagg_check_id_order; in a
 * complete graph this check would stop it too.) */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

static bool wins(const char **why) {
    rogue_server r;
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 120, .max_dropout = 200, .seed = 14});
    const federation_device *colluder = &r.f.devices[1];
    tacit_cert cert;
    if (tacit_cert_decode(&cert, colluder->certificate) != TACIT_OK) return false;
    rogue_seat(&r, N);
    for (uint32_t i = 1; i < N; i++) {
        cert.epoch++;
        rogue_certify(&r, i, &cert, r.f.authority_secret, colluder->device_secret);
    }
    rogue_settle(&r);
    bool won = rogue_surrounds(&r, rogue_seat_of(&r, &r.f.devices[0]), why);
    rogue_free(&r);
    return won;
}

const malice_attack malice_repeated_seat = {
    .finding = "C3",
    .attack = "one colluder fills all seats with its renewed certificates and reads a vector",
    .check = "tacit_secagg_check_one_seat",
    .wins = wins,
};
