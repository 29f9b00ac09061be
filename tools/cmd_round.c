/* SPDX-License-Identifier: Apache-2.0
 * cmd_round.c - `tacit round`: asks a server for a training run, and shows the record. A run is
 * rehearsed first with the server's own code, so one that could never open, or that devices would
 * refuse, is not stored. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/keys.h"
#include "server/round.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/output.h"
#include "tools/run_report.h"
#include "tools/server_folder.h"

typedef struct {
    const char *folder, *action, *preset;
    double epsilon, delta;
    uint32_t devices, factor, rounds, n_lo, n_hi, n_min_floor, expected;
    uint16_t max_colluding, max_dropout;
    uint64_t seed, only_run;
    bool anyway, json;
} options;

/* What the options leave open is the configuration's. */
static int make_run(store_run *run, const options *o, const config *c) {
    *run = (store_run){
        .epsilon = o->epsilon,
        .delta = o->delta,
        .devices = o->devices,
        .factor = o->factor,
        .sums = o->rounds,
        .n_lo = o->n_lo ? o->n_lo : c->n_lo,
        .n_hi = o->n_hi ? o->n_hi : c->n_hi,
        .n_min_floor = o->n_min_floor ? o->n_min_floor : c->n_min_floor,
        .expected = o->expected ? o->expected : c->expected,
        .max_colluding = o->max_colluding <= 1000 ? o->max_colluding : (uint16_t)c->max_colluding,
        .max_dropout = o->max_dropout <= 1000 ? o->max_dropout : (uint16_t)c->max_dropout,
        .join_s = (uint16_t)c->join_s,
        .share_s = (uint16_t)c->share_s,
        .mask_s = (uint16_t)c->mask_s,
        .agree_s = (uint16_t)c->agree_s,
        .reveal_s = (uint16_t)c->reveal_s,
        .seed = o->seed};
    if (!run_preset_of(&run->preset, o->preset))
        return misuse("--preset: nothing is called '%s'", o->preset);
    if (run->devices == 0) run->devices = run->n_hi;
    if (run->seed == 0) run->seed = (uint64_t)time(NULL);
    if (!isfinite(run->epsilon))
        return misuse("a run that really happens wants a finite --epsilon");
    if (run->devices > TACIT_MAX_COHORT) return misuse("--devices is at most %d", TACIT_MAX_COHORT);
    if (run->n_lo > run->n_hi) return misuse("--n-lo %u is above --n-hi %u", run->n_lo, run->n_hi);
    if (run->devices < run->n_lo || run->devices > run->n_hi)
        return misuse("--devices %u is outside --n-lo %u and --n-hi %u", run->devices, run->n_lo,
                      run->n_hi);
    return 0;
}

typedef struct {
    catalogue *items;
    learn_features *features;
    uint64_t *ids;
    uint8_t *kinds;
    keys_server keys;
} stage;

static void stage_free(stage *s) {
    learn_features_free(s->features);
    catalogue_free(s->items);
    free(s->ids);
    free(s->kinds);
    keys_server_wipe(&s->keys);
}

static int stage_load(stage *s, const char *dir, const config *c) {
    char note[KEYS_NOTE_LEN + 1] = "";
    tacit_status st = keys_load_server(&s->keys, note, dir);
    if (st != TACIT_OK) return complain("%s", note[0] ? note : tacit_status_text(st));
    if (server_folder_catalogue(&s->items, dir, c) != 0) return 1;
    st = catalogue_features(&s->features, s->items, CATALOGUE_TOKEN_MIN_ITEMS);
    s->ids = malloc(s->items->count * sizeof *s->ids);
    s->kinds = malloc(s->items->count);
    if (st == TACIT_OK && (!s->ids || !s->kinds)) st = TACIT_NO_SPACE;
    if (st != TACIT_OK) return complain("%s: %s", dir, tacit_status_text(st));
    for (size_t i = 0; i < s->items->count; i++) {
        s->ids[i] = s->items->items[i].id;
        s->kinds[i] = s->items->items[i].kind;
    }
    return 0;
}

