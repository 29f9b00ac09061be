/* SPDX-License-Identifier: Apache-2.0
 * cmd_status.c - `tacit status`: what stands in a server folder, from its files alone. It does not
 * ask a running server; what it shows is what was committed. */
#include <stdio.h>

#include "server/keys.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/output.h"
#include "tools/run_report.h"
#include "tools/server_folder.h"

typedef struct {
    uint64_t entries, succeeded, failed, devices_joined, devices_survived;
    store_record last;
    uint64_t models;
    store_model newest;
    uint64_t open_round, open_run; /* 0: none */
} summary;

static tacit_status count_record(void *self, const store_record *r) {
    summary *s = self;
    s->entries++;
    s->succeeded += r->status == TACIT_OK;
    s->failed += r->status != TACIT_OK;
    s->devices_joined += r->joined;
    s->devices_survived += r->survivors;
    s->last = *r;
    return TACIT_OK;
}

static tacit_status count_model(void *self, const store_model *m) {
    summary *s = self;
    s->models++;
    if (m->number >= s->newest.number) s->newest = *m;
    return TACIT_OK;
}

static tacit_status summarise(summary *s, store *db) {
    memset(s, 0, sizeof *s);
    tacit_status st = store_record_each(db, 1, count_record, s);
    if (st == TACIT_OK) st = store_model_each(db, count_model, s);
    if (st != TACIT_OK) return st;
    st = store_round_unrecorded(db, &s->open_round, &s->open_run);
    if (st == TACIT_NOT_FOUND) s->open_round = s->open_run = 0;
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

/* Calls for each run, oldest first. */
static tacit_status each_run(store *db, json_t *list) {
    for (uint64_t id = 1;; id++) {
        store_run run;
        tacit_status st = store_run_get(db, &run, id);
        if (st == TACIT_NOT_FOUND) return TACIT_OK;
        if (st != TACIT_OK) return st;
        if (list == NULL)
            run_print(&run);
        else if (json_array_append_new(list, run_json(&run)) != 0)
            return TACIT_NO_SPACE;
    }
}

static tacit_status as_json(json_t *root, store *db, const summary *s, const config *c,
                            const catalogue *items) {
    json_t *server = json_object(), *record = json_object(), *runs = json_array();
    json_object_set_new(server, "listen", json_text(c->listen));
    json_object_set_new(server, "port", json_count(c->port));
    json_object_set_new(root, "server", server);
    json_t *cat = items != NULL ? json_object() : json_null();
    if (items != NULL) {
        json_object_set_new(cat, "items", json_count(items->count));
        json_object_set_new(cat, "digest", json_hash(items->digest));
    }
    json_object_set_new(root, "catalogue", cat);
    json_object_set_new(root, "runs", runs);
    json_object_set_new(root, "open_round",
                        s->open_round ? json_count(s->open_round) : json_null());
    json_t *model = s->models ? json_object() : json_null();
    if (s->models) {
        json_object_set_new(model, "number", json_count(s->newest.number));
        json_object_set_new(model, "round", json_count(s->newest.round));
        json_object_set_new(model, "bytes", json_count(s->newest.len));
        json_object_set_new(model, "digest", json_hash(s->newest.digest));
    }
    json_object_set_new(root, "models", json_count(s->models));
    json_object_set_new(root, "model", model);
    json_object_set_new(record, "rounds", json_count(s->entries));
    json_object_set_new(record, "succeeded", json_count(s->succeeded));
    json_object_set_new(record, "failed", json_count(s->failed));
    json_object_set_new(record, "joined", json_count(s->devices_joined));
    json_object_set_new(record, "survivors", json_count(s->devices_survived));
    json_object_set_new(record, "last", s->entries ? record_json(&s->last) : json_null());
    json_object_set_new(root, "record", record);
    return each_run(db, runs);
}

static tacit_status as_text(store *db, const summary *s, const config *c, const catalogue *items,
                            const char *folder) {
    char hash[OUTPUT_HEX_LEN + 1], made[OUTPUT_TIME_LEN + 1];
    printf("%s: listens on %s port %u\n", folder, c->listen, c->port);
    if (items != NULL)
        printf("catalogue: %zu items\n", items->count);
    else
        printf("catalogue: none yet (%s)\n", c->catalogue);
    if (s->models > 0) {
        hash_text(hash, s->newest.digest);
        time_text(made, s->newest.made_s);
        printf("models: %llu, the newest is %llu from round %llu, %s, %.16s...\n",
               (unsigned long long)s->models, (unsigned long long)s->newest.number,
               (unsigned long long)s->newest.round, made, hash);
    } else {
        printf("models: none yet\n");
    }
    printf("record: %llu rounds, %llu gave a model, %llu failed\n", (unsigned long long)s->entries,
           (unsigned long long)s->succeeded, (unsigned long long)s->failed);
    if (s->open_round != 0)
        printf("open: round %llu of run %llu\n", (unsigned long long)s->open_round,
               (unsigned long long)s->open_run);
    if (s->entries > 0) {
        record_print_head();
        record_print(&s->last);
    }
    run_print_head();
    return each_run(db, NULL);
}

static int status(const char *folder, bool json) {
    config c;
    store *db = NULL;
    catalogue *items = NULL;
    char path[OUTPUT_PATH_LEN];
    summary s;
    if (server_folder_config(&c, folder) != 0 || server_folder_store(&db, folder) != 0) return 1;
    bool joined = path_join(path, c.catalogue[0] == '/' ? "" : folder, c.catalogue);
    if (joined && path_exists(path) && server_folder_catalogue(&items, folder, &c) != 0) {
        store_close(db);
        return 1;
    }
    json_t *root = json ? json_object() : NULL;
    tacit_status st = summarise(&s, db);
    if (st == TACIT_OK)
        st = json ? as_json(root, db, &s, &c, items) : as_text(db, &s, &c, items, folder);
    store_close(db);
    catalogue_free(items);
    if (st != TACIT_OK) {
        json_decref(root);
        return complain("%s: %s", folder, tacit_status_text(st));
    }
    return json ? print_json(root) : 0;
}

int cmd_status(int argc, char **argv) {
    bool json = false;
    const arg_option table[] = {{"json", ARG_FLAG, &json, NULL, "one JSON object on stdout"},
                                {NULL, ARG_FLAG, NULL, NULL, NULL}};
    const char *folder = NULL;
    size_t count = 0;
    args_result parsed = args_parse(
        argc, argv, table, "status FOLDER [OPTIONS]",
        "Shows what stands in a server folder: runs, the open round, models, the record.", &folder,
        1, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 1) return misuse("status wants a server folder");
    return status(folder, json);
}
