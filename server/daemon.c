/* SPDX-License-Identifier: Apache-2.0
 * daemon.c - see daemon.h: reading the folder, the loop, its clock and its signals. A lock on
 * DIR/tacitd.lock keeps a second tacitd out. */
#include "server/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "server/daemon_internal.h"

enum { SPARE_FILES = 64 };

static tacit_status say(char *note, tacit_status status, const char *path, const char *what) {
    snprintf(note, DAEMON_NOTE_LEN + 1, "%.200s: %.160s", path, what);
    return status;
}

static tacit_status path_of(char path[static DAEMON_PATH_LEN], char *note, const char *dir,
                            const char *name) {
    const char *base = name[0] == '/' ? "" : dir;
    int n = snprintf(path, DAEMON_PATH_LEN, "%s%s%s", base, name[0] == '/' ? "" : "/", name);
    return n > 0 && n < DAEMON_PATH_LEN ? TACIT_OK
                                        : say(note, TACIT_IO, dir, "the path is too long");
}

/* ---- The folder
 * --------------------------------------------------------------------------------*/

static tacit_status take_lock(daemon_state *d, char *note) {
    char path[DAEMON_PATH_LEN];
    tacit_status st = path_of(path, note, d->options.dir, "tacitd.lock");
    if (st != TACIT_OK) return st;
    d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock < 0) return say(note, TACIT_IO, path, strerror(errno));
    if (flock(d->lock, LOCK_EX | LOCK_NB) != 0)
        return say(note, TACIT_BUSY, path, "another tacitd works in this folder");
    return TACIT_OK;
}

static tacit_status load_config(daemon_state *d, char *note) {
    char path[DAEMON_PATH_LEN], words[CONFIG_NOTE_LEN + 1];
    tacit_status st = path_of(path, note, d->options.dir, "tacit.ini");
    if (st != TACIT_OK) return st;
    st = config_load(&d->config, words, path);
    if (st != TACIT_OK) {
        snprintf(note, DAEMON_NOTE_LEN + 1, "%s", words);
        return st;
    }
    if (d->options.port >= 0) d->config.port = (uint32_t)d->options.port;
    return TACIT_OK;
}

static tacit_status load_catalogue(daemon_state *d, char *note) {
    char path[DAEMON_PATH_LEN];
    size_t bad = 0;
    tacit_status st = path_of(path, note, d->options.dir, d->config.catalogue);
    if (st != TACIT_OK) return st;
    st = catalogue_load(&d->catalogue, &bad, path, false, stderr);
    if (st != TACIT_OK) return say(note, st, path, tacit_status_text(st));
    if (bad > 0) {
        logline l;
        logline_begin(&l, LOG_WARNING, "catalogue");
        logline_number(&l, "bad_lines", bad);
        logline_end(&l);
    }
    size_t count = d->catalogue->count;
    d->ids = malloc(count * sizeof *d->ids);
    d->kinds = malloc(count);
    if (d->ids == NULL || d->kinds == NULL) return say(note, TACIT_NO_SPACE, path, "no memory");
    for (size_t i = 0; i < count; i++) {
        d->ids[i] = d->catalogue->items[i].id;
        d->kinds[i] = d->catalogue->items[i].kind;
    }
    st = catalogue_features(&d->features, d->catalogue, CATALOGUE_TOKEN_MIN_ITEMS);
    return st == TACIT_OK ? st : say(note, st, path, tacit_status_text(st));
}

static tacit_status load_keys(daemon_state *d, char *note) {
    char crt[DAEMON_PATH_LEN], key[DAEMON_PATH_LEN], words[KEYS_NOTE_LEN + 1];
    tacit_status st = keys_load_server(&d->keys, words, d->options.dir);
    if (st == TACIT_OK) st = path_of(crt, words, d->options.dir, "keys/tls.crt");
    if (st == TACIT_OK) st = path_of(key, words, d->options.dir, "keys/tls.key");
    if (st == TACIT_OK) st = tls_server_new(&d->tls, words, crt, key);
    if (st != TACIT_OK) snprintf(note, DAEMON_NOTE_LEN + 1, "%s", words);
    return st;
}

