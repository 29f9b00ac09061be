/* SPDX-License-Identifier: Apache-2.0
 * transcript_test.c - every statement, body and session against tests/vectors/transcript.txt, which
 * other code made; every input changes the result; sealed shares open for their receiver,
 * direction, kind and session alone. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/transcript.h"
#include "tests/support/format_samples.h"
#include "tests/support/named_vectors.h"

#define FILE_NAME "transcript.txt"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct {
    uint8_t b[TACIT_HASH_LEN];
} hash;

static hash filled(uint8_t seed) {
    hash h;
    FILL(h.b, seed);
    return h;
}

static void expect(const char *name, const uint8_t *digest) {
    named_expect(FILE_NAME, name, digest, TACIT_HASH_LEN);
}

static void expect_statement(const char *shape, const char *label, const tacit_statement *s) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", shape, label);
    named_expect(FILE_NAME, name, s->bytes, s->len);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void statements_equal_the_vectors(void **state) {
    (void)state;
    static const struct {
        tacit_label label;
        const char *name;
    } digests[] = {{TACIT_LABEL_PLAN, "plan"},
                   {TACIT_LABEL_MODEL, "model"},
                   {TACIT_LABEL_CERT, "cert"}},
      joins[] = {{TACIT_LABEL_JOIN, "join"},
                 {TACIT_LABEL_JOIN_ANSWER, "join-answer"},
                 {TACIT_LABEL_POLL, "poll"}},
      phases[] = {{TACIT_LABEL_SHARE, "share"},
                  {TACIT_LABEL_MASK, "mask"},
                  {TACIT_LABEL_AGREE, "agree"},
                  {TACIT_LABEL_REVEAL, "reveal"},
                  {TACIT_LABEL_JOIN_ANSWER, "join-answer"},
                  {TACIT_LABEL_SHARE_ANSWER, "share-answer"},
                  {TACIT_LABEL_MASK_ANSWER, "mask-answer"},
                  {TACIT_LABEL_AGREE_ANSWER, "agree-answer"},
                  {TACIT_LABEL_REVEAL_ANSWER, "reveal-answer"},
                  {TACIT_LABEL_POLL, "poll"}};
    tacit_statement s;
    for (size_t i = 0; i < COUNT(digests); i++) {
        tacit_statement_digest(&s, digests[i].label, filled(1).b);
        expect_statement("statement_digest", digests[i].name, &s);
    }
    for (size_t i = 0; i < COUNT(joins); i++) {
        tacit_statement_join(&s, joins[i].label, filled(2).b, filled(3).b, 0x01020304, filled(4).b,
                             filled(5).b);
        expect_statement("statement_join", joins[i].name, &s);
    }
    for (size_t i = 0; i < COUNT(phases); i++) {
        tacit_statement_phase(&s, phases[i].label, filled(6).b, 0x01020304, 9999, filled(7).b);
        expect_statement("statement_phase", phases[i].name, &s);
    }
}

/* No label is so long that a statement would not fit. */
static void every_label_fits_a_statement(void **state) {
    (void)state;
    for (int label = 0; label < TACIT_LABEL_COUNT; label++) {
        tacit_statement s;
        tacit_statement_join(&s, (tacit_label)label, filled(1).b, filled(2).b, 3, filled(4).b,
                             filled(5).b);
        size_t text = strlen(tacit_label_text((tacit_label)label));
        assert_int_equal(s.len, 1 + text + 2 * TACIT_HASH_LEN + 4 + 2 * TACIT_HASH_LEN);
        assert_true(s.len <= TACIT_STATEMENT_MAX);
    }
}

