/* SPDX-License-Identifier: Apache-2.0
 * bench_cost.h - what one piece of unavoidable work costs on this machine, each measured alone: the
 * limits of the bigger rows are counts times these. Measured on first use. */
#ifndef TACIT_TOOLS_BENCH_COST_H
#define TACIT_TOOLS_BENCH_COST_H

/* CPU seconds; the least of several runs. */
typedef struct {
    double keystream_byte; /* ChaCha20, written to a buffer of 8 KB */
    double hash_byte;      /* BLAKE2b */
    double memory_byte;    /* copied, from and to memory beyond the caches */
    double x25519, x25519_public;
    double sign, verify; /* Ed25519 over a statement */
    double seal;         /* XChaCha20-Poly1305 of one history record */
    double flop;         /* of dgemm 512 x 512 on one thread: a multiply or an add */
} bench_cost;

const bench_cost *bench_cost_get(void);
/* Measures all but memory and dgemm again and keeps the least: beside a value that takes seconds,
 * so that value and limit saw the same machine. */
void bench_cost_again(void);
/* Adds keystream and X25519 as one window each shows them now. A value that is a single long run is
 * no least of anything, so its limit is a mean over windows in between. */
void bench_cost_add(bench_cost *sum);

#endif
