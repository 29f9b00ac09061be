/* SPDX-License-Identifier: Apache-2.0
 * secagg_cycles_test.c - one device in a roster of 513, the fewest on Hamiltonian cycles. Only here
 * are neighbours fewer than the roster, so only here can a server cut a device off while enough
 * devices are left (security H1). The test plays the server; the other 512 have keys, no machines.
 * The devices' keys are made once for the whole program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/graph.h"
#include "tests/support/federation_attack.h"

enum { N = 513, DROPS = 51, ID_MESSAGES = 5, AT_ENTRY = 1 + ID_MESSAGES };

/* 513 devices at .1/.1: n_min 462, so 51 may be missing (security B, known answers). */
static const federation_spec many = {
    .device_count = N, .max_colluding = 100, .max_dropout = 100, .seed = 11};

static federation f;
static federation_device *victim;
static attack_roster roster;
static attack_messages answer; /* to the victim's join */
static uint32_t place, degree, threshold;
static uint8_t near[TACIT_MAX_BITMAP_LEN]; /* the victim's neighbours */
static uint8_t session[TACIT_HASH_LEN];

static void derive(void) {
    tacit_graph_rule rule;
    uint16_t neighbours[TACIT_MAX_NEIGHBOURS], scratch[N];
    uint8_t seed[TACIT_HASH_LEN];
    size_t count;
    assert_int_equal(tacit_graph_rule_init(&rule, N, 100, 100, 0), TACIT_OK);
    assert_int_equal(rule.n_min, N - DROPS);
    attack_session(&f, session, &answer.items[0].body.roster);
    tacit_graph_seed(seed, session);
    assert_int_equal(tacit_graph_neighbours(neighbours, TACIT_MAX_NEIGHBOURS, &count, &rule, seed,
                                            place, scratch),
                     TACIT_OK);
    degree = (uint32_t)count;
    assert_int_equal(tacit_graph_threshold(&rule, degree, &threshold), TACIT_OK);
    for (size_t i = 0; i < count; i++) tacit_bit_set(near, neighbours[i]);
}

static int make_roster(void **state) {
    (void)state;
    federation_init_plan(&f, &many);
    f.device_count = N;
    f.devices = (federation_device *)calloc(N, sizeof *f.devices);
    if (f.devices == NULL) return 1;
    for (uint32_t i = 0; i < N; i++)
        federation_device_enrol(&f, &f.devices[i], TACIT_CLASS_ACCOUNT, f.now_s + 1000);
    victim = &f.devices[0];
    if (federation_device_start(&f, victim) != TACIT_OK) return 1;
    attack_roster_make(&roster, &f, 0, N);
    place = attack_roster_index(&roster, victim);
    attack_roster_answer(&roster, &answer, &f, victim);
    derive();
    return 0;
}

static int free_roster(void **state) {
    (void)state;
    attack_messages_free(&answer);
    attack_roster_free(&roster);
    federation_free(&f);
    return 0;
}

/* The same device again, its keys drawn anew from the same stream, in phase SHARE and waiting. The
 * roster was made from the first draw, so the stream starts over. */
static void victim_again(void) {
    uint8_t key[TACIT_KEY_LEN];
    memcpy(key, victim->prng.key, sizeof key);
    federation_device_free(victim);
    tacit_prng_init(&victim->prng, key, 0);
    victim->draw_count = 0;
    assert_int_equal(federation_device_start(&f, victim), TACIT_OK);
    assert_int_equal(federation_request(&f, victim, &f.request), TACIT_OK);
}

static void refused(const attack_messages *m, uint32_t at, tacit_status status) {
    attack_refused(victim, m, f.now_s, at, status);
}

static void take(const attack_messages *m) {
    uint32_t at;
    assert_int_equal(attack_deliver(victim, m, f.now_s, &at), TACIT_OK);
}

static void reach_share(void) {
    victim_again();
    take(&answer);
    assert_int_equal(tacit_secagg_neighbour_count(victim->machine), degree);
    assert_int_equal(federation_request(&f, victim, &f.request), TACIT_OK);
}

/* A bitmap of everyone but DROPS devices, `close` of them neighbours of the victim. */
static void without(uint8_t *bitmap, uint32_t close) {
    uint32_t left[2] = {DROPS - close, close};
    memset(bitmap, 0, tacit_bitmap_len(N));
    for (uint32_t i = 0; i < N; i++) {
        bool drop = i != place && left[tacit_bit_get(near, i)] > 0;
        if (drop) left[tacit_bit_get(near, i)]--;
        if (!drop) tacit_bit_set(bitmap, i);
    }
    assert_int_equal(tacit_bitmap_count(bitmap, N), N - DROPS);
}

