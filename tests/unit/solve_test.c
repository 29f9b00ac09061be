/* SPDX-License-Identifier: Apache-2.0
 * solve_test.c - the learning step against vectors of the reference implementation
 * (tests/vectors/dp_mf, see the README there), step by step and as a whole; the fast item solve
 * against each item's equation written out; presets, bounds and refusals.
 *
 * Run from the repository's root. Prints how long the large solves took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "common/prng.h"
#include "server/solve.h"
#include "tests/support/learn_fixture.h"

#define FOLDER "tests/vectors/dp_mf/"

/* ---- Vectors ----------------------------------------------------------------------------------*/
enum { MAX_MATRICES = 40 };

typedef struct {
    char name[24];
    size_t rows, cols;
    double *x;
} matrix;

typedef struct {
    matrix all[MAX_MATRICES];
    size_t count;
} vectors;

static FILE *open_vectors(const char *name) {
    char path[128];
    snprintf(path, sizeof path, FOLDER "%s.txt", name);
    FILE *in = fopen(path, "r");
    if (in == NULL) fail_msg("%s: run the tests from the repository's root", path);
    return in;
}

static void read_numbers(FILE *in, double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (fscanf(in, "%lf", &x[i]) != 1) fail_msg("a vector file ends too early");
    }
}

static double *make(size_t count) {
    double *x = calloc(count + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* A step_*.txt file: `name rows cols`, then the rows. */
static void vectors_read(vectors *v, const char *name) {
    FILE *in = open_vectors(name);
    v->count = 0;
    matrix *m = v->all;
    while (fscanf(in, "%23s %zu %zu", m->name, &m->rows, &m->cols) == 3) {
        m->x = make(m->rows * m->cols);
        read_numbers(in, m->x, m->rows * m->cols);
        v->count++;
        assert_true(v->count < MAX_MATRICES);
        m++;
    }
    fclose(in);
    assert_true(v->count >= 2);
}

static void vectors_free(vectors *v) {
    for (size_t i = 0; i < v->count; i++) free(v->all[i].x);
}

static bool vectors_have(const vectors *v, const char *name) {
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->all[i].name, name) == 0) return true;
    }
    return false;
}

static const matrix *get(const vectors *v, const char *name) {
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->all[i].name, name) == 0) return &v->all[i];
    }
    fail_msg("no matrix %s", name);
    return NULL;
}

static double number(const vectors *v, const char *name) { return get(v, name)->x[0]; }

/* One matrix of the reference's own dump. */
static double *dumped(const char *name, size_t count) {
    FILE *in = open_vectors(name);
    double *x = make(count), extra;
    read_numbers(in, x, count);
    assert_int_equal(fscanf(in, "%lf", &extra), EOF);
    fclose(in);
    return x;
}

static double largest(const double *x, size_t count) {
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(x[i]));
    return most;
}

/* Every number within 1e-8 of the matrix's largest. */
static void check_close(const char *what, const double *x, const double *want, size_t count) {
    double bound = 1e-8 * largest(want, count) + 1e-14;
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(x[i] - want[i]) <= bound)) {
            fail_msg("%s[%zu] is %.12g, not %.12g", what, i, x[i], want[i]);
        }
    }
}

/* The same, when the sign of each column is free. */
static void check_columns(const char *what, const double *x, const double *want, size_t rows,
                          size_t cols, size_t checked) {
    double *turned = make(rows * cols), *wanted = make(rows * cols);
    for (size_t j = 0; j < checked; j++) {
        double inner = 0.0;
        for (size_t i = 0; i < rows; i++) inner += x[i * cols + j] * want[i * cols + j];
        for (size_t i = 0; i < rows; i++) {
            turned[i * cols + j] = inner < 0.0 ? -x[i * cols + j] : x[i * cols + j];
            wanted[i * cols + j] = want[i * cols + j];
        }
    }
    check_close(what, turned, wanted, rows * cols);
    free(wanted);
    free(turned);
}

static learn_params settings(const vectors *v) {
    const double *s = get(v, "settings")->x;
    return (learn_params){.k = (uint32_t)s[0],
                          .a0 = s[1],
                          .item_ridge = s[2],
                          .class_share = s[3],
                          .gram_power = s[4],
                          .log_counts = s[5] != 0.0,
                          .feature_ridge = s[6],
                          .weight_norm = s[7],
                          .eb_iterations = (uint32_t)s[8],
                          .feature_scale = s[9],
                          .content_scale = s[10]};
}

