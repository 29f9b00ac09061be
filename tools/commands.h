/* SPDX-License-Identifier: Apache-2.0
 * commands.h - the subcommands of `tacit`. Each parses its own argv (argv[0] is its name), prints
 * its result on stdout (one JSON object with --json), trouble on stderr, and returns the process's
 * exit status: 0 success, 1 failure, 2 wrong arguments. */
#ifndef TACIT_TOOLS_COMMANDS_H
#define TACIT_TOOLS_COMMANDS_H

#define TACIT_COMMAND_MAP(XX)                                                \
    XX(init, "make keys, certificates, configuration and store in a folder") \
    XX(import, "read a catalogue and interactions into a folder")            \
    XX(generate, "make a synthetic shop for trying things out")              \
    XX(simulate, "run many real devices against a server")                   \
    XX(evaluate, "measure recommendation quality under a privacy budget")    \
    XX(recommend, "recommend for one person of a dataset, with reasons")     \
    XX(round, "start a training run; show the record of rounds")             \
    XX(model, "list, verify and show model files")                           \
    XX(graph, "what the graph of a cohort of this size guarantees")          \
    XX(status, "show a server folder: runs, models, record")

#define XX(name, about) int cmd_##name(int argc, char **argv);
TACIT_COMMAND_MAP(XX)
#undef XX
/* `tacit simulate` with --virtual among its arguments. */
int cmd_virtual(int argc, char **argv);

#endif
