/* SPDX-License-Identifier: Apache-2.0
 * cohort_fuzz.c - the server's cohort against five devices that may do anything. The input is a
 * script: who sends what when, genuine, changed, changed and signed again by its device, replayed
 * into another phase, or raw; time steps, polls, answers.
 *
 * Whatever comes, phases only go forward, a device gets one message a phase, an honest device finds
 * nothing wrong with what the server answers, and a sum that comes out is the plain sum of the
 * vectors that were accepted. Only a device that lies about its own mask key can spoil that: nobody
 * can tell before the sum is used.
 *
 * What a device says depends on the answers it got, and on nothing else. So its block of memory and
 * its request are kept by the hash of those answers, and most inputs make no keys and shares. */
#include "tests/fuzz/script.h"

#include <string.h>

#include "common/ring.h"
#include "firmware/secagg_internal.h"
#include "server/cohort_internal.h"

enum { N = 5, PHASES = 5, STEPS_MAX = 64, DIMS = 64, BODY_MAX = 1024, MEMOS = 512 };

/* A device after it sent a request (or left). */
typedef struct {
    uint8_t chain[TACIT_HASH_LEN]; /* of the answers it got */
    federation_device device;
    uint8_t *memory;
    uint8_t body[BODY_MAX];
    size_t len;
} memo;

typedef struct {
    uint8_t chain[TACIT_HASH_LEN];
    uint8_t bodies[PHASES][BODY_MAX];
    size_t lens[PHASES]; /* 0: nothing was said in that phase */
    uint32_t slot;
    uint8_t accepted; /* bit phase: the server took a message of it */
    bool forged;      /* the join that was taken is not its own */
} actor;

static federation f;
static memo starts[N], memos[MEMOS];
static federation_bytes scratch;

static struct {
    script in;
    cohort *c;
    uint64_t now_s;
    cohort_phase phase;
    actor actors[N];
    attack_messages list;
    uint32_t sent[PHASES];
    uint32_t expected[DIMS];
    bool foul; /* a join was taken whose keys are nobody's */
} run;

/* ---- once ------------------------------------------------------------------------------------ */

static void keep(memo *m, const federation_device *d) {
    if (m->memory == NULL) m->memory = malloc(d->memory_len);
    REQUIRE(m->memory != NULL);
    m->device = *d;
    memcpy(m->memory, d->memory, d->memory_len);
}

static void recall(federation_device *d, const memo *m) {
    *d = m->device;
    memcpy(d->memory, m->memory, d->memory_len);
}

static void make_request(memo *m, federation_device *d) {
    m->len = 0;
    if (d->gone || tacit_secagg_phase(d->machine) >= TACIT_PHASE_DONE) return;
    REQUIRE(federation_request(&f, d, &scratch) == TACIT_OK && scratch.len <= BODY_MAX);
    memcpy(m->body, scratch.data, scratch.len);
    m->len = scratch.len;
}

static void prepare(void) {
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 9};
    federation_init_devices(&f, &spec);
    REQUIRE(f.plan.dims == DIMS);
    for (uint32_t i = 0; i < N; i++) {
        memset(starts[i].chain, (int)i, TACIT_HASH_LEN);
        make_request(&starts[i], &f.devices[i]);
        keep(&starts[i], &f.devices[i]);
    }
}

static void start(void) {
    cohort_params params = {.plan = f.plan, .quiet_s = 0};
    memcpy(params.plan_digest, f.plan_digest, TACIT_HASH_LEN);
    memcpy(params.phase_secret, f.phase_secret, TACIT_SIGN_SECRET_LEN);
    REQUIRE(cohort_new(&run.c, &params) == TACIT_OK);
    run.now_s = f.plan.opens_s + 1;
    run.phase = COHORT_JOIN;
    run.foul = false;
    memset(run.sent, 0, sizeof run.sent);
    memset(run.expected, 0, sizeof run.expected);
    for (uint32_t i = 0; i < N; i++) {
        actor *a = &run.actors[i];
        memset(a->lens, 0, sizeof a->lens);
        a->slot = UINT32_MAX;
        a->accepted = 0;
        a->forged = false;
        memcpy(a->chain, starts[i].chain, TACIT_HASH_LEN);
        memcpy(a->bodies[0], starts[i].body, starts[i].len);
        a->lens[0] = starts[i].len;
        recall(&f.devices[i], &starts[i]);
    }
}

/* ---- devices --------------------------------------------------------------------------------- */

