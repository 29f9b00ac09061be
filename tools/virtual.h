/* SPDX-License-Identifier: Apache-2.0
 * virtual.h - thousands of the real device and server machines in one process and in virtual time:
 * a discrete-event simulation of whole rounds with a network that loses, delays, doubles and
 * reorders messages, devices and a server that crash, disks that fail and clocks that jump. All of
 * it is drawn from one seed, so a run repeats to the last event whatever the number of threads.
 *
 * What runs is the product: tacit_participation with its ledger and cohort machine on the device,
 * cohort.h on the server, real keys, certificates, plans and models. What is played is what stands
 * around them: the network, the clock, the disk, the host that calls, and a small edge of the
 * server that holds requests and answers them as service_call.c does.
 *
 * While it runs and after each round it checks what must hold whatever happens; a breach is a
 * finding, which names the device, the round and what was seen (docs/SIMULATE.md lists them). */
#ifndef TACIT_TOOLS_VIRTUAL_H
#define TACIT_TOOLS_VIRTUAL_H

#include "common/base.h"
#include "server/cohort.h"

/* Chances in 0 .. 1; of a message (loss, duplicate), else of a device in a round (server_crash: of
 * a round). */
typedef struct {
    double loss;         /* the connection breaks: before, after or in the middle of what it says */
    double duplicate;    /* a request arrives twice */
    double partition;    /* is in the part that is cut off for a while */
    double crash;        /* loses its memory and starts again */
    double server_crash; /* the server does, with the cohort */
    double disk_error;   /* a commit fails, or the power goes in the middle of it */
    double slow;         /* computes for minutes */
    double clock_jump;   /* its clock jumps, forwards or backwards */
    double restore;      /* comes back after a crash with an old copy of its storage */
    uint32_t delay_ms;   /* longest delay of a message beyond the latency */
} virtual_faults;

/* Names: none, light, heavy. False for another. */
bool virtual_faults_named(virtual_faults *out, const char *name);

typedef enum {
    VIRTUAL_PLANT_NONE = 0,
    VIRTUAL_PLANT_SUM,    /* the server's sum is off by one in one word */
    VIRTUAL_PLANT_REVEAL, /* one device also reveals the other kind for an owner */
    VIRTUAL_PLANT_SECRET  /* one device's store keeps a round secret */
} virtual_plant;

typedef struct {
    uint32_t devices, rounds;
    uint32_t dims;                       /* power of two, 16 .. TACIT_MAX_DIMS */
    uint32_t bits;                       /* 16, 20, 24, 32; 0: what the calibration gives */
    uint16_t max_colluding, max_dropout; /* per thousand */
    double dropout; /* chance that a device vanishes in a round, before a request drawn at random */
    uint64_t seed;
    virtual_faults faults;
    uint32_t threads;    /* 1 .. 64; no result depends on it */
    bool progress;       /* a line on a terminal */
    virtual_plant plant; /* for tests: a breach that a check must find */
} virtual_options;

/* NULL, or what is wrong with the options. */
const char *virtual_options_wrong(const virtual_options *o);
/* The command line that repeats a run, into out[len]; without --threads, which changes nothing. */
void virtual_command(char *out, size_t len, const virtual_options *o);

/* Where CPU time went. */
#define VIRTUAL_PART_MAP(XX)                     \
    XX(BEGIN, "device: plan, statistics")        \
    XX(JOIN, "device: join request")             \
    XX(SHARE, "device: share request")           \
    XX(MASK, "device: mask request")             \
    XX(AGREE, "device: agree request")           \
    XX(REVEAL, "device: reveal request")         \
    XX(JOIN_ANSWER, "device: join answer")       \
    XX(SHARE_ANSWER, "device: share answer")     \
    XX(MASK_ANSWER, "device: mask answer")       \
    XX(AGREE_ANSWER, "device: agree answer")     \
    XX(REVEAL_ANSWER, "device: receipt")         \
    XX(OPEN, "device: open the ledger, leave")   \
    XX(SERVER_JOIN, "server: take joins")        \
    XX(SERVER_SHARE, "server: take shares")      \
    XX(SERVER_MASK, "server: take vectors")      \
    XX(SERVER_AGREE, "server: take agreements")  \
    XX(SERVER_REVEAL, "server: take reveals")    \
    XX(SERVER_CLOSE, "server: close phases")     \
    XX(SERVER_ANSWER, "server: make answers")    \
    XX(SERVER_SUM, "server: take the masks off") \
    XX(CHECK, "simulator: checks")               \
    XX(ENROL, "simulator: make devices")
typedef enum {
#define XX(name, text) VIRTUAL_PART_##name,
    VIRTUAL_PART_MAP(XX)
#undef XX
        VIRTUAL_PART_COUNT
} virtual_part;
const char *virtual_part_text(virtual_part part);

enum { VIRTUAL_FINDINGS = 16, VIRTUAL_FINDING_LEN = 240, VIRTUAL_ROUNDS = 64 };

typedef struct {
    uint64_t round;
    cohort_report report;
    cohort_phase ended; /* DONE, FAILED, or the phase in which the server crashed */
    bool crashed;
    uint32_t receipts; /* devices that got one */
    double seconds;    /* virtual, from opening to the sum */
} virtual_round_result;

typedef struct {
    char findings[VIRTUAL_FINDINGS][VIRTUAL_FINDING_LEN]; /* the first ones */
    uint64_t finding_count;
    virtual_round_result rounds[VIRTUAL_ROUNDS];
    uint32_t round_count;
    bool shipped_floors; /* devices used the shipped floors, else their own for small cohorts */
    uint32_t bits;       /* of the plan */
    uint64_t mu;
    uint64_t events, messages; /* messages: requests, polls and answers that were sent */
    uint64_t bytes_up, bytes_down;
    uint64_t contributions;             /* participations begun */
    uint64_t ended[TACIT_STATUS_COUNT]; /* how they ended: OK with a receipt */
    uint64_t vanished, crashes, server_crashes, disk_errors, restores, refused_restores;
    uint64_t scans; /* memories and stores searched for secrets */
    double virtual_s, cpu_s[VIRTUAL_PART_COUNT];
    uint8_t trace[TACIT_HASH_LEN]; /* over every event in order */
} virtual_result;

/* Runs it. A status other than OK: the run could not be made (memory, a plan nobody may accept);
 * note (TACIT_NOTE_LEN + 1) says why. Findings are in the result. */
TACIT_MUST_CHECK tacit_status virtual_run(virtual_result *result, char *note,
                                          const virtual_options *options);

#endif
