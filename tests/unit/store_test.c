/* SPDX-License-Identifier: Apache-2.0
 * store_test.c - what the server must not forget: values survive a reopen, a round ends whole or
 * not at all (also under kill -9), and the database itself refuses to change the record. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store.h"

typedef struct {
    char dir[48], path[64];
    store *s;
} fixture;

static int make(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    snprintf(f->dir, sizeof f->dir, "/tmp/tacit-store-XXXXXX");
    if (mkdtemp(f->dir) == NULL) return -1;
    snprintf(f->path, sizeof f->path, "%s/tacit.db", f->dir);
    *state = f;
    return store_open_sqlite(&f->s, NULL, f->path) == TACIT_OK ? 0 : -1;
}

static int clean(void **state) {
    fixture *f = *state;
    char command[80];
    store_close(f->s);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int bad = system(command);
    free(f);
    return bad;
}

static void reopen(fixture *f) {
    store_close(f->s);
    assert_int_equal(store_open_sqlite(&f->s, NULL, f->path), TACIT_OK);
}

static store_run a_run(void) {
    return (store_run){.epsilon = 8.5,
                       .delta = 1e-6,
                       .devices = 1000,
                       .preset = -1,
                       .factor = 16,
                       .sums = 3,
                       .n_lo = 60,
                       .n_hi = 100,
                       .n_min_floor = 57,
                       .expected = 90,
                       .max_colluding = 50,
                       .max_dropout = 100,
                       .join_s = 1,
                       .share_s = 2,
                       .mask_s = 3,
                       .agree_s = 4,
                       .reveal_s = 5,
                       .seed = UINT64_MAX - 3};
}

static store_record a_record(uint64_t round, uint64_t run) {
    store_record r = {.round = round,
                      .run = run,
                      .opened_s = 1700000000,
                      .closed_s = 1700000100,
                      .sum_index = 1,
                      .sum_count = 3,
                      .joined = 100,
                      .shared = 99,
                      .survivors = 98,
                      .honest = 85,
                      .status = TACIT_OK,
                      .epsilon_so_far = 2.75,
                      .preset = "HI",
                      .note = "it's fine"};
    uint8_t *hashes[] = {r.plan_digest, r.model_before, r.model_after, r.root,
                         r.u2_digest,   r.u3_digest,    r.sum_digest};
    for (int i = 0; i < 7; i++) memset(hashes[i], (int)round * 7 + i, 32);
    return r;
}

static void same_record(const store_record *a, const store_record *b) {
    assert_memory_equal(a, b, offsetof(store_record, status)); /* no padding up to there */
    assert_int_equal(a->status, b->status);
    assert_true(a->epsilon_so_far == b->epsilon_so_far);
    assert_string_equal(a->preset, b->preset);
    assert_string_equal(a->note, b->note);
}

static store_model a_model(uint64_t number, uint64_t round, uint64_t len) {
    store_model m = {.number = number, .round = round, .made_s = 1700000050, .len = len};
    memset(m.digest, (int)number, 32);
    return m;
}

static void same_run(const store_run *a, const store_run *b) {
    assert_true(a->run == b->run && a->state == b->state && a->epsilon == b->epsilon &&
                a->delta == b->delta && a->devices == b->devices && a->preset == b->preset &&
                a->factor == b->factor && a->sums == b->sums && a->n_lo == b->n_lo &&
                a->n_hi == b->n_hi && a->n_min_floor == b->n_min_floor &&
                a->expected == b->expected && a->max_colluding == b->max_colluding &&
                a->max_dropout == b->max_dropout && a->join_s == b->join_s &&
                a->share_s == b->share_s && a->mask_s == b->mask_s && a->agree_s == b->agree_s &&
                a->reveal_s == b->reveal_s && a->seed == b->seed);
}

