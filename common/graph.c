/* SPDX-License-Identifier: Apache-2.0
 * graph.c - thresholds by the hypergeometric rule, and the graph itself: complete up to 512
 * devices, above that the union of m pseudo-random Hamiltonian cycles with repeated edges merged.
 * Device and server run these same lines on the same three numbers and the same session, so no
 * degree, cycle count or threshold ever travels. It refuses every (n, fractions) outside the range
 * for which the argument of security B was checked. */
#include "common/graph.h"

#include "common/crypto.h"
#include "common/graph_size.h"
#include "common/hypergeometric.h"
#include "common/prng.h"

enum { SEED_STRETCH = 16384, SLACK_DIVISOR = 250 };

/* ---- thresholds ------------------------------------------------------------------------------ */

uint32_t tacit_graph_t1(uint32_t n, uint32_t colluders, uint32_t degree) {
    if (degree == n - 1) return colluders < degree ? colluders : degree;
    return tacit_hypergeometric_above(n, colluders, degree, (double)n * 0x1p81);
}

uint32_t tacit_graph_t2(uint32_t n, uint32_t survivors, uint32_t degree) {
    assert(survivors <= n);
    return degree - tacit_hypergeometric_above(n, n - survivors, degree, (double)n * 0x1p20);
}

bool tacit_graph_connected(uint32_t n, uint32_t colluders, uint32_t dropouts, uint32_t degree) {
    assert(degree < n);
    uint32_t gone = colluders + dropouts;
    if (gone >= n) return false;
    /* C(n-k, B-k) / C(n, B) is the product of (B - i) / (n - i) over i < k; zero when k > B. */
    double bound = (double)n * (double)(n - degree - 1) / 2.0;
    for (uint32_t i = 0; i < degree; i++) {
        if (i >= gone) return true;
        bound = bound * ((double)(gone - i) / (double)(n - i));
    }
    return bound * 0x1p81 <= 1.0;
}

static uint32_t dropouts_of(const tacit_graph_rule *rule) {
    return rule->n * rule->max_dropout / 1000;
}

tacit_status tacit_graph_threshold(const tacit_graph_rule *rule, uint32_t degree,
                                   uint32_t *threshold) {
    if (degree < 2) return TACIT_TOO_FEW;
    if (degree >= rule->n || degree > TACIT_MAX_NEIGHBOURS) return TACIT_INVALID_ARGUMENT;
    if (rule->cycles == 0 && degree != rule->n - 1) return TACIT_INVALID_ARGUMENT;
    uint32_t t = (degree + tacit_graph_t1(rule->n, rule->colluders, degree)) / 2 + 1;
    if (t > tacit_graph_t2(rule->n, rule->n - dropouts_of(rule), degree)) return TACIT_TOO_FEW;
    *threshold = t;
    return TACIT_OK;
}

/* ---- the rule -------------------------------------------------------------------------------- */

/* Whether r = ceil(n / 250) is known to cover r* on cycles (security B); h >= n / 2 and m are
 * checked beside it. */
static bool cycles_allowed(uint32_t max_colluding, uint32_t max_dropout) {
    return max_colluding >= TACIT_CYCLES_MIN_COLLUDING &&
           max_colluding <= TACIT_CYCLES_MAX_COLLUDING && max_dropout >= TACIT_CYCLES_MIN_DROPOUT &&
           max_dropout <= TACIT_CYCLES_MAX_DROPOUT;
}

/* What the rule says in integers; the graph's own shape is the caller's. */
static tacit_status count_devices(tacit_graph_rule *r, uint32_t n_min_floor) {
    r->colluders = r->n * r->max_colluding / 1000;
    r->n_min = r->n - dropouts_of(r);
    if (r->n_min < n_min_floor) r->n_min = n_min_floor;
    if (r->n_min > r->n || r->n_min < r->colluders + r->slack) return TACIT_BELOW_FLOOR;
    r->honest = r->n_min - r->colluders - r->slack;
    return 2 * r->honest < r->n ? TACIT_BELOW_FLOOR : TACIT_OK;
}

