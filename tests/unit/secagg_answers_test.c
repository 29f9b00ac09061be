/* SPDX-License-Identifier: Apache-2.0
 * secagg_answers_test.c - the answers of share, mask, agree and reveal under attack: an honest
 * cohort is run up to one answer, one thing in it is changed and, where a signature would notice,
 * signed again with the phase key, so that the deeper check is what refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/federation_attack.h"

/* Nine devices, two may drop: n_min 7, eight neighbours each, t_v 5. Device 8 is gone before share,
 * device 7 before mask: |U2| = 8, |U3| = 7, and every count the rules ask for is met exactly. */
enum { N = 9, N_MIN = 7, T_V = 5, NO_SHARE = 8, NO_MASK = 7 };
static const federation_spec nine = {.device_count = N, .max_dropout = 230, .seed = 7};
static const tacit_phase gone[N] = {FEDERATION_NEVER, FEDERATION_NEVER, FEDERATION_NEVER,
                                    FEDERATION_NEVER, FEDERATION_NEVER, FEDERATION_NEVER,
                                    FEDERATION_NEVER, TACIT_PHASE_MASK, TACIT_PHASE_SHARE};

static void refused(attack_scene *s, uint32_t at, tacit_status status) {
    attack_refused(s->victim, &s->messages, s->f.now_s, at, status);
    attack_scene_free(s);
}

static void accepted(attack_scene *s) {
    uint32_t at;
    assert_int_equal(attack_deliver(s->victim, &s->messages, s->f.now_s, &at), TACIT_OK);
    assert_int_equal(tacit_secagg_phase(s->victim->machine), s->phase + 1);
    attack_scene_free(s);
}

static uint32_t index_of(const attack_scene *s, uint32_t device) {
    return cohort_slot_index(s->f.cohort, s->f.devices[device].slot);
}

/* The first roster index from `from` on that is in the bitmap and not the victim's. */
static uint32_t member(const attack_scene *s, const uint8_t *bitmap, uint32_t from) {
    for (uint32_t i = from; i < s->n; i++)
        if (i != s->index && tacit_bit_get(bitmap, i)) return i;
    fail_msg("no such member");
    return 0;
}

static void bit_clear(uint8_t *bitmap, uint32_t i) {
    bitmap[i >> 3] = (uint8_t)(bitmap[i >> 3] & ~(1u << (i & 7)));
}

/* ---- U2 (H1) --------------------------------------------------------------------------------- */

static tacit_ShareAnswer *share_answer(attack_scene *s) {
    return &s->messages.items[0].body.share_answer;
}

static void make_share(attack_scene *s) { attack_scene_make(s, &nine, gone, TACIT_PHASE_SHARE); }

static void sign_u2(attack_scene *s) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_bitmap_digest(digest, share_answer(s)->u2.bytes, s->n);
    attack_sign_phase(&s->f, share_answer(s)->signature, TACIT_LABEL_SHARE_ANSWER, s->session,
                      s->index, digest);
}

static void test_u2_honest(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    assert_int_equal(tacit_bitmap_count(s.u2, N), 8);
    assert_int_equal(share_answer(&s)->count, 7);
    accepted(&s);
}

/* H1: the server's signature is verified before the bitmap is looked at. */
static void test_u2_signature_first(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    share_answer(&s)->u2.bytes[1] |= 0x80; /* bad form too */
    refused(&s, 0, TACIT_BAD_SIGNATURE);
    make_share(&s);
    share_answer(&s)->signature[9] ^= 1;
    refused(&s, 0, TACIT_BAD_SIGNATURE);
}

/* H2: the statement names phase, session and receiver. */
static void test_u2_statement(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        attack_scene s;
        uint8_t digest[TACIT_HASH_LEN];
        make_share(&s);
        tacit_bitmap_digest(digest, s.u2, s.n);
        attack_sign_phase(&s.f, share_answer(&s)->signature,
                          kind == 0 ? TACIT_LABEL_MASK_ANSWER : TACIT_LABEL_SHARE_ANSWER,
                          kind == 1 ? s.session2 : s.session,
                          kind == 2 ? member(&s, s.u2, 0) : s.index, digest);
        refused(&s, 0, TACIT_BAD_SIGNATURE);
    }
}

