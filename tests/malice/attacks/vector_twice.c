/* SPDX-License-Identifier: Apache-2.0
 * vector_twice.c - a device sends its vector twice, as a phone does that lost the answer, or as one
 * does that wants its opinion to count double. Both copies are genuine: length, digest and
 * signature are right each time. Without the mark that this device has been counted, the sum holds
 * the vector twice and only one of its masks comes off. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .seed = 32};
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    rig_request(&r, 0);
    assert_int_equal(rig_send(&r), TACIT_OK);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    bool won = rig_sum_is_wrong(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_vector_twice = {
    .finding = "H11",
    .attack = "a device sends the same vector twice and is counted twice",
    .check = "cohort_has_sent",
    .wins = wins,
};
