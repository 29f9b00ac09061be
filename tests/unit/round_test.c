/* SPDX-License-Identifier: Apache-2.0
 * round_test.c - the life of a run: what is due after what, what the plans and the record say, that
 * models come from the sums with the noise the plan promised, tries, giving up, and going on after
 * a restart from the stored state. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/prng.h"
#include "common/ring.h"
#include "server/round.h"

enum { ITEMS = 48, FEATURES = 5, DEVICES = 100 };

static struct {
    uint64_t ids[ITEMS];
    uint8_t kinds[ITEMS], catalogue[32];
    uint8_t plan_key[32], plan_secret[64], model_key[32], model_secret[64], authority_key[32];
    learn_features *features;
    round_setup setup;
} world;

static int make_world(void **state) {
    (void)state;
    double f[ITEMS * FEATURES];
    tacit_prng p;
    uint8_t seed[32] = {7};
    tacit_prng_init_seed(&p, 11, 0);
    for (int i = 0; i < ITEMS * FEATURES; i++)
        f[i] = i % FEATURES == FEATURES - 1 ? 1.0 : tacit_prng_normal(&p);
    for (uint64_t i = 0; i < ITEMS; i++) world.ids[i] = 100 + 3 * i;
    memset(world.catalogue, 0xca, 32);
    memset(world.authority_key, 0xaa, 32);
    tacit_sign_keypair(world.plan_key, world.plan_secret, seed);
    seed[0] = 8;
    tacit_sign_keypair(world.model_key, world.model_secret, seed);
    world.setup = (round_setup){.plan_secret = world.plan_secret,
                                .model_secret = world.model_secret,
                                .authority_key = world.authority_key,
                                .catalogue = world.catalogue,
                                .ids = world.ids,
                                .kinds = world.kinds,
                                .item_count = ITEMS,
                                .separation_s = 3600,
                                .back_off_s = 5};
    return learn_features_new(&world.features, f, ITEMS, FEATURES) == TACIT_OK ? 0 : -1;
}

static int free_world(void **state) {
    (void)state;
    learn_features_free(world.features);
    return 0;
}

static store_run a_run(learn_preset preset) {
    return (store_run){.run = 4,
                       .state = RUN_ACTIVE,
                       .epsilon = 8,
                       .delta = 1e-6,
                       .devices = DEVICES,
                       .preset = (int32_t)preset,
                       .n_lo = DEVICES,
                       .n_hi = DEVICES + 20,
                       .n_min_floor = 60,
                       .expected = DEVICES + 1,
                       .max_colluding = 100,
                       .max_dropout = 200,
                       .join_s = 31,
                       .share_s = 32,
                       .mask_s = 33,
                       .agree_s = 34,
                       .reveal_s = 35,
                       .seed = 99};
}

static training *train(const store_run *run, const tacit_model *previous) {
    training *t = NULL;
    training_spec spec = {.epsilon = run->epsilon,
                          .delta = run->delta,
                          .devices = run->devices,
                          .preset = run->preset,
                          .factor = run->factor,
                          .sums = run->sums,
                          .seed = run->seed,
                          .previous = previous};
    assert_int_equal(training_new(&t, &spec, world.features), TACIT_OK);
    return t;
}

static round_run *fresh(const store_run *run) {
    round_run *r = NULL;
    assert_int_equal(round_new(&r, NULL, &world.setup, run, train(run, NULL), NULL, NULL, 0),
                     TACIT_OK);
    return r;
}

/* A published model as the store would keep it. */
typedef struct {
    store_model about;
    uint8_t *file;
} kept;

static void keep(kept *k, const store_model *m, const uint8_t *file) {
    free(k->file);
    k->about = *m;
    k->file = aligned_alloc(64, (m->len + 63) / 64 * 64);
    assert_non_null(k->file);
    memcpy(k->file, file, m->len);
}

static tacit_model open_model(const kept *k) {
    tacit_model m;
    assert_int_equal(tacit_model_open(&m, NULL, k->file, k->about.len, world.model_key), TACIT_OK);
    assert_memory_equal(m.digest, k->about.digest, 32);
    return m;
}