static learn_features *features_of(const double *F, size_t rows, size_t cols) {
    learn_features *f = NULL;
    assert_int_equal(learn_features_new(&f, F, rows, cols), TACIT_OK);
    assert_int_equal(learn_features_items(f), rows);
    assert_int_equal(learn_features_count(f), cols);
    return f;
}

/* ---- Against the reference --------------------------------------------------------------------*/
static void check_cold(const vectors *v, const learn_params *p, size_t m, size_t fx_count) {
    const matrix *cold = get(v, "cold");
    uint32_t items[8];
    assert_true(cold->cols <= 8);
    for (size_t i = 0; i < cold->cols; i++) items[i] = (uint32_t)cold->x[i];
    double *b = make(m), *V = make(m * p->k);
    for (size_t i = 0; i < m; i++) b[i] = 7.0; /* rows of other items must not change */
    assert_int_equal(
        learn_cold_items(b, V, items, cold->cols, get(v, "c")->x, get(v, "Fx")->x, fx_count,
                         get(v, "Wf")->x, m, p->k, number(v, "W"), get(v, "Cg")->x, p),
        TACIT_OK);
    for (size_t i = 0; i < cold->cols; i++) {
        check_close("cold b", &b[items[i]], get(v, "cold_b")->x + i, 1);
        check_close("cold V", V + items[i] * p->k, get(v, "cold_V")->x + i * p->k, p->k);
        b[items[i]] = 7.0;
        memset(V + items[i] * p->k, 0, p->k * sizeof *V);
    }
    for (size_t i = 0; i < m; i++) assert_true(b[i] == 7.0);
    assert_true(largest(V, m * p->k) == 0.0);
    free(V);
    free(b);
}

/* The parts one after another, each on the reference's own inputs. */
static void check_parts(const vectors *v, const learn_features *f) {
    learn_params p = settings(v);
    size_t m = learn_features_items(f), k = p.k, fx_count = 0;
    const double *noise = get(v, "noise")->x;
    double *c = make(m), *fx = make(m * (learn_features_count(f) + 2)), *B = make(m * k);
    double *Wf = make(k * (learn_features_count(f) + 2)), *Cg = make(k * k), *b = make(m);
    double *V = make(m * k), *X = make(m * learn_features_count(f)), weight, tau, cls;

    learn_counts(c, &weight, get(v, "y")->x, m, noise[0], number(v, "devices"), &p);
    check_close("c", c, get(v, "c")->x, m);
    check_close("W", &weight, get(v, "W")->x, 1);
    learn_regressors(fx, &fx_count, f, c, p.log_counts);
    assert_int_equal(fx_count, get(v, "Fx")->cols);
    check_close("Fx", fx, get(v, "Fx")->x, m * fx_count);
    memcpy(B, get(v, "B")->x, m * k * sizeof *B);
    assert_int_equal(learn_denoise(B, Wf, &tau, c, fx, m, fx_count, k, noise[1] * noise[1], &p),
                     TACIT_OK);
    check_close("Wf", Wf, get(v, "Wf")->x, fx_count * k);
    check_close("Bh", B, get(v, "Bh")->x, m * k);
    check_close("tau", &tau, get(v, "tau")->x, 1);
    assert_int_equal(learn_second_moment(Cg, &cls, get(v, "Bh")->x, c, m, k, &p), TACIT_OK);
    check_close("Cg", Cg, get(v, "Cg")->x, k * k);
    check_close("cls", &cls, get(v, "cls")->x, 1);
    assert_int_equal(learn_item_solve(b, V, get(v, "Bh")->x, c, m, k, weight, get(v, "Cg")->x,
                                      number(v, "cls"), &p),
                     TACIT_OK);
    check_close("b", b, get(v, "b")->x, m);
    check_close("V", V, get(v, "V")->x, m * k);
    assert_int_equal(learn_item_solve(b, V, get(v, "Bh")->x, c, m, k, weight, get(v, "Cg")->x,
                                      number(v, "wild_cls"), &p),
                     TACIT_OK);
    check_close("wild b", b, get(v, "wild_b")->x, m);
    check_close("wild V", V, get(v, "wild_V")->x, m * k);
    check_cold(v, &p, m, fx_count);
    assert_int_equal(learn_extend(X, f, get(v, "V")->x, c, p.k, &p), TACIT_OK);
    size_t cols = learn_features_count(f);
    check_columns("X", X, get(v, "X")->x, m, cols, cols);
    free(X), free(V), free(b), free(Cg), free(Wf), free(B), free(fx), free(c);
}

