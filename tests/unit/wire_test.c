/* SPDX-License-Identifier: Apache-2.0
 * wire_test.c - every kind of message against protobuf bytes written by other code, split at every
 * byte, cut at every byte, with every bound broken from both sides of the wire. Run from the root
 * of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pb_encode.h>

#include "common/wire.h"
#include "tests/support/format_samples.h"
#include "tests/support/named_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { STREAM_MAX = 16384 };

static tacit_Message message, got; /* large, so not on the stack of every test */

/* Writes one message; its length. */
static size_t encode(uint8_t *out, size_t cap, const tacit_Message *m) {
    tacit_wire_buffer b = {out, 0, cap};
    tacit_sink sink = tacit_wire_buffer_sink(&b);
    assert_int_equal(tacit_wire_write(m, &sink), TACIT_OK);
    return b.len;
}

/* Reads from a buffer of exactly `len` bytes, so that a sanitizer sees any step beyond. */
static tacit_status decode(tacit_Message *out, const uint8_t *data, size_t len, size_t *left) {
    static tacit_wire_reader r;
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, data, len);
    tacit_bytes in = {exact, len};
    tacit_wire_reader_init(&r);
    tacit_status st = tacit_wire_read(&r, out, &in);
    if (left != NULL) *left = in.len;
    free(exact);
    return st;
}

/* ---- round trips ----------------------------------------------------------------------------- */

static void every_message_equals_the_vector(void **state) {
    (void)state;
    uint8_t out[TACIT_MAX_MESSAGE_LEN + 2], again[TACIT_MAX_MESSAGE_LEN + 2];
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        char name[16];
        size_t left;
        snprintf(name, sizeof name, "wire.%u", tag);
        sample_message(&message, tag);
        size_t len = encode(out, sizeof out, &message);
        named_expect("transcript.txt", name, out, len);
        assert_int_equal(tacit_wire_len(&message), len);
        memset(&got, 0, sizeof got);
        assert_int_equal(decode(&got, out, len, &left), TACIT_OK);
        assert_int_equal(left, 0);
        assert_int_equal(got.which_body, tag);
        assert_memory_equal(&got, &message, sizeof got);
        assert_int_equal(encode(again, sizeof again, &got), len);
        assert_memory_equal(again, out, len);
    }
}

/* All zero but for what must not be: protobuf leaves most of it out and it still comes back. */
static void nearly_empty_messages_round_trip(void **state) {
    (void)state;
    uint8_t out[TACIT_MAX_MESSAGE_LEN + 2];
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        memset(&message, 0, sizeof message);
        message.which_body = (pb_size_t)tag;
        if (tag == tacit_Message_roster_tag) message.body.roster.count = 1;
        if (tag == tacit_Message_roster_ids_tag) message.body.roster_ids.ids.size = 32;
        if (tag == tacit_Message_roster_entry_tag) message.body.roster_entry.has_join = true;
        if (tag == tacit_Message_share_answer_tag) message.body.share_answer.u2.size = 1;
        if (tag == tacit_Message_mask_tag) message.body.mask.vector_len = 1;
        if (tag == tacit_Message_mask_answer_tag) message.body.mask_answer.u3.size = 1;
        if (tag == tacit_Message_problem_tag) message.body.problem.status = 1;
        size_t len = encode(out, sizeof out, &message);
        memset(&got, 0, sizeof got);
        assert_int_equal(decode(&got, out, len, NULL), TACIT_OK);
        assert_memory_equal(&got, &message, sizeof got);
    }
}

/* 127 bytes are the most with a length of one byte. */
static void lengths_grow_by_a_byte_at_128(void **state) {
    (void)state;
    uint8_t out[256];
    for (size_t note = 90; note <= TACIT_NOTE_LEN; note++) {
        char text[TACIT_NOTE_LEN + 1] = {0};
        memset(text, 'n', note);
        tacit_wire_problem(&message, TACIT_LATE, text);
        size_t len = encode(out, sizeof out, &message), prefix = out[0] & 0x80 ? 2 : 1;
        size_t body = prefix == 1 ? out[0] : (out[0] & 0x7fu) | (size_t)out[1] << 7;
        assert_int_equal(body + prefix, len);
        assert_int_equal(prefix, body < 128 ? 1 : 2);
        assert_int_equal(decode(&got, out, len, NULL), TACIT_OK);
        assert_string_equal(got.body.problem.note, text);
    }
}

