/* SPDX-License-Identifier: Apache-2.0
 * history.c - see history.h. Records are opened with their key as associated data, so one moved to
 * another place does not open. It refuses to guess: a record that does not open stops the reading
 * with CORRUPT instead of being left out. */
#include "firmware/history.h"

#include <math.h>

enum { VERSION = 1, MARK_LEN = 17, MARK_VALUE_LEN = TACIT_NONCE_LEN + MARK_LEN + TACIT_TAG_LEN };

static const uint8_t record_prefix[1] = {'h'};
static const uint8_t mark_key[1] = {'f'};

/* ---- Encoding ---------------------------------------------------------------------------------*/

static void put_key(uint8_t key[static TACIT_HISTORY_KEY_LEN], uint64_t sequence) {
    key[0] = record_prefix[0];
    for (int i = 0; i < 8; i++) key[1 + i] = (uint8_t)(sequence >> (56 - 8 * i));
}

static tacit_status get_key(uint64_t *sequence, const uint8_t *key, size_t len) {
    if (len != TACIT_HISTORY_KEY_LEN || key[0] != record_prefix[0]) return TACIT_CORRUPT;
    *sequence = 0;
    for (int i = 0; i < 8; i++) *sequence = *sequence << 8 | key[1 + i];
    return TACIT_OK;
}

static void encode_event(uint8_t out[static TACIT_HISTORY_EVENT_LEN], const tacit_event *event) {
    uint32_t bits;
    memcpy(&bits, &event->value, sizeof bits);
    out[0] = VERSION;
    out[1] = (uint8_t)event->kind;
    tacit_put_u16(out + 2, 0);
    tacit_put_u32(out + 4, bits);
    tacit_put_u64(out + 8, event->item);
    tacit_put_u64(out + 16, event->time_s);
}

static tacit_status decode_event(tacit_event *event,
                                 const uint8_t in[static TACIT_HISTORY_EVENT_LEN]) {
    if (in[0] != VERSION || tacit_get_u16(in + 2) != 0) return TACIT_CORRUPT;
    uint32_t bits = tacit_get_u32(in + 4);
    memcpy(&event->value, &bits, sizeof bits);
    event->kind = (tacit_event_kind)in[1];
    event->item = tacit_get_u64(in + 8);
    event->time_s = tacit_get_u64(in + 16);
    return tacit_history_event_check(event) ? TACIT_OK : TACIT_CORRUPT;
}

bool tacit_history_event_check(const tacit_event *event) {
    return event->kind >= TACIT_EVENT_VIEW && event->kind <= TACIT_EVENT_SKIP &&
           isfinite(event->value);
}

/* nonce | box into `value`. */
static tacit_status seal(const tacit_history *h, uint8_t *value, const void *msg, size_t msg_len,
                         const uint8_t *key, size_t key_len) {
    tacit_status st = tacit_platform_random(h->platform, value, TACIT_NONCE_LEN);
    if (st != TACIT_OK) return st;
    tacit_seal(value + TACIT_NONCE_LEN, msg, msg_len, key, key_len, value, h->key);
    return TACIT_OK;
}

static tacit_status open_event(const tacit_history *h, tacit_event *event, const uint8_t *key,
                               size_t key_len, const uint8_t *value, size_t value_len) {
    uint8_t plain[TACIT_HISTORY_EVENT_LEN];
    if (value_len != TACIT_HISTORY_VALUE_LEN) return TACIT_CORRUPT;
    tacit_status st = tacit_open_box(plain, value + TACIT_NONCE_LEN, value_len - TACIT_NONCE_LEN,
                                     key, key_len, value, h->key);
    if (st == TACIT_OK) st = decode_event(event, plain);
    tacit_wipe(plain, sizeof plain);
    return st;
}

/* ---- The window -------------------------------------------------------------------------------*/

void tacit_history_place(tacit_history *h, tacit_arena *arena, uint32_t cap) {
    h->cap = cap;
    h->items = tacit_arena_take(arena, cap, sizeof *h->items);
}

static uint32_t lookup(const tacit_model *model, uint64_t item) {
    uint32_t index;
    if (model == NULL || tacit_model_find(model, &index, item) != TACIT_OK) return TACIT_NO_INDEX;
    return index;
}

tacit_history_change tacit_history_note(tacit_history *h, uint64_t item, tacit_event_kind kind,
                                        const tacit_model *model) {
    tacit_history_change change = {TACIT_NO_INDEX, TACIT_NO_INDEX};
    uint32_t at = 0;
    while (at < h->count && h->items[at].item != item) at++;
    tacit_window_item entry = {item, 0, false, false};
    if (at < h->count) {
        entry = h->items[at];
    } else {
        entry.index = lookup(model, item);
        if (h->count == h->cap) {
            const tacit_window_item *oldest = &h->items[h->count - 1];
            if (oldest->interest) change.removed = oldest->index;
            at = h->count - 1;
        } else {
            h->count++;
        }
    }
    if (kind != TACIT_EVENT_SKIP && !entry.interest) {
        entry.interest = true;
        change.added = entry.index;
    }
    entry.hidden = kind == TACIT_EVENT_SKIP;
    memmove(h->items + 1, h->items, at * sizeof *h->items);
    h->items[0] = entry;
    return change;
}

