/* SPDX-License-Identifier: Apache-2.0
 * cmd_graph.c - `tacit graph`: what the neighbour graph of a cohort guarantees, for an auditor. It
 * decides nothing: devices and server derive what they need themselves (common/graph.h). */
#include <math.h>
#include <stdio.h>

#include "tools/args.h"
#include "tools/commands.h"
#include "tools/graph_bounds.h"
#include "tools/output.h"

static const char about[] =
    "Shows what follows from the size of a cohort (n), the fraction of its devices that may work\n"
    "with the server (max_colluding) and the fraction that may drop out (max_dropout). Devices "
    "and\n"
    "server compute A, n_min, r, h, k_min, m, t1, t and t2 themselves, by the same code, and "
    "never\n"
    "read them from a message; the rest is proof and only you need it.\n"
    "\n"
    "  A          colluding devices in the cohort: n * max_colluding, rounded down\n"
    "  n_min      fewest devices in a sum; below it no device reveals anything\n"
    "  D          distinct neighbours of a device; on cycles it varies: shown is the mean, "
    "rounded\n"
    "  t1         colluders among a device's neighbours: no device has more, but for 2^-81\n"
    "  t          shares that open one of a device's two secrets, of the D its neighbours hold; a\n"
    "             device goes on only with t live neighbours. 2t > D + t1: never both open\n"
    "  t2         live neighbours of a device: none has fewer, but for 2^-20. t <= t2, or cohorts\n"
    "             would fail by themselves\n"
    "  k_min      fewest neighbours with which t <= t2 and the survivors hang together\n"
    "  m          Hamiltonian cycles whose union is the graph; so many that no device has fewer "
    "than\n"
    "             k_min neighbours, but for 2^-20. Up to 512 devices the graph is complete "
    "instead\n"
    "  s_min      no set of fewer honest devices can be read apart from the others, but for "
    "2^-80,\n"
    "             though the server picks the dropouts after it has seen the graph\n"
    "  r*         honest survivors that the server can cut off from the sum: no more, but for "
    "2^-80.\n"
    "             r* < s_min, so what is cut off cannot be read: there is one readable sum\n"
    "  guarantee  honest vectors in that sum: n_min - A - r*\n"
    "  r, h       each device adds 1 / h of the noise, h = n_min - A - r; r = ceil(n / 250) "
    "covers\n"
    "             r*, so the sum always holds h shares of noise. 0 on the complete graph\n"
    "  phantoms   seats without a device with which the server would use up all dropouts at once\n"
    "  starved    probability that some device keeps fewer than t neighbours when each device "
    "drops\n"
    "             out by itself with max_dropout; the cohort then fails and nothing opens\n"
    "\n"
    "Proved for n <= 512. On cycles r* and s_min take for granted that all devices accepted the "
    "same\n"
    "list of survivors; that no two lists can both be accepted is strong evidence, not a proof\n"
    "(docs/GRAPH.md). Exit status 1 when the protocol refuses the configuration.";