static tacit_status open_store(daemon_state *d, char *note) {
    char path[DAEMON_PATH_LEN], words[TACIT_NOTE_LEN + 1];
    tacit_status st = path_of(path, note, d->options.dir, "store.sqlite");
    if (st != TACIT_OK) return st;
    st = store_open_sqlite(&d->store, words, path);
    if (st != TACIT_OK) return say(note, st, path, words);
    st = daemon_record_cut_off(d);
    return st == TACIT_OK ? st : say(note, st, path, store_error(d->store));
}

static void fill_setup(daemon_state *d) {
    d->setup = (round_setup){.plan_secret = d->keys.plan.secret,
                             .model_secret = d->keys.model.secret,
                             .authority_key = d->keys.authority_key,
                             .catalogue = d->catalogue->digest,
                             .ids = d->ids,
                             .kinds = d->kinds,
                             .item_count = (uint32_t)d->catalogue->count,
                             .separation_s = d->config.separation_s,
                             .back_off_s = d->config.back_off_s};
}

/* ---- The loop
 * ----------------------------------------------------------------------------------*/

/* As many connections as configured, or as the system lets us have files. */
static uint32_t connection_limit(const daemon_state *d) {
    struct rlimit files;
    uint32_t wanted = d->config.max_connections;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY ||
        files.rlim_cur >= (rlim_t)wanted + SPARE_FILES)
        return wanted;
    uint32_t most = files.rlim_cur > 2 * SPARE_FILES ? (uint32_t)files.rlim_cur - SPARE_FILES
                                                     : (uint32_t)files.rlim_cur / 2;
    logline l;
    logline_begin(&l, LOG_WARNING, "limit");
    logline_number(&l, "max_connections", most);
    logline_text(&l, "note", "fewer than configured: raise the limit of open files");
    logline_end(&l);
    return most;
}

static void set_workers(const daemon_state *d) {
    char text[16];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t workers = d->config.workers > 0 ? d->config.workers : cores > 0 ? (uint32_t)cores : 1;
    snprintf(text, sizeof text, "%u", workers);
    setenv("UV_THREADPOOL_SIZE", text, 1); /* read when the first job is queued */
}

static void stop(daemon_state *d) {
    if (d->stopping) return;
    d->stopping = true;
    service_stop(d->service);
    uv_close((uv_handle_t *)&d->timer, NULL);
    for (int i = 0; i < 2; i++) uv_close((uv_handle_t *)&d->signals[i], NULL);
}

static void on_signal(uv_signal_t *handle, int number) {
    daemon_state *d = handle->data;
    logline l;
    logline_begin(&l, LOG_INFO, "stop");
    logline_number(&l, "signal", (uint64_t)number);
    logline_end(&l);
    stop(d);
}

/* With `once`: nothing to do, and nobody has asked for anything for a while. */
static void end_when_idle(daemon_state *d) {
    uint64_t now_s = (uint64_t)time(NULL), requests = service_counts(d->service).requests;
    bool busy =
        d->round != NULL || d->working || !service_idle(d->service) || requests != d->requests_seen;
    d->requests_seen = requests;
    if (busy || d->idle_since_s == 0) d->idle_since_s = now_s;
    bool expected = d->worked && requests > 0; /* somebody may yet come for a receipt or a model */
    if (busy || (expected && now_s < d->idle_since_s + DAEMON_LINGER_S)) return;
    stop(d);
}

static void on_tick(uv_timer_t *timer) {
    daemon_state *d = timer->data;
    daemon_step(d);
    if (d->options.once && !d->stopping) end_when_idle(d);
}

