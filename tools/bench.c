/* SPDX-License-Identifier: Apache-2.0
 * bench.c - runs the benchmark groups whose name matches and writes the JSON. */
#include "tools/bench.h"

#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "tools/args.h"

static json_t *rows;
static regex_t wanted;
static bool failed;
static unsigned missed; /* rows above their reach */

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_cpu_s(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }
double bench_wall_s(void) { return seconds(CLOCK_MONOTONIC); }

bool bench_wanted(const char *name) { return regexec(&wanted, name, 0, NULL, 0) == 0; }

void bench_fail(const char *name) {
    fprintf(stderr, "bench: %s could not be measured\n", name);
    failed = true;
}

static json_t *number_or_null(double x) { return x > 0 ? json_real(x) : json_null(); }

void bench_row_reach(const char *name, double value, const char *unit, double limit, double reach,
                     const char *params) {
    if (!bench_wanted(name)) return;
    double ratio = limit > 0 ? value / limit : 0;
    json_t *row =
        json_pack("{s:s, s:f, s:s, s:o, s:o, s:o, s:s}", "name", name, "value", value, "unit", unit,
                  "limit", number_or_null(limit), "ratio", number_or_null(ratio), "reach",
                  number_or_null(reach), "params", params);
    if (row == NULL || json_array_append_new(rows, row) != 0) return;
    printf("%-28s %12.6g %-8s", name, value, unit);
    if (limit > 0)
        printf(" limit %10.5g  ratio %6.3f", limit, ratio);
    else
        printf(" %31s", "");
    if (reach > 0)
        printf("  reach %5.3g%s", reach, ratio > reach ? " MISSED" : "");
    else
        printf(" %12s", "");
    printf("  %s\n", params);
    fflush(stdout);
    if (ratio > reach && reach > 0) missed++;
}

void bench_row(const char *name, double value, const char *unit, double limit, const char *params) {
    bench_row_reach(name, value, unit, limit, 0, params);
}

static const struct {
    const char *names; /* what its rows are called, for --match */
    void (*run)(void);
} groups[] = {
    {"mask.apply hadamard skellam shamir.deal shamir.combine", bench_arithmetic},
    {"device.round.cpu device.round.memory device.round.traffic.down device.round.traffic.up "
     "device.growth.cpu device.growth.down device.growth.up",
     bench_device},
    {"device.update.cpu device.tap device.recommend", bench_person},
    {"server.absorb server.unmask server.unmask.core_seconds", bench_server},
    {"server.solve", bench_solve},
    {"secagg.size.seconds secagg.size.core_seconds secagg.size.memory", bench_size},
};

/* A group runs when one of its row names matches. */
static bool group_wanted(const char *names) {
    char copy[512];
    snprintf(copy, sizeof copy, "%s", names);
    char *rest = NULL;
    for (char *n = strtok_r(copy, " ", &rest); n; n = strtok_r(NULL, " ", &rest))
        if (bench_wanted(n)) return true;
    return false;
}

int main(int argc, char **argv) {
    const char *match = ".", *out = NULL;
    bool check = false;
    const arg_option options[] = {
        {"match", ARG_STRING, &match, "REGEX", "rows to measure"},
        {"out", ARG_STRING, &out, "FILE", "write the rows as JSON"},
        {"check", ARG_FLAG, &check, NULL, "end with 1 when a row is above its reach"},
        {NULL, ARG_FLAG, NULL, NULL, NULL},
    };
    size_t positional;
    args_result parsed =
        args_parse(argc, argv, options, "bench [OPTIONS]",
                   "Measures Tacit against limits measured in the same run.", NULL, 0, &positional);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (regcomp(&wanted, match, REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "bench: '%s' is not a regular expression\n", match);
        return 2;
    }
    if (tacit_crypto_init() != TACIT_OK || (rows = json_array()) == NULL) return 1;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (group_wanted(groups[i].names)) groups[i].run();
    if (out != NULL && json_dump_file(rows, out, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "bench: cannot write %s\n", out);
        failed = true;
    }
    json_decref(rows);
    regfree(&wanted);
    return failed || (check && missed > 0);
}
