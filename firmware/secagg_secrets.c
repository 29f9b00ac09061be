/* SPDX-License-Identifier: Apache-2.0
 * secagg_secrets.c - the round secrets s, b and c: three draws of their own (security C1). s and b
 * are shared and one of them is rebuilt by the server in every round; whatever hung on it would be
 * known to the server too, so c, which opens the shares, must not. */
#include "firmware/secagg_internal.h"

tacit_status tacit_secagg_draw_secrets(tacit_secagg_secrets *secrets,
                                       const tacit_secagg_params *params) {
    void *self = params->self;
    bool drawn = params->random(self, secrets->s, sizeof secrets->s) == TACIT_OK &&
                 params->random(self, secrets->b, sizeof secrets->b) == TACIT_OK &&
                 params->random(self, secrets->c, sizeof secrets->c) == TACIT_OK;
    return drawn ? TACIT_OK : TACIT_RANDOM;
}
