/* SPDX-License-Identifier: Apache-2.0
 * model_file.h - a model file in memory, verified under the pinned key: from a server folder's
 * store or from a file beside a pins.ini. */
#ifndef TACIT_TOOLS_MODEL_FILE_H
#define TACIT_TOOLS_MODEL_FILE_H

#include "common/model.h"
#include "server/keys.h"

typedef struct {
    uint8_t *bytes; /* owned; model has views into it */
    size_t len;
    tacit_model model;
    keys_pins pins;
} model_file;

/* Each returns 0, or 1 after a complaint on stderr. number 0: the latest. */
int model_file_of_server(model_file *m, const char *dir, uint64_t number);
int model_file_of_path(model_file *m, const char *path, const char *pins_path);
void model_file_close(model_file *m);

#endif
