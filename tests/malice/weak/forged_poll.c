/* SPDX-License-Identifier: Apache-2.0
 * forged_poll.c - who knows an id is its device. */
#include "server/cohort_checks.h"

static uint8_t digit(char ch) { return (uint8_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10); }

tacit_status cohort_poll(const cohort *c, uint32_t *slot, cohort_phase phase, const char *poll) {
    uint8_t id[TACIT_HASH_LEN];
    if (phase != COHORT_JOIN || strlen(poll) < 2 + 2 * TACIT_HASH_LEN) return TACIT_BAD_MESSAGE;
    for (uint32_t i = 0; i < TACIT_HASH_LEN; i++)
        id[i] = (uint8_t)(digit(poll[2 + 2 * i]) << 4 | digit(poll[3 + 2 * i]));
    const uint32_t *found = key_table_find(&c->ids, id);
    if (found == NULL) return TACIT_WRONG_PHASE;
    *slot = *found;
    return TACIT_OK;
}
