/* SPDX-License-Identifier: Apache-2.0
 * cohort_expect.h - what tests of the server's cohort expect of a rig (server_attack.h): a request
 * is taken or refused for the right reason and at the right device's cost, and the cohort ends well
 * or badly. */
#ifndef TACIT_TESTS_COHORT_EXPECT_H
#define TACIT_TESTS_COHORT_EXPECT_H

#include "tests/support/server_attack.h"

static inline uint32_t refused_in(const rig *r, cohort_phase phase) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    return report.refused[phase];
}

/* The request as it stands is refused for `status`; as the device's own fault (counted, dropped) or
 * not; the reason names `word`. */
static inline void refused(rig *r, tacit_status status, bool dropped, const char *word) {
    uint32_t slot = 12345, before = refused_in(r, rig_phase(r));
    uint32_t named_before = rig_blame_count(r);
    tacit_status st = rig_submit(r, &slot);
    assert_string_equal(tacit_status_name(st), tacit_status_name(status));
    assert_int_equal(slot, 12345);
    assert_int_equal(refused_in(r, rig_phase(r)), before + dropped);
    bool seated = dropped && rig_phase(r) != COHORT_JOIN;
    assert_int_equal(rig_blame_count(r), named_before + seated);
    if (seated) {
        const cohort_blame *blame = rig_blame_at(r, named_before);
        assert_int_equal(blame->index, cohort_slot_index(r->f.cohort, r->d->slot));
        assert_int_equal(blame->phase, rig_phase(r));
        assert_int_equal(blame->fault, strstr(word, "open the box") != NULL ? COHORT_FAULT_KEY
                                                                            : COHORT_FAULT_MESSAGE);
    }
    if (strstr(r->note, word) == NULL) fail_msg("the note \"%s\" lacks \"%s\"", r->note, word);
}

/* The request as it stands is taken. */
static inline void accepted(rig *r) {
    uint32_t slot = UINT32_MAX;
    assert_string_equal(tacit_status_name(rig_submit(r, &slot)), "OK");
    assert_string_equal(r->note, "");
    if (r->d->slot == UINT32_MAX) r->d->slot = slot;
    assert_int_equal(slot, r->d->slot);
}

/* All remaining phases; the sum is there and is the plain sum of `survivors` updates. */
static inline void finish_well(rig *r, uint32_t survivors) {
    while (rig_phase(r) < COHORT_DONE) rig_finish_phase(r);
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    if (rig_phase(r) != COHORT_DONE) fail_msg("failed: %s", report.failure_note);
    assert_int_equal(report.survivors, survivors);
    uint32_t *plain = calloc(r->f.plan.dims, sizeof *plain);
    assert_non_null(plain);
    federation_plain_sum(&r->f, plain);
    assert_memory_equal(cohort_sum(r->f.cohort), plain, r->f.plan.dims * sizeof *plain);
    free(plain);
}

static inline void finish_badly(rig *r, cohort_phase last, tacit_status status, const char *word) {
    while (rig_phase(r) <= last && rig_phase(r) < COHORT_DONE) rig_finish_phase(r);
    assert_int_equal(rig_phase(r), COHORT_FAILED);
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    assert_string_equal(tacit_status_name(report.failure), tacit_status_name(status));
    if (strstr(report.failure_note, word) == NULL)
        fail_msg("the note \"%s\" lacks \"%s\"", report.failure_note, word);
    assert_null(cohort_sum(r->f.cohort));
    assert_false(cohort_tick(r->f.cohort, UINT64_MAX));
    uint32_t slot, cursor = 0;
    tacit_sink sink = federation_sink(&r->body);
    for (int p = COHORT_JOIN; p <= COHORT_REVEAL; p++) {
        assert_true(cohort_answer_ready(r->f.cohort, (cohort_phase)p));
        assert_int_equal(cohort_answer_next(r->f.cohort, (cohort_phase)p, 0, &cursor, &sink),
                         TACIT_ABORTED);
        assert_int_equal(cohort_submit(r->f.cohort, &slot, NULL, (cohort_phase)p,
                                       tacit_bytes_of("", 0), r->f.now_s),
                         TACIT_ABORTED);
    }
}

#endif
