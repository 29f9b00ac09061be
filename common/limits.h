/* SPDX-License-Identifier: Apache-2.0
 * limits.h - every named bound, in one place. A peer that goes above one of them is refused before
 * anything is allocated for it (security.md M12). proto/tacit.options states the same numbers;
 * common/wire.c asserts at compile time that they agree. */
#ifndef TACIT_COMMON_LIMITS_H
#define TACIT_COMMON_LIMITS_H

enum {
    TACIT_PROTOCOL_VERSION = 1,     /* the version this code speaks */
    TACIT_PROTOCOL_VERSION_MIN = 1, /* the oldest version it still speaks */

    TACIT_HASH_LEN = 32,        /* BLAKE2b-256 and SHA-256 */
    TACIT_KEY_LEN = 32,         /* X25519 and Ed25519 public keys, symmetric keys, seeds */
    TACIT_SIGN_SECRET_LEN = 64, /* Ed25519 secret key as libsodium keeps it */
    TACIT_SIG_LEN = 64,         /* Ed25519 signature */
    TACIT_TAG_LEN = 16,         /* Poly1305 tag */
    TACIT_NONCE_LEN = 24,       /* XChaCha20-Poly1305 nonce */

    TACIT_SECRET_LEN = 31, /* a Shamir-shared round secret (s or b) */
    TACIT_SHARE_LEN = 40,  /* one share of it: five limbs mod 2^61 - 1 */
    TACIT_SEALED_SHARE_LEN = TACIT_SHARE_LEN + TACIT_TAG_LEN,

    TACIT_CERT_LEN = 110, /* encoded certificate, see cert.h */
    TACIT_PLAN_LEN = 512, /* encoded plan, see plan.h */

    TACIT_MAX_COHORT = 10000,       /* devices in one cohort */
    TACIT_COMPLETE_GRAPH_MAX = 512, /* up to here everyone is everyone's neighbour */
    TACIT_MAX_CYCLES = 600,         /* Hamiltonian cycles in a graph */
    TACIT_MAX_NEIGHBOURS = 1200,    /* distinct neighbours of one device */
    TACIT_MAX_DIMS = 1 << 20,       /* padded length of an update */
    TACIT_MAX_BITMAP_LEN = (TACIT_MAX_COHORT + 7) / 8,
    TACIT_MAX_PROOF = 14, /* hashes of an inclusion proof: ceil(log2 MAX_COHORT) */

    TACIT_MAX_MESSAGE_LEN = 4608, /* one encoded protobuf message, far below nanopb's 64 KB */
    TACIT_IDS_PER_MESSAGE = 128,  /* roster ids in one message */

    TACIT_MAX_ITEMS = 1 << 20, /* items in a model */
    TACIT_MAX_FACTOR = 128,    /* k, the learned factor's length */
    TACIT_MAX_FEATURE = 128,   /* f, the appended feature part's length */
    TACIT_MAX_HISTORY = 4096,  /* distinct items of a person that count */

    TACIT_CYCLES_MAX_DROPOUT = 250,   /* per thousand; above: complete graph only */
    TACIT_CYCLES_MAX_COLLUDING = 200, /* per thousand; above: complete graph only */

    TACIT_JOIN_PHASE_MAX_S = 480,  /* the join phase is at most 8 minutes */
    TACIT_JOIN_ANSWER_MAX_S = 600, /* a join answer later than this after the join is refused */
    TACIT_HOLD_MAX_S = 50,         /* a held answer becomes 202 after this */

    TACIT_NOTE_LEN = 120 /* longest human sentence in a Problem message */
};

#endif
