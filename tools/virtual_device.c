/* SPDX-License-Identifier: Apache-2.0
 * virtual_device.c - what a device does at an event: firmware/contribute.c as a machine that is
 * woken, with the same rules. A body is made once and never sent again; a connection that breaks
 * after that is asked for its answer with a poll; half an answer is final; a phase has a limit of
 * time and of turns. Around it: the power goes and comes back, and the host asks again. */
#include <stdlib.h>

#include "common/cert.h"
#include "common/crypto.h"
#include "firmware/client.h"
#include "tools/virtual_internal.h"

enum { PIECE = 16384, BLOCK = 64 };

bool virtual_cut_off(const virtual_device *d, uint64_t at_us) {
    return at_us >= d->cut_from_us && at_us < d->cut_until_us;
}

/* ---- Memory ------------------------------------------------------------------------------------
 */

static tacit_participation_room room_of(const virtual_sim *sim, virtual_device *d,
                                        virtual_worker *w) {
    return (tacit_participation_room){.platform = &d->platform,
                                      .options = &d->options,
                                      .floors = sim->floors,
                                      .ledger = &d->ledger,
                                      .history = &w->history,
                                      .training = &w->training,
                                      .x = w->x,
                                      .words = w->words,
                                      .machine = d->machine,
                                      .machine_len = d->machine_len};
}

/* The participation works in this thread's vectors now. */
static void move_in(virtual_device *d, virtual_worker *w) {
    d->part.room.x = w->x;
    d->part.room.words = w->words;
    d->part.room.training = &w->training;
    d->part.room.history = &w->history;
}

static void free_machine(virtual_device *d) {
    if (d->machine != NULL) tacit_wipe(d->machine, d->machine_len);
    free(d->machine);
    d->machine = NULL;
    d->machine_len = 0;
}

/* Keeps x between begin and mask, where it is not zero, and the observer's copy with it. */
static tacit_status keep_vector(virtual_device *d, const virtual_worker *w, uint32_t dims) {
    virtual_said *said = &d->said;
    uint32_t count = 0;
    free(said->at);
    free(said->x);
    *said = (virtual_said){0};
    for (uint32_t i = 0; i < dims; i++) count += w->x[i] != 0;
    said->at = malloc((count + 1) * sizeof *said->at);
    said->x = malloc((count + 1) * sizeof *said->x);
    if (said->at == NULL || said->x == NULL) return TACIT_NO_SPACE;
    for (uint32_t i = 0; i < dims; i++) {
        if (w->x[i] == 0) continue;
        said->at[said->count] = i;
        said->x[said->count++] = w->x[i];
    }
    tacit_wipe(w->x, dims * sizeof *w->x); /* the next device's turn */
    return TACIT_OK;
}

static void bring_vector(const virtual_device *d, virtual_worker *w, uint32_t dims) {
    memset(w->x, 0, dims * sizeof *w->x);
    for (uint32_t i = 0; i < d->said.count; i++) w->x[d->said.at[i]] = d->said.x[i];
}

/* ---- The end of a contribution -----------------------------------------------------------------
 */

static void power_off(virtual_device *d, virtual_step *step) {
    free_machine(d);
    memset(&d->part, 0, sizeof d->part);
    memset(&d->ledger, 0, sizeof d->ledger);
    d->on = d->busy = d->begun = d->power_cut = false;
    d->token++;
    step->next = VIRTUAL_NEXT_DOWN;
}

/* tacit_contribute returns; the machine's memory goes back after a look at it. */
static void contribution_over(virtual_sim *sim, virtual_worker *w, virtual_step *step,
                              tacit_status status) {
    virtual_device *d = step->device;
    if (d->begun && d->sent)
        virtual_check_wait(step, d, tacit_contribute_limit_s(&d->part.plan, (tacit_phase)d->phase));
    if (d->begun) {
        VIRTUAL_TIMED(w->cpu_s, OPEN, {
            move_in(d, w);
            tacit_participation_leave(&d->part);
        });
        virtual_check_secrets(sim, w, step, d, 0, "after the participation");
        virtual_check_wiped(sim, w, step, d, "after the participation");
    }
    if (d->power_cut) {
        power_off(d, step);
        return;
    }
    free_machine(d);
    d->busy = d->begun = false;
    d->token++;
    step->next = VIRTUAL_NEXT_OVER;
    step->status = status;
}

/* ---- Requests ----------------------------------------------------------------------------------
 */

