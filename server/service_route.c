/* SPDX-License-Identifier: Apache-2.0
 * service_route.c - the targets devices may ask for, taken apart to the letter: decimal numbers
 * without sign or leading zero, lower-case hexadecimal, nothing before or behind. */
#include "server/service_internal.h"

static bool skip(const char **at, const char *text) {
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0) return false;
    *at += len;
    return true;
}

static bool number(uint64_t *out, const char **at, uint64_t most) {
    uint64_t v = 0;
    const char *from = *at;
    if (*from == '0' && from[1] >= '0' && from[1] <= '9') return false;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (v > (most - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return *at != from;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hash(uint8_t out[static TACIT_HASH_LEN], const char **at) {
    for (size_t i = 0; i < TACIT_HASH_LEN; i++, *at += 2) {
        int high = digit_of((*at)[0]), low = high < 0 ? -1 : digit_of((*at)[1]);
        if (low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool phase_name(cohort_phase *out, const char *at) {
    static const char *const names[] = {"share", "mask", "agree", "reveal"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(at, names[i]) != 0) continue;
        *out = (cohort_phase)(COHORT_SHARE + i);
        return true;
    }
    return false;
}

tacit_status route_parse(route *out, const char *target) {
    const char *at = target;
    uint64_t cohort_number = 0;
    memset(out, 0, sizeof *out);
    if (strcmp(at, "/v1/plan") == 0) {
        out->kind = ROUTE_PLAN;
        return TACIT_OK;
    }
    if (skip(&at, "/v1/model/after/")) {
        out->kind = ROUTE_MODEL_AFTER;
        return number(&out->round, &at, UINT64_MAX) && *at == 0 ? TACIT_OK : TACIT_NOT_FOUND;
    }
    if (skip(&at, "/v1/model/")) {
        out->kind = ROUTE_MODEL;
        return hash(out->digest, &at) && *at == 0 ? TACIT_OK : TACIT_NOT_FOUND;
    }
    out->kind = ROUTE_PHASE;
    if (skip(&at, "/v1/rounds/")) {
        out->phase = COHORT_JOIN;
        bool good = number(&out->round, &at, UINT64_MAX) && strcmp(at, "/join") == 0;
        return good ? TACIT_OK : TACIT_NOT_FOUND;
    }
    bool good = skip(&at, "/v1/cohorts/") && number(&out->round, &at, UINT64_MAX) &&
                skip(&at, "-") && number(&cohort_number, &at, UINT32_MAX) && skip(&at, "/") &&
                phase_name(&out->phase, at);
    out->cohort = (uint32_t)cohort_number;
    return good ? TACIT_OK : TACIT_NOT_FOUND;
}
