/* SPDX-License-Identifier: Apache-2.0
 * cohort_test.c - what the server's cohort refuses, and that a refusal costs nobody else anything.
 * Honest devices make the requests; one thing in a request is changed and, where the signature
 * would notice, signed again with the device's key, so that the deeper check is what refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/cohort_expect.h"
#include "tests/support/cohort_fixture.h"

/* Eight devices, two may drop: n_min 7 (8 - 8 * 230 / 1000), seven neighbours each, t_v 4. */
enum { N = 8, N_MIN = 7, T_V = 4 };
static const federation_spec eight = {.device_count = N, .max_dropout = 230, .seed = 11};

/* After a drop: the honest request has no effect any more. */
static void shut_out(rig *r, uint32_t i) {
    (void)i;
    refused(r, TACIT_WRONG_PHASE, false, "not in the set");
}

/* ---- every phase ----------------------------------------------------------------------------- */

/* Every proper beginning of an honest body is refused, and costs its device nothing. */
static void test_truncated(void **state) {
    (void)state;
    for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        rig_request(&r, 3);
        rig_build(&r);
        for (size_t len = 0; len < r.body.len; len++) {
            uint32_t slot = 12345;
            uint8_t *cut = malloc(len > 0 ? len : 1); /* so that a sanitizer sees any read beyond */
            assert_non_null(cut);
            memcpy(cut, r.body.data, len);
            tacit_status st = rig_submit_bytes(&r, cut, len, &slot);
            free(cut);
            if (st != TACIT_TRUNCATED)
                fail_msg("phase %d cut at %zu: %s", phase, len, tacit_status_name(st));
            assert_int_equal(slot, 12345);
            assert_string_not_equal(r.note, "");
        }
        assert_int_equal(refused_in(&r, (cohort_phase)phase), 0);
        accepted(&r);
        finish_well(&r, N);
        rig_free(&r);
    }
}

static void test_oversized_and_trailing(void **state) {
    (void)state;
    for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        rig_request(&r, 3);
        rig_build(&r);
        size_t max = cohort_body_max(r.f.cohort, (cohort_phase)phase), honest = r.body.len;
        assert_true(honest <= max);
        uint8_t *body = calloc(1, max + 1);
        assert_non_null(body);
        memcpy(body, r.body.data, honest);
        uint32_t slot;
        assert_int_equal(rig_submit_bytes(&r, body, max + 1, &slot), TACIT_TOO_LARGE);
        assert_int_equal(rig_submit_bytes(&r, body, honest + 1, &slot), TACIT_BAD_MESSAGE);
        body[0] = 0xff; /* a message above the limit, announced */
        body[1] = 0x7f;
        assert_int_equal(rig_submit_bytes(&r, body, honest, &slot), TACIT_TOO_LARGE);
        body[0] = 0;
        assert_int_equal(rig_submit_bytes(&r, body, honest, &slot), TACIT_TOO_LARGE);
        free(body);
        assert_int_equal(refused_in(&r, (cohort_phase)phase), 0);
        accepted(&r);
        finish_well(&r, N);
        rig_free(&r);
    }
}

/* The message of every phase in every other phase: as another phase's body, and in its own time. */
static void test_wrong_phase(void **state) {
    (void)state;
    rig r;
    federation_bytes bodies[COHORT_REVEAL + 1] = {{0}};
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) {
        rig_request(&r, 3);
        rig_build(&r);
        tacit_sink sink = federation_sink(&bodies[phase]);
        assert_int_equal(sink.write(sink.self, r.body.data, r.body.len), TACIT_OK);
        uint32_t slot = 12345;
        for (int p = COHORT_JOIN; p <= COHORT_REVEAL; p++) {
            if (p == phase) continue;
            tacit_bytes mine = tacit_bytes_of(r.body.data, r.body.len);
            assert_int_equal(
                cohort_submit(r.f.cohort, &slot, r.note, (cohort_phase)p, mine, r.f.now_s),
                p < phase ? TACIT_LATE : TACIT_WRONG_PHASE);
            if (p > phase) continue;
            tacit_bytes old = tacit_bytes_of(bodies[p].data, bodies[p].len);
            assert_int_equal(
                cohort_submit(r.f.cohort, &slot, r.note, (cohort_phase)p, old, r.f.now_s),
                TACIT_LATE);
            tacit_status st =
                cohort_submit(r.f.cohort, &slot, r.note, (cohort_phase)phase, old, r.f.now_s);
            assert_true(st == TACIT_BAD_MESSAGE || st == TACIT_TOO_LARGE);
        }
        assert_int_equal(slot, 12345);
        accepted(&r);
        rig_finish_phase(&r);
    }
    assert_int_equal(rig_phase(&r), COHORT_DONE);
    uint32_t slot = 0;
    assert_int_equal(cohort_submit(r.f.cohort, &slot, r.note, COHORT_SUM, tacit_bytes_of("", 0), 0),
                     TACIT_WRONG_PHASE);
    for (int p = COHORT_JOIN; p <= COHORT_REVEAL; p++) {
        assert_int_equal(refused_in(&r, (cohort_phase)p), 0);
        federation_bytes_free(&bodies[p]);
    }
    rig_free(&r);
}

/* M1: the deadline counts whether or not anybody ticked; the last second still belongs to it. */
static void test_late(void **state) {
    (void)state;
    for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        uint64_t deadline_s = cohort_deadline_s(r.f.cohort);
        r.f.now_s = deadline_s;
        assert_false(cohort_tick(r.f.cohort, deadline_s));
        rig_request(&r, 3);
        accepted(&r);
        rig_request(&r, 4);
        r.f.now_s = deadline_s + 1;
        refused(&r, TACIT_LATE, false, "has closed");
        assert_int_equal(rig_phase(&r), phase);
        assert_true(cohort_tick(r.f.cohort, r.f.now_s));
        assert_false(cohort_answer_ready(r.f.cohort, COHORT_REVEAL) && rig_phase(&r) == COHORT_SUM);
        rig_free(&r);
    }
}

/* H11: a copy gets the same slot and changes nothing, nor does another message of the same device;
 * a forger learns no slot. */
