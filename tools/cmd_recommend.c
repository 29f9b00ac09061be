/* SPDX-License-Identifier: Apache-2.0
 * cmd_recommend.c - `tacit recommend`: what a device would show one person of a dataset, and why.
 * It opens the device library on a platform in memory, records the person's events and asks it; no
 * score is computed here. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/args.h"
#include "tools/commands.h"
#include "tools/dataset.h"
#include "tools/memory_platform.h"
#include "tools/model_file.h"
#include "tools/output.h"

enum { MAX_LIST = 100, REASONS = 3 };

typedef struct {
    const char *server, *model, *pins, *data, *person;
    uint32_t n;
    bool include_seen, strict, json;
} options;

/* The library on one device, with everything it stands on. */
typedef struct {
    memory_platform *memory;
    tacit_platform platform;
    void *workspace;
    tacit *library;
} device;

static void device_close(device *d) {
    tacit_close(d->library);
    free(d->workspace);
    memory_platform_free(d->memory);
}

static tacit_status device_open(device *d, const model_file *m, size_t history) {
    tacit_options o = {.epsilon = 1,
                       .delta = 1e-5,
                       .period_s = 86400,
                       .max_items = m->model.item_count,
                       .max_factor = m->model.factor + m->model.features,
                       .max_history = (uint32_t)(history < 1                   ? 1
                                                 : history > TACIT_MAX_HISTORY ? TACIT_MAX_HISTORY
                                                                               : history)};
    memset(d, 0, sizeof *d);
    memcpy(o.plan_key, m->pins.plan_key, TACIT_KEY_LEN);
    memcpy(o.model_key, m->pins.model_key, TACIT_KEY_LEN);
    memcpy(o.authority_key, m->pins.authority_key, TACIT_KEY_LEN);
    tacit_status st = memory_platform_new(&d->memory, NULL);
    if (st != TACIT_OK) return st;
    d->platform = memory_platform_callbacks(d->memory);
    st = d->platform.random(d->platform.self, o.history_key, sizeof o.history_key);
    size_t len = tacit_workspace_len(&o);
    if (st == TACIT_OK && len == 0) st = TACIT_TOO_LARGE;
    if (st == TACIT_OK && (d->workspace = aligned_alloc(16, (len + 15) / 16 * 16)) == NULL)
        st = TACIT_NO_SPACE;
    if (st == TACIT_OK) st = tacit_open(&d->library, d->workspace, len, &o, &d->platform);
    if (st == TACIT_OK) st = tacit_model_install(d->library, m->bytes, m->len);
    if (st != TACIT_OK) {
        device_close(d);
        memset(d, 0, sizeof *d);
    }
    return st;
}

static tacit_status record_person(tacit *t, const dataset *data, size_t person) {
    size_t from = data->offsets[person], count = data->offsets[person + 1] - from;
    tacit_event *events = calloc(count ? count : 1, sizeof *events);
    if (events == NULL) return TACIT_NO_SPACE;
    for (size_t i = 0; i < count; i++) {
        const dataset_event *e = &data->events[from + i];
        /* Time 0 means now to the library; files without times have only that. */
        events[i] = (tacit_event){.item = data->catalogue->items[e->item].id,
                                  .time_s = e->time_s,
                                  .kind = (tacit_event_kind)e->kind,
                                  .value = e->value};
    }
    tacit_status st = tacit_record_many(t, events, count);
    free(events);
    return st;
}

/* ---- Telling -----------------------------------------------------------------------------------
 */

typedef struct {
    uint64_t item;
    tacit_explanation why;
    tacit_reason reasons[REASONS];
    size_t reason_count;
} told;

static const catalogue_item *item_of(const dataset *data, uint64_t id) {
    long at = catalogue_find(data->catalogue, id);
    return at < 0 ? NULL : &data->catalogue->items[at];
}

static const char *title_of(const dataset *data, uint64_t id) {
    const catalogue_item *it = item_of(data, id);
    return it == NULL ? "(not in the catalogue)" : it->title[0] ? it->title : it->key;
}

static void set_item(json_t *o, const dataset *data, uint64_t id) {
    const catalogue_item *it = item_of(data, id);
    json_object_set_new(o, "item", it ? json_text(it->key) : json_null());
    json_object_set_new(o, "title", json_text(title_of(data, id)));
}

static json_t *told_json(const told *r, const dataset *data) {
    json_t *o = json_object(), *reasons = json_array();
    set_item(o, data, r->item);
    json_object_set_new(o, "score", json_number((double)r->why.score));
    json_object_set_new(o, "bias", json_number((double)r->why.bias));
    json_object_set_new(o, "base", json_number((double)r->why.base));
    for (size_t i = 0; i < r->reason_count; i++) {
        json_t *reason = json_object();
        set_item(reason, data, r->reasons[i].item);
        json_object_set_new(reason, "share", json_number((double)r->reasons[i].share));
        json_array_append_new(reasons, reason);
    }
    json_object_set_new(o, "reasons", reasons);
    json_object_set_new(o, "rest", json_number((double)r->why.rest));
    return o;
}