/* Why tacit_graph_rule_init refuses, NULL when it does not. text [size] */
static const char *refusal(char *text, size_t size, const graph_bounds *b) {
    tacit_graph_rule rule;
    tacit_status st = tacit_graph_rule_init(&rule, b->n, b->max_colluding, b->max_dropout, 0);
    if (st == TACIT_OK) return NULL;
    const char *cycles = "per thousand is allowed on the complete graph only (n <= 512)";
    if (st == TACIT_BAD_ROSTER)
        snprintf(text, size, "a cohort has 3 to %d devices", TACIT_MAX_COHORT);
    else if (!b->complete && b->max_dropout > TACIT_CYCLES_MAX_DROPOUT)
        snprintf(text, size, "max_dropout above %d %s", TACIT_CYCLES_MAX_DROPOUT, cycles);
    else if (!b->complete && b->max_colluding > TACIT_CYCLES_MAX_COLLUDING)
        snprintf(text, size, "max_colluding above %d %s", TACIT_CYCLES_MAX_COLLUDING, cycles);
    else if (!b->complete && b->max_dropout < TACIT_CYCLES_MIN_DROPOUT)
        snprintf(text, size, "max_dropout below %d %s", TACIT_CYCLES_MIN_DROPOUT, cycles);
    else if (!b->complete && b->max_colluding < TACIT_CYCLES_MIN_COLLUDING)
        snprintf(text, size, "max_colluding below %d %s", TACIT_CYCLES_MIN_COLLUDING, cycles);
    else if (2 * (int64_t)b->honest < (int64_t)b->n)
        snprintf(text, size, "h = %d is below n / 2: too few honest survivors to share the noise",
                 b->honest);
    else /* never within these fractions: the widest needs 594 */
        snprintf(text, size, "no graph of at most %d cycles satisfies the rule", TACIT_MAX_CYCLES);
    return text;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *count_or_null(bool known, uint32_t v) { return known ? json_count(v) : json_null(); }

static json_t *as_json(const graph_bounds *b, bool bounded, const char *refused) {
    json_t *o = json_object();
    bool cycles = bounded && !b->complete;
    json_object_set_new(o, "devices", json_count(b->n));
    json_object_set_new(o, "max_colluding", json_number(b->max_colluding / 1000.0));
    json_object_set_new(o, "max_dropout", json_number(b->max_dropout / 1000.0));
    json_object_set_new(o, "allowed", json_boolean(refused == NULL));
    json_object_set_new(o, "refused", refused ? json_text(refused) : json_null());
    json_object_set_new(o, "graph", json_text(b->complete ? "complete" : "cycles"));
    json_object_set_new(o, "colluders", json_count(b->colluders));
    json_object_set_new(o, "n_min", json_count(b->n_min));
    json_object_set_new(o, "slack", json_count(b->slack));
    json_object_set_new(o, "honest", json_integer(b->honest));
    bool k = b->degree_min != 0;
    json_object_set_new(o, "degree_min", count_or_null(k, b->degree_min));
    json_object_set_new(o, "degree_min_threshold", count_or_null(k, b->degree_min_t));
    json_object_set_new(o, "degree_min_t1", count_or_null(k, b->degree_min_t1));
    json_object_set_new(o, "cycles", count_or_null(cycles, b->cycles));
    json_object_set_new(o, "degree", count_or_null(bounded, b->degree));
    json_object_set_new(o, "threshold", count_or_null(bounded, b->degree_t));
    json_object_set_new(o, "t1", count_or_null(bounded, b->degree_t1));
    json_object_set_new(o, "t2", count_or_null(bounded, b->degree_t2));
    json_object_set_new(o, "s_min", count_or_null(cycles, b->inner_min));
    json_object_set_new(o, "r_star", count_or_null(bounded, b->apart_max));
    json_object_set_new(o, "inner_degree", count_or_null(cycles, b->inner_degree));
    json_object_set_new(o, "inner_least", count_or_null(cycles, b->inner_least));
    json_object_set_new(o, "guarantee", bounded ? json_integer(b->guarantee) : json_null());
    json_object_set_new(o, "phantoms", bounded ? json_number(b->phantoms) : json_null());
    json_object_set_new(o, "log2_starved", bounded ? json_number(b->log2_starved) : json_null());
    return o;
}

/* ---- one configuration ----------------------------------------------------------------------- */

static void print_number(const char *name, int64_t v, const char *what) {
    printf("  %-10s %7lld   %s\n", name, (long long)v, what);
}

static void print_graph(const graph_bounds *b) {
    char what[160];
    if (b->complete) {
        printf("graph: complete, everyone is everyone's neighbour\n");
    } else {
        printf("graph: union of %u random Hamiltonian cycles, repeated edges counted once\n",
               b->cycles);
        snprintf(what, sizeof what, "fewest neighbours the rule allows; there t1 = %u, t = %u",
                 b->degree_min_t1, b->degree_min_t);
        print_number("k_min", b->degree_min, what);
        print_number("m", b->cycles, "cycles");
    }
    print_number("D", b->degree, b->complete ? "neighbours" : "neighbours, typically; with these");
    print_number("t1", b->degree_t1, "colluders among them at most");
    print_number("t", b->degree_t,
                 "shares that open a secret, live neighbours a device insists on");
    print_number("t2", b->degree_t2, "live neighbours at least");
}

/* A probability from its binary logarithm. text [size] */
static void power(char *text, size_t size, double log2_value) {
    if (isfinite(log2_value))
        snprintf(text, size, "2^%.1f", log2_value);
    else
        snprintf(text, size, "0");
}

static void print_bounds(const graph_bounds *b) {
    printf("against a server that picks the dropouts after it has seen the graph:\n");
    if (b->complete)
        printf("  %-10s %7s   nothing can be read apart or cut off; no probability in it\n",
               "s_min", "-");
    else
        print_number("s_min", b->inner_min,
                     "honest devices in any set that is read apart, at least");
    print_number("r*", b->apart_max, "honest survivors cut off from the sum, at most");
    print_number("guarantee", b->guarantee,
                 "honest vectors in the one readable sum, n_min - A - r*");
    printf("  %-10s %7.1f   seats without a device that would spend all dropouts\n", "phantoms",
           b->phantoms);
    char starved[24];
    power(starved, sizeof starved, b->log2_starved);
    printf("  %-10s %7s   some device keeps fewer than t neighbours by chance\n", "starved",
           starved);
}

static void print_text(const graph_bounds *b, bool bounded, const char *refused) {
    printf("%u devices, max_colluding %g, max_dropout %g: ", b->n, b->max_colluding / 1000.0,
           b->max_dropout / 1000.0);
    puts(refused == NULL ? "allowed" : "REFUSED by device and server");
    if (b->n < 3 || b->n > TACIT_MAX_COHORT || b->n_min == 0) return;
    print_number("A", b->colluders, "colluding devices at most");
    print_number("n_min", b->n_min, "survivors at least");
    print_number("r", b->slack, "reserve for what can be cut off");
    print_number("h", b->honest, "shares of the noise: h = n_min - A - r");
    if (!bounded) return;
    print_graph(b);
    print_bounds(b);
}

static int show(uint32_t n, uint16_t max_colluding, uint16_t max_dropout, bool json) {
    graph_bounds b;
    char text[160];
    tacit_status st = graph_bounds_make(&b, n, max_colluding, max_dropout);
    if (st == TACIT_NO_SPACE) return complain("graph: %s", tacit_status_text(st));
    const char *refused = refusal(text, sizeof text, &b);
    int exit_status = 0;
    if (json)
        exit_status = print_json(as_json(&b, st == TACIT_OK, refused));
    else
        print_text(&b, st == TACIT_OK, refused);
    return refused != NULL ? complain("graph: %s", refused) : exit_status;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const uint32_t table_sizes[] = {256, 512, 1000, 2000, 5000, 10000};
static const uint16_t table_fractions[][2] = {{50, 100}, {100, 100}, {100, 200}, {100, 300}};
enum {
    TABLE_SIZES = sizeof table_sizes / sizeof table_sizes[0],
    TABLE_FRACTIONS = sizeof table_fractions / sizeof table_fractions[0]
};

static void print_row(const graph_bounds *b, bool refused) {
    printf("| %u | %g, %g | %u/%u | %u | ", b->n, b->max_colluding / 1000.0,
           b->max_dropout / 1000.0, b->degree_min, b->degree_min_t, b->degree_min_t1);
    if (b->complete)
        printf("complete (%u, %u) | - | ", b->degree, b->degree_t);
    else
        printf("%u (%u, %u, %u) | %u | ", b->cycles, b->degree, b->degree_t, b->degree_t2,
               b->inner_min);
    printf("%u | %d | %d | %ld | %.1f | 2^%.1f | %s |\n", b->apart_max, b->guarantee, b->honest,
           lround((1000 - b->max_colluding) / 1000.0 * b->n_min), b->phantoms, b->log2_starved,
           refused ? "no" : "yes");
}

static int table(bool json) {
    json_t *rows = json ? json_array() : NULL;
    if (!json)
        printf(
            "| n | max_colluding, max_dropout | k_min/t | t1 | m (typical D, its t, t2) | s_min "
            "| r* | n_min - A - r* | h | (1 - max_colluding) n_min | phantoms | starved | "
            "allowed |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < TABLE_SIZES; i++)
        for (size_t j = 0; j < TABLE_FRACTIONS; j++) {
            graph_bounds b;
            char text[160];
            tacit_status st =
                graph_bounds_make(&b, table_sizes[i], table_fractions[j][0], table_fractions[j][1]);
            if (st != TACIT_OK) {
                json_decref(rows);
                return complain("graph: %s", tacit_status_text(st));
            }
            const char *refused = refusal(text, sizeof text, &b);
            if (json)
                json_array_append_new(rows, as_json(&b, true, refused));
            else
                print_row(&b, refused != NULL);
        }
    return json ? print_json(json_pack("{s:o}", "rows", rows)) : 0;
}

int cmd_graph(int argc, char **argv) {
    uint32_t n = 0;
    uint16_t max_colluding = 100, max_dropout = 200;
    bool whole_table = false, json = false;
    const arg_option options[] = {
        {"devices", ARG_U32, &n, "N", "devices in the cohort, 3 to 10000"},
        {"max-colluding", ARG_FRACTION, &max_colluding, "F", "fraction that may collude"},
        {"max-dropout", ARG_FRACTION, &max_dropout, "F", "fraction that may drop out"},
        {"table", ARG_FLAG, &whole_table, NULL, "the table of docs/GRAPH.md instead, in Markdown"},
        {"json", ARG_FLAG, &json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    args_result parsed =
        args_parse(argc, argv, options, "graph --devices N [OPTIONS]", about, NULL, 0, NULL);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (whole_table) return n == 0 ? table(json) : misuse("graph wants --devices or --table");
    if (n == 0) return misuse("graph wants --devices N, or --table");
    return show(n, max_colluding, max_dropout, json);
}
