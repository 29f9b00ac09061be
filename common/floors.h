/* SPDX-License-Identifier: Apache-2.0
 * floors.h - the floors of a device, in two groups: what a plan states outright, and what follows
 * from a roster size. plan_floors.c asks both before joining and again at the size that was seen
 * (security C5, H7). Pure; NULL when all floors are kept, else a static sentence naming the breach.
 */
#ifndef TACIT_COMMON_FLOORS_H
#define TACIT_COMMON_FLOORS_H

#include "common/plan.h"

/* delta, max_colluding, dims, separation: for any n. */
const char *tacit_floors_check_stated(const tacit_plan *plan, const tacit_floors *floors);
/* Survivors and honest survivors at one roster size. */
const char *tacit_floors_check_sizes(uint32_t n_min, uint32_t honest, const tacit_floors *floors);

#endif
