/* SPDX-License-Identifier: Apache-2.0
 * args.c - see args.h. */
#include "tools/args.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64 };

static bool parse_number(uint64_t *out, const char *s, uint64_t max) {
    char *end;
    errno = 0;
    if (s[0] < '0' || s[0] > '9') return false;
    *out = strtoull(s, &end, 10);
    return *end == 0 && errno == 0 && *out <= max;
}

static bool parse_double(double *out, const char *s) {
    char *end;
    *out = strtod(s, &end);
    return end != s && *end == 0 && isfinite(*out);
}

/* "0.1", ".125", "0", "1": thousandths, exactly. */
static bool parse_fraction(uint16_t *out, const char *s) {
    double v;
    const char *dot = strchr(s, '.');
    if (!parse_double(&v, s) || v < 0 || v > 1 || strpbrk(s, "eExX") != NULL) return false;
    if (dot != NULL && strlen(dot + 1) > 3) return false;
    *out = (uint16_t)lround(v * 1000);
    return true;
}

static bool parse_range(uint64_t out[2], const char *s) {
    char first[32];
    const char *dash = strchr(s, '-');
    if (dash == NULL) return parse_number(&out[0], s, UINT64_MAX) && (out[1] = out[0], true);
    size_t len = (size_t)(dash - s);
    if (len >= sizeof first) return false;
    memcpy(first, s, len);
    first[len] = 0;
    return parse_number(&out[0], first, UINT64_MAX) &&
           parse_number(&out[1], dash + 1, UINT64_MAX) && out[0] <= out[1];
}

static bool assign(const arg_option *o, const char *text) {
    uint64_t n;
    switch (o->type) {
        case ARG_FLAG: *(bool *)o->value = true; return true;
        case ARG_STRING: *(const char **)o->value = text; return true;
        case ARG_U32:
            if (!parse_number(&n, text, UINT32_MAX)) return false;
            *(uint32_t *)o->value = (uint32_t)n;
            return true;
        case ARG_U64: return parse_number(o->value, text, UINT64_MAX);
        case ARG_DOUBLE: return parse_double(o->value, text);
        case ARG_FRACTION: return parse_fraction(o->value, text);
        case ARG_EPSILON:
            if (strcmp(text, "none") == 0) {
                *(double *)o->value = INFINITY;
                return true;
            }
            return parse_double(o->value, text) && *(double *)o->value > 0;
        case ARG_RANGE: return parse_range(o->value, text);
    }
    return false;
}

static const char *expectation(arg_type type) {
    switch (type) {
        case ARG_U32:
        case ARG_U64: return "a whole number";
        case ARG_DOUBLE: return "a number";
        case ARG_FRACTION: return "a fraction from 0 to 1 with at most three decimals";
        case ARG_EPSILON: return "a positive number or 'none'";
        case ARG_RANGE: return "a number or a range A-B";
        case ARG_FLAG:
        case ARG_STRING: break;
    }
    return "a value";
}

static void print_default(const arg_option *o) {
    switch (o->type) {
        case ARG_FLAG: break;
        case ARG_STRING:
            if (*(const char **)o->value) printf(" [%s]", *(const char **)o->value);
            break;
        case ARG_U32:
            if (*(uint32_t *)o->value) printf(" [%u]", *(uint32_t *)o->value);
            break;
        case ARG_U64:
            if (*(uint64_t *)o->value) printf(" [%llu]", (unsigned long long)*(uint64_t *)o->value);
            break;
        case ARG_EPSILON:
        case ARG_DOUBLE:
            if (isinf(*(double *)o->value))
                printf(" [none]");
            else if (*(double *)o->value != 0)
                printf(" [%g]", *(double *)o->value);
            break;
        case ARG_FRACTION:
            if (*(uint16_t *)o->value <= 1000) printf(" [%g]", *(uint16_t *)o->value / 1000.0);
            break;
        case ARG_RANGE: {
            const uint64_t *r = o->value;
            printf(" [%llu-%llu]", (unsigned long long)r[0], (unsigned long long)r[1]);
            break;
        }
    }
}

static void print_help(const arg_option *options, const char *usage, const char *about) {
    printf("usage: tacit %s\n\n%s\n\noptions:\n", usage, about);
    for (const arg_option *o = options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->meta ? " " : "",
                 o->meta ? o->meta : "");
        printf("  %-24s %s", left, o->help);
        print_default(o);
        printf("\n");
    }
    printf("  %-24s %s\n", "--help", "this text");
}

args_result args_parse(int argc, char **argv, const arg_option *options, const char *usage,
                       const char *about, const char **positional, size_t positional_max,
                       size_t *positional_count) {
    struct option table[MAX_OPTIONS + 2];
    size_t count = 0;
    memset(table, 0, sizeof table);
    for (; options[count].name && count < MAX_OPTIONS; count++) {
        table[count].name = options[count].name;
        table[count].has_arg = options[count].type == ARG_FLAG ? no_argument : required_argument;
        table[count].val = (int)count + 256;
    }
    table[count].name = "help";
    table[count].val = 'h';
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", table, NULL)) != -1;) {
        if (c == 'h') {
            print_help(options, usage, about);
            return ARGS_HELP;
        }
        if (c < 256) {
            fprintf(stderr, "usage: tacit %s (see --help)\n", usage);
            return ARGS_BAD;
        }
        const arg_option *o = &options[c - 256];
        if (!assign(o, optarg)) {
            fprintf(stderr, "tacit: --%s wants %s, not '%s'\n", o->name, expectation(o->type),
                    optarg);
            return ARGS_BAD;
        }
    }
    size_t found = 0;
    for (; optind < argc; optind++) {
        if (found == positional_max) {
            fprintf(stderr, "tacit: unexpected argument '%s'\n", argv[optind]);
            return ARGS_BAD;
        }
        positional[found++] = argv[optind];
    }
    if (positional_count != NULL) *positional_count = found;
    return ARGS_OK;
}
