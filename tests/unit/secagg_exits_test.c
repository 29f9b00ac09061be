/* SPDX-License-Identifier: Apache-2.0
 * secagg_exits_test.c - what one device does whatever it is told: three independent secrets, each
 * gone as early as it can be, one order of phases, and one way out that leaves nothing behind. The
 * tests look for the drawn secrets in the machine's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/mask.h"
#include "tests/support/federation_attack.h"

/* Nine devices, two may drop: n_min 7, t_v 5. */
static const federation_spec nine = {.device_count = 9, .max_dropout = 230, .seed = 3};

/* ---- three secrets (C1) ---------------------------------------------------------------------- */

/* s, b and c are drawn one by one; only public images of them travel. */
static void test_secrets_are_independent_draws(void **state) {
    (void)state;
    federation f;
    attack_messages m = {0};
    uint8_t secret[TACIT_KEY_LEN], image[TACIT_HASH_LEN];
    federation_init_devices(&f, &nine);
    federation_device *d = &f.devices[0];
    assert_int_equal(d->draw_count, 3);
    assert_int_equal(d->draw_lens[0], TACIT_SECRET_LEN);
    assert_int_equal(d->draw_lens[1], TACIT_SECRET_LEN);
    assert_int_equal(d->draw_lens[2], TACIT_KEY_LEN);
    assert_int_equal(federation_request(&f, d, &f.request), TACIT_OK);
    attack_parse(&m, f.request.data, f.request.len);
    const tacit_JoinRequest *join = &m.items[0].body.join;
    tacit_mask_secret_key(secret, d->draws[0]);
    tacit_x25519_public(image, secret);
    assert_memory_equal(image, join->mask_key, sizeof image);
    tacit_mask_commit(image, d->draws[1]);
    assert_memory_equal(image, join->commitment, sizeof image);
    tacit_x25519_public(image, d->draws[2]);
    assert_memory_equal(image, join->channel_key, sizeof image);
    attack_messages_free(&m);
    federation_free(&f);
}

static bool opens(const attack_scene *s, const uint8_t *key, const tacit_SealedShares *box,
                  const uint8_t *their_key, uint8_t kind) {
    uint8_t shared[TACIT_KEY_LEN], share_key[TACIT_KEY_LEN], share[TACIT_SHARE_LEN];
    if (tacit_x25519(shared, key, their_key) != TACIT_OK) return false;
    tacit_share_key(share_key, shared, s->session, s->index, box->peer, kind);
    return tacit_share_open(share, kind == TACIT_KIND_S ? box->box_s : box->box_b, share_key,
                            s->session, s->index, box->peer, kind) == TACIT_OK;
}

/* Who rebuilt s and b of a device still cannot open the shares it sent; with c one could. */
static void test_s_and_b_open_no_shares(void **state) {
    (void)state;
    attack_scene s;
    attack_messages m = {0};
    attack_scene_make(&s, &nine, NULL, TACIT_PHASE_JOIN);
    attack_messages roster = s.messages;
    assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
    assert_int_equal(federation_request(&s.f, s.victim, &s.f.request), TACIT_OK);
    attack_parse(&m, s.f.request.data, s.f.request.len);
    assert_int_equal(m.count, 9);
    uint8_t keys[4][TACIT_KEY_LEN] = {{0}};
    tacit_mask_secret_key(keys[0], s.victim->draws[0]);
    memcpy(keys[1], s.victim->draws[0], TACIT_SECRET_LEN);
    memcpy(keys[2], s.victim->draws[1], TACIT_SECRET_LEN);
    memcpy(keys[3], s.victim->draws[2], TACIT_KEY_LEN);
    for (uint32_t k = 1; k < m.count; k++) {
        const tacit_SealedShares *box = &m.items[k].body.sealed;
        const tacit_JoinRequest *peer = NULL;
        for (uint32_t e = 2; e < roster.count; e++)
            if (roster.items[e].body.roster_entry.index == box->peer)
                peer = &roster.items[e].body.roster_entry.join;
        assert_non_null(peer);
        for (uint8_t kind = TACIT_KIND_B; kind <= TACIT_KIND_S; kind++) {
            for (int key = 0; key < 3; key++) {
                assert_false(opens(&s, keys[key], box, peer->channel_key, kind));
                assert_false(opens(&s, keys[key], box, peer->mask_key, kind));
            }
            assert_true(opens(&s, keys[3], box, peer->channel_key, kind));
        }
    }
    attack_messages_free(&m);
    attack_scene_free(&s);
}

