/* SPDX-License-Identifier: Apache-2.0
 * secagg_fuzz.c - a device's machine against a server that holds the phase key and the device keys
 * of the whole cohort. The input is a script: in which phase to begin, then edits of that phase's
 * genuine answer, signed again or not, raw bytes, time, calls out of turn.
 *
 * Whatever comes, an error ends the machine for good and leaves no secret; what is accepted keeps
 * the rules of security C2, C3, C4, C6, H1, H2, which are counted again here from what was
 * delivered; a reveal gives one kind of share per device.
 *
 * One cohort is run once. A machine is one block of memory at one place and all its draws and
 * signatures repeat, so each input starts from a copy of that block. */
#include "tests/fuzz/script.h"

#include <string.h>

#include "common/merkle.h"
#include "firmware/secagg_internal.h"

enum { N = 5, PHASES = 5, STEPS_MAX = 64, SIGNED_MAX = 8 };

/* The victim while it waits for the answer of a phase, and that answer. */
typedef struct {
    federation_device device;
    uint8_t *memory;
    attack_messages answer;
} moment;

static federation f;
static federation_device *victim;
static moment moments[PHASES];
static tacit_join genuine[N]; /* by device */

static struct {
    script in;
    uint64_t now_s;
    tacit_phase phase;      /* last seen */
    attack_messages answer; /* of the phase, edited */
    attack_messages given;  /* what was accepted, parsed again */
    federation_bytes bytes;
    tacit_join signed_joins[SIGNED_MAX]; /* joins a device of the attacker's signed */
    uint32_t signed_count;
} run;

/* ---- once ------------------------------------------------------------------------------------ */

static void send_all(tacit_phase phase) {
    for (uint32_t i = 0; i < N; i++) {
        federation_device *d = &f.devices[i];
        if (i == N - 1 && phase == TACIT_PHASE_MASK) {
            tacit_secagg_leave(d->machine);
            d->gone = true;
        }
        if (d->gone) continue;
        REQUIRE(federation_send(&f, d) == TACIT_OK);
        if (phase != TACIT_PHASE_JOIN) continue;
        attack_messages m = {0};
        attack_parse(&m, f.request.data, f.request.len);
        tacit_wire_join_get(&genuine[i], &m.items[0].body.join);
        attack_messages_free(&m);
    }
    federation_close(&f);
}

static void prepare(void) {
    const federation_spec spec = {.device_count = N, .max_dropout = 200, .seed = 5};
    federation_init(&f, &spec);
    victim = &f.devices[0];
    for (int phase = 0; phase < PHASES; phase++) {
        moment *m = &moments[phase];
        send_all((tacit_phase)phase);
        m->device = *victim;
        m->memory = malloc(victim->memory_len);
        REQUIRE(m->memory != NULL);
        memcpy(m->memory, victim->memory, victim->memory_len);
        for (uint32_t i = 0; i < N; i++) {
            federation_device *d = &f.devices[i];
            if (d->gone) continue;
            REQUIRE(federation_collect(&f, d, &f.answer) == TACIT_OK);
            if (d == victim) attack_parse(&m->answer, f.answer.data, f.answer.len);
            REQUIRE(federation_deliver(&f, d, &f.answer) == TACIT_OK);
        }
    }
    REQUIRE(tacit_secagg_phase(victim->machine) == TACIT_PHASE_DONE);
}

static void restore(int phase) {
    *victim = moments[phase].device;
    memcpy(victim->memory, moments[phase].memory, victim->memory_len);
    script_copy(&run.answer, &moments[phase].answer);
    run.now_s = victim->machine->joined_s + 1;
    run.phase = (tacit_phase)phase;
    run.signed_count = 0;
}

/* ---- what must hold -------------------------------------------------------------------------- */

