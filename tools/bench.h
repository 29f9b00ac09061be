/* SPDX-License-Identifier: Apache-2.0
 * bench.h - benchmark rows: a value, the limit measured in the same run, their ratio.
 * Rows are printed as they come and written as a JSON array at the end. Nothing here is a test: a
 * slow machine fails no build. */
#ifndef TACIT_TOOLS_BENCH_H
#define TACIT_TOOLS_BENCH_H

#include <stddef.h>

/* CPU seconds of this process, and wall seconds. */
double bench_cpu_s(void);
double bench_wall_s(void);

/* One row. limit 0 means the row has none (ratio is then null). params: "n=512 dims=65536". */
void bench_row(const char *name, double value, const char *unit, double limit, const char *params);

/* The groups; each measures and emits its rows. */
void bench_arithmetic(void); /* masks, transform, sampler, Shamir */
void bench_device(void);     /* device.round.cpu, device.round.memory, device.update.cpu, tap */
void bench_server(void);     /* item solve, unmasking */

#endif
