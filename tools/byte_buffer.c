/* SPDX-License-Identifier: Apache-2.0
 * byte_buffer.c - see byte_buffer.h. */
#include "tools/byte_buffer.h"

#include <stdlib.h>

tacit_status byte_buffer_append(void *self, const uint8_t *data, size_t len) {
    byte_buffer *b = self;
    if (len == 0) return TACIT_OK;
    if (b->data == NULL || b->len + len > b->cap) {
        size_t cap = 2 * (b->len + len);
        uint8_t *grown = realloc(b->data, cap);
        if (grown == NULL) return TACIT_NO_SPACE;
        b->data = grown;
        b->cap = cap;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return TACIT_OK;
}

tacit_sink byte_buffer_sink(byte_buffer *b) { return (tacit_sink){b, byte_buffer_append}; }

void byte_buffer_free(byte_buffer *b) {
    free(b->data);
    *b = (byte_buffer){0};
}
