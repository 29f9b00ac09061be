/* SPDX-License-Identifier: Apache-2.0
 * client_test.c - tacit.h as an app uses it: open, install, record, recommend, explain, forget,
 * export, reopen; and what each call leaves behind when the host's storage fails. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "common/crypto.h"
#include "firmware/client.h"
#include "tests/support/device_fixture.h"

typedef struct {
    fixture_keys keys;
    fixture_model model;
    fault_platform p;
    tacit_platform f;
    tacit_options o;
    void *memory;
    size_t len;
    tacit *t;
} device;

static tacit_status reopen(device *d) {
    fault_restart(&d->p);
    d->f = fault_callbacks(&d->p);
    memset(d->memory, 0xEE, d->len);
    tacit_status st = tacit_open(&d->t, d->memory, d->len, &d->o, &d->f);
    if (st != TACIT_OK) return st;
    st = tacit_model_load(d->t);
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

static void begin(device *d) {
    memset(d, 0, sizeof *d);
    fixture_keys_init(&d->keys);
    fault_init(&d->p, 21);
    d->o = fixture_options(&d->keys, NULL);
    d->len = tacit_workspace_len(&d->o);
    d->memory = aligned_alloc(64, (d->len + 63) & ~(size_t)63);
    assert_non_null(d->memory);
    d->model = fixture_model_make(&d->keys, 3, 120, 8, 6, NULL);
    assert_int_equal(reopen(d), TACIT_OK);
    assert_int_equal(tacit_model_install(d->t, d->model.file, d->model.len), TACIT_OK);
}

static void end(device *d) {
    tacit_close(d->t);
    fixture_model_free(&d->model);
    fault_free(&d->p);
    free(d->memory);
}

static tacit_status tap(device *d, uint64_t item, tacit_event_kind kind) {
    tacit_event e = {.item = item, .kind = kind};
    return tacit_record(d->t, &e);
}

typedef struct {
    tacit_scored items[10];
    size_t count;
} ranking;

static ranking best(device *d) {
    ranking r;
    memset(&r, 0, sizeof r);
    assert_int_equal(tacit_recommend(d->t, r.items, &r.count, 10, NULL), TACIT_OK);
    return r;
}

static void assert_same(const ranking *a, const ranking *b, float tolerance) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].item, b->items[i].item);
        assert_true(fabsf(a->items[i].score - b->items[i].score) <= tolerance);
    }
}

static bool listed(const ranking *r, uint64_t item) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].item == item) return true;
    }
    return false;
}

/* ---- A day in the life ------------------------------------------------------------------------*/

static void test_taps_change_the_ranking_and_survive(void **state) {
    (void)state;
    device d;
    begin(&d);
    ranking cold = best(&d);
    assert_int_equal(cold.count, 10);
    uint64_t first = cold.items[0].item;
    assert_int_equal(tap(&d, first, TACIT_EVENT_PURCHASE), TACIT_OK);
    ranking warm = best(&d);
    assert_false(listed(&warm, first)); /* seen */
    for (uint64_t i = 0; i < 70; i++) { /* beyond the window of 64 */
        assert_int_equal(tap(&d, 10 * (1 + i), i % 5 == 4 ? TACIT_EVENT_SKIP : TACIT_EVENT_VIEW),
                         TACIT_OK);
    }
    assert_int_equal(tacit_history_count(d.t), 64);
    warm = best(&d);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(tacit_history_count(d.t), 64);
    ranking again = best(&d);
    assert_same(&warm, &again, 1e-5f); /* tap by tap, or all at once */
    end(&d);
}

static void test_works_before_any_model(void **state) {
    (void)state;
    device d;
    begin(&d);
    free(d.p.model);
    d.p.model = NULL;
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(tap(&d, 50, TACIT_EVENT_CLICK), TACIT_OK);
    tacit_scored out[1];
    size_t count;
    tacit_explanation why;
    assert_int_equal(tacit_recommend(d.t, out, &count, 1, NULL), TACIT_NOT_FOUND);
    assert_int_equal(tacit_similar(d.t, out, &count, 1, 10), TACIT_NOT_FOUND);
    assert_int_equal(tacit_explain(d.t, &why, NULL, &count, 0, 10), TACIT_NOT_FOUND);
    assert_int_equal(tacit_model_load(d.t), TACIT_NOT_FOUND);
    assert_int_equal(tacit_model_install(d.t, d.model.file, d.model.len), TACIT_OK);
    ranking r = best(&d);
    assert_false(listed(&r, 50)); /* it counts as soon as a model knows it */
    assert_int_equal(d.t->final.count, 1);
    end(&d);
}

