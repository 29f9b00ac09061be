/* SPDX-License-Identifier: Apache-2.0
 * virtual_pool.h - a few threads that share out numbered pieces of work. */
#ifndef TACIT_TOOLS_VIRTUAL_POOL_H
#define TACIT_TOOLS_VIRTUAL_POOL_H

#include <stdint.h>

typedef struct virtual_pool virtual_pool;

/* threads: 1 .. 64, the caller's among them; fewer when the system has no more. NULL: no memory. */
virtual_pool *virtual_pool_new(uint32_t threads);
void virtual_pool_free(virtual_pool *p); /* NULL allowed */

/* work(self, index, thread) for every index below count, thread below `threads`; returns when all
 * are done. In which thread and order they run is open. */
void virtual_pool_run(virtual_pool *p, uint32_t count,
                      void (*work)(void *self, uint32_t index, uint32_t thread), void *self);

#endif
