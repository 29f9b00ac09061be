/* SPDX-License-Identifier: Apache-2.0
 * one_key_for_both_shares.c - a curious server: if the boxes of b and of s towards one holder had
 * the same key, the key revealed for b would also take the cover off s. Boxes are a stream under a
 * zero nonce, so box_s xor box_b xor share_b is share_s. With t_v of those, s is rebuilt beside b
 * and the device's vector is read in clear. */
#include "common/mask.h"
#include "common/shamir.h"
#include "server/cohort_internal.h"
#include "tests/malice/malice.h"

enum { N = 9 };

/* What the server keeps of the victim's share message, and learns from the reveals. */
typedef struct {
    uint8_t share_s[N * TACIT_SHARE_LEN];
    uint16_t points[N];
    uint32_t count;
} loot;

/* `key` opens the victim's box of b for `holder`. */
static void take_off(loot *l, const cohort *c, const uint8_t *pairs, uint32_t victim,
                     uint32_t holder, const uint8_t *key) {
    uint32_t edge = cohort_edge(c, victim, holder) - c->offsets[victim];
    const uint8_t *box_s = pairs + edge * COHORT_PAIR_LEN, *box_b = box_s + TACIT_SEALED_SHARE_LEN;
    uint8_t share_b[TACIT_SHARE_LEN];
    if (tacit_share_open(share_b, box_b, key, c->session, victim, holder, TACIT_KIND_B) != TACIT_OK)
        return;
    for (size_t i = 0; i < TACIT_SHARE_LEN; i++)
        l->share_s[l->count * TACIT_SHARE_LEN + i] = (uint8_t)(box_s[i] ^ box_b[i] ^ share_b[i]);
    l->points[l->count++] = (uint16_t)(holder + 1);
}

static bool rebuilds_s(const loot *l, const tacit_join *join, uint32_t threshold) {
    uint64_t lagrange[N];
    uint8_t s[TACIT_SECRET_LEN], secret[TACIT_KEY_LEN], image[TACIT_KEY_LEN];
    if (l->count < threshold || tacit_shamir_lagrange(lagrange, l->points, threshold) != TACIT_OK ||
        tacit_shamir_combine(s, l->share_s, TACIT_SHARE_LEN, lagrange, threshold) != TACIT_OK)
        return false;
    tacit_mask_secret_key(secret, s);
    tacit_x25519_public(image, secret);
    return memcmp(image, join->mask_key, sizeof image) == 0;
}

static bool wins(const char **why) {
    federation f;
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 3};
    uint8_t pairs[N * COHORT_PAIR_LEN];
    loot l = {.count = 0};
    federation_init(&f, &spec);
    federation_phase(&f); /* join */
    federation_phase(&f); /* share */
    const cohort *c = f.cohort;
    uint32_t victim = cohort_slot_index(c, f.devices[0].slot);
    memcpy(pairs, c->boxes + (size_t)c->offsets[victim] * COHORT_PAIR_LEN,
           (size_t)cohort_degree(c, victim) * COHORT_PAIR_LEN);
    federation_phase(&f); /* mask */
    federation_phase(&f); /* agree */
    attack_messages m = {0};
    for (uint32_t i = 1; i < N; i++) {
        if (federation_request(&f, &f.devices[i], &f.request) != TACIT_OK) continue;
        attack_parse(&m, f.request.data, f.request.len);
        for (uint32_t k = 1; k < m.count; k++)
            if (m.items[k].body.revealed.owner == victim)
                take_off(&l, c, pairs, victim, m.items[0].body.reveal.index,
                         m.items[k].body.revealed.key);
    }
    bool won = rebuilds_s(&l, &c->roster[victim]->join, c->thresholds[victim]);
    *why = "the key of b says nothing about the box of s";
    attack_messages_free(&m);
    federation_free(&f);
    return won;
}

const malice_attack malice_one_key_for_both_shares = {
    .finding = "H3",
    .attack = "the server uses the share keys revealed for b on the boxes of s and reads a vector",
    .check = "tacit_share_key",
    .wins = wins,
};