static tacit_status complete_rule(tacit_graph_rule *rule, uint32_t n, uint32_t max_colluding,
                                  uint32_t max_dropout, uint32_t n_min_floor) {
    if (n < 3) return TACIT_BAD_ROSTER;
    if (max_colluding > 1000 || max_dropout > 1000) return TACIT_BELOW_FLOOR;
    tacit_graph_rule r = {
        .n = n, .max_colluding = max_colluding, .max_dropout = max_dropout, .degree_min = n - 1};
    tacit_status st = count_devices(&r, n_min_floor);
    if (st == TACIT_OK) *rule = r;
    return st;
}

static tacit_status cycles_rule(tacit_graph_rule *rule, uint32_t n, uint32_t max_colluding,
                                uint32_t max_dropout, uint32_t n_min_floor) {
    if (!cycles_allowed(max_colluding, max_dropout)) return TACIT_BELOW_FLOOR;
    tacit_graph_rule r = {.n = n,
                          .max_colluding = max_colluding,
                          .max_dropout = max_dropout,
                          .slack = (n + SLACK_DIVISOR - 1) / SLACK_DIVISOR};
    tacit_status st = count_devices(&r, n_min_floor);
    if (st != TACIT_OK) return st;
    r.degree_min = tacit_graph_degree_min(n, r.colluders, dropouts_of(&r));
    if (r.degree_min == 0) return TACIT_BELOW_FLOOR;
    r.cycles = tacit_graph_cycles_min(n, r.degree_min);
    if (r.cycles == 0) return TACIT_BELOW_FLOOR;
    *rule = r;
    return TACIT_OK;
}

tacit_status tacit_graph_rule_init(tacit_graph_rule *rule, uint32_t n, uint32_t max_colluding,
                                   uint32_t max_dropout, uint32_t n_min_floor) {
    if (n > TACIT_MAX_COHORT) return TACIT_BAD_ROSTER;
    if (n <= TACIT_COMPLETE_GRAPH_MAX)
        return complete_rule(rule, n, max_colluding, max_dropout, n_min_floor);
    return cycles_rule(rule, n, max_colluding, max_dropout, n_min_floor);
}

tacit_status tacit_graph_rule_complete(tacit_graph_rule *rule, uint32_t n, uint32_t max_colluding,
                                       uint32_t max_dropout, uint32_t n_min_floor) {
    if (n > TACIT_MAX_NEIGHBOURS + 1) return TACIT_BAD_ROSTER;
    return complete_rule(rule, n, max_colluding, max_dropout, n_min_floor);
}

/* ---- the graph ------------------------------------------------------------------------------- */

void tacit_graph_seed(uint8_t seed[static TACIT_HASH_LEN],
                      const uint8_t session[static TACIT_HASH_LEN]) {
    uint8_t x[TACIT_HASH_LEN];
    tacit_hash_of(x, TACIT_LABEL_GRAPH, session, TACIT_HASH_LEN);
    for (int i = 0; i < SEED_STRETCH; i++) tacit_hash_of(x, TACIT_LABEL_GRAPH, x, sizeof x);
    memcpy(seed, x, sizeof x);
}

size_t tacit_graph_scratch_count(uint32_t n) { return n; }

/* The permutation of cycle c: Fisher-Yates from the top, indices by rejection. */
static void shuffle(uint16_t *perm, uint32_t n, const uint8_t *seed, uint32_t c) {
    tacit_prng p;
    tacit_prng_init(&p, seed, c);
    for (uint32_t i = 0; i < n; i++) perm[i] = (uint16_t)i;
    for (uint32_t i = n - 1; i >= 1; i--) {
        uint32_t j = tacit_prng_below(&p, i + 1);
        uint16_t t = perm[i];
        perm[i] = perm[j];
        perm[j] = t;
    }
}

