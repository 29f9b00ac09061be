/* SPDX-License-Identifier: Apache-2.0
 * cohort_rig.h - a server cohort with real devices of which one's request at a time is taken apart,
 * changed and, where the signature would notice, signed again with the device's key, so that the
 * deeper check is what refuses; then the rest of the cohort goes on. */
#ifndef TACIT_TESTS_COHORT_RIG_H
#define TACIT_TESTS_COHORT_RIG_H

#include "common/ring.h"
#include "tests/support/cohort_fixture.h"

typedef struct {
    federation f;
    federation_device *d; /* whose request is in work */
    attack_messages m;
    federation_bytes tail; /* raw vector behind the message */
    federation_bytes body;
    char note[TACIT_NOTE_LEN + 1];
} rig;

static inline void rig_make(rig *r, const federation_spec *spec, tacit_phase phase) {
    *r = (rig){0};
    federation_init(&r->f, spec);
    for (int p = 0; p < (int)phase; p++) federation_phase(&r->f);
    assert_int_equal(cohort_phase_now(r->f.cohort), phase);
}

static inline void rig_free(rig *r) {
    attack_messages_free(&r->m);
    federation_bytes_free(&r->tail);
    federation_bytes_free(&r->body);
    federation_free(&r->f);
}

static inline cohort_phase phase_of(const rig *r) { return cohort_phase_now(r->f.cohort); }

static inline uint32_t index_of(const rig *r, const federation_device *d) {
    return cohort_slot_index(r->f.cohort, d->slot);
}

static inline federation_device *device_at(rig *r, uint32_t index) {
    for (uint32_t i = 0; i < r->f.device_count; i++)
        if (index_of(r, &r->f.devices[i]) == index) return &r->f.devices[i];
    fail_msg("no device at %u", index);
    return NULL;
}

static inline uint32_t refused_in(const rig *r, cohort_phase phase) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    return report.refused[phase];
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The honest request of device i, taken apart. */
static inline void request(rig *r, uint32_t i) {
    r->d = &r->f.devices[i];
    assert_int_equal(federation_request(&r->f, r->d, &r->body), TACIT_OK);
    r->tail.len = 0;
    if (phase_of(r) != COHORT_MASK) {
        attack_parse(&r->m, r->body.data, r->body.len);
        return;
    }
    size_t vector_len = tacit_ring_packed_len(r->f.plan.dims, r->f.plan.bits);
    attack_parse(&r->m, r->body.data, r->body.len - vector_len);
    tacit_sink sink = federation_sink(&r->tail);
    assert_int_equal(sink.write(sink.self, r->body.data + r->body.len - vector_len, vector_len),
                     TACIT_OK);
}

static inline void build(rig *r) {
    tacit_sink sink = federation_sink(&r->body);
    r->body.len = 0;
    for (uint32_t i = 0; i < r->m.count; i++)
        assert_int_equal(tacit_wire_write(&r->m.items[i], &sink), TACIT_OK);
    assert_int_equal(sink.write(sink.self, r->tail.data, r->tail.len), TACIT_OK);
}

static inline void sign_as(rig *r, uint8_t *sig, tacit_label label, const uint8_t *session,
                           const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, 0, index_of(r, r->d), body);
    tacit_statement_sign(sig, &statement, r->d->device_secret);
}

/* The device's own signature over what now stands in the request, under `session`. */
static inline void sign_under(rig *r, const uint8_t *session) {
    uint8_t body[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_Message *first = &r->m.items[0];
    const uint8_t *u3_digest = r->f.cohort->report.u3_digest;
    if (first->which_body == tacit_Message_share_tag) {
        tacit_share_body_init(&h, first->body.share.count);
        for (uint32_t i = 1; i < r->m.count; i++) {
            const tacit_SealedShares *s = &r->m.items[i].body.sealed;
            tacit_share_body_add(&h, s->peer, s->box_s, s->box_b);
        }
        tacit_hash_end(&h, body);
        sign_as(r, first->body.share.signature, TACIT_LABEL_SHARE, session, body);
    } else if (first->which_body == tacit_Message_mask_tag) {
        tacit_hash_of(first->body.mask.vector_digest, TACIT_LABEL_VECTOR, r->tail.data,
                      r->tail.len);
        sign_as(r, first->body.mask.signature, TACIT_LABEL_MASK, session,
                first->body.mask.vector_digest);
    } else if (first->which_body == tacit_Message_agree_tag) {
        sign_as(r, first->body.agree.signature, TACIT_LABEL_AGREE, session, u3_digest);
    } else if (first->which_body == tacit_Message_reveal_tag) {
        tacit_reveal_body_init(&h, u3_digest, first->body.reveal.count);
        for (uint32_t i = 1; i < r->m.count; i++) {
            const tacit_RevealedShare *s = &r->m.items[i].body.revealed;
            tacit_reveal_body_add(&h, s->owner, (uint8_t)s->kind, s->key);
        }
        tacit_hash_end(&h, body);
        sign_as(r, first->body.reveal.signature, TACIT_LABEL_REVEAL, session, body);
    } else {
        tacit_join join;
        tacit_wire_join_get(&join, &first->body.join);
        attack_sign_join(&r->f, &join, r->d->device_secret);
        memcpy(first->body.join.signature, join.signature, TACIT_SIG_LEN);
    }
}

static inline void sign_again(rig *r) {
    sign_under(r, cohort_session_of(r->f.cohort, phase_of(r)));
}

static inline tacit_status submit_bytes(rig *r, const uint8_t *data, size_t len, uint32_t *slot) {
    return cohort_submit(r->f.cohort, slot, r->note, phase_of(r), tacit_bytes_of(data, len),
                         r->f.now_s);
}

static inline tacit_status submit(rig *r, uint32_t *slot) {
    build(r);
    return submit_bytes(r, r->body.data, r->body.len, slot);
}

static inline uint32_t blame_count(const rig *r) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    return report.blame_count;
}

