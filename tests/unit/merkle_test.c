/* SPDX-License-Identifier: Apache-2.0
 * merkle_test.c - roots and paths against tests/vectors/merkle.txt, every proof of every tree of up
 * to 40 leaves, and proofs that must be refused. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/merkle.h"
#include "tests/support/vectors.h"

enum { H = TACIT_HASH_LEN, MOST = 40 };

/* ---- helpers --------------------------------------------------------------------------------- */

/* Leaf i is i in two bytes, lowest first. The caller frees. */
static uint8_t *make_leaves(size_t count, size_t room) {
    uint8_t *leaves = calloc(room, H);
    assert_non_null(leaves);
    for (size_t i = 0; i < count; i++) {
        uint8_t data[2];
        tacit_put_u16(data, (uint16_t)i);
        tacit_merkle_leaf(leaves + i * H, data, sizeof data);
    }
    return leaves;
}

/* Both ways of proving give `proof`; it verifies. */
static void check_path(const uint8_t *leaves, const uint8_t *nodes, size_t n, size_t index,
                       const uint8_t *root, uint8_t *proof, size_t *count) {
    uint8_t other[TACIT_MAX_PROOF * H];
    size_t other_count = 99;
    assert_int_equal(tacit_merkle_prove(proof, count, leaves, n, index), TACIT_OK);
    assert_int_equal(tacit_merkle_path(other, &other_count, nodes, n, index), TACIT_OK);
    assert_int_equal(*count, other_count);
    assert_memory_equal(proof, other, *count * H);
    assert_int_equal(tacit_merkle_verify(root, leaves + index * H, index, n, proof, *count),
                     TACIT_OK);
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void check_large(FILE *f) {
    uint8_t root[H], got[H], want[TACIT_MAX_PROOF * H], proof[TACIT_MAX_PROOF * H];
    size_t n = (size_t)vectors_u64(f), index = (size_t)vectors_u64(f), count;
    vectors_hex(f, root, H);
    size_t len = (size_t)vectors_u64(f);
    assert_true(len <= TACIT_MAX_PROOF);
    for (size_t i = 0; i < len; i++) vectors_hex(f, want + i * H, H);
    uint8_t *leaves = make_leaves(n, tacit_merkle_node_count(n));
    tacit_merkle_root(got, leaves, n);
    assert_memory_equal(got, root, H);
    tacit_merkle_levels(leaves, n);
    assert_memory_equal(leaves + (tacit_merkle_node_count(n) - 1) * H, root, H);
    check_path(leaves, leaves, n, index, root, proof, &count);
    assert_int_equal(count, len);
    assert_memory_equal(proof, want, len * H);
    free(leaves);
}

static void check_leaf(FILE *f, uint8_t leaves[static 8 * H]) {
    char word[VECTORS_WORD];
    uint8_t data[64];
    size_t i = (size_t)vectors_u64(f), len = 0;
    assert_true(i < 8 && vectors_word(f, word));
    if (strcmp(word, "-") != 0) {
        len = strlen(word) / 2;
        hex_decode(data, len, word);
    }
    tacit_merkle_leaf(leaves + i * H, data, len);
}

static void vectors(void **state) {
    (void)state;
    uint8_t leaves[8 * H] = {0}, nodes[32 * H], want[8 * H], proof[TACIT_MAX_PROOF * H], root[H];
    char word[VECTORS_WORD];
    int roots = 0, paths = 0, large = 0;
    FILE *f = vectors_open("merkle.txt");
    while (vectors_word(f, word)) {
        if (strcmp(word, "leaf") == 0) check_leaf(f, leaves);
        if (strcmp(word, "root") == 0) {
            size_t n = (size_t)vectors_u64(f);
            vectors_hex(f, want, H);
            tacit_merkle_root(root, leaves, n);
            assert_memory_equal(root, want, H);
            roots++;
        }
        if (strcmp(word, "path") == 0) {
            size_t n = (size_t)vectors_u64(f), index = (size_t)vectors_u64(f), count;
            size_t len = (size_t)vectors_u64(f);
            for (size_t i = 0; i < len; i++) vectors_hex(f, want + i * H, H);
            memcpy(nodes, leaves, n * H);
            tacit_merkle_levels(nodes, n);
            check_path(leaves, nodes, n, index, root, proof, &count);
            assert_int_equal(count, len);
            assert_memory_equal(proof, want, len * H);
            paths++;
        }
        if (strcmp(word, "large") == 0) {
            check_large(f);
            large++;
        }
    }
    fclose(f);
    assert_int_equal(roots, 8);
    assert_int_equal(paths, 36);
    assert_int_equal(large, 8);
}

/* ---- every proof of every small tree --------------------------------------------------------- */

static void refuse(const uint8_t *root, const uint8_t *leaf, size_t index, size_t n,
                   const uint8_t *proof, size_t count) {
    assert_int_equal(tacit_merkle_verify(root, leaf, index, n, proof, count), TACIT_BAD_PROOF);
}

/* Whatever differs from the right proof for the right leaf at the right place is refused. */
static void refuse_wrong(const uint8_t *leaves, size_t n, size_t index, const uint8_t root[H],
                         const uint8_t *right, size_t count) {
    uint8_t proof[(TACIT_MAX_PROOF + 1) * H] = {0}, bad_root[H], bad_leaf[H];
    const uint8_t *leaf = leaves + index * H;
    memcpy(proof, right, count * H);
    for (size_t other = 0; other < n + 3; other++)
        if (other != index) refuse(root, leaf, other, n, proof, count);
    for (size_t other = 0; other < n; other++)
        if (other != index) refuse(root, leaves + other * H, index, n, proof, count);
    for (size_t at = 0; at < count * H; at += 5) {
        proof[at] ^= 0x10;
        refuse(root, leaf, index, n, proof, count);
        proof[at] ^= 0x10;
    }
    memcpy(bad_root, root, H);
    memcpy(bad_leaf, leaf, H);
    for (size_t at = 0; at < H; at += 31) {
        bad_root[at] ^= 1;
        bad_leaf[at] ^= 1;
        refuse(bad_root, leaf, index, n, proof, count);
        refuse(root, bad_leaf, index, n, proof, count);
        bad_root[at] ^= 1;
        bad_leaf[at] ^= 1;
    }
    for (size_t len = 0; len < count; len++) refuse(root, leaf, index, n, proof, len);
    refuse(root, leaf, index, n, proof, count + 1);
    if (count > 0) refuse(root, leaf, index, n, proof + H, count - 1);
    if (count > 1) {
        uint8_t first[H];
        memcpy(first, proof, H);
        memcpy(proof, proof + H, H);
        memcpy(proof + H, first, H);
        refuse(root, leaf, index, n, proof, count);
    }
}

static void all_small_trees(void **state) {
    (void)state;
    uint8_t proof[TACIT_MAX_PROOF * H], root[H], nodes[3 * MOST * H];
    uint8_t *leaves = make_leaves(MOST, MOST);
    for (size_t n = 1; n <= MOST; n++) {
        size_t node_count = tacit_merkle_node_count(n), count;
        assert_true(node_count <= 3 * MOST);
        memcpy(nodes, leaves, n * H);
        tacit_merkle_levels(nodes, n);
        tacit_merkle_root(root, leaves, n);
        assert_memory_equal(nodes + (node_count - 1) * H, root, H);
        for (size_t index = 0; index < n; index++) {
            check_path(leaves, nodes, n, index, root, proof, &count);
            refuse_wrong(leaves, n, index, root, proof, count);
        }
    }
    free(leaves);
}

/* A right proof says nothing about a tree of another size with the same root, where the path to the
 * leaf would have another length. */
static void wrong_size(void **state) {
    (void)state;
    uint8_t proof[TACIT_MAX_PROOF * H], root[H];
    size_t count;
    uint8_t *leaves = make_leaves(8, 8);
    tacit_merkle_root(root, leaves, 8);
    assert_int_equal(tacit_merkle_prove(proof, &count, leaves, 8, 3), TACIT_OK);
    assert_int_equal(count, 3);
    for (size_t n = 1; n <= 4; n++) refuse(root, leaves + 3 * H, 3, n, proof, count);
    for (size_t n = 9; n <= 40; n++) refuse(root, leaves + 3 * H, 3, n, proof, count);
    /* A root made to fit a path that is too long: beyond the tree's top there is nothing to join.
     */
    tacit_sha256_prefixed(root, 1, leaves + H, H, leaves, H);
    refuse(root, leaves, 0, 1, leaves + H, 1);
    free(leaves);
}

/* An inner node must not pass for a leaf: the prefixes keep the two apart. */
static void prefixes(void **state) {
    (void)state;
    uint8_t *leaves = make_leaves(2, 2);
    uint8_t root[H], posed[H], expected[H];
    tacit_merkle_root(root, leaves, 2);
    tacit_merkle_leaf(posed, leaves, 2 * H);
    assert_memory_not_equal(root, posed, H);
    tacit_sha256_prefixed(expected, 1, leaves, 2 * H, NULL, 0);
    assert_memory_equal(root, expected, H);
    free(leaves);
}

static void bounds(void **state) {
    (void)state;
    uint8_t proof[TACIT_MAX_PROOF * H];
    size_t count, large = ((size_t)1 << TACIT_MAX_PROOF) + 1;
    uint8_t *nodes = make_leaves(3, tacit_merkle_node_count(large));
    assert_int_equal(tacit_merkle_node_count(1), 1);
    assert_int_equal(tacit_merkle_node_count(2), 3);
    assert_int_equal(tacit_merkle_node_count(3), 6);
    assert_int_equal(tacit_merkle_node_count(10000), 20005);
    assert_int_equal(tacit_merkle_prove(proof, &count, nodes, 3, 3), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_merkle_path(proof, &count, nodes, 3, 3), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_merkle_prove(proof, &count, nodes, 0, 0), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_merkle_path(proof, &count, nodes, 0, 0), TACIT_INVALID_ARGUMENT);
    refuse(nodes, nodes, 0, 0, proof, 0);
    /* One leaf more than 2^14: 15 hashes for all but the last leaf, which stands alone. */
    tacit_merkle_levels(nodes, large);
    assert_int_equal(tacit_merkle_prove(proof, &count, nodes, large, 0), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_merkle_path(proof, &count, nodes, large, 0), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_merkle_prove(proof, &count, nodes, large, large - 1), TACIT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(tacit_merkle_path(proof, &count, nodes, large, large - 1), TACIT_OK);
    assert_int_equal(count, 1);
    free(nodes);
}

static int prepare(void **state) {
    (void)state;
    return tacit_crypto_init() == TACIT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),  cmocka_unit_test(all_small_trees), cmocka_unit_test(wrong_size),
        cmocka_unit_test(prefixes), cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