/* The device takes the answer in `scratch` and says what is due next, or did so before. */
static void answer_device(uint32_t i) {
    federation_device *d = &f.devices[i];
    actor *a = &run.actors[i];
    uint8_t hash[TACIT_HASH_LEN];
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_STREAM);
    tacit_hash_add(&h, a->chain, TACIT_HASH_LEN);
    tacit_hash_add(&h, scratch.data, scratch.len);
    tacit_hash_end(&h, hash);
    memcpy(a->chain, hash, TACIT_HASH_LEN);
    memo *m = &memos[tacit_get_u32(hash) % MEMOS];
    if (m->memory != NULL && memcmp(m->chain, hash, TACIT_HASH_LEN) == 0) {
        recall(d, m);
    } else {
        (void)!federation_deliver(&f, d, &scratch);
        make_request(m, d);
        keep(m, d);
        memcpy(m->chain, hash, TACIT_HASH_LEN);
    }
    if (!a->forged) REQUIRE(d->status == TACIT_OK || d->status == TACIT_TOO_FEW);
    if (m->len == 0) return;
    tacit_phase phase = tacit_secagg_phase(d->machine);
    memcpy(a->bodies[phase], m->body, m->len);
    a->lens[phase] = m->len;
}

/* Collects the answer its machine waits for, if there is one. */
static void advance(uint32_t i) {
    federation_device *d = &f.devices[i];
    actor *a = &run.actors[i];
    tacit_phase phase = tacit_secagg_phase(d->machine);
    if (d->gone || phase >= TACIT_PHASE_DONE || (a->accepted >> phase & 1) == 0) return;
    if (!cohort_answer_ready(run.c, (cohort_phase)phase)) return;
    d->slot = a->slot;
    uint32_t cursor = 0;
    tacit_sink sink = federation_sink(&scratch);
    tacit_status st;
    scratch.len = 0;
    do st = cohort_answer_next(run.c, (cohort_phase)phase, a->slot, &cursor, &sink);
    while (st == TACIT_OK);
    if (st == TACIT_NOT_FOUND)
        answer_device(i);
    else
        REQUIRE(st == TACIT_ABORTED || (st == TACIT_LATE && phase == TACIT_PHASE_SHARE));
}

/* ---- what must hold -------------------------------------------------------------------------- */

static void check_phase(void) {
    cohort_phase now = cohort_phase_now(run.c);
    cohort_report report;
    REQUIRE(now >= run.phase);
    REQUIRE(run.phase < COHORT_DONE || now == run.phase);
    run.phase = now;
    cohort_report_get(run.c, &report);
    REQUIRE((report.failure != TACIT_OK) == (now == COHORT_FAILED));
    REQUIRE(report.joined == run.sent[COHORT_JOIN] && report.joined <= N);
    for (int phase = 0; phase < PHASES; phase++) REQUIRE(report.sent[phase] == run.sent[phase]);
    REQUIRE((cohort_sum(run.c) != NULL) == (now == COHORT_DONE));
    if (now == COHORT_FAILED) REQUIRE(report.failure_note[0] != '\0' && run.c->shares == NULL);
    if (now > COHORT_MASK && now <= COHORT_DONE)
        REQUIRE(report.survivors == run.sent[COHORT_MASK] && report.survivors >= run.c->rule.n_min);
}

/* The device's own vector, and by how much the one that was taken differs from what it masked. */
static void expect_vector(const actor *a, const federation_device *d, tacit_bytes body) {
    static uint32_t words[DIMS];
    size_t len = tacit_ring_packed_len(DIMS, f.plan.bits);
    REQUIRE(body.len > len && a->lens[COHORT_MASK] > len);
    tacit_ring_add(run.expected, d->update, DIMS);
    tacit_ring_unpack(words, body.data + body.len - len, DIMS, f.plan.bits);
    tacit_ring_add(run.expected, words, DIMS);
    tacit_ring_unpack(words, a->bodies[COHORT_MASK] + a->lens[COHORT_MASK] - len, DIMS,
                      f.plan.bits);
    tacit_ring_sub(run.expected, words, DIMS);
}

