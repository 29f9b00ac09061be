/* SPDX-License-Identifier: Apache-2.0
 * cut_vector.c - somebody on the way cuts an upload off at 60 %, and the phone sends it again. A
 * server that adds numbers up as they come in has the first part in its sum already when it sees
 * that the rest, the digest and the signature are missing; nothing takes it out again, and a sum
 * mod 2^bits that is off looks like any other. The product adds a vector once, after its length,
 * its digest and its signature were checked. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, CUT_PERCENT = 60 };

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 31};
    uint32_t slot = UINT32_MAX;
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    rig_request(&r, 0);
    size_t vector_at = r.body.len - r.tail.len;
    size_t len = vector_at + r.tail.len * CUT_PERCENT / 100;
    tacit_status st = rig_submit_bytes(&r, r.body.data, len, &slot);
    *why = rig_said(&r, st);
    assert_int_equal(rig_send(&r), TACIT_OK); /* the phone's second try */
    rig_finish_until(&r, COHORT_DONE);
    bool won = rig_sum_is_wrong(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_cut_vector = {
    .finding = "H11",
    .attack = "an upload is cut on the way and tried again; its first part is twice in the sum",
    .check = "cohort_take_mask",
    .wins = wins,
};
