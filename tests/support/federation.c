/* SPDX-License-Identifier: Apache-2.0
 * federation.c - see federation.h. It knows nothing of masks, shares or thresholds: what it checks
 * is only that bytes go from one side to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/federation.h"

#include "common/mask.h"
#include "common/ring.h"

enum { OPENS_S = 1700000000, DAY_S = 86400 };

static void *need(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (p == NULL) fail_msg("out of memory");
    return p;
}

static void must(tacit_status st, const char *what) {
    if (st != TACIT_OK) fail_msg("%s: %s", what, tacit_status_name(st));
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static tacit_status append(void *self, const uint8_t *data, size_t len) {
    federation_bytes *b = (federation_bytes *)self;
    if (b->len + len > b->cap) {
        b->cap = 2 * (b->len + len);
        b->data = (uint8_t *)realloc(b->data, b->cap);
        if (b->data == NULL) fail_msg("out of memory");
    }
    if (len > 0) memcpy(b->data + b->len, data, len);
    b->len += len;
    return TACIT_OK;
}

tacit_sink federation_sink(federation_bytes *b) {
    tacit_sink sink = {b, append};
    return sink;
}

void federation_bytes_free(federation_bytes *b) {
    free(b->data);
    *b = (federation_bytes){0};
}

/* ---- plan ------------------------------------------------------------------------------------ */

static void fill_defaults(federation_spec *spec) {
    if (spec->n_lo == 0) spec->n_lo = 3;
    if (spec->n_hi == 0) spec->n_hi = spec->device_count;
    if (spec->cohort_count == 0) spec->cohort_count = 1;
    if (spec->dims == 0) spec->dims = 64;
    if (spec->bits == 0) spec->bits = 20;
    if (spec->least_class == 0) spec->least_class = TACIT_CLASS_ACCOUNT;
}

static void fill_plan(tacit_plan *plan, const federation_spec *spec) {
    plan->version = TACIT_PROTOCOL_VERSION;
    plan->version_min = TACIT_PROTOCOL_VERSION_MIN;
    plan->suite = TACIT_SUITE_1;
    plan->aggregation = TACIT_AGGREGATION_PEERS;
    plan->round = 1;
    plan->run = 1;
    plan->sum_count = 1;
    plan->opens_s = OPENS_S;
    plan->join_until_s = OPENS_S + 60;
    plan->share_s = plan->mask_s = plan->agree_s = plan->reveal_s = 60;
    plan->n_lo = spec->n_lo;
    plan->n_hi = spec->n_hi;
    plan->max_colluding = spec->max_colluding;
    plan->max_dropout = spec->max_dropout;
    plan->n_min_floor = spec->n_min_floor;
    plan->cohort_count = spec->cohort_count;
    plan->least_class = spec->least_class;
    plan->bits = spec->bits;
    plan->blocks = TACIT_BLOCK_COUNTS;
    plan->item_count = spec->dims;
    plan->factor = 8;
    plan->dims = spec->dims;
    plan->slice_count = spec->dims;
    plan->mu = 1000;
    plan->scale = 16.0;
    plan->counts_weight = 1.0;
    plan->a0 = 1.0;
    plan->user_ridge = 1.0;
    plan->user_ridge_exponent = 0.5;
    plan->history_floor = 1.0;
    plan->leave_one_out = 0.5;
    plan->epsilon = 8.0;
    plan->delta = 1e-5;
}

/* One cohort per plan until there is a beacon (security C2): other counts skip the plan's checks.
 */
static void seal_plan(federation *f) {
    uint8_t encoded[TACIT_PLAN_LEN];
    tacit_plan_encode(encoded, &f->plan);
    tacit_plan_digest(f->plan_digest, encoded);
    if (f->plan.cohort_count != 1) return;
    tacit_plan decoded;
    const char *what = "";
    if (tacit_plan_decode(&decoded, &what, encoded) != TACIT_OK) fail_msg("plan: %s", what);
}

