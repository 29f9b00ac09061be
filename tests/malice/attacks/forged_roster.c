/* SPDX-License-Identifier: Apache-2.0
 * forged_roster.c - as repeated_id.c, but the server shows each device a list of its own under the
 * one signed root: in good order, with another id in the place of the copy that the device gets no
 * entry of. Every device counts 513 different devices; only together could they see that one of
 * them is there twice. */
#include "tests/malice/malice.h"
#include "tests/support/repeated_id.h"

static bool wins(const char **why) { return repeated_id_sums_too_few(true, why); }

const malice_attack malice_forged_roster = {
    .finding = "C3, H2",
    .attack =
        "each device is shown another list under one root, which hides that an id is there twice",
    .check = "tacit_secagg_check_list",
    .wins = wins,
};