static tacit_status begin(virtual_sim *sim, virtual_worker *w, virtual_device *d) {
    const virtual_round *round = &sim->rounds[d->round - 1];
    d->machine_len = tacit_secagg_len(&round->plan);
    d->machine = aligned_alloc(BLOCK, (d->machine_len + BLOCK - 1) / BLOCK * BLOCK);
    if (d->machine == NULL) return TACIT_NO_SPACE;
    d->draw_count = 0;
    d->jumped = false;
    virtual_world_history(w, sim, d);
    tacit_participation_room room = room_of(sim, d, w);
    tacit_status st =
        tacit_participation_begin(&d->part, &room, round->encoded, round->sig, virtual_clock_s(d));
    if (st == TACIT_OK) st = keep_vector(d, w, round->plan.dims);
    d->begun = st == TACIT_OK;
    if (st != TACIT_OK) tacit_participation_leave(&d->part);
    return st;
}

/* VIRTUAL_PLANT_SECRET: s is stored. */
static void plant_secret(virtual_device *d) {
    tacit_write write = {(const uint8_t *)"z", 1, d->draws[0].bytes, d->draws[0].len};
    (void)!d->inner.storage_commit(d->inner.self, &write, 1);
}

static tacit_status make_request(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    tacit_phase phase = tacit_participation_phase(&d->part);
    uint32_t draws = d->draw_count, dims = d->part.plan.dims;
    tacit_sink sink = byte_buffer_sink(&w->out);
    w->out.len = 0;
    d->storage_failed = false;
    move_in(d, w);
    if (phase == TACIT_PHASE_MASK) bring_vector(d, w, dims);
    double start = virtual_cpu_s();
    tacit_status st = tacit_participation_request(&d->part, &sink, virtual_clock_s(d));
    if (phase <= TACIT_PHASE_REVEAL) w->cpu_s[VIRTUAL_PART_JOIN + phase] += virtual_cpu_s() - start;
    if (d->storage_failed && w->out.len > 0)
        virtual_breach(step, d, "%zu bytes of phase %d left after a failed commit", w->out.len,
                       (int)phase);
    if (st != TACIT_OK) return st;
    if (phase == TACIT_PHASE_MASK && d->draw_count == draws + 2) {
        memcpy(d->said.rounding, d->draws[draws].bytes, TACIT_KEY_LEN);
        memcpy(d->said.noise, d->draws[draws + 1].bytes, TACIT_KEY_LEN);
        d->said.round = d->round;
    }
    if (sim->options.plant == VIRTUAL_PLANT_SECRET && d->number == 0 && phase == TACIT_PHASE_SHARE)
        plant_secret(d);
    virtual_check_request(sim, step, d);
    switch (phase) {
        case TACIT_PHASE_JOIN: d->last_join = d->round; break;
        case TACIT_PHASE_SHARE: /* c and the polynomials' key: everything but s and b */
            virtual_check_secrets(sim, w, step, d, 2, "after the shares were dealt");
            break;
        case TACIT_PHASE_MASK:
            d->last_vector = d->round;
            virtual_check_secrets(sim, w, step, d, 0, "after the vector was masked");
            break;
        case TACIT_PHASE_REVEAL:
            virtual_check_wiped(sim, w, step, d, "after the reveal request");
            virtual_check_secrets(sim, w, step, d, 0, "after the reveal request");
            break;
        default: virtual_check_secrets(sim, w, step, d, 0, "after a later request"); break;
    }
    step->body = virtual_body_new(w->out.data, w->out.len, false);
    return step->body != NULL ? TACIT_OK : TACIT_NO_SPACE;
}

/* The computing is over: the first request begins the participation. */
static void on_request(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    tacit_status st = TACIT_OK;
    if (!d->begun) VIRTUAL_TIMED(w->cpu_s, BEGIN, st = begin(sim, w, d));
    if (st == TACIT_OK && tacit_participation_phase(&d->part) == (tacit_phase)d->vanish) {
        step->vanished = true;
        st = TACIT_LEFT;
    }
    /* No connection: the body was never made. */
    if (st == TACIT_OK && (step->event.cut || virtual_cut_off(d, d->now_us))) st = TACIT_TRANSPORT;
    if (st == TACIT_OK) {
        d->phase = (uint8_t)tacit_participation_phase(&d->part);
        d->sent = false;
        d->turn = d->retry_after_s = 0;
        d->phase_start_s = virtual_clock_s(d);
        d->phase_start_us = d->now_us;
        st = make_request(sim, w, step);
    }
    if (st != TACIT_OK) return contribution_over(sim, w, step, st);
    d->sent = true;
    d->token++;
}