/* H1: ceil(n / 8) bytes, spare bits zero. */
static void test_u2_form(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    share_answer(&s)->u2.size = 3;
    refused(&s, 0, TACIT_BAD_BITMAP);
    make_share(&s);
    share_answer(&s)->u2.size = 1;
    refused(&s, 0, TACIT_BAD_BITMAP);
    make_share(&s);
    share_answer(&s)->u2.bytes[1] |= 0x40; /* a phantom seat */
    sign_u2(&s);
    refused(&s, 0, TACIT_BAD_BITMAP);
}

static void test_u2_without_self(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    bit_clear(share_answer(&s)->u2.bytes, s.index);
    sign_u2(&s);
    refused(&s, 0, TACIT_BAD_BITMAP);
}

/* H1: popcount(U2) >= n_min; five live neighbours would still satisfy t_v. */
static void test_u2_too_few(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    uint8_t *u2 = share_answer(&s)->u2.bytes;
    bit_clear(u2, member(&s, u2, 0));
    bit_clear(u2, member(&s, u2, 0));
    assert_int_equal(tacit_bitmap_count(u2, N), N_MIN - 1);
    sign_u2(&s);
    refused(&s, 0, TACIT_TOO_FEW);
}

/* ---- ciphertexts ----------------------------------------------------------------------------- */

/* M12: no more than one pair per neighbour is announced. */
static void test_sealed_count(void **state) {
    (void)state;
    attack_scene s;
    make_share(&s);
    share_answer(&s)->count = N;
    refused(&s, 0, TACIT_BAD_MESSAGE);
    make_share(&s); /* fewer than announced */
    attack_remove(&s.messages, s.messages.count - 1);
    refused(&s, s.messages.count, TACIT_TRUNCATED);
    make_share(&s); /* more than announced */
    share_answer(&s)->count--;
    refused(&s, s.messages.count - 1, TACIT_BAD_MESSAGE);
}

/* Section C: shares come from neighbours in U2, ascending, each once; never from outside U2 and
 * never from the device itself. */
static void test_sealed_senders(void **state) {
    (void)state;
    attack_scene s;
    for (int own = 0; own < 2; own++) {
        make_share(&s);
        uint32_t peer = own ? s.index : index_of(&s, NO_SHARE), at = 1;
        while (at < s.messages.count && s.messages.items[at].body.sealed.peer < peer) at++;
        attack_insert(&s.messages, at);
        s.messages.items[at] = s.messages.items[at > 1 ? at - 1 : at + 1];
        s.messages.items[at].body.sealed.peer = peer;
        share_answer(&s)->count++;
        refused(&s, at, TACIT_BAD_MESSAGE);
    }
    make_share(&s); /* one sender twice */
    attack_insert(&s.messages, 2);
    s.messages.items[2] = s.messages.items[1];
    share_answer(&s)->count++;
    refused(&s, 2, TACIT_BAD_MESSAGE);
    make_share(&s);
    attack_swap(&s.messages, 1, 2);
    refused(&s, 2, TACIT_BAD_MESSAGE);
}

/* ---- U3 (H1) --------------------------------------------------------------------------------- */

static tacit_MaskAnswer *mask_answer(attack_scene *s) {
    return &s->messages.items[0].body.mask_answer;
}

static void make_mask(attack_scene *s) { attack_scene_make(s, &nine, gone, TACIT_PHASE_MASK); }

static void sign_u3(attack_scene *s) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_bitmap_digest(digest, mask_answer(s)->u3.bytes, s->n);
    attack_sign_phase(&s->f, mask_answer(s)->signature, TACIT_LABEL_MASK_ANSWER, s->session2,
                      s->index, digest);
}

