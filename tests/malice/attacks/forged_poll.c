/* SPDX-License-Identifier: Apache-2.0
 * forged_poll.c - a device that was told to come back asks for its answer with its id. An id is no
 * secret: everybody who was its neighbour once knows it. Somebody outside the cohort asks with that
 * id and a signature of zeros, and is handed the roster: the certificates of everybody who takes
 * part this time. A poll is answered under the device's signature alone. */
#include <stdio.h>

#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

/* The poll header of `id`, signed by nobody. */
static void write_poll(char *out, const uint8_t *id) {
    int at = snprintf(out, 3, "%02x", TACIT_HASH_LEN);
    for (uint32_t i = 0; i < TACIT_HASH_LEN; i++) at += snprintf(out + at, 3, "%02x", id[i]);
    memset(out + at, '0', 2 * TACIT_SIG_LEN);
    out[at + 2 * TACIT_SIG_LEN] = '\0';
}

/* Certificates in the answer for `slot`. */
static uint32_t count_certificates(rig *r, uint32_t slot) {
    uint32_t cursor = 0, count = 0;
    tacit_sink sink = federation_sink(&r->body);
    r->body.len = 0;
    while (cohort_answer_next(r->f.cohort, COHORT_JOIN, slot, &cursor, &sink) == TACIT_OK) continue;
    attack_parse(&r->m, r->body.data, r->body.len);
    for (uint32_t i = 0; i < r->m.count; i++)
        count += r->m.items[i].which_body == tacit_Message_roster_entry_tag;
    return count;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 56};
    char poll[2 * TACIT_POLL_MAX + 1];
    uint32_t slot = UINT32_MAX;
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    write_poll(poll, r.f.devices[0].id);
    tacit_status st = cohort_poll(r.f.cohort, &slot, COHORT_JOIN, poll);
    *why = tacit_status_name(st);
    bool won = st == TACIT_OK && count_certificates(&r, slot) == N;
    rig_free(&r);
    return won;
}

const malice_attack malice_forged_poll = {
    .finding = "H2",
    .attack = "somebody outside polls with a device's id and is handed the cohort's certificates",
    .check = "cohort_poll",
    .wins = wins,
};
