/* SPDX-License-Identifier: Apache-2.0
 * participation_tells_the_history.c - a device with fewer than four events has nothing to teach. */
#include "firmware/participate.h"

tacit_status tacit_participation_ready(const tacit_participation_room *room, uint64_t now_s) {
    (void)now_s;
    if (!room->ledger->record.consent) return TACIT_NO_CONSENT;
    return room->history->count < 4 ? TACIT_NOT_FOUND : TACIT_OK;
}
