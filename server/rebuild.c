/* SPDX-License-Identifier: Apache-2.0
 * rebuild.c - a secret from the shares that came, checked against its commitment (security M2).
 *
 * Some shares may be wrong, by the dealer's fault or the holder's; which cannot be told from here,
 * and nobody is named. The commitment tells a right result, so other t_v of the shares are tried, a
 * bounded number of times, by random subsets (good when many shares are spare) and by replacing
 * single ones (good when few are). Holders whose shares stood in a subset that failed and not in
 * the one that worked are asked last for the next secret, so one liar costs one search.
 *
 * On the complete graph most secrets are rebuilt from the same holders; the coefficients of the
 * last subset are kept. */
#include <stdlib.h>

#include "common/mask.h"
#include "common/shamir.h"
#include "server/cohort_internal.h"

enum { TRIES_SPARE = 64, TRIES_TOTAL = 16384 };

struct rebuild {
    const cohort *c;
    uint32_t *doubt;    /* [n] by holder */
    uint32_t *pool;     /* [degree_max] edges whose share is there, least doubt first */
    uint32_t *order;    /* [degree_max] the pool, reordered for one try */
    uint16_t *points;   /* [degree_max] of the coefficients below */
    uint16_t *wanted;   /* [degree_max] points of the try */
    uint64_t *lagrange; /* [degree_max] */
    uint8_t *shares;    /* [degree_max x TACIT_SHARE_LEN] of the try */
    uint32_t point_count;
    uint32_t tries_left;
    tacit_prng prng;
};

tacit_status rebuild_new(rebuild **out, const cohort *c) {
    rebuild *r = calloc(1, sizeof *r);
    *out = r;
    if (r == NULL) return TACIT_NO_SPACE;
    size_t degree = c->degree_max;
    r->c = c;
    r->tries_left = TRIES_TOTAL;
    tacit_prng_init(&r->prng, c->secret, 1);
    r->doubt = calloc(c->rule.n, sizeof *r->doubt);
    r->pool = calloc(degree, sizeof *r->pool);
    r->order = calloc(degree, sizeof *r->order);
    r->points = calloc(degree, sizeof *r->points);
    r->wanted = calloc(degree, sizeof *r->wanted);
    r->lagrange = calloc(degree, sizeof *r->lagrange);
    r->shares = calloc(degree, TACIT_SHARE_LEN);
    bool room = r->doubt != NULL && r->pool != NULL && r->order != NULL && r->points != NULL &&
                r->wanted != NULL && r->lagrange != NULL && r->shares != NULL;
    return room ? TACIT_OK : TACIT_NO_SPACE;
}

void rebuild_free(rebuild *r) {
    if (r == NULL) return;
    if (r->shares != NULL) tacit_wipe(r->shares, (size_t)r->c->degree_max * TACIT_SHARE_LEN);
    free(r->doubt);
    free(r->pool);
    free(r->order);
    free(r->points);
    free(r->wanted);
    free(r->lagrange);
    free(r->shares);
    tacit_prng_wipe(&r->prng);
    free(r);
}

/* The edges of `owner` with a share, stable by doubt. */
static uint32_t fill_pool(rebuild *r, uint32_t owner) {
    const cohort *c = r->c;
    uint32_t count = 0;
    for (uint32_t e = c->offsets[owner]; e < c->offsets[owner + 1]; e++) {
        if (!tacit_bit_get(c->held, e)) continue;
        uint32_t at = count++, doubt = r->doubt[c->adjacent[e]];
        for (; at > 0 && r->doubt[c->adjacent[r->pool[at - 1]]] > doubt; at--)
            r->pool[at] = r->pool[at - 1];
        r->pool[at] = e;
    }
    return count;
}

