/* SPDX-License-Identifier: Apache-2.0
 * secagg_reveal.c - agree and reveal: this device signs one U3 for ever, sees that t_v of its
 * neighbours signed the same one, and only then gives away one share per neighbour: of b when the
 * neighbour survived, of s when it did not, never both, never one about itself (security C4, H1,
 * H2). A share is given by the key of its box, which opens nothing else (H3, M2). Every secret is
 * gone when the reveal request returns. */
#include "firmware/secagg_checks.h"

/* ---- agree ----------------------------------------------------------------------------------- */

tacit_status tacit_secagg_evidence(const tacit_secagg *s, uint8_t out[static TACIT_HASH_LEN]) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (s->phase != TACIT_PHASE_AGREE || s->waiting) return TACIT_WRONG_PHASE;
    tacit_evidence(out, s->root, s->u2_digest, s->u3_digest);
    return TACIT_OK;
}

tacit_status tacit_secagg_agree(tacit_secagg *s, tacit_sink *out) {
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_AGREE);
    if (st != TACIT_OK) return st;
    tacit_secagg_message(s, tacit_Message_agree_tag);
    tacit_AgreeRequest *m = &s->message.body.agree;
    m->index = s->index;
    st = tacit_secagg_sign(s, m->signature, TACIT_LABEL_AGREE, s->session2, s->u3_digest);
    if (st == TACIT_OK) st = tacit_wire_write(&s->message, out);
    return tacit_secagg_sent(s, st);
}

/* Fewer announced than t_v cannot become enough. */
static tacit_status take_header(tacit_secagg *s, const tacit_AgreeAnswer *m) {
    tacit_status st =
        tacit_secagg_verify(s, m->signature, TACIT_LABEL_AGREE_ANSWER, s->session2, s->u3_digest);
    if (st != TACIT_OK) return st;
    if (m->count > s->count) return TACIT_BAD_MESSAGE;
    if (!tacit_secagg_check_agreed(m->count, s->threshold)) return TACIT_TOO_FEW;
    s->remaining = m->count;
    s->want = s->remaining > 0 ? SECAGG_WANT_ITEMS : SECAGG_WANT_END;
    return TACIT_OK;
}

/* A distinct neighbour in U3, ascending; the statement is rebuilt from own session2 and own U3. */
static tacit_status take_signature(tacit_secagg *s, const tacit_AgreeSignature *m) {
    while (s->next < s->count && s->indices[s->next] < m->index) s->next++;
    if (s->next == s->count || s->indices[s->next] != m->index || !tacit_bit_get(s->u3, m->index))
        return TACIT_BAD_MESSAGE;
    tacit_statement statement;
    tacit_statement_phase(&statement, TACIT_LABEL_AGREE, s->session2, s->cohort, m->index,
                          s->u3_digest);
    tacit_status st =
        tacit_statement_verify(m->signature, &statement, s->neighbours[s->next].device_key);
    if (st != TACIT_OK) return st;
    s->next++;
    if (--s->remaining == 0) s->want = SECAGG_WANT_END;
    return TACIT_OK;
}

tacit_status tacit_secagg_take_signatures(tacit_secagg *s) {
    const tacit_Message *m = &s->message;
    if (s->want == SECAGG_WANT_HEADER && m->which_body == tacit_Message_agree_answer_tag)
        return take_header(s, &m->body.agree_answer);
    if (s->want == SECAGG_WANT_ITEMS && m->which_body == tacit_Message_agree_signature_tag)
        return take_signature(s, &m->body.agree_signature);
    return TACIT_BAD_MESSAGE;
}

/* ---- reveal ---------------------------------------------------------------------------------- */

static tacit_status write_header(tacit_secagg *s, tacit_sink *out) {
    uint32_t due = 0;
    uint8_t kind, body[TACIT_HASH_LEN];
    for (uint32_t i = 0; i < s->count; i++) due += tacit_secagg_share_due(s, i, &kind);
    tacit_hash h;
    tacit_reveal_body_init(&h, s->u3_digest, due);
    for (uint32_t i = 0; i < s->count; i++)
        if (tacit_secagg_share_due(s, i, &kind))
            tacit_reveal_body_add(&h, s->indices[i], kind, tacit_secagg_held(s, i, kind));
    tacit_hash_end(&h, body);

    tacit_secagg_message(s, tacit_Message_reveal_tag);
    tacit_RevealHeader *m = &s->message.body.reveal;
    m->index = s->index;
    m->count = due;
    tacit_status st = tacit_secagg_sign(s, m->signature, TACIT_LABEL_REVEAL, s->session2, body);
    return st == TACIT_OK ? tacit_wire_write(&s->message, out) : st;
}

tacit_status tacit_secagg_reveal(tacit_secagg *s, tacit_sink *out) {
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_REVEAL);
    if (st != TACIT_OK) return st;
    st = write_header(s, out);
    for (uint32_t i = 0; i < s->count && st == TACIT_OK; i++) {
        uint8_t kind;
        if (!tacit_secagg_share_due(s, i, &kind)) continue;
        tacit_secagg_message(s, tacit_Message_revealed_tag);
        tacit_RevealedShare *m = &s->message.body.revealed;
        m->owner = s->indices[i];
        m->kind = kind;
        memcpy(m->key, tacit_secagg_held(s, i, kind), TACIT_KEY_LEN);
        st = tacit_wire_write(&s->message, out);
    }
    s->survivors = tacit_bitmap_count(s->u3, s->rule.n);
    tacit_secagg_wipe(s);
    return tacit_secagg_sent(s, st);
}

/* The receipt must speak of the U3 this device signed. */
tacit_status tacit_secagg_take_receipt(tacit_secagg *s) {
    const tacit_Receipt *m = &s->message.body.receipt;
    if (s->want != SECAGG_WANT_HEADER || s->message.which_body != tacit_Message_receipt_tag)
        return TACIT_BAD_MESSAGE;
    uint8_t body[TACIT_HASH_LEN];
    tacit_receipt_body(body, s->u3_digest, m->survivors, m->sum_digest);
    tacit_status st =
        tacit_secagg_verify(s, m->signature, TACIT_LABEL_REVEAL_ANSWER, s->session2, body);
    if (st != TACIT_OK) return st;
    if (m->survivors != s->survivors) return TACIT_BAD_MESSAGE;
    memcpy(s->sum_digest, m->sum_digest, TACIT_HASH_LEN);
    s->want = SECAGG_WANT_END;
    return TACIT_OK;
}
