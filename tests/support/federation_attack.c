/* SPDX-License-Identifier: Apache-2.0
 * federation_attack.c - see federation_attack.h. The only server logic here is the join answer,
 * because a roster that breaks one rule and keeps all the others cannot be had from an honest
 * server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/federation_attack.h"

#include "common/graph.h"
#include "common/merkle.h"

static void *need(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (p == NULL) fail_msg("out of memory");
    return p;
}

/* ---- messages -------------------------------------------------------------------------------- */

tacit_Message *attack_insert(attack_messages *m, uint32_t at) {
    assert_true(at <= m->count);
    if (m->count == m->cap) {
        m->cap = 2 * m->cap + 16;
        m->items = (tacit_Message *)realloc(m->items, m->cap * sizeof *m->items);
        if (m->items == NULL) fail_msg("out of memory");
    }
    memmove(m->items + at + 1, m->items + at, (m->count - at) * sizeof *m->items);
    memset(m->items + at, 0, sizeof *m->items);
    m->count++;
    return m->items + at;
}

void attack_remove(attack_messages *m, uint32_t at) {
    assert_true(at < m->count);
    memmove(m->items + at, m->items + at + 1, (m->count - at - 1) * sizeof *m->items);
    m->count--;
}

void attack_swap(attack_messages *m, uint32_t a, uint32_t b) {
    tacit_Message t = m->items[a];
    m->items[a] = m->items[b];
    m->items[b] = t;
}

void attack_parse(attack_messages *m, const uint8_t *data, size_t len) {
    tacit_wire_reader reader;
    tacit_bytes in = tacit_bytes_of(data, len);
    m->count = 0;
    tacit_wire_reader_init(&reader);
    while (in.len > 0)
        assert_int_equal(tacit_wire_read(&reader, attack_insert(m, m->count), &in), TACIT_OK);
    assert_true(tacit_wire_reader_idle(&reader));
}

void attack_messages_free(attack_messages *m) {
    free(m->items);
    *m = (attack_messages){0};
}

tacit_status attack_deliver(federation_device *d, const attack_messages *m, uint64_t now_s,
                            uint32_t *at) {
    federation_bytes bytes = {0};
    tacit_sink sink = federation_sink(&bytes);
    tacit_status st = TACIT_OK;
    for (*at = 0; *at < m->count && st == TACIT_OK; ++*at) {
        bytes.len = 0;
        assert_int_equal(tacit_wire_write(&m->items[*at], &sink), TACIT_OK);
        st = tacit_secagg_answer(d->machine, bytes.data, bytes.len);
        if (st != TACIT_OK) break;
    }
    if (st == TACIT_OK) st = tacit_secagg_answer_end(d->machine, now_s);
    federation_bytes_free(&bytes);
    return st;
}

void attack_refused(federation_device *d, const attack_messages *m, uint64_t now_s, uint32_t at,
                    tacit_status status) {
    uint32_t refused_at;
    tacit_status st = attack_deliver(d, m, now_s, &refused_at);
    assert_string_equal(tacit_status_name(st), tacit_status_name(status));
    assert_int_equal(refused_at, at);
    assert_int_equal(tacit_secagg_phase(d->machine), TACIT_PHASE_LEFT);
    assert_false(federation_secrets_left(d));
    uint8_t byte = 1;
    assert_int_equal(tacit_secagg_answer(d->machine, &byte, 1), TACIT_LEFT);
    assert_int_equal(tacit_secagg_answer_end(d->machine, now_s), TACIT_LEFT);
}

/* ---- signing --------------------------------------------------------------------------------- */

void attack_sign_header(const federation *f, const federation_device *d, tacit_RosterHeader *h) {
    uint8_t root[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_roster_root(root, h->count, h->ids_digest, h->merkle_root);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN_ANSWER, f->plan_digest, f->plan.model_digest,
                         0, d->id, root);
    tacit_statement_sign(h->signature, &statement, f->phase_secret);
}

