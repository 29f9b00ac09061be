/* SPDX-License-Identifier: Apache-2.0
 * low_order_key.c - one malicious neighbour whose mask key has low order. The mask with it would be
 * known to everybody, and X25519 refuses such a result whoever asks; but that is in the mask step,
 * when the charge is already written. A device that looked at the key only then would pay for three
 * rounds, say nothing in any of them and be paused: one colluder takes whole cohorts' budgets. So
 * the key is looked at when the roster is, before anything is charged. */
#include "tests/malice/malice.h"
#include "tests/support/device_world.h"

enum { N = 7, COLLUDER = 1, ROUNDS = 3, LATER_S = 86400 };

static void take_join(world *w, uint32_t i, tacit_join *join) {
    attack_messages m = {0};
    w->request.len = 0;
    tacit_sink sink = world_sink(&w->request);
    assert_int_equal(tacit_participation_request(&w->devices[i].t->participation, &sink, w->now_s),
                     TACIT_OK);
    attack_parse(&m, w->request.data, w->request.len);
    tacit_wire_join_get(join, &m.items[0].body.join);
    attack_messages_free(&m);
}

static tacit_status tell(world *w, attack_messages *m) {
    w->answer.len = 0;
    tacit_sink sink = world_sink(&w->answer);
    for (uint32_t i = 0; i < m->count; i++)
        assert_int_equal(tacit_wire_write(&m->items[i], &sink), TACIT_OK);
    attack_messages_free(m);
    return world_deliver(w, 0);
}

/* The roster of this round with the colluder's key in it, as device 0 gets it. */
static tacit_status tell_roster(world *w, federation *f, tacit_RosterHeader *header) {
    tacit_join joins[N];
    uint8_t ids[N][TACIT_HASH_LEN];
    const uint8_t *secrets[N];
    attack_roster roster = {.n = N, .joins = joins, .ids = ids, .secrets = secrets};
    federation_device victim = {0};
    attack_messages m = {0};
    for (uint32_t i = 0; i < N; i++) {
        take_join(w, i, &joins[i]);
        secrets[i] = w->devices[i].p.identity_secret;
    }
    memset(joins[COLLUDER].mask_key, 0, TACIT_KEY_LEN);
    attack_sign_join(f, &joins[COLLUDER], secrets[COLLUDER]);
    tacit_cert_id(victim.id, w->devices[0].certificate);
    attack_roster_sort(&roster);
    attack_roster_answer(&roster, &m, f, &victim);
    *header = m.items[0].body.roster;
    return tell(w, &m);
}

/* "Everybody shared, but no box came for you." */
static tacit_status tell_u2(world *w, const federation *f, const tacit_RosterHeader *header) {
    attack_messages m = {0};
    uint8_t session[TACIT_HASH_LEN], digest[TACIT_HASH_LEN];
    attack_session(f, session, header);
    tacit_Message *item = attack_insert(&m, 0);
    item->which_body = tacit_Message_share_answer_tag;
    tacit_ShareAnswer *answer = &item->body.share_answer;
    answer->u2.size = (pb_size_t)tacit_bitmap_len(N);
    for (uint32_t i = 0; i < N; i++) tacit_bit_set(answer->u2.bytes, i);
    tacit_bitmap_digest(digest, answer->u2.bytes, N);
    attack_sign_phase(f, answer->signature, TACIT_LABEL_SHARE_ANSWER, session, header->index,
                      digest);
    return tell(w, &m);
}

/* Three rounds are well within the budget. */
static void cheap(tacit_plan *plan) { plan->mu = UINT64_C(1) << 22; }

static tacit_status one_round(world *w, uint64_t round) {
    federation f = {0};
    tacit_RosterHeader header;
    w->now_s += LATER_S;
    world_round(w, round, cheap);
    f.plan = w->plan;
    tacit_plan_digest(f.plan_digest, w->plan_bytes.bytes);
    memcpy(f.phase_secret, w->keys.phase_secret, sizeof f.phase_secret);
    tacit_status st = TACIT_OK;
    for (uint32_t i = 0; i < N && st == TACIT_OK; i++) st = world_begin(w, i);
    if (st == TACIT_OK) st = tell_roster(w, &f, &header);
    for (int phase = TACIT_PHASE_SHARE; phase <= TACIT_PHASE_MASK && st == TACIT_OK; phase++) {
        tacit_sink sink = world_sink(&w->request);
        st = tacit_participation_request(&w->devices[0].t->participation, &sink, w->now_s);
        if (st == TACIT_OK && phase == TACIT_PHASE_SHARE) st = tell_u2(w, &f, &header);
    }
    for (uint32_t i = 0; i < N; i++) tacit_participation_leave(&w->devices[i].t->participation);
    return st;
}

static bool wins(const char **why) {
    world w;
    world_init(&w, N);
    tacit_status st = TACIT_OK;
    for (uint64_t round = 1; round <= ROUNDS; round++) st = one_round(&w, round);
    tacit_privacy privacy;
    tacit_ledger_status(&w.devices[0].t->ledger, &privacy, w.now_s);
    *why = tacit_status_name(st);
    bool won = privacy.paused && privacy.rounds_charged == ROUNDS;
    world_free(&w);
    return won;
}

const malice_attack malice_low_order_key = {
    .finding = "H2, low order",
    .attack = "one neighbour's low-order key costs devices their charge until they are paused",
    .check = "tacit_x25519_low_order",
    .wins = wins,
};