static void check_whole(const vectors *v, const learn_features *f) {
    learn_params p = settings(v);
    size_t m = learn_features_items(f), k = p.k;
    double noise_std = get(v, "noise")->x[1];
    double *B = make(m * k), *b = make(m), *V = make(m * k);
    learn_report report;
    memcpy(B, get(v, "B")->x, m * k * sizeof *B);
    assert_int_equal(learn_step(b, V, B, get(v, "c")->x, number(v, "W"), noise_std, f, &p, &report),
                     TACIT_OK);
    check_close("step B", B, get(v, "Bh")->x, m * k);
    check_close("step b", b, get(v, "b")->x, m);
    check_close("step V", V, get(v, "V")->x, m * k);
    check_close("step cls", &report.cls, get(v, "cls")->x, 1);
    check_close("step tau", &report.tau, get(v, "tau")->x, 1);
    assert_int_equal(vectors_have(v, "signal"), noise_std > 0.0);
    if (noise_std > 0.0) {
        check_close("signal", &report.signal, get(v, "signal")->x, 1);
    } else {
        assert_true(isinf(report.signal) && report.signal > 0.0);
    }
    free(V), free(b), free(B);
}

static void steps_match_the_reference(void **state) {
    (void)state;
    static const char *const names[] = {"step_hi_exact", "step_hi_noisy",    "step_hi_drowned",
                                        "step_lo_noisy", "step_lo_drowned",  "step_central",
                                        "step_aligned",  "step_aligned_less"};
    bool guarded = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vectors v;
        vectors_read(&v, names[i]);
        const matrix *F = get(&v, "F");
        learn_features *f = features_of(F->x, F->rows, F->cols);
        check_parts(&v, f);
        check_whole(&v, f);
        guarded = guarded || number(&v, "cls") < settings(&v).class_share;
        learn_features_free(f);
        vectors_free(&v);
    }
    assert_true(guarded); /* one case must need the guard of the class share */
}

/* One device's scores of all items by the final model [m x width]. */
static void check_scores(const double *want, const double *model, const double *b, size_t m,
                         size_t width, const uint32_t *history, size_t count,
                         const learn_params *p) {
    double u[FIXTURE_MAX_SIDE], *scores = make(m);
    double ridge = p->user_ridge_final * pow((double)count / 100.0, p->user_ridge_exponent);
    fixture_user(u, NULL, model, b, m, width, history, count, p->a0_final, ridge);
    for (size_t i = 0; i < m; i++) {
        scores[i] = b[i];
        for (size_t j = 0; j < width; j++) scores[i] += model[i * width + j] * u[j];
    }
    check_close("scores", scores, want, m);
    free(scores);
}

