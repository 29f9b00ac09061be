/* SPDX-License-Identifier: Apache-2.0
 * route_fuzz.c - any target: what is taken for a route is written in the one way it can be, so that
 * no two targets mean the same (caches and proxies compare them as text). */
#include <string.h>

#include "server/service_internal.h"
#include "tests/fuzz/fuzz.h"

/* The target of a route, spelled out again. */
static void spell(char *out, size_t cap, const route *r) {
    static const char *const names[] = {"join", "share", "mask", "agree", "reveal"};
    unsigned long long number = r->round;
    size_t at = 0;
    switch (r->kind) {
        case ROUTE_PLAN: snprintf(out, cap, "/v1/plan"); break;
        case ROUTE_MODEL_AFTER: snprintf(out, cap, "/v1/model/after/%llu", number); break;
        case ROUTE_MODEL:
            at = (size_t)snprintf(out, cap, "/v1/model/");
            for (size_t i = 0; i < TACIT_HASH_LEN; i++, at += 2)
                snprintf(out + at, cap - at, "%02x", (unsigned)r->digest[i]);
            break;
        case ROUTE_PHASE:
            if (r->phase == COHORT_JOIN)
                snprintf(out, cap, "/v1/rounds/%llu/join", number);
            else
                snprintf(out, cap, "/v1/cohorts/%llu-%u/%s", number, r->cohort, names[r->phase]);
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char target[TACIT_HTTP_TARGET_MAX + 1], again[TACIT_HTTP_TARGET_MAX + 1];
    route r;
    if (size > TACIT_HTTP_TARGET_MAX) return 0;
    memcpy(target, data, size);
    target[size] = 0;
    if (route_parse(&r, target) != TACIT_OK) return 0;
    spell(again, sizeof again, &r);
    REQUIRE(strcmp(target, again) == 0);
    return 0;
}
