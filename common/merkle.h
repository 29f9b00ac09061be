/* SPDX-License-Identifier: Apache-2.0
 * merkle.h - Merkle tree hash, inclusion and consistency as in RFC 9162 (section 2.1), SHA-256.
 * Leaf hash = SHA-256(0x00 | data), node = SHA-256(0x01 | left | right). */
#ifndef TACIT_COMMON_MERKLE_H
#define TACIT_COMMON_MERKLE_H

#include "common/base.h"

void tacit_merkle_leaf(uint8_t out[static TACIT_HASH_LEN], const void *data, size_t len);

/* Root over leaf_count leaf hashes [leaf_count x TACIT_HASH_LEN]; leaf_count >= 1. The leaves are
 * not changed. Stack: O(log n) (RFC 9162 2.1.2 style). */
void tacit_merkle_root(uint8_t root[static TACIT_HASH_LEN], const uint8_t *leaves,
                       size_t leaf_count);

/* Audit path of leaf `index`: *proof_count hashes of at most TACIT_MAX_PROOF (for leaf_count up to
 * TACIT_MAX_COHORT) into proof, leaf's sibling first. INVALID_ARGUMENT when index >= leaf_count or
 * the path is longer than TACIT_MAX_PROOF. O(n) hashes: servers that need all proofs use
 * tacit_merkle_levels. */
TACIT_MUST_CHECK tacit_status tacit_merkle_prove(uint8_t *proof, size_t *proof_count,
                                                 const uint8_t *leaves, size_t leaf_count,
                                                 size_t index);

/* All levels at once: nodes[0..leaf_count-1] are the leaf hashes given by the caller, the levels
 * above follow (a last odd node moves up unchanged). nodes must have room for
 * tacit_merkle_node_count(leaf_count) hashes; the last one is the root. tacit_merkle_path then
 * reads a proof in O(log n). Roots and proofs equal those of the functions above. */
size_t tacit_merkle_node_count(size_t leaf_count);
void tacit_merkle_levels(uint8_t *nodes, size_t leaf_count);
TACIT_MUST_CHECK tacit_status tacit_merkle_path(uint8_t *proof, size_t *proof_count,
                                                const uint8_t *nodes, size_t leaf_count,
                                                size_t index);

/* Verifies by RFC 9162 2.1.3.2. BAD_PROOF when it does not lead to root, has the wrong length, or
 * index >= leaf_count. */
TACIT_MUST_CHECK tacit_status tacit_merkle_verify(const uint8_t root[static TACIT_HASH_LEN],
                                                  const uint8_t leaf[static TACIT_HASH_LEN],
                                                  size_t index, size_t leaf_count,
                                                  const uint8_t *proof, size_t proof_count);

#endif
