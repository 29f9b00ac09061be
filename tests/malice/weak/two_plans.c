/* SPDX-License-Identifier: Apache-2.0
 * two_plans.c - the digest names what is asked; how an update is scaled and blurred is each
 * device's own affair. */
#include "common/crypto.h"
#include "common/plan.h"

void tacit_plan_digest(uint8_t digest[static TACIT_HASH_LEN],
                       const uint8_t encoded[static TACIT_PLAN_LEN]) {
    tacit_plan plan;
    uint8_t named[TACIT_PLAN_LEN];
    memcpy(named, encoded, sizeof named);
    if (tacit_plan_decode(&plan, NULL, encoded) == TACIT_OK) {
        plan.scale = 1;
        plan.mu = 1;
        tacit_plan_encode(named, &plan);
    }
    tacit_hash_of(digest, TACIT_LABEL_PLAN, named, sizeof named);
}
