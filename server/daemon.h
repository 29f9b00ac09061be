/* SPDX-License-Identifier: Apache-2.0
 * daemon.h - tacitd itself: the folder, the store, the service and the run in progress put together
 * on one loop. It looks for waiting runs every second (another process adds them), drives one run
 * after the other, and goes on where the store says after a crash. Only what it is told to read of
 * the folder is read; the authority's secret never is. */
#ifndef TACIT_SERVER_DAEMON_H
#define TACIT_SERVER_DAEMON_H

#include "common/base.h"

typedef struct daemon daemon_state;

typedef struct {
    const char *dir;
    int32_t port; /* -1: the configuration's */
    bool once;    /* end when no run is waiting */
} daemon_options;

enum { DAEMON_NOTE_LEN = 383 };

/* Reads DIR, opens the store, listens, writes DIR/port. Any failure has a sentence in note
 * (DAEMON_NOTE_LEN + 1 bytes). */
TACIT_MUST_CHECK tacit_status daemon_new(daemon_state **out, char *note,
                                         const daemon_options *options);
uint32_t daemon_port(const daemon_state *d);
const char *daemon_address(const daemon_state *d);
/* Serves until SIGINT or SIGTERM, or with `once` until nothing is left to do. */
void daemon_run(daemon_state *d);
void daemon_free(daemon_state *d);

#endif
