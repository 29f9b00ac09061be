/* SPDX-License-Identifier: Apache-2.0
 * http.c - see http.h. The two parser libraries differ in three places only: how bytes are run, how
 * a pause is seen and how the end of the stream is told; those three stand at the top.
 *
 * The library is paused at the end of every message, so that head bytes are counted exactly: no
 * more than TACIT_HTTP_HEAD_MAX bytes may pass without a body byte or the end of a head or message
 * (this also bounds chunk extensions). It refuses HTTP other than 1.1, upgrades, trailers, and a
 * field of ours given twice; a message with two lengths is refused by both libraries. */
#include "common/http.h"

#if __has_include(<llhttp.h>)
#include <llhttp.h>
typedef llhttp_t parser_state;
typedef llhttp_settings_t parser_settings;
#else
#include <http_parser.h>
typedef http_parser parser_state;
typedef http_parser_settings parser_settings;
#endif

enum { NAME_MAX_LEN = 24 };

typedef enum {
    FIELD_OTHER,
    FIELD_POLL,
    FIELD_IF_NONE_MATCH,
    FIELD_RANGE,
    FIELD_RETRY_AFTER,
    FIELD_EXPECT,
    FIELD_COUNT
} field_kind;

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_POLL] = "tacit-poll", [FIELD_IF_NONE_MATCH] = "if-none-match",
    [FIELD_RANGE] = "range",     [FIELD_RETRY_AFTER] = "retry-after",
    [FIELD_EXPECT] = "expect",
};

struct tacit_http {
    parser_state parser;
    parser_settings settings;
    tacit_http_events events;
    tacit_http_head head;
    char name[NAME_MAX_LEN + 1]; /* lower case; longer names are none of ours */
    char value[TACIT_HTTP_FIELD_MAX + 1];
    size_t target_len, name_len, value_len;
    uint32_t seen;  /* fields of ours that this head already had */
    uint32_t quiet; /* bytes since the last progress */
    bool in_value, head_done, informational, begun, progress, paused, stop;
    tacit_status error; /* what an event or a check said; final */
};

/* ---- The two libraries ------------------------------------------------------------------------*/
#ifdef LLHTTP_VERSION_MAJOR
/* Runs bytes; *taken may fall short only after a pause or an error. */
static bool run(tacit_http *h, size_t *taken, const char *data, size_t len) {
    llhttp_errno_t e = llhttp_execute(&h->parser, data, len);
    *taken = len;
    if (e == HPE_OK) return true;
    const char *at = llhttp_get_error_pos(&h->parser);
    if (at >= data && at <= data + len) *taken = (size_t)(at - data);
    if (e != HPE_PAUSED) return false;
    llhttp_resume(&h->parser);
    return true;
}
static int pause_here(tacit_http *h) {
    (void)h;
    return HPE_PAUSED;
}
static void finish(tacit_http *h) { (void)llhttp_finish(&h->parser); }
static bool keep_alive(const tacit_http *h) { return llhttp_should_keep_alive(&h->parser) != 0; }
static bool has_length(const tacit_http *h) { return (h->parser.flags & F_CONTENT_LENGTH) != 0; }
static void start(tacit_http *h, bool response) {
    llhttp_init(&h->parser, response ? HTTP_RESPONSE : HTTP_REQUEST, &h->settings);
}
#else
static bool run(tacit_http *h, size_t *taken, const char *data, size_t len) {
    *taken = http_parser_execute(&h->parser, &h->settings, data, len);
    if (HTTP_PARSER_ERRNO(&h->parser) == HPE_PAUSED) http_parser_pause(&h->parser, 0);
    return HTTP_PARSER_ERRNO(&h->parser) == HPE_OK;
}
static int pause_here(tacit_http *h) {
    http_parser_pause(&h->parser, 1);
    return 0;
}
static void finish(tacit_http *h) { (void)http_parser_execute(&h->parser, &h->settings, "", 0); }
static bool keep_alive(const tacit_http *h) { return http_should_keep_alive(&h->parser) != 0; }
static bool has_length(const tacit_http *h) { return (h->parser.flags & F_CONTENTLENGTH) != 0; }
static void start(tacit_http *h, bool response) {
    http_parser_init(&h->parser, response ? HTTP_RESPONSE : HTTP_REQUEST);
}
#endif

