/* SPDX-License-Identifier: Apache-2.0
 * secagg_internal.h - the one object behind secagg.h and what its files share: secagg.c (life and
 * phases), secagg_secrets.c (round secrets), secagg_roster.c (join answer), secagg_shares.c
 * (share), secagg_masks.c (mask), secagg_reveal.c (agree, reveal); secagg_checks.h has the rules by
 * name.
 *
 * What the server signs: the join answer is a statement_join with label JOIN_ANSWER, naming this
 * device's id, over the roster root; the share answer a statement_phase under session over U2's
 * digest; the later answers are under session2 over U3's digest or the receipt body. Everything
 * under a signature is rebuilt here from the device's own values. */
#ifndef TACIT_FIRMWARE_SECAGG_INTERNAL_H
#define TACIT_FIRMWARE_SECAGG_INTERNAL_H

#include "common/cert.h"
#include "common/graph.h"
#include "firmware/secagg.h"

/* Which message the phase's answer wants next. */
typedef enum {
    SECAGG_WANT_HEADER = 0,
    SECAGG_WANT_IDS = 1,
    SECAGG_WANT_ITEMS = 2, /* entries, sealed shares or signatures */
    SECAGG_WANT_END = 3
} tacit_secagg_want;

typedef struct {
    uint8_t id[TACIT_HASH_LEN];
    uint8_t channel_key[TACIT_KEY_LEN];
    uint8_t mask_key[TACIT_KEY_LEN];
    uint8_t commitment[TACIT_HASH_LEN];
    uint8_t device_key[TACIT_KEY_LEN];
    uint8_t channel_shared[TACIT_KEY_LEN]; /* secret; from the share request to its answer's end */
    uint8_t opened;                        /* bit 1 << kind: the box of that kind opened */
} tacit_secagg_neighbour;

/* The round secrets: three independent draws (security C1). c is wiped once the shares are sealed,
 * s and b once the vector is masked. */
typedef struct {
    uint8_t s[TACIT_SECRET_LEN];
    uint8_t b[TACIT_SECRET_LEN];
    uint8_t c[TACIT_KEY_LEN];
} tacit_secagg_secrets;

/* Draws them from params->random. RANDOM when it fails. */
TACIT_MUST_CHECK tacit_status tacit_secagg_draw_secrets(tacit_secagg_secrets *secrets,
                                                        const tacit_secagg_params *params);

enum { SECAGG_BOXES_LEN = 2 * TACIT_SEALED_SHARE_LEN, SECAGG_HELD_LEN = 2 * TACIT_KEY_LEN };

struct tacit_secagg {
    tacit_phase phase;
    bool waiting;
    tacit_secagg_want want;

    tacit_secagg_params params;
    uint8_t id[TACIT_HASH_LEN];
    uint8_t device_key[TACIT_KEY_LEN];
    uint32_t cohort;
    tacit_join join; /* as sent */
    uint64_t joined_s;
    uint64_t expires_s; /* earliest end of a certificate seen in the roster */
    tacit_secagg_secrets secrets;

    tacit_graph_rule rule;
    uint32_t index;     /* own place in the roster */
    uint32_t threshold; /* t_v; from the roster graph once and for all (security C6) */
    uint32_t count;     /* D, distinct neighbours */
    uint32_t next;      /* neighbour the answer's next item may be about */
    uint32_t remaining; /* items the answer still announced */
    uint32_t ids_seen;
    bool own_seen;
    uint8_t last_id[TACIT_HASH_LEN];
    uint8_t ids_digest[TACIT_HASH_LEN];
    uint8_t merkle_root[TACIT_HASH_LEN];
    uint8_t root[TACIT_HASH_LEN];
    uint8_t session[TACIT_HASH_LEN];
    uint8_t session2[TACIT_HASH_LEN];
    uint8_t u2_digest[TACIT_HASH_LEN];
    uint8_t u3_digest[TACIT_HASH_LEN];
    uint8_t sum_digest[TACIT_HASH_LEN];
    uint32_t survivors;
    tacit_hash ids_hash;

