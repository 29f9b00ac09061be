/* SPDX-License-Identifier: Apache-2.0
 * virtual_check.c - what must hold in a simulated run, whatever the network, the disks and the
 * clocks do. Each check looks at what left a device, at what is stored and at memory, and uses
 * nothing of the machine it watches but its bytes, and where in it they stand:
 *
 *   sum      the cohort's sum is, word for word, the sum of the survivors' updates, made again from
 *            what each device had to say and the random values it took
 *   kinds    never shares of both secrets of one device; nothing revealed below n_min
 *   secrets  no round secret stays in memory beyond its phase, none is ever stored
 *   ledger   a vector that leaves was charged durably, once; no round is joined twice; a restored
 *            copy does not join; nothing leaves after a failed commit
 *   end      every phase closes, every device is done or has left, within the plan's times
 *   receipt  all receipts of a round name the server's sum
 *   alive    without faults, a cohort that lost no more than max_dropout has a sum */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto.h"
#include "common/mask.h"
#include "common/ring.h"
#include "common/wire.h"
#include "firmware/secagg_internal.h"
#include "firmware/update.h"
#include "tools/virtual_internal.h"

enum { PART_LEN = 12, WAIT_SLACK_S = 400 };

/* ---- Findings ----------------------------------------------------------------------------------
 */

void virtual_find(virtual_sim *sim, const char *format, ...) {
    virtual_result *r = sim->result;
    va_list args;
    va_start(args, format);
    if (r->finding_count < VIRTUAL_FINDINGS)
        (void)vsnprintf(r->findings[r->finding_count], VIRTUAL_FINDING_LEN, format, args);
    va_end(args);
    r->finding_count++;
}

void virtual_breach(virtual_step *step, const virtual_device *d, const char *format, ...) {
    char what[VIRTUAL_FINDING_LEN - 40];
    va_list args;
    if (step->breach) return; /* the first one is what matters */
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)snprintf(step->finding, sizeof step->finding, "round %llu: device %u: %s",
                   (unsigned long long)d->round, d->number, what);
    step->breach = true;
}

/* ---- Ledger ------------------------------------------------------------------------------------
 */

static void check_join(virtual_step *step, const virtual_device *d, const virtual_durable *now) {
    if (d->round <= d->last_join)
        virtual_breach(step, d, "joins, having joined round %llu",
                       (unsigned long long)d->last_join);
    if (now->joined_round != d->round)
        virtual_breach(step, d, "its join leaves, its store has round %llu as the last one used",
                       (unsigned long long)now->joined_round);
    if (d->restored_old)
        virtual_breach(step, d, "joins with a restored copy older than its keystore's counter");
}

static void check_vector(virtual_step *step, const virtual_device *d, const virtual_durable *now) {
    if (d->round <= d->last_vector) virtual_breach(step, d, "a second vector leaves");
    if (now->charged_round != d->round)
        virtual_breach(step, d, "its vector leaves uncharged: its store has charged round %llu",
                       (unsigned long long)now->charged_round);
    if (now->charges != d->charges_at_join + 1)
        virtual_breach(step, d, "%llu charges in one round",
                       (unsigned long long)(now->charges - d->charges_at_join));
    if (d->said.round != d->round)
        virtual_breach(step, d, "its vector took %u random values, not two", d->draw_count);
}

static void check_evidence(virtual_step *step, const virtual_device *d) {
    uint8_t key[9] = {'e'}, value[TACIT_STORE_VALUE_MAX];
    size_t len = 0;
    for (int i = 0; i < 8; i++) key[1 + i] = (uint8_t)(d->round >> (56 - 8 * i));
    if (d->inner.storage_get(d->inner.self, value, sizeof value, &len, key, sizeof key) != TACIT_OK)
        virtual_breach(step, d, "agrees without stored evidence");
}

