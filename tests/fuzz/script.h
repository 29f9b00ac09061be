/* SPDX-License-Identifier: Apache-2.0
 * script.h - what the fuzz targets of state machines share: an input read as a script, whose end
 * reads as zeros, and edits of a body taken apart into messages. An edit goes through the encoding,
 * so an edited message is always one that could have come over the wire. */
#ifndef TACIT_TESTS_FUZZ_SCRIPT_H
#define TACIT_TESTS_FUZZ_SCRIPT_H

#include "tests/fuzz/fuzz.h"
#include "tests/support/federation_attack.h"

enum { SCRIPT_MESSAGES_MAX = 24 };

typedef struct {
    const uint8_t *at;
    size_t left;
} script;

static inline uint8_t script_u8(script *s) {
    if (s->left == 0) return 0;
    s->left--;
    return *s->at++;
}

static inline uint32_t script_u16(script *s) {
    uint32_t low = script_u8(s);
    return low | (uint32_t)script_u8(s) << 8;
}

/* The next len bytes, fewer at the end. */
static inline tacit_bytes script_bytes(script *s, size_t len) {
    if (len > s->left) len = s->left;
    tacit_bytes out = tacit_bytes_of(s->at, len);
    s->at += len;
    s->left -= len;
    return out;
}

/* Changes one byte of a message's encoding; a message that no longer decodes stays as it was. */
static inline void script_flip(tacit_Message *m, uint32_t offset, uint8_t change) {
    static uint8_t encoded[TACIT_MAX_MESSAGE_LEN + 2];
    static tacit_wire_reader reader;
    static tacit_Message changed;
    tacit_wire_buffer b = {encoded, 0, sizeof encoded};
    tacit_sink sink = tacit_wire_buffer_sink(&b);
    if (tacit_wire_write(m, &sink) != TACIT_OK) return;
    encoded[offset % b.len] ^= change;
    tacit_bytes in = tacit_bytes_of(encoded, b.len);
    tacit_wire_reader_init(&reader);
    if (tacit_wire_read(&reader, &changed, &in) == TACIT_OK && in.len == 0) *m = changed;
}

/* One edit: remove, swap, repeat or change a message. */
static inline void script_edit(script *s, attack_messages *m) {
    uint8_t kind = script_u8(s) % 5, a = script_u8(s);
    if (m->count == 0) return;
    uint32_t at = a % m->count;
    if (kind == 0) {
        attack_remove(m, at);
    } else if (kind == 1) {
        attack_swap(m, at, script_u8(s) % m->count);
    } else if (kind == 2 && m->count < SCRIPT_MESSAGES_MAX) {
        tacit_Message *copy = attack_insert(m, at);
        *copy = m->items[at + 1];
    } else {
        uint32_t offset = script_u16(s);
        script_flip(&m->items[at], offset, script_u8(s));
    }
}

/* All messages of a list, encoded; out is emptied first. What an attacker counted or cut may break
 * a message's own bounds: our writer refuses it, and it is left out. */
static inline void script_encode(federation_bytes *out, const attack_messages *m) {
    tacit_sink sink = federation_sink(out);
    out->len = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        tacit_status st = tacit_wire_write(&m->items[i], &sink);
        REQUIRE(st == TACIT_OK || st == TACIT_INTERNAL);
    }
}

static inline void script_copy(attack_messages *to, const attack_messages *from) {
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) *attack_insert(to, i) = from->items[i];
}

#endif
