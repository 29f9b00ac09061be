/* SPDX-License-Identifier: Apache-2.0
 * cohort_internal.h - the one object behind cohort.h and what its files share: cohort.c (life,
 * phases, report), cohort_request.c (reading a body), cohort_checks.c (what is checked of a
 * device's message), cohort_join.c (joins and the roster), cohort_phases.c (share, mask, agree),
 * cohort_reveal.c (reveal), cohort_answer.c (answers, poll), unmask.c (the sum) with rebuild.c
 * (secrets from shares).
 *
 * A slot is a place in the order of joining; an index is a place in the roster, which is sorted by
 * id. Before the roster stands everything hangs on slots, after it on indices.
 *
 * A directed edge v -> j is a number: place of j in row v of the graph. At the edge dealer ->
 * holder stand both sealed boxes from SHARE until MASK closes (112 bytes an edge), the one whose
 * secret the sum needs until the secrets are rebuilt (56 bytes), and from REVEAL the share that
 * came out of it (40 bytes and a bit).
 *
 * One object is used by one thread at a time, but for cohort_job_run on distinct tasks. While tasks
 * run, the calls that only read (submit says LATE, answers, polls, reports) touch nothing the tasks
 * write. */
#ifndef TACIT_SERVER_COHORT_INTERNAL_H
#define TACIT_SERVER_COHORT_INTERNAL_H

#include "common/crypto.h"
#include "common/graph.h"
#include "server/cohort.h"
#include "server/key_table.h"

enum {
    COHORT_PAIR_LEN = 2 * TACIT_SEALED_SHARE_LEN,
    /* Joins with a genuine certificate and a bad signature, per id: 7 ms of verifying at most.
     * After them the true device is refused too, so few would let who knows a certificate lock it
     * out; each of them costs a connection. */
    COHORT_JOIN_ATTEMPTS = 64
};

/* One device that joined. */
typedef struct {
    uint8_t id[TACIT_HASH_LEN];
    uint8_t device_key[TACIT_KEY_LEN];
    tacit_join join;
    /* Of the accepted messages; [COHORT_JOIN] is join.signature and stays empty here. */
    uint8_t signatures[COHORT_REVEAL + 1][TACIT_SIG_LEN];
    uint32_t index;    /* UINT32_MAX until the roster stands */
    uint32_t attempts; /* joins under this id that were not this device's */
    uint8_t sent;      /* bit phase: a message of it was accepted */
    bool dropped;      /* sent a bad message under its own signature */
} cohort_seat;

/* What the sum needs of one roster place, filled by one task of the first stage. */
typedef struct {
    bool needed;
    uint8_t kind; /* TACIT_KIND_* */
    tacit_status status;
    uint16_t came, wrong;         /* shares, see rebuild.h */
    uint32_t subtract_at, add_at; /* where its masks' keys go */
} cohort_job_secret;

/* The masks to take off, one 32-byte key each: those to subtract first, then those to add. */
typedef struct {
    enum { COHORT_JOB_NONE, COHORT_JOB_SECRETS, COHORT_JOB_MASKS } stage;
    uint32_t task_count;
    uint32_t ranges, parts;     /* of the second stage: ranges of coordinates, ranges of keys */
    cohort_job_secret *secrets; /* [n] */
    uint8_t *keys;              /* [key_count x TACIT_KEY_LEN] */
    uint32_t key_count, subtract_count;
    uint8_t *packed; /* the sum as it is hashed */
} cohort_job;

struct cohort {
    cohort_params params;
    cohort_phase phase;
    uint64_t deadline_s;
    uint64_t heard_s; /* when a message of this phase was accepted last */
    uint32_t target;  /* joins that close JOIN */
    uint32_t joined;
    uint32_t waiting; /* devices the phase still expects a message from (SHARE..REVEAL) */
    uint8_t secret[TACIT_KEY_LEN]; /* places in the tables, challenges to shares */
    cohort_seat *seats;            /* [n_hi], by slot */
    key_table ids;                 /* id -> slot */
    key_table strangers;           /* id with a genuine certificate -> failed joins */
    key_table banned;              /* device keys that may not join */
    key_table device_keys;         /* taken device keys */
    key_table round_keys;          /* pk_c, pk_s and commitments in use, one set (security H2) */

    /* The roster, once JOIN closed. */
    cohort_seat **roster; /* [n] by index */
    tacit_graph_rule rule;
    uint32_t *offsets;    /* [n + 1] rows of the graph */
    uint16_t *adjacent;   /* neighbours, ascending in a row */
    uint16_t *thresholds; /* [n] t_v; 0: this device may not share (t_v > t2, security C6) */
    uint32_t degree_max;
    uint8_t *nodes; /* Merkle tree over the join leaves, all levels */
    uint8_t ids_digest[TACIT_HASH_LEN];
    uint8_t merkle_root[TACIT_HASH_LEN];
    uint8_t session[TACIT_HASH_LEN];
    uint8_t session2[TACIT_HASH_LEN];

    /* Who was accepted in a phase, by index. [COHORT_SHARE] is U2, [COHORT_MASK] U3. */
    uint8_t *sets[COHORT_REVEAL + 1];
    uint8_t *stage;        /* one body's boxes or shares until its signature is checked */
    uint8_t *boxes;        /* [edges x COHORT_PAIR_LEN] s, then b; see above */
    uint8_t *shares;       /* [edges x TACIT_SHARE_LEN] */
    uint8_t *held;         /* [edges] bitmap: that share is there */
    uint16_t *empty_boxes; /* [n] opened boxes of this dealer that hold no share */
    cohort_blame *blames;  /* [2 n]: at most one for a message and one for dealing, a device */
    uint32_t *sum;         /* [dims] mod 2^32 */
    cohort_job job;
    cohort_report report;
};

