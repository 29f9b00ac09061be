/* SPDX-License-Identifier: Apache-2.0
 * simulate_report.c - see simulate_report.h. */
#include "tools/simulate_report.h"

#include <jansson.h>
#include <stdio.h>

void simulate_report_begin(const simulate_report *r, const simulate_world *w) {
    const simulate_options *o = w->options;
    (void)r;
    if (o->json) return;
    printf("%s: %u people, %zu items; %g of each person's items held out\n", w->data->name,
           o->devices, w->data->catalogue->count, o->test_share);
    printf(
        "%u devices %s; %g %% of them vanish at a random stage of each round\n", o->devices,
        o->in_process ? "in this process, without sockets" : "over TLS on loopback against tacitd",
        100 * o->dropout);
    printf(
        "epsilon %g at delta %g per device for the whole run (zero-out adjacency); "
        "max_colluding %g, max_dropout %g\n\n",
        o->epsilon, o->delta, o->max_colluding / 1000.0, o->max_dropout / 1000.0);
    fflush(stdout);
}

static const char *kind_of(const tacit_plan *p) {
    if (p->blocks == TACIT_BLOCK_COUNTS) return "counts";
    return p->blocks == TACIT_BLOCK_GRADIENT ? "gradient" : "counts+gradient";
}

void simulate_report_round(const simulate_report *r, bool json) {
    const simulate_round *x = &r->rounds[r->round_count - 1];
    if (json) return;
    if (r->round_count == 1)
        printf("%5s %-16s %7s %7s %9s %8s %8s %7s %9s %9s %9s %8s\n", "round", "kind", "NDCG@20",
               "rec@20", "epsilon", "joined", "survived", "dropped", "KB up", "KB down",
               "cpu s/dev", "seconds");
    const store_record *c = &x->record;
    printf("%5llu %-16s ", (unsigned long long)c->round, kind_of(&x->plan));
    if (c->status != TACIT_OK) {
        printf("failed: %s; %s\n", tacit_status_text((tacit_status)c->status), c->note);
    } else {
        printf("%7.4f %7.4f %9.4f %8u %8u %7u %9.1f %9.1f %9.3f %8.1f\n", x->quality.ndcg,
               x->quality.recall, c->epsilon_so_far, c->joined, c->survivors,
               x->fleet.device_count - x->fleet.succeeded, x->fleet.bytes_up / 1e3,
               x->fleet.bytes_down / 1e3, x->fleet.cpu_s, x->seconds);
    }
    if (x->fleet.failed > 0)
        printf("      %u devices left for another reason, the first with %s\n", x->fleet.failed,
               tacit_status_name(x->fleet.first_failure));
    if (x->fleet.receipts_differ) printf("      RECEIPTS DIFFER between devices\n");
    fflush(stdout);
}

static const char *title_of(const simulate_world *w, uint64_t item) {
    long at = catalogue_find(w->data->catalogue, item);
    return at < 0 ? "?" : w->data->catalogue->items[at].title;
}

static tacit_status explain(simulate_recommendation *out, const simulate_world *w, tacit *t,
                            const tacit_scored *scored) {
    tacit_explanation e;
    tacit_reason reasons[3];
    tacit_status st = tacit_explain(t, &e, reasons, &out->reason_count, 3, scored->item);
    if (st != TACIT_OK) return st;
    out->title = title_of(w, scored->item);
    out->score = e.score;
    out->bias = e.bias;
    out->base = e.base;
    out->rest = e.rest;
    for (size_t i = 0; i < out->reason_count; i++) {
        out->reasons[i].title = title_of(w, reasons[i].item);
        out->reasons[i].share = reasons[i].share;
    }
    return TACIT_OK;
}

