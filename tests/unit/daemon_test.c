/* SPDX-License-Identifier: Apache-2.0
 * daemon_test.c - tacitd as a process on a folder: it serves what the operator asked for, survives
 * kill -9 with nothing forgotten and no round number used twice, gives up a run nobody joins, ends
 * by signal or by `once`, and names what keeps it from starting. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/model.h"
#include "common/plan.h"
#include "common/wire.h"
#include "server/catalogue.h"
#include "server/daemon.h"
#include "server/keys.h"
#include "server/logline.h"
#include "server/store.h"
#include "tests/support/raw_client.h"

enum { ITEMS = 40 };

static char dir[48], note[DAEMON_NOTE_LEN + 1];
static uint32_t port;

static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%.47s/%.60s", dir, name);
    return path;
}

static void write_text(const char *name, const char *text) {
    FILE *out = fopen(path_of(name), "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make(void **state) {
    (void)state;
    catalogue_item items[ITEMS];
    char keys[ITEMS][8], titles[ITEMS][16], features[ITEMS][32];
    for (int i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i + 1);
        snprintf(titles[i], sizeof titles[i], "item %d", i + 1);
        snprintf(features[i], sizeof features[i], "a:%d b:%d", i % 4, i % 3);
        items[i] = (catalogue_item){
            .id = (uint64_t)i + 1, .key = keys[i], .title = titles[i], .features = features[i]};
    }
    snprintf(dir, sizeof dir, "/tmp/tacit-daemon-XXXXXX");
    catalogue *c = NULL;
    if (mkdtemp(dir) == NULL || keys_init(dir, note) != TACIT_OK ||
        catalogue_new(&c, items, ITEMS) != TACIT_OK)
        return -1;
    tacit_status st = catalogue_save(c, path_of("catalogue.csv"));
    catalogue_free(c);
    write_text("tacit.ini", "[server]\nport = 0\n[round]\nback_off_s = 1\n");
    return st == TACIT_OK ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %.47s", dir);
    return system(command);
}

static void add_run(uint16_t join_s) {
    store *s = NULL;
    store_run run = {.epsilon = 8,
                     .delta = 1e-6,
                     .devices = 100,
                     .preset = -1,
                     .n_lo = 100,
                     .n_hi = 120,
                     .max_colluding = 50,
                     .max_dropout = 100,
                     .join_s = join_s,
                     .share_s = 10,
                     .mask_s = 10,
                     .agree_s = 10,
                     .reveal_s = 10,
                     .seed = 3};
    assert_int_equal(store_open_sqlite(&s, NULL, path_of("store.sqlite")), TACIT_OK);
    assert_int_equal(store_run_add(s, &run), TACIT_OK);
    store_close(s);
}

/* The daemon in a process of its own; the test waits for its port. */
static pid_t spawn(bool once) {
    (void)unlink(path_of("port"));
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        daemon_state *d = NULL;
        daemon_options options = {.dir = dir, .port = -1, .once = once};
        FILE *log = fopen(path_of("log"), "a");
        logline_setup(log, true);
        if (log == NULL || daemon_new(&d, note, &options) != TACIT_OK) _exit(99);
        daemon_run(d);
        daemon_free(d);
        fclose(log);
        _exit(0);
    }
    port = 0;
    for (int i = 0; i < 1000 && port == 0; i++) {
        FILE *in = fopen(path_of("port"), "r");
        if (in != NULL && fscanf(in, "%u", &port) != 1) port = 0;
        if (in != NULL) fclose(in);
        usleep(10000);
    }
    assert_int_not_equal(port, 0);
    raw_trust(path_of("app/server.crt"));
    return child;
}

