/* SPDX-License-Identifier: Apache-2.0
 * rogue_server.c - see rogue_server.h. */
#include "tests/support/rogue_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/mask.h"
#include "common/ring.h"
#include "common/shamir.h"
#include "common/skellam.h"

enum { BOX = TACIT_SEALED_SHARE_LEN, PAIR = 2 * TACIT_SEALED_SHARE_LEN };

static void *need(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (p == NULL) fail_msg("out of memory");
    return p;
}

void rogue_init(rogue_server *r, const federation_spec *spec) {
    *r = (rogue_server){0};
    federation_init_devices(&r->f, spec);
}

static void free_seats(rogue_server *r) {
    for (uint32_t i = 0; i < r->n; i++) free(r->vectors[i]);
    free(r->devices);
    free(r->own);
    free(r->u2);
    free(r->session2);
    free(r->boxes);
    free(r->dealt);
    free(r->vectors);
    free(r->agreements);
    free(r->shares);
    free(r->held);
    attack_roster_free(&r->roster);
    r->n = 0;
}

void rogue_free(rogue_server *r) {
    free_seats(r);
    federation_free(&r->f);
}

/* ---- the devices ----------------------------------------------------------------------------- */

void rogue_seat_from(rogue_server *r, uint32_t first, uint32_t count) {
    if (r->n > 0) free_seats(r); /* of an earlier cohort */
    attack_roster_make(&r->roster, &r->f, first, count);
}

void rogue_seat(rogue_server *r, uint32_t count) { rogue_seat_from(r, 0, count); }

void rogue_settle(rogue_server *r) {
    size_t n = r->n = r->roster.n;
    r->devices = (federation_device **)need(n, sizeof(federation_device *));
    r->own = (const federation_device **)need(n, sizeof(federation_device *));
    r->u2 = need(n, sizeof *r->u2);
    r->session2 = need(n, sizeof *r->session2);
    r->boxes = (uint8_t *)need(n * n, PAIR);
    r->dealt = (bool *)need(n * n, sizeof(bool));
    r->vectors = (uint32_t **)need(n, sizeof(uint32_t *));
    r->agreements = need(n, sizeof *r->agreements);
    r->shares = (uint8_t *)need(2 * n * n, TACIT_SHARE_LEN);
    r->held = (bool *)need(2 * n * n, sizeof(bool));
    for (uint32_t i = 0; i < r->f.device_count; i++)
        for (uint32_t at = 0; at < r->n; at++)
            if (memcmp(r->roster.ids[at], r->f.devices[i].id, TACIT_HASH_LEN) == 0)
                r->devices[at] = &r->f.devices[i];
}

void rogue_certify(rogue_server *r, uint32_t device, const tacit_cert *cert,
                   const uint8_t *authority_secret, const uint8_t *device_secret) {
    federation_device *d = &r->f.devices[device];
    uint32_t seat = rogue_seat_of(r, d);
    tacit_join *join = &r->roster.joins[seat];
    tacit_cert_issue(join->certificate, cert, authority_secret);
    attack_sign_join(&r->f, join, device_secret);
    tacit_cert_id(d->id, join->certificate);
    attack_roster_sort(&r->roster);
}

void rogue_next_round(rogue_server *r) {
    uint8_t encoded[TACIT_PLAN_LEN];
    r->f.plan.round++;
    tacit_plan_encode(encoded, &r->f.plan);
    tacit_plan_digest(r->f.plan_digest, encoded);
    for (uint32_t i = 0; i < r->f.device_count; i++) {
        federation_device *d = &r->f.devices[i];
        free(d->memory);
        d->draw_count = 0;
        if (federation_device_start(&r->f, d) != TACIT_OK) fail_msg("a device does not start");
    }
}

uint32_t rogue_seat_of(const rogue_server *r, const federation_device *d) {
    return attack_roster_index(&r->roster, d);
}

tacit_status rogue_tell_roster(rogue_server *r, uint32_t seat) {
    attack_messages m = {0};
    uint32_t at;
    attack_roster_answer(&r->roster, &m, &r->f, r->devices[seat]);
    attack_session(&r->f, r->session, &m.items[0].body.roster);
    tacit_status st = attack_deliver(r->devices[seat], &m, r->f.now_s, &at);
    attack_messages_free(&m);
    return st;
}

