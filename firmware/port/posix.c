/* SPDX-License-Identifier: Apache-2.0
 * posix.c - see posix.h. Every file of the keystore appears under its name whole and synced. The
 * folder's lock is what lets the counter be kept in memory and a missing file be made without a
 * race; hard links, which would do without it, are forbidden to apps on some systems. */
#include "firmware/port/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "firmware/port/store_lmdb.h"

struct tacit_posix {
    tacit_lmdb *store;
    tacit_https *connection;
    int keystore_fd;
    uint64_t counter;
    uint8_t public_key[TACIT_KEY_LEN];
    uint8_t secret[TACIT_SIGN_SECRET_LEN];
    uint8_t mac_key[TACIT_KEY_LEN];
    int cancel_fd[2]; /* a pipe: readable for good once cancelled */
};

/* ---- Files of the keystore ---------------------------------------------------------------------
 */

static bool write_synced(int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0;
}

/* Exactly len bytes; NOT_FOUND when there is no such file, STORAGE when it is of another size. */
static tacit_status read_file(int folder, const char *name, uint8_t *out, size_t len) {
    uint8_t extra;
    size_t have = 0;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? TACIT_NOT_FOUND : TACIT_STORAGE;
    while (have < len) {
        ssize_t n = read(fd, out + have, len - have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        have += (size_t)n;
    }
    bool whole = have == len && read(fd, &extra, 1) == 0;
    close(fd);
    return whole ? TACIT_OK : TACIT_STORAGE;
}

/* Writes the bytes beside it, syncs, renames over `name`, syncs the folder. */
static tacit_status replace_file(int folder, const char *name, const uint8_t *data, size_t len) {
    static const char temporary[] = "new";
    (void)unlinkat(folder, temporary, 0);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return TACIT_STORAGE;
    bool ok = write_synced(fd, data, len);
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(folder, temporary, folder, name) == 0;
    if (!ok) (void)unlinkat(folder, temporary, 0);
    return ok && fsync(folder) == 0 ? TACIT_OK : TACIT_STORAGE;
}

/* Reads a file, or makes it of `fresh` when it does not exist and may be made. */
static tacit_status load(int folder, const char *name, uint8_t *out, const uint8_t *fresh,
                         size_t len, bool may_make) {
    tacit_status st = read_file(folder, name, out, len);
    if (st != TACIT_NOT_FOUND) return st;
    if (!may_make) return TACIT_STORAGE;
    memcpy(out, fresh, len);
    return replace_file(folder, name, out, len);
}

/* The identity is made last: where it is, the others must be. A counter that was deleted would
 * otherwise begin at zero and let an old ledger pass. */
static tacit_status load_keys(tacit_posix *p) {
    static const uint8_t zero[8];
    uint8_t seed[TACIT_KEY_LEN], fresh[TACIT_KEY_LEN], count[8];
    tacit_status st = read_file(p->keystore_fd, "identity", seed, sizeof seed);
    bool first = st == TACIT_NOT_FOUND;
    if (!first && st != TACIT_OK) goto exit;
    st = load(p->keystore_fd, "counter", count, zero, sizeof count, first);
    if (st != TACIT_OK) goto exit;
    p->counter = tacit_get_u64(count);
    tacit_os_random(fresh, sizeof fresh);
    st = load(p->keystore_fd, "mac", p->mac_key, fresh, sizeof fresh, first);
    if (st != TACIT_OK) goto exit;
    tacit_os_random(fresh, sizeof fresh);
    st = load(p->keystore_fd, "identity", seed, fresh, sizeof fresh, first);
    if (st == TACIT_OK) tacit_sign_keypair(p->public_key, p->secret, seed);
exit:
    tacit_wipe(seed, sizeof seed);
    tacit_wipe(fresh, sizeof fresh);
    return st;
}

static tacit_status open_keystore(tacit_posix *p, const char *folder) {
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return TACIT_STORAGE;
    p->keystore_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->keystore_fd < 0 || flock(p->keystore_fd, LOCK_EX | LOCK_NB) != 0) return TACIT_STORAGE;
    tacit_status st = load_keys(p);
    /* The folder's own name, where the parent may be read. */
    int parent = openat(p->keystore_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return st;
    if (fsync(parent) != 0 && st == TACIT_OK) st = TACIT_STORAGE;
    close(parent);
    return st;
}

/* ---- Callbacks ---------------------------------------------------------------------------------
 */

static uint64_t clock_now(void *self) {
    (void)self;
    time_t now = time(NULL);
    return now < 0 ? 0 : (uint64_t)now;
}

static tacit_status random_bytes(void *self, uint8_t *out, size_t len) {
    (void)self;
    tacit_os_random(out, len);
    return TACIT_OK;
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    tacit_posix *p = self;
    tacit_sign(sig, p->secret, msg, len);
    return TACIT_OK;
}

static tacit_status mac(void *self, uint8_t out[32], const uint8_t *msg, size_t len) {
    tacit_posix *p = self;
    tacit_mac(out, p->mac_key, TACIT_LABEL_LEDGER, msg, len);
    return TACIT_OK;
}

static tacit_status counter_read(void *self, uint64_t *value) {
    *value = ((tacit_posix *)self)->counter;
    return TACIT_OK;
}

static tacit_status counter_raise(void *self, uint64_t value) {
    tacit_posix *p = self;
    uint8_t bytes[8];
    if (value <= p->counter) return TACIT_OK;
    tacit_put_u64(bytes, value);
    tacit_status st = replace_file(p->keystore_fd, "counter", bytes, sizeof bytes);
    if (st == TACIT_OK) p->counter = value;
    return st;
}

static uint64_t monotonic_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static tacit_status wait_seconds(void *self, uint32_t seconds) {
    tacit_posix *p = self;
    uint64_t end_ms = monotonic_ms() + (uint64_t)seconds * 1000;
    for (;;) {
        uint64_t now_ms = monotonic_ms(), left_ms = end_ms > now_ms ? end_ms - now_ms : 0;
        struct pollfd cancelled = {.fd = p->cancel_fd[0], .events = POLLIN};
        int n = poll(&cancelled, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (n > 0 || (n < 0 && errno != EINTR)) return TACIT_LEFT;
        if (n == 0 && left_ms == 0) return TACIT_OK;
    }
}

static tacit_status exchange(void *self, tacit_exchange *x) {
    return tacit_https_exchange(((tacit_posix *)self)->connection, x);
}

static tacit_status get(void *self, uint8_t *value, size_t cap, size_t *len, const uint8_t *key,
                        size_t key_len) {
    return tacit_lmdb_get(((tacit_posix *)self)->store, value, cap, len, key, key_len);
}

static tacit_status commit(void *self, const tacit_write *writes, size_t write_count) {
    return tacit_lmdb_commit(((tacit_posix *)self)->store, writes, write_count);
}

static tacit_status scan(void *self, const uint8_t *prefix, size_t prefix_len,
                         tacit_status (*visit)(void *visit_self, const uint8_t *key, size_t key_len,
                                               const uint8_t *value, size_t value_len),
                         void *visit_self) {
    return tacit_lmdb_scan(((tacit_posix *)self)->store, prefix, prefix_len, visit, visit_self);
}

static tacit_status model_map(void *self, const uint8_t **data, size_t *len) {
    return tacit_lmdb_model_map(((tacit_posix *)self)->store, data, len);
}

static tacit_status model_write(void *self, size_t offset, const uint8_t *data, size_t len) {
    return tacit_lmdb_model_write(((tacit_posix *)self)->store, offset, data, len);
}

static tacit_status model_staged(void *self, const uint8_t **data, size_t *len) {
    return tacit_lmdb_model_staged(((tacit_posix *)self)->store, data, len);
}

static tacit_status model_commit(void *self) {
    return tacit_lmdb_model_commit(((tacit_posix *)self)->store);
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static tacit_status connection_new(tacit_posix *p, const tacit_posix_config *config) {
    if (config->host == NULL) return TACIT_OK;
    tacit_status st = tacit_https_new(&p->connection, config->trust, config->host, config->port,
                                      config->timeout_s);
    if (st == TACIT_OK) tacit_https_stop_on(p->connection, p->cancel_fd[0]);
    return st;
}

tacit_status tacit_posix_open(tacit_posix **out, const tacit_posix_config *config) {
    if (config->host != NULL && (config->port == NULL || config->trust == NULL))
        return TACIT_INVALID_ARGUMENT;
    tacit_posix *p = calloc(1, sizeof *p);
    if (p == NULL) return TACIT_NO_SPACE;
    p->keystore_fd = p->cancel_fd[0] = p->cancel_fd[1] = -1;
    tacit_status st = tacit_crypto_init();
    if (st == TACIT_OK && pipe2(p->cancel_fd, O_CLOEXEC | O_NONBLOCK) != 0) st = TACIT_NO_SPACE;
    if (st == TACIT_OK) st = open_keystore(p, config->keystore_folder);
    if (st == TACIT_OK) st = tacit_lmdb_open(&p->store, config->store_folder, 0);
    if (st == TACIT_OK) st = connection_new(p, config);
    if (st == TACIT_OK)
        *out = p;
    else
        tacit_posix_close(p);
    return st;
}

void tacit_posix_close(tacit_posix *p) {
    if (p == NULL) return;
    tacit_https_free(p->connection);
    tacit_lmdb_close(p->store);
    if (p->keystore_fd >= 0) close(p->keystore_fd);
    for (int i = 0; i < 2; i++)
        if (p->cancel_fd[i] >= 0) close(p->cancel_fd[i]);
    tacit_wipe(p, sizeof *p);
    free(p);
}

void tacit_posix_platform(tacit_posix *p, tacit_platform *out) {
    *out = (tacit_platform){.self = p,
                            .clock = clock_now,
                            .random = random_bytes,
                            .storage_get = get,
                            .storage_commit = commit,
                            .storage_scan = scan,
                            .model_map = model_map,
                            .model_write = model_write,
                            .model_staged = model_staged,
                            .model_commit = model_commit,
                            .exchange = p->connection != NULL ? exchange : NULL,
                            .wait = wait_seconds,
                            .sign = sign,
                            .mac = mac,
                            .counter_read = counter_read,
                            .counter_raise = counter_raise};
}

void tacit_posix_identity(const tacit_posix *p, uint8_t public_key[32]) {
    memcpy(public_key, p->public_key, TACIT_KEY_LEN);
}

tacit_https *tacit_posix_connection(tacit_posix *p) { return p->connection; }

void tacit_posix_cancel(tacit_posix *p) {
    int before = errno; /* of the code a signal handler interrupts */
    ssize_t n;
    do {
        n = write(p->cancel_fd[1], "", 1);
    } while (n < 0 && errno == EINTR); /* a full pipe is readable already */
    errno = before;
}