static void publish(round_run *r, kept *k, uint64_t now_s) {
    const uint8_t *file = NULL;
    store_model m;
    assert_int_equal(round_next(r), ROUND_PUBLISH);
    assert_int_equal(round_start_model(r, &m, &file, now_s), TACIT_OK);
    keep(k, &m, file);
    round_published(r);
    assert_int_equal(round_next(r), ROUND_RESERVE);
}

static const round_offer *open_round(round_run *r, uint64_t number, uint64_t now_s) {
    uint8_t seed[32] = {(uint8_t)number, 1};
    assert_int_equal(round_next(r), ROUND_RESERVE);
    assert_int_equal(round_reserved(r, NULL, number, seed, now_s), TACIT_OK);
    assert_int_equal(round_next(r), ROUND_OPEN);
    return round_plan(r);
}

/* What a cohort would have summed: some counts and gradients, rotated, scaled and rounded. */
static uint32_t *a_sum(const tacit_plan *p, uint64_t seed) {
    uint32_t *words = calloc(p->dims, sizeof *words);
    double *x = calloc(p->dims, sizeof *x);
    tacit_prng g;
    assert_true(words != NULL && x != NULL);
    tacit_prng_init_seed(&g, seed, 1);
    for (uint32_t i = 0; i < tacit_plan_vector_count(p); i++) {
        double u = tacit_prng_unit(&g);
        x[i] = (p->blocks & TACIT_BLOCK_COUNTS) && i < ITEMS ? 9 * u : 3 * (u - 0.5);
    }
    tacit_hadamard_signs_f64(x, p->dims, p->rotation_seed);
    tacit_hadamard_f64(x, p->dims);
    double grid = p->scale / sqrt((double)p->dims);
    for (uint32_t i = 0; i < p->dims; i++)
        words[i] = (uint32_t)(int32_t)lrint(x[i] * grid) & (uint32_t)((1ull << p->bits) - 1);
    free(x);
    return words;
}

static cohort_report a_report(const tacit_plan *p) {
    cohort_report c;
    memset(&c, 0, sizeof c);
    c.joined = 110;
    c.shared = 108;
    c.survivors = 105;
    memset(c.root, 1, 32);
    memset(c.u2_digest, 2, 32);
    memset(c.u3_digest, 3, 32);
    memset(c.sum_digest, 4, 32);
    assert_int_equal(
        tacit_graph_rule_init(&c.rule, c.joined, p->max_colluding, p->max_dropout, p->n_min_floor),
        TACIT_OK);
    return c;
}

static cohort_report a_failure(void) {
    cohort_report c;
    memset(&c, 0, sizeof c);
    c.joined = 70;
    c.failure = TACIT_TOO_FEW;
    memcpy(c.failure_note, "70 of 100 joined", 17);
    return c;
}

static void the_start_model_is_published_first(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    tacit_model m = open_model(&k);
    assert_int_equal(m.number, 1);
    assert_int_equal(m.round, 0);
    assert_int_equal(m.made_s, 1000);
    assert_int_equal(m.item_count, ITEMS);
    assert_memory_equal(m.ids, world.ids, sizeof world.ids);
    assert_memory_equal(m.catalogue, world.catalogue, 32);
    round_free(r);
    free(k.file);
}

