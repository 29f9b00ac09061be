/* SPDX-License-Identifier: Apache-2.0
 * cmd_simulate.c - `tacit simulate`: a whole training run with one real device per person, against
 * the real server, with devices that vanish; then what came of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/args.h"
#include "tools/commands.h"
#include "tools/quality.h"
#include "tools/rehearsal.h"
#include "tools/server_folder.h"
#include "tools/simulate.h"
#include "tools/simulate_report.h"

enum { TOP_N = 20 };

static double wall_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint16_t simulate_planned_dropout(double rate, uint32_t devices) {
    double margin = 5 * sqrt(rate * (1 - rate) / devices);
    double planned = ceil((rate + margin) * 1000);
    return planned < 50 ? 50 : planned > 500 ? 500 : (uint16_t)planned;
}

static store_run run_of(const simulate_options *o) {
    store_run run = {.epsilon = o->epsilon,
                     .delta = o->delta,
                     .devices = o->devices,
                     .preset = o->preset,
                     .factor = o->factor,
                     .sums = o->sums,
                     .n_hi = o->devices,
                     .max_colluding = o->max_colluding,
                     .max_dropout = o->max_dropout,
                     .n_min_floor = tacit_floors_shipped.n_min,
                     .join_s = (uint16_t)o->join_s,
                     .share_s = (uint16_t)o->phase_s,
                     .mask_s = (uint16_t)o->phase_s,
                     .agree_s = (uint16_t)o->phase_s,
                     .reveal_s = (uint16_t)o->phase_s,
                     .seed = o->seed};
    /* Devices that vanish before join make the roster smaller; devices' floors set the least. */
    run.n_lo = o->devices * 4 / 5 > 60 ? o->devices * 4 / 5 : 60;
    if (run.n_lo > run.n_hi) run.n_lo = run.n_hi;
    return run;
}

/* The largest vector and rows of the run: what devices must have room for. */
static tacit_status room_of(const simulate_world *w, uint32_t *dims, uint32_t *factor) {
    training_spec spec = simulate_training_spec(&w->run);
    training *t = NULL;
    tacit_status st = training_new(&t, &spec, w->features);
    if (st != TACIT_OK) return st;
    uint32_t items = (uint32_t)w->data->catalogue->count, k = training_params(t)->k;
    *dims = tacit_plan_padded(items * (k + 1));
    *factor = k + (uint32_t)learn_features_count(w->features);
    training_free(t);
    return TACIT_OK;
}

static tacit_status baselines(simulate_report *r, const simulate_world *w) {
    const simulate_options *o = w->options;
    tacit_status st = quality_of_popularity(&r->popularity, w->split, w->data->catalogue->count,
                                            TOP_N, o->threads);
    if (st != TACIT_OK || o->no_central) return st;
    rehearsal_spec spec = {
        .training = {.epsilon = INFINITY, .delta = o->delta, .preset = -1, .seed = o->seed},
        .threads = o->threads};
    training *t = NULL;
    tacit_model model;
    uint8_t *file = NULL;
    st = rehearsal_run(&t, &spec, w->features, w->split);
    if (st == TACIT_OK) st = rehearsal_model(&model, &file, t, w->data->catalogue);
    if (st == TACIT_OK) st = quality_of_model(&r->central, &model, w->split, TOP_N, o->threads);
    training_free(t);
    free(file);
    r->has_central = st == TACIT_OK;
    return st;
}

static tacit_status play_rounds(simulate_report *r, char *note, const simulate_world *w,
                                simulate_server *server, fleet *f) {
    for (;;) {
        tacit_plan plan;
        tacit_status st = simulate_server_open(server, note, &plan);
        if (st == TACIT_NOT_FOUND) return TACIT_OK;
        if (st != TACIT_OK) return st;
        /* A plan that every device refuses is not worth waiting out its joining. */
        const char *what = "";
        st = tacit_plan_check_floors(&plan, &what, &tacit_floors_shipped);
        if (st != TACIT_OK) {
            snprintf(note, KEYS_NOTE_LEN + 1,
                     "%s (--devices, --max-dropout, --max-colluding decide)", what);
            return st;
        }
        if (r->round_count == SIMULATE_MAX_ROUNDS) return TACIT_TOO_LARGE;
        simulate_round *round = &r->rounds[r->round_count++];
        double start = wall_s();
        round->plan = plan;
        if ((st = fleet_round(f, &round->fleet, plan.round)) != TACIT_OK) return st;
        st = simulate_server_record(server, note, &round->record, plan.round);
        if (st != TACIT_OK) return st;
        if (round->record.status == TACIT_OK) {
            if ((st = fleet_sync(f)) != TACIT_OK) return st;
            if ((st = fleet_quality(f, &round->quality, TOP_N)) != TACIT_OK) return st;
            r->federated = round->quality;
            r->has_federated = true;
        }
        round->seconds = wall_s() - start;
        simulate_report_round(r, w->options->json);
    }
}

