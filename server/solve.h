/* SPDX-License-Identifier: Apache-2.0
 * solve.h - the server's learning step: from noisy sums to the next item factors. All of it is
 * post-processing of released sums and public features, so it costs no privacy.
 *
 * Equations: docs/ALGORITHM.md (algorithm: empirical-Bayes regression of B on public features with
 * James-Stein shrinkage of the rest, shared Gram with a class term, damped Newton step per item).
 * Matrices are row-major doubles. M items, k factor length, f features (constant column included).
 * BLAS/LAPACK do the dense work; results do not depend on the thread count beyond rounding.
 * Functions allocate and free their own scratch; NUMERIC when a system is singular or an input is
 * not finite, NO_SPACE when memory runs out. Thread-safe on distinct outputs. */
#ifndef TACIT_SERVER_SOLVE_H
#define TACIT_SERVER_SOLVE_H

#include "common/base.h"

/* Learning hyper-parameters: one preset, algorithm.md section 4. */
typedef struct {
    uint32_t k;    /* factor length; 0 in CONTENT */
    uint32_t sums; /* T gradient sums; CONTENT has 1 sum of counts and gradient_sums 0 */
    uint32_t gradient_sums;
    double grow;         /* budget growth per gradient sum */
    double a0, a0_final; /* weight of unobserved pairs while training / at the end */
    double item_ridge;   /* lam */
    double user_ridge, user_ridge_final; /* lu, luf */
    double
        user_ridge_exponent; /* luH: ridge grows with (H/100)^luH, while training and at the end */
    double history_floor;    /* h0 */
    double leave_one_out;    /* loo */
    double class_share, gram_power; /* cls, gm */
    double feature_scale;           /* fc: scale of appended content features */
    double counts_share;            /* f_cnt */
    bool log_counts;                /* logc: log-count regressors */
    double feature_ridge;           /* ridge of the empirical-Bayes regression */
    double weight_norm;             /* wn: W = wn n^2 / sum c */
    uint32_t eb_iterations;
    double content_scale; /* fs: CONTENT's V := fs * whitened features */
} learn_params;

typedef enum { PRESET_HI, PRESET_LO, PRESET_LO50, PRESET_CONTENT, PRESET_CENTRAL } learn_preset;

/* The table of algorithm.md section 4. PRESET_CENTRAL is the large non-private setting k = 64,
 * T = 6. With gradient_sums forced to 2 by a caller, user_ridge should be 2 (see there). */
learn_params learn_params_of(learn_preset preset);
const char *learn_preset_name(learn_preset preset);
/* The public kappa rule: kappa = n sqrt(2 rho) / sqrt(cohorts) -> HI, LO, LO50 or CONTENT. */
learn_preset learn_preset_choose(double n, double rho, double cohorts, double *kappa);

/* Features of the catalogue, prepared once: */
typedef struct learn_features learn_features;
/* features: [item_count x feature_count], finite, with a constant last column. Copies. */
TACIT_MUST_CHECK tacit_status learn_features_new(learn_features **out, const double *features,
                                                 size_t item_count, size_t feature_count);
void learn_features_free(learn_features *f);
size_t learn_features_count(const learn_features *f);
size_t learn_features_items(const learn_features *f);

/* Public start: V [M x k] = leading principal components of the centred features, padded with small
 * columns from the seed's stream when f < k, scaled to overall std 0.1 / sqrt k. */
TACIT_MUST_CHECK tacit_status learn_start(double *V, const learn_features *f, uint32_t k,
                                          uint64_t seed);

/* counts c [M] from the noisy count block y [M] (already divided by a_c; std noise_std per number):
 * c = max(y, max(noise_std / 2, 1e-3)); *weight = W = wn n^2 / max(sum y, n). */
void learn_counts(double *c, double *weight, const double *y, size_t item_count, double noise_std,
                  double n, const learn_params *p);

/* Result of one Newton step. */
typedef struct {
    double cls;    /* class share really used after the guard */
    double tau;    /* empirical-Bayes variance found */
    double signal; /* Z of the raw B (algorithm.md, post-hoc check); infinite without noise */
} learn_report;

/* One gradient sum to the next model. B [M x k]: noisy sum divided by a_b, std noise_std per number
 * (0: no noise); it is overwritten by its denoised value. b [M], V [M x k] receive the solution.
 * report may be NULL. */
TACIT_MUST_CHECK tacit_status learn_step(double *b, double *V, double *B, const double *c,
                                         double weight, double noise_std, const learn_features *f,
                                         const learn_params *p, learn_report *report);

/* The parts of learn_step, for tests against the reference: */
/* Fx [M x *fx_count]: [F, x, x^2] with x = centred log c when log_counts, else F. fx must hold
 * M x (f + 2). */
void learn_regressors(double *fx, size_t *fx_count, const learn_features *f, const double *c,
                      bool log_counts);
/* B <- denoised B; Wf [fx_count x k] receives the regression weights. */
TACIT_MUST_CHECK tacit_status learn_denoise(double *B, double *Wf, double *tau, const double *c,
                                            const double *fx, size_t item_count, size_t fx_count,
                                            size_t k, double noise_variance, const learn_params *p);
/* Cg [k x k] and the guarded class share. */
TACIT_MUST_CHECK tacit_status learn_second_moment(double *Cg, double *cls, const double *B,
                                                  const double *c, size_t item_count, size_t k,
                                                  const learn_params *p);
TACIT_MUST_CHECK tacit_status learn_item_solve(double *b, double *V, const double *B,
                                               const double *c, size_t item_count, size_t k,
                                               double weight, const double *Cg, double cls,
                                               const learn_params *p);
/* Items nobody touched (c at its floor are NOT special here): factor of an item with no data at
 * all: c := median c, B := c Fx Wf, same solve with cls 0. cold [cold_count] are item indices whose
 * rows of b and V are replaced. */
TACIT_MUST_CHECK tacit_status learn_cold_items(double *b, double *V, const uint32_t *cold,
                                               size_t cold_count, const double *c, const double *fx,
                                               size_t fx_count, const double *Wf, size_t item_count,
                                               size_t k, double weight, const double *Cg,
                                               const learn_params *p);

/* The final appended part: X [M x f] whitened content features scaled by fc (or by content_scale
 * alone when k == 0). Uses V only for its scale. */
TACIT_MUST_CHECK tacit_status learn_extend(double *X, const learn_features *f, const double *V,
                                           const double *c, uint32_t k, const learn_params *p);
/* CONTENT: b = c / (c + a0 W). */
void learn_content_bias(double *b, const double *c, size_t item_count, double weight,
                        const learn_params *p);

#endif