/* A message was taken as device `at`'s: the first of this phase, in the phase that is open. */
static void note_accepted(cohort_phase phase, uint32_t slot, tacit_bytes body) {
    REQUIRE(phase == run.phase && slot < run.c->joined);
    const cohort_seat *seat = &run.c->seats[slot];
    uint32_t at = 0;
    while (at < N && memcmp(f.devices[at].device_key, seat->device_key, TACIT_KEY_LEN) != 0) at++;
    REQUIRE(at < N);
    actor *a = &run.actors[at];
    REQUIRE((a->accepted >> phase & 1) == 0);
    REQUIRE(phase == COHORT_JOIN ? slot == run.sent[COHORT_JOIN] : slot == a->slot);
    a->accepted = (uint8_t)(a->accepted | 1u << phase);
    a->slot = slot;
    run.sent[phase]++;
    if (phase == COHORT_JOIN) {
        const tacit_secagg *s = f.devices[at].machine;
        a->forged = memcmp(&seat->join, &s->join, sizeof seat->join) != 0;
        run.foul = run.foul || a->forged;
    }
    if (phase == COHORT_MASK) expect_vector(a, &f.devices[at], body);
}

static void submit(cohort_phase phase, tacit_bytes body) {
    uint32_t slot = UINT32_MAX;
    char note[TACIT_NOTE_LEN + 1];
    tacit_status st = cohort_submit(run.c, &slot, note, phase, body, run.now_s);
    REQUIRE(st != TACIT_INTERNAL && strlen(note) <= TACIT_NOTE_LEN);
    REQUIRE((st == TACIT_OK) == (note[0] == '\0'));
    REQUIRE((st == TACIT_OK || st == TACIT_DUPLICATE) == (slot != UINT32_MAX));
    if (st == TACIT_OK) note_accepted(phase, slot, body);
    REQUIRE(cohort_phase_now(run.c) == run.phase); /* only time moves it */
    check_phase();
}

static void check_sum(void) {
    uint32_t low = (1u << f.plan.bits) - 1;
    const uint32_t *sum = cohort_sum(run.c);
    REQUIRE(sum != NULL);
    for (uint32_t w = 0; w < DIMS && !run.foul; w++) REQUIRE(sum[w] == (run.expected[w] & low));
    for (uint32_t i = 0; i < N; i++) advance(i); /* the receipts */
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void tick(void) {
    for (int i = 0;; i++) {
        cohort_phase before = cohort_phase_now(run.c);
        REQUIRE(i <= PHASES + 1);
        bool moved = cohort_tick(run.c, run.now_s);
        REQUIRE(moved == (cohort_phase_now(run.c) != before));
        check_phase();
        if (!moved) break;
    }
    if (cohort_tick(run.c, run.now_s)) REQUIRE(false);
}

static void close_now(void) {
    if (run.phase < COHORT_SUM) run.now_s = cohort_deadline_s(run.c) + 1;
    tick();
}

static void take_sum(void) {
    if (cohort_phase_now(run.c) != COHORT_SUM) {
        REQUIRE(cohort_job_begin(run.c) == TACIT_WRONG_PHASE);
        return;
    }
    tacit_status st = cohort_sum_now(run.c);
    check_phase();
    REQUIRE((st == TACIT_OK) == (run.phase == COHORT_DONE));
    REQUIRE(run.phase == (st == TACIT_OK ? COHORT_DONE : COHORT_FAILED));
    if (st == TACIT_OK) check_sum();
}

/* Where device i stands, and the body it has to say there. */
static tacit_bytes due(uint32_t i, cohort_phase *phase) {
    advance(i);
    tacit_phase at = tacit_secagg_phase(f.devices[i].machine);
    *phase = at < TACIT_PHASE_DONE ? (cohort_phase)at : COHORT_REVEAL;
    return tacit_bytes_of(run.actors[i].bodies[*phase], run.actors[i].lens[*phase]);
}

static void send(uint32_t i) {
    cohort_phase phase;
    tacit_bytes body = due(i, &phase);
    if (body.len > 0) submit(phase, body);
}

/* Those of a set send what is due; then the phase closes by itself or by time. */
static void send_round(void) {
    uint32_t set = script_u8(&run.in);
    cohort_phase before = run.phase;
    for (uint32_t i = 0; i < N; i++)
        if ((set >> i & 1) == 0) send(i);
    tick();
    if ((set & 0x20) != 0 && run.phase == before) close_now();
    if ((set & 0x40) != 0) take_sum();
}

static void replay(void) {
    const actor *a = &run.actors[script_u8(&run.in) % N];
    uint8_t which = script_u8(&run.in);
    uint32_t from = which % PHASES, to = (which / 8) % (PHASES + 1);
    submit((cohort_phase)to, tacit_bytes_of(a->bodies[from], a->lens[from]));
}

/* A genuine body with bytes changed, cut off or added. */
static void send_changed(void) {
    static uint8_t body[2 * BODY_MAX];
    cohort_phase phase;
    tacit_bytes genuine = due(script_u8(&run.in) % N, &phase);
    size_t len = genuine.len;
    memcpy(body, genuine.data, len);
    for (uint32_t edits = script_u8(&run.in) % 4; edits > 0 && len > 0; edits--) {
        uint32_t at = script_u16(&run.in) % (uint32_t)len;
        body[at] ^= script_u8(&run.in);
    }
    uint32_t end = script_u16(&run.in);
    if (end >> 14 == 1 && len > 0) len = end % len;
    if (end >> 14 == 2) {
        tacit_bytes more = script_bytes(&run.in, end & 0xff);
        memcpy(body + len, more.data, more.len);
        len += more.len;
    }
    submit(phase, tacit_bytes_of(body, len));
}

static void send_raw(void) {
    cohort_phase phase = (cohort_phase)(script_u8(&run.in) % PHASES);
    submit(phase, script_bytes(&run.in, script_u16(&run.in) % 2048));
}

/* ---- devices that lie under their own signature ---------------------------------------------- */

/* The messages of a body; what follows the mask's header is its vector, into `rest`. */
static void take_apart(tacit_bytes body, cohort_phase phase, tacit_bytes *rest) {
    size_t vector = phase == COHORT_MASK ? tacit_ring_packed_len(DIMS, f.plan.bits) : 0;
    *rest = tacit_bytes_of(body.data + body.len - vector, vector);
    attack_parse(&run.list, body.data, body.len - vector);
}

static void hash_items(uint8_t *body, const tacit_secagg *s) {
    const tacit_Message *head = &run.list.items[0];
    tacit_hash h;
    if (head->which_body == tacit_Message_share_tag)
        tacit_share_body_init(&h, head->body.share.count);
    else
        tacit_reveal_body_init(&h, s->u3_digest, head->body.reveal.count);
    for (uint32_t i = 1; i < run.list.count; i++) {
        const tacit_Message *m = &run.list.items[i];
        if (m->which_body == tacit_Message_sealed_tag)
            tacit_share_body_add(&h, m->body.sealed.peer, m->body.sealed.box_s,
                                 m->body.sealed.box_b);
        if (m->which_body == tacit_Message_revealed_tag)
            tacit_reveal_body_add(&h, m->body.revealed.owner, (uint8_t)m->body.revealed.kind,
                                  m->body.revealed.key);
    }
    tacit_hash_end(&h, body);
}

static void sign_as(const federation_device *d, uint8_t *sig, tacit_label label,
                    const uint8_t *session, uint32_t index, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, 0, index, body);
    tacit_statement_sign(sig, &statement, d->device_secret);
}