static void runs_survive(void **state) {
    fixture *f = *state;
    store_run run = a_run(), second = a_run(), got;
    assert_int_equal(store_run_next(f->s, &got), TACIT_NOT_FOUND);
    assert_int_equal(store_run_add(f->s, &run), TACIT_OK);
    assert_int_equal(store_run_add(f->s, &second), TACIT_OK);
    assert_int_equal(run.run, 1);
    assert_int_equal(second.run, 2);
    reopen(f);
    assert_int_equal(store_run_next(f->s, &got), TACIT_OK);
    same_run(&got, &run);
    assert_int_equal(store_run_state(f->s, 1, RUN_ACTIVE), TACIT_OK);
    assert_int_equal(store_run_next(f->s, &got), TACIT_OK);
    assert_int_equal(got.run, 1);
    assert_int_equal(got.state, RUN_ACTIVE);
    assert_int_equal(store_run_state(f->s, 1, RUN_FAILED), TACIT_OK);
    assert_int_equal(store_run_next(f->s, &got), TACIT_OK);
    assert_int_equal(got.run, 2);
    assert_int_equal(store_run_state(f->s, 2, RUN_DONE), TACIT_OK);
    assert_int_equal(store_run_next(f->s, &got), TACIT_NOT_FOUND);
    assert_int_equal(store_run_get(f->s, &got, 1), TACIT_OK);
    assert_int_equal(got.state, RUN_FAILED);
    assert_int_equal(store_run_get(f->s, &got, 3), TACIT_NOT_FOUND);
    assert_int_equal(store_run_state(f->s, 3, RUN_DONE), TACIT_NOT_FOUND);
}

static void another_program_adds_a_run(void **state) {
    fixture *f = *state;
    store *other;
    store_run run = a_run(), got;
    assert_int_equal(store_open_sqlite(&other, NULL, f->path), TACIT_OK);
    assert_int_equal(store_run_add(other, &run), TACIT_OK);
    assert_int_equal(store_run_next(f->s, &got), TACIT_OK);
    assert_int_equal(got.run, run.run);
    store_close(other);
}

static void rounds_are_never_given_twice(void **state) {
    fixture *f = *state;
    store_run run = a_run();
    uint64_t round = 0, last = 0, of = 0;
    uint8_t plan[8] = "plan one", out[8];
    size_t len = 0;
    assert_int_equal(store_run_add(f->s, &run), TACIT_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(store_round_next(f->s, &round, 1), TACIT_OK);
        assert_true(round > last);
        last = round;
        reopen(f);
    }
    assert_int_equal(store_round_next(f->s, &round, 99), TACIT_DUPLICATE); /* no such run */
    assert_int_equal(store_plan_get(f->s, out, sizeof out, &len, last), TACIT_NOT_FOUND);
    assert_int_equal(store_plan_put(f->s, last, plan, sizeof plan), TACIT_OK);
    assert_int_equal(store_plan_put(f->s, last, plan, sizeof plan), TACIT_DUPLICATE);
    assert_int_equal(store_plan_put(f->s, last + 9, plan, sizeof plan), TACIT_NOT_FOUND);
    reopen(f);
    assert_int_equal(store_plan_get(f->s, out, sizeof out, &len, last), TACIT_OK);
    assert_int_equal(len, sizeof plan);
    assert_memory_equal(out, plan, sizeof plan);
    assert_int_equal(store_plan_get(f->s, out, 3, &len, last), TACIT_NO_SPACE);
    assert_int_equal(store_round_unrecorded(f->s, &round, &of), TACIT_OK);
    assert_int_equal(round, last);
    assert_int_equal(of, 1);
    store_record r = a_record(round, 1);
    assert_int_equal(store_commit_sum(f->s, &r, NULL, NULL, NULL, 0, NULL, 0, RUN_ACTIVE),
                     TACIT_OK);
    assert_int_equal(store_round_unrecorded(f->s, &round, &of), TACIT_NOT_FOUND);
}

typedef struct {
    store_record records[8];
    store_model models[8];
    int record_count, model_count;
} collected;

static tacit_status keep_record(void *self, const store_record *r) {
    collected *c = self;
    assert_true(c->record_count < 8);
    c->records[c->record_count++] = *r;
    return TACIT_OK;
}

static tacit_status keep_model(void *self, const store_model *m) {
    collected *c = self;
    assert_true(c->model_count < 8);
    c->models[c->model_count++] = *m;
    return TACIT_OK;
}

