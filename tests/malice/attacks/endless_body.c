/* SPDX-License-Identifier: Apache-2.0
 * endless_body.c - bodies are staged under a quota for the whole server, and a request that fits
 * under it takes as much of it as it announces. Somebody announces a gigabyte in a head of eighty
 * bytes and then says nothing more. Without a bound on what a request may announce, that one silent
 * connection holds the quota, far above its limit, and no honest upload is read any longer. The
 * cohort says beforehand how long the longest honest body of a phase is. */
#include <stdio.h>
#include <unistd.h>

#include "tests/malice/malice.h"
#include "tests/support/open_service.h"
#include "tests/support/raw_client.h"

enum { STAGED_MAX = 8 << 20, MOMENT_US = 150000 };

static raw_client *announce(uint32_t port, size_t len) {
    char head[120];
    raw_client *c = raw_open(port);
    snprintf(head, sizeof head,
             "POST /v1/rounds/1/join HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", len);
    assert_true(raw_say(c, head));
    usleep(MOMENT_US); /* so that it is looked at before anything else comes */
    return c;
}

static bool wins(const char **why) {
    federation f;
    open_service_end end;
    const federation_spec spec = {.device_count = 3, .seed = 51};
    federation_init_devices(&f, &spec);
    uint32_t port = open_service_start(&f, STAGED_MAX);
    raw_client *silent = announce(port, 1 << 30);
    assert_int_equal(federation_request(&f, &f.devices[0], &f.request), TACIT_OK);
    raw_client *honest = announce(port, f.request.len);
    assert_true(raw_send(honest, f.request.data, f.request.len));
    usleep(2 * MOMENT_US);
    open_service_stop(&end);
    raw_close(silent);
    raw_close(honest);
    federation_free(&f);
    *why = end.counts.refused > 0 ? "the head alone is refused" : "?";
    return end.counts.staged_now > STAGED_MAX && end.report.joined == 0;
}

const malice_attack malice_endless_body = {
    .finding = "M12",
    .attack = "a silent connection announces a gigabyte and no honest upload is read any more",
    .check = "cohort_body_max",
    .wins = wins,
};
