/* SPDX-License-Identifier: Apache-2.0
 * learning_test.c - what must hold of the learning step whatever the numbers: it does not care how
 * factor space is turned or items are numbered, it forgets what noise drowned, its signal check
 * falls with noise, and from devices with planted tastes it learns to rank what they held back.
 *
 * Devices are the slow ones of tests/support/learn_fixture.h; nothing here is private or fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/prng.h"
#include "server/solve.h"
#include "tests/support/learn_fixture.h"

enum { M = 120, F_COUNT = 5, K = 6 };

/* One synthetic sum: B = c (Fx W + rest), all of it drawn from the seed. */
typedef struct {
    double F[M * F_COUNT], c[M], B[M * K];
    double weight;
    learn_features *f;
} problem;

static void problem_make(problem *q, uint64_t seed, double rest_std, double noise_std) {
    tacit_prng r;
    double W[F_COUNT * K];
    tacit_prng_init_seed(&r, seed, 1);
    for (size_t j = 0; j < F_COUNT * K; j++) W[j] = 0.3 * tacit_prng_normal(&r);
    q->weight = 200.0;
    for (size_t i = 0; i < M; i++) {
        q->c[i] = 1.0 + 20.0 * tacit_prng_unit(&r) * tacit_prng_unit(&r);
        for (size_t j = 0; j < F_COUNT; j++) {
            q->F[i * F_COUNT + j] = j == F_COUNT - 1 ? 1.0 : (double)tacit_prng_below(&r, 2);
        }
        for (size_t d = 0; d < K; d++) {
            double m = rest_std * tacit_prng_normal(&r);
            for (size_t j = 0; j < F_COUNT; j++) m += q->F[i * F_COUNT + j] * W[j * K + d];
            q->B[i * K + d] = q->c[i] * m + noise_std * tacit_prng_normal(&r);
        }
    }
    assert_int_equal(learn_features_new(&q->f, q->F, M, F_COUNT), TACIT_OK);
}

static learn_params params_of(learn_preset preset, uint32_t k) {
    learn_params p = learn_params_of(preset);
    p.k = k;
    return p;
}

static double difference(const double *x, const double *y, size_t count) {
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(x[i] - y[i]));
    return most;
}

static double square(const double *x, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
    return sum;
}

/* Householder turn of each row: x <- x - 2 (x.h) h. */
static void turn(double *x, size_t rows, const double *h) {
    for (size_t i = 0; i < rows; i++) {
        double inner = 0.0;
        for (size_t d = 0; d < K; d++) inner += x[i * K + d] * h[d];
        for (size_t d = 0; d < K; d++) x[i * K + d] -= 2.0 * inner * h[d];
    }
}

static void turned_sums_give_turned_factors(void **state) {
    (void)state;
    static const learn_preset presets[] = {PRESET_HI, PRESET_LO, PRESET_CENTRAL};
    for (uint64_t seed = 0; seed < 6; seed++) {
        problem q;
        learn_params p = params_of(presets[seed % 3], K);
        double noise_std = 0.4 * (double)(seed % 2), h[K], norm = 0.0;
        double turned[M * K], b1[M], b2[M], V1[M * K], V2[M * K];
        problem_make(&q, seed, 0.1, noise_std);
        tacit_prng r;
        tacit_prng_init_seed(&r, seed, 2);
        for (size_t d = 0; d < K; d++) h[d] = tacit_prng_normal(&r);
        norm = sqrt(square(h, K));
        for (size_t d = 0; d < K; d++) h[d] /= norm;
        memcpy(turned, q.B, sizeof turned);
        turn(turned, M, h);
        assert_int_equal(learn_step(b1, V1, q.B, q.c, q.weight, noise_std, q.f, &p, NULL),
                         TACIT_OK);
        assert_int_equal(learn_step(b2, V2, turned, q.c, q.weight, noise_std, q.f, &p, NULL),
                         TACIT_OK);
        turn(V2, M, h);
        assert_true(difference(b1, b2, M) < 1e-9);
        assert_true(difference(V1, V2, M * K) < 1e-9);
        assert_true(square(V1, M * K) > 0.1); /* and there is something to compare */
        learn_features_free(q.f);
    }
}

