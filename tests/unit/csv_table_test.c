/* SPDX-License-Identifier: Apache-2.0
 * csv_table_test.c - named columns, quoting, line numbers that are true, and what happens to bad
 * lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>
#include <cmocka.h>

#include "server/csv_table.h"
#include "tests/support/files.h"

/* Rows are written into `text` as "line:field|field;". A first field "bad" is refused. */
typedef struct {
    char text[2048];
    size_t at, columns, stop_after;
} rows;

static tacit_status collect(void *self, char *note, const char *const *fields, size_t line) {
    rows *r = self;
    if (strcmp(fields[0], "bad") == 0) {
        snprintf(note, TACIT_NOTE_LEN + 1, "the first field is bad");
        return TACIT_BAD_MESSAGE;
    }
    r->at += (size_t)snprintf(r->text + r->at, sizeof r->text - r->at, "%zu:", line);
    for (size_t i = 0; i < r->columns; i++)
        r->at += (size_t)snprintf(r->text + r->at, sizeof r->text - r->at, "%s%s", i ? "|" : "",
                                  fields[i]);
    r->at += (size_t)snprintf(r->text + r->at, sizeof r->text - r->at, ";");
    return r->stop_after > 0 && --r->stop_after == 0 ? TACIT_NO_SPACE : TACIT_OK;
}

static csv_spec spec_of(rows *r, const char *a, const char *b) {
    memset(r, 0, sizeof *r);
    r->columns = b ? 2 : 1;
    return (csv_spec){.name = "t.csv",
                      .separator = ',',
                      .header = true,
                      .quotes = true,
                      .columns = {a, b},
                      .column_count = r->columns,
                      .row = collect,
                      .self = r};
}

static void expect(const char *data, const char *want) {
    rows r;
    csv_spec spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read_memory(&spec, NULL, data, strlen(data)), TACIT_OK);
    assert_string_equal(r.text, want);
}

static void test_columns_by_name(void **state) {
    (void)state;
    expect("a,b\n1,2\n3,4\n", "2:1|2;3:3|4;");
    expect("b,x,a\n1,2,3\n", "2:3|1;");
    expect("a,b\n1,2", "2:1|2;"); /* no line break at the end */
    expect(
        "\xEF\xBB\xBF"
        "a,b\n1,2\n",
        "2:1|2;"); /* byte order mark */
    expect("a,b\n", "");
    expect("a,b\n1,2,surplus\n", "2:1|2;");
}

static void test_quotes_and_line_numbers(void **state) {
    (void)state;
    expect("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "2:x,y|say \"hi\";");
    expect("a,b\r\n1,2\r\n3,4\r\n", "2:1|2;3:3|4;");
    expect("a,b\r1,2\r3,4\r", "2:1|2;3:3|4;");
    expect("a,b\r1,2\n3,4\r\n\r5,6\n7,8", "2:1|2;3:3|4;5:5|6;6:7|8;"); /* all mixed */
    expect("a,b\n\n\n1,2\n\n3,4\n", "4:1|2;6:3|4;");                   /* empty lines count */
    expect("a,b\n\"one\ntwo\",2\n3,4\n", "2:one\ntwo|2;4:3|4;");
    expect("a,b\n\"one\r\ntwo\",2\n3,4\n", "2:one\r\ntwo|2;4:3|4;");
    expect("a,b\n\xC3\xA4,\xE2\x82\xAC\n", "2:\xC3\xA4|\xE2\x82\xAC;");
}

static void test_optional_and_missing_columns(void **state) {
    (void)state;
    rows r;
    csv_spec spec = spec_of(&r, "a", "c?");
    assert_int_equal(csv_read_memory(&spec, NULL, "a,b\n1,2\n", 8), TACIT_OK);
    assert_string_equal(r.text, "2:1|;");
    files_capture *errors = files_listen();
    spec = spec_of(&r, "a", "c");
    spec.errors = errors->file;
    assert_int_equal(csv_read_memory(&spec, NULL, "a,b\n1,2\n", 8), TACIT_BAD_MESSAGE);
    char *said = files_captured(errors);
    assert_string_equal(said, "t.csv:1: no column named 'c'\n");
    free(said);
    spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read_memory(&spec, NULL, "", 0), TACIT_TRUNCATED);
}

