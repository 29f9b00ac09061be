/* SPDX-License-Identifier: Apache-2.0
 * round.h - the life of one training run as a pure state machine: which model to publish, which
 * plan to sign, what to record after each cohort, when to try again and when to give up. It owns no
 * store, clock, socket or random source: the caller asks what is due, does it, and says so.
 *
 *   PUBLISH?  -> RESERVE -> OPEN -> GATHER -> LEARN -> COMMIT -> RESERVE ... -> OVER
 *                    ^                 `--- failed --> COMMIT -> WAIT --'   (3 in a row: OVER)
 *
 * | due     | the caller                                    | then calls        |
 * | PUBLISH | stores round_start_model                      | round_published   |
 * | RESERVE | reserves a round number, draws a phase seed   | round_reserved    |
 * | OPEN    | keeps and shows round_offer, starts a cohort  | round_opened      |
 * | GATHER  | drives the cohort to DONE or FAILED           | round_gathered    |
 * | LEARN   | (in a worker, it takes long)                  | round_learn       |
 * | COMMIT  | stores round_end in one transaction           | round_committed   |
 * | WAIT    | waits until round_resume_s                    | round_resume      |
 * | OVER    | frees it                                      |                   |
 *
 * A call that does not fit what is due is a programmer error. */
#ifndef TACIT_SERVER_ROUND_H
#define TACIT_SERVER_ROUND_H

#include "server/cohort.h"
#include "server/store.h"
#include "server/training.h"

typedef enum {
    ROUND_PUBLISH,
    ROUND_RESERVE,
    ROUND_OPEN,
    ROUND_GATHER,
    ROUND_LEARN,
    ROUND_COMMIT,
    ROUND_WAIT,
    ROUND_OVER
} round_due;

enum { ROUND_TRIES = 3, ROUND_PLAN_LEN = TACIT_PLAN_LEN + TACIT_SIG_LEN };

/* What every round of this server has in common. Pointers outlive the round. */
typedef struct {
    const uint8_t *plan_secret;   /* [TACIT_SIGN_SECRET_LEN] */
    const uint8_t *model_secret;  /* [TACIT_SIGN_SECRET_LEN] */
    const uint8_t *authority_key; /* [TACIT_KEY_LEN] */
    const uint8_t *catalogue;     /* digest, [TACIT_HASH_LEN] */
    const uint64_t *ids;          /* [items], ascending */
    const uint8_t *kinds;         /* [items] */
    uint32_t item_count;
    uint32_t separation_s; /* into the plan */
    uint32_t back_off_s;   /* wait after the first failure; doubled each time */
} round_setup;

/* A plan ready to be shown. */
typedef struct {
    tacit_plan plan;
    uint8_t encoded[ROUND_PLAN_LEN]; /* plan, then the plan key's signature: kept in the store */
    uint8_t digest[TACIT_HASH_LEN];
    uint8_t phase_secret[TACIT_SIGN_SECRET_LEN];
    uint32_t expected_count;
    /* Why devices with the shipped floors will refuse it; NULL when they will not. */
    const char *floor;
} round_offer;

/* What ends a round; arrays are owned by the round and valid until round_committed. */
typedef struct {
    store_record record; /* entry is filled in by the store */
    bool has_model;
    store_model model;
    const uint8_t *model_file, *sum, *blob; /* sum NULL without a model */
    size_t sum_len, blob_len;
    run_state state;
} round_end;

typedef struct round_run round_run;

/* Takes the training over (also on failure). latest: newest published model, NULL when there is
 * none. blob: the run's state as the store has it, NULL at its beginning. CORRUPT when the blob
 * does not fit; BAD_PLAN when the run's numbers make no plan (*what, may be NULL, says why);
 * INVALID_ARGUMENT for a run without noise; NO_SPACE. */
TACIT_MUST_CHECK tacit_status round_new(round_run **out, const char **what,
                                        const round_setup *setup, const store_run *run, training *t,
                                        const store_model *latest, const uint8_t *blob,
                                        size_t blob_len);
/* Wipes the phase key. NULL allowed. */
void round_free(round_run *r);

round_due round_next(const round_run *r);

/* PUBLISH: the content-only start, encoded and signed. *file is owned by the round. */
TACIT_MUST_CHECK tacit_status round_start_model(round_run *r, store_model *model,
                                                const uint8_t **file, uint64_t now_s);
void round_published(round_run *r);

/* RESERVE: number from the store, seed fresh from the random source. BAD_PLAN (*what says why): the
 * run cannot go on and is over. */
TACIT_MUST_CHECK tacit_status round_reserved(round_run *r, const char **what, uint64_t number,
                                             const uint8_t phase_seed[static TACIT_KEY_LEN],
                                             uint64_t now_s);

/* OPEN */
const round_offer *round_plan(const round_run *r);
void round_opened(round_run *r);

/* GATHER: the cohort's end. words [dims] are borrowed until round_committed; NULL when it failed.
 */
void round_gathered(round_run *r, const cohort_report *report, const uint32_t *words,
                    uint64_t now_s);

/* LEARN: from the sum to the next model. May run in another thread while nobody else touches the
 * round. A failure becomes a failed round; the training is put back to before the sum. */
void round_learn(round_run *r);
const training_step *round_step(const round_run *r);

/* COMMIT */
const round_end *round_result(const round_run *r);
void round_committed(round_run *r, uint64_t now_s);

/* WAIT */
uint64_t round_resume_s(const round_run *r);
void round_resume(round_run *r);

/* Failed rounds in a row. */
uint32_t round_failures(const round_run *r);

/* The entry for a round that a crash cut off, from its kept plan (ROUND_PLAN_LEN bytes).
 * BAD_MESSAGE when those bytes are no plan. */
TACIT_MUST_CHECK tacit_status round_cut_off(store_record *record, const uint8_t *plan, size_t len,
                                            uint64_t now_s);

#endif
