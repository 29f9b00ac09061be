/* SPDX-License-Identifier: Apache-2.0
 * malice.c - runs one attack: `PROGRAM NAME` prints what came of it, and exits with 0 when it was
 * stopped, 3 when it won, anything else when it could not be made. Without a name: the list. */
#include <stdio.h>

#include "common/crypto.h"
#include "tests/malice/malice.h"

#define XX(name) extern const malice_attack malice_##name;
#include "malice_list.h"
#undef XX

static const struct {
    const char *name;
    const malice_attack *attack;
} attacks[] = {
#define XX(name) {#name, &malice_##name},
#include "malice_list.h"
#undef XX
};

enum { STOPPED = 0, BROKEN = 2, WON = 3 };

int main(int argc, char **argv) {
    if (tacit_crypto_init() != TACIT_OK) return BROKEN;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        const malice_attack *a = attacks[i].attack;
        if (argc < 2) printf("%s\t%s\t%s\t%s\n", attacks[i].name, a->finding, a->check, a->attack);
        if (argc < 2 || strcmp(argv[1], attacks[i].name) != 0) continue;
        const char *why = "?";
        bool won = a->wins(&why);
        printf("%s\n", won ? "won" : why);
        return won ? WON : STOPPED;
    }
    return argc < 2 ? 0 : BROKEN;
}
