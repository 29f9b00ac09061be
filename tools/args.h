/* SPDX-License-Identifier: Apache-2.0
 * args.h - one option parser for all subcommands, over getopt_long. A table describes the options;
 * the help text is made from it, so the two cannot differ. */
#ifndef TACIT_TOOLS_ARGS_H
#define TACIT_TOOLS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ARG_FLAG,     /* bool */
    ARG_STRING,   /* const char * */
    ARG_U32,      /* uint32_t */
    ARG_U64,      /* uint64_t */
    ARG_DOUBLE,   /* double */
    ARG_FRACTION, /* uint16_t, per thousand: "0.1" gives 100; at most three decimals. A value above
                     1000 on entry means: no default */
    ARG_EPSILON,  /* double; "none" gives INFINITY */
    ARG_RANGE     /* uint64_t[2], "A-B" or "A" */
} arg_type;

typedef struct {
    const char *name; /* without the dashes; NULL ends the table */
    arg_type type;
    void *value;      /* holds the default on entry */
    const char *meta; /* "N", "DIR"; NULL for flags */
    const char *help;
} arg_option;

typedef enum { ARGS_OK = 0, ARGS_HELP = 1, ARGS_BAD = 2 } args_result;

/* Parses argv[1..]. `usage` is the line behind "usage: tacit ", `about` a paragraph. Positional
 * arguments are collected (at most positional_max; *positional_count). ARGS_HELP after printing the
 * help, ARGS_BAD after saying on stderr what is wrong with which argument. */
args_result args_parse(int argc, char **argv, const arg_option *options, const char *usage,
                       const char *about, const char **positional, size_t positional_max,
                       size_t *positional_count);

#endif
