/* SPDX-License-Identifier: Apache-2.0
 * fleet.h - many real devices in one process: each has its own library object, identity,
 * certificate, store and connection, and the history of one person of a dataset. A device may be
 * told to vanish before one of the five requests, like a phone that loses its network. */
#ifndef TACIT_TOOLS_FLEET_H
#define TACIT_TOOLS_FLEET_H

#include "firmware/port/https.h"
#include "firmware/tacit.h"
#include "server/keys.h"
#include "tools/dataset.h"
#include "tools/metrics.h"

typedef struct fleet fleet;

typedef struct {
    const dataset *data;
    const dataset_split *split; /* the training part is what devices record */
    uint32_t device_count;      /* at most the number of people */
    const keys_pins *pins;
    const keys_pair *authority;
    double epsilon, delta; /* budget of each device per period */
    uint32_t max_dims, max_factor;
    double dropout;     /* probability that a device vanishes in a round, at a random stage */
    uint64_t seed;      /* of who vanishes when */
    const char *stores; /* folder for stores on disk, NULL: in memory */
    /* Network: HTTPS (trust, host, port), or, when exchange is set, that function with hub. */
    const tacit_https_trust *trust;
    const char *host, *port;
    tacit_status (*exchange)(void *hub, tacit_exchange *exchange);
    void *hub;
    uint32_t threads; /* for work outside rounds */
} fleet_spec;

/* Makes the devices, certifies and opens them, records their histories, gives consent. note
 * (TACIT_NOTE_LEN + 1) names the device on failure. */
TACIT_MUST_CHECK tacit_status fleet_new(fleet **out, char *note, const fleet_spec *spec);
void fleet_free(fleet *f);

enum { FLEET_STAGES = 6 }; /* before join, share, mask, agree, reveal; 5: stayed */

typedef struct {
    uint32_t device_count;
    uint32_t succeeded;              /* got a receipt */
    uint32_t vanished[FLEET_STAGES]; /* by stage; [5] counts those meant to stay */
    uint32_t failed;                 /* left for another reason */
    tacit_status first_failure;      /* of those */
    double bytes_up, bytes_down;     /* mean of those with a receipt */
    double epsilon_spent;            /* largest of those with a receipt, this period */
    uint8_t sum_digest[32];          /* all receipts agree, or receipts_differ */
    bool receipts_differ;
    uint32_t survivors; /* as the receipts say */
    double cpu_s;       /* mean CPU seconds of a device thread */
} fleet_round_result;

/* Every device contributes once, each in its own thread; returns when all are done. */
TACIT_MUST_CHECK tacit_status fleet_round(fleet *f, fleet_round_result *result, uint64_t round);

/* Every device fetches the newest model. */
TACIT_MUST_CHECK tacit_status fleet_sync(fleet *f);

/* Recommendation lists of every device against its person's test items. */
TACIT_MUST_CHECK tacit_status fleet_quality(fleet *f, metrics *out, size_t n);

/* The library object of a device, for single questions. */
tacit *fleet_device(fleet *f, uint32_t index);

#endif
