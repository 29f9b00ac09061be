/* SPDX-License-Identifier: Apache-2.0
 * secagg_checks.h - what the device checks of every answer, each by its name: one small function a
 * rule, so that a reader finds it and a test can take it out and see the attack it stops come
 * through (tests/malice). The machine's files say when each is asked and what a breach is called.
 *
 * All are pure: they read what they are given, keep nothing, and may be called from any thread.
 * Unless said otherwise a bool is true when the rule is kept. Sources: security C2, C3, C4, C6, H1,
 * H2 and section B. */
#ifndef TACIT_FIRMWARE_SECAGG_CHECKS_H
#define TACIT_FIRMWARE_SECAGG_CHECKS_H

#include "common/cert.h"
#include "firmware/secagg_internal.h"

/* ---- The roster -------------------------------------------------------------------------------
 */
/* C3: ids strictly increase, so nobody is listed twice. */
bool tacit_secagg_check_id_order(const uint8_t before[static TACIT_HASH_LEN],
                                 const uint8_t id[static TACIT_HASH_LEN]);
/* C2: the id belongs to this cohort of the plan's round; nobody chooses who sits with whom. */
bool tacit_secagg_check_eligible(const tacit_plan *plan, const uint8_t id[static TACIT_HASH_LEN],
                                 uint32_t cohort);
/* C3: this device is listed at its own place, and nowhere else. */
bool tacit_secagg_check_own_seat(const uint8_t id[static TACIT_HASH_LEN],
                                 const uint8_t own_id[static TACIT_HASH_LEN], uint32_t at,
                                 uint32_t own_index);
/* C3: the list that streamed by is the one under the server's signature, so everybody's. */
bool tacit_secagg_check_list(const uint8_t digest[static TACIT_HASH_LEN],
                             const uint8_t signed_digest[static TACIT_HASH_LEN]);
/* C3: a neighbour's certificate is the pinned authority's, of the plan's class at least, and holds
 * at now_s (Unix seconds). `cert` receives it. BAD_CERTIFICATE. */
TACIT_MUST_CHECK tacit_status
tacit_secagg_check_certificate(tacit_cert *cert, const uint8_t encoded[static TACIT_CERT_LEN],
                               const tacit_secagg_params *params, uint64_t now_s);
/* H2: the keys in the join are the device's own: it signed them, for this plan, model and cohort.
 * BAD_SIGNATURE. */
TACIT_MUST_CHECK tacit_status
tacit_secagg_check_join(const tacit_join *join, const uint8_t id[static TACIT_HASH_LEN],
                        const uint8_t device_key[static TACIT_KEY_LEN],
                        const tacit_secagg_params *params, uint32_t cohort);
/* C3: one device, one seat, whatever certificates it has: the device key is neither this device's
 * own nor that of a neighbour before s->next. */
bool tacit_secagg_check_one_seat(const tacit_secagg *s,
                                 const uint8_t device_key[static TACIT_KEY_LEN]);
/* H2: channel key, mask key and commitment of the join differ from each other, from this device's
 * own and from those of the neighbours before s->next, also across types. A second layer: keys of
 * masks and boxes bind ids, direction and kind (H3), so no attack is known that this alone stops.
 */
bool tacit_secagg_check_keys_differ(const tacit_secagg *s, const tacit_join *join);
/* B: the roster came in time, which bounds how many rosters a server can try. Unix seconds; a clock
 * that went back says nothing about that time and counts as late. */
bool tacit_secagg_check_in_time(uint64_t joined_s, uint64_t now_s);

/* ---- Masks and shares -------------------------------------------------------------------------
 * For neighbour number i of the machine (< s->count). */
/* H1: a pair mask is due towards every neighbour in U2, whether or not its boxes came or opened. */
bool tacit_secagg_mask_due(const tacit_secagg *s, uint32_t i);
/* Flow: whether a share about the neighbour is revealed, and of which secret: of b when it
 * survived, else of s, decided by U3 alone, so never both; none outside U2, none whose box did not
 * open. */
bool tacit_secagg_share_due(const tacit_secagg *s, uint32_t i, uint8_t *kind);

/* ---- Who is still there -----------------------------------------------------------------------
 */
/* H1: at least n_min of the roster are live, and at least t_v of this device's neighbours, which
 * never include itself. */
bool tacit_secagg_check_live(uint32_t live, uint32_t live_neighbours, uint32_t n_min,
                             uint32_t threshold);
/* H1: nobody survives who was not there before: U3 (n bits) lies inside U2. */
bool tacit_secagg_check_subset(const uint8_t *u3, const uint8_t *u2, uint32_t n);
/* C6, flow: at least t_v neighbours signed this device's own U3. */
bool tacit_secagg_check_agreed(uint32_t signatures, uint32_t threshold);

#endif
