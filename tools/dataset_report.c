/* SPDX-License-Identifier: Apache-2.0
 * dataset_report.c - see dataset_report.h. */
#include "tools/dataset_report.h"

#include <stdlib.h>

#include "tools/output.h"

int dataset_report_save(const dataset *d, const char *folder, bool overwrite) {
    static const char *const files[] = {"catalogue.csv", "interactions.csv"};
    char path[OUTPUT_PATH_LEN];
    if (folder_make(folder) != 0) return 1;
    for (size_t i = 0; i < 2 && !overwrite; i++) {
        if (!path_join(path, folder, files[i])) return complain("%.80s...: too long", folder);
        if (path_exists(path))
            return complain("%s is already there; --overwrite replaces it", path);
    }
    tacit_status st = dataset_save(d, folder);
    return st == TACIT_OK ? 0 : complain("%s: %s", folder, tacit_status_text(st));
}

typedef struct {
    size_t pairs, touched, kinds[TACIT_EVENT_SKIP + 1];
} numbers;

static tacit_status count(numbers *n, const dataset *d) {
    dataset_split *s = NULL;
    memset(n, 0, sizeof *n);
    tacit_status st = dataset_split_new(&s, d, 0, 0);
    if (st != TACIT_OK) return st;
    n->pairs = s->train_offsets[s->person_count];
    uint8_t *seen = calloc(d->catalogue->count, 1);
    if (seen == NULL) st = TACIT_NO_SPACE;
    for (size_t i = 0; i < d->event_count && st == TACIT_OK; i++) {
        n->kinds[d->events[i].kind]++;
        n->touched += !seen[d->events[i].item];
        seen[d->events[i].item] = 1;
    }
    free(seen);
    dataset_split_free(s);
    return st;
}

static int print_as_json(const dataset *d, const char *folder, const numbers *n, double seconds) {
    json_t *root = json_object(), *kinds = json_object();
    for (int k = TACIT_EVENT_VIEW; k <= TACIT_EVENT_SKIP; k++)
        json_object_set_new(kinds, dataset_kind_name((uint8_t)k), json_count(n->kinds[k]));
    json_object_set_new(root, "folder", json_text(folder));
    json_object_set_new(root, "dataset", json_text(d->name));
    json_object_set_new(root, "people", json_count(d->person_count));
    json_object_set_new(root, "items", json_count(d->catalogue->count));
    json_object_set_new(root, "items_touched", json_count(n->touched));
    json_object_set_new(root, "events", json_count(d->event_count));
    json_object_set_new(root, "pairs", json_count(n->pairs));
    json_object_set_new(root, "kinds", kinds);
    json_object_set_new(root, "bad_lines", json_count(d->bad_lines));
    json_object_set_new(root, "left_out", json_text(d->summary));
    json_object_set_new(root, "catalogue", json_hash(d->catalogue->digest));
    if (seconds >= 0) json_object_set_new(root, "seconds", json_number(seconds));
    return print_json(root);
}

int dataset_report_print(const dataset *d, const char *folder, bool json, double seconds) {
    numbers n;
    tacit_status st = count(&n, d);
    if (st != TACIT_OK) return complain("%s", tacit_status_text(st));
    if (json) return print_as_json(d, folder, &n, seconds);
    printf("%s: %zu people, %zu items (%zu touched), %zu events, %zu distinct pairs\n", d->name,
           d->person_count, d->catalogue->count, n.touched, d->event_count, n.pairs);
    if (d->summary[0]) printf("%s\n", d->summary);
    if (d->bad_lines > 0) printf("%zu bad lines left out\n", d->bad_lines);
    printf("written: %s/catalogue.csv, %s/interactions.csv", folder, folder);
    if (seconds >= 0) printf(" (%.2f s)", seconds);
    printf("\n");
    return 0;
}
