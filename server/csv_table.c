/* SPDX-License-Identifier: Apache-2.0
 * csv_table.c - see csv_table.h. libcsv splits rows when quoting is on; files without quoting
 * (MovieLens) are split on the separator alone, because a lone quote there is text. */
#include "server/csv_table.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

typedef struct {
    const csv_spec *spec;
    csv_result result;
    tacit_status status;
    size_t line;                       /* of the file, at the end of the row being collected */
    size_t newlines;                   /* line breaks inside quoted fields of this row */
    bool named;                        /* the header was read (or is not wanted) */
    long place[CSV_MAX_COLUMNS];       /* position of each wanted column, -1: absent */
    size_t field_count;                /* fields collected of this row */
    size_t start[CSV_MAX_COLUMNS + 1]; /* offsets of the fields in text */
    bool too_many, too_long;
    char *text;
    size_t text_len, text_cap;
} reader;

/* Where the row begins. */
static size_t row_line(const reader *r) {
    return r->line > r->newlines ? r->line - r->newlines : 1;
}

static void report(reader *r, const char *note) {
    size_t limit = r->spec->error_limit ? r->spec->error_limit : 20;
    r->result.bad++;
    FILE *f = r->spec->errors;
    if (f != NULL && r->result.bad <= limit)
        fprintf(f, "%s:%zu: %s\n", r->spec->name, row_line(r), note);
    if (f != NULL && r->result.bad == limit + 1)
        fprintf(f, "%s: more bad lines are counted but not shown\n", r->spec->name);
    if (r->spec->strict) r->status = TACIT_BAD_MESSAGE;
}

static void add_byte(reader *r, char c) {
    if (r->text_len == r->text_cap) {
        size_t cap = r->text_cap ? r->text_cap * 2 : 1024;
        char *grown = realloc(r->text, cap);
        if (grown == NULL) {
            r->status = TACIT_NO_SPACE;
            return;
        }
        r->text = grown;
        r->text_cap = cap;
    }
    r->text[r->text_len++] = c;
}

static void add_field(reader *r, const char *data, size_t len) {
    if (r->status != TACIT_OK) return;
    for (size_t i = 0; i < len && r->spec->quotes; i++)
        if (data[i] == '\r' || (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))) r->newlines++;
    if (r->field_count == CSV_MAX_COLUMNS) {
        r->too_many = true;
        return;
    }
    if (len > CSV_MAX_FIELD) r->too_long = true;
    r->start[r->field_count++] = r->text_len;
    for (size_t i = 0; i < len && !r->too_long; i++) {
        unsigned char c = (unsigned char)data[i];
        if (r->spec->latin1 && c >= 0x80) {
            add_byte(r, (char)(0xC0 | c >> 6));
            add_byte(r, (char)(0x80 | (c & 0x3F)));
        } else {
            add_byte(r, c == 0 ? ' ' : (char)c);
        }
    }
    add_byte(r, 0);
}

static void read_header(reader *r) {
    const csv_spec *s = r->spec;
    if (strncmp(r->text, "\xEF\xBB\xBF", 3) == 0) r->start[0] += 3; /* byte order mark */
    for (size_t w = 0; w < s->column_count; w++) {
        const char *name = s->columns[w];
        size_t len = strlen(name);
        bool optional = len > 0 && name[len - 1] == '?';
        if (optional) len--;
        r->place[w] = -1;
        for (size_t i = 0; i < r->field_count; i++) {
            const char *have = r->text + r->start[i];
            if (strlen(have) == len && memcmp(have, name, len) == 0) r->place[w] = (long)i;
        }
        if (r->place[w] < 0 && !optional) {
            if (s->errors)
                fprintf(s->errors, "%s:%zu: no column named '%.*s'\n", s->name, row_line(r),
                        (int)len, name);
            r->status = TACIT_BAD_MESSAGE;
        }
    }
    r->named = true;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    while (*p != 0) {
        unsigned char c = *p++, low = 0x80, high = 0xBF;
        int more = c < 0x80 ? 0 : c >= 0xC2 && c < 0xE0 ? 1 : (c & 0xF0) == 0xE0 ? 2 : 3;
        if ((c >= 0x80 && c < 0xC2) || c > 0xF4) return false;
        if (c == 0xE0) low = 0xA0;
        if (c == 0xED) high = 0x9F;
        if (c == 0xF0) low = 0x90;
        if (c == 0xF4) high = 0x8F;
        for (; more > 0; more--, p++, low = 0x80, high = 0xBF)
            if (*p < low || *p > high) return false;
    }
    return true;
}

static void data_row(reader *r) {
    const char *fields[CSV_MAX_COLUMNS];
    char note[TACIT_NOTE_LEN + 1] = "";
    r->result.lines++;
    if (r->too_many || r->too_long) {
        report(r, r->too_many ? "too many columns" : "a field is too long");
        return;
    }
    for (size_t w = 0; w < r->spec->column_count; w++) {
        long at = r->place[w];
        if (at >= 0 && (size_t)at >= r->field_count) {
            snprintf(note, sizeof note, "%zu columns, wanted at least %ld", r->field_count, at + 1);
            report(r, note);
            return;
        }
        fields[w] = at < 0 ? "" : r->text + r->start[at];
        if (!is_utf8(fields[w])) {
            report(r, "a field is not UTF-8 text");
            return;
        }
    }
    tacit_status st = r->spec->row(r->spec->self, note, fields, row_line(r));
    if (st == TACIT_BAD_MESSAGE)
        report(r, note);
    else if (st != TACIT_OK)
        r->status = st;
}