/* The device's signature over the list as it stands; counts and lengths fit when `fit`. */
static void sign_again(const federation_device *d, tacit_bytes rest, bool fit) {
    const tacit_secagg *s = d->machine;
    tacit_Message *m = &run.list.items[0];
    uint32_t items = run.list.count - 1;
    uint8_t body[TACIT_HASH_LEN];
    tacit_join join;
    switch (m->which_body) {
        case tacit_Message_join_tag:
            tacit_wire_join_get(&join, &m->body.join);
            attack_sign_join(&f, &join, d->device_secret);
            memcpy(m->body.join.signature, join.signature, TACIT_SIG_LEN);
            break;
        case tacit_Message_share_tag:
            if (fit) m->body.share.count = items;
            hash_items(body, s);
            sign_as(d, m->body.share.signature, TACIT_LABEL_SHARE, s->session, m->body.share.index,
                    body);
            break;
        case tacit_Message_mask_tag:
            tacit_hash_of(body, TACIT_LABEL_VECTOR, rest.data, rest.len);
            if (fit) memcpy(m->body.mask.vector_digest, body, sizeof body);
            if (fit) m->body.mask.vector_len = (uint32_t)rest.len;
            sign_as(d, m->body.mask.signature, TACIT_LABEL_MASK, s->session2, m->body.mask.index,
                    body);
            break;
        case tacit_Message_agree_tag:
            sign_as(d, m->body.agree.signature, TACIT_LABEL_AGREE, s->session2, m->body.agree.index,
                    s->u3_digest);
            break;
        case tacit_Message_reveal_tag:
            if (fit) m->body.reveal.count = items;
            hash_items(body, s);
            sign_as(d, m->body.reveal.signature, TACIT_LABEL_REVEAL, s->session2,
                    m->body.reveal.index, body);
            break;
        default: break;
    }
}

