/* SPDX-License-Identifier: Apache-2.0
 * device_world.h - a few whole devices (tacit.h objects on fault platforms) against one real server
 * cohort, in one process, for tests of the device side of a round: step by step, or one device
 * blocking in tacit_contribute while the others take their steps inside its exchanges. */
#ifndef TACIT_TESTS_DEVICE_WORLD_H
#define TACIT_TESTS_DEVICE_WORLD_H

#include "firmware/client.h"
#include "server/cohort.h"
#include "tests/support/device_fixture.h"

enum { WORLD_MAX = 16 };

typedef struct {
    uint8_t *data;
    size_t len, cap;
} world_bytes;
tacit_sink world_sink(world_bytes *b); /* appends */

typedef struct {
    fault_platform p;
    const tacit_platform *platform; /* used in place of p's callbacks unless NULL; borrowed */
    tacit_platform f;
    tacit_options o;
    uint8_t certificate[TACIT_CERT_LEN];
    void *memory;
    size_t memory_len;
    tacit *t;
    uint32_t slot;
    bool gone;
    float *said; /* [dims] what it would contribute */
} world_device;

typedef struct {
    fixture_keys keys;
    fixture_model model;
    tacit_plan plan;
    fixture_signed_plan plan_bytes;
    uint32_t count;
    world_device devices[WORLD_MAX];
    cohort *cohort;
    uint64_t now_s;
    world_bytes request, answer;

    /* How the server behaves to device 0's tacit_contribute: */
    int plan_status;       /* 200 */
    uint32_t model_breaks; /* exchanges of the model that break after a third of the file */
    bool model_ignores_range, model_is_other;
    bool hold[5];         /* answer a phase's POST with 202, the answer comes by poll */
    bool lose_answer[5];  /* break the connection after the body was taken */
    bool lose_request[5]; /* break it before: the server never sees it */
    bool cut_answer[5];   /* break it in the middle of the answer */
    int phase_status[5];  /* 0: as it should be; else this status for the POST */
    uint32_t problem;     /* with plan_status or phase_status */
    uint32_t polls[5], posts[5], model_gets, plan_gets;
    bool poll_busy_once;
} world;

/* `count` devices with certificates, the model installed, consent given, 12 taps each, and round 1
 * open at now_s. */
void world_init(world *w, uint32_t count);
void world_free(world *w);

/* Opens (again) the library object of device i. */
tacit_status world_open(world *w, uint32_t i);
/* Gives the open device i the model, consent and its 12 taps. */
void world_prepare(world *w, uint32_t i);

/* A new plan of the fixture with this round number, and a new cohort for it; `change` (may be NULL)
 * edits the plan before it is signed. */
void world_round(world *w, uint64_t round, void (*change)(tacit_plan *plan));

/* Begins device i's participation in the round. */
tacit_status world_begin(world *w, uint32_t i);
/* Its due request, into w->request (emptied first), and to the server. */
tacit_status world_send(world *w, uint32_t i);
/* Closes the server's phase, at once if everybody sent, else at its deadline. */
void world_close(world *w);
/* The server's answer for device i in `phase` into w->answer; then to the device. */
void world_collect(world *w, uint32_t i, tacit_phase phase);
tacit_status world_deliver(world *w, uint32_t i);
/* One whole phase for the devices from `first` on that are not gone; those that fail are gone. */
void world_send_all(world *w, uint32_t first);
void world_deliver_all(world *w, uint32_t first, tacit_phase phase);

/* A whole round of all devices. What the first device that would not begin, or is gone at the end,
 * said (LEFT when it was in the round); OK: all are in the sum. */
tacit_status world_run(world *w);

/* In DONE: <sum / scale, what device i would contribute>, less the others' parts: about |x|^2 for a
 * device whose vector is in the sum, 0 for one that is not. *deviation: its noise. */
double world_projection(const world *w, uint32_t i, double *deviation);
/* Whether that is 1, within four deviations: the whole vector of device i, once. */
bool world_holds(const world *w, uint32_t i);

/* Connects device 0's platform to the server described above. */
void world_connect(world *w);

#endif
