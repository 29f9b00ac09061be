/* SPDX-License-Identifier: Apache-2.0
 * two_models.c - any model the operator signed will do. */
#include "firmware/participate.h"

tacit_status tacit_participation_check_model(const tacit_plan *plan, const tacit_model *m) {
    (void)plan;
    return m == NULL ? TACIT_BAD_MODEL : TACIT_OK;
}
