/* SPDX-License-Identifier: Apache-2.0
 * virtual_network.c - messages between devices and the server, and everything the seed decides: who
 * is cut off, crashes, computes slowly or vanishes in a round, and what becomes of each message.
 *
 * A message is what HTTP over TCP makes of it: it arrives whole, or the connection breaks and the
 * device notices that some seconds later. A request that arrives twice was sent again by something
 * in between. Order is whatever the delays make it. */
#include <stdlib.h>

#include "tools/virtual_internal.h"

enum { SECOND_US = 1000000, NOTICE_MAX_S = 20, ROUND_SPAN_S = 60 };
enum { START_SPREAD_S = 8, DAY_S = 86400, DISK_CALLS = 8 };
/* A device hurries, or is slow by this factor. */
enum { SLOW_FACTOR = 60 };

/* ---- Chance ------------------------------------------------------------------------------------
 */

bool virtual_chance(virtual_sim *sim, double p) {
    return p > 0 && tacit_prng_unit(&sim->chance) < p;
}

uint64_t virtual_uniform(virtual_sim *sim, uint64_t below) {
    return below == 0 ? 0 : tacit_prng_u64(&sim->chance) % below;
}

void virtual_put(virtual_sim *sim, virtual_event event) {
    if (virtual_queue_put(&sim->queue, event)) return;
    virtual_body_release(event.body);
    sim->status = TACIT_NO_SPACE;
}

static uint64_t travel_us(virtual_sim *sim) {
    return VIRTUAL_LATENCY_US + virtual_uniform(sim, 1000ull * sim->options.faults.delay_ms + 1);
}

static uint64_t notice_us(virtual_sim *sim) {
    return VIRTUAL_LATENCY_US + virtual_uniform(sim, (uint64_t)NOTICE_MAX_S * SECOND_US);
}

uint64_t virtual_compute_us(virtual_sim *sim, const virtual_device *d, uint8_t phase) {
    /* Least and spread in milliseconds; a small fleet need not be spread. */
    static const uint32_t least[6] = {50, 200, 300, 50, 50, 50};
    static const uint32_t spread[6] = {500, 4000, 9000, 1500, 3000, 100};
    uint32_t wide = sim->options.devices < 1000 ? spread[phase] / 8 : spread[phase];
    uint64_t us = 1000 * (least[phase] + virtual_uniform(sim, wide));
    return d->slow ? us * SLOW_FACTOR : us;
}

/* ---- Messages ----------------------------------------------------------------------------------
 */

static void arrive(virtual_sim *sim, const virtual_device *d, virtual_body *body, uint64_t at_us) {
    virtual_put(sim, (virtual_event){.at_us = at_us,
                                     .kind = VIRTUAL_ARRIVE,
                                     .device = d->number,
                                     .token = d->token,
                                     .round = d->round,
                                     .phase = d->phase,
                                     .body = body});
}

static void lose(virtual_sim *sim, uint32_t device, uint64_t token, uint64_t at_us) {
    virtual_put(sim, (virtual_event){.at_us = at_us + notice_us(sim),
                                     .kind = VIRTUAL_LOST,
                                     .device = device,
                                     .token = token});
}

void virtual_network_request(virtual_sim *sim, const virtual_device *d, virtual_body *body,
                             uint64_t at_us) {
    const virtual_faults *f = &sim->options.faults;
    uint64_t travel = travel_us(sim);
    sim->result->messages++;
    sim->result->bytes_up += body->len;
    if (virtual_cut_off(d, at_us) || virtual_chance(sim, f->loss)) {
        virtual_body_release(body);
        return lose(sim, d->number, d->token, at_us);
    }
    if (virtual_chance(sim, f->duplicate)) {
        uint64_t later = travel_us(sim) + virtual_uniform(sim, 30 * (uint64_t)SECOND_US);
        body->users++;
        arrive(sim, d, body, at_us + later);
    }
    arrive(sim, d, body, at_us + travel);
}

void virtual_network_break(virtual_sim *sim, const virtual_call *call) {
    lose(sim, call->device, call->token, sim->now_us);
}

