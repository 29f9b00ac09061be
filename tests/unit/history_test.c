/* SPDX-License-Identifier: Apache-2.0
 * history_test.c - the encrypted record of events and its window: what is recorded comes back, in
 * order; what was tampered with, moved or written under another key does not open; what is
 * forgotten is gone at once and for good, whenever the power goes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "firmware/history.h"
#include "tests/support/fault_platform.h"

enum { CAP = 8 };

typedef struct {
    fault_platform p;
    tacit_platform f;
    tacit_history h;
    tacit_window_item items[CAP];
} device;

static const uint8_t key[TACIT_KEY_LEN] = {1, 2, 3};

static tacit_status reopen(device *d) {
    fault_restart(&d->p);
    memset(&d->h, 0, sizeof d->h);
    d->h.items = d->items;
    d->h.cap = CAP;
    return tacit_history_open(&d->h, &d->f, key);
}

static void begin(device *d) {
    assert_int_equal(tacit_crypto_init(), TACIT_OK);
    fault_init(&d->p, 5);
    d->f = fault_callbacks(&d->p);
    assert_int_equal(reopen(d), TACIT_OK);
}

static tacit_status record(device *d, uint64_t item, tacit_event_kind kind) {
    tacit_event e = {item, 1000 + d->h.next, kind, 1.5f};
    tacit_status st = tacit_history_append(&d->h, &e, 1);
    if (st == TACIT_OK) (void)tacit_history_note(&d->h, item, kind, NULL);
    return st;
}

static void record_ok(device *d, uint64_t item, tacit_event_kind kind) {
    assert_int_equal(record(d, item, kind), TACIT_OK);
}

static void assert_window(const device *d, const uint64_t *items, uint32_t count) {
    assert_int_equal(d->h.count, count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(d->h.items[i].item, items[i]);
}
#define WINDOW(d, ...)                                \
    assert_window(d, (const uint64_t[]){__VA_ARGS__}, \
                  sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

typedef struct {
    tacit_event events[64];
    size_t count;
} listing;

static tacit_status list_event(void *self, const tacit_event *event) {
    listing *l = self;
    assert_true(l->count < 64);
    l->events[l->count++] = *event;
    return TACIT_OK;
}

/* ---- Window -----------------------------------------------------------------------------------*/

static void test_latest_first_and_distinct(void **state) {
    (void)state;
    device d;
    begin(&d);
    record_ok(&d, 5, TACIT_EVENT_VIEW);
    record_ok(&d, 6, TACIT_EVENT_CLICK);
    record_ok(&d, 7, TACIT_EVENT_CART);
    record_ok(&d, 5, TACIT_EVENT_PURCHASE);
    WINDOW(&d, 5, 7, 6);
    assert_int_equal(reopen(&d), TACIT_OK);
    WINDOW(&d, 5, 7, 6);
    assert_int_equal(d.h.next, 4);
    listing l = {.count = 0};
    assert_int_equal(tacit_history_each(&d.h, list_event, &l), TACIT_OK);
    assert_int_equal(l.count, 4);
    assert_int_equal(l.events[3].item, 5);
    assert_int_equal(l.events[3].kind, TACIT_EVENT_PURCHASE);
    assert_int_equal(l.events[3].time_s, 1003);
    assert_true(l.events[3].value == 1.5f);
    fault_free(&d.p);
}

static void test_oldest_item_leaves_the_window(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t i = 1; i <= CAP; i++) record_ok(&d, i, TACIT_EVENT_VIEW);
    record_ok(&d, 1, TACIT_EVENT_VIEW); /* now 2 is the oldest */
    record_ok(&d, 99, TACIT_EVENT_VIEW);
    WINDOW(&d, 99, 1, 8, 7, 6, 5, 4, 3);
    assert_int_equal(reopen(&d), TACIT_OK);
    WINDOW(&d, 99, 1, 8, 7, 6, 5, 4, 3);
    fault_free(&d.p);
}