static int refuse(tacit_http *h, tacit_status status) {
    if (h->error == TACIT_OK) h->error = status;
    return -1;
}

/* ---- Fields
 * ------------------------------------------------------------------------------------*/

/* A plain decimal number that fills the string up to `end`; false otherwise. */
static bool number(uint64_t *out, const char *text, const char *end) {
    uint64_t v = 0;
    if (text == end || end - text > 19) return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *out = v;
    return true;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool same(const char *text, size_t len, const char *wanted) {
    size_t i = 0;
    for (; i < len && wanted[i] != 0; i++)
        if (lower(text[i]) != wanted[i]) return false;
    return i == len && wanted[i] == 0;
}

static field_kind kind_of(const tacit_http *h) {
    for (int k = FIELD_OTHER + 1; k < FIELD_COUNT; k++)
        if (same(h->name, h->name_len, field_names[k])) return (field_kind)k;
    return FIELD_OTHER;
}

/* Takes the field collected so far into the head. */
static int field_end(tacit_http *h) {
    field_kind kind = h->in_value ? kind_of(h) : FIELD_OTHER;
    const char *value = h->value;
    size_t len = h->value_len;
    h->in_value = false;
    h->name_len = h->value_len = 0;
    if (kind == FIELD_OTHER) return 0;
    if (h->seen & (1u << kind)) return refuse(h, TACIT_BAD_MESSAGE);
    h->seen |= 1u << kind;
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) len--;
    if (len > TACIT_HTTP_FIELD_MAX) return refuse(h, TACIT_TOO_LARGE);
    uint64_t n = 0;
    switch (kind) {
        case FIELD_POLL:
            memcpy(h->head.poll, value, len);
            h->head.poll[len] = 0;
            break;
        case FIELD_IF_NONE_MATCH: /* a longer list is as good as none */
            if (len < sizeof h->head.if_none_match) memcpy(h->head.if_none_match, value, len);
            break;
        case FIELD_RANGE:
            if (len > 7 && same(value, 6, "bytes=") && value[len - 1] == '-' &&
                number(&n, value + 6, value + len - 1))
                h->head.range_start = n;
            break;
        case FIELD_RETRY_AFTER:
            if (number(&n, value, value + len))
                h->head.retry_after_s = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
            break;
        case FIELD_EXPECT:
            if (!same(value, len, "100-continue")) return refuse(h, TACIT_BAD_MESSAGE);
            h->head.expect_continue = true;
            break;
        default: break;
    }
    return 0;
}

/* ---- Callbacks
 * ---------------------------------------------------------------------------------*/

static int on_begin(parser_state *p) {
    tacit_http *h = p->data;
    bool response = h->head.response;
    memset(&h->head, 0, sizeof h->head);
    h->head.response = response;
    h->head.content_length = UINT64_MAX;
    h->target_len = h->name_len = h->value_len = 0;
    h->seen = 0;
    h->in_value = h->head_done = h->informational = false;
    h->begun = true;
    return 0;
}

static int on_target(parser_state *p, const char *at, size_t len) {
    tacit_http *h = p->data;
    if (len > TACIT_HTTP_TARGET_MAX - h->target_len) return refuse(h, TACIT_TOO_LARGE);
    memcpy(h->head.target + h->target_len, at, len);
    h->target_len += len;
    return 0;
}

static int on_name(parser_state *p, const char *at, size_t len) {
    tacit_http *h = p->data;
    if (h->head_done) return refuse(h, TACIT_BAD_MESSAGE); /* a trailer */
    if (h->in_value && field_end(h) != 0) return -1;
    for (size_t i = 0; i < len; i++) {
        if (at[i] == ' ') return refuse(h, TACIT_BAD_MESSAGE); /* http-parser lets it pass */
        if (h->name_len < NAME_MAX_LEN) h->name[h->name_len] = lower(at[i]);
        if (h->name_len <= NAME_MAX_LEN) h->name_len++;
    }
    if (h->name_len > NAME_MAX_LEN) h->name_len = NAME_MAX_LEN + 1;
    return 0;
}