/* ---- streams --------------------------------------------------------------------------------- */

static size_t all_samples(uint8_t stream[static STREAM_MAX]) {
    size_t len = 0;
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        sample_message(&message, tag);
        len += encode(stream + len, STREAM_MAX - len, &message);
    }
    return len;
}

/* Reads what there is; the tags must be *next, *next + 1, ... */
static void take_all(tacit_wire_reader *r, tacit_bytes in, unsigned *next) {
    tacit_status st;
    while ((st = tacit_wire_read(r, &got, &in)) == TACIT_OK)
        assert_int_equal(got.which_body, (*next)++);
    assert_int_equal(st, TACIT_PENDING);
    assert_int_equal(in.len, 0);
}

static void a_stream_may_be_split_anywhere(void **state) {
    (void)state;
    static uint8_t stream[STREAM_MAX];
    static tacit_wire_reader r;
    size_t len = all_samples(stream);
    for (size_t split = 0; split <= len; split++) {
        unsigned next = 1;
        tacit_wire_reader_init(&r);
        take_all(&r, tacit_bytes_of(stream, split), &next);
        take_all(&r, tacit_bytes_of(stream + split, len - split), &next);
        assert_int_equal(next, SAMPLE_MESSAGES + 1);
        assert_true(tacit_wire_reader_idle(&r));
    }
}

static void a_stream_may_come_byte_by_byte(void **state) {
    (void)state;
    static uint8_t stream[STREAM_MAX];
    static tacit_wire_reader r;
    size_t len = all_samples(stream), messages = 0;
    tacit_wire_reader_init(&r);
    assert_true(tacit_wire_reader_idle(&r));
    for (size_t i = 0; i < len; i++) {
        tacit_bytes in = {stream + i, 1};
        tacit_status st = tacit_wire_read(&r, &got, &in);
        assert_true(st == TACIT_OK || st == TACIT_PENDING);
        assert_int_equal(in.len, 0);
        assert_int_equal(tacit_wire_reader_idle(&r), st == TACIT_OK);
        messages += st == TACIT_OK;
    }
    assert_int_equal(messages, SAMPLE_MESSAGES);
}

/* A body that ends early is never idle. */
static void a_cut_message_stays_pending(void **state) {
    (void)state;
    static tacit_wire_reader r;
    uint8_t out[TACIT_MAX_MESSAGE_LEN + 2];
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        sample_message(&message, tag);
        size_t len = encode(out, sizeof out, &message);
        for (size_t cut = 1; cut < len; cut++) {
            tacit_bytes in = {out, cut};
            tacit_wire_reader_init(&r);
            assert_int_equal(tacit_wire_read(&r, &got, &in), TACIT_PENDING);
            assert_int_equal(in.len, 0);
            assert_false(tacit_wire_reader_idle(&r));
        }
    }
}

/* The outer length cut with the content: the inner message's own length tells. */
static void a_shortened_message_is_refused(void **state) {
    (void)state;
    uint8_t full[TACIT_MAX_MESSAGE_LEN + 2], cut[sizeof full];
    for (unsigned tag = 1; tag <= SAMPLE_MESSAGES; tag++) {
        sample_message(&message, tag);
        size_t len = encode(full, sizeof full, &message);
        size_t prefix = full[0] & 0x80 ? 2 : 1;
        for (size_t body = 1; body < len - prefix; body++) {
            cut[0] = (uint8_t)(body | 0x80);
            cut[1] = (uint8_t)(body >> 7);
            memcpy(cut + 2, full + prefix, body);
            assert_int_equal(decode(&got, cut, body + 2, NULL), TACIT_BAD_MESSAGE);
        }
    }
}