static void test_skips_hide_and_never_count(void **state) {
    (void)state;
    device d;
    begin(&d);
    tacit_history_change c = tacit_history_note(&d.h, 4, TACIT_EVENT_SKIP, NULL);
    assert_int_equal(c.added, TACIT_NO_INDEX);
    assert_true(d.items[0].hidden);
    assert_false(d.items[0].interest);
    (void)tacit_history_note(&d.h, 4, TACIT_EVENT_VIEW, NULL);
    assert_false(d.items[0].hidden);
    assert_true(d.items[0].interest);
    (void)tacit_history_note(&d.h, 4, TACIT_EVENT_SKIP, NULL);
    assert_true(d.items[0].hidden);
    assert_true(d.items[0].interest); /* it has an event other than a skip */
    fault_free(&d.p);
}

static void test_changes_name_model_indices(void **state) {
    (void)state;
    device d;
    begin(&d);
    uint64_t ids[3] = {10, 20, 30};
    tacit_model m = {.item_count = 3, .ids = ids};
    tacit_history_change c = tacit_history_note(&d.h, 20, TACIT_EVENT_VIEW, &m);
    assert_int_equal(c.added, 1);
    assert_int_equal(c.removed, TACIT_NO_INDEX);
    c = tacit_history_note(&d.h, 20, TACIT_EVENT_CART, &m); /* again: nothing new */
    assert_int_equal(c.added, TACIT_NO_INDEX);
    for (uint64_t i = 0; i < CAP - 1; i++) (void)tacit_history_note(&d.h, 100 + i, 1, &m);
    c = tacit_history_note(&d.h, 30, TACIT_EVENT_VIEW, &m); /* pushes 20 out */
    assert_int_equal(c.added, 2);
    assert_int_equal(c.removed, 1);
    tacit_history_index(&d.h, NULL);
    assert_int_equal(d.h.items[0].index, TACIT_NO_INDEX);
    tacit_history_index(&d.h, &m);
    assert_int_equal(d.h.items[0].index, 2);
    fault_free(&d.p);
}

/* ---- Encryption -------------------------------------------------------------------------------*/

static void test_nothing_readable_at_rest(void **state) {
    (void)state;
    device d;
    begin(&d);
    record_ok(&d, 0x1122334455667788, TACIT_EVENT_VIEW);
    record_ok(&d, 0x1122334455667788, TACIT_EVENT_VIEW);
    const fault_entry *a = &d.p.store.entries[0], *b = &d.p.store.entries[1];
    assert_int_equal(a->value_len, TACIT_HISTORY_VALUE_LEN);
    uint8_t item[8];
    tacit_put_u64(item, 0x1122334455667788);
    assert_null(memmem(a->value, a->value_len, item, sizeof item));
    assert_memory_not_equal(a->value, b->value, TACIT_NONCE_LEN); /* fresh nonces */
    assert_memory_not_equal(a->value + TACIT_NONCE_LEN, b->value + TACIT_NONCE_LEN,
                            TACIT_HISTORY_EVENT_LEN);
    fault_free(&d.p);
}

static void test_tampering_is_found(void **state) {
    (void)state;
    device d;
    begin(&d);
    for (uint64_t i = 0; i < 3; i++) record_ok(&d, 100 + i, TACIT_EVENT_VIEW);
    fault_store good = fault_copy(&d.p);
    for (size_t byte = 0; byte < TACIT_HISTORY_VALUE_LEN; byte++) {
        d.p.store.entries[1].value[byte] ^= 1;
        assert_int_equal(reopen(&d), TACIT_CORRUPT);
        d.p.store.entries[1].value[byte] ^= 1;
    }
    d.p.store.entries[1].value_len--; /* cut */
    assert_int_equal(reopen(&d), TACIT_CORRUPT);
    fault_put_back(&d.p, &good);
    assert_int_equal(reopen(&d), TACIT_OK);
    fault_entry e = d.p.store.entries[0]; /* two records change places */
    memcpy(d.p.store.entries[0].value, d.p.store.entries[1].value, 512);
    memcpy(d.p.store.entries[1].value, e.value, 512);
    assert_int_equal(reopen(&d), TACIT_CORRUPT);
    fault_put_back(&d.p, &good);
    uint8_t other[TACIT_KEY_LEN] = {9};
    assert_int_equal(tacit_history_open(&d.h, &d.f, other), TACIT_CORRUPT);
    fault_store_free(&good);
    fault_free(&d.p);
}

