/* SPDX-License-Identifier: Apache-2.0
 * replayed_shares.c - a statement that does not say for which session it was made. */
#include "common/transcript.h"

void tacit_statement_phase(tacit_statement *s, tacit_label label,
                           const uint8_t session[static TACIT_HASH_LEN], uint32_t cohort,
                           uint32_t index, const uint8_t body[static TACIT_HASH_LEN]) {
    static const uint8_t any[TACIT_HASH_LEN];
    uint8_t who[TACIT_HASH_LEN] = {0};
    (void)session;
    tacit_put_u32(who, index);
    tacit_statement_join(s, label, any, any, cohort, who, body);
}