static void u2_answer(attack_messages *m, const uint8_t *u2) {
    uint8_t digest[TACIT_HASH_LEN];
    m->count = 0;
    tacit_Message *item = attack_insert(m, 0);
    item->which_body = tacit_Message_share_answer_tag;
    item->body.share_answer.u2.size = (pb_size_t)tacit_bitmap_len(N);
    memcpy(item->body.share_answer.u2.bytes, u2, tacit_bitmap_len(N));
    tacit_bitmap_digest(digest, u2, N);
    attack_sign_phase(&f, item->body.share_answer.signature, TACIT_LABEL_SHARE_ANSWER, session,
                      place, digest);
}

static void u3_answer(attack_messages *m, const uint8_t *u2, const uint8_t *u3) {
    uint8_t digest[TACIT_HASH_LEN], session2[TACIT_HASH_LEN];
    m->count = 0;
    tacit_Message *item = attack_insert(m, 0);
    item->which_body = tacit_Message_mask_answer_tag;
    item->body.mask_answer.u3.size = (pb_size_t)tacit_bitmap_len(N);
    memcpy(item->body.mask_answer.u3.bytes, u3, tacit_bitmap_len(N));
    tacit_session2(session2, session, u2, N);
    tacit_bitmap_digest(digest, u3, N);
    attack_sign_phase(&f, item->body.mask_answer.signature, TACIT_LABEL_MASK_ANSWER, session2,
                      place, digest);
}

/* ---- the tests ------------------------------------------------------------------------------- */

/* Control: dropping as many devices that are not neighbours is no attack. */
static void test_honest(void **state) {
    (void)state;
    uint8_t u2[TACIT_MAX_BITMAP_LEN];
    attack_messages m = {0};
    assert_true(degree > 80 && degree < 140);
    assert_true(degree - DROPS < threshold); /* what the attacks below rest on */
    assert_int_equal(answer.count, AT_ENTRY + degree + 1);
    reach_share();
    without(u2, 0);
    u2_answer(&m, u2);
    take(&m);
    assert_int_equal(federation_request(&f, victim, &f.request), TACIT_OK);
    u3_answer(&m, u2, u2);
    take(&m);
    assert_int_equal(tacit_secagg_phase(victim->machine), TACIT_PHASE_AGREE);
    attack_messages_free(&m);
}

/* H1: a U2 with enough devices that deletes the edges of this one. */
static void test_u2_cuts_edges(void **state) {
    (void)state;
    uint8_t u2[TACIT_MAX_BITMAP_LEN];
    attack_messages m = {0};
    reach_share();
    without(u2, DROPS);
    u2_answer(&m, u2);
    refused(&m, 0, TACIT_TOO_FEW);
    reach_share(); /* t_v live neighbours are enough, one less is not */
    without(u2, degree - threshold + 1);
    u2_answer(&m, u2);
    refused(&m, 0, TACIT_TOO_FEW);
    reach_share();
    without(u2, degree - threshold);
    u2_answer(&m, u2);
    take(&m);
    attack_messages_free(&m);
}

/* H1: the same with U3, after an honest U2. */
static void test_u3_cuts_edges(void **state) {
    (void)state;
    uint8_t u2[TACIT_MAX_BITMAP_LEN] = {0}, u3[TACIT_MAX_BITMAP_LEN];
    attack_messages m = {0};
    for (uint32_t i = 0; i < N; i++) tacit_bit_set(u2, i);
    reach_share();
    u2_answer(&m, u2);
    take(&m);
    assert_int_equal(federation_request(&f, victim, &f.request), TACIT_OK);
    without(u3, DROPS);
    u3_answer(&m, u2, u3);
    refused(&m, 0, TACIT_TOO_FEW);
    attack_messages_free(&m);
}

/* C6: neighbours are derived. An entry of a device that is in the roster, proven and signed, but no
 * neighbour, is refused, before, between or instead of the neighbours. */
