/* SPDX-License-Identifier: Apache-2.0
 * secagg_test.c - whole cohorts: the device's machine against the server's, sums compared bit for
 * bit, and what one device says and reveals on the way. Attacks on single answers are in
 * secagg_roster_test.c, secagg_answers_test.c and secagg_cycles_test.c; order, exits and secrets in
 * secagg_exits_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/federation_attack.h"

/* Nine devices, two may drop: n_min 7, t_v 5. */
static const federation_spec nine = {.device_count = 9, .max_dropout = 230, .seed = 3};

static void assert_exact_sum(const federation *f) {
    uint32_t *plain = (uint32_t *)calloc(f->plan.dims, sizeof *plain);
    assert_non_null(plain);
    federation_plain_sum(f, plain);
    assert_memory_equal(cohort_sum(f->cohort), plain, f->plan.dims * sizeof *plain);
    free(plain);
}

/* ---- sums ------------------------------------------------------------------------------------ */

static void test_sums_without_dropouts(void **state) {
    (void)state;
    static const uint8_t widths[4] = {16, 20, 24, 32};
    for (uint32_t n = 5; n <= 12; n++) {
        federation f;
        federation_spec spec = {.device_count = n, .max_dropout = 200, .bits = widths[n % 4]};
        spec.seed = n;
        spec.dims = n % 2 ? 64 : 1024;
        federation_init(&f, &spec);
        assert_int_equal(federation_run(&f), TACIT_OK);
        assert_exact_sum(&f);
        cohort_report report;
        cohort_report_get(f.cohort, &report);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t digest[TACIT_HASH_LEN];
            assert_int_equal(tacit_secagg_phase(f.devices[i].machine), TACIT_PHASE_DONE);
            assert_int_equal(tacit_secagg_survivors(f.devices[i].machine, digest), n);
            assert_memory_equal(digest, report.sum_digest, TACIT_HASH_LEN);
            assert_false(federation_secrets_left(&f.devices[i]));
        }
        federation_free(&f);
    }
}

/* Two devices vanish, before each pair of phases. Their updates count exactly when their vectors
 * came; the others never notice. */
static void test_sums_with_dropouts(void **state) {
    (void)state;
    for (int a = TACIT_PHASE_JOIN; a <= TACIT_PHASE_REVEAL; a++) {
        for (int b = a; b <= TACIT_PHASE_REVEAL; b++) {
            federation f;
            federation_init(&f, &nine);
            f.devices[1].vanish = (tacit_phase)a;
            f.devices[6].vanish = (tacit_phase)b;
            assert_int_equal(federation_run(&f), TACIT_OK);
            assert_int_equal(federation_survived(&f, &f.devices[1]), a > TACIT_PHASE_MASK);
            assert_int_equal(federation_survived(&f, &f.devices[6]), b > TACIT_PHASE_MASK);
            assert_exact_sum(&f);
            for (uint32_t i = 0; i < f.device_count; i++) {
                assert_int_equal(f.devices[i].status, TACIT_OK);
                assert_false(federation_secrets_left(&f.devices[i]));
            }
            federation_free(&f);
        }
    }
}

/* C5: below n_min nothing is revealed, by anyone. */
static void test_too_many_dropouts(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_SHARE; phase <= TACIT_PHASE_MASK; phase++) {
        federation f;
        federation_init(&f, &nine);
        for (uint32_t i = 0; i < 3; i++) f.devices[i].vanish = (tacit_phase)phase;
        assert_int_not_equal(federation_run(&f), TACIT_OK);
        cohort_report report;
        cohort_report_get(f.cohort, &report);
        assert_int_equal(report.sent[COHORT_REVEAL], 0);
        for (uint32_t i = 3; i < f.device_count; i++)
            assert_true(tacit_secagg_phase(f.devices[i].machine) < TACIT_PHASE_REVEAL ||
                        tacit_secagg_phase(f.devices[i].machine) == TACIT_PHASE_LEFT);
        federation_free(&f);
    }
}

