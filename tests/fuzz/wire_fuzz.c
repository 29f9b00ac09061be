/* SPDX-License-Identifier: Apache-2.0
 * wire_fuzz.c - any bytes, in pieces of any size. The first byte chooses the size of the pieces,
 * the rest is a body. Every message that is read must be writable, as long as announced, and read
 * back as itself; whole and in pieces the reader must come to the same end. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/wire.h"

static tacit_wire_reader reader, second;
static tacit_Message message, copy;

/* What is written of a message read from a body says the same again. */
static void round_trip(const tacit_Message *m) {
    uint8_t out[2][TACIT_MAX_MESSAGE_LEN + 2];
    size_t len[2];
    for (int i = 0; i < 2; i++) {
        tacit_wire_buffer b = {out[i], 0, sizeof out[i]};
        tacit_sink sink = tacit_wire_buffer_sink(&b);
        REQUIRE(tacit_wire_write(i == 0 ? m : &copy, &sink) == TACIT_OK);
        REQUIRE(b.len == tacit_wire_len(m));
        len[i] = b.len;
        tacit_bytes in = {out[i], b.len};
        tacit_wire_reader_init(&second);
        REQUIRE(tacit_wire_read(&second, &copy, &in) == TACIT_OK);
        REQUIRE(in.len == 0 && tacit_wire_reader_idle(&second));
        REQUIRE(copy.which_body == m->which_body);
    }
    REQUIRE(len[0] == len[1] && memcmp(out[0], out[1], len[0]) == 0);
}

/* Reads the whole body in pieces; how many messages, and how it ended. */
static size_t read_all(tacit_status *end, const uint8_t *data, size_t size, size_t piece,
                       bool check) {
    size_t messages = 0;
    tacit_wire_reader_init(&reader);
    *end = TACIT_PENDING;
    for (size_t at = 0; at < size && *end == TACIT_PENDING; at += piece) {
        tacit_bytes in = {data + at, size - at < piece ? size - at : piece};
        while ((*end = tacit_wire_read(&reader, &message, &in)) == TACIT_OK) {
            messages++;
            if (check) round_trip(&message);
        }
        REQUIRE(*end != TACIT_PENDING || in.len == 0);
    }
    if (*end != TACIT_PENDING) {
        tacit_bytes in = {data, size};
        REQUIRE(*end == TACIT_BAD_MESSAGE || *end == TACIT_TOO_LARGE);
        REQUIRE(tacit_wire_read(&reader, &message, &in) == *end && in.len == size);
        REQUIRE(!tacit_wire_reader_idle(&reader));
    }
    return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    tacit_status whole_end, piece_end;
    size_t piece = 1 + (size_t)data[0];
    size_t whole = read_all(&whole_end, data + 1, size - 1, size, true);
    bool idle = tacit_wire_reader_idle(&reader);
    size_t pieces = read_all(&piece_end, data + 1, size - 1, piece, false);
    REQUIRE(whole == pieces && whole_end == piece_end);
    REQUIRE(idle == tacit_wire_reader_idle(&reader));
    return 0;
}
