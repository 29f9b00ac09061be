/* SPDX-License-Identifier: Apache-2.0
 * store_lmdb.c - see store_lmdb.h. The model is a file beside the database: staged as model.new,
 * synced, renamed over `model`, then mapped read-only. */
#include "firmware/port/store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    uint8_t *data;
    size_t len;
} mapping;

struct tacit_lmdb {
    MDB_env *env;
    MDB_dbi dbi;
    int folder_fd, staged_fd;
    size_t staged_len;
    mapping model, staged;
};

static void unmap(mapping *m) {
    if (m->data != NULL) munmap(m->data, m->len);
    m->data = NULL;
    m->len = 0;
}

static tacit_status open_env(tacit_lmdb *s, const char *folder, uint32_t map_mb) {
    MDB_txn *txn = NULL;
    if (mdb_env_create(&s->env) != 0) return TACIT_STORAGE;
    if (mdb_env_set_mapsize(s->env, (size_t)(map_mb ? map_mb : 64) << 20) != 0 ||
        mdb_env_open(s->env, folder, MDB_NOTLS, 0600) != 0 ||
        mdb_txn_begin(s->env, NULL, 0, &txn) != 0)
        return TACIT_STORAGE;
    if (mdb_dbi_open(txn, NULL, 0, &s->dbi) != 0) {
        mdb_txn_abort(txn);
        return TACIT_STORAGE;
    }
    return mdb_txn_commit(txn) == 0 ? TACIT_OK : TACIT_STORAGE;
}

tacit_status tacit_lmdb_open(tacit_lmdb **out, const char *folder, uint32_t map_mb) {
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return TACIT_STORAGE;
    tacit_lmdb *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    s->staged_fd = -1;
    s->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tacit_status st = s->folder_fd < 0 ? TACIT_STORAGE : open_env(s, folder, map_mb);
    if (st == TACIT_OK)
        *out = s;
    else
        tacit_lmdb_close(s);
    return st;
}

void tacit_lmdb_close(tacit_lmdb *s) {
    if (s == NULL) return;
    unmap(&s->model);
    unmap(&s->staged);
    if (s->staged_fd >= 0) close(s->staged_fd);
    if (s->env != NULL) mdb_env_close(s->env);
    if (s->folder_fd >= 0) close(s->folder_fd);
    free(s);
}

/* LMDB takes non-const pointers but does not write through the ones given here. */
static MDB_val val(const uint8_t *data, size_t len) {
    MDB_val v = {len, (void *)(uintptr_t)data};
    return v;
}

tacit_status tacit_lmdb_get(void *self, uint8_t *value, size_t cap, size_t *len, const uint8_t *key,
                            size_t key_len) {
    tacit_lmdb *s = self;
    MDB_txn *txn;
    MDB_val k = val(key, key_len), v;
    if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn) != 0) return TACIT_STORAGE;
    int r = mdb_get(txn, s->dbi, &k, &v);
    tacit_status st = r == MDB_NOTFOUND ? TACIT_NOT_FOUND : r != 0 ? TACIT_STORAGE : TACIT_OK;
    if (st == TACIT_OK) {
        *len = v.mv_size;
        if (v.mv_size > cap)
            st = TACIT_NO_SPACE;
        else
            memcpy(value, v.mv_data, v.mv_size);
    }
    mdb_txn_abort(txn);
    return st;
}

tacit_status tacit_lmdb_commit(void *self, const tacit_write *writes, size_t write_count) {
    tacit_lmdb *s = self;
    MDB_txn *txn;
    if (mdb_txn_begin(s->env, NULL, 0, &txn) != 0) return TACIT_STORAGE;
    for (size_t i = 0; i < write_count; i++) {
        MDB_val k = val(writes[i].key, writes[i].key_len);
        MDB_val v = val(writes[i].value, writes[i].value_len);
        int r = writes[i].value != NULL ? mdb_put(txn, s->dbi, &k, &v, 0)
                                        : mdb_del(txn, s->dbi, &k, NULL);
        if (r != 0 && r != MDB_NOTFOUND) {
            mdb_txn_abort(txn);
            return TACIT_STORAGE;
        }
    }
    return mdb_txn_commit(txn) == 0 ? TACIT_OK : TACIT_STORAGE;
}

tacit_status tacit_lmdb_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                             tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                   size_t key_len, const uint8_t *value,
                                                   size_t value_len),
                             void *visit_self) {
    tacit_lmdb *s = self;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val k = val(prefix, prefix_len), v;
    if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn) != 0) return TACIT_STORAGE;
    if (mdb_cursor_open(txn, s->dbi, &cursor) != 0) {
        mdb_txn_abort(txn);
        return TACIT_STORAGE;
    }
    tacit_status st = TACIT_OK;
    int r = mdb_cursor_get(cursor, &k, &v, prefix_len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (r == 0 && st == TACIT_OK && k.mv_size >= prefix_len &&
           memcmp(k.mv_data, prefix, prefix_len) == 0) {
        st = visit(visit_self, k.mv_data, k.mv_size, v.mv_data, v.mv_size);
        r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return r != 0 && r != MDB_NOTFOUND ? TACIT_STORAGE : st;
}

/* ---- Model slot --------------------------------------------------------------------------------
 */

static tacit_status map_file(tacit_lmdb *s, mapping *m, const char *name) {
    struct stat info;
    unmap(m);
    int fd = openat(s->folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? TACIT_NOT_FOUND : TACIT_STORAGE;
    tacit_status st = TACIT_STORAGE;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            m->data = p;
            m->len = (size_t)info.st_size;
            st = TACIT_OK;
        }
    }
    close(fd);
    return st;
}

tacit_status tacit_lmdb_model_map(void *self, const uint8_t **data, size_t *len) {
    tacit_lmdb *s = self;
    if (s->model.data == NULL) {
        tacit_status st = map_file(s, &s->model, "model");
        if (st != TACIT_OK) return st;
    }
    *data = s->model.data;
    *len = s->model.len;
    return TACIT_OK;
}

tacit_status tacit_lmdb_model_write(void *self, size_t offset, const uint8_t *data, size_t len) {
    tacit_lmdb *s = self;
    if (offset == 0) {
        if (s->staged_fd >= 0) close(s->staged_fd);
        s->staged_fd =
            openat(s->folder_fd, "model.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        s->staged_len = 0;
    }
    if (s->staged_fd < 0 || offset != s->staged_len) return TACIT_STORAGE;
    while (len > 0) {
        ssize_t n = write(s->staged_fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return TACIT_STORAGE;
        data += n;
        len -= (size_t)n;
        s->staged_len += (size_t)n;
    }
    return TACIT_OK;
}

tacit_status tacit_lmdb_model_staged(void *self, const uint8_t **data, size_t *len) {
    tacit_lmdb *s = self;
    tacit_status st = map_file(s, &s->staged, "model.new");
    if (st != TACIT_OK) return st;
    *data = s->staged.data;
    *len = s->staged.len;
    return TACIT_OK;
}

tacit_status tacit_lmdb_model_commit(void *self) {
    tacit_lmdb *s = self;
    if (s->staged_fd < 0) return TACIT_STORAGE;
    bool ok = fsync(s->staged_fd) == 0;
    close(s->staged_fd);
    s->staged_fd = -1;
    ok = ok && renameat(s->folder_fd, "model.new", s->folder_fd, "model") == 0 &&
         fsync(s->folder_fd) == 0;
    unmap(&s->staged);
    unmap(&s->model);
    return ok ? TACIT_OK : TACIT_STORAGE;
}
