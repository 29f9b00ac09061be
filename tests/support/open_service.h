/* SPDX-License-Identifier: Apache-2.0
 * open_service.h - the server as devices see it, with one round open, on a thread of its own: for
 * attacks that are made with connections and heads rather than with messages. One at a time. */
#ifndef TACIT_TESTS_OPEN_SERVICE_H
#define TACIT_TESTS_OPEN_SERVICE_H

#include "server/service.h"
#include "tests/support/federation.h"

typedef struct {
    http_counts counts;   /* as they stood when it was stopped */
    cohort_report report; /* of the round's cohort, then */
} open_service_end;

/* Opens the round of f's plan; clients of raw_client.h trust it. Returns the port. */
uint32_t open_service_start(const federation *f, size_t staged_max);
void open_service_stop(open_service_end *end);

#endif