/* Writes the set bits of a bitmap of n bits, ascending; *count says how many. Marking neighbours in
 * a bitmap sorts them and merges repeated edges in one go. */
static tacit_status write_marked(uint16_t *out, size_t cap, size_t *count, const uint8_t *marked,
                                 uint32_t n) {
    size_t written = 0;
    for (uint32_t byte = 0; byte < tacit_bitmap_len(n); byte++) {
        for (uint32_t bits = marked[byte]; bits != 0; bits &= bits - 1) {
            if (written == cap) return TACIT_NO_SPACE;
            out[written++] = (uint16_t)(8 * byte + (uint32_t)__builtin_ctz(bits));
        }
    }
    *count = written;
    return TACIT_OK;
}

/* Everyone but `index`. */
static void write_others(uint16_t *out, uint32_t n, uint32_t index) {
    for (uint32_t i = 0; i + 1 < n; i++) out[i] = (uint16_t)(i < index ? i : i + 1);
}

tacit_status tacit_graph_neighbours(uint16_t *out, size_t cap, size_t *count,
                                    const tacit_graph_rule *rule, const uint8_t *seed,
                                    uint32_t index, uint16_t *scratch) {
    uint32_t n = rule->n;
    if (index >= n) return TACIT_INVALID_ARGUMENT;
    if (rule->cycles == 0) {
        if (cap < n - 1) return TACIT_NO_SPACE;
        write_others(out, n, index);
        *count = n - 1;
        return TACIT_OK;
    }
    uint8_t marked[TACIT_MAX_BITMAP_LEN] = {0};
    for (uint32_t c = 0; c < rule->cycles; c++) {
        shuffle(scratch, n, seed, c);
        uint32_t at = 0;
        while (scratch[at] != index) at++;
        tacit_bit_set(marked, scratch[at == 0 ? n - 1 : at - 1]);
        tacit_bit_set(marked, scratch[at == n - 1 ? 0 : at + 1]);
    }
    return write_marked(out, cap, count, marked, n);
}

size_t tacit_graph_edges_max(const tacit_graph_rule *rule) {
    return (size_t)rule->n * (rule->cycles == 0 ? rule->n - 1 : 2 * rule->cycles);
}

static void build_complete(uint32_t *offsets, uint16_t *adjacent, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        offsets[i] = i * (n - 1);
        write_others(adjacent + offsets[i], n, i);
    }
    offsets[n] = n * (n - 1);
}

tacit_status tacit_graph_build(uint32_t *offsets, uint16_t *adjacent, size_t adjacent_cap,
                               const tacit_graph_rule *rule, const uint8_t *seed,
                               uint16_t *scratch) {
    uint32_t n = rule->n;
    if (adjacent_cap < tacit_graph_edges_max(rule)) return TACIT_NO_SPACE;
    if (rule->cycles == 0) {
        build_complete(offsets, adjacent, n);
        return TACIT_OK;
    }
    /* First every row with its 2m ends, repeated ones too: row i from i * width, cycle c at 2c. */
    size_t width = 2 * (size_t)rule->cycles;
    for (uint32_t c = 0; c < rule->cycles; c++) {
        shuffle(scratch, n, seed, c);
        for (uint32_t i = 0; i < n; i++) {
            uint16_t from = scratch[i], to = scratch[i + 1 < n ? i + 1 : 0];
            adjacent[from * width + 2 * c + 1] = to;
            adjacent[to * width + 2 * c] = from;
        }
    }
    /* Then row by row sorted and merged, moved down in place: a row never grows past its start. */
    offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t marked[TACIT_MAX_BITMAP_LEN] = {0};
        size_t count;
        for (size_t e = 0; e < width; e++) tacit_bit_set(marked, adjacent[i * width + e]);
        tacit_status st = write_marked(adjacent + offsets[i], width, &count, marked, n);
        if (st != TACIT_OK) return st;
        offsets[i + 1] = offsets[i] + (uint32_t)count;
    }
    return TACIT_OK;
}
