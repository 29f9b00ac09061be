/* SPDX-License-Identifier: Apache-2.0
 * server_attack.h - what a hostile device needs: its own honest request taken apart into messages,
 * changed, signed again with its own key and submitted to the real cohort; shares dealt as no
 * honest device deals them. A rig is a federation and the device whose request is in work. The
 * machines of firmware/ are used for everything that is honest about such a device. */
#ifndef TACIT_TESTS_SERVER_ATTACK_H
#define TACIT_TESTS_SERVER_ATTACK_H

#include "common/accountant.h"
#include "server/cohort_internal.h"
#include "tests/support/federation_attack.h"

typedef struct {
    federation f;
    federation_device *d; /* whose request is in work */
    attack_messages m;
    federation_bytes tail; /* raw vector behind the message */
    federation_bytes body;
    char note[TACIT_NOTE_LEN + 1];
} rig;

/* A cohort in which everybody was honest so far, about to send in `phase`. */
void rig_make(rig *r, const federation_spec *spec, tacit_phase phase);
void rig_free(rig *r);

cohort_phase rig_phase(const rig *r);
/* Of a device, in the roster; UINT32_MAX before there is one. */
uint32_t rig_index(const rig *r, const federation_device *d);
federation_device *rig_device_at(rig *r, uint32_t index);

/* ---- A request ---------------------------------------------------------------------------------
 */
/* The honest request of device i, taken apart into m and tail. */
void rig_request(rig *r, uint32_t i);
/* Puts m and tail together again into body. */
void rig_build(rig *r);
/* The device's signature over a phase statement of any session and body. */
void rig_sign_as(rig *r, uint8_t *sig, tacit_label label, const uint8_t *session,
                 const uint8_t *body);
/* The device's own signature over what now stands in the request: under `session`, or the right
 * one. */
void rig_sign_under(rig *r, const uint8_t *session);
void rig_sign(rig *r);

/* Gives the bytes, or the request as it stands, to the cohort in its phase. *slot as of
 * cohort_submit; the reason of a refusal is in r->note. */
tacit_status rig_submit_bytes(rig *r, const uint8_t *data, size_t len, uint32_t *slot);
tacit_status rig_submit(rig *r, uint32_t *slot);
/* The same for a request that says nothing new about its slot. */
tacit_status rig_send(rig *r);
/* What the cohort said of the last one: the status and its note. Static, until the next call. */
const char *rig_said(const rig *r, tacit_status st);

/* ---- Shares ------------------------------------------------------------------------------------
 */
/* The share in a box that the device in work sealed for `to`, opened with its channel secret, and
 * sealed again with another share in it, as only its dealer can. */
void rig_open_box(const rig *r, uint8_t *share, const uint8_t *box, uint32_t to, uint8_t kind);
void rig_seal_box(const rig *r, uint8_t *box, const uint8_t *share, uint32_t to, uint8_t kind);

/* ---- Updates -----------------------------------------------------------------------------------
 */
/* Device i will send what the one pipeline makes of the clipped statistics x [dims] (overwritten)
 * under a plan with this scale and mu: rotated, rounded, with its share of the noise. */
void rig_contribute(rig *r, uint32_t i, float *x, const tacit_mechanism *m);

/* ---- The rest of the cohort --------------------------------------------------------------------
 */
/* Everybody who has not sent in this phase does; the phase closes, its answers are delivered. */
void rig_finish_phase(rig *r);
/* All phases up to `phase`, or to the end of the cohort. */
void rig_finish_until(rig *r, cohort_phase phase);
/* The cohort has its sum, and it is the plain sum of the devices in U3; or it is not. With no sum
 * both are false. */
bool rig_ended_well(const rig *r);
bool rig_sum_is_wrong(const rig *r);
/* Whom the cohort has named so far. */
uint32_t rig_blame_count(const rig *r);
const cohort_blame *rig_blame_at(const rig *r, uint32_t at);
/* The cohort has named the device at `index`. */
bool rig_named(const rig *r, uint32_t index);

#endif