static void test_duplicate(void **state) {
    (void)state;
    for (int phase = 0; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        rig_request(&r, 3);
        accepted(&r);
        for (int i = 0; i < 3; i++) {
            uint32_t slot = UINT32_MAX;
            assert_int_equal(rig_submit(&r, &slot), TACIT_DUPLICATE);
            assert_int_equal(slot, r.d->slot);
        }
        uint8_t *sig = phase == COHORT_JOIN    ? r.m.items[0].body.join.signature
                       : phase == COHORT_SHARE ? r.m.items[0].body.share.signature
                       : phase == COHORT_MASK  ? r.m.items[0].body.mask.signature
                       : phase == COHORT_AGREE ? r.m.items[0].body.agree.signature
                                               : r.m.items[0].body.reveal.signature;
        sig[5] ^= 1;
        refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
        sig[5] ^= 1;
        /* Other content, its own signature: the first one counts. */
        if (phase == COHORT_JOIN) r.m.items[0].body.join.commitment[0] ^= 1;
        if (phase == COHORT_SHARE) r.m.items[1].body.sealed.box_s[0] ^= 1;
        if (phase == COHORT_MASK) r.tail.data[0] ^= 1;
        if (phase == COHORT_REVEAL) r.m.items[1].body.revealed.key[0] ^= 1;
        rig_sign(&r);
        uint32_t slot = UINT32_MAX;
        assert_int_equal(rig_submit(&r, &slot), TACIT_DUPLICATE);
        assert_int_equal(slot, r.d->slot);
        assert_int_equal(refused_in(&r, (cohort_phase)phase), 0);
        finish_well(&r, N);
        rig_free(&r);
    }
}

/* Anybody's bytes under another device's index end the exchange and nothing more. */
static void test_forged(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_SHARE; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        rig_request(&r, 3);
        uint32_t mine = rig_index(&r, r.d);
        uint32_t *index = phase == COHORT_SHARE   ? &r.m.items[0].body.share.index
                          : phase == COHORT_MASK  ? &r.m.items[0].body.mask.index
                          : phase == COHORT_AGREE ? &r.m.items[0].body.agree.index
                                                  : &r.m.items[0].body.reveal.index;
        assert_int_equal(*index, mine);
        *index = (mine + 1) % N;
        uint32_t slot;
        tacit_status st = rig_submit(&r, &slot);
        assert_true(st == TACIT_BAD_SIGNATURE || st == TACIT_BAD_MESSAGE);
        assert_int_equal(refused_in(&r, (cohort_phase)phase), 0);
        *index = N;
        refused(&r, TACIT_BAD_MESSAGE, false, "outside the roster");
        *index = mine;
        /* The right content under a session this cohort does not have (H2). */
        uint8_t session[TACIT_HASH_LEN];
        memcpy(session, cohort_session_of(r.f.cohort, rig_phase(&r)), sizeof session);
        session[0] ^= 1;
        rig_sign_under(&r, session);
        refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
        if (phase != COHORT_SHARE) {
            rig_sign_under(&r, r.f.cohort->session); /* the first session instead of session2 */
            refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
        }
        rig_sign(&r);
        accepted(&r);
        finish_well(&r, N);
        rig_free(&r);
    }
}

/* Bytes of a device in one cohort, sent to another cohort of the same plan. */
static void test_replayed(void **state) {
    (void)state;
    federation_spec other = eight;
    other.device_count = other.n_hi = N + 1;
    other.n_lo = 3;
    for (int phase = TACIT_PHASE_SHARE; phase <= TACIT_PHASE_REVEAL; phase++) {
        rig a, b;
        federation_spec first = eight;
        first.n_hi = N + 1; /* the same plan, so the same first N devices */
        rig_make(&a, &first, (tacit_phase)phase);
        rig_make(&b, &other, (tacit_phase)phase);
        assert_memory_equal(a.f.plan_digest, b.f.plan_digest, TACIT_HASH_LEN);
        uint32_t i = 0; /* a device with the same index in both */
        while (rig_index(&a, &a.f.devices[i]) != rig_index(&b, &b.f.devices[i])) i++;
        assert_memory_equal(a.f.devices[i].id, b.f.devices[i].id, TACIT_HASH_LEN);
        rig_request(&a, i);
        rig_build(&a);
        uint32_t slot = 12345;
        tacit_status st = rig_submit_bytes(&b, a.body.data, a.body.len, &slot);
        assert_true(st == TACIT_BAD_SIGNATURE || st == TACIT_BAD_MESSAGE);
        assert_int_equal(slot, 12345);
        assert_int_equal(refused_in(&b, (cohort_phase)phase), 0);
        finish_well(&b, N + 1);
        rig_free(&a);
        rig_free(&b);
    }
}

/* ---- join ------------------------------------------------------------------------------------ */

static void test_params(void **state) {
    (void)state;
    federation f;
    cohort *c;
    federation_init_plan(&f, &eight);
    cohort_params good = {.plan = f.plan}, p;
    memcpy(good.plan_digest, f.plan_digest, TACIT_HASH_LEN);
    memcpy(good.phase_secret, f.phase_secret, TACIT_SIGN_SECRET_LEN);
#define BAD(change)                                       \
    p = good;                                             \
    change;                                               \
    assert_int_equal(cohort_new(&c, &p), TACIT_BAD_PLAN); \
    assert_null(c)
    BAD(p.plan.phase_key[0] ^= 1);
    BAD(memcpy(p.phase_secret, f.authority_secret, TACIT_SIGN_SECRET_LEN));
    BAD(p.plan.n_hi = TACIT_MAX_COHORT + 1);
    BAD(p.plan.n_lo = p.plan.n_hi + 1);
    BAD(p.plan.dims = TACIT_MAX_DIMS + 1);
    BAD(p.plan.bits = 18);
    BAD(p.plan.cohort_count = 0);
    BAD(p.cohort = p.plan.cohort_count);
#undef BAD
    assert_int_equal(cohort_new(&c, &good), TACIT_OK);
    assert_int_equal(cohort_phase_now(c), COHORT_JOIN);
    assert_int_equal(cohort_deadline_s(c), f.plan.join_until_s);
    cohort_free(c);
    cohort_free(NULL);
    federation_free(&f);
}

