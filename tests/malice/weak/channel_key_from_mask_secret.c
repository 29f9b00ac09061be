/* SPDX-License-Identifier: Apache-2.0
 * channel_key_from_mask_secret.c - both keys of a device from its one seed s. */
#include "common/mask.h"
#include "firmware/secagg_internal.h"

tacit_status tacit_secagg_draw_secrets(tacit_secagg_secrets *secrets,
                                       const tacit_secagg_params *params) {
    if (params->random(params->self, secrets->s, sizeof secrets->s) != TACIT_OK ||
        params->random(params->self, secrets->b, sizeof secrets->b) != TACIT_OK)
        return TACIT_RANDOM;
    tacit_mask_commit(secrets->c, secrets->s);
    return TACIT_OK;
}
