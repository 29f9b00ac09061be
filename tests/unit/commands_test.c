/* SPDX-License-Identifier: Apache-2.0
 * commands_test.c - the subcommands as an operator uses them: help, wrong arguments and failures by
 * exit status, and one story from a generated shop to a recommendation whose reasons add up. */
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "server/keys.h"
#include "server/store.h"
#include "tests/support/files.h"
#include "tools/commands.h"
#include "tools/dataset.h"
#include "tools/rehearsal.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
#define XX(name, about) {#name, cmd_##name},
    TACIT_COMMAND_MAP(XX)
#undef XX
};
enum { COMMANDS = sizeof commands / sizeof commands[0], MAX_WORDS = 24 };

static char home[FILES_PATH]; /* the story's folder */

static char *slurp(int fd) {
    off_t len = lseek(fd, 0, SEEK_END);
    assert_true(len >= 0);
    char *text = calloc((size_t)len + 1, 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)len, 0), len);
    close(fd);
    return text;
}

static int temporary(void) {
    char path[] = "/tmp/tacit-output-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

/* Runs `tacit line` in the story's folder, in a child like a shell would; words are split at
 * blanks. *out and *err (may be NULL) receive what it wrote. */
static int tacit_line(char **out, char **err, const char *line) {
    char copy[1024], *words[MAX_WORDS], *rest = NULL;
    int argc = 0, status, o = temporary(), e = temporary();
    assert_true(strlen(line) < sizeof copy);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        assert_true(argc < MAX_WORDS - 1);
        words[argc++] = w;
    }
    words[argc] = NULL;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int exit_status = 99;
        if (chdir(home) == 0 && dup2(o, 1) == 1 && dup2(e, 2) == 2)
            for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(words[0], commands[i].name) == 0)
                    exit_status = commands[i].run(argc, words);
        fflush(NULL);
        exit(exit_status); /* not _exit: leaks are looked for at exit */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    char *said = slurp(o), *complained = slurp(e);
    if (out != NULL) *out = said;
    if (err != NULL) *err = complained;
    if (out == NULL) free(said);
    if (err == NULL) free(complained);
    return WEXITSTATUS(status);
}

static void expect(int exit_status, const char *wanted, const char *line) {
    char *out, *err;
    int got = tacit_line(&out, &err, line);
    if (got != exit_status)
        fail_msg("`tacit %s` ended with %d, not %d:\n%s%s", line, got, exit_status, out, err);
    if (exit_status != 0 && strstr(err, "tacit: ") == NULL && strstr(err, "usage: ") == NULL)
        fail_msg("`tacit %s` does not say what is wrong: '%s'", line, err);
    if (wanted != NULL && strstr(exit_status ? err : out, wanted) == NULL)
        fail_msg("`tacit %s` does not say '%s':\n%s%s", line, wanted, out, err);
    free(out);
    free(err);
}

static json_t *expect_json(const char *line) {
    char *out, *err;
    json_error_t wrong;
    int got = tacit_line(&out, &err, line);
    if (got != 0) fail_msg("`tacit %s` ended with %d:\n%s", line, got, err);
    json_t *root = json_loads(out, 0, &wrong);
    if (root == NULL) fail_msg("`tacit %s`: %s in\n%s", line, wrong.text, out);
    free(out);
    free(err);
    return root;
}

