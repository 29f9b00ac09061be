/* SPDX-License-Identifier: Apache-2.0
 * store_sqlite.c - store.h over SQLite: write-ahead log, full synchronisation, numbered migrations.
 *
 * What may not change is guarded by triggers inside the database, so that also another program with
 * the file cannot rewrite the record by mistake. REPLACE would delete without firing a trigger, so
 * an entry must carry exactly the next number. Every write is one immediate transaction. */
#include "server/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUSY_MS = 10000, SUM_MAX = 1 << 28 };

struct store {
    sqlite3 *db;
    char note[TACIT_NOTE_LEN + 1];
};

static const char *const migrations[] = {
    /* 1 */
    "CREATE TABLE run (run INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
    " epsilon REAL NOT NULL, delta REAL NOT NULL, devices INTEGER NOT NULL,"
    " preset INTEGER NOT NULL, factor INTEGER NOT NULL, sums INTEGER NOT NULL,"
    " n_lo INTEGER NOT NULL, n_hi INTEGER NOT NULL, n_min_floor INTEGER NOT NULL,"
    " expected INTEGER NOT NULL, max_colluding INTEGER NOT NULL, max_dropout INTEGER NOT NULL,"
    " join_s INTEGER NOT NULL, share_s INTEGER NOT NULL, mask_s INTEGER NOT NULL,"
    " agree_s INTEGER NOT NULL, reveal_s INTEGER NOT NULL, seed INTEGER NOT NULL, blob BLOB);"
    "CREATE TABLE round (round INTEGER PRIMARY KEY AUTOINCREMENT,"
    " run INTEGER NOT NULL REFERENCES run, plan BLOB);"
    "CREATE TABLE model (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE,"
    " round INTEGER NOT NULL, made_s INTEGER NOT NULL, file BLOB NOT NULL);"
    "CREATE TABLE sum (round INTEGER PRIMARY KEY REFERENCES round, data BLOB NOT NULL);"
    "CREATE TABLE record (entry INTEGER PRIMARY KEY, round INTEGER NOT NULL UNIQUE REFERENCES "
    "round,"
    " run INTEGER NOT NULL REFERENCES run, opened_s INTEGER NOT NULL, closed_s INTEGER NOT NULL,"
    " sum_index INTEGER NOT NULL, sum_count INTEGER NOT NULL, joined INTEGER NOT NULL,"
    " shared INTEGER NOT NULL, survivors INTEGER NOT NULL, honest INTEGER NOT NULL,"
    " plan_digest BLOB NOT NULL, model_before BLOB NOT NULL, model_after BLOB NOT NULL,"
    " root BLOB NOT NULL, u2_digest BLOB NOT NULL, u3_digest BLOB NOT NULL,"
    " sum_digest BLOB NOT NULL, status INTEGER NOT NULL, epsilon_so_far REAL NOT NULL,"
    " preset TEXT NOT NULL, note TEXT NOT NULL);"
    "CREATE TRIGGER record_append BEFORE INSERT ON record"
    " WHEN NEW.entry IS NOT (SELECT coalesce(max(entry), 0) + 1 FROM record)"
    " BEGIN SELECT raise(ABORT, 'the record is append-only'); END;"
    "CREATE TRIGGER record_update BEFORE UPDATE ON record"
    " BEGIN SELECT raise(ABORT, 'the record is append-only'); END;"
    "CREATE TRIGGER record_delete BEFORE DELETE ON record"
    " BEGIN SELECT raise(ABORT, 'the record is append-only'); END;"
    "CREATE TRIGGER model_update BEFORE UPDATE ON model"
    " BEGIN SELECT raise(ABORT, 'a model is immutable'); END;"
    "CREATE TRIGGER round_plan BEFORE UPDATE ON round WHEN OLD.plan IS NOT NULL"
    " BEGIN SELECT raise(ABORT, 'a plan is immutable'); END;",
    /* 2 */
    "CREATE TABLE blame (entry INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round,"
    " id BLOB NOT NULL, device_key BLOB NOT NULL, phase INTEGER NOT NULL, fault TEXT NOT NULL,"
    " banned INTEGER NOT NULL,"
    " wrong INTEGER NOT NULL, came INTEGER NOT NULL);"
    "CREATE TRIGGER blame_update BEFORE UPDATE ON blame"
    " BEGIN SELECT raise(ABORT, 'the record is append-only'); END;"
    "CREATE TRIGGER blame_delete BEFORE DELETE ON blame"
    " BEGIN SELECT raise(ABORT, 'the record is append-only'); END;",
};
enum { MIGRATION_COUNT = sizeof migrations / sizeof migrations[0] };