void federation_init_plan(federation *f, const federation_spec *spec) {
    *f = (federation){.spec = *spec, .now_s = OPENS_S + 1};
    must(tacit_crypto_init(), "crypto");
    fill_defaults(&f->spec);
    f->floors = (tacit_floors){.max_delta = 1e-5, .n_min = 2, .honest = 1};
    f->floors.max_dims = TACIT_MAX_DIMS;
    tacit_prng_init_seed(&f->prng, f->spec.seed, 0);
    uint8_t seed[TACIT_KEY_LEN];
    tacit_prng_bytes(&f->prng, seed, sizeof seed);
    tacit_sign_keypair(f->authority_key, f->authority_secret, seed);
    tacit_prng_bytes(&f->prng, seed, sizeof seed);
    tacit_sign_keypair(f->plan.phase_key, f->phase_secret, seed);
    fill_plan(&f->plan, &f->spec);
    memcpy(f->plan.authority_key, f->authority_key, TACIT_KEY_LEN);
    tacit_prng_bytes(&f->prng, f->plan.model_digest, TACIT_HASH_LEN);
    tacit_prng_bytes(&f->prng, f->plan.rotation_seed, TACIT_KEY_LEN);
    seal_plan(f);
}

/* ---- devices --------------------------------------------------------------------------------- */

static tacit_status draw(void *self, uint8_t *out, size_t len) {
    federation_device *d = (federation_device *)self;
    if (d->draw_count + 1 == d->random_fails_at) return TACIT_RANDOM;
    if (d->draw_count == FEDERATION_DRAWS || len > TACIT_KEY_LEN) fail_msg("unforeseen draw");
    tacit_prng_bytes(&d->prng, out, len);
    memcpy(d->draws[d->draw_count], out, len);
    d->draw_lens[d->draw_count++] = len;
    return TACIT_OK;
}

static tacit_status sign(void *self, uint8_t sig[64], const uint8_t *msg, size_t len) {
    federation_device *d = (federation_device *)self;
    if (++d->sign_count == d->sign_fails_at) return TACIT_STORAGE;
    tacit_sign(sig, d->device_secret, msg, len);
    return TACIT_OK;
}

void federation_params_of(const federation *f, federation_device *d, tacit_secagg_params *params) {
    *params = (tacit_secagg_params){.plan = f->plan, .floors = f->floors};
    memcpy(params->plan_digest, f->plan_digest, TACIT_HASH_LEN);
    memcpy(params->certificate, d->certificate, TACIT_CERT_LEN);
    memcpy(params->authority_key, f->authority_key, TACIT_KEY_LEN);
    params->self = d;
    params->random = draw;
    params->sign = sign;
}

void federation_device_enrol(federation *f, federation_device *d, uint8_t device_class,
                             uint64_t not_after_s) {
    uint8_t seed[TACIT_KEY_LEN];
    tacit_cert cert = {.epoch = 1, .not_after_s = not_after_s, .device_class = device_class};
    do {
        tacit_prng_bytes(&f->prng, seed, sizeof seed);
        tacit_sign_keypair(d->device_key, d->device_secret, seed);
        memcpy(cert.device_key, d->device_key, TACIT_KEY_LEN);
        tacit_cert_issue(d->certificate, &cert, f->authority_secret);
        tacit_cert_id(d->id, d->certificate);
    } while (tacit_cohort_of(f->plan.beacon, f->plan.round, d->id, f->plan.cohort_count) != 0);
    tacit_prng_bytes(&f->prng, seed, sizeof seed);
    tacit_prng_init(&d->prng, seed, 0);
    d->vanish = FEDERATION_NEVER;
    d->slot = UINT32_MAX;
}

tacit_status federation_device_start(federation *f, federation_device *d) {
    tacit_secagg_params params;
    federation_params_of(f, d, &params);
    d->memory_len = tacit_secagg_len(&f->plan);
    d->memory = need(1, d->memory_len + 1);
    d->status = tacit_secagg_init(&d->machine, d->memory, d->memory_len, &params);
    d->gone = d->status != TACIT_OK;
    return d->status;
}

