/* SPDX-License-Identifier: Apache-2.0
 * reveal_asked_twice.c - keeps everything and waits for U3 again, so that a lost answer can be
 * asked for once more. */
#include "firmware/secagg_checks.h"

tacit_status tacit_secagg_reveal(tacit_secagg *s, tacit_sink *out) {
    uint32_t count = 0;
    uint8_t kind, body[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_REVEAL);
    if (st != TACIT_OK) return st;
    for (uint32_t i = 0; i < s->count; i++) count += tacit_secagg_share_due(s, i, &kind);
    tacit_reveal_body_init(&h, s->u3_digest, count);
    for (uint32_t i = 0; i < s->count; i++)
        if (tacit_secagg_share_due(s, i, &kind))
            tacit_reveal_body_add(&h, s->indices[i], kind, tacit_secagg_held(s, i, kind));
    tacit_hash_end(&h, body);
    tacit_secagg_message(s, tacit_Message_reveal_tag);
    tacit_RevealHeader *head = &s->message.body.reveal;
    head->index = s->index;
    head->count = count;
    st = tacit_secagg_sign(s, head->signature, TACIT_LABEL_REVEAL, s->session2, body);
    if (st == TACIT_OK) st = tacit_wire_write(&s->message, out);
    for (uint32_t i = 0; i < s->count && st == TACIT_OK; i++) {
        if (!tacit_secagg_share_due(s, i, &kind)) continue;
        tacit_secagg_message(s, tacit_Message_revealed_tag);
        s->message.body.revealed.owner = s->indices[i];
        s->message.body.revealed.kind = kind;
        memcpy(s->message.body.revealed.key, tacit_secagg_held(s, i, kind), TACIT_KEY_LEN);
        st = tacit_wire_write(&s->message, out);
    }
    s->phase = TACIT_PHASE_MASK;
    return tacit_secagg_sent(s, st);
}
