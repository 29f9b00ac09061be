/* SPDX-License-Identifier: Apache-2.0
 * client.h - what stands behind `tacit`, for the files that implement tacit.h: client.c (life,
 * history, recommendations), client_model.c (model slot), contribute.c (network), export.c. The
 * simulator and tests include it to set their own floors and to reach the participation. */
#ifndef TACIT_FIRMWARE_CLIENT_H
#define TACIT_FIRMWARE_CLIENT_H

#include "common/model.h"
#include "common/plan.h"
#include "firmware/factor.h"
#include "firmware/history.h"
#include "firmware/ledger.h"
#include "firmware/participate.h"
#include "firmware/tacit.h"
#include "firmware/workspace.h"

struct tacit {
    tacit_platform platform;
    tacit_options options; /* certificate, when there is one, points at the copy below */
    uint8_t certificate[TACIT_CERT_LEN];
    uint64_t certificate_end_s; /* not_after of a certificate that verified, else 0 */
    const tacit_floors *floors;
    tacit_arena arena;

    tacit_history history;
    tacit_ledger ledger;
    tacit_model model; /* views into the platform's mapping */
    bool loaded;
    tacit_factor final;    /* rows [V, X]: what ranks and explains */
    tacit_factor training; /* rows [V]: what contributes; only when max_dims > 0 */
    uint8_t *seen;         /* bitmap of max_items */

    float *x;        /* [max_dims] */
    uint32_t *words; /* [max_dims] */
    void *machine;   /* [machine_len] */
    size_t machine_len;
    tacit_participation participation;
};

/* Replaces the shipped floors; `floors` is borrowed. For simulation and tests, which say that they
 * do. */
void tacit_client_floors(tacit *t, const tacit_floors *floors);

/* What a participation works with; borrows from t. */
tacit_participation_room tacit_client_room(tacit *t);

/* Re-adds the whole window to the final system and solves it. */
void tacit_client_solve(tacit *t);

/* Verifies the staged model file under the pinned key, refuses one that does not fit, is not
 * `digest` (NULL: any) or is older than the committed one, commits it and loads it. */
TACIT_MUST_CHECK tacit_status tacit_client_adopt(tacit *t, const uint8_t *digest);

/* How tacit_contribute spends time (contribute.c); the simulator's devices follow the same rules.
 */
enum {
    TACIT_WAIT_MAX_S = 60,       /* most a server can make a device pause between two polls */
    TACIT_JOIN_SPREAD_MAX_S = 5, /* the moment of joining is spread over at most this */
    TACIT_JOIN_SPREAD_PART = 8   /* and at most this part of what is left of the join phase */
};
/* Longest time a device waits for the answer of a phase (contribute.c), in seconds. */
uint32_t tacit_contribute_limit_s(const tacit_plan *plan, tacit_phase phase);

/* Greatest length of a model file the options allow. */
size_t tacit_client_model_max(const tacit_options *options);

#endif