static void test_failed_writes_change_nothing(void **state) {
    (void)state;
    device d;
    begin(&d);
    record_ok(&d, 1, TACIT_EVENT_VIEW);
    fault_arm(&d.p, FAULT_FAIL, 1);
    assert_int_equal(record(&d, 2, TACIT_EVENT_VIEW), TACIT_STORAGE);
    d.p.random_fails_at = d.p.random_calls + 1;
    assert_int_equal(record(&d, 3, TACIT_EVENT_VIEW), TACIT_RANDOM);
    WINDOW(&d, 1);
    assert_int_equal(fault_count(&d.p, 'h'), 1);
    record_ok(&d, 4, TACIT_EVENT_VIEW);
    assert_int_equal(reopen(&d), TACIT_OK);
    WINDOW(&d, 4, 1);
    fault_free(&d.p);
}

static void test_event_check(void **state) {
    (void)state;
    tacit_event e = {1, 2, TACIT_EVENT_VIEW, 0};
    assert_true(tacit_history_event_check(&e));
    e.kind = (tacit_event_kind)0;
    assert_false(tacit_history_event_check(&e));
    e.kind = (tacit_event_kind)7;
    assert_false(tacit_history_event_check(&e));
    e.kind = TACIT_EVENT_RATING;
    e.value = NAN;
    assert_false(tacit_history_event_check(&e));
    e.value = INFINITY;
    assert_false(tacit_history_event_check(&e));
    e.value = -3.5f;
    assert_true(tacit_history_event_check(&e));
}

/* ---- Forgetting -------------------------------------------------------------------------------*/

/* 150 records: item 7 in two of three, so its forgetting takes two commits. */
static void fill(device *d) {
    for (int i = 0; i < 150; i++) record_ok(d, i % 3 == 0 ? 8 : 7, TACIT_EVENT_VIEW);
}

static size_t stored(device *d, uint64_t item) {
    size_t count = 0;
    for (size_t i = 0; i < d->p.store.count; i++) {
        const fault_entry *e = &d->p.store.entries[i];
        if (e->key[0] != 'h') continue;
        uint8_t plain[TACIT_HISTORY_EVENT_LEN];
        assert_int_equal(
            tacit_open_box(plain, e->value + TACIT_NONCE_LEN, e->value_len - TACIT_NONCE_LEN,
                           e->key, e->key_len, e->value, d->h.key),
            TACIT_OK);
        count += tacit_get_u64(plain + 8) == item;
    }
    return count;
}

static void test_forget_item(void **state) {
    (void)state;
    device d;
    begin(&d);
    record_ok(&d, 1, TACIT_EVENT_VIEW);
    record_ok(&d, 2, TACIT_EVENT_VIEW);
    record_ok(&d, 1, TACIT_EVENT_SKIP);
    assert_int_equal(tacit_history_forget(&d.h, 3), TACIT_NOT_FOUND);
    assert_int_equal(tacit_history_forget(&d.h, 1), TACIT_OK);
    WINDOW(&d, 2);
    assert_int_equal(fault_count(&d.p, 'h'), 1);
    assert_int_equal(reopen(&d), TACIT_OK);
    WINDOW(&d, 2);
    assert_int_equal(d.h.next, 2);
    fault_free(&d.p);
}

static void test_forget_all(void **state) {
    (void)state;
    device d;
    begin(&d);
    assert_int_equal(tacit_history_forget_all(&d.h), TACIT_OK); /* of nothing */
    fill(&d);
    assert_int_equal(tacit_history_forget_all(&d.h), TACIT_OK);
    assert_int_equal(d.h.count, 0);
    assert_int_equal(d.p.store.count, 0);
    const uint8_t other[TACIT_KEY_LEN] = {9}; /* a host may throw the old key away now */
    assert_int_equal(tacit_history_open(&d.h, &d.f, other), TACIT_OK);
    assert_int_equal(reopen(&d), TACIT_OK);
    record_ok(&d, 5, TACIT_EVENT_VIEW);
    assert_int_equal(reopen(&d), TACIT_OK);
    WINDOW(&d, 5);
    fault_free(&d.p);
}

