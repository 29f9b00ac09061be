/* SPDX-License-Identifier: Apache-2.0
 * training.h - one training run as a pure state machine: what each secure sum's plan must say, and
 * how the sum becomes the next model. Used by tacitd and by `tacit evaluate`; no I/O, no clock.
 *
 *   training_new -> { training_plan -> (a cohort sums) -> training_apply } x sums -> done
 *
 * After training_new and after every training_apply, training_model describes the current model:
 * before the first sum it is the content-only start (popularity unknown). */
#ifndef TACIT_SERVER_TRAINING_H
#define TACIT_SERVER_TRAINING_H

#include "common/accountant.h"
#include "common/model.h"
#include "common/plan.h"
#include "server/catalogue.h"
#include "server/solve.h"

typedef struct {
    double epsilon; /* INFINITY: no noise, for the non-private ceiling only */
    double delta;
    uint32_t devices; /* planned roster size */
    int preset;       /* a learn_preset, or -1: the kappa rule decides */
    uint32_t factor;  /* k, 0: the preset's */
    uint32_t sums;    /* gradient sums, 0: the preset's */
    uint64_t seed;    /* of the public start and of the rotation seeds */
    /* Published model to go on from, or NULL. Used when its shape and training parameters are the
     * run's (training_continues says so); otherwise the run begins at the content-only start. */
    const tacit_model *previous;
} training_spec;

typedef struct training training;

/* features may have any number of columns; copied views are kept, so `features` must outlive the
 * run. INVALID_ARGUMENT for a budget that cannot be calibrated. */
TACIT_MUST_CHECK tacit_status training_new(training **out, const training_spec *spec,
                                           const learn_features *features);
void training_free(training *t);

const char *training_preset_name(const training *t);
double training_kappa(const training *t);
bool training_continues(const training *t);
uint32_t training_sum_count(const training *t);
uint32_t training_sum_index(const training *t); /* of the next sum; == sum_count when done */
bool training_done(const training *t);
const learn_params *training_params(const training *t);
const tacit_run_budget *training_budget(const training *t);

/* Fills in the learning and privacy fields of the next sum's plan: sum_index, sum_count, bits,
 * blocks, rotation_seed, item_count, factor, dims, slice, mu, scale, weights, a0 .. leave_one_out,
 * epsilon, delta. The caller sets the others. */
void training_plan(const training *t, tacit_plan *plan);

typedef struct {
    double noise_std; /* per number of the counts/gradient vector before block weights */
    double signal;    /* Z of the raw gradient block */
    double wrap_z;    /* distance to wrapping, standard deviations */
    double cls, tau;
    bool fell_back; /* the post-hoc check (Z < 20) replaced the factors by counts + content */
} training_step;

/* Takes the sum of the current plan: words in [0, 2^bits) [dims], survivors = |U3|, shares_noise =
 * variance really in the sum on the grid (|U3| * ceil(mu / h)), 0 for none. Moves to the next sum.
 */
TACIT_MUST_CHECK tacit_status training_apply(training *t, training_step *step,
                                             const uint32_t *words, uint32_t survivors,
                                             double noise_variance);
/* The same from a plain real-valued sum [slice vector count] without quantisation (non-private
 * ceiling). */
TACIT_MUST_CHECK tacit_status training_apply_plain(training *t, training_step *step,
                                                   const double *sum, uint32_t survivors);

/* Describes the current model; arrays are owned by the run and valid until the next apply. The
 * caller sets number, round, made_s, catalogue, plan_digest, ids and kinds. */
void training_model(const training *t, tacit_model_source *source);

/* State between sums as bytes, so that a server restarted in the middle of a run goes on: state_len
 * bytes; restore wants the same spec and features. BAD_MESSAGE when they do not fit. */
size_t training_state_len(const training *t);
void training_state_save(const training *t, uint8_t *out);
TACIT_MUST_CHECK tacit_status training_state_restore(training *t, const uint8_t *in, size_t len);

#endif
