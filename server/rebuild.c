/* SPDX-License-Identifier: Apache-2.0
 * rebuild.c - a secret from the shares that were revealed, checked against its commitment (security
 * M2). All shares that came are used: when they agree they give the secret at once, when they do
 * not the code they form tells which are wrong, as long as those are at most half of the spare
 * ones. A share came out of the box its dealer signed, opened by a key its holder signed, so a
 * wrong one is the dealer's doing; that is said by the result and named in unmask.c. Nothing here
 * is guessed or tried: the work is the same for every secret with a given number of shares. */
#include "server/rebuild.h"

#include <stdlib.h>

#include "common/shamir.h"
#include "server/cohort_checks.h"

struct rebuild {
    const cohort *c;
    uint16_t *points;   /* [degree_max] */
    uint64_t *lagrange; /* [degree_max] */
    uint8_t *shares;    /* [degree_max x TACIT_SHARE_LEN], packed */
    uint8_t *wrong;     /* [degree_max] bitmap */
    uint64_t *scratch;  /* of tacit_shamir_locate */
    tacit_prng prng;    /* challenges */
};

tacit_status rebuild_new(rebuild **out, const cohort *c, uint64_t stream) {
    rebuild *r = calloc(1, sizeof *r);
    *out = r;
    if (r == NULL) return TACIT_NO_SPACE;
    size_t degree = c->degree_max;
    r->c = c;
    tacit_prng_init(&r->prng, c->secret, 1 + stream);
    r->points = calloc(degree, sizeof *r->points);
    r->lagrange = calloc(degree, sizeof *r->lagrange);
    r->shares = calloc(degree, TACIT_SHARE_LEN);
    r->wrong = calloc((degree + 7) / 8, 1);
    r->scratch = calloc(tacit_shamir_locate_scratch(degree), sizeof *r->scratch);
    bool room = r->points != NULL && r->lagrange != NULL && r->shares != NULL && r->wrong != NULL &&
                r->scratch != NULL;
    return room ? TACIT_OK : TACIT_NO_SPACE;
}

void rebuild_free(rebuild *r) {
    if (r == NULL) return;
    size_t degree = r->c->degree_max;
    if (r->shares != NULL) tacit_wipe(r->shares, degree * TACIT_SHARE_LEN);
    if (r->scratch != NULL)
        tacit_wipe(r->scratch, tacit_shamir_locate_scratch(degree) * sizeof *r->scratch);
    free(r->points);
    free(r->lagrange);
    free(r->shares);
    free(r->wrong);
    free(r->scratch);
    tacit_prng_wipe(&r->prng);
    free(r);
}

/* The shares about `owner` that came, with their points; how many. */
static uint32_t gather(rebuild *r, uint32_t owner) {
    const cohort *c = r->c;
    uint32_t count = 0;
    for (uint32_t e = c->offsets[owner]; e < c->offsets[owner + 1]; e++) {
        if (!tacit_bit_get(c->held, e)) continue;
        r->points[count] = (uint16_t)(c->adjacent[e] + 1);
        memcpy(r->shares + (size_t)count * TACIT_SHARE_LEN, c->shares + (size_t)e * TACIT_SHARE_LEN,
               TACIT_SHARE_LEN);
        count++;
    }
    return count;
}

/* Drops the shares marked in r->wrong; how many stay. */
static uint32_t drop_wrong(rebuild *r, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (tacit_bit_get(r->wrong, i)) continue;
        r->points[kept] = r->points[i];
        memmove(r->shares + (size_t)kept * TACIT_SHARE_LEN, r->shares + (size_t)i * TACIT_SHARE_LEN,
                TACIT_SHARE_LEN);
        kept++;
    }
    return kept;
}

/* Brings r to shares of one polynomial of degree < t: all of *count, or what is left of them. */
static tacit_status correct(rebuild *r, uint32_t *count, uint32_t t) {
    tacit_status st = tacit_shamir_lagrange(r->lagrange, r->points, *count);
    if (st != TACIT_OK) return st;
    uint64_t challenge = tacit_prng_u64(&r->prng);
    if (tacit_shamir_agree(r->shares, r->points, r->lagrange, *count, t, challenge))
        return TACIT_OK;
    st = tacit_shamir_locate(r->wrong, r->shares, r->points, r->lagrange, *count, t, r->scratch);
    if (st != TACIT_OK) return st;
    *count = drop_wrong(r, *count);
    return *count < t ? TACIT_BAD_SHARE : tacit_shamir_lagrange(r->lagrange, r->points, *count);
}

tacit_status rebuild_secret(rebuild *r, uint8_t secret[static TACIT_SECRET_LEN],
                            rebuild_count *count, uint32_t owner, uint8_t kind) {
    uint32_t t = r->c->thresholds[owner], m = gather(r, owner);
    *count = (rebuild_count){.came = m};
    if (t == 0 || m < t) return TACIT_TOO_FEW;
    tacit_status st = correct(r, &m, t);
    count->wrong = count->came - m;
    if (st == TACIT_OK)
        st = tacit_shamir_combine(secret, r->shares, TACIT_SHARE_LEN, r->lagrange, m);
    if (st == TACIT_OK && !cohort_fits_commitment(r->c->roster[owner], secret, kind))
        st = TACIT_BAD_SHARE;
    if (st != TACIT_OK) tacit_wipe(secret, TACIT_SECRET_LEN);
    return st;
}
