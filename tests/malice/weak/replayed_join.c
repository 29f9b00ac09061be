/* SPDX-License-Identifier: Apache-2.0
 * replayed_join.c - a join says whose it is, and not which round it was made for. */
#include "common/transcript.h"

void tacit_statement_join(tacit_statement *s, tacit_label label,
                          const uint8_t plan_digest[static TACIT_HASH_LEN],
                          const uint8_t model_digest[static TACIT_HASH_LEN], uint32_t cohort,
                          const uint8_t id[static TACIT_HASH_LEN],
                          const uint8_t body[static TACIT_HASH_LEN]) {
    (void)plan_digest;
    (void)model_digest;
    tacit_statement_digest(s, label, body);
    memcpy(s->bytes + s->len, id, TACIT_HASH_LEN);
    tacit_put_u32(s->bytes + s->len + TACIT_HASH_LEN, cohort);
    s->len += TACIT_HASH_LEN + 4;
}
