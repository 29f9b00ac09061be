/* SPDX-License-Identifier: Apache-2.0
 * fixed_threshold_on_cycles.c - on cycles some devices have more distinct neighbours than others,
 * and nearly all more than the k_min of the table. If all dealt with the t of k_min, the neighbours
 * of a device with many would be enough to open both its secrets: the server tells one half of the
 * honest ones that it survived and the other half that it did not, and t1 colluders help both. The
 * graph is that of 520 devices; shares are dealt and put together as in a round. */
#include "common/graph.h"
#include "common/shamir.h"
#include "tests/malice/malice.h"

enum { N = 520, COLLUDING = 100, DROPOUT = 100 };

typedef struct {
    uint16_t points[TACIT_MAX_NEIGHBOURS]; /* of the victim's neighbours */
    size_t count;
    uint32_t threshold;
} victim;

/* The device with the most neighbours, and the threshold it would deal with. */
static tacit_status choose(victim *v, const tacit_graph_rule *rule) {
    static uint16_t scratch[N], row[TACIT_MAX_NEIGHBOURS];
    uint8_t seed[TACIT_HASH_LEN] = {42};
    size_t count;
    for (uint32_t i = 0; i < N; i++) {
        tacit_status st =
            tacit_graph_neighbours(row, TACIT_MAX_NEIGHBOURS, &count, rule, seed, i, scratch);
        if (st != TACIT_OK) return st;
        if (count <= v->count) continue;
        v->count = count;
        for (size_t j = 0; j < count; j++) v->points[j] = (uint16_t)(row[j] + 1);
    }
    return tacit_graph_threshold(rule, (uint32_t)v->count, &v->threshold);
}

/* Deals a secret and rebuilds it from the shares of the first `helpers` neighbours and of
 * the neighbours first .. first + count - 1. */
static bool opens(const victim *v, uint8_t tag, size_t helpers, size_t first, size_t count) {
    static uint8_t dealt[TACIT_MAX_NEIGHBOURS * TACIT_SHARE_LEN], had[sizeof dealt];
    static uint64_t lagrange[TACIT_MAX_NEIGHBOURS];
    uint16_t points[TACIT_MAX_NEIGHBOURS];
    uint8_t secret[TACIT_SECRET_LEN], rebuilt[TACIT_SECRET_LEN];
    tacit_prng prng;
    tacit_prng_init_seed(&prng, tag, 0);
    memset(secret, tag, sizeof secret);
    if (tacit_shamir_deal(dealt, secret, v->points, v->count, v->threshold, &prng) != TACIT_OK)
        return false;
    size_t have = helpers + count;
    for (size_t i = 0; i < have; i++) {
        size_t from = i < helpers ? i : first + i - helpers;
        points[i] = v->points[from];
        memcpy(had + i * TACIT_SHARE_LEN, dealt + from * TACIT_SHARE_LEN, TACIT_SHARE_LEN);
    }
    return tacit_shamir_lagrange(lagrange, points, have) == TACIT_OK &&
           tacit_shamir_combine(rebuilt, had, TACIT_SHARE_LEN, lagrange, have) == TACIT_OK &&
           memcmp(rebuilt, secret, sizeof secret) == 0;
}

static bool wins(const char **why) {
    tacit_graph_rule rule;
    victim v = {.count = 0};
    tacit_status st = tacit_graph_rule_init(&rule, N, COLLUDING, DROPOUT, 0);
    if (st == TACIT_OK) st = choose(&v, &rule);
    *why = st == TACIT_OK ? "2 t_v > D + t1: no split of the neighbours opens both secrets"
                          : tacit_status_name(st);
    if (st != TACIT_OK) return false;
    size_t t1 = tacit_graph_t1(N, rule.colluders, (uint32_t)v.count), honest = v.count - t1;
    bool s = opens(&v, 1, t1, t1, honest / 2);
    bool b = opens(&v, 2, t1, t1 + honest / 2, honest - honest / 2);
    return s && b;
}

const malice_attack malice_fixed_threshold_on_cycles = {
    .finding = "C6",
    .attack = "with the t of k_min, t1 colluders and a split U3 open both secrets of a device",
    .check = "tacit_graph_threshold",
    .wins = wins,
};