static void the_plan_is_the_runs(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    const round_offer *o = open_round(r, 17, 2000);
    tacit_plan p;
    assert_int_equal(tacit_plan_decode(&p, NULL, o->encoded), TACIT_OK);
    assert_int_equal(tacit_plan_verify(o->encoded + TACIT_PLAN_LEN, o->encoded, world.plan_key),
                     TACIT_OK);
    uint8_t digest[32], key[32], secret[64], seed[32] = {17, 1};
    tacit_plan_digest(digest, o->encoded);
    assert_memory_equal(digest, o->digest, 32);
    tacit_sign_keypair(key, secret, seed);
    assert_memory_equal(p.phase_key, key, 32);
    assert_memory_equal(o->phase_secret, secret, 64);
    assert_int_equal(p.round, 17);
    assert_int_equal(p.run, 4);
    assert_int_equal(p.opens_s, 2000);
    assert_int_equal(p.join_until_s, 2031);
    assert_int_equal(p.share_s, 32);
    assert_int_equal(p.mask_s, 33);
    assert_int_equal(p.agree_s, 34);
    assert_int_equal(p.reveal_s, 35);
    assert_int_equal(p.n_lo, 100);
    assert_int_equal(p.n_hi, 120);
    assert_int_equal(p.n_min_floor, 60);
    assert_int_equal(p.max_colluding, 100);
    assert_int_equal(p.max_dropout, 200);
    assert_int_equal(p.cohort_count, 1);
    assert_int_equal(p.separation_s, 3600);
    assert_memory_equal(p.model_digest, k.about.digest, 32);
    assert_memory_equal(p.authority_key, world.authority_key, 32);
    assert_int_equal(o->expected_count, 101);
    assert_null(o->floor);
    /* The privacy fields are the training's. */
    training *t = train(&run, NULL);
    tacit_plan q = p;
    training_plan(t, &q);
    uint8_t same[TACIT_PLAN_LEN];
    tacit_plan_encode(same, &q);
    assert_memory_equal(same, o->encoded, TACIT_PLAN_LEN);
    training_free(t);
    round_free(r);
    free(k.file);
}

/* Every sum of a run becomes a model, and that model is the training's with the promised noise. */
static void sums_become_models(void **state) {
    (void)state;
    store_run run = a_run(PRESET_HI);
    run.factor = 3;
    round_run *r = fresh(&run);
    training *twin = train(&run, NULL);
    kept k = {0};
    publish(r, &k, 1000);
    uint32_t sums = training_sum_count(twin);
    assert_true(sums >= 2);
    double last_epsilon = 0;
    for (uint32_t i = 0; i < sums; i++) {
        const round_offer *o = open_round(r, 20 + i, 2000 + i);
        assert_int_equal(o->plan.sum_index, i);
        assert_memory_equal(o->plan.model_digest, k.about.digest, 32);
        uint8_t plan_digest[32], before[32];
        memcpy(plan_digest, o->digest, 32);
        memcpy(before, k.about.digest, 32);
        round_opened(r);
        assert_int_equal(round_next(r), ROUND_GATHER);
        cohort_report c = a_report(&o->plan);
        uint32_t *words = a_sum(&o->plan, i);
        /* n_min = 88, A = 11, complete graph: h = 77 */
        assert_int_equal(c.rule.honest, 77);
        training_step step;
        double noise = 105.0 * (double)((o->plan.mu + 76) / 77);
        assert_int_equal(training_apply(twin, &step, words, 105, noise), TACIT_OK);
        round_gathered(r, &c, words, 3000 + i);
        assert_int_equal(round_next(r), ROUND_LEARN);
        round_learn(r);
        assert_int_equal(round_next(r), ROUND_COMMIT);
        assert_true(round_step(r)->noise_std == step.noise_std);
        const round_end *e = round_result(r);
        assert_true(e->has_model);
        assert_int_equal(e->record.status, TACIT_OK);
        assert_int_equal(e->record.round, 20 + i);
        assert_int_equal(e->record.run, 4);
        assert_int_equal(e->record.opened_s, 2000 + i);
        assert_int_equal(e->record.closed_s, 3000 + i);
        assert_int_equal(e->record.sum_index, i);
        assert_int_equal(e->record.sum_count, sums);
        assert_int_equal(e->record.joined, 110);
        assert_int_equal(e->record.shared, 108);
        assert_int_equal(e->record.survivors, 105);
        assert_int_equal(e->record.honest, 77);
        assert_string_equal(e->record.preset, "HI");
        assert_memory_equal(e->record.plan_digest, plan_digest, 32);
        assert_memory_equal(e->record.model_before, before, 32);
        assert_memory_equal(e->record.model_after, e->model.digest, 32);
        assert_memory_equal(e->record.sum_digest, c.sum_digest, 32);
        assert_true(e->record.epsilon_so_far > last_epsilon);
        last_epsilon = e->record.epsilon_so_far;
        assert_int_equal(e->state, i + 1 == sums ? RUN_DONE : RUN_ACTIVE);
        assert_int_equal(e->sum_len, tacit_ring_packed_len(o->plan.dims, o->plan.bits));
        uint32_t *back = calloc(o->plan.dims, sizeof *back);
        tacit_ring_unpack(back, e->sum, o->plan.dims, o->plan.bits);
        assert_memory_equal(back, words, o->plan.dims * sizeof *back);
        free(back);
        keep(&k, &e->model, e->model_file);
        tacit_model m = open_model(&k);
        tacit_model_source want;
        training_model(twin, &want);
        assert_int_equal(m.number, i + 2);
        assert_int_equal(m.round, 20 + i);
        assert_memory_equal(m.plan_digest, plan_digest, 32);
        assert_int_equal(m.factor, want.factor);
        assert_memory_equal(m.bias, want.bias, ITEMS * sizeof(float));
        if (m.factor > 0)
            assert_memory_equal(m.factors, want.factors, ITEMS * m.factor * sizeof(float));
        round_committed(r, 3000 + i);
        free(words);
    }
    assert_int_equal(round_next(r), ROUND_OVER);
    assert_true(last_epsilon <= run.epsilon);
    assert_true(last_epsilon > 0.9 * run.epsilon);
    training_free(twin);
    round_free(r);
    free(k.file);
}

