/* SPDX-License-Identifier: Apache-2.0
 * open_service.c - see open_service.h. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/keys.h"
#include "server/service_internal.h"
#include "tests/support/open_service.h"
#include "tests/support/raw_client.h"

static struct {
    char dir[48];
    uv_loop_t loop;
    uv_async_t async; /* stops it */
    pthread_t thread;
    tls_server *tls;
    service *service;
    uint64_t now_s;
    open_service_end end;
} s;

static uint64_t now_s(void *self) {
    (void)self;
    return s.now_s;
}

static tacit_status no_file(void *self, uint8_t **file, size_t *len,
                            const uint8_t digest[static TACIT_HASH_LEN]) {
    (void)self, (void)file, (void)len, (void)digest;
    return TACIT_NOT_FOUND;
}

static tacit_status no_model(void *self, uint8_t digest[static TACIT_HASH_LEN], uint64_t *number) {
    (void)self, (void)digest, (void)number;
    return TACIT_NOT_FOUND;
}

static void ended(void *self, const cohort_report *report, const uint32_t *words) {
    (void)self, (void)report, (void)words;
}

static void on_stop(uv_async_t *async) {
    s.end.counts = service_counts(s.service);
    cohort_report_get(s.service->rounds->cohort, &s.end.report);
    service_stop(s.service);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *self) {
    uv_run(&s.loop, UV_RUN_DEFAULT);
    return self;
}

static void listen_for(size_t staged_max) {
    char note[KEYS_NOTE_LEN + 1], crt[96], key[96];
    snprintf(s.dir, sizeof s.dir, "/tmp/tacit-open-XXXXXX");
    assert_non_null(mkdtemp(s.dir));
    assert_int_equal(keys_init(s.dir, note), TACIT_OK);
    snprintf(crt, sizeof crt, "%.47s/keys/tls.crt", s.dir);
    snprintf(key, sizeof key, "%.47s/keys/tls.key", s.dir);
    raw_trust(crt);
    assert_int_equal(tls_server_new(&s.tls, note, crt, key), TACIT_OK);
    assert_int_equal(uv_loop_init(&s.loop), 0);
    assert_int_equal(uv_async_init(&s.loop, &s.async, on_stop), 0);
    const service_options options = {.http = {.listen = "127.0.0.1",
                                              .max_connections = 20,
                                              .staged_max = staged_max,
                                              .retry_s = 4},
                                     .hold_s = 5};
    const service_host host = {NULL, now_s, no_file, no_model, ended};
    assert_int_equal(service_new(&s.service, note, &s.loop, s.tls, &options, &host), TACIT_OK);
}

uint32_t open_service_start(const federation *f, size_t staged_max) {
    round_offer offer = {.plan = f->plan};
    s.now_s = f->now_s;
    listen_for(staged_max);
    tacit_plan_encode(offer.encoded, &f->plan);
    memcpy(offer.digest, f->plan_digest, TACIT_HASH_LEN);
    memcpy(offer.phase_secret, f->phase_secret, TACIT_SIGN_SECRET_LEN);
    assert_int_equal(service_open(s.service, &offer, NULL, 0), TACIT_OK);
    uint32_t port = service_port(s.service);
    assert_int_equal(pthread_create(&s.thread, NULL, run, NULL), 0);
    return port;
}

void open_service_stop(open_service_end *end) {
    char line[96];
    uv_async_send(&s.async);
    pthread_join(s.thread, NULL);
    assert_int_equal(uv_loop_close(&s.loop), 0);
    service_free(s.service);
    tls_server_free(s.tls);
    snprintf(line, sizeof line, "rm -rf %.47s", s.dir);
    if (system(line) != 0) fail();
    *end = s.end;
}
