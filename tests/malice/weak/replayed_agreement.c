/* SPDX-License-Identifier: Apache-2.0
 * replayed_agreement.c - a statement that says what was signed, and by whom, but not where. */
#include "common/transcript.h"

void tacit_statement_phase(tacit_statement *s, tacit_label label,
                           const uint8_t session[static TACIT_HASH_LEN], uint32_t cohort,
                           uint32_t index, const uint8_t body[static TACIT_HASH_LEN]) {
    (void)session;
    tacit_statement_digest(s, label, body);
    tacit_put_u32(s->bytes + s->len, cohort);
    tacit_put_u32(s->bytes + s->len + 4, index);
    s->len += 8;
}
