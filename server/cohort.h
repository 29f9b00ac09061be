/* SPDX-License-Identifier: Apache-2.0
 * cohort.h - the server side of one cohort as a pure state machine: request bodies and the time go
 * in; phase closings, answers and finally a sum come out. No socket, no clock, no thread. The same
 * object is driven by tacitd, by `tacit simulate` and by the tests.
 *
 * Phases: JOIN -> SHARE -> MASK -> AGREE -> REVEAL -> SUM -> DONE, or FAILED from any of them. A
 * phase closes once: when every device expected has sent, when its deadline passes, when enough
 * have sent and it has become quiet, or (JOIN) at n_hi. A message after that is LATE. A cohort that
 * would fall below n_min (or whose secrets cannot be rebuilt) fails: nothing but who took part is
 * known.
 *
 * A masked vector is taken whole (staged by the caller), its length, digest and signature are
 * checked, and it is added to the sum exactly once (security H11); vectors are not kept. */
#ifndef TACIT_SERVER_COHORT_H
#define TACIT_SERVER_COHORT_H

#include "common/plan.h"
#include "common/transcript.h"
#include "common/wire.h"

typedef enum {
    COHORT_JOIN = 0,
    COHORT_SHARE = 1,
    COHORT_MASK = 2,
    COHORT_AGREE = 3,
    COHORT_REVEAL = 4,
    COHORT_SUM = 5, /* the unmasking job is due: cohort_job_* */
    COHORT_DONE = 6,
    COHORT_FAILED = 7
} cohort_phase;

typedef struct cohort cohort;

typedef struct {
    tacit_plan plan; /* decoded and checked */
    uint8_t plan_digest[TACIT_HASH_LEN];
    uint8_t phase_secret[TACIT_SIGN_SECRET_LEN]; /* key named in the plan */
    uint32_t cohort;                             /* number in the URL; 0 while cohort_count is 1 */
    uint32_t expected_count; /* JOIN closes early at this many joins (0: plan.n_hi) */
    /* A phase also closes once at least the share of devices the plan needs (n_min; while joining
     * n_lo and 1 - max_dropout of those expected) has sent and nothing was accepted for quiet_s
     * seconds: nobody waits out a deadline for devices that are gone. 0: never. */
    uint32_t quiet_s;
    /* Device keys whose joins are refused, under whatever certificate: devices that were named in
     * earlier rounds. Copied by cohort_new. */
    const uint8_t (*banned)[TACIT_KEY_LEN];
    uint32_t banned_count;
    /* For benchmarks alone: the complete graph at any size (tacit_graph_rule_complete). Devices
     * derive the plan's own graph and leave such a cohort. */
    bool complete_graph;
} cohort_params;

/* Starts in JOIN at plan.opens_s. NO_SPACE, BAD_PLAN. */
TACIT_MUST_CHECK tacit_status cohort_new(cohort **out, const cohort_params *params);
/* Wipes secrets and frees. NULL allowed. */
void cohort_free(cohort *c);

cohort_phase cohort_phase_now(const cohort *c);
/* Unix second at which the current phase closes at the latest. */
uint64_t cohort_deadline_s(const cohort *c);
/* Largest body accepted for a phase's request: check before buffering (security M12). */
size_t cohort_body_max(const cohort *c, cohort_phase phase);

/* A whole request body for `phase` (JOIN..REVEAL). *slot identifies the device for the answer:
 * a join slot (order of joining) until the roster stands, mapped to its roster index afterwards by
 * cohort_slot_index. `note` (TACIT_NOTE_LEN + 1 bytes, may be NULL) receives what and where on
 * refusal. now_s: certificates; a message after the phase's deadline is LATE even before the tick.
 *   OK          accepted; the answer follows when the phase closes
 *   DUPLICATE   the same device already sent for this phase, identical or not: first one counts;
 *               *slot is set
 *   LATE        the phase has closed
 *   WRONG_PHASE the phase has not opened yet, or the device is not in the set that may send
 *   others      the message is refused; the device is dropped and counted by stage and reason when
 *               it is authenticated, otherwise only the exchange ends */
TACIT_MUST_CHECK tacit_status cohort_submit(cohort *c, uint32_t *slot, char *note,
                                            cohort_phase phase, tacit_bytes body, uint64_t now_s);

/* Checks a Tacit-Poll header value (hex) for a phase; gives the slot. BAD_SIGNATURE, BAD_MESSAGE,
 * WRONG_PHASE when that device has not sent in this phase. */
TACIT_MUST_CHECK tacit_status cohort_poll(const cohort *c, uint32_t *slot, cohort_phase phase,
                                          const char *poll);

/* Advances by time and counts; true when the phase changed (call again until false). */
bool cohort_tick(cohort *c, uint64_t now_s);