typedef struct {
    char preset[16];
    double kappa;
    uint32_t sums, dims, factor;
} forecast;

/* As the server would: the run's first plan, with a stand-in number and phase key. */
static int rehearse(forecast *f, const stage *s, const store_run *run, const config *c,
                    bool anyway) {
    training_spec spec = {.epsilon = run->epsilon,
                          .delta = run->delta,
                          .devices = run->devices,
                          .preset = run->preset,
                          .factor = run->factor,
                          .sums = run->sums,
                          .seed = run->seed};
    round_setup setup = {.plan_secret = s->keys.plan.secret,
                         .model_secret = s->keys.model.secret,
                         .authority_key = s->keys.authority_key,
                         .catalogue = s->items->digest,
                         .ids = s->ids,
                         .kinds = s->kinds,
                         .item_count = (uint32_t)s->items->count,
                         .separation_s = c->separation_s,
                         .back_off_s = c->back_off_s};
    static const uint8_t stand_in[TACIT_KEY_LEN] = {1};
    const char *what = "";
    const uint8_t *file;
    uint64_t now_s = (uint64_t)time(NULL);
    store_model model;
    training *t = NULL;
    round_run *r = NULL;
    tacit_status st = training_new(&t, &spec, s->features);
    if (st != TACIT_OK)
        return complain("no run with this budget and size: %s", tacit_status_text(st));
    snprintf(f->preset, sizeof f->preset, "%s", training_preset_name(t));
    f->kappa = training_kappa(t);
    f->sums = training_sum_count(t);
    st = round_new(&r, &what, &setup, run, t, NULL, NULL, 0);
    if (st == TACIT_OK && (st = round_start_model(r, &model, &file, now_s)) == TACIT_OK) {
        round_published(r);
        st = round_reserved(r, &what, 1, stand_in, now_s);
    }
    int exit_status = 0;
    if (st != TACIT_OK) {
        exit_status = complain("no plan comes of this run: %s",
                               what && what[0] ? what : tacit_status_text(st));
    } else {
        f->dims = round_plan(r)->plan.dims;
        f->factor = round_plan(r)->plan.factor;
        const char *floor = round_plan(r)->floor;
        if (floor != NULL && anyway)
            (void)complain("warning: devices with the shipped floors refuse this: %s", floor);
        else if (floor != NULL)
            exit_status = complain("devices would refuse it: %s (--anyway stores it)", floor);
    }
    round_free(r);
    return exit_status;
}

static int start(const options *o) {
    config c;
    store_run run;
    store *db = NULL;
    stage s = {.items = NULL};
    forecast f = {.sums = 0};
    if (server_folder_config(&c, o->folder) != 0) return 1;
    int exit_status = make_run(&run, o, &c);
    if (exit_status == 0) exit_status = server_folder_store(&db, o->folder);
    if (exit_status == 0) exit_status = stage_load(&s, o->folder, &c);
    if (exit_status == 0) exit_status = rehearse(&f, &s, &run, &c, o->anyway);
    stage_free(&s);
    if (exit_status == 0) {
        tacit_status st = store_run_add(db, &run);
        if (st != TACIT_OK) exit_status = complain("%s: %s", o->folder, store_error(db));
    }
    store_close(db);
    if (exit_status != 0) return exit_status;
    if (o->json) {
        json_t *root = run_json(&run);
        json_object_set_new(root, "chosen", json_string(f.preset));
        json_object_set_new(root, "kappa", json_number(f.kappa));
        json_object_set_new(root, "secure_sums", json_count(f.sums));
        json_object_set_new(root, "dims", json_count(f.dims));
        return print_json(root);
    }
    printf(
        "run %llu waits for the server: preset %s (kappa %.0f), %u secure sum%s, factor %u, "
        "epsilon %g at delta %g, %u devices, vectors of %u numbers\n",
        (unsigned long long)run.run, f.preset, f.kappa, f.sums, f.sums == 1 ? "" : "s", f.factor,
        run.epsilon, run.delta, run.devices, f.dims);
    return 0;
}

