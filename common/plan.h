/* SPDX-License-Identifier: Apache-2.0
 * plan.h - a round's signed parameters: encoding, digest, checks.
 *
 * The encoding is the thing signed: fixed length, little-endian, reserved bytes zero (security H2,
 * H4). Everything an update is computed from is either here or in the model file the plan names.
 *
 *   OFFSET SIZE  plan
 *        0    8  magic "TACITPL1"
 *        8    2  version            10    2  version_min
 *       12    2  suite (1)          14    2  aggregation (1: peers)
 *       16    8  round              24    8  run
 *       32    4  sum_index          36    4  sum_count
 *       40    8  opens_s            48    8  join_until_s
 *       56    2  share_s            58    2  mask_s
 *       60    2  agree_s            62    2  reveal_s
 *       64    4  n_lo               68    4  n_hi
 *       72    2  max_colluding      74    2  max_dropout      76    4  n_min_floor
 *       80    4  cohort_count       84    1  least_class      85    1  bits
 *       86    1  blocks             87    1  zero             88   32  beacon
 *      120   32  model_digest      152   32  authority_key   184   32  phase_key
 *      216   32  rotation_seed     248    4  item_count      252    4  factor
 *      256    4  dims              260    4  slice_start     264    4  slice_count
 *      268    4  separation_s      272    8  mu              280    8  scale
 *      288    8  counts_weight     296    8  gradient_weight 304    8  a0
 *      312    8  user_ridge        320    8  user_ridge_exponent
 *      328    8  history_floor     336    8  leave_one_out
 *      344    8  epsilon           352    8  delta           360  152  zero
 */
#ifndef TACIT_COMMON_PLAN_H
#define TACIT_COMMON_PLAN_H

#include "common/accountant.h"
#include "common/base.h"
#include "common/graph.h"

enum { TACIT_BLOCK_COUNTS = 1, TACIT_BLOCK_GRADIENT = 2 };
enum { TACIT_SUITE_1 = 1, TACIT_AGGREGATION_PEERS = 1 };

typedef struct {
    uint16_t version, version_min;
    uint16_t suite;                 /* TACIT_SUITE_1: X25519, Ed25519, ChaCha20, BLAKE2b, SHA-256 */
    uint16_t aggregation;           /* TACIT_AGGREGATION_PEERS */
    uint64_t round;                 /* >= 1, strictly increasing on a server */
    uint64_t run;                   /* training run this sum belongs to */
    uint32_t sum_index, sum_count;  /* this is secure sum sum_index (from 0) of sum_count */
    uint64_t opens_s, join_until_s; /* Unix seconds; joins are taken in [opens_s, join_until_s] */
    uint16_t share_s, mask_s, agree_s, reveal_s; /* longest duration of each later phase, seconds */
    uint32_t n_lo, n_hi;                 /* roster size allowed; joining ends early at n_hi */
    uint16_t max_colluding, max_dropout; /* per thousand of the cohort */
    uint32_t n_min_floor;                /* 0: none */
    uint32_t cohort_count;
    uint8_t least_class;
    uint8_t bits;   /* ring width: 16, 20, 24, 32 */
    uint8_t blocks; /* TACIT_BLOCK_*; the vector is [counts | gradient], padded to dims */
    uint8_t beacon[TACIT_HASH_LEN];
    uint8_t model_digest[TACIT_HASH_LEN];
    uint8_t authority_key[TACIT_KEY_LEN];
    uint8_t phase_key[TACIT_KEY_LEN]; /* signs the phase answers */
    uint8_t rotation_seed[TACIT_KEY_LEN];
    uint32_t item_count;               /* M of the model */
    uint32_t factor;                   /* k of the model */
    uint32_t dims;                     /* padded length: power of two >= block lengths */
    uint32_t slice_start, slice_count; /* items trained: [slice_start, slice_start + slice_count) */
    uint32_t separation_s; /* least time since this device's last contribution to another run */
    uint64_t mu;           /* Skellam variance of the sum, grid units^2 */
    double scale;          /* grid units per unit of the clipped vector */
    double counts_weight, gradient_weight; /* a_c, a_b; a_c^2 + a_b^2 <= 1 */
    double a0, user_ridge, user_ridge_exponent, history_floor, leave_one_out;
    double epsilon,
        delta; /* what the operator declares for the whole run; the device computes its own */
} tacit_plan;