static void test_u3_honest(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    assert_int_equal(tacit_bitmap_count(s.u3, N), N_MIN);
    accepted(&s);
}

static void test_u3_signature_first(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    mask_answer(&s)->u3.bytes[1] |= 0x80;
    refused(&s, 0, TACIT_BAD_SIGNATURE);
    for (int kind = 0; kind < 3; kind++) {
        uint8_t digest[TACIT_HASH_LEN];
        make_mask(&s);
        tacit_bitmap_digest(digest, s.u3, s.n);
        attack_sign_phase(&s.f, mask_answer(&s)->signature,
                          kind == 0 ? TACIT_LABEL_SHARE_ANSWER : TACIT_LABEL_MASK_ANSWER,
                          kind == 1 ? s.session : s.session2,
                          kind == 2 ? member(&s, s.u3, 0) : s.index, digest);
        refused(&s, 0, TACIT_BAD_SIGNATURE);
    }
}

static void test_u3_form(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    mask_answer(&s)->u3.size = 1;
    refused(&s, 0, TACIT_BAD_BITMAP);
    make_mask(&s);
    mask_answer(&s)->u3.bytes[1] |= 0x02;
    sign_u3(&s);
    refused(&s, 0, TACIT_BAD_BITMAP);
}

/* H1: U3 is a subset of U2. The phantom replaces nobody, so every count is met. */
static void test_u3_outside_u2(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    tacit_bit_set(mask_answer(&s)->u3.bytes, index_of(&s, NO_SHARE));
    sign_u3(&s);
    refused(&s, 0, TACIT_BAD_BITMAP);
}

static void test_u3_without_self(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    bit_clear(mask_answer(&s)->u3.bytes, s.index);
    tacit_bit_set(mask_answer(&s)->u3.bytes, index_of(&s, NO_MASK));
    sign_u3(&s);
    refused(&s, 0, TACIT_BAD_BITMAP);
}

static void test_u3_too_few(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    bit_clear(mask_answer(&s)->u3.bytes, member(&s, s.u3, 0));
    sign_u3(&s);
    refused(&s, 0, TACIT_TOO_FEW);
}

/* C4: one U3; a second one in the same answer is refused. */
static void test_u3_once(void **state) {
    (void)state;
    attack_scene s;
    make_mask(&s);
    attack_insert(&s.messages, 1);
    s.messages.items[1] = s.messages.items[0];
    refused(&s, 1, TACIT_BAD_MESSAGE);
}

/* ---- agree ----------------------------------------------------------------------------------- */

static tacit_AgreeAnswer *agree_answer(attack_scene *s) {
    return &s->messages.items[0].body.agree_answer;
}

static void make_agree(attack_scene *s) { attack_scene_make(s, &nine, gone, TACIT_PHASE_AGREE); }