void virtual_network_answer(virtual_sim *sim, const virtual_call *call, virtual_kind kind,
                            uint32_t value) {
    const virtual_device *d = &sim->devices[call->device];
    uint64_t at_us = sim->now_us + travel_us(sim);
    bool lost = virtual_chance(sim, sim->options.faults.loss);
    bool cut = lost && kind == VIRTUAL_ANSWER && virtual_chance(sim, 0.5);
    sim->result->messages++;
    if (virtual_cut_off(d, at_us) || (lost && !cut)) return virtual_network_break(sim, call);
    virtual_put(sim, (virtual_event){.at_us = at_us,
                                     .kind = kind,
                                     .device = call->device,
                                     .token = call->token,
                                     .round = sim->server.round,
                                     .phase = call->phase,
                                     .cut = cut,
                                     .slot = call->slot,
                                     .value = value});
}

/* ---- What a round has in store -----------------------------------------------------------------
 */

static uint64_t within_us(virtual_sim *sim, uint32_t span_s) {
    return sim->now_us + VIRTUAL_LATENCY_US + virtual_uniform(sim, (uint64_t)span_s * SECOND_US);
}

static void put_for(virtual_sim *sim, const virtual_device *d, virtual_kind kind, uint64_t at_us,
                    uint32_t value) {
    virtual_put(sim,
                (virtual_event){.at_us = at_us, .kind = kind, .device = d->number, .value = value});
}

/* Minutes, or days; forwards or backwards. */
static uint32_t jump_s(virtual_sim *sim) {
    uint32_t most = virtual_chance(sim, 0.5) ? 600 : 3 * DAY_S;
    int32_t jump = (int32_t)virtual_uniform(sim, 2 * most + 1) - (int32_t)most;
    return (uint32_t)jump;
}

static void draw_device(virtual_sim *sim, virtual_device *d, uint64_t cut_from_us,
                        uint64_t cut_until_us) {
    const virtual_faults *f = &sim->options.faults;
    d->vanish = VIRTUAL_NEVER;
    if (virtual_chance(sim, sim->options.dropout)) d->vanish = (uint8_t)virtual_uniform(sim, 5);
    d->slow = virtual_chance(sim, f->slow);
    d->cut_from_us = d->cut_until_us = 0;
    if (virtual_chance(sim, f->partition)) {
        d->cut_from_us = cut_from_us;
        d->cut_until_us = cut_until_us;
    }
    if (virtual_chance(sim, f->crash)) /* half of them while joining */
        put_for(sim, d, VIRTUAL_CRASH,
                within_us(sim, virtual_chance(sim, 0.5) ? START_SPREAD_S : ROUND_SPAN_S), 0);
    if (virtual_chance(sim, f->clock_jump))
        put_for(sim, d, VIRTUAL_JUMP, within_us(sim, ROUND_SPAN_S), jump_s(sim));
    d->disk = VIRTUAL_DISK_WELL;
    if (virtual_chance(sim, f->disk_error)) {
        d->disk = (virtual_disk)(1 + virtual_uniform(sim, VIRTUAL_DISK_KINDS - 1));
        d->disk_in = 1 + (uint32_t)virtual_uniform(sim, DISK_CALLS);
    }
    d->restore = false;
    if (virtual_chance(sim, f->restore)) {
        uint64_t copied_us = within_us(sim, ROUND_SPAN_S / 2);
        d->restore = true;
        put_for(sim, d, VIRTUAL_BACKUP, copied_us, 0);
        put_for(sim, d, VIRTUAL_CRASH,
                copied_us + VIRTUAL_LATENCY_US +
                    virtual_uniform(sim, (uint64_t)ROUND_SPAN_S * SECOND_US),
                0);
    }
    put_for(sim, d, VIRTUAL_START, within_us(sim, START_SPREAD_S), 0);
}

void virtual_network_round(virtual_sim *sim) {
    uint64_t cut_from_us = within_us(sim, ROUND_SPAN_S);
    uint64_t cut_until_us = cut_from_us + (5 + virtual_uniform(sim, 115)) * SECOND_US;
    for (uint32_t i = 0; i < sim->options.devices; i++)
        draw_device(sim, &sim->devices[i], cut_from_us, cut_until_us);
    if (virtual_chance(sim, sim->options.faults.server_crash))
        virtual_put(sim, (virtual_event){.at_us = within_us(sim, ROUND_SPAN_S),
                                         .kind = VIRTUAL_SERVER_CRASH,
                                         .round = sim->server.round});
}
