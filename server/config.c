/* SPDX-License-Identifier: Apache-2.0
 * config.c - see config.h. One table of keys makes parsing, printing and range checks. Lines are
 * cut here and only taken apart by inih, so that the line numbers in notes are ours. */
#include "server/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>

typedef enum { KIND_NUMBER, KIND_FRACTION, KIND_TEXT } key_kind;

typedef struct {
    const char *section, *name;
    key_kind kind;
    size_t offset;
    uint32_t least, most;
} key;

#define NUMBER(section, name, least, most) \
    { section, #name, KIND_NUMBER, offsetof(config, name), least, most }
#define FRACTION(section, name) \
    { section, #name, KIND_FRACTION, offsetof(config, name), 0, 500 }
#define TEXT(section, name) \
    { section, #name, KIND_TEXT, offsetof(config, name), 0, 0 }

static const key keys[] = {
    TEXT("server", listen),
    NUMBER("server", port, 0, 65535),
    NUMBER("server", workers, 0, 1024),
    NUMBER("server", hold_s, 1, TACIT_HOLD_MAX_S),
    NUMBER("server", retry_s, 1, 3600),
    NUMBER("server", staged_mb, 8, 1 << 20),
    NUMBER("server", max_connections, 16, 100000),
    TEXT("server", catalogue),
    NUMBER("round", join_s, 1, TACIT_JOIN_PHASE_MAX_S),
    NUMBER("round", share_s, 1, 3600),
    NUMBER("round", mask_s, 1, 3600),
    NUMBER("round", agree_s, 1, 3600),
    NUMBER("round", reveal_s, 1, 3600),
    FRACTION("round", max_colluding),
    FRACTION("round", max_dropout),
    NUMBER("round", n_lo, 3, TACIT_MAX_COHORT),
    NUMBER("round", n_hi, 3, TACIT_MAX_COHORT),
    NUMBER("round", n_min_floor, 0, TACIT_MAX_COHORT),
    NUMBER("round", expected, 0, TACIT_MAX_COHORT),
    NUMBER("round", separation_s, 0, 366 * 86400),
    NUMBER("round", back_off_s, 1, 3600),
    NUMBER("round", quiet_s, 0, 600),
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

typedef struct {
    config *out;
    char *note;
    const char *name, *data;
    size_t len, at;
    int line, set_line[KEY_COUNT]; /* where each key was set */
    bool failed;
} reading;

void config_default(config *c) {
    memset(c, 0, sizeof *c);
    memcpy(c->listen, "127.0.0.1", sizeof "127.0.0.1");
    memcpy(c->catalogue, "catalogue.csv", sizeof "catalogue.csv");
    c->port = 8443;
    c->hold_s = TACIT_HOLD_MAX_S;
    c->retry_s = 5;
    c->staged_mb = 256;
    c->max_connections = 4096;
    c->join_s = c->mask_s = 120;
    c->share_s = c->agree_s = c->reveal_s = 60;
    c->max_colluding = 100;
    c->max_dropout = 200;
    c->n_lo = 100;
    c->n_hi = 2000;
    c->separation_s = 3600;
    c->back_off_s = 5;
    c->quiet_s = 5;
}

static bool number(uint32_t *out, const char *text) {
    uint64_t v = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 10) return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)v;
    return v <= UINT32_MAX;
}

tacit_status config_fraction(uint32_t *per_thousand, const char *text) {
    uint32_t v = 0, unit = 1000;
    if (text[0] != '0') return TACIT_CONFIG;
    if (text[1] == '.') {
        if (text[2] == 0) return TACIT_CONFIG;
        for (const char *digit = text + 2; *digit != 0; digit++) {
            if (*digit < '0' || *digit > '9' || unit == 1) return TACIT_CONFIG;
            unit /= 10;
            v += unit * (uint32_t)(*digit - '0');
        }
    } else if (text[1] != 0) {
        return TACIT_CONFIG;
    }
    *per_thousand = v;
    return v <= 500 ? TACIT_OK : TACIT_CONFIG;
}

/* Keeps the first complaint. */
static int complain(reading *r, const char *format, const char *a, const char *b) {
    if (r->failed) return 0;
    r->failed = true;
    int n = snprintf(r->note, CONFIG_NOTE_LEN + 1, "%.100s:%d: ", r->name, r->line);
    snprintf(r->note + n, CONFIG_NOTE_LEN + 1 - (size_t)n, format, a, b);
    return 0;
}

static int take_number(reading *r, const key *k, const char *value) {
    uint32_t v = 0;
    char range[48];
    snprintf(range, sizeof range, "%u to %u", k->least, k->most);
    if (!number(&v, value) || v < k->least || v > k->most)
        return complain(r, "%s must be a whole number from %s", k->name, range);
    memcpy((char *)r->out + k->offset, &v, sizeof v);
    return 1;
}

static int take_fraction(reading *r, const key *k, const char *value) {
    uint32_t v = 0;
    if (config_fraction(&v, value) != TACIT_OK)
        return complain(r, "%s must be from 0 to 0.5 with at most three decimals, not '%.40s'",
                        k->name, value);
    memcpy((char *)r->out + k->offset, &v, sizeof v);
    return 1;
}

static bool is_address(const char *text) {
    uint8_t address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static int take_text(reading *r, const key *k, const char *value) {
    size_t len = strlen(value);
    if (len == 0 || len > CONFIG_TEXT_LEN)
        return complain(r, "%s must have 1 to %s characters", k->name, "127");
    if (value[0] == ';') /* behind "= " it would be a comment: one way or the other a slip */
        return complain(r, "%s must not begin with ';'%s", k->name, "");
    if (k->offset == offsetof(config, listen) && !is_address(value))
        return complain(r, "%s must be an IPv4 or IPv6 address, not '%.60s'", k->name, value);
    memcpy((char *)r->out + k->offset, value, len + 1);
    return 1;
}

static int take(void *self, const char *section, const char *name, const char *value) {
    reading *r = self;
    if (r->failed) return 0;
    bool section_known = false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const key *k = &keys[i];
        if (strcmp(section, k->section) != 0) continue;
        section_known = true;
        if (strcmp(name, k->name) != 0) continue;
        char before[16];
        snprintf(before, sizeof before, "%d", r->set_line[i]);
        if (r->set_line[i] != 0) return complain(r, "%s was set before, in line %s", name, before);
        r->set_line[i] = r->line;
        if (k->kind == KIND_NUMBER) return take_number(r, k, value);
        return k->kind == KIND_FRACTION ? take_fraction(r, k, value) : take_text(r, k, value);
    }
    if (section_known) return complain(r, "unknown key '%.60s' in [%.60s]", name, section);
    return complain(r, "unknown section [%.60s] (key '%.60s')", section, name);
}

/* Hands one line to inih; lines it could not hold whole or that are no text end the reading. */
static char *next_line(char *out, int cap, void *self) {
    reading *r = self;
    if (r->failed || r->at == r->len) return NULL;
    size_t n = 0, room = (size_t)cap - 1;
    r->line++;
    while (r->at < r->len) {
        char c = r->data[r->at++];
        if (c == 0 || n == room) {
            complain(r, c == 0 ? "a zero byte%s%s" : "the line is too long%s%s", "", "");
            return NULL;
        }
        out[n++] = c;
        if (c == '\n') break;
    }
    out[n] = 0;
    return out;
}

static int line_of(const reading *r, const uint32_t *field) {
    for (size_t i = 0; i < KEY_COUNT; i++)
        if ((const char *)r->out + keys[i].offset == (const char *)field) return r->set_line[i];
    return 0;
}

/* Rules between keys; the note points at the later of the two lines. */
static void check_pair(reading *r, const uint32_t *low, const uint32_t *high, const char *what) {
    if (r->failed || *low <= *high) return;
    int a = line_of(r, low), b = line_of(r, high);
    r->line = a > b ? a : b;
    complain(r, "%s%s", what, "");
}

tacit_status config_parse(config *c, char *note, const char *name, const char *data, size_t len) {
    reading r = {.out = c, .note = note, .name = name, .data = data, .len = len};
    config_default(c);
    note[0] = 0;
    int line = ini_parse_stream(next_line, &r, take, &r);
    if (line != 0 && !r.failed) {
        r.line = line > 0 ? line : r.line;
        complain(&r, "neither [section], key = value nor ; comment%s%s", "", "");
    }
    check_pair(&r, &c->n_lo, &c->n_hi, "n_lo is above n_hi");
    check_pair(&r, &c->n_min_floor, &c->n_hi, "n_min_floor is above n_hi");
    check_pair(&r, &c->expected, &c->n_hi, "expected is above n_hi");
    return r.failed ? TACIT_CONFIG : TACIT_OK;
}

tacit_status config_load(config *c, char *note, const char *path) {
    enum { FILE_MAX = 65536 };
    config_default(c);
    note[0] = 0;
    FILE *in = fopen(path, "re");
    if (in == NULL && errno == ENOENT) return TACIT_OK;
    char *data = malloc(FILE_MAX);
    tacit_status st = TACIT_IO;
    if (in != NULL && data != NULL) {
        size_t len = fread(data, 1, FILE_MAX, in);
        if (!ferror(in)) st = len < FILE_MAX ? TACIT_OK : TACIT_CONFIG;
        if (st == TACIT_OK) st = config_parse(c, note, path, data, len);
    }
    if (st != TACIT_OK && note[0] == 0)
        snprintf(note, CONFIG_NOTE_LEN + 1, "%.200s: %s", path,
                 st == TACIT_IO ? strerror(errno) : "the file is too large");
    free(data);
    if (in != NULL) fclose(in);
    return st;
}

void config_print(const config *c, FILE *out) {
    const char *section = "";
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const key *k = &keys[i];
        const char *at = (const char *)c + k->offset;
        uint32_t v = 0;
        if (strcmp(section, k->section) != 0) fprintf(out, "[%s]\n", section = k->section);
        if (k->kind != KIND_TEXT) memcpy(&v, at, sizeof v);
        if (k->kind == KIND_TEXT) fprintf(out, "%s = %s\n", k->name, at);
        if (k->kind == KIND_NUMBER) fprintf(out, "%s = %u\n", k->name, v);
        if (k->kind == KIND_FRACTION) fprintf(out, "%s = 0.%03u\n", k->name, v);
    }
}
