/* SPDX-License-Identifier: Apache-2.0
 * join_in_two_cohorts.c - the secrets follow from device key and round, so that a device that was
 * killed goes on with the join it has sent. */
#include "firmware/secagg_internal.h"

tacit_status tacit_secagg_draw_secrets(tacit_secagg_secrets *secrets,
                                       const tacit_secagg_params *params) {
    uint8_t sig[TACIT_SIG_LEN], drawn[3][TACIT_HASH_LEN];
    for (uint8_t i = 0; i < 3; i++) {
        tacit_statement seed;
        tacit_statement_phase(&seed, TACIT_LABEL_MASK_SECRET, params->plan_digest, 0, i,
                              params->plan.model_digest);
        tacit_status st = params->sign(params->self, sig, seed.bytes, seed.len);
        if (st != TACIT_OK) return st;
        tacit_hash_of(drawn[i], TACIT_LABEL_MASK_SECRET, sig, sizeof sig);
    }
    memcpy(secrets->s, drawn[0], sizeof secrets->s);
    memcpy(secrets->b, drawn[1], sizeof secrets->b);
    memcpy(secrets->c, drawn[2], sizeof secrets->c);
    return TACIT_OK;
}
