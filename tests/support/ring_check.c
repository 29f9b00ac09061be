/* SPDX-License-Identifier: Apache-2.0
 * ring_check.c - one kernel against packing that moves one bit at a time, between unreadable pages.
 */
#include "tests/support/ring_check.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/ring.h"

enum { MAX_COUNT = 200 };

size_t ring_check_portable(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                           tacit_ring_op op) {
    tacit_ring_run_portable(words, in, count, bits, op);
    return count;
}

size_t ring_check_public(uint32_t *words, const uint8_t *in, size_t count, uint32_t bits,
                         tacit_ring_op op) {
    if (op == TACIT_RING_SET) tacit_ring_unpack(words, in, count, bits);
    if (op == TACIT_RING_ADD) tacit_ring_add_packed(words, in, count, bits);
    if (op == TACIT_RING_SUB) tacit_ring_sub_packed(words, in, count, bits);
    return count;
}

void ring_pack_slowly(uint8_t *out, const uint32_t *words, size_t count, uint32_t bits) {
    memset(out, 0, count * bits / 8);
    for (size_t i = 0; i < count * bits; i++)
        if (words[i / bits] >> (i % bits) & 1) out[i / 8] = (uint8_t)(out[i / 8] | 1u << (i % 8));
}

/* A page between two that cannot be touched. NULL when there is no memory. */
static uint8_t *fenced_page(size_t page) {
    uint8_t *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + page, page, PROT_READ | PROT_WRITE) != 0) return NULL;
    return map + page;
}

static void fill(uint32_t *state, uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        *state = *state * 1664525 + 1013904223;
        words[i] = *state ^ *state >> 15;
    }
}

/* One case: `words` and `in` are places for count words, packed in `in`. */
static const char *check_case(ring_kernel kernel, size_t most_left, uint32_t *words, uint8_t *in,
                              size_t count, uint32_t bits, tacit_ring_op op, uint32_t *random) {
    static uint32_t values[MAX_COUNT], before[MAX_COUNT];
    static char text[160];
    fill(random, values, count);
    fill(random, before, count);
    memcpy(words, before, 4 * count);
    ring_pack_slowly(in, values, count, bits);
    size_t done = kernel(words, in, count, bits, op);
    if (done > count || count - done > most_left) {
        snprintf(text, sizeof text, "%u bits, operation %d: took %zu of %zu words", bits, (int)op,
                 done, count);
        return text;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t v = values[i] & ring_mask_of(bits), want = v;
        if (op == TACIT_RING_ADD) want = before[i] + v;
        if (op == TACIT_RING_SUB) want = before[i] - v;
        if (i >= done) want = before[i];
        if (words[i] == want) continue;
        snprintf(text, sizeof text, "%u bits, operation %d: word %zu of %zu is %08x, not %08x",
                 bits, (int)op, i, count, words[i], want);
        return text;
    }
    return NULL;
}

const char *ring_check(ring_kernel kernel, size_t most_left) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *in = fenced_page(page), *out = fenced_page(page);
    const char *wrong = in == NULL || out == NULL ? "no fenced pages" : NULL;
    uint32_t random = 1;
    for (size_t w = 0; w < 4; w++) {
        uint32_t bits = ring_widths[w];
        for (size_t count = 0; count <= MAX_COUNT; count += bits == 20 ? 2 : 1) {
            size_t in_last = page - count * bits / 8, out_last = page - 4 * count;
            for (int op = TACIT_RING_SET; op <= TACIT_RING_SUB && wrong == NULL; op++) {
                /* Against the page behind, against the page before, somewhere between. */
                const size_t in_at[] = {in_last, 0, count % 64}, out_at[] = {out_last, 0, 4};
                for (size_t i = 0; i < 3 && wrong == NULL; i++)
                    wrong = check_case(kernel, most_left, (uint32_t *)(void *)(out + out_at[i]),
                                       in + in_at[i], count, bits, (tacit_ring_op)op, &random);
            }
        }
    }
    if (in != NULL) munmap(in - page, 3 * page);
    if (out != NULL) munmap(out - page, 3 * page);
    return wrong;
}
