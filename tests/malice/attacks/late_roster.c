/* SPDX-License-Identifier: Apache-2.0
 * late_roster.c - grinding. The graph follows from the roster's root, and a colluder can change its
 * join as often as it likes; each try shows the server another graph. With ten minutes it gets so
 * many tries and no more, which the 2^-40 for grinding in the bound on t1 covers. Without an end it
 * goes on until the victim has more colluders for neighbours than any roster of the ten minutes
 * had, and holds that many of its shares. (A try takes ten seconds of the clock here, so that there
 * are sixty in time; in truth it takes five milliseconds.) */
#include "common/graph.h"
#include "common/merkle.h"
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum {
    N = 513,
    COLLUDERS = 10,
    TRY_S = 10,
    IN_TIME = TACIT_JOIN_ANSWER_MAX_S / TRY_S,
    MOST = 1500
};

/* Colluders among the victim's neighbours under the roster as it is. */
static uint32_t colluding_neighbours(const rogue_server *r, uint32_t victim, uint8_t *nodes) {
    static uint16_t row[TACIT_MAX_NEIGHBOURS], scratch[N];
    uint8_t session[TACIT_HASH_LEN], seed[TACIT_HASH_LEN];
    tacit_graph_rule rule;
    tacit_RosterHeader header = {.count = N};
    size_t count;
    uint32_t colluding = 0;
    tacit_merkle_levels(nodes, N);
    memcpy(header.merkle_root, nodes + (tacit_merkle_node_count(N) - 1) * TACIT_HASH_LEN,
           TACIT_HASH_LEN);
    tacit_hash_of(header.ids_digest, TACIT_LABEL_ROSTER_IDS, r->roster.ids,
                  N * sizeof *r->roster.ids);
    attack_session(&r->f, session, &header);
    tacit_graph_seed(seed, session);
    if (tacit_graph_rule_init(&rule, N, r->f.plan.max_colluding, r->f.plan.max_dropout, 0) !=
            TACIT_OK ||
        tacit_graph_neighbours(row, TACIT_MAX_NEIGHBOURS, &count, &rule, seed, victim, scratch) !=
            TACIT_OK)
        return 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t d = 1; d <= COLLUDERS; d++)
            colluding += r->devices[row[i]] == &r->f.devices[d];
    return colluding;
}

/* Tries rosters; the most colluders of those in time. The roster and the clock stay at the first
 * later one that has more. */
static uint32_t grind(rogue_server *r, uint32_t victim) {
    static uint8_t nodes[2 * (N + 16) * TACIT_HASH_LEN];
    uint32_t seat = rogue_seat_of(r, &r->f.devices[1]), most = 0;
    tacit_join *join = &r->roster.joins[seat];
    for (uint32_t i = 0; i < N; i++)
        tacit_join_leaf(nodes + (size_t)i * TACIT_HASH_LEN, &r->roster.joins[i]);
    for (uint32_t tries = 1; tries <= MOST; tries++) {
        r->f.now_s += TRY_S;
        tacit_put_u32(join->checkpoint, tries);
        attack_sign_join(&r->f, join, r->f.devices[1].device_secret);
        tacit_join_leaf(nodes + (size_t)seat * TACIT_HASH_LEN, join);
        uint32_t colluding = colluding_neighbours(r, victim, nodes);
        if (tries > IN_TIME && colluding > most) break;
        if (tries <= IN_TIME && colluding > most) most = colluding;
    }
    return most;
}

static bool wins(const char **why) {
    rogue_server r;
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 50, .max_dropout = 50, .seed = 32});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]), held = 0;
    uint32_t most = grind(&r, victim);
    tacit_status st = rogue_tell_roster(&r, victim);
    if (st == TACIT_OK) st = rogue_take_shares(&r, victim);
    *why = tacit_status_name(st);
    for (uint32_t d = 1; d <= COLLUDERS && st == TACIT_OK; d++) {
        uint32_t seat = rogue_seat_of(&r, &r.f.devices[d]);
        rogue_open(&r, victim, seat, seat, r.f.devices[d].draws[2]);
        held += r.held[(size_t)victim * N + seat];
    }
    rogue_free(&r);
    return held > most;
}

const malice_attack malice_late_roster = {
    .finding = "B, grinding",
    .attack = "the server tries rosters for longer than ten minutes and gets more of the shares",
    .check = "tacit_secagg_check_in_time",
    .wins = wins,
};