static void send_forged(void) {
    static uint8_t vector[DIMS * 4];
    uint32_t i = script_u8(&run.in) % N;
    uint8_t how = script_u8(&run.in);
    cohort_phase phase;
    tacit_bytes rest, body = due(i, &phase);
    if (body.len == 0) return;
    take_apart(body, phase, &rest);
    memcpy(vector, rest.data, rest.len);
    rest.data = vector;
    for (uint32_t edits = how & 3; edits > 0; edits--) {
        uint32_t at = script_u16(&run.in);
        if (rest.len > 0 && (at & 0x8000) != 0)
            vector[at % rest.len] ^= script_u8(&run.in);
        else
            script_edit(&run.in, &run.list);
    }
    if ((how & 8) != 0 && rest.len > 0) rest.len -= 1 + script_u8(&run.in) % rest.len;
    if (run.list.count == 0) return;
    sign_again(&f.devices[i], rest, (how & 4) == 0);
    script_encode(&scratch, &run.list);
    tacit_sink sink = federation_sink(&scratch);
    REQUIRE(sink.write(sink.self, rest.data, rest.len) == TACIT_OK);
    submit(phase, tacit_bytes_of(scratch.data, scratch.len));
}

/* ---- questions ------------------------------------------------------------------------------- */

static void poll_phase(void) {
    char poll[2 * TACIT_POLL_MAX + 1];
    uint32_t i = script_u8(&run.in) % N, slot = UINT32_MAX;
    uint8_t at = script_u8(&run.in), change = script_u8(&run.in);
    federation_device *d = &f.devices[i];
    const actor *a = &run.actors[i];
    cohort_phase phase = (cohort_phase)tacit_secagg_phase(d->machine);
    if (phase > COHORT_REVEAL || tacit_secagg_poll(d->machine, poll) != TACIT_OK) return;
    bool genuine = change == 0;
    poll[at % strlen(poll)] ^= (char)change;
    tacit_status st = cohort_poll(run.c, &slot, phase, poll);
    REQUIRE((st == TACIT_OK) == (slot != UINT32_MAX));
    if (genuine) REQUIRE((st == TACIT_OK) == ((a->accepted >> phase & 1) != 0));
    if (st == TACIT_OK) REQUIRE(slot == a->slot);
    if (change % 2 == 1) (void)!cohort_poll(run.c, &slot, (cohort_phase)(change % PHASES), poll);
}

static void ask_answer(void) {
    cohort_phase phase = (cohort_phase)(script_u8(&run.in) % (PHASES + 1));
    uint32_t slot = script_u8(&run.in) % (N + 2), cursor = 0, count = 0;
    tacit_sink sink = federation_sink(&scratch);
    tacit_status st;
    scratch.len = 0;
    while ((st = cohort_answer_next(run.c, phase, slot, &cursor, &sink)) == TACIT_OK)
        REQUIRE(++count <= N + 2);
    if ((int)phase == PHASES)
        REQUIRE(st == TACIT_INVALID_ARGUMENT);
    else if (!cohort_answer_ready(run.c, phase))
        REQUIRE(st == TACIT_PENDING && count == 0);
    else
        REQUIRE(st == TACIT_NOT_FOUND || (count == 0 && (st == TACIT_LATE || st == TACIT_ABORTED)));
    REQUIRE(cohort_body_max(run.c, phase) > 0 || (int)phase == PHASES);
}

/* ---- a script -------------------------------------------------------------------------------- */

static void step(void) {
    switch (script_u8(&run.in) % 12) {
        case 0:
        case 1: send_round(); break;
        case 2: send(script_u8(&run.in) % N); break;
        case 3: replay(); break;
        case 4: send_changed(); break;
        case 5:
        case 6: send_forged(); break;
        case 7: send_raw(); break;
        case 8: run.now_s += script_u8(&run.in); break;
        case 9:
            if (script_u8(&run.in) & 1)
                tick();
            else
                close_now();
            break;
        case 10: poll_phase(); break;
        default: ask_answer(); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (f.devices == NULL) prepare();
    run.in = (script){data, size};
    start();
    for (int i = 0; i < STEPS_MAX && run.in.left > 0; i++) step();
    take_sum();
    cohort_free(run.c);
    return 0;
}