/* ---- Statements
 * --------------------------------------------------------------------------------*/

static tacit_status status_of(int code) {
    switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE: return TACIT_OK;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return TACIT_CORRUPT;
        case SQLITE_NOMEM:
        case SQLITE_TOOBIG: return TACIT_NO_SPACE;
        case SQLITE_CONSTRAINT: return TACIT_DUPLICATE;
        default: return TACIT_IO;
    }
}

static tacit_status failed(store *s, int code) {
    snprintf(s->note, sizeof s->note, "%s", sqlite3_errmsg(s->db));
    tacit_status st = status_of(code);
    return st != TACIT_OK ? st : TACIT_IO;
}

static tacit_status execute(store *s, const char *sql) {
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? TACIT_OK : failed(s, code);
}

static tacit_status prepare(store *s, sqlite3_stmt **q, const char *sql) {
    int code = sqlite3_prepare_v2(s->db, sql, -1, q, NULL);
    return code == SQLITE_OK ? TACIT_OK : failed(s, code);
}

/* Values are put in the order of the question marks; a failed bind shows when the statement runs.
 */
typedef struct {
    sqlite3_stmt *q;
    int at, code;
} binder;

static void put_u64(binder *b, uint64_t v) {
    int code = sqlite3_bind_int64(b->q, ++b->at, (sqlite3_int64)v);
    if (b->code == SQLITE_OK) b->code = code;
}

static void put_f64(binder *b, double v) {
    int code = sqlite3_bind_double(b->q, ++b->at, v);
    if (b->code == SQLITE_OK) b->code = code;
}

static void put_blob(binder *b, const void *data, size_t len) {
    int code = sqlite3_bind_blob64(b->q, ++b->at, len > 0 ? data : "", len, SQLITE_STATIC);
    if (b->code == SQLITE_OK) b->code = code;
}

static void put_text(binder *b, const char *text) {
    int code = sqlite3_bind_text(b->q, ++b->at, text, -1, SQLITE_STATIC);
    if (b->code == SQLITE_OK) b->code = code;
}

/* Runs a statement that gives no rows and ends it. */
static tacit_status finish(store *s, binder *b) {
    int code = b->code;
    if (code == SQLITE_OK) code = sqlite3_step(b->q);
    tacit_status st = code == SQLITE_DONE ? TACIT_OK : failed(s, code);
    sqlite3_finalize(b->q);
    return st;
}

/* First row: OK with the row at hand, NOT_FOUND, or a failure. The caller finalizes. */
static tacit_status row(store *s, binder *b) {
    int code = b->code;
    if (code == SQLITE_OK) code = sqlite3_step(b->q);
    if (code == SQLITE_ROW) return TACIT_OK;
    return code == SQLITE_DONE ? TACIT_NOT_FOUND : failed(s, code);
}

static uint64_t get_u64(sqlite3_stmt *q, int column) {
    return (uint64_t)sqlite3_column_int64(q, column);
}
static uint32_t get_u32(sqlite3_stmt *q, int column) { return (uint32_t)get_u64(q, column); }
static uint16_t get_u16(sqlite3_stmt *q, int column) { return (uint16_t)get_u64(q, column); }

/* Exactly 32 bytes; zeros for anything else. */
static void get_hash(uint8_t out[static 32], sqlite3_stmt *q, int column) {
    const void *data = sqlite3_column_blob(q, column);
    memset(out, 0, 32);
    if (data != NULL && sqlite3_column_bytes(q, column) == 32) memcpy(out, data, 32);
}

static void get_text(char *out, size_t cap, sqlite3_stmt *q, int column) {
    const unsigned char *text = sqlite3_column_text(q, column);
    snprintf(out, cap, "%s", text != NULL ? (const char *)text : "");
}