static void test_bad_lines_are_counted_and_named(void **state) {
    (void)state;
    static const char data[] = "a,b\n1,2\nbad,2\n\n3\n4,5\n\xFF,1\n6,7\n";
    rows r;
    csv_result result;
    files_capture *errors = files_listen();
    csv_spec spec = spec_of(&r, "a", "b");
    spec.errors = errors->file;
    assert_int_equal(csv_read_memory(&spec, &result, data, strlen(data)), TACIT_OK);
    assert_string_equal(r.text, "2:1|2;6:4|5;8:6|7;");
    assert_int_equal(result.lines, 6);
    assert_int_equal(result.bad, 3);
    char *said = files_captured(errors);
    assert_string_equal(said,
                        "t.csv:3: the first field is bad\n"
                        "t.csv:5: 1 columns, wanted at least 2\n"
                        "t.csv:7: a field is not UTF-8 text\n");
    free(said);
}

static void test_strict_stops_at_the_first(void **state) {
    (void)state;
    static const char data[] = "a,b\n1,2\nbad,2\nbad,3\n4,5\n";
    rows r;
    csv_result result;
    files_capture *errors = files_listen();
    csv_spec spec = spec_of(&r, "a", "b");
    spec.errors = errors->file;
    spec.strict = true;
    assert_int_equal(csv_read_memory(&spec, &result, data, strlen(data)), TACIT_BAD_MESSAGE);
    assert_string_equal(r.text, "2:1|2;");
    assert_int_equal(result.bad, 1);
    char *said = files_captured(errors);
    assert_string_equal(said, "t.csv:3: the first field is bad\n");
    free(said);
}

static void test_messages_are_limited_but_all_counted(void **state) {
    (void)state;
    char data[1024] = "a,b\n";
    for (int i = 0; i < 50; i++) snprintf(data + strlen(data), 8, "bad,1\n");
    rows r;
    csv_result result;
    files_capture *errors = files_listen();
    csv_spec spec = spec_of(&r, "a", "b");
    spec.errors = errors->file;
    spec.error_limit = 2;
    assert_int_equal(csv_read_memory(&spec, &result, data, strlen(data)), TACIT_OK);
    assert_int_equal(result.bad, 50);
    char *said = files_captured(errors);
    assert_string_equal(said,
                        "t.csv:2: the first field is bad\nt.csv:3: the first field is bad\n"
                        "t.csv: more bad lines are counted but not shown\n");
    free(said);
}

static void test_sizes_are_bounded(void **state) {
    (void)state;
    size_t len = CSV_MAX_FIELD + 64;
    char *data = malloc(len + 64);
    assert_non_null(data);
    memcpy(data, "a,b\n", 4);
    memset(data + 4, 'x', len);
    memcpy(data + 4 + len, ",1\n3,4\n", 8);
    rows r;
    csv_result result;
    csv_spec spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read_memory(&spec, &result, data, strlen(data)), TACIT_OK);
    assert_string_equal(r.text, "3:3|4;");
    assert_int_equal(result.bad, 1);
    free(data);
    char wide[256] = "a,b\n";
    for (int i = 0; i < CSV_MAX_COLUMNS + 3; i++) snprintf(wide + strlen(wide), 4, "1,");
    snprintf(wide + strlen(wide), 8, "\n5,6\n");
    spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read_memory(&spec, &result, wide, strlen(wide)), TACIT_OK);
    assert_string_equal(r.text, "3:5|6;");
    assert_int_equal(result.bad, 1);
}

