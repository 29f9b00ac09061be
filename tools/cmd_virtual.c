/* SPDX-License-Identifier: Apache-2.0
 * cmd_virtual.c - `tacit simulate --virtual`: whole rounds of the real machines in virtual time,
 * with faults drawn from a seed (virtual.h); one run, or fresh random ones for some time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/prng.h"
#include "tools/args.h"
#include "tools/commands.h"
#include "tools/output.h"
#include "tools/simulate.h"
#include "tools/virtual.h"

enum { COMMAND_LEN = 600, NUMBER_LEN = 32 };

typedef struct {
    virtual_options run;
    const char *faults, *plant;
    double random_seconds;
    bool json;
} command;

/* What a run cost. */
typedef struct {
    double wall_s, core_s, peak_mib;
} cost;

static double wall_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double core_s(double *peak_mib) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    *peak_mib = (double)u.ru_maxrss / 1024;
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static tacit_status run_timed(virtual_result *r, char *note, cost *c, const virtual_options *o) {
    double wall = wall_s(), core = core_s(&c->peak_mib);
    tacit_status st = virtual_run(r, note, o);
    c->core_s = core_s(&c->peak_mib) - core;
    c->wall_s = wall_s() - wall;
    return st;
}

/* ---- Reports -----------------------------------------------------------------------------------
 */

static const char *end_of(const virtual_round_result *r) {
    if (r->crashed) return "the server crashed";
    return r->ended == COHORT_DONE ? "exact sum" : "given up";
}

static void print_rounds(const virtual_result *r) {
    char digest[OUTPUT_HEX_LEN + 1];
    printf("round  joined  shared  survivors  receipts  seconds  end\n");
    for (uint32_t i = 0; i < r->round_count; i++) {
        const virtual_round_result *round = &r->rounds[i];
        const cohort_report *c = &round->report;
        printf("%5llu  %6u  %6u  %9u  %8u  %7.1f  %s", (unsigned long long)round->round, c->joined,
               c->shared, c->survivors, round->receipts, round->seconds, end_of(round));
        if (!round->crashed && round->ended == COHORT_DONE) {
            hash_text(digest, c->sum_digest);
            printf(" %.16s", digest);
        } else if (c->failure_note[0] != 0) {
            printf(": %s", c->failure_note);
        }
        printf("\n");
    }
}

static void print_ends(const virtual_result *r) {
    printf("\ncontributions: %llu, of which", (unsigned long long)r->contributions);
    for (int i = 0; i < TACIT_STATUS_COUNT; i++)
        if (r->ended[i] > 0)
            printf(" %s %llu", i == TACIT_OK ? "receipt" : tacit_status_name((tacit_status)i),
                   (unsigned long long)r->ended[i]);
    printf(
        "\nvanished %llu, crashes %llu, server crashes %llu, disk errors %llu, restored copies "
        "%llu\n",
        (unsigned long long)r->vanished, (unsigned long long)r->crashes,
        (unsigned long long)r->server_crashes, (unsigned long long)r->disk_errors,
        (unsigned long long)r->restores);
}

/* `total` for each receipt, as text; without receipts there is no such number. */
static const char *per_receipt(char text[static NUMBER_LEN], const virtual_result *r, double total,
                               int digits) {
    uint64_t receipts = r->ended[TACIT_OK];
    if (receipts == 0) return "-";
    (void)snprintf(text, NUMBER_LEN, "%.*f", digits, total / (double)receipts);
    return text;
}

static void print_cost(const virtual_result *r, const cost *c, const virtual_options *o) {
    char up[NUMBER_LEN], down[NUMBER_LEN];
    printf(
        "wall %.1f s, cores %.1f s, peak memory %.0f MiB, virtual %.1f s, %llu events, %llu "
        "messages\n",
        c->wall_s, c->core_s, c->peak_mib, r->virtual_s, (unsigned long long)r->events,
        (unsigned long long)r->messages);
    printf("bytes for each receipt: %s up, %s down (all traffic, of %u devices)\n",
           per_receipt(up, r, (double)r->bytes_up, 0),
           per_receipt(down, r, (double)r->bytes_down, 0), o->devices);
    printf("\nCPU time, seconds             in all  ms a receipt\n");
    for (int i = 0; i < VIRTUAL_PART_COUNT; i++)
        printf("%-28s %7.2f  %12s\n", virtual_part_text((virtual_part)i), r->cpu_s[i],
               per_receipt(up, r, 1000 * r->cpu_s[i], 3));
}

static void print_findings(const virtual_result *r, const virtual_options *o) {
    char line[COMMAND_LEN];
    for (uint64_t i = 0; i < r->finding_count && i < VIRTUAL_FINDINGS; i++)
        fprintf(stderr, "FINDING %s\n", r->findings[i]);
    if (r->finding_count > VIRTUAL_FINDINGS)
        fprintf(stderr, "and %llu more\n",
                (unsigned long long)(r->finding_count - VIRTUAL_FINDINGS));
    virtual_command(line, sizeof line, o);
    fprintf(stderr, "repeat: %s\n", line);
}

