/* SPDX-License-Identifier: Apache-2.0
 * cmd_init.c - `tacit init`: everything a server needs, in one folder. Nothing that exists is
 * overwritten; a folder that already holds keys is refused before anything is made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "server/keys.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/output.h"
#include "tools/server_folder.h"

typedef struct {
    const char *folder, *catalogue, *listen;
    uint32_t port;
    bool json;
} options;

static int write_config(const options *o) {
    char path[OUTPUT_PATH_LEN], note[CONFIG_NOTE_LEN + 1];
    config c, back;
    config_default(&c);
    snprintf(c.listen, sizeof c.listen, "%s", o->listen);
    c.port = o->port;
    if (!path_join(path, o->folder, "tacit.ini")) return complain("%s: too long", o->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST) return 0; /* the operator's own */
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL) return complain("%s: %s", path, strerror(errno));
    config_print(&c, f);
    bool ok = fflush(f) == 0 && fsync(fd) == 0;
    if (fclose(f) != 0 || !ok) return complain("%s: %s", path, strerror(errno));
    if (config_load(&back, note, path) == TACIT_OK) return 0;
    (void)unlink(path);
    return complain("%s", note);
}

static int save_catalogue(const options *o, const catalogue *c) {
    char path[OUTPUT_PATH_LEN];
    if (c == NULL) return 0;
    if (!path_join(path, o->folder, "catalogue.csv")) return complain("%s: too long", o->folder);
    if (path_exists(path)) return complain("%s is already there", path);
    tacit_status st = catalogue_save(c, path);
    return st == TACIT_OK ? 0 : complain("%s: %s", path, tacit_status_text(st));
}

static int make_store(const options *o) {
    char path[OUTPUT_PATH_LEN], note[TACIT_NOTE_LEN + 1] = "";
    store *s = NULL;
    if (!path_join(path, o->folder, "store.sqlite")) return complain("%s: too long", o->folder);
    tacit_status st = store_open_sqlite(&s, note, path);
    if (st != TACIT_OK) return complain("%s: %s", path, note[0] ? note : tacit_status_text(st));
    store_close(s);
    return 0;
}

static int report(const options *o) {
    char path[OUTPUT_PATH_LEN], note[KEYS_NOTE_LEN + 1];
    keys_pins pins;
    if (!path_join(path, o->folder, "app/pins.ini")) return complain("%s: too long", o->folder);
    if (keys_load_pins(&pins, note, path) != TACIT_OK) return complain("%s", note);
    if (o->json) {
        json_t *root = json_object();
        json_object_set_new(root, "folder", json_text(o->folder));
        json_object_set_new(root, "plan_key", json_hash(pins.plan_key));
        json_object_set_new(root, "model_key", json_hash(pins.model_key));
        json_object_set_new(root, "authority_key", json_hash(pins.authority_key));
        json_object_set_new(root, "catalogue", json_boolean(o->catalogue != NULL));
        return print_json(root);
    }
    printf(
        "%s is ready:\n"
        "  authority/    signs device certificates: move it to another host\n"
        "  keys/         the server's keys; only it may read them\n"
        "  app/          what the app ships: pins.ini, server.crt\n"
        "  tacit.ini     configuration\n"
        "  store.sqlite  runs, models, record\n"
        "%s"
        "next: tacitd %s, tacit round %s start\n",
        o->folder,
        o->catalogue ? "  catalogue.csv the items\n" : "  (no catalogue.csv yet: put one there)\n",
        o->folder, o->folder);
    return 0;
}

static int make(const options *o, const catalogue *c) {
    char note[KEYS_NOTE_LEN + 1] = "";
    tacit_status st = keys_init(o->folder, note);
    if (st != TACIT_OK) return complain("%s", note[0] ? note : tacit_status_text(st));
    if (write_config(o) != 0 || save_catalogue(o, c) != 0 || make_store(o) != 0) return 1;
    return report(o);
}

int cmd_init(int argc, char **argv) {
    options o = {.listen = "127.0.0.1", .port = 8443};
    const arg_option table[] = {
        {"catalogue", ARG_STRING, &o.catalogue, "FILE", "items; copied to catalogue.csv"},
        {"listen", ARG_STRING, &o.listen, "ADDRESS", "address the server listens on"},
        {"port", ARG_U32, &o.port, "N", "its port (0: any)"},
        {"json", ARG_FLAG, &o.json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    catalogue *c = NULL;
    size_t count = 0;
    args_result parsed = args_parse(
        argc, argv, table, "init FOLDER [OPTIONS]",
        "Makes keys, certificates, configuration and store of a server in FOLDER. Existing files\n"
        "are never overwritten.",
        &o.folder, 1, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 1) return misuse("init wants a folder");
    if (o.port > 65535) return misuse("--port wants 0 to 65535");
    if (strlen(o.listen) > CONFIG_TEXT_LEN) return misuse("--listen is too long");
    if (o.catalogue != NULL) {
        /* Read before anything is made: a bad catalogue is found now, not at the server's start. */
        size_t bad = 0;
        tacit_status st = catalogue_load(&c, &bad, o.catalogue, false, stderr);
        if (st != TACIT_OK) return complain("%s: %s", o.catalogue, tacit_status_text(st));
    }
    int exit_status = make(&o, c);
    catalogue_free(c);
    return exit_status;
}
