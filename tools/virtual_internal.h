/* SPDX-License-Identifier: Apache-2.0
 * virtual_internal.h - the objects behind virtual.h and what its files share: virtual.c (the run),
 * virtual_world.c (keys, model, plans, devices), virtual_platform.c (a device's disk, clock and
 * randomness, with faults), virtual_device.c (what a device does at an event), virtual_server.c
 * (the server's edge), virtual_network.c (messages and what the seed lets happen), virtual_check.c
 * (what must hold), virtual_pool.c (threads).
 *
 * Threads: events are handled in batches. Those of one batch lie within the least latency of a
 * message of each other and touch different devices, so they cannot influence each other: answers
 * for the devices are pulled from the cohort first, then the devices' machines run on all threads,
 * then everything that was drawn, sent or scheduled is put in order in one thread. What a batch is
 * depends on the events alone, so nothing depends on the number of threads. */
#ifndef TACIT_TOOLS_VIRTUAL_INTERNAL_H
#define TACIT_TOOLS_VIRTUAL_INTERNAL_H

#include "common/model.h"
#include "common/plan.h"
#include "common/prng.h"
#include "firmware/participate.h"
#include "tools/byte_buffer.h"
#include "tools/memory_platform.h"
#include "tools/virtual.h"
#include "tools/virtual_pool.h"
#include "tools/virtual_queue.h"

enum {
    VIRTUAL_OPENS_S = 1800000000, /* virtual time 0 */
    VIRTUAL_LATENCY_US = 20000,   /* least time of a message, and so the width of a batch */
    VIRTUAL_BATCH = 64,           /* most devices in one: their answers are in memory at once */
    VIRTUAL_DRAWS = 12,           /* random values a device may take in a participation */
    VIRTUAL_NEVER = VIRTUAL_PHASE_PLAN,
    VIRTUAL_FACTOR = 7,  /* k of the model: eight numbers an item */
    VIRTUAL_HISTORY = 32 /* items a device remembers */
};

/* ---- A device ----------------------------------------------------------------------------------
 */

typedef enum {
    VIRTUAL_DISK_WELL = 0,
    VIRTUAL_DISK_FAILS,      /* the call changes nothing and says so */
    VIRTUAL_DISK_CUT_BEFORE, /* the power goes before the call has done anything */
    VIRTUAL_DISK_CUT_AFTER   /* and after it has, but before it returns */
} virtual_disk;
enum { VIRTUAL_DISK_KINDS = 4 };

typedef struct {
    uint8_t bytes[TACIT_KEY_LEN];
    uint8_t len;
} virtual_draw;

/* What a device put into its update, as an observer sees it: the vector before rounding, where it
 * is not zero, and the two seeds. The observer keeps it over crashes. */
typedef struct {
    uint64_t round; /* of the vector that left; 0: none */
    uint32_t count;
    uint32_t *at;
    float *x;
    uint8_t rounding[TACIT_KEY_LEN], noise[TACIT_KEY_LEN];
} virtual_said;

typedef struct virtual_copy virtual_copy;

typedef struct {
    uint32_t number;
    memory_platform *store;
    tacit_platform inner, platform; /* the store's callbacks; the same with faults and a recorder */
    uint8_t certificate[TACIT_CERT_LEN];
    tacit_options options;
    tacit_ledger ledger;
    tacit_participation part;
    void *machine;
    size_t machine_len;

    /* The driver, as in contribute.c. */
    bool on;        /* has power and an open ledger */
    bool busy;      /* in tacit_contribute */
    bool begun;     /* has a participation */
    bool sent;      /* this phase's request was made to its end */
    uint8_t phase;  /* of the exchange: the plan's, then the machine's */
    uint64_t token; /* number of the exchange; messages of others are over */
    uint64_t round; /* it takes part in, or asked about */
    uint64_t tried; /* newest round when it last asked */
    uint64_t phase_start_s, phase_start_us;
    uint32_t turn, retry_after_s;

    /* Time and faults. */
    uint64_t now_us;
    int64_t clock_off_s;
    bool jumped; /* its clock, in this participation */
    bool slow;
    uint8_t vanish; /* before the request of this phase; VIRTUAL_NEVER */
    uint64_t cut_from_us, cut_until_us;
    virtual_disk disk;
    uint32_t disk_in;    /* storage calls until the disk's fault */
    bool storage_failed; /* in the request being made */
    bool power_cut;
    bool restore;       /* the next restart is from the copy */
    bool restored_old;  /* ... and the copy was older than the keystore's counter */
    virtual_copy *copy; /* NULL: none */

    /* What the checks remember. */
    virtual_draw draws[VIRTUAL_DRAWS];
    uint32_t draw_count;
    virtual_said said;
    uint64_t last_join, last_vector; /* rounds whose join, whose vector left */
    uint64_t charges_at_join;
} virtual_device;

