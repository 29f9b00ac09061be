/* SPDX-License-Identifier: Apache-2.0
 * tacit.h - the one public header of libtacit: recommendations on the device, private
 * contributions to a better model, and the budget that limits them.
 *
 * CONVENTIONS
 *   Pointers are never NULL unless said. Lengths count bytes when named _len, elements when named
 *   _count. Matrices are row-major, shapes written [rows x cols]. Times are Unix seconds.
 *   The library never allocates, opens files or sockets, prints or reads a clock: memory is the
 *   workspace given to tacit_open, everything else comes through `tacit_platform`.
 *   Every function returns a tacit_status; anything but TACIT_OK leaves outputs unspecified and the
 *   stored history and ledger as they were, unless said otherwise.
 *   One `tacit` object belongs to one thread at a time; different objects are independent.
 *
 * LIFE OF AN APP
 *   tacit_open -> tacit_model_load (once, and after each tacit_sync) -> tacit_record and
 *   tacit_recommend as the person taps -> at a good moment (idle, charging, unmetered network)
 *   tacit_contribute -> tacit_close. Items are 64-bit numbers of the host's choosing
 *   (tacit_item_of_key makes one from a string).
 */
#ifndef TACIT_H
#define TACIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TACIT_API __attribute__((visibility("default")))
#define TACIT_CHECKED __attribute__((warn_unused_result))
#else
#define TACIT_API
#define TACIT_CHECKED
#endif

#define TACIT_VERSION "0.1.0"

/* ==== What the host gives ======================================================================
 */

/* One write of an atomic commit: value NULL (and value_len 0) deletes the key. */
typedef struct {
    const uint8_t *key;
    size_t key_len; /* at most 32 */
    const uint8_t *value;
    size_t value_len; /* at most 512 */
} tacit_write;

/* One network exchange: an HTTP request and its answer. */
typedef struct {
    const char *method;   /* "GET" or "POST" */
    const char *path;     /* "/v1/..." */
    const char *poll;     /* value of the Tacit-Poll header, or NULL */
    uint64_t range_start; /* GET of a model: first byte wanted (0: whole file) */
    /* POST: the transport calls produce once; it writes the whole body through emit, in pieces. A
     * status from emit other than OK must be returned unchanged. */
    tacit_status (*produce)(void *self,
                            tacit_status (*emit)(void *emit_self, const uint8_t *data, size_t len),
                            void *emit_self);
    /* The transport hands over the answer's body in pieces, only when http_status is 200 or 206. */
    tacit_status (*consume)(void *self, const uint8_t *data, size_t len);
    void *self;
    /* Filled in by the transport: */
    int http_status;        /* 200, 202, 206, 4xx, 5xx */
    uint32_t retry_after_s; /* from Retry-After, 0 when absent */
    uint32_t problem;       /* tacit_status of the answer's Problem message, 0 when absent */
} tacit_exchange;

/* Callbacks. `self` is handed back unchanged. None may call back into the same `tacit`. All are
 * required unless marked optional. */
typedef struct {
    void *self;
    /* Unix seconds; may jump, the library copes. */
    uint64_t (*clock)(void *self);
    /* Cryptographically secure bytes. Anything but OK ends the operation with RANDOM. */
    tacit_status (*random)(void *self, uint8_t *out, size_t len);

    /* Storage: a durable map from short keys to short values. storage_commit applies all writes or
     * none and returns OK only when they are on stable storage. storage_get: NOT_FOUND, or NO_SPACE
     * when cap is too small. storage_scan visits keys with the prefix in ascending order until
     * visit returns something other than OK, which it returns. */
    tacit_status (*storage_get)(void *self, uint8_t *value, size_t cap, size_t *len,
                                const uint8_t *key, size_t key_len);
    tacit_status (*storage_commit)(void *self, const tacit_write *writes, size_t write_count);
    tacit_status (*storage_scan)(void *self, const uint8_t *prefix, size_t prefix_len,
                                 tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                       size_t key_len, const uint8_t *value,
                                                       size_t value_len),
                                 void *visit_self);

    /* Model file: one slot. model_map gives the committed file (8-byte aligned, valid until the
     * next model_commit or close; NOT_FOUND when there is none). model_write starts (offset 0) or
     * continues a new file; model_commit makes the `len` bytes written the committed one,
     * atomically; model_staged gives the staged bytes read-only for verification before the commit.
     */
    tacit_status (*model_map)(void *self, const uint8_t **data, size_t *len);
    tacit_status (*model_write)(void *self, size_t offset, const uint8_t *data, size_t len);
    tacit_status (*model_staged)(void *self, const uint8_t **data, size_t *len);
    tacit_status (*model_commit)(void *self);

    /* Network; TRANSPORT when no answer came. Optional: without it contribute and sync say
     * TRANSPORT. The transport authenticates the server (TLS with a pinned certificate). */
    tacit_status (*exchange)(void *self, tacit_exchange *exchange);
    /* Waits about `seconds` (poll intervals); returns non-OK to cancel. Optional with exchange. */
    tacit_status (*wait)(void *self, uint32_t seconds);

    /* Identity key, kept in the platform's keystore and excluded from backup: Ed25519 over msg. */
    tacit_status (*sign)(void *self, uint8_t sig[64], const uint8_t *msg, size_t len);
    /* MAC under a key of the same keystore (32 bytes out); binds the ledger to the identity. */
    tacit_status (*mac)(void *self, uint8_t out[32], const uint8_t *msg, size_t len);
    /* Monotonic counter of the keystore, optional (NULL when the platform has none): reads it, or
     * raises it to at least `value`. It must never go down. */
    tacit_status (*counter_read)(void *self, uint64_t *value);
    tacit_status (*counter_raise)(void *self, uint64_t value);
    /* Optional: progress of a contribution for logs and tests; phase 0 join .. 4 reveal, 5 done. */
    void (*progress)(void *self, uint32_t phase);
} tacit_platform;