static void test_join_window(void **state) {
    (void)state;
    rig r;
    federation_spec spec = eight;
    spec.n_hi = 5;
    spec.n_lo = 3;
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    uint64_t now_s = r.f.now_s;
    r.f.now_s = r.f.plan.opens_s - 1;
    rig_request(&r, 0);
    refused(&r, TACIT_WRONG_PHASE, false, "not opened");
    r.f.now_s = now_s;
    accepted(&r);
    for (uint32_t i = 1; i < 5; i++) assert_int_equal(federation_send(&r.f, &r.f.devices[i]), 0);
    /* n_hi devices are in; nobody ticked yet. */
    rig_request(&r, 5);
    refused(&r, TACIT_LATE, false, "full");
    for (uint32_t i = 5; i < N; i++) r.f.devices[i].gone = true;
    finish_well(&r, 5);
    rig_free(&r);
}

/* Slots in the order of joining; the roster sorted by id. */
static void test_slots_and_roster(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    for (uint32_t i = 0; i < N; i++) {
        rig_request(&r, N - 1 - i);
        accepted(&r);
        assert_int_equal(r.d->slot, i);
        assert_int_equal(cohort_slot_index(r.f.cohort, i), UINT32_MAX);
        assert_null(cohort_id(r.f.cohort, i));
        assert_null(cohort_u3(r.f.cohort));
    }
    rig_finish_phase(&r);
    for (uint32_t i = 0; i < N; i++) {
        const federation_device *d = rig_device_at(&r, i);
        assert_memory_equal(cohort_id(r.f.cohort, i), d->id, TACIT_HASH_LEN);
        assert_int_equal(tacit_secagg_index(d->machine), i);
        if (i > 0)
            assert_true(
                memcmp(cohort_id(r.f.cohort, i - 1), cohort_id(r.f.cohort, i), TACIT_HASH_LEN) < 0);
    }
    assert_int_equal(cohort_slot_index(r.f.cohort, N), UINT32_MAX);
    assert_null(cohort_id(r.f.cohort, N));
    finish_well(&r, N);
    rig_free(&r);
}

static tacit_JoinRequest *join_of(rig *r) { return &r->m.items[0].body.join; }

static void test_join_version_and_cohort(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    join_of(&r)->version = 0;
    join_of(&r)->version_min = 0;
    refused(&r, TACIT_BAD_VERSION, false, "version");
    join_of(&r)->version = TACIT_PROTOCOL_VERSION + 1;
    join_of(&r)->version_min = TACIT_PROTOCOL_VERSION + 1;
    refused(&r, TACIT_BAD_VERSION, false, "version");
    join_of(&r)->version_min = TACIT_PROTOCOL_VERSION;
    join_of(&r)->cohort = 1;
    refused(&r, TACIT_BAD_ROSTER, false, "another cohort");
    join_of(&r)->cohort = 0;
    accepted(&r);
    finish_well(&r, N);
    rig_free(&r);
}

/* C2: an id sits only in the cohort the beacon gives it. */
static void test_join_eligibility(void **state) {
    (void)state;
    rig r;
    federation_spec spec = eight;
    spec.cohort_count = 2; /* the federation makes devices of cohort 0 only */
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    cohort_params params = {.plan = r.f.plan, .cohort = 1};
    memcpy(params.plan_digest, r.f.plan_digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, r.f.phase_secret, TACIT_SIGN_SECRET_LEN);
    cohort *second, *first = r.f.cohort;
    assert_int_equal(cohort_new(&second, &params), TACIT_OK);
    rig_request(&r, 0);
    join_of(&r)->cohort = 1;
    rig_sign(&r);
    r.f.cohort = second;
    refused(&r, TACIT_BAD_ROSTER, false, "another cohort");
    r.f.cohort = first;
    cohort_free(second);
    rig_free(&r);
}

/* A certificate for the request in work, and the join signed again under it. */
static void certify(rig *r, uint8_t device_class, uint64_t not_after_s, const uint8_t *authority) {
    tacit_cert cert = {.epoch = 2, .not_after_s = not_after_s, .device_class = device_class};
    memcpy(cert.device_key, r->d->device_key, TACIT_KEY_LEN);
    tacit_cert_issue(join_of(r)->certificate, &cert, authority);
    rig_sign(r);
}

static void test_join_certificates(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    const uint8_t *authority = r.f.authority_secret;
    uint64_t until_s = r.f.plan.join_until_s + r.f.plan.share_s;
    rig_request(&r, 0);
    certify(&r, TACIT_CLASS_ACCOUNT, until_s, r.f.phase_secret);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "certificate");
    certify(&r, TACIT_CLASS_NONE, until_s, authority);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "certificate");
    certify(&r, TACIT_CLASS_ACCOUNT, r.f.now_s - 1, authority);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "certificate");
    /* Valid now, but its neighbours would find it ended when they look at the roster. */
    certify(&r, TACIT_CLASS_ACCOUNT, until_s - 1, authority);
    refused(&r, TACIT_BAD_CERTIFICATE, false, "ends too early");
    for (size_t at = 0; at < TACIT_CERT_LEN; at += 7) {
        certify(&r, TACIT_CLASS_ACCOUNT, until_s, authority);
        join_of(&r)->certificate[at] ^= 0x10;
        rig_sign(&r);
        refused(&r, TACIT_BAD_CERTIFICATE, false, "certificate");
    }
    certify(&r, TACIT_CLASS_ATTESTED, until_s, authority);
    accepted(&r);
    rig_free(&r);
}

/* M12: a certificate that anybody may have seen gets a limited number of bad signatures looked at.
 */
