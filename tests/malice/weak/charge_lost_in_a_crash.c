/* SPDX-License-Identifier: Apache-2.0
 * charge_lost_in_a_crash.c - the charge is kept in memory until the cohort has ended. */
#include "firmware/ledger.h"

tacit_status tacit_ledger_charge(tacit_ledger *l, const tacit_plan *plan, uint64_t now_s) {
    l->record.charged_round = plan->round;
    l->record.last_run = plan->run;
    l->record.last_s = now_s;
    l->record.rounds_charged++;
    l->record.unsettled = true;
    return TACIT_OK;
}