/* Pinned keys, limits and policy; copied by tacit_open except the pointers. */
typedef struct {
    uint8_t plan_key[32], model_key[32], authority_key[32]; /* Ed25519, pinned in the app */
    uint8_t history_key[32];    /* from the host's keystore; encrypts the history at rest */
    const uint8_t *certificate; /* 110 bytes from the enrolment authority, or NULL: not enrolled */
    /* Privacy policy: what this device spends at most per period, epsilon at delta <= 1e-5. */
    double epsilon, delta;
    uint64_t period_s; /* at least one day */
    /* Sizes the workspace: */
    uint32_t max_items;   /* items in a model, at most 2^20 */
    uint32_t max_factor;  /* k + f of a model, at most 256 */
    uint32_t max_history; /* distinct items remembered, at most 4096 */
    uint32_t max_dims; /* padded update length, power of two, at most 2^20; 0: never contributes */
    uint32_t max_cohort; /* roster size, at most 10000 */
} tacit_options;

/* ==== Life cycle ===============================================================================
 */

typedef struct tacit tacit;

/* Bytes of workspace the options need; 0 when they are out of range. */
TACIT_API size_t tacit_workspace_len(const tacit_options *options);

/* Opens the store and reads the history. The workspace (16-byte aligned) and platform stay the
 * caller's and must outlive the object. A ledger that is missing although the identity was enrolled
 * before, unreadable, older than its counter or without its identity counts as a spent budget until
 * a certificate of a newer epoch (recommendations are not affected).
 * NO_SPACE, INVALID_ARGUMENT, STORAGE; CORRUPT when a history record does not open under the key.
 */
TACIT_API TACIT_CHECKED tacit_status tacit_open(tacit **out, void *workspace, size_t workspace_len,
                                                const tacit_options *options,
                                                const tacit_platform *platform);

/* Wipes the whole workspace. NULL is allowed. */
TACIT_API void tacit_close(tacit *t);

/* Maps and verifies the committed model and re-solves the user factor. NOT_FOUND before the first
 * sync; BAD_MODEL, BAD_SIGNATURE; NO_SPACE above the options' sizes. */
TACIT_API TACIT_CHECKED tacit_status tacit_model_load(tacit *t);

/* Installs a model file shipped with the app or fetched by the host: staged, verified under the
 * pinned key, refused when its number is lower than the current one's (BAD_MODEL), then committed
 * and loaded. */
TACIT_API TACIT_CHECKED tacit_status tacit_model_install(tacit *t, const uint8_t *file, size_t len);

/* Fetches the newest model when it is newer than the one here, verifies it like
 * tacit_model_install, and loads it. OK when there is nothing newer; NOT_FOUND when the server has
 * no model and there is none here; TRANSPORT, BUSY. */
TACIT_API TACIT_CHECKED tacit_status tacit_sync(tacit *t);

/* ==== The person's history =====================================================================
 */

typedef enum {
    TACIT_EVENT_VIEW = 1,
    TACIT_EVENT_CLICK = 2,
    TACIT_EVENT_CART = 3,
    TACIT_EVENT_PURCHASE = 4,
    TACIT_EVENT_RATING = 5,
    TACIT_EVENT_SKIP = 6 /* seen and not wanted: hides the item, never counts as interest */
} tacit_event_kind;

typedef struct {
    uint64_t item;
    uint64_t time_s; /* 0: the platform's clock */
    tacit_event_kind kind;
    float value; /* rating value, quantity or seconds; kept, finite; 0 when meaningless */
} tacit_event;

/* Item number of a string key: its first 8 bytes of BLAKE2b with the top bit set; decimal strings
 * below 2^63 without leading zeros give their own value. Never 0 for a hashed key. */
TACIT_API uint64_t tacit_item_of_key(const char *key);

/* Appends the event durably (encrypted) and updates the user factor: one rank-1 change and one
 * Cholesky solve, so the next tacit_recommend already knows. Items the model does not know are kept
 * and count as soon as a model knows them. When max_history distinct items are exceeded the oldest
 * item is dropped from the window. */
