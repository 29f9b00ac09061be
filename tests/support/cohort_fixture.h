/* SPDX-License-Identifier: Apache-2.0
 * cohort_fixture.h - a server cohort with a full roster and no devices behind it, for tests of what
 * the server does with sets and shares at sizes where real devices would take long. The joins are
 * genuine and go through cohort_submit; the secrets behind their keys are kept. */
#ifndef TACIT_TESTS_COHORT_FIXTURE_H
#define TACIT_TESTS_COHORT_FIXTURE_H

#include <stdlib.h>

#include "common/mask.h"
#include "common/shamir.h"
#include "server/cohort_internal.h"
#include "tests/support/federation_attack.h"

typedef struct {
    federation f; /* plan and keys; no devices */
    cohort *c;
    uint32_t n;
    uint8_t (*secrets)[2][TACIT_SECRET_LEN]; /* [n] by slot, [TACIT_KIND_*] */
} cohort_fixture;

static inline void cohort_fixture_join(cohort_fixture *x, uint32_t i) {
    federation_device d = {0};
    tacit_join join;
    uint8_t key[TACIT_KEY_LEN];
    memset(&join, 0, sizeof join);
    federation_device_enrol(&x->f, &d, TACIT_CLASS_ACCOUNT, x->f.plan.join_until_s + 86400);
    memcpy(join.certificate, d.certificate, TACIT_CERT_LEN);
    tacit_prng_bytes(&x->f.prng, x->secrets[i], sizeof x->secrets[i]);
    tacit_mask_commit(join.commitment, x->secrets[i][TACIT_KIND_B]);
    tacit_mask_secret_key(key, x->secrets[i][TACIT_KIND_S]);
    tacit_x25519_public(join.mask_key, key);
    tacit_prng_bytes(&x->f.prng, key, sizeof key);
    tacit_x25519_public(join.channel_key, key);
    attack_sign_join(&x->f, &join, d.device_secret);

    tacit_Message m = {.which_body = tacit_Message_join_tag};
    tacit_wire_join_put(&m.body.join, &join, 0);
    tacit_sink sink = federation_sink(&x->f.request);
    x->f.request.len = 0;
    assert_int_equal(tacit_wire_write(&m, &sink), TACIT_OK);
    uint32_t slot = UINT32_MAX;
    assert_int_equal(cohort_submit(x->c, &slot, NULL, COHORT_JOIN,
                                   tacit_bytes_of(x->f.request.data, x->f.request.len), x->f.now_s),
                     TACIT_OK);
    assert_int_equal(slot, i);
}

/* A cohort that waits for joins. */
static inline void cohort_fixture_open(cohort_fixture *x, const federation_spec *spec,
                                       bool complete_graph) {
    federation_init_plan(&x->f, spec);
    x->n = spec->device_count;
    x->secrets = calloc(x->n, sizeof *x->secrets);
    assert_non_null(x->secrets);
    cohort_params params = {.plan = x->f.plan, .complete_graph = complete_graph};
    memcpy(params.plan_digest, x->f.plan_digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, x->f.phase_secret, TACIT_SIGN_SECRET_LEN);
    assert_int_equal(cohort_new(&x->c, &params), TACIT_OK);
}

/* A cohort of spec->device_count in phase SHARE. */
static inline void cohort_fixture_make(cohort_fixture *x, const federation_spec *spec) {
    cohort_fixture_open(x, spec, false);
    for (uint32_t i = 0; i < x->n; i++) cohort_fixture_join(x, i);
    assert_true(cohort_tick(x->c, x->f.now_s));
    assert_int_equal(cohort_phase_now(x->c), COHORT_SHARE);
}

static inline void cohort_fixture_free(cohort_fixture *x) {
    cohort_free(x->c);
    free(x->secrets);
    federation_free(&x->f);
}

/* Everybody is in the set of `phase`; one is not. */
static inline void cohort_fixture_fill(cohort_fixture *x, cohort_phase phase) {
    for (uint32_t i = 0; i < x->n; i++) tacit_bit_set(x->c->sets[phase], i);
}
static inline void cohort_fixture_clear(cohort_fixture *x, cohort_phase phase, uint32_t i) {
    x->c->sets[phase][i >> 3] = (uint8_t)(x->c->sets[phase][i >> 3] & ~(1u << (i & 7)));
}

/* Closes MASK and AGREE for the sets as they stand and gives every holder its share of the secret
 * the sum needs of each owner: the cohort is as REVEAL leaves it, but for its phase. */
static inline void cohort_fixture_reveal(cohort_fixture *x) {
    cohort *c = x->c;
    uint16_t *points = calloc(c->degree_max, sizeof *points);
    assert_non_null(points);
    assert_int_equal(cohort_close_share(c), TACIT_OK);
    assert_int_equal(cohort_close_mask(c), TACIT_OK);
    assert_int_equal(cohort_close_agree(c), TACIT_OK);
    for (uint32_t v = 0; v < x->n; v++) {
        uint8_t kind;
        if (!cohort_secret_needed(c, v, &kind)) continue;
        uint32_t first = c->offsets[v], degree = cohort_degree(c, v);
        for (uint32_t k = 0; k < degree; k++) {
            points[k] = (uint16_t)(c->adjacent[first + k] + 1);
            if (cohort_in(c, COHORT_AGREE, c->adjacent[first + k]))
                tacit_bit_set(c->held, first + k);
        }
        size_t slot = (size_t)(c->roster[v] - c->seats);
        assert_int_equal(
            tacit_shamir_deal(c->shares + (size_t)first * TACIT_SHARE_LEN, x->secrets[slot][kind],
                              points, degree, c->thresholds[v], &x->f.prng),
            TACIT_OK);
    }
    free(points);
}

#endif