/* Loads the data, makes keys and server, runs, reports. */
static tacit_status simulate(simulate_report *r, char *note, simulate_world *w) {
    const simulate_options *o = w->options;
    simulate_server *server = NULL;
    fleet *f = NULL;
    fleet_spec spec = {.data = w->data,
                       .split = w->split,
                       .device_count = o->devices,
                       .pins = &w->pins,
                       .authority = &w->authority,
                       .epsilon = o->epsilon,
                       .delta = o->delta,
                       .dropout = o->dropout,
                       .seed = o->seed,
                       .stores = o->stores,
                       .threads = o->threads};
    tacit_status st = room_of(w, &spec.max_dims, &spec.max_factor);
    if (st != TACIT_OK) {
        snprintf(note, TACIT_NOTE_LEN + 1, "no run with this budget and size");
        return st;
    }
    simulate_report_begin(r, w);
    if ((st = baselines(r, w)) != TACIT_OK) return st;
    st = simulate_server_start(&server, note, w);
    if (st == TACIT_OK) {
        simulate_server_reach(server, &spec);
        st = fleet_new(&f, note, &spec);
    }
    if (st == TACIT_OK) st = play_rounds(r, note, w, server, f);
    if (st == TACIT_OK && !r->has_federated) {
        snprintf(note, TACIT_NOTE_LEN + 1, "no round gave a model");
        st = TACIT_ABORTED;
    }
    if (st == TACIT_OK) st = simulate_report_end(r, w, f);
    fleet_free(f);
    tacit_status stopped = simulate_server_stop(server);
    return st == TACIT_OK ? stopped : st;
}

static tacit_status load_keys(simulate_world *w, char *note) {
    const char *folder = w->options->folder;
    char path[4096];
    snprintf(path, sizeof path, "%s/app/pins.ini", folder);
    tacit_status st = TACIT_OK;
    if (access(path, R_OK) != 0) st = keys_init(folder, note);
    if (st == TACIT_OK) st = keys_load_server(&w->keys, note, folder);
    if (st == TACIT_OK) st = keys_load_authority(&w->authority, note, folder);
    if (st == TACIT_OK) st = keys_load_pins(&w->pins, note, path);
    return st;
}

static tacit_status load_data(simulate_world *w, simulate_options *o, char *note) {
    dataset *d = NULL;
    dataset_split *split = NULL;
    learn_features *features = NULL;
    dataset_options load = {.strict = o->strict, .errors = stderr};
    tacit_status st = dataset_load(&d, note, o->data, &load);
    if (st != TACIT_OK) return st;
    w->data = d;
    if (o->devices == 0 || o->devices > d->person_count) o->devices = (uint32_t)d->person_count;
    if (o->devices < tacit_floors_shipped.n_min) {
        snprintf(note, KEYS_NOTE_LEN + 1, "%u devices; every device wants at least %u in the sum",
                 o->devices, tacit_floors_shipped.n_min);
        return TACIT_TOO_FEW;
    }
    /* People beyond --devices take no part at all. */
    d->person_count = o->devices;
    if (o->max_dropout == 0) o->max_dropout = simulate_planned_dropout(o->dropout, o->devices);
    if ((st = dataset_split_new(&split, d, o->test_share, o->seed)) != TACIT_OK) return st;
    w->split = split;
    st = catalogue_features(&features, d->catalogue, CATALOGUE_TOKEN_MIN_ITEMS);
    w->features = features;
    return st;
}

static int run(simulate_options *o) {
    char note[KEYS_NOTE_LEN + 1] = "";
    simulate_world w = {.options = o};
    simulate_report *r = calloc(1, sizeof *r);
    if (r == NULL) return 1;
    double start = wall_s();
    size_t people = 0;
    tacit_status st = load_data(&w, o, note);
    if (w.data != NULL) people = w.data->person_count;
    w.run = run_of(o);
    if (st == TACIT_OK) st = load_keys(&w, note);
    if (st == TACIT_OK) st = simulate(r, note, &w);
    r->seconds = wall_s() - start;
    int failed = st != TACIT_OK;
    if (failed)
        fprintf(stderr, "tacit simulate: %s: %s%s%s\n", tacit_status_name(st),
                tacit_status_text(st), note[0] ? "; " : "", note);
    else
        failed = simulate_report_print(r, &w);
    if (people > 0) ((dataset *)(uintptr_t)w.data)->person_count = people;
    keys_server_wipe(&w.keys);
    learn_features_free((learn_features *)(uintptr_t)w.features);
    dataset_split_free((dataset_split *)(uintptr_t)w.split);
    dataset_free((dataset *)(uintptr_t)w.data);
    free(r);
    return failed;
}

