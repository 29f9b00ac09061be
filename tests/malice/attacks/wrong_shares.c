/* SPDX-License-Identifier: Apache-2.0
 * wrong_shares.c - a dealer deals shares of a secret b that is not the one it masks with and
 * committed to. The shares lie on one polynomial, so they contradict nothing: whoever rebuilds them
 * gets a perfect secret, takes a mask off that was never put on, and delivers garbage as the sum of
 * honest people. The commitment in the join message is what shows it, and whose doing it is. */
#include "common/shamir.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, DEGREE = N - 1 };

/* Every box of b gets a share of another secret. */
static void deal_another(rig *r) {
    uint8_t secret[TACIT_SECRET_LEN], shares[DEGREE * TACIT_SHARE_LEN];
    uint16_t points[DEGREE];
    uint32_t threshold = r->f.cohort->thresholds[rig_index(r, r->d)];
    for (uint32_t i = 0; i < DEGREE; i++)
        points[i] = (uint16_t)(r->m.items[i + 1].body.sealed.peer + 1);
    tacit_prng_bytes(&r->f.prng, secret, sizeof secret);
    assert_int_equal(tacit_shamir_deal(shares, secret, points, DEGREE, threshold, &r->f.prng),
                     TACIT_OK);
    for (uint32_t i = 0; i < DEGREE; i++) {
        tacit_SealedShares *pair = &r->m.items[i + 1].body.sealed;
        rig_seal_box(r, pair->box_b, shares + (size_t)i * TACIT_SHARE_LEN, pair->peer,
                     TACIT_KIND_B);
    }
    rig_sign(r);
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 36};
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    rig_request(&r, 0);
    federation_device *dealer = r.d;
    deal_another(&r);
    assert_int_equal(rig_send(&r), TACIT_OK);
    rig_finish_until(&r, COHORT_DONE);
    *why = rig_named(&r, rig_index(&r, dealer)) ? "no sum, and the dealer is named" : "no sum";
    bool won = rig_sum_is_wrong(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_wrong_shares = {
    .finding = "M2",
    .attack = "a dealer shares another secret than its own; garbage is delivered as the sum",
    .check = "cohort_fits_commitment",
    .wins = wins,
};