static int end(pid_t child, int signal_number) {
    int how = 0;
    if (signal_number != 0) kill(child, signal_number);
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

/* The round of the open plan, checked like an app would; waits for one above `above`. */
static tacit_plan await_plan(uint64_t above) {
    keys_pins pins;
    tacit_plan plan;
    assert_int_equal(keys_load_pins(&pins, note, path_of("app/pins.ini")), TACIT_OK);
    raw_client *c = raw_open(port);
    for (int i = 0; i < 500; i++, usleep(20000)) {
        const raw_answer *r = raw_ask(c, "GET /v1/plan HTTP/1.1\r\n\r\n");
        if (r->head.status != 200) continue;
        tacit_wire_reader reader;
        tacit_Message m;
        tacit_bytes in = tacit_bytes_of(r->body, r->len);
        tacit_wire_reader_init(&reader);
        assert_int_equal(tacit_wire_read(&reader, &m, &in), TACIT_OK);
        assert_int_equal(m.which_body, tacit_Message_plan_tag);
        const uint8_t *encoded = m.body.plan.plan;
        assert_int_equal(tacit_plan_verify(m.body.plan.signature, encoded, pins.plan_key),
                         TACIT_OK);
        assert_int_equal(tacit_plan_decode(&plan, NULL, encoded), TACIT_OK);
        assert_memory_equal(plan.authority_key, pins.authority_key, TACIT_KEY_LEN);
        if (plan.round <= above) continue;
        raw_close(c);
        return plan;
    }
    fail_msg("no plan above round %llu", (unsigned long long)above);
    return plan;
}

/* The plan's model, as the server gives it, under the pinned key. */
static void check_model(const tacit_plan *plan) {
    char request[160] = "GET /v1/model/";
    keys_pins pins;
    tacit_model model;
    size_t at = strlen(request);
    for (int i = 0; i < 32; i++, at += 2) snprintf(request + at, 3, "%02x", plan->model_digest[i]);
    snprintf(request + at, sizeof request - at, " HTTP/1.1\r\n\r\n");
    assert_int_equal(keys_load_pins(&pins, note, path_of("app/pins.ini")), TACIT_OK);
    raw_client *c = raw_open(port);
    const raw_answer *r = raw_ask(c, request);
    assert_int_equal(r->head.status, 200);
    assert_int_equal(tacit_model_open(&model, NULL, r->body, r->len, pins.model_key), TACIT_OK);
    assert_memory_equal(model.digest, plan->model_digest, TACIT_HASH_LEN);
    assert_int_equal(model.item_count, ITEMS);
    raw_close(c);
}

typedef struct {
    store_record records[8];
    int count;
} collected;

static tacit_status keep(void *self, const store_record *r) {
    collected *c = self;
    assert_true(c->count < 8);
    c->records[c->count++] = *r;
    return TACIT_OK;
}

static run_state read_store(collected *c, int *models) {
    store *s = NULL;
    store_run run;
    store_model model;
    memset(c, 0, sizeof *c);
    assert_int_equal(store_open_sqlite(&s, NULL, path_of("store.sqlite")), TACIT_OK);
    assert_int_equal(store_record_each(s, 1, keep, c), TACIT_OK);
    assert_int_equal(store_run_get(s, &run, 1), TACIT_OK);
    *models = store_model_latest(s, &model) == TACIT_OK ? (int)model.number : 0;
    store_close(s);
    return run.state;
}

static void a_waiting_run_opens(void **state) {
    (void)state;
    pid_t child = spawn(false);
    raw_client *c = raw_open(port);
    const raw_answer *r = raw_ask(c, "GET /v1/plan HTTP/1.1\r\n\r\n");
    assert_int_equal(r->head.status, 404);
    raw_close(c);
    add_run(60); /* another process asks while the server runs */
    tacit_plan plan = await_plan(0);
    assert_int_equal(plan.round, 1);
    assert_int_equal(plan.run, 1);
    assert_int_equal(plan.n_lo, 100);
    assert_int_equal(plan.max_dropout, 100);
    assert_int_equal(plan.separation_s, 3600);
    check_model(&plan);
    int how = end(child, SIGTERM);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void killed_in_the_middle_of_a_round(void **state) {
    (void)state;
    collected c;
    int models = 0;
    add_run(60);
    uint64_t last = 0;
    uint8_t model[TACIT_HASH_LEN] = {0};
    for (int i = 0; i < 3; i++) {
        pid_t child = spawn(false);
        tacit_plan plan = await_plan(last);
        last = plan.round;
        if (i > 0) assert_memory_equal(plan.model_digest, model, TACIT_HASH_LEN);
        memcpy(model, plan.model_digest, TACIT_HASH_LEN); /* published once, then gone on from */
        check_model(&plan);
        assert_true(WIFSIGNALED(end(child, SIGKILL)));
    }
    pid_t child = spawn(false);
    (void)await_plan(last);
    assert_int_equal(read_store(&c, &models), RUN_ACTIVE);
    assert_int_equal(c.count, 3);
    assert_int_equal(models, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c.records[i].entry, i + 1);
        assert_int_equal(c.records[i].round, i + 1);
        assert_int_equal(c.records[i].status, TACIT_ABORTED);
        assert_memory_equal(c.records[i].model_before, model, TACIT_HASH_LEN);
    }
    end(child, SIGTERM);
}

static void a_run_nobody_joins_is_given_up(void **state) {
    (void)state;
    collected c;
    int models = 0;
    add_run(1);
    pid_t child = spawn(true);
    int how = end(child, 0); /* by itself: `once` */
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(read_store(&c, &models), RUN_FAILED);
    assert_int_equal(c.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c.records[i].status, TACIT_TOO_FEW);
        assert_true(c.records[i].note[0] != 0);
        assert_true(c.records[i].epsilon_so_far == 0);
    }
    FILE *log = fopen(path_of("log"), "r");
    char line[1200];
    int phases = 0;
    assert_non_null(log);
    while (fgets(line, sizeof line, log) != NULL) {
        phases += strstr(line, "\"event\":\"phase\"") != NULL;
        assert_null(strstr(line, "127.0.0.1")); /* no addresses in the log */
    }
    fclose(log);
    assert_int_equal(phases, 3);
}

