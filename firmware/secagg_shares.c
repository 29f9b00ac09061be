/* SPDX-License-Identifier: Apache-2.0
 * secagg_shares.c - the share step: both shareable secrets dealt to the neighbours, sealed one key
 * per direction and kind; then the server's U2 and the shares addressed to this device (security
 * C1, C6, H1, H3). Of a box that opens only its key is kept, for the reveal: whoever has the box
 * then opens that one share, and sees itself what the dealer put there (M2). A box that does not
 * open is no reason to leave: there is then nothing to reveal about its sender, and the mask
 * towards it stays. */
#include "common/shamir.h"
#include "firmware/secagg_checks.h"

static uint8_t *box_of(const tacit_secagg *s, uint32_t neighbour, uint8_t kind) {
    size_t second = kind == TACIT_KIND_S ? 0 : TACIT_SEALED_SHARE_LEN;
    return s->boxes + (size_t)neighbour * SECAGG_BOXES_LEN + second;
}

/* Deals one secret by a polynomial of degree t_v - 1 to the D neighbours, never to itself, and
 * seals the shares. Points (index + 1) stand in s->scratch. */
static tacit_status deal_and_seal(tacit_secagg *s, const uint8_t *secret, uint8_t kind,
                                  tacit_prng *prng) {
    uint8_t key[TACIT_KEY_LEN];
    tacit_status st = tacit_shamir_deal(s->dealt, secret, s->scratch, s->count, s->threshold, prng);
    for (uint32_t i = 0; i < s->count && st == TACIT_OK; i++) {
        uint32_t to = s->indices[i];
        tacit_share_key(key, s->neighbours[i].channel_shared, s->session, s->index, to, kind);
        tacit_share_seal(box_of(s, i, kind), s->dealt + (size_t)i * TACIT_SHARE_LEN, key,
                         s->session, s->index, to, kind);
    }
    tacit_wipe(key, sizeof key);
    tacit_wipe(s->dealt, (size_t)s->count * TACIT_SHARE_LEN);
    return st;
}

/* Everything is drawn and sealed before the first byte leaves. */
static tacit_status make_boxes(tacit_secagg *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        tacit_secagg_neighbour *v = &s->neighbours[i];
        s->scratch[i] = (uint16_t)(s->indices[i] + 1);
        tacit_status st = tacit_x25519(v->channel_shared, s->secrets.c, v->channel_key);
        if (st != TACIT_OK) return st;
    }
    tacit_wipe(s->secrets.c, sizeof s->secrets.c);
    uint8_t key[TACIT_KEY_LEN];
    tacit_prng prng;
    tacit_status st = TACIT_RANDOM;
    if (s->params.random(s->params.self, key, sizeof key) != TACIT_OK) goto exit;
    tacit_prng_init(&prng, key, 0);
    st = deal_and_seal(s, s->secrets.s, TACIT_KIND_S, &prng);
    if (st == TACIT_OK) st = deal_and_seal(s, s->secrets.b, TACIT_KIND_B, &prng);
    tacit_prng_wipe(&prng);
exit:
    tacit_wipe(key, sizeof key);
    return st;
}

static tacit_status write_boxes(tacit_secagg *s, tacit_sink *out) {
    uint8_t body[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_share_body_init(&h, s->count);
    for (uint32_t i = 0; i < s->count; i++)
        tacit_share_body_add(&h, s->indices[i], box_of(s, i, TACIT_KIND_S),
                             box_of(s, i, TACIT_KIND_B));
    tacit_hash_end(&h, body);

    tacit_secagg_message(s, tacit_Message_share_tag);
    tacit_ShareHeader *header = &s->message.body.share;
    header->index = s->index;
    header->count = s->count;
    tacit_status st = tacit_secagg_sign(s, header->signature, TACIT_LABEL_SHARE, s->session, body);
    if (st == TACIT_OK) st = tacit_wire_write(&s->message, out);
    for (uint32_t i = 0; i < s->count && st == TACIT_OK; i++) {
        tacit_secagg_message(s, tacit_Message_sealed_tag);
        tacit_SealedShares *pair = &s->message.body.sealed;
        pair->peer = s->indices[i];
        memcpy(pair->box_s, box_of(s, i, TACIT_KIND_S), TACIT_SEALED_SHARE_LEN);
        memcpy(pair->box_b, box_of(s, i, TACIT_KIND_B), TACIT_SEALED_SHARE_LEN);
        st = tacit_wire_write(&s->message, out);
    }
    return st;
}

tacit_status tacit_secagg_share(tacit_secagg *s, tacit_sink *out) {
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_SHARE);
    if (st != TACIT_OK) return st;
    st = make_boxes(s);
    if (st == TACIT_OK) st = write_boxes(s, out);
    tacit_wipe(s->boxes, (size_t)s->count * SECAGG_BOXES_LEN); /* the held keys' place now */
    return tacit_secagg_sent(s, st);
}

