/* SPDX-License-Identifier: Apache-2.0
 * graph_adversary.h - a server that knows the whole graph and picks who drops out: it grows sets
 * with few neighbours, sweeps the vector of the thinnest cut, looks for sets that could be read by
 * themselves and for two lists of survivors that two groups of devices would accept.
 *
 * It finds what it can, not everything there is: what it finds shows a weakness, what it does not
 * find proves nothing. No cmocka, no globals: used by tests and by tests/cuts. Functions that
 * return bool say false only when there is no memory. */
#ifndef TACIT_TESTS_GRAPH_ADVERSARY_H
#define TACIT_TESTS_GRAPH_ADVERSARY_H

#include "common/graph.h"
#include "common/prng.h"

/* A graph in compressed rows with its colluders. Honest devices come with their t_v. */
typedef struct {
    uint32_t n;
    const uint32_t *offsets;  /* [n + 1], the caller's */
    const uint16_t *adjacent; /* the caller's; rows ascending, symmetric */
    uint32_t colluders;       /* A */
    uint32_t dropouts;        /* most devices that may be missing: n - n_min */
    uint8_t *colluding;       /* [n] 1 for A random devices, drawn before the graph is looked at */
    uint32_t *threshold;      /* [n] t_v */
    uint32_t *need;           /* [n] t_v - c_v: honest neighbours inside a set that can be read */
} attacked;

/* Draws colluders and derives every t_v. Free with attacked_free (also after false). */
bool attacked_init(attacked *g, uint32_t n, uint32_t colluders, uint32_t dropouts,
                   const uint32_t *offsets, const uint16_t *adjacent, tacit_prng *p);
void attacked_free(attacked *g);
/* Recomputes need after somebody changed threshold. */
void attacked_needs(attacked *g);

/* A set of vertices and what surrounds it. Barred vertices are neither members nor counted as
 * neighbours. The same object serves many attacks on graphs of n vertices. */
typedef struct {
    uint32_t n, size, touched; /* touched: members and their neighbours */
    uint8_t *member, *barred;  /* [n] */
    uint16_t *cover;           /* [n] members next to a vertex */
    uint16_t *fresh;           /* [n] untouched neighbours of a vertex */
    uint8_t *best;             /* [n] the best set of the last attack */
    uint32_t best_size, best_boundary;
    double *value, *next; /* [n] of the spectral attack */
    uint16_t *order;      /* [n] all vertices that are not barred, by value */
    uint32_t ordered;
    uint16_t *queue;  /* [n] */
    uint32_t *inside; /* [n] neighbours inside a set, on the own side */
    uint8_t *mark;    /* [n] */
} region;

bool region_init(region *w, uint32_t n);
void region_free(region *w);
/* Honest devices only: colluders are barred. With `free_choice` nobody is: the adversary may pick
 * the colluders, too, after it has seen the graph (what the union bounds of security B allow it).
 */
void region_bar(region *w, const attacked *g, bool free_choice);

/* Grows a set from `start`, always by the vertex that adds fewest neighbours, then exchanges
 * members `exchanges` times. Best: the largest set of at most `most` vertices with at most `budget`
 * others next to it; best_size 0 when there is none. */
void adversary_grow(region *w, const attacked *g, uint32_t start, uint32_t budget, uint32_t most,
                    uint32_t exchanges, tacit_prng *p);

/* Orders the vertices that are not barred by the second eigenvector of the random walk. */
void adversary_spectrum(region *w, const attacked *g, uint32_t steps, tacit_prng *p);
/* Goes through that order, from both ends, up to half of it. Best: the set of more than `above`
 * vertices with the fewest others next to it. */
void adversary_sweep(region *w, const attacked *g, uint32_t above);

/* Best: the smallest set found whose members have `degree` neighbours inside on average; from all
 * vertices that are not barred down, by the vertex with fewest neighbours inside, exchanging. */
void adversary_dense(region *w, const attacked *g, uint32_t degree);

/* Best: the smallest set found whose members all have need[v] neighbours inside (`tries` vertices
 * in a row may fail to leave before it gives up); best_boundary is the number of others next to it.
 */
void adversary_core(region *w, const attacked *g, uint32_t tries, tacit_prng *p);

/* Two lists of survivors at once: every honest device signs one of two. */
typedef struct {
    double own, need;        /* mean over honest devices: neighbours on the own side; t_v - c_v */
    uint32_t passing;        /* devices with own >= need on the thinnest bisection */
    uint32_t passing_raised; /* after exchanges made for that number */
    uint32_t cores[2]; /* then of each side, who stays when those without need leave in turn */
} two_lists;

/* Halves the devices by the spectral order (adversary_spectrum first; the order is used up),
 * improves the cut by exchanges with look-ahead (Fiduccia-Mattheyses passes), then exchanges pairs
 * so that more devices pass. */
void adversary_split(two_lists *out, region *w, const attacked *g, tacit_prng *p);

/* ---- what comes of it ------------------------------------------------------------------------ */

typedef struct {
    uint32_t remaining;  /* devices that did not drop out, colluders with them */
    uint32_t parts;      /* of the honest ones, by the edges between them */
    uint32_t largest;    /* honest devices in the largest part */
    uint32_t readable;   /* parts in which every device has t_v live neighbours */
    uint32_t least_read; /* honest devices in the smallest readable part; 0: none */
    uint32_t starved;    /* honest devices with fewer than t_v live neighbours */
} verdict;

/* Drops the best set's surroundings: dropped[v] = 1 for at most g->dropouts honest devices next to
 * it, those with most edges into it first. Returns how many. dropped [n] is overwritten. */
uint32_t adversary_surround(uint8_t *dropped, region *w, const attacked *g);

/* What the protocol makes of these dropouts when all devices see the same list of survivors: a part
 * of the honest survivors can be read when each member's b opens, i.e. has t_v live neighbours. */
verdict adversary_judge(region *w, const attacked *g, const uint8_t *dropped);

#endif
