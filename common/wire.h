/* SPDX-License-Identifier: Apache-2.0
 * wire.h - messages in and out; the only user of proto/. Encoded lengths and every decoded value
 * are checked here, so that callers see either a message that keeps the bounds or a status.
 *
 * A body is a sequence of (varint length, encoded tacit_Message). */
#ifndef TACIT_COMMON_WIRE_H
#define TACIT_COMMON_WIRE_H

#include "common/base.h"
#include "common/transcript.h"
#include "proto/tacit.pb.h"

/* Collects one length-delimited message at a time from pieces of a body. */
typedef struct {
    uint32_t have; /* bytes of the current message (or of its length) in buf */
    uint32_t need; /* length of the current message; 0 while the length itself is being read */
    bool in_body;
    uint8_t buf[TACIT_MAX_MESSAGE_LEN];
} tacit_wire_reader;

void tacit_wire_reader_init(tacit_wire_reader *r);

/* Takes bytes from in (moving its data and len forward) until a message is complete.
 *   OK          *out holds the next message; more may follow in `in`
 *   PENDING     all of `in` was taken and the message is not complete
 *   TOO_LARGE   the announced length is 0 or above TACIT_MAX_MESSAGE_LEN
 *   BAD_MESSAGE the message does not decode, has no body or breaks a bound
 * After an error the reader takes nothing more. */
TACIT_MUST_CHECK tacit_status tacit_wire_read(tacit_wire_reader *r, tacit_Message *out,
                                              tacit_bytes *in);

/* True when no message is half read: what the end of a body must find. */
bool tacit_wire_reader_idle(const tacit_wire_reader *r);

/* Writes one length-delimited message. INTERNAL when the message breaks its own bounds, else what
 * the sink says. */
TACIT_MUST_CHECK tacit_status tacit_wire_write(const tacit_Message *m, tacit_sink *out);

/* Length of the delimited encoding. */
size_t tacit_wire_len(const tacit_Message *m);

/* JoinRequest <-> tacit_join (same fields; version and cohort apart). */
void tacit_wire_join_get(tacit_join *join, const tacit_JoinRequest *m);
void tacit_wire_join_put(tacit_JoinRequest *m, const tacit_join *join, uint32_t cohort);

/* A Problem message; note is cut to TACIT_NOTE_LEN. */
void tacit_wire_problem(tacit_Message *m, tacit_status status, const char *note);

/* A sink into a fixed buffer: NO_SPACE when full. */
typedef struct {
    uint8_t *data;
    size_t len, cap;
} tacit_wire_buffer;
tacit_sink tacit_wire_buffer_sink(tacit_wire_buffer *b);

#endif