/* ---- reveal ---------------------------------------------------------------------------------- */

/* Section C: share of b_j when j is in U3, else of s_j; j in U2, never own, never both, ascending.
 * Device 8 has no seat in U2, device 7 none in U3. */
static void test_reveals_one_kind(void **state) {
    (void)state;
    attack_scene s;
    attack_messages m = {0};
    const tacit_phase gone[9] = {6, 6, 6, 6, 6, 6, 6, TACIT_PHASE_MASK, TACIT_PHASE_SHARE};
    attack_scene_make(&s, &nine, gone, TACIT_PHASE_AGREE);
    assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
    assert_int_equal(federation_request(&s.f, s.victim, &s.f.request), TACIT_OK);
    attack_parse(&m, s.f.request.data, s.f.request.len);
    assert_int_equal(m.items[0].which_body, tacit_Message_reveal_tag);
    assert_int_equal(m.items[0].body.reveal.index, s.index);
    assert_int_equal(m.items[0].body.reveal.count, 7);
    assert_int_equal(m.count, 8);
    uint32_t at = 1;
    for (uint32_t i = 0; i < s.n; i++) {
        if (i == s.index || !tacit_bit_get(s.u2, i)) continue;
        const tacit_RevealedShare *share = &m.items[at++].body.revealed;
        assert_int_equal(share->owner, i);
        assert_int_equal(share->kind, tacit_bit_get(s.u3, i) ? TACIT_KIND_B : TACIT_KIND_S);
    }
    /* C4: nothing that was revealed, and nothing else, is left. */
    assert_false(federation_secrets_left(s.victim));
    const uint8_t *memory = (const uint8_t *)s.victim->memory;
    for (uint32_t k = 1; k < m.count; k++)
        for (size_t b = 0; b + 8 <= s.victim->memory_len; b++)
            assert_int_not_equal(memcmp(memory + b, m.items[k].body.revealed.key, 8), 0);
    attack_messages_free(&m);
    attack_scene_free(&s);
}

/* H1: a ciphertext that is missing or does not open changes nothing of the masks (the sum stays
 * exact) and leaves nothing to reveal of its kind. */
static void test_unopened_ciphertexts(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        attack_scene s;
        attack_messages m = {0};
        uint32_t at;
        attack_scene_make(&s, &nine, NULL, TACIT_PHASE_SHARE);
        uint32_t peer = s.messages.items[4].body.sealed.peer;
        if (kind == 0) s.messages.items[4].body.sealed.box_b[20] ^= 1;
        if (kind == 1) s.messages.items[4].body.sealed.box_s[20] ^= 1;
        if (kind == 2) {
            attack_remove(&s.messages, 4);
            s.messages.items[0].body.share_answer.count--;
        }
        for (uint32_t i = 1; i < 9; i++) {
            federation_device *d = &s.f.devices[i];
            assert_int_equal(federation_collect(&s.f, d, &s.f.answer), TACIT_OK);
            assert_int_equal(federation_deliver(&s.f, d, &s.f.answer), TACIT_OK);
        }
        assert_int_equal(attack_deliver(s.victim, &s.messages, s.f.now_s, &at), TACIT_OK);
        while (tacit_secagg_phase(s.victim->machine) < TACIT_PHASE_REVEAL) federation_phase(&s.f);
        for (uint32_t i = 0; i < 9; i++)
            assert_int_equal(federation_send(&s.f, &s.f.devices[8 - i]), TACIT_OK);
        attack_parse(&m, s.f.request.data, s.f.request.len); /* device 0 was last */
        bool revealed = false;
        for (uint32_t k = 1; k < m.count; k++) revealed |= m.items[k].body.revealed.owner == peer;
        assert_int_equal(revealed, kind == 1); /* it survived: only its b is asked for */
        federation_close(&s.f);
        assert_int_equal(cohort_phase_now(s.f.cohort), COHORT_DONE);
        assert_exact_sum(&s.f);
        attack_messages_free(&m);
        attack_scene_free(&s);
    }
}