static void print_text(const virtual_result *r, const cost *c, const virtual_options *o) {
    char digest[OUTPUT_HEX_LEN + 1];
    printf(
        "%u devices, %u numbers of %u bits, noise variance %llu, max_dropout %.3f, "
        "max_colluding %.3f, seed %llu\n",
        o->devices, o->dims, r->bits, (unsigned long long)r->mu, o->max_dropout / 1000.0,
        o->max_colluding / 1000.0, (unsigned long long)o->seed);
    printf("devices use %s\n\n", r->shipped_floors
                                     ? "the shipped policy floors"
                                     : "floors of their own, for small cohorts: not the shipped "
                                       "ones");
    print_rounds(r);
    print_ends(r);
    print_cost(r, c, o);
    hash_text(digest, r->trace);
    printf("\ntrace of all events %.16s\n%llu findings\n", digest,
           (unsigned long long)r->finding_count);
}

static json_t *json_rounds(const virtual_result *r) {
    json_t *all = json_array();
    for (uint32_t i = 0; i < r->round_count; i++) {
        const virtual_round_result *round = &r->rounds[i];
        json_t *one = json_object();
        json_object_set_new(one, "round", json_count(round->round));
        json_object_set_new(one, "joined", json_count(round->report.joined));
        json_object_set_new(one, "shared", json_count(round->report.shared));
        json_object_set_new(one, "survivors", json_count(round->report.survivors));
        json_object_set_new(one, "receipts", json_count(round->receipts));
        json_object_set_new(one, "virtual_seconds", json_number(round->seconds));
        json_object_set_new(one, "end", json_text(end_of(round)));
        json_object_set_new(one, "sum_digest", json_hash(round->report.sum_digest));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *json_ends(const virtual_result *r) {
    json_t *all = json_object();
    for (int i = 0; i < TACIT_STATUS_COUNT; i++)
        if (r->ended[i] > 0)
            json_object_set_new(all, tacit_status_name((tacit_status)i), json_count(r->ended[i]));
    return all;
}

static json_t *json_result(const virtual_result *r, const cost *c, const virtual_options *o) {
    char line[COMMAND_LEN];
    json_t *root = json_object(), *parts = json_object(), *findings = json_array();
    virtual_command(line, sizeof line, o);
    for (int i = 0; i < VIRTUAL_PART_COUNT; i++)
        json_object_set_new(parts, virtual_part_text((virtual_part)i), json_number(r->cpu_s[i]));
    for (uint64_t i = 0; i < r->finding_count && i < VIRTUAL_FINDINGS; i++)
        json_array_append_new(findings, json_text(r->findings[i]));
    json_object_set_new(root, "command", json_text(line));
    json_object_set_new(root, "shipped_floors", json_boolean(r->shipped_floors));
    json_object_set_new(root, "bits", json_count(r->bits));
    json_object_set_new(root, "rounds", json_rounds(r));
    json_object_set_new(root, "contributions", json_count(r->contributions));
    json_object_set_new(root, "ended", json_ends(r));
    json_object_set_new(root, "vanished", json_count(r->vanished));
    json_object_set_new(root, "crashes", json_count(r->crashes));
    json_object_set_new(root, "server_crashes", json_count(r->server_crashes));
    json_object_set_new(root, "disk_errors", json_count(r->disk_errors));
    json_object_set_new(root, "restored_copies", json_count(r->restores));
    json_object_set_new(root, "events", json_count(r->events));
    json_object_set_new(root, "messages", json_count(r->messages));
    json_object_set_new(root, "bytes_up", json_count(r->bytes_up));
    json_object_set_new(root, "bytes_down", json_count(r->bytes_down));
    json_object_set_new(root, "virtual_seconds", json_number(r->virtual_s));
    json_object_set_new(root, "wall_seconds", json_number(c->wall_s));
    json_object_set_new(root, "core_seconds", json_number(c->core_s));
    json_object_set_new(root, "peak_mib", json_number(c->peak_mib));
    json_object_set_new(root, "cpu_seconds", parts);
    json_object_set_new(root, "trace", json_hash(r->trace));
    json_object_set_new(root, "findings", findings);
    json_object_set_new(root, "finding_count", json_count(r->finding_count));
    return root;
}

/* ---- One run, or many --------------------------------------------------------------------------
 */

static int run_once(virtual_result *r, const command *c) {
    char note[TACIT_NOTE_LEN + 1];
    cost spent;
    tacit_status st = run_timed(r, note, &spent, &c->run);
    if (st != TACIT_OK) return complain("simulate: %s: %s", tacit_status_name(st), note);
    int failed = 0;
    if (c->json)
        failed = print_json(json_result(r, &spent, &c->run));
    else
        print_text(r, &spent, &c->run);
    if (r->finding_count == 0) return failed;
    print_findings(r, &c->run);
    return 1;
}

/* In thousandths, so that the command line says it exactly. */
static double chance(tacit_prng *prng, uint32_t most) {
    return tacit_prng_below(prng, most + 1) / 1000.0;
}

/* A size, a plan and a mix of faults, all from the seed. One run in 40 has more than 512 devices,
 * whose graph is made of cycles. */
static void draw_run(virtual_options *o, uint64_t seed) {
    tacit_prng prng;
    tacit_prng_init_seed(&prng, seed, 7);
    bool large = tacit_prng_below(&prng, 40) == 0, faults = tacit_prng_below(&prng, 8) > 0;
    uint32_t most = tacit_prng_below(&prng, 6) == 0 ? 120 : 50;
    uint32_t part = faults ? 1 + tacit_prng_below(&prng, 4) : 0; /* quarters of the heaviest mix */
    o->seed = seed;
    o->devices = large ? 550 + tacit_prng_below(&prng, 50) : 3 + tacit_prng_below(&prng, most);
    o->rounds = large ? 1 : 1 + tacit_prng_below(&prng, 4);
    o->dims = 16u << tacit_prng_below(&prng, 5);
    o->bits = tacit_prng_below(&prng, 4) == 0 ? 32 : 0;
    o->max_dropout = (uint16_t)(100 + tacit_prng_below(&prng, 140));
    o->max_colluding = (uint16_t)(50 + tacit_prng_below(&prng, 50));
    o->dropout = chance(&prng, 80);
    o->faults = (virtual_faults){.loss = chance(&prng, 10 * part),
                                 .duplicate = chance(&prng, 20 * part),
                                 .partition = chance(&prng, 25 * part),
                                 .crash = chance(&prng, 15 * part),
                                 .server_crash = chance(&prng, 80 * part),
                                 .disk_error = chance(&prng, 20 * part),
                                 .slow = chance(&prng, 15 * part),
                                 .clock_jump = chance(&prng, 20 * part),
                                 .restore = chance(&prng, 10 * part),
                                 .delay_ms = 50 + tacit_prng_below(&prng, 1 + 1000 * part)};
}

static int run_random(virtual_result *r, const command *c) {
    char note[TACIT_NOTE_LEN + 1];
    double end_s = wall_s() + c->random_seconds;
    uint64_t runs = 0, failed = 0, rounds = 0, sums = 0, contributions = 0, events = 0;
    do {
        virtual_options o = c->run;
        cost spent;
        uint64_t seed;
        tacit_os_random(&seed, sizeof seed);
        draw_run(&o, seed >> 16); /* short enough to be typed */
        tacit_status st = run_timed(r, note, &spent, &o);
        runs++;
        if (st != TACIT_OK)
            fprintf(stderr, "FINDING the run could not be made: %s: %s\n", tacit_status_name(st),
                    note);
        if (st != TACIT_OK || r->finding_count > 0) {
            failed++;
            print_findings(r, &o);
        }
        rounds += r->round_count;
        contributions += r->contributions;
        events += r->events;
        for (uint32_t i = 0; i < r->round_count; i++)
            sums += !r->rounds[i].crashed && r->rounds[i].ended == COHORT_DONE;
    } while (wall_s() < end_s);
    if (c->json) {
        json_t *root = json_object();
        json_object_set_new(root, "runs", json_count(runs));
        json_object_set_new(root, "failed", json_count(failed));
        json_object_set_new(root, "rounds", json_count(rounds));
        json_object_set_new(root, "sums", json_count(sums));
        json_object_set_new(root, "contributions", json_count(contributions));
        json_object_set_new(root, "events", json_count(events));
        if (print_json(root) != 0) return 1;
    } else {
        printf(
            "%llu random runs: %llu rounds, %llu exact sums, %llu contributions, %llu events; "
            "%llu runs with findings\n",
            (unsigned long long)runs, (unsigned long long)rounds, (unsigned long long)sums,
            (unsigned long long)contributions, (unsigned long long)events,
            (unsigned long long)failed);
    }
    return failed > 0;
}

/* ---- Arguments ---------------------------------------------------------------------------------
 */

static const char *const plants[] = {"none", "sum", "reveal", "secret"};

static bool plant_named(virtual_plant *out, const char *name) {
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        if (strcmp(plants[i], name) != 0) continue;
        *out = (virtual_plant)i;
        return true;
    }
    return false;
}

static int run(command *c) {
    virtual_options *o = &c->run;
    if (o->max_dropout == 0) o->max_dropout = simulate_planned_dropout(o->dropout, o->devices);
    if (o->devices < 100 && o->max_dropout > 300) o->max_dropout = 300; /* h must be half of n */
    o->progress = true;
    const char *wrong = virtual_options_wrong(o);
    if (!plant_named(&o->plant, c->plant)) wrong = "--plant knows none, sum, reveal, secret";
    if (!(c->random_seconds >= 0 && c->random_seconds <= 1e6)) wrong = "--random-seconds 0..1e6";
    if (wrong != NULL) return misuse("simulate --virtual: %s", wrong);
    virtual_result *r = malloc(sizeof *r);
    if (r == NULL) return complain("simulate: no memory");
    int status = c->random_seconds > 0 ? run_random(r, c) : run_once(r, c);
    free(r);
    return status;
}

/* --faults is the ground that single overrides stand on, wherever it is in the line. */
static bool find_faults(virtual_faults *out, int argc, char **argv) {
    const char *name = "none";
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--faults=", 9) == 0) name = argv[i] + 9;
        if (strcmp(argv[i], "--faults") == 0 && i + 1 < argc) name = argv[i + 1];
    }
    return virtual_faults_named(out, name);
}

