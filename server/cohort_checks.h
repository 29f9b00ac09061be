/* SPDX-License-Identifier: Apache-2.0
 * cohort_checks.h - what the server checks of a device's message, each by its name. Every function
 * here answers one question about one message, a device or a share, and stands between a hostile
 * device and something that an honest cohort never gives; the phases ask them in the order that is
 * right for them (cohort_join.c, cohort_phases.c, cohort_reveal.c, rebuild.c, unmask.c). The attack
 * that wins without one of them is in tests/malice. Signatures are checked in cohort_request.c. */
#ifndef TACIT_SERVER_COHORT_CHECKS_H
#define TACIT_SERVER_COHORT_CHECKS_H

#include "server/cohort_internal.h"

/* ---- Any message ------------------------------------------------------------------------------
 */
/* Whether a message of `phase` may be looked at now: a phase closes once and nothing is taken for
 * it afterwards (security M1), also when its deadline passed and nobody has closed it yet.
 * WRONG_PHASE, LATE, ABORTED, with the reason in `note` (may be NULL). */
TACIT_MUST_CHECK tacit_status cohort_check_open(const cohort *c, char *note, cohort_phase phase,
                                                uint64_t now_s);

/* Whether the device at `index` (in the roster) may send in `phase` (SHARE..REVEAL): it did in the
 * phase before, so that U3 is part of U2, and it was not dropped (H1, M1). */
bool cohort_may_send(const cohort *c, cohort_phase phase, uint32_t index);

/* Whether a message of `phase` was accepted from this device: a second one is never counted,
 * whatever it says (H11). */
bool cohort_has_sent(const cohort_seat *seat, cohort_phase phase);

/* ---- Joins ------------------------------------------------------------------------------------
 */
/* Whether another join under an id may cost signature checks after so many failed ones (M12). */
bool cohort_attempts_left(uint32_t attempts);

/* The second until which a certificate must hold that is shown at now_s: the end of the share
 * phase, by when every device has taken its join answer. One that ended earlier would drive its
 * neighbours off. */
uint64_t cohort_certificate_until(const cohort *c, uint64_t now_s);

/* Whether the join is signed by the device of this certificate, for this plan, model and cohort
 * (H2). BAD_SIGNATURE. */
TACIT_MUST_CHECK tacit_status cohort_verify_join(const cohort *c, const tacit_join *join,
                                                 const uint8_t id[static TACIT_HASH_LEN],
                                                 const uint8_t device_key[static TACIT_KEY_LEN]);

/* What the neighbours would find wrong with the round keys and leave for: one that appears twice,
 * in this join or in the cohort, or is of low order (H2). NULL when nothing is. Static storage. */
const char *cohort_find_bad_key(const cohort *c, const tacit_join *join);

/* Gives the next seat to this device key; false when the key has one already, whatever certificate
 * it came under (C3). The last question before a join is admitted. */
bool cohort_claim_device_key(cohort *c, const uint8_t device_key[static TACIT_KEY_LEN]);

/* ---- Vectors ----------------------------------------------------------------------------------
 */
/* Whether an announced vector has exactly the packed length of the plan's dims and bits: the sum
 * reads that many bytes (H11). */
bool cohort_fits_vector(const cohort *c, uint32_t announced_len);

/* ---- Shares, and who is to blame (M2) ---------------------------------------------------------
 */
/* Whether a rebuilt secret is the one its owner committed to when it joined. */
bool cohort_fits_commitment(const cohort_seat *owner, const uint8_t secret[static TACIT_SECRET_LEN],
                            uint8_t kind);

/* Whether a box that gave no share (`opened` is of tacit_share_open) shows its holder a liar:
 * CORRUPT, the key it signed does not open the box. What lies in a box that opened is its dealer's.
 */
bool cohort_shows_holder_lied(tacit_status opened);

#endif
