/* SPDX-License-Identifier: Apache-2.0
 * device_fixture.h - what tests of the device core share: the pinned keys of an imaginary app, a
 * signed model and a signed plan that fit each other, options and certificates, and the matrices of
 * tests/vectors/dp_mf. Everything follows from constants; nothing here is secret. */
#ifndef TACIT_TESTS_DEVICE_FIXTURE_H
#define TACIT_TESTS_DEVICE_FIXTURE_H

#include "common/model.h"
#include "common/plan.h"
#include "firmware/tacit.h"
#include "tests/support/fault_platform.h"

typedef struct {
    uint8_t plan_key[32], plan_secret[64];
    uint8_t model_key[32], model_secret[64];
    uint8_t authority_key[32], authority_secret[64];
    uint8_t phase_key[32], phase_secret[64];
} fixture_keys;

void fixture_keys_init(fixture_keys *k);

/* Floors for small cohorts: n_min 2, honest 1, no colluders, no separation. */
extern const tacit_floors fixture_floors;

/* A signed model file with random rows; `fill` (may be NULL) changes the numbers before signing.
 * Item ids are 10, 20, 30, ... The caller frees. */
typedef struct {
    uint32_t item_count, factor, features;
    float *bias, *counts, *factors, *content;
    tacit_model_source source;
} fixture_numbers;

typedef struct {
    uint8_t *file;
    size_t len;
    uint8_t digest[32];
    tacit_model model; /* opened */
} fixture_model;

fixture_model fixture_model_make(const fixture_keys *k, uint64_t number, uint32_t item_count,
                                 uint32_t factor, uint32_t features,
                                 void (*fill)(fixture_numbers *numbers));
void fixture_model_free(fixture_model *m);

/* A plan for that model: counts and gradient over all items, n from n_lo to n_hi, training
 * parameters as in the model; open at now_s for five minutes. */
tacit_plan fixture_plan(const fixture_keys *k, const fixture_model *m, uint64_t round,
                        uint32_t n_lo, uint32_t n_hi, uint64_t now_s);

typedef struct {
    uint8_t bytes[TACIT_PLAN_LEN], sig[TACIT_SIG_LEN];
} fixture_signed_plan;
fixture_signed_plan fixture_plan_sign(const fixture_keys *k, const tacit_plan *plan);

/* Options for the fixture's model; certificate (110 bytes, may be NULL) is borrowed. */
tacit_options fixture_options(const fixture_keys *k, const uint8_t *certificate);
/* Certificate of the platform's identity, valid for 60 days. */
void fixture_certify(uint8_t out[TACIT_CERT_LEN], const fixture_keys *k, const fault_platform *p,
                     uint32_t epoch);

/* A matrix of tests/vectors/dp_mf/<name>.txt: [rows x cols], row-major; the caller frees. Fails the
 * running test when the file is absent or ragged. Rows may differ in length (hist): then cols is
 * the longest and the rest NaN. */
double *fixture_matrix(const char *name, size_t *rows, size_t *cols);

#endif
