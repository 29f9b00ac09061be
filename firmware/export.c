/* SPDX-License-Identifier: Apache-2.0
 * export.c - everything this device keeps about its person, as JSON lines: each stored event (also
 * those older than the window), the ledger, and the evidence of rounds taken part in. Item numbers
 * are strings, because 64 bits do not survive a JSON number. Keys and secrets are never written. */
#include "common/crypto.h"
#include "firmware/client.h"
#include "firmware/text.h"

enum { EXPORT_LINE = 640 };

typedef struct {
    tacit_status (*write)(void *self, const char *text, size_t len);
    void *self;
    tacit_status status; /* of write: handed back unchanged */
    char line[EXPORT_LINE];
} writer;

static tacit_status flush(writer *w, const tacit_text *text) {
    if (text->full) return w->status = TACIT_INTERNAL;
    return w->status = w->write(w->self, text->data, text->len);
}

static void field_u64(tacit_text *t, const char *name, uint64_t v) {
    tacit_text_add(t, name);
    tacit_text_u64(t, v);
}

static void field_f64(tacit_text *t, const char *name, double v, int digits) {
    tacit_text_add(t, name);
    tacit_text_f64(t, v, digits);
}

static void field_bool(tacit_text *t, const char *name, bool v) {
    tacit_text_add(t, name);
    tacit_text_add(t, v ? "true" : "false");
}

static tacit_status write_event(void *self, const tacit_event *event) {
    static const char *const kinds[] = {"", "view", "click", "cart", "purchase", "rating", "skip"};
    writer *w = self;
    tacit_text t;
    tacit_text_init(&t, w->line, sizeof w->line);
    field_u64(&t, "{\"type\":\"event\",\"item\":\"", event->item);
    tacit_text_add(&t, "\",\"kind\":\"");
    tacit_text_add(&t, kinds[event->kind]);
    field_u64(&t, "\",\"time_s\":", event->time_s);
    field_f64(&t, ",\"value\":", (double)event->value, 9);
    tacit_text_add(&t, "}\n");
    return flush(w, &t);
}

static tacit_status write_ledger(writer *w, const tacit *client) {
    tacit_privacy p;
    tacit_text t;
    tacit_status st = tacit_privacy_status(client, &p);
    if (st != TACIT_OK) return st;
    tacit_text_init(&t, w->line, sizeof w->line);
    field_bool(&t, "{\"type\":\"ledger\",\"consent\":", p.consent);
    field_bool(&t, ",\"enrolled\":", p.enrolled);
    field_bool(&t, ",\"paused\":", p.paused);
    field_f64(&t, ",\"epsilon_budget\":", p.epsilon_budget, 17);
    field_f64(&t, ",\"delta\":", p.delta, 17);
    field_f64(&t, ",\"epsilon_spent\":", p.epsilon_spent, 17);
    field_f64(&t, ",\"epsilon_spent_replace\":", p.epsilon_spent_replace, 17);
    field_f64(&t, ",\"epsilon_spent_ever\":", p.epsilon_spent_ever, 17);
    field_u64(&t, ",\"period_start_s\":", p.period_start_s);
    field_u64(&t, ",\"period_s\":", p.period_s);
    field_u64(&t, ",\"rounds_joined\":", p.rounds_joined);
    field_u64(&t, ",\"rounds_charged\":", p.rounds_charged);
    field_u64(&t, ",\"highest_round\":", p.highest_round);
    field_u64(&t, ",\"losses\":", p.losses);
    tacit_text_add(&t, "}\n");
    return flush(w, &t);
}

static tacit_status write_evidence(void *self, uint64_t round,
                                   const uint8_t evidence[TACIT_HASH_LEN]) {
    writer *w = self;
    tacit_text t;
    tacit_text_init(&t, w->line, sizeof w->line);
    field_u64(&t, "{\"type\":\"evidence\",\"round\":", round);
    tacit_text_add(&t, ",\"hash\":\"");
    tacit_text_hex(&t, evidence, TACIT_HASH_LEN);
    tacit_text_add(&t, "\"}\n");
    return flush(w, &t);
}

tacit_status tacit_export(tacit *t, tacit_status (*write)(void *self, const char *text, size_t len),
                          void *self) {
    writer w = {.write = write, .self = self};
    tacit_status st = tacit_history_each(&t->history, write_event, &w);
    if (st == TACIT_OK) st = write_ledger(&w, t);
    if (st == TACIT_OK) st = tacit_participation_evidence(&t->platform, write_evidence, &w);
    tacit_wipe(w.line, sizeof w.line);
    return st;
}
