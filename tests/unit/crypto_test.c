/* SPDX-License-Identifier: Apache-2.0
 * crypto_test.c - known answers of the RFCs through our wrappers, labels that keep purposes apart,
 * and what must be refused: low-order keys, altered signatures, altered boxes. The answers under
 * labels stand in tests/vectors/mask.txt. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/prng.h"
#include "tests/support/vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- hashes and labels ----------------------------------------------------------------------- */

static void labels_known(void **state) {
    (void)state;
    uint8_t key[32], want[32], got[32];
    char word[VECTORS_WORD], text[VECTORS_WORD];
    bool covered[TACIT_LABEL_COUNT] = {false};
    for (size_t i = 0; i < 32; i++) key[i] = (uint8_t)i;
    FILE *f = vectors_open("mask.txt");
    while (vectors_word(f, word)) {
        if (strcmp(word, "label") != 0) {
            vectors_skip_line(f);
            continue;
        }
        assert_true(vectors_word(f, text));
        int label = 0;
        while (label < TACIT_LABEL_COUNT && strcmp(tacit_label_text((tacit_label)label), text) != 0)
            label++;
        if (label == TACIT_LABEL_COUNT) fail_msg("no label says %s", text);
        vectors_hex(f, want, 32);
        tacit_hash_of(got, (tacit_label)label, "abc", 3);
        assert_memory_equal(got, want, 32);
        vectors_hex(f, want, 32);
        tacit_mac(got, key, (tacit_label)label, "abc", 3);
        assert_memory_equal(got, want, 32);
        for (int i = 0; i < TACIT_LABEL_COUNT; i++)
            covered[i] |= strcmp(tacit_label_text((tacit_label)i), text) == 0;
    }
    fclose(f);
    for (int i = 0; i < TACIT_LABEL_COUNT; i++)
        if (!covered[i]) fail_msg("make_mask.py lacks %s", tacit_label_text((tacit_label)i));
}

/* Different labels never give the same hash, except the two that share one string by design. */
static void labels_apart(void **state) {
    (void)state;
    static uint8_t hashes[TACIT_LABEL_COUNT][32];
    for (int i = 0; i < TACIT_LABEL_COUNT; i++) {
        tacit_hash_of(hashes[i], (tacit_label)i, "same", 4);
        for (int j = 0; j < i; j++) {
            bool shared = i == TACIT_LABEL_SHARE && j == TACIT_LABEL_SHARE_KEY;
            assert_int_equal(memcmp(hashes[i], hashes[j], 32) == 0, shared);
        }
    }
    for (int i = 0; i < TACIT_LABEL_COUNT; i++) {
        size_t len = strlen(tacit_label_text((tacit_label)i));
        assert_true(len > 0 && len < 256);
        assert_memory_equal(tacit_label_text((tacit_label)i), "tacit/", 6);
    }
}

static void hash_in_pieces(void **state) {
    (void)state;
    static const uint8_t bytes[] = {7,    0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xef, 0xcd,
                                    0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 'x',  'y'};
    uint8_t pieces[32], whole[32], zero[sizeof(tacit_hash)] = {0};
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_BODY);
    tacit_hash_add_u8(&h, 7);
    tacit_hash_add_u16(&h, 0x1234);
    tacit_hash_add_u32(&h, 0x12345678);
    tacit_hash_add_u64(&h, UINT64_C(0x0123456789abcdef));
    tacit_hash_add(&h, "xy", 2);
    tacit_hash_end(&h, pieces);
    tacit_hash_of(whole, TACIT_LABEL_BODY, bytes, sizeof bytes);
    assert_memory_equal(pieces, whole, 32);
    assert_memory_equal(&h, zero, sizeof h);
}

static void mac_keys(void **state) {
    (void)state;
    uint8_t key[32] = {1}, a[32], b[32];
    tacit_mac(a, key, TACIT_LABEL_LEDGER, "m", 1);
    tacit_hash_of(b, TACIT_LABEL_LEDGER, "m", 1);
    assert_memory_not_equal(a, b, 32);
    key[31] ^= 1;
    tacit_mac(b, key, TACIT_LABEL_LEDGER, "m", 1);
    assert_memory_not_equal(a, b, 32);
}