void attack_sign_phase(const federation *f, uint8_t *sig, tacit_label label, const uint8_t *session,
                       uint32_t index, const uint8_t *body) {
    tacit_statement statement;
    tacit_statement_phase(&statement, label, session, 0, index, body);
    tacit_statement_sign(sig, &statement, f->phase_secret);
}

void attack_sign_join(const federation *f, tacit_join *join, const uint8_t *device_secret) {
    uint8_t id[TACIT_HASH_LEN], body[TACIT_HASH_LEN];
    tacit_statement statement;
    tacit_cert_id(id, join->certificate);
    tacit_join_body(body, join, id);
    tacit_statement_join(&statement, TACIT_LABEL_JOIN, f->plan_digest, f->plan.model_digest, 0, id,
                         body);
    tacit_statement_sign(join->signature, &statement, device_secret);
}

void attack_session(const federation *f, uint8_t *session, const tacit_RosterHeader *h) {
    uint8_t root[TACIT_HASH_LEN];
    tacit_roster_root(root, h->count, h->ids_digest, h->merkle_root);
    tacit_session(session, f->plan_digest, f->plan.model_digest, 0, root, h->count);
}

/* ---- rosters --------------------------------------------------------------------------------- */

static void ask_join(tacit_join *join, federation *f, federation_device *d) {
    attack_messages m = {0};
    assert_int_equal(federation_request(f, d, &f->request), TACIT_OK);
    attack_parse(&m, f->request.data, f->request.len);
    assert_int_equal(m.items[0].which_body, tacit_Message_join_tag);
    tacit_wire_join_get(join, &m.items[0].body.join);
    attack_messages_free(&m);
}

static void invent_join(tacit_join *join, federation *f, const federation_device *d) {
    uint8_t secret[TACIT_KEY_LEN];
    memcpy(join->certificate, d->certificate, TACIT_CERT_LEN);
    tacit_prng_bytes(&f->prng, secret, sizeof secret);
    tacit_x25519_public(join->channel_key, secret);
    tacit_prng_bytes(&f->prng, secret, sizeof secret);
    tacit_x25519_public(join->mask_key, secret);
    tacit_prng_bytes(&f->prng, join->commitment, TACIT_HASH_LEN);
    attack_sign_join(f, join, d->device_secret);
}

void attack_roster_make(attack_roster *r, federation *f, uint32_t from, uint32_t n) {
    r->n = n;
    r->joins = (tacit_join *)need(n, sizeof *r->joins);
    r->ids = (uint8_t(*)[TACIT_HASH_LEN])need(n, sizeof *r->ids);
    r->secrets = (const uint8_t **)need(n, sizeof *r->secrets);
    for (uint32_t i = 0; i < n; i++) {
        federation_device *d = &f->devices[from + i];
        r->secrets[i] = d->device_secret;
        if (d->machine != NULL)
            ask_join(&r->joins[i], f, d);
        else
            invent_join(&r->joins[i], f, d);
    }
    attack_roster_sort(r);
}

void attack_roster_free(attack_roster *r) {
    free(r->joins);
    free(r->ids);
    free(r->secrets);
}

void attack_roster_sort(attack_roster *r) {
    for (uint32_t i = 0; i < r->n; i++) tacit_cert_id(r->ids[i], r->joins[i].certificate);
    for (uint32_t i = 1; i < r->n; i++) {
        for (uint32_t j = i; j > 0 && memcmp(r->ids[j - 1], r->ids[j], TACIT_HASH_LEN) > 0; j--) {
            tacit_join join = r->joins[j];
            uint8_t id[TACIT_HASH_LEN];
            const uint8_t *secret = r->secrets[j];
            memcpy(id, r->ids[j], sizeof id);
            r->joins[j] = r->joins[j - 1];
            r->secrets[j] = r->secrets[j - 1];
            memcpy(r->ids[j], r->ids[j - 1], TACIT_HASH_LEN);
            r->joins[j - 1] = join;
            r->secrets[j - 1] = secret;
            memcpy(r->ids[j - 1], id, TACIT_HASH_LEN);
        }
    }
}

