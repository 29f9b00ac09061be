/* SPDX-License-Identifier: Apache-2.0
 * hub.h - a server without sockets: the real round and cohort state machines behind a function that
 * answers a device's exchange. For `tacit simulate --in-process`: what is measured is the protocol,
 * not TLS. Many device threads call hub_exchange; one thread drives hub_round. */
#ifndef TACIT_TOOLS_HUB_H
#define TACIT_TOOLS_HUB_H

#include "firmware/tacit.h"
#include "server/round.h"

typedef struct hub hub;

/* Takes the round over; quiet_s as in cohort_params. NO_SPACE. */
TACIT_MUST_CHECK tacit_status hub_new(hub **out, round_run *round, uint32_t quiet_s);
void hub_free(hub *h);

/* Publishes and opens the next round; false when the run is over. *note says why it ended badly. */
bool hub_open(hub *h, const char **note);
/* The open round's plan. */
const round_offer *hub_offer(const hub *h);
/* Drives the open round's cohort until it ends (call in a thread while devices contribute), learns,
 * publishes. *record is what the server's record would hold. */
TACIT_MUST_CHECK tacit_status hub_drive(hub *h, store_record *record);

/* tacit_platform.exchange for devices; self = the hub. Thread-safe, blocks like a held answer. */
tacit_status hub_exchange(void *self, tacit_exchange *exchange);

#endif
