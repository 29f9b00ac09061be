/* SPDX-License-Identifier: Apache-2.0
 * simulate_server.c - the server of a simulation, tacitd or the hub. With TLS the server is the
 * real tacitd, started as a child with the folder `tacit init` would make; it is talked to only as
 * an operator or a device would: its store, its port file, its routes. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/wire.h"
#include "server/config.h"
#include "tools/hub.h"
#include "tools/simulate.h"

struct simulate_server {
    const simulate_world *world;
    char folder[3072], port[16];
    /* tacitd */
    pid_t child;
    store *store;
    tacit_https_trust *trust;
    tacit_https *connection;
    uint64_t last_round;
    /* in this process */
    hub *hub;
    uint64_t *ids;
    uint8_t *kinds;
    pthread_t driver;
    bool driving;
    tacit_status driven;
    store_record record;
};

static void sleep_ms(long ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static tacit_status say(char *note, tacit_status st, const char *what) {
    snprintf(note, KEYS_NOTE_LEN + 1, "%.160s: %s", what, tacit_status_text(st));
    return st;
}

/* ---- tacitd ------------------------------------------------------------------------------------
 */

static tacit_status write_config(const simulate_server *s, char *note) {
    char path[4096];
    config c;
    config_default(&c);
    c.port = 0;
    c.hold_s = 50;
    c.quiet_s = s->world->options->quiet_s;
    snprintf(path, sizeof path, "%s/tacit.ini", s->folder);
    FILE *f = fopen(path, "w");
    if (f == NULL) return say(note, TACIT_IO, path);
    config_print(&c, f);
    return fclose(f) == 0 ? TACIT_OK : say(note, TACIT_IO, path);
}

static tacit_status add_run(simulate_server *s, char *note) {
    char path[4096];
    snprintf(path, sizeof path, "%s/store.sqlite", s->folder);
    note[0] = 0;
    tacit_status st = store_open_sqlite(&s->store, note, path);
    if (st != TACIT_OK) return st;
    store_run run = s->world->run;
    st = store_run_add(s->store, &run);
    return st == TACIT_OK ? st : say(note, st, path);
}

static tacit_status spawn(simulate_server *s, char *note) {
    const char *daemon = s->world->options->daemon;
    char log[4096], port_file[4096];
    snprintf(log, sizeof log, "%s/tacitd.log", s->folder);
    snprintf(port_file, sizeof port_file, "%s/port", s->folder);
    (void)unlink(port_file);
    s->child = fork();
    if (s->child < 0) return say(note, TACIT_IO, "fork");
    if (s->child == 0) {
        if (freopen(log, "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
            _exit(127);
        execl(daemon, daemon, s->folder, "--once", (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; tries < 600; tries++) {
        FILE *f = fopen(port_file, "r");
        if (f != NULL) {
            bool read = fscanf(f, "%15[0-9]", s->port) == 1;
            fclose(f);
            if (read) return TACIT_OK;
        }
        if (waitpid(s->child, NULL, WNOHANG) == s->child) {
            s->child = -1;
            snprintf(note, KEYS_NOTE_LEN + 1, "%s did not start; see %.200s", daemon, log);
            return TACIT_IO;
        }
        sleep_ms(50);
    }
    return say(note, TACIT_TRANSPORT, "tacitd names no port");
}

static tacit_status start_daemon(simulate_server *s, char *note) {
    char path[4096];
    snprintf(path, sizeof path, "%s/catalogue.csv", s->folder);
    tacit_status st = catalogue_save(s->world->data->catalogue, path);
    if (st != TACIT_OK) return say(note, st, path);
    if ((st = write_config(s, note)) != TACIT_OK) return st;
    if ((st = add_run(s, note)) != TACIT_OK) return st;
    if ((st = spawn(s, note)) != TACIT_OK) return st;
    snprintf(path, sizeof path, "%s/app/server.crt", s->folder);
    if ((st = tacit_https_trust_new(&s->trust, path)) != TACIT_OK) return say(note, st, path);
    return tacit_https_new(&s->connection, s->trust, "127.0.0.1", s->port, 0);
}

typedef struct {
    tacit_wire_reader reader;
    tacit_plan plan;
    tacit_status status;
} plan_reader;

static tacit_status read_plan(void *self, const uint8_t *data, size_t len) {
    plan_reader *r = self;
    tacit_bytes in = tacit_bytes_of(data, len);
    tacit_Message m;
    tacit_status st = tacit_wire_read(&r->reader, &m, &in);
    if (st == TACIT_PENDING) return TACIT_OK;
    if (st == TACIT_OK && m.which_body != tacit_Message_plan_tag) st = TACIT_BAD_MESSAGE;
    if (st == TACIT_OK) st = tacit_plan_decode(&r->plan, NULL, m.body.plan.plan);
    return r->status = st;
}

/* Polls the plan until a newer round is open or tacitd has ended. */
static tacit_status await_plan(simulate_server *s, char *note, tacit_plan *plan) {
    for (;;) {
        plan_reader r = {.status = TACIT_NOT_FOUND};
        tacit_exchange x = {.method = "GET", .path = "/v1/plan", .consume = read_plan, .self = &r};
        tacit_wire_reader_init(&r.reader);
        tacit_status st = tacit_https_exchange(s->connection, &x);
        if (st == TACIT_OK && r.status == TACIT_OK && r.plan.round > s->last_round) {
            s->last_round = r.plan.round;
            *plan = r.plan;
            return TACIT_OK;
        }
        store_run run;
        if (store_run_next(s->store, &run) == TACIT_NOT_FOUND) return TACIT_NOT_FOUND;
        int status;
        if (waitpid(s->child, &status, WNOHANG) == s->child) {
            s->child = -1;
            snprintf(note, KEYS_NOTE_LEN + 1,
                     "tacitd ended early (status %d); see %.200s/tacitd.log", status, s->folder);
            return TACIT_INTERNAL;
        }
        sleep_ms(100);
    }
}

typedef struct {
    uint64_t round;
    store_record *record;
    bool found;
} record_search;

static tacit_status match_record(void *self, const store_record *r) {
    record_search *search = self;
    if (r->round == search->round) {
        *search->record = *r;
        search->found = true;
    }
    return TACIT_OK;
}

static tacit_status await_record(simulate_server *s, char *note, store_record *record,
                                 uint64_t round) {
    record_search search = {.round = round, .record = record};
    for (int tries = 0; tries < 6000; tries++) {
        tacit_status st = store_record_each(s->store, 1, match_record, &search);
        if (st != TACIT_OK) return say(note, st, "record");
        if (search.found) return TACIT_OK;
        sleep_ms(100);
    }
    return say(note, TACIT_NOT_FOUND, "record of the round");
}

/* ---- In this process ---------------------------------------------------------------------------
 */

training_spec simulate_training_spec(const store_run *run) {
    training_spec spec = {.epsilon = run->epsilon,
                          .delta = run->delta,
                          .devices = run->devices,
                          .preset = run->preset,
                          .factor = run->factor,
                          .sums = run->sums,
                          .seed = run->seed};
    return spec;
}

static tacit_status start_hub(simulate_server *s, char *note) {
    const simulate_world *w = s->world;
    const catalogue *c = w->data->catalogue;
    s->ids = malloc(c->count * sizeof *s->ids);
    s->kinds = malloc(c->count);
    if (s->ids == NULL || s->kinds == NULL) return say(note, TACIT_NO_SPACE, "hub");
    for (size_t i = 0; i < c->count; i++) {
        s->ids[i] = c->items[i].id;
        s->kinds[i] = c->items[i].kind;
    }
    round_setup setup = {.plan_secret = w->keys.plan.secret,
                         .model_secret = w->keys.model.secret,
                         .authority_key = w->keys.authority_key,
                         .catalogue = c->digest,
                         .ids = s->ids,
                         .kinds = s->kinds,
                         .item_count = (uint32_t)c->count,
                         .separation_s = 3600,
                         .back_off_s = 1};
    training_spec spec = simulate_training_spec(&w->run);
    training *t = NULL;
    round_run *round = NULL;
    const char *what = NULL;
    tacit_status st = training_new(&t, &spec, w->features);
    if (st == TACIT_OK) st = round_new(&round, &what, &setup, &w->run, t, NULL, NULL, 0);
    if (st == TACIT_OK) st = hub_new(&s->hub, round, s->world->options->quiet_s);
    return st == TACIT_OK ? st : say(note, st, what ? what : "round");
}

static void *drive(void *arg) {
    simulate_server *s = arg;
    s->driven = hub_drive(s->hub, &s->record);
    return NULL;
}

/* ---- Either ------------------------------------------------------------------------------------
 */

tacit_status simulate_server_start(simulate_server **out, char *note, const simulate_world *world) {
    simulate_server *s = calloc(1, sizeof *s);
    if (s == NULL) return say(note, TACIT_NO_SPACE, "server");
    s->world = world;
    s->child = -1;
    snprintf(s->folder, sizeof s->folder, "%s", world->options->folder);
    tacit_status st = world->options->in_process ? start_hub(s, note) : start_daemon(s, note);
    if (st == TACIT_OK)
        *out = s;
    else
        (void)!simulate_server_stop(s);
    return st;
}

void simulate_server_reach(const simulate_server *s, fleet_spec *spec) {
    spec->trust = s->trust;
    spec->host = "127.0.0.1";
    spec->port = s->port;
    if (s->hub != NULL) {
        spec->exchange = hub_exchange;
        spec->hub = s->hub;
    }
}

tacit_status simulate_server_open(simulate_server *s, char *note, tacit_plan *plan) {
    if (s->hub == NULL) return await_plan(s, note, plan);
    const char *what;
    if (!hub_open(s->hub, &what)) return TACIT_NOT_FOUND;
    *plan = hub_offer(s->hub)->plan;
    s->driving = pthread_create(&s->driver, NULL, drive, s) == 0;
    return s->driving ? TACIT_OK : say(note, TACIT_NO_SPACE, "thread");
}

tacit_status simulate_server_record(simulate_server *s, char *note, store_record *record,
                                    uint64_t round) {
    if (s->hub == NULL) return await_record(s, note, record, round);
    pthread_join(s->driver, NULL);
    s->driving = false;
    *record = s->record;
    return s->driven == TACIT_OK ? TACIT_OK : say(note, s->driven, "round");
}

const char *simulate_server_place(const simulate_server *s) { return s->folder; }

tacit_status simulate_server_stop(simulate_server *s) {
    tacit_status st = TACIT_OK;
    if (s == NULL) return st;
    if (s->driving) pthread_join(s->driver, NULL);
    tacit_https_free(s->connection);
    tacit_https_trust_free(s->trust);
    if (s->child > 0) {
        int status = 0;
        kill(s->child, SIGTERM);
        while (waitpid(s->child, &status, 0) < 0 && errno == EINTR) continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) st = TACIT_INTERNAL;
    }
    store_close(s->store);
    hub_free(s->hub);
    free(s->ids);
    free(s->kinds);
    free(s);
    return st;
}
