/* SPDX-License-Identifier: Apache-2.0
 * format_samples.h - one valid certificate, plan, model and message of every kind, with the values
 * of tests/vectors/make_transcript.py. Used by the tests of the formats and by the maker of the
 * fuzzers' seeds, so it needs no test framework. Never used for anything secret. */
#ifndef TACIT_TESTS_FORMAT_SAMPLES_H
#define TACIT_TESTS_FORMAT_SAMPLES_H

#include "common/cert.h"
#include "common/crypto.h"
#include "common/model.h"
#include "common/plan.h"
#include "common/wire.h"

/* Byte i is (seed + 7 i) mod 256. */
static inline void fill(void *out, uint8_t seed, size_t len) {
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)(seed + 7 * i);
}

#define FILL(field, seed) fill((field), (seed), sizeof(field))

/* The one key pair that signs everything in the samples. */
static inline void sample_keys(uint8_t pk[static TACIT_KEY_LEN],
                               uint8_t sk[static TACIT_SIGN_SECRET_LEN]) {
    uint8_t seed[TACIT_KEY_LEN];
    FILL(seed, 8);
    tacit_sign_keypair(pk, sk, seed);
}

static inline tacit_cert sample_cert(void) {
    tacit_cert c = {
        .epoch = 0x0A0B0C0D, .not_after_s = 1800000000, .device_class = TACIT_CLASS_ACCOUNT};
    FILL(c.device_key, 50);
    return c;
}

static inline tacit_plan sample_plan(void) {
    tacit_plan p;
    memset(&p, 0, sizeof p);
    p.version = p.version_min = p.suite = p.aggregation = 1;
    p.round = 7, p.run = 3, p.sum_index = 1, p.sum_count = 4;
    p.opens_s = 1700000000, p.join_until_s = 1700000300;
    p.share_s = 60, p.mask_s = 120, p.agree_s = 61, p.reveal_s = 90;
    p.n_lo = 100, p.n_hi = 200;
    p.max_colluding = 50, p.max_dropout = 100, p.n_min_floor = 90;
    p.cohort_count = 1, p.least_class = TACIT_CLASS_ACCOUNT, p.bits = 20;
    p.blocks = TACIT_BLOCK_COUNTS | TACIT_BLOCK_GRADIENT;
    FILL(p.model_digest, 61);
    FILL(p.authority_key, 62);
    FILL(p.phase_key, 63);
    FILL(p.rotation_seed, 64);
    p.item_count = 10, p.factor = 4, p.dims = 64, p.slice_start = 2, p.slice_count = 8;
    p.separation_s = 86400, p.mu = UINT64_C(1) << 30, p.scale = 1000.5;
    p.counts_weight = 0.6, p.gradient_weight = 0.8;
    p.a0 = 0.5, p.user_ridge = 0.6, p.user_ridge_exponent = 0.7;
    p.history_floor = 10.0, p.leave_one_out = 0.5, p.epsilon = 8.0, p.delta = 1e-6;
    return p;
}

static const uint64_t sample_ids[3] = {11, 12, (UINT64_C(1) << 63) + 5};
static const float sample_bias[3] = {-1.5f, 0.0f, 2.25f};
static const float sample_counts[3] = {3.0f, 0.0f, 1e6f};
static const float sample_factors[6] = {0.25f, -0.5f, 1.0f, 2.0f, -3.0f, 1e-20f};
static const float sample_content[3] = {0.125f, -1e6f, 7.0f};
static const uint8_t sample_kinds[3] = {0, 1, 0};

static inline tacit_model_source sample_model(void) {
    tacit_model_source s = {.number = 5,
                            .round = 7,
                            .made_s = 1700000400,
                            .item_count = 3,
                            .factor = 2,
                            .features = 1,
                            .a0 = 0.5,
                            .a0_final = 0.7,
                            .user_ridge = 0.6,
                            .user_ridge_final = 2.0,
                            .user_ridge_exponent = 0.7,
                            .count_scale = 123.5,
                            .ids = sample_ids,
                            .bias = sample_bias,
                            .counts = sample_counts,
                            .factors = sample_factors,
                            .content = sample_content,
                            .kinds = sample_kinds};
    FILL(s.catalogue, 70);
    FILL(s.plan_digest, 71);
    return s;
}

