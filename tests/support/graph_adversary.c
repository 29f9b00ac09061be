/* SPDX-License-Identifier: Apache-2.0
 * graph_adversary.c - see graph_adversary.h: greedy growth, spectral sweeps, peeling, exchanges. */
#include "tests/support/graph_adversary.h"

#include <math.h>
#include <stdlib.h>

/* ---- the graph ------------------------------------------------------------------------------- */

#define EACH_NEIGHBOUR(g, v, u)                                                       \
    for (uint32_t e_##u = (g)->offsets[v], u; e_##u < (g)->offsets[(v) + 1]; e_##u++) \
        if ((u = (g)->adjacent[e_##u]) < (g)->n)

static uint32_t degree_of_vertex(const attacked *g, uint32_t v) {
    return g->offsets[v + 1] - g->offsets[v];
}

bool attacked_init(attacked *g, uint32_t n, uint32_t colluders, uint32_t dropouts,
                   const uint32_t *offsets, const uint16_t *adjacent, tacit_prng *p) {
    *g = (attacked){.n = n, .offsets = offsets, .adjacent = adjacent, .colluders = colluders};
    g->dropouts = dropouts;
    g->colluding = calloc(n, 1);
    g->threshold = calloc(n, sizeof *g->threshold);
    g->need = calloc(n, sizeof *g->need);
    if (g->colluding == NULL || g->threshold == NULL || g->need == NULL) return false;
    for (uint32_t left = colluders; left > 0;) {
        uint32_t v = tacit_prng_below(p, n);
        left -= g->colluding[v] == 0;
        g->colluding[v] = 1;
    }
    uint32_t known[TACIT_MAX_NEIGHBOURS + 1] = {0}; /* t_v by degree; 0: not yet computed */
    for (uint32_t v = 0; v < n; v++) {
        uint32_t d = degree_of_vertex(g, v);
        if (known[d] == 0) known[d] = (d + tacit_graph_t1(n, colluders, d)) / 2 + 1;
        g->threshold[v] = known[d];
    }
    attacked_needs(g);
    return true;
}

void attacked_free(attacked *g) {
    free(g->colluding);
    free(g->threshold);
    free(g->need);
}

void attacked_needs(attacked *g) {
    for (uint32_t v = 0; v < g->n; v++) {
        uint32_t c = 0;
        EACH_NEIGHBOUR(g, v, u) c += g->colluding[u];
        g->need[v] = g->threshold[v] > c ? g->threshold[v] - c : 0;
    }
}

/* ---- a set and its surroundings -------------------------------------------------------------- */

bool region_init(region *w, uint32_t n) {
    *w = (region){.n = n};
    w->member = calloc(n, 1);
    w->barred = calloc(n, 1);
    w->best = calloc(n, 1);
    w->mark = calloc(n, 1);
    w->cover = calloc(n, sizeof *w->cover);
    w->fresh = calloc(n, sizeof *w->fresh);
    w->order = calloc(n, sizeof *w->order);
    w->queue = calloc(n, sizeof *w->queue);
    w->inside = calloc(n, sizeof *w->inside);
    w->value = calloc(n, sizeof *w->value);
    w->next = calloc(n, sizeof *w->next);
    return w->member && w->barred && w->best && w->mark && w->cover && w->fresh && w->order &&
           w->queue && w->inside && w->value && w->next;
}

void region_free(region *w) {
    free(w->member);
    free(w->barred);
    free(w->best);
    free(w->mark);
    free(w->cover);
    free(w->fresh);
    free(w->order);
    free(w->queue);
    free(w->inside);
    free(w->value);
    free(w->next);
}

void region_bar(region *w, const attacked *g, bool free_choice) {
    for (uint32_t v = 0; v < w->n; v++) w->barred[v] = free_choice ? 0 : g->colluding[v];
}

static void region_clear(region *w, const attacked *g) {
    w->size = w->touched = 0;
    for (uint32_t v = 0; v < w->n; v++) {
        uint16_t open = 0;
        EACH_NEIGHBOUR(g, v, u) open = (uint16_t)(open + !w->barred[u]);
        w->member[v] = 0;
        w->cover[v] = 0;
        w->fresh[v] = open;
    }
}

static bool touched(const region *w, uint32_t v) { return w->member[v] || w->cover[v] > 0; }
static uint32_t boundary(const region *w) { return w->touched - w->size; }

/* A vertex becomes touched, or is no longer. */
static void touch(region *w, const attacked *g, uint32_t v, bool now) {
    w->touched = now ? w->touched + 1 : w->touched - 1;
    EACH_NEIGHBOUR(g, v, u) w->fresh[u] = (uint16_t)(now ? w->fresh[u] - 1 : w->fresh[u] + 1);
}

static void add(region *w, const attacked *g, uint32_t v) {
    if (!touched(w, v)) touch(w, g, v, true);
    w->member[v] = 1;
    w->size++;
    EACH_NEIGHBOUR(g, v, u) {
        if (w->barred[u]) continue;
        if (!touched(w, u)) touch(w, g, u, true);
        w->cover[u]++;
    }
}

static void take_out(region *w, const attacked *g, uint32_t v) {
    w->member[v] = 0;
    w->size--;
    if (!touched(w, v)) touch(w, g, v, false);
    EACH_NEIGHBOUR(g, v, u) {
        if (w->barred[u]) continue;
        w->cover[u]--;
        if (!touched(w, u)) touch(w, g, u, false);
    }
}

static void keep_best(region *w) {
    memcpy(w->best, w->member, w->n);
    w->best_size = w->size;
    w->best_boundary = boundary(w);
}

/* ---- growth ---------------------------------------------------------------------------------- */

/* The vertex whose joining touches fewest others; n when there is none. `not` stays out. */
static uint32_t cheapest(const region *w, uint32_t not, uint32_t from) {
    uint32_t found = w->n, least = UINT32_MAX;
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t v = i + from < w->n ? i + from : i + from - w->n;
        if (w->barred[v] || w->member[v] || v == not ) continue;
        uint32_t cost = w->fresh[v] + !touched(w, v);
        if (cost < least) {
            least = cost;
            found = v;
        }
    }
    return found;
}

static uint32_t random_member(const region *w, tacit_prng *p) {
    uint32_t v = tacit_prng_below(p, w->n);
    while (!w->member[v]) v = v + 1 < w->n ? v + 1 : 0;
    return v;
}

/* Adds while the budget lasts. */
static void fill(region *w, const attacked *g, uint32_t budget, uint32_t most, tacit_prng *p) {
    while (w->size < most) {
        uint32_t v = cheapest(w, w->n, tacit_prng_below(p, w->n));
        if (v == w->n || boundary(w) + w->fresh[v] + !touched(w, v) > budget + 1) return;
        add(w, g, v);
    }
}

void adversary_grow(region *w, const attacked *g, uint32_t start, uint32_t budget, uint32_t most,
                    uint32_t exchanges, tacit_prng *p) {
    region_clear(w, g);
    w->best_size = w->best_boundary = 0;
    add(w, g, start);
    /* It may go over its budget for a while: large sets have few others left to be next to. */
    while (w->size < most && boundary(w) <= 2 * budget) {
        if (boundary(w) <= budget && w->size > w->best_size) keep_best(w);
        uint32_t v = cheapest(w, w->n, tacit_prng_below(p, w->n));
        if (v == w->n) break;
        add(w, g, v);
    }
    if (boundary(w) <= budget && w->size > w->best_size) keep_best(w);
    if (w->best_size == 0 || w->best_size >= most) return;

    region_clear(w, g);
    for (uint32_t v = 0; v < w->n; v++)
        if (w->best[v]) add(w, g, v);
    for (uint32_t i = 0; i < exchanges; i++) {
        uint32_t before = boundary(w), out = random_member(w, p);
        take_out(w, g, out);
        uint32_t in = cheapest(w, out, tacit_prng_below(p, w->n));
        if (in == w->n) return;
        add(w, g, in);
        if (boundary(w) > before) {
            take_out(w, g, in);
            add(w, g, out);
        }
        fill(w, g, budget, most, p);
        if (w->size > w->best_size) keep_best(w);
    }
}

/* ---- the thinnest cut ------------------------------------------------------------------------ */

/* One step of the lazy random walk on what is not barred, without its constant part. */
static void walk(region *w, const attacked *g) {
    double mean = 0.0, edges = 0.0, norm = 0.0;
    for (uint32_t v = 0; v < w->n; v++) {
        if (w->barred[v]) continue;
        double sum = 0.0, d = 0.0;
        EACH_NEIGHBOUR(g, v, u) {
            if (w->barred[u]) continue;
            sum += w->value[u];
            d += 1.0;
        }
        w->next[v] = d > 0.0 ? 0.5 * (w->value[v] + sum / d) : 0.0;
        mean += d * w->next[v];
        edges += d;
    }
    for (uint32_t v = 0; v < w->n; v++) {
        if (w->barred[v]) continue;
        w->next[v] -= mean / edges;
        norm += w->next[v] * w->next[v];
    }
    norm = sqrt(norm);
    for (uint32_t v = 0; v < w->n; v++) w->value[v] = w->barred[v] ? 0.0 : w->next[v] / norm;
}

void adversary_spectrum(region *w, const attacked *g, uint32_t steps, tacit_prng *p) {
    for (uint32_t v = 0; v < w->n; v++) w->value[v] = tacit_prng_unit(p) - 0.5;
    for (uint32_t i = 0; i < steps; i++) walk(w, g);
    w->ordered = 0;
    for (uint32_t v = 0; v < w->n; v++)
        if (!w->barred[v]) w->order[w->ordered++] = (uint16_t)v;
    /* Shell sort: no comparison callback, so no global. */
    for (uint32_t gap = w->ordered / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (uint32_t i = gap; i < w->ordered; i++) {
            uint16_t v = w->order[i];
            uint32_t j = i;
            for (; j >= gap && w->value[w->order[j - gap]] > w->value[v]; j -= gap)
                w->order[j] = w->order[j - gap];
            w->order[j] = v;
        }
}

void adversary_sweep(region *w, const attacked *g, uint32_t above) {
    w->best_size = 0;
    w->best_boundary = UINT32_MAX;
    for (int end = 0; end < 2; end++) {
        region_clear(w, g);
        for (uint32_t i = 0; i < w->ordered / 2; i++) {
            add(w, g, w->order[end == 0 ? i : w->ordered - 1 - i]);
            if (w->size > above && boundary(w) < w->best_boundary) keep_best(w);
        }
    }
}

/* ---- sets that could be read by themselves --------------------------------------------------- */

/* inside[v]: members next to v, for every vertex. */
static void count_inside(region *w, const attacked *g) {
    for (uint32_t v = 0; v < w->n; v++) {
        w->inside[v] = 0;
        EACH_NEIGHBOUR(g, v, u) w->inside[v] += w->member[u];
    }
}

static void everybody(region *w, const attacked *g) {
    w->size = 0;
    for (uint32_t v = 0; v < w->n; v++) {
        w->member[v] = !w->barred[v];
        w->size += w->member[v];
    }
    count_inside(w, g);
}

/* Membership with `inside` kept; the surroundings are not. */
static void set_member(region *w, const attacked *g, uint32_t v, bool now) {
    w->member[v] = now;
    w->size = now ? w->size + 1 : w->size - 1;
    EACH_NEIGHBOUR(g, v, u) w->inside[u] = now ? w->inside[u] + 1 : w->inside[u] - 1;
}

/* The member with fewest, and the vertex outside with most neighbours inside (n: none). */
static void extremes(const region *w, uint32_t *weakest, uint32_t *outsider) {
    uint32_t least = UINT32_MAX, most = 0;
    *weakest = *outsider = w->n;
    for (uint32_t v = 0; v < w->n; v++) {
        if (w->barred[v]) continue;
        if (w->member[v] && w->inside[v] < least) {
            least = w->inside[v];
            *weakest = v;
        } else if (!w->member[v] && w->inside[v] >= most) {
            most = w->inside[v];
            *outsider = v;
        }
    }
}

void adversary_dense(region *w, const attacked *g, uint32_t degree) {
    enum { EXCHANGES = 3 };
    everybody(w, g);
    w->best_size = 0;
    uint64_t twice = 0; /* twice the edges inside */
    for (uint32_t v = 0; v < w->n; v++) twice += w->member[v] ? w->inside[v] : 0;
    while (w->size > 1 && twice >= (uint64_t)degree * w->size) {
        memcpy(w->best, w->member, w->n);
        w->best_size = w->size;
        uint32_t weakest, outsider;
        extremes(w, &weakest, &outsider);
        twice -= 2 * w->inside[weakest];
        set_member(w, g, weakest, false);
        for (int i = 0; i < EXCHANGES; i++) {
            extremes(w, &weakest, &outsider);
            if (outsider == w->n || w->inside[outsider] <= w->inside[weakest] + 1) break;
            twice -= 2 * w->inside[weakest];
            set_member(w, g, weakest, false);
            twice += 2 * w->inside[outsider];
            set_member(w, g, outsider, true);
        }
    }
}

/* Everybody who has fewer than need inside leaves, and again. */
static void settle(region *w, const attacked *g) {
    for (bool again = true; again;) {
        again = false;
        for (uint32_t v = 0; v < w->n; v++) {
            if (!w->member[v] || w->inside[v] >= g->need[v]) continue;
            set_member(w, g, v, false);
            again = true;
        }
    }
}

/* The member with least to spare; taking it out weakens a place that is weak already. */
static uint32_t least_spare(const region *w, const attacked *g) {
    uint32_t found = w->n;
    for (uint32_t v = 0; v < w->n; v++) {
        if (!w->member[v]) continue;
        if (found == w->n || w->inside[v] - g->need[v] < w->inside[found] - g->need[found])
            found = v;
    }
    return found;
}

void adversary_core(region *w, const attacked *g, uint32_t tries, tacit_prng *p) {
    everybody(w, g);
    settle(w, g);
    uint32_t failed = 0;
    while (w->size > 0 && failed < tries) {
        memcpy(w->best, w->member, w->n);
        w->best_size = w->size;
        uint32_t leaves = failed == 0 ? least_spare(w, g) : random_member(w, p);
        set_member(w, g, leaves, false);
        settle(w, g);
        if (w->size > 0) {
            failed = 0;
            continue;
        }
        failed++; /* nothing was left: back to the last core, another one leaves */
        memcpy(w->member, w->best, w->n);
        w->size = w->best_size;
        count_inside(w, g);
    }
    if (w->size == 0 && failed == 0) w->best_size = 0; /* not even everybody is a core */
    w->best_boundary = 0;
    if (w->best_size == 0) return;
    region_clear(w, g);
    for (uint32_t v = 0; v < w->n; v++)
        if (w->best[v]) add(w, g, v);
    w->best_boundary = boundary(w);
}

/* ---- two lists ------------------------------------------------------------------------------- */

/* mark[v] is the side; inside[v] the neighbours on the own side. */
static void count_own(region *w, const attacked *g) {
    for (uint32_t v = 0; v < w->n; v++) {
        w->inside[v] = 0;
        if (w->barred[v]) continue;
        EACH_NEIGHBOUR(g, v, u) w->inside[v] += !w->barred[u] && w->mark[u] == w->mark[v];
    }
}

/* cover[v] holds the neighbours that are not barred, for the time of the split. */
static int32_t gain(const region *w, uint32_t v) {
    return (int32_t)w->cover[v] - 2 * (int32_t)w->inside[v];
}

static void change_side(region *w, const attacked *g, uint32_t v) {
    EACH_NEIGHBOUR(g, v, u) {
        if (w->barred[u]) continue;
        w->inside[u] = w->mark[u] == w->mark[v] ? w->inside[u] - 1 : w->inside[u] + 1;
    }
    w->mark[v] ^= 1;
    w->inside[v] = w->cover[v] - w->inside[v];
}

/* The best vertex of a side to change over, among those that have not moved (member 0). */
static uint32_t best_mover(const region *w, uint8_t side) {
    uint32_t found = w->n;
    for (uint32_t v = 0; v < w->n; v++) {
        if (w->barred[v] || w->member[v] || w->mark[v] != side) continue;
        if (found == w->n || gain(w, v) > gain(w, found)) found = v;
    }
    return found;
}

/* One Fiduccia-Mattheyses pass: pairs change over, each vertex once, also at a loss; then back to
 * the best moment. True when that moment was better than the start. queue holds the moves. */
static bool exchange_pass(region *w, const attacked *g) {
    int64_t total = 0, best = 0;
    uint32_t moves = 0, best_moves = 0, worse = 0;
    memset(w->member, 0, w->n);
    while (worse < 40) {
        uint32_t pair[2] = {best_mover(w, 0), 0};
        if (pair[0] == w->n) break;
        total += gain(w, pair[0]);
        change_side(w, g, pair[0]);
        w->member[pair[0]] = 1;
        pair[1] = best_mover(w, 1);
        if (pair[1] == w->n) {
            change_side(w, g, pair[0]);
            break;
        }
        total += gain(w, pair[1]);
        change_side(w, g, pair[1]);
        w->member[pair[1]] = 1;
        w->queue[moves++] = (uint16_t)pair[0];
        w->queue[moves++] = (uint16_t)pair[1];
        worse++;
        if (total > best) {
            best = total;
            best_moves = moves;
            worse = 0;
        }
    }
    while (moves > best_moves) change_side(w, g, w->queue[--moves]);
    return best > 0;
}

static uint32_t count_passing(const region *w, const attacked *g) {
    uint32_t passing = 0;
    for (uint32_t v = 0; v < w->n; v++) passing += !w->barred[v] && w->inside[v] >= g->need[v];
    return passing;
}

/* How many of the vertices around v (and v itself) lack a neighbour on their side. */
static uint32_t failing_around(const region *w, const attacked *g, uint32_t v) {
    uint32_t failing = w->inside[v] < g->need[v];
    EACH_NEIGHBOUR(g, v, u) failing += !w->barred[u] && w->inside[u] < g->need[u];
    return failing;
}

/* v changes side; returns by how many fewer devices pass. */
static int32_t loss_of_changing(region *w, const attacked *g, uint32_t v) {
    int32_t before = (int32_t)failing_around(w, g, v);
    change_side(w, g, v);
    return (int32_t)failing_around(w, g, v) - before;
}

/* Exchanges of random pairs, kept when no fewer devices pass. */
static void raise_passing(region *w, const attacked *g, tacit_prng *p) {
    for (uint32_t i = 0; i < 4 * w->n; i++) {
        uint32_t a = tacit_prng_below(p, w->n), b = tacit_prng_below(p, w->n);
        if (w->barred[a] || w->barred[b] || w->mark[a] == w->mark[b]) continue;
        int32_t loss = loss_of_changing(w, g, a) + loss_of_changing(w, g, b);
        if (loss <= 0) continue;
        change_side(w, g, a);
        change_side(w, g, b);
    }
}

static uint32_t core_of_side(region *w, const attacked *g, uint8_t side) {
    w->size = 0;
    for (uint32_t v = 0; v < w->n; v++) {
        w->member[v] = !w->barred[v] && w->mark[v] == side;
        w->size += w->member[v];
    }
    count_inside(w, g);
    settle(w, g);
    return w->size;
}

void adversary_split(two_lists *out, region *w, const attacked *g, tacit_prng *p) {
    *out = (two_lists){.passing = 0};
    uint32_t devices = w->ordered;
    for (uint32_t i = 0; i < devices; i++) w->mark[w->order[i]] = i < devices / 2;
    for (uint32_t v = 0; v < w->n; v++) {
        w->cover[v] = 0;
        EACH_NEIGHBOUR(g, v, u) w->cover[v] = (uint16_t)(w->cover[v] + !w->barred[u]);
    }
    count_own(w, g);
    for (int pass = 0; pass < 8 && exchange_pass(w, g); pass++) {
    }
    for (uint32_t v = 0; v < w->n; v++) {
        if (w->barred[v]) continue;
        out->own += (double)w->inside[v] / devices;
        out->need += (double)g->need[v] / devices;
    }
    out->passing = count_passing(w, g);
    raise_passing(w, g, p);
    out->passing_raised = count_passing(w, g);
    out->cores[0] = core_of_side(w, g, 0);
    out->cores[1] = core_of_side(w, g, 1);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

uint32_t adversary_surround(uint8_t *dropped, region *w, const attacked *g) {
    memset(dropped, 0, w->n);
    memcpy(w->member, w->best, w->n);
    count_inside(w, g);
    uint32_t gone = 0;
    for (; gone < g->dropouts; gone++) {
        uint32_t found = w->n;
        for (uint32_t v = 0; v < w->n; v++) {
            if (w->member[v] || dropped[v] || g->colluding[v] || w->inside[v] == 0) continue;
            if (found == w->n || w->inside[v] > w->inside[found]) found = v;
        }
        if (found == w->n) break;
        dropped[found] = 1;
    }
    return gone;
}

/* Marks the part of honest survivors around `start`; *fed is false when a member is starved. */
static uint32_t mark_part(region *w, const attacked *g, const uint8_t *dropped, uint32_t start,
                          bool *fed) {
    uint32_t head = 0, found = 0;
    w->mark[start] = 1;
    w->queue[found++] = (uint16_t)start;
    *fed = true;
    while (head < found) {
        uint32_t v = w->queue[head++];
        if (w->inside[v] < g->threshold[v]) *fed = false;
        EACH_NEIGHBOUR(g, v, u) {
            if (w->mark[u] || dropped[u] || g->colluding[u]) continue;
            w->mark[u] = 1;
            w->queue[found++] = (uint16_t)u;
        }
    }
    return found;
}

verdict adversary_judge(region *w, const attacked *g, const uint8_t *dropped) {
    verdict out = {.remaining = 0};
    for (uint32_t v = 0; v < w->n; v++) w->member[v] = !dropped[v];
    count_inside(w, g);
    memset(w->mark, 0, w->n);
    for (uint32_t v = 0; v < w->n; v++) {
        out.remaining += w->member[v];
        if (dropped[v] || g->colluding[v]) continue;
        out.starved += w->inside[v] < g->threshold[v];
        if (w->mark[v]) continue;
        bool fed;
        uint32_t size = mark_part(w, g, dropped, v, &fed);
        out.parts++;
        out.readable += fed;
        if (size > out.largest) out.largest = size;
        if (fed && (out.least_read == 0 || size < out.least_read)) out.least_read = size;
    }
    return out;
}
