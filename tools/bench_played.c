/* SPDX-License-Identifier: Apache-2.0
 * bench_played.c - the messages of a played device, see bench_cohort.h. It keeps no state machine:
 * a message is made from what the server's cohort and the graph say. */
#include "common/cert.h"
#include "common/mask.h"
#include "common/ring.h"
#include "common/shamir.h"
#include "tools/bench_cohort.h"

enum { EXPIRES_S = 1800000000 };

void bench_member_enrol(bench_cohort *c, bench_member *m) {
    uint8_t seed[TACIT_KEY_LEN];
    tacit_cert cert = {.epoch = 1, .not_after_s = EXPIRES_S, .device_class = TACIT_CLASS_ACCOUNT};
    tacit_prng_bytes(&c->prng, seed, sizeof seed);
    tacit_sign_keypair(cert.device_key, m->secret, seed);
    tacit_cert_issue(m->join.certificate, &cert, c->authority_secret);
    tacit_cert_id(m->id, m->join.certificate);
    tacit_prng_bytes(&c->prng, seed, sizeof seed);
    tacit_prng_init(&m->prng, seed, 0);
}

void bench_member_join(bench_cohort *c, bench_member *m) {
    uint8_t mask_secret[TACIT_KEY_LEN], body[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_prng_bytes(&m->prng, m->channel_secret, sizeof m->channel_secret);
    tacit_prng_bytes(&m->prng, m->shared, sizeof m->shared);
    tacit_mask_secret_key(mask_secret, m->shared[TACIT_KIND_S]);
    tacit_x25519_public(m->join.mask_key, mask_secret);
    tacit_x25519_public(m->join.channel_key, m->channel_secret);
    tacit_mask_commit(m->join.commitment, m->shared[TACIT_KIND_B]);
    tacit_join_body(body, &m->join, m->id);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN, c->plan_digest, c->plan.model_digest, 0,
                         m->id, body);
    tacit_statement_sign(m->join.signature, &statement, m->secret);
}

static uint32_t index_of(const bench_cohort *c, const bench_member *m) {
    return cohort_slot_index(c->server, m->slot);
}

static void sign_phase(const bench_cohort *c, const bench_member *m, uint8_t *sig,
                       tacit_label label, const uint8_t *session, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, 0, index_of(c, m), body);
    tacit_statement_sign(sig, &statement, m->secret);
}

static tacit_status put(bench_cohort *c) {
    tacit_sink sink = byte_buffer_sink(&c->request);
    return tacit_wire_write(&c->message, &sink);
}

static void begin(bench_cohort *c, pb_size_t which) {
    memset(&c->message, 0, sizeof c->message);
    c->message.which_body = which;
}

/* ---- join ------------------------------------------------------------------------------------ */

static tacit_status request_join(bench_cohort *c, const bench_member *m) {
    begin(c, tacit_Message_join_tag);
    tacit_wire_join_put(&c->message.body.join, &m->join, 0);
    c->message.body.join.version = TACIT_PROTOCOL_VERSION;
    c->message.body.join.version_min = TACIT_PROTOCOL_VERSION_MIN;
    return put(c);
}

/* ---- share ----------------------------------------------------------------------------------- */