/* ---- Waiting -----------------------------------------------------------------------------------
 */

/* Pauses for base_s .. 2 base_s seconds. */
static tacit_status pause_for(virtual_device *d, virtual_step *step, uint32_t base_s) {
    uint8_t random[4];
    if (base_s < 1) base_s = 1;
    if (base_s > TACIT_WAIT_MAX_S) base_s = TACIT_WAIT_MAX_S;
    tacit_status st = tacit_platform_random(&d->platform, random, sizeof random);
    if (st != TACIT_OK) return st;
    step->next = VIRTUAL_NEXT_PAUSE;
    step->pause_s = base_s + tacit_get_u32(random) % (base_s + 1);
    return TACIT_OK;
}

/* No answer yet: another turn, or too late. */
static void on_pending(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    uint64_t now_s = virtual_clock_s(d);
    uint32_t limit_s = tacit_contribute_limit_s(&d->part.plan, (tacit_phase)d->phase);
    tacit_status st = TACIT_OK;
    if (d->turn > limit_s || (now_s > d->phase_start_s && now_s - d->phase_start_s > limit_s))
        st = TACIT_LATE;
    if (st == TACIT_OK) st = pause_for(d, step, d->retry_after_s);
    d->turn++;
    d->token++; /* the exchange is over: what comes of it later is not heard */
    if (st != TACIT_OK) contribution_over(sim, w, step, st);
}

static void on_poll(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    char poll[2 * TACIT_POLL_MAX + 1];
    tacit_status st = tacit_secagg_poll(d->part.secagg, poll);
    d->retry_after_s = 0;
    if (st == TACIT_OK) {
        step->body = virtual_body_new(poll, strlen(poll) + 1, true);
        if (step->body == NULL) st = TACIT_NO_SPACE;
    }
    if (st != TACIT_OK) return contribution_over(sim, w, step, st);
    d->token++;
}

