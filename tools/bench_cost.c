/* SPDX-License-Identifier: Apache-2.0
 * bench_cost.c - see bench_cost.h. The calls are those of common/crypto.h, which add nothing to
 * libsodium's but a check; dgemm is OpenBLAS's on one thread. */
#include "tools/bench_cost.h"

#include <cblas.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/transcript.h"
#include "firmware/history.h"
#include "tools/bench.h"

/* The windows of curve and stream are about as long as one phase of a device. */
enum { STREAM = 8192, STREAMS = 2500, CURVES = 500, MEMORY = 64 << 20, SIDE = 512 };

static void measure_curve(bench_cost *cost) {
    uint8_t a[TACIT_KEY_LEN] = {8}, b[TACIT_KEY_LEN] = {16}, pk[TACIT_KEY_LEN];
    uint8_t shared[TACIT_KEY_LEN], sk[TACIT_SIGN_SECRET_LEN], sig[TACIT_SIG_LEN];
    tacit_statement statement;
    tacit_status st = TACIT_OK;
    tacit_x25519_public(pk, b);
    BENCH_BEST(cost->x25519, 10, CURVES, st |= tacit_x25519(shared, a, pk));
    BENCH_BEST(cost->x25519_public, 10, CURVES, tacit_x25519_public(shared, a));
    tacit_sign_keypair(pk, sk, b);
    tacit_statement_phase(&statement, TACIT_LABEL_AGREE, a, 0, 0, b);
    BENCH_BEST(cost->sign, 10, CURVES, tacit_statement_sign(sig, &statement, sk));
    BENCH_BEST(cost->verify, 10, CURVES, st |= tacit_statement_verify(sig, &statement, pk));
    if (st != TACIT_OK) bench_fail("the cost of a curve operation");
}

static void measure_bytes(bench_cost *cost) {
    static uint8_t stream[STREAM];
    uint8_t key[TACIT_KEY_LEN] = {1}, nonce[TACIT_NONCE_LEN] = {0}, digest[TACIT_HASH_LEN];
    uint8_t record[TACIT_HISTORY_EVENT_LEN] = {0};
    uint8_t box[TACIT_HISTORY_EVENT_LEN + TACIT_TAG_LEN];
    BENCH_BEST(cost->keystream_byte, 10, STREAMS, tacit_chacha20(stream, STREAM, key, nonce, 0));
    cost->keystream_byte /= STREAM;
    BENCH_BEST(cost->hash_byte, 10, 200, tacit_hash_of(digest, TACIT_LABEL_VECTOR, stream, STREAM));
    cost->hash_byte /= STREAM;
    BENCH_BEST(cost->seal, 10, 1000,
               tacit_seal(box, record, sizeof record, key, TACIT_HISTORY_KEY_LEN, nonce, key));
}

static void measure_memory(bench_cost *cost) {
    uint8_t *from = calloc(MEMORY, 1), *to = calloc(MEMORY, 1);
    if (from == NULL || to == NULL) {
        bench_fail("the cost of a memory pass");
    } else {
        BENCH_BEST(cost->memory_byte, 5, 1, {
            memcpy(to, from, MEMORY);
            BENCH_KEEP(to);
        });
        cost->memory_byte /= MEMORY;
    }
    free(from);
    free(to);
}

static void measure_flop(bench_cost *cost) {
    double *a = calloc((size_t)3 * SIDE * SIDE, sizeof *a);
    if (a == NULL) {
        bench_fail("the cost of a dgemm flop");
        return;
    }
    double *b = a + (size_t)SIDE * SIDE, *c = b + (size_t)SIDE * SIDE;
    for (size_t i = 0; i < (size_t)2 * SIDE * SIDE; i++) a[i] = 1.0 / (double)(i + 1);
    openblas_set_num_threads(1);
    BENCH_BEST(cost->flop, 5, 2,
               cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1.0, a,
                           SIDE, b, SIDE, 0.0, c, SIDE));
    cost->flop /= 2.0 * SIDE * SIDE * SIDE;
    free(a);
}

static bench_cost least;

static void keep_least(double *kept, double now) {
    if (now < *kept) *kept = now;
}

const bench_cost *bench_cost_get(void) {
    if (least.keystream_byte > 0) return &least;
    measure_curve(&least);
    measure_bytes(&least);
    measure_memory(&least);
    measure_flop(&least);
    return &least;
}

void bench_cost_again(void) {
    bench_cost now;
    bench_cost_get();
    measure_curve(&now);
    measure_bytes(&now);
    keep_least(&least.keystream_byte, now.keystream_byte);
    keep_least(&least.hash_byte, now.hash_byte);
    keep_least(&least.seal, now.seal);
    keep_least(&least.x25519, now.x25519);
    keep_least(&least.x25519_public, now.x25519_public);
    keep_least(&least.sign, now.sign);
    keep_least(&least.verify, now.verify);
}

void bench_cost_add(bench_cost *sum) {
    static uint8_t stream[STREAM];
    uint8_t key[TACIT_KEY_LEN] = {1}, point[TACIT_KEY_LEN];
    double keystream, x25519, x25519_public;
    tacit_x25519_public(point, key);
    BENCH_BEST(keystream, 1, STREAMS, tacit_chacha20(stream, STREAM, key, point, 0));
    BENCH_BEST(x25519, 1, CURVES, (void)!tacit_x25519(key, key, point));
    BENCH_BEST(x25519_public, 1, CURVES, tacit_x25519_public(key, key));
    sum->keystream_byte += keystream / STREAM;
    sum->x25519 += x25519;
    sum->x25519_public += x25519_public;
}
