/* SPDX-License-Identifier: Apache-2.0
 * config_test.c - tacit.ini: values, defaults, errors with their line, printing and reading back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/config.h"

static char note[CONFIG_NOTE_LEN + 1];

static tacit_status parse(config *c, const char *text) {
    return config_parse(c, note, "tacit.ini", text, strlen(text));
}

static void defaults(void **state) {
    (void)state;
    config c, d;
    assert_int_equal(parse(&c, ""), TACIT_OK);
    config_default(&d);
    assert_memory_equal(&c, &d, sizeof c);
    assert_string_equal(c.listen, "127.0.0.1");
    assert_int_equal(c.port, 8443);
    assert_int_equal(c.hold_s, 50);
    assert_int_equal(config_load(&c, note, "/nonexistent/tacit.ini"), TACIT_OK);
    assert_memory_equal(&c, &d, sizeof c);
}

static void values(void **state) {
    (void)state;
    config c;
    assert_int_equal(parse(&c,
                           "; a comment\n[server]\nlisten = ::1 ; inside\nport=0\r\n  \n"
                           "[round]\nmax_colluding=0.05\nmax_dropout = 0.125\nn_lo=57\nn_hi=57"),
                     TACIT_OK);
    assert_string_equal(c.listen, "::1");
    assert_int_equal(c.port, 0);
    assert_int_equal(c.max_colluding, 50);
    assert_int_equal(c.max_dropout, 125);
    assert_int_equal(c.n_lo, 57);
    assert_int_equal(c.n_hi, 57);
}

static void errors_name_file_line_and_what(void **state) {
    (void)state;
    static const struct {
        const char *text, *note;
    } cases[] = {
        {"[server]\nprot = 1\n", "tacit.ini:2: unknown key 'prot' in [server]"},
        {"\n[sever]\nport = 1\n", "tacit.ini:3: unknown section [sever] (key 'port')"},
        {"port = 1\n", "tacit.ini:1: unknown section [] (key 'port')"},
        {"[server]\nport = 70000\n", "tacit.ini:2: port must be a whole number from 0 to 65535"},
        {"[server]\nport = -1\n", "tacit.ini:2: port must be a whole number from 0 to 65535"},
        {"[server]\nport =\n", "tacit.ini:2: port must be a whole number from 0 to 65535"},
        {"[server]\nport = 99999999999\n",
         "tacit.ini:2: port must be a whole number from 0 to 65535"},
        {"[server]\nhold_s = 51\n", "tacit.ini:2: hold_s must be a whole number from 1 to 50"},
        {"[server]\nport = 1\n\nport = 2\n", "tacit.ini:4: port was set before, in line 2"},
        {"[server]\nport = 1\n 2\n", "tacit.ini:3: port was set before, in line 2"},
        {"[server]\nlisten = localhost\n",
         "tacit.ini:2: listen must be an IPv4 or IPv6 address, not 'localhost'"},
        {"[server]\ncatalogue =;c.csv\n", "tacit.ini:2: catalogue must not begin with ';'"},
        {"[round]\nmax_dropout = 0.1234\n",
         "tacit.ini:2: max_dropout must be from 0 to 0.5 with at most three decimals, not "
         "'0.1234'"},
        {"[round]\nmax_dropout = .1\n",
         "tacit.ini:2: max_dropout must be from 0 to 0.5 with at most three decimals, not '.1'"},
        {"[round]\nmax_colluding = 0.6\n",
         "tacit.ini:2: max_colluding must be from 0 to 0.5 with at most three decimals, not '0.6'"},
        {"[round]\njoin_s = 481\n", "tacit.ini:2: join_s must be a whole number from 1 to 480"},
        {"[round]\nn_hi = 60\n\nn_lo = 61\n", "tacit.ini:4: n_lo is above n_hi"},
        {"[round]\nn_hi = 99\n", "tacit.ini:2: n_lo is above n_hi"},
        {"[round]\nexpected = 2001\n", "tacit.ini:2: expected is above n_hi"},
        {"[server\n", "tacit.ini:1: neither [section], key = value nor ; comment"},
        {"[server]\nport\n", "tacit.ini:2: neither [section], key = value nor ; comment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        config c;
        assert_int_equal(parse(&c, cases[i].text), TACIT_CONFIG);
        assert_string_equal(note, cases[i].note);
    }
}

static void odd_lines(void **state) {
    (void)state;
    config c;
    static const char zero[] = "[server]\npo\0rt=1\n";
    assert_int_equal(config_parse(&c, note, "f", zero, sizeof zero - 1), TACIT_CONFIG);
    assert_string_equal(note, "f:2: a zero byte");
    char text[2000];
    memset(text, 'x', sizeof text);
    assert_int_equal(config_parse(&c, note, "f", text, sizeof text), TACIT_CONFIG);
    assert_string_equal(note, "f:1: the line is too long");
}

static void fractions(void **state) {
    (void)state;
    uint32_t v = 0;
    static const struct {
        const char *text;
        uint32_t per_thousand;
    } good[] = {{"0", 0}, {"0.1", 100}, {"0.05", 50}, {"0.125", 125}, {"0.500", 500}, {"0.001", 1}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(config_fraction(&v, good[i].text), TACIT_OK);
        assert_int_equal(v, good[i].per_thousand);
    }
    static const char *const bad[] = {"",     "0.",   "1",    "0.501", "0,1",
                                      "0.1a", "00.1", "-0.1", "1e-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(config_fraction(&v, bad[i]), TACIT_CONFIG);
}

static void printed_file_reads_back(void **state) {
    (void)state;
    config c, d;
    assert_int_equal(parse(&c,
                           "[server]\nlisten=10.1.2.3\nport=9\nworkers=3\nhold_s=7\nretry_s=2\n"
                           "staged_mb=64\nmax_connections=99\ncatalogue=/c.csv\n[round]\njoin_s=1\n"
                           "share_s=2\nmask_s=3\nagree_s=4\nreveal_s=5\nmax_colluding=0.007\n"
                           "max_dropout=0.3\nn_lo=60\nn_hi=70\nn_min_floor=58\nexpected=65\n"
                           "separation_s=1\nback_off_s=9\nquiet_s=3\n"),
                     TACIT_OK);
    char path[] = "/tmp/tacit-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    config_print(&c, out);
    fclose(out);
    tacit_status st = config_load(&d, note, path);
    unlink(path);
    assert_int_equal(st, TACIT_OK);
    assert_memory_equal(&c, &d, sizeof c);
    config_default(&d);
    assert_memory_not_equal(&c, &d, sizeof c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(values),
        cmocka_unit_test(errors_name_file_line_and_what),
        cmocka_unit_test(odd_lines),
        cmocka_unit_test(fractions),
        cmocka_unit_test(printed_file_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