/* ---- list --------------------------------------------------------------------------------------
 */

typedef struct {
    json_t *list; /* NULL: text */
    uint64_t only_run;
} listing;

static tacit_status list_one(void *self, const store_record *r) {
    listing *l = self;
    if (l->only_run != 0 && r->run != l->only_run) return TACIT_OK;
    if (l->list == NULL) {
        record_print(r);
        return TACIT_OK;
    }
    return json_array_append_new(l->list, record_json(r)) == 0 ? TACIT_OK : TACIT_NO_SPACE;
}

/* Closes the store; with --json prints what was listed under `name`. */
static int end_listing(const options *o, store *db, listing *l, const char *name, tacit_status st) {
    store_close(db);
    if (st != TACIT_OK) {
        json_decref(l->list);
        return complain("%s: %s", o->folder, tacit_status_text(st));
    }
    if (!o->json) return 0;
    json_t *root = json_object();
    json_object_set_new(root, name, l->list);
    return print_json(root);
}

static int list(const options *o) {
    store *db = NULL;
    listing l = {.only_run = o->only_run};
    if (server_folder_store(&db, o->folder) != 0) return 1;
    if (o->json)
        l.list = json_array();
    else
        record_print_head();
    tacit_status st = store_record_each(db, 1, list_one, &l);
    return end_listing(o, db, &l, "record", st);
}

/* ---- blames ------------------------------------------------------------------------------------
 */

static const char *phase_name(uint32_t phase) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    return phase < sizeof names / sizeof names[0] ? names[phase] : "?";
}

static tacit_status blame_one(void *self, const store_blame *b) {
    const listing *l = self;
    char id[OUTPUT_HEX_LEN + 1];
    hash_text(id, b->id);
    if (l->list == NULL) {
        printf("%7llu  %-7s %-8s %5u %5u  %-6s  %s\n", (unsigned long long)b->round,
               phase_name(b->phase), b->fault, b->wrong, b->came, b->banned ? "yes" : "no", id);
        return TACIT_OK;
    }
    json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:i, s:i, s:b}", "round", (json_int_t)b->round,
                            "device", id, "phase", phase_name(b->phase), "fault", b->fault, "wrong",
                            (int)b->wrong, "came", (int)b->came, "banned", b->banned);
    return row != NULL && json_array_append_new(l->list, row) == 0 ? TACIT_OK : TACIT_NO_SPACE;
}

static int blames(const options *o) {
    store *db = NULL;
    listing l = {0};
    if (server_folder_store(&db, o->folder) != 0) return 1;
    if (o->json)
        l.list = json_array();
    else
        printf("%7s  %-7s %-8s %5s %5s  %-6s  %s\n", "round", "phase", "fault", "wrong", "came",
               "banned", "device");
    tacit_status st = store_blame_each(db, blame_one, &l);
    return end_listing(o, db, &l, "blames", st);
}

/* ---- ban, pardon -------------------------------------------------------------------------------
 */

typedef struct {
    const char *id; /* hexadecimal */
    store_blame last;
    bool found;
} blame_search;

static tacit_status find_blame(void *self, const store_blame *b) {
    blame_search *s = self;
    char id[OUTPUT_HEX_LEN + 1];
    hash_text(id, b->id);
    if (strcmp(id, s->id) != 0) return TACIT_OK;
    s->last = *b;
    s->found = true;
    return TACIT_OK;
}

/* A new entry for a device that is listed; the open round keeps whom it has let in. */
static int decide(const options *o, const char *id, bool ban) {
    store *db = NULL;
    blame_search s = {.id = id};
    if (server_folder_store(&db, o->folder) != 0) return 1;
    tacit_status st = store_blame_each(db, find_blame, &s);
    if (st == TACIT_OK && !s.found) {
        store_close(db);
        return complain("%s: blames lists no device %s", o->folder, id);
    }
    snprintf(s.last.fault, sizeof s.last.fault, "%s", ban ? "ban" : "pardon");
    s.last.banned = ban;
    s.last.phase = s.last.wrong = s.last.came = 0;
    if (st == TACIT_OK) st = store_blame_add(db, &s.last, 1);
    store_close(db);
    if (st != TACIT_OK) return complain("%s: %s", o->folder, tacit_status_text(st));
    printf("device %s: its joins are %s from the next round on\n", id,
           ban ? "refused" : "taken again");
    return 0;
}