static void test_join_attempts(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    join_of(&r)->signature[0] ^= 1;
    for (int i = 0; i < COHORT_JOIN_ATTEMPTS; i++)
        refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
    refused(&r, TACIT_BUSY, false, "attempts");
    join_of(&r)->signature[0] ^= 1;
    refused(&r, TACIT_BUSY, false, "attempts");
    /* Against an id that has its seat: the seat stays. */
    rig_request(&r, 1);
    accepted(&r);
    join_of(&r)->signature[0] ^= 1;
    for (int i = 0; i < COHORT_JOIN_ATTEMPTS; i++)
        refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
    refused(&r, TACIT_BUSY, false, "attempts");
    join_of(&r)->signature[0] ^= 1;
    uint32_t slot = UINT32_MAX;
    assert_int_equal(rig_submit(&r, &slot), TACIT_DUPLICATE);
    assert_int_equal(slot, r.d->slot);
    r.f.devices[0].gone = true;
    finish_well(&r, N - 1);
    rig_free(&r);
}

/* H2: keys that would make the neighbours leave are refused at the door, under any name. */
static void test_join_keys(void **state) {
    (void)state;
    static const uint8_t one[TACIT_KEY_LEN] = {1}; /* of low order */
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    tacit_JoinRequest taken = *join_of(&r);
    accepted(&r);
    const uint8_t *values[] = {one, taken.channel_key, taken.mask_key, taken.commitment};
    uint32_t i = 1;
    for (int v = 0; v < 4; v++) {
        for (int field = v == 0 ? 1 : 0; field < 3 && i + 1 < N; field++, i++) {
            rig_request(&r, i);
            tacit_JoinRequest *m = join_of(&r);
            uint8_t *fields[] = {m->commitment, m->channel_key, m->mask_key};
            memcpy(fields[field], values[v], TACIT_KEY_LEN);
            rig_sign(&r);
            refused(&r, TACIT_BAD_KEY, true, v == 0 ? "low order" : "another device's");
            refused(&r, TACIT_BUSY, false, "attempts");
        }
    }
    rig_request(&r, N - 1);
    memcpy(join_of(&r)->channel_key, join_of(&r)->mask_key, TACIT_KEY_LEN);
    rig_sign(&r);
    refused(&r, TACIT_BAD_KEY, true, "twice");
    assert_int_equal(refused_in(&r, COHORT_JOIN), N - 1);
    rig_free(&r);
}

/* C3: one device key, one seat. */
static void test_join_second_certificate(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    rig_request(&r, 0);
    accepted(&r);
    tacit_JoinRequest *m = join_of(&r);
    m->channel_key[0] ^= 1;
    m->mask_key[0] ^= 1;
    m->commitment[0] ^= 1;
    certify(&r, TACIT_CLASS_ACCOUNT, r.f.plan.join_until_s + 1000, r.f.authority_secret);
    refused(&r, TACIT_BAD_KEY, true, "device key");
    finish_well(&r, N);
    rig_free(&r);
}

/* The same device in two orders of arrival gives one roster. */
static void test_root_independent_of_order(void **state) {
    (void)state;
    rig a, b;
    rig_make(&a, &eight, TACIT_PHASE_JOIN);
    rig_make(&b, &eight, TACIT_PHASE_JOIN);
    for (uint32_t i = 0; i < N; i++) {
        rig_request(&a, i);
        accepted(&a);
        rig_request(&b, N - 1 - i);
        accepted(&b);
    }
    federation_close(&a.f);
    federation_close(&b.f);
    cohort_report x, y;
    cohort_report_get(a.f.cohort, &x);
    cohort_report_get(b.f.cohort, &y);
    assert_memory_equal(x.root, y.root, TACIT_HASH_LEN);
    assert_int_equal(x.joined, N);
    assert_int_equal(x.rule.n_min, N_MIN);
    rig_free(&a);
    rig_free(&b);
}

/* ---- share ----------------------------------------------------------------------------------- */

enum { AS_SENT = 0, SIGNED_AGAIN = 1 };

static void share_case(int how, void (*change)(rig *), const char *word) {
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_SHARE);
    rig_request(&r, 3);
    attack_messages honest = {0};
    federation_bytes bytes = {0};
    tacit_sink sink = federation_sink(&bytes);
    assert_int_equal(sink.write(sink.self, r.body.data, r.body.len), TACIT_OK);
    change(&r);
    if (how == SIGNED_AGAIN) rig_sign(&r);
    refused(&r, TACIT_BAD_MESSAGE, how == SIGNED_AGAIN, word);
    attack_parse(&r.m, bytes.data, bytes.len);
    if (how == SIGNED_AGAIN) {
        shut_out(&r, 3);
        r.d->gone = true;
    } else {
        accepted(&r);
    }
    finish_well(&r, how == SIGNED_AGAIN ? N - 1 : N);
    attack_messages_free(&honest);
    federation_bytes_free(&bytes);
    rig_free(&r);
}

static void swap_pairs(rig *r) { attack_swap(&r->m, 2, 3); }
static void drop_pair(rig *r) {
    attack_remove(&r->m, 4);
    r->m.items[0].body.share.count--;
}
static void add_pair(rig *r) {
    attack_insert(&r->m, r->m.count);
    r->m.items[r->m.count - 1] = r->m.items[1];
    r->m.items[0].body.share.count++;
}
static void double_pair(rig *r) { r->m.items[3] = r->m.items[2]; }
static void self_pair(rig *r) { r->m.items[1].body.sealed.peer = rig_index(r, r->d); }

static void test_share_pairs(void **state) {
    (void)state;
    for (int how = AS_SENT; how <= SIGNED_AGAIN; how++) {
        share_case(how, swap_pairs, "is due");
        share_case(how, drop_pair, "6 sealed pairs for 7 neighbours");
        share_case(how, double_pair, "is due");
        share_case(how, self_pair, "is due");
    }
    /* One pair more than the greatest body holds: refused before it is read. */
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_SHARE);
    rig_request(&r, 3);
    add_pair(&r);
    rig_sign(&r);
    uint32_t slot;
    tacit_status st = rig_submit(&r, &slot);
    assert_true(st == TACIT_TOO_LARGE || st == TACIT_BAD_MESSAGE);
    rig_free(&r);
}

/* Boxes nobody can open: nobody has shares of that device, so the sum cannot be made. */
static void test_share_garbage(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_SHARE);
    rig_request(&r, 3);
    for (uint32_t i = 1; i < r.m.count; i++) r.m.items[i].body.sealed.box_b[0] ^= 1;
    rig_sign(&r);
    accepted(&r);
    char word[64];
    snprintf(word, sizeof word, "secret b of device %u: 0 shares, 4 needed", rig_index(&r, r.d));
    finish_badly(&r, COHORT_SUM, TACIT_TOO_FEW, word);
    rig_free(&r);
}