/* A copy for the caller. */
static tacit_status get_blob(uint8_t **data, size_t *len, sqlite3_stmt *q, int column) {
    const void *from = sqlite3_column_blob(q, column);
    *len = (size_t)sqlite3_column_bytes(q, column);
    *data = malloc(*len > 0 ? *len : 1);
    if (*data == NULL) return TACIT_NO_SPACE;
    if (*len > 0) memcpy(*data, from, *len);
    return TACIT_OK;
}

static tacit_status begin(store *s) { return execute(s, "BEGIN IMMEDIATE"); }

/* Commits when st is OK, else undoes everything; the first failure's words stay. */
static tacit_status end(store *s, tacit_status st) {
    if (st == TACIT_OK) st = execute(s, "COMMIT");
    if (st == TACIT_OK) return st;
    char note[sizeof s->note];
    memcpy(note, s->note, sizeof note);
    tacit_status undone = execute(s, "ROLLBACK"); /* fails harmlessly when SQLite already did it */
    (void)undone;
    memcpy(s->note, note, sizeof note);
    return st;
}

/* ---- Opening
 * -----------------------------------------------------------------------------------*/

static tacit_status version(store *s, int *out) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "PRAGMA user_version");
    if (st == TACIT_OK) st = row(s, &b);
    if (st == TACIT_OK) *out = sqlite3_column_int(b.q, 0);
    sqlite3_finalize(b.q);
    return st;
}

/* All in one transaction, so that two programs opening a new file do not both migrate it. */
static tacit_status migrate(store *s) {
    tacit_status st = begin(s);
    if (st != TACIT_OK) return st;
    int at = 0;
    st = version(s, &at);
    if (st == TACIT_OK && at > MIGRATION_COUNT) {
        snprintf(s->note, sizeof s->note, "the database has version %d, this build knows %d", at,
                 (int)MIGRATION_COUNT);
        st = TACIT_BAD_VERSION;
    }
    for (; st == TACIT_OK && at < MIGRATION_COUNT; at++) {
        char set[48];
        snprintf(set, sizeof set, "PRAGMA user_version = %d", at + 1);
        st = execute(s, migrations[at]);
        if (st == TACIT_OK) st = execute(s, set);
    }
    return end(s, st);
}

tacit_status store_open_sqlite(store **out, char *note, const char *path) {
    store *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, &s->db, flags, NULL);
    tacit_status st = code == SQLITE_OK ? TACIT_OK : failed(s, code);
    if (st == TACIT_OK) {
        sqlite3_busy_timeout(s->db, BUSY_MS);
        sqlite3_extended_result_codes(s->db, 1);
        st = execute(s,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON");
    }
    if (st == TACIT_OK) st = migrate(s);
    if (st != TACIT_OK) {
        if (note != NULL) memcpy(note, s->note, sizeof s->note);
        store_close(s);
        return st;
    }
    if (note != NULL) note[0] = 0;
    *out = s;
    return TACIT_OK;
}

void store_close(store *s) {
    if (s == NULL) return;
    sqlite3_close(s->db);
    free(s);
}

const char *store_error(const store *s) { return s->note; }

/* ---- Runs
 * --------------------------------------------------------------------------------------*/

#define RUN_COLUMNS                                                                        \
    "run, state, epsilon, delta, devices, preset, factor, sums, n_lo, n_hi, n_min_floor, " \
    "expected,"                                                                            \
    " max_colluding, max_dropout, join_s, share_s, mask_s, agree_s, reveal_s, seed"

