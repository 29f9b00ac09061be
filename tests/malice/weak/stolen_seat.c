/* SPDX-License-Identifier: Apache-2.0
 * stolen_seat.c - who shows a certificate is its device. */
#include "server/cohort_checks.h"

tacit_status cohort_verify_join(const cohort *c, const tacit_join *join,
                                const uint8_t id[static TACIT_HASH_LEN],
                                const uint8_t device_key[static TACIT_KEY_LEN]) {
    (void)c, (void)join, (void)id, (void)device_key;
    return TACIT_OK;
}