static void told_print(const told *r, const dataset *data, size_t rank, size_t history) {
    printf("%2zu. %s   score %.4f\n", rank, title_of(data, r->item), (double)r->why.score);
    printf("    = %+.4f liked in general %+.4f base", (double)r->why.bias, (double)r->why.base);
    for (size_t i = 0; i < r->reason_count; i++)
        printf("\n      %+.4f because of %s", (double)r->reasons[i].share,
               title_of(data, r->reasons[i].item));
    if (history > r->reason_count)
        printf("\n      %+.4f the other %zu items of the history", (double)r->why.rest,
               history - r->reason_count);
    printf("\n");
}

static int tell(const options *o, const model_file *m, const dataset *data, const told *list,
                size_t count, size_t history) {
    if (!o->json) {
        printf("%s: %zu items in the history, model %llu\n", o->person, history,
               (unsigned long long)m->model.number);
        for (size_t i = 0; i < count; i++) told_print(&list[i], data, i + 1, history);
        return 0;
    }
    json_t *root = json_object(), *model = json_object(), *rows = json_array();
    json_object_set_new(root, "person", json_text(o->person));
    json_object_set_new(root, "history", json_count(history));
    json_object_set_new(model, "number", json_count(m->model.number));
    json_object_set_new(model, "digest", json_hash(m->model.digest));
    json_object_set_new(root, "model", model);
    for (size_t i = 0; i < count; i++) json_array_append_new(rows, told_json(&list[i], data));
    json_object_set_new(root, "recommendations", rows);
    return print_json(root);
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static int ask(const options *o, const model_file *m, const dataset *data, size_t person) {
    device d;
    told list[MAX_LIST];
    tacit_scored best[MAX_LIST];
    size_t count = 0, history = 0;
    tacit_query query = {.include_seen = o->include_seen};
    tacit_status st = device_open(&d, m, data->offsets[person + 1] - data->offsets[person]);
    if (st == TACIT_OK) st = record_person(d.library, data, person);
    if (st == TACIT_OK) st = tacit_recommend(d.library, best, &count, o->n, &query);
    for (size_t i = 0; i < count && st == TACIT_OK; i++) {
        list[i].item = best[i].item;
        st = tacit_explain(d.library, &list[i].why, list[i].reasons, &list[i].reason_count, REASONS,
                           best[i].item);
    }
    if (st == TACIT_OK) history = tacit_history_count(d.library);
    device_close(&d);
    if (st != TACIT_OK) return complain("%s: %s", o->person, tacit_status_text(st));
    if (memcmp(m->model.catalogue, data->catalogue->digest, TACIT_HASH_LEN) != 0)
        (void)complain("warning: the model was made for another catalogue than that of %s",
                       data->name);
    return tell(o, m, data, list, count, history);
}

static int run(const options *o) {
    char note[TACIT_NOTE_LEN + 1] = "";
    dataset_options load = {.strict = o->strict, .errors = stderr};
    dataset *data = NULL;
    model_file m;
    tacit_status st = dataset_load(&data, note, o->data, &load);
    if (st != TACIT_OK) return complain("%s", note[0] ? note : tacit_status_text(st));
    long person = dataset_find(data, o->person);
    int exit_status = 1;
    if (person < 0) {
        (void)complain("%s has no person '%s' (the first is '%s')", data->name, o->person,
                       data->keys[0]);
    } else if ((o->server ? model_file_of_server(&m, o->server, 0)
                          : model_file_of_path(&m, o->model, o->pins)) == 0) {
        exit_status = ask(o, &m, data, (size_t)person);
        model_file_close(&m);
    }
    dataset_free(data);
    return exit_status;
}

int cmd_recommend(int argc, char **argv) {
    options o = {.n = 5};
    const arg_option table[] = {
        {"server", ARG_STRING, &o.server, "FOLDER", "use the newest model of this server folder"},
        {"model", ARG_STRING, &o.model, "FILE", "or this model file"},
        {"pins", ARG_STRING, &o.pins, "FILE", "with --model: pins.ini of the app"},
        {"data", ARG_STRING, &o.data, "PATH", "dataset with the person"},
        {"person", ARG_STRING, &o.person, "KEY", "the person, as the data names them"},
        {"n", ARG_U32, &o.n, "N", "how many"},
        {"include-seen", ARG_FLAG, &o.include_seen, NULL, "also items of the history"},
        {"strict", ARG_FLAG, &o.strict, NULL, "stop at the first bad line of the data"},
        {"json", ARG_FLAG, &o.json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    args_result parsed = args_parse(
        argc, argv, table,
        "recommend --server FOLDER|--model FILE --pins FILE --data PATH --person KEY [OPTIONS]",
        "Recommends for one person with the device library, offline, with the exact reasons: each\n"
        "score is the sum of its parts.",
        NULL, 0, NULL);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if ((o.server == NULL) == (o.model == NULL)) return misuse("give --server or --model");
    if (o.model != NULL && o.pins == NULL) return misuse("--model wants --pins");
    if (o.data == NULL || o.person == NULL) return misuse("recommend wants --data and --person");
    if (o.n < 1 || o.n > MAX_LIST) return misuse("--n wants 1 to %d", MAX_LIST);
    return run(&o);
}