uint32_t attack_roster_index(const attack_roster *r, const federation_device *d) {
    for (uint32_t i = 0; i < r->n; i++)
        if (memcmp(r->ids[i], d->id, TACIT_HASH_LEN) == 0) return i;
    fail_msg("the device is not in the roster");
    return 0;
}

static void add_ids(const attack_roster *r, attack_messages *m) {
    for (uint32_t at = 0; at < r->n; at += TACIT_IDS_PER_MESSAGE) {
        uint32_t count = r->n - at < TACIT_IDS_PER_MESSAGE ? r->n - at : TACIT_IDS_PER_MESSAGE;
        tacit_Message *ids = attack_insert(m, m->count);
        ids->which_body = tacit_Message_roster_ids_tag;
        ids->body.roster_ids.ids.size = (pb_size_t)(count * TACIT_HASH_LEN);
        memcpy(ids->body.roster_ids.ids.bytes, r->ids[at], count * TACIT_HASH_LEN);
    }
}

static void add_entry(const attack_roster *r, attack_messages *m, const uint8_t *nodes,
                      uint32_t index) {
    tacit_Message *item = attack_insert(m, m->count);
    item->which_body = tacit_Message_roster_entry_tag;
    tacit_RosterEntry *entry = &item->body.roster_entry;
    size_t count;
    entry->index = index;
    entry->has_join = true;
    tacit_wire_join_put(&entry->join, &r->joins[index], 0);
    assert_int_equal(tacit_merkle_path(entry->proof.bytes, &count, nodes, r->n, index), TACIT_OK);
    entry->proof.size = (pb_size_t)(count * TACIT_HASH_LEN);
}

/* The stretched seed of a session; the last one is kept, for all devices of a roster ask for it. */
static void seed_of(uint8_t *seed, const uint8_t *session) {
    static uint8_t known[TACIT_HASH_LEN], its_seed[TACIT_HASH_LEN];
    if (memcmp(known, session, TACIT_HASH_LEN) != 0) tacit_graph_seed(its_seed, session);
    memcpy(known, session, TACIT_HASH_LEN);
    memcpy(seed, its_seed, TACIT_HASH_LEN);
}

static void add_entries(const attack_roster *r, attack_messages *m, const federation *f,
                        const tacit_RosterHeader *header, const uint8_t *nodes) {
    uint16_t *neighbours = (uint16_t *)need(TACIT_MAX_NEIGHBOURS, sizeof *neighbours);
    uint16_t *scratch = (uint16_t *)need(r->n, sizeof *scratch);
    uint8_t session[TACIT_HASH_LEN], seed[TACIT_HASH_LEN] = {0};
    tacit_graph_rule rule;
    size_t count, next = 0;
    assert_int_equal(tacit_graph_rule_init(&rule, r->n, f->plan.max_colluding, f->plan.max_dropout,
                                           f->plan.n_min_floor),
                     TACIT_OK);
    attack_session(f, session, header);
    if (rule.cycles > 0) seed_of(seed, session);
    assert_int_equal(tacit_graph_neighbours(neighbours, TACIT_MAX_NEIGHBOURS, &count, &rule, seed,
                                            header->index, scratch),
                     TACIT_OK);
    while (next < count && neighbours[next] < header->index)
        add_entry(r, m, nodes, neighbours[next++]);
    add_entry(r, m, nodes, header->index);
    while (next < count) add_entry(r, m, nodes, neighbours[next++]);
    free(neighbours);
    free(scratch);
}

