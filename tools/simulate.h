/* SPDX-License-Identifier: Apache-2.0
 * simulate.h - what the two ways of running a server for `tacit simulate` have in common: tacitd in
 * a process of its own behind TLS, or the hub in this one. */
#ifndef TACIT_TOOLS_SIMULATE_H
#define TACIT_TOOLS_SIMULATE_H

#include "common/plan.h"
#include "server/keys.h"
#include "server/store.h"
#include "server/training.h"
#include "tools/dataset.h"
#include "tools/fleet.h"

typedef struct {
    const char *data, *preset_name, *stores, *folder, *report, *daemon;
    int32_t preset; /* of preset_name; -1: the kappa rule */
    bool preset_known;
    double epsilon, delta, dropout, test_share;
    uint32_t devices, sums, factor, people_shown, join_s, phase_s, quiet_s, threads;
    uint16_t max_colluding, max_dropout;
    uint64_t seed;
    bool in_process, json, strict, no_central;
} simulate_options;

/* What both servers work with. */
typedef struct {
    const simulate_options *options;
    const dataset *data;
    const dataset_split *split;
    const learn_features *features;
    store_run run;
    keys_server keys;
    keys_pins pins;
    keys_pair authority;
} simulate_world;

/* What the run trains: the same for the server and for whoever sizes the devices. */
training_spec simulate_training_spec(const store_run *run);

/* A rate of dropout is planned for with five standard deviations on top (security B, availability);
 * per thousand. */
uint16_t simulate_planned_dropout(double rate, uint32_t devices);

typedef struct simulate_server simulate_server;

/* Starts a server with the run waiting. note: KEYS_NOTE_LEN + 1 bytes. */
TACIT_MUST_CHECK tacit_status simulate_server_start(simulate_server **out, char *note,
                                                    const simulate_world *world);
/* Fills in how devices reach it. */
void simulate_server_reach(const simulate_server *s, fleet_spec *spec);
/* Waits for a round to open; NOT_FOUND when the run is over. *offer receives its plan. */
TACIT_MUST_CHECK tacit_status simulate_server_open(simulate_server *s, char *note,
                                                   tacit_plan *plan);
/* Call when all devices are done with the round: its entry of the record. */
TACIT_MUST_CHECK tacit_status simulate_server_record(simulate_server *s, char *note,
                                                     store_record *record, uint64_t round);
/* Where model and record lie, for people. */
const char *simulate_server_place(const simulate_server *s);
/* Stops it; TACIT_INTERNAL when tacitd did not end well. NULL allowed. */
TACIT_MUST_CHECK tacit_status simulate_server_stop(simulate_server *s);

#endif
