/* SPDX-License-Identifier: Apache-2.0
 * dealer_framed_by_silence.c - a holder says of one neighbour that its box did not open, and waits
 * until enough phones are gone: the secret of that neighbour then lacks exactly the share held
 * back, the cohort fails for it, and it looks as if its dealer had sealed badly. Silence proves
 * nothing, so the dealer is written down as suspect and its joins are taken as before. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, T_V = 5, HOLDER = 0, REVEAL = T_V + 1 };

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .max_dropout = 300, .seed = 39};
    rig_make(&r, &spec, TACIT_PHASE_REVEAL);
    rig_request(&r, HOLDER);
    uint32_t dealer = r.m.items[1].body.revealed.owner;
    attack_remove(&r.m, 1);
    r.m.items[0].body.reveal.count--;
    rig_sign(&r);
    assert_int_equal(rig_send(&r), TACIT_OK);
    /* Of the others all but T_V are gone, the dealer not among them. */
    uint32_t gone = 0;
    for (uint32_t i = 1; i < N && gone < N - REVEAL; i++) {
        federation_device *d = &r.f.devices[i];
        d->gone = rig_index(&r, d) != dealer;
        gone += d->gone;
    }
    rig_finish_until(&r, COHORT_DONE);
    cohort_report report;
    cohort_report_get(r.f.cohort, &report);
    *why = report.failure == TACIT_TOO_FEW ? "no sum, and nobody is banned" : "a sum came of it";
    bool won = false;
    for (uint32_t i = 0; i < report.blame_count; i++)
        won |= report.blames[i].index == dealer && cohort_fault_bans(report.blames[i].fault);
    rig_free(&r);
    return won;
}

const malice_attack malice_dealer_framed_by_silence = {
    .finding = "M2",
    .attack = "a holder keeps one share back so that its honest dealer is banned for the failure",
    .check = "cohort_fault_bans",
    .wins = wins,
};
