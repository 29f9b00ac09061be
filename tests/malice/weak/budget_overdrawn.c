/* SPDX-License-Identifier: Apache-2.0
 * budget_overdrawn.c - charges are written down and never refused. */
#include "firmware/ledger_checks.h"

bool tacit_ledger_check_caps(const tacit_ledger_record *r) {
    (void)r;
    return true;
}