static void test_explains_what_it_recommends(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t i = 0; i < 20; i++) assert_int_equal(tap(&d, 30 + 40 * i, 1), TACIT_OK);
    ranking r = best(&d);
    for (size_t i = 0; i < r.count; i++) {
        tacit_explanation e;
        tacit_reason reasons[4];
        size_t count;
        assert_int_equal(tacit_explain(d.t, &e, reasons, &count, 4, r.items[i].item), TACIT_OK);
        assert_int_equal(count, 4);
        float sum = e.bias + e.base + e.rest;
        for (size_t j = 0; j < count; j++) sum += reasons[j].share;
        assert_true(fabsf(sum - e.score) < 1e-5f);
        assert_true(fabsf(r.items[i].score - e.score) < 1e-5f);
    }
    tacit_scored alike[3];
    size_t count;
    assert_int_equal(tacit_similar(d.t, alike, &count, 3, 30), TACIT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(tacit_similar(d.t, alike, &count, 3, 31), TACIT_NOT_FOUND);
    end(&d);
}

static void test_records_in_batches(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_event events[200];
    for (uint64_t i = 0; i < 200; i++) {
        events[i] = (tacit_event){10 * (1 + i % 50), i, TACIT_EVENT_CLICK, 0};
    }
    uint64_t commits = d.p.commits;
    assert_int_equal(tacit_record_many(d.t, events, 200), TACIT_OK);
    assert_int_equal(d.p.commits - commits, 4); /* 64 at a time */
    assert_int_equal(tacit_record_many(d.t, events, 0), TACIT_OK);
    ranking all = best(&d);
    assert_int_equal(tacit_forget_all(d.t), TACIT_OK);
    for (int i = 0; i < 200; i++) assert_int_equal(tacit_record(d.t, &events[i]), TACIT_OK);
    ranking single = best(&d);
    assert_same(&all, &single, 1e-5f);

    events[150].value = NAN; /* one bad event: none is recorded */
    size_t stored = fault_count(&d.p, 'h');
    assert_int_equal(tacit_record_many(d.t, events, 200), TACIT_INVALID_ARGUMENT);
    assert_int_equal(fault_count(&d.p, 'h'), stored);
    events[150].value = 0;
    fault_arm(&d.p, FAULT_FAIL, 3); /* the third commit fails: two batches stand */
    assert_int_equal(tacit_record_many(d.t, events, 200), TACIT_STORAGE);
    assert_int_equal(fault_count(&d.p, 'h'), stored + 128);
    ranking now = best(&d);
    assert_int_equal(reopen(&d), TACIT_OK);
    ranking later = best(&d);
    assert_same(&now, &later, 1e-5f);
    end(&d);
}

static void test_events_get_the_clock(void **state) {
    (void)state;
    device d;
    begin(&d);
    d.p.now_s = 1812345678;
    assert_int_equal(tap(&d, 10, TACIT_EVENT_VIEW), TACIT_OK);
    const fault_entry *e = fault_find(&d.p, "h\0\0\0\0\0\0\0\0", 9);
    uint8_t plain[TACIT_HISTORY_EVENT_LEN];
    assert_non_null(e);
    assert_int_equal(tacit_open_box(plain, e->value + 24, e->value_len - 24, e->key, e->key_len,
                                    e->value, d.t->history.key),
                     TACIT_OK);
    assert_int_equal(tacit_get_u64(plain + 16), 1812345678);
    end(&d);
}

/* ---- Forgetting -------------------------------------------------------------------------------*/

/* After forgetting, the object is the one that never knew. */
static void test_forgetting_leaves_nothing_derived(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t i = 1; i <= 9; i++) assert_int_equal(tap(&d, 10 * i, 1), TACIT_OK);
    ranking without = best(&d);
    double u[14];
    memcpy(u, d.t->final.u, sizeof u);
    assert_int_equal(tap(&d, 700, TACIT_EVENT_PURCHASE), TACIT_OK);
    assert_int_equal(tacit_forget_item(d.t, 700), TACIT_OK);
    assert_int_equal(tacit_forget_item(d.t, 700), TACIT_NOT_FOUND);
    ranking r = best(&d);
    assert_same(&without, &r, 1e-6f);
    for (int i = 0; i < 14; i++) assert_true(fabs(u[i] - d.t->final.u[i]) < 1e-12);
    assert_int_equal(tacit_forget_all(d.t), TACIT_OK);
    assert_int_equal(tacit_history_count(d.t), 0);
    for (int i = 0; i < 14; i++) assert_true(d.t->final.u[i] == 0);
    for (int i = 0; i < 14 * 15 / 2; i++) {
        assert_true(d.t->final.root[i] == 0);
        assert_true(d.t->final.gram[i] == d.t->final.base[i]);
    }
    for (uint32_t i = 0; i < tacit_bitmap_len(d.t->options.max_items); i++)
        assert_int_equal(d.t->seen[i], 0); /* nor what the last list left out */
    assert_int_equal(fault_count(&d.p, 'h'), 0);
    assert_int_equal(fault_count(&d.p, 'l'), 7); /* the ledger stays */
    end(&d);
}