static inline uint32_t cohort_degree(const cohort *c, uint32_t v) {
    return c->offsets[v + 1] - c->offsets[v];
}
static inline bool cohort_in(const cohort *c, cohort_phase phase, uint32_t index) {
    return tacit_bit_get(c->sets[phase], index);
}
/* The edge v -> j, or UINT32_MAX when they are no neighbours. */
uint32_t cohort_edge(const cohort *c, uint32_t v, uint32_t j);
/* Neighbours of v in the set of `phase`. */
uint32_t cohort_neighbours_in(const cohort *c, uint32_t v, cohort_phase phase);
/* Whether the sum needs a secret of v rebuilt: b when v is in U3, s when it is in U2 only and
 * somebody in U3 masked towards it. */
bool cohort_secret_needed(const cohort *c, uint32_t v, uint8_t *kind);
/* session before SHARE closed, session2 from MASK on. */
static inline const uint8_t *cohort_session_of(const cohort *c, cohort_phase phase) {
    return phase <= COHORT_SHARE ? c->session : c->session2;
}

/* printf into a note of TACIT_NOTE_LEN + 1 bytes; NULL allowed. */
__attribute__((format(printf, 2, 3))) void cohort_note(char *note, const char *format, ...);
/* Names a device, once for a message and once for dealing. */
void cohort_blame_add(cohort *c, const cohort_blame *blame);
/* The box at an edge that the sum needs, once MASK closed: its kind is the owner's. */
static inline uint8_t *cohort_due_box(const cohort *c, uint32_t edge) {
    return c->boxes + (size_t)edge * TACIT_SEALED_SHARE_LEN;
}

/* Gives the cohort up: wipes shares, masks and the masked sum. Returns `status`. */
__attribute__((format(printf, 3, 4))) tacit_status cohort_fail(cohort *c, tacit_status status,
                                                               const char *format, ...);
/* Wipes and frees what is needed to unmask. */
void cohort_shares_free(cohort *c);
void cohort_job_free(cohort *c);

/* ---- A body being read (cohort_request.c) ------------------------------------------------------
 */
typedef struct {
    cohort *c;
    cohort_phase phase;
    tacit_bytes in; /* what was not read yet */
    char *note;     /* may be NULL */
    tacit_wire_reader reader;
    tacit_Message message;
    cohort_seat *seat; /* of SHARE..REVEAL, once its index was read */
    uint32_t index;
    /* First finding about what the message says, kept until the signature tells whose it is. */
    tacit_status finding;
    char finding_note[TACIT_NOTE_LEN + 1];
} cohort_request;

/* The next message, which must be of the kind `which`. TRUNCATED, BAD_MESSAGE, TOO_LARGE. */
TACIT_MUST_CHECK tacit_status cohort_request_next(cohort_request *r, pb_size_t which);
/* Nothing may follow. */
TACIT_MUST_CHECK tacit_status cohort_request_end(cohort_request *r);
/* The seat of `index`, which must be in the set that may send in this phase. */
TACIT_MUST_CHECK tacit_status cohort_request_seat(cohort_request *r, uint32_t index);
/* True for an identical copy of an accepted message (same signature). */
bool cohort_request_copy(const cohort_request *r, const uint8_t *signature);
/* Notes the first finding. */
__attribute__((format(printf, 3, 4))) void cohort_request_find(cohort_request *r,
                                                               tacit_status finding,
                                                               const char *format, ...);
/* Verifies the device's statement over `body` under own values. Not its signature: the finding, or
 * BAD_SIGNATURE. Its signature: with a finding the device is dropped and counted, without one
 * OK, or DUPLICATE when it already sent. */
TACIT_MUST_CHECK tacit_status cohort_request_judge(cohort_request *r, tacit_label label,
                                                   const uint8_t *signature, const uint8_t *body);
/* A signed message that turned out wrong after it was judged: drops, counts and names the device.
 */
__attribute__((format(printf, 4, 5))) tacit_status cohort_request_refuse(cohort_request *r,
                                                                         tacit_status status,
                                                                         cohort_fault fault,
                                                                         const char *format, ...);
/* Marks the message as accepted. */
void cohort_request_accept(cohort_request *r, const uint8_t *signature);

/* ---- Phases ------------------------------------------------------------------------------------
 */
TACIT_MUST_CHECK tacit_status cohort_take_join(cohort_request *r, uint32_t *slot, uint64_t now_s);
TACIT_MUST_CHECK tacit_status cohort_take_share(cohort_request *r);
TACIT_MUST_CHECK tacit_status cohort_take_mask(cohort_request *r);
TACIT_MUST_CHECK tacit_status cohort_take_agree(cohort_request *r);
TACIT_MUST_CHECK tacit_status cohort_take_reveal(cohort_request *r);

/* What closing a phase has to compute; a status that is not OK has failed the cohort. */
TACIT_MUST_CHECK tacit_status cohort_close_join(cohort *c);
TACIT_MUST_CHECK tacit_status cohort_close_share(cohort *c);
TACIT_MUST_CHECK tacit_status cohort_close_mask(cohort *c);
TACIT_MUST_CHECK tacit_status cohort_close_agree(cohort *c);

#endif