static void test_entry_of_no_neighbour(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        attack_messages m = {0};
        tacit_RosterEntry entry = answer.items[AT_ENTRY + 2].body.roster_entry;
        uint32_t stranger = entry.index + 1;
        while (tacit_bit_get(near, stranger) || stranger == place) stranger++;
        for (uint32_t k = 0; k < answer.count; k++) *attack_insert(&m, k) = answer.items[k];
        if (i == 0) attack_insert(&m, AT_ENTRY + 3);
        m.items[AT_ENTRY + 3] = answer.items[AT_ENTRY + 2];
        m.items[AT_ENTRY + 3].body.roster_entry.index = stranger;
        tacit_wire_join_put(&m.items[AT_ENTRY + 3].body.roster_entry.join, &roster.joins[stranger],
                            0);
        victim_again();
        refused(&m, AT_ENTRY + 3, TACIT_BAD_ROSTER);
        attack_messages_free(&m);
    }
}

/* Section C: a sealed pair of a device that is no neighbour. */
static void test_share_of_no_neighbour(void **state) {
    (void)state;
    uint8_t u2[TACIT_MAX_BITMAP_LEN];
    attack_messages m = {0};
    uint32_t stranger = 0;
    while (tacit_bit_get(near, stranger) || stranger == place) stranger++;
    memset(u2, 0, sizeof u2);
    for (uint32_t i = 0; i < N; i++) tacit_bit_set(u2, i);
    reach_share();
    u2_answer(&m, u2);
    m.items[0].body.share_answer.count = 1;
    tacit_Message *item = attack_insert(&m, 1);
    item->which_body = tacit_Message_sealed_tag;
    item->body.sealed.peer = stranger;
    refused(&m, 1, TACIT_BAD_MESSAGE);
    attack_messages_free(&m);
}

/* H3, C6: the same seats under another root have another session, hence another graph. */
static void test_graph_follows_the_root(void **state) {
    (void)state;
    attack_messages m = {0};
    uint32_t i = place == 0 ? 1 : 0, at;
    tacit_join kept = roster.joins[i];
    victim_again();
    roster.joins[i].commitment[0] ^= 1;
    attack_sign_join(&f, &roster.joins[i], roster.secrets[i]);
    attack_roster_answer(&roster, &m, &f, victim);
    roster.joins[i] = kept;
    uint32_t same = 0;
    for (uint32_t k = AT_ENTRY; k < m.count; k++)
        same += tacit_bit_get(near, m.items[k].body.roster_entry.index);
    assert_true(same < degree);
    assert_int_equal(attack_deliver(victim, &m, f.now_s, &at), TACIT_OK);
    attack_messages_free(&m);
}

/* Memory: at 200 neighbours the round takes less than 256 KB (without the vector); it grows with
 * the neighbours, not with the update's length. */
static void test_memory(void **state) {
    (void)state;
    federation_spec spec = {.device_count = 201, .max_colluding = 50, .max_dropout = 100};
    federation g;
    federation_init_plan(&g, &spec);
    size_t at_200 = tacit_secagg_len(&g.plan);
    assert_true(at_200 > 0 && at_200 < 256 * 1024);
    g.plan.dims = TACIT_MAX_DIMS;
    assert_int_equal(tacit_secagg_len(&g.plan), at_200);
    g.plan.n_hi = TACIT_MAX_COHORT;
    size_t most = tacit_secagg_len(&g.plan);
    print_message("round memory: %zu bytes at 200 neighbours, %zu for rosters up to 10000\n",
                  at_200, most);
    assert_true(most > at_200 && most < 512 * 1024);
    assert_int_equal(tacit_secagg_len_max(201), at_200);
    assert_true(tacit_secagg_len_max(TACIT_MAX_COHORT) >= most);
    assert_int_equal(tacit_secagg_len_max(2), 0);
    assert_int_equal(tacit_secagg_len_max(TACIT_MAX_COHORT + 1), 0);
    /* refused plans need no memory */
    g.plan.max_colluding = 400;
    assert_int_equal(tacit_secagg_len(&g.plan), 0);
    g.plan.max_colluding = 50;
    g.plan.n_hi = TACIT_MAX_COHORT + 1;
    assert_int_equal(tacit_secagg_len(&g.plan), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_u2_cuts_edges),
        cmocka_unit_test(test_u3_cuts_edges),
        cmocka_unit_test(test_entry_of_no_neighbour),
        cmocka_unit_test(test_share_of_no_neighbour),
        cmocka_unit_test(test_graph_follows_the_root),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, make_roster, free_roster);
}
