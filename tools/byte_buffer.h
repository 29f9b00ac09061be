/* SPDX-License-Identifier: Apache-2.0
 * byte_buffer.h - bytes that grow as they come: a message between two sides in one process. */
#ifndef TACIT_TOOLS_BYTE_BUFFER_H
#define TACIT_TOOLS_BYTE_BUFFER_H

#include "common/base.h"

/* Zeroed to begin with; data may move when it grows. */
typedef struct {
    uint8_t *data;
    size_t len, cap;
} byte_buffer;

/* Appends to the byte_buffer `self`; NO_SPACE when memory runs out, nothing is added then. */
tacit_status byte_buffer_append(void *self, const uint8_t *data, size_t len);
/* Appends; valid as long as b. */
tacit_sink byte_buffer_sink(byte_buffer *b);
/* Frees and zeroes. */
void byte_buffer_free(byte_buffer *b);

#endif