/* ---- mask ------------------------------------------------------------------------------------ */

static tacit_MaskRequest *mask_of(rig *r) { return &r->m.items[0].body.mask; }

static void test_mask_vector(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_MASK);
    rig_request(&r, 3);
    size_t len = r.tail.len;
    r.tail.data[17] ^= 4; /* changed on the way: not the device's fault */
    refused(&r, TACIT_BAD_MESSAGE, false, "not the announced one");
    r.tail.data[17] ^= 4;
    mask_of(&r)->vector_len--;
    refused(&r, TACIT_BAD_MESSAGE, false, "were announced");
    mask_of(&r)->vector_len++;
    mask_of(&r)->vector_digest[0] ^= 1;
    refused(&r, TACIT_BAD_MESSAGE, true, "not the announced one"); /* signed, and contradictory */
    mask_of(&r)->vector_digest[0] ^= 1;
    shut_out(&r, 3);
    r.d->gone = true;

    rig_request(&r, 4); /* signed with a length the plan does not have */
    r.tail.len = len - 5;
    mask_of(&r)->vector_len = (uint32_t)r.tail.len;
    rig_sign(&r);
    refused(&r, TACIT_BAD_MESSAGE, true, "instead of");
    r.d->gone = true;
    finish_badly(&r, COHORT_MASK, TACIT_TOO_FEW, "6 vectors arrived, 7 needed");
    rig_free(&r);
}

/* The sum holds every vector once, whatever else came. */
static void test_mask_added_once(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_MASK);
    for (uint32_t i = 0; i < N; i++) {
        rig_request(&r, i);
        mask_of(&r)->signature[1] ^= 1;
        refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
        mask_of(&r)->signature[1] ^= 1;
        accepted(&r);
        uint32_t slot;
        assert_int_equal(rig_submit(&r, &slot), TACIT_DUPLICATE);
    }
    finish_well(&r, N);
    rig_free(&r);
}

static void test_mask_outside_u2(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_SHARE);
    federation_device *absent = &r.f.devices[5];
    absent->gone = true; /* joined, does not share, masks all the same */
    rig_finish_phase(&r);
    rig_request(&r, 3);
    mask_of(&r)->index = rig_index(&r, absent);
    r.d = absent;
    rig_sign(&r);
    refused(&r, TACIT_WRONG_PHASE, false, "not in the set");
    mask_of(&r)->index = rig_index(&r, &r.f.devices[3]);
    r.d = &r.f.devices[3];
    rig_sign(&r);
    accepted(&r);
    finish_well(&r, N - 1);
    rig_free(&r);
}

/* A device that was dropped is not waited for: the phase closes without its deadline. */
static void test_dropped_is_not_awaited(void **state) {
    (void)state;
    for (int phase = TACIT_PHASE_SHARE; phase <= TACIT_PHASE_REVEAL; phase++) {
        if (phase == TACIT_PHASE_AGREE) continue; /* nothing there is wrong and signed */
        rig r;
        rig_make(&r, &eight, (tacit_phase)phase);
        rig_request(&r, 3);
        if (phase == COHORT_SHARE) swap_pairs(&r);
        if (phase == COHORT_MASK) mask_of(&r)->vector_digest[0] ^= 1;
        if (phase == COHORT_REVEAL) attack_swap(&r.m, 1, 2);
        if (phase != COHORT_MASK) rig_sign(&r);
        refused(&r, TACIT_BAD_MESSAGE, true, "device");
        for (uint32_t i = 0; i < N; i++) {
            assert_false(cohort_tick(r.f.cohort, r.f.now_s));
            if (i != 3) assert_int_equal(federation_send(&r.f, &r.f.devices[i]), TACIT_OK);
        }
        assert_true(cohort_tick(r.f.cohort, r.f.now_s));
        assert_int_equal(rig_phase(&r), phase + 1);
        rig_free(&r);
    }
}

/* ---- agree ----------------------------------------------------------------------------------- */

static void test_agree_other_u3(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_AGREE);
    rig_request(&r, 3);
    uint8_t other[TACIT_HASH_LEN];
    memcpy(other, r.f.cohort->report.u3_digest, sizeof other);
    other[0] ^= 1;
    rig_sign_as(&r, r.m.items[0].body.agree.signature, TACIT_LABEL_AGREE, r.f.cohort->session2,
                other);
    refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
    rig_sign(&r);
    accepted(&r);
    finish_well(&r, N);
    rig_free(&r);
}

static void test_agree_outside_u3(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_MASK);
    federation_device *absent = &r.f.devices[5];
    absent->gone = true;
    rig_finish_phase(&r);
    rig_request(&r, 3);
    r.m.items[0].body.agree.index = rig_index(&r, absent);
    r.d = absent;
    rig_sign(&r);
    refused(&r, TACIT_WRONG_PHASE, false, "not in the set");
    rig_free(&r);
}

/* ---- reveal ---------------------------------------------------------------------------------- */

static tacit_RevealedShare *revealed(rig *r, uint32_t i) { return &r->m.items[i].body.revealed; }

static void wrong_kind(rig *r) { revealed(r, 3)->kind ^= 1; }
static void swap_shares(rig *r) { attack_swap(&r->m, 1, 2); }
static void double_share(rig *r) { r->m.items[2] = r->m.items[1]; }
static void own_share(rig *r) {
    /* Own secret, in its place in the order. */
    uint32_t own = rig_index(r, r->d), at = 1;
    while (at + 1 < r->m.count && revealed(r, at + 1)->owner < own) at++;
    if (revealed(r, at)->owner > own) at = 1;
    revealed(r, at)->owner = own;
}
static void outside_roster(rig *r) { revealed(r, r->m.count - 1)->owner = N; }
static void wrong_key(rig *r) { revealed(r, 4)->key[31] ^= 0x80; }
/* The key of another of its boxes. */
static void other_key(rig *r) { memcpy(revealed(r, 4)->key, revealed(r, 3)->key, TACIT_KEY_LEN); }