/* The device's due request as messages; a masked vector behind them stays in r->f.request. */
static tacit_status ask(rogue_server *r, uint32_t seat, attack_messages *m) {
    *m = (attack_messages){0};
    tacit_status st = federation_request(&r->f, r->devices[seat], &r->f.request);
    if (st == TACIT_OK) attack_parse(m, r->f.request.data, r->f.request.len);
    return st;
}

tacit_status rogue_take_shares(rogue_server *r, uint32_t seat) {
    attack_messages m;
    tacit_status st = ask(r, seat, &m);
    for (uint32_t i = 1; i < m.count; i++) {
        const tacit_SealedShares *pair = &m.items[i].body.sealed;
        size_t edge = (size_t)seat * r->n + pair->peer;
        memcpy(r->boxes + edge * PAIR, pair->box_s, BOX);
        memcpy(r->boxes + edge * PAIR + BOX, pair->box_b, BOX);
        r->dealt[edge] = true;
    }
    attack_messages_free(&m);
    return st;
}

static tacit_status tell(rogue_server *r, uint32_t seat, attack_messages *m) {
    uint32_t at;
    tacit_status st = attack_deliver(r->devices[seat], m, r->f.now_s, &at);
    attack_messages_free(m);
    return st;
}

tacit_status rogue_tell_u2(rogue_server *r, uint32_t seat, const uint8_t *u2) {
    attack_messages m = {0};
    uint8_t digest[TACIT_HASH_LEN];
    (void)attack_insert(&m, 0);
    for (uint32_t from = 0; from < r->n; from++) {
        size_t edge = (size_t)from * r->n + seat;
        if (!r->dealt[edge] || !tacit_bit_get(u2, from)) continue;
        tacit_Message *item = attack_insert(&m, m.count);
        item->which_body = tacit_Message_sealed_tag;
        item->body.sealed.peer = from;
        memcpy(item->body.sealed.box_s, r->boxes + edge * PAIR, BOX);
        memcpy(item->body.sealed.box_b, r->boxes + edge * PAIR + BOX, BOX);
    }
    tacit_ShareAnswer *head = &m.items[0].body.share_answer;
    m.items[0].which_body = tacit_Message_share_answer_tag;
    head->count = m.count - 1;
    head->u2.size = (pb_size_t)tacit_bitmap_len(r->n);
    memcpy(head->u2.bytes, u2, head->u2.size);
    memcpy(r->u2[seat], u2, head->u2.size);
    tacit_session2(r->session2[seat], r->session, u2, r->n);
    tacit_bitmap_digest(digest, u2, r->n);
    attack_sign_phase(&r->f, head->signature, TACIT_LABEL_SHARE_ANSWER, r->session, seat, digest);
    return tell(r, seat, &m);
}

tacit_status rogue_take_vector(rogue_server *r, uint32_t seat) {
    uint32_t dims = r->f.plan.dims, bits = r->f.plan.bits;
    size_t len = tacit_ring_packed_len(dims, bits);
    tacit_status st = federation_request(&r->f, r->devices[seat], &r->f.request);
    if (st != TACIT_OK) return st;
    if (r->vectors[seat] == NULL) r->vectors[seat] = (uint32_t *)need(dims, sizeof(uint32_t));
    tacit_ring_unpack(r->vectors[seat], r->f.request.data + r->f.request.len - len, dims, bits);
    return TACIT_OK;
}

tacit_status rogue_tell_u3(rogue_server *r, uint32_t seat, const uint8_t *u3) {
    attack_messages m = {0};
    uint8_t digest[TACIT_HASH_LEN];
    tacit_Message *item = attack_insert(&m, 0);
    item->which_body = tacit_Message_mask_answer_tag;
    tacit_MaskAnswer *answer = &item->body.mask_answer;
    answer->u3.size = (pb_size_t)tacit_bitmap_len(r->n);
    memcpy(answer->u3.bytes, u3, answer->u3.size);
    tacit_bitmap_digest(digest, u3, r->n);
    attack_sign_phase(&r->f, answer->signature, TACIT_LABEL_MASK_ANSWER, r->session2[seat], seat,
                      digest);
    return tell(r, seat, &m);
}

tacit_status rogue_take_agreement(rogue_server *r, uint32_t seat) {
    attack_messages m;
    tacit_status st = ask(r, seat, &m);
    if (st == TACIT_OK) memcpy(r->agreements[seat], m.items[0].body.agree.signature, TACIT_SIG_LEN);
    attack_messages_free(&m);
    return st;
}

