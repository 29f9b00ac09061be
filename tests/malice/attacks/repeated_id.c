/* SPDX-License-Identifier: Apache-2.0
 * repeated_id.c - the server lists one colluder's id twice. On cycles a device sees the entries of
 * its neighbours only, so most cannot notice; both seats count as survivors, and the sum that n_min
 * protects is of fewer devices. What everybody sees is the list, and there the id stands twice.
 * (More copies gain more and drive more devices off: those with two of them for neighbours.) */
#include "tests/malice/malice.h"
#include "tests/support/repeated_id.h"

static bool wins(const char **why) { return repeated_id_sums_too_few(false, why); }

const malice_attack malice_repeated_id = {
    .finding = "C3",
    .attack = "one id on two seats of 513: the server sums fewer devices than n_min",
    .check = "tacit_secagg_check_id_order",
    .wins = wins,
};
