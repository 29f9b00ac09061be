/* SPDX-License-Identifier: Apache-2.0
 * history.h - what the person did: encrypted records in the platform's store, and the window of
 * distinct items in memory that the user factor is solved from.
 *
 * A record is written once and never changed; forgetting deletes it.
 *
 *   KEY     'h' | sequence number u64 big-endian, so a scan runs in the order of recording
 *   VALUE   OFFSET SIZE
 *                0   24  random nonce
 *               24   40  XChaCha20-Poly1305 box of the 24 bytes below; associated data = KEY
 *   EVENT        0    1  version, 1         1    1  kind        2    2  zero
 *                4    4  value, f32         8    8  item       16    8  time_s
 *
 *   KEY     'f'   a forgetting under way (removed by its last commit)
 *   VALUE   nonce | box of: item u64 | first sequence number that stays u64 | 1 for all items, u8;
 *           associated data = KEY
 *
 * The record key is BLAKE2b keyed with the host's history key over the HISTORY label, so the host's
 * key itself encrypts nothing else.
 *
 * The window holds the last `cap` distinct items in the order of recording (the device's clock may
 * jump). An item counts as interest when it has an event other than a skip; it is hidden while its
 * latest event is a skip. */
#ifndef TACIT_FIRMWARE_HISTORY_H
#define TACIT_FIRMWARE_HISTORY_H

#include "common/base.h"
#include "common/crypto.h"
#include "common/model.h"
#include "firmware/platform.h"
#include "firmware/workspace.h"

enum {
    TACIT_HISTORY_BATCH = 64, /* events in one commit */
    TACIT_HISTORY_KEY_LEN = 9,
    TACIT_HISTORY_EVENT_LEN = 24,
    TACIT_HISTORY_VALUE_LEN = TACIT_NONCE_LEN + TACIT_HISTORY_EVENT_LEN + TACIT_TAG_LEN
};

/* Index of an item the loaded model does not know. */
#define TACIT_NO_INDEX UINT32_MAX

typedef struct {
    uint64_t item;
    uint32_t index; /* in the loaded model, or TACIT_NO_INDEX */
    bool interest;  /* has an event other than a skip */
    bool hidden;    /* its latest event is a skip */
} tacit_window_item;

typedef struct {
    const tacit_platform *platform;
    uint8_t key[TACIT_KEY_LEN];
    tacit_window_item *items; /* [cap], latest first */
    uint32_t count, cap;
    uint64_t next; /* sequence number of the next record */
    struct {
        uint8_t key[TACIT_HISTORY_KEY_LEN];
        uint8_t value[TACIT_HISTORY_VALUE_LEN];
    } batch[TACIT_HISTORY_BATCH];
    tacit_write writes[TACIT_HISTORY_BATCH + 1];
} tacit_history;

/* What one event changed: model indices that began or ceased to count, or TACIT_NO_INDEX. */
typedef struct {
    uint32_t added, removed;
} tacit_history_change;

/* Takes the window's memory: cap items. */
void tacit_history_place(tacit_history *h, tacit_arena *arena, uint32_t cap);

/* Finishes a forgetting that was cut short, then reads all records. STORAGE, RANDOM; CORRUPT when a
 * record does not open under the key. */
TACIT_MUST_CHECK tacit_status tacit_history_open(tacit_history *h, const tacit_platform *platform,
                                                 const uint8_t history_key[static TACIT_KEY_LEN]);

/* Kind and value in range. */
bool tacit_history_event_check(const tacit_event *event);

/* Writes at most TACIT_HISTORY_BATCH checked events in one commit (time_s already set). The window
 * is not touched. */
TACIT_MUST_CHECK tacit_status tacit_history_append(tacit_history *h, const tacit_event *events,
                                                   size_t event_count);

/* Moves the event's item to the front of the window; `model` (may be NULL) gives its index. */
tacit_history_change tacit_history_note(tacit_history *h, uint64_t item, tacit_event_kind kind,
                                        const tacit_model *model);

/* Looks all indices up again. model may be NULL. */
void tacit_history_index(tacit_history *h, const tacit_model *model);

/* Deletes all records of one item, or all records. More than a batch takes several commits, of
 * which the first one is the promise: a device that stops in between finishes at the next open.
 * Nothing happened on STORAGE before that first commit; after it the window is already clean and
 * the rest follows later. NOT_FOUND when there is no such record. */
TACIT_MUST_CHECK tacit_status tacit_history_forget(tacit_history *h, uint64_t item);
TACIT_MUST_CHECK tacit_status tacit_history_forget_all(tacit_history *h);

/* Calls `visit` for each stored event, oldest first, until it returns something other than OK. */
TACIT_MUST_CHECK tacit_status tacit_history_each(const tacit_history *h,
                                                 tacit_status (*visit)(void *self,
                                                                       const tacit_event *event),
                                                 void *self);

#endif