/* Is the answer of `phase` ready (that phase has closed)? */
bool cohort_answer_ready(const cohort *c, cohort_phase phase);
/* Appends the next message of the answer of `phase` for `slot`. *cursor starts at 0. OK: a message
 * was written, more may follow; NOT_FOUND: the answer is complete; ABORTED: the cohort failed (send
 * a Problem); LATE: the device was not in the set and gets no answer. Made on demand, so nothing is
 * stored per waiting device. */
TACIT_MUST_CHECK tacit_status cohort_answer_next(const cohort *c, cohort_phase phase, uint32_t slot,
                                                 uint32_t *cursor, tacit_sink *out);

/* ---- The sum -----------------------------------------------------------------------------------
 * In COHORT_SUM: begin, then for each stage every task, then next, until no task is left:
 *
 *     cohort_job_begin; while ((tasks = cohort_job_tasks) > 0) { run 0 .. tasks - 1; job_next }
 *
 * The first stage rebuilds the secrets and derives the masks' keys, a few devices a task; the
 * second takes the masks off, a range of coordinates and a range of masks a task. Memory: a key of
 * 32 bytes a mask, and 40 KB of stack a task. */
/* WRONG_PHASE, NO_SPACE (COHORT_FAILED then). */
TACIT_MUST_CHECK tacit_status cohort_job_begin(cohort *c);
/* Tasks of the stage; 0 when the job is over (DONE or FAILED). */
uint32_t cohort_job_tasks(const cohort *c);
/* Runs one task; thread-safe for distinct tasks of a stage, each to be run once. */
void cohort_job_run(cohort *c, uint32_t task);
/* All tasks of the stage have run: on to the next. After the first: names dealers whose shares are
 * wrong; COHORT_FAILED when a secret cannot be rebuilt. After the last: reduces mod 2^bits, digest
 * of the sum, DONE; the reveal answers (receipts) are ready then. */
void cohort_job_next(cohort *c);
/* The whole job in the caller's thread. */
TACIT_MUST_CHECK tacit_status cohort_sum_now(cohort *c);

/* In DONE: the sum, words in [0, 2^bits), [plan.dims]; owned by the cohort. */
const uint32_t *cohort_sum(const cohort *c);

/* ---- What happened -----------------------------------------------------------------------------
 */
/* Devices that broke the protocol (security M2). The first three are proved by what stands under
 * the device's own signature, so nobody is named for what another could have done; UNOPENED is a
 * suspicion. */
typedef enum {
    COHORT_FAULT_MESSAGE = 0, /* signed a message that breaks the protocol */
    COHORT_FAULT_KEY = 1,     /* signed a share key that does not open the share's box */
    COHORT_FAULT_DEAL = 2, /* dealt boxes of which, of at least t_v that holders opened, some hold
                            * no share or shares that contradict the others or the commitment */
    COHORT_FAULT_UNOPENED = 3 /* its secret was lost, and neighbours that revealed gave no key for
                               * its boxes: either those do not open, or these neighbours lie */
} cohort_fault;
typedef struct {
    uint32_t index; /* in the roster */
    uint8_t id[TACIT_HASH_LEN];
    uint8_t device_key[TACIT_KEY_LEN];
    cohort_phase phase; /* of the message */
    cohort_fault fault;
    uint32_t wrong, came; /* DEAL: shares wrong or absent from their boxes, of all opened;
                           * UNOPENED: neighbours without a key, shares that came */
} cohort_blame;
const char *cohort_fault_name(cohort_fault fault);
/* Proved faults that cost the others a sum or may have: such a device should not join again. A
 * message that is merely wrong costs its sender the round, and may come of a bug. */
bool cohort_fault_bans(cohort_fault fault);

typedef struct {
    uint32_t joined;                     /* n, the roster */
    uint32_t sent[COHORT_REVEAL + 1];    /* accepted messages by phase */
    uint32_t refused[COHORT_REVEAL + 1]; /* authenticated devices dropped for a bad message */
    uint32_t shared;                     /* |U2| */
    uint32_t survivors;                  /* |U3| */
    uint32_t rebuilt_b, rebuilt_s;
    uint32_t blame_count;
    const cohort_blame *blames; /* [blame_count] the cohort's own, as long as it lives */
    uint8_t root[TACIT_HASH_LEN], u2_digest[TACIT_HASH_LEN], u3_digest[TACIT_HASH_LEN];
    uint8_t sum_digest[TACIT_HASH_LEN];
    tacit_graph_rule rule;
    tacit_status failure; /* OK unless FAILED */
    char failure_note[TACIT_NOTE_LEN + 1];
} cohort_report;
void cohort_report_get(const cohort *c, cohort_report *out);
/* Roster index of a slot once the roster stands; UINT32_MAX before or for a dropped slot. */
uint32_t cohort_slot_index(const cohort *c, uint32_t slot);
/* U3 bitmap (n bits) once MASK closed, else NULL. */
const uint8_t *cohort_u3(const cohort *c);
/* id of a roster index, once the roster stands. */
const uint8_t *cohort_id(const cohort *c, uint32_t index);

#endif
