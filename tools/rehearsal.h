/* SPDX-License-Identifier: Apache-2.0
 * rehearsal.h - a training run over a dataset in one process, without sockets and without masks:
 * the device library's own update (statistics, clip, rotation, rounding, noise), summed mod 2^bits
 * as the secure sum would, and the server's own learning step. What `tacit evaluate` measures. */
#ifndef TACIT_TOOLS_REHEARSAL_H
#define TACIT_TOOLS_REHEARSAL_H

#include "server/training.h"
#include "tools/dataset.h"

typedef struct {
    training_spec training; /* devices is set to the number of people; epsilon INFINITY: no noise */
    uint64_t seed;          /* of rounding and noise */
    /* Divisor of mu in each device's noise share: 0 gives the number of people, so that the total
     * noise is exactly mu; the h of a protocol setting gives what an honest cohort carries. */
    uint32_t honest;
    uint32_t threads;
    bool progress;
    /* Called after each sum; may be NULL. */
    void (*after_sum)(void *self, const training *t, const training_step *step);
    void *self;
} rehearsal_spec;

/* Runs all sums. *out: the finished run, for training_model; free with training_free. */
TACIT_MUST_CHECK tacit_status rehearsal_run(training **out, const rehearsal_spec *spec,
                                            const learn_features *features,
                                            const dataset_split *split);

/* The run's current model as a signed file in memory (a throw-away key), opened: *file is malloc'ed
 * for the caller and must outlive *model. */
TACIT_MUST_CHECK tacit_status rehearsal_model(tacit_model *model, uint8_t **file, const training *t,
                                              const catalogue *c);

#endif