/* ---- A step of a device: an event, and what came of it -----------------------------------------
 */

typedef enum {
    VIRTUAL_NEXT_NONE = 0,
    VIRTUAL_NEXT_REQUEST, /* computes, then makes its next request */
    VIRTUAL_NEXT_PAUSE,   /* polls after pause_s */
    VIRTUAL_NEXT_OVER,    /* tacit_contribute has returned `status` */
    VIRTUAL_NEXT_DOWN     /* is without power */
} virtual_next;

typedef struct {
    virtual_event event;
    virtual_device *device;
    byte_buffer answer; /* pulled from the cohort */
    bool answer_whole;  /* else it broke off */
    virtual_body *body; /* to be sent in event order */
    virtual_next next;
    uint32_t pause_s;
    tacit_status status;
    bool vanished, disk_error, restored, refused_restore;
    uint32_t scans;
    bool receipt;
    uint32_t survivors;
    uint8_t sum_digest[TACIT_HASH_LEN];
    bool breach; /* finding is set */
    char finding[VIRTUAL_FINDING_LEN];
} virtual_step;

/* What a thread works with: everything large is here, not in the devices. */
typedef struct {
    void *memory;
    tacit_factor training;
    tacit_history history;
    float *x;
    uint32_t *words;
    uint32_t *sum; /* of the updates recomputed by this thread */
    byte_buffer out;
    double cpu_s[VIRTUAL_PART_COUNT];
} virtual_worker;

/* ---- The server --------------------------------------------------------------------------------
 */

typedef struct {
    uint32_t device, slot;
    uint64_t token, hold_until_us;
    uint8_t phase;
} virtual_call;

/* A round the server has opened; kept to the end of the run. */
typedef struct {
    tacit_plan plan;
    uint8_t encoded[TACIT_PLAN_LEN], sig[TACIT_SIG_LEN], digest[TACIT_HASH_LEN];
    uint64_t opened_us;
    uint8_t *kinds; /* [n] kinds of shares that have left devices for each owner */
    uint32_t *slot_device;
    uint32_t lost; /* joined and vanished afterwards */
} virtual_round;

typedef struct {
    bool up;
    cohort *cohort; /* of the newest round; NULL when down or forgotten */
    uint64_t round; /* its number: rounds[round - 1] */
    bool settled, summed;
    virtual_call *calls;
    size_t call_count, call_cap;
} virtual_server;

/* ---- The world ---------------------------------------------------------------------------------
 */

typedef struct {
    uint8_t public_key[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];
} virtual_keys;

typedef struct virtual_sim {
    virtual_options options;
    virtual_result *result;
    char *note;
    tacit_status status; /* why the run itself cannot go on */
    virtual_keys plan_keys, model_keys, authority, phase_keys;
    const tacit_floors *floors;
    tacit_run_budget budget;
    uint32_t n_lo;
    memory_models *models;
    uint8_t *model_file;
    tacit_model model;
    tacit_prng chance; /* of network and faults; drawn from in event order only */
    virtual_device *devices;
    virtual_worker *workers;
    virtual_pool *pool;
    virtual_queue queue;
    virtual_server server;
    virtual_round rounds[VIRTUAL_ROUNDS];
    uint32_t rounds_ended; /* with a sum or given up */
    uint64_t now_us;
    double serial_cpu_s[VIRTUAL_PART_COUNT];
    virtual_step *batch; /* [VIRTUAL_BATCH] */
    bool scan_all;
} virtual_sim;

/* ---- virtual_world.c ---- */
/* Keys, model, budget, floors, devices. Says why not in sim->note. */
TACIT_MUST_CHECK tacit_status virtual_world_make(virtual_sim *sim);
void virtual_world_free(virtual_sim *sim);
/* Signs the plan of the next round, to open now. */
TACIT_MUST_CHECK tacit_status virtual_world_plan(virtual_sim *sim, virtual_round *round,
                                                 uint64_t number);
/* The history of a device, as the thread's. */
void virtual_world_history(virtual_worker *w, const virtual_sim *sim, const virtual_device *d);