static void renumbered_items_get_the_same_factors(void **state) {
    (void)state;
    problem q;
    learn_params p = params_of(PRESET_HI, K);
    double F[M * F_COUNT], c[M], B[M * K], b1[M], b2[M], V1[M * K], V2[M * K];
    problem_make(&q, 20, 0.1, 0.3);
    for (size_t i = 0; i < M; i++) { /* 7 has no factor in common with M */
        size_t to = (i * 7 + 3) % M;
        memcpy(F + to * F_COUNT, q.F + i * F_COUNT, F_COUNT * sizeof *F);
        memcpy(B + to * K, q.B + i * K, K * sizeof *B);
        c[to] = q.c[i];
    }
    learn_features *f;
    assert_int_equal(learn_features_new(&f, F, M, F_COUNT), TACIT_OK);
    assert_int_equal(learn_step(b1, V1, q.B, q.c, q.weight, 0.3, q.f, &p, NULL), TACIT_OK);
    assert_int_equal(learn_step(b2, V2, B, c, q.weight, 0.3, f, &p, NULL), TACIT_OK);
    for (size_t i = 0; i < M; i++) {
        size_t to = (i * 7 + 3) % M;
        assert_true(fabs(b1[i] - b2[to]) < 1e-9);
        assert_true(difference(V1 + i * K, V2 + to * K, K) < 1e-9);
    }
    learn_features_free(f);
    learn_features_free(q.f);
}

/* Denoising brings B closer to the truth than the noisy sum is, at every noise; the signal check
 * falls with noise and is a standard normal's when there is nothing but noise. */
static void denoising_helps_and_signal_falls(void **state) {
    (void)state;
    static const double noises[] = {0.05, 0.2, 0.8, 3.2, 12.8};
    double last = INFINITY;
    problem clean;
    problem_make(&clean, 30, 0.1, 0.0);
    for (size_t n = 0; n < sizeof noises / sizeof *noises; n++) {
        problem q;
        learn_params p = params_of(PRESET_LO, K);
        learn_report report;
        double b[M], V[M * K];
        problem_make(&q, 30, 0.1, noises[n]);
        double before = 0.0, after = 0.0;
        for (size_t i = 0; i < M * K; i++) before += pow(q.B[i] - clean.B[i], 2.0);
        assert_int_equal(learn_step(b, V, q.B, q.c, q.weight, noises[n], q.f, &p, &report),
                         TACIT_OK);
        for (size_t i = 0; i < M * K; i++) after += pow(q.B[i] - clean.B[i], 2.0);
        assert_true(after < before * (noises[n] > 0.5 ? 0.5 : 1.01));
        assert_true(report.signal < last);
        last = report.signal;
        learn_features_free(q.f);
    }
    learn_features_free(clean.f);

    double z_square = 0.0;
    for (uint64_t seed = 0; seed < 40; seed++) { /* pure noise: mean square of Z is about 1 */
        problem q;
        learn_params p = params_of(PRESET_LO, K);
        learn_report report;
        double b[M], V[M * K];
        tacit_prng r;
        problem_make(&q, seed, 0.0, 0.0);
        tacit_prng_init_seed(&r, seed, 3);
        for (size_t i = 0; i < M * K; i++) q.B[i] = 2.0 * tacit_prng_normal(&r);
        assert_int_equal(learn_step(b, V, q.B, q.c, q.weight, 2.0, q.f, &p, &report), TACIT_OK);
        z_square += report.signal * report.signal / 40.0;
        learn_features_free(q.f);
    }
    assert_true(z_square > 0.4 && z_square < 2.0);
}

/* ---- End to end -------------------------------------------------------------------------------*/
enum { DEVICES = 500, HISTORY = 14, HELD = 3, TASTES = 5, TOP = 10 };

typedef struct {
    uint32_t kept[DEVICES][HISTORY], held[DEVICES][HELD];
    double F[M * F_COUNT];
} people;

/* Item i belongs to taste i % TASTES, and within it low numbers are popular; four choices in five
 * are of the person's own taste. One feature says one taste, the others say nothing. */
static void people_make(people *w, uint64_t seed) {
    tacit_prng r;
    tacit_prng_init_seed(&r, seed, 4);
    for (size_t i = 0; i < M; i++) {
        for (size_t j = 0; j < F_COUNT; j++) w->F[i * F_COUNT + j] = tacit_prng_below(&r, 2);
        w->F[i * F_COUNT] = i % TASTES == 0 ? 1.0 : 0.0;
        w->F[i * F_COUNT + F_COUNT - 1] = 1.0;
    }
    for (size_t d = 0; d < DEVICES; d++) {
        bool taken[M] = {false};
        for (size_t h = 0; h < HISTORY + HELD; h++) {
            uint32_t item;
            do {
                uint32_t taste = tacit_prng_below(&r, 5) > 0 ? (uint32_t)(d % TASTES)
                                                             : tacit_prng_below(&r, TASTES);
                double place = tacit_prng_unit(&r);
                item = (uint32_t)(pow(place, 1.5) * (M / TASTES)) * TASTES + taste;
            } while (taken[item]);
            taken[item] = true;
            *(h < HISTORY ? &w->kept[d][h] : &w->held[d][h - HISTORY]) = item;
        }
    }
}