/* The reference's own dump, one step from the devices' histories to the scores. */
static void dump_matches_the_reference(void **state) {
    (void)state;
    enum { M = 30, K = 4, F_COUNT = 8, DEVICES = 40, WIDE = K + F_COUNT };
    double *F = dumped("F", M * F_COUNT), *yc = dumped("yc", M), *B = dumped("B", M * K);
    double *noise = dumped("noiseB", M * K), *V0 = dumped("V", M * K), *b0 = dumped("b", M);
    double *want[] = {dumped("c", M),           dumped("Bh", M * K),           dumped("b2", M),
                      dumped("V2", M * K),      dumped("Vfinal", M * WIDE),    dumped("W", 1),
                      dumped("U", DEVICES * K), dumped("scores", DEVICES * M), dumped("cls", 1)};
    double c[M], sum[M * K] = {0}, y[M] = {0}, b[M], V[M * K], X[M * F_COUNT], weight;
    double final[M * WIDE];
    uint32_t history[DEVICES][M];
    size_t counts[DEVICES] = {0};
    learn_params p = learn_params_of(PRESET_HI);
    learn_report report;
    p.k = K;
    FILE *in = open_vectors("hist");
    char line[256];
    for (size_t d = 0; d < DEVICES; d++) {
        assert_non_null(fgets(line, sizeof line, in));
        for (char *at = line, *end; *at != '\n'; at = end) {
            history[d][counts[d]++] = (uint32_t)strtoul(at, &end, 10);
        }
        double u[K], ridge = p.user_ridge * pow((double)counts[d] / 100.0, p.user_ridge_exponent);
        fixture_user(u, NULL, V0, b0, M, K, history[d], counts[d], p.a0, ridge);
        check_close("U", u, want[6] + d * K, K);
        fixture_upload(sum, y, V0, b0, M, K, history[d], counts[d], &p);
    }
    fclose(in);
    check_close("B", sum, B, M * K);
    for (size_t i = 0; i < M; i++) y[i] += 0.05; /* what the dump starts its counts from */
    check_close("yc", y, yc, M);

    learn_features *f = features_of(F, M, F_COUNT);
    learn_counts(c, &weight, yc, M, 0.01, DEVICES, &p);
    check_close("c", c, want[0], M);
    check_close("W", &weight, want[5], 1);
    for (size_t i = 0; i < M * K; i++) B[i] += noise[i];
    assert_int_equal(learn_step(b, V, B, c, weight, 0.05, f, &p, &report), TACIT_OK);
    check_close("Bh", B, want[1], M * K);
    check_close("b2", b, want[2], M);
    check_close("V2", V, want[3], M * K);
    check_close("cls", &report.cls, want[8], 1);
    assert_int_equal(learn_extend(X, f, V, c, K, &p), TACIT_OK);
    for (size_t i = 0; i < M; i++) {
        memcpy(final + i * WIDE, V + i * K, K * sizeof *V);
        memcpy(final + i * WIDE + K, X + i * F_COUNT, F_COUNT * sizeof *X);
    }
    check_columns("Vfinal", final, want[4], M, WIDE, WIDE);
    for (size_t d = 0; d < DEVICES; d++) {
        check_scores(want[7] + d * M, final, b, M, WIDE, history[d], counts[d], &p);
    }
    learn_features_free(f);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) free(want[i]);
    free(b0), free(V0), free(noise), free(B), free(yc), free(F);
}

static void content_matches_the_reference(void **state) {
    (void)state;
    vectors v;
    vectors_read(&v, "step_content");
    const matrix *F = get(&v, "F");
    learn_params p = settings(&v);
    learn_features *f = features_of(F->x, F->rows, F->cols);
    double *c = make(F->rows), *b = make(F->rows), *X = make(F->rows * F->cols), weight;
    learn_counts(c, &weight, get(&v, "y")->x, F->rows, get(&v, "noise")->x[0],
                 number(&v, "devices"), &p);
    check_close("c", c, get(&v, "c")->x, F->rows);
    check_close("W", &weight, get(&v, "W")->x, 1);
    learn_content_bias(b, c, F->rows, weight, &p);
    check_close("b", b, get(&v, "b")->x, F->rows);
    assert_int_equal(learn_extend(X, f, NULL, c, 0, &p), TACIT_OK);
    check_columns("X", X, get(&v, "X")->x, F->rows, F->cols, F->cols);
    free(X), free(b), free(c);
    learn_features_free(f);
    vectors_free(&v);
}

static double deviation(const double *x, size_t count, size_t stride) {
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < count; i++) mean += x[i * stride] / (double)count;
    for (size_t i = 0; i < count; i++) {
        square += (x[i * stride] - mean) * (x[i * stride] - mean) / (double)count;
    }
    return sqrt(square);
}

static void start_matches_the_reference(void **state) {
    (void)state;
    vectors v;
    vectors_read(&v, "step_start");
    const matrix *F = get(&v, "F"), *V = get(&v, "V");
    learn_features *f = features_of(F->x, F->rows, F->cols);
    double *mine = make(V->rows * V->cols);
    assert_int_equal(learn_start(mine, f, (uint32_t)V->cols, 1), TACIT_OK);
    check_columns("V", mine, V->x, V->rows, V->cols, V->cols);
    free(mine);
    learn_features_free(f);
    vectors_free(&v);
}

/* With fewer features than factors the rest is drawn: the reference's generator is another, so the
 * leading columns are compared by their proportions and the drawn ones by their size. */