static void on_lost(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    if (d->phase == VIRTUAL_PHASE_PLAN || !d->sent)
        return contribution_over(sim, w, step, TACIT_TRANSPORT);
    on_pending(sim, w, step);
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

/* The plan is here: spreads the moment of joining. */
static void on_plan(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    uint8_t random[4];
    if (step->event.cut) return contribution_over(sim, w, step, TACIT_TRANSPORT);
    d->round = step->event.round;
    uint64_t now_s = virtual_clock_s(d), until_s = sim->rounds[d->round - 1].plan.join_until_s;
    uint64_t left_s = until_s > now_s ? until_s - now_s : 0;
    uint32_t most_s = TACIT_JOIN_SPREAD_MAX_S;
    if (left_s / TACIT_JOIN_SPREAD_PART < most_s)
        most_s = (uint32_t)(left_s / TACIT_JOIN_SPREAD_PART);
    tacit_status st = tacit_platform_random(&d->platform, random, sizeof random);
    if (st != TACIT_OK) return contribution_over(sim, w, step, st);
    step->next = VIRTUAL_NEXT_REQUEST;
    step->pause_s = tacit_get_u32(random) % (most_s + 1);
    d->token++;
}

static tacit_status take_answer(virtual_device *d, const virtual_step *step) {
    tacit_status st = TACIT_OK;
    for (size_t at = 0; at < step->answer.len && st == TACIT_OK; at += PIECE) {
        size_t left = step->answer.len - at;
        st = tacit_participation_answer(&d->part, step->answer.data + at,
                                        left < PIECE ? left : PIECE);
    }
    if (st != TACIT_OK) return st;
    if (!step->answer_whole) return TACIT_TRANSPORT;
    return tacit_participation_answer_end(&d->part, virtual_clock_s(d));
}

static void on_answer(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    if (d->phase == VIRTUAL_PHASE_PLAN) return on_plan(sim, w, step);
    if (step->answer.len == 0 && !step->answer_whole) return on_lost(sim, w, step);
    move_in(d, w);
    double start = virtual_cpu_s();
    tacit_status st = take_answer(d, step);
    w->cpu_s[VIRTUAL_PART_JOIN_ANSWER + d->phase] += virtual_cpu_s() - start;
    if (st != TACIT_OK) return contribution_over(sim, w, step, st);
    if (d->phase == TACIT_PHASE_SHARE) virtual_check_channels(sim, w, step, d);
    d->token++;
    d->sent = false;
    if (tacit_participation_phase(&d->part) < TACIT_PHASE_DONE) {
        step->next = VIRTUAL_NEXT_REQUEST;
        return;
    }
    step->receipt = true;
    step->survivors = tacit_secagg_survivors(d->part.secagg, step->sum_digest);
    contribution_over(sim, w, step, TACIT_OK);
}

static void on_refused(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    tacit_status st = (tacit_status)step->event.value;
    if (d->phase != VIRTUAL_PHASE_PLAN && d->sent && d->turn > 0 && st == TACIT_BUSY)
        return on_pending(sim, w, step); /* only this poll was shed */
    contribution_over(sim, w, step, st);
}

/* ---- Life --------------------------------------------------------------------------------------
 */

tacit_status virtual_device_boot(virtual_device *d) {
    tacit_cert cert;
    tacit_status st =
        tacit_cert_verify(&cert, d->certificate, d->options.authority_key, 0, TACIT_CLASS_NONE);
    if (st != TACIT_OK) return st;
    st = tacit_ledger_open(&d->ledger, &d->platform, &d->options, &cert.epoch, virtual_clock_s(d));
    d->on = st == TACIT_OK && !d->power_cut;
    return st;
}

static void on_restart(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    uint64_t counter = 0;
    virtual_durable durable;
    d->power_cut = false;
    if (d->restore && d->copy != NULL) {
        step->restored = virtual_copy_restore(d) == TACIT_OK;
        d->restore = false;
        virtual_copy_free(d);
        bool known = virtual_durable_read(&durable, d) &&
                     d->inner.counter_read(d->inner.self, &counter) == TACIT_OK;
        if (!known || durable.counter < counter) d->restored_old = true;
    }
    virtual_check_restart(step, d);
    virtual_check_secrets(sim, w, step, d, 0, "after a crash");
    VIRTUAL_TIMED(w->cpu_s, OPEN, (void)!virtual_device_boot(d));
    if (!d->on) return power_off(d, step);
    step->next = VIRTUAL_NEXT_OVER;
    step->status = TACIT_PENDING; /* nothing has ended; the host may ask again */
}

static void on_start(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    if (!d->on || d->busy) return;
    d->busy = true;
    d->tried = sim->server.round;
    d->begun = d->sent = false;
    d->phase = VIRTUAL_PHASE_PLAN;
    tacit_participation_room room = room_of(sim, d, w);
    tacit_status st = tacit_participation_ready(&room, virtual_clock_s(d));
    if (st == TACIT_OK) {
        step->body = virtual_body_new(NULL, 0, false);
        if (step->body == NULL) st = TACIT_NO_SPACE;
    }
    step->refused_restore = d->restored_old && st != TACIT_OK;
    if (st != TACIT_OK) return contribution_over(sim, w, step, st);
    d->token++;
}

void virtual_device_step(virtual_sim *sim, virtual_worker *w, virtual_step *step) {
    virtual_device *d = step->device;
    const virtual_event *e = &step->event;
    d->now_us = e->at_us;
    bool mine = d->on && d->busy && e->token == d->token;
    switch (e->kind) {
        case VIRTUAL_START: on_start(sim, w, step); break;
        case VIRTUAL_REQUEST:
            if (mine) on_request(sim, w, step);
            break;
        case VIRTUAL_ANSWER:
            if (mine) on_answer(sim, w, step);
            break;
        case VIRTUAL_HELD:
            if (mine) d->retry_after_s = e->value;
            if (mine) on_pending(sim, w, step);
            break;
        case VIRTUAL_REFUSED:
            if (mine) on_refused(sim, w, step);
            break;
        case VIRTUAL_LOST:
            if (mine) on_lost(sim, w, step);
            break;
        case VIRTUAL_POLL:
            if (mine) on_poll(sim, w, step);
            break;
        case VIRTUAL_CRASH:
            if (d->on) power_off(d, step);
            break;
        case VIRTUAL_RESTART:
            if (!d->on) on_restart(sim, w, step);
            break;
        case VIRTUAL_JUMP:
            d->clock_off_s += (int32_t)e->value;
            d->jumped = true;
            break;
        case VIRTUAL_BACKUP:
            if (d->on) (void)!virtual_copy_take(d);
            break;
        default: break;
    }
    step->disk_error = d->storage_failed;
    d->storage_failed = false;
}
