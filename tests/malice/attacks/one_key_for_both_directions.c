/* SPDX-License-Identifier: Apache-2.0
 * one_key_for_both_directions.c - a phone drops out after it shared, so its neighbours reveal the
 * keys of its boxes of s. If the box a neighbour sealed to that phone had the same key as the box
 * it got from it, the server, which has both, would open the neighbour's own share of s as well:
 * a share of s beside the shares of b that every survivor's holders reveal. Each dropout is one
 * more, until the count that must stay below t_v is not kept any longer. From and to are in the
 * key. */
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 9 };

/* Opens the box of s from `survivor` to `dropped` by the key revealed for the opposite one. */
static bool opens(const cohort *c, const uint8_t *boxes, const tacit_RevealedShare *revealed,
                  uint32_t survivor) {
    uint8_t share[TACIT_SHARE_LEN];
    uint32_t dropped = revealed->owner;
    const uint8_t *box = boxes + (size_t)cohort_edge(c, survivor, dropped) * COHORT_PAIR_LEN;
    return revealed->kind == TACIT_KIND_S &&
           tacit_share_open(share, box, revealed->key, c->session, survivor, dropped,
                            TACIT_KIND_S) == TACIT_OK;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 47};
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    const cohort *c = r.f.cohort;
    size_t len = (size_t)c->offsets[N] * COHORT_PAIR_LEN;
    uint8_t *boxes = malloc(len);
    assert_non_null(boxes);
    memcpy(boxes, c->boxes, len);
    r.f.devices[0].gone = true;
    rig_finish_until(&r, COHORT_REVEAL);
    uint32_t second = 0;
    for (uint32_t i = 1; i < N; i++) {
        rig_request(&r, i);
        for (uint32_t k = 1; k < r.m.count; k++)
            second += opens(c, boxes, &r.m.items[k].body.revealed, rig_index(&r, r.d));
    }
    *why = "the key of one direction does not open the other";
    free(boxes);
    rig_free(&r);
    return second == N - 1;
}

const malice_attack malice_one_key_for_both_directions = {
    .finding = "H3",
    .attack = "the key revealed for a dropped device's box opens a share of s of its holder too",
    .check = "tacit_share_key",
    .wins = wins,
};