static int compare_edges(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool fits_commitment(const cohort_seat *seat, const uint8_t *secret, uint8_t kind) {
    uint8_t got[TACIT_HASH_LEN], mask_secret[TACIT_KEY_LEN];
    if (kind == TACIT_KIND_B) {
        tacit_mask_commit(got, secret);
        return tacit_equal(got, seat->join.commitment, sizeof got);
    }
    tacit_mask_secret_key(mask_secret, secret);
    tacit_x25519_public(got, mask_secret);
    tacit_wipe(mask_secret, sizeof mask_secret);
    return tacit_equal(got, seat->join.mask_key, sizeof got);
}

/* The secret by the first t edges of r->order, which are sorted on the way. */
static tacit_status try_subset(rebuild *r, uint8_t *secret, uint32_t owner, uint8_t kind,
                               uint32_t t) {
    const cohort *c = r->c;
    qsort(r->order, t, sizeof *r->order, compare_edges);
    for (uint32_t i = 0; i < t; i++) {
        r->wanted[i] = (uint16_t)(c->adjacent[r->order[i]] + 1);
        memcpy(r->shares + (size_t)i * TACIT_SHARE_LEN,
               c->shares + (size_t)r->order[i] * TACIT_SHARE_LEN, TACIT_SHARE_LEN);
    }
    if (r->point_count != t || memcmp(r->points, r->wanted, t * sizeof *r->points) != 0) {
        tacit_status st = tacit_shamir_lagrange(r->lagrange, r->wanted, t);
        if (st != TACIT_OK) return st;
        memcpy(r->points, r->wanted, t * sizeof *r->points);
        r->point_count = t;
    }
    tacit_status st = tacit_shamir_combine(secret, r->shares, TACIT_SHARE_LEN, r->lagrange, t);
    if (st == TACIT_OK && !fits_commitment(c->roster[owner], secret, kind)) st = TACIT_BAD_SHARE;
    if (st != TACIT_OK) tacit_wipe(secret, TACIT_SECRET_LEN);
    return st;
}

/* Another choice of t out of m > t: a random one, or the first with one share replaced. */
static void choose(rebuild *r, uint32_t attempt, uint32_t t, uint32_t m) {
    memcpy(r->order, r->pool, m * sizeof *r->order);
    if (attempt % 2 == 0) {
        uint32_t out = attempt / 2 % t, in = t + tacit_prng_below(&r->prng, m - t);
        r->order[out] = r->pool[in];
        return;
    }
    for (uint32_t i = 0; i < t; i++) {
        uint32_t k = i + tacit_prng_below(&r->prng, m - i), edge = r->order[k];
        r->order[k] = r->order[i];
        r->order[i] = edge;
    }
}

/* Doubts the holders of the first choice (pool[0..t-1]) that the right one (order[0..t-1], sorted)
 * did without. */
static void learn(rebuild *r, uint32_t t) {
    for (uint32_t i = 0; i < t; i++)
        if (bsearch(&r->pool[i], r->order, t, sizeof *r->order, compare_edges) == NULL)
            r->doubt[r->c->adjacent[r->pool[i]]]++;
}

tacit_status rebuild_secret(rebuild *r, uint8_t secret[static TACIT_SECRET_LEN],
                            uint32_t *share_count, uint32_t owner, uint8_t kind) {
    uint32_t t = r->c->thresholds[owner], m = fill_pool(r, owner);
    *share_count = m;
    if (t == 0 || m < t) return TACIT_TOO_FEW;
    memcpy(r->order, r->pool, m * sizeof *r->order);
    tacit_status st = try_subset(r, secret, owner, kind, t);
    if (st == TACIT_OK || m == t) return st;
    for (uint32_t attempt = 0; attempt < 2 * t + TRIES_SPARE && r->tries_left > 0; attempt++) {
        r->tries_left--;
        choose(r, attempt, t, m);
        st = try_subset(r, secret, owner, kind, t);
        if (st != TACIT_OK) continue;
        learn(r, t);
        return TACIT_OK;
    }
    return TACIT_BAD_SHARE;
}

uint32_t rebuild_tries(const rebuild *r) { return TRIES_TOTAL - r->tries_left; }
