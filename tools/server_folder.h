/* SPDX-License-Identifier: Apache-2.0
 * server_folder.h - what `tacit` reads of the folder a server works in. It never makes a folder a
 * server folder; only `tacit init` does. */
#ifndef TACIT_TOOLS_SERVER_FOLDER_H
#define TACIT_TOOLS_SERVER_FOLDER_H

#include "server/catalogue.h"
#include "server/config.h"
#include "server/store.h"

/* Each returns 0, or 1 after a complaint on stderr. */
int server_folder_store(store **out, const char *dir);
int server_folder_config(config *out, const char *dir);
/* The catalogue named in the configuration. */
int server_folder_catalogue(catalogue **out, const char *dir, const config *c);

/* "waiting", "active", "done", "failed". */
const char *run_state_name(run_state state);
/* "auto", "hi", "lo", "lo50", "content"; and back: false for any other name. */
const char *run_preset_name(int32_t preset);
bool run_preset_of(int32_t *preset, const char *name);

#endif