static void test_failed_forgetting_says_so(void **state) {
    (void)state;
    device d;
    begin(&d);
    assert_int_equal(tap(&d, 10, TACIT_EVENT_VIEW), TACIT_OK);
    fault_arm(&d.p, FAULT_FAIL, 3); /* get, scan, commit */
    assert_int_equal(tacit_forget_item(d.t, 10), TACIT_STORAGE);
    assert_int_equal(tacit_history_count(d.t), 1); /* nothing happened */
    assert_int_equal(tacit_forget_item(d.t, 10), TACIT_OK);
    end(&d);
}

/* ---- Models -----------------------------------------------------------------------------------*/

static void test_models_that_are_refused(void **state) {
    (void)state;
    device d;
    begin(&d);
    ranking before = best(&d);
    fixture_model older = fixture_model_make(&d.keys, 2, 120, 8, 6, NULL);
    assert_int_equal(tacit_model_install(d.t, older.file, older.len), TACIT_BAD_MODEL);
    fixture_keys other = d.keys;
    memcpy(other.model_secret, d.keys.plan_secret, 64); /* a key for another purpose */
    memcpy(other.model_key, d.keys.plan_key, 32);
    fixture_model foreign = fixture_model_make(&other, 4, 120, 8, 6, NULL);
    assert_int_equal(tacit_model_install(d.t, foreign.file, foreign.len), TACIT_BAD_SIGNATURE);
    fixture_model large = fixture_model_make(&d.keys, 4, 257, 8, 6, NULL);
    assert_int_equal(tacit_model_install(d.t, large.file, large.len), TACIT_NO_SPACE);
    fixture_model wide = fixture_model_make(&d.keys, 4, 120, 20, 6, NULL);
    assert_int_equal(tacit_model_install(d.t, wide.file, wide.len), TACIT_NO_SPACE);
    assert_int_equal(tacit_model_install(d.t, d.model.file, d.model.len - 1), TACIT_BAD_MODEL);
    ranking after = best(&d);
    assert_same(&before, &after, 0); /* the model in use never changed */
    assert_int_equal(reopen(&d), TACIT_OK);
    after = best(&d);
    assert_same(&before, &after, 0);
    d.p.model[500] ^= 1; /* the slot rots */
    assert_int_not_equal(tacit_model_load(d.t), TACIT_OK);
    tacit_scored out[1];
    size_t count;
    assert_int_equal(tacit_recommend(d.t, out, &count, 1, NULL), TACIT_NOT_FOUND);
    assert_int_equal(tap(&d, 20, TACIT_EVENT_VIEW), TACIT_OK);
    assert_int_equal(tacit_model_install(d.t, older.file, older.len),
                     TACIT_OK); /* better than rot */
    assert_int_equal(d.t->final.count, 1);
    fixture_model_free(&older);
    fixture_model_free(&foreign);
    fixture_model_free(&large);
    fixture_model_free(&wide);
    end(&d);
}

/* ---- Opening ----------------------------------------------------------------------------------*/

static void test_open_fails_cleanly(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t i = 1; i <= 5; i++) assert_int_equal(tap(&d, 10 * i, 1), TACIT_OK);
    d.o.history_key[0] ^= 1;
    assert_int_equal(reopen(&d), TACIT_CORRUPT);
    d.o.history_key[0] ^= 1;
    for (uint64_t at = 1;; at++) { /* each durable call of opening fails once */
        fault_restart(&d.p);
        fault_arm(&d.p, FAULT_FAIL, at);
        tacit_status st = tacit_open(&d.t, d.memory, d.len, &d.o, &d.f);
        bool struck = d.p.durable_calls >= d.p.fault_at;
        /* A failing counter only shuts the budget; everything else is STORAGE. */
        assert_true(st == TACIT_OK || st == TACIT_STORAGE);
        if (!struck) {
            assert_int_equal(st, TACIT_OK);
            break;
        }
    }
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(tacit_history_count(d.t), 5);
    assert_false(d.t->ledger.record.exhausted);
    end(&d);
    tacit_close(NULL);
}

static void test_item_keys(void **state) {
    (void)state;
    assert_int_equal(tacit_item_of_key("42"), 42);
    assert_int_equal(tacit_item_of_key("0"), 0);
    assert_true(tacit_item_of_key("042") >> 63);
    assert_true(tacit_item_of_key("sku-1") >> 63);
    assert_true(tacit_item_of_key("sku-1") != tacit_item_of_key("sku-2"));
}