/* The power goes at each durable call of a long forgetting, before or after it takes effect: at the
 * next open either nothing was promised and all is there, or all of it is gone. */
static void test_forgetting_is_finished_after_a_power_cut(void **state) {
    (void)state;
    fault_kind kinds[2] = {FAULT_DIE_BEFORE, FAULT_DIE_AFTER};
    int kept = 0, gone = 0;
    for (int all = 0; all < 2; all++) {
        for (int k = 0; k < 2; k++) {
            for (uint64_t at = 1;; at++) {
                device d;
                begin(&d);
                fill(&d);
                fault_arm(&d.p, kinds[k], at);
                tacit_status st =
                    all ? tacit_history_forget_all(&d.h) : tacit_history_forget(&d.h, 7);
                bool cut = d.p.dead;
                assert_int_equal(reopen(&d), TACIT_OK);
                size_t seven = stored(&d, 7), eight = stored(&d, 8);
                assert_true(seven == 0 || (seven == 100 && st != TACIT_OK));
                assert_int_equal(eight, all && seven == 0 ? 0 : 50);
                assert_null(fault_find(&d.p, "f", 1));
                for (uint32_t i = 0; i < d.h.count && seven == 0; i++) {
                    assert_int_not_equal(d.h.items[i].item, 7);
                }
                seven == 0 ? gone++ : kept++;
                fault_free(&d.p);
                if (!cut) break;
            }
        }
    }
    assert_true(kept > 2 && gone > 4);
}

/* A forgetting cut short must not swallow what is recorded before it is resumed. */
static void test_resumed_forgetting_spares_newer_events(void **state) {
    (void)state;
    device d;
    begin(&d);
    fill(&d);
    fault_arm(&d.p, FAULT_FAIL, 5); /* get, scan, commit (the promise), scan, commit */
    assert_int_equal(tacit_history_forget(&d.h, 7), TACIT_STORAGE);
    for (uint32_t i = 0; i < d.h.count; i++) assert_int_not_equal(d.h.items[i].item, 7);
    assert_int_equal(stored(&d, 7), 100 - TACIT_HISTORY_BATCH);
    record_ok(&d, 7, TACIT_EVENT_CART);
    assert_int_equal(reopen(&d), TACIT_OK);
    assert_int_equal(stored(&d, 7), 1);
    WINDOW(&d, 7, 8);
    fault_free(&d.p);
}

/* Neither may a second forgetting lose the promise of a first. */
static void test_second_forgetting_keeps_the_first_promise(void **state) {
    (void)state;
    for (int again = 0; again < 3; again++) {
        device d;
        begin(&d);
        fill(&d);
        fault_arm(&d.p, FAULT_FAIL, 5);
        assert_int_equal(tacit_history_forget(&d.h, 7), TACIT_STORAGE);
        if (again == 1) record_ok(&d, 7, TACIT_EVENT_CART); /* newer than the promise: stays */
        tacit_status st = again == 0   ? tacit_history_forget(&d.h, 7)
                          : again == 1 ? tacit_history_forget(&d.h, 8)
                                       : tacit_history_forget_all(&d.h);
        assert_int_equal(st, TACIT_OK);
        assert_int_equal(stored(&d, 7), again == 1);
        assert_int_equal(d.h.count, again != 2); /* 8, or the newer 7 */
        assert_int_equal(stored(&d, 8), again == 0 ? 50 : 0);
        assert_null(fault_find(&d.p, "f", 1));
        fault_free(&d.p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latest_first_and_distinct),
        cmocka_unit_test(test_oldest_item_leaves_the_window),
        cmocka_unit_test(test_skips_hide_and_never_count),
        cmocka_unit_test(test_changes_name_model_indices),
        cmocka_unit_test(test_nothing_readable_at_rest),
        cmocka_unit_test(test_tampering_is_found),
        cmocka_unit_test(test_failed_writes_change_nothing),
        cmocka_unit_test(test_event_check),
        cmocka_unit_test(test_forget_item),
        cmocka_unit_test(test_forget_all),
        cmocka_unit_test(test_forgetting_is_finished_after_a_power_cut),
        cmocka_unit_test(test_resumed_forgetting_spares_newer_events),
        cmocka_unit_test(test_second_forgetting_keeps_the_first_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