tacit_status store_run_add(store *s, store_run *run) {
    binder b = {0};
    tacit_status st =
        prepare(s, &b.q,
                "INSERT INTO run (" RUN_COLUMNS
                ") VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (st != TACIT_OK) return st;
    put_u64(&b, run->state);
    put_f64(&b, run->epsilon);
    put_f64(&b, run->delta);
    put_u64(&b, run->devices);
    put_u64(&b, (uint64_t)(int64_t)run->preset);
    const uint32_t numbers[] = {run->factor, run->sums,        run->n_lo,
                                run->n_hi,   run->n_min_floor, run->expected};
    for (size_t i = 0; i < 6; i++) put_u64(&b, numbers[i]);
    const uint16_t shorts[] = {run->max_colluding, run->max_dropout, run->join_s,  run->share_s,
                               run->mask_s,        run->agree_s,     run->reveal_s};
    for (size_t i = 0; i < 7; i++) put_u64(&b, shorts[i]);
    put_u64(&b, run->seed);
    st = finish(s, &b);
    if (st == TACIT_OK) run->run = (uint64_t)sqlite3_last_insert_rowid(s->db);
    return st;
}

static tacit_status get_run(store *s, store_run *run, binder *b) {
    tacit_status st = row(s, b);
    if (st == TACIT_OK) {
        sqlite3_stmt *q = b->q;
        *run = (store_run){.run = get_u64(q, 0),
                           .state = (run_state)get_u32(q, 1),
                           .epsilon = sqlite3_column_double(q, 2),
                           .delta = sqlite3_column_double(q, 3),
                           .devices = get_u32(q, 4),
                           .preset = sqlite3_column_int(q, 5),
                           .factor = get_u32(q, 6),
                           .sums = get_u32(q, 7),
                           .n_lo = get_u32(q, 8),
                           .n_hi = get_u32(q, 9),
                           .n_min_floor = get_u32(q, 10),
                           .expected = get_u32(q, 11),
                           .max_colluding = get_u16(q, 12),
                           .max_dropout = get_u16(q, 13),
                           .join_s = get_u16(q, 14),
                           .share_s = get_u16(q, 15),
                           .mask_s = get_u16(q, 16),
                           .agree_s = get_u16(q, 17),
                           .reveal_s = get_u16(q, 18),
                           .seed = get_u64(q, 19)};
    }
    sqlite3_finalize(b->q);
    return st;
}

tacit_status store_run_next(store *s, store_run *run) {
    binder b = {0};
    tacit_status st = prepare(
        s, &b.q, "SELECT " RUN_COLUMNS " FROM run WHERE state IN (0, 1) ORDER BY run LIMIT 1");
    return st == TACIT_OK ? get_run(s, run, &b) : st;
}

tacit_status store_run_get(store *s, store_run *run, uint64_t id) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "SELECT " RUN_COLUMNS " FROM run WHERE run = ?");
    if (st != TACIT_OK) return st;
    put_u64(&b, id);
    return get_run(s, run, &b);
}

tacit_status store_run_state(store *s, uint64_t run, run_state state) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "UPDATE run SET state = ? WHERE run = ?");
    if (st != TACIT_OK) return st;
    put_u64(&b, state);
    put_u64(&b, run);
    st = finish(s, &b);
    return st == TACIT_OK && sqlite3_changes(s->db) != 1 ? TACIT_NOT_FOUND : st;
}

/* One blob of one row; NOT_FOUND when the row or the blob is not there. */
static tacit_status read_blob(store *s, uint8_t **data, size_t *len, binder *b) {
    tacit_status st = row(s, b);
    if (st == TACIT_OK)
        st = sqlite3_column_type(b->q, 0) == SQLITE_NULL ? TACIT_NOT_FOUND
                                                         : get_blob(data, len, b->q, 0);
    sqlite3_finalize(b->q);
    return st;
}

tacit_status store_run_blob(store *s, uint8_t **data, size_t *len, uint64_t run) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "SELECT blob FROM run WHERE run = ?");
    if (st != TACIT_OK) return st;
    put_u64(&b, run);
    return read_blob(s, data, len, &b);
}

/* ---- Rounds and plans
 * --------------------------------------------------------------------------*/

tacit_status store_round_next(store *s, uint64_t *round, uint64_t run) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "INSERT INTO round (run) VALUES (?)");
    if (st != TACIT_OK) return st;
    put_u64(&b, run);
    st = finish(s, &b);
    if (st == TACIT_OK) *round = (uint64_t)sqlite3_last_insert_rowid(s->db);
    return st;
}