/* FIPS 180-4's "abc", split between the prefix and the two strings. */
static void sha256_known(void **state) {
    (void)state;
    uint8_t want[32], got[32];
    hex_decode(want, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tacit_sha256_prefixed(got, 'a', "b", 1, "c", 1);
    assert_memory_equal(got, want, 32);
    tacit_sha256_prefixed(got, 'a', "bc", 2, NULL, 0);
    assert_memory_equal(got, want, 32);
    tacit_sha256_prefixed(got, 'a', NULL, 0, "bc", 2);
    assert_memory_equal(got, want, 32);
}

static void equal_and_wipe(void **state) {
    (void)state;
    uint8_t a[40], b[40];
    memset(a, 5, sizeof a);
    memcpy(b, a, sizeof a);
    assert_true(tacit_equal(a, b, sizeof a));
    assert_true(tacit_equal(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        assert_false(tacit_equal(a, b, sizeof a));
        assert_true(tacit_equal(a, b, i));
        b[i] ^= 0x80;
    }
    tacit_wipe(a + 1, sizeof a - 2);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], i == 0 || i == sizeof a - 1 ? 5 : 0);
}

/* ---- X25519 ---------------------------------------------------------------------------------- */

/* RFC 7748, section 5.2, and the iteration there, 1000 times. */
static void x25519_known(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"}};
    uint8_t k[32] = {9}, u[32] = {9}, want[32], got[32];
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(tacit_x25519(got, k, u), TACIT_OK);
        memcpy(u, k, 32);
        memcpy(k, got, 32);
    }
    hex_decode(want, 32, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    assert_memory_equal(k, want, 32);
    for (size_t i = 0; i < COUNT(rows); i++) {
        hex_decode(k, 32, rows[i][0]);
        hex_decode(u, 32, rows[i][1]);
        hex_decode(want, 32, rows[i][2]);
        assert_int_equal(tacit_x25519(got, k, u), TACIT_OK);
        assert_memory_equal(got, want, 32);
    }
}