/* ---- virtual_platform.c ---- */
void virtual_platform_make(virtual_device *d);
/* Copies of the storage, without what the keystore holds. NO_SPACE. */
TACIT_MUST_CHECK tacit_status virtual_copy_take(virtual_device *d);
TACIT_MUST_CHECK tacit_status virtual_copy_restore(virtual_device *d);
void virtual_copy_free(virtual_device *d);
/* Header of the ledger as it is stored: false when there is none. */
typedef struct {
    uint64_t counter, joined_round, charged_round, charges;
} virtual_durable;
bool virtual_durable_read(virtual_durable *out, const virtual_device *d);
uint64_t virtual_clock_s(const virtual_device *d);

/* ---- virtual_device.c ---- */
/* Handles the step's event; runs in any thread. */
void virtual_device_step(virtual_sim *sim, virtual_worker *w, virtual_step *step);
/* The ledger of a device that gets power. */
TACIT_MUST_CHECK tacit_status virtual_device_boot(virtual_device *d);
/* A lost connection to or from the device at this time? */
bool virtual_cut_off(const virtual_device *d, uint64_t at_us);

/* ---- virtual_server.c ---- */
void virtual_server_event(virtual_sim *sim, virtual_event *e);
/* The whole answer for a call, into the step; or what stands in its place. */
void virtual_server_pull(virtual_sim *sim, virtual_step *step);
void virtual_server_free(virtual_sim *sim);

/* ---- virtual_network.c ---- */
void virtual_put(virtual_sim *sim, virtual_event event);
/* A device's request or poll; takes the body over. */
void virtual_network_request(virtual_sim *sim, const virtual_device *d, virtual_body *body,
                             uint64_t at_us);
/* What the server says to a call. */
void virtual_network_answer(virtual_sim *sim, const virtual_call *call, virtual_kind kind,
                            uint32_t value);
/* The call's connection is gone. */
void virtual_network_break(virtual_sim *sim, const virtual_call *call);
/* What the seed has in store for the devices and the server in the round that opens. */
void virtual_network_round(virtual_sim *sim);
/* True with the chance p. */
bool virtual_chance(virtual_sim *sim, double p);
uint64_t virtual_uniform(virtual_sim *sim, uint64_t below);
/* How long a device computes before the request of a phase. */
uint64_t virtual_compute_us(virtual_sim *sim, const virtual_device *d, uint8_t phase);

/* ---- virtual_check.c ---- */
__attribute__((format(printf, 2, 3))) void virtual_find(virtual_sim *sim, const char *format, ...);
__attribute__((format(printf, 3, 4))) void virtual_breach(virtual_step *step,
                                                          const virtual_device *d,
                                                          const char *format, ...);
/* A request of the device is about to leave. */
void virtual_check_request(const virtual_sim *sim, virtual_step *step, const virtual_device *d);
/* The store of a device that comes back. */
void virtual_check_restart(virtual_step *step, const virtual_device *d);
/* A device that gives its phase up, whose limit is limit_s. */
void virtual_check_wait(virtual_step *step, const virtual_device *d, uint32_t limit_s);
/* Secrets that must be gone: draws from `first` on, in machine memory (when there is one), in the
 * thread's vectors and in the store. */
void virtual_check_secrets(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                           const virtual_device *d, uint32_t first, const char *when);
/* The share answer has been taken: no secret shared with a neighbour is left. */
void virtual_check_channels(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                            const virtual_device *d);
/* Everything the machine keeps beside its roster's digests is zero: after the reveal request, and
 * when the participation has ended. */
void virtual_check_wiped(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                         const virtual_device *d, const char *when);
/* In event order: the shares of a reveal request. */
void virtual_check_reveal(virtual_sim *sim, const virtual_device *d, const virtual_body *body,
                          uint64_t round);
/* The sum of a cohort that is done. */
void virtual_check_sum(virtual_sim *sim, virtual_round *round);
/* A cohort that has ended, and the whole run. */
void virtual_check_cohort(virtual_sim *sim, const virtual_round *round,
                          const virtual_round_result *result);
void virtual_check_end(virtual_sim *sim);

/* ---- virtual.c ---- */

/* ---- CPU time of the calling thread, and its bookkeeping ---- */
double virtual_cpu_s(void);
#define VIRTUAL_TIMED(books, part, statement)                     \
    do {                                                          \
        double start_ = virtual_cpu_s();                          \
        statement;                                                \
        (books)[VIRTUAL_PART_##part] += virtual_cpu_s() - start_; \
    } while (0)

#endif
