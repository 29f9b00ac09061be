/* SPDX-License-Identifier: Apache-2.0
 * ledger.h - the device's privacy budget: what was spent, what may still be, and which rounds are
 * used (security C4, H7). A Renyi filter on the grid of integer orders: at the start of a period
 * the caps B(a) are fixed from (epsilon, delta); a charge is accepted iff for at least one order
 * the sum including it stays within the cap. Sums round up, caps round down.
 *
 * delta of the caps is the policy's delta less what the protocol itself may fail by: for each of
 * the at most TACIT_LEDGER_MAX_CHARGES cohorts of a period 2^-40 (graph) and 2^-56 (the sampler's
 * total variation over all of a cohort's noise; TACIT_PROTOCOL_DELTA).
 *
 * One logical record in seven values of 512 bytes, always committed together:
 *
 *   KEY 'l' '0'   OFFSET SIZE  header, little-endian
 *                      0    8  magic "TACITLG1"
 *                      8    8  counter: grows by one with each commit
 *                     16    4  flags: 1 consent, 2 exhausted, 4 epoch known, 8 a charge unsettled
 *                     20    4  greatest certificate epoch seen
 *                     24    8  epsilon, f64     32    8  delta, f64     40    8  period_s
 *                     48    8  period_start_s
 *                     56    8  highest round joined (0: none)
 *                     64    8  highest round charged (0: none)
 *                     72    8  last_run         80    8  last_s, time of the last charge
 *                     88    4  charges of last_run                      92    4  losses
 *                     96    8  rounds joined   104    8  rounds charged, both since installation
 *                    112    4  charges of this period                  116  364  zero
 *                    480   32  MAC of the platform over LEDGER label and BLAKE2b of all the rest
 *   KEY 'l' '1'..'2'   period sums, u64 [128], units of 2^-40: zero-out adjacency
 *   KEY 'l' '3'..'4'   the same for replacement (both sensitivities doubled)
 *   KEY 'l' '5'..'6'   zero-out sums since installation
 *
 * ORDER. A commit writes the record with counter c + 1 and then raises the platform's counter to
 * c + 1; so after a crash the record is the newer of the two, and a record OLDER than the counter
 * is a restored copy.
 *
 * LOST LEDGERS. Missing, unreadable, older than its counter or with a MAC of another keystore: the
 * budget counts as spent until a certificate of a newer epoch than any seen so far. A ledger may be
 * missing innocently only on a device that never had one: the platform's counter is still 0, or,
 * without a counter, there is no certificate yet. So an app without a counter opens the library
 * once before it enrols.
 *
 * It refuses: to charge a round twice or without having joined it, to move a period's start back,
 * and to let a newer certificate refund a ledger that was never lost. */
#ifndef TACIT_FIRMWARE_LEDGER_H
#define TACIT_FIRMWARE_LEDGER_H

#include "common/accountant.h"
#include "common/plan.h"
#include "firmware/platform.h"

/* Units of an RDP sum in 1. */
#define TACIT_LEDGER_UNIT 0x1p40

enum {
    TACIT_LEDGER_MAX_CHARGES = 1024, /* in one period */
    TACIT_LEDGER_MAX_LOSSES = 3,     /* cohorts lost after masking in one period: pause */
    TACIT_LEDGER_MIN_PERIOD_S = 86400
};

/* The record in memory. */
typedef struct {
    uint64_t counter;
    bool consent, exhausted, epoch_known;
    bool unsettled; /* a charge whose cohort has not ended; a loss when found at open */
    uint32_t epoch;
    double epsilon, delta; /* policy of the current period */
    uint64_t period_s, period_start_s;
    uint64_t highest_round, charged_round;
    uint64_t last_run, last_s;
    uint32_t run_charges, losses, period_charges;
    uint64_t rounds_joined, rounds_charged;
    uint64_t period[TACIT_ORDER_COUNT], replace[TACIT_ORDER_COUNT], ever[TACIT_ORDER_COUNT];
} tacit_ledger_record;

typedef struct {
    const tacit_platform *platform;
    double epsilon, delta; /* the app's policy, for the next period */
    uint64_t period_s;
    bool sealed; /* the keystore failed at open: nothing can be committed */
    tacit_ledger_record record;
} tacit_ledger;

/* The policy is usable: epsilon in (0, 100], delta at most max_delta and above twice the protocol's
 * own part of it, period at least a day. */
bool tacit_ledger_policy_check(double epsilon, double delta, uint64_t period_s, double max_delta);

/* The delta the caps are fixed from: the record's less the protocol's own part. */
double tacit_ledger_caps_delta(const tacit_ledger_record *r);

/* Reads, checks and, where something changed, commits. epoch: of the certificate whose signature
 * was verified, or NULL without one. STORAGE only; a lost ledger is not an error. */
TACIT_MUST_CHECK tacit_status tacit_ledger_open(tacit_ledger *l, const tacit_platform *platform,
                                                const tacit_options *options, const uint32_t *epoch,
                                                uint64_t now_s);

TACIT_MUST_CHECK tacit_status tacit_ledger_consent(tacit_ledger *l, bool consent);

/* Would the ledger let this plan be joined now? NO_CONSENT, BUDGET_SPENT (also: exhausted, or more
 * charges than a period may have), PAUSED, ROUND_USED, TOO_SOON. Writes nothing. */
TACIT_MUST_CHECK tacit_status tacit_ledger_check(const tacit_ledger *l, const tacit_plan *plan,
                                                 const tacit_floors *floors, uint64_t now_s);

/* Journal (1), before join: check, then `round used`, durably. STORAGE: nothing may be sent. */
TACIT_MUST_CHECK tacit_status tacit_ledger_join(tacit_ledger *l, const tacit_plan *plan,
                                                const tacit_floors *floors, uint64_t now_s);

/* Journal (2), before mask: the charge of the round joined last, durably. ROUND_USED when it was
 * charged already or another round was joined since. */
TACIT_MUST_CHECK tacit_status tacit_ledger_charge(tacit_ledger *l, const tacit_plan *plan,
                                                  uint64_t now_s);

/* The charged cohort ended: with a receipt, or lost. OK when there is nothing to settle. */
TACIT_MUST_CHECK tacit_status tacit_ledger_settle(tacit_ledger *l, bool lost);

/* Fills everything but `enrolled`. */
void tacit_ledger_status(const tacit_ledger *l, tacit_privacy *out, uint64_t now_s);

#endif
