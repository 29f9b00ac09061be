/* SPDX-License-Identifier: Apache-2.0
 * cohort_request.c - reading one request body and judging whose fault a bad one is. A device is
 * dropped only for what stands under its own signature: anybody can write another device's index
 * into a message, and must not get it out of the cohort by that. So what a message says is checked
 * while it is read, but nothing comes of a finding before the signature was. */
#include <stdarg.h>
#include <stdio.h>

#include "server/cohort_checks.h"

tacit_status cohort_request_next(cohort_request *r, pb_size_t which) {
    tacit_status st = tacit_wire_read(&r->reader, &r->message, &r->in);
    if (st == TACIT_PENDING) {
        cohort_note(r->note, "the body ends before its last message is complete");
        return TACIT_TRUNCATED;
    }
    if (st != TACIT_OK) {
        cohort_note(r->note, "a message of the body does not decode or breaks a bound");
        return st;
    }
    if (r->message.which_body != which) {
        cohort_note(r->note, "message kind %u where kind %u is due",
                    (unsigned)r->message.which_body, (unsigned)which);
        return TACIT_BAD_MESSAGE;
    }
    return TACIT_OK;
}

tacit_status cohort_request_end(cohort_request *r) {
    if (r->in.len == 0) return TACIT_OK;
    cohort_note(r->note, "%zu bytes too many behind the last message", r->in.len);
    return TACIT_BAD_MESSAGE;
}

tacit_status cohort_request_seat(cohort_request *r, uint32_t index) {
    cohort *c = r->c;
    if (index >= c->rule.n) {
        cohort_note(r->note, "index %u is outside the roster of %u", index, c->rule.n);
        return TACIT_BAD_MESSAGE;
    }
    r->index = index;
    r->seat = c->roster[index];
    if (cohort_may_send(c, r->phase, index)) return TACIT_OK;
    cohort_note(r->note, "device %u is not in the set that may send in this phase", index);
    return TACIT_WRONG_PHASE;
}

bool cohort_request_copy(const cohort_request *r, const uint8_t *signature) {
    bool copy = cohort_has_sent(r->seat, r->phase) &&
                memcmp(r->seat->signatures[r->phase], signature, TACIT_SIG_LEN) == 0;
    if (copy) cohort_note(r->note, "device %u already sent this", r->index);
    return copy;
}

void cohort_request_find(cohort_request *r, tacit_status finding, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (r->finding == TACIT_OK) {
        r->finding = finding;
        (void)vsnprintf(r->finding_note, sizeof r->finding_note, format, args);
    }
    va_end(args);
}

static void drop(cohort_request *r, cohort_fault fault) {
    cohort_blame blame = {.index = r->index, .phase = r->phase, .fault = fault};
    r->seat->dropped = true;
    r->c->report.refused[r->phase]++;
    r->c->waiting--;
    cohort_blame_add(r->c, &blame);
}

tacit_status cohort_request_refuse(cohort_request *r, tacit_status status, cohort_fault fault,
                                   const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->finding_note, sizeof r->finding_note, format, args);
    va_end(args);
    cohort_note(r->note, "device %u: %s", r->index, r->finding_note);
    drop(r, fault);
    return status;
}

tacit_status cohort_request_judge(cohort_request *r, tacit_label label, const uint8_t *signature,
                                  const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, cohort_session_of(r->c, r->phase), r->c->params.cohort,
                          r->index, body);
    tacit_status st = tacit_statement_verify(signature, &statement, r->seat->device_key);
    if (st == TACIT_OK && cohort_has_sent(r->seat, r->phase)) {
        cohort_note(r->note, "device %u already sent in this phase", r->index);
        return TACIT_DUPLICATE;
    }
    if (r->finding != TACIT_OK) {
        cohort_note(r->note, "device %u: %s", r->index, r->finding_note);
        if (st == TACIT_OK) drop(r, COHORT_FAULT_MESSAGE);
        return r->finding;
    }
    if (st != TACIT_OK)
        cohort_note(r->note, "the signature is not device %u's over this message", r->index);
    return st;
}

void cohort_request_accept(cohort_request *r, const uint8_t *signature) {
    cohort *c = r->c;
    memcpy(r->seat->signatures[r->phase], signature, TACIT_SIG_LEN);
    r->seat->sent = (uint8_t)(r->seat->sent | 1u << r->phase);
    tacit_bit_set(c->sets[r->phase], r->index);
    c->report.sent[r->phase]++;
    c->waiting--;
}