/* The least a device accepts, whatever a plan or a server says (security H7, C5). */
typedef struct {
    double max_delta;
    uint32_t n_min;         /* survivors */
    uint32_t honest;        /* h */
    uint32_t max_colluding; /* per thousand the plan must at least assume */
    uint32_t max_dims;
    uint32_t separation_s; /* between two runs */
} tacit_floors;

/* delta <= 1e-5, n_min 57, h 50, max_colluding 50 per thousand, dims 2^20, separation 1 h. */
extern const tacit_floors tacit_floors_shipped;

void tacit_plan_encode(uint8_t out[static TACIT_PLAN_LEN], const tacit_plan *plan);

/* Parses and checks the plan against itself: magic, version overlap (BAD_VERSION), suite,
 * aggregation, reserved zeros, finite numbers in range, bits, blocks, dims, slice inside the model,
 * phase durations >= 1 s, join phase <= TACIT_JOIN_PHASE_MAX_S, n_lo <= n_hi <= TACIT_MAX_COHORT,
 * a_c^2 + a_b^2 <= 1 + 1e-9, cohort_count 1 and a zero beacon until there is a log (C2), weights
 * zero exactly for absent blocks, a valid mechanism. BAD_PLAN for all but versions; *what (may be
 * NULL) receives a static sentence naming the field. */
TACIT_MUST_CHECK tacit_status tacit_plan_decode(tacit_plan *plan, const char **what,
                                                const uint8_t encoded[static TACIT_PLAN_LEN]);

/* BLAKE2b-256('tacit/plan/v1', encoding). */
void tacit_plan_digest(uint8_t digest[static TACIT_HASH_LEN],
                       const uint8_t encoded[static TACIT_PLAN_LEN]);

/* Ed25519 of the pinned plan key over the statement (PLAN, digest). */
void tacit_plan_sign(uint8_t sig[static TACIT_SIG_LEN],
                     const uint8_t encoded[static TACIT_PLAN_LEN],
                     const uint8_t secret[static TACIT_SIGN_SECRET_LEN]);
TACIT_MUST_CHECK tacit_status tacit_plan_verify(const uint8_t sig[static TACIT_SIG_LEN],
                                                const uint8_t encoded[static TACIT_PLAN_LEN],
                                                const uint8_t key[static TACIT_KEY_LEN]);

/* Device policy, before joining: BELOW_FLOOR when the plan at its smallest roster n_lo, or at any
 * n it allows, would break a floor, or when the graph rule refuses it. *what as above. */
TACIT_MUST_CHECK tacit_status tacit_plan_check_floors(const tacit_plan *plan, const char **what,
                                                      const tacit_floors *floors);

/* The graph rule at the roster size the device saw, with the floors checked again at that n. */
TACIT_MUST_CHECK tacit_status tacit_plan_rule(tacit_graph_rule *rule, const tacit_plan *plan,
                                              uint32_t n, const tacit_floors *floors);

/* The mechanism the plan promises (sum of a cohort). */
TACIT_MUST_CHECK tacit_status tacit_plan_mechanism(tacit_mechanism *m, const tacit_plan *plan);

/* One device's noise variance: ceil(mu / h). */
uint64_t tacit_plan_noise_share(const tacit_plan *plan, const tacit_graph_rule *rule);

/* Numbers in the vector before padding: slice_count for counts plus slice_count * factor for the
 * gradient. */
uint32_t tacit_plan_vector_count(const tacit_plan *plan);
/* Smallest power of two >= count (count >= 1). */
uint32_t tacit_plan_padded(uint32_t count);

#endif
