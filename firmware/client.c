/* SPDX-License-Identifier: Apache-2.0
 * client.c - tacit.h but for models, network and export: opening, the history as it grows and
 * shrinks, and the answers made from it. Each function checks its arguments here, so that the
 * modules behind it can assert. It refuses options outside tacit.h's ranges. */
#include "firmware/client.h"

#include "common/cert.h"
#include "common/crypto.h"
#include "common/item.h"
#include "firmware/explain.h"
#include "firmware/recommend.h"
#include "firmware/secagg.h"

/* ---- Options and memory -----------------------------------------------------------------------*/

static bool options_check(const tacit_options *o) {
    if (!tacit_ledger_policy_check(o->epsilon, o->delta, o->period_s,
                                   tacit_floors_shipped.max_delta)) {
        return false;
    }
    if (o->max_items < 1 || o->max_items > TACIT_MAX_ITEMS) return false;
    if (o->max_factor > TACIT_FACTOR_ROW_MAX) return false;
    if (o->max_history < 1 || o->max_history > TACIT_MAX_HISTORY) return false;
    if (o->max_dims == 0) return true;
    return o->max_dims <= TACIT_MAX_DIMS && (o->max_dims & (o->max_dims - 1)) == 0 &&
           o->max_cohort >= 3 && o->max_cohort <= TACIT_MAX_COHORT;
}

static bool platform_check(const tacit_platform *p) {
    return p->clock && p->random && p->storage_get && p->storage_commit && p->storage_scan &&
           p->model_map && p->model_write && p->model_staged && p->model_commit && p->sign &&
           p->mac;
}

/* Takes every part in the order of workspace.h's drawing. With an arena that only measures, the
 * pointers in t are NULL. */
static tacit *lay_out(tacit_arena *arena, tacit *t, const tacit_options *o) {
    tacit *placed = tacit_arena_take(arena, 1, sizeof *t);
    if (placed != NULL) t = placed;
    assert(t != NULL); /* the caller's, when the arena only measures */
    tacit_history_place(&t->history, arena, o->max_history);
    t->seen = tacit_arena_take(arena, tacit_bitmap_len(o->max_items), 1);
    tacit_factor_place(&t->final, arena, o->max_factor);
    if (o->max_dims == 0) return t;
    uint32_t k = o->max_factor < TACIT_MAX_FACTOR ? o->max_factor : TACIT_MAX_FACTOR;
    tacit_factor_place(&t->training, arena, k);
    t->x = tacit_arena_take(arena, o->max_dims, sizeof *t->x);
    t->words = tacit_arena_take(arena, o->max_dims, sizeof *t->words);
    t->machine_len = tacit_secagg_len_max(o->max_cohort);
    t->machine = tacit_arena_take(arena, t->machine_len, 1);
    return t;
}

size_t tacit_workspace_len(const tacit_options *options) {
    tacit_arena arena;
    tacit scratch;
    if (!options_check(options)) return 0;
    memset(&scratch, 0, sizeof scratch);
    tacit_arena_init(&arena, NULL, 0);
    (void)lay_out(&arena, &scratch, options);
    return arena.full ? 0 : arena.used;
}

/* ---- Life -------------------------------------------------------------------------------------*/

/* Keeps the certificate; *epoch is set when its signature verifies. An expired one still tells the
 * epoch. */
static bool read_certificate(tacit *t, uint32_t *epoch) {
    tacit_cert cert;
    if (t->options.certificate == NULL) return false;
    memcpy(t->certificate, t->options.certificate, sizeof t->certificate);
    t->options.certificate = t->certificate;
    if (tacit_cert_verify(&cert, t->certificate, t->options.authority_key, 0, TACIT_CLASS_NONE) !=
        TACIT_OK) {
        return false;
    }
    t->certificate_end_s = cert.not_after_s;
    *epoch = cert.epoch;
    return true;
}

tacit_status tacit_open(tacit **out, void *workspace, size_t workspace_len,
                        const tacit_options *options, const tacit_platform *platform) {
    size_t need = tacit_workspace_len(options);
    if (need == 0 || !platform_check(platform)) return TACIT_INVALID_ARGUMENT;
    if ((uintptr_t)workspace % TACIT_ARENA_ALIGN != 0) return TACIT_INVALID_ARGUMENT;
    if (workspace_len < need) return TACIT_NO_SPACE;
    tacit_status st = tacit_crypto_init();
    if (st != TACIT_OK) return st;

    tacit_arena arena;
    tacit_arena_init(&arena, workspace, workspace_len);
    tacit *t = lay_out(&arena, NULL, options);
    assert(!arena.full && arena.used == need);
    t->arena = arena;
    t->platform = *platform;
    t->options = *options;
    t->floors = &tacit_floors_shipped;
    uint32_t epoch = 0;
    bool enrolled = read_certificate(t, &epoch);
    uint64_t now_s = platform->clock(platform->self);
    st = tacit_ledger_open(&t->ledger, &t->platform, &t->options, enrolled ? &epoch : NULL, now_s);
    if (st == TACIT_OK) st = tacit_history_open(&t->history, &t->platform, options->history_key);
    tacit_wipe(t->options.history_key, sizeof t->options.history_key);
    if (st != TACIT_OK) {
        tacit_close(t);
        return st;
    }
    *out = t;
    return TACIT_OK;
}

void tacit_close(tacit *t) {
    if (t == NULL) return;
    tacit_participation_leave(&t->participation);
    tacit_wipe(t->arena.base, t->arena.used);
}

