/* SPDX-License-Identifier: Apache-2.0
 * csv_fuzz.c - any bytes as a table and as a catalogue. The first byte picks the dialect. Fields
 * are UTF-8 and bounded, line numbers only grow, and a catalogue that was read prints and reads
 * back alike. */
#include "server/catalogue.h"
#include "server/csv_table.h"
#include "tests/fuzz/fuzz.h"
#include "tools/import_internal.h"

typedef struct {
    size_t rows, last_line, lines;
} seen;

static tacit_status look(void *self, char *note, const char *const *fields, size_t line) {
    seen *s = self;
    float value;
    uint64_t number;
    REQUIRE(line > s->last_line && line <= s->lines);
    s->last_line = line;
    s->rows++;
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(strlen(fields[i]) <= 2 * CSV_MAX_FIELD);
        for (const unsigned char *p = (const unsigned char *)fields[i]; *p; p++)
            REQUIRE(*p != 0xC0 && *p != 0xC1 && *p < 0xF5);
        if (import_u64(&number, fields[i])) REQUIRE(fields[i][0] >= '0' && fields[i][0] <= '9');
        if (import_float(&value, fields[i])) REQUIRE(value == value);
        if (import_date(&number, fields[i])) REQUIRE(number < UINT64_C(253402300861));
    }
    if (fields[0][0] != '!') return TACIT_OK;
    snprintf(note, TACIT_NOTE_LEN + 1, "refused");
    return TACIT_BAD_MESSAGE;
}

static void as_table(uint8_t dialect, const char *data, size_t size) {
    seen s = {.lines = 1};
    csv_result result = {0, 0};
    for (size_t i = 0; i < size; i++) s.lines += data[i] == '\n' || data[i] == '\r';
    csv_spec spec = {.name = "f",
                     .separator = dialect & 1 ? '|' : ',',
                     .header = dialect & 2,
                     .latin1 = dialect & 4,
                     .quotes = dialect & 8,
                     .strict = dialect & 16,
                     .columns = {"a", "b?", "c?"},
                     .column_count = 3,
                     .row = look,
                     .self = &s};
    tacit_status st = csv_read_memory(&spec, &result, data, size);
    REQUIRE(st == TACIT_OK || st == TACIT_BAD_MESSAGE || st == TACIT_TRUNCATED ||
            st == TACIT_TOO_LARGE);
    REQUIRE(result.bad <= result.lines && result.lines <= s.lines);
    if (st == TACIT_OK && spec.strict) REQUIRE(result.bad == 0);
}

static void as_catalogue(const char *data, size_t size) {
    catalogue *c = NULL, *again = NULL;
    char *text = NULL;
    size_t bad = 0, len = 0;
    if (catalogue_parse(&c, &bad, "f", data, size, false, NULL) != TACIT_OK) return;
    REQUIRE(c->count > 0);
    for (size_t i = 1; i < c->count; i++) REQUIRE(c->items[i - 1].id < c->items[i].id);
    FILE *out = open_memstream(&text, &len);
    REQUIRE(out != NULL);
    catalogue_print(c, out);
    fclose(out);
    REQUIRE(catalogue_parse(&again, &bad, "f", text, len, true, NULL) == TACIT_OK);
    REQUIRE(again->count == c->count);
    REQUIRE(memcmp(again->digest, c->digest, TACIT_HASH_LEN) == 0);
    catalogue_free(c);
    catalogue_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    if (data[0] & 32)
        as_catalogue((const char *)data + 1, size - 1);
    else
        as_table(data[0] & 31, (const char *)data + 1, size - 1);
    return 0;
}