static void reveal_case(void (*change)(rig *), tacit_status status, const char *word) {
    for (int how = AS_SENT; how <= SIGNED_AGAIN; how++) {
        rig r;
        rig_make(&r, &eight, TACIT_PHASE_REVEAL);
        rig_request(&r, 3);
        change(&r);
        if (how == SIGNED_AGAIN) rig_sign(&r);
        /* Boxes are opened only for keys that are signed. */
        if (how == AS_SENT && status == TACIT_BAD_SHARE)
            refused(&r, TACIT_BAD_SIGNATURE, false, "signature");
        else
            refused(&r, status, how == SIGNED_AGAIN, word);
        if (how == SIGNED_AGAIN) refused(&r, TACIT_WRONG_PHASE, false, "not in the set");
        r.d->gone = true;
        finish_well(&r, N); /* the other seven have enough shares of everybody */
        rig_free(&r);
    }
}

static void test_reveal_shares(void **state) {
    (void)state;
    reveal_case(wrong_kind, TACIT_BAD_MESSAGE, "wrong secret");
    reveal_case(swap_shares, TACIT_BAD_MESSAGE, "out of order");
    reveal_case(double_share, TACIT_BAD_MESSAGE, "out of order");
    reveal_case(own_share, TACIT_BAD_MESSAGE, "no neighbour");
    reveal_case(outside_roster, TACIT_BAD_MESSAGE, "no neighbour");
    reveal_case(wrong_key, TACIT_BAD_SHARE, "does not open the box");
    reveal_case(other_key, TACIT_BAD_SHARE, "does not open the box");
}

/* Shares about a device that joined and never shared; s only of devices that went before mask. */
static void test_reveal_kinds(void **state) {
    (void)state;
    rig r;
    federation_spec spec = eight;
    spec.max_dropout = 250;
    rig_make(&r, &spec, TACIT_PHASE_SHARE);
    federation_device *no_share = &r.f.devices[5], *no_mask = &r.f.devices[6];
    no_share->gone = true;
    rig_finish_phase(&r);
    no_mask->gone = true;
    rig_finish_phase(&r);
    rig_finish_phase(&r);
    assert_int_equal(rig_phase(&r), COHORT_REVEAL);
    rig_request(&r, 3);
    assert_int_equal(r.m.count, 1 + 6);
    for (uint32_t i = 1; i < r.m.count; i++)
        assert_int_equal(revealed(&r, i)->kind, revealed(&r, i)->owner == rig_index(&r, no_mask)
                                                    ? TACIT_KIND_S
                                                    : TACIT_KIND_B);
    uint32_t at = rig_index(&r, no_share), place = 1;
    while (place < r.m.count && revealed(&r, place)->owner < at) place++;
    *attack_insert(&r.m, place) = r.m.items[place == 1 ? 2 : 1];
    revealed(&r, place)->owner = at;
    r.m.items[0].body.reveal.count++;
    rig_sign(&r);
    refused(&r, TACIT_BAD_MESSAGE, true, "never shared");
    r.d->gone = true;
    finish_well(&r, 6);
    cohort_report report;
    cohort_report_get(r.f.cohort, &report);
    assert_int_equal(report.rebuilt_b, 6);
    assert_int_equal(report.rebuilt_s, 1);
    rig_free(&r);
}

static void test_reveal_outside_agreed(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_AGREE);
    federation_device *silent = &r.f.devices[5];
    silent->gone = true;
    rig_finish_phase(&r);
    rig_request(&r, 3);
    r.m.items[0].body.reveal.index = rig_index(&r, silent);
    r.d = silent;
    rig_sign(&r);
    refused(&r, TACIT_WRONG_PHASE, false, "not in the set");
    rig_free(&r);
}

/* ---- too few --------------------------------------------------------------------------------- */

static void test_too_few(void **state) {
    (void)state;
    static const struct {
        tacit_phase vanish;
        uint32_t count;
        tacit_status status;
        cohort_phase last;
        const char *word;
    } cases[] = {
        {TACIT_PHASE_JOIN, 6, TACIT_TOO_FEW, COHORT_JOIN, "join: 2 devices, 3 needed"},
        {TACIT_PHASE_SHARE, 2, TACIT_TOO_FEW, COHORT_SHARE, "share: 6 devices shared, 7 needed"},
        {TACIT_PHASE_MASK, 2, TACIT_TOO_FEW, COHORT_MASK, "mask: 6 vectors arrived, 7 needed"},
        /* Four agree: each sees three neighbours' signatures where four are needed. */
        {TACIT_PHASE_AGREE, 4, TACIT_TOO_FEW, COHORT_AGREE, "agree: device 0 has 0 neighbours"},
        {TACIT_PHASE_REVEAL, 4, TACIT_TOO_FEW, COHORT_SUM, "3 shares, 4 needed"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        rig r;
        rig_make(&r, &eight, TACIT_PHASE_JOIN);
        for (uint32_t i = 0; i < cases[k].count; i++) r.f.devices[i].vanish = cases[k].vanish;
        assert_int_equal(federation_run(&r.f), cases[k].status);
        finish_badly(&r, COHORT_JOIN, cases[k].status, cases[k].word);
        rig_free(&r);
    }
    /* One device fewer gone is enough in each of them. */
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        rig r;
        rig_make(&r, &eight, TACIT_PHASE_JOIN);
        uint32_t gone = cases[k].vanish == TACIT_PHASE_JOIN ? 1 : cases[k].count - 1;
        for (uint32_t i = 0; i < gone; i++) r.f.devices[i].vanish = cases[k].vanish;
        assert_int_equal(federation_run(&r.f), TACIT_OK);
        finish_well(&r, cases[k].vanish < TACIT_PHASE_AGREE ? N - gone : N);
        rig_free(&r);
    }
}

/* On cycles a device can run out of neighbours while the cohort is large. One more of them gone
 * than it can spare ends the cohort when MASK closes, and again when AGREE closes. */
