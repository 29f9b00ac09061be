/* SPDX-License-Identifier: Apache-2.0
 * prng.c - the buffered stream. Numbers are read straight from the buffer unless they straddle its
 * end, so what is drawn depends on the order of the draws alone, never on where a refill falls.
 * Refuses nothing: more than 2^32 blocks, or a bound of 0, is the caller's mistake. */
#include "common/prng.h"

#include <math.h>

#include "common/crypto.h"

void tacit_prng_init(tacit_prng *p, const uint8_t key[static TACIT_KEY_LEN], uint64_t stream) {
    memcpy(p->key, key, TACIT_KEY_LEN);
    memset(p->nonce, 0, sizeof p->nonce);
    tacit_put_u64(p->nonce, stream);
    p->block = 0;
    p->used = TACIT_PRNG_BUFFER;
}

void tacit_prng_init_seed(tacit_prng *p, uint64_t seed, uint64_t stream) {
    uint8_t in[8], key[TACIT_KEY_LEN];
    tacit_put_u64(in, seed);
    tacit_hash_of(key, TACIT_LABEL_STREAM, in, sizeof in);
    tacit_prng_init(p, key, stream);
}

void tacit_prng_refill(tacit_prng *p) {
    assert(p->block + TACIT_PRNG_BUFFER / 64 <= UINT64_C(1) << 32);
    tacit_chacha20(p->buf, sizeof p->buf, p->key, p->nonce, (uint32_t)p->block);
    p->block += TACIT_PRNG_BUFFER / 64;
    p->used = 0;
}

void tacit_prng_bytes(tacit_prng *p, void *out, size_t len) {
    uint8_t *dst = out;
    while (len > 0) {
        if (p->used == TACIT_PRNG_BUFFER) tacit_prng_refill(p);
        size_t take = TACIT_PRNG_BUFFER - p->used;
        if (take > len) take = len;
        memcpy(dst, p->buf + p->used, take);
        p->used += (uint32_t)take;
        dst += take;
        len -= take;
    }
}

uint32_t tacit_prng_u32(tacit_prng *p) {
    uint8_t b[4];
    if (TACIT_PRNG_BUFFER - p->used >= sizeof b) {
        p->used += (uint32_t)sizeof b;
        return tacit_get_u32(p->buf + p->used - sizeof b);
    }
    tacit_prng_bytes(p, b, sizeof b);
    return tacit_get_u32(b);
}

uint64_t tacit_prng_u64(tacit_prng *p) {
    uint8_t b[8];
    if (TACIT_PRNG_BUFFER - p->used >= sizeof b) {
        p->used += (uint32_t)sizeof b;
        return tacit_get_u64(p->buf + p->used - sizeof b);
    }
    tacit_prng_bytes(p, b, sizeof b);
    return tacit_get_u64(b);
}

uint32_t tacit_prng_below(tacit_prng *p, uint32_t bound) {
    assert(bound >= 1);
    /* w lies below floor(2^32 / bound) * bound iff the multiple of bound at or below it leaves room
     * for another one: one division instead of two. */
    uint32_t w, rest;
    do {
        w = tacit_prng_u32(p);
        rest = w % bound;
    } while (w - rest > 0 - bound);
    return rest;
}

double tacit_prng_unit(tacit_prng *p) {
    return (double)(tacit_prng_u64(p) >> 11) * (1.0 / 9007199254740992.0);
}

double tacit_prng_normal(tacit_prng *p) {
    double u = 1.0 - tacit_prng_unit(p); /* in (0, 1]: the logarithm is finite */
    double v = tacit_prng_unit(p);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void tacit_prng_wipe(tacit_prng *p) { tacit_wipe(p, sizeof *p); }
