/* SPDX-License-Identifier: Apache-2.0
 * framed_device.c - indices are no secret: anybody can send a message that breaks the protocol and
 * carries another device's index. A server that drops the device for what the message says, before
 * it knows whose message it is, lets one stranger empty a cohort. A finding counts only under the
 * device's own signature; without it, only the exchange ends. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

/* Half of a share message in the name of `victim`, signed by nobody. */
static tacit_status send_forgery(rig *r, federation_device *victim) {
    r->m.count = 0;
    r->tail.len = 0;
    tacit_Message *m = attack_insert(&r->m, 0);
    m->which_body = tacit_Message_share_tag;
    m->body.share.index = rig_index(r, victim);
    m->body.share.count = 1; /* it has eight neighbours */
    m = attack_insert(&r->m, 1);
    m->which_body = tacit_Message_sealed_tag;
    uint32_t slot;
    return rig_submit(r, &slot);
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 41};
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < 3; i++) st = send_forgery(&r, &r.f.devices[i]);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    bool won = !rig_ended_well(&r) || rig_blame_count(&r) > 0;
    rig_free(&r);
    return won;
}

const malice_attack malice_framed_device = {
    .finding = "H2",
    .attack = "a stranger sends bad messages with others' indices and gets these thrown out",
    .check = "cohort_request_judge",
    .wins = wins,
};