/* ---- lengths --------------------------------------------------------------------------------- */

static void lengths_are_bounded_before_anything_is_read(void **state) {
    (void)state;
    static const struct {
        uint8_t bytes[5];
        size_t len;
        size_t left;
    } rows[] = {{{0x00}, 1, 0},
                {{0x00, 1, 2}, 3, 2},
                {{0x80, 0x00}, 2, 0},
                {{0x81, 0x24, 9}, 3, 1}, /* 4609 */
                {{0xff, 0x7f}, 2, 0},    /* 16383 */
                {{0x80, 0x80, 0x01}, 3, 1},
                {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t left;
        assert_int_equal(decode(&got, rows[i].bytes, rows[i].len, &left), TACIT_TOO_LARGE);
        assert_int_equal(left, rows[i].left);
    }
    static uint8_t most[2 + TACIT_MAX_MESSAGE_LEN] = {0x80, 0x24}; /* 4608: read, then refused */
    assert_int_equal(decode(&got, most, sizeof most - 1, NULL), TACIT_PENDING);
    assert_int_equal(decode(&got, most, sizeof most, NULL), TACIT_BAD_MESSAGE);
}

static void after_an_error_nothing_more_is_taken(void **state) {
    (void)state;
    static tacit_wire_reader r;
    static const uint8_t too_large[] = {0x00}, bad[] = {0x01, 0x00};
    uint8_t good[256];
    sample_message(&message, tacit_Message_agree_tag);
    size_t len = encode(good, sizeof good, &message);
    for (int which = 0; which < 2; which++) {
        tacit_bytes in = which == 0 ? tacit_bytes_of(too_large, 1) : tacit_bytes_of(bad, 2);
        tacit_status want = which == 0 ? TACIT_TOO_LARGE : TACIT_BAD_MESSAGE;
        tacit_wire_reader_init(&r);
        assert_int_equal(tacit_wire_read(&r, &got, &in), want);
        for (int again = 0; again < 3; again++) {
            in = tacit_bytes_of(good, len);
            assert_int_equal(tacit_wire_read(&r, &got, &in), want);
            assert_int_equal(in.len, len);
            assert_false(tacit_wire_reader_idle(&r));
        }
        tacit_wire_reader_init(&r);
        assert_int_equal(tacit_wire_read(&r, &got, &in), TACIT_OK);
    }
}

/* ---- content --------------------------------------------------------------------------------- */

static size_t put_varint(uint8_t *out, size_t v) {
    size_t len = 0;
    for (; v >= 0x80; v >>= 7) out[len++] = (uint8_t)(v | 0x80);
    out[len++] = (uint8_t)v;
    return len;
}

/* One message with body `tag` whose only field `field` is `len` bytes. */
static size_t craft(uint8_t *out, unsigned tag, unsigned field, size_t len) {
    uint8_t inner[TACIT_MAX_MESSAGE_LEN + 64], outer[TACIT_MAX_MESSAGE_LEN + 64];
    size_t i = put_varint(inner, field << 3 | 2);
    i += put_varint(inner + i, len);
    memset(inner + i, 'a', len);
    i += len;
    size_t o = put_varint(outer, tag << 3 | 2);
    o += put_varint(outer + o, i);
    memcpy(outer + o, inner, i);
    o += i;
    size_t p = put_varint(out, o);
    memcpy(out + p, outer, o);
    return p + o;
}

static void wrong_fixed_lengths_are_refused(void **state) {
    (void)state;
    static const struct {
        unsigned tag, field;
        size_t len;
    } rows[] = {{1, 1, 512}, {1, 2, 64},  {2, 4, 110}, {2, 5, 32},  {2, 6, 32},
                {2, 7, 32},  {2, 8, 32},  {2, 9, 64},  {3, 4, 32},  {3, 5, 32},
                {3, 6, 64},  {6, 3, 64},  {7, 2, 56},  {7, 3, 56},  {8, 3, 64},
                {9, 3, 32},  {9, 4, 64},  {10, 2, 64}, {11, 2, 64}, {12, 2, 64},
                {13, 2, 64}, {14, 3, 64}, {15, 3, 40}, {16, 2, 32}, {16, 3, 64}};
    uint8_t out[TACIT_MAX_MESSAGE_LEN + 2];
    for (size_t i = 0; i < COUNT(rows); i++) {
        const size_t wrong[] = {1, rows[i].len - 1, rows[i].len + 1, 2 * rows[i].len};
        for (size_t k = 0; k < COUNT(wrong); k++) {
            size_t len = craft(out, rows[i].tag, rows[i].field, wrong[k]);
            if (decode(&got, out, len, NULL) != TACIT_BAD_MESSAGE)
                fail_msg("body %u field %u: %zu bytes taken", rows[i].tag, rows[i].field, wrong[k]);
        }
    }
    /* Empty is protobuf's word for absent, and reads as zeros like an absent field. */
    memset(&got, 0xAA, sizeof got);
    static const uint8_t zeros[TACIT_PLAN_LEN];
    assert_int_equal(decode(&got, out, craft(out, 1, 1, 0), NULL), TACIT_OK);
    assert_memory_equal(got.body.plan.plan, zeros, sizeof zeros);
    assert_memory_equal(got.body.plan.signature, zeros, TACIT_SIG_LEN);
    /* The crafting itself is sound: the right length of a message with no other rule is taken. */
    assert_int_equal(decode(&got, out, craft(out, 1, 1, 512), NULL), TACIT_OK);
    assert_int_equal(decode(&got, out, craft(out, 7, 2, 56), NULL), TACIT_OK);
}

static void variable_lengths_are_bounded(void **state) {
    (void)state;
    static const struct {
        unsigned tag, field;
        size_t least, most, step;
    } rows[] = {{4, 1, 32, 4096, 32}, {8, 1, 1, 1250, 1}, {10, 1, 1, 1250, 1}};
    uint8_t out[TACIT_MAX_MESSAGE_LEN + 2];
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t len = 0; len <= rows[i].most + 70; len += len < 70 || len > 1180 ? 1 : 37) {
            bool ok = len >= rows[i].least && len <= rows[i].most && len % rows[i].step == 0;
            size_t total = craft(out, rows[i].tag, rows[i].field, len);
            assert_int_equal(decode(&got, out, total, NULL), ok ? TACIT_OK : TACIT_BAD_MESSAGE);
        }
    }
}

