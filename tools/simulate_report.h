/* SPDX-License-Identifier: Apache-2.0
 * simulate_report.h - what a simulation shows: a line per round, the comparison, recommendations
 * with reasons, and the same as JSON. */
#ifndef TACIT_TOOLS_SIMULATE_REPORT_H
#define TACIT_TOOLS_SIMULATE_REPORT_H

#include "tools/simulate.h"

enum { SIMULATE_MAX_ROUNDS = 32, SIMULATE_SHOWN = 5, SIMULATE_MAX_PEOPLE = 8 };

typedef struct {
    tacit_plan plan;
    fleet_round_result fleet;
    store_record record;
    metrics quality;
    double seconds;
} simulate_round;

typedef struct {
    const char *title;
    float score, bias, base, rest;
    size_t reason_count;
    struct {
        const char *title;
        float share;
    } reasons[3];
} simulate_recommendation;

typedef struct {
    simulate_round rounds[SIMULATE_MAX_ROUNDS];
    uint32_t round_count;
    metrics popularity, central, federated;
    bool has_central, has_federated;
    double seconds;
    uint32_t person_count;
    struct {
        const char *key;
        size_t history_count;
        simulate_recommendation items[SIMULATE_SHOWN];
        size_t item_count;
    } people[SIMULATE_MAX_PEOPLE];
} simulate_report;

/* Says on stdout what will run (nothing with --json). */
void simulate_report_begin(const simulate_report *r, const simulate_world *w);
/* The line of the newest round. */
void simulate_report_round(const simulate_report *r, bool json);
/* Asks devices for recommendations and reasons. */
TACIT_MUST_CHECK tacit_status simulate_report_end(simulate_report *r, const simulate_world *w,
                                                  fleet *f);
/* Prints the rest and writes --report; 0 or an exit status. */
int simulate_report_print(const simulate_report *r, const simulate_world *w);

#endif
