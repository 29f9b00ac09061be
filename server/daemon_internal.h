/* SPDX-License-Identifier: Apache-2.0
 * daemon_internal.h - the object behind daemon.h, shared by daemon.c (folder, loop, signals) and
 * daemon_run.c (the runs). */
#ifndef TACIT_SERVER_DAEMON_INTERNAL_H
#define TACIT_SERVER_DAEMON_INTERNAL_H

#include <stdio.h>

#include "server/catalogue.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/keys.h"
#include "server/logline.h"
#include "server/service.h"

enum { DAEMON_PATH_LEN = 1024, DAEMON_TICK_MS = 1000, DAEMON_LINGER_S = 8 };

struct daemon {
    daemon_options options;
    config config;
    keys_server keys;
    store *store;
    catalogue *catalogue;
    uint64_t *ids;
    uint8_t *kinds;
    learn_features *features;
    round_setup setup;
    tls_server *tls;
    service *service;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2];
    bool loop_on, stopping;
    int lock;
    /* The run in progress. */
    store_run run;
    round_run *round;
    store_blame *blames; /* of the last round, until they are stored */
    size_t blame_count;
    bool working; /* a worker has the round or is preparing one */
    uv_work_t work;
    /* Beginning a run, in a worker. */
    struct run_start *start;
    /* For `once`. */
    uint64_t idle_since_s, requests_seen;
    bool worked;
};

/* daemon_run.c */
/* Does what is due for the run in progress, or begins the next. */
void daemon_step(daemon_state *d);
/* Enters rounds that a crash cut off into the record. */
TACIT_MUST_CHECK tacit_status daemon_record_cut_off(daemon_state *d);
void daemon_run_free(daemon_state *d);
extern const service_host daemon_host; /* self is to be set */

#endif