tacit_status rogue_tell_agreements(rogue_server *r, uint32_t seat, const uint8_t *u3,
                                   const uint8_t *from) {
    attack_messages m = {0};
    uint8_t digest[TACIT_HASH_LEN];
    (void)attack_insert(&m, 0);
    for (uint32_t i = 0; i < r->n; i++) {
        bool signs = r->devices[i] != NULL && r->dealt[(size_t)seat * r->n + i];
        if (!signs || !tacit_bit_get(from, i) || !tacit_bit_get(u3, i)) continue;
        tacit_Message *item = attack_insert(&m, m.count);
        item->which_body = tacit_Message_agree_signature_tag;
        item->body.agree_signature.index = i;
        memcpy(item->body.agree_signature.signature, r->agreements[i], TACIT_SIG_LEN);
    }
    m.items[0].which_body = tacit_Message_agree_answer_tag;
    tacit_AgreeAnswer *head = &m.items[0].body.agree_answer;
    head->count = m.count - 1;
    tacit_bitmap_digest(digest, u3, r->n);
    attack_sign_phase(&r->f, head->signature, TACIT_LABEL_AGREE_ANSWER, r->session2[seat], seat,
                      digest);
    return tell(r, seat, &m);
}

void rogue_open_box(rogue_server *r, uint32_t dealer, uint32_t holder, uint8_t kind,
                    const uint8_t *key) {
    size_t edge = (size_t)dealer * r->n + holder, at = (size_t)kind * r->n * r->n + edge;
    const uint8_t *box = r->boxes + edge * PAIR + (kind == TACIT_KIND_S ? 0 : BOX);
    uint8_t share[TACIT_SHARE_LEN];
    if (!r->dealt[edge] ||
        tacit_share_open(share, box, key, r->session, dealer, holder, kind) != TACIT_OK)
        return;
    memcpy(r->shares + at * TACIT_SHARE_LEN, share, sizeof share);
    r->held[at] = true;
}

tacit_status rogue_take_reveal(rogue_server *r, uint32_t seat) {
    attack_messages m;
    tacit_status st = ask(r, seat, &m);
    for (uint32_t i = 1; i < m.count; i++) {
        const tacit_RevealedShare *share = &m.items[i].body.revealed;
        rogue_open_box(r, share->owner, seat, (uint8_t)share->kind, share->key);
    }
    attack_messages_free(&m);
    return st;
}

void rogue_everyone(const rogue_server *r, uint8_t *bitmap) {
    memset(bitmap, 0, TACIT_MAX_BITMAP_LEN);
    for (uint32_t i = 0; i < r->n; i++) tacit_bit_set(bitmap, i);
}

static tacit_status each(rogue_server *r, tacit_status (*step)(rogue_server *, uint32_t)) {
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < r->n && st == TACIT_OK; i++)
        if (r->devices[i] != NULL) st = step(r, i);
    return st;
}

tacit_status rogue_all_shared(rogue_server *r, const uint8_t *u2) {
    tacit_status st = each(r, rogue_tell_roster);
    if (st == TACIT_OK) st = each(r, rogue_take_shares);
    for (uint32_t i = 0; u2 != NULL && i < r->n && st == TACIT_OK; i++)
        if (r->devices[i] != NULL && tacit_bit_get(u2, i)) st = rogue_tell_u2(r, i, u2);
    return st;
}

tacit_status rogue_all_masked(rogue_server *r) { return each(r, rogue_take_vector); }

tacit_status rogue_others_reveal(rogue_server *r, uint32_t victim, const uint8_t *u3) {
    tacit_status st = TACIT_OK;
    uint8_t others[TACIT_MAX_BITMAP_LEN];
    memcpy(others, u3, tacit_bitmap_len(r->n));
    if (victim < r->n) rogue_without(others, victim);
    for (int step = 0; step < 2; step++)
        for (uint32_t i = 0; i < r->n && st == TACIT_OK; i++) {
            if (r->devices[i] == NULL || !tacit_bit_get(others, i)) continue;
            st = step == 0 ? rogue_tell_u3(r, i, u3) : rogue_tell_agreements(r, i, u3, others);
            if (st != TACIT_OK) break;
            st = step == 0 ? rogue_take_agreement(r, i) : rogue_take_reveal(r, i);
        }
    return st;
}

tacit_status rogue_all_reveal(rogue_server *r, const uint8_t *u3) {
    return rogue_others_reveal(r, UINT32_MAX, u3);
}

/* ---- the loot -------------------------------------------------------------------------------- */