/* ---- Export -----------------------------------------------------------------------------------*/

typedef struct {
    char text[1 << 16];
    size_t len, fail_after;
} paper;

static tacit_status write_paper(void *self, const char *text, size_t len) {
    paper *p = self;
    if (p->fail_after > 0 && p->len > p->fail_after) return TACIT_IO;
    assert_true(p->len + len < sizeof p->text);
    memcpy(p->text + p->len, text, len);
    p->len += len;
    p->text[p->len] = 0;
    return TACIT_OK;
}

static void test_export_is_json_lines(void **state) {
    (void)state;
    static paper p;
    device d;
    begin(&d);
    memset(&p, 0, sizeof p);
    tacit_event events[3] = {{UINT64_MAX, 5, TACIT_EVENT_RATING, -0.1f},
                             {10, 1800000123, TACIT_EVENT_SKIP, 0},
                             {20, 7, TACIT_EVENT_CART, 1e-30f}};
    assert_int_equal(tacit_record_many(d.t, events, 3), TACIT_OK);
    uint8_t evidence[32];
    memset(evidence, 0xAB, sizeof evidence);
    tacit_write w = {(const uint8_t *)"e\0\0\0\0\0\0\1\2", 9, evidence, 32};
    assert_int_equal(d.f.storage_commit(d.f.self, &w, 1), TACIT_OK);
    assert_int_equal(tacit_export(d.t, write_paper, &p), TACIT_OK);

    static const char *const kinds[3] = {"rating", "skip", "cart"};
    int lines = 0;
    for (char *line = strtok(p.text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        json_error_t error;
        json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        if (j == NULL) fail_msg("%s: %s", line, error.text);
        const char *type = json_string_value(json_object_get(j, "type"));
        if (lines < 3) {
            assert_string_equal(type, "event");
            const tacit_event *e = &events[lines];
            const char *item = json_string_value(json_object_get(j, "item"));
            assert_true(strtoull(item, NULL, 10) == e->item);
            assert_string_equal(json_string_value(json_object_get(j, "kind")), kinds[lines]);
            assert_true((uint64_t)json_integer_value(json_object_get(j, "time_s")) == e->time_s);
            assert_true((float)json_number_value(json_object_get(j, "value")) == e->value);
        } else if (lines == 3) {
            assert_string_equal(type, "ledger");
            assert_true(json_number_value(json_object_get(j, "epsilon_budget")) == 8);
            assert_true(json_number_value(json_object_get(j, "epsilon_spent")) == 0);
            assert_true(json_is_false(json_object_get(j, "consent")));
            assert_int_equal(json_object_size(j), 15);
        } else {
            assert_string_equal(type, "evidence");
            assert_int_equal(json_integer_value(json_object_get(j, "round")), 258);
            assert_int_equal(strlen(json_string_value(json_object_get(j, "hash"))), 64);
        }
        json_decref(j);
    }
    assert_int_equal(lines, 5);
    memset(&p, 0, sizeof p);
    p.fail_after = 1;
    assert_int_equal(tacit_export(d.t, write_paper, &p), TACIT_IO); /* handed back unchanged */
    end(&d);
}

static void test_privacy_status_of_a_new_device(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_privacy s;
    assert_int_equal(tacit_privacy_status(d.t, &s), TACIT_OK);
    assert_false(s.consent || s.enrolled || s.paused);
    assert_true(s.epsilon_budget == 8 && s.delta == 1e-6);
    assert_true(s.epsilon_spent == 0 && s.epsilon_spent_replace == 0 && s.epsilon_spent_ever == 0);
    assert_int_equal(s.period_s, 30 * 86400);
    assert_int_equal(tacit_consent_set(d.t, true), TACIT_OK);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(tacit_privacy_status(d.t, &s), TACIT_OK);
    assert_true(s.consent);
    tacit_receipt receipt;
    assert_int_equal(tacit_contribute(d.t, &receipt), TACIT_NOT_ENROLLED);
    end(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taps_change_the_ranking_and_survive),
        cmocka_unit_test(test_works_before_any_model),
        cmocka_unit_test(test_explains_what_it_recommends),
        cmocka_unit_test(test_records_in_batches),
        cmocka_unit_test(test_events_get_the_clock),
        cmocka_unit_test(test_forgetting_leaves_nothing_derived),
        cmocka_unit_test(test_failed_forgetting_says_so),
        cmocka_unit_test(test_models_that_are_refused),
        cmocka_unit_test(test_open_fails_cleanly),
        cmocka_unit_test(test_item_keys),
        cmocka_unit_test(test_export_is_json_lines),
        cmocka_unit_test(test_privacy_status_of_a_new_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
