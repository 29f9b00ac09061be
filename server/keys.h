/* SPDX-License-Identifier: Apache-2.0
 * keys.h - the keys of a deployment: what `tacit init DIR` makes and who may read which.
 *
 *   DIR/authority/authority.key   signs device certificates; tacitd never reads this folder: move
 *   DIR/authority/authority.pub   it to another host (security H8, H9)
 *   DIR/keys/plan.key  .pub       signs plans             (Ed25519 seed as 64 hex digits, 0600)
 *   DIR/keys/model.key .pub       signs model files
 *   DIR/keys/authority.pub        the copy tacitd names in plans
 *   DIR/keys/tls.key   tls.crt    ECDSA P-256, self-signed, for localhost and 127.0.0.1
 *   DIR/app/pins.ini              what the app pins: plan_key, model_key, authority_key
 *   DIR/app/server.crt            and the TLS certificate
 *
 * Nothing that exists is ever overwritten. */
#ifndef TACIT_SERVER_KEYS_H
#define TACIT_SERVER_KEYS_H

#include "common/base.h"

typedef struct {
    uint8_t public_key[TACIT_KEY_LEN];
    uint8_t secret[TACIT_SIGN_SECRET_LEN];
} keys_pair;

typedef struct {
    keys_pair plan, model;
    uint8_t authority_key[TACIT_KEY_LEN];
} keys_server;

typedef struct {
    uint8_t plan_key[TACIT_KEY_LEN], model_key[TACIT_KEY_LEN], authority_key[TACIT_KEY_LEN];
} keys_pins;

/* Room for the sentence about what went wrong. */
enum { KEYS_NOTE_LEN = 255 };

/* Makes DIR (when it does not exist) and all of the above. note: KEYS_NOTE_LEN + 1 bytes, names the
 * file on failure. IO; DUPLICATE when one of the files exists (nothing is then made). */
TACIT_MUST_CHECK tacit_status keys_init(const char *dir, char *note);

/* IO, BAD_KEY (a file is malformed, readable by others, or does not match its .pub). */
TACIT_MUST_CHECK tacit_status keys_load_server(keys_server *keys, char *note, const char *dir);
TACIT_MUST_CHECK tacit_status keys_load_authority(keys_pair *pair, char *note, const char *dir);
/* Reads a pins.ini; path is that file. */
TACIT_MUST_CHECK tacit_status keys_load_pins(keys_pins *pins, char *note, const char *path);

void keys_server_wipe(keys_server *keys);

#endif