void tacit_history_index(tacit_history *h, const tacit_model *model) {
    for (uint32_t i = 0; i < h->count; i++) h->items[i].index = lookup(model, h->items[i].item);
}

static void drop(tacit_history *h, uint64_t item, bool all) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if (!all && h->items[i].item != item) h->items[kept++] = h->items[i];
    }
    tacit_wipe(h->items + kept, (h->count - kept) * sizeof *h->items);
    h->count = kept;
}

/* ---- Reading ----------------------------------------------------------------------------------*/

typedef struct {
    const tacit_history *history;
    tacit_status (*visit)(void *self, const tacit_event *event);
    void *self;
    tacit_status result; /* why the scan was stopped */
} each_state;

static tacit_status each_record(void *self, const uint8_t *key, size_t key_len,
                                const uint8_t *value, size_t value_len) {
    each_state *e = self;
    tacit_event event;
    e->result = open_event(e->history, &event, key, key_len, value, value_len);
    if (e->result == TACIT_OK) e->result = e->visit(e->self, &event);
    tacit_wipe(&event, sizeof event);
    return e->result;
}

tacit_status tacit_history_each(const tacit_history *h,
                                tacit_status (*visit)(void *self, const tacit_event *event),
                                void *self) {
    each_state e = {h, visit, self, TACIT_OK};
    tacit_status st = h->platform->storage_scan(h->platform->self, record_prefix,
                                                sizeof record_prefix, each_record, &e);
    if (e.result != TACIT_OK) return e.result;
    return st == TACIT_OK ? TACIT_OK : TACIT_STORAGE;
}

typedef struct {
    tacit_history *history;
    tacit_status result;
} load_state;

static tacit_status load_record(void *self, const uint8_t *key, size_t key_len,
                                const uint8_t *value, size_t value_len) {
    load_state *l = self;
    tacit_event event;
    uint64_t sequence = 0;
    l->result = get_key(&sequence, key, key_len);
    if (l->result == TACIT_OK) {
        l->result = open_event(l->history, &event, key, key_len, value, value_len);
    }
    if (l->result == TACIT_OK) {
        (void)tacit_history_note(l->history, event.item, event.kind, NULL);
        l->history->next = sequence + 1;
    }
    tacit_wipe(&event, sizeof event);
    return l->result;
}

static tacit_status load(tacit_history *h) {
    load_state l = {h, TACIT_OK};
    tacit_status st = h->platform->storage_scan(h->platform->self, record_prefix,
                                                sizeof record_prefix, load_record, &l);
    if (l.result != TACIT_OK) return l.result;
    return st == TACIT_OK ? TACIT_OK : TACIT_STORAGE;
}

/* ---- Writing ----------------------------------------------------------------------------------*/

tacit_status tacit_history_append(tacit_history *h, const tacit_event *events, size_t event_count) {
    assert(event_count <= TACIT_HISTORY_BATCH);
    uint8_t plain[TACIT_HISTORY_EVENT_LEN];
    tacit_status st = TACIT_OK;
    if (event_count == 0) return TACIT_OK;
    for (size_t i = 0; i < event_count && st == TACIT_OK; i++) {
        put_key(h->batch[i].key, h->next + i);
        encode_event(plain, &events[i]);
        st =
            seal(h, h->batch[i].value, plain, sizeof plain, h->batch[i].key, TACIT_HISTORY_KEY_LEN);
        h->writes[i] = (tacit_write){h->batch[i].key, TACIT_HISTORY_KEY_LEN, h->batch[i].value,
                                     TACIT_HISTORY_VALUE_LEN};
    }
    tacit_wipe(plain, sizeof plain);
    if (st != TACIT_OK) return st;
    st = tacit_platform_commit(h->platform, h->writes, event_count);
    if (st == TACIT_OK) h->next += event_count;
    return st;
}

/* ---- Forgetting -------------------------------------------------------------------------------*/

typedef struct {
    tacit_history *history;
    uint64_t item;
    uint64_t end; /* records from this sequence number on stay */
    bool all;
    size_t count; /* keys in the batch */
    tacit_status result;
} forget_state;

static tacit_status collect(void *self, const uint8_t *key, size_t key_len, const uint8_t *value,
                            size_t value_len) {
    forget_state *f = self;
    tacit_event event = {0};
    uint64_t sequence = 0;
    f->result = get_key(&sequence, key, key_len);
    if (f->result == TACIT_OK && !f->all) {
        f->result = open_event(f->history, &event, key, key_len, value, value_len);
    }
    bool match = f->all || event.item == f->item;
    tacit_wipe(&event, sizeof event);
    if (f->result != TACIT_OK) return f->result;
    if (sequence >= f->end || !match) return TACIT_OK;
    memcpy(f->history->batch[f->count++].key, key, key_len);
    f->result = f->count == TACIT_HISTORY_BATCH ? TACIT_PENDING : TACIT_OK;
    return f->result;
}