TACIT_API TACIT_CHECKED tacit_status tacit_record(tacit *t, const tacit_event *event);
/* The same for many events in one commit per 64; for imports. */
TACIT_API TACIT_CHECKED tacit_status tacit_record_many(tacit *t, const tacit_event *events,
                                                       size_t event_count);

/* Distinct items in the window. */
TACIT_API size_t tacit_history_count(const tacit *t);

/* Removes every event of one item, durably and at once, with all derived state. NOT_FOUND. What an
 * already published sum contains cannot be taken back; epsilon bounds it. A contribution that has
 * not yet sent its vector sends a null update instead. */
TACIT_API TACIT_CHECKED tacit_status tacit_forget_item(tacit *t, uint64_t item);
/* Removes the whole history. The ledger stays: forgetting does not refund privacy budget. Storage
 * may keep old ciphertext for a while: a host that opens the next time with a new history key makes
 * that unreadable for good. */
TACIT_API TACIT_CHECKED tacit_status tacit_forget_all(tacit *t);

/* Writes the history and the ledger as JSON lines through `write` (pieces of text, not
 * zero-terminated). */
TACIT_API TACIT_CHECKED tacit_status
tacit_export(tacit *t, tacit_status (*write)(void *self, const char *text, size_t len), void *self);

/* ==== Recommendations ==========================================================================
 */

typedef struct {
    uint64_t item;
    float score;
} tacit_scored;

typedef struct {
    bool include_seen; /* false: items of the history are left out */
    /* Optional filter: false leaves the item out. Called for candidate items only. */
    bool (*allow)(void *self, uint64_t item);
    void *allow_self;
} tacit_query;

/* The best `cap` items, best first, ties by lower item number. query may be NULL. *count <= cap.
 * Works offline. NOT_FOUND when no model is loaded. */
TACIT_API TACIT_CHECKED tacit_status tacit_recommend(tacit *t, tacit_scored *out, size_t *count,
                                                     size_t cap, const tacit_query *query);

typedef struct {
    uint64_t item; /* of the history */
    float share;
} tacit_reason;

/* Why an item has its score, exactly: score = bias + base + sum of the shares of all history items
 * (up to float rounding). The `cap` largest shares are listed, largest first; *rest is the sum of
 * the others. NOT_FOUND for an item the model does not know. */
typedef struct {
    float score, bias, base, rest;
} tacit_explanation;
TACIT_API TACIT_CHECKED tacit_status tacit_explain(tacit *t, tacit_explanation *out,
                                                   tacit_reason *reasons, size_t *reason_count,
                                                   size_t cap, uint64_t item);

/* Items most alike to `item` by cosine of their rows, best first. */
TACIT_API TACIT_CHECKED tacit_status tacit_similar(tacit *t, tacit_scored *out, size_t *count,
                                                   size_t cap, uint64_t item);

/* ==== Contributing =============================================================================
 */

/* The person's choice, stored durably. Contributions start refused (NO_CONSENT). Withdrawing takes
 * effect at once; a round in flight is left. */
TACIT_API TACIT_CHECKED tacit_status tacit_consent_set(tacit *t, bool contribute);

typedef struct {
    uint64_t round;
    uint32_t survivors;            /* devices in the sum */
    uint8_t sum_digest[32];        /* what the server's record must show */
    double epsilon_spent;          /* of this period, after this round */
    uint64_t bytes_up, bytes_down; /* bodies of this round, without headers and TLS */
} tacit_receipt;

/* Takes part in the open round, if any: blocks until the cohort ends (minutes). Call it when the
 * device is idle, charging and on an unmetered network, never depending on the history. The budget
 * is charged durably before the masked vector leaves and is not refunded.
 * NOT_FOUND no open round; NO_CONSENT, NOT_ENROLLED, PAUSED, BUDGET_SPENT, ROUND_USED, TOO_SOON,
 * BELOW_FLOOR, BAD_PLAN, BAD_SIGNATURE before anything is sent; LATE, LEFT, TOO_FEW, BAD_* when the
 * cohort was left on the way; BUSY when the server sheds load; TRANSPORT. */
TACIT_API TACIT_CHECKED tacit_status tacit_contribute(tacit *t, tacit_receipt *receipt);

typedef struct {
    bool consent, enrolled, paused;
    double epsilon_budget, delta; /* per period */
    double epsilon_spent;         /* this period, zero-out adjacency */
    double epsilon_spent_replace; /* the same for replacing this device's data by other data */
    double epsilon_spent_ever;    /* since installation */
    uint64_t period_start_s, period_s;
    uint64_t rounds_joined, rounds_charged, highest_round;
    uint32_t losses; /* cohorts lost after masking in this period; 3 pause the device */
} tacit_privacy;
TACIT_API TACIT_CHECKED tacit_status tacit_privacy_status(const tacit *t, tacit_privacy *out);

/* tacit_status_name and tacit_status_text stand in status.h. */

#ifdef __cplusplus
}
#endif

#endif
