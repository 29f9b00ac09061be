/* SPDX-License-Identifier: Apache-2.0
 * storage_test.c - one contract, every storage: LMDB alone, the whole POSIX platform over it, and
 * the platform in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base.h"
#include "firmware/port/posix.h"
#include "firmware/port/store_lmdb.h"
#include "tests/contract/storage_contract.h"
#include "tools/memory_platform.h"

typedef struct {
    storage_subject subject; /* first: what the suite gets */
    char folder[64];
    tacit_lmdb *lmdb;
    tacit_posix *posix;
    memory_platform *memory;
} fixture;

static fixture *fixture_new(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return NULL;
    snprintf(f->folder, sizeof f->folder, "/tmp/tacit-storage-XXXXXX");
    f->subject.self = f;
    *state = f;
    return mkdtemp(f->folder) != NULL ? f : NULL;
}

static int fixture_end(void **state) {
    fixture *f = *state;
    char command[96];
    tacit_lmdb_close(f->lmdb);
    tacit_posix_close(f->posix);
    memory_platform_free(f->memory);
    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    free(f);
    return system(command);
}

static bool lmdb_reopen(void *self, tacit_platform *callbacks) {
    fixture *f = self;
    tacit_lmdb_close(f->lmdb);
    f->lmdb = NULL;
    if (tacit_lmdb_open(&f->lmdb, f->folder, 1) != TACIT_OK) return false;
    *callbacks = (tacit_platform){.self = f->lmdb,
                                  .storage_get = tacit_lmdb_get,
                                  .storage_commit = tacit_lmdb_commit,
                                  .storage_scan = tacit_lmdb_scan,
                                  .model_map = tacit_lmdb_model_map,
                                  .model_write = tacit_lmdb_model_write,
                                  .model_staged = tacit_lmdb_model_staged,
                                  .model_commit = tacit_lmdb_model_commit};
    return true;
}

static bool posix_reopen(void *self, tacit_platform *callbacks) {
    fixture *f = self;
    char store[96], keystore[96];
    snprintf(store, sizeof store, "%s/store", f->folder);
    snprintf(keystore, sizeof keystore, "%s/keys", f->folder);
    tacit_posix_config config = {.store_folder = store, .keystore_folder = keystore};
    tacit_posix_close(f->posix);
    f->posix = NULL;
    if (tacit_posix_open(&f->posix, &config) != TACIT_OK) return false;
    tacit_posix_platform(f->posix, callbacks);
    return true;
}

static bool memory_reopen(void *self, tacit_platform *callbacks) {
    fixture *f = self;
    memory_platform_restart(f->memory);
    *callbacks = memory_platform_callbacks(f->memory);
    return true;
}

static int make(void **state, bool (*open)(void *self, tacit_platform *callbacks)) {
    fixture *f = fixture_new(state);
    if (f == NULL) return -1;
    f->subject.reopen = open;
    return open(f, &f->subject.callbacks) ? 0 : -1;
}

static int lmdb_make(void **state) { return make(state, lmdb_reopen); }
static int posix_make(void **state) { return make(state, posix_reopen); }

static int memory_make(void **state) {
    fixture *f = fixture_new(state);
    if (f == NULL || memory_platform_new(&f->memory, NULL) != TACIT_OK) return -1;
    f->subject.reopen = memory_reopen;
    f->subject.callbacks = memory_platform_callbacks(f->memory);
    return 0;
}

int main(void) {
    int failed = storage_contract_run("lmdb", lmdb_make, fixture_end);
    failed += storage_contract_run("posix", posix_make, fixture_end);
    failed += storage_contract_run("memory", memory_make, fixture_end);
    return failed;
}