/* ---- binding ----------------------------------------------------------------------------------
 */

/* H2, H3: the share message is signed under the session that binds the roster root. */
static void test_share_is_bound_to_the_root(void **state) {
    (void)state;
    for (int altered = 0; altered < 2; altered++) {
        attack_scene s;
        attack_messages m = {0};
        tacit_hash h;
        uint8_t body[TACIT_HASH_LEN];
        tacit_statement statement;
        attack_scene_make(&s, &nine, NULL, TACIT_PHASE_JOIN);
        assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
        assert_int_equal(federation_request(&s.f, s.victim, &s.f.request), TACIT_OK);
        attack_parse(&m, s.f.request.data, s.f.request.len);
        tacit_share_body_init(&h, m.items[0].body.share.count);
        for (uint32_t k = 1; k < m.count; k++) {
            const tacit_SealedShares *box = &m.items[k].body.sealed;
            tacit_share_body_add(&h, box->peer, box->box_s, box->box_b);
        }
        tacit_hash_end(&h, body);
        if (altered) {
            s.messages.items[0].body.roster.merkle_root[0] ^= 1;
            attack_session(&s.f, s.session, &s.messages.items[0].body.roster);
        }
        tacit_statement_phase(&statement, TACIT_LABEL_SHARE, s.session, 0, s.index, body);
        assert_int_equal(tacit_statement_verify(m.items[0].body.share.signature, &statement,
                                                s.victim->device_key),
                         altered ? TACIT_BAD_SIGNATURE : TACIT_OK);
        attack_messages_free(&m);
        attack_scene_free(&s);
    }
}

/* ---- low-order keys (H2) --------------------------------------------------------------------- */

/* A neighbour whose channel or mask key is a point of low order ends the cohort at the roster,
 * before anything is dealt, charged or sent. */
static void test_low_order_keys(void **state) {
    (void)state;
    static const uint8_t points[3][TACIT_KEY_LEN] = {
        {0}, {1}, {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                   0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                   0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}};
    for (int c = 0; c < 6; c++) {
        federation f;
        attack_roster roster;
        attack_messages m = {0};
        uint32_t at;
        federation_init_devices(&f, &nine);
        federation_device *d = &f.devices[0];
        attack_roster_make(&roster, &f, 0, 9);
        uint32_t evil = attack_roster_index(&roster, &f.devices[1]);
        tacit_join *join = &roster.joins[evil];
        memcpy(c < 3 ? join->channel_key : join->mask_key, points[c % 3], TACIT_KEY_LEN);
        attack_sign_join(&f, join, roster.secrets[evil]);
        attack_roster_answer(&roster, &m, &f, d);
        assert_int_equal(attack_deliver(d, &m, f.now_s, &at), TACIT_BAD_KEY);
        assert_int_equal(tacit_secagg_phase(d->machine), TACIT_PHASE_LEFT);
        assert_false(federation_secrets_left(d));
        attack_messages_free(&m);
        attack_roster_free(&roster);
        federation_free(&f);
    }
}

/* ---- small things ---------------------------------------------------------------------------- */

