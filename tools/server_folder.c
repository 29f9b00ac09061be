/* SPDX-License-Identifier: Apache-2.0
 * server_folder.c - see server_folder.h. */
#include "tools/server_folder.h"

#include "tools/output.h"

int server_folder_store(store **out, const char *dir) {
    char path[OUTPUT_PATH_LEN], note[TACIT_NOTE_LEN + 1] = "";
    if (!path_join(path, dir, "store.sqlite")) return complain("%.80s...: too long", dir);
    if (!path_exists(path))
        return complain("%s: no store.sqlite in it; `tacit init` makes a server folder", dir);
    tacit_status st = store_open_sqlite(out, note, path);
    if (st == TACIT_OK) return 0;
    return complain("%s: %s", path, note[0] ? note : tacit_status_text(st));
}

int server_folder_config(config *out, const char *dir) {
    char path[OUTPUT_PATH_LEN], note[CONFIG_NOTE_LEN + 1] = "";
    if (!path_join(path, dir, "tacit.ini")) return complain("%.80s...: too long", dir);
    tacit_status st = config_load(out, note, path);
    if (st == TACIT_OK) return 0;
    return complain("%s", note[0] ? note : tacit_status_text(st));
}

int server_folder_catalogue(catalogue **out, const char *dir, const config *c) {
    char path[OUTPUT_PATH_LEN];
    size_t bad = 0;
    bool fits = true;
    if (c->catalogue[0] == '/')
        snprintf(path, sizeof path, "%s", c->catalogue);
    else
        fits = path_join(path, dir, c->catalogue);
    if (!fits) return complain("%.80s...: too long", dir);
    tacit_status st = catalogue_load(out, &bad, path, false, stderr);
    if (st == TACIT_OK) return 0;
    return complain(
        "%s: %s", path,
        st == TACIT_NOT_FOUND ? "no catalogue with a good line is there" : tacit_status_text(st));
}

const char *run_state_name(run_state state) {
    switch (state) {
        case RUN_WAITING: return "waiting";
        case RUN_ACTIVE: return "active";
        case RUN_DONE: return "done";
        case RUN_FAILED: return "failed";
    }
    return "?";
}

static const char *const presets[] = {"hi", "lo", "lo50", "content"};

const char *run_preset_name(int32_t preset) {
    return preset < 0 ? "auto" : preset < 4 ? presets[preset] : "?";
}

bool run_preset_of(int32_t *preset, const char *name) {
    for (*preset = 0; *preset < 4; (*preset)++)
        if (strcmp(name, presets[*preset]) == 0) return true;
    *preset = -1;
    return strcmp(name, "auto") == 0;
}
