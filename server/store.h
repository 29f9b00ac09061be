/* SPDX-License-Identifier: Apache-2.0
 * store.h - everything the server must not forget. One interface; SQLite is the implementation now.
 *
 * What matters of a round - the cohort's sum, the new model, the record entry, the run's state - is
 * committed in one transaction (store_commit_sum), so kill -9 at any instant loses at most cohorts
 * in flight. The record is append-only: the database refuses updates and deletes of it.
 * Not thread-safe: one thread owns a store. Strings are UTF-8. */
#ifndef TACIT_SERVER_STORE_H
#define TACIT_SERVER_STORE_H

#include "common/base.h"

typedef struct store store;

typedef enum { RUN_WAITING = 0, RUN_ACTIVE = 1, RUN_DONE = 2, RUN_FAILED = 3 } run_state;

/* One training run as the operator asked for it (see `tacit round start`). */
typedef struct {
    uint64_t run; /* assigned by store_run_add */
    run_state state;
    double epsilon, delta;
    uint32_t devices; /* planned roster size */
    int32_t preset;   /* -1: the kappa rule */
    uint32_t factor, sums;
    uint32_t n_lo, n_hi, n_min_floor, expected;
    uint16_t max_colluding, max_dropout; /* per thousand */
    uint16_t join_s, share_s, mask_s, agree_s, reveal_s;
    uint64_t seed;
} store_run;

/* One entry of the record: what was done in one round, for operators and auditors. */
typedef struct {
    uint64_t entry; /* 1, 2, ...; assigned by the store */
    uint64_t round, run;
    uint64_t opened_s, closed_s;
    uint32_t sum_index, sum_count;
    uint32_t joined, shared, survivors, honest;
    uint8_t plan_digest[32], model_before[32], model_after[32]; /* after: zeros when failed */
    uint8_t root[32], u2_digest[32], u3_digest[32], sum_digest[32];
    uint32_t status;       /* tacit_status; OK when a model came of it */
    double epsilon_so_far; /* of the run, zero-out, at its delta */
    char preset[16];
    char note[TACIT_NOTE_LEN + 1];
} store_record;

/* What a device did in a round (cohort_blame), or what the operator decided about it since ("ban",
 * "pardon"; then `round` is that of an entry before). */
typedef struct {
    uint64_t round;
    uint8_t id[32];         /* of its certificate */
    uint8_t device_key[32]; /* which outlives certificates */
    uint32_t phase;         /* 1 share .. 4 reveal */
    char fault[16];         /* cohort_fault_name */
    bool banned;            /* joins under the device key are refused from now on */
    uint32_t wrong, came;   /* shares */
} store_blame;

typedef struct {
    uint64_t number;
    uint8_t digest[32];
    uint64_t round; /* 0: the content-only start */
    uint64_t made_s;
    uint64_t len;
} store_model;

/* Opens or creates; migrations are applied in order. IO, CORRUPT, BAD_VERSION (made by a newer
 * build). `note` (TACIT_NOTE_LEN + 1, may be NULL) receives the library's words on failure. Every
 * other call gives IO, CORRUPT, NO_SPACE, DUPLICATE (a rule of the tables) or what it says. */
TACIT_MUST_CHECK tacit_status store_open_sqlite(store **out, char *note, const char *path);
void store_close(store *s);
/* The library's words about the last call that failed. Valid until the next call. */
const char *store_error(const store *s);

TACIT_MUST_CHECK tacit_status store_run_add(store *s, store_run *run);
/* Oldest run that is waiting or active; NOT_FOUND. */
TACIT_MUST_CHECK tacit_status store_run_next(store *s, store_run *run);
TACIT_MUST_CHECK tacit_status store_run_get(store *s, store_run *run, uint64_t id);
TACIT_MUST_CHECK tacit_status store_run_state(store *s, uint64_t run, run_state state);
/* State blob of a run between sums (training_state_save); NOT_FOUND when it has none yet. *data is
 * malloc'ed for the caller. */
TACIT_MUST_CHECK tacit_status store_run_blob(store *s, uint8_t **data, size_t *len, uint64_t run);

/* The next round number, committed before it is used; none is ever given out twice. */
TACIT_MUST_CHECK tacit_status store_round_next(store *s, uint64_t *round, uint64_t run);
/* Keeps the plan of a reserved round before it is shown, once. DUPLICATE, NOT_FOUND. */
TACIT_MUST_CHECK tacit_status store_plan_put(store *s, uint64_t round, const uint8_t *plan,
                                             size_t plan_len);
/* NOT_FOUND also for a round that was reserved but never had a plan. */
TACIT_MUST_CHECK tacit_status store_plan_get(store *s, uint8_t *plan, size_t cap, size_t *len,
                                             uint64_t round);
/* Lowest round that has a plan but no record entry: cut off by a crash. NOT_FOUND when none is. */
TACIT_MUST_CHECK tacit_status store_round_unrecorded(store *s, uint64_t *round, uint64_t *run);

/* The one transaction that ends a round: entry, sum, model, run state, all or nothing. model may be
 * NULL (failed round), sum too; run_blob NULL keeps the run's. sum is the packed sum. Sets
 * record->entry. */
TACIT_MUST_CHECK tacit_status store_commit_sum(store *s, store_record *record,
                                               const store_model *model, const uint8_t *model_file,
                                               const uint8_t *sum, size_t sum_len,
                                               const uint8_t *run_blob, size_t run_blob_len,
                                               run_state state);

/* Who was named; append-only like the record. Several for one round are one transaction. */
TACIT_MUST_CHECK tacit_status store_blame_add(store *s, const store_blame *blames, size_t count);
TACIT_MUST_CHECK tacit_status
store_blame_each(store *s, tacit_status (*visit)(void *self, const store_blame *b), void *self);

/* The device keys that are banned: by an entry that no pardon follows. *keys is malloc'ed for the
 * caller, NULL when there are none. */
TACIT_MUST_CHECK tacit_status store_banned(store *s, uint8_t (**keys)[32], uint32_t *count);

/* Models. Files are kept in the database, immutable. */
TACIT_MUST_CHECK tacit_status store_model_add(store *s, const store_model *model,
                                              const uint8_t *file);
TACIT_MUST_CHECK tacit_status store_model_latest(store *s, store_model *model);
/* *file is malloc'ed for the caller. */
TACIT_MUST_CHECK tacit_status store_model_file(store *s, uint8_t **file, size_t *len,
                                               const uint8_t digest[static 32]);
TACIT_MUST_CHECK tacit_status
store_model_each(store *s, tacit_status (*visit)(void *self, const store_model *m), void *self);

/* The record in order, from entry `first`. */
TACIT_MUST_CHECK tacit_status store_record_each(
    store *s, uint64_t first, tacit_status (*visit)(void *self, const store_record *r), void *self);

#endif