void federation_device_free(federation_device *d) {
    free(d->memory);
    free(d->update);
    d->memory = NULL;
    d->update = NULL;
}

void federation_init_devices(federation *f, const federation_spec *spec) {
    federation_init_plan(f, spec);
    f->device_count = f->spec.device_count;
    f->devices = (federation_device *)need(f->device_count, sizeof *f->devices);
    for (uint32_t i = 0; i < f->device_count; i++) {
        federation_device *d = &f->devices[i];
        federation_device_enrol(f, d, TACIT_CLASS_ACCOUNT, OPENS_S + DAY_S);
        must(federation_device_start(f, d), "device");
        d->update = (uint32_t *)need(f->plan.dims, sizeof *d->update);
        for (uint32_t w = 0; w < f->plan.dims; w++) d->update[w] = tacit_prng_u32(&f->prng);
    }
}

void federation_init(federation *f, const federation_spec *spec) {
    federation_init_devices(f, spec);
    cohort_params params = {.plan = f->plan, .expected_count = f->spec.device_count};
    memcpy(params.plan_digest, f->plan_digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, f->phase_secret, TACIT_SIGN_SECRET_LEN);
    must(cohort_new(&f->cohort, &params), "cohort_new");
}

void federation_free(federation *f) {
    for (uint32_t i = 0; i < f->device_count; i++) federation_device_free(&f->devices[i]);
    free(f->devices);
    cohort_free(f->cohort);
    federation_bytes_free(&f->request);
    federation_bytes_free(&f->answer);
}

/* ---- messages -------------------------------------------------------------------------------- */

static tacit_status request_mask(federation *f, federation_device *d, tacit_sink *sink) {
    uint32_t dims = f->plan.dims;
    uint32_t *words = (uint32_t *)need(dims, sizeof *words);
    uint8_t *packed = (uint8_t *)need(1, tacit_ring_packed_len(dims, f->plan.bits));
    if (d->update != NULL) memcpy(words, d->update, dims * sizeof *words);
    tacit_status st = tacit_secagg_mask(d->machine, words, packed, sink);
    free(words);
    free(packed);
    return st;
}

tacit_status federation_request(federation *f, federation_device *d, federation_bytes *out) {
    tacit_sink sink = federation_sink(out);
    out->len = 0;
    switch (tacit_secagg_phase(d->machine)) {
        case TACIT_PHASE_JOIN: return tacit_secagg_join(d->machine, &sink, f->now_s);
        case TACIT_PHASE_SHARE: return tacit_secagg_share(d->machine, &sink);
        case TACIT_PHASE_MASK: return request_mask(f, d, &sink);
        case TACIT_PHASE_AGREE: return tacit_secagg_agree(d->machine, &sink);
        case TACIT_PHASE_REVEAL: return tacit_secagg_reveal(d->machine, &sink);
        default: return TACIT_LEFT;
    }
}

static tacit_status record(federation_device *d, tacit_status st) {
    if (st != TACIT_OK && d->status == TACIT_OK) d->status = st;
    if (st != TACIT_OK) d->gone = true;
    return st;
}

tacit_status federation_send(federation *f, federation_device *d) {
    cohort_phase phase = (cohort_phase)tacit_secagg_phase(d->machine);
    tacit_status st = federation_request(f, d, &f->request);
    if (st != TACIT_OK) return record(d, st);
    tacit_bytes body = tacit_bytes_of(f->request.data, f->request.len);
    return record(d, cohort_submit(f->cohort, &d->slot, NULL, phase, body, f->now_s));
}

void federation_close(federation *f) {
    cohort_phase before = cohort_phase_now(f->cohort);
    cohort_tick(f->cohort, f->now_s);
    if (cohort_phase_now(f->cohort) == before) {
        f->now_s = cohort_deadline_s(f->cohort) + 1;
        cohort_tick(f->cohort, f->now_s);
    }
    if (cohort_phase_now(f->cohort) != COHORT_SUM) return;
    tacit_status st = cohort_sum_now(f->cohort);
    if ((st == TACIT_OK) != (cohort_phase_now(f->cohort) == COHORT_DONE))
        fail_msg("sum: %s in phase %d", tacit_status_name(st), (int)cohort_phase_now(f->cohort));
}

