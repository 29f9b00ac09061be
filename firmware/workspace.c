/* SPDX-License-Identifier: Apache-2.0
 * workspace.c - see workspace.h. A bump allocator because the core's memory has one lifetime: that
 * of the `tacit` it serves. It refuses sizes that overflow and never writes past the caller's
 * buffer. */
#include "firmware/workspace.h"

void tacit_arena_init(tacit_arena *a, void *base, size_t cap) {
    assert((uintptr_t)base % TACIT_ARENA_ALIGN == 0);
    memset(a, 0, sizeof *a);
    a->base = base;
    a->cap = cap;
}

void *tacit_arena_take(tacit_arena *a, size_t count, size_t size) {
    if (count == 0 || size == 0) return NULL;
    size_t room = SIZE_MAX - TACIT_ARENA_ALIGN - a->used;
    if (count > room / size) {
        a->full = true;
        return NULL;
    }
    size_t len = (count * size + TACIT_ARENA_ALIGN - 1) & ~(size_t)(TACIT_ARENA_ALIGN - 1);
    if (a->base != NULL && len > a->cap - a->used) {
        a->full = true;
        return NULL;
    }
    uint8_t *out = a->base == NULL ? NULL : a->base + a->used;
    a->used += len;
    if (a->used > a->high) a->high = a->used;
    if (out != NULL) memset(out, 0, len);
    return out;
}
