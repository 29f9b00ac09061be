/* SPDX-License-Identifier: Apache-2.0
 * make_corpus.c - writes the fuzzers' seeds: a few small valid files of each format, from the same
 * samples the tests use. They are committed; `make corpus` makes them again when a format or a
 * target's script changes. (config, csv, http and route have theirs written by hand.)
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

/* The scripts of cohort_fuzz.c and secagg_fuzz.c: which step each number is stands in their step().
 */
static const struct {
    const char *target, *name;
    size_t len;
    uint8_t steps[32];
} scripts[] = {
    {"cohort", "announced-other", 16, {0, 32, 0, 32, 5, 1, 5, 5, 128, 7, 0, 32, 0, 32, 0, 96}},
    {"cohort", "whole", 10, {0, 32, 0, 32, 0, 32, 0, 32, 0, 96}},
    {"cohort", "no-deadline", 10, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"cohort", "one-gone-in-mask", 10, {0, 32, 0, 32, 0, 48, 0, 32, 0, 96}},
    {"cohort", "one-gone-in-share", 10, {0, 32, 0, 33, 0, 32, 0, 32, 0, 96}},
    {"cohort", "one-gone-in-reveal", 10, {0, 32, 0, 32, 0, 32, 0, 32, 0, 98}},
    {"cohort", "four-join", 10, {0, 40, 0, 32, 0, 32, 0, 32, 0, 96}},
    {"cohort", "too-few", 2, {0, 39}},
    {"cohort", "forged-vector", 16, {0, 32, 0, 32, 5, 1, 1, 5, 128, 7, 0, 32, 0, 32, 0, 96}},
    {"cohort", "forged-share", 20, {0, 32, 5, 2,  1, 1,  0, 3,  1, 20,
                                    0, 9,  0, 32, 0, 32, 0, 32, 0, 96}},
    {"cohort", "forged-reveal", 20, {0, 32, 0, 32, 0, 32, 0, 32, 5, 2,
                                     1, 1,  0, 3,  1, 12, 0, 9,  0, 96}},
    {"cohort", "forged-join", 20, {5, 2,  1, 150, 0, 3,  0, 140, 0, 9,
                                   0, 32, 0, 32,  0, 32, 0, 32,  0, 96}},
    {"cohort", "cut-list", 11, {0, 32, 5, 0, 5, 1, 0, 0, 1, 0, 32}},
    {"cohort", "one-too-many", 17, {0, 32, 5, 0, 1, 0, 0, 2, 1, 0, 32, 0, 32, 0, 32, 0, 96}},
    {"cohort", "changed", 23, {4,  0, 1, 9, 0, 1,   0, 0, 4, 1, 0, 5,
                               64, 4, 2, 0, 3, 128, 1, 2, 3, 0, 32}},
    {"cohort", "replays", 20, {0, 30, 3, 0, 0, 3, 0, 8, 0, 0, 0, 30, 3, 0, 9, 3, 0, 0, 0, 0}},
    {"cohort", "raw", 22, {7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 32, 7, 1, 4, 0, 3, 58, 1, 8}},
    {"cohort", "polls", 23, {2, 0, 10, 0, 0,  0, 10, 1, 0,  0, 10, 0,
                             3, 1, 0,  0, 10, 0, 0,  0, 11, 0, 0}},
    {"cohort", "late", 10, {0, 28, 8, 70, 2, 4, 9, 1, 2, 4}},
    {"cohort", "answers", 19, {0, 32, 11, 0, 0, 11, 0, 6, 11, 1, 0, 0, 32, 11, 1, 1, 11, 5, 0}},
    {"secagg", "not-in-u2-0", 14, {1, 7, 0, 2, 0, 1, 5, 0, 0, 0, 5, 0, 0, 0}},
    {"secagg", "not-in-u2-1", 14, {1, 7, 1, 2, 0, 2, 5, 0, 0, 0, 5, 0, 0, 0}},
    {"secagg", "not-in-u2-2", 14, {1, 7, 2, 2, 0, 3, 5, 0, 0, 0, 5, 0, 0, 0}},
    {"secagg", "not-in-u2-3", 14, {1, 7, 3, 2, 0, 4, 5, 0, 0, 0, 5, 0, 0, 0}},
    {"secagg", "not-in-u2-4", 14, {1, 7, 4, 2, 0, 5, 5, 0, 0, 0, 5, 0, 0, 0}},
    {"secagg", "whole", 11, {0, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9}},
    {"secagg", "share-on", 9, {1, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"secagg", "flip-signed", 11, {0, 3, 3, 3, 140, 0, 1, 5, 0, 0, 3}},
    {"secagg", "smaller-u3", 13, {2, 7, 3, 5, 0, 0, 1, 5, 0, 0, 5, 0, 5}},
    {"secagg", "smaller-u2", 10, {1, 7, 2, 2, 0, 2, 5, 0, 0, 1}},
    {"secagg", "seat-dropped", 8, {0, 13, 0, 4, 5, 0, 0, 1}},
    {"secagg", "forged-join", 10, {0, 14, 3, 140, 0, 1, 5, 0, 0, 1}},
    {"secagg", "fewer-signatures", 10, {3, 2, 0, 2, 5, 0, 0, 1, 0, 1}},
    {"secagg", "receipt", 11, {4, 3, 3, 0, 4, 0, 1, 5, 0, 0, 1}},
    {"secagg", "raw", 17, {1, 8, 12, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 3}},
    {"secagg", "cut", 5, {0, 10, 100, 1, 20}},
    {"secagg", "late", 6, {0, 11, 128, 2, 0, 1}},
    {"secagg", "poll", 7, {2, 12, 0, 1, 12, 0, 1}},
    {"secagg", "turn", 4, {1, 13, 1, 4}},
    {"secagg", "other-phase", 7, {3, 15, 1, 0, 0, 0, 1}},
};

static void make_scripts(void) {
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        save(scripts[i].target, scripts[i].name, scripts[i].steps, scripts[i].len);
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
    make_scripts();
    return 0;
}
