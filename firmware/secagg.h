/* SPDX-License-Identifier: Apache-2.0
 * secagg.h - the device side of one cohort: join, share, mask, agree, reveal (security section C).
 *
 * A pure state machine: answers come in as bytes, requests go out as bytes; no clock, no socket, no
 * storage (participate.c makes the journal's commits before it asks for the bytes). It moves only
 * forward. The first error of any kind, or tacit_secagg_leave, wipes all round secrets and ends it:
 * every later call says LEFT. Nothing is sent twice: a request's bytes are produced once.
 *
 * Memory: one block given by the caller, tacit_secagg_len(plan) bytes, laid out as
 *   [machine with its wire reader][cycle scratch n x u16][neighbours: index; id, keys, commitment,
 *    channel secret; own shares or mask keys; own boxes or held share keys][bitmaps U2 U3]
 * It grows with the neighbours and the roster size, not with the update's length. */
#ifndef TACIT_FIRMWARE_SECAGG_H
#define TACIT_FIRMWARE_SECAGG_H

#include "common/plan.h"
#include "common/transcript.h"
#include "common/wire.h"

typedef enum {
    TACIT_PHASE_JOIN = 0,
    TACIT_PHASE_SHARE = 1,
    TACIT_PHASE_MASK = 2,
    TACIT_PHASE_AGREE = 3,
    TACIT_PHASE_REVEAL = 4,
    TACIT_PHASE_DONE = 5,
    TACIT_PHASE_LEFT = 6
} tacit_phase;

/* What the machine is given; copied, except that callbacks must stay valid. */
typedef struct {
    tacit_plan plan;
    uint8_t plan_digest[TACIT_HASH_LEN];
    tacit_floors floors;
    uint8_t certificate[TACIT_CERT_LEN];  /* verified by the caller */
    uint8_t authority_key[TACIT_KEY_LEN]; /* the pinned one */
    void *self;
    tacit_status (*random)(void *self, uint8_t *out, size_t len);
    tacit_status (*sign)(void *self, uint8_t sig[64], const uint8_t *msg, size_t len);
} tacit_secagg_params;

typedef struct tacit_secagg tacit_secagg;

/* Bytes needed for rosters up to n_hi under the plan's fractions (the greatest number of neighbours
 * the graph rule can give is bounded by min(n - 1, 2 m, TACIT_MAX_NEIGHBOURS)); 0 when refused. */
size_t tacit_secagg_len(const tacit_plan *plan);
/* The most tacit_secagg_len gives for any plan with this n_hi: what a workspace provides for. */
size_t tacit_secagg_len_max(uint32_t n_hi);

/* Starts in phase JOIN with a request due. mem: 16-byte aligned. Draws the round secrets s, b, c.
 */
TACIT_MUST_CHECK tacit_status tacit_secagg_init(tacit_secagg **out, void *mem, size_t len,
                                                const tacit_secagg_params *params);

tacit_phase tacit_secagg_phase(const tacit_secagg *s);
/* True when the machine waits for an answer, false when a request is due. */
bool tacit_secagg_waiting(const tacit_secagg *s);

/* ---- Requests, each once, in this order. WRONG_PHASE otherwise (and the machine leaves). ------
 */
/* now_s starts the clock of TACIT_JOIN_ANSWER_MAX_S. */
TACIT_MUST_CHECK tacit_status tacit_secagg_join(tacit_secagg *s, tacit_sink *out, uint64_t now_s);
TACIT_MUST_CHECK tacit_status tacit_secagg_share(tacit_secagg *s, tacit_sink *out);
/* Between the share answer and mask: what the update must add (h of the roster seen). */
TACIT_MUST_CHECK tacit_status tacit_secagg_noise_share(const tacit_secagg *s, uint64_t *variance);
/* words [plan.dims]: the quantised, noised update; masked in place, packed into
 * packed[tacit_ring_packed_len(dims, bits)], hashed, signed and written behind its header. words
 * and packed are wiped (zero) by the caller afterwards. */
TACIT_MUST_CHECK tacit_status tacit_secagg_mask(tacit_secagg *s, uint32_t *words, uint8_t *packed,
                                                tacit_sink *out);
/* Evidence hash to keep durably before agree. */
TACIT_MUST_CHECK tacit_status tacit_secagg_evidence(const tacit_secagg *s,
                                                    uint8_t out[static TACIT_HASH_LEN]);
TACIT_MUST_CHECK tacit_status tacit_secagg_agree(tacit_secagg *s, tacit_sink *out);
/* Writes the share keys and wipes every secret before it returns. */
TACIT_MUST_CHECK tacit_status tacit_secagg_reveal(tacit_secagg *s, tacit_sink *out);

/* ---- Answers ----------------------------------------------------------------------------------
 */
/* The next piece of the current phase's answer. Checks as it goes; any finding leaves. */
TACIT_MUST_CHECK tacit_status tacit_secagg_answer(tacit_secagg *s, const uint8_t *data, size_t len);
/* The answer is complete: last checks (digest, counts, thresholds), then the next request is due,
 * or DONE after the receipt. now_s: see join; certificates are checked against it. */
TACIT_MUST_CHECK tacit_status tacit_secagg_answer_end(tacit_secagg *s, uint64_t now_s);

/* Value of the Tacit-Poll header for the answer being waited for: hex and a zero into
 * out[2 * TACIT_POLL_MAX + 1]. */
TACIT_MUST_CHECK tacit_status tacit_secagg_poll(tacit_secagg *s, char *out);

/* Leaves: wipes all secrets; phase becomes LEFT (DONE stays DONE). */
void tacit_secagg_leave(tacit_secagg *s);

/* After the join answer: roster size, own index; after DONE: the receipt. */
uint32_t tacit_secagg_roster_count(const tacit_secagg *s);
uint32_t tacit_secagg_index(const tacit_secagg *s);
uint32_t tacit_secagg_neighbour_count(const tacit_secagg *s);
uint32_t tacit_secagg_survivors(const tacit_secagg *s, uint8_t sum_digest[static TACIT_HASH_LEN]);
void tacit_secagg_id(const tacit_secagg *s, uint8_t id[static TACIT_HASH_LEN]);

#endif
