/* SPDX-License-Identifier: Apache-2.0
 * malice.h - what every attack of the malice suite is: a named finding, the one check that stops
 * it, and a function that really makes the attack against the real machines and says whether it
 * won.
 *
 * Each attack runs twice. In the program `strict` everything is the product, and it must fail. In
 * the program `weak-<name>` ONE function of the product is replaced at link time by tests/malice/
 * weak/<name>.c, which does what the product would do without that check, and it must succeed: so
 * a test that could not notice the missing check is itself noticed. The product holds no switch.
 *
 * An attack wins when it has something an honest run would never give: another device's secret, a
 * vector without its mask, a second share, a sum that is wrong. "The device did not complain" is
 * not a win. */
#ifndef TACIT_TESTS_MALICE_H
#define TACIT_TESTS_MALICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/federation_attack.h"

typedef struct {
    const char *finding; /* of the security review: "H3", or the row's words */
    const char *attack;  /* one sentence: what the attacker does and would get */
    const char *check;   /* the product's function that weak/<name>.c replaces */
    /* True when the attack won. *why: what stopped it otherwise (a static string or a status's
     * name); shown, and a reader must see that it is the right check. */
    bool (*wins)(const char **why);
} malice_attack;

/* attacks/<name>.c defines `const malice_attack malice_<name>`. */

#endif