void tacit_client_floors(tacit *t, const tacit_floors *floors) { t->floors = floors; }

tacit_participation_room tacit_client_room(tacit *t) {
    tacit_participation_room room = {.platform = &t->platform,
                                     .options = &t->options,
                                     .floors = t->floors,
                                     .ledger = &t->ledger,
                                     .history = &t->history,
                                     .training = &t->training,
                                     .x = t->x,
                                     .words = t->words,
                                     .machine = t->machine,
                                     .machine_len = t->machine_len};
    return room;
}

/* ---- History ----------------------------------------------------------------------------------*/

uint64_t tacit_item_of_key(const char *key) { return tacit_item_id(key); }

/* A system that cannot be solved leaves u = 0, which ranks by popularity: the event is stored all
 * the same, so this is not the caller's error. */
static void resolve(tacit *t) {
    if (!t->loaded) return;
    tacit_status st = tacit_factor_solve(&t->final);
    (void)st;
}

void tacit_client_solve(tacit *t) {
    if (!t->loaded) return;
    tacit_factor_clear(&t->final);
    for (uint32_t i = 0; i < t->history.count; i++) {
        const tacit_window_item *w = &t->history.items[i];
        if (w->interest && w->index != TACIT_NO_INDEX)
            tacit_factor_change(&t->final, w->index, true);
    }
    resolve(t);
}

static void note(tacit *t, const tacit_event *event) {
    const tacit_model *model = t->loaded ? &t->model : NULL;
    tacit_history_change c = tacit_history_note(&t->history, event->item, event->kind, model);
    if (c.removed != TACIT_NO_INDEX) tacit_factor_change(&t->final, c.removed, false);
    if (c.added != TACIT_NO_INDEX) tacit_factor_change(&t->final, c.added, true);
}

tacit_status tacit_record(tacit *t, const tacit_event *event) {
    return tacit_record_many(t, event, 1);
}

tacit_status tacit_record_many(tacit *t, const tacit_event *events, size_t event_count) {
    tacit_event batch[TACIT_HISTORY_BATCH];
    tacit_status st = TACIT_OK;
    for (size_t i = 0; i < event_count; i++) {
        if (!tacit_history_event_check(&events[i])) return TACIT_INVALID_ARGUMENT;
    }
    while (event_count > 0 && st == TACIT_OK) {
        size_t count = event_count < TACIT_HISTORY_BATCH ? event_count : TACIT_HISTORY_BATCH;
        for (size_t i = 0; i < count; i++) {
            batch[i] = events[i];
            if (batch[i].time_s == 0) batch[i].time_s = t->platform.clock(t->platform.self);
        }
        st = tacit_history_append(&t->history, batch, count);
        for (size_t i = 0; i < count && st == TACIT_OK; i++) note(t, &batch[i]);
        events += count;
        event_count -= count;
    }
    tacit_wipe(batch, sizeof batch);
    resolve(t);
    return st;
}

size_t tacit_history_count(const tacit *t) { return t->history.count; }

/* After a forgetting, whole or cut short: nothing derived from the window may outlive it. */
static tacit_status forgot(tacit *t, tacit_status st) {
    tacit_participation_forget(&t->participation);
    tacit_factor_clear(&t->training);
    tacit_factor_clear(&t->final);
    tacit_wipe(t->seen, tacit_bitmap_len(t->options.max_items));
    tacit_client_solve(t);
    return st;
}

tacit_status tacit_forget_item(tacit *t, uint64_t item) {
    return forgot(t, tacit_history_forget(&t->history, item));
}

tacit_status tacit_forget_all(tacit *t) { return forgot(t, tacit_history_forget_all(&t->history)); }

/* ---- Recommendations --------------------------------------------------------------------------*/

tacit_status tacit_recommend(tacit *t, tacit_scored *out, size_t *count, size_t cap,
                             const tacit_query *query) {
    if (!t->loaded) return TACIT_NOT_FOUND;
    tacit_rank(out, count, cap, &t->final, &t->history, t->seen, query);
    return TACIT_OK;
}

tacit_status tacit_explain(tacit *t, tacit_explanation *out, tacit_reason *reasons,
                           size_t *reason_count, size_t cap, uint64_t item) {
    uint32_t index;
    if (!t->loaded) return TACIT_NOT_FOUND;
    tacit_status st = tacit_model_find(&t->model, &index, item);
    if (st != TACIT_OK) return st;
    tacit_explain_item(out, reasons, reason_count, cap, &t->final, &t->history, index);
    return TACIT_OK;
}

tacit_status tacit_similar(tacit *t, tacit_scored *out, size_t *count, size_t cap, uint64_t item) {
    uint32_t index;
    if (!t->loaded) return TACIT_NOT_FOUND;
    tacit_status st = tacit_model_find(&t->model, &index, item);
    if (st == TACIT_OK) tacit_rank_similar(out, count, cap, &t->model, index);
    return st;
}

/* ---- Consent and ledger -----------------------------------------------------------------------*/

tacit_status tacit_consent_set(tacit *t, bool contribute) {
    tacit_status st = tacit_ledger_consent(&t->ledger, contribute);
    if (!contribute) tacit_participation_leave(&t->participation);
    return st;
}

tacit_status tacit_privacy_status(const tacit *t, tacit_privacy *out) {
    uint64_t now_s = t->platform.clock(t->platform.self);
    tacit_ledger_status(&t->ledger, out, now_s);
    out->enrolled = t->certificate_end_s > 0 && now_s <= t->certificate_end_s;
    return TACIT_OK;
}
