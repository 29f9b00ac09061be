/* SPDX-License-Identifier: Apache-2.0
 * quality.h - recommendation quality of a model on held-out items, computed with the device
 * library's own user factor and scores, spread over threads. */
#ifndef TACIT_TOOLS_QUALITY_H
#define TACIT_TOOLS_QUALITY_H

#include "common/model.h"
#include "tools/dataset.h"
#include "tools/metrics.h"

/* Work over people [from, to), in parallel: calls body(self, thread, from, to) on `threads` threads
 * with consecutive blocks until all `count` are done. The first status that is not OK ends it. */
TACIT_MUST_CHECK tacit_status parallel_for(size_t count, size_t block, uint32_t threads,
                                           tacit_status (*body)(void *self, uint32_t thread,
                                                                size_t from, size_t to),
                                           void *self, const char *progress_label);

/* Top-n lists of the model for everyone's training items, against the test items. */
TACIT_MUST_CHECK tacit_status quality_of_model(metrics *out, const tacit_model *model,
                                               const dataset_split *split, size_t n,
                                               uint32_t threads);
/* The same for (non-private) popularity in the training items. */
TACIT_MUST_CHECK tacit_status quality_of_popularity(metrics *out, const dataset_split *split,
                                                    size_t item_count, size_t n, uint32_t threads);

#endif
