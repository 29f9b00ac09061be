/* SPDX-License-Identifier: Apache-2.0
 * cmd_model.c - `tacit model`: what models a server has made, whether a file is genuine, and what
 * it says of an item. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "common/item.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/model_file.h"
#include "tools/output.h"
#include "tools/server_folder.h"

typedef struct {
    const char *subject, *action, *argument, *pins;
    uint64_t number;
    bool json;
} options;

/* ---- list --------------------------------------------------------------------------------------
 */

static tacit_status list_one(void *self, const store_model *m) {
    json_t *list = self;
    char hash[OUTPUT_HEX_LEN + 1], made[OUTPUT_TIME_LEN + 1];
    hash_text(hash, m->digest);
    time_text(made, m->made_s);
    if (list == NULL) {
        printf("%8llu  %8llu  %s  %9llu  %s\n", (unsigned long long)m->number,
               (unsigned long long)m->round, made, (unsigned long long)m->len, hash);
        return TACIT_OK;
    }
    json_t *row = json_object();
    json_object_set_new(row, "number", json_count(m->number));
    json_object_set_new(row, "round", json_count(m->round));
    json_object_set_new(row, "made", json_string(made));
    json_object_set_new(row, "bytes", json_count(m->len));
    json_object_set_new(row, "digest", json_string(hash));
    return json_array_append_new(list, row) == 0 ? TACIT_OK : TACIT_NO_SPACE;
}

static int list_models(const options *o) {
    store *s = NULL;
    if (server_folder_store(&s, o->subject) != 0) return 1;
    json_t *list = o->json ? json_array() : NULL;
    if (!o->json) printf("   model     round  made                      bytes  digest\n");
    tacit_status st = store_model_each(s, list_one, list);
    store_close(s);
    if (st != TACIT_OK) {
        json_decref(list);
        return complain("%s: %s", o->subject, tacit_status_text(st));
    }
    if (!o->json) return 0;
    json_t *root = json_object();
    json_object_set_new(root, "models", list);
    return print_json(root);
}

/* ---- verify ------------------------------------------------------------------------------------
 */

static int describe(const options *o, const model_file *f) {
    const tacit_model *m = &f->model;
    char hash[OUTPUT_HEX_LEN + 1], of_items[OUTPUT_HEX_LEN + 1], made[OUTPUT_TIME_LEN + 1];
    hash_text(hash, m->digest);
    hash_text(of_items, m->catalogue);
    time_text(made, m->made_s);
    if (o->json) {
        json_t *root = json_object();
        json_object_set_new(root, "genuine", json_true());
        json_object_set_new(root, "number", json_count(m->number));
        json_object_set_new(root, "round", json_count(m->round));
        json_object_set_new(root, "made", json_string(made));
        json_object_set_new(root, "items", json_count(m->item_count));
        json_object_set_new(root, "factor", json_count(m->factor));
        json_object_set_new(root, "features", json_count(m->features));
        json_object_set_new(root, "bytes", json_count(f->len));
        json_object_set_new(root, "digest", json_string(hash));
        json_object_set_new(root, "catalogue", json_string(of_items));
        json_object_set_new(root, "plan", json_hash(m->plan_digest));
        return print_json(root);
    }
    printf(
        "genuine: signed by the pinned model key\n"
        "model      %llu, from round %llu, made %s\n"
        "shape      %u items, factor %u, %u features, %zu bytes\n"
        "digest     %s\n"
        "catalogue  %s\n",
        (unsigned long long)m->number, (unsigned long long)m->round, made, m->item_count, m->factor,
        m->features, f->len, hash, of_items);
    return 0;
}

/* ---- show --------------------------------------------------------------------------------------
 */

static json_t *row_json(const float *row, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) json_array_append_new(list, json_number((double)row[i]));
    return list;
}

static void row_text(const char *name, const float *row, uint32_t count) {
    double square = 0;
    for (uint32_t i = 0; i < count; i++) square += (double)row[i] * (double)row[i];
    printf("%s (norm %.4f)", name, sqrt(square));
    for (uint32_t i = 0; i < count; i++) printf("%s%9.5f", i % 8 ? " " : "\n  ", (double)row[i]);
    printf("\n");
}