static void test_thin_neighbourhood(void **state) {
    (void)state;
    const federation_spec spec = {.device_count = 513, .max_colluding = 50, .max_dropout = 250};
    for (int phase = COHORT_MASK; phase <= COHORT_AGREE; phase++)
        for (uint32_t extra = 0; extra < 2; extra++) {
            cohort_fixture x;
            cohort_fixture_make(&x, &spec);
            cohort *c = x.c;
            const uint32_t v = 17;
            uint32_t degree = cohort_degree(c, v), gone = degree - c->thresholds[v] + extra;
            assert_true(degree < 512 && gone < 128);
            cohort_fixture_fill(&x, COHORT_SHARE);
            assert_int_equal(cohort_close_share(c), TACIT_OK);
            cohort_fixture_fill(&x, COHORT_MASK);
            if (phase == COHORT_AGREE) assert_int_equal(cohort_close_mask(c), TACIT_OK);
            cohort_fixture_fill(&x, (cohort_phase)phase);
            for (uint32_t k = 0; k < gone; k++)
                cohort_fixture_clear(&x, (cohort_phase)phase, c->adjacent[c->offsets[v] + k]);
            tacit_status st = phase == COHORT_MASK ? cohort_close_mask(c) : cohort_close_agree(c);
            assert_int_equal(st, extra == 0 ? TACIT_OK : TACIT_TOO_FEW);
            cohort_report report;
            cohort_report_get(c, &report);
            const char *word = phase == COHORT_MASK ? "mask: device" : "agree: device";
            assert_int_equal(strstr(report.failure_note, word) != NULL, extra);
            cohort_fixture_free(&x);
        }
}

/* The roster that came is one the plan's rule refuses: n_min above n. */
static void test_rule_refuses(void **state) {
    (void)state;
    rig r;
    federation_spec spec = eight;
    spec.n_min_floor = 7;
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    r.f.devices[0].gone = r.f.devices[1].gone = true;
    finish_badly(&r, COHORT_JOIN, TACIT_BELOW_FLOOR, "graph rule refuses a roster of 6");
    rig_free(&r);
}

/* A complete graph above 512 is for benchmarks: a device derives cycles, finds in the roster's
 * entries one that is no neighbour of its, and leaves. With the plan's own graph it goes on. */
static void test_device_refuses_complete_graph(void **state) {
    (void)state;
    const federation_spec spec = {
        .device_count = 600, .max_colluding = 100, .max_dropout = 200, .seed = 23};
    for (int complete = 0; complete < 2; complete++) {
        cohort_fixture x;
        federation_device d = {0};
        cohort_fixture_open(&x, &spec, complete == 1);
        for (uint32_t i = 0; i + 1 < x.n; i++) cohort_fixture_join(&x, i);
        x.f.cohort = x.c;
        federation_device_enrol(&x.f, &d, TACIT_CLASS_ACCOUNT, x.f.plan.join_until_s + 86400);
        assert_int_equal(federation_device_start(&x.f, &d), TACIT_OK);
        assert_int_equal(federation_send(&x.f, &d), TACIT_OK);
        assert_true(cohort_tick(x.c, x.f.now_s));
        assert_int_equal(x.c->rule.cycles == 0, complete);
        assert_int_equal(cohort_degree(x.c, 0) == x.n - 1, complete);
        assert_int_equal(federation_collect(&x.f, &d, &x.f.answer), TACIT_OK);
        assert_int_equal(federation_deliver(&x.f, &d, &x.f.answer),
                         complete ? TACIT_BAD_ROSTER : TACIT_OK);
        assert_int_equal(tacit_secagg_phase(d.machine),
                         complete ? TACIT_PHASE_LEFT : TACIT_PHASE_SHARE);
        assert_int_equal(federation_secrets_left(&d), !complete);
        federation_device_free(&d);
        x.f.cohort = NULL;
        cohort_fixture_free(&x);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static void test_answers(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    tacit_sink sink = federation_sink(&r.body);
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) {
        uint32_t cursor = 0;
        assert_false(cohort_answer_ready(r.f.cohort, (cohort_phase)phase));
        assert_int_equal(cohort_answer_next(r.f.cohort, (cohort_phase)phase, 0, &cursor, &sink),
                         TACIT_PENDING);
        assert_int_equal(cursor, 0);
        if (phase == COHORT_SHARE) r.f.devices[2].gone = true;
        rig_finish_phase(&r);
        assert_true(cohort_answer_ready(r.f.cohort, (cohort_phase)phase));
        assert_int_equal(cohort_answer_next(r.f.cohort, (cohort_phase)phase, N, &cursor, &sink),
                         TACIT_LATE);
        if (phase >= COHORT_SHARE) /* device 2 did not share */
            assert_int_equal(cohort_answer_next(r.f.cohort, (cohort_phase)phase,
                                                r.f.devices[2].slot, &cursor, &sink),
                             TACIT_LATE);
    }
    assert_int_equal(rig_phase(&r), COHORT_DONE);
    /* The same answer again, until the boxes are gone. */
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) {
        uint32_t cursor = 0;
        assert_int_equal(cohort_answer_next(r.f.cohort, (cohort_phase)phase, r.f.devices[0].slot,
                                            &cursor, &sink),
                         phase == COHORT_SHARE ? TACIT_LATE : TACIT_OK);
    }
    cohort_report report;
    uint8_t digest[TACIT_HASH_LEN];
    cohort_report_get(r.f.cohort, &report);
    assert_int_equal(tacit_secagg_survivors(r.f.devices[0].machine, digest), N - 1);
    assert_memory_equal(digest, report.sum_digest, TACIT_HASH_LEN);
    assert_int_equal(report.shared, N - 1);
    assert_int_equal(report.sent[COHORT_JOIN], N);
    assert_int_equal(report.sent[COHORT_REVEAL], N - 1);
    rig_free(&r);
}

/* ---- poll ------------------------------------------------------------------------------------ */

static void poll_refused(rig *r, cohort_phase phase, const char *poll, tacit_status status) {
    uint32_t slot = 12345;
    assert_string_equal(tacit_status_name(cohort_poll(r->f.cohort, &slot, phase, poll)),
                        tacit_status_name(status));
    assert_int_equal(slot, 12345);
}

