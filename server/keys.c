/* SPDX-License-Identifier: Apache-2.0
 * keys.c - see keys.h. Files are made with O_EXCL and their final mode, so a secret is never
 * readable by others, not even for a moment; seeds are wiped from memory once written or read. */
#include "server/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/tls_certificate.h"

enum { PATH_LEN = 1024, HEX_LEN = 2 * TACIT_KEY_LEN };

static tacit_status say(char *note, tacit_status status, const char *path, const char *what) {
    snprintf(note, KEYS_NOTE_LEN + 1, "%.150s: %.90s", path, what);
    return status;
}

static tacit_status path_of(char path[static PATH_LEN], char *note, const char *dir,
                            const char *name) {
    int n = snprintf(path, PATH_LEN, "%s/%s", dir, name);
    return n > 0 && n < PATH_LEN ? TACIT_OK : say(note, TACIT_IO, dir, "the path is too long");
}

/* ---- Hexadecimal
 * -------------------------------------------------------------------------------*/

static void to_hex(char out[static HEX_LEN + 1], const uint8_t in[static TACIT_KEY_LEN]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < TACIT_KEY_LEN; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[HEX_LEN] = 0;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* Exactly 64 lower-case digits. */
static bool from_hex(uint8_t out[static TACIT_KEY_LEN], const char *in, size_t len) {
    if (len != HEX_LEN) return false;
    for (size_t i = 0; i < TACIT_KEY_LEN; i++) {
        int high = digit(in[2 * i]), low = digit(in[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- Files
 * -------------------------------------------------------------------------------------*/

static tacit_status write_file(char *note, const char *dir, const char *name, const char *text,
                               mode_t mode) {
    char path[PATH_LEN];
    tacit_status st = path_of(path, note, dir, name);
    if (st != TACIT_OK) return st;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return say(note, errno == EEXIST ? TACIT_DUPLICATE : TACIT_IO, path, strerror(errno));
    size_t len = strlen(text), at = 0;
    bool good = true;
    while (good && at < len) {
        ssize_t n = write(fd, text + at, len - at);
        if (n > 0) at += (size_t)n;
        good = n > 0 || errno == EINTR;
    }
    good = good && fsync(fd) == 0;
    if (!good) st = say(note, TACIT_IO, path, strerror(errno));
    if (close(fd) != 0 && st == TACIT_OK) st = say(note, TACIT_IO, path, strerror(errno));
    return st;
}

static tacit_status read_hex(uint8_t out[static TACIT_KEY_LEN], char *note, const char *dir,
                             const char *name, bool secret) {
    char path[PATH_LEN], text[HEX_LEN + 2];
    struct stat s;
    tacit_status st = path_of(path, note, dir, name);
    if (st != TACIT_OK) return st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return say(note, TACIT_IO, path, strerror(errno));
    ssize_t n = read(fd, text, sizeof text);
    if (n < 0 || fstat(fd, &s) != 0) {
        st = say(note, TACIT_IO, path, strerror(errno));
    } else if (secret && (s.st_mode & 077) != 0) {
        st = say(note, TACIT_BAD_KEY, path, "others may read it: chmod 600");
    } else {
        size_t len = (size_t)n;
        if (len > 0 && text[len - 1] == '\n') len--;
        if (!from_hex(out, text, len))
            st = say(note, TACIT_BAD_KEY, path, "must hold 64 hexadecimal digits");
    }
    tacit_wipe(text, sizeof text);
    close(fd);
    return st;
}

static tacit_status make_folder(char *note, const char *dir, const char *name, mode_t mode) {
    char path[PATH_LEN];
    tacit_status st = path_of(path, note, dir, name);
    if (st != TACIT_OK) return st;
    if (mkdir(path, mode) == 0 || errno == EEXIST) return TACIT_OK;
    return say(note, TACIT_IO, path, strerror(errno));
}

static tacit_status sync_folder(char *note, const char *dir, const char *name) {
    char path[PATH_LEN];
    tacit_status st = path_of(path, note, dir, name);
    if (st != TACIT_OK) return st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) st = say(note, TACIT_IO, path, strerror(errno));
    if (fd >= 0) close(fd);
    return st;
}

/* ---- Making
 * ------------------------------------------------------------------------------------*/

static const char *const made[] = {"authority/authority.key",
                                   "authority/authority.pub",
                                   "keys/plan.key",
                                   "keys/plan.pub",
                                   "keys/model.key",
                                   "keys/model.pub",
                                   "keys/tls.key",
                                   "keys/tls.crt",
                                   "keys/authority.pub",
                                   "app/pins.ini",
                                   "app/server.crt"};

static tacit_status refuse_existing(char *note, const char *dir) {
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char path[PATH_LEN];
        struct stat s;
        tacit_status st = path_of(path, note, dir, made[i]);
        if (st != TACIT_OK) return st;
        if (lstat(path, &s) == 0)
            return say(note, TACIT_DUPLICATE, path, "exists already; nothing was made");
    }
    return TACIT_OK;
}

/* A fresh pair: name.key and name.pub in dir; hex receives the public key and a line end. */
static tacit_status make_pair(char hex[static HEX_LEN + 2], char *note, const char *dir,
                              const char *name) {
    uint8_t seed[TACIT_KEY_LEN], secret[TACIT_SIGN_SECRET_LEN], key[TACIT_KEY_LEN];
    char file[64];
    tacit_os_random(seed, sizeof seed);
    tacit_sign_keypair(key, secret, seed);
    to_hex(hex, seed);
    memcpy(hex + HEX_LEN, "\n", 2);
    snprintf(file, sizeof file, "%s.key", name);
    tacit_status st = write_file(note, dir, file, hex, 0600);
    to_hex(hex, key);
    memcpy(hex + HEX_LEN, "\n", 2);
    snprintf(file, sizeof file, "%s.pub", name);
    if (st == TACIT_OK) st = write_file(note, dir, file, hex, 0644);
    tacit_wipe(seed, sizeof seed);
    tacit_wipe(secret, sizeof secret);
    return st;
}

static tacit_status make_tls(char *note, const char *dir) {
    char key[TLS_PEM_MAX], crt[TLS_PEM_MAX];
    tacit_status st = tls_certificate_make(key, crt, (uint64_t)time(NULL));
    if (st != TACIT_OK) return say(note, st, dir, "mbedTLS could not make a certificate");
    st = write_file(note, dir, "keys/tls.key", key, 0600);
    if (st == TACIT_OK) st = write_file(note, dir, "keys/tls.crt", crt, 0644);
    if (st == TACIT_OK) st = write_file(note, dir, "app/server.crt", crt, 0644);
    tacit_wipe(key, sizeof key);
    return st;
}

tacit_status keys_init(const char *dir, char *note) {
    char plan[HEX_LEN + 2], model[HEX_LEN + 2], authority[HEX_LEN + 2], pins[1024];
    note[0] = 0;
    tacit_status st = tacit_crypto_init();
    if (st != TACIT_OK) return say(note, st, dir, "libsodium does not start");
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) return say(note, TACIT_IO, dir, strerror(errno));
    if ((st = refuse_existing(note, dir)) != TACIT_OK ||
        (st = make_folder(note, dir, "authority", 0700)) != TACIT_OK ||
        (st = make_folder(note, dir, "keys", 0700)) != TACIT_OK ||
        (st = make_folder(note, dir, "app", 0755)) != TACIT_OK ||
        (st = make_pair(authority, note, dir, "authority/authority")) != TACIT_OK ||
        (st = write_file(note, dir, "keys/authority.pub", authority, 0644)) != TACIT_OK ||
        (st = make_pair(plan, note, dir, "keys/plan")) != TACIT_OK ||
        (st = make_pair(model, note, dir, "keys/model")) != TACIT_OK ||
        (st = make_tls(note, dir)) != TACIT_OK)
        return st;
    snprintf(pins, sizeof pins,
             "; What the app pins. Ship it inside the app, with server.crt.\n"
             "[pins]\nplan_key = %smodel_key = %sauthority_key = %s",
             plan, model, authority);
    if ((st = write_file(note, dir, "app/pins.ini", pins, 0644)) != TACIT_OK) return st;
    for (int i = 0; i < 4; i++) {
        static const char *const folders[] = {"authority", "keys", "app", "."};
        if ((st = sync_folder(note, dir, folders[i])) != TACIT_OK) return st;
    }
    return TACIT_OK;
}

/* ---- Loading
 * -----------------------------------------------------------------------------------*/

static tacit_status load_pair(keys_pair *pair, char *note, const char *dir, const char *name) {
    uint8_t seed[TACIT_KEY_LEN], key[TACIT_KEY_LEN];
    char file[64];
    snprintf(file, sizeof file, "%s.key", name);
    tacit_status st = read_hex(seed, note, dir, file, true);
    if (st == TACIT_OK) tacit_sign_keypair(pair->public_key, pair->secret, seed);
    tacit_wipe(seed, sizeof seed);
    if (st != TACIT_OK) return st;
    snprintf(file, sizeof file, "%s.pub", name);
    if ((st = read_hex(key, note, dir, file, false)) != TACIT_OK) return st;
    if (!tacit_equal(key, pair->public_key, sizeof key))
        return say(note, TACIT_BAD_KEY, file, "does not belong to the .key beside it");
    return TACIT_OK;
}

tacit_status keys_load_server(keys_server *keys, char *note, const char *dir) {
    note[0] = 0;
    tacit_status st = load_pair(&keys->plan, note, dir, "keys/plan");
    if (st == TACIT_OK) st = load_pair(&keys->model, note, dir, "keys/model");
    if (st == TACIT_OK) st = read_hex(keys->authority_key, note, dir, "keys/authority.pub", false);
    if (st != TACIT_OK) keys_server_wipe(keys);
    return st;
}

tacit_status keys_load_authority(keys_pair *pair, char *note, const char *dir) {
    note[0] = 0;
    tacit_status st = load_pair(pair, note, dir, "authority/authority");
    if (st != TACIT_OK) tacit_wipe(pair, sizeof *pair);
    return st;
}

typedef struct {
    keys_pins *pins;
    unsigned seen; /* bit per key */
} pins_reading;

static int take_pin(void *self, const char *section, const char *name, const char *value) {
    pins_reading *r = self;
    static const char *const names[] = {"plan_key", "model_key", "authority_key"};
    uint8_t *const places[] = {r->pins->plan_key, r->pins->model_key, r->pins->authority_key};
    if (strcmp(section, "pins") != 0) return 0;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        if ((r->seen & 1u << i) != 0 || !from_hex(places[i], value, strlen(value))) return 0;
        r->seen |= 1u << i;
        return 1;
    }
    return 0;
}

tacit_status keys_load_pins(keys_pins *pins, char *note, const char *path) {
    pins_reading r = {pins, 0};
    char what[64];
    note[0] = 0;
    int line = ini_parse(path, take_pin, &r);
    if (line < 0) return say(note, TACIT_IO, path, strerror(errno));
    if (line > 0) {
        snprintf(what, sizeof what, "line %d is not a pinned key of 64 hexadecimal digits", line);
        return say(note, TACIT_BAD_KEY, path, what);
    }
    if (r.seen != 7)
        return say(note, TACIT_BAD_KEY, path,
                   "wants [pins] with plan_key, model_key and authority_key");
    return TACIT_OK;
}

void keys_server_wipe(keys_server *keys) { tacit_wipe(keys, sizeof *keys); }