static bool all_zero(const void *data, size_t len) {
    const uint8_t *at = data;
    return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

static void check_wiped(void) {
    const tacit_secagg *s = victim->machine;
    REQUIRE(all_zero(&s->secrets, sizeof s->secrets));
    REQUIRE(all_zero(s->region, s->region_len));
    REQUIRE(all_zero(s->reader.buf, sizeof s->reader.buf));
    REQUIRE(!federation_secrets_left(victim));
}

static tacit_status request(uint8_t phase) {
    static uint32_t words[64];
    static uint8_t packed[64 * 4];
    tacit_secagg *s = victim->machine;
    tacit_sink sink = federation_sink(&f.request);
    f.request.len = 0;
    REQUIRE(f.plan.dims == 64);
    memcpy(words, victim->update, sizeof words);
    switch (phase) {
        case TACIT_PHASE_JOIN: return tacit_secagg_join(s, &sink, run.now_s);
        case TACIT_PHASE_SHARE: return tacit_secagg_share(s, &sink);
        case TACIT_PHASE_MASK: return tacit_secagg_mask(s, words, packed, &sink);
        case TACIT_PHASE_AGREE: return tacit_secagg_agree(s, &sink);
        default: return tacit_secagg_reveal(s, &sink);
    }
}

/* It looks at nothing, says nothing and holds nothing. */
static void check_left(void) {
    char poll[2 * TACIT_POLL_MAX + 1];
    uint8_t byte = 1, hash[TACIT_HASH_LEN];
    uint64_t variance;
    tacit_secagg *s = victim->machine;
    REQUIRE(tacit_secagg_phase(s) == TACIT_PHASE_LEFT && !tacit_secagg_waiting(s));
    REQUIRE(tacit_secagg_answer(s, &byte, 1) == TACIT_LEFT);
    REQUIRE(tacit_secagg_answer_end(s, run.now_s) == TACIT_LEFT);
    REQUIRE(tacit_secagg_poll(s, poll) == TACIT_LEFT);
    REQUIRE(tacit_secagg_noise_share(s, &variance) == TACIT_LEFT);
    REQUIRE(tacit_secagg_evidence(s, hash) == TACIT_LEFT);
    for (uint8_t phase = 0; phase < PHASES; phase++) {
        REQUIRE(request(phase) == TACIT_LEFT);
        REQUIRE(f.request.len == 0);
    }
    check_wiped();
}

/* After every call. False when the machine is through. */
static bool check(tacit_status st) {
    tacit_phase now = tacit_secagg_phase(victim->machine);
    REQUIRE(now >= run.phase);
    if (st == TACIT_OK) REQUIRE(now <= run.phase + 1);
    if (st != TACIT_OK && run.phase != TACIT_PHASE_DONE) REQUIRE(now == TACIT_PHASE_LEFT);
    run.phase = now;
    if (now == TACIT_PHASE_DONE) check_wiped();
    if (now == TACIT_PHASE_LEFT) check_left();
    return now < TACIT_PHASE_DONE;
}

static uint32_t device_of(const uint8_t *device_key) {
    for (uint32_t i = 0; i < N; i++)
        if (memcmp(f.devices[i].device_key, device_key, TACIT_KEY_LEN) == 0) return i;
    return N;
}

static bool says(const tacit_join *join, const tacit_secagg_neighbour *v) {
    return memcmp(join->channel_key, v->channel_key, TACIT_KEY_LEN) == 0 &&
           memcmp(join->mask_key, v->mask_key, TACIT_KEY_LEN) == 0 &&
           memcmp(join->commitment, v->commitment, TACIT_HASH_LEN) == 0;
}

/* Every neighbour is another enrolled device, with keys that device signed. */
static void check_roster(const tacit_secagg *s) {
    bool seen[N] = {false};
    REQUIRE(s->rule.n >= f.plan.n_lo && s->rule.n <= f.plan.n_hi && s->index < s->rule.n);
    REQUIRE(s->count == s->rule.n - 1 && s->threshold >= 1 && s->threshold <= s->count);
    REQUIRE(run.now_s - s->joined_s <= TACIT_JOIN_ANSWER_MAX_S);
    for (uint32_t i = 0; i < s->count; i++) {
        const tacit_secagg_neighbour *v = &s->neighbours[i];
        uint32_t at = device_of(v->device_key);
        REQUIRE(at > 0 && at < N && !seen[at]);
        REQUIRE(memcmp(v->id, f.devices[at].id, TACIT_HASH_LEN) == 0);
        seen[at] = true;
        bool said = says(&genuine[at], v);
        for (uint32_t k = 0; k < run.signed_count; k++)
            said = said || says(&run.signed_joins[k], v);
        REQUIRE(said);
    }
}

static void check_set(const tacit_secagg *s, const uint8_t *set) {
    uint32_t live = 0, total = 0;
    for (uint32_t i = 0; i < s->rule.n; i++) total += tacit_bit_get(set, i);
    for (uint32_t i = 0; i < s->count; i++) live += tacit_bit_get(set, s->indices[i]);
    REQUIRE(tacit_bit_get(set, s->index) && set[0] >> s->rule.n == 0);
    REQUIRE(total >= s->rule.n_min && live >= s->threshold);
}

/* At least t_v distinct neighbours in U3 signed this device's own U3. */
static void check_signatures(const tacit_secagg *s) {
    uint32_t valid = 0;
    bool seen[N] = {false};
    for (uint32_t i = 1; i < run.given.count; i++) {
        const tacit_AgreeSignature *m = &run.given.items[i].body.agree_signature;
        REQUIRE(m->index < s->rule.n && m->index != s->index && !seen[m->index]);
        REQUIRE(tacit_bit_get(s->u3, m->index));
        seen[m->index] = true;
        uint32_t place = m->index - (m->index > s->index);
        tacit_statement statement;
        tacit_statement_phase(&statement, TACIT_LABEL_AGREE, s->session2, 0, m->index,
                              s->u3_digest);
        valid += tacit_statement_verify(m->signature, &statement,
                                        s->neighbours[place].device_key) == TACIT_OK;
    }
    REQUIRE(valid == run.given.count - 1 && valid >= s->threshold);
}

/* What the machine took as the answer of `phase`. */
static void check_accepted(tacit_phase phase) {
    const tacit_secagg *s = victim->machine;
    attack_parse(&run.given, run.bytes.data, run.bytes.len);
    if (phase == TACIT_PHASE_JOIN) check_roster(s);
    if (phase == TACIT_PHASE_SHARE) check_set(s, s->u2);
    if (phase == TACIT_PHASE_MASK) {
        check_set(s, s->u3);
        REQUIRE((s->u3[0] & ~s->u2[0]) == 0);
    }
    if (phase == TACIT_PHASE_AGREE) check_signatures(s);
}

/* One kind per owner, by U3 alone, and nothing of its own (u2, u3 as before the reveal). */
static void check_reveal(const uint8_t u2, const uint8_t u3, uint32_t own) {
    uint8_t seen = 0;
    attack_parse(&run.given, f.request.data, f.request.len);
    REQUIRE(run.given.items[0].body.reveal.count == run.given.count - 1);
    for (uint32_t i = 1; i < run.given.count; i++) {
        const tacit_RevealedShare *m = &run.given.items[i].body.revealed;
        REQUIRE(m->owner < N && m->owner != own && (seen >> m->owner & 1) == 0);
        seen = (uint8_t)(seen | 1u << m->owner);
        REQUIRE((u2 >> m->owner & 1) != 0);
        REQUIRE(m->kind == ((u3 >> m->owner & 1) != 0 ? TACIT_KIND_B : TACIT_KIND_S));
    }
    check_wiped();
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Sends the request that is due and lays out the genuine answer to come. */
static bool go_on(void) {
    const tacit_secagg *s = victim->machine;
    uint8_t u2 = s->u2[0], u3 = s->u3[0];
    uint32_t index = s->index;
    tacit_phase phase = run.phase;
    if (!check(request((uint8_t)phase))) return false;
    REQUIRE(run.phase == phase && tacit_secagg_waiting(s));
    if (phase == TACIT_PHASE_REVEAL) check_reveal(u2, u3, index);
    script_copy(&run.answer, &moments[phase].answer);
    return true;
}

/* All of run.bytes in pieces, then the end. */
static bool deliver(size_t piece) {
    tacit_phase phase = run.phase;
    for (size_t at = 0; at < run.bytes.len; at += piece) {
        size_t left = run.bytes.len - at;
        tacit_status st =
            tacit_secagg_answer(victim->machine, run.bytes.data + at, left < piece ? left : piece);
        if (!check(st)) return false;
    }
    tacit_status st = tacit_secagg_answer_end(victim->machine, run.now_s);
    if (st != TACIT_OK) return check(st);
    check_accepted(phase);
    return check(st) && go_on();
}

static bool deliver_cut(bool flip) {
    uint32_t at = script_u16(&run.in);
    script_encode(&run.bytes, &run.answer);
    if (run.bytes.len == 0) return deliver(1);
    if (flip)
        run.bytes.data[at % run.bytes.len] ^= script_u8(&run.in);
    else
        run.bytes.len = at % run.bytes.len;
    return deliver(1 + (size_t)script_u8(&run.in));
}

/* The next bytes of the input as they are; the rest of the answer then follows, or the end. */
static bool deliver_raw(void) {
    tacit_bytes raw = script_bytes(&run.in, script_u8(&run.in));
    tacit_sink sink = federation_sink(&run.bytes);
    script_encode(&run.bytes, &run.answer);
    if (script_u8(&run.in) & 1) run.bytes.len = 0;
    REQUIRE(sink.write(sink.self, raw.data, raw.len) == TACIT_OK);
    return deliver(1 + (size_t)script_u8(&run.in));
}

static bool poll_answer(void) {
    char poll[2 * TACIT_POLL_MAX + 1];
    tacit_status st = tacit_secagg_poll(victim->machine, poll);
    REQUIRE(st == TACIT_OK);
    REQUIRE(strlen(poll) == 2 * (TACIT_SIG_LEN + (run.phase == TACIT_PHASE_JOIN ? 33u : 5u)));
    return check(st);
}

/* ---- the attacker's work --------------------------------------------------------------------- */

static void toggle_bit(void) {
    uint32_t bit = script_u8(&run.in);
    if (run.answer.count == 0) return;
    tacit_Message *m = &run.answer.items[0];
    if (m->which_body == tacit_Message_share_answer_tag && m->body.share_answer.u2.size > 0)
        m->body.share_answer.u2.bytes[0] ^= (uint8_t)(1u << (bit & 7));
    if (m->which_body == tacit_Message_mask_answer_tag && m->body.mask_answer.u3.size > 0)
        m->body.mask_answer.u3.bytes[0] ^= (uint8_t)(1u << (bit & 7));
}

/* Takes a seat out of the id list and the entries. */
static void drop_seat(void) {
    uint32_t seat = script_u8(&run.in) % N, at = 0;
    for (uint32_t i = 0; i < run.answer.count; i++) {
        tacit_Message *m = &run.answer.items[i];
        if (m->which_body == tacit_Message_roster_ids_tag) {
            uint8_t *ids = m->body.roster_ids.ids.bytes;
            size_t len = m->body.roster_ids.ids.size, from = (size_t)seat * TACIT_HASH_LEN;
            if (from + TACIT_HASH_LEN > len) continue;
            memmove(ids + from, ids + from + TACIT_HASH_LEN, len - from - TACIT_HASH_LEN);
            m->body.roster_ids.ids.size = (pb_size_t)(len - TACIT_HASH_LEN);
        } else if (m->which_body == tacit_Message_roster_entry_tag && at++ == seat) {
            attack_remove(&run.answer, i--);
        }
    }
}

/* A neighbour of the attacker's signs another join. */
static void forge_join(void) {
    uint32_t which = script_u8(&run.in), offset = script_u16(&run.in);
    uint8_t change = script_u8(&run.in);
    if (run.answer.count == 0 || run.signed_count == SIGNED_MAX) return;
    tacit_Message *m = &run.answer.items[which % run.answer.count];
    if (m->which_body != tacit_Message_roster_entry_tag) return;
    script_flip(m, offset, change);
    tacit_RosterEntry *entry = &m->body.roster_entry;
    tacit_join *join = &run.signed_joins[run.signed_count];
    tacit_wire_join_get(join, &entry->join);
    for (uint32_t i = 1; i < N; i++) {
        if (memcmp(genuine[i].certificate, join->certificate, TACIT_CERT_LEN) != 0) continue;
        attack_sign_join(&f, join, f.devices[i].device_secret);
        run.signed_count++;
        tacit_wire_join_put(&entry->join, join, 0);
    }
}

/* A tree over the entries as they stand, their places and proofs. */
static void plant_tree(tacit_RosterHeader *h, uint32_t n) {
    static uint8_t nodes[4 * SCRIPT_MESSAGES_MAX * TACIT_HASH_LEN];
    uint32_t at = 0;
    for (int pass = 0; pass < 2; pass++, at = 0) {
        for (uint32_t i = 0; i < run.answer.count; i++) {
            tacit_RosterEntry *entry = &run.answer.items[i].body.roster_entry;
            if (run.answer.items[i].which_body != tacit_Message_roster_entry_tag) continue;
            tacit_join join;
            size_t count = 0;
            tacit_wire_join_get(&join, &entry->join);
            if (pass == 0) {
                tacit_join_leaf(nodes + (size_t)at++ * TACIT_HASH_LEN, &join);
                continue;
            }
            entry->index = at;
            REQUIRE(tacit_merkle_path(entry->proof.bytes, &count, nodes, n, at++) == TACIT_OK);
            entry->proof.size = (pb_size_t)(count * TACIT_HASH_LEN);
        }
        if (pass == 0) tacit_merkle_levels(nodes, n);
    }
    memcpy(h->merkle_root, nodes + (tacit_merkle_node_count(n) - 1) * TACIT_HASH_LEN,
           TACIT_HASH_LEN);
}

static void sign_roster(tacit_RosterHeader *h, bool fit) {
    uint32_t entries = 0, ids = 0;
    tacit_hash hash;
    tacit_hash_init(&hash, TACIT_LABEL_ROSTER_IDS);
    for (uint32_t i = 0; i < run.answer.count; i++) {
        const tacit_Message *m = &run.answer.items[i];
        entries += m->which_body == tacit_Message_roster_entry_tag;
        if (m->which_body != tacit_Message_roster_ids_tag) continue;
        const uint8_t *id = m->body.roster_ids.ids.bytes;
        tacit_hash_add(&hash, id, m->body.roster_ids.ids.size);
        for (uint32_t k = 0; k < m->body.roster_ids.ids.size / TACIT_HASH_LEN; k++, ids++)
            if (fit && memcmp(id + (size_t)k * TACIT_HASH_LEN, victim->id, TACIT_HASH_LEN) == 0)
                h->index = ids;
    }
    tacit_hash_end(&hash, h->ids_digest);
    if (fit) h->count = ids;
    if (fit && entries > 0 && entries == ids) plant_tree(h, ids);
    attack_sign_header(&f, victim, h);
}

static void sign_bitmap(uint8_t *sig, tacit_label label, const uint8_t *bitmap, size_t len) {
    const tacit_secagg *s = victim->machine;
    uint8_t digest[TACIT_HASH_LEN];
    if (len != tacit_bitmap_len(s->rule.n)) return;
    tacit_bitmap_digest(digest, bitmap, s->rule.n);
    attack_sign_phase(&f, sig, label, label == TACIT_LABEL_SHARE_ANSWER ? s->session : s->session2,
                      s->index, digest);
}

/* The neighbours, who are the attacker's too, sign this device's U3. */
static void sign_agreement(tacit_AgreeAnswer *h) {
    const tacit_secagg *s = victim->machine;
    attack_sign_phase(&f, h->signature, TACIT_LABEL_AGREE_ANSWER, s->session2, s->index,
                      s->u3_digest);
    for (uint32_t i = 1; i < run.answer.count; i++) {
        tacit_AgreeSignature *m = &run.answer.items[i].body.agree_signature;
        if (run.answer.items[i].which_body != tacit_Message_agree_signature_tag) continue;
        if (m->index >= s->rule.n || m->index == s->index) continue;
        uint32_t place = m->index - (m->index > s->index);
        uint32_t at = device_of(s->neighbours[place].device_key);
        tacit_statement statement;
        tacit_statement_phase(&statement, TACIT_LABEL_AGREE, s->session2, 0, m->index,
                              s->u3_digest);
        tacit_statement_sign(m->signature, &statement, f.devices[at].device_secret);
    }
}

static void sign_receipt(tacit_Receipt *m) {
    const tacit_secagg *s = victim->machine;
    uint8_t body[TACIT_HASH_LEN];
    tacit_receipt_body(body, s->u3_digest, m->survivors, m->sum_digest);
    attack_sign_phase(&f, m->signature, TACIT_LABEL_REVEAL_ANSWER, s->session2, s->index, body);
}

/* Makes the answer as right as the attacker can: counts too when `fit`. */
static void sign_again(void) {
    bool fit = (script_u8(&run.in) & 1) == 0;
    if (run.answer.count == 0) return;
    tacit_Message *m = &run.answer.items[0];
    uint32_t items = run.answer.count - 1;
    switch (m->which_body) {
        case tacit_Message_roster_tag: sign_roster(&m->body.roster, fit); break;
        case tacit_Message_share_answer_tag:
            if (fit) m->body.share_answer.count = items;
            sign_bitmap(m->body.share_answer.signature, TACIT_LABEL_SHARE_ANSWER,
                        m->body.share_answer.u2.bytes, m->body.share_answer.u2.size);
            break;
        case tacit_Message_mask_answer_tag:
            sign_bitmap(m->body.mask_answer.signature, TACIT_LABEL_MASK_ANSWER,
                        m->body.mask_answer.u3.bytes, m->body.mask_answer.u3.size);
            break;
        case tacit_Message_agree_answer_tag:
            if (fit) m->body.agree_answer.count = items;
            sign_agreement(&m->body.agree_answer);
            break;
        case tacit_Message_receipt_tag: sign_receipt(&m->body.receipt); break;
        default: break;
    }
}

static void insert_other(void) {
    const moment *from = &moments[script_u8(&run.in) % PHASES];
    uint32_t at = script_u8(&run.in), what = script_u8(&run.in);
    if (run.answer.count >= SCRIPT_MESSAGES_MAX) return;
    *attack_insert(&run.answer, at % (run.answer.count + 1)) =
        from->answer.items[what % from->answer.count];
}

/* ---- a script -------------------------------------------------------------------------------- */

static bool step(void) {
    switch (script_u8(&run.in) % 16) {
        case 0:
        case 1:
            script_encode(&run.bytes, &run.answer);
            return deliver(1 + 7 * (size_t)script_u8(&run.in));
        case 2:
        case 3:
        case 4: script_edit(&run.in, &run.answer); return true;
        case 5:
        case 6: sign_again(); return true;
        case 7: toggle_bit(); return true;
        case 8: return deliver_raw();
        case 9: return deliver_cut(true);
        case 10: return deliver_cut(false);
        case 11: run.now_s += script_u16(&run.in); return true;
        case 12: return poll_answer();
        case 13:
            if (script_u8(&run.in) & 1) return check(request(script_u8(&run.in) % PHASES));
            drop_seat();
            return true;
        case 14:
            if (script_u8(&run.in) != 0) return (forge_join(), true);
            tacit_secagg_leave(victim->machine);
            REQUIRE(tacit_secagg_phase(victim->machine) == TACIT_PHASE_LEFT);
            return check(TACIT_LEFT);
        default: insert_other(); return true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (victim == NULL) prepare();
    run.in = (script){data, size};
    restore(script_u8(&run.in) % PHASES);
    for (int i = 0; i < STEPS_MAX && run.in.left > 0; i++)
        if (!step()) return 0;
    return 0;
}