static bool in_memory(const federation_device *d, const uint8_t *value, size_t len) {
    const uint8_t *memory = (const uint8_t *)d->memory;
    for (size_t at = 0; at + len <= d->memory_len; at++)
        if (memory[at] == value[0] && memcmp(memory + at, value, len) == 0) return true;
    return false;
}

static bool draw_in_memory(const federation_device *d, uint32_t k) {
    return in_memory(d, d->draws[k], d->draw_lens[k]);
}

/* Each secret is gone as soon as it has done its work: c, the polynomials' key and the own shares
 * with the share request, the channel secrets with its answer, s and b with the mask request. */
static void test_secrets_go_early(void **state) {
    (void)state;
    attack_scene s;
    attack_messages m = {0};
    uint8_t shared[TACIT_KEY_LEN], key[TACIT_KEY_LEN], share[TACIT_SHARE_LEN];
    attack_scene_make(&s, &nine, NULL, TACIT_PHASE_JOIN);
    attack_messages roster = s.messages;
    federation_device *d = s.victim;
    for (uint32_t k = 0; k < 3; k++) assert_true(draw_in_memory(d, k));
    for (uint32_t i = 0; i < 9; i++) {
        federation_device *each = &s.f.devices[i];
        assert_int_equal(federation_collect(&s.f, each, &s.f.answer), TACIT_OK);
        assert_int_equal(federation_deliver(&s.f, each, &s.f.answer), TACIT_OK);
    }
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(federation_send(&s.f, &s.f.devices[8 - i]), TACIT_OK);
    attack_parse(&m, s.f.request.data, s.f.request.len); /* the victim's was last */
    assert_true(draw_in_memory(d, 0) && draw_in_memory(d, 1));
    assert_false(draw_in_memory(d, 2));
    assert_int_equal(d->draw_count, 4);
    assert_false(draw_in_memory(d, 3));
    const tacit_SealedShares *box = &m.items[1].body.sealed;
    uint32_t entry = 2;
    while (roster.items[entry].body.roster_entry.index != box->peer) entry++;
    assert_int_equal(
        tacit_x25519(shared, d->draws[2], roster.items[entry].body.roster_entry.join.channel_key),
        TACIT_OK);
    assert_true(in_memory(d, shared, sizeof shared)); /* still needed for the answer */
    for (uint8_t kind = TACIT_KIND_B; kind <= TACIT_KIND_S; kind++) {
        tacit_share_key(key, shared, s.session, s.index, box->peer, kind);
        assert_int_equal(tacit_share_open(share, kind == TACIT_KIND_S ? box->box_s : box->box_b,
                                          key, s.session, s.index, box->peer, kind),
                         TACIT_OK);
        assert_false(in_memory(d, key, sizeof key));
        for (size_t limb = 0; limb + 8 < sizeof share; limb += 8)
            assert_false(in_memory(d, share + limb, 8));
    }
    federation_close(&s.f);
    assert_int_equal(federation_collect(&s.f, d, &s.f.answer), TACIT_OK);
    assert_int_equal(federation_deliver(&s.f, d, &s.f.answer), TACIT_OK);
    assert_false(in_memory(d, shared, sizeof shared));
    assert_true(draw_in_memory(d, 0) && draw_in_memory(d, 1));
    assert_int_equal(federation_request(&s.f, d, &s.f.request), TACIT_OK);
    assert_int_equal(tacit_secagg_phase(d->machine), TACIT_PHASE_MASK);
    assert_false(federation_secrets_left(d));
    attack_messages_free(&m);
    attack_scene_free(&s);
}

