/* SPDX-License-Identifier: Apache-2.0
 * ledger_checks.h - what the ledger asks before it lets a device take part, each rule by its name
 * (security C4, H7). Pure functions, true when the rule is kept; ledger.c says when each is asked
 * and what a breach is called. See secagg_checks.h for why they stand alone. */
#ifndef TACIT_FIRMWARE_LEDGER_CHECKS_H
#define TACIT_FIRMWARE_LEDGER_CHECKS_H

#include "firmware/ledger.h"

/* C4: a round's number is used once, to join and to be charged: it is above the last one used, also
 * after a restart. */
bool tacit_ledger_check_round(uint64_t round, uint64_t last);
/* C4: the record is not older than the platform's counter; an older one is a restored copy, which
 * would hand back budget and rounds. */
bool tacit_ledger_check_counter(uint64_t record, uint64_t platform);
/* H7: the Renyi filter: for at least one order the period's sum is within the cap that follows from
 * the record's epsilon and delta. */
bool tacit_ledger_check_caps(const tacit_ledger_record *r);
/* H7: fewer than TACIT_LEDGER_MAX_LOSSES cohorts of this period were lost after masking. */
bool tacit_ledger_check_losses(const tacit_ledger_record *r);
/* H7: enough time since the last contribution to another run, by the plan and by the floors; the
 * sums of one run may follow each other, up to TACIT_MAX_SUMS. now_s: Unix seconds. */
bool tacit_ledger_check_separation(const tacit_ledger_record *r, const tacit_plan *plan,
                                   const tacit_floors *floors, uint64_t now_s);

#endif