static tacit_status stop_at_once(void *self, const store_record *r) {
    (void)self;
    (void)r;
    return TACIT_NOT_FOUND;
}

/* Run 1 and rounds 1 .. count, each with a plan. */
static void rounds(fixture *f, int count) {
    store_run run = a_run();
    uint64_t round = 0;
    assert_int_equal(store_run_add(f->s, &run), TACIT_OK);
    for (int i = 0; i < count; i++) {
        assert_int_equal(store_round_next(f->s, &round, 1), TACIT_OK);
        assert_int_equal(store_plan_put(f->s, round, (const uint8_t *)"p", 1), TACIT_OK);
    }
}

static void a_round_ends_whole(void **state) {
    fixture *f = *state;
    static const uint8_t file[] = "model file", sum[] = "sum", blob[] = "state";
    uint8_t *data = NULL;
    size_t len = 0;
    rounds(f, 2);
    assert_int_equal(store_run_blob(f->s, &data, &len, 1), TACIT_NOT_FOUND);
    store_record one = a_record(1, 1), two = a_record(2, 1);
    two.status = TACIT_TOO_FEW;
    store_model m = a_model(5, 1, sizeof file);
    assert_int_equal(
        store_commit_sum(f->s, &one, &m, file, sum, sizeof sum, blob, sizeof blob, RUN_ACTIVE),
        TACIT_OK);
    assert_int_equal(one.entry, 1);
    assert_int_equal(store_commit_sum(f->s, &two, NULL, NULL, NULL, 0, NULL, 0, RUN_FAILED),
                     TACIT_OK);
    assert_int_equal(two.entry, 2);
    reopen(f);
    collected c = {0};
    assert_int_equal(store_record_each(f->s, 1, keep_record, &c), TACIT_OK);
    assert_int_equal(c.record_count, 2);
    same_record(&c.records[0], &one);
    same_record(&c.records[1], &two);
    assert_int_equal(store_record_each(f->s, 2, keep_record, &c), TACIT_OK);
    assert_int_equal(c.record_count, 3);
    assert_int_equal(store_record_each(f->s, 1, stop_at_once, NULL), TACIT_NOT_FOUND);
    assert_int_equal(store_model_each(f->s, keep_model, &c), TACIT_OK);
    assert_int_equal(c.model_count, 1);
    assert_memory_equal(&c.models[0], &m, sizeof m);
    assert_int_equal(store_model_latest(f->s, &m), TACIT_OK);
    assert_int_equal(m.number, 5);
    assert_int_equal(m.len, sizeof file);
    assert_int_equal(store_model_file(f->s, &data, &len, m.digest), TACIT_OK);
    assert_int_equal(len, sizeof file);
    assert_memory_equal(data, file, sizeof file);
    free(data);
    m.digest[0] ^= 1;
    assert_int_equal(store_model_file(f->s, &data, &len, m.digest), TACIT_NOT_FOUND);
    assert_int_equal(store_run_blob(f->s, &data, &len, 1), TACIT_OK);
    assert_memory_equal(data, blob, sizeof blob);
    free(data);
    store_run run;
    assert_int_equal(store_run_get(f->s, &run, 1), TACIT_OK);
    assert_int_equal(run.state, RUN_FAILED);
}

