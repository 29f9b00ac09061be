/* SPDX-License-Identifier: Apache-2.0
 * http_fuzz.c - any bytes into the HTTP shim, whole and in two pieces: the same events and the same
 * end must come out, and no head may break its bounds. First byte: bit 0 response, bit 1 pause at
 * each message end; second byte: where to cut. */
#include <stdint.h>
#include <stdlib.h>

#include "common/http.h"

typedef struct {
    uint64_t hash; /* of everything seen */
    bool pause;
} seen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mix(seen *s, const void *data, size_t len) {
    const uint8_t *at = data;
    for (size_t i = 0; i < len; i++) s->hash = (s->hash ^ at[i]) * 1099511628211u;
}

static tacit_status take_head(void *self, const tacit_http_head *head) {
    seen *s = self;
    if (strlen(head->target) > TACIT_HTTP_TARGET_MAX || strlen(head->poll) > TACIT_HTTP_FIELD_MAX ||
        strlen(head->if_none_match) >= sizeof head->if_none_match)
        abort();
    if (head->response ? head->status < 200 : head->status != 0) abort();
    mix(s, head->target, strlen(head->target));
    mix(s, head->poll, strlen(head->poll));
    mix(s, &head->range_start, sizeof head->range_start);
    mix(s, &head->content_length, sizeof head->content_length);
    return TACIT_OK;
}

static tacit_status take_body(void *self, const uint8_t *data, size_t len) {
    mix(self, data, len);
    return TACIT_OK;
}

static tacit_status take_end(void *self) {
    seen *s = self;
    mix(s, "end", 3);
    return s->pause ? TACIT_PENDING : TACIT_OK;
}

static void feed(tacit_http *h, const uint8_t *data, size_t len) {
    size_t at = 0;
    while (at < len) {
        size_t taken = 0;
        tacit_status st = tacit_http_feed(h, &taken, data + at, len - at);
        if (taken > len - at) abort();
        if (st != TACIT_OK) return;
        if (taken == 0) abort(); /* no progress without an error */
        at += taken;
    }
}

static uint64_t parse(const uint8_t *data, size_t len, size_t cut, uint8_t mode) {
    seen s = {14695981039346656037u, (mode & 2) != 0};
    tacit_http_events events = {&s, take_head, take_body, take_end};
    tacit_http *h = malloc(tacit_http_len());
    if (h == NULL) abort();
    tacit_http_init(h, (mode & 1) != 0, &events);
    feed(h, data, cut);
    feed(h, data + cut, len - cut);
    uint8_t end = (uint8_t)tacit_http_close(h);
    mix(&s, &end, 1);
    free(h);
    return s.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    uint8_t mode = data[0];
    size_t len = size - 2, cut = len == 0 ? 0 : data[1] % (len + 1);
    if (parse(data + 2, len, len, mode) != parse(data + 2, len, cut, mode)) abort();
    return 0;
}
