/* SPDX-License-Identifier: Apache-2.0
 * graph_cut_by_dropouts.c - neighbours by place instead of by chance: groups of 125 that all know
 * each other, and 20 of each know 20 of the next. As many neighbours as the cycles give. */
#include "common/graph.h"

enum { GROUP = 125, GATES = 20 };

static bool joined(uint32_t a, uint32_t b, uint32_t n) {
    uint32_t groups = n / GROUP, x = a / GROUP, y = b / GROUP;
    if (x == y) return a != b;
    bool next = (x + 1) % groups == y || (y + 1) % groups == x;
    return next && a % GROUP < GATES && b % GROUP < GATES;
}

tacit_status tacit_graph_build(uint32_t *offsets, uint16_t *adjacent, size_t adjacent_cap,
                               const tacit_graph_rule *rule, const uint8_t *seed,
                               uint16_t *scratch) {
    uint32_t count = 0;
    (void)seed;
    (void)scratch;
    for (uint32_t v = 0; v < rule->n; v++) {
        offsets[v] = count;
        for (uint32_t j = 0; j < rule->n; j++) {
            if (!joined(v, j, rule->n)) continue;
            if (count == adjacent_cap) return TACIT_NO_SPACE;
            adjacent[count++] = (uint16_t)j;
        }
    }
    offsets[rule->n] = count;
    return TACIT_OK;
}
