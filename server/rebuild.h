/* SPDX-License-Identifier: Apache-2.0
 * rebuild.h - a round secret from the shares that were revealed (security M2). One object serves
 * one thread; it only reads the cohort. */
#ifndef TACIT_SERVER_REBUILD_H
#define TACIT_SERVER_REBUILD_H

#include "server/cohort_internal.h"

typedef struct rebuild rebuild;

typedef struct {
    uint32_t came;  /* shares that were revealed */
    uint32_t wrong; /* of them off the polynomial of the others: the dealer's doing */
} rebuild_count;

/* Scratch for a cohort whose REVEAL has closed. `stream`: objects that work side by side have
 * different ones. NO_SPACE. */
TACIT_MUST_CHECK tacit_status rebuild_new(rebuild **out, const cohort *c, uint64_t stream);
/* Wipes and frees; NULL allowed. */
void rebuild_free(rebuild *r);

/* The secret of `owner` of this kind, which fits its commitment. TOO_FEW shares came; BAD_SHARE: at
 * least t_v came and no secret that fits the commitment lies within half of the spare ones. *count
 * is set in every case. */
TACIT_MUST_CHECK tacit_status rebuild_secret(rebuild *r, uint8_t secret[static TACIT_SECRET_LEN],
                                             rebuild_count *count, uint32_t owner, uint8_t kind);

#endif