/* ---- order and exits (C4) -------------------------------------------------------------------- */

/* Makes request `what` of a machine, whatever it says. */
static tacit_status request(federation *f, federation_device *d, int what) {
    uint32_t words[64] = {0};
    uint8_t packed[64 * 4];
    tacit_sink sink = federation_sink(&f->request);
    f->request.len = 0;
    switch (what) {
        case TACIT_PHASE_JOIN: return tacit_secagg_join(d->machine, &sink, f->now_s);
        case TACIT_PHASE_SHARE: return tacit_secagg_share(d->machine, &sink);
        case TACIT_PHASE_MASK: return tacit_secagg_mask(d->machine, words, packed, &sink);
        case TACIT_PHASE_AGREE: return tacit_secagg_agree(d->machine, &sink);
        default: return tacit_secagg_reveal(d->machine, &sink);
    }
}

static void assert_left(federation *f, federation_device *d) {
    uint64_t variance;
    uint8_t hash[TACIT_HASH_LEN];
    char poll[2 * TACIT_POLL_MAX + 1];
    assert_int_equal(tacit_secagg_phase(d->machine), TACIT_PHASE_LEFT);
    assert_false(tacit_secagg_waiting(d->machine));
    assert_false(federation_secrets_left(d));
    for (int what = TACIT_PHASE_JOIN; what <= TACIT_PHASE_REVEAL; what++) {
        assert_int_equal(request(f, d, what), TACIT_LEFT);
        assert_int_equal(f->request.len, 0);
    }
    assert_int_equal(tacit_secagg_noise_share(d->machine, &variance), TACIT_LEFT);
    assert_int_equal(tacit_secagg_evidence(d->machine, hash), TACIT_LEFT);
    assert_int_equal(tacit_secagg_poll(d->machine, poll), TACIT_LEFT);
}

/* In each of the ten states (five phases, request due or answer awaited) every request but the one
 * that is due, and every answer but the one awaited, ends the cohort. */
static void test_out_of_turn(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++) {
        for (int what = TACIT_PHASE_JOIN; what <= TACIT_PHASE_REVEAL; what++) {
            attack_scene s; /* waiting: no request at all, not even the same again */
            attack_scene_make(&s, &nine, NULL, (tacit_phase)phase);
            assert_int_equal(request(&s.f, s.victim, what), TACIT_WRONG_PHASE);
            assert_int_equal(s.f.request.len, 0);
            assert_left(&s.f, s.victim);
            attack_scene_free(&s);
            if (what == phase + 1) continue;
            attack_scene_make(&s, &nine, NULL, (tacit_phase)phase);
            assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
            assert_int_equal(request(&s.f, s.victim, what), TACIT_WRONG_PHASE);
            assert_int_equal(s.f.request.len, 0);
            assert_false(federation_secrets_left(s.victim));
            if (phase < TACIT_PHASE_REVEAL) assert_left(&s.f, s.victim);
            if (phase == TACIT_PHASE_REVEAL) /* DONE stays DONE */
                assert_int_equal(tacit_secagg_phase(s.victim->machine), TACIT_PHASE_DONE);
            attack_scene_free(&s);
        }
    }
}

static void test_answer_out_of_turn(void **state) {
    (void)state;
    federation f;
    char poll[2 * TACIT_POLL_MAX + 1];
    const uint8_t byte = 3;
    federation_init_devices(&f, &nine);
    assert_int_equal(tacit_secagg_answer(f.devices[0].machine, &byte, 1), TACIT_WRONG_PHASE);
    assert_left(&f, &f.devices[0]);
    assert_int_equal(tacit_secagg_answer_end(f.devices[1].machine, f.now_s), TACIT_WRONG_PHASE);
    assert_left(&f, &f.devices[1]);
    assert_int_equal(tacit_secagg_poll(f.devices[2].machine, poll), TACIT_WRONG_PHASE);
    assert_left(&f, &f.devices[2]);
    federation_free(&f);
}