tacit_status simulate_report_end(simulate_report *r, const simulate_world *w, fleet *f) {
    uint32_t wanted = w->options->people_shown;
    if (wanted > SIMULATE_MAX_PEOPLE) wanted = SIMULATE_MAX_PEOPLE;
    for (uint32_t p = 0; p < w->options->devices && r->person_count < wanted; p++) {
        tacit *t = fleet_device(f, p);
        tacit_scored list[SIMULATE_SHOWN];
        size_t count;
        if (tacit_history_count(t) < 5) continue;
        tacit_status st = tacit_recommend(t, list, &count, SIMULATE_SHOWN, NULL);
        for (size_t i = 0; i < count && st == TACIT_OK; i++)
            st = explain(&r->people[r->person_count].items[i], w, t, &list[i]);
        if (st != TACIT_OK) return st;
        r->people[r->person_count].key = w->data->keys[p];
        r->people[r->person_count].history_count = tacit_history_count(t);
        r->people[r->person_count++].item_count = count;
    }
    return TACIT_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static json_t *round_json(const simulate_round *x) {
    const store_record *c = &x->record;
    return json_pack(
        "{s:I, s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:[i,i,i,i,i], s:i}",
        "round", (json_int_t)c->round, "kind", kind_of(&x->plan), "status",
        tacit_status_name((tacit_status)c->status), "joined", (int)c->joined, "shared",
        (int)c->shared, "survivors", (int)c->survivors, "epsilon_so_far", c->epsilon_so_far,
        "bytes_up", x->fleet.bytes_up, "bytes_down", x->fleet.bytes_down, "ndcg20", x->quality.ndcg,
        "recall20", x->quality.recall, "device_cpu_s", x->fleet.cpu_s, "seconds", x->seconds,
        "vanished_before", (int)x->fleet.vanished[0], (int)x->fleet.vanished[1],
        (int)x->fleet.vanished[2], (int)x->fleet.vanished[3], (int)x->fleet.vanished[4],
        "left_otherwise", (int)x->fleet.failed);
}

static json_t *people_json(const simulate_report *r) {
    json_t *people = json_array();
    for (uint32_t p = 0; p < r->person_count; p++) {
        json_t *items = json_array();
        for (size_t i = 0; i < r->people[p].item_count; i++) {
            const simulate_recommendation *x = &r->people[p].items[i];
            json_t *reasons = json_array();
            for (size_t j = 0; j < x->reason_count; j++)
                json_array_append_new(reasons, json_pack("{s:s, s:f}", "item", x->reasons[j].title,
                                                         "share", (double)x->reasons[j].share));
            json_array_append_new(
                items, json_pack("{s:s, s:f, s:f, s:f, s:f, s:o}", "item", x->title, "score",
                                 (double)x->score, "bias", (double)x->bias, "base", (double)x->base,
                                 "rest", (double)x->rest, "because", reasons));
        }
        json_array_append_new(
            people, json_pack("{s:s, s:I, s:o}", "person", r->people[p].key, "history",
                              (json_int_t)r->people[p].history_count, "recommended", items));
    }
    return people;
}

static json_t *report_json(const simulate_report *r, const simulate_world *w) {
    const simulate_options *o = w->options;
    json_t *rounds = json_array();
    for (uint32_t i = 0; i < r->round_count; i++)
        json_array_append_new(rounds, round_json(&r->rounds[i]));
    json_t *central_ndcg = r->has_central ? json_real(r->central.ndcg) : json_null();
    json_t *central_recall = r->has_central ? json_real(r->central.recall) : json_null();
    return json_pack(
        "{s:s, s:i, s:f, s:f, s:f, s:f, s:b, s:s, s:o, s:{s:f,s:f,s:o}, "
        "s:{s:f,s:f,s:o}, s:o}",
        "dataset", w->data->name, "devices", (int)o->devices, "epsilon", o->epsilon, "delta",
        o->delta, "seconds", r->seconds, "dropout", o->dropout, "tls", !o->in_process, "server",
        o->folder, "rounds", rounds, "ndcg20", "popularity", r->popularity.ndcg, "federated",
        r->federated.ndcg, "central", central_ndcg, "recall20", "popularity", r->popularity.recall,
        "federated", r->federated.recall, "central", central_recall, "people", people_json(r));
}

static int write_json(const simulate_report *r, const simulate_world *w) {
    const simulate_options *o = w->options;
    int failed = 0;
    json_t *root = report_json(r, w);
    if (root == NULL) return 1;
    if (o->report != NULL && json_dump_file(root, o->report, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "tacit simulate: cannot write %s\n", o->report);
        failed = 1;
    }
    if (o->json) {
        failed |= json_dumpf(root, stdout, JSON_INDENT(2)) != 0;
        printf("\n");
    }
    json_decref(root);
    return failed;
}

/* ---- Text --------------------------------------------------------------------------------------
 */

static void print_people(const simulate_report *r) {
    for (uint32_t p = 0; p < r->person_count; p++) {
        printf("\nperson %s, %zu items of history on the device:\n", r->people[p].key,
               r->people[p].history_count);
        for (size_t i = 0; i < r->people[p].item_count; i++) {
            const simulate_recommendation *x = &r->people[p].items[i];
            printf("  %zu. %s\n     score %.4f = bias %.4f + base %.4f", i + 1, x->title,
                   (double)x->score, (double)x->bias, (double)x->base);
            for (size_t j = 0; j < x->reason_count; j++)
                printf(" + %.4f (%s)", (double)x->reasons[j].share, x->reasons[j].title);
            printf(" + %.4f (the other items)\n", (double)x->rest);
        }
    }
}

static void print_comparison(const simulate_report *r) {
    printf("\n%-22s %8s %8s\n", "", "NDCG@20", "rec@20");
    printf("%-22s %8.4f %8.4f\n", "popularity", r->popularity.ndcg, r->popularity.recall);
    printf("%-22s %8.4f %8.4f\n", "private, federated", r->federated.ndcg, r->federated.recall);
    if (!r->has_central) return;
    double gap = r->central.ndcg - r->popularity.ndcg;
    printf("%-22s %8.4f %8.4f\n", "central, not private", r->central.ndcg, r->central.recall);
    if (gap > 0)
        printf("the private model closes %.0f %% of the gap from popularity to the ceiling\n",
               100 * (r->federated.ndcg - r->popularity.ndcg) / gap);
}

int simulate_report_print(const simulate_report *r, const simulate_world *w) {
    const simulate_options *o = w->options;
    if (!o->json) {
        print_comparison(r);
        print_people(r);
        printf("\n%.0f seconds. ", r->seconds);
        if (o->in_process)
            printf("Nothing was kept: keys lie in %s\n", o->folder);
        else
            printf("Model and record: %s/store.sqlite (`tacit model %s`, `tacit round %s list`)\n",
                   o->folder, o->folder, o->folder);
        if (o->report != NULL) printf("Report: %s\n", o->report);
    }
    return write_json(r, w);
}
