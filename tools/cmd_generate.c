/* SPDX-License-Identifier: Apache-2.0
 * cmd_generate.c - `tacit generate`: a synthetic shop, for trying things out without data. */
#include <stdio.h>

#include "tools/args.h"
#include "tools/commands.h"
#include "tools/dataset.h"
#include "tools/dataset_report.h"
#include "tools/output.h"

int cmd_generate(int argc, char **argv) {
    dataset_generate_spec spec = {.people = 1200, .items = 800, .events_per_person = 40, .seed = 1};
    bool overwrite = false, json = false;
    const arg_option options[] = {
        {"people", ARG_U32, &spec.people, "N", "people"},
        {"items", ARG_U32, &spec.items, "N", "items, at least 10"},
        {"events", ARG_DOUBLE, &spec.events_per_person, "N",
         "mean number of events of a person, at least 5"},
        {"seed", ARG_U64, &spec.seed, "N", "the same seed gives the same shop"},
        {"overwrite", ARG_FLAG, &overwrite, NULL, "replace a dataset that is already there"},
        {"json", ARG_FLAG, &json, NULL, "one JSON object on stdout"},
        {NULL, ARG_FLAG, NULL, NULL, NULL}};
    const char *folder = NULL;
    size_t count = 0;
    args_result parsed = args_parse(
        argc, argv, options, "generate FOLDER [OPTIONS]",
        "Makes a synthetic shop: long-tailed items with categories, brands, words and prices, and\n"
        "people with tastes, part of which no feature tells. FOLDER gets catalogue.csv and\n"
        "interactions.csv.",
        &folder, 1, &count);
    if (parsed != ARGS_OK) return parsed == ARGS_HELP ? 0 : 2;
    if (count < 1) return misuse("generate wants a folder");
    dataset *d = NULL;
    tacit_status st = dataset_generate(&d, &spec);
    if (st == TACIT_INVALID_ARGUMENT)
        return misuse("generate wants people >= 1, items >= 10 and 5 <= events <= items");
    if (st != TACIT_OK) return complain("generate: %s", tacit_status_text(st));
    int exit_status = dataset_report_save(d, folder, overwrite);
    if (exit_status == 0) exit_status = dataset_report_print(d, folder, json, -1);
    dataset_free(d);
    return exit_status;
}