void attack_roster_answer(const attack_roster *r, attack_messages *m, const federation *f,
                          const federation_device *d) {
    size_t node_count = tacit_merkle_node_count(r->n);
    uint8_t *nodes = (uint8_t *)need(node_count, TACIT_HASH_LEN);
    for (uint32_t i = 0; i < r->n; i++)
        tacit_join_leaf(nodes + (size_t)i * TACIT_HASH_LEN, &r->joins[i]);
    tacit_merkle_levels(nodes, r->n);

    tacit_RosterHeader header = {.count = r->n, .index = attack_roster_index(r, d)};
    tacit_hash_of(header.ids_digest, TACIT_LABEL_ROSTER_IDS, r->ids, r->n * sizeof *r->ids);
    memcpy(header.merkle_root, nodes + (node_count - 1) * TACIT_HASH_LEN, TACIT_HASH_LEN);
    attack_sign_header(f, d, &header);
    m->count = 0;
    tacit_Message *first = attack_insert(m, 0);
    first->which_body = tacit_Message_roster_tag;
    first->body.roster = header;
    add_ids(r, m);
    add_entries(r, m, f, &header, nodes);
    free(nodes);
}

/* ---- scenes ---------------------------------------------------------------------------------- */

/* What the victim will know once it took the answer in s->messages. */
static void learn(attack_scene *s) {
    const tacit_Message *m = &s->messages.items[0];
    if (s->phase == TACIT_PHASE_JOIN) {
        s->n = m->body.roster.count;
        s->index = m->body.roster.index;
        attack_session(&s->f, s->session, &m->body.roster);
    } else if (s->phase == TACIT_PHASE_SHARE) {
        memcpy(s->u2, m->body.share_answer.u2.bytes, tacit_bitmap_len(s->n));
        tacit_session2(s->session2, s->session, s->u2, s->n);
    } else if (s->phase == TACIT_PHASE_MASK) {
        memcpy(s->u3, m->body.mask_answer.u3.bytes, tacit_bitmap_len(s->n));
    }
}

static void send_all(attack_scene *s) {
    for (uint32_t i = 0; i < s->f.device_count; i++) {
        federation_device *d = &s->f.devices[i];
        if (d->vanish == s->phase) {
            tacit_secagg_leave(d->machine);
            d->gone = true;
        }
        if (!d->gone) assert_int_equal(federation_send(&s->f, d), TACIT_OK);
    }
    federation_close(&s->f);
    assert_int_equal(federation_collect(&s->f, s->victim, &s->f.answer), TACIT_OK);
    attack_parse(&s->messages, s->f.answer.data, s->f.answer.len);
    learn(s);
}

static void deliver_all(attack_scene *s) {
    for (uint32_t i = 0; i < s->f.device_count; i++) {
        federation_device *d = &s->f.devices[i];
        if (d->gone) continue;
        assert_int_equal(federation_collect(&s->f, d, &s->f.answer), TACIT_OK);
        assert_int_equal(federation_deliver(&s->f, d, &s->f.answer), TACIT_OK);
    }
}

void attack_scene_make(attack_scene *s, const federation_spec *spec, const tacit_phase *vanish,
                       tacit_phase phase) {
    *s = (attack_scene){0};
    federation_init(&s->f, spec);
    s->victim = &s->f.devices[0];
    for (uint32_t i = 0; vanish != NULL && i < s->f.device_count; i++)
        s->f.devices[i].vanish = vanish[i];
    for (;;) {
        send_all(s);
        if (s->phase == phase) return;
        deliver_all(s);
        s->phase = (tacit_phase)(s->phase + 1);
    }
}

void attack_scene_free(attack_scene *s) {
    attack_messages_free(&s->messages);
    federation_free(&s->f);
}

federation_device *attack_device_at(attack_scene *s, uint32_t index) {
    for (uint32_t i = 0; i < s->f.device_count; i++) {
        federation_device *d = &s->f.devices[i];
        if (d->slot != UINT32_MAX && cohort_slot_index(s->f.cohort, d->slot) == index) return d;
    }
    fail_msg("no device at index %u", index);
    return NULL;
}