static void once_without_runs_ends_at_once(void **state) {
    (void)state;
    pid_t child = spawn(true);
    int how = end(child, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void a_run_that_cannot_be_is_failed(void **state) {
    (void)state;
    store *s = NULL;
    store_run run = {.epsilon = 8,
                     .delta = 1e-6,
                     .devices = 100,
                     .preset = -1,
                     .n_lo = 100,
                     .n_hi = 90,
                     .join_s = 10,
                     .share_s = 1,
                     .mask_s = 1,
                     .agree_s = 1,
                     .reveal_s = 1};
    assert_int_equal(store_open_sqlite(&s, NULL, path_of("store.sqlite")), TACIT_OK);
    assert_int_equal(store_run_add(s, &run), TACIT_OK);
    pid_t child = spawn(true);
    end(child, 0);
    assert_int_equal(store_run_get(s, &run, 1), TACIT_OK);
    assert_int_equal(run.state, RUN_FAILED);
    store_close(s);
}

static tacit_status try_start(void) {
    daemon_state *d = NULL;
    daemon_options options = {.dir = dir, .port = -1};
    FILE *log = fopen("/dev/null", "w");
    logline_setup(log, false);
    tacit_status st = daemon_new(&d, note, &options);
    daemon_free(d);
    logline_setup(NULL, false);
    if (log != NULL) fclose(log);
    return st;
}

static void what_keeps_it_from_starting_is_named(void **state) {
    (void)state;
    assert_int_equal(try_start(), TACIT_OK); /* and ends without having run */
    pid_t child = spawn(false);
    assert_int_equal(try_start(), TACIT_BUSY);
    assert_non_null(strstr(note, "another tacitd"));
    char taken[64];
    snprintf(taken, sizeof taken, "[server]\nport = %u\n", port);
    end(child, SIGINT);
    write_text("tacit.ini", "[server]\nprot = 1\n");
    assert_int_equal(try_start(), TACIT_CONFIG);
    assert_non_null(strstr(note, "tacit.ini:2: unknown key 'prot'"));
    write_text("tacit.ini", "[server]\nlisten = 203.0.113.7\nport = 0\n");
    assert_int_equal(try_start(), TACIT_IO);
    assert_non_null(strstr(note, "203.0.113.7"));
    write_text("tacit.ini", "[server]\nport = 0\ncatalogue = none.csv\n");
    assert_int_not_equal(try_start(), TACIT_OK);
    assert_non_null(strstr(note, "none.csv"));
    write_text("tacit.ini", "[server]\nport = 0\n");
    write_text("keys/tls.crt", "no certificate");
    assert_int_not_equal(try_start(), TACIT_OK);
    assert_non_null(strstr(note, "tls.crt"));
    assert_int_equal(unlink(path_of("keys/plan.key")), 0);
    assert_int_equal(try_start(), TACIT_IO);
    assert_non_null(strstr(note, "plan.key"));
}

static void the_authority_may_be_elsewhere(void **state) {
    (void)state;
    char moved[64];
    snprintf(moved, sizeof moved, "%.47s.away", dir);
    assert_int_equal(rename(path_of("authority"), moved), 0);
    tacit_status st = try_start();
    assert_int_equal(rename(moved, path_of("authority")), 0);
    assert_int_equal(st, TACIT_OK);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_waiting_run_opens, make, clean),
        cmocka_unit_test_setup_teardown(killed_in_the_middle_of_a_round, make, clean),
        cmocka_unit_test_setup_teardown(a_run_nobody_joins_is_given_up, make, clean),
        cmocka_unit_test_setup_teardown(once_without_runs_ends_at_once, make, clean),
        cmocka_unit_test_setup_teardown(a_run_that_cannot_be_is_failed, make, clean),
        cmocka_unit_test_setup_teardown(what_keeps_it_from_starting_is_named, make, clean),
        cmocka_unit_test_setup_teardown(the_authority_may_be_elsewhere, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
