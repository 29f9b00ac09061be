/* SPDX-License-Identifier: Apache-2.0
 * hypergeometric.c - one tail, walked outwards from the mode and summed back inwards.
 * The mode has weight 1, so nothing overflows; far terms may underflow to zero, which is far below
 * any bound that is compared here. No lgamma or exp: their last bits differ between libraries. */
#include "common/hypergeometric.h"

#include <float.h>

#if FLT_EVAL_METHOD != 0 || defined(__FAST_MATH__)
#error "thresholds need plain IEEE doubles: no extended precision, no -ffast-math"
#endif

/* Pr[X = x + 1] / Pr[X = x]. The products are below 2^53, so one division rounds, once. */
static double ratio_up(uint32_t n, uint32_t marked, uint32_t draws, uint32_t x) {
    double num = (double)(marked - x) * (double)(draws - x);
    double den = ((double)x + 1.0) * ((double)n - (double)marked - (double)draws + (double)x + 1.0);
    return num / den;
}

/* Pr[X = x - 1] / Pr[X = x]. */
static double ratio_down(uint32_t n, uint32_t marked, uint32_t draws, uint32_t x) {
    double num = (double)x * ((double)n - (double)marked - (double)draws + (double)x);
    double den = ((double)marked - (double)x + 1.0) * ((double)draws - (double)x + 1.0);
    return num / den;
}

uint32_t tacit_hypergeometric_above(uint32_t n, uint32_t marked, uint32_t draws, double scale) {
    assert(marked <= n && draws <= n && draws <= TACIT_MAX_NEIGHBOURS && n <= TACIT_MAX_COHORT);
    uint32_t last = draws < marked ? draws : marked;
    uint32_t first = draws + marked > n ? draws + marked - n : 0;
    uint32_t mode = (draws + 1) * (marked + 1) / (n + 2);

    double weight[TACIT_MAX_NEIGHBOURS + 1]; /* of mode, mode + 1, ..., last */
    weight[0] = 1.0;
    for (uint32_t x = mode; x < last; x++)
        weight[x + 1 - mode] = weight[x - mode] * ratio_up(n, marked, draws, x);

    double total = 0.0;
    for (uint32_t x = last; x > mode; x--) total += weight[x - mode];
    double down = 1.0;
    for (uint32_t x = mode; x > first; x--) {
        total += down;
        down *= ratio_down(n, marked, draws, x);
    }
    total += down;

    /* The mode itself always crosses the bound: total <= draws + 1 < scale. */
    uint32_t tau = last;
    double tail = weight[last - mode];
    while (tail * scale <= total && tau > mode) {
        tau--;
        tail += weight[tau - mode];
    }
    return tau;
}