/* The last step of the transaction fails: nothing of it may be seen. */
static void a_round_ends_not_at_all(void **state) {
    fixture *f = *state;
    static const uint8_t file[] = "file", sum[] = "sum", blob[] = "new";
    uint8_t *data = NULL;
    size_t len = 0;
    rounds(f, 2);
    store_record one = a_record(1, 1), two = a_record(2, 1);
    store_model m = a_model(1, 1, sizeof file);
    assert_int_equal(
        store_commit_sum(f->s, &one, &m, file, sum, sizeof sum, blob, sizeof blob, RUN_ACTIVE),
        TACIT_OK);
    store_model again = a_model(2, 2, sizeof file);
    memcpy(again.digest, m.digest, 32); /* one digest, two models */
    assert_int_equal(store_commit_sum(f->s, &two, &again, file, sum, sizeof sum,
                                      (const uint8_t *)"newer", 5, RUN_DONE),
                     TACIT_DUPLICATE);
    assert_non_null(strstr(store_error(f->s), "model.digest"));
    for (int pass = 0; pass < 2; pass++) {
        collected c = {0};
        store_run run;
        assert_int_equal(store_record_each(f->s, 1, keep_record, &c), TACIT_OK);
        assert_int_equal(c.record_count, 1);
        assert_int_equal(store_run_get(f->s, &run, 1), TACIT_OK);
        assert_int_equal(run.state, RUN_ACTIVE);
        assert_int_equal(store_run_blob(f->s, &data, &len, 1), TACIT_OK);
        assert_int_equal(len, sizeof blob);
        free(data);
        reopen(f);
    }
    /* One round has one entry. */
    again = a_model(2, 1, sizeof file);
    assert_int_equal(store_commit_sum(f->s, &one, &again, file, sum, sizeof sum, NULL, 0, RUN_DONE),
                     TACIT_DUPLICATE);
    /* And after the failures the good one goes in. */
    again = a_model(2, 2, sizeof file);
    assert_int_equal(store_commit_sum(f->s, &two, &again, file, sum, sizeof sum, NULL, 0, RUN_DONE),
                     TACIT_OK);
    assert_int_equal(two.entry, 2);
}

static void the_record_cannot_be_changed(void **state) {
    fixture *f = *state;
    static const uint8_t file[] = "file";
    rounds(f, 3);
    for (uint64_t round = 1; round <= 2; round++) {
        store_record r = a_record(round, 1);
        store_model m = a_model(round, round, sizeof file);
        assert_int_equal(
            store_commit_sum(f->s, &r, &m, file, file, sizeof file, NULL, 0, RUN_ACTIVE), TACIT_OK);
    }
    static const char *const attempts[] = {
        "UPDATE record SET survivors = 1000 WHERE entry = 1",
        "DELETE FROM record WHERE entry = 2",
        "DELETE FROM record",
        "INSERT OR REPLACE INTO record SELECT 1, 3, run, opened_s, closed_s, sum_index, sum_count,"
        " joined, shared, survivors, honest, plan_digest, model_before, model_after, root,"
        " u2_digest, u3_digest, sum_digest, status, epsilon_so_far, preset, note"
        " FROM record WHERE entry = 1",
        "INSERT INTO record SELECT 7, 3, run, opened_s, closed_s, sum_index, sum_count,"
        " joined, shared, survivors, honest, plan_digest, model_before, model_after, root,"
        " u2_digest, u3_digest, sum_digest, status, epsilon_so_far, preset, note"
        " FROM record WHERE entry = 1",
        "UPDATE model SET file = x'00'",
        "UPDATE round SET plan = x'00'",
    };
    sqlite3 *db; /* a plain connection, without the settings of the store */
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        char *error = NULL;
        assert_int_equal(sqlite3_exec(db, attempts[i], NULL, NULL, &error), SQLITE_CONSTRAINT);
        assert_true(strstr(error, "append-only") != NULL || strstr(error, "immutable") != NULL);
        sqlite3_free(error);
    }
    sqlite3_close(db);
    collected c = {0};
    assert_int_equal(store_record_each(f->s, 1, keep_record, &c), TACIT_OK);
    assert_int_equal(c.record_count, 2);
    assert_int_equal(c.records[0].survivors, 98);
}

static void durable_settings(void **state) {
    fixture *f = *state;
    FILE *wal;
    char path[80];
    rounds(f, 1);
    snprintf(path, sizeof path, "%s-wal", f->path);
    wal = fopen(path, "r");
    assert_non_null(wal); /* the write-ahead log is in use */
    fclose(wal);
}