/* What the store says after a crash: a vector that left stays charged, and was charged once. */
void virtual_check_restart(virtual_step *step, const virtual_device *d) {
    virtual_durable now;
    if (d->restored_old || d->last_join == 0) return;
    if (!virtual_durable_read(&now, d)) {
        virtual_breach(step, d, "its ledger is gone after a crash");
        return;
    }
    if (now.joined_round < d->last_join)
        virtual_breach(step, d, "its join of round %llu is not in its store after a crash",
                       (unsigned long long)d->last_join);
    if (now.charged_round < d->last_vector)
        virtual_breach(step, d, "its vector of round %llu is not charged after a crash",
                       (unsigned long long)d->last_vector);
    if (now.charges > d->charges_at_join + 1)
        virtual_breach(step, d, "%llu charges in one round",
                       (unsigned long long)(now.charges - d->charges_at_join));
}

/* Without a jump of its clock a device gives a phase up in time. */
void virtual_check_wait(virtual_step *step, const virtual_device *d, uint32_t limit_s) {
    uint64_t waited_s = (d->now_us - d->phase_start_us) / 1000000;
    if (!d->jumped && waited_s > limit_s + WAIT_SLACK_S)
        virtual_breach(step, d, "waited %llu s in phase %d, at most %u are allowed",
                       (unsigned long long)waited_s, (int)d->phase, limit_s);
}

/* Survivors the plan asks for, by the rule of security C5 and nobody's code. */
static uint32_t n_min_of(const tacit_plan *p, uint32_t n) {
    uint32_t least = n - n * p->max_dropout / 1000;
    return least > p->n_min_floor ? least : p->n_min_floor;
}

void virtual_check_request(const virtual_sim *sim, virtual_step *step, const virtual_device *d) {
    virtual_durable now;
    const tacit_plan *plan = &sim->rounds[d->round - 1].plan;
    if (!virtual_durable_read(&now, d)) virtual_breach(step, d, "sends without a stored ledger");
    switch (d->phase) {
        case TACIT_PHASE_JOIN:
            check_join(step, d, &now);
            step->device->charges_at_join = now.charges;
            break;
        case TACIT_PHASE_MASK: check_vector(step, d, &now); break;
        case TACIT_PHASE_AGREE: check_evidence(step, d); break;
        case TACIT_PHASE_REVEAL: {
            uint8_t digest[TACIT_HASH_LEN];
            uint32_t n = tacit_secagg_roster_count(d->part.secagg);
            uint32_t survivors = tacit_secagg_survivors(d->part.secagg, digest);
            if (survivors < n_min_of(plan, n))
                virtual_breach(step, d, "reveals for %u survivors of %u, at least %u are needed",
                               survivors, n, n_min_of(plan, n));
            break;
        }
        default: break;
    }
}

/* ---- Secrets -----------------------------------------------------------------------------------
 */

/* Small runs watch every device, large ones a sample. */
static bool watched(const virtual_sim *sim, const virtual_device *d) {
    return sim->scan_all || d->number % 16 == 0;
}

/* The first PART_LEN bytes of it, the next, or the last. */
static bool contains(const void *memory, size_t len, const virtual_draw *draw) {
    size_t part = draw->len < PART_LEN ? draw->len : PART_LEN;
    for (size_t at = 0; at + part <= draw->len; at += part)
        if (memmem(memory, len, draw->bytes + at, part) != NULL) return true;
    return memmem(memory, len, draw->bytes + draw->len - part, part) != NULL;
}

typedef struct {
    const virtual_device *d;
    uint32_t found; /* number of the draw, from 1 */
} store_search;

static tacit_status search_value(void *self, const uint8_t *key, size_t key_len,
                                 const uint8_t *value, size_t value_len) {
    store_search *s = self;
    (void)key;
    (void)key_len;
    for (uint32_t i = 0; i < s->d->draw_count && s->found == 0; i++)
        if (contains(value, value_len, &s->d->draws[i])) s->found = i + 1;
    return TACIT_OK;
}