static void test_poll(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_JOIN);
    for (int phase = COHORT_JOIN; phase <= COHORT_REVEAL; phase++) {
        char poll[2 * TACIT_POLL_MAX + 2], changed[2 * TACIT_POLL_MAX + 2];
        uint32_t slot = UINT32_MAX;
        rig_request(&r, 3);
        assert_int_equal(tacit_secagg_poll(r.d->machine, poll), TACIT_OK);
        poll_refused(&r, (cohort_phase)phase, poll, TACIT_WRONG_PHASE); /* has not sent yet */
        accepted(&r);
        assert_int_equal(cohort_poll(r.f.cohort, &slot, (cohort_phase)phase, poll), TACIT_OK);
        assert_int_equal(slot, r.d->slot);
        size_t len = strlen(poll);
        for (size_t at = 0; at < len; at++) {
            memcpy(changed, poll, len + 1);
            changed[at] = changed[at] == '0' ? '1' : '0';
            slot = 12345;
            assert_true(cohort_poll(r.f.cohort, &slot, (cohort_phase)phase, changed) != TACIT_OK);
            assert_int_equal(slot, 12345);
            changed[at] = 'g';
            poll_refused(&r, (cohort_phase)phase, changed, TACIT_BAD_MESSAGE);
            changed[at] = '\0';
            poll_refused(&r, (cohort_phase)phase, changed, TACIT_BAD_MESSAGE);
        }
        memcpy(changed, poll, len + 1);
        memcpy(changed + len, "0", 2);
        poll_refused(&r, (cohort_phase)phase, changed, TACIT_BAD_MESSAGE);
        memcpy(changed, poll, len + 1);
        changed[len - 1] = poll[len - 1] == '0' ? '1' : '0';
        poll_refused(&r, (cohort_phase)phase, changed, TACIT_BAD_SIGNATURE);
        for (int p = COHORT_JOIN; p <= COHORT_SUM; p++)
            if (p != phase) {
                slot = 12345;
                assert_true(cohort_poll(r.f.cohort, &slot, (cohort_phase)p, poll) != TACIT_OK);
                assert_int_equal(slot, 12345);
            }
        rig_finish_phase(&r);
        assert_int_equal(cohort_poll(r.f.cohort, &slot, (cohort_phase)phase, poll), TACIT_OK);
    }
    rig_free(&r);
}

/* ---- the job --------------------------------------------------------------------------------- */

static void run_backwards(cohort *c) {
    for (uint32_t i = cohort_job_tasks(c); i > 0; i--) cohort_job_run(c, i - 1);
    cohort_job_next(c);
}

/* Tasks in any order give what one go gives: two of secrets, then 4 slices at 2^15 words. */
static void test_tasks_in_any_order(void **state) {
    (void)state;
    rig r;
    federation_spec spec = eight;
    spec.dims = 1 << 15;
    rig_make(&r, &spec, TACIT_PHASE_MASK);
    r.f.devices[4].gone = true;
    for (int p = COHORT_MASK; p < COHORT_REVEAL; p++) rig_finish_phase(&r);
    for (uint32_t i = 0; i < N; i++)
        if (i != 4) assert_int_equal(federation_send(&r.f, &r.f.devices[i]), TACIT_OK);
    assert_true(cohort_tick(r.f.cohort, r.f.now_s));
    assert_int_equal(rig_phase(&r), COHORT_SUM);
    assert_int_equal(cohort_deadline_s(r.f.cohort), UINT64_MAX);
    assert_null(cohort_sum(r.f.cohort));
    assert_int_equal(cohort_job_tasks(r.f.cohort), 0);
    assert_int_equal(cohort_job_begin(r.f.cohort), TACIT_OK);
    assert_int_equal(cohort_job_begin(r.f.cohort), TACIT_WRONG_PHASE);
    assert_int_equal(cohort_job_tasks(r.f.cohort), N / 4);
    run_backwards(r.f.cohort);
    assert_false(cohort_answer_ready(r.f.cohort, COHORT_REVEAL));
    assert_int_equal(cohort_job_tasks(r.f.cohort), 4);
    run_backwards(r.f.cohort);
    assert_int_equal(cohort_job_tasks(r.f.cohort), 0);
    assert_true(cohort_answer_ready(r.f.cohort, COHORT_REVEAL));
    finish_well(&r, N - 1);
    rig_free(&r);
}

static void test_job_out_of_phase(void **state) {
    (void)state;
    rig r;
    rig_make(&r, &eight, TACIT_PHASE_MASK);
    assert_int_equal(cohort_job_begin(r.f.cohort), TACIT_WRONG_PHASE);
    assert_int_equal(cohort_sum_now(r.f.cohort), TACIT_WRONG_PHASE);
    assert_int_equal(rig_phase(&r), COHORT_MASK);
    finish_well(&r, N);
    rig_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_oversized_and_trailing),
        cmocka_unit_test(test_wrong_phase),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_replayed),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_join_window),
        cmocka_unit_test(test_slots_and_roster),
        cmocka_unit_test(test_join_version_and_cohort),
        cmocka_unit_test(test_join_eligibility),
        cmocka_unit_test(test_join_certificates),
        cmocka_unit_test(test_join_attempts),
        cmocka_unit_test(test_join_keys),
        cmocka_unit_test(test_join_second_certificate),
        cmocka_unit_test(test_root_independent_of_order),
        cmocka_unit_test(test_share_pairs),
        cmocka_unit_test(test_share_garbage),
        cmocka_unit_test(test_mask_vector),
        cmocka_unit_test(test_mask_added_once),
        cmocka_unit_test(test_mask_outside_u2),
        cmocka_unit_test(test_dropped_is_not_awaited),
        cmocka_unit_test(test_agree_other_u3),
        cmocka_unit_test(test_agree_outside_u3),
        cmocka_unit_test(test_reveal_shares),
        cmocka_unit_test(test_reveal_kinds),
        cmocka_unit_test(test_reveal_outside_agreed),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_thin_neighbourhood),
        cmocka_unit_test(test_rule_refuses),
        cmocka_unit_test(test_device_refuses_complete_graph),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_tasks_in_any_order),
        cmocka_unit_test(test_job_out_of_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