void rogue_open(rogue_server *r, uint32_t dealer, uint32_t holder, uint32_t who, const uint8_t *c) {
    uint8_t shared[TACIT_KEY_LEN], key[TACIT_KEY_LEN];
    uint32_t other = who == dealer ? holder : dealer;
    if (tacit_x25519(shared, c, r->roster.joins[other].channel_key) != TACIT_OK) return;
    for (uint8_t kind = TACIT_KIND_B; kind <= TACIT_KIND_S; kind++) {
        tacit_share_key(key, shared, r->session, dealer, holder, kind);
        rogue_open_box(r, dealer, holder, kind, key);
    }
}

bool rogue_rebuild(const rogue_server *r, uint8_t secret[TACIT_SECRET_LEN], uint32_t owner,
                   uint8_t kind) {
    size_t row = ((size_t)kind * r->n + owner) * r->n, count = 0;
    uint8_t *shares = (uint8_t *)need(r->n, TACIT_SHARE_LEN);
    uint16_t *points = (uint16_t *)need(r->n, sizeof *points);
    uint64_t *lagrange = (uint64_t *)need(r->n, sizeof *lagrange);
    for (uint32_t i = 0; i < r->n; i++) {
        if (!r->held[row + i]) continue;
        memcpy(shares + count * TACIT_SHARE_LEN, r->shares + (row + i) * TACIT_SHARE_LEN,
               TACIT_SHARE_LEN);
        points[count++] = (uint16_t)(i + 1);
    }
    bool ok = tacit_shamir_lagrange(lagrange, points, count) == TACIT_OK &&
              tacit_shamir_combine(secret, shares, TACIT_SHARE_LEN, lagrange, count) == TACIT_OK;
    free(shares);
    free(points);
    free(lagrange);
    if (!ok) return false;
    uint8_t sk[TACIT_KEY_LEN], image[TACIT_KEY_LEN];
    const tacit_join *join = &r->roster.joins[owner];
    if (kind == TACIT_KIND_B) {
        tacit_mask_commit(image, secret);
        return memcmp(image, join->commitment, sizeof image) == 0;
    }
    tacit_mask_secret_key(sk, secret);
    tacit_x25519_public(image, sk);
    return memcmp(image, join->mask_key, sizeof image) == 0;
}

void rogue_take_off_pair(const rogue_server *r, uint32_t *words, uint32_t owner, uint32_t peer,
                         uint32_t who, const uint8_t *s) {
    uint8_t sk[TACIT_KEY_LEN], shared[TACIT_KEY_LEN], key[TACIT_KEY_LEN];
    const uint8_t *a = r->roster.ids[owner], *b = r->roster.ids[peer];
    const tacit_join *joins = r->roster.joins;
    const tacit_plan *plan = &r->f.plan;
    tacit_mask_secret_key(sk, s);
    if (tacit_x25519(shared, sk, joins[who == owner ? peer : owner].mask_key) != TACIT_OK) return;
    tacit_mask_pair_key(key, shared, r->session2[owner], a, b, joins[owner].mask_key,
                        joins[peer].mask_key, plan->bits, plan->dims);
    tacit_mask_apply(words, 0, plan->dims, plan->bits, key, tacit_mask_adds(a, b));
}

void rogue_take_off_self(const rogue_server *r, uint32_t *words, uint32_t owner, const uint8_t *b) {
    uint8_t key[TACIT_KEY_LEN];
    tacit_mask_self_key(key, b, r->session2[owner], r->roster.ids[owner]);
    tacit_mask_apply(words, 0, r->f.plan.dims, r->f.plan.bits, key, true);
}

static uint32_t low_bits(const rogue_server *r) {
    return r->f.plan.bits == 32 ? UINT32_MAX : (UINT32_C(1) << r->f.plan.bits) - 1;
}

bool rogue_is_update(const rogue_server *r, const uint32_t *words, uint32_t owner) {
    const uint32_t *update = r->devices[owner]->update;
    for (uint32_t w = 0; w < r->f.plan.dims; w++)
        if (((words[w] ^ update[w]) & low_bits(r)) != 0) return false;
    return true;
}

static uint32_t *copy_of(const rogue_server *r, uint32_t owner) {
    uint32_t *words = (uint32_t *)need(r->f.plan.dims, sizeof *words);
    memcpy(words, r->vectors[owner], r->f.plan.dims * sizeof *words);
    return words;
}

/* The owner has a mask towards the peer: a neighbour in the U2 it was told. */
static bool masked_towards(const rogue_server *r, uint32_t owner, uint32_t peer) {
    return r->dealt[(size_t)owner * r->n + peer] && tacit_bit_get(r->u2[owner], peer);
}

