/* SPDX-License-Identifier: Apache-2.0
 * cohort_stacking.c - the server has eight colluders among many devices, spread by the hash of
 * their ids over four cohorts. If it might choose who sits with whom, it would gather them all
 * around one victim: every neighbour is a colluder, and the vector is read in clear. */
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

/* A certificate of the authority's whose id falls in another cohort than the victim's. */
static void of_another_cohort(tacit_cert *cert, const federation *f) {
    uint8_t encoded[TACIT_CERT_LEN], id[TACIT_HASH_LEN];
    do {
        cert->epoch++;
        tacit_cert_issue(encoded, cert, f->authority_secret);
        tacit_cert_id(id, encoded);
    } while (tacit_cohort_of(f->plan.beacon, f->plan.round, id, f->plan.cohort_count) == 0);
}

static bool wins(const char **why) {
    rogue_server r;
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .cohort_count = 4, .max_dropout = 200, .seed = 15});
    rogue_seat(&r, N);
    for (uint32_t i = 1; i < N; i++) {
        tacit_cert cert;
        const federation_device *colluder = &r.f.devices[i];
        if (tacit_cert_decode(&cert, colluder->certificate) != TACIT_OK) return false;
        of_another_cohort(&cert, &r.f);
        rogue_certify(&r, i, &cert, r.f.authority_secret, colluder->device_secret);
    }
    rogue_settle(&r);
    bool won = rogue_surrounds(&r, rogue_seat_of(&r, &r.f.devices[0]), why);
    rogue_free(&r);
    return won;
}

const malice_attack malice_cohort_stacking = {
    .finding = "C2",
    .attack = "the server brings colluders from all cohorts into one victim's and reads its vector",
    .check = "tacit_secagg_check_eligible",
    .wins = wins,
};