static int show(const options *o, const model_file *f) {
    const tacit_model *m = &f->model;
    const uint64_t id = tacit_item_id(o->argument);
    uint32_t at;
    if (tacit_model_find(m, &at, id) != TACIT_OK)
        return complain("the model knows no item '%s'", o->argument);
    const float *factor = m->factors + (size_t)at * m->factor;
    const float *content = m->content + (size_t)at * m->features;
    if (o->json) {
        json_t *root = json_object();
        json_object_set_new(root, "item", json_text(o->argument));
        json_object_set_new(root, "index", json_count(at));
        json_object_set_new(root, "kind", json_string(m->kinds[at] ? "offer" : "product"));
        json_object_set_new(root, "bias", json_number((double)m->bias[at]));
        json_object_set_new(root, "count", json_number((double)m->counts[at]));
        json_object_set_new(root, "factor", row_json(factor, m->factor));
        json_object_set_new(root, "content", row_json(content, m->features));
        return print_json(root);
    }
    printf("item %s: number %llu, index %u, %s\nbias %.6f, count %.4f\n", o->argument,
           (unsigned long long)id, at, m->kinds[at] ? "offer" : "product", (double)m->bias[at],
           (double)m->counts[at]);
    row_text("factor", factor, m->factor);
    row_text("content", content, m->features);
    return 0;
}

/* ---- export ------------------------------------------------------------------------------------
 */

static int export_file(const options *o, const model_file *f) {
    int fd = open(o->argument, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out == NULL) return complain("%s: %s", o->argument, strerror(errno));
    bool ok = fwrite(f->bytes, 1, f->len, out) == f->len && fflush(out) == 0 && fsync(fd) == 0;
    ok = fclose(out) == 0 && ok;
    if (!ok) {
        int why = errno;
        (void)unlink(o->argument);
        return complain("%s: %s", o->argument, strerror(why));
    }
    if (o->json) {
        json_t *root = json_object();
        json_object_set_new(root, "file", json_text(o->argument));
        json_object_set_new(root, "number", json_count(f->model.number));
        json_object_set_new(root, "digest", json_hash(f->model.digest));
        return print_json(root);
    }
    printf("model %llu written to %s\n", (unsigned long long)f->model.number, o->argument);
    return 0;
}

/* ---- The command -------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    bool wants_argument;
    int (*run)(const options *o, const model_file *f); /* NULL: list */
} actions[] = {{"list", false, NULL},
               {"verify", false, describe},
               {"show", true, show},
               {"export", true, export_file}};

static int run(const options *o) {
    bool folder = path_is_folder(o->subject);
    const char *action = o->action ? o->action : folder ? "list" : "verify";
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        model_file f;
        if (strcmp(action, actions[i].name) != 0) continue;
        if (actions[i].wants_argument != (o->argument != NULL))
            return misuse("model %s %s", action,
                          o->argument ? "takes no argument" : "wants an argument");
        if (actions[i].run == NULL)
            return folder ? list_models(o) : misuse("list wants a server folder");
        if (!folder && o->pins == NULL) return misuse("a model file wants --pins");
        int failed = folder ? model_file_of_server(&f, o->subject, o->number)
                            : model_file_of_path(&f, o->subject, o->pins);
        if (failed) return 1;
        int exit_status = actions[i].run(o, &f);
        model_file_close(&f);
        return exit_status;
    }
    return misuse("model has no action '%s'", action);
}

int cmd_model(int argc, char **argv) {
    options o = {.number = 0};
    const arg_option table[] = {
        {"pins", ARG_STRING, &o.pins, "FILE", "pins.ini of the app, for a model file"},
        {"number", ARG_U64, &o.number, "N", "model of a server folder (0: the latest)"},
        {"json", ARG_FLAG, &o.json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    const char *words[3] = {NULL, NULL, NULL};
    size_t count = 0;
    args_result parsed = args_parse(
        argc, argv, table, "model SUBJECT [list|verify|show ITEM|export FILE] [OPTIONS]",
        "SUBJECT is a server folder, or a model file with --pins. list: the models of a\n"
        "folder (what a folder alone does). verify: shape, numbers, digest and signature\n"
        "under the pinned key (what a file alone does). show: what the model says of one\n"
        "item. export: writes the signed file.",
        words, 3, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 1) return misuse("model wants a server folder or a model file");
    o.subject = words[0];
    o.action = words[1];
    o.argument = words[2];
    return run(&o);
}
