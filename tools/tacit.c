/* SPDX-License-Identifier: Apache-2.0
 * tacit.c - the command-line tool: a table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "firmware/tacit.h"
#include "tools/commands.h"

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} commands[] = {
#define XX(name, about) {#name, about, cmd_##name},
    TACIT_COMMAND_MAP(XX)
#undef XX
};

static void usage(FILE *out) {
    fprintf(out, "usage: tacit COMMAND [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].about);
    fprintf(out, "\n`tacit COMMAND --help` tells the options of a command.\n");
}

int main(int argc, char **argv) {
    if (tacit_crypto_init() != TACIT_OK) {
        fprintf(stderr, "tacit: libsodium does not start\n");
        return 1;
    }
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("tacit %s\n", TACIT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "tacit: no command '%s'; `tacit --help` lists them\n", argv[1]);
    return 2;
}