/* A device's signature over U3 as it should be, or over something else. */
static void sign_agree(const attack_scene *s, tacit_AgreeSignature *m, uint32_t index,
                       const federation_device *signer, const uint8_t *session, const uint8_t *u3) {
    uint8_t digest[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_bitmap_digest(digest, u3, s->n);
    tacit_statement_phase(&statement, TACIT_LABEL_AGREE, session, 0, index, digest);
    tacit_statement_sign(m->signature, &statement, signer->device_secret);
    m->index = index;
}

/* Puts a signature in its ascending place; counts it. */
static uint32_t add_agree(attack_scene *s, uint32_t index, const federation_device *signer) {
    uint32_t at = 1;
    while (at < s->messages.count && s->messages.items[at].body.agree_signature.index < index) at++;
    tacit_Message *m = attack_insert(&s->messages, at);
    m->which_body = tacit_Message_agree_signature_tag;
    sign_agree(s, &m->body.agree_signature, index, signer, s->session2, s->u3);
    agree_answer(s)->count++;
    return at;
}

/* Exactly t_v are enough. */
static void test_agree_honest(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    assert_int_equal(agree_answer(&s)->count, N_MIN - 1);
    accepted(&s);
    make_agree(&s);
    attack_remove(&s.messages, 1);
    agree_answer(&s)->count = T_V;
    accepted(&s);
}

static void test_agree_server_signature(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    agree_answer(&s)->signature[0] ^= 1;
    refused(&s, 0, TACIT_BAD_SIGNATURE);
    make_agree(&s); /* the server speaks of another U3 than it showed this device */
    uint8_t digest[TACIT_HASH_LEN];
    tacit_bitmap_digest(digest, s.u2, s.n);
    attack_sign_phase(&s.f, agree_answer(&s)->signature, TACIT_LABEL_AGREE_ANSWER, s.session2,
                      s.index, digest);
    refused(&s, 0, TACIT_BAD_SIGNATURE);
}

/* Section C: at least t_v of the verifier. */
static void test_agree_too_few(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    attack_remove(&s.messages, 1);
    attack_remove(&s.messages, 1);
    agree_answer(&s)->count = T_V - 1;
    refused(&s, 0, TACIT_TOO_FEW);
    make_agree(&s); /* announced, not given */
    attack_remove(&s.messages, 1);
    attack_remove(&s.messages, 1);
    agree_answer(&s)->count = T_V;
    refused(&s, T_V, TACIT_TRUNCATED);
    make_agree(&s); /* more announced than there are neighbours */
    agree_answer(&s)->count = N;
    refused(&s, 0, TACIT_BAD_MESSAGE);
}

/* Section C: own signature does not count. */
static void test_agree_own_not_counted(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    attack_remove(&s.messages, 1);
    attack_remove(&s.messages, 1);
    agree_answer(&s)->count = T_V - 1;
    refused(&s, add_agree(&s, s.index, s.victim), TACIT_BAD_MESSAGE);
}

/* Distinct neighbours: one signature does not count twice. */
static void test_agree_distinct(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    s.messages.items[2] = s.messages.items[1];
    refused(&s, 2, TACIT_BAD_MESSAGE);
    make_agree(&s);
    attack_swap(&s.messages, 1, 2);
    refused(&s, 2, TACIT_BAD_MESSAGE);
}

/* Only neighbours in U3: a device that shared but was declared gone has nothing to say. */
static void test_agree_outside_u3(void **state) {
    (void)state;
    attack_scene s;
    make_agree(&s);
    uint32_t at = add_agree(&s, index_of(&s, NO_MASK), &s.f.devices[NO_MASK]);
    refused(&s, at, TACIT_BAD_MESSAGE);
}

/* H1, section C: over own session2 and own U3, by that neighbour's key. */
static void test_agree_statements(void **state) {
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        attack_scene s;
        make_agree(&s);
        tacit_AgreeSignature *m = &s.messages.items[3].body.agree_signature;
        const federation_device *d = attack_device_at(&s, m->index);
        const federation_device *other =
            attack_device_at(&s, s.messages.items[2].body.agree_signature.index);
        if (kind == 0) m->signature[11] ^= 1;
        if (kind == 1) sign_agree(&s, m, m->index, d, s.session2, s.u2); /* another U3 */
        if (kind == 2) sign_agree(&s, m, m->index, d, s.session, s.u3);  /* another U2 */
        if (kind == 3) sign_agree(&s, m, m->index, other, s.session2, s.u3);
        refused(&s, 3, TACIT_BAD_SIGNATURE);
    }
}

/* ---- receipt --------------------------------------------------------------------------------- */

static void make_reveal(attack_scene *s) { attack_scene_make(s, &nine, gone, TACIT_PHASE_REVEAL); }

static void sign_receipt(attack_scene *s, const uint8_t *u3) {
    tacit_Receipt *m = &s->messages.items[0].body.receipt;
    uint8_t digest[TACIT_HASH_LEN], body[TACIT_HASH_LEN];
    tacit_bitmap_digest(digest, u3, s->n);
    tacit_receipt_body(body, digest, m->survivors, m->sum_digest);
    attack_sign_phase(&s->f, m->signature, TACIT_LABEL_REVEAL_ANSWER, s->session2, s->index, body);
}