/* ---- the answer ------------------------------------------------------------------------------ */

tacit_status tacit_secagg_bitmap_check(const tacit_secagg *s, const uint8_t *bitmap, size_t len) {
    uint32_t n = s->rule.n, live = 0;
    if (!tacit_bitmap_check(bitmap, len, n)) return TACIT_BAD_BITMAP;
    if (!tacit_bit_get(bitmap, s->index)) return TACIT_BAD_BITMAP;
    for (uint32_t i = 0; i < s->count; i++) live += tacit_bit_get(bitmap, s->indices[i]);
    bool enough =
        tacit_secagg_check_live(tacit_bitmap_count(bitmap, n), live, s->rule.n_min, s->threshold);
    return enough ? TACIT_OK : TACIT_TOO_FEW;
}

/* U2 of the whole cohort, the server's signature before anything else. */
static tacit_status take_u2(tacit_secagg *s, const tacit_ShareAnswer *m) {
    uint32_t n = s->rule.n;
    if (m->u2.size != tacit_bitmap_len(n)) return TACIT_BAD_BITMAP;
    tacit_bitmap_digest(s->u2_digest, m->u2.bytes, n);
    tacit_status st =
        tacit_secagg_verify(s, m->signature, TACIT_LABEL_SHARE_ANSWER, s->session, s->u2_digest);
    if (st != TACIT_OK) return st;
    st = tacit_secagg_bitmap_check(s, m->u2.bytes, m->u2.size);
    if (st != TACIT_OK) return st;
    if (m->count > s->count) return TACIT_BAD_MESSAGE;
    memcpy(s->u2, m->u2.bytes, m->u2.size);
    tacit_session2(s->session2, s->session, s->u2, n);
    s->remaining = m->count;
    s->want = s->remaining > 0 ? SECAGG_WANT_ITEMS : SECAGG_WANT_END;
    return TACIT_OK;
}

/* Keeps the key of a box that opens, also when the share inside is not canonical: that is for the
 * server to see. */
static void open_box(tacit_secagg *s, uint32_t i, const uint8_t *box, uint8_t kind) {
    tacit_secagg_neighbour *v = &s->neighbours[i];
    uint8_t share[TACIT_SHARE_LEN], *key = tacit_secagg_held(s, i, kind);
    tacit_share_key(key, v->channel_shared, s->session, s->indices[i], s->index, kind);
    tacit_status st = tacit_share_open(share, box, key, s->session, s->indices[i], s->index, kind);
    if (st == TACIT_OK || st == TACIT_BAD_SHARE)
        v->opened = (uint8_t)(v->opened | 1u << kind);
    else
        tacit_wipe(key, TACIT_KEY_LEN);
    tacit_wipe(share, sizeof share);
}

/* From neighbours in U2 only, ascending, each once. */
static tacit_status take_boxes(tacit_secagg *s, const tacit_SealedShares *m) {
    while (s->next < s->count && s->indices[s->next] < m->peer) s->next++;
    if (s->next == s->count || s->indices[s->next] != m->peer || !tacit_bit_get(s->u2, m->peer))
        return TACIT_BAD_MESSAGE;
    open_box(s, s->next, m->box_s, TACIT_KIND_S);
    open_box(s, s->next, m->box_b, TACIT_KIND_B);
    s->next++;
    if (--s->remaining == 0) s->want = SECAGG_WANT_END;
    return TACIT_OK;
}

tacit_status tacit_secagg_take_shares(tacit_secagg *s) {
    const tacit_Message *m = &s->message;
    if (s->want == SECAGG_WANT_HEADER && m->which_body == tacit_Message_share_answer_tag)
        return take_u2(s, &m->body.share_answer);
    if (s->want == SECAGG_WANT_ITEMS && m->which_body == tacit_Message_sealed_tag)
        return take_boxes(s, &m->body.sealed);
    return TACIT_BAD_MESSAGE;
}

void tacit_secagg_end_shares(tacit_secagg *s) {
    for (uint32_t i = 0; i < s->count; i++)
        tacit_wipe(s->neighbours[i].channel_shared, TACIT_KEY_LEN);
}