static void unusable_files(void **state) {
    fixture *f = *state;
    store *s;
    char note[TACIT_NOTE_LEN + 1];
    assert_int_equal(store_open_sqlite(&s, note, "/nonexistent/tacit.db"), TACIT_IO);
    assert_true(note[0] != 0);
    char path[64];
    snprintf(path, sizeof path, "%s/other", f->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 200; i++) fputs("this is not a database ", out);
    fclose(out);
    assert_int_equal(store_open_sqlite(&s, note, path), TACIT_CORRUPT);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_open_sqlite(&s, note, f->path), TACIT_BAD_VERSION);
    assert_non_null(strstr(note, "99"));
}

/* The child ends rounds as fast as it can and is killed; what is found afterwards is whole. */
static void killed_at_any_instant(void **state) {
    fixture *f = *state;
    store_run added = a_run();
    assert_int_equal(store_run_add(f->s, &added), TACIT_OK);
    for (int pass = 0; pass < 6; pass++) {
        store_close(f->s);
        f->s = NULL;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            store *s;
            uint8_t file[20000];
            memset(file, pass, sizeof file);
            if (store_open_sqlite(&s, NULL, f->path) != TACIT_OK) _exit(1);
            for (uint64_t round = 0;;) {
                if (store_round_next(s, &round, 1) != TACIT_OK) _exit(1);
                if (store_plan_put(s, round, file, 512) != TACIT_OK) _exit(1);
                store_record r = a_record(round, 1);
                store_model m = a_model(round, round, sizeof file);
                tacit_put_u64(m.digest, round);
                tacit_put_u64(file, round);
                if (store_commit_sum(s, &r, &m, file, file, sizeof file, file, 8, RUN_ACTIVE) !=
                    TACIT_OK)
                    _exit(1);
            }
        }
        usleep((useconds_t)(60000 + 17000 * pass));
        kill(child, SIGKILL);
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how)); /* it did not end by itself */
        reopen(f);
        sqlite3 *db;
        sqlite3_stmt *q;
        assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
        static const char sql[] =
            "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM sum),"
            " (SELECT count(*) FROM model), (SELECT count(*) FROM record r JOIN model m USING "
            "(round)"
            " JOIN sum USING (round) WHERE m.file = sum.data),"
            " (SELECT coalesce(max(entry), 0) FROM record), (SELECT blob FROM run),"
            " (SELECT max(round) FROM record)";
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        for (int i = 1; i <= 4; i++)
            assert_int_equal(sqlite3_column_int(q, i), sqlite3_column_int(q, 0));
        const uint8_t *blob = sqlite3_column_blob(q, 5); /* the run's state is the last round's */
        if (blob != NULL)
            assert_int_equal(tacit_get_u64(blob), (uint64_t)sqlite3_column_int64(q, 6));
        if (pass == 5) assert_true(sqlite3_column_int(q, 0) > 0);
        sqlite3_finalize(q);
        sqlite3_close(db);
    }
}

typedef struct {
    store_blame kept[8];
    size_t count;
} blame_list;

static tacit_status keep_blame(void *self, const store_blame *b) {
    blame_list *l = self;
    l->kept[l->count++] = *b;
    return TACIT_OK;
}

static tacit_status stop_at_blame(void *self, const store_blame *b) {
    (void)self;
    (void)b;
    return TACIT_LATE;
}

/* Who was named survives a reopen, in order, all of a round or none, and is never changed. */
static void blames_survive(void **state) {
    fixture *f = *state;
    static const char *const changes[] = {"UPDATE blame SET banned = 0", "DELETE FROM blame"};
    store_blame added[2] = {
        {.round = 1, .phase = 1, .fault = "deal", .banned = true, .wrong = 9, .came = 39},
        {.round = 1, .phase = 4, .fault = "message"}};
    memset(added[0].id, 0xa5, 32);
    memset(added[1].id, 0x5a, 32);
    memset(added[0].device_key, 0x11, 32);
    memset(added[1].device_key, 0x22, 32);
    rounds(f, 2);
    blame_list l = {.count = 0};
    assert_int_equal(store_blame_each(f->s, keep_blame, &l), TACIT_OK);
    assert_int_equal(l.count, 0);
    assert_int_equal(store_blame_add(f->s, added, 2), TACIT_OK);
    added[1].round = 77; /* no such round: nothing of the call is kept */
    assert_int_equal(store_blame_add(f->s, added, 2), TACIT_DUPLICATE);
    added[1].round = 1;
    reopen(f);
    assert_int_equal(store_blame_each(f->s, keep_blame, &l), TACIT_OK);
    assert_int_equal(l.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(l.kept[i].round, added[i].round);
        assert_memory_equal(l.kept[i].id, added[i].id, 32);
        assert_memory_equal(l.kept[i].device_key, added[i].device_key, 32);
        assert_int_equal(l.kept[i].phase, added[i].phase);
        assert_string_equal(l.kept[i].fault, added[i].fault);
        assert_int_equal(l.kept[i].banned, added[i].banned);
        assert_int_equal(l.kept[i].wrong, added[i].wrong);
        assert_int_equal(l.kept[i].came, added[i].came);
    }
    assert_int_equal(store_blame_each(f->s, stop_at_blame, NULL), TACIT_LATE);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    sqlite3_close(db);
}