static tacit_status listen_now(daemon_state *d, char *note) {
    char words[TLS_NOTE_LEN + 1];
    service_options options = {
        .http = {.listen = d->config.listen,
                 .port = d->config.port,
                 .max_connections = connection_limit(d),
                 .staged_max = (size_t)d->config.staged_mb << 20,
                 .retry_s = d->config.retry_s},
        .hold_s = d->config.hold_s,
        .quiet_s = d->config.quiet_s,
    };
    service_host host = daemon_host;
    host.self = d;
    if (uv_loop_init(&d->loop) != 0) return say(note, TACIT_INTERNAL, "libuv", "no loop");
    d->loop_on = true;
    tacit_status st = service_new(&d->service, words, &d->loop, d->tls, &options, &host);
    if (st != TACIT_OK) {
        snprintf(note, DAEMON_NOTE_LEN + 1, "%s", words[0] != 0 ? words : tacit_status_text(st));
        return st;
    }
    static const int numbers[] = {SIGINT, SIGTERM};
    int code = uv_timer_init(&d->loop, &d->timer);
    d->timer.data = d;
    for (int i = 0; i < 2 && code == 0; i++) {
        code = uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        if (code == 0) code = uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    if (code == 0) code = uv_timer_start(&d->timer, on_tick, 0, DAEMON_TICK_MS);
    return code == 0 ? TACIT_OK : say(note, TACIT_INTERNAL, "libuv", uv_strerror(code));
}

/* DIR/port, whole or not at all. */
static tacit_status write_port(const daemon_state *d, char *note) {
    char path[DAEMON_PATH_LEN], fresh[DAEMON_PATH_LEN];
    tacit_status st = path_of(path, note, d->options.dir, "port");
    if (st == TACIT_OK) st = path_of(fresh, note, d->options.dir, "port.new");
    if (st != TACIT_OK) return st;
    FILE *out = fopen(fresh, "we");
    bool good = out != NULL && fprintf(out, "%u\n", daemon_port(d)) > 0;
    if (out != NULL && fclose(out) != 0) good = false;
    if (!good || rename(fresh, path) != 0) return say(note, TACIT_IO, path, strerror(errno));
    return TACIT_OK;
}

/* ---- Interface
 * ---------------------------------------------------------------------------------*/

tacit_status daemon_new(daemon_state **out, char *note, const daemon_options *options) {
    note[0] = 0;
    daemon_state *d = calloc(1, sizeof *d);
    if (d == NULL) return say(note, TACIT_NO_SPACE, "tacitd", "no memory");
    d->options = *options;
    d->lock = -1;
    tacit_status st = tacit_crypto_init();
    if (st != TACIT_OK) (void)say(note, st, "libsodium", tacit_status_text(st));
    (void)signal(SIGPIPE, SIG_IGN);
    if (st == TACIT_OK) st = load_config(d, note);
    if (st == TACIT_OK) st = take_lock(d, note);
    if (st == TACIT_OK) st = load_keys(d, note);
    if (st == TACIT_OK) st = load_catalogue(d, note);
    if (st == TACIT_OK) st = open_store(d, note);
    if (st == TACIT_OK) {
        fill_setup(d);
        set_workers(d);
        st = listen_now(d, note);
    }
    if (st == TACIT_OK) st = write_port(d, note);
    if (st != TACIT_OK) {
        daemon_free(d);
        return st;
    }
    *out = d;
    return TACIT_OK;
}

uint32_t daemon_port(const daemon_state *d) { return service_port(d->service); }
const char *daemon_address(const daemon_state *d) { return d->config.listen; }

void daemon_run(daemon_state *d) { (void)uv_run(&d->loop, UV_RUN_DEFAULT); }

static void close_handle(uv_handle_t *handle, void *self) {
    (void)self;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void daemon_free(daemon_state *d) {
    if (d == NULL) return;
    if (d->loop_on) {
        if (d->service != NULL && !d->stopping) service_stop(d->service);
        d->stopping = true;
        uv_walk(&d->loop, close_handle, NULL);
        (void)uv_run(&d->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&d->loop);
    }
    daemon_run_free(d);
    service_free(d->service);
    tls_server_free(d->tls);
    store_close(d->store);
    learn_features_free(d->features);
    catalogue_free(d->catalogue);
    free(d->ids);
    free(d->kinds);
    keys_server_wipe(&d->keys);
    if (d->lock >= 0) close(d->lock);
    free(d);
}