static void start_is_padded(void **state) {
    (void)state;
    vectors v;
    vectors_read(&v, "step_start_padded");
    const matrix *F = get(&v, "F"), *V = get(&v, "V");
    size_t m = V->rows, k = V->cols, f_count = F->cols;
    learn_features *f = features_of(F->x, m, f_count);
    double *mine = make(m * k), *again = make(m * k), *wanted = make(m * k);
    assert_int_equal(learn_start(mine, f, (uint32_t)k, 1), TACIT_OK);
    double ratio = deviation(mine, m, k) / deviation(V->x, m, k);
    for (size_t i = 0; i < m * k; i++) wanted[i] = V->x[i] * ratio;
    check_columns("V", mine, wanted, m, k, f_count);
    assert_true(fabs(deviation(mine, m * k, 1) - 0.1 / sqrt((double)k)) < 1e-12);
    for (size_t j = f_count; j < k; j++) {
        double part = deviation(mine + j, m, k) / deviation(mine, m, k);
        assert_true(part > 0.03 && part < 0.3); /* a tenth of the longest axis, m = 30 draws */
    }
    assert_int_equal(learn_start(again, f, (uint32_t)k, 1), TACIT_OK);
    assert_memory_equal(again, mine, m * k * sizeof *mine);
    assert_int_equal(learn_start(again, f, (uint32_t)k, 2), TACIT_OK);
    assert_memory_not_equal(again, mine, m * k * sizeof *mine);
    free(wanted), free(again), free(mine);
    learn_features_free(f);
    vectors_free(&v);
}

/* ---- Large solves -----------------------------------------------------------------------------*/
static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Solves m items of length k, checks every stride-th against its own equation, prints the time. */
static void check_large(size_t m, size_t k, learn_preset preset, size_t stride) {
    learn_params p = learn_params_of(preset);
    tacit_prng random;
    tacit_prng_init_seed(&random, 11, 0);
    double *B = make(m * k), *c = make(m), *b = make(m), *V = make(m * k), *Cg = make(k * k);
    double *Bw = make((k + 1) * (k + 1)), *want = make(k + 1), *x = make(k + 1), cls;
    for (size_t i = 0; i < m; i++) { /* popularity falls like 1/rank; directions of length <= 1 */
        c[i] = 0.7 + 3e3 / (1.0 + (double)i);
        for (size_t d = 0; d < k; d++) {
            double tilt = d == i % 5 ? 0.6 : 0.0;
            B[i * k + d] = c[i] * (tilt + (tacit_prng_unit(&random) - 0.5) / sqrt((double)k));
        }
    }
    double weight = 4.0 * (double)m;
    assert_int_equal(learn_second_moment(Cg, &cls, B, c, m, k, &p), TACIT_OK);
    double start = now_ms();
    assert_int_equal(learn_item_solve(b, V, B, c, m, k, weight, Cg, cls, &p), TACIT_OK);
    print_message("item solve, M = %zu, k = %zu: %.1f ms\n", m, k, now_ms() - start);
    fixture_class_moment(Bw, B, c, m, k);
    for (size_t i = 0; i < m; i += stride) {
        fixture_item(want, B + i * k, c[i], Bw, Cg, k, weight, cls, &p);
        x[0] = b[i];
        memcpy(x + 1, V + i * k, k * sizeof *x);
        check_close("x", x, want, k + 1);
    }
    free(x), free(want), free(Bw), free(Cg), free(V), free(b), free(c), free(B);
}

static void large_solves_match_each_item(void **state) {
    (void)state;
    check_large(3018, 64, PRESET_CENTRAL, 17);
    check_large(3018, 24, PRESET_HI, 7);
    check_large(100000, 24, PRESET_HI, 997);
}

/* Items whose matrix without their own rank-one term is singular to the last bit (cls 2), or has
 * three negative eigenvalues, so that the whole of it stays indefinite (cls 6). */
static void indefinite_items_are_solved_alone(void **state) {
    (void)state;
    enum { K = 2, M = 4 };
    double c[M] = {1.0, 1.0, 1.0, 1.0}, B[M * K] = {0.5, 0.5, -0.5, 0.5, 0.5, -0.5, -0.5, -0.5};
    double Cg[K * K] = {0.5, 0.0, 0.0, 0.5}, Bw[9], x[3], b[M], V[M * K];
    learn_params p = learn_params_of(PRESET_LO);
    p.item_ridge = 0.0;
    p.a0 = 0.5; /* with weight 2: P = diag(1, 1/2, 1/2), Q = diag(1 - cls, 1/2 - cls/4, ...) */
    fixture_class_moment(Bw, B, c, M, K);
    for (double cls = 2.0; cls <= 6.0; cls += 4.0) {
        assert_int_equal(learn_item_solve(b, V, B, c, M, K, 2.0, Cg, cls, &p), TACIT_OK);
        for (size_t i = 0; i < M; i++) {
            double mine[3] = {b[i], V[i * K], V[i * K + 1]};
            fixture_item(x, B + i * K, c[i], Bw, Cg, K, 2.0, cls, &p);
            check_close("x", mine, x, 3);
        }
    }
}

