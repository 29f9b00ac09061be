/* SPDX-License-Identifier: Apache-2.0
 * update.h - the ONE pipeline from a history to an upload vector; nothing else may make one.
 *
 *   statistics: H = items of the history the model knows, w = 1 / sqrt(max(H, history_floor));
 *     counts row i:   w                       for i in H and in the plan's slice
 *     gradient row i: w z_i, z_i unit norm:   u_-i = u + leave_one_out (q_i.u - y_i) /
 *                     max(1 - q_i'A^-1 q_i, 1e-3) A^-1 q_i,   z_i = u_-i / |u_-i|
 *   -> block weights: [a_c counts | a_b gradient]  -> L2 clip to 1 - 1e-5
 *   -> pad to dims, rotate  -> scale, stochastic rounding with the exact integer check
 *   -> Skellam noise  -> words mod 2^32
 *
 * (Learning algorithm: local solve and rows; security H4, H5.) Only the integer check carries the
 * privacy proof; everything before it may be wrong by rounding and still be safe. Whatever goes
 * wrong before the noise (empty history, a singular system, a value that is not finite) gives the
 * null vector, which then takes the same steps and the same time: a device never shows by silence
 * that it had nothing to say. */
#ifndef TACIT_FIRMWARE_UPDATE_H
#define TACIT_FIRMWARE_UPDATE_H

#include "common/plan.h"
#include "common/prng.h"
#include "firmware/factor.h"
#include "firmware/history.h"

/* Slack of the clip, in units of the clip norm 1 (accounting 5.4). */
#define TACIT_UPDATE_SLACK 1e-5

/* x [plan->dims] <- clipped, padded statistics of the history. `training` has begun with the plan's
 * model and rows [V]; its history is replaced. The plan was decoded and checked against the model.
 * False when x is the null vector. */
bool tacit_update_statistics(float *x, tacit_factor *training, const tacit_history *history,
                             const tacit_plan *plan);

/* After the statistics: the work that a history as long as the window (history->cap items, all of
 * them in the slice) would have taken beyond this one, so that the moment at which a device joins
 * does not tell how long its history is (security H5, H6). Leaves `training` with an empty history.
 */
void tacit_update_pad(tacit_factor *training, const tacit_history *history, const tacit_plan *plan);

/* x [count] <- x scaled to norm at most 1 - slack, or null when its norm is not finite or scaling
 * cannot reach that. False: null. */
bool tacit_update_clip(float *x, size_t count);

/* q [plan->dims] <- rotated, scaled, rounded x (which is overwritten); keeps the mechanism's
 * integer bounds, or is null. BAD_PLAN when the plan has no mechanism. */
TACIT_MUST_CHECK tacit_status tacit_update_quantise(int32_t *q, float *x, const tacit_plan *plan,
                                                    tacit_prng *rounding);

/* Quantise, then add noise of at least `noise_variance`: words [plan->dims], ready to be masked.
 * The seeds are drawn for this one update and wiped by the caller. INVALID_ARGUMENT when the
 * variance is beyond the sampler. */
TACIT_MUST_CHECK tacit_status tacit_update_words(uint32_t *words, float *x, const tacit_plan *plan,
                                                 uint64_t noise_variance,
                                                 const uint8_t rounding_seed[static TACIT_KEY_LEN],
                                                 const uint8_t noise_seed[static TACIT_KEY_LEN]);

#endif