static void test_receipt(void **state) {
    (void)state;
    attack_scene s;
    make_reveal(&s);
    accepted(&s);
    make_reveal(&s);
    s.messages.items[0].body.receipt.sum_digest[0] ^= 1;
    refused(&s, 0, TACIT_BAD_SIGNATURE);
    make_reveal(&s); /* about another U3 */
    sign_receipt(&s, s.u2);
    refused(&s, 0, TACIT_BAD_SIGNATURE);
    make_reveal(&s); /* another number of survivors than this device signed */
    s.messages.items[0].body.receipt.survivors++;
    sign_receipt(&s, s.u3);
    refused(&s, 0, TACIT_BAD_MESSAGE);
    make_reveal(&s);
    s.messages.count = 0;
    refused(&s, 0, TACIT_TRUNCATED);
}

/* ---- every phase ----------------------------------------------------------------------------- */

/* A message of another phase, a half message and a message of no sense end the cohort in each
 * phase. */
static void test_alien_messages(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_JOIN; phase <= TACIT_PHASE_REVEAL; phase++) {
        attack_scene s;
        attack_scene_make(&s, &nine, gone, (tacit_phase)phase);
        tacit_wire_problem(&s.messages.items[0], TACIT_ABORTED, "no");
        refused(&s, 0, TACIT_BAD_MESSAGE);

        attack_scene_make(&s, &nine, gone, (tacit_phase)phase);
        const uint8_t half[2] = {100, 1};
        assert_int_equal(tacit_secagg_answer(s.victim->machine, half, 2), TACIT_OK);
        assert_int_equal(tacit_secagg_answer_end(s.victim->machine, s.f.now_s), TACIT_TRUNCATED);
        assert_false(federation_secrets_left(s.victim));
        attack_scene_free(&s);

        attack_scene_make(&s, &nine, gone, (tacit_phase)phase); /* behind a complete answer */
        const federation_bytes *whole = &s.f.answer;
        assert_int_equal(tacit_secagg_answer(s.victim->machine, whole->data, whole->len), TACIT_OK);
        assert_int_equal(tacit_secagg_answer(s.victim->machine, half, 2), TACIT_OK);
        assert_int_equal(tacit_secagg_answer_end(s.victim->machine, s.f.now_s), TACIT_TRUNCATED);
        attack_scene_free(&s);

        attack_scene_make(&s, &nine, gone, (tacit_phase)phase);
        const uint8_t zeros[4] = {0};
        assert_int_equal(tacit_secagg_answer(s.victim->machine, zeros, 4), TACIT_TOO_LARGE);
        assert_int_equal(tacit_secagg_phase(s.victim->machine), TACIT_PHASE_LEFT);
        assert_false(federation_secrets_left(s.victim));
        attack_scene_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u2_honest),
        cmocka_unit_test(test_u2_signature_first),
        cmocka_unit_test(test_u2_statement),
        cmocka_unit_test(test_u2_form),
        cmocka_unit_test(test_u2_without_self),
        cmocka_unit_test(test_u2_too_few),
        cmocka_unit_test(test_sealed_count),
        cmocka_unit_test(test_sealed_senders),
        cmocka_unit_test(test_u3_honest),
        cmocka_unit_test(test_u3_signature_first),
        cmocka_unit_test(test_u3_form),
        cmocka_unit_test(test_u3_outside_u2),
        cmocka_unit_test(test_u3_without_self),
        cmocka_unit_test(test_u3_too_few),
        cmocka_unit_test(test_u3_once),
        cmocka_unit_test(test_agree_honest),
        cmocka_unit_test(test_agree_server_signature),
        cmocka_unit_test(test_agree_too_few),
        cmocka_unit_test(test_agree_own_not_counted),
        cmocka_unit_test(test_agree_distinct),
        cmocka_unit_test(test_agree_outside_u3),
        cmocka_unit_test(test_agree_statements),
        cmocka_unit_test(test_receipt),
        cmocka_unit_test(test_alien_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