/* ---- Presets ----------------------------------------------------------------------------------*/
static void presets_follow_the_table(void **state) {
    (void)state;
    learn_params hi = learn_params_of(PRESET_HI), lo = learn_params_of(PRESET_LO);
    learn_params half = learn_params_of(PRESET_LO50), content = learn_params_of(PRESET_CONTENT);
    learn_params central = learn_params_of(PRESET_CENTRAL);
    assert_true(hi.k == 24 && hi.sums == 3 && hi.gradient_sums == 3 && hi.grow == 2.0);
    assert_true(hi.a0 == 0.5 && hi.a0_final == 0.7 && hi.user_ridge_final == 2.0 && hi.log_counts);
    assert_true(lo.k == 16 && lo.sums == 1 && lo.counts_share == 0.15 && !lo.log_counts);
    assert_true(lo.item_ridge == 1e-4 && lo.gram_power == 1.0 && lo.feature_scale == 0.4);
    lo.counts_share = 0.5;
    assert_true(half.k == lo.k && half.counts_share == 0.5 && half.gradient_sums == 1);
    assert_true(content.k == 0 && content.sums == 1 && content.gradient_sums == 0);
    assert_true(content.counts_share == 1.0 && content.history_floor == 5.0);
    assert_true(content.a0 == 0.5 && content.a0_final == 0.5 && content.user_ridge_final == 1.0);
    assert_true(content.content_scale == 0.03);
    assert_true(central.k == 64 && central.sums == 6 && central.class_share == 0.5);
    assert_true(central.user_ridge == 3.0 && central.history_floor == 50.0 && central.a0 == 1.0);
    assert_string_equal(learn_preset_name(PRESET_LO50), "LO50");
    assert_string_equal(learn_preset_name(PRESET_CENTRAL), "CENTRAL");
}

static void kappa_picks_the_preset(void **state) {
    (void)state;
    static const struct {
        double n, rho, cohorts, kappa;
        learn_preset preset;
    } cells[] = {
        {200, 1.22971, 1, 314, PRESET_CONTENT},      {500, 1.22971, 1, 784, PRESET_LO50},
        {1000, 1.22971, 1, 1568, PRESET_LO},         {2000, 1.22971, 1, 3137, PRESET_HI},
        {2000, 0.37314, 1, 1728, PRESET_LO},         {6018, 0.03056, 1, 1488, PRESET_LO},
        {6018, 1.22971, 4, 4719, PRESET_HI},         {6018, 1.22971, 60.18, 1217, PRESET_LO},
        {6018, 0.03056, 60.18, 192, PRESET_CONTENT},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        double kappa;
        assert_int_equal(learn_preset_choose(cells[i].n, cells[i].rho, cells[i].cohorts, &kappa),
                         cells[i].preset);
        assert_true(fabs(kappa - cells[i].kappa) < 1.0);
    }
    assert_int_equal(learn_preset_choose(3000.0, 0.5, 1.0, NULL), PRESET_HI);
    assert_int_equal(learn_preset_choose(1200.0, 0.5, 1.0, NULL), PRESET_LO);
    assert_int_equal(learn_preset_choose(400.0, 0.5, 1.0, NULL), PRESET_LO50);
    assert_int_equal(learn_preset_choose(399.0, 0.5, 1.0, NULL), PRESET_CONTENT);
    assert_int_equal(learn_preset_choose((double)NAN, 0.5, 1.0, NULL), PRESET_CONTENT);
}