tacit_status store_plan_put(store *s, uint64_t round, const uint8_t *plan, size_t plan_len) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "UPDATE round SET plan = ? WHERE round = ?");
    if (st != TACIT_OK) return st;
    put_blob(&b, plan, plan_len);
    put_u64(&b, round);
    st = finish(s, &b);
    return st == TACIT_OK && sqlite3_changes(s->db) != 1 ? TACIT_NOT_FOUND : st;
}

tacit_status store_plan_get(store *s, uint8_t *plan, size_t cap, size_t *len, uint64_t round) {
    binder b = {0};
    uint8_t *data = NULL;
    size_t have = 0;
    tacit_status st = prepare(s, &b.q, "SELECT plan FROM round WHERE round = ?");
    if (st != TACIT_OK) return st;
    put_u64(&b, round);
    st = read_blob(s, &data, &have, &b);
    if (st == TACIT_OK && have > cap) st = TACIT_NO_SPACE;
    if (st == TACIT_OK) {
        memcpy(plan, data, have);
        *len = have;
    }
    free(data);
    return st;
}

tacit_status store_round_unrecorded(store *s, uint64_t *round, uint64_t *run) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q,
                              "SELECT round, run FROM round WHERE plan IS NOT NULL AND round NOT IN"
                              " (SELECT round FROM record) ORDER BY round LIMIT 1");
    if (st == TACIT_OK) st = row(s, &b);
    if (st == TACIT_OK) {
        *round = get_u64(b.q, 0);
        *run = get_u64(b.q, 1);
    }
    sqlite3_finalize(b.q);
    return st;
}

/* ---- The end of a round
 * ------------------------------------------------------------------------*/

#define RECORD_COLUMNS                                                                         \
    "entry, round, run, opened_s, closed_s, sum_index, sum_count, joined, shared, survivors, " \
    "honest,"                                                                                  \
    " plan_digest, model_before, model_after, root, u2_digest, u3_digest, sum_digest, status," \
    " epsilon_so_far, preset, note"

static tacit_status next_entry(store *s, uint64_t *entry) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "SELECT coalesce(max(entry), 0) + 1 FROM record");
    if (st == TACIT_OK) st = row(s, &b);
    if (st == TACIT_OK) *entry = get_u64(b.q, 0);
    sqlite3_finalize(b.q);
    return st;
}

static tacit_status add_record(store *s, const store_record *r, uint64_t entry) {
    binder b = {0};
    tacit_status st =
        prepare(s, &b.q,
                "INSERT INTO record (" RECORD_COLUMNS
                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                " ?, ?)");
    if (st != TACIT_OK) return st;
    const uint64_t numbers[] = {entry,       r->round,     r->run,       r->opened_s,
                                r->closed_s, r->sum_index, r->sum_count, r->joined,
                                r->shared,   r->survivors, r->honest};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) put_u64(&b, numbers[i]);
    const uint8_t *const hashes[] = {r->plan_digest, r->model_before, r->model_after, r->root,
                                     r->u2_digest,   r->u3_digest,    r->sum_digest};
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) put_blob(&b, hashes[i], 32);
    put_u64(&b, r->status);
    put_f64(&b, r->epsilon_so_far);
    put_text(&b, r->preset);
    put_text(&b, r->note);
    return finish(s, &b);
}

static tacit_status add_sum(store *s, uint64_t round, const uint8_t *sum, size_t len) {
    binder b = {0};
    if (len > SUM_MAX) return TACIT_TOO_LARGE;
    tacit_status st = prepare(s, &b.q, "INSERT INTO sum (round, data) VALUES (?, ?)");
    if (st != TACIT_OK) return st;
    put_u64(&b, round);
    put_blob(&b, sum, len);
    return finish(s, &b);
}

static tacit_status set_run(store *s, uint64_t run, run_state state, const uint8_t *blob,
                            size_t blob_len) {
    binder b = {0};
    tacit_status st = store_run_state(s, run, state);
    if (st != TACIT_OK || blob == NULL) return st;
    st = prepare(s, &b.q, "UPDATE run SET blob = ? WHERE run = ?");
    if (st != TACIT_OK) return st;
    put_blob(&b, blob, blob_len);
    put_u64(&b, run);
    return finish(s, &b);
}

