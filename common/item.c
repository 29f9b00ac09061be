/* SPDX-License-Identifier: Apache-2.0 */
#include "common/item.h"

#include "common/crypto.h"

static bool parse_decimal(uint64_t *out, const char *key) {
    if (key[0] == 0 || (key[0] == '0' && key[1] != 0)) return false;
    uint64_t v = 0;
    for (const char *p = key; *p; p++) {
        if (*p < '0' || *p > '9') return false;
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > ((UINT64_C(1) << 63) - 1 - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

uint64_t tacit_item_id(const char *key) {
    uint64_t v;
    if (parse_decimal(&v, key)) return v;
    uint8_t digest[TACIT_HASH_LEN];
    tacit_hash_of(digest, TACIT_LABEL_ITEM_ID, key, strlen(key));
    return tacit_get_u64(digest) | UINT64_C(1) << 63;
}
