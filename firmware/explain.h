/* SPDX-License-Identifier: Apache-2.0
 * explain.h - why an item has its score, exactly. With A of factor.h and t = A^-1 q_i:
 *     score_i = b_i + q_i . A^-1 (Q_H' y + r0) = bias + base + sum over j in H of share_j,
 *     base = t . r0,   share_j = (t . q_j) y_j.
 * Nothing is approximated or left over; the parts add up to float rounding. */
#ifndef TACIT_FIRMWARE_EXPLAIN_H
#define TACIT_FIRMWARE_EXPLAIN_H

#include "firmware/factor.h"
#include "firmware/history.h"
#include "firmware/tacit.h"

/* The `cap` largest shares into reasons, largest first (equal ones: lower item number first), the
 * sum of the others into out->rest. index: an item of the model. */
void tacit_explain_item(tacit_explanation *out, tacit_reason *reasons, size_t *reason_count,
                        size_t cap, const tacit_factor *factor, const tacit_history *history,
                        uint32_t index);

#endif
