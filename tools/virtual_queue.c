/* SPDX-License-Identifier: Apache-2.0
 * virtual_queue.c - see virtual_queue.h: a binary heap in an array. */
#include "tools/virtual_queue.h"

#include <stdlib.h>

#include "common/crypto.h"

static bool before(const virtual_event *a, const virtual_event *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

bool virtual_queue_put(virtual_queue *q, virtual_event event) {
    if (q->count == q->cap) {
        size_t cap = q->cap ? 2 * q->cap : 1024;
        virtual_event *grown = realloc(q->heap, cap * sizeof *grown);
        if (grown == NULL) return false;
        q->heap = grown;
        q->cap = cap;
    }
    event.order = q->order++;
    size_t at = q->count++;
    for (; at > 0 && before(&event, &q->heap[(at - 1) / 2]); at = (at - 1) / 2)
        q->heap[at] = q->heap[(at - 1) / 2];
    q->heap[at] = event;
    return true;
}

const virtual_event *virtual_queue_peek(const virtual_queue *q) {
    return q->count > 0 ? &q->heap[0] : NULL;
}

virtual_event virtual_queue_take(virtual_queue *q) {
    assert(q->count > 0);
    virtual_event first = q->heap[0], last = q->heap[--q->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child])) child++;
        if (!before(&q->heap[child], &last)) break;
        q->heap[at] = q->heap[child];
    }
    if (q->count > 0) q->heap[at] = last;
    return first;
}

void virtual_queue_free(virtual_queue *q) {
    for (size_t i = 0; i < q->count; i++) virtual_body_release(q->heap[i].body);
    free(q->heap);
    *q = (virtual_queue){0};
}

virtual_body *virtual_body_new(const void *data, size_t len, bool poll) {
    virtual_body *body = malloc(sizeof *body + len);
    if (body == NULL) return NULL;
    *body = (virtual_body){.users = 1, .poll = poll, .len = len};
    if (len > 0) memcpy(body->data, data, len);
    return body;
}

void virtual_body_release(virtual_body *body) {
    if (body == NULL || --body->users > 0) return;
    tacit_wipe(body->data, body->len);
    free(body);
}
