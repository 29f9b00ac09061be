/* SPDX-License-Identifier: Apache-2.0
 * uncertified_devices.c - a Sybil: somebody invents as many devices as it takes, signs certificates
 * for them with a key of its own and takes t_v seats of a cohort. Each of the invented devices is
 * handed its box of s and its box of b of every honest neighbour. Together they are t_v shares of
 * both: all secrets of every honest device, which open its vector. Seats are for devices that the
 * authority of the plan certified. */
#include "common/shamir.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9, HONEST = 4, T_V = 5 }; /* 8 neighbours, nobody assumed to collude */

/* From device HONEST on, certified by nobody but the attacker. */
static void invent(federation *f) {
    uint8_t seed[TACIT_KEY_LEN] = {7}, key[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];
    memcpy(secret, f->authority_secret, sizeof secret);
    tacit_sign_keypair(key, f->authority_secret, seed);
    for (uint32_t i = HONEST; i < N; i++) {
        federation_device *d = &f->devices[i];
        free(d->memory);
        d->draw_count = 0;
        federation_device_enrol(f, d, TACIT_CLASS_ACCOUNT, f->plan.join_until_s + 86400);
        assert_int_equal(federation_device_start(f, d), TACIT_OK);
    }
    memcpy(f->authority_secret, secret, sizeof secret);
}

/* The victim's boxes in the share answer of the invented device d, opened. */
static bool open_boxes(rig *r, const federation_device *d, uint32_t victim, uint8_t *share_s,
                       uint8_t *share_b) {
    const cohort *c = r->f.cohort;
    uint32_t cursor = 0, to = rig_index(r, d);
    uint8_t shared[TACIT_KEY_LEN], key[TACIT_KEY_LEN];
    tacit_sink sink = federation_sink(&r->body);
    r->body.len = 0;
    while (cohort_answer_next(c, COHORT_SHARE, d->slot, &cursor, &sink) == TACIT_OK) continue;
    attack_parse(&r->m, r->body.data, r->body.len);
    assert_int_equal(tacit_x25519(shared, d->draws[2], c->roster[victim]->join.channel_key),
                     TACIT_OK);
    for (uint32_t i = 1; i < r->m.count; i++) {
        const tacit_SealedShares *pair = &r->m.items[i].body.sealed;
        if (pair->peer != victim) continue;
        tacit_share_key(key, shared, c->session, victim, to, TACIT_KIND_S);
        tacit_status st =
            tacit_share_open(share_s, pair->box_s, key, c->session, victim, to, TACIT_KIND_S);
        tacit_share_key(key, shared, c->session, victim, to, TACIT_KIND_B);
        return st == TACIT_OK && tacit_share_open(share_b, pair->box_b, key, c->session, victim, to,
                                                  TACIT_KIND_B) == TACIT_OK;
    }
    return false;
}

static bool reads_secrets(rig *r, const federation_device *victim) {
    uint8_t s[T_V * TACIT_SHARE_LEN], b[T_V * TACIT_SHARE_LEN], secret[TACIT_SECRET_LEN];
    uint16_t points[T_V];
    uint64_t lagrange[T_V];
    for (uint32_t i = 0; i < T_V; i++) {
        const federation_device *d = &r->f.devices[HONEST + i];
        size_t at = (size_t)i * TACIT_SHARE_LEN;
        if (!open_boxes(r, d, rig_index(r, victim), s + at, b + at)) return false;
        points[i] = (uint16_t)(rig_index(r, d) + 1);
    }
    return tacit_shamir_lagrange(lagrange, points, T_V) == TACIT_OK &&
           tacit_shamir_combine(secret, s, TACIT_SHARE_LEN, lagrange, T_V) == TACIT_OK &&
           memcmp(secret, victim->draws[0], sizeof secret) == 0 &&
           tacit_shamir_combine(secret, b, TACIT_SHARE_LEN, lagrange, T_V) == TACIT_OK &&
           memcmp(secret, victim->draws[1], sizeof secret) == 0;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 44};
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    invent(&r.f);
    tacit_status st = TACIT_OK;
    for (uint32_t i = HONEST; i < N && st == TACIT_OK; i++) {
        rig_request(&r, i);
        st = rig_send(&r);
    }
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_MASK);
    bool won = st == TACIT_OK && reads_secrets(&r, &r.f.devices[0]);
    rig_free(&r);
    return won;
}

const malice_attack malice_uncertified_devices = {
    .finding = "Sybil",
    .attack = "invented devices take t_v seats and rebuild both secrets of an honest one",
    .check = "tacit_cert_verify",
    .wins = wins,
};
