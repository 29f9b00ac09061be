/* SPDX-License-Identifier: Apache-2.0
 * participate_checks.c - two rules a participation begins with: who may take part at all, which
 * never asks what is in the history (security H6), and which model the update is made from (H4). */
#include "common/crypto.h"
#include "firmware/participate.h"

tacit_status tacit_participation_ready(const tacit_participation_room *room, uint64_t now_s) {
    tacit_privacy privacy;
    if (room->options->max_dims == 0) return TACIT_NO_SPACE;
    tacit_ledger_status(room->ledger, &privacy, now_s);
    if (!privacy.consent) return TACIT_NO_CONSENT;
    if (room->options->certificate == NULL) return TACIT_NOT_ENROLLED;
    if (privacy.paused) return TACIT_PAUSED;
    return room->ledger->record.exhausted ? TACIT_BUDGET_SPENT : TACIT_OK;
}

tacit_status tacit_participation_check_model(const tacit_plan *plan, const tacit_model *m) {
    if (m == NULL || !tacit_equal(plan->model_digest, m->digest, TACIT_HASH_LEN)) {
        return TACIT_BAD_MODEL;
    }
    bool agree = plan->item_count == m->item_count && plan->factor == m->factor &&
                 plan->a0 == m->a0 && plan->user_ridge == m->user_ridge &&
                 plan->user_ridge_exponent == m->user_ridge_exponent;
    return agree ? TACIT_OK : TACIT_BAD_PLAN;
}
