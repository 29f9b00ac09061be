/* SPDX-License-Identifier: Apache-2.0
 * touched_items.c - noise where there is something to hide, and nothing spread. */
#include "common/rounding.h"
#include "common/skellam.h"
#include "firmware/update.h"

tacit_status tacit_update_words(uint32_t *words, float *x, const tacit_plan *plan,
                                uint64_t noise_variance,
                                const uint8_t rounding_seed[static TACIT_KEY_LEN],
                                const uint8_t noise_seed[static TACIT_KEY_LEN]) {
    tacit_mechanism m;
    tacit_skellam sampler;
    tacit_prng prng;
    uint32_t tries;
    if (tacit_plan_mechanism(&m, plan) != TACIT_OK) return TACIT_BAD_PLAN;
    if (tacit_skellam_init(&sampler, noise_variance) != TACIT_OK) return TACIT_INVALID_ARGUMENT;
    int32_t *q = (int32_t *)words;
    tacit_prng_init(&prng, rounding_seed, 0);
    tacit_round(q, &tries, x, plan->dims, m.scale, m.l2_max, m.l2_sq_max, &prng);
    tacit_prng_init(&prng, noise_seed, 1);
    for (uint32_t i = 0; i < plan->dims; i++)
        if (q[i] != 0) tacit_skellam_add(q + i, 1, &sampler, &prng);
    return TACIT_OK;
}
