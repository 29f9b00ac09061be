/* SPDX-License-Identifier: Apache-2.0
 * base.h - what every file may rely on: byte order, checked results, small helpers.
 *
 * Conventions of the whole house. Pointers are never NULL unless a comment says so. Lengths count
 * bytes when named _len and elements when named _count. Matrices are row-major and their shapes are
 * written [rows x cols]. Everything that stands in a signed or stored byte string is little-endian
 * and of fixed length. Functions return a tacit_status; a result that is not OK leaves the outputs
 * unspecified unless said otherwise. No function of common/ keeps a pointer after it returns, holds
 * hidden state, allocates, prints or reads a clock; so all of them are thread-safe as long as two
 * threads do not write the same object. */
#ifndef TACIT_COMMON_BASE_H
#define TACIT_COMMON_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/limits.h"
#include "common/status.h"

#if defined(__GNUC__)
#define TACIT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define TACIT_MUST_CHECK
#endif

/* A borrowed, read-only byte string. */
typedef struct {
    const uint8_t *data;
    size_t len;
} tacit_bytes;

/* Where a producer puts its bytes, piece by piece. `write` returns OK, or the status that ends the
 * production; the producer hands it on unchanged. */
typedef struct {
    void *self;
    tacit_status (*write)(void *self, const uint8_t *data, size_t len);
} tacit_sink;

static inline tacit_bytes tacit_bytes_of(const void *data, size_t len) {
    tacit_bytes b = {(const uint8_t *)data, len};
    return b;
}

static inline void tacit_put_u16(uint8_t *out, uint16_t v) {
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
}

static inline void tacit_put_u32(uint8_t *out, uint32_t v) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(v >> (8 * i));
}

static inline void tacit_put_u64(uint8_t *out, uint64_t v) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(v >> (8 * i));
}

static inline uint16_t tacit_get_u16(const uint8_t *in) {
    return (uint16_t)(in[0] | (uint16_t)(in[1] << 8));
}

static inline uint32_t tacit_get_u32(const uint8_t *in) {
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline uint64_t tacit_get_u64(const uint8_t *in) {
    return (uint64_t)tacit_get_u32(in) | (uint64_t)tacit_get_u32(in + 4) << 32;
}

/* IEEE 754 bits of a double, little-endian. */
static inline void tacit_put_f64(uint8_t *out, double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    tacit_put_u64(out, bits);
}

static inline double tacit_get_f64(const uint8_t *in) {
    uint64_t bits = tacit_get_u64(in);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Bitmap over roster indices: bit i is bit i mod 8 (lowest first) of byte i / 8 (security.md H1).
 */
static inline bool tacit_bit_get(const uint8_t *bitmap, uint32_t i) {
    return (bitmap[i >> 3] >> (i & 7)) & 1;
}

static inline void tacit_bit_set(uint8_t *bitmap, uint32_t i) {
    bitmap[i >> 3] = (uint8_t)(bitmap[i >> 3] | 1u << (i & 7));
}

static inline size_t tacit_bitmap_len(uint32_t n) { return ((size_t)n + 7) / 8; }

/* Number of bits set in a bitmap of n bits; the spare bits of the last byte count too, so a bitmap
 * that was not checked by tacit_bitmap_check gives too much rather than too little. */
static inline uint32_t tacit_bitmap_count(const uint8_t *bitmap, uint32_t n) {
    uint32_t count = 0;
    for (size_t i = 0; i < tacit_bitmap_len(n); i++)
        count += (uint32_t)__builtin_popcount(bitmap[i]);
    return count;
}

/* True when `len` is exactly right for n bits and the spare bits are zero (H1). */
static inline bool tacit_bitmap_check(const uint8_t *bitmap, size_t len, uint32_t n) {
    if (len != tacit_bitmap_len(n)) return false;
    return (n & 7) == 0 || (bitmap[len - 1] >> (n & 7)) == 0;
}

/* True when every bit of `inner` is also set in `outer`; both hold n bits. */
static inline bool tacit_bitmap_subset(const uint8_t *inner, const uint8_t *outer, uint32_t n) {
    uint8_t extra = 0;
    for (size_t i = 0; i < tacit_bitmap_len(n); i++) extra |= (uint8_t)(inner[i] & ~outer[i]);
    return extra == 0;
}

#endif