static json_int_t number_of(const json_t *o, const char *key) {
    json_t *v = json_object_get(o, key);
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static double real_of(const json_t *o, const char *key) {
    json_t *v = json_object_get(o, key);
    assert_true(json_is_real(v));
    return json_real_value(v);
}

static void test_every_command_helps_and_refuses(void **state) {
    (void)state;
    for (size_t i = 0; i < COMMANDS; i++) {
        char line[64], usage[64];
        snprintf(usage, sizeof usage, "usage: tacit %s", commands[i].name);
        snprintf(line, sizeof line, "%s --help", commands[i].name);
        expect(0, usage, line);
        snprintf(line, sizeof line, "%s --no-such-option", commands[i].name);
        expect(2, "no-such-option", line);
        snprintf(line, sizeof line, "%s one two three four five", commands[i].name);
        expect(2, NULL, line);
    }
}

static void test_wrong_arguments(void **state) {
    (void)state;
    expect(2, "wants a folder", "init");
    expect(2, "0 to 65535", "init x --port 70000");
    expect(2, "wants a whole number", "init x --port many");
    expect(2, "source and a folder", "import only");
    expect(2, "nothing is called", "import a b --format xml");
    expect(2, "for --format csv", "import a b --format retail --person who");
    expect(2, "one character", "import a b --format csv --separator ab");
    expect(2, "no event is called", "import a b --format csv --default-event stolen");
    expect(2, "wants a folder", "generate");
    expect(2, "items >= 10", "generate x --items 3");
    expect(2, "--server or --model", "recommend --data x --person y");
    expect(2, "--server or --model", "recommend --server s --model m --data x --person y");
    expect(2, "--pins", "recommend --model m --data x --person y");
    expect(2, "--data and --person", "recommend --server s");
    expect(2, "1 to 100", "recommend --server s --data x --person y --n 101");
    expect(2, "start, list, blames, ban or pardon", "round x");
    expect(2, "server folder", "status");
    expect(2, "server folder", "model");
    expect(2, "--devices N, or --table", "graph");
    expect(2, "--devices or --table", "graph --devices 1000 --table");
    expect(2, "at most three decimals", "graph --devices 1000 --max-dropout 0.1234");
    expect(2, "at most three decimals", "round x start --max-dropout 0.1234");
    expect(2, "'none'", "round x start --epsilon -1");
}

static void test_missing_things(void **state) {
    (void)state;
    expect(1, "no such folder", "import /no/such/folder x");
    expect(1, "no such file", "import /no/such/file.csv x --format csv");
    expect(1, "No such file", "generate /no/such/parent/x");
    expect(1, "store.sqlite", "status /tmp");
    expect(1, "store.sqlite", "round /tmp list");
    expect(1, "store.sqlite", "model /tmp");
    expect(1, "pins.ini", "model /etc/hostname verify --pins /no/pins.ini");
    expect(1, "no such folder", "recommend --server /tmp --data /no/such --person y");
    expect(1, "/no/such/catalogue.csv", "init never --catalogue /no/such/catalogue.csv");
    char path[FILES_PATH];
    files_path(path, home, "never");
    assert_int_not_equal(access(path, F_OK), 0); /* nothing was made */
}

static void test_import_is_strict_when_asked(void **state) {
    (void)state;
    files_text(home, "orders.csv",
               "who,what,how\nanna,1,view\nanna,2,stolen\nbert,1,purchase\nbert,3,view\n");
    expect(1, "bad line", "import orders.csv out --person who --item what --event how --strict");
    expect(0, "1 bad lines left out", "import orders.csv out --person who --item what --event how");
    expect(1, "already there", "import orders.csv out --person who --item what --event how");
    json_t *root = expect_json(
        "import orders.csv out --person who --item what --event how --overwrite --json");
    assert_int_equal(number_of(root, "people"), 2);
    assert_int_equal(number_of(root, "items"), 2);
    assert_int_equal(number_of(root, "pairs"), 3);
    assert_int_equal(number_of(root, "bad_lines"), 1);
    json_decref(root);
    root = expect_json("import out again --json"); /* what it wrote reads back the same */
    assert_int_equal(number_of(root, "events"), 3);
    assert_int_equal(number_of(root, "bad_lines"), 0);
    json_decref(root);
}

static void test_graph_shows_what_is_guaranteed(void **state) {
    (void)state;
    expect(0, "allowed", "graph --devices 1000");
    expect(0, "complete", "graph --devices 300 --max-dropout 0.3");
    const char *only = "allowed on the complete graph only";
    expect(1, "max_dropout above 250 per thousand", "graph --devices 1000 --max-dropout 0.3");
    expect(1, only, "graph --devices 1000 --max-dropout 0.3");
    expect(1, "max_colluding above 200", "graph --devices 1000 --max-colluding 0.3");
    expect(1, "max_colluding below 50", "graph --devices 513 --max-colluding 0.01");
    expect(1, "max_dropout below 50", "graph --devices 513 --max-dropout 0.01");
    expect(1, "3 to 10000 devices", "graph --devices 2");
    expect(1, "3 to 10000 devices", "graph --devices 10001");
    expect(1, "h = 45 is below n / 2", "graph --devices 100 --max-dropout 0.45");
    expect(1, "max_dropout above", "graph --devices 600 --max-colluding 0.3 --max-dropout 0.3");
    expect(0, "| 1000 | 0.1, 0.2 | 230/151 | 71 | 153 (264, 171, 176) | 193 | 1 | 699 | 696 |",
           "graph --table");

    json_t *root = expect_json("graph --devices 2000 --max-dropout 0.1 --json");
    assert_true(json_is_true(json_object_get(root, "allowed")));
    assert_true(json_is_null(json_object_get(root, "refused")));
    assert_int_equal(number_of(root, "cycles"), 82);
    assert_int_equal(number_of(root, "s_min"), 289);
    assert_int_equal(number_of(root, "r_star"), 4);
    assert_int_equal(number_of(root, "honest"), 1592);
    assert_int_equal(number_of(root, "guarantee"), 1596);
    assert_true(fabs(real_of(root, "log2_starved") + 25.6) < 0.05);
    json_decref(root);
    root = expect_json("graph --devices 512 --json");
    assert_true(json_is_null(json_object_get(root, "s_min")));
    assert_int_equal(number_of(root, "guarantee"), 359);
    json_decref(root);
    root = expect_json("graph --table --json");
    json_t *rows = json_object_get(root, "rows");
    assert_int_equal(json_array_size(rows), 24);
    for (size_t i = 0; i < 24; i++) /* only .1/.3 on cycles is refused, and says why */
        assert_int_equal(json_is_string(json_object_get(json_array_get(rows, i), "refused")),
                         i >= 8 && i % 4 == 3);
    json_decref(root);
}

/* The table of docs/GRAPH.md is what the command prints. Run from the root of the repository. */
static void test_graph_table_is_the_documented_one(void **state) {
    (void)state;
    int fd = open("docs/GRAPH.md", O_RDONLY);
    assert_true(fd >= 0);
    char *page = slurp(fd), *out;
    assert_int_equal(tacit_line(&out, NULL, "graph --table"), 0);
    assert_true(strlen(out) > 1000);
    assert_non_null(strstr(page, out));
    free(page);
    free(out);
}

/* A model of the generated shop, trained without noise, into the server folder's store. */
static void store_a_model(uint64_t number, uint64_t seed) {
    char path[FILES_PATH], note[KEYS_NOTE_LEN + 1];
    dataset *d = NULL;
    dataset_split *split = NULL;
    learn_features *f = NULL;
    training *t = NULL;
    store *db = NULL;
    keys_server keys;
    dataset_options load = {.strict = true};
    files_path(path, home, "shop");
    assert_int_equal(dataset_load(&d, note, path, &load), TACIT_OK);
    assert_int_equal(dataset_split_new(&split, d, 0, 1), TACIT_OK);
    assert_int_equal(catalogue_features(&f, d->catalogue, CATALOGUE_TOKEN_MIN_ITEMS), TACIT_OK);
    rehearsal_spec spec = {.training = {.epsilon = INFINITY,
                                        .delta = 1e-5,
                                        .devices = 80,
                                        .preset = PRESET_LO,
                                        .seed = seed},
                           .threads = 1};
    assert_int_equal(rehearsal_run(&t, &spec, f, split), TACIT_OK);
    tacit_model_source source;
    training_model(t, &source);
    uint64_t *ids = calloc(source.item_count, sizeof *ids);
    uint8_t *kinds = calloc(source.item_count, 1);
    assert_true(ids != NULL && kinds != NULL);
    for (uint32_t i = 0; i < source.item_count; i++) ids[i] = d->catalogue->items[i].id;
    source.ids = ids;
    source.kinds = kinds;
    source.number = number;
    source.round = number;
    source.made_s = 1700000000 + number;
    memcpy(source.catalogue, d->catalogue->digest, TACIT_HASH_LEN);
    store_model row = {.number = number, .round = number, .made_s = source.made_s};
    row.len = tacit_model_len(source.item_count, source.factor, source.features);
    uint8_t *file = malloc(row.len);
    assert_non_null(file);
    files_path(path, home, "server");
    assert_int_equal(keys_load_server(&keys, note, path), TACIT_OK);
    assert_int_equal(tacit_model_encode(file, row.len, row.digest, &source, keys.model.secret),
                     TACIT_OK);
    keys_server_wipe(&keys);
    files_path(path, home, "server/store.sqlite");
    assert_int_equal(store_open_sqlite(&db, NULL, path), TACIT_OK);
    assert_int_equal(store_model_add(db, &row, file), TACIT_OK);
    store_close(db);
    free(file);
    free(ids);
    free(kinds);
    training_free(t);
    learn_features_free(f);
    dataset_split_free(split);
    dataset_free(d);
}

static void check_reasons(const char *line) {
    json_t *root = expect_json(line), *list = json_object_get(root, "recommendations"), *row, *why;
    double last = INFINITY;
    size_t i, j;
    assert_true(number_of(root, "history") > 2);
    assert_int_equal(json_array_size(list), 4);
    json_array_foreach(list, i, row) {
        double score = real_of(row, "score"),
               sum = real_of(row, "bias") + real_of(row, "base") + real_of(row, "rest");
        json_t *reasons = json_object_get(row, "reasons");
        assert_true(json_array_size(reasons) > 0);
        json_array_foreach(reasons, j, why) {
            sum += real_of(why, "share");
            assert_true(json_string_length(json_object_get(why, "title")) > 0);
        }
        assert_true(fabs(score - sum) < 1e-4);
        assert_true(score <= last);
        last = score;
        assert_memory_equal(json_string_value(json_object_get(row, "item")), "sku-", 4);
    }
    json_decref(root);
}

static void test_the_story(void **state) {
    (void)state;
    expect(0, "80 people, 60 items", "generate shop --people 80 --items 60 --events 20 --seed 3");
    expect(0, "is ready", "init server --catalogue shop/catalogue.csv --port 0");
    expect(1, "exists", "init server");
    expect(0, "models: none yet", "status server");
    expect(1, "no model yet", "model server verify");
    /* Runs: one that devices accept, and some that they or the arithmetic refuse. */
    json_t *root = expect_json(
        "round server start --n-lo 100 --n-hi 120 --epsilon 4 --rounds 1 --max-colluding 0.05 "
        "--max-dropout 0.2 --seed 7 --json");
    assert_int_equal(number_of(root, "run"), 1);
    assert_int_equal(number_of(root, "devices"), 120);
    assert_int_equal(number_of(root, "secure_sums"), 1);
    json_decref(root);
    expect(1, "refuse", "round server start --n-lo 30 --n-hi 40");
    expect(1, "no run with this budget", "round server start --epsilon 1000");
    expect(2, "above --n-hi", "round server start --n-lo 200 --n-hi 100");
    expect(2, "outside", "round server start --n-lo 100 --n-hi 120 --devices 5000");
    expect(2, "finite", "round server start --epsilon none");
    expect(2, "nothing is called", "round server start --preset best");
    expect(2, "no action", "round server stop");
    root = expect_json("status server --json");
    assert_int_equal(json_array_size(json_object_get(root, "runs")), 1);
    assert_int_equal(number_of(json_object_get(root, "catalogue"), "items"), 60);
    assert_true(json_is_null(json_object_get(root, "model")));
    json_decref(root);
    root = expect_json("round server list --json");
    assert_int_equal(json_array_size(json_object_get(root, "record")), 0);
    json_decref(root);
    /* Models. */
    store_a_model(1, 5);
    store_a_model(2, 6);
    root = expect_json("model server --json");
    assert_int_equal(json_array_size(json_object_get(root, "models")), 2);
    json_decref(root);
    root = expect_json("model server verify --json");
    assert_int_equal(number_of(root, "number"), 2);
    assert_int_equal(number_of(root, "items"), 60);
    json_decref(root);
    expect(0, "item sku-000007", "model server show sku-000007");
    expect(1, "no item", "model server show sku-999999");
    expect(1, "no model 9", "model server verify --number 9");
    expect(2, "wants an argument", "model server show");
    expect(2, "no action", "model server burn");
    expect(0, "written", "model server export one.tacit --number 1");
    expect(1, "exists", "model server export one.tacit");
    expect(0, "genuine", "model one.tacit --pins server/app/pins.ini");
    expect(2, "--pins", "model one.tacit");
    /* A changed byte is found. */
    char path[FILES_PATH];
    files_path(path, home, "one.tacit");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 2000, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, 2000, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
    expect(1, "one.tacit", "model one.tacit --pins server/app/pins.ini");
    unlink(path);
    expect(0, "written", "model server export one.tacit");
    /* Recommendations. */
    check_reasons("recommend --server server --data shop --person p00003 --n 4 --json");
    check_reasons(
        "recommend --model one.tacit --pins server/app/pins.ini --data shop --person p00004 --n 4 "
        "--json");
    expect(0, "because of", "recommend --server server --data shop --person p00003");
    expect(1, "no person 'nobody'", "recommend --server server --data shop --person nobody");
}

static int make_home(void **state) {
    (void)state;
    files_folder(home);
    return 0;
}

static int remove_home(void **state) {
    (void)state;
    static const char *const folders[] = {
        "server/authority", "server/keys", "server/app", "server", "shop", "out", "again"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[FILES_PATH];
        files_path(path, home, folders[i]);
        files_remove(path);
    }
    files_remove(home);
    return access(home, F_OK) == 0 ? -1 : 0;
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_helps_and_refuses),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_missing_things),
        cmocka_unit_test(test_import_is_strict_when_asked),
        cmocka_unit_test(test_graph_shows_what_is_guaranteed),
        cmocka_unit_test(test_graph_table_is_the_documented_one),
        cmocka_unit_test(test_the_story),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
