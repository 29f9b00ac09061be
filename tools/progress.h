/* SPDX-License-Identifier: Apache-2.0
 * progress.h - one line that shows how far a long task is, on a terminal only. */
#ifndef TACIT_TOOLS_PROGRESS_H
#define TACIT_TOOLS_PROGRESS_H

#include <stddef.h>

/* Redraws "label  [#####.....] done/total" on stderr when stderr is a terminal, at most ten times a
 * second. total 0: a counter without a bar. Call from one thread at a time. */
void progress_show(const char *label, size_t done, size_t total);
/* Clears the line. */
void progress_end(void);

#endif
