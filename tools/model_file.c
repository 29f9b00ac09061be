/* SPDX-License-Identifier: Apache-2.0
 * model_file.c - see model_file.h. */
#include "tools/model_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/output.h"
#include "tools/server_folder.h"

static int load_pins(model_file *m, const char *path) {
    char note[KEYS_NOTE_LEN + 1] = "";
    tacit_status st = keys_load_pins(&m->pins, note, path);
    return st == TACIT_OK ? 0 : complain("%s", note[0] ? note : tacit_status_text(st));
}

/* Verifies what was read; frees it when it does not verify. */
static int verify(model_file *m, const char *name) {
    const char *what = NULL;
    tacit_status st = tacit_model_open(&m->model, &what, m->bytes, m->len, m->pins.model_key);
    if (st == TACIT_OK) return 0;
    model_file_close(m);
    return complain("%s: %s%s%s", name, tacit_status_text(st), what ? ": " : "", what ? what : "");
}

typedef struct {
    uint64_t number;
    store_model found;
} search;

static tacit_status match(void *self, const store_model *m) {
    search *s = self;
    if (m->number == s->number) s->found = *m;
    return TACIT_OK;
}

int model_file_of_server(model_file *m, const char *dir, uint64_t number) {
    char path[OUTPUT_PATH_LEN];
    search s = {.number = number};
    store *db = NULL;
    memset(m, 0, sizeof *m);
    if (!path_join(path, dir, "app/pins.ini")) return complain("%.80s...: too long", dir);
    if (load_pins(m, path) != 0 || server_folder_store(&db, dir) != 0) return 1;
    tacit_status st =
        number == 0 ? store_model_latest(db, &s.found) : store_model_each(db, match, &s);
    if (st == TACIT_OK && s.found.number == 0) st = TACIT_NOT_FOUND;
    if (st == TACIT_OK) st = store_model_file(db, &m->bytes, &m->len, s.found.digest);
    store_close(db);
    if (st == TACIT_NOT_FOUND)
        return number == 0 ? complain("%s: no model yet; a training run makes one", dir)
                           : complain("%s: no model %llu", dir, (unsigned long long)number);
    if (st != TACIT_OK) return complain("%s: %s", dir, tacit_status_text(st));
    return verify(m, dir);
}

/* The whole file; refuses one larger than any model can be. */
static int slurp(model_file *m, const char *path) {
    const size_t most = tacit_model_len(TACIT_MAX_ITEMS, TACIT_MAX_FACTOR, TACIT_MAX_FEATURE);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return complain("%s: %s", path, strerror(errno));
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    bool ok = size > 0 && (size_t)size <= most && fseek(f, 0, SEEK_SET) == 0;
    if (ok) {
        m->len = (size_t)size;
        m->bytes = malloc(m->len);
        ok = m->bytes != NULL && fread(m->bytes, 1, m->len, f) == m->len;
    }
    fclose(f);
    if (ok) return 0;
    model_file_close(m);
    return complain("%s: this is no model file", path);
}

int model_file_of_path(model_file *m, const char *path, const char *pins_path) {
    memset(m, 0, sizeof *m);
    if (load_pins(m, pins_path) != 0 || slurp(m, path) != 0) return 1;
    return verify(m, path);
}

void model_file_close(model_file *m) {
    free(m->bytes);
    m->bytes = NULL;
    m->len = 0;
}