tacit_status federation_collect(federation *f, federation_device *d, federation_bytes *out) {
    cohort_phase phase = (cohort_phase)tacit_secagg_phase(d->machine);
    tacit_sink sink = federation_sink(out);
    uint32_t cursor = 0;
    tacit_status st;
    out->len = 0;
    do st = cohort_answer_next(f->cohort, phase, d->slot, &cursor, &sink);
    while (st == TACIT_OK);
    return st == TACIT_NOT_FOUND ? TACIT_OK : st;
}

tacit_status federation_deliver(federation *f, federation_device *d, const federation_bytes *in) {
    size_t at = 0, piece = 1;
    while (at < in->len) {
        size_t len = piece < in->len - at ? piece : in->len - at;
        tacit_status st = tacit_secagg_answer(d->machine, in->data + at, len);
        if (st != TACIT_OK) return record(d, st);
        at += len;
        piece = piece * 3 % 4093;
    }
    return record(d, tacit_secagg_answer_end(d->machine, f->now_s));
}

/* ---- runs ------------------------------------------------------------------------------------ */

void federation_phase(federation *f) {
    for (uint32_t i = 0; i < f->device_count; i++) {
        federation_device *d = &f->devices[i];
        if (d->gone) continue;
        if (d->vanish == tacit_secagg_phase(d->machine)) {
            tacit_secagg_leave(d->machine);
            d->gone = true;
        } else {
            (void)!federation_send(f, d);
        }
    }
    federation_close(f);
    for (uint32_t i = 0; i < f->device_count; i++) {
        federation_device *d = &f->devices[i];
        if (d->gone) continue;
        tacit_status st = federation_collect(f, d, &f->answer);
        if (record(d, st) == TACIT_OK) (void)!federation_deliver(f, d, &f->answer);
    }
}

tacit_status federation_run(federation *f) {
    while (cohort_phase_now(f->cohort) < COHORT_DONE) federation_phase(f);
    if (cohort_phase_now(f->cohort) == COHORT_DONE) return TACIT_OK;
    cohort_report report;
    cohort_report_get(f->cohort, &report);
    return report.failure;
}

bool federation_survived(const federation *f, const federation_device *d) {
    const uint8_t *u3 = cohort_u3(f->cohort);
    uint32_t index = d->slot == UINT32_MAX ? UINT32_MAX : cohort_slot_index(f->cohort, d->slot);
    return u3 != NULL && index != UINT32_MAX && tacit_bit_get(u3, index);
}

void federation_plain_sum(const federation *f, uint32_t *out) {
    uint32_t dims = f->plan.dims;
    uint32_t low = f->plan.bits == 32 ? UINT32_MAX : (1u << f->plan.bits) - 1;
    memset(out, 0, dims * sizeof *out);
    for (uint32_t i = 0; i < f->device_count; i++)
        if (federation_survived(f, &f->devices[i])) tacit_ring_add(out, f->devices[i].update, dims);
    for (uint32_t w = 0; w < dims; w++) out[w] &= low;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool stands_in(const federation_device *d, const uint8_t *secret, size_t len) {
    const uint8_t *memory = (const uint8_t *)d->memory;
    for (size_t at = 0; at + len <= d->memory_len; at++)
        if (memory[at] == secret[0] && memcmp(memory + at, secret, len) == 0) return true;
    return false;
}

bool federation_secrets_left(const federation_device *d) {
    enum { PART = 12 }; /* half a secret left behind counts too */
    for (uint32_t i = 0; i < d->draw_count; i++)
        for (size_t at = 0; at + PART <= d->draw_lens[i]; at += PART)
            if (stands_in(d, d->draws[i] + at, PART)) return true;
    if (d->draw_count == 0) return false;
    uint8_t mask_secret[TACIT_KEY_LEN];
    tacit_mask_secret_key(mask_secret, d->draws[0]);
    return stands_in(d, mask_secret, sizeof mask_secret);
}