/* RFC 7748, section 6.1. */
static void x25519_agreement(void **state) {
    (void)state;
    uint8_t a[32], b[32], pa[32], pb[32], shared[32], want[32];
    hex_decode(a, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    hex_decode(b, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    tacit_x25519_public(pa, a);
    tacit_x25519_public(pb, b);
    hex_decode(want, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    assert_memory_equal(pa, want, 32);
    hex_decode(want, 32, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assert_memory_equal(pb, want, 32);
    hex_decode(want, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_int_equal(tacit_x25519(shared, a, pb), TACIT_OK);
    assert_memory_equal(shared, want, 32);
    assert_int_equal(tacit_x25519(shared, b, pa), TACIT_OK);
    assert_memory_equal(shared, want, 32);
}

/* All encodings of the points of order 1, 2, 4 and 8 on the curve and its twist: 0, 1, the two of
 * order 8, p - 1, p and p + 1, each with the top bit that RFC 7748 ignores clear and set. */
static void x25519_low_order(void **state) {
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    uint8_t sk[32], pk[32], shared[32];
    tacit_prng p;
    tacit_prng_init_seed(&p, 61, 0);
    for (size_t i = 0; i < COUNT(points); i++) {
        hex_decode(pk, 32, points[i]);
        for (int round = 0; round < 6; round++) {
            tacit_prng_bytes(&p, sk, 32);
            assert_int_equal(tacit_x25519(shared, sk, pk), TACIT_BAD_KEY);
            assert_true(tacit_x25519_low_order(pk));
            pk[31] ^= 0x80;
        }
    }
}

/* Five more strings stand in lists of low-order points: the above plus p or 2p, above 2^255. They
 * are dangerous only where the top bit is read. Here it is ignored, so they must act as the point
 * without it, which is of full order. */
static void x25519_top_bit(void **state) {
    (void)state;
    static const char *const points[] = {
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    uint8_t sk[32] = {77}, pk[32], with[32], without[32];
    static const uint8_t zero[32] = {0};
    for (size_t i = 0; i < COUNT(points); i++) {
        hex_decode(pk, 32, points[i]);
        assert_false(tacit_x25519_low_order(pk));
        assert_int_equal(tacit_x25519(with, sk, pk), TACIT_OK);
        pk[31] &= 0x7f;
        assert_int_equal(tacit_x25519(without, sk, pk), TACIT_OK);
        assert_memory_equal(with, without, 32);
        assert_memory_not_equal(with, zero, 32);
    }
}

/* ---- Ed25519 --------------------------------------------------------------------------------- */

/* RFC 8032, section 7.1, tests 1 to 3. */
static void ed25519_known(void **state) {
    (void)state;
    static const struct {
        const char *seed, *pk, *msg, *sig;
    } rows[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                 "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
                {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
                {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                 "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t seed[32], pk[32], want_pk[32], sk[64], msg[2], sig[64], want[64];
        size_t len = strlen(rows[i].msg) / 2;
        hex_decode(seed, 32, rows[i].seed);
        hex_decode(want_pk, 32, rows[i].pk);
        hex_decode(msg, len, rows[i].msg);
        hex_decode(want, 64, rows[i].sig);
        tacit_sign_keypair(pk, sk, seed);
        assert_memory_equal(pk, want_pk, 32);
        tacit_sign(sig, sk, msg, len);
        assert_memory_equal(sig, want, 64);
        assert_int_equal(tacit_verify(sig, pk, msg, len), TACIT_OK);
    }
}

static void ed25519_refused(void **state) {
    (void)state;
    /* The group's order L; S + L would be a second valid S if it were not refused. */
    uint8_t order[32], seed[32] = {3}, pk[32], other[32], sk[64], sig[64], msg[50] = {9};
    hex_decode(order, 32, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    tacit_sign_keypair(pk, sk, seed);
    tacit_sign(sig, sk, msg, sizeof msg);
    for (size_t i = 0; i < sizeof sig; i++) {
        sig[i] ^= 1;
        assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg), TACIT_BAD_SIGNATURE);
        sig[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof msg; i++) {
        msg[i] ^= 0x80;
        assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg), TACIT_BAD_SIGNATURE);
        msg[i] ^= 0x80;
    }
    assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg - 1), TACIT_BAD_SIGNATURE);
    for (size_t i = 0; i < 32; i++) {
        memcpy(other, pk, 32);
        other[i] ^= 4;
        assert_int_equal(tacit_verify(sig, other, msg, sizeof msg), TACIT_BAD_SIGNATURE);
    }
    assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg), TACIT_OK);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(tacit_verify(sig, pk, msg, sizeof msg), TACIT_BAD_SIGNATURE);
    /* The neutral element as public key, with R the neutral element and S = 0, fits any message. */
    memset(sig, 0, sizeof sig);
    memset(other, 0, sizeof other);
    sig[0] = other[0] = 1;
    assert_int_equal(tacit_verify(sig, other, msg, sizeof msg), TACIT_BAD_SIGNATURE);
}

/* ---- XChaCha20-Poly1305 ---------------------------------------------------------------------- */

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
static void box_known(void **state) {
    (void)state;
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    enum { LEN = sizeof text - 1 };
    uint8_t key[32], nonce[24], ad[12], box[LEN + 16], want[LEN + 16], back[LEN];
    for (size_t i = 0; i < 32; i++) key[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < 24; i++) nonce[i] = (uint8_t)(0x40 + i);
    hex_decode(ad, 12, "50515253c0c1c2c3c4c5c6c7");
    hex_decode(want, sizeof want,
               "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
               "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
               "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
               "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
    tacit_seal(box, text, LEN, ad, sizeof ad, nonce, key);
    assert_memory_equal(box, want, sizeof want);
    assert_int_equal(tacit_open_box(back, box, sizeof box, ad, sizeof ad, nonce, key), TACIT_OK);
    assert_memory_equal(back, text, LEN);
    memcpy(box, text, LEN);
    tacit_seal(box, box, LEN, ad, sizeof ad, nonce, key);
    assert_memory_equal(box, want, sizeof want);
    assert_int_equal(tacit_open_box(box, box, sizeof box, ad, sizeof ad, nonce, key), TACIT_OK);
    assert_memory_equal(box, text, LEN);
}

static void box_altered(void **state) {
    (void)state;
    enum { LEN = TACIT_SHARE_LEN, AD = 20 };
    uint8_t key[32] = {1}, nonce[24] = {2}, ad[AD] = {3}, msg[LEN], box[LEN + 16], back[LEN];
    const struct {
        uint8_t *bytes;
        size_t len;
    } parts[] = {{box, sizeof box}, {ad, AD}, {nonce, 24}, {key, 32}};
    memset(msg, 0x5a, LEN);
    tacit_seal(box, msg, LEN, ad, AD, nonce, key);
    for (size_t k = 0; k < COUNT(parts); k++)
        for (size_t at = 0; at < parts[k].len; at++) {
            parts[k].bytes[at] ^= 0x20;
            memset(back, 0xee, LEN);
            assert_int_equal(tacit_open_box(back, box, sizeof box, ad, AD, nonce, key),
                             TACIT_CORRUPT);
            for (size_t i = 0; i < LEN; i++) assert_int_equal(back[i], 0);
            parts[k].bytes[at] ^= 0x20;
        }
    for (size_t len = 0; len < sizeof box; len++)
        assert_int_equal(tacit_open_box(back, box, len, ad, AD, nonce, key), TACIT_CORRUPT);
    assert_int_equal(tacit_open_box(back, box, sizeof box, ad, AD - 1, nonce, key), TACIT_CORRUPT);
    assert_int_equal(tacit_open_box(back, box, sizeof box, ad, AD, nonce, key), TACIT_OK);
    assert_memory_equal(back, msg, LEN);
}

/* ---- ChaCha20 -------------------------------------------------------------------------------- */

/* RFC 8439, sections 2.3.2 and A.1 (vectors 1, 2 and 4). */
static void chacha20_known(void **state) {
    (void)state;
    uint8_t key[32], nonce[12], want[64], got[128];
    for (size_t i = 0; i < 32; i++) key[i] = (uint8_t)i;
    hex_decode(nonce, 12, "000000090000004a00000000");
    hex_decode(want, 64,
               "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
               "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    tacit_chacha20(got, 64, key, nonce, 1);
    assert_memory_equal(got, want, 64);
    memset(key, 0, sizeof key);
    memset(nonce, 0, sizeof nonce);
    tacit_chacha20(got, 128, key, nonce, 0);
    hex_decode(want, 64,
               "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
               "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    assert_memory_equal(got, want, 64);
    hex_decode(want, 64,
               "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
               "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
    assert_memory_equal(got + 64, want, 64);
    key[1] = 0xff;
    hex_decode(want, 64,
               "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
               "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096");
    tacit_chacha20(got, 64, key, nonce, 2);
    assert_memory_equal(got, want, 64);
}

/* Long streams are made in pieces: any first block and length must agree with one long stream. */
static void chacha20_pieces(void **state) {
    (void)state;
    enum { LONG = 20000 };
    static uint8_t whole[LONG], part[LONG];
    static const uint8_t key[32] = {8}, nonce[12] = {1, 2};
    static const size_t lens[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 8192, 12289};
    for (size_t b = 0; b * 64 < LONG; b++)
        tacit_chacha20(whole + b * 64, b * 64 + 64 < LONG ? 64 : LONG - b * 64, key, nonce,
                       (uint32_t)b);
    for (size_t first = 0; first < 130; first += 13)
        for (size_t i = 0; i < COUNT(lens) && first * 64 + lens[i] < LONG; i++) {
            memset(part, 0xcc, sizeof part);
            tacit_chacha20(part, lens[i], key, nonce, (uint32_t)first);
            assert_memory_equal(part, whole + first * 64, lens[i]);
            assert_int_equal(part[lens[i]], 0xcc);
        }
}

static void system_random(void **state) {
    (void)state;
    uint8_t a[64], b[64];
    tacit_os_random(a, sizeof a);
    tacit_os_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, a + 32, 32);
}

static int prepare(void **state) {
    (void)state;
    return tacit_crypto_init() == TACIT_OK && tacit_crypto_init() == TACIT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_known),     cmocka_unit_test(labels_apart),
        cmocka_unit_test(hash_in_pieces),   cmocka_unit_test(mac_keys),
        cmocka_unit_test(sha256_known),     cmocka_unit_test(equal_and_wipe),
        cmocka_unit_test(x25519_known),     cmocka_unit_test(x25519_agreement),
        cmocka_unit_test(x25519_low_order), cmocka_unit_test(x25519_top_bit),
        cmocka_unit_test(ed25519_known),    cmocka_unit_test(ed25519_refused),
        cmocka_unit_test(box_known),        cmocka_unit_test(box_altered),
        cmocka_unit_test(chacha20_known),   cmocka_unit_test(chacha20_pieces),
        cmocka_unit_test(system_random),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
