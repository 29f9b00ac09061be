/* SPDX-License-Identifier: Apache-2.0
 * rogue_server.h - a server that only plays one: it talks to each device machine as it likes, phase
 * by phase, keeps every byte it gets, opens what it has keys for and rebuilds what it has shares
 * for. It can do what the operator of a server can do and no more: it holds the phase key, the
 * messages, and the secrets of the devices that collude with it.
 *
 * A seat is a place in the roster. A seat's machine answers honestly; a seat may also have none
 * (then the attacker speaks for it). What a call returns is what the device's machine said. */
#ifndef TACIT_TESTS_ROGUE_SERVER_H
#define TACIT_TESTS_ROGUE_SERVER_H

#include "tests/support/federation_attack.h"

typedef struct {
    federation f; /* devices and plan; no honest server */
    attack_roster roster;
    uint32_t n;
    federation_device **devices;   /* [n] by seat; NULL: the attacker's own, or gone */
    const federation_device **own; /* [n] for the attacker's seats: whose draws their keys are of */
    uint8_t session[TACIT_HASH_LEN];
    uint8_t (*u2)[TACIT_MAX_BITMAP_LEN];  /* [n] what each seat was told */
    uint8_t (*session2)[TACIT_HASH_LEN];  /* [n] what follows from it */
    uint8_t *boxes;                       /* [n x n x 2 boxes], dealer by holder, s then b */
    bool *dealt;                          /* [n x n] there is such a pair */
    uint32_t **vectors;                   /* [n] masked words, NULL: none came */
    uint8_t (*agreements)[TACIT_SIG_LEN]; /* [n] */
    uint8_t *shares;                      /* [2 kinds x n owners x n holders x TACIT_SHARE_LEN] */
    bool *held;                           /* [2 x n x n] that share is there */
} rogue_server;

void rogue_init(rogue_server *r, const federation_spec *spec);
void rogue_free(rogue_server *r);

/* ---- Talking to the devices -------------------------------------------------------------------
 * rogue_seat: gathers the joins of the first `count` devices into r->roster, sorted; an attack may
 * then change it. rogue_settle: fixes seats and session from r->roster as it is now. */
void rogue_seat(rogue_server *r, uint32_t count);
/* The same of `count` devices from number `first` on. */
void rogue_seat_from(rogue_server *r, uint32_t first, uint32_t count);
void rogue_settle(rogue_server *r);
/* Gives device number `device` another certificate, of the authority whose secret is given, and its
 * join the signature of `device_secret`; between rogue_seat and rogue_settle. */
void rogue_certify(rogue_server *r, uint32_t device, const tacit_cert *cert,
                   const uint8_t *authority_secret, const uint8_t *device_secret);
/* The next round of the same devices: fresh machines, a plan with the next number. */
void rogue_next_round(rogue_server *r);
uint32_t rogue_seat_of(const rogue_server *r, const federation_device *d);
/* Each seat's roster answer. */
tacit_status rogue_tell_roster(rogue_server *r, uint32_t seat);
/* Takes the share request; U2 as this device is to see it, with the boxes from those in it. */
tacit_status rogue_take_shares(rogue_server *r, uint32_t seat);
tacit_status rogue_tell_u2(rogue_server *r, uint32_t seat, const uint8_t *u2);
tacit_status rogue_take_vector(rogue_server *r, uint32_t seat);
tacit_status rogue_tell_u3(rogue_server *r, uint32_t seat, const uint8_t *u3);
tacit_status rogue_take_agreement(rogue_server *r, uint32_t seat);
/* Passes on the signatures kept for the seats of `from` that are neighbours in u3. */
tacit_status rogue_tell_agreements(rogue_server *r, uint32_t seat, const uint8_t *u3,
                                   const uint8_t *from);
/* Takes the reveal request and opens the boxes whose keys are in it. */
tacit_status rogue_take_reveal(rogue_server *r, uint32_t seat);

/* A bitmap of all seats; one less. */
void rogue_everyone(const rogue_server *r, uint8_t *bitmap);
static inline void rogue_without(uint8_t *bitmap, uint32_t seat) {
    bitmap[seat / 8] = (uint8_t)(bitmap[seat / 8] & ~(1u << seat % 8));
}
/* One phase with every seat that has a machine: the same U2 or U3 for all. First status not OK. */
tacit_status rogue_all_shared(rogue_server *r, const uint8_t *u2); /* roster to U2 */
tacit_status rogue_all_masked(rogue_server *r);
tacit_status rogue_others_reveal(rogue_server *r, uint32_t victim, const uint8_t *u3);
tacit_status rogue_all_reveal(rogue_server *r,
                              const uint8_t *u3); /* U3 to the reveal of all in it */

/* ---- What the attacker makes of it ------------------------------------------------------------
 * With the channel secret c of `who`, dealer or holder: opens both boxes between them. */
void rogue_open(rogue_server *r, uint32_t dealer, uint32_t holder, uint32_t who, const uint8_t *c);
/* Keeps the share in the box of this kind, if the key opens it. */
void rogue_open_box(rogue_server *r, uint32_t dealer, uint32_t holder, uint8_t kind,
                    const uint8_t *key);
/* A secret from the shares held; true when it is the one the owner committed to. */
bool rogue_rebuild(const rogue_server *r, uint8_t secret[TACIT_SECRET_LEN], uint32_t owner,
                   uint8_t kind);
/* Takes the pair mask between owner and peer off the owner's words, with the s of either. */
void rogue_take_off_pair(const rogue_server *r, uint32_t *words, uint32_t owner, uint32_t peer,
                         uint32_t who, const uint8_t *s);
void rogue_take_off_self(const rogue_server *r, uint32_t *words, uint32_t owner, const uint8_t *b);
/* Whether words are the seat's update, mod 2^bits. */
bool rogue_is_update(const rogue_server *r, const uint32_t *words, uint32_t owner);
/* Rebuilds both secrets of the owner and reads its vector: true when it is its update. */
bool rogue_reads_with_both(const rogue_server *r, uint32_t owner);
/* The owner's vector with b rebuilt and the s of every peer of the owner in colluders [n bits]
 * (machines whose draws the attacker knows); true when it is its update. */
bool rogue_reads_with_peers(const rogue_server *r, uint32_t owner, const uint8_t *colluders);
/* A victim all of whose neighbours are the attacker's: runs its machine up to its vector and reads
 * it. *why: what the machine said. */
bool rogue_surrounds(rogue_server *r, uint32_t victim, const char **why);
/* The variance of the noise that the machines of the first `count` seats are about to draw. */
tacit_status rogue_noise_of(const rogue_server *r, uint32_t count, uint64_t *variance);
/* The sum of the vectors of the seats in `set`: b of each, s of those outside that it masked
 * towards. True when it is the plain sum of their updates. */
bool rogue_sums(const rogue_server *r, const uint8_t *set);

#endif