static inline void sample_join(tacit_join *j) {
    FILL(j->certificate, 10);
    FILL(j->channel_key, 11);
    FILL(j->mask_key, 12);
    FILL(j->commitment, 13);
    FILL(j->checkpoint, 14);
    FILL(j->signature, 15);
}

enum { SAMPLE_MESSAGES = 17 };

#define FILL_SIZED(field, seed) ((field).size = sizeof(field).bytes, FILL((field).bytes, (seed)))

/* The messages of the join phase: tags 1 to 5. */
static inline void sample_join_message(tacit_Message *m) {
    tacit_join join;
    sample_join(&join);
    switch (m->which_body) {
        case tacit_Message_plan_tag:
            FILL(m->body.plan.plan, 81);
            FILL(m->body.plan.signature, 80);
            break;
        case tacit_Message_join_tag: tacit_wire_join_put(&m->body.join, &join, 6); break;
        case tacit_Message_roster_tag:
            m->body.roster.cohort = 6, m->body.roster.index = 2, m->body.roster.count = 300;
            FILL(m->body.roster.ids_digest, 82);
            FILL(m->body.roster.merkle_root, 83);
            FILL(m->body.roster.signature, 80);
            break;
        case tacit_Message_roster_ids_tag: FILL_SIZED(m->body.roster_ids.ids, 84); break;
        default:
            m->body.roster_entry.index = 299, m->body.roster_entry.has_join = true;
            tacit_wire_join_put(&m->body.roster_entry.join, &join, 6);
            FILL_SIZED(m->body.roster_entry.proof, 85);
    }
}

/* Tags 6 to 12, the phases share, mask and agree. */
static inline void sample_phase_message(tacit_Message *m) {
    switch (m->which_body) {
        case tacit_Message_share_tag:
            m->body.share.index = 2, m->body.share.count = 1200;
            FILL(m->body.share.signature, 80);
            break;
        case tacit_Message_sealed_tag:
            m->body.sealed.peer = 9999;
            FILL(m->body.sealed.box_s, 86);
            FILL(m->body.sealed.box_b, 87);
            break;
        case tacit_Message_share_answer_tag:
            FILL_SIZED(m->body.share_answer.u2, 88);
            m->body.share_answer.count = 1200;
            FILL(m->body.share_answer.signature, 80);
            break;
        case tacit_Message_mask_tag:
            m->body.mask.index = 2, m->body.mask.vector_len = 4194304;
            FILL(m->body.mask.vector_digest, 89);
            FILL(m->body.mask.signature, 80);
            break;
        case tacit_Message_mask_answer_tag:
            FILL_SIZED(m->body.mask_answer.u3, 90);
            FILL(m->body.mask_answer.signature, 80);
            break;
        case tacit_Message_agree_tag:
            m->body.agree.index = 2;
            FILL(m->body.agree.signature, 80);
            break;
        default: m->body.agree_answer.count = 1200; FILL(m->body.agree_answer.signature, 80);
    }
}

/* Tags 13 to 17. */
static inline void sample_last_message(tacit_Message *m) {
    switch (m->which_body) {
        case tacit_Message_agree_signature_tag:
            m->body.agree_signature.index = 9999;
            FILL(m->body.agree_signature.signature, 80);
            break;
        case tacit_Message_reveal_tag:
            m->body.reveal.index = 2, m->body.reveal.count = 1200;
            FILL(m->body.reveal.signature, 80);
            break;
        case tacit_Message_revealed_tag:
            m->body.revealed.owner = 9999, m->body.revealed.kind = TACIT_KIND_S;
            FILL(m->body.revealed.key, 91);
            break;
        case tacit_Message_receipt_tag:
            m->body.receipt.survivors = 10000;
            FILL(m->body.receipt.sum_digest, 92);
            FILL(m->body.receipt.signature, 80);
            break;
        default: tacit_wire_problem(m, TACIT_BAD_CERTIFICATE, "zu sp\xc3\xa4t");
    }
}

/* The message with the given body tag, 1..SAMPLE_MESSAGES; as long as its kind can be, except the
 * note of a problem. */
static inline void sample_message(tacit_Message *m, unsigned tag) {
    memset(m, 0, sizeof *m);
    m->which_body = (pb_size_t)tag;
    if (tag <= tacit_Message_roster_entry_tag)
        sample_join_message(m);
    else if (tag <= tacit_Message_agree_answer_tag)
        sample_phase_message(m);
    else
        sample_last_message(m);
}

#endif