static tacit_status collect_batch(forget_state *f) {
    const tacit_platform *p = f->history->platform;
    f->count = 0;
    f->result = TACIT_OK;
    tacit_status st = p->storage_scan(p->self, record_prefix, sizeof record_prefix, collect, f);
    if (f->result != TACIT_OK) return f->result;
    return st == TACIT_OK ? TACIT_OK : TACIT_STORAGE;
}

static tacit_status seal_mark(const forget_state *f, uint8_t value[static MARK_VALUE_LEN]) {
    uint8_t plain[MARK_LEN];
    tacit_put_u64(plain, f->item);
    tacit_put_u64(plain + 8, f->end);
    plain[16] = f->all;
    tacit_status st = seal(f->history, value, plain, sizeof plain, mark_key, sizeof mark_key);
    tacit_wipe(plain, sizeof plain);
    return st;
}

/* marked: the store already holds the mark, and the window was cleaned when it was made; what it
 * holds of the item by now is newer. */
static tacit_status forget(forget_state *f, bool marked) {
    tacit_history *h = f->history;
    uint8_t mark[MARK_VALUE_LEN];
    bool clean = marked;
    for (bool first = true;; first = false) {
        tacit_status st = collect_batch(f);
        bool more = st == TACIT_PENDING;
        if (st != TACIT_OK && !more) return st;
        if (f->count == 0 && first && !marked) return TACIT_NOT_FOUND;
        size_t count = 0;
        for (; count < f->count; count++) {
            h->writes[count] = (tacit_write){h->batch[count].key, TACIT_HISTORY_KEY_LEN, NULL, 0};
        }
        if (more && !marked) {
            if ((st = seal_mark(f, mark)) != TACIT_OK) return st;
            h->writes[count++] = (tacit_write){mark_key, sizeof mark_key, mark, sizeof mark};
        } else if (!more && marked) {
            h->writes[count++] = (tacit_write){mark_key, sizeof mark_key, NULL, 0};
        }
        if ((st = tacit_platform_commit(h->platform, h->writes, count)) != TACIT_OK) return st;
        if (!clean) drop(h, f->item, f->all);
        clean = true;
        if (!more) return TACIT_OK;
        marked = true;
    }
}

/* Finishes the forgetting that stands in the store, if any; *done says which. */
static tacit_status resume(tacit_history *h, forget_state *done) {
    uint8_t value[MARK_VALUE_LEN], plain[MARK_LEN];
    size_t len;
    memset(done, 0, sizeof *done);
    tacit_status st =
        tacit_platform_get(h->platform, value, sizeof value, &len, mark_key, sizeof mark_key);
    if (st == TACIT_NOT_FOUND) return TACIT_OK;
    if (st == TACIT_STORAGE) return st;
    if (st != TACIT_OK || len != sizeof value) return TACIT_CORRUPT;
    st = tacit_open_box(plain, value + TACIT_NONCE_LEN, len - TACIT_NONCE_LEN, mark_key,
                        sizeof mark_key, value, h->key);
    if (st != TACIT_OK) return st;
    done->history = h;
    done->item = tacit_get_u64(plain);
    done->end = tacit_get_u64(plain + 8);
    done->all = plain[16] == 1;
    tacit_wipe(plain, sizeof plain);
    return forget(done, true);
}

/* There is one mark, so an older promise is kept before a new one is made. */
static tacit_status forget_now(forget_state *f) {
    forget_state before;
    tacit_status st = resume(f->history, &before);
    if (st != TACIT_OK) return st;
    st = forget(f, false);
    bool resumed = before.history != NULL && (before.all || (!f->all && before.item == f->item));
    return st == TACIT_NOT_FOUND && resumed ? TACIT_OK : st;
}

tacit_status tacit_history_forget(tacit_history *h, uint64_t item) {
    forget_state f = {.history = h, .item = item, .end = h->next};
    return forget_now(&f);
}

tacit_status tacit_history_forget_all(tacit_history *h) {
    forget_state f = {.history = h, .all = true, .end = h->next};
    tacit_status st = forget_now(&f);
    if (st == TACIT_OK || st == TACIT_NOT_FOUND) drop(h, 0, true);
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

tacit_status tacit_history_open(tacit_history *h, const tacit_platform *platform,
                                const uint8_t history_key[static TACIT_KEY_LEN]) {
    h->platform = platform;
    h->count = 0;
    h->next = 0;
    tacit_mac(h->key, history_key, TACIT_LABEL_HISTORY, "", 0);
    forget_state before;
    tacit_status st = resume(h, &before);
    return st == TACIT_OK ? load(h) : st;
}
