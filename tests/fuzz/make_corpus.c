/* SPDX-License-Identifier: Apache-2.0
 * make_corpus.c - writes the fuzzers' seeds: a few small valid files of each format, from the same
 * samples the tests use. They are committed; made again when a format changes:
 *     cc -D_GNU_SOURCE -I. -Ibuild tests/fuzz/make_corpus.c build/libtacit.a -lsodium \
 *        -lprotobuf-nanopb -lm -o build/make_corpus && build/make_corpus tests/fuzz/corpus
 * Nothing in them is secret or comes from a person. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/format_samples.h"

static const char *root;
static uint8_t key[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN];

static void save(const char *target, const char *name, const void *data, size_t len) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        perror(path);
        exit(1);
    }
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void make_certs(void) {
    static const char *const names[3] = {"none", "account", "attested"};
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t encoded[TACIT_CERT_LEN];
        tacit_cert c = sample_cert();
        c.device_class = (uint8_t)(i + 1);
        tacit_cert_issue(encoded, &c, secret);
        save("cert", names[i], encoded, sizeof encoded);
    }
}

static void save_plan(const char *name, const tacit_plan *p) {
    uint8_t encoded[TACIT_PLAN_LEN];
    tacit_plan checked;
    tacit_plan_encode(encoded, p);
    if (tacit_plan_decode(&checked, NULL, encoded) != TACIT_OK) abort();
    save("plan", name, encoded, sizeof encoded);
}

static void make_plans(void) {
    tacit_plan p = sample_plan();
    save_plan("both-blocks", &p);
    p.blocks = TACIT_BLOCK_COUNTS, p.gradient_weight = 0, p.factor = 0, p.dims = 8;
    save_plan("counts-only", &p);
    p = sample_plan();
    p.blocks = TACIT_BLOCK_GRADIENT, p.counts_weight = 0, p.n_hi = 10000, p.max_dropout = 200;
    save_plan("cycles", &p);
    p = sample_plan();
    p.n_lo = p.n_hi = 3, p.n_min_floor = 0, p.max_colluding = 0, p.max_dropout = 0;
    save_plan("smallest-roster", &p);
}

static void save_model(const char *name, const tacit_model_source *s) {
    uint8_t digest[TACIT_HASH_LEN];
    size_t len = tacit_model_len(s->item_count, s->factor, s->features);
    uint8_t *file = malloc(len);
    if (file == NULL || tacit_model_encode(file, len, digest, s, secret) != TACIT_OK) abort();
    save("model", name, file, len);
    free(file);
}

static void make_models(void) {
    tacit_model_source s = sample_model();
    save_model("factors-and-content", &s);
    s.factor = 0, s.factors = NULL, s.number = 1, s.round = 0;
    save_model("content-only", &s);
    s.features = 0, s.content = NULL;
    save_model("counts-only", &s);
    s.item_count = 1;
    save_model("one-item", &s);
}

/* The first byte is the fuzzer's piece size. */
static void make_messages(void) {
    static const char *const names[SAMPLE_MESSAGES + 1] = {"",
                                                           "plan",
                                                           "join",
                                                           "roster",
                                                           "roster-ids",
                                                           "roster-entry",
                                                           "share",
                                                           "sealed",
                                                           "share-answer",
                                                           "mask",
                                                           "mask-answer",
                                                           "agree",
                                                           "agree-answer",
                                                           "agree-signature",
                                                           "reveal",
                                                           "revealed",
                                                           "receipt",
                                                           "problem"};
    static uint8_t all[2 * TACIT_MAX_MESSAGE_LEN];
    static tacit_Message m;
    tacit_wire_buffer phase = {all, 1, sizeof all};
    tacit_sink to_phase = tacit_wire_buffer_sink(&phase);
    all[0] = 200;
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        uint8_t one[TACIT_MAX_MESSAGE_LEN + 3] = {(uint8_t)(16 + tag)};
        tacit_wire_buffer b = {one, 1, sizeof one};
        tacit_sink sink = tacit_wire_buffer_sink(&b);
        sample_message(&m, tag);
        if (tag == tacit_Message_roster_ids_tag) m.body.roster_ids.ids.size = 64;
        if (tag == tacit_Message_roster_entry_tag) m.body.roster_entry.proof.size = 64;
        if (tacit_wire_write(&m, &sink) != TACIT_OK) abort();
        save("wire", names[tag], one, b.len);
        if (tag >= tacit_Message_roster_tag && tag <= tacit_Message_roster_entry_tag &&
            tacit_wire_write(&m, &to_phase) != TACIT_OK)
            abort();
    }
    save("wire", "join-answer-body", all, phase.len);
}

int main(int argc, char **argv) {
    if (argc != 2 || tacit_crypto_init() != TACIT_OK) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    root = argv[1];
    if (mkdir(root, 0777) != 0 && errno != EEXIST) {
        perror(root);
        return 1;
    }
    sample_keys(key, secret);
    make_certs();
    make_plans();
    make_models();
    make_messages();
    return 0;
}
