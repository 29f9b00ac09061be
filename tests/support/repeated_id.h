/* SPDX-License-Identifier: Apache-2.0
 * repeated_id.h - one colluder's id on two seats of a cohort of 513, where most devices are
 * neighbours of at most one of them and so cannot see it in their entries. */
#ifndef TACIT_TESTS_REPEATED_ID_H
#define TACIT_TESTS_REPEATED_ID_H

#include "tests/support/rogue_server.h"

/* Runs the cohort with both seats among the n_min survivors. True when the server holds the sum of
 * fewer devices than n_min. forge_lists: every device is shown a list in good order, in which the
 * copy that is no neighbour of its has another id. *why: what the first device to leave said. */
bool repeated_id_sums_too_few(bool forge_lists, const char **why);

#endif