    tacit_wire_reader reader;
    tacit_Message message; /* the one being read or written */

    /* Behind the machine, in the same block. */
    uint8_t *region;
    size_t region_len;
    uint32_t capacity;                  /* neighbours there is room for */
    uint16_t *scratch;                  /* [n_hi] cycle permutation, then evaluation points */
    uint16_t *indices;                  /* [capacity] roster indices, ascending */
    tacit_secagg_neighbour *neighbours; /* [capacity] */
    uint8_t *dealt; /* [capacity x TACIT_SHARE_LEN] of one own secret; later the masks' keys */
    uint8_t *boxes; /* [capacity x SECAGG_BOXES_LEN] own shares sealed: s, then b */
    uint8_t *held;  /* the same bytes later: [capacity x SECAGG_HELD_LEN] share keys, by kind */
    uint8_t *u2, *u3;
};

/* The key of the box of this kind that the neighbour sealed to this device. */
static inline uint8_t *tacit_secagg_held(const tacit_secagg *s, uint32_t neighbour, uint8_t kind) {
    return s->held + (size_t)neighbour * SECAGG_HELD_LEN + (size_t)kind * TACIT_KEY_LEN;
}

/* Leaves with `status` (not OK), wiping everything; returns it. */
tacit_status tacit_secagg_fail(tacit_secagg *s, tacit_status status);
/* Wipes the round secrets, everything derived from them and the message in work. */
void tacit_secagg_wipe(tacit_secagg *s);

/* A request of `phase` may be made now: OK; else LEFT, or WRONG_PHASE and the machine leaves. */
TACIT_MUST_CHECK tacit_status tacit_secagg_begin(tacit_secagg *s, tacit_phase phase);
/* Ends a request made with `status`: waits for the answer, or leaves. */
TACIT_MUST_CHECK tacit_status tacit_secagg_sent(tacit_secagg *s, tacit_status status);

/* Signs the phase statement of this device. */
TACIT_MUST_CHECK tacit_status tacit_secagg_sign(tacit_secagg *s, uint8_t sig[static TACIT_SIG_LEN],
                                                tacit_label label, const uint8_t *session,
                                                const uint8_t *body);
/* Verifies the server's statement of an answer to this device. */
TACIT_MUST_CHECK tacit_status tacit_secagg_verify(const tacit_secagg *s, const uint8_t *sig,
                                                  tacit_label label, const uint8_t *session,
                                                  const uint8_t *body);
/* Empties s->message and sets its kind. */
void tacit_secagg_message(tacit_secagg *s, pb_size_t which);

/* Checks a bitmap of the roster: exact form, this device in it, at least n_min set, at least t_v
 * neighbours (never counting itself) (security H1). BAD_BITMAP, TOO_FEW. */
TACIT_MUST_CHECK tacit_status tacit_secagg_bitmap_check(const tacit_secagg *s,
                                                        const uint8_t *bitmap, size_t len);

/* One message (in s->message) of the phase's answer; the end of that answer. */
TACIT_MUST_CHECK tacit_status tacit_secagg_take_roster(tacit_secagg *s);
TACIT_MUST_CHECK tacit_status tacit_secagg_end_roster(tacit_secagg *s, uint64_t now_s);
TACIT_MUST_CHECK tacit_status tacit_secagg_take_shares(tacit_secagg *s);
void tacit_secagg_end_shares(tacit_secagg *s);
TACIT_MUST_CHECK tacit_status tacit_secagg_take_survivors(tacit_secagg *s);
TACIT_MUST_CHECK tacit_status tacit_secagg_take_signatures(tacit_secagg *s);
TACIT_MUST_CHECK tacit_status tacit_secagg_take_receipt(tacit_secagg *s);

#endif
