/* SPDX-License-Identifier: Apache-2.0
 * wire.c - protobuf messages in and out, the only file that calls nanopb. What nanopb does not know
 * (which message, how many, below which bound) is checked here after decoding and before encoding,
 * so a message that reaches a caller keeps every bound of limits.h. It refuses any message above
 * TACIT_MAX_MESSAGE_LEN before reading it and never allocates. As in all of protobuf, a field that
 * is absent reads as zeros: a signature, key or digest of zeros then fails its check, and a
 * checkpoint of zeros means none. */
#include "common/wire.h"

#include <pb_decode.h>
#include <pb_encode.h>

/* The bounds of proto/tacit.options are those of limits.h. */
#define SIZE_OF(message, field) sizeof(((const tacit_##message *)0)->field)
#define SAME(message, field, len) \
    _Static_assert(SIZE_OF(message, field) == (len), #message "." #field " and limits.h differ")
#define SAME_BYTES(message, field, len) SAME(message, field.bytes, len)
SAME(SignedPlan, plan, TACIT_PLAN_LEN);
SAME(SignedPlan, signature, TACIT_SIG_LEN);
SAME(JoinRequest, certificate, TACIT_CERT_LEN);
SAME(JoinRequest, channel_key, TACIT_KEY_LEN);
SAME(JoinRequest, mask_key, TACIT_KEY_LEN);
SAME(JoinRequest, commitment, TACIT_HASH_LEN);
SAME(JoinRequest, checkpoint, TACIT_HASH_LEN);
SAME(JoinRequest, signature, TACIT_SIG_LEN);
SAME(RosterHeader, ids_digest, TACIT_HASH_LEN);
SAME(RosterHeader, merkle_root, TACIT_HASH_LEN);
SAME(RosterHeader, signature, TACIT_SIG_LEN);
SAME_BYTES(RosterIds, ids, TACIT_IDS_PER_MESSAGE *TACIT_HASH_LEN);
SAME_BYTES(RosterEntry, proof, TACIT_MAX_PROOF *TACIT_HASH_LEN);
SAME(ShareHeader, signature, TACIT_SIG_LEN);
SAME(SealedShares, box_s, TACIT_SEALED_SHARE_LEN);
SAME(SealedShares, box_b, TACIT_SEALED_SHARE_LEN);
SAME_BYTES(ShareAnswer, u2, TACIT_MAX_BITMAP_LEN);
SAME(ShareAnswer, signature, TACIT_SIG_LEN);
SAME(MaskRequest, vector_digest, TACIT_HASH_LEN);
SAME(MaskRequest, signature, TACIT_SIG_LEN);
SAME_BYTES(MaskAnswer, u3, TACIT_MAX_BITMAP_LEN);
SAME(MaskAnswer, signature, TACIT_SIG_LEN);
SAME(AgreeRequest, signature, TACIT_SIG_LEN);
SAME(AgreeAnswer, signature, TACIT_SIG_LEN);
SAME(AgreeSignature, signature, TACIT_SIG_LEN);
SAME(RevealHeader, signature, TACIT_SIG_LEN);
SAME(RevealedShare, key, TACIT_KEY_LEN);
SAME(Receipt, sum_digest, TACIT_HASH_LEN);
SAME(Receipt, signature, TACIT_SIG_LEN);
SAME(Problem, note, TACIT_NOTE_LEN + 1);

/* nanopb counts in pb_size_t; 16 bits unless built otherwise. Both the encoding and the struct of
 * every message stay below that, and the length prefix within two bytes. */
_Static_assert(tacit_Message_size <= TACIT_MAX_MESSAGE_LEN, "every message fits the limit");
_Static_assert(TACIT_MAX_MESSAGE_LEN < 1 << 14, "a length takes at most two bytes");
_Static_assert(TACIT_MAX_MESSAGE_LEN < PB_SIZE_MAX, "lengths fit nanopb's size type");
_Static_assert(sizeof(tacit_Message) < PB_SIZE_MAX, "structs fit nanopb's size type");

enum {
    PREFIX_MAX = 2,
    VECTOR_MAX_LEN = 4 * TACIT_MAX_DIMS, /* packed, 32 bits a number */
};

/* ---- bounds ---------------------------------------------------------------------------------- */

static bool whole_hashes(uint32_t len) { return len % TACIT_HASH_LEN == 0; }

static bool note_ok(const char *note, size_t cap) {
    size_t len = 0;
    while (len < cap && note[len] != '\0') {
        uint8_t c = (uint8_t)note[len++];
        if (c < 0x20 || c == 0x7f) return false;
    }
    return len < cap;
}

/* What every receiver may rely on; what depends on the session is the receiver's to check. */
static bool keeps_bounds(const tacit_Message *m) {
    const uint32_t seats = TACIT_MAX_COHORT, peers = TACIT_MAX_NEIGHBOURS;
    switch (m->which_body) {
        case tacit_Message_plan_tag: return true;
        case tacit_Message_join_tag: return m->body.join.version_min <= m->body.join.version;
        case tacit_Message_roster_tag:
            return m->body.roster.count <= seats && m->body.roster.index < m->body.roster.count;
        case tacit_Message_roster_ids_tag:
            return m->body.roster_ids.ids.size > 0 && whole_hashes(m->body.roster_ids.ids.size) &&
                   m->body.roster_ids.ids.size <= sizeof m->body.roster_ids.ids.bytes;
        case tacit_Message_roster_entry_tag:
            return m->body.roster_entry.index < seats && m->body.roster_entry.has_join &&
                   m->body.roster_entry.join.version_min <= m->body.roster_entry.join.version &&
                   whole_hashes(m->body.roster_entry.proof.size) &&
                   m->body.roster_entry.proof.size <= sizeof m->body.roster_entry.proof.bytes;
        case tacit_Message_share_tag:
            return m->body.share.index < seats && m->body.share.count <= peers;
        case tacit_Message_sealed_tag: return m->body.sealed.peer < seats;
        case tacit_Message_share_answer_tag:
            return m->body.share_answer.u2.size > 0 && m->body.share_answer.count <= peers &&
                   m->body.share_answer.u2.size <= sizeof m->body.share_answer.u2.bytes;
        case tacit_Message_mask_tag:
            return m->body.mask.index < seats && m->body.mask.vector_len > 0 &&
                   m->body.mask.vector_len <= VECTOR_MAX_LEN;
        case tacit_Message_mask_answer_tag:
            return m->body.mask_answer.u3.size > 0 &&
                   m->body.mask_answer.u3.size <= sizeof m->body.mask_answer.u3.bytes;
        case tacit_Message_agree_tag: return m->body.agree.index < seats;
        case tacit_Message_agree_answer_tag: return m->body.agree_answer.count <= peers;
        case tacit_Message_agree_signature_tag: return m->body.agree_signature.index < seats;
        case tacit_Message_reveal_tag:
            return m->body.reveal.index < seats && m->body.reveal.count <= peers;
        case tacit_Message_revealed_tag:
            return m->body.revealed.owner < seats && m->body.revealed.kind <= TACIT_KIND_S;
        case tacit_Message_receipt_tag: return m->body.receipt.survivors <= seats;
        case tacit_Message_problem_tag:
            return m->body.problem.status > TACIT_OK &&
                   m->body.problem.status < TACIT_STATUS_COUNT &&
                   note_ok(m->body.problem.note, sizeof m->body.problem.note);
        default: return false;
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

void tacit_wire_reader_init(tacit_wire_reader *r) {
    r->have = 0;
    r->need = 0;
    r->in_body = false;
}

/* A reader in a body of length 0 has failed; `have` keeps why. */
static tacit_status fail(tacit_wire_reader *r, tacit_status why) {
    r->in_body = true;
    r->need = 0;
    r->have = (uint32_t)why;
    return why;
}

/* One byte of the length; OK once it is complete. */
static tacit_status read_length(tacit_wire_reader *r, uint8_t byte) {
    r->buf[r->have++] = byte;
    if (byte & 0x80) return r->have < PREFIX_MAX ? TACIT_PENDING : TACIT_TOO_LARGE;
    uint32_t len = r->buf[0] & 0x7fu;
    if (r->have == 2) len |= (uint32_t)byte << 7;
    if (len == 0 || len > TACIT_MAX_MESSAGE_LEN) return TACIT_TOO_LARGE;
    r->in_body = true;
    r->need = len;
    r->have = 0;
    return TACIT_OK;
}

static uint8_t take_byte(tacit_bytes *in) {
    uint8_t byte = *in->data;
    in->data++;
    in->len--;
    return byte;
}

tacit_status tacit_wire_read(tacit_wire_reader *r, tacit_Message *out, tacit_bytes *in) {
    if (r->in_body && r->need == 0) return (tacit_status)r->have;
    while (!r->in_body) {
        if (in->len == 0) return TACIT_PENDING;
        tacit_status st = read_length(r, take_byte(in));
        if (st != TACIT_OK && st != TACIT_PENDING) return fail(r, st);
    }
    size_t wanted = r->need - r->have;
    size_t taken = in->len < wanted ? in->len : wanted;
    if (taken > 0) {
        memcpy(r->buf + r->have, in->data, taken);
        r->have += (uint32_t)taken;
        in->data += taken;
        in->len -= taken;
    }
    if (taken < wanted) return TACIT_PENDING;

    pb_istream_t stream = pb_istream_from_buffer(r->buf, r->need);
    if (!pb_decode(&stream, tacit_Message_fields, out) || !keeps_bounds(out))
        return fail(r, TACIT_BAD_MESSAGE);
    tacit_wire_reader_init(r);
    return TACIT_OK;
}

bool tacit_wire_reader_idle(const tacit_wire_reader *r) { return !r->in_body && r->have == 0; }

/* ---- writing --------------------------------------------------------------------------------- */

tacit_status tacit_wire_write(const tacit_Message *m, tacit_sink *out) {
    uint8_t buf[PREFIX_MAX + TACIT_MAX_MESSAGE_LEN];
    if (!keeps_bounds(m)) return TACIT_INTERNAL;
    pb_ostream_t stream = pb_ostream_from_buffer(buf + PREFIX_MAX, TACIT_MAX_MESSAGE_LEN);
    if (!pb_encode(&stream, tacit_Message_fields, m)) return TACIT_INTERNAL;
    size_t len = stream.bytes_written;
    uint8_t *start = buf + PREFIX_MAX;
    if (len >= 0x80) *--start = (uint8_t)(len >> 7);
    *--start = (uint8_t)((len & 0x7f) | (len >= 0x80 ? 0x80u : 0));
    return out->write(out->self, start, len + (size_t)(buf + PREFIX_MAX - start));
}

size_t tacit_wire_len(const tacit_Message *m) {
    size_t len;
    if (!pb_get_encoded_size(&len, tacit_Message_fields, m)) return 0;
    return len + (len >= 0x80 ? 2 : 1);
}

/* ---- helpers --------------------------------------------------------------------------------- */

void tacit_wire_join_get(tacit_join *join, const tacit_JoinRequest *m) {
    memcpy(join->certificate, m->certificate, sizeof join->certificate);
    memcpy(join->channel_key, m->channel_key, sizeof join->channel_key);
    memcpy(join->mask_key, m->mask_key, sizeof join->mask_key);
    memcpy(join->commitment, m->commitment, sizeof join->commitment);
    memcpy(join->checkpoint, m->checkpoint, sizeof join->checkpoint);
    memcpy(join->signature, m->signature, sizeof join->signature);
}

void tacit_wire_join_put(tacit_JoinRequest *m, const tacit_join *join, uint32_t cohort) {
    m->version = TACIT_PROTOCOL_VERSION;
    m->version_min = TACIT_PROTOCOL_VERSION_MIN;
    m->cohort = cohort;
    memcpy(m->certificate, join->certificate, sizeof join->certificate);
    memcpy(m->channel_key, join->channel_key, sizeof join->channel_key);
    memcpy(m->mask_key, join->mask_key, sizeof join->mask_key);
    memcpy(m->commitment, join->commitment, sizeof join->commitment);
    memcpy(m->checkpoint, join->checkpoint, sizeof join->checkpoint);
    memcpy(m->signature, join->signature, sizeof join->signature);
}

void tacit_wire_problem(tacit_Message *m, tacit_status status, const char *note) {
    memset(m, 0, sizeof *m);
    m->which_body = tacit_Message_problem_tag;
    tacit_Problem *p = &m->body.problem;
    p->status = (uint32_t)status;
    p->version = TACIT_PROTOCOL_VERSION;
    p->version_min = TACIT_PROTOCOL_VERSION_MIN;
    size_t len = 0;
    for (; len < TACIT_NOTE_LEN && note[len] != '\0'; len++) {
        uint8_t c = (uint8_t)note[len];
        p->note[len] = c < 0x20 || c == 0x7f ? ' ' : note[len];
    }
    /* Cut before a UTF-8 character, never inside one. */
    if (note[len] != '\0')
        while (len > 0 && ((uint8_t)note[len] & 0xc0) == 0x80) p->note[--len] = '\0';
}

static tacit_status append(void *self, const uint8_t *data, size_t len) {
    tacit_wire_buffer *b = self;
    if (len > b->cap - b->len) return TACIT_NO_SPACE;
    if (len > 0) memcpy(b->data + b->len, data, len);
    b->len += len;
    return TACIT_OK;
}

tacit_sink tacit_wire_buffer_sink(tacit_wire_buffer *b) {
    tacit_sink s = {b, append};
    return s;
}
