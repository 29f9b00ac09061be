/* SPDX-License-Identifier: Apache-2.0
 * item.h - one rule that turns a host's item key into the 64-bit item id used everywhere. */
#ifndef TACIT_COMMON_ITEM_H
#define TACIT_COMMON_ITEM_H

#include "common/base.h"

/* Decimal strings below 2^63 without leading zeros give their own value; any other string the first
 * 8 bytes (little-endian) of BLAKE2b-256('tacit/item/v1', key) with the top bit set. */
uint64_t tacit_item_id(const char *key);

#endif
