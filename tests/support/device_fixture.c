/* SPDX-License-Identifier: Apache-2.0
 * device_fixture.c - see device_fixture.h. */
#include "tests/support/device_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cert.h"
#include "common/crypto.h"

static void keypair(uint8_t pk[32], uint8_t sk[64], uint8_t name) {
    uint8_t seed[32];
    memset(seed, name, sizeof seed);
    tacit_sign_keypair(pk, sk, seed);
}

void fixture_keys_init(fixture_keys *k) {
    assert_int_equal(tacit_crypto_init(), TACIT_OK);
    keypair(k->plan_key, k->plan_secret, 'p');
    keypair(k->model_key, k->model_secret, 'm');
    keypair(k->authority_key, k->authority_secret, 'a');
    keypair(k->phase_key, k->phase_secret, 'f');
}

const tacit_floors fixture_floors = {.max_delta = 1e-5,
                                     .n_min = 2,
                                     .honest = 1,
                                     .max_colluding = 0,
                                     .max_dims = TACIT_MAX_DIMS,
                                     .separation_s = 0};

/* ---- Models -----------------------------------------------------------------------------------*/

static float *numbers(size_t count, tacit_prng *prng, double scale) {
    float *x = malloc((count + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++) x[i] = (float)(scale * tacit_prng_normal(prng));
    return x;
}

fixture_model fixture_model_make(const fixture_keys *k, uint64_t number, uint32_t item_count,
                                 uint32_t factor, uint32_t features,
                                 void (*fill)(fixture_numbers *numbers)) {
    fixture_model m;
    tacit_prng prng;
    tacit_prng_init_seed(&prng, number, item_count);
    uint64_t *ids = malloc(item_count * sizeof *ids);
    uint8_t *kinds = calloc(item_count, 1);
    assert_non_null(ids);
    assert_non_null(kinds);
    for (uint32_t i = 0; i < item_count; i++) ids[i] = 10 * ((uint64_t)i + 1);
    fixture_numbers n = {.item_count = item_count, .factor = factor, .features = features};
    n.bias = numbers(item_count, &prng, 0.05);
    n.counts = numbers(item_count, &prng, 1);
    n.factors = numbers((size_t)item_count * factor, &prng, 0.3);
    n.content = numbers((size_t)item_count * features, &prng, 0.2);
    for (uint32_t i = 0; i < item_count; i++) n.counts[i] = fabsf(n.counts[i]);
    n.source = (tacit_model_source){.number = number,
                                    .made_s = 1790000000,
                                    .item_count = item_count,
                                    .factor = factor,
                                    .features = features,
                                    .a0 = 0.5,
                                    .a0_final = 0.7,
                                    .user_ridge = 0.6,
                                    .user_ridge_final = 2,
                                    .user_ridge_exponent = 0.7,
                                    .count_scale = 10,
                                    .ids = ids,
                                    .bias = n.bias,
                                    .counts = n.counts,
                                    .factors = n.factors,
                                    .content = n.content,
                                    .kinds = kinds};
    if (fill != NULL) fill(&n);
    m.len = tacit_model_len(item_count, factor, features);
    m.file = malloc(m.len);
    assert_non_null(m.file);
    assert_int_equal(tacit_model_encode(m.file, m.len, m.digest, &n.source, k->model_secret),
                     TACIT_OK);
    assert_int_equal(tacit_model_open(&m.model, NULL, m.file, m.len, k->model_key), TACIT_OK);
    free(ids);
    free(kinds);
    free(n.bias);
    free(n.counts);
    free(n.factors);
    free(n.content);
    return m;
}

void fixture_model_free(fixture_model *m) {
    free(m->file);
    m->file = NULL;
}

/* ---- Plans ------------------------------------------------------------------------------------*/

tacit_plan fixture_plan(const fixture_keys *k, const fixture_model *m, uint64_t round,
                        uint32_t n_lo, uint32_t n_hi, uint64_t now_s) {
    tacit_plan p;
    memset(&p, 0, sizeof p);
    p.version = p.version_min = 1;
    p.suite = TACIT_SUITE_1;
    p.aggregation = TACIT_AGGREGATION_PEERS;
    p.round = round;
    p.run = round;
    p.sum_count = 1;
    p.opens_s = now_s;
    p.join_until_s = now_s + 300;
    p.share_s = p.mask_s = p.agree_s = p.reveal_s = 60;
    p.n_lo = n_lo;
    p.n_hi = n_hi;
    p.max_colluding = 50;
    p.max_dropout = 100;
    p.cohort_count = 1;
    p.least_class = TACIT_CLASS_ACCOUNT;
    p.bits = 24;
    p.blocks = TACIT_BLOCK_COUNTS | (m->model.factor > 0 ? TACIT_BLOCK_GRADIENT : 0);
    memcpy(p.model_digest, m->digest, sizeof p.model_digest);
    memcpy(p.authority_key, k->authority_key, sizeof p.authority_key);
    memcpy(p.phase_key, k->phase_key, sizeof p.phase_key);
    memset(p.rotation_seed, 7, sizeof p.rotation_seed);
    p.item_count = m->model.item_count;
    p.factor = m->model.factor;
    p.slice_count = m->model.item_count;
    p.dims = tacit_plan_padded(tacit_plan_vector_count(&p));
    p.separation_s = 3600;
    p.mu = UINT64_C(1) << 26;
    p.scale = 1000;
    p.counts_weight = m->model.factor > 0 ? 0.6 : 1;
    p.gradient_weight = m->model.factor > 0 ? 0.8 : 0;
    p.a0 = m->model.a0;
    p.user_ridge = m->model.user_ridge;
    p.user_ridge_exponent = m->model.user_ridge_exponent;
    p.history_floor = 10;
    p.leave_one_out = 0.5;
    p.epsilon = 8;
    p.delta = 1e-6;
    return p;
}

fixture_signed_plan fixture_plan_sign(const fixture_keys *k, const tacit_plan *plan) {
    fixture_signed_plan s;
    tacit_plan_encode(s.bytes, plan);
    tacit_plan_sign(s.sig, s.bytes, k->plan_secret);
    return s;
}

/* ---- Devices ----------------------------------------------------------------------------------*/

tacit_options fixture_options(const fixture_keys *k, const uint8_t *certificate) {
    tacit_options o;
    memset(&o, 0, sizeof o);
    memcpy(o.plan_key, k->plan_key, 32);
    memcpy(o.model_key, k->model_key, 32);
    memcpy(o.authority_key, k->authority_key, 32);
    memset(o.history_key, 'h', 32);
    o.certificate = certificate;
    o.epsilon = 8;
    o.delta = 1e-6;
    o.period_s = 30 * 86400;
    o.max_items = 256;
    o.max_factor = 24;
    o.max_history = 64;
    o.max_dims = 1024;
    o.max_cohort = 32;
    return o;
}

void fixture_certify(uint8_t out[TACIT_CERT_LEN], const fixture_keys *k, const fault_platform *p,
                     uint32_t epoch) {
    tacit_cert cert = {
        .epoch = epoch, .not_after_s = p->now_s + 60 * 86400, .device_class = TACIT_CLASS_ACCOUNT};
    memcpy(cert.device_key, p->identity, sizeof cert.device_key);
    tacit_cert_issue(out, &cert, k->authority_secret);
}

/* ---- Vectors ----------------------------------------------------------------------------------*/

/* Splits a line into numbers; returns how many. */
static size_t split(double *out, size_t cap, char *line) {
    size_t count = 0;
    for (char *end; count < cap; line = end) {
        double v = strtod(line, &end);
        if (end == line) break;
        out[count++] = v;
    }
    return count;
}

double *fixture_matrix(const char *name, size_t *rows, size_t *cols) {
    enum { LINE = 1 << 16, MAX_ROWS = 64, MAX_COLS = 512 };
    char path[128];
    snprintf(path, sizeof path, "tests/vectors/dp_mf/%s.txt", name);
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s: run from the root of the repository", path);
    char *line = malloc(LINE);
    double *wide = malloc(MAX_ROWS * MAX_COLS * sizeof *wide);
    assert_non_null(line);
    assert_non_null(wide);
    for (size_t i = 0; i < MAX_ROWS * MAX_COLS; i++) wide[i] = NAN;
    *rows = *cols = 0;
    while (fgets(line, LINE, f) != NULL) {
        assert_true(*rows < MAX_ROWS);
        size_t count = split(wide + *rows * MAX_COLS, MAX_COLS, line);
        if (count > *cols) *cols = count;
        ++*rows;
    }
    fclose(f);
    free(line);
    double *out = malloc(*rows * *cols * sizeof *out + 1);
    assert_non_null(out);
    for (size_t i = 0; i < *rows; i++) {
        memcpy(out + i * *cols, wide + i * MAX_COLS, *cols * sizeof *out);
    }
    free(wide);
    return out;
}