static bool check(const simulate_options *o) {
    const char *wrong = NULL;
    if (!o->preset_known) wrong = "--preset knows auto, hi, lo, lo50, content";
    if (!(isfinite(o->epsilon) && o->epsilon > 0)) wrong = "--epsilon wants a positive number";
    if (!(o->dropout >= 0 && o->dropout < 0.5)) wrong = "--dropout wants 0 .. 0.5";
    if (!(o->test_share > 0 && o->test_share < 1)) wrong = "--test-share lies between 0 and 1";
    if (o->threads < 1 || o->threads > 64) wrong = "--threads 1..64";
    if (o->join_s < 1 || o->join_s > TACIT_JOIN_PHASE_MAX_S) wrong = "--join-seconds 1..480";
    if (o->phase_s < 1 || o->phase_s > 3600) wrong = "--phase-seconds 1..3600";
    if (o->folder == NULL) wrong = "--server DIR is needed (keys, model and record are kept there)";
    if (wrong != NULL) fprintf(stderr, "tacit simulate: %s\n", wrong);
    return wrong == NULL;
}

int cmd_simulate(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--virtual") == 0) return cmd_virtual(argc, argv);
    const char *root = getenv("TACIT_DATA");
    char standard[4096], daemon[4096];
    snprintf(standard, sizeof standard, "%s/ml-100k", root ? root : "../shared/data");
    /* tacitd stands beside this program. */
    ssize_t len = readlink("/proc/self/exe", daemon, sizeof daemon - 2);
    if (len > 0) daemon[len] = 0;
    if (len > 0 && (size_t)len + 2 < sizeof daemon) memcpy(daemon + len, "d", 2);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool virtual_time = false; /* for the help: cmd_virtual has taken over by now */
    simulate_options o = {.data = standard,
                          .preset_name = "auto",
                          .daemon = len > 0 ? daemon : "tacitd",
                          .epsilon = 8,
                          .delta = 1e-5,
                          .test_share = 0.2,
                          .people_shown = 2,
                          .join_s = 120,
                          .phase_s = 120,
                          .quiet_s = 3,
                          .max_colluding = 50,
                          .seed = 1,
                          .threads = cores > 0 && cores < 64 ? (uint32_t)cores : 1};
    const arg_option table[] = {
        {"data", ARG_STRING, &o.data, "DIR", "dataset folder"},
        {"server", ARG_STRING, &o.folder, "DIR",
         "server folder; made as `tacit init` would when absent"},
        {"devices", ARG_U32, &o.devices, "N", "devices (0: one per person)"},
        {"epsilon", ARG_EPSILON, &o.epsilon, "E", "privacy budget of the run"},
        {"delta", ARG_DOUBLE, &o.delta, "D", "its delta"},
        {"preset", ARG_STRING, &o.preset_name, "NAME",
         "auto (the kappa rule), hi, lo, lo50, content"},
        {"rounds", ARG_U32, &o.sums, "T", "secure sums (0: the preset's)"},
        {"factor", ARG_U32, &o.factor, "K", "factor length (0: the preset's)"},
        {"dropout", ARG_DOUBLE, &o.dropout, "P",
         "chance that a device vanishes, at a random stage"},
        {"max-dropout", ARG_FRACTION, &o.max_dropout, "F",
         "what the plan tolerates (0: dropout + 5 sd)"},
        {"max-colluding", ARG_FRACTION, &o.max_colluding, "F", "what the plan assumes"},
        {"join-seconds", ARG_U32, &o.join_s, "S", "longest join phase"},
        {"phase-seconds", ARG_U32, &o.phase_s, "S", "longest later phase"},
        {"quiet-seconds", ARG_U32, &o.quiet_s, "S",
         "close a phase when enough sent and nothing came for S (0: never)"},
        {"in-process", ARG_FLAG, &o.in_process, NULL,
         "no tacitd, no sockets: the same machines in this process"},
        {"virtual", ARG_FLAG, &virtual_time, NULL,
         "thousands of devices in virtual time, with faults; see simulate --virtual --help"},
        {"stores", ARG_STRING, &o.stores, "DIR", "device stores on disk instead of in memory"},
        {"test-share", ARG_DOUBLE, &o.test_share, "S", "share of each person's items held out"},
        {"show", ARG_U32, &o.people_shown, "N", "people whose recommendations are shown"},
        {"seed", ARG_U64, &o.seed, "N", "of split, start and dropouts"},
        {"report", ARG_STRING, &o.report, "FILE", "write the result as JSON"},
        {"no-central", ARG_FLAG, &o.no_central, NULL, "leave the non-private ceiling out"},
        {"threads", ARG_U32, &o.threads, "N", "threads outside rounds"},
        {"strict", ARG_FLAG, &o.strict, NULL, "stop at the first bad line of the data"},
        {"json", ARG_FLAG, &o.json, NULL, "the result as JSON on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL},
    };
    args_result parsed = args_parse(
        argc, argv, table, "simulate --server DIR [OPTIONS]",
        "Runs a whole training run: one real device per person (the device library, its own keys,\n"
        "store and TLS connection, a thread each) against tacitd. Devices use the shipped policy\n"
        "floors. Prints a table per round and recommendations with exact reasons.",
        NULL, 0, NULL);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    o.preset_known = run_preset_of(&o.preset, o.preset_name);
    return check(&o) ? run(&o) : 2;
}
