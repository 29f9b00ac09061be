/* SPDX-License-Identifier: Apache-2.0
 * vector_without_shares.c - a device that dealt no shares sends a vector all the same. Nobody can
 * ever rebuild its self mask; and a U3 that is not part of U2 makes every honest device leave. One
 * device stops the cohort. Only who did the step before may do the next. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

/* A vector of its own making: the machine that did not share makes none. */
static void write_vector(rig *r) {
    uint8_t byte = 0;
    tacit_sink sink = federation_sink(&r->tail);
    size_t len = r->f.plan.dims * r->f.plan.bits / 8;
    while (r->tail.len < len) assert_int_equal(sink.write(sink.self, &byte, 1), TACIT_OK);
    r->m.count = 0;
    tacit_Message *m = attack_insert(&r->m, 0);
    m->which_body = tacit_Message_mask_tag;
    m->body.mask.index = rig_index(r, r->d);
    m->body.mask.vector_len = (uint32_t)len;
    rig_sign(r);
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 35};
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    r.d = &r.f.devices[0];
    r.d->gone = true; /* deals nothing */
    rig_finish_phase(&r);
    write_vector(&r);
    tacit_status st = rig_send(&r);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r);
    rig_free(&r);
    return won;
}

const malice_attack malice_vector_without_shares = {
    .finding = "M1",
    .attack = "a device that dealt no shares sends a vector and the whole cohort is lost",
    .check = "cohort_may_send",
    .wins = wins,
};