static void end_row(reader *r) {
    bool empty = r->field_count == 0 ||
                 (r->field_count == 1 && r->text_len > 0 && r->text[r->start[0]] == 0);
    if (r->status == TACIT_OK && !empty) {
        if (!r->named)
            read_header(r);
        else
            data_row(r);
    }
    r->newlines = r->field_count = r->text_len = 0;
    r->too_many = r->too_long = false;
}

static void on_field(void *data, size_t len, void *self) { add_field(self, data, len); }

static void on_row(int terminator, void *self) {
    (void)terminator;
    end_row(self);
}

typedef struct {
    reader r;
    struct csv_parser parser; /* quoting files */
    bool after_cr;            /* the line break before was a CR, whose LF may follow */
    char *pending;            /* plain files: the rest of an unfinished line */
    size_t pending_len, pending_cap;
} splitter;

static void plain_line(reader *r, const char *line, size_t len) {
    if (len > 0 && line[len - 1] == '\r') len--;
    size_t from = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && line[i] != r->spec->separator) continue;
        add_field(r, line + from, i - from);
        from = i + 1;
    }
    end_row(r);
}

static void plain_feed(splitter *s, const char *data, size_t len) {
    for (size_t i = 0; i < len && s->r.status == TACIT_OK; i++) {
        if (data[i] == '\n') {
            plain_line(&s->r, s->pending ? s->pending : "", s->pending_len);
            s->pending_len = 0;
            s->r.line++;
            continue;
        }
        if (s->pending_len == s->pending_cap) {
            size_t cap = s->pending_cap ? s->pending_cap * 2 : 1024;
            char *grown = cap > (1u << 20) ? NULL : realloc(s->pending, cap);
            if (grown == NULL) {
                s->r.status = TACIT_TOO_LARGE;
                return;
            }
            s->pending = grown;
            s->pending_cap = cap;
        }
        s->pending[s->pending_len++] = data[i];
    }
}

static tacit_status begin(splitter *s, const csv_spec *spec) {
    memset(s, 0, sizeof *s);
    s->r.spec = spec;
    s->r.line = 1;
    s->r.named = !spec->header;
    for (size_t i = 0; i < CSV_MAX_COLUMNS; i++) s->r.place[i] = (long)i;
    assert(spec->column_count <= CSV_MAX_COLUMNS);
    if (spec->quotes && csv_init(&s->parser, CSV_APPEND_NULL) != 0) return TACIT_NO_SPACE;
    if (spec->quotes) csv_set_delim(&s->parser, (unsigned char)spec->separator);
    return TACIT_OK;
}

/* Line by line, so that a row's line is known when it ends (libcsv passes over empty lines in
 * silence). */
static void quoted_feed(splitter *s, const char *data, size_t len) {
    for (size_t from = 0; from < len && s->r.status == TACIT_OK;) {
        size_t to = from;
        while (to < len && data[to] != '\n' && data[to] != '\r') to++;
        size_t piece = to - from + (to < len);
        if (csv_parse(&s->parser, data + from, piece, on_field, on_row, &s->r) != piece) {
            s->r.status = TACIT_TOO_LARGE;
            return;
        }
        if (to < len && !(data[to] == '\n' && to == from && s->after_cr)) s->r.line++;
        s->after_cr = to < len ? data[to] == '\r' : false;
        from += piece;
    }
}

static void feed(splitter *s, const char *data, size_t len) {
    if (s->r.status != TACIT_OK) return;
    if (s->r.spec->quotes)
        quoted_feed(s, data, len);
    else
        plain_feed(s, data, len);
}

static tacit_status end(splitter *s, csv_result *result) {
    if (s->r.spec->quotes) {
        if (s->r.status == TACIT_OK) csv_fini(&s->parser, on_field, on_row, &s->r);
        csv_free(&s->parser);
    } else if (s->pending_len > 0 && s->r.status == TACIT_OK) {
        plain_line(&s->r, s->pending, s->pending_len);
    }
    if (s->r.status == TACIT_OK && !s->r.named) s->r.status = TACIT_TRUNCATED;
    free(s->pending);
    free(s->r.text);
    if (result != NULL) *result = s->r.result;
    return s->r.status;
}

tacit_status csv_read_memory(const csv_spec *spec, csv_result *result, const char *data,
                             size_t len) {
    splitter s;
    tacit_status st = begin(&s, spec);
    if (st != TACIT_OK) return st;
    feed(&s, data, len);
    return end(&s, result);
}

tacit_status csv_read(const csv_spec *spec, csv_result *result, const char *path) {
    splitter s;
    errno = 0;
    gzFile f = gzopen(path, "rb");
    if (f == NULL) return errno == ENOENT ? TACIT_NOT_FOUND : TACIT_IO;
    tacit_status st = begin(&s, spec);
    if (st != TACIT_OK) {
        gzclose(f);
        return st;
    }
    char buffer[65536];
    int got;
    while ((got = gzread(f, buffer, sizeof buffer)) > 0) feed(&s, buffer, (size_t)got);
    st = end(&s, result);
    int closed = gzclose(f); /* says so when the compressed stream ends too early */
    if ((got < 0 || closed != Z_OK) && st == TACIT_OK) st = TACIT_IO;
    return st;
}

void csv_write_field(FILE *out, const char *field) {
    size_t len = strlen(field);
    bool blank = len > 0 && (strchr(" \t", field[0]) || strchr(" \t", field[len - 1]));
    if (!blank && strpbrk(field, ",\"\r\n") == NULL) {
        fputs(field, out);
        return;
    }
    fputc('"', out);
    for (const char *p = field; *p; p++) {
        if (*p == '"') fputc('"', out);
        fputc(*p, out);
    }
    fputc('"', out);
}