/* ---- The command -------------------------------------------------------------------------------
 */

int cmd_round(int argc, char **argv) {
    options o = {.preset = "auto",
                 .epsilon = 8,
                 .delta = 1e-5,
                 .max_colluding = UINT16_MAX,
                 .max_dropout = UINT16_MAX};
    const arg_option table[] = {
        {"epsilon", ARG_EPSILON, &o.epsilon, "E", "privacy budget of the whole run, per device"},
        {"delta", ARG_DOUBLE, &o.delta, "D", "its delta"},
        {"devices", ARG_U32, &o.devices, "N", "planned roster size (0: --n-hi)"},
        {"preset", ARG_STRING, &o.preset, "NAME", "auto (the kappa rule), hi, lo, lo50, content"},
        {"rounds", ARG_U32, &o.rounds, "T", "secure sums (0: the preset's)"},
        {"factor", ARG_U32, &o.factor, "K", "factor length (0: the preset's)"},
        {"max-colluding", ARG_FRACTION, &o.max_colluding, "F", "of the roster (configuration)"},
        {"max-dropout", ARG_FRACTION, &o.max_dropout, "F", "of the roster (configuration)"},
        {"n-lo", ARG_U32, &o.n_lo, "N", "least roster size (0: configuration)"},
        {"n-hi", ARG_U32, &o.n_hi, "N", "greatest roster size (0: configuration)"},
        {"n-min-floor", ARG_U32, &o.n_min_floor, "N", "least survivors (0: configuration)"},
        {"expected", ARG_U32, &o.expected, "N", "joining ends early here (0: configuration)"},
        {"seed", ARG_U64, &o.seed, "N", "of start and rotations (0: the clock)"},
        {"anyway", ARG_FLAG, &o.anyway, NULL, "store a run that shipped floors refuse"},
        {"run", ARG_U64, &o.only_run, "N", "list: this run only"},
        {"json", ARG_FLAG, &o.json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    const char *words[3] = {NULL, NULL, NULL};
    size_t count = 0;
    args_result parsed = args_parse(
        argc, argv, table,
        "round FOLDER start|list|blames [OPTIONS] or round FOLDER ban|pardon DEVICE",
        "start: asks the server of FOLDER for a training run; tacitd takes it up within\n"
        "seconds, or when it is started. list: the record, one line for each round. blames:\n"
        "devices that broke the protocol, and whether that has their joins refused since:\n"
        "  message   signed a message that breaks the protocol\n"
        "  key       signed a share key that does not open the share's box\n"
        "  deal      dealt boxes without shares in them, or shares that contradict each other\n"
        "            or its own commitment\n"
        "  unopened  is suspect: its secret was lost and `wrong` neighbours had no key for its\n"
        "            boxes; either those do not open or these neighbours lie\n"
        "ban, pardon: refuse the joins of a listed device, or take them again; by the device's\n"
        "key, whatever certificate it comes with.",
        words, 3, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 2)
        return misuse("round wants a server folder and start, list, blames, ban or pardon");
    o.folder = words[0];
    o.action = words[1];
    if (strcmp(o.action, "start") == 0) return start(&o);
    if (strcmp(o.action, "list") == 0) return list(&o);
    if (strcmp(o.action, "blames") == 0) return blames(&o);
    bool ban = strcmp(o.action, "ban") == 0;
    if (ban || strcmp(o.action, "pardon") == 0)
        return count == 3
                   ? decide(&o, words[2], ban)
                   : misuse("round FOLDER %s wants a device's id as blames lists it", o.action);
    return misuse("round has no action '%s'", o.action);
}
