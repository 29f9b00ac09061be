/* SPDX-License-Identifier: Apache-2.0
 * store_lmdb.c - see store_lmdb.h. The model is a file beside the database: staged as model.new,
 * synced, renamed over `model`, then mapped read-only. A mapped file is never written to or cut, so
 * that bytes given out cannot change or vanish. */
#include "firmware/port/store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX = 32, VALUE_MAX = 512, MAP_MB = 64, MAP_MB_MAX = 1024 };

typedef struct {
    uint8_t *data;
    size_t len;
} mapping;

struct tacit_lmdb {
    MDB_env *env;
    MDB_dbi dbi;
    size_t map_len;
    unsigned readers; /* scans under way: the map must not move under them */
    int folder_fd, staged_fd;
    size_t staged_len;
    mapping model, staged;
};

/* ---- Opening -----------------------------------------------------------------------------------
 */

static void unmap(mapping *m) {
    if (m->data != NULL) munmap(m->data, m->len);
    m->data = NULL;
    m->len = 0;
}

static tacit_status open_env(tacit_lmdb *s, const char *folder) {
    MDB_txn *txn = NULL;
    MDB_envinfo info;
    if (mdb_env_create(&s->env) != 0) return TACIT_NO_SPACE;
    if (mdb_env_set_mapsize(s->env, s->map_len) != 0 ||
        mdb_env_open(s->env, folder, MDB_NOTLS, 0600) != 0 || mdb_env_info(s->env, &info) != 0 ||
        mdb_txn_begin(s->env, NULL, 0, &txn) != 0)
        return TACIT_STORAGE;
    s->map_len = info.me_mapsize; /* greater when the database is */
    if (mdb_dbi_open(txn, NULL, 0, &s->dbi) != 0) {
        mdb_txn_abort(txn);
        return TACIT_STORAGE;
    }
    return mdb_txn_commit(txn) == 0 ? TACIT_OK : TACIT_STORAGE;
}

/* The names of a new folder and of the files in it must be as durable as what is committed to
 * them. A parent that may not be read cannot be synced; that much is left to the system. */
