/* SPDX-License-Identifier: Apache-2.0
 * storage_contract.h - what tacit.h asks of a host's storage and model slot, as one suite that
 * every implementation must pass. It speaks to the callbacks alone and assumes nothing about what
 * stands behind them. A port to another platform runs it too: see docs/PORTING.md. */
#ifndef TACIT_TESTS_STORAGE_CONTRACT_H
#define TACIT_TESTS_STORAGE_CONTRACT_H

#include "firmware/tacit.h"

typedef struct {
    tacit_platform callbacks; /* only storage_* and model_* are used */
    void *self;
    /* Ends the store as a power cut would between two calls, opens it again over the same data and
     * sets the callbacks. False on failure. */
    bool (*reopen)(void *self, tacit_platform *callbacks);
} storage_subject;

/* Runs the suite as one cmocka group. make gives a new, empty store for each test as *state (a
 * storage_subject), end removes it. Returns the number of failed tests. */
int storage_contract_run(const char *name, int (*make)(void **state), int (*end)(void **state));

#endif
