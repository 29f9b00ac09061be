/* SPDX-License-Identifier: Apache-2.0
 * withheld_boxes.c - a mask only towards those whose shares this device holds. */
#include "firmware/secagg_checks.h"

bool tacit_secagg_mask_due(const tacit_secagg *s, uint32_t i) {
    return tacit_bit_get(s->u2, s->indices[i]) && s->neighbours[i].opened != 0;
}