static const char *draw_name(uint32_t i) {
    static const char *const names[] = {
        "s", "b", "c", "the polynomials' key", "the rounding's key", "the noise's key"};
    return i < 6 ? names[i] : "a later random value";
}

static bool all_zero(const void *memory, size_t len) {
    const uint8_t *bytes = memory;
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

void virtual_check_secrets(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                           const virtual_device *d, uint32_t first, const char *when) {
    const uint8_t none = 0;
    store_search s = {d, 0};
    if (!watched(sim, d)) return;
    double start = virtual_cpu_s();
    step->scans++;
    for (uint32_t i = first; i < d->draw_count && d->machine != NULL; i++)
        if (contains(d->machine, d->machine_len, &d->draws[i]))
            virtual_breach(step, d, "%s: %s still stands in its memory", when, draw_name(i));
    uint8_t mask_secret[TACIT_KEY_LEN];
    virtual_draw form = {.len = TACIT_KEY_LEN};
    if (first == 0 && d->draw_count > 0 && d->machine != NULL) { /* s in the form it is used in */
        tacit_mask_secret_key(mask_secret, d->draws[0].bytes);
        memcpy(form.bytes, mask_secret, sizeof mask_secret);
        if (contains(d->machine, d->machine_len, &form))
            virtual_breach(step, d, "%s: the X25519 form of s still stands in its memory", when);
    }
    if (first == 0 && d->machine != NULL) {
        size_t len = sim->options.dims * sizeof *w->words;
        if (!all_zero(w->words, len) || !all_zero(w->x, len))
            virtual_breach(step, d, "%s: its update still stands in memory", when);
    }
    (void)!d->inner.storage_scan(d->inner.self, &none, 0, search_value, &s);
    if (s.found > 0)
        virtual_breach(step, d, "%s: %s stands in its store", when, draw_name(s.found - 1));
    w->cpu_s[VIRTUAL_PART_CHECK] += virtual_cpu_s() - start;
}

void virtual_check_channels(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                            const virtual_device *d) {
    const tacit_secagg *s = d->part.secagg;
    if (!watched(sim, d)) return;
    double start = virtual_cpu_s();
    for (uint32_t i = 0; i < s->count; i++)
        if (!all_zero(s->neighbours[i].channel_shared, TACIT_KEY_LEN)) {
            virtual_breach(step, d,
                           "after the share answer: the secret it shares with neighbour %u "
                           "still stands in its memory",
                           s->indices[i]);
            break;
        }
    w->cpu_s[VIRTUAL_PART_CHECK] += virtual_cpu_s() - start;
}

void virtual_check_wiped(const virtual_sim *sim, virtual_worker *w, virtual_step *step,
                         const virtual_device *d, const char *when) {
    const tacit_secagg *s = d->part.secagg;
    if (!watched(sim, d)) return;
    double start = virtual_cpu_s();
    if (!all_zero(&s->secrets, sizeof s->secrets))
        virtual_breach(step, d, "%s: its round secrets are not all zero", when);
    size_t held = (size_t)s->capacity * SECAGG_HELD_LEN;
    if (!all_zero(s->held, held))
        virtual_breach(step, d, "%s: the keys of the shares it holds are not all zero", when);
    if (!all_zero(s->region, s->region_len))
        virtual_breach(step, d, "%s: its machine's arrays are not all zero", when);
    if (!all_zero(&s->message, sizeof s->message))
        virtual_breach(step, d, "%s: its machine's message is not all zero", when);
    w->cpu_s[VIRTUAL_PART_CHECK] += virtual_cpu_s() - start;
}

/* ---- Reveals -----------------------------------------------------------------------------------
 */

void virtual_check_reveal(virtual_sim *sim, const virtual_device *d, const virtual_body *body,
                          uint64_t number) {
    virtual_round *round = &sim->rounds[number - 1];
    tacit_wire_reader reader;
    tacit_Message m;
    tacit_bytes in = tacit_bytes_of(body->data, body->len);
    double start = virtual_cpu_s();
    tacit_wire_reader_init(&reader);
    while (in.len > 0) {
        if (tacit_wire_read(&reader, &m, &in) != TACIT_OK) {
            virtual_find(sim, "round %llu: device %u: its reveal request does not decode",
                         (unsigned long long)number, d->number);
            break;
        }
        if (m.which_body != tacit_Message_revealed_tag) continue;
        uint32_t owner = m.body.revealed.owner, kind = m.body.revealed.kind;
        if (owner >= sim->options.devices || kind > 1) {
            virtual_find(sim, "round %llu: device %u reveals kind %u of owner %u",
                         (unsigned long long)number, d->number, kind, owner);
            continue;
        }
        if (sim->options.plant == VIRTUAL_PLANT_REVEAL && d->number == 0)
            round->kinds[owner] |= (uint8_t)(2u >> kind);
        round->kinds[owner] |= (uint8_t)(1u << kind);
        if (round->kinds[owner] == 3)
            virtual_find(sim,
                         "round %llu: shares of both secrets of roster index %u have left, "
                         "the second from device %u",
                         (unsigned long long)number, owner, d->number);
    }
    sim->serial_cpu_s[VIRTUAL_PART_CHECK] += virtual_cpu_s() - start;
}

/* ---- The sum -----------------------------------------------------------------------------------
 */

typedef struct {
    virtual_sim *sim;
    const virtual_round *round;
    const uint8_t *u3;
    uint64_t variance;
    bool *failed; /* [slots] its update could not be made again */
} adding;

static bool add_update(virtual_worker *w, const adding *a, const virtual_device *d) {
    const tacit_plan *plan = &a->round->plan;
    if (d->said.round != plan->round) return false;
    memset(w->x, 0, plan->dims * sizeof *w->x);
    for (uint32_t i = 0; i < d->said.count; i++) w->x[d->said.at[i]] = d->said.x[i];
    if (tacit_update_words(w->words, w->x, plan, a->variance, d->said.rounding, d->said.noise) !=
        TACIT_OK)
        return false;
    tacit_ring_add(w->sum, w->words, plan->dims);
    memset(w->x, 0, plan->dims * sizeof *w->x);
    memset(w->words, 0, plan->dims * sizeof *w->words);
    return true;
}

static void add_slot(void *self, uint32_t slot, uint32_t thread) {
    adding *a = self;
    virtual_worker *w = &a->sim->workers[thread];
    uint32_t index = cohort_slot_index(a->sim->server.cohort, slot);
    if (index == UINT32_MAX || !tacit_bit_get(a->u3, index)) return;
    double start = virtual_cpu_s();
    a->failed[slot] = !add_update(w, a, &a->sim->devices[a->round->slot_device[slot]]);
    w->cpu_s[VIRTUAL_PART_CHECK] += virtual_cpu_s() - start;
}

/* Adds up what the threads have; compares with the server's words. */
static void compare(virtual_sim *sim, const virtual_round *round) {
    const tacit_plan *plan = &round->plan;
    const uint32_t *got = cohort_sum(sim->server.cohort);
    uint32_t low = plan->bits == 32 ? UINT32_MAX : (1u << plan->bits) - 1;
    uint32_t *sum = sim->workers[0].sum;
    for (uint32_t t = 1; t < sim->options.threads; t++)
        tacit_ring_add(sum, sim->workers[t].sum, plan->dims);
    for (uint32_t i = 0; i < plan->dims; i++) {
        uint32_t word = got[i] ^ (i == 0 && sim->options.plant == VIRTUAL_PLANT_SUM);
        if ((sum[i] & low) == word) continue;
        virtual_find(sim, "round %llu: word %u of the sum is %u, the survivors' updates give %u",
                     (unsigned long long)plan->round, i, word, sum[i] & low);
        return;
    }
}

void virtual_check_sum(virtual_sim *sim, virtual_round *round) {
    cohort_report report;
    if (cohort_phase_now(sim->server.cohort) != COHORT_DONE) return;
    cohort_report_get(sim->server.cohort, &report);
    adding a = {.sim = sim,
                .round = round,
                .u3 = cohort_u3(sim->server.cohort),
                .variance = tacit_plan_noise_share(&round->plan, &report.rule),
                .failed = calloc(sim->options.devices, sizeof(bool))};
    if (a.failed == NULL) {
        sim->status = TACIT_NO_SPACE;
        return;
    }
    for (uint32_t t = 0; t < sim->options.threads; t++)
        memset(sim->workers[t].sum, 0, round->plan.dims * sizeof(uint32_t));
    virtual_pool_run(sim->pool, report.joined, add_slot, &a);
    for (uint32_t slot = 0; slot < report.joined; slot++)
        if (a.failed[slot])
            virtual_find(sim, "round %llu: device %u is among the survivors, and sent no vector",
                         (unsigned long long)round->plan.round, round->slot_device[slot]);
    compare(sim, round);
    free(a.failed);
}

/* ---- Ends --------------------------------------------------------------------------------------
 */

static bool no_faults(const virtual_faults *f) {
    return f->loss == 0 && f->duplicate == 0 && f->partition == 0 && f->crash == 0 &&
           f->server_crash == 0 && f->disk_error == 0 && f->slow == 0 && f->clock_jump == 0 &&
           f->restore == 0;
}

/* Devices that joined the round and vanished afterwards were all that failed: is enough left? */
static bool must_end_well(const virtual_sim *sim, const virtual_round *round,
                          const cohort_report *report) {
    uint32_t n = report->joined, lost = round->lost, threshold = 0;
    if (!no_faults(&sim->options.faults) || n < round->plan.n_lo) return false;
    if (lost > n * round->plan.max_dropout / 1000) return false;
    if (n > TACIT_COMPLETE_GRAPH_MAX) return true; /* but for 2^-20 */
    return tacit_graph_threshold(&report->rule, n - 1, &threshold) == TACIT_OK &&
           n - lost >= threshold + 1;
}

void virtual_check_cohort(virtual_sim *sim, const virtual_round *round,
                          const virtual_round_result *result) {
    const cohort_report *r = &result->report;
    unsigned long long number = (unsigned long long)result->round;
    if (result->ended == COHORT_FAILED && must_end_well(sim, round, r))
        virtual_find(sim, "round %llu: given up (%s) although only %u of %u were lost", number,
                     r->failure_note, round->lost, r->joined);
    if (result->ended == COHORT_DONE && r->survivors < n_min_of(&round->plan, r->joined))
        virtual_find(sim, "round %llu: a sum of %u survivors of %u, at least %u are needed", number,
                     r->survivors, r->joined, n_min_of(&round->plan, r->joined));
    /* All devices are honest; what a network does to them proves nothing against them. */
    for (uint32_t i = 0; i < r->blame_count; i++)
        virtual_find(sim, "round %llu: index %u is named for %s", number, r->blames[i].index,
                     cohort_fault_name(r->blames[i].fault));
}

void virtual_check_end(virtual_sim *sim) {
    for (uint32_t i = 0; i < sim->options.devices; i++) {
        const virtual_device *d = &sim->devices[i];
        if (d->busy)
            virtual_find(sim, "round %llu: device %u waits for ever in phase %d",
                         (unsigned long long)d->round, i, (int)d->phase);
        if (!d->on) virtual_find(sim, "device %u never came back", i);
    }
    if (sim->rounds_ended < sim->options.rounds && sim->result->round_count < VIRTUAL_ROUNDS)
        virtual_find(sim, "%u of %u rounds have ended and nothing is left to happen",
                     sim->rounds_ended, sim->options.rounds);
}