static void test_plain_files_by_position(void **state) {
    (void)state;
    static const char data[] = "1|say \"hi|caf\xE9\n\n2|x|y\r\n3|z\n4|u|v";
    rows r;
    csv_result result;
    csv_spec spec = {.name = "u.item",
                     .separator = '|',
                     .latin1 = true,
                     .column_count = 3,
                     .row = collect,
                     .self = &r};
    memset(&r, 0, sizeof r);
    r.columns = 3;
    assert_int_equal(csv_read_memory(&spec, &result, data, strlen(data)), TACIT_OK);
    assert_string_equal(r.text, "1:1|say \"hi|caf\xC3\xA9;3:2|x|y;5:4|u|v;");
    assert_int_equal(result.bad, 1);
}

static void test_the_callback_can_end_the_read(void **state) {
    (void)state;
    rows r;
    csv_spec spec = spec_of(&r, "a", "b");
    r.stop_after = 1;
    assert_int_equal(csv_read_memory(&spec, NULL, "a,b\n1,2\n3,4\n", 12), TACIT_NO_SPACE);
    assert_string_equal(r.text, "2:1|2;");
}

static void test_files_plain_and_gzip(void **state) {
    (void)state;
    char folder[FILES_PATH], path[FILES_PATH];
    rows r;
    csv_spec spec = spec_of(&r, "a", "b");
    files_folder(folder);
    files_path(path, folder, "t.csv");
    assert_int_equal(csv_read(&spec, NULL, path), TACIT_NOT_FOUND);
    files_text(folder, "t.csv", "a,b\n1,2\n");
    assert_int_equal(csv_read(&spec, NULL, path), TACIT_OK);
    assert_string_equal(r.text, "2:1|2;");
    /* Larger than one buffer, so that rows lie across the border; then cut off in the middle. */
    files_path(path, folder, "t.csv.gz");
    gzFile z = gzopen(path, "wb");
    assert_non_null(z);
    gzputs(z, "a,b\n");
    for (int i = 0; i < 40000; i++) gzprintf(z, "bad,%d\n", i * 7919);
    gzputs(z, "3,4\n");
    assert_int_equal(gzclose(z), Z_OK);
    csv_result result;
    spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read(&spec, &result, path), TACIT_OK);
    assert_string_equal(r.text, "40002:3|4;");
    assert_int_equal(result.bad, 40000);
    assert_int_equal(truncate(path, 20000), 0);
    spec = spec_of(&r, "a", "b");
    assert_int_equal(csv_read(&spec, NULL, path), TACIT_IO);
    files_remove(folder);
}

static void test_written_fields_come_back(void **state) {
    (void)state;
    static const char *const fields[] = {"plain",         "a,b",    "say \"hi\"", "two\nlines",
                                         " blank before", "after ", "\ttab",      "",
                                         "caf\xC3\xA9"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char want[64];
        rows r;
        files_capture *out = files_listen();
        fputs("a,b\n", out->file);
        csv_write_field(out->file, fields[i]);
        fputs(",2\n", out->file);
        char *data = files_captured(out);
        csv_spec spec = spec_of(&r, "a", "b");
        assert_int_equal(csv_read_memory(&spec, NULL, data, strlen(data)), TACIT_OK);
        snprintf(want, sizeof want, "2:%s|2;", fields[i]);
        assert_string_equal(r.text, want);
        free(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_by_name),
        cmocka_unit_test(test_quotes_and_line_numbers),
        cmocka_unit_test(test_optional_and_missing_columns),
        cmocka_unit_test(test_bad_lines_are_counted_and_named),
        cmocka_unit_test(test_strict_stops_at_the_first),
        cmocka_unit_test(test_messages_are_limited_but_all_counted),
        cmocka_unit_test(test_sizes_are_bounded),
        cmocka_unit_test(test_plain_files_by_position),
        cmocka_unit_test(test_the_callback_can_end_the_read),
        cmocka_unit_test(test_files_plain_and_gzip),
        cmocka_unit_test(test_written_fields_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
