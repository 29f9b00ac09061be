/* SPDX-License-Identifier: Apache-2.0
 * bench_cohort.h - one cohort for benchmarks: the real server (server/cohort.h), a few real devices
 * (firmware/secagg.h) and many played ones, which send what a device sends for a small part of its
 * work. A played device has a real certificate, real keys, signatures and, towards the real
 * devices, really sealed shares; its boxes for other played devices and its masked vector are
 * random bytes, which the server cannot tell apart and treats alike. With `unmask` it deals real
 * Shamir shares of both its secrets and reveals them, so that the server rebuilds every secret for
 * real; the sum that comes out is as random as the vectors.
 *
 * All that members send is drawn from a fixed seed. It says what failed on stderr. */
#ifndef TACIT_TOOLS_BENCH_COHORT_H
#define TACIT_TOOLS_BENCH_COHORT_H

#include "common/plan.h"
#include "common/prng.h"
#include "firmware/secagg.h"
#include "server/cohort.h"
#include "tools/byte_buffer.h"

typedef struct {
    uint32_t device_count;  /* n */
    uint32_t machine_count; /* of them real devices */
    uint16_t max_colluding; /* per thousand */
    uint16_t max_dropout;   /* per thousand */
    uint32_t dims;          /* even; devices in the field take powers of two alone */
    uint8_t bits;           /* 16, 20, 24, 32 */
    bool complete;          /* the complete graph at any n; needs machine_count 0 */
    bool unmask;            /* played devices deal and reveal; needs machine_count 0 */
    uint32_t vanish_count;  /* played devices that share and then are gone */
} bench_cohort_spec;

typedef struct {
    uint8_t secret[TACIT_SIGN_SECRET_LEN];
    uint8_t id[TACIT_HASH_LEN];
    tacit_join join; /* of a machine: what it sent */
    uint8_t channel_secret[TACIT_KEY_LEN];
    uint8_t shared[2][TACIT_SECRET_LEN]; /* the secrets b and s, by kind */
    uint32_t slot;
    bool gone;
    /* Real devices only: */
    tacit_secagg *machine;
    void *memory;
    tacit_prng prng;
    /* By phase: CPU seconds inside the machine, and bytes of its bodies without the masked vector.
     */
    double cpu_s[COHORT_REVEAL + 1];
    size_t up[COHORT_REVEAL + 1], down[COHORT_REVEAL + 1];
} bench_member;

typedef struct {
    bench_cohort_spec spec;
    tacit_plan plan;
    uint8_t plan_digest[TACIT_HASH_LEN];
    uint8_t authority_secret[TACIT_SIGN_SECRET_LEN];
    uint8_t phase_secret[TACIT_SIGN_SECRET_LEN];
    tacit_prng prng;
    uint64_t now_s;
    cohort *server;
    bench_member *members; /* [n], machines first */
    byte_buffer request, answer;
    tacit_Message message;
    uint32_t *words; /* [dims] a real device's update */
    uint8_t *packed; /* its packed form */
    uint8_t *vector; /* packed: what every played device sends */
    uint8_t vector_digest[TACIT_HASH_LEN];

    /* From the end of JOIN on. Directed edges are numbered as in graph.h. */
    bench_member **roster; /* by index */
    tacit_graph_rule rule;
    uint32_t *offsets;
    uint16_t *adjacent;
    uint8_t session[TACIT_HASH_LEN], session2[TACIT_HASH_LEN];
    uint8_t *shares[2]; /* by kind: [edges x TACIT_SHARE_LEN], edge owner -> holder */

    /* The server's CPU time in cohort_submit in the last phase, and how many calls it took. */
    double submit_s;
    uint32_t submit_count;
} bench_cohort;

/* NULL after saying why. */
bench_cohort *bench_cohort_new(const bench_cohort_spec *spec);
void bench_cohort_free(bench_cohort *c);

/* Runs the phases up to and with `last` (JOIN..REVEAL) for everyone: send, close, answer. In REVEAL
 * real devices send their request but get no answer, and without `unmask` the phase stays open.
 * False after saying why. */
bool bench_cohort_run(bench_cohort *c, cohort_phase last);

/* ---- Between bench_cohort.c and bench_played.c -------------------------------------------------
 */

/* Certificate, keys, secrets and signed join of a played device; machines get the first part. */
void bench_member_enrol(bench_cohort *c, bench_member *m);
void bench_member_join(bench_cohort *c, bench_member *m);
/* The played device's request of a phase into c->request (emptied first). */
TACIT_MUST_CHECK tacit_status bench_member_request(bench_cohort *c, const bench_member *m,
                                                   cohort_phase phase);
/* Whether the spec has it vanish once it has shared. */
bool bench_member_vanishes(const bench_cohort *c, const bench_member *m);
/* Everyone's Shamir shares of the secret the sum will need, once the graph stands. */
TACIT_MUST_CHECK tacit_status bench_member_deal(bench_cohort *c);

#endif
