/* SPDX-License-Identifier: Apache-2.0
 * run_report.c - see run_report.h. */
#include "tools/run_report.h"

#include <stdio.h>

#include "tools/output.h"
#include "tools/server_folder.h"

json_t *run_json(const store_run *r) {
    json_t *o = json_object();
    json_object_set_new(o, "run", json_count(r->run));
    json_object_set_new(o, "state", json_string(run_state_name(r->state)));
    json_object_set_new(o, "epsilon", json_number(r->epsilon));
    json_object_set_new(o, "delta", json_number(r->delta));
    json_object_set_new(o, "devices", json_count(r->devices));
    json_object_set_new(o, "preset", json_string(run_preset_name(r->preset)));
    json_object_set_new(o, "factor", json_count(r->factor));
    json_object_set_new(o, "rounds", json_count(r->sums));
    json_object_set_new(o, "n_lo", json_count(r->n_lo));
    json_object_set_new(o, "n_hi", json_count(r->n_hi));
    json_object_set_new(o, "n_min_floor", json_count(r->n_min_floor));
    json_object_set_new(o, "expected", json_count(r->expected));
    json_object_set_new(o, "max_colluding", json_number(r->max_colluding / 1000.0));
    json_object_set_new(o, "max_dropout", json_number(r->max_dropout / 1000.0));
    json_object_set_new(o, "seed", json_count(r->seed));
    return o;
}

void run_print_head(void) {
    printf("  run  state    epsilon    delta  devices  preset   rounds  factor\n");
}

void run_print(const store_run *r) {
    char rounds[16] = "preset", factor[16] = "preset";
    if (r->sums > 0) snprintf(rounds, sizeof rounds, "%u", r->sums);
    if (r->factor > 0) snprintf(factor, sizeof factor, "%u", r->factor);
    printf("%5llu  %-8s %7.3g %8.2g %8u  %-8s %6s  %6s\n", (unsigned long long)r->run,
           run_state_name(r->state), r->epsilon, r->delta, r->devices, run_preset_name(r->preset),
           rounds, factor);
}

json_t *record_json(const store_record *r) {
    char opened[OUTPUT_TIME_LEN + 1], closed[OUTPUT_TIME_LEN + 1];
    time_text(opened, r->opened_s);
    time_text(closed, r->closed_s);
    json_t *o = json_object();
    json_object_set_new(o, "entry", json_count(r->entry));
    json_object_set_new(o, "round", json_count(r->round));
    json_object_set_new(o, "run", json_count(r->run));
    json_object_set_new(o, "sum", json_count(r->sum_index + 1));
    json_object_set_new(o, "sums", json_count(r->sum_count));
    json_object_set_new(o, "opened", json_string(opened));
    json_object_set_new(o, "closed", json_string(closed));
    json_object_set_new(o, "preset", json_text(r->preset));
    json_object_set_new(o, "joined", json_count(r->joined));
    json_object_set_new(o, "shared", json_count(r->shared));
    json_object_set_new(o, "survivors", json_count(r->survivors));
    json_object_set_new(o, "honest", json_count(r->honest));
    json_object_set_new(o, "status", json_string(tacit_status_name((tacit_status)r->status)));
    json_object_set_new(o, "note", json_text(r->note));
    json_object_set_new(o, "epsilon_so_far", json_number(r->epsilon_so_far));
    json_object_set_new(o, "plan_digest", json_hash(r->plan_digest));
    json_object_set_new(o, "model_before", json_hash(r->model_before));
    json_object_set_new(o, "model_after", json_hash(r->model_after));
    json_object_set_new(o, "root", json_hash(r->root));
    json_object_set_new(o, "u2_digest", json_hash(r->u2_digest));
    json_object_set_new(o, "u3_digest", json_hash(r->u3_digest));
    json_object_set_new(o, "sum_digest", json_hash(r->sum_digest));
    return o;
}

void record_print_head(void) {
    printf(
        "entry  round  run  sum  preset   joined  shared  survived  epsilon  closed"
        "                result\n");
}

void record_print(const store_record *r) {
    char closed[OUTPUT_TIME_LEN + 1], sum[32];
    time_text(closed, r->closed_s);
    snprintf(sum, sizeof sum, "%u/%u", r->sum_index + 1, r->sum_count);
    printf("%5llu  %5llu %4llu  %-4s %-8s %6u  %6u  %8u  %7.3f  %s  %s%s%s\n",
           (unsigned long long)r->entry, (unsigned long long)r->round, (unsigned long long)r->run,
           sum, r->preset, r->joined, r->shared, r->survivors, r->epsilon_so_far, closed,
           r->status == TACIT_OK ? "a new model" : tacit_status_name((tacit_status)r->status),
           r->note[0] ? ": " : "", r->note);
}