static void three_failures_in_a_row_end_a_run(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    for (uint64_t i = 0; i < 3; i++) {
        (void)open_round(r, 30 + i, 2000);
        round_opened(r);
        cohort_report c = a_failure();
        round_gathered(r, &c, NULL, 2500);
        assert_int_equal(round_next(r), ROUND_COMMIT);
        const round_end *e = round_result(r);
        assert_false(e->has_model);
        assert_null(e->sum);
        assert_int_equal(e->record.status, TACIT_TOO_FEW);
        assert_string_equal(e->record.note, "70 of 100 joined");
        assert_int_equal(e->record.joined, 70);
        assert_true(e->record.epsilon_so_far == 0);
        static const uint8_t zero[32];
        assert_memory_equal(e->record.model_after, zero, 32);
        assert_int_equal(e->state, i < 2 ? RUN_ACTIVE : RUN_FAILED);
        round_committed(r, 2500);
        if (i == 2) break;
        assert_int_equal(round_next(r), ROUND_WAIT);
        assert_int_equal(round_resume_s(r), 2500 + (5u << i));
        round_resume(r);
    }
    assert_int_equal(round_next(r), ROUND_OVER);
    round_free(r);
    free(k.file);
}

/* Stored state between sums: the failures and the sums already taken survive; the model goes on. */
static void a_restarted_server_goes_on(void **state) {
    (void)state;
    store_run run = a_run(PRESET_HI);
    run.factor = 3;
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    const round_offer *o = open_round(r, 40, 2000);
    round_opened(r);
    cohort_report c = a_report(&o->plan);
    uint32_t *words = a_sum(&o->plan, 5);
    round_gathered(r, &c, words, 2500);
    round_learn(r);
    keep(&k, &round_result(r)->model, round_result(r)->model_file);
    round_committed(r, 2500);
    (void)open_round(r, 41, 2600);
    round_opened(r);
    c = a_failure();
    round_gathered(r, &c, NULL, 2700);
    const round_end *e = round_result(r);
    assert_true(e->record.epsilon_so_far > 0); /* the first sum is out */
    size_t len = e->blob_len;
    uint8_t *blob = malloc(len);
    memcpy(blob, e->blob, len);
    round_free(r);
    free(words);

    tacit_model m = open_model(&k);
    assert_int_equal(round_new(&r, NULL, &world.setup, &run, train(&run, &m), &k.about, blob, len),
                     TACIT_OK);
    assert_int_equal(round_failures(r), 1);
    o = open_round(r, 42, 2800);
    assert_int_equal(o->plan.sum_index, 1);
    assert_memory_equal(o->plan.model_digest, k.about.digest, 32);
    round_free(r);

    blob[0] ^= 1;
    assert_int_equal(round_new(&r, NULL, &world.setup, &run, train(&run, &m), &k.about, blob, len),
                     TACIT_CORRUPT);
    blob[0] ^= 1;
    assert_int_equal(
        round_new(&r, NULL, &world.setup, &run, train(&run, &m), &k.about, blob, len - 1),
        TACIT_CORRUPT);
    free(blob);
    free(k.file);
}