/* ---- Refusals ---------------------------------------------------------------------------------*/
static tacit_status try_step(size_t where, double bad, bool in_counts, double weight,
                             double noise_std) {
    enum { M = 6, F_COUNT = 3, K = 3 };
    double F[M * F_COUNT], B[M * K], c[M], b[M], V[M * K];
    learn_params p = learn_params_of(PRESET_LO);
    p.k = K;
    for (size_t i = 0; i < M; i++) {
        F[i * 3] = (double)(i % 2);
        F[i * 3 + 1] = (double)(i % 3);
        F[i * 3 + 2] = 1.0;
        c[i] = 1.0 + (double)i;
        for (size_t d = 0; d < K; d++) B[i * K + d] = 0.1 * (double)(i + d);
    }
    *(in_counts ? &c[where] : &B[where]) = bad;
    learn_features *f = features_of(F, M, F_COUNT);
    tacit_status st = learn_step(b, V, B, c, weight, noise_std, f, &p, NULL);
    learn_features_free(f);
    return st;
}

static void bad_numbers_are_refused(void **state) {
    (void)state;
    assert_int_equal(try_step(4, 0.3, false, 10.0, 0.1), TACIT_OK);
    assert_int_equal(try_step(4, (double)NAN, false, 10.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(17, (double)INFINITY, false, 10.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(5, (double)NAN, true, 10.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(0, 0.0, true, 10.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(0, -1.0, true, 10.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(4, 0.3, false, (double)NAN, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(4, 0.3, false, 0.0, 0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(4, 0.3, false, 10.0, -0.1), TACIT_NUMERIC);
    assert_int_equal(try_step(4, 0.3, false, 10.0, (double)INFINITY), TACIT_NUMERIC);
    assert_int_equal(try_step(4, 1e300, false, 10.0, 0.1), TACIT_NUMERIC); /* overflows inside */
    /* a NaN among the counts reaches c and the weight, so that the step can refuse it */
    double y[3] = {1.0, (double)NAN, 2.0}, c[3], weight;
    learn_params p = learn_params_of(PRESET_HI);
    learn_counts(c, &weight, y, 3, 0.1, 2.0, &p);
    assert_true(isnan(c[1]) && isnan(weight));
}

static void bad_shapes_are_refused(void **state) {
    (void)state;
    double F[6] = {1.0, 1.0, 2.0, 1.0, 3.0, 1.0}, V[6], b[3] = {0}, c[3] = {1.0, 2.0, 3.0};
    double fx[6] = {0}, Wf[6] = {0}, Cg[9] = {0}, B[6] = {1.0, 0.5}, tau;
    learn_features *f = NULL;
    learn_params p = learn_params_of(PRESET_LO);
    assert_int_equal(learn_features_new(&f, F, 0, 2), TACIT_INVALID_ARGUMENT);
    assert_int_equal(learn_features_new(&f, F, 3, TACIT_MAX_FEATURE + 1), TACIT_INVALID_ARGUMENT);
    F[5] = 2.0; /* the last column is not constant */
    assert_int_equal(learn_features_new(&f, F, 3, 2), TACIT_INVALID_ARGUMENT);
    F[5] = (double)NAN;
    assert_int_equal(learn_features_new(&f, F, 3, 2), TACIT_NUMERIC);
    assert_null(f);
    F[5] = 1.0;
    f = features_of(F, 3, 2);
    assert_int_equal(learn_start(V, f, 0, 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(learn_start(V, f, TACIT_MAX_FACTOR + 1, 1), TACIT_INVALID_ARGUMENT);
    p.eb_iterations = 0;
    assert_int_equal(learn_denoise(B, Wf, &tau, c, fx, 3, 2, 2, 0.0, &p), TACIT_INVALID_ARGUMENT);
    uint32_t outside = 3;
    assert_int_equal(learn_cold_items(b, V, &outside, 1, c, fx, 2, Wf, 3, 2, 1.0, Cg, &p),
                     TACIT_INVALID_ARGUMENT);
    p.a0 = 0.0; /* and no Gram, no ridge: nothing holds the factors */
    p.item_ridge = 0.0;
    assert_int_equal(learn_item_solve(b, V, B, c, 3, 2, 1.0, Cg, 0.0, &p), TACIT_NUMERIC);
    learn_features_free(f);
    learn_features_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_match_the_reference),
        cmocka_unit_test(dump_matches_the_reference),
        cmocka_unit_test(content_matches_the_reference),
        cmocka_unit_test(start_matches_the_reference),
        cmocka_unit_test(start_is_padded),
        cmocka_unit_test(large_solves_match_each_item),
        cmocka_unit_test(indefinite_items_are_solved_alone),
        cmocka_unit_test(presets_follow_the_table),
        cmocka_unit_test(kappa_picks_the_preset),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(bad_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
