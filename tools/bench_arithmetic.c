/* SPDX-License-Identifier: Apache-2.0
 * bench_arithmetic.c - the kernels of common/ against the bare keystream. */
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/mask.h"
#include "common/ring.h"
#include "common/ring_kernel.h"
#include "common/shamir.h"
#include "common/skellam.h"
#include "tools/bench.h"

enum { DIMS = 1 << 17 };

/* Best of five runs of eight. */
#define BEST(best, statement) BENCH_BEST(best, 5, 8, statement)
/* For what takes far less than a millisecond: many short runs, of which some are left alone. */
#define BESIDE(best, statement, limit, limit_statement) \
    BENCH_BEST_BESIDE(best, statement, limit, limit_statement, 200, 2)

/* Unpacking and adding, against the memory's part in it: a vector of 32-bit words read and another
 * moved to and from the CPU once, which is what copying does. (tacit_ring_add is no limit: compiled
 * for any x86-64, its narrow registers keep less of the memory busy.) */
static void unpacking(uint32_t *words, const uint8_t *stream) {
    const uint32_t widths[] = {16, 20, 24, 32};
    if (!bench_wanted("ring.add_packed")) return;
    for (size_t i = 0; i < 4; i++) {
        double add, copy;
        char params[64];
        BESIDE(add, tacit_ring_add_packed(words, stream, DIMS, widths[i]), copy,
               memcpy(words, stream, DIMS * sizeof *words);
               BENCH_KEEP(words));
        snprintf(params, sizeof params, "bits=%u dims=%d kernel=%s", widths[i], DIMS,
                 tacit_ring_kernel_name());
        bench_row("ring.add_packed", add * 1e6, "us", copy * 1e6, params);
    }
}

static void masks(uint32_t *words, uint8_t *stream, const uint8_t *key) {
    const uint32_t widths[] = {16, 20, 24, 32};
    const uint8_t nonce[12] = {0};
    for (size_t i = 0; i < 4; i++) {
        double apply, bare;
        char params[64];
        size_t len = tacit_ring_packed_len(DIMS, widths[i]);
        BESIDE(apply, tacit_mask_apply(words, 0, DIMS, widths[i], key, false), bare,
               tacit_chacha20(stream, len, key, nonce, 0));
        snprintf(params, sizeof params, "bits=%u dims=%d", widths[i], DIMS);
        bench_row("mask.apply", apply, "cpu s", bare, params);
    }
}

static void sampler(int32_t *q, uint8_t *stream, const uint8_t *key) {
    const uint64_t variances[] = {300, 5000};
    const uint8_t nonce[12] = {0};
    for (size_t i = 0; i < 2; i++) {
        tacit_skellam s;
        tacit_prng prng;
        double draw, bare;
        char params[64];
        if (tacit_skellam_init(&s, variances[i]) != TACIT_OK) continue;
        tacit_prng_init(&prng, key, 1);
        BEST(draw, tacit_skellam_add(q, DIMS, &s, &prng));
        /* The randomness it consumes: 16 bytes a table draw. */
        BEST(bare, for (uint32_t p = 0; p < s.part_count; p++)
                       tacit_chacha20(stream, (size_t)DIMS * 16, key, nonce, 0));
        snprintf(params, sizeof params, "variance=%llu parts=%u dims=%d",
                 (unsigned long long)variances[i], s.part_count, DIMS);
        bench_row("skellam", draw, "cpu s", bare, params);
    }
}

static void transform(float *x) {
    double took, copy;
    uint8_t seed[TACIT_KEY_LEN] = {7};
    float *other = malloc(DIMS * sizeof *other);
    if (other == NULL) return;
    for (size_t i = 0; i < DIMS; i++) x[i] = 1.0f / (float)(i + 1);
    BEST(took, tacit_rotate_f32(x, DIMS, seed));
    BEST(
        copy, for (int pass = 0; pass < 17; pass++) {
            memcpy(other, x, DIMS * sizeof *x);
            BENCH_KEEP(other);
        });
    free(other);
    bench_row("hadamard", took, "cpu s", copy, "dims=131072 limit=17 copies");
}

static void sharing(const uint8_t *key) {
    enum { HOLDERS = 264, THRESHOLD = 171 };
    static uint8_t shares[HOLDERS * TACIT_SHARE_LEN];
    static uint16_t points[HOLDERS];
    static uint64_t lagrange[THRESHOLD];
    uint8_t secret[TACIT_SECRET_LEN] = {1, 2, 3};
    tacit_prng prng;
    double deal, combine;
    for (size_t i = 0; i < HOLDERS; i++) points[i] = (uint16_t)(i + 1);
    tacit_prng_init(&prng, key, 2);
    tacit_status st = TACIT_OK;
    BEST(deal, st = tacit_shamir_deal(shares, secret, points, HOLDERS, THRESHOLD, &prng));
    if (st != TACIT_OK || tacit_shamir_lagrange(lagrange, points, THRESHOLD) != TACIT_OK) return;
    BEST(combine, st = tacit_shamir_combine(secret, shares, TACIT_SHARE_LEN, lagrange, THRESHOLD));
    if (st != TACIT_OK) return;
    bench_row("shamir.deal", deal * 1e6, "us", 0, "holders=264 threshold=171");
    bench_row("shamir.combine", combine * 1e6, "us", 0, "threshold=171, coefficients cached");
}

void bench_arithmetic(void) {
    uint8_t key[TACIT_KEY_LEN] = {42};
    uint32_t *words = calloc(DIMS, sizeof *words);
    uint8_t *stream = malloc((size_t)DIMS * 16);
    if (words != NULL && stream != NULL) {
        memset(stream, 1, (size_t)DIMS * 16);
        unpacking(words, stream);
        masks(words, stream, key);
        memset(words, 0, DIMS * sizeof *words);
        sampler((int32_t *)words, stream, key);
        transform((float *)(void *)stream);
        sharing(key);
    }
    free(words);
    free(stream);
}