tacit_status store_commit_sum(store *s, store_record *record, const store_model *model,
                              const uint8_t *model_file, const uint8_t *sum, size_t sum_len,
                              const uint8_t *run_blob, size_t run_blob_len, run_state state) {
    uint64_t entry = 0;
    tacit_status st = begin(s);
    if (st != TACIT_OK) return st;
    st = next_entry(s, &entry);
    if (st == TACIT_OK) st = add_record(s, record, entry);
    if (st == TACIT_OK && sum != NULL) st = add_sum(s, record->round, sum, sum_len);
    if (st == TACIT_OK) st = set_run(s, record->run, state, run_blob, run_blob_len);
    if (st == TACIT_OK && model != NULL) st = store_model_add(s, model, model_file);
    st = end(s, st);
    if (st == TACIT_OK) record->entry = entry;
    return st;
}

/* ---- Models
 * ------------------------------------------------------------------------------------*/

#define MODEL_COLUMNS "number, digest, round, made_s, length(file)"

tacit_status store_model_add(store *s, const store_model *model, const uint8_t *file) {
    binder b = {0};
    tacit_status st = prepare(
        s, &b.q, "INSERT INTO model (number, digest, round, made_s, file) VALUES (?, ?, ?, ?, ?)");
    if (st != TACIT_OK) return st;
    put_u64(&b, model->number);
    put_blob(&b, model->digest, 32);
    put_u64(&b, model->round);
    put_u64(&b, model->made_s);
    put_blob(&b, file, model->len);
    return finish(s, &b);
}

static void get_model(store_model *m, sqlite3_stmt *q) {
    m->number = get_u64(q, 0);
    get_hash(m->digest, q, 1);
    m->round = get_u64(q, 2);
    m->made_s = get_u64(q, 3);
    m->len = get_u64(q, 4);
}

tacit_status store_model_latest(store *s, store_model *model) {
    binder b = {0};
    tacit_status st =
        prepare(s, &b.q, "SELECT " MODEL_COLUMNS " FROM model ORDER BY number DESC LIMIT 1");
    if (st == TACIT_OK) st = row(s, &b);
    if (st == TACIT_OK) get_model(model, b.q);
    sqlite3_finalize(b.q);
    return st;
}

tacit_status store_model_file(store *s, uint8_t **file, size_t *len,
                              const uint8_t digest[static 32]) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "SELECT file FROM model WHERE digest = ?");
    if (st != TACIT_OK) return st;
    put_blob(&b, digest, 32);
    return read_blob(s, file, len, &b);
}

tacit_status store_model_each(store *s, tacit_status (*visit)(void *self, const store_model *m),
                              void *self) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q, "SELECT " MODEL_COLUMNS " FROM model ORDER BY number");
    while (st == TACIT_OK && (st = row(s, &b)) == TACIT_OK) {
        store_model m;
        get_model(&m, b.q);
        st = visit(self, &m);
        if (st != TACIT_OK) goto exit; /* also a visitor's NOT_FOUND is handed on */
    }
    if (st == TACIT_NOT_FOUND) st = TACIT_OK;
exit:
    sqlite3_finalize(b.q);
    return st;
}

/* ---- Record
 * ------------------------------------------------------------------------------------*/

static void get_record(store_record *r, sqlite3_stmt *q) {
    memset(r, 0, sizeof *r);
    uint64_t *const longs[] = {&r->entry, &r->round, &r->run, &r->opened_s, &r->closed_s};
    for (int i = 0; i < 5; i++) *longs[i] = get_u64(q, i);
    uint32_t *const numbers[] = {&r->sum_index, &r->sum_count, &r->joined,
                                 &r->shared,    &r->survivors, &r->honest};
    for (int i = 0; i < 6; i++) *numbers[i] = get_u32(q, 5 + i);
    uint8_t *const hashes[] = {r->plan_digest, r->model_before, r->model_after, r->root,
                               r->u2_digest,   r->u3_digest,    r->sum_digest};
    for (int i = 0; i < 7; i++) get_hash(hashes[i], q, 11 + i);
    r->status = get_u32(q, 18);
    r->epsilon_so_far = sqlite3_column_double(q, 19);
    get_text(r->preset, sizeof r->preset, q, 20);
    get_text(r->note, sizeof r->note, q, 21);
}