tacit_status bench_member_deal(bench_cohort *c) {
    uint16_t points[TACIT_MAX_NEIGHBOURS];
    for (uint32_t v = 0; v < c->rule.n; v++) {
        uint32_t first = c->offsets[v], degree = c->offsets[v + 1] - first, threshold;
        tacit_status st = tacit_graph_threshold(&c->rule, degree, &threshold);
        for (uint32_t i = 0; i < degree; i++) points[i] = (uint16_t)(c->adjacent[first + i] + 1);
        uint8_t kind = bench_member_vanishes(c, c->roster[v]) ? TACIT_KIND_S : TACIT_KIND_B;
        if (st == TACIT_OK)
            st = tacit_shamir_deal(c->shares[kind] + (size_t)first * TACIT_SHARE_LEN,
                                   c->roster[v]->shared[kind], points, degree, threshold, &c->prng);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

/* A canonical share of nothing: every limb is below 2^60. */
static void invent_share(bench_cohort *c, uint8_t share[TACIT_SHARE_LEN]) {
    tacit_prng_bytes(&c->prng, share, TACIT_SHARE_LEN);
    for (int limb = 0; limb < TACIT_SHAMIR_LIMBS; limb++) share[8 * limb + 7] &= 0x0f;
}

/* Played devices agree on nothing: the channel secret of two of them is this. */
static const uint8_t played_secret[TACIT_KEY_LEN];

static void seal_for(const bench_cohort *c, tacit_SealedShares *pair, uint32_t from,
                     const uint8_t *shared, const uint8_t *share, uint8_t kind) {
    uint8_t key[TACIT_KEY_LEN];
    tacit_share_key(key, shared, c->session, from, pair->peer, kind);
    tacit_share_seal(kind == TACIT_KIND_S ? pair->box_s : pair->box_b, share, key, c->session, from,
                     pair->peer, kind);
}

/* The boxes at edge `edge` of the graph, m -> pair->peer. */
static tacit_status fill_boxes(bench_cohort *c, const bench_member *m, uint32_t edge,
                               tacit_SealedShares *pair) {
    const bench_member *to = c->roster[pair->peer];
    uint8_t shared[TACIT_KEY_LEN], share[TACIT_SHARE_LEN];
    if (to->machine == NULL && !c->spec.unmask) {
        tacit_prng_bytes(&c->prng, pair->box_s, TACIT_SEALED_SHARE_LEN);
        tacit_prng_bytes(&c->prng, pair->box_b, TACIT_SEALED_SHARE_LEN);
        return TACIT_OK;
    }
    memcpy(shared, played_secret, sizeof shared);
    tacit_status st = TACIT_OK;
    if (to->machine != NULL) st = tacit_x25519(shared, m->channel_secret, to->join.channel_key);
    for (uint8_t kind = TACIT_KIND_B; kind <= TACIT_KIND_S && st == TACIT_OK; kind++) {
        if (c->spec.unmask)
            memcpy(share, c->shares[kind] + (size_t)edge * TACIT_SHARE_LEN, sizeof share);
        else
            invent_share(c, share);
        seal_for(c, pair, index_of(c, m), shared, share, kind);
    }
    return st;
}

/* The signature stands before the pairs it covers, so the pairs are kept until it is known. */
static tacit_status request_share(bench_cohort *c, const bench_member *m) {
    static tacit_SealedShares pairs[TACIT_MAX_NEIGHBOURS];
    uint32_t index = index_of(c, m), first = c->offsets[index];
    uint32_t degree = c->offsets[index + 1] - first;
    uint8_t body[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_status st = TACIT_OK;
    tacit_share_body_init(&h, degree);
    for (uint32_t i = 0; i < degree && st == TACIT_OK; i++) {
        pairs[i].peer = c->adjacent[first + i];
        st = fill_boxes(c, m, first + i, &pairs[i]);
        tacit_share_body_add(&h, pairs[i].peer, pairs[i].box_s, pairs[i].box_b);
    }
    tacit_hash_end(&h, body);
    begin(c, tacit_Message_share_tag);
    c->message.body.share.index = index;
    c->message.body.share.count = degree;
    sign_phase(c, m, c->message.body.share.signature, TACIT_LABEL_SHARE, c->session, body);
    if (st == TACIT_OK) st = put(c);
    for (uint32_t i = 0; i < degree && st == TACIT_OK; i++) {
        c->message.which_body = tacit_Message_sealed_tag;
        c->message.body.sealed = pairs[i];
        st = put(c);
    }
    return st;
}

/* ---- mask and agree -------------------------------------------------------------------------- */

static tacit_status request_mask(bench_cohort *c, const bench_member *m) {
    uint32_t len = (uint32_t)tacit_ring_packed_len(c->plan.dims, c->plan.bits);
    begin(c, tacit_Message_mask_tag);
    tacit_MaskRequest *mask = &c->message.body.mask;
    mask->index = index_of(c, m);
    mask->vector_len = len;
    memcpy(mask->vector_digest, c->vector_digest, TACIT_HASH_LEN);
    sign_phase(c, m, mask->signature, TACIT_LABEL_MASK, c->session2, c->vector_digest);
    tacit_status st = put(c);
    tacit_sink sink = byte_buffer_sink(&c->request);
    return st == TACIT_OK ? sink.write(sink.self, c->vector, len) : st;
}

static tacit_status request_agree(bench_cohort *c, const bench_member *m) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_bitmap_digest(digest, cohort_u3(c->server), c->rule.n);
    begin(c, tacit_Message_agree_tag);
    c->message.body.agree.index = index_of(c, m);
    sign_phase(c, m, c->message.body.agree.signature, TACIT_LABEL_AGREE, c->session2, digest);
    return put(c);
}

/* ---- reveal ---------------------------------------------------------------------------------- */

/* The key of the box of `owner` for `holder`, of the kind U3 asks for. */
static uint8_t open_share(const bench_cohort *c, uint8_t *key, uint32_t owner, uint32_t holder) {
    uint8_t kind = tacit_bit_get(cohort_u3(c->server), owner) ? TACIT_KIND_B : TACIT_KIND_S;
    tacit_share_key(key, played_secret, c->session, owner, holder, kind);
    return kind;
}

static tacit_status request_reveal(bench_cohort *c, const bench_member *m) {
    uint32_t index = index_of(c, m), first = c->offsets[index];
    uint32_t degree = c->offsets[index + 1] - first;
    uint8_t digest[TACIT_HASH_LEN], body[TACIT_HASH_LEN], key[TACIT_KEY_LEN];
    tacit_hash h;
    tacit_bitmap_digest(digest, cohort_u3(c->server), c->rule.n);
    tacit_reveal_body_init(&h, digest, degree);
    for (uint32_t i = 0; i < degree; i++) {
        uint8_t kind = open_share(c, key, c->adjacent[first + i], index);
        tacit_reveal_body_add(&h, c->adjacent[first + i], kind, key);
    }
    tacit_hash_end(&h, body);
    begin(c, tacit_Message_reveal_tag);
    c->message.body.reveal.index = index;
    c->message.body.reveal.count = degree;
    sign_phase(c, m, c->message.body.reveal.signature, TACIT_LABEL_REVEAL, c->session2, body);
    tacit_status st = put(c);
    for (uint32_t i = 0; i < degree && st == TACIT_OK; i++) {
        begin(c, tacit_Message_revealed_tag);
        tacit_RevealedShare *revealed = &c->message.body.revealed;
        revealed->owner = c->adjacent[first + i];
        revealed->kind = open_share(c, revealed->key, revealed->owner, index);
        st = put(c);
    }
    return st;
}

tacit_status bench_member_request(bench_cohort *c, const bench_member *m, cohort_phase phase) {
    c->request.len = 0;
    switch (phase) {
        case COHORT_JOIN: return request_join(c, m);
        case COHORT_SHARE: return request_share(c, m);
        case COHORT_MASK: return request_mask(c, m);
        case COHORT_AGREE: return request_agree(c, m);
        case COHORT_REVEAL: return request_reveal(c, m);
        default: return TACIT_WRONG_PHASE;
    }
}
