/* SPDX-License-Identifier: Apache-2.0
 * participate.h - one device's part in one round, without a network: every check before anything is
 * sent, the three journal commits before the bytes they stand for, the update, and the cohort
 * machine (secagg.h). Bytes in, bytes out; contribute.c and the simulator drive it the same way.
 *
 *   begin -> { request -> answer* -> answer_end } x 5 -> DONE
 *
 *   phase    before the bytes leave                                      (security C4)
 *   join     journal 1: round used
 *   share    -
 *   mask     update made; journal 2: the charge
 *   agree    journal 3: evidence H(root, U2, U3) under 'e' | round u64 big-endian
 *   reveal   -; afterwards the charge is settled
 *
 * The statistics are made at begin, before the first byte, so that no phase takes longer because
 * the history is longer, and always take the time of a full window (tacit_update_pad), so that the
 * moment of joining does not tell either. The vector, the seeds and all round secrets live in this
 * memory only; any error, a withdrawn consent or tacit_participation_leave wipes them, and there is
 * no way back. */
#ifndef TACIT_FIRMWARE_PARTICIPATE_H
#define TACIT_FIRMWARE_PARTICIPATE_H

#include "common/plan.h"
#include "firmware/factor.h"
#include "firmware/history.h"
#include "firmware/ledger.h"
#include "firmware/secagg.h"

/* What it works with; everything is borrowed. */
typedef struct {
    const tacit_platform *platform;
    const tacit_options *options;
    const tacit_floors *floors;
    tacit_ledger *ledger;
    const tacit_history *history;
    tacit_factor *training; /* begun with the loaded model and rows [V] */
    float *x;               /* [options->max_dims] */
    uint32_t *words;        /* [options->max_dims] */
    void *machine;          /* machine_len bytes, 16-byte aligned */
    size_t machine_len;
} tacit_participation_room;

typedef struct {
    tacit_participation_room room;
    tacit_plan plan;
    tacit_secagg *secagg; /* NULL: not in a round */
    bool charged;         /* journal 2 was written in this round */
    bool ended;           /* the charge is settled */
} tacit_participation;

/* Checks that need no plan: NO_CONSENT, NOT_ENROLLED, PAUSED, BUDGET_SPENT, NO_SPACE (this device
 * never contributes). */
TACIT_MUST_CHECK tacit_status tacit_participation_ready(const tacit_participation_room *room,
                                                        uint64_t now_s);

/* The loaded model is the one the plan names, and says the same of what both say. BAD_MODEL (also
 * for NULL), BAD_PLAN. */
TACIT_MUST_CHECK tacit_status tacit_participation_check_model(const tacit_plan *plan,
                                                              const tacit_model *m);

/* Verifies and checks a plan under the pinned keys and this device's policy, but for the model:
 * BAD_SIGNATURE, BAD_VERSION, BAD_PLAN, LATE (joining has closed), NOT_FOUND (not open yet),
 * BELOW_FLOOR, BAD_CERTIFICATE, NO_SPACE, and what tacit_ledger_check says. */
TACIT_MUST_CHECK tacit_status tacit_participation_plan(tacit_plan *plan,
                                                       const tacit_participation_room *room,
                                                       const uint8_t encoded[static TACIT_PLAN_LEN],
                                                       const uint8_t sig[static TACIT_SIG_LEN],
                                                       uint64_t now_s);

/* All of the above, then the plan against the loaded model (BAD_MODEL when it is another one,
 * BAD_PLAN when they contradict each other); makes the statistics and draws the round secrets.
 * Nothing was sent or stored on any error. p is overwritten. */
TACIT_MUST_CHECK tacit_status
tacit_participation_begin(tacit_participation *p, const tacit_participation_room *room,
                          const uint8_t encoded[static TACIT_PLAN_LEN],
                          const uint8_t sig[static TACIT_SIG_LEN], uint64_t now_s);

/* Phase of the cohort machine; LEFT before begin and after any error. */
tacit_phase tacit_participation_phase(const tacit_participation *p);
bool tacit_participation_waiting(const tacit_participation *p);

/* Makes the due request: journal first, then the bytes, once. */
TACIT_MUST_CHECK tacit_status tacit_participation_request(tacit_participation *p, tacit_sink *out,
                                                          uint64_t now_s);
/* The answer, piece by piece, and its end; after the receipt the phase is DONE. */
TACIT_MUST_CHECK tacit_status tacit_participation_answer(tacit_participation *p,
                                                         const uint8_t *data, size_t len);
TACIT_MUST_CHECK tacit_status tacit_participation_answer_end(tacit_participation *p,
                                                             uint64_t now_s);

/* The person forgot something: from now on the update is the null vector. */
void tacit_participation_forget(tacit_participation *p);

/* Leaves, wiping everything; a charge whose cohort did not end becomes a loss. Safe at any time. */
void tacit_participation_leave(tacit_participation *p);

/* Kept evidence, for export: calls visit for each round. */
TACIT_MUST_CHECK tacit_status tacit_participation_evidence(
    const tacit_platform *platform,
    tacit_status (*visit)(void *self, uint64_t round, const uint8_t evidence[TACIT_HASH_LEN]),
    void *self);

#endif
