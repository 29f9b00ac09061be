/* SPDX-License-Identifier: Apache-2.0
 * server_attack.c - see server_attack.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/server_attack.h"

#include "common/ring.h"
#include "firmware/update.h"

void rig_make(rig *r, const federation_spec *spec, tacit_phase phase) {
    *r = (rig){0};
    federation_init(&r->f, spec);
    for (int p = 0; p < (int)phase; p++) federation_phase(&r->f);
    assert_int_equal(rig_phase(r), phase);
}

void rig_free(rig *r) {
    attack_messages_free(&r->m);
    federation_bytes_free(&r->tail);
    federation_bytes_free(&r->body);
    federation_free(&r->f);
}

cohort_phase rig_phase(const rig *r) { return cohort_phase_now(r->f.cohort); }

uint32_t rig_index(const rig *r, const federation_device *d) {
    return cohort_slot_index(r->f.cohort, d->slot);
}

federation_device *rig_device_at(rig *r, uint32_t index) {
    for (uint32_t i = 0; i < r->f.device_count; i++)
        if (rig_index(r, &r->f.devices[i]) == index) return &r->f.devices[i];
    fail_msg("no device at %u", index);
    return NULL;
}

/* ---- a request ------------------------------------------------------------------------------- */

void rig_request(rig *r, uint32_t i) {
    r->d = &r->f.devices[i];
    assert_int_equal(federation_request(&r->f, r->d, &r->body), TACIT_OK);
    r->tail.len = 0;
    if (rig_phase(r) != COHORT_MASK) {
        attack_parse(&r->m, r->body.data, r->body.len);
        return;
    }
    size_t vector_len = tacit_ring_packed_len(r->f.plan.dims, r->f.plan.bits);
    attack_parse(&r->m, r->body.data, r->body.len - vector_len);
    tacit_sink sink = federation_sink(&r->tail);
    assert_int_equal(sink.write(sink.self, r->body.data + r->body.len - vector_len, vector_len),
                     TACIT_OK);
}

void rig_build(rig *r) {
    tacit_sink sink = federation_sink(&r->body);
    r->body.len = 0;
    for (uint32_t i = 0; i < r->m.count; i++)
        assert_int_equal(tacit_wire_write(&r->m.items[i], &sink), TACIT_OK);
    assert_int_equal(sink.write(sink.self, r->tail.data, r->tail.len), TACIT_OK);
}

void rig_sign_as(rig *r, uint8_t *sig, tacit_label label, const uint8_t *session,
                 const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, 0, rig_index(r, r->d), body);
    tacit_statement_sign(sig, &statement, r->d->device_secret);
}

void rig_sign_under(rig *r, const uint8_t *session) {
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
        rig_sign_as(r, first->body.share.signature, TACIT_LABEL_SHARE, session, body);
    } else if (first->which_body == tacit_Message_mask_tag) {
        tacit_hash_of(first->body.mask.vector_digest, TACIT_LABEL_VECTOR, r->tail.data,
                      r->tail.len);
        rig_sign_as(r, first->body.mask.signature, TACIT_LABEL_MASK, session,
                    first->body.mask.vector_digest);
    } else if (first->which_body == tacit_Message_agree_tag) {
        rig_sign_as(r, first->body.agree.signature, TACIT_LABEL_AGREE, session, u3_digest);
    } else if (first->which_body == tacit_Message_reveal_tag) {
        tacit_reveal_body_init(&h, u3_digest, first->body.reveal.count);
        for (uint32_t i = 1; i < r->m.count; i++) {
            const tacit_RevealedShare *s = &r->m.items[i].body.revealed;
            tacit_reveal_body_add(&h, s->owner, (uint8_t)s->kind, s->key);
        }
        tacit_hash_end(&h, body);
        rig_sign_as(r, first->body.reveal.signature, TACIT_LABEL_REVEAL, session, body);
    } else {
        tacit_join join;
        tacit_wire_join_get(&join, &first->body.join);
        attack_sign_join(&r->f, &join, r->d->device_secret);
        memcpy(first->body.join.signature, join.signature, TACIT_SIG_LEN);
    }
}

void rig_sign(rig *r) { rig_sign_under(r, cohort_session_of(r->f.cohort, rig_phase(r))); }

