/* SPDX-License-Identifier: Apache-2.0
 * arm_ring.c - the ring kernels of a 64-bit ARM, checked there by a program that stands alone. */
#include <stdio.h>

#include "tests/support/ring_check.h"

#ifndef TACIT_RING_NEON
#error "this program is for a CPU with NEON"
#endif

int main(void) {
    const struct {
        const char *name;
        ring_kernel kernel;
        size_t most_left;
    } cases[] = {{"portable", ring_check_portable, 0},
                 {"NEON", tacit_ring_run_neon, 15},
                 {"dispatch", ring_check_public, 0}};
    int bad = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wrong = ring_check(cases[i].kernel, cases[i].most_left);
        printf("%s: %s\n", cases[i].name, wrong == NULL ? "right" : wrong);
        bad += wrong != NULL;
    }
    bool first = strcmp(tacit_ring_kernel_name(), "neon") == 0;
    if (!first) printf("dispatch takes %s\n", tacit_ring_kernel_name());
    return bad != 0 || !first;
}