typedef struct {
    double c[M], b[M], V[M * K], X[M * F_COUNT], weight, signal;
} trained;

/* The whole run: counts with the first sum, then one Newton step a sum, then the content part. */
static void train(trained *t, const people *w, const learn_params *p, double noise_std) {
    learn_features *f;
    tacit_prng r;
    tacit_prng_init_seed(&r, 77, 5);
    assert_int_equal(learn_features_new(&f, w->F, M, F_COUNT), TACIT_OK);
    assert_int_equal(learn_start(t->V, f, K, 1), TACIT_OK);
    memset(t->b, 0, sizeof t->b);
    for (uint32_t sum = 0; sum < p->gradient_sums; sum++) {
        double B[M * K] = {0}, y[M] = {0};
        learn_report report;
        for (size_t d = 0; d < DEVICES; d++) {
            fixture_upload(B, y, t->V, t->b, M, K, w->kept[d], HISTORY, p);
        }
        for (size_t i = 0; i < M * K; i++) B[i] += noise_std * tacit_prng_normal(&r);
        for (size_t i = 0; i < M; i++) y[i] += noise_std * tacit_prng_normal(&r);
        if (sum == 0) learn_counts(t->c, &t->weight, y, M, noise_std, DEVICES, p);
        assert_int_equal(learn_step(t->b, t->V, B, t->c, t->weight, noise_std, f, p, &report),
                         TACIT_OK);
        t->signal = report.signal;
    }
    assert_int_equal(learn_extend(t->X, f, t->V, t->c, K, p), TACIT_OK);
    learn_features_free(f);
}

/* Mean share of the held-back items among the TOP unseen ones. With V NULL, by b alone. */
static double recall(const people *w, const double *b, const double *V, size_t width,
                     const learn_params *p) {
    double hits = 0.0;
    for (size_t d = 0; d < DEVICES; d++) {
        double u[K + F_COUNT] = {0}, score[M];
        if (V != NULL) {
            double ridge = p->user_ridge_final * pow(HISTORY / 100.0, p->user_ridge_exponent);
            fixture_user(u, NULL, V, b, M, width, w->kept[d], HISTORY, p->a0_final, ridge);
        }
        for (size_t i = 0; i < M; i++) {
            score[i] = b[i];
            for (size_t j = 0; V != NULL && j < width; j++) score[i] += V[i * width + j] * u[j];
        }
        for (size_t h = 0; h < HISTORY; h++) score[w->kept[d][h]] = -INFINITY;
        for (size_t h = 0; h < HELD; h++) {
            size_t better = 0;
            for (size_t i = 0; i < M; i++) better += score[i] > score[w->held[d][h]];
            if (better < TOP) hits += 1.0;
        }
    }
    return hits / (DEVICES * HELD);
}

static double recall_trained(const people *w, const trained *t, const learn_params *p) {
    enum { WIDE = K + F_COUNT };
    double V[M * WIDE];
    for (size_t i = 0; i < M; i++) {
        memcpy(V + i * WIDE, t->V + i * K, K * sizeof *V);
        memcpy(V + i * WIDE + K, t->X + i * F_COUNT, F_COUNT * sizeof *V);
    }
    return recall(w, t->b, V, WIDE, p);
}

static void planted_tastes_are_learned(void **state) {
    (void)state;
    static people w;
    static trained t;
    people_make(&w, 40);
    learn_params p = params_of(PRESET_HI, K);
    train(&t, &w, &p, 0.0);
    double popularity = recall(&w, t.c, NULL, 0, &p);
    double exact = recall_trained(&w, &t, &p);
    assert_true(isinf(t.signal));
    train(&t, &w, &p, 0.5);
    double noisy = recall_trained(&w, &t, &p), clear = t.signal;
    train(&t, &w, &p, 50.0);
    print_message(
        "recall@%d: popularity %.3f, learned %.3f, at noise 0.5 %.3f; Z %.0f, drowned %.1f\n", TOP,
        popularity, exact, noisy, clear, t.signal);
    assert_true(exact > 2.0 * popularity);
    assert_true(noisy > 1.5 * popularity && noisy < exact + 0.02);
    assert_true(clear >= 20.0);   /* factors are worth shipping ... */
    assert_true(t.signal < 20.0); /* ... and here they are not */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turned_sums_give_turned_factors),
        cmocka_unit_test(renumbered_items_get_the_same_factors),
        cmocka_unit_test(denoising_helps_and_signal_falls),
        cmocka_unit_test(planted_tastes_are_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