tacit_status store_record_each(store *s, uint64_t first,
                               tacit_status (*visit)(void *self, const store_record *r),
                               void *self) {
    binder b = {0};
    tacit_status st =
        prepare(s, &b.q, "SELECT " RECORD_COLUMNS " FROM record WHERE entry >= ? ORDER BY entry");
    if (st == TACIT_OK) put_u64(&b, first);
    while (st == TACIT_OK && (st = row(s, &b)) == TACIT_OK) {
        store_record r;
        get_record(&r, b.q);
        st = visit(self, &r);
        if (st != TACIT_OK) goto exit;
    }
    if (st == TACIT_NOT_FOUND) st = TACIT_OK;
exit:
    sqlite3_finalize(b.q);
    return st;
}

/* ---- Blames ------------------------------------------------------------------------------------
 */

static tacit_status add_blame(store *s, const store_blame *blame) {
    binder b = {0};
    tacit_status st =
        prepare(s, &b.q,
                "INSERT INTO blame (round, id, device_key, phase, fault, banned, wrong,"
                " came) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    if (st != TACIT_OK) return st;
    put_u64(&b, blame->round);
    put_blob(&b, blame->id, sizeof blame->id);
    put_blob(&b, blame->device_key, sizeof blame->device_key);
    put_u64(&b, blame->phase);
    put_text(&b, blame->fault);
    put_u64(&b, blame->banned);
    put_u64(&b, blame->wrong);
    put_u64(&b, blame->came);
    return finish(s, &b);
}

tacit_status store_blame_add(store *s, const store_blame *blames, size_t count) {
    tacit_status st = begin(s);
    if (st != TACIT_OK) return st;
    for (size_t i = 0; i < count && st == TACIT_OK; i++) st = add_blame(s, &blames[i]);
    return end(s, st);
}

tacit_status store_blame_each(store *s, tacit_status (*visit)(void *self, const store_blame *b),
                              void *self) {
    binder b = {0};
    tacit_status st = prepare(s, &b.q,
                              "SELECT round, id, phase, fault, banned, wrong, came, device_key"
                              " FROM blame ORDER BY entry");
    while (st == TACIT_OK && (st = row(s, &b)) == TACIT_OK) {
        store_blame blame = {.round = get_u64(b.q, 0),
                             .phase = get_u32(b.q, 2),
                             .banned = get_u32(b.q, 4) != 0,
                             .wrong = get_u32(b.q, 5),
                             .came = get_u32(b.q, 6)};
        get_hash(blame.id, b.q, 1);
        get_hash(blame.device_key, b.q, 7);
        get_text(blame.fault, sizeof blame.fault, b.q, 3);
        if ((st = visit(self, &blame)) != TACIT_OK) goto exit;
    }
    if (st == TACIT_NOT_FOUND) st = TACIT_OK;
exit:
    sqlite3_finalize(b.q);
    return st;
}

tacit_status store_banned(store *s, uint8_t (**keys)[32], uint32_t *count) {
    binder b = {0};
    uint32_t room = 0;
    *keys = NULL;
    *count = 0;
    tacit_status st = prepare(s, &b.q,
                              "SELECT DISTINCT device_key FROM blame b WHERE banned = 1 AND NOT"
                              " EXISTS (SELECT 1 FROM blame p WHERE p.device_key = b.device_key"
                              " AND p.fault = 'pardon' AND p.entry > b.entry)");
    while (st == TACIT_OK && (st = row(s, &b)) == TACIT_OK) {
        if (*count == room) {
            room = room > 0 ? 2 * room : 16;
            void *grown = realloc(*keys, room * sizeof **keys);
            if (grown == NULL) {
                st = TACIT_NO_SPACE;
                break;
            }
            *keys = grown;
        }
        get_hash((*keys)[(*count)++], b.q, 0);
    }
    if (st == TACIT_NOT_FOUND) st = TACIT_OK;
    sqlite3_finalize(b.q);
    if (st == TACIT_OK) return st;
    free(*keys);
    *keys = NULL;
    *count = 0;
    return st;
}
