/* SPDX-License-Identifier: Apache-2.0
 * raw_client.h - a TLS client that sends exactly the bytes a test wants, in the pieces it wants,
 * and breaks off as rudely as it wants: for tests of the server's edge. Blocking; ends the test
 * when nothing comes for 20 s. Several clients may be used in one thread. */
#ifndef TACIT_TESTS_RAW_CLIENT_H
#define TACIT_TESTS_RAW_CLIENT_H

#include "common/http.h"

typedef struct raw_client raw_client;

typedef struct {
    tacit_http_head head;
    uint8_t *body; /* freed with the next answer */
    size_t len;
} raw_answer;

/* The certificate every client opened from here on pins, as the app would. */
void raw_trust(const char *crt_path);

/* Connects without a handshake; NULL when the port refuses. */
raw_client *raw_connect(uint32_t port);
/* Connects and shakes hands; ends the test when that fails. */
raw_client *raw_open(uint32_t port);
/* false when the handshake fails. */
bool raw_handshake(raw_client *c);
/* "TLSv1.2", and the name of the cipher suite. */
const char *raw_version(const raw_client *c);
const char *raw_suite(const raw_client *c);

/* False when the server takes no more. */
bool raw_send(raw_client *c, const void *data, size_t len);
bool raw_say(raw_client *c, const char *text);
/* Without TLS. */
bool raw_send_plain(raw_client *c, const void *data, size_t len);

/* One whole answer; false when the connection ends before it is complete. */
bool raw_answer_get(raw_client *c, raw_answer *answer);
/* raw_say and raw_answer_get; ends the test when there is no answer. */
const raw_answer *raw_ask(raw_client *c, const char *text);
/* The status of the Problem in an answer; UINT32_MAX when it is none. note may be NULL. */
uint32_t raw_problem(const raw_answer *answer, char *note);
/* Up to cap bytes of plaintext; 0 at the end of the connection. */
size_t raw_read(raw_client *c, void *out, size_t cap);
/* True when the server has ended the connection (waits for it). */
bool raw_ended(raw_client *c);

/* Says goodbye, closes, frees. */
void raw_close(raw_client *c);
/* Cuts the connection so that the server sees a reset; frees. */
void raw_reset(raw_client *c);

#endif
