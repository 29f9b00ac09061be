/* SPDX-License-Identifier: Apache-2.0
 * posix.h - a complete tacit_platform for POSIX systems: system clock, OS randomness, LMDB storage,
 * a keystore folder, HTTPS.
 *
 * The keystore is a folder of its own (0700) with three files (0600): `identity` (Ed25519 seed),
 * `mac` (key of the ledger's MAC) and `counter`. They are made together once; a keystore that has
 * an identity but lacks one of the others is refused, never completed. Both folders are locked
 * while the platform is open: one process at a time. The keystore is weaker than a hardware
 * keystore: whoever can write the folder can copy it back. Keep it out of backups and on another
 * path than the store, so that a restored store does not bring its old counter along. Where the
 * system has a keystore, fill in sign, mac and counter_* from there. */
#ifndef TACIT_FIRMWARE_PORT_POSIX_H
#define TACIT_FIRMWARE_PORT_POSIX_H

#include "firmware/port/https.h"
#include "firmware/tacit.h"

typedef struct tacit_posix tacit_posix;

typedef struct {
    const char *store_folder;       /* history, ledger, model */
    const char *keystore_folder;    /* identity, MAC key, counter */
    const char *host, *port;        /* of the server; NULL: no network */
    const tacit_https_trust *trust; /* with host; must outlive the platform */
    uint32_t timeout_s;             /* of one wait for the network, 0: 75 s */
} tacit_posix_config;

/* Opens or creates both folders (their parents must exist) and the keys. STORAGE: a file cannot be
 * made or read, is of another size or missing, or a folder is in use. NO_SPACE; INVALID_ARGUMENT
 * for a host without trust or port; INTERNAL when libsodium refuses. */
TACIT_CHECKED tacit_status tacit_posix_open(tacit_posix **out, const tacit_posix_config *config);
/* Wipes the keys. NULL allowed. */
void tacit_posix_close(tacit_posix *p);

/* Fills in all callbacks; valid as long as p. */
void tacit_posix_platform(tacit_posix *p, tacit_platform *out);

/* The identity's public key: what the enrolment authority certifies. */
void tacit_posix_identity(const tacit_posix *p, uint8_t public_key[32]);

/* The connection, NULL without a host: for hosts that want to drop it. */
tacit_https *tacit_posix_connection(tacit_posix *p);

/* Makes the current and all later waits and exchanges return LEFT, from any thread or a signal
 * handler; only a name look-up under way is not cut short. */
void tacit_posix_cancel(tacit_posix *p);

#endif
