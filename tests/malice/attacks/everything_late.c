/* SPDX-License-Identifier: Apache-2.0
 * everything_late.c - a device joins in time (without that it has no seat) and sends all the rest
 * late: its shares after U2 was signed, a vector after U3 was, its agreement after the signatures
 * were handed round. The others never heard that it dealt or survived, so none of them can tell the
 * server anything about its secrets; a server that takes it back all the same has a vector in the
 * sum that nobody can unmask. One device costs the cohort its round. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

/* What is in r->body, for a phase that has closed. */
static tacit_status send_late(rig *r, cohort_phase phase) {
    return cohort_submit(r->f.cohort, &r->d->slot, r->note, phase,
                         tacit_bytes_of(r->body.data, r->body.len), r->f.now_s);
}

/* Signed by hand: a machine that was not told U2 in time makes none of its own. */
static void write_vector(rig *r) {
    uint8_t byte = 0x5a;
    tacit_sink sink = federation_sink(&r->tail);
    size_t len = r->f.plan.dims * r->f.plan.bits / 8;
    while (r->tail.len < len) assert_int_equal(sink.write(sink.self, &byte, 1), TACIT_OK);
    r->m.count = 0;
    tacit_Message *m = attack_insert(&r->m, 0);
    m->which_body = tacit_Message_mask_tag;
    m->body.mask.index = rig_index(r, r->d);
    m->body.mask.vector_len = (uint32_t)len;
    rig_sign_under(r, r->f.cohort->session2);
    rig_build(r);
}

static void write_agreement(rig *r) {
    r->tail.len = 0;
    r->m.count = 0;
    tacit_Message *m = attack_insert(&r->m, 0);
    m->which_body = tacit_Message_agree_tag;
    m->body.agree.index = rig_index(r, r->d);
    rig_sign_under(r, r->f.cohort->session2);
    rig_build(r);
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 44};
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    rig_request(&r, 0);
    rig_build(&r);
    r.d->gone = true; /* as the others see it */
    rig_finish_until(&r, COHORT_MASK);
    tacit_status share = send_late(&r, COHORT_SHARE);
    rig_finish_until(&r, COHORT_AGREE);
    write_vector(&r);
    tacit_status mask = send_late(&r, COHORT_MASK);
    rig_finish_until(&r, COHORT_REVEAL);
    write_agreement(&r);
    tacit_status agree = send_late(&r, COHORT_AGREE);
    *why = share == mask && mask == agree ? rig_said(&r, agree) : "refused for different reasons";
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_everything_late = {
    .finding = "M1",
    .attack = "a device sends shares, vector and agreement late; nobody can unmask the sum",
    .check = "cohort_check_open",
    .wins = wins,
};