tacit_status rig_submit_bytes(rig *r, const uint8_t *data, size_t len, uint32_t *slot) {
    return cohort_submit(r->f.cohort, slot, r->note, rig_phase(r), tacit_bytes_of(data, len),
                         r->f.now_s);
}

tacit_status rig_submit(rig *r, uint32_t *slot) {
    rig_build(r);
    return rig_submit_bytes(r, r->body.data, r->body.len, slot);
}

tacit_status rig_send(rig *r) {
    uint32_t slot = r->d->slot;
    tacit_status st = rig_submit(r, &slot);
    if (st == TACIT_OK) r->d->slot = slot;
    return st;
}

const char *rig_said(const rig *r, tacit_status st) {
    static char said[TACIT_NOTE_LEN + 40];
    (void)snprintf(said, sizeof said, "%s%s%s", tacit_status_name(st), r->note[0] != 0 ? ", " : "",
                   r->note);
    return said;
}

/* ---- shares ---------------------------------------------------------------------------------- */

static void box_key(const rig *r, uint8_t *key, uint32_t to, uint8_t kind) {
    const cohort *c = r->f.cohort;
    uint8_t shared[TACIT_KEY_LEN];
    assert_int_equal(tacit_x25519(shared, r->d->draws[2], c->roster[to]->join.channel_key),
                     TACIT_OK);
    tacit_share_key(key, shared, c->session, rig_index(r, r->d), to, kind);
}

void rig_open_box(const rig *r, uint8_t *share, const uint8_t *box, uint32_t to, uint8_t kind) {
    uint8_t key[TACIT_KEY_LEN];
    box_key(r, key, to, kind);
    assert_int_equal(
        tacit_share_open(share, box, key, r->f.cohort->session, rig_index(r, r->d), to, kind),
        TACIT_OK);
}

void rig_seal_box(const rig *r, uint8_t *box, const uint8_t *share, uint32_t to, uint8_t kind) {
    uint8_t key[TACIT_KEY_LEN];
    box_key(r, key, to, kind);
    tacit_share_seal(box, share, key, r->f.cohort->session, rig_index(r, r->d), to, kind);
}

/* ---- updates --------------------------------------------------------------------------------- */

void rig_contribute(rig *r, uint32_t i, float *x, const tacit_mechanism *m) {
    tacit_plan plan = r->f.plan;
    tacit_graph_rule rule;
    uint8_t rounding[TACIT_KEY_LEN], noise[TACIT_KEY_LEN];
    plan.scale = m->scale;
    plan.mu = m->mu;
    assert_int_equal(tacit_graph_rule_init(&rule, r->f.device_count, plan.max_colluding,
                                           plan.max_dropout, plan.n_min_floor),
                     TACIT_OK);
    tacit_prng_bytes(&r->f.prng, rounding, sizeof rounding);
    tacit_prng_bytes(&r->f.prng, noise, sizeof noise);
    assert_int_equal(tacit_update_words(r->f.devices[i].update, x, &plan,
                                        tacit_plan_noise_share(&plan, &rule), rounding, noise),
                     TACIT_OK);
}

/* ---- the rest of the cohort ------------------------------------------------------------------ */

void rig_finish_phase(rig *r) {
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

void rig_finish_until(rig *r, cohort_phase phase) {
    while (rig_phase(r) < phase && rig_phase(r) < COHORT_DONE) rig_finish_phase(r);
}

bool rig_ended_well(const rig *r) {
    const uint32_t *sum = cohort_sum(r->f.cohort);
    if (sum == NULL) return false;
    uint32_t *plain = calloc(r->f.plan.dims, sizeof *plain);
    assert_non_null(plain);
    federation_plain_sum(&r->f, plain);
    bool right = memcmp(sum, plain, r->f.plan.dims * sizeof *plain) == 0;
    free(plain);
    return right;
}

bool rig_sum_is_wrong(const rig *r) {
    return cohort_sum(r->f.cohort) != NULL && !rig_ended_well(r);
}

uint32_t rig_blame_count(const rig *r) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    return report.blame_count;
}

const cohort_blame *rig_blame_at(const rig *r, uint32_t at) {
    cohort_report report;
    cohort_report_get(r->f.cohort, &report);
    assert_true(at < report.blame_count);
    return &report.blames[at];
}

bool rig_named(const rig *r, uint32_t index) {
    for (uint32_t i = 0; i < rig_blame_count(r); i++)
        if (rig_blame_at(r, i)->index == index) return true;
    return false;
}
