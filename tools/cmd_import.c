/* SPDX-License-Identifier: Apache-2.0
 * cmd_import.c - `tacit import`: a catalogue and interactions into a folder of Tacit's own format.
 */
#include <stdio.h>
#include <time.h>

#include "tools/args.h"
#include "tools/commands.h"
#include "tools/dataset.h"
#include "tools/dataset_report.h"
#include "tools/output.h"

typedef struct {
    const char *format, *separator, *default_event;
    dataset_csv csv;
    dataset_options load;
    bool overwrite, json;
} options;

static const char about[] =
    "Reads people's interactions and a catalogue and writes FOLDER/catalogue.csv and\n"
    "FOLDER/interactions.csv. SOURCE is a folder with the files of a known dataset (MovieLens\n"
    "100K: u.data, u.item; MovieLens 1M pairs: interactions.csv, items.csv; Online Retail:\n"
    "online_retail.csv[.gz]), a folder made by tacit, or a CSV file of interactions with named\n"
    "columns. Every bad line is reported with its number, counted and left out. This is a tool\n"
    "for trying and measuring: a product never collects such files.";

static args_result parse(options *o, int argc, char **argv, const char **positional,
                         size_t *count) {
    const arg_option table[] = {
        {"format", ARG_STRING, &o->format, "NAME", "auto, tacit, ml-100k, ml-1m, retail, csv"},
        {"catalogue", ARG_STRING, &o->csv.catalogue, "FILE",
         "csv: items (none: those of the interactions)"},
        {"separator", ARG_STRING, &o->separator, "C", "csv: one character, or 'tab'"},
        {"person", ARG_STRING, &o->csv.person, "COLUMN", "csv: column of the person (person)"},
        {"item", ARG_STRING, &o->csv.item, "COLUMN", "csv: column of the item (item)"},
        {"event", ARG_STRING, &o->csv.event, "COLUMN",
         "csv: column of view, click, cart, purchase, rating, skip"},
        {"default-event", ARG_STRING, &o->default_event, "KIND", "csv: where that is empty"},
        {"value", ARG_STRING, &o->csv.value, "COLUMN", "csv: column of the value"},
        {"time", ARG_STRING, &o->csv.time, "COLUMN", "csv: Unix seconds or a date"},
        {"item-key", ARG_STRING, &o->csv.item_key, "COLUMN", "csv: the item in the catalogue"},
        {"title", ARG_STRING, &o->csv.title, "COLUMN", "csv: its title"},
        {"kind", ARG_STRING, &o->csv.kind, "COLUMN", "csv: product or offer"},
        {"features", ARG_STRING, &o->csv.features, "COLUMNS",
         "csv: a,b,...: their words become features"},
        {"min-items", ARG_U32, &o->load.min_items, "N",
         "leave out people with fewer distinct items (0: retail 5, else 1)"},
        {"strict", ARG_FLAG, &o->load.strict, NULL, "stop at the first bad line"},
        {"overwrite", ARG_FLAG, &o->overwrite, NULL, "replace a dataset that is already there"},
        {"json", ARG_FLAG, &o->json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    return args_parse(argc, argv, table, "import SOURCE FOLDER [OPTIONS]", about, positional, 2,
                      count);
}

static bool format_of(dataset_format *out, bool *csv, const char *name, const char *source) {
    static const char *const names[] = {"auto", "tacit", "ml-100k", "ml-1m", "retail"};
    *csv = strcmp(name, "csv") == 0 ||
           (strcmp(name, "auto") == 0 && path_exists(source) && !path_is_folder(source));
    *out = DATASET_AUTO;
    if (*csv) return true;
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (dataset_format)i;
            return true;
        }
    return false;
}

/* Checks what the parser cannot; 0 or an exit status. */
static int check(options *o, bool csv) {
    if (!csv) {
        const dataset_csv *c = &o->csv;
        if (c->person || c->item || c->catalogue || c->event || c->value || c->time ||
            c->item_key || c->title || c->kind || c->features || o->separator || o->default_event)
            return misuse("the column options are for --format csv");
        return 0;
    }
    if (o->separator != NULL && strcmp(o->separator, "tab") != 0 && strlen(o->separator) != 1)
        return misuse("--separator wants one character or 'tab', not '%s'", o->separator);
    if (o->csv.person == NULL) o->csv.person = "person";
    if (o->csv.item == NULL) o->csv.item = "item";
    o->csv.separator = ',';
    if (o->separator != NULL) o->csv.separator = o->separator[1] ? '\t' : o->separator[0];
    if (o->default_event != NULL && (o->csv.default_kind = dataset_kind_of(o->default_event)) == 0)
        return misuse("--default-event: no event is called '%s'", o->default_event);
    return 0;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int cmd_import(int argc, char **argv) {
    options o = {.format = "auto", .load = {.errors = stderr}};
    const char *paths[2] = {NULL, NULL};
    char note[TACIT_NOTE_LEN + 1] = "";
    size_t count = 0;
    bool csv;
    args_result parsed = parse(&o, argc, argv, paths, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 2) return misuse("import wants a source and a folder");
    if (!format_of(&o.load.format, &csv, o.format, paths[0]))
        return misuse("--format: nothing is called '%s'", o.format);
    int wrong = check(&o, csv);
    if (wrong != 0) return wrong;
    o.csv.interactions = paths[0];
    dataset *d = NULL;
    double start = now_s();
    tacit_status st = csv ? dataset_load_csv(&d, note, &o.csv, &o.load)
                          : dataset_load(&d, note, paths[0], &o.load);
    if (st != TACIT_OK) return complain("%s", note[0] ? note : tacit_status_text(st));
    int exit_status = dataset_report_save(d, paths[1], o.overwrite);
    if (exit_status == 0) exit_status = dataset_report_print(d, paths[1], o.json, now_s() - start);
    dataset_free(d);
    return exit_status;
}