int cmd_virtual(int argc, char **argv) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool is_virtual = true;
    command c = {.faults = "none", .plant = "none"};
    virtual_options *o = &c.run;
    virtual_faults *f = &o->faults;
    *o = (virtual_options){.devices = 100,
                           .rounds = 1,
                           .dims = 65536,
                           .max_colluding = 100,
                           .seed = 1,
                           .threads = cores > 0 && cores < 64 ? (uint32_t)cores : 1};
    if (!find_faults(f, argc, argv))
        return misuse("simulate --virtual: --faults knows none, light, heavy");
    const arg_option table[] = {
        {"virtual", ARG_FLAG, &is_virtual, NULL, "this: no sockets, no waiting, virtual time"},
        {"devices", ARG_U32, &o->devices, "N", "devices, 3..10000"},
        {"rounds", ARG_U32, &o->rounds, "R", "rounds, one after the other"},
        {"dims", ARG_U32, &o->dims, "D", "length of the update, a power of two"},
        {"bits", ARG_U32, &o->bits, "B", "ring width (0: what the calibration gives)"},
        {"dropout", ARG_DOUBLE, &o->dropout, "P",
         "chance that a device vanishes, at a random stage"},
        {"max-dropout", ARG_FRACTION, &o->max_dropout, "F",
         "what the plan tolerates (0: dropout + 5 sd)"},
        {"max-colluding", ARG_FRACTION, &o->max_colluding, "F", "what the plan assumes"},
        {"faults", ARG_STRING, &c.faults, "NAME",
         "none, light or heavy; the options below change one"},
        {"loss", ARG_DOUBLE, &f->loss, "P", "chance that a message's connection breaks"},
        {"delay-ms", ARG_U32, &f->delay_ms, "MS", "longest delay beyond a latency of 20 ms"},
        {"duplicate", ARG_DOUBLE, &f->duplicate, "P", "chance that a request arrives twice"},
        {"partition", ARG_DOUBLE, &f->partition, "P",
         "chance that a device is cut off for a while"},
        {"crash", ARG_DOUBLE, &f->crash, "P", "chance that a device loses its memory"},
        {"server-crash", ARG_DOUBLE, &f->server_crash, "P", "chance that a round's server crashes"},
        {"disk-error", ARG_DOUBLE, &f->disk_error, "P",
         "chance of a failed commit or a torn power cut"},
        {"slow", ARG_DOUBLE, &f->slow, "P", "chance that a device computes for minutes"},
        {"clock-jump", ARG_DOUBLE, &f->clock_jump, "P", "chance that its clock jumps"},
        {"restore", ARG_DOUBLE, &f->restore, "P",
         "chance that it comes back with an old copy of its storage"},
        {"seed", ARG_U64, &o->seed, "N", "of everything that is drawn"},
        {"threads", ARG_U32, &o->threads, "N", "threads; no result depends on them"},
        {"random-seconds", ARG_DOUBLE, &c.random_seconds, "S",
         "instead: fresh random runs until S seconds are over"},
        {"plant", ARG_STRING, &c.plant, "NAME",
         "plant a breach the checks must find: sum, reveal, secret"},
        {"json", ARG_FLAG, &c.json, NULL, "the result as JSON on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL},
    };
    args_result parsed = args_parse(
        argc, argv, table, "simulate --virtual [OPTIONS]",
        "Runs whole rounds of the real device and server machines in one process and in virtual\n"
        "time. Network, disks, clocks, crashes and who vanishes are drawn from one seed, so a run\n"
        "repeats to the last event. Checks what must hold whatever happens; a finding is printed\n"
        "with the command that repeats it. Cohorts below 100 devices use floors of their own.",
        NULL, 0, NULL);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    return run(&c);
}
