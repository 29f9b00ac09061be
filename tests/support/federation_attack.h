/* SPDX-License-Identifier: Apache-2.0
 * federation_attack.h - what a malicious server needs: answers taken apart into messages, changed
 * and put together again; rosters of its own making with correct digests, tree and signatures, so
 * that only the check under test can refuse them. It holds the phase key, and the device keys of
 * the devices it made. */
#ifndef TACIT_TESTS_FEDERATION_ATTACK_H
#define TACIT_TESTS_FEDERATION_ATTACK_H

#include "tests/support/federation.h"

/* ---- An answer as a list of messages ----------------------------------------------------------
 */
typedef struct {
    tacit_Message *items;
    uint32_t count, cap;
} attack_messages;

void attack_parse(attack_messages *m, const uint8_t *data, size_t len);
void attack_messages_free(attack_messages *m);
/* Makes room at `at` (<= count) and gives the new, empty message. */
tacit_Message *attack_insert(attack_messages *m, uint32_t at);
void attack_remove(attack_messages *m, uint32_t at);
void attack_swap(attack_messages *m, uint32_t a, uint32_t b);

/* Feeds the messages one by one, then the end at now_s. *at says what was refused: a message's
 * number, or count for the end. */
tacit_status attack_deliver(federation_device *d, const attack_messages *m, uint64_t now_s,
                            uint32_t *at);
/* The device refuses message `at` (or the end) for `status`, has left, has wiped its secrets, and
 * looks at nothing any more (security C4). */
void attack_refused(federation_device *d, const attack_messages *m, uint64_t now_s, uint32_t at,
                    tacit_status status);

/* ---- Signing ----------------------------------------------------------------------------------
 */
void attack_sign_header(const federation *f, const federation_device *d, tacit_RosterHeader *h);
void attack_sign_phase(const federation *f, uint8_t *sig, tacit_label label, const uint8_t *session,
                       uint32_t index, const uint8_t *body);
void attack_sign_join(const federation *f, tacit_join *join, const uint8_t *device_secret);
void attack_session(const federation *f, uint8_t *session, const tacit_RosterHeader *h);

/* ---- A roster of the attacker's making --------------------------------------------------------
 */
typedef struct {
    uint32_t n;
    tacit_join *joins;              /* in roster order after attack_roster_sort */
    uint8_t (*ids)[TACIT_HASH_LEN]; /* listed ids; the certificates' own unless changed */
    const uint8_t **secrets;        /* device keys, borrowed */
} attack_roster;

/* Joins of the federation's devices from..from + n - 1; those with a machine are asked for theirs,
 * the others get random keys. Sorted. */
void attack_roster_make(attack_roster *r, federation *f, uint32_t from, uint32_t n);
void attack_roster_free(attack_roster *r);
/* Recomputes the ids from the certificates and sorts. */
void attack_roster_sort(attack_roster *r);
uint32_t attack_roster_index(const attack_roster *r, const federation_device *d);
/* The whole answer for device d, consistent and signed. */
void attack_roster_answer(const attack_roster *r, attack_messages *m, const federation *f,
                          const federation_device *d);

/* ---- A cohort stopped before one answer -------------------------------------------------------
 */
/* The cohort ran up to `phase`, whose answer to the victim (device 0) is in `messages` and not yet
 * delivered; nor to the others. */
typedef struct {
    federation f;
    federation_device *victim;
    tacit_phase phase;
    attack_messages messages;
    uint32_t n, index; /* roster size and the victim's place, after join */
    uint8_t session[TACIT_HASH_LEN], session2[TACIT_HASH_LEN];
    uint8_t u2[TACIT_MAX_BITMAP_LEN], u3[TACIT_MAX_BITMAP_LEN];
} attack_scene;

/* vanish[i]: see federation_device; NULL: nobody vanishes. */
void attack_scene_make(attack_scene *s, const federation_spec *spec, const tacit_phase *vanish,
                       tacit_phase phase);
void attack_scene_free(attack_scene *s);
/* The device at a roster index. */
federation_device *attack_device_at(attack_scene *s, uint32_t index);

#endif