bool rogue_reads_with_both(const rogue_server *r, uint32_t owner) {
    uint8_t s[TACIT_SECRET_LEN], b[TACIT_SECRET_LEN];
    if (r->vectors[owner] == NULL || !rogue_rebuild(r, s, owner, TACIT_KIND_S) ||
        !rogue_rebuild(r, b, owner, TACIT_KIND_B))
        return false;
    uint32_t *words = copy_of(r, owner);
    for (uint32_t peer = 0; peer < r->n; peer++)
        if (masked_towards(r, owner, peer)) rogue_take_off_pair(r, words, owner, peer, owner, s);
    rogue_take_off_self(r, words, owner, b);
    bool read = rogue_is_update(r, words, owner);
    free(words);
    return read;
}

bool rogue_reads_with_peers(const rogue_server *r, uint32_t owner, const uint8_t *colluders) {
    uint8_t b[TACIT_SECRET_LEN];
    if (r->vectors[owner] == NULL || !rogue_rebuild(r, b, owner, TACIT_KIND_B)) return false;
    uint32_t *words = copy_of(r, owner);
    for (uint32_t peer = 0; peer < r->n; peer++)
        if (masked_towards(r, owner, peer) && tacit_bit_get(colluders, peer))
            rogue_take_off_pair(r, words, owner, peer, peer, r->devices[peer]->draws[0]);
    rogue_take_off_self(r, words, owner, b);
    bool read = rogue_is_update(r, words, owner);
    free(words);
    return read;
}

bool rogue_surrounds(rogue_server *r, uint32_t victim, const char **why) {
    uint8_t u2[TACIT_MAX_BITMAP_LEN];
    rogue_everyone(r, u2);
    tacit_status st = rogue_tell_roster(r, victim);
    if (st == TACIT_OK) st = rogue_take_shares(r, victim);
    if (st == TACIT_OK) st = rogue_tell_u2(r, victim, u2);
    if (st == TACIT_OK) st = rogue_take_vector(r, victim);
    *why = tacit_status_name(st);
    for (uint32_t i = 0; i < r->n; i++)
        if (i != victim) rogue_open(r, victim, i, i, r->devices[i]->draws[2]);
    return rogue_reads_with_peers(r, victim, u2);
}

tacit_status rogue_noise_of(const rogue_server *r, uint32_t count, uint64_t *variance) {
    *variance = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t share;
        tacit_skellam sampler;
        tacit_status st = tacit_secagg_noise_share(r->devices[i]->machine, &share);
        if (st == TACIT_OK) st = tacit_skellam_init(&sampler, share);
        if (st != TACIT_OK) return st;
        *variance += sampler.variance;
    }
    return TACIT_OK;
}

/* The seat's vector less its own mask and its masks towards those outside the set. */
static bool lay_bare(const rogue_server *r, uint32_t *words, uint32_t owner, const uint8_t *set) {
    uint8_t secret[TACIT_SECRET_LEN];
    if (!rogue_rebuild(r, secret, owner, TACIT_KIND_B)) return false;
    rogue_take_off_self(r, words, owner, secret);
    for (uint32_t peer = 0; peer < r->n; peer++) {
        if (!masked_towards(r, owner, peer) || tacit_bit_get(set, peer)) continue;
        if (r->own[peer] != NULL)
            memcpy(secret, r->own[peer]->draws[0], sizeof secret);
        else if (!rogue_rebuild(r, secret, peer, TACIT_KIND_S))
            return false;
        rogue_take_off_pair(r, words, owner, peer, peer, secret);
    }
    return true;
}

bool rogue_sums(const rogue_server *r, const uint8_t *set) {
    uint32_t dims = r->f.plan.dims;
    uint32_t *difference = (uint32_t *)need(dims, sizeof *difference);
    bool ok = true;
    for (uint32_t i = 0; i < r->n && ok; i++) {
        if (!tacit_bit_get(set, i) || r->devices[i] == NULL) continue;
        uint32_t *words = copy_of(r, i);
        ok = lay_bare(r, words, i, set);
        for (uint32_t w = 0; w < dims; w++) difference[w] += words[w] - r->devices[i]->update[w];
        free(words);
    }
    for (uint32_t w = 0; w < dims; w++) ok = ok && (difference[w] & low_bits(r)) == 0;
    free(difference);
    return ok;
}