/* Leaving, at any point, wipes. */
static void test_leave_wipes(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++) {
        for (int delivered = 0; delivered < 2; delivered++) {
            attack_scene s;
            attack_scene_make(&s, &nine, NULL, (tacit_phase)phase);
            if (delivered)
                assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
            if (phase <= TACIT_PHASE_SHARE) assert_true(federation_secrets_left(s.victim));
            bool done = tacit_secagg_phase(s.victim->machine) == TACIT_PHASE_DONE;
            tacit_secagg_leave(s.victim->machine);
            if (!done) assert_left(&s.f, s.victim);
            attack_scene_free(&s);
        }
    }
}

/* The random source or the keystore fails, at each call. */
static void test_callbacks_fail(void **state) {
    (void)state;
    federation f;
    federation_init_plan(&f, &nine);
    for (uint32_t k = 1; k <= 3; k++) {
        federation_device d = {.random_fails_at = k};
        federation_device_enrol(&f, &d, TACIT_CLASS_ACCOUNT, UINT64_MAX);
        assert_int_equal(federation_device_start(&f, &d), TACIT_RANDOM);
        assert_null(d.machine);
        assert_false(federation_secrets_left(&d));
        federation_device_free(&d);
    }
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++) {
        attack_scene s;
        if (phase == TACIT_PHASE_JOIN) {
            s = (attack_scene){0};
            federation_init_devices(&s.f, &nine);
            s.victim = &s.f.devices[0];
        } else {
            attack_scene_make(&s, &nine, NULL, (tacit_phase)(phase - 1));
            assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
        }
        s.victim->sign_fails_at = s.victim->sign_count + 1;
        assert_int_equal(request(&s.f, s.victim, phase), TACIT_STORAGE);
        assert_int_equal(s.f.request.len, 0);
        assert_left(&s.f, s.victim);
        attack_scene_free(&s);
    }
    attack_scene s;
    attack_scene_make(&s, &nine, NULL, TACIT_PHASE_JOIN);
    assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
    s.victim->random_fails_at = 4;
    assert_int_equal(request(&s.f, s.victim, TACIT_PHASE_SHARE), TACIT_RANDOM);
    assert_left(&s.f, s.victim);
    attack_scene_free(&s);
}

static tacit_status refuse_bytes(void *self, const uint8_t *data, size_t len) {
    (void)data;
    size_t *room = (size_t *)self;
    if (len > *room) return TACIT_TRANSPORT;
    *room -= len;
    return TACIT_OK;
}

/* The network goes away in the middle of a request. */
static void test_sink_fails(void **state) {
    (void)state;
    for (size_t start = 0; start < 1200; start += 300) {
        attack_scene s;
        size_t room = start;
        tacit_sink sink = {&room, refuse_bytes};
        attack_scene_make(&s, &nine, NULL, TACIT_PHASE_JOIN);
        assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
        assert_int_equal(tacit_secagg_share(s.victim->machine, &sink), TACIT_TRANSPORT);
        assert_left(&s.f, s.victim);
        attack_scene_free(&s);
        room = start / 3;
        attack_scene_make(&s, &nine, NULL, TACIT_PHASE_AGREE);
        assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
        assert_int_equal(tacit_secagg_reveal(s.victim->machine, &sink), TACIT_TRANSPORT);
        assert_left(&s.f, s.victim);
        attack_scene_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_are_independent_draws),
        cmocka_unit_test(test_s_and_b_open_no_shares),
        cmocka_unit_test(test_secrets_go_early),
        cmocka_unit_test(test_out_of_turn),
        cmocka_unit_test(test_answer_out_of_turn),
        cmocka_unit_test(test_leave_wipes),
        cmocka_unit_test(test_callbacks_fail),
        cmocka_unit_test(test_sink_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
