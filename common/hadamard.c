/* SPDX-License-Identifier: Apache-2.0
 * hadamard.c - fast Walsh-Hadamard transform and the seeded rotation made of it.
 *
 * Four values at a time (radix 4), so that half as many passes over memory are made as with pairs;
 * depth first, so that a part that fits the first-level cache is finished before the next one is
 * touched. The inner loops are plain C over disjoint stretches: compilers vectorise them.
 * The kernel is written once for both float types; the order of additions is fixed by count alone.
 * What it refuses: lengths that are no power of two (a programmer error: the plan was checked). */
#include "common/hadamard.h"

#include <math.h>

#include "common/crypto.h"

enum {
    CACHED_LEN = 16384, /* bytes transformed in one go: half of a usual first-level cache */
    SIGNS_LEN = 1024    /* bytes of keystream made at once */
};

/* combine: one radix-4 butterfly over four stretches of `stride` values, in place.
 * transform_cached: all levels of x[0 .. count - 1], breadth first.
 * transform: the upper levels until a quarter of a quarter fits the cache, then each on its own. */
#define DEFINE_TRANSFORM(real, combine, transform_cached, transform)                            \
    static inline void combine(real *restrict a, real *restrict b, real *restrict c,            \
                               real *restrict d, size_t stride) {                               \
        for (size_t i = 0; i < stride; i++) {                                                   \
            real ab = a[i] + b[i], a_b = a[i] - b[i], cd = c[i] + d[i], c_d = c[i] - d[i];      \
            a[i] = ab + cd;                                                                     \
            b[i] = a_b + c_d;                                                                   \
            c[i] = ab - cd;                                                                     \
            d[i] = a_b - c_d;                                                                   \
        }                                                                                       \
    }                                                                                           \
    static void transform_cached(real *x, size_t count) {                                       \
        size_t stride = 1;                                                                      \
        for (; 4 * stride <= count; stride *= 4) {                                              \
            for (real *p = x; p < x + count; p += 4 * stride)                                   \
                combine(p, p + stride, p + 2 * stride, p + 3 * stride, stride);                 \
        }                                                                                       \
        if (stride == count) return;                                                            \
        for (size_t i = 0; i < stride; i++) { /* count is twice a power of four */              \
            real a = x[i], b = x[stride + i];                                                   \
            x[i] = a + b;                                                                       \
            x[stride + i] = a - b;                                                              \
        }                                                                                       \
    }                                                                                           \
    static void transform(real *x, size_t count) {                                              \
        if (count * sizeof *x <= CACHED_LEN) {                                                  \
            transform_cached(x, count);                                                         \
            return;                                                                             \
        }                                                                                       \
        size_t stride = count / 4;                                                              \
        combine(x, x + stride, x + 2 * stride, x + 3 * stride, stride);                         \
        for (size_t i = 0; i < 4; i++) transform(x + i * stride, stride); /* depth at most 5 */ \
    }

DEFINE_TRANSFORM(float, combine_f32, transform_cached_f32, transform_f32)
DEFINE_TRANSFORM(double, combine_f64, transform_cached_f64, transform_f64)

static void check_count(size_t count) {
    assert(count >= 1 && count <= TACIT_MAX_DIMS && (count & (count - 1)) == 0);
    (void)count;
}

void tacit_hadamard_f32(float *x, size_t count) {
    check_count(count);
    transform_f32(x, count);
}

void tacit_hadamard_f64(double *x, size_t count) {
    check_count(count);
    transform_f64(x, count);
}

static void rotation_key(uint8_t key[static TACIT_KEY_LEN],
                         const uint8_t seed[static TACIT_KEY_LEN]) {
    tacit_hash_of(key, TACIT_LABEL_ROTATION, seed, TACIT_KEY_LEN);
}

/* Keystream bytes for values first .. first + 8 SIGNS_LEN - 1. */
static void sign_bits(uint8_t bits[static SIGNS_LEN], const uint8_t key[static TACIT_KEY_LEN],
                      size_t first) {
    static const uint8_t nonce[12];
    tacit_chacha20(bits, SIGNS_LEN, key, nonce, (uint32_t)(first / (8 * 64)));
}

void tacit_hadamard_signs_f32(float *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]) {
    uint8_t key[TACIT_KEY_LEN], bits[SIGNS_LEN];
    rotation_key(key, seed);
    for (size_t first = 0; first < count; first += 8 * SIGNS_LEN) {
        size_t part = count - first < 8 * SIGNS_LEN ? count - first : 8 * SIGNS_LEN;
        sign_bits(bits, key, first);
        for (size_t i = 0; i < part; i++) {
            x[first + i] *= 1.0f - 2.0f * (float)(bits[i >> 3] >> (i & 7) & 1);
        }
    }
}

void tacit_hadamard_signs_f64(double *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]) {
    uint8_t key[TACIT_KEY_LEN], bits[SIGNS_LEN];
    rotation_key(key, seed);
    for (size_t first = 0; first < count; first += 8 * SIGNS_LEN) {
        size_t part = count - first < 8 * SIGNS_LEN ? count - first : 8 * SIGNS_LEN;
        sign_bits(bits, key, first);
        for (size_t i = 0; i < part; i++) {
            x[first + i] *= 1.0 - 2.0 * (double)(bits[i >> 3] >> (i & 7) & 1);
        }
    }
}

void tacit_rotate_f32(float *x, size_t count, const uint8_t seed[static TACIT_KEY_LEN]) {
    tacit_hadamard_signs_f32(x, count, seed);
    tacit_hadamard_f32(x, count);
    const float norm = (float)(1.0 / sqrt((double)count));
    for (size_t i = 0; i < count; i++) x[i] *= norm;
}

void tacit_unrotate_f64(double *z, size_t count, const uint8_t seed[static TACIT_KEY_LEN]) {
    tacit_hadamard_f64(z, count);
    const double norm = 1.0 / sqrt((double)count);
    for (size_t i = 0; i < count; i++) z[i] *= norm;
    tacit_hadamard_signs_f64(z, count, seed);
}