static int on_value(parser_state *p, const char *at, size_t len) {
    tacit_http *h = p->data;
    if (h->head_done) return refuse(h, TACIT_BAD_MESSAGE);
    h->in_value = true;
    size_t room =
        h->value_len <= TACIT_HTTP_FIELD_MAX ? TACIT_HTTP_FIELD_MAX + 1 - h->value_len : 0;
    size_t take = len < room ? len : room;
    memcpy(h->value + h->value_len, at, take);
    h->value_len += take;
    return 0;
}

static void set_method(tacit_http *h) {
    const char *name = h->parser.method == HTTP_GET    ? "GET"
                       : h->parser.method == HTTP_POST ? "POST"
                                                       : "OTHER";
    memcpy(h->head.method, name, strlen(name) + 1);
}

static int on_head(parser_state *p) {
    tacit_http *h = p->data;
    if (field_end(h) != 0) return -1;
    if (p->http_major != 1 || p->http_minor != 1 || p->upgrade) return refuse(h, TACIT_BAD_MESSAGE);
    h->head_done = h->progress = true;
    h->head.status = (int)p->status_code;
    if (!h->head.response) {
        h->head.status = 0;
        set_method(h);
    }
    if (has_length(h)) h->head.content_length = p->content_length;
    h->head.keep_alive = keep_alive(h);
    h->informational = h->head.response && h->head.status < 200;
    if (h->informational) return 0;
    tacit_status st = h->events.on_head(h->events.self, &h->head);
    return st == TACIT_OK ? 0 : refuse(h, st);
}

static int on_body(parser_state *p, const char *at, size_t len) {
    tacit_http *h = p->data;
    h->progress = true;
    if (h->informational || len == 0) return 0;
    tacit_status st = h->events.on_body(h->events.self, (const uint8_t *)at, len);
    return st == TACIT_OK ? 0 : refuse(h, st);
}

static int on_complete(parser_state *p) {
    tacit_http *h = p->data;
    h->begun = false;
    h->progress = h->paused = true;
    if (!h->informational) {
        tacit_status st = h->events.on_end(h->events.self);
        if (st == TACIT_PENDING)
            h->stop = true;
        else if (st != TACIT_OK)
            return refuse(h, st);
    }
    return pause_here(h);
}

/* ---- Interface
 * ---------------------------------------------------------------------------------*/

size_t tacit_http_len(void) { return sizeof(tacit_http); }

void tacit_http_init(tacit_http *h, bool response, const tacit_http_events *events) {
    memset(h, 0, sizeof *h);
    h->events = *events;
    h->settings.on_message_begin = on_begin;
    h->settings.on_url = on_target;
    h->settings.on_header_field = on_name;
    h->settings.on_header_value = on_value;
    h->settings.on_headers_complete = on_head;
    h->settings.on_body = on_body;
    h->settings.on_message_complete = on_complete;
    start(h, response);
    h->parser.data = h;
    h->head.response = response;
}

tacit_status tacit_http_feed(tacit_http *h, size_t *taken, const uint8_t *data, size_t len) {
    *taken = 0;
    h->stop = false;
    while (h->error == TACIT_OK && !h->stop && *taken < len) {
        size_t room = TACIT_HTTP_HEAD_MAX + 1 - h->quiet, n = len - *taken, used = 0;
        if (n > room) n = room;
        h->progress = h->paused = false;
        bool good = run(h, &used, (const char *)data + *taken, n);
        *taken += used;
        if (!good || (used < n && !h->paused)) {
            (void)refuse(h, TACIT_BAD_MESSAGE);
            break;
        }
        h->quiet = h->progress ? 0 : h->quiet + (uint32_t)used;
        if (h->quiet > TACIT_HTTP_HEAD_MAX) (void)refuse(h, TACIT_TOO_LARGE);
    }
    return h->error;
}

tacit_status tacit_http_close(tacit_http *h) {
    if (h->error == TACIT_OK && h->begun) finish(h); /* ends a body that lasts until the close */
    if (h->error != TACIT_OK) return h->error;
    return h->begun ? TACIT_TRUNCATED : TACIT_OK;
}
