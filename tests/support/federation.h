/* SPDX-License-Identifier: Apache-2.0
 * federation.h - a whole cohort in one process for tests: n devices (firmware/secagg.h) against one
 * server cohort (server/cohort.h), bytes in between, a clock that only moves when told to, and a
 * device-by-device pattern of who vanishes when. Updates are integer vectors, so the sum of a run
 * can be compared with the plain sum bit for bit.
 *
 * Everything is drawn from the seed, so a failing case repeats from its spec. What can only fail by
 * a bug of the scaffolding fails the running test at once (cmocka). */
#ifndef TACIT_TESTS_FEDERATION_H
#define TACIT_TESTS_FEDERATION_H

#include "common/cert.h"
#include "common/plan.h"
#include "common/prng.h"
#include "firmware/secagg.h"
#include "server/cohort.h"

/* Growing byte string; federation_sink appends to it. */
typedef struct {
    uint8_t *data;
    size_t len, cap;
} federation_bytes;
tacit_sink federation_sink(federation_bytes *b);
void federation_bytes_free(federation_bytes *b);

/* Zero fields take the value in brackets. */
typedef struct {
    uint32_t device_count;  /* n; 3 or more */
    uint16_t max_colluding; /* per thousand [0] */
    uint16_t max_dropout;   /* per thousand [0] */
    uint32_t n_min_floor;   /* [0: none] */
    uint32_t n_lo;          /* [3] */
    uint32_t n_hi;          /* [device_count] */
    uint32_t cohort_count;  /* [1]; above, only devices that fall in cohort 0 are made */
    uint32_t dims;          /* power of two [64] */
    uint8_t bits;           /* [20] */
    uint8_t least_class;    /* [TACIT_CLASS_ACCOUNT] */
    uint64_t seed;
} federation_spec;

enum { FEDERATION_DRAWS = 8 };
#define FEDERATION_NEVER TACIT_PHASE_LEFT

typedef struct {
    tacit_secagg *machine;
    void *memory;
    size_t memory_len;
    uint8_t device_key[TACIT_KEY_LEN], device_secret[TACIT_SIGN_SECRET_LEN];
    uint8_t certificate[TACIT_CERT_LEN];
    uint8_t id[TACIT_HASH_LEN];
    uint32_t *update;    /* [dims] words; random of full width unless the test writes its own */
    tacit_phase vanish;  /* gone before it sends this phase's request [FEDERATION_NEVER] */
    tacit_status status; /* what its machine, or the server to it, said first; OK so far */
    bool gone;           /* vanished, refused or failed */
    uint32_t slot;       /* from the server */
    /* What its random callback gave, in order: s, b, c, the key of the polynomials. */
    uint8_t draws[FEDERATION_DRAWS][TACIT_KEY_LEN];
    size_t draw_lens[FEDERATION_DRAWS];
    uint32_t draw_count;
    uint32_t random_fails_at, sign_fails_at; /* 1-based call that fails; 0: none */
    uint32_t sign_count;
    tacit_prng prng;
} federation_device;

typedef struct {
    federation_spec spec;
    tacit_floors floors;
    tacit_plan plan;
    uint8_t plan_digest[TACIT_HASH_LEN];
    uint8_t authority_key[TACIT_KEY_LEN], authority_secret[TACIT_SIGN_SECRET_LEN];
    uint8_t phase_secret[TACIT_SIGN_SECRET_LEN];
    tacit_prng prng;
    uint64_t now_s;
    cohort *cohort;
    uint32_t device_count;
    federation_device *devices;
    federation_bytes request, answer; /* last ones made */
} federation;

/* Plan, keys, certificates, machines and the server's cohort, all in phase JOIN. The test floors
 * are n_min 2, honest 1, max_colluding 0, separation 0. */
void federation_init(federation *f, const federation_spec *spec);
/* The same without the server's cohort (f->cohort is NULL), for tests that play the server. */
void federation_init_devices(federation *f, const federation_spec *spec);
void federation_free(federation *f);

/* The shape of the plan, floors and keys without devices and server (for single-machine tests). */
void federation_init_plan(federation *f, const federation_spec *spec);
/* Draws a device: key, certificate (of `device_class`, ending at not_after_s), id. */
void federation_device_enrol(federation *f, federation_device *d, uint8_t device_class,
                             uint64_t not_after_s);
/* Gives it memory and a machine; the status of tacit_secagg_init (also in d->status). */
tacit_status federation_device_start(federation *f, federation_device *d);
void federation_device_free(federation_device *d);
void federation_params_of(const federation *f, federation_device *d, tacit_secagg_params *params);

/* The request that is due of device d, into `out` (emptied first). */
tacit_status federation_request(federation *f, federation_device *d, federation_bytes *out);
/* Makes and submits it; records and returns the first status that is not OK. */
tacit_status federation_send(federation *f, federation_device *d);
/* Closes the server's phase: at once when everyone has sent, else at its deadline. In SUM the sum
 * is taken too. */
void federation_close(federation *f);
/* The server's answer for device d's phase, into `out` (emptied first). */
tacit_status federation_collect(federation *f, federation_device *d, federation_bytes *out);
/* Feeds an answer in pieces of varying size, then its end. */
tacit_status federation_deliver(federation *f, federation_device *d, const federation_bytes *in);

/* One phase for every device that is not gone: send, close, collect, deliver. Devices that fail are
 * marked gone with their status. */
void federation_phase(federation *f);
/* All phases that are left. OK when the cohort has its sum, else why it failed. */
tacit_status federation_run(federation *f);

/* Plain sum mod 2^bits of the updates of the devices in the server's U3: out[dims]. */
void federation_plain_sum(const federation *f, uint32_t *out);
/* Whether device d is in the server's U3. */
bool federation_survived(const federation *f, const federation_device *d);
/* True when any secret drawn by d (or its X25519 form) still stands in its machine's memory. */
bool federation_secrets_left(const federation_device *d);

#endif
