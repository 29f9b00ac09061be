/* SPDX-License-Identifier: Apache-2.0
 * restored_backup.c - a ledger with a right MAC is believed, however old it is. */
#include "firmware/ledger_checks.h"

bool tacit_ledger_check_counter(uint64_t record, uint64_t platform) {
    (void)record;
    (void)platform;
    return true;
}