static bool sync_names(int folder_fd) {
    int parent = openat(folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = parent < 0 || fsync(parent) == 0;
    if (parent >= 0) close(parent);
    return fsync(folder_fd) == 0 && ok;
}

tacit_status tacit_lmdb_open(tacit_lmdb **out, const char *folder, uint32_t map_mb) {
    if (map_mb > MAP_MB_MAX) return TACIT_INVALID_ARGUMENT;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return TACIT_STORAGE;
    tacit_lmdb *s = calloc(1, sizeof *s);
    if (s == NULL) return TACIT_NO_SPACE;
    tacit_status st = TACIT_STORAGE;
    s->map_len = (size_t)(map_mb ? map_mb : MAP_MB) << 20;
    s->staged_fd = -1;
    s->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder_fd >= 0 && flock(s->folder_fd, LOCK_EX | LOCK_NB) == 0) st = open_env(s, folder);
    if (st == TACIT_OK && !sync_names(s->folder_fd)) st = TACIT_STORAGE;
    if (st == TACIT_OK) {
        (void)unlinkat(s->folder_fd, "model.new", 0); /* of a download that was cut off */
        *out = s;
    } else {
        tacit_lmdb_close(s);
    }
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

/* ---- Storage -----------------------------------------------------------------------------------
 */

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

/* One attempt; 0 or LMDB's error. */
static int commit_once(tacit_lmdb *s, const tacit_write *writes, size_t write_count) {
    MDB_txn *txn;
    int r = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (r != 0) return r;
    for (size_t i = 0; i < write_count; i++) {
        MDB_val k = val(writes[i].key, writes[i].key_len);
        MDB_val v = val(writes[i].value, writes[i].value_len);
        r = writes[i].value != NULL ? mdb_put(txn, s->dbi, &k, &v, 0)
                                    : mdb_del(txn, s->dbi, &k, NULL);
        if (r != 0 && (r != MDB_NOTFOUND || writes[i].value != NULL)) {
            mdb_txn_abort(txn);
            return r;
        }
    }
    return mdb_txn_commit(txn);
}

/* Doubles the map. False where address space ends or a scan still reads the old one. */
static bool grow(tacit_lmdb *s) {
    if (s->readers > 0 || s->map_len > SIZE_MAX / 2) return false;
    if (mdb_env_set_mapsize(s->env, s->map_len * 2) != 0) return false;
    s->map_len *= 2;
    return true;
}

tacit_status tacit_lmdb_commit(void *self, const tacit_write *writes, size_t write_count) {
    tacit_lmdb *s = self;
    for (size_t i = 0; i < write_count; i++)
        if (writes[i].key_len == 0 || writes[i].key_len > KEY_MAX ||
            writes[i].value_len > VALUE_MAX)
            return TACIT_INVALID_ARGUMENT;
    int r = commit_once(s, writes, write_count);
    while (r == MDB_MAP_FULL && grow(s)) r = commit_once(s, writes, write_count);
    return r == 0 ? TACIT_OK : TACIT_STORAGE;
}

static bool has_prefix(const MDB_val *key, const uint8_t *prefix, size_t prefix_len) {
    if (prefix_len == 0) return true;
    return key->mv_size >= prefix_len && memcmp(key->mv_data, prefix, prefix_len) == 0;
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
    s->readers++;
    tacit_status st = TACIT_OK;
    int r = mdb_cursor_get(cursor, &k, &v, prefix_len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (r == 0 && has_prefix(&k, prefix, prefix_len)) {
        st = visit(visit_self, k.mv_data, k.mv_size, v.mv_data, v.mv_size);
        if (st != TACIT_OK) break;
        r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    s->readers--;
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return st == TACIT_OK && r != 0 && r != MDB_NOTFOUND ? TACIT_STORAGE : st;
}

/* ---- Model slot --------------------------------------------------------------------------------
 */

static tacit_status map_file(tacit_lmdb *s, mapping *m, const char *name) {
    struct stat info;
    unmap(m);
    int fd = openat(s->folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? TACIT_NOT_FOUND : TACIT_STORAGE;
    tacit_status st = TACIT_STORAGE;
    if (fstat(fd, &info) == 0 && info.st_size > 0 && (uintmax_t)info.st_size <= SIZE_MAX) {
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

/* Forgets the staged file. A mapping of it that was given out stays readable: the file is unlinked,
 * never cut. */
static void unstage(tacit_lmdb *s) {
    if (s->staged_fd >= 0) close(s->staged_fd);
    s->staged_fd = -1;
    s->staged_len = 0;
    (void)unlinkat(s->folder_fd, "model.new", 0);
}

static bool stage_bytes(tacit_lmdb *s, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(s->staged_fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
        s->staged_len += (size_t)n;
    }
    return true;
}

tacit_status tacit_lmdb_model_write(void *self, size_t offset, const uint8_t *data, size_t len) {
    tacit_lmdb *s = self;
    if (offset == 0) {
        unstage(s);
        s->staged_fd =
            openat(s->folder_fd, "model.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (s->staged_fd < 0 || offset != s->staged_len) return TACIT_STORAGE;
    if (stage_bytes(s, data, len)) return TACIT_OK;
    unstage(s); /* gives the disk its space back */
    return TACIT_STORAGE;
}

tacit_status tacit_lmdb_model_staged(void *self, const uint8_t **data, size_t *len) {
    tacit_lmdb *s = self;
    if (s->staged_len == 0) return TACIT_NOT_FOUND;
    tacit_status st = map_file(s, &s->staged, "model.new");
    if (st != TACIT_OK) return st;
    *data = s->staged.data;
    *len = s->staged.len;
    return TACIT_OK;
}

tacit_status tacit_lmdb_model_commit(void *self) {
    tacit_lmdb *s = self;
    if (s->staged_len == 0 || fsync(s->staged_fd) != 0 ||
        renameat(s->folder_fd, "model.new", s->folder_fd, "model") != 0)
        return TACIT_STORAGE;
    close(s->staged_fd);
    s->staged_fd = -1;
    s->staged_len = 0;
    unmap(&s->staged);
    if (fsync(s->folder_fd) != 0) return TACIT_STORAGE; /* the old mapping still holds */
    unmap(&s->model);
    return TACIT_OK;
}
