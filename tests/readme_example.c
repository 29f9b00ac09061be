/* SPDX-License-Identifier: Apache-2.0
 * readme_example.c - the first program of README.md: a device on which some items
 * were tapped ranks the others, offline, and says why. KEY: model_key of app/pins.ini. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/port/posix.h"

static void must(const char *what, tacit_status st) {
    if (st == TACIT_OK) return;
    fprintf(stderr, "%s: %s\n", what, tacit_status_text(st));
    exit(1);
}

int main(int argc, char **argv) {
    static uint8_t model[1 << 24], workspace[1 << 20] __attribute__((aligned(16)));
    tacit_posix_config folders = {.store_folder = "store", .keystore_folder = "keystore"};
    tacit_options options = {.max_items = 10000, .max_factor = 128, .max_history = 500};
    tacit_posix *posix;
    tacit_platform host;
    tacit *t;
    if (argc < 4 || strlen(argv[2]) != 64) return fprintf(stderr, "MODEL KEY ITEM...\n"), 2;
    for (int i = 0; i < 32; i++) sscanf(argv[2] + 2 * i, "%2hhx", &options.model_key[i]);
    FILE *in = fopen(argv[1], "rb");
    size_t len = in ? fread(model, 1, sizeof model, in) : 0;
    if (in) fclose(in);

    options.epsilon = 8; /* what this device would spend at most, if it ever contributed */
    options.delta = 1e-5;
    options.period_s = 30 * 86400;
    must("platform", tacit_posix_open(&posix, &folders));
    tacit_posix_platform(posix, &host);
    must("keystore", host.mac(host.self, options.history_key, (const uint8_t *)"history", 7));
    must("open", tacit_open(&t, workspace, sizeof workspace, &options, &host));
    must("model", tacit_model_install(t, model, len));

    for (int i = 3; i < argc; i++) {
        tacit_event tap = {.item = tacit_item_of_key(argv[i]), .kind = TACIT_EVENT_CLICK};
        must("record", tacit_record(t, &tap));
    }
    tacit_scored best[5];
    size_t count, reasons;
    must("recommend", tacit_recommend(t, best, &count, 5, NULL));
    for (size_t i = 0; i < count; i++) {
        tacit_explanation why;
        tacit_reason most;
        must("explain", tacit_explain(t, &why, &most, &reasons, 1, best[i].item));
        printf("%llu (%.3f)", (unsigned long long)best[i].item, (double)best[i].score);
        if (reasons > 0) printf(" because of %llu", (unsigned long long)most.item);
        printf("\n");
    }
    tacit_close(t); /* wipes the workspace */
    tacit_posix_close(posix);
    return 0;
}