/* C5: mu / h of the roster seen, rounded up. C4: evidence over root, U2 and U3. */
static void test_noise_share_and_evidence(void **state) {
    (void)state;
    attack_scene s;
    uint64_t variance;
    uint8_t evidence[TACIT_HASH_LEN], expected[TACIT_HASH_LEN], digest[2][TACIT_HASH_LEN];
    attack_scene_make(&s, &nine, NULL, TACIT_PHASE_SHARE);
    assert_int_equal(tacit_secagg_noise_share(s.victim->machine, &variance), TACIT_WRONG_PHASE);
    assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
    assert_int_equal(tacit_secagg_noise_share(s.victim->machine, &variance), TACIT_OK);
    assert_int_equal(variance, (1000 + 6) / 7);
    assert_int_equal(tacit_secagg_evidence(s.victim->machine, evidence), TACIT_WRONG_PHASE);
    attack_scene_free(&s);
    const tacit_phase gone[9] = {6, 6, 6, 6, 6, 6, 6, 6, TACIT_PHASE_MASK};
    attack_scene_make(&s, &nine, gone, TACIT_PHASE_MASK);
    assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
    assert_int_equal(tacit_secagg_evidence(s.victim->machine, evidence), TACIT_OK);
    cohort_report report;
    cohort_report_get(s.f.cohort, &report);
    tacit_bitmap_digest(digest[0], s.u2, s.n);
    tacit_bitmap_digest(digest[1], s.u3, s.n);
    tacit_evidence(expected, report.root, digest[0], digest[1]);
    assert_memory_equal(evidence, expected, sizeof expected);
    attack_scene_free(&s);
}

/* After a 202 the device asks again with a signed header; the server knows it by that, in each
 * phase, and no other phase's header will do. */
static void test_poll(void **state) {
    (void)state;
    char poll[2 * TACIT_POLL_MAX + 1];
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++) {
        attack_scene s;
        uint32_t slot = UINT32_MAX;
        attack_scene_make(&s, &nine, NULL, (tacit_phase)phase);
        assert_int_equal(tacit_secagg_poll(s.victim->machine, poll), TACIT_OK);
        assert_int_equal(cohort_poll(s.f.cohort, &slot, (cohort_phase)phase, poll), TACIT_OK);
        assert_int_equal(slot, s.victim->slot);
        for (int other = TACIT_PHASE_JOIN; other <= phase; other++)
            if (other != phase)
                assert_int_not_equal(cohort_poll(s.f.cohort, &slot, (cohort_phase)other, poll),
                                     TACIT_OK);
        poll[strlen(poll) - 1] = poll[strlen(poll) - 1] == '0' ? '1' : '0';
        assert_int_not_equal(cohort_poll(s.f.cohort, &slot, (cohort_phase)phase, poll), TACIT_OK);
        /* asking does not disturb the answer */
        assert_int_equal(federation_deliver(&s.f, s.victim, &s.f.answer), TACIT_OK);
        attack_scene_free(&s);
    }
}

static void test_init_arguments(void **state) {
    (void)state;
    federation f;
    federation_device d = {0};
    tacit_secagg *machine = NULL;
    tacit_secagg_params params;
    federation_init_plan(&f, &nine);
    federation_device_enrol(&f, &d, TACIT_CLASS_ACCOUNT, UINT64_MAX);
    federation_params_of(&f, &d, &params);
    size_t len = tacit_secagg_len(&f.plan);
    uint8_t *mem = (uint8_t *)aligned_alloc(64, (len + 128) / 64 * 64);
    assert_non_null(mem);
    assert_int_equal(tacit_secagg_init(&machine, mem, len - 1, &params), TACIT_NO_SPACE);
    assert_int_equal(tacit_secagg_init(&machine, mem + 8, len, &params), TACIT_INVALID_ARGUMENT);
    assert_null(machine);
    assert_int_equal(tacit_secagg_init(&machine, mem + 16, len, &params), TACIT_OK);
    assert_int_equal(tacit_secagg_phase(machine), TACIT_PHASE_JOIN);
    uint8_t id[TACIT_HASH_LEN];
    tacit_secagg_id(machine, id);
    assert_memory_equal(id, d.id, sizeof id);
    free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_without_dropouts),
        cmocka_unit_test(test_sums_with_dropouts),
        cmocka_unit_test(test_too_many_dropouts),
        cmocka_unit_test(test_reveals_one_kind),
        cmocka_unit_test(test_unopened_ciphertexts),
        cmocka_unit_test(test_share_is_bound_to_the_root),
        cmocka_unit_test(test_low_order_keys),
        cmocka_unit_test(test_noise_share_and_evidence),
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_init_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