static inline const cohort_blame *blame_at(const rig *r, uint32_t at) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    assert_true(at < report.blame_count);
    return &report.blames[at];
}

/* The request as it stands is refused for `status`; as the device's own fault (counted, dropped) or
 * not; the reason names `word`. */
static inline void refused(rig *r, tacit_status status, bool dropped, const char *word) {
    uint32_t slot = 12345, before = refused_in(r, phase_of(r));
    uint32_t named_before = blame_count(r);
    tacit_status st = submit(r, &slot);
    assert_string_equal(tacit_status_name(st), tacit_status_name(status));
    assert_int_equal(slot, 12345);
    assert_int_equal(refused_in(r, phase_of(r)), before + dropped);
    bool seated = dropped && phase_of(r) != COHORT_JOIN;
    assert_int_equal(blame_count(r), named_before + seated);
    if (seated) {
        const cohort_blame *blame = blame_at(r, named_before);
        assert_int_equal(blame->index, cohort_slot_index(r->f.cohort, r->d->slot));
        assert_int_equal(blame->phase, phase_of(r));
        assert_int_equal(blame->fault, strstr(word, "open the box") != NULL ? COHORT_FAULT_KEY
                                                                            : COHORT_FAULT_MESSAGE);
    }
    if (strstr(r->note, word) == NULL) fail_msg("the note \"%s\" lacks \"%s\"", r->note, word);
}

/* The request as it stands is taken. */
static inline void accepted(rig *r) {
    uint32_t slot = UINT32_MAX;
    assert_string_equal(tacit_status_name(submit(r, &slot)), "OK");
    assert_string_equal(r->note, "");
    if (r->d->slot == UINT32_MAX) r->d->slot = slot;
    assert_int_equal(slot, r->d->slot);
}

/* Everybody who has not sent in this phase does; the phase closes, its answers are delivered. */
static inline void finish_phase(rig *r) {
    for (uint32_t i = 0; i < r->f.device_count; i++) {
        federation_device *d = &r->f.devices[i];
        if (!d->gone && !tacit_secagg_waiting(d->machine)) (void)!federation_send(&r->f, d);
    }
    federation_close(&r->f);
    for (uint32_t i = 0; i < r->f.device_count; i++) {
        federation_device *d = &r->f.devices[i];
        if (d->gone) continue;
        d->status = federation_collect(&r->f, d, &r->f.answer);
        if (d->status == TACIT_OK) (void)!federation_deliver(&r->f, d, &r->f.answer);
        d->gone = d->status != TACIT_OK;
    }
}

/* All remaining phases; the sum is there and is the plain sum of `survivors` updates. */
static inline void finish_well(rig *r, uint32_t survivors) {
    while (phase_of(r) < COHORT_DONE) finish_phase(r);
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    if (phase_of(r) != COHORT_DONE) fail_msg("failed: %s", report.failure_note);
    assert_int_equal(report.survivors, survivors);
    uint32_t *plain = calloc(r->f.plan.dims, sizeof *plain);
    assert_non_null(plain);
    federation_plain_sum(&r->f, plain);
    assert_memory_equal(cohort_sum(r->f.cohort), plain, r->f.plan.dims * sizeof *plain);
    free(plain);
}

static inline void finish_badly(rig *r, cohort_phase last, tacit_status status, const char *word) {
    while (phase_of(r) <= last && phase_of(r) < COHORT_DONE) finish_phase(r);
    assert_int_equal(phase_of(r), COHORT_FAILED);
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
