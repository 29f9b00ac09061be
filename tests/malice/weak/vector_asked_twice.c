/* SPDX-License-Identifier: Apache-2.0
 * vector_asked_twice.c - a request may be made again while its answer is waited for. */
#include "firmware/secagg_internal.h"

tacit_status tacit_secagg_begin(tacit_secagg *s, tacit_phase phase) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    return s->phase == phase ? TACIT_OK : tacit_secagg_fail(s, TACIT_WRONG_PHASE);
}
