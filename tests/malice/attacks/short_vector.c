/* SPDX-License-Identifier: Apache-2.0
 * short_vector.c - a device signs a vector that ends ten bytes early: digest, signature and
 * announced length all agree with what it sends. The server adds dims words whatever came, so
 * without the length check it reads on into whatever lies behind the body - another device's
 * message, a key - and hands that out inside the sum, where the attacker, who knows its own
 * vector, finds it. Here the bytes behind the body are part of the same buffer. */
#include "common/ring.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { CUT_LEN = 10, CUT_WORDS = 4 }; /* of 20 bits */
static const uint8_t behind[CUT_LEN] = "a secret!";

/* The sum's last words, without the others' and with what the attacker kept back, are the bytes
 * behind its body. The others' plain sum stands for what the attacker can guess of it. */
static bool reads_memory(const rig *r, const uint8_t *kept) {
    const uint32_t *sum = cohort_sum(r->f.cohort);
    uint32_t dims = r->f.plan.dims, first = dims - CUT_WORDS, words[CUT_WORDS];
    uint32_t *plain = calloc(dims, sizeof *plain);
    uint8_t read[CUT_LEN];
    if (sum == NULL || plain == NULL) return false;
    federation_plain_sum(&r->f, plain);
    for (uint32_t i = 0; i < CUT_WORDS; i++) words[i] = sum[first + i] - plain[first + i];
    tacit_ring_add_packed(words, kept, CUT_WORDS, r->f.plan.bits);
    tacit_ring_pack(read, words, CUT_WORDS, r->f.plan.bits);
    free(plain);
    return memcmp(read, behind, CUT_LEN) == 0;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = 9, .max_dropout = 200, .seed = 33};
    uint8_t kept[CUT_LEN];
    uint32_t slot = UINT32_MAX;
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    rig_request(&r, 0);
    r.tail.len -= CUT_LEN;
    memcpy(kept, r.tail.data + r.tail.len, CUT_LEN);
    r.m.items[0].body.mask.vector_len = (uint32_t)r.tail.len;
    rig_sign(&r);
    rig_build(&r);
    size_t len = r.body.len;
    tacit_sink memory = federation_sink(&r.body);
    assert_int_equal(memory.write(memory.self, behind, CUT_LEN), TACIT_OK);
    tacit_status st = rig_submit_bytes(&r, r.body.data, len, &slot);
    *why = rig_said(&r, st);
    rig_finish_until(&r, COHORT_DONE);
    bool won = st == TACIT_OK && reads_memory(&r, kept);
    rig_free(&r);
    return won;
}

const malice_attack malice_short_vector = {
    .finding = "H11",
    .attack = "a device signs a vector that ends early and reads the server's memory in the sum",
    .check = "cohort_fits_vector",
    .wins = wins,
};
