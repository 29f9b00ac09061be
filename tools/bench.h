/* SPDX-License-Identifier: Apache-2.0
 * bench.h - benchmark rows: a value, the limit measured in the same run, their ratio.
 * A row may also have a reach, the greatest ratio aimed at. Rows are printed as they come and
 * written as a JSON array at the end. Nothing here is a test: a slow machine fails no build. */
#ifndef TACIT_TOOLS_BENCH_H
#define TACIT_TOOLS_BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* CPU seconds of this process, and wall seconds. */
double bench_cpu_s(void);
double bench_wall_s(void);

/* Lowers `best` to the CPU seconds of `statement`, from one run of `repeats`, if they are less. */
#define BENCH_LOWER(best, repeats, statement)                \
    do {                                                     \
        double start_ = bench_cpu_s();                       \
        for (int again_ = 0; again_ < (repeats); again_++) { \
            statement;                                       \
        }                                                    \
        double took_ = (bench_cpu_s() - start_) / (repeats); \
        if (took_ < best) best = took_;                      \
    } while (0)

/* Least CPU seconds of `statement` over `runs` runs of `repeats` each: the machine is shared and
 * noise only ever adds. */
#define BENCH_BEST(best, runs, repeats, statement)                                       \
    do {                                                                                 \
        best = INFINITY;                                                                 \
        for (int run_ = 0; run_ < (runs); run_++) BENCH_LOWER(best, repeats, statement); \
    } while (0)

/* The same of a statement and of its limit in turns, so that both meet the same quiet moments. */
#define BENCH_BEST_BESIDE(best, statement, limit, limit_statement, runs, repeats) \
    do {                                                                          \
        best = limit = INFINITY;                                                  \
        for (int run_ = 0; run_ < (runs); run_++) {                               \
            BENCH_LOWER(limit, repeats, limit_statement);                         \
            BENCH_LOWER(best, repeats, statement);                                \
        }                                                                         \
    } while (0)

/* What `pointer` points to counts as read and changed here, so a compiler leaves nothing out. */
#define BENCH_KEEP(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/* Whether a row of this name is asked for: what is not need not be measured. */
bool bench_wanted(const char *name);
/* Says on stderr that a row could not be measured; the program then ends with 1. */
void bench_fail(const char *name);

/* One row. limit 0 means the row has none (ratio is then null). params: "n=512 dims=65536". */
void bench_row(const char *name, double value, const char *unit, double limit, const char *params);
/* The same with the greatest ratio aimed at. */
void bench_row_reach(const char *name, double value, const char *unit, double limit, double reach,
                     const char *params);

/* The groups; each measures and emits its rows. */
void bench_arithmetic(void); /* masks, transform, sampler, Shamir */
void bench_device(void);     /* device.round.*, device.growth.* */
void bench_person(void);     /* device.update.cpu, device.tap, device.recommend */
void bench_server(void);     /* server.absorb, server.unmask, server.unmask.core_seconds */
void bench_solve(void);      /* server.solve */
void bench_size(void);       /* secagg.size.*: minutes */

#endif
