/* SPDX-License-Identifier: Apache-2.0
 * ledger_checks.c - see ledger_checks.h. Caps round down where the sums they bound round up. */
#include "firmware/ledger_checks.h"

#include <math.h>

bool tacit_ledger_check_round(uint64_t round, uint64_t last) { return round > last; }

bool tacit_ledger_check_counter(uint64_t record, uint64_t platform) { return record >= platform; }

bool tacit_ledger_check_caps(const tacit_ledger_record *r) {
    double delta = tacit_ledger_caps_delta(r);
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        double cap = floor(tacit_filter_cap(tacit_order(i), r->epsilon, delta) * TACIT_LEDGER_UNIT);
        if (cap > 0 && (double)r->period[i] <= cap) return true;
    }
    return false;
}

bool tacit_ledger_check_losses(const tacit_ledger_record *r) {
    return r->losses < TACIT_LEDGER_MAX_LOSSES;
}

bool tacit_ledger_check_separation(const tacit_ledger_record *r, const tacit_plan *plan,
                                   const tacit_floors *floors, uint64_t now_s) {
    if (r->rounds_charged == 0) return true;
    if (r->last_run == plan->run && r->run_charges < TACIT_MAX_SUMS) return true;
    uint64_t gap_s =
        plan->separation_s > floors->separation_s ? plan->separation_s : floors->separation_s;
    return now_s >= r->last_s && now_s - r->last_s >= gap_s;
}