static void banned_are(fixture *f, const char *keys) {
    uint8_t(*got)[32];
    uint32_t count;
    assert_int_equal(store_banned(f->s, &got, &count), TACIT_OK);
    assert_int_equal(count, strlen(keys));
    for (uint32_t i = 0; i < count; i++)
        for (int b = 0; b < 32; b++) assert_non_null(strchr(keys, got[i][b]));
    free(got);
}

static void decide(fixture *f, char key, const char *fault, bool banned) {
    store_blame blame = {.round = 1, .banned = banned};
    memset(blame.device_key, key, 32);
    snprintf(blame.fault, sizeof blame.fault, "%s", fault);
    assert_int_equal(store_blame_add(f->s, &blame, 1), TACIT_OK);
}

/* A device is banned by an entry that no pardon follows, under whatever certificates; an entry that
 * bans nobody takes no ban away. */
static void bans_hold_until_a_pardon(void **state) {
    fixture *f = *state;
    rounds(f, 1);
    banned_are(f, "");
    decide(f, 'a', "deal", true);
    decide(f, 'b', "message", false);
    decide(f, 'a', "message", false);
    banned_are(f, "a");
    decide(f, 'b', "ban", true);
    decide(f, 'b', "ban", true);
    banned_are(f, "ab");
    decide(f, 'a', "pardon", false);
    banned_are(f, "b");
    decide(f, 'a', "key", true);
    banned_are(f, "ab");
    for (char key = 'c'; key <= 'z'; key++) decide(f, key, "deal", true);
    banned_are(f, "abcdefghijklmnopqrstuvwxyz");
}

/* A store of before there were blames gets their table, and loses nothing. */
static void an_older_store_is_brought_up_to_date(void **state) {
    fixture *f = *state;
    rounds(f, 2);
    store_close(f->s);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DROP TABLE blame; PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_open_sqlite(&f->s, NULL, f->path), TACIT_OK);
    const store_blame blame = {.round = 2, .fault = "key"};
    assert_int_equal(store_blame_add(f->s, &blame, 1), TACIT_OK);
    uint64_t round = 0;
    assert_int_equal(store_round_next(f->s, &round, 1), TACIT_OK);
    assert_int_equal(round, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_survive, make, clean),
        cmocka_unit_test_setup_teardown(another_program_adds_a_run, make, clean),
        cmocka_unit_test_setup_teardown(rounds_are_never_given_twice, make, clean),
        cmocka_unit_test_setup_teardown(a_round_ends_whole, make, clean),
        cmocka_unit_test_setup_teardown(a_round_ends_not_at_all, make, clean),
        cmocka_unit_test_setup_teardown(the_record_cannot_be_changed, make, clean),
        cmocka_unit_test_setup_teardown(blames_survive, make, clean),
        cmocka_unit_test_setup_teardown(bans_hold_until_a_pardon, make, clean),
        cmocka_unit_test_setup_teardown(an_older_store_is_brought_up_to_date, make, clean),
        cmocka_unit_test_setup_teardown(durable_settings, make, clean),
        cmocka_unit_test_setup_teardown(unusable_files, make, clean),
        cmocka_unit_test_setup_teardown(killed_at_any_instant, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