static void a_fitting_model_is_gone_on_from(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    round_free(r);
    tacit_model m = open_model(&k);
    k.about.number = 9;
    assert_int_equal(round_new(&r, NULL, &world.setup, &run, train(&run, &m), &k.about, NULL, 0),
                     TACIT_OK);
    const round_offer *o = open_round(r, 50, 2000);
    assert_memory_equal(o->plan.model_digest, k.about.digest, 32);
    round_free(r);
    /* Another shape: a new start, numbered on. */
    run = a_run(PRESET_HI);
    run.factor = 7;
    assert_int_equal(round_new(&r, NULL, &world.setup, &run, train(&run, &m), &k.about, NULL, 0),
                     TACIT_OK);
    publish(r, &k, 1000);
    assert_int_equal(k.about.number, 10);
    round_free(r);
    free(k.file);
}

static void runs_that_cannot_open_are_refused(void **state) {
    (void)state;
    const char *what = NULL;
    round_run *r = NULL;
    store_run run = a_run(PRESET_LO);
    run.n_lo = 200; /* above n_hi */
    assert_int_equal(round_new(&r, &what, &world.setup, &run, train(&run, NULL), NULL, NULL, 0),
                     TACIT_BAD_PLAN);
    assert_non_null(strstr(what, "n_"));
    run = a_run(PRESET_LO);
    run.join_s = 481;
    assert_int_equal(round_new(&r, &what, &world.setup, &run, train(&run, NULL), NULL, NULL, 0),
                     TACIT_BAD_PLAN);
    run = a_run(PRESET_LO);
    run.max_colluding = 400; /* 2h < n */
    run.max_dropout = 300;
    assert_int_equal(round_new(&r, &what, &world.setup, &run, train(&run, NULL), NULL, NULL, 0),
                     TACIT_BAD_PLAN);
    assert_non_null(strstr(what, "graph rule"));
    run = a_run(PRESET_LO);
    run.epsilon = INFINITY;
    assert_int_equal(round_new(&r, &what, &world.setup, &run, train(&run, NULL), NULL, NULL, 0),
                     TACIT_INVALID_ARGUMENT);
}

static void plans_below_the_shipped_floors_are_told(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    run.n_lo = 20;
    run.n_min_floor = 0;
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    assert_non_null(open_round(r, 60, 2000)->floor);
    round_free(r);
    free(k.file);
}

static void cut_off_rounds_are_recorded_from_their_plan(void **state) {
    (void)state;
    store_run run = a_run(PRESET_LO);
    round_run *r = fresh(&run);
    kept k = {0};
    publish(r, &k, 1000);
    const round_offer *o = open_round(r, 70, 2000);
    store_record e;
    assert_int_equal(round_cut_off(&e, o->encoded, sizeof o->encoded, 9000), TACIT_OK);
    assert_int_equal(e.round, 70);
    assert_int_equal(e.run, 4);
    assert_int_equal(e.opened_s, 2000);
    assert_int_equal(e.closed_s, 9000);
    assert_int_equal(e.status, TACIT_ABORTED);
    assert_memory_equal(e.plan_digest, o->digest, 32);
    assert_memory_equal(e.model_before, k.about.digest, 32);
    assert_int_equal(round_cut_off(&e, o->encoded, sizeof o->encoded - 1, 9000), TACIT_BAD_MESSAGE);
    round_free(r);
    free(k.file);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_model_is_published_first),
        cmocka_unit_test(the_plan_is_the_runs),
        cmocka_unit_test(sums_become_models),
        cmocka_unit_test(three_failures_in_a_row_end_a_run),
        cmocka_unit_test(a_restarted_server_goes_on),
        cmocka_unit_test(a_fitting_model_is_gone_on_from),
        cmocka_unit_test(runs_that_cannot_open_are_refused),
        cmocka_unit_test(plans_below_the_shipped_floors_are_told),
        cmocka_unit_test(cut_off_rounds_are_recorded_from_their_plan),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