static void signatures_bind_every_byte(void **state) {
    (void)state;
    uint8_t pk[TACIT_KEY_LEN], sk[TACIT_SIGN_SECRET_LEN], sig[TACIT_SIG_LEN];
    sample_keys(pk, sk);
    expect("public_key", pk);
    tacit_statement s;
    tacit_statement_digest(&s, TACIT_LABEL_PLAN, filled(1).b);
    tacit_statement_sign(sig, &s, sk);
    named_expect(FILE_NAME, "statement_signature", sig, sizeof sig);
    assert_int_equal(tacit_statement_verify(sig, &s, pk), TACIT_OK);
    for (size_t i = 0; i < s.len; i++) {
        s.bytes[i] ^= 1;
        assert_int_equal(tacit_statement_verify(sig, &s, pk), TACIT_BAD_SIGNATURE);
        s.bytes[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof sig; i++) {
        sig[i] ^= 0x10;
        assert_int_equal(tacit_statement_verify(sig, &s, pk), TACIT_BAD_SIGNATURE);
        sig[i] ^= 0x10;
    }
    s.len--;
    assert_int_equal(tacit_statement_verify(sig, &s, pk), TACIT_BAD_SIGNATURE);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

static void join_equals_the_vectors(void **state) {
    (void)state;
    tacit_join join;
    uint8_t out[TACIT_HASH_LEN];
    sample_join(&join);
    tacit_join_body(out, &join, filled(16).b);
    expect("join_body", out);
    tacit_join_leaf(out, &join);
    expect("join_leaf", out);
}

static void bodies_equal_the_vectors(void **state) {
    (void)state;
    uint8_t boxes[4][TACIT_SEALED_SHARE_LEN], keys[2][TACIT_KEY_LEN], packed[40];
    uint8_t out[TACIT_HASH_LEN];
    const uint8_t bitmap[2] = {0xA5, 0x15};
    for (uint8_t i = 0; i < 4; i++) FILL(boxes[i], (uint8_t)(20 + i));
    for (uint8_t i = 0; i < 2; i++) FILL(keys[i], (uint8_t)(25 + i));

    tacit_hash h;
    tacit_share_body_init(&h, 2);
    tacit_share_body_add(&h, 3, boxes[0], boxes[1]);
    tacit_share_body_add(&h, 900, boxes[2], boxes[3]);
    tacit_hash_end(&h, out);
    expect("share_body", out);

    tacit_reveal_body_init(&h, filled(24).b, 2);
    tacit_reveal_body_add(&h, 5, TACIT_KIND_B, keys[0]);
    tacit_reveal_body_add(&h, 6, TACIT_KIND_S, keys[1]);
    tacit_hash_end(&h, out);
    expect("reveal_body", out);

    tacit_receipt_body(out, filled(27).b, 77, filled(28).b);
    expect("receipt_body", out);
    tacit_bitmap_digest(out, bitmap, 13);
    expect("bitmap_digest", out);
    FILL(packed, 29);
    tacit_sum_digest(out, 77, 20, 16, packed, sizeof packed);
    expect("sum_digest", out);
    FILL(packed, 30);
    tacit_hash_of(out, TACIT_LABEL_VECTOR, packed, sizeof packed);
    expect("vector_digest", out);
    for (uint8_t phase = 0; phase < 5; phase++) {
        char name[16];
        snprintf(name, sizeof name, "poll_body.%u", phase);
        tacit_poll_body(out, phase);
        expect(name, out);
    }
}

/* A field moved into its neighbour's place gives another digest. */
static void join_body_depends_on_every_field(void **state) {
    (void)state;
    tacit_join join, changed;
    uint8_t body[TACIT_HASH_LEN], leaf[TACIT_HASH_LEN], out[TACIT_HASH_LEN];
    sample_join(&join);
    tacit_join_body(body, &join, filled(16).b);
    tacit_join_leaf(leaf, &join);
    for (size_t i = 0; i < sizeof join; i++) {
        memcpy(&changed, &join, sizeof join);
        ((uint8_t *)&changed)[i] ^= 0x80;
        bool signed_part =
            i >= offsetof(tacit_join, channel_key) && i < offsetof(tacit_join, signature);
        tacit_join_body(out, &changed, filled(16).b);
        assert_int_equal(memcmp(out, body, sizeof body) != 0, signed_part);
        tacit_join_leaf(out, &changed);
        assert_memory_not_equal(out, leaf, sizeof leaf);
    }
    memcpy(&changed, &join, sizeof join);
    memcpy(changed.channel_key, join.mask_key, TACIT_KEY_LEN);
    memcpy(changed.mask_key, join.channel_key, TACIT_KEY_LEN);
    tacit_join_body(out, &changed, filled(16).b);
    assert_memory_not_equal(out, body, sizeof body);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void sessions_equal_the_vectors(void **state) {
    (void)state;
    uint8_t ids[TACIT_HASH_LEN], root[TACIT_HASH_LEN], session[TACIT_HASH_LEN], out[TACIT_HASH_LEN];
    const uint8_t bitmap[2] = {0xA5, 0x15};
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_ROSTER_IDS);
    for (uint8_t i = 1; i <= 3; i++) tacit_hash_add(&h, filled(i).b, TACIT_HASH_LEN);
    tacit_hash_end(&h, ids);
    expect("roster_ids", ids);
    tacit_roster_root(root, 3, ids, filled(33).b);
    expect("roster_root", root);
    tacit_session(session, filled(34).b, filled(35).b, 6, root, 3);
    expect("session", session);
    tacit_session2(out, session, bitmap, 13);
    expect("session2", out);
    tacit_evidence(out, root, filled(36).b, filled(37).b);
    expect("evidence", out);
}

static void cohorts_equal_the_vectors(void **state) {
    (void)state;
    static const uint32_t counts[] = {1, 2, 7, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT(counts); i++) {
        char name[32];
        snprintf(name, sizeof name, "cohort_of.%u", counts[i]);
        uint32_t cohort =
            tacit_cohort_of(filled(31).b, (UINT64_C(1) << 40) + 5, filled(32).b, counts[i]);
        assert_int_equal(cohort, strtoul(named_text(FILE_NAME, name), NULL, 10));
        assert_true(cohort < counts[i]);
    }
}

static void sessions_depend_on_every_input(void **state) {
    (void)state;
    uint8_t base[TACIT_HASH_LEN], out[TACIT_HASH_LEN];
    tacit_session(base, filled(1).b, filled(2).b, 0, filled(3).b, 100);
    for (int change = 0; change < 5; change++) {
        tacit_session(out, filled(change == 0 ? 9 : 1).b, filled(change == 1 ? 9 : 2).b,
                      change == 2 ? 1 : 0, filled(change == 3 ? 9 : 3).b, change == 4 ? 101 : 100);
        assert_memory_not_equal(out, base, sizeof base);
    }
    /* Each bit of U2, and n alone: two views of who shared never meet (security H1). */
    uint8_t u2[2] = {0xA5, 0x15};
    tacit_session2(base, filled(1).b, u2, 13);
    for (uint32_t i = 0; i < 13; i++) {
        u2[i / 8] ^= (uint8_t)(1u << (i % 8));
        tacit_session2(out, filled(1).b, u2, 13);
        assert_memory_not_equal(out, base, sizeof base);
        u2[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    tacit_session2(out, filled(1).b, u2, 14);
    assert_memory_not_equal(out, base, sizeof base);
}

/* ---- sealed shares --------------------------------------------------------------------------- */

static void sample_share(uint8_t share[static TACIT_SHARE_LEN]) {
    fill(share, 38, TACIT_SHARE_LEN);
    for (size_t i = 7; i < TACIT_SHARE_LEN; i += 8) share[i] &= 0x0F;
}

static void session_of_the_vectors(uint8_t session[static TACIT_HASH_LEN]) {
    assert_int_equal(named_bytes(session, TACIT_HASH_LEN, FILE_NAME, "session"), TACIT_HASH_LEN);
}

/* Both sides as the protocol has them: the key of this very place, from the channel secret. */
static void seal(uint8_t *box, const uint8_t *share, const uint8_t *shared_c,
                 const uint8_t *session, uint32_t from, uint32_t to, uint8_t kind) {
    uint8_t key[TACIT_KEY_LEN];
    tacit_share_key(key, shared_c, session, from, to, kind);
    tacit_share_seal(box, share, key, session, from, to, kind);
}
static tacit_status open_box(uint8_t *share, const uint8_t *box, const uint8_t *shared_c,
                             const uint8_t *session, uint32_t from, uint32_t to, uint8_t kind) {
    uint8_t key[TACIT_KEY_LEN];
    tacit_share_key(key, shared_c, session, from, to, kind);
    return tacit_share_open(share, box, key, session, from, to, kind);
}

/* The key of another place opens nothing, and neither does the right key in another place. */
static void a_key_opens_one_box(void **state) {
    (void)state;
    uint8_t session[TACIT_HASH_LEN], share[TACIT_SHARE_LEN], got[TACIT_SHARE_LEN];
    uint8_t box[TACIT_SEALED_SHARE_LEN], key[TACIT_KEY_LEN], other[TACIT_KEY_LEN];
    static const struct {
        uint32_t from, to;
        uint8_t kind;
    } places[] = {{9, 3, TACIT_KIND_B}, {3, 9, TACIT_KIND_S}, {3, 8, TACIT_KIND_B}};
    sample_share(share);
    session_of_the_vectors(session);
    tacit_share_key(key, filled(39).b, session, 3, 9, TACIT_KIND_B);
    tacit_share_seal(box, share, key, session, 3, 9, TACIT_KIND_B);
    for (size_t i = 0; i < COUNT(places); i++) {
        tacit_share_key(other, filled(39).b, session, places[i].from, places[i].to, places[i].kind);
        assert_memory_not_equal(other, key, sizeof key);
        assert_int_equal(tacit_share_open(got, box, other, session, 3, 9, TACIT_KIND_B),
                         TACIT_CORRUPT);
        assert_int_equal(
            tacit_share_open(got, box, key, session, places[i].from, places[i].to, places[i].kind),
            TACIT_CORRUPT);
    }
    named_expect(FILE_NAME, "share_key.3.9.0", key, sizeof key);
    assert_int_equal(tacit_share_open(got, box, key, session, 3, 9, TACIT_KIND_B), TACIT_OK);
    assert_memory_equal(got, share, sizeof share);
}

static void sealed_shares_equal_the_vectors(void **state) {
    (void)state;
    static const struct {
        uint32_t from, to;
        uint8_t kind;
    } rows[] = {{3, 9, TACIT_KIND_B}, {3, 9, TACIT_KIND_S}, {9, 3, TACIT_KIND_B}};
    uint8_t session[TACIT_HASH_LEN], share[TACIT_SHARE_LEN], got[TACIT_SHARE_LEN];
    sample_share(share);
    session_of_the_vectors(session);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t box[TACIT_SEALED_SHARE_LEN];
        char name[48];
        snprintf(name, sizeof name, "sealed_share.%u.%u.%u", rows[i].from, rows[i].to,
                 rows[i].kind);
        seal(box, share, filled(39).b, session, rows[i].from, rows[i].to, rows[i].kind);
        named_expect(FILE_NAME, name, box, sizeof box);
        assert_int_equal(
            open_box(got, box, filled(39).b, session, rows[i].from, rows[i].to, rows[i].kind),
            TACIT_OK);
        assert_memory_equal(got, share, sizeof share);
    }
}

static void a_box_opens_in_its_own_place_only(void **state) {
    (void)state;
    uint8_t session[TACIT_HASH_LEN], share[TACIT_SHARE_LEN], got[TACIT_SHARE_LEN];
    uint8_t box[TACIT_SEALED_SHARE_LEN], zero[TACIT_SHARE_LEN] = {0};
    sample_share(share);
    session_of_the_vectors(session);
    seal(box, share, filled(39).b, session, 3, 9, TACIT_KIND_B);
    const tacit_status no = TACIT_CORRUPT;
    assert_int_equal(open_box(got, box, filled(39).b, session, 9, 3, TACIT_KIND_B), no);
    assert_memory_equal(got, zero, sizeof zero);
    assert_int_equal(open_box(got, box, filled(39).b, session, 3, 9, TACIT_KIND_S), no);
    assert_int_equal(open_box(got, box, filled(39).b, session, 3, 8, TACIT_KIND_B), no);
    assert_int_equal(open_box(got, box, filled(39).b, session, 4, 9, TACIT_KIND_B), no);
    assert_int_equal(open_box(got, box, filled(40).b, session, 3, 9, TACIT_KIND_B), no);
    assert_int_equal(open_box(got, box, filled(39).b, filled(1).b, 3, 9, TACIT_KIND_B), no);
    for (size_t i = 0; i < sizeof box; i++) {
        box[i] ^= 2;
        assert_int_equal(open_box(got, box, filled(39).b, session, 3, 9, TACIT_KIND_B), no);
        box[i] ^= 2;
    }
    assert_int_equal(open_box(got, box, filled(39).b, session, 3, 9, TACIT_KIND_B), TACIT_OK);
}

/* A share whose limb is 2^61 - 1 or more opens to nothing. */
static void a_share_that_is_not_canonical_is_refused(void **state) {
    (void)state;
    uint8_t share[TACIT_SHARE_LEN], got[TACIT_SHARE_LEN], zero[TACIT_SHARE_LEN] = {0};
    uint8_t box[TACIT_SEALED_SHARE_LEN];
    for (size_t limb = 0; limb < 5; limb++) {
        sample_share(share);
        tacit_put_u64(share + 8 * limb, (UINT64_C(1) << 61) - 1);
        seal(box, share, filled(39).b, filled(1).b, 3, 9, TACIT_KIND_B);
        assert_int_equal(open_box(got, box, filled(39).b, filled(1).b, 3, 9, TACIT_KIND_B),
                         TACIT_BAD_SHARE);
        assert_memory_equal(got, zero, sizeof zero);
        tacit_put_u64(share + 8 * limb, (UINT64_C(1) << 61) - 2);
        seal(box, share, filled(39).b, filled(1).b, 3, 9, TACIT_KIND_B);
        assert_int_equal(open_box(got, box, filled(39).b, filled(1).b, 3, 9, TACIT_KIND_B),
                         TACIT_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_equal_the_vectors),
        cmocka_unit_test(every_label_fits_a_statement),
        cmocka_unit_test(signatures_bind_every_byte),
        cmocka_unit_test(join_equals_the_vectors),
        cmocka_unit_test(bodies_equal_the_vectors),
        cmocka_unit_test(join_body_depends_on_every_field),
        cmocka_unit_test(sessions_equal_the_vectors),
        cmocka_unit_test(cohorts_equal_the_vectors),
        cmocka_unit_test(sessions_depend_on_every_input),
        cmocka_unit_test(sealed_shares_equal_the_vectors),
        cmocka_unit_test(a_box_opens_in_its_own_place_only),
        cmocka_unit_test(a_key_opens_one_box),
        cmocka_unit_test(a_share_that_is_not_canonical_is_refused),
    };
    if (tacit_crypto_init() != TACIT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
