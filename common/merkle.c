/* SPDX-License-Identifier: Apache-2.0
 * merkle.c - the tree of RFC 9162 section 2.1, seen as levels.
 *
 * The RFC splits n leaves at the largest power of two below n. Pairing neighbours level by level
 * and moving a last odd node up unchanged gives the same tree; so a node of level k covers the
 * leaves [i * 2^k, (i + 1) * 2^k) cut at n, and nothing here needs recursion or memory for a whole
 * level. */
#include "common/merkle.h"

#include "common/crypto.h"

static void join(uint8_t out[static TACIT_HASH_LEN], const uint8_t *left, const uint8_t *right) {
    tacit_sha256_prefixed(out, 1, left, TACIT_HASH_LEN, right, TACIT_HASH_LEN);
}

void tacit_merkle_leaf(uint8_t out[static TACIT_HASH_LEN], const void *data, size_t len) {
    tacit_sha256_prefixed(out, 0, data, len, NULL, 0);
}

/* RFC 9162 2.1.2: after leaf i the stack holds one complete subtree for each bit set in i + 1, the
 * largest first; what is left at the end is joined from the right. */
void tacit_merkle_root(uint8_t root[static TACIT_HASH_LEN], const uint8_t *leaves,
                       size_t leaf_count) {
    uint8_t stack[8 * sizeof leaf_count][TACIT_HASH_LEN];
    size_t depth = 0;
    assert(leaf_count >= 1);
    for (size_t i = 0; i < leaf_count; i++) {
        memcpy(stack[depth++], leaves + i * TACIT_HASH_LEN, TACIT_HASH_LEN);
        for (size_t merge = i; merge & 1; merge >>= 1) {
            depth--;
            join(stack[depth - 1], stack[depth - 1], stack[depth]);
        }
    }
    for (; depth > 1; depth--) join(stack[depth - 2], stack[depth - 2], stack[depth - 1]);
    memcpy(root, stack[0], TACIT_HASH_LEN);
}

tacit_status tacit_merkle_prove(uint8_t *proof, size_t *proof_count, const uint8_t *leaves,
                                size_t leaf_count, size_t index) {
    if (index >= leaf_count) return TACIT_INVALID_ARGUMENT;
    size_t count = 0;
    /* The last node of level k is (leaf_count - 1) >> k: when it is node 0, the level is the root.
     */
    for (unsigned k = 0; (leaf_count - 1) >> k > 0; k++) {
        size_t sibling = (index >> k) ^ 1;
        if (sibling > (leaf_count - 1) >> k) continue; /* moves up unchanged */
        if (count == TACIT_MAX_PROOF) return TACIT_INVALID_ARGUMENT;
        size_t start = sibling << k, left = leaf_count - start, width = (size_t)1 << k;
        tacit_merkle_root(proof + count * TACIT_HASH_LEN, leaves + start * TACIT_HASH_LEN,
                          left < width ? left : width);
        count++;
    }
    *proof_count = count;
    return TACIT_OK;
}

size_t tacit_merkle_node_count(size_t leaf_count) {
    size_t count = leaf_count;
    while (leaf_count > 1) {
        leaf_count = leaf_count / 2 + leaf_count % 2;
        count += leaf_count;
    }
    return count;
}

void tacit_merkle_levels(uint8_t *nodes, size_t leaf_count) {
    assert(leaf_count >= 1);
    uint8_t *level = nodes;
    for (size_t n = leaf_count; n > 1; n = n / 2 + n % 2) {
        uint8_t *above = level + n * TACIT_HASH_LEN, *out = above;
        for (size_t i = 0; i + 1 < n; i += 2, out += TACIT_HASH_LEN)
            join(out, level + i * TACIT_HASH_LEN, level + (i + 1) * TACIT_HASH_LEN);
        if (n % 2 == 1) memcpy(out, level + (n - 1) * TACIT_HASH_LEN, TACIT_HASH_LEN);
        level = above;
    }
}

tacit_status tacit_merkle_path(uint8_t *proof, size_t *proof_count, const uint8_t *nodes,
                               size_t leaf_count, size_t index) {
    if (index >= leaf_count) return TACIT_INVALID_ARGUMENT;
    size_t count = 0;
    const uint8_t *level = nodes;
    for (size_t n = leaf_count; n > 1; n = n / 2 + n % 2, index /= 2) {
        size_t sibling = index ^ 1;
        if (sibling < n) {
            if (count == TACIT_MAX_PROOF) return TACIT_INVALID_ARGUMENT;
            memcpy(proof + count * TACIT_HASH_LEN, level + sibling * TACIT_HASH_LEN,
                   TACIT_HASH_LEN);
            count++;
        }
        level += n * TACIT_HASH_LEN;
    }
    *proof_count = count;
    return TACIT_OK;
}

/* The RFC's algorithm, with its names: fn is the node's place in its level, sn the level's last. */
tacit_status tacit_merkle_verify(const uint8_t root[static TACIT_HASH_LEN],
                                 const uint8_t leaf[static TACIT_HASH_LEN], size_t index,
                                 size_t leaf_count, const uint8_t *proof, size_t proof_count) {
    if (index >= leaf_count) return TACIT_BAD_PROOF;
    size_t fn = index, sn = leaf_count - 1;
    uint8_t r[TACIT_HASH_LEN];
    memcpy(r, leaf, sizeof r);
    for (size_t i = 0; i < proof_count; i++) {
        const uint8_t *p = proof + i * TACIT_HASH_LEN;
        if (sn == 0) return TACIT_BAD_PROOF;
        if ((fn & 1) || fn == sn) {
            join(r, p, r);
            for (; !(fn & 1) && fn != 0; fn >>= 1) sn >>= 1;
        } else {
            join(r, r, p);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && tacit_equal(r, root, sizeof r) ? TACIT_OK : TACIT_BAD_PROOF;
}