static void unknown_bodies_are_refused(void **state) {
    (void)state;
    static const uint8_t rows[][6] = {{1, 0x00},             /* field 0 */
                                      {1, 0x92},             /* half a tag */
                                      {4, 0x92, 0x01, 1, 0}, /* field 18, one byte */
                                      {3, 0xa0, 0x06, 5},    /* field 100, a number */
                                      {2, 0x08, 1},          /* plan as a number */
                                      {1, 0x0a},             /* a tag and nothing */
                                      {2, 0x0a, 1},          /* one byte announced, none */
                                      {2, 0x0b, 0x0c}};      /* a group */
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(decode(&got, rows[i], 1u + rows[i][0], NULL), TACIT_BAD_MESSAGE);
}

/* A field this version does not know, inside a known body, is passed over. */
static void unknown_fields_are_passed_over(void **state) {
    (void)state;
    uint8_t out[256];
    sample_message(&message, tacit_Message_agree_tag);
    size_t len = encode(out, sizeof out, &message);
    const uint8_t extra[] = {0xa0, 0x06, 5}; /* field 100 = 5, in Message itself */
    memcpy(out + len, extra, sizeof extra);
    out[0] = (uint8_t)(out[0] + sizeof extra);
    memset(&got, 0, sizeof got);
    assert_int_equal(decode(&got, out, len + sizeof extra, NULL), TACIT_OK);
    assert_memory_equal(&got, &message, sizeof got);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* The message goes neither out by the writer nor, encoded without it, in by the reader. */
static void expect_refused(const char *rule) {
    uint8_t out[2 + TACIT_MAX_MESSAGE_LEN];
    tacit_wire_buffer b = {out, 0, sizeof out};
    tacit_sink sink = tacit_wire_buffer_sink(&b);
    if (tacit_wire_write(&message, &sink) != TACIT_INTERNAL) fail_msg("written: %s", rule);
    assert_int_equal(b.len, 0);
    pb_ostream_t stream = pb_ostream_from_buffer(out + 2, sizeof out - 2);
    if (!pb_encode(&stream, tacit_Message_fields, &message)) return; /* not even nanopb can */
    out[0] = (uint8_t)(stream.bytes_written | 0x80);
    out[1] = (uint8_t)(stream.bytes_written >> 7);
    if (decode(&got, out, stream.bytes_written + 2, NULL) == TACIT_OK) fail_msg("read: %s", rule);
}

#define REFUSED(kind, change)                                 \
    do {                                                      \
        sample_message(&message, tacit_Message_##kind##_tag); \
        message.body.kind.change;                             \
        expect_refused(#kind "." #change);                    \
    } while (0)

static void every_bound_is_kept_on_both_sides(void **state) {
    (void)state;
    REFUSED(join, version_min = 2);
    REFUSED(roster, count = 10001);
    REFUSED(roster, index = 300);
    REFUSED(roster, count = 0);
    REFUSED(roster_ids, ids.size = 0);
    REFUSED(roster_ids, ids.size = 31);
    REFUSED(roster_ids, ids.size = 4097);
    REFUSED(roster_entry, index = 10000);
    REFUSED(roster_entry, has_join = false);
    REFUSED(roster_entry, join.version_min = 2);
    REFUSED(roster_entry, proof.size = 33);
    REFUSED(roster_entry, proof.size = 480);
    REFUSED(share, index = 10000);
    REFUSED(share, count = 1201);
    REFUSED(sealed, peer = 10000);
    REFUSED(share_answer, u2.size = 0);
    REFUSED(share_answer, u2.size = 1251);
    REFUSED(share_answer, count = 1201);
    REFUSED(mask, index = 10000);
    REFUSED(mask, vector_len = 0);
    REFUSED(mask, vector_len = 4194305);
    REFUSED(mask_answer, u3.size = 0);
    REFUSED(mask_answer, u3.size = 1251);
    REFUSED(agree, index = UINT32_MAX);
    REFUSED(agree_answer, count = 1201);
    REFUSED(agree_signature, index = 10000);
    REFUSED(reveal, index = 10000);
    REFUSED(reveal, count = 1201);
    REFUSED(revealed, owner = 10000);
    REFUSED(revealed, kind = 2);
    REFUSED(receipt, survivors = 10001);
    REFUSED(problem, status = TACIT_OK);
    REFUSED(problem, status = TACIT_STATUS_COUNT);
    REFUSED(problem, note[0] = '\n');
    REFUSED(problem, note[1] = 0x1b);
    REFUSED(problem, note[1] = 0x7f);
    sample_message(&message, tacit_Message_problem_tag);
    memset(message.body.problem.note, 'a', sizeof message.body.problem.note);
    expect_refused("a note without an end");
    memset(&message, 0, sizeof message);
    expect_refused("no body");
    message.which_body = SAMPLE_MESSAGES + 1;
    expect_refused("a body that does not exist");
}

/* ---- helpers --------------------------------------------------------------------------------- */

static void joins_go_in_and_out(void **state) {
    (void)state;
    tacit_join join, back;
    tacit_JoinRequest m;
    sample_join(&join);
    memset(&m, 0xAA, sizeof m);
    tacit_wire_join_put(&m, &join, 6);
    assert_int_equal(m.version, TACIT_PROTOCOL_VERSION);
    assert_int_equal(m.version_min, TACIT_PROTOCOL_VERSION_MIN);
    assert_int_equal(m.cohort, 6);
    memset(&back, 0, sizeof back);
    tacit_wire_join_get(&back, &m);
    assert_memory_equal(&back, &join, sizeof join);
}

static const char *note_after(const char *note) {
    uint8_t out[512];
    memset(&message, 0xAA, sizeof message);
    tacit_wire_problem(&message, TACIT_LATE, note);
    size_t len = encode(out, sizeof out, &message);
    assert_int_equal(decode(&got, out, len, NULL), TACIT_OK);
    assert_int_equal(got.body.problem.status, TACIT_LATE);
    assert_int_equal(got.body.problem.version, TACIT_PROTOCOL_VERSION);
    assert_int_equal(got.body.problem.version_min, TACIT_PROTOCOL_VERSION_MIN);
    return got.body.problem.note;
}

static void notes_are_cut_and_cleaned(void **state) {
    (void)state;
    char note[200], want[200];
    assert_string_equal(note_after(""), "");
    assert_string_equal(note_after("share phase: closed 3 s ago"), "share phase: closed 3 s ago");
    assert_string_equal(note_after("a\r\nb\x1b[1mc\x7f"), "a  b [1mc ");
    memset(note, 'n', sizeof note);
    note[120] = '\0';
    assert_string_equal(note_after(note), note);
    note[120] = 'n', note[199] = '\0';
    memcpy(want, note, 120);
    want[120] = '\0';
    assert_string_equal(note_after(note), want);
    /* A character of three bytes across the cut goes as a whole. */
    for (size_t at = 117; at <= 120; at++) {
        memset(note, 'n', 199);
        memcpy(note + at, "\xe2\x82\xac", 3);
        memcpy(want, note, 120);
        want[at == 117 ? 120 : at] = '\0';
        assert_string_equal(note_after(note), want);
    }
}

static tacit_status refuse(void *self, const uint8_t *data, size_t len) {
    (void)data;
    *(size_t *)self += len;
    return TACIT_TRANSPORT;
}

static void sinks_say_why(void **state) {
    (void)state;
    uint8_t out[128];
    sample_message(&message, tacit_Message_agree_tag);
    size_t len = tacit_wire_len(&message), seen = 0;
    tacit_sink sink = {&seen, refuse};
    assert_int_equal(tacit_wire_write(&message, &sink), TACIT_TRANSPORT);
    assert_int_equal(seen, len);
    tacit_wire_buffer b = {out, 0, len - 1};
    sink = tacit_wire_buffer_sink(&b);
    assert_int_equal(tacit_wire_write(&message, &sink), TACIT_NO_SPACE);
    assert_int_equal(b.len, 0);
    b.cap = len;
    assert_int_equal(tacit_wire_write(&message, &sink), TACIT_OK);
    assert_int_equal(b.len, len);
    assert_int_equal(tacit_wire_write(&message, &sink), TACIT_NO_SPACE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_equals_the_vector),
        cmocka_unit_test(nearly_empty_messages_round_trip),
        cmocka_unit_test(lengths_grow_by_a_byte_at_128),
        cmocka_unit_test(a_stream_may_be_split_anywhere),
        cmocka_unit_test(a_stream_may_come_byte_by_byte),
        cmocka_unit_test(a_cut_message_stays_pending),
        cmocka_unit_test(a_shortened_message_is_refused),
        cmocka_unit_test(lengths_are_bounded_before_anything_is_read),
        cmocka_unit_test(after_an_error_nothing_more_is_taken),
        cmocka_unit_test(wrong_fixed_lengths_are_refused),
        cmocka_unit_test(variable_lengths_are_bounded),
        cmocka_unit_test(unknown_bodies_are_refused),
        cmocka_unit_test(unknown_fields_are_passed_over),
        cmocka_unit_test(every_bound_is_kept_on_both_sides),
        cmocka_unit_test(joins_go_in_and_out),
        cmocka_unit_test(notes_are_cut_and_cleaned),
        cmocka_unit_test(sinks_say_why),
    };
    if (tacit_crypto_init() != TACIT_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
