/* SPDX-License-Identifier: Apache-2.0
 * secagg_roster_test.c - the join answer under attack. Each test hands one device a roster that
 * breaks one rule and keeps all others (digests, tree, proofs and signatures are made again), and
 * names the finding of the security requirements it stands for. The device must refuse at the very
 * message that breaks the rule, with the documented status, its secrets wiped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/merkle.h"
#include "tests/support/federation_attack.h"

/* Six devices on the complete graph; one may drop. Messages: header, ids, entries 0..5. */
enum { N = 6, AT_HEADER = 0, AT_IDS = 1, AT_ENTRY = 2, AT_END = AT_ENTRY + N };

typedef struct {
    federation f;
    federation_device *victim;
    attack_roster roster;
    attack_messages m;
    uint32_t index; /* the victim's */
    uint32_t other; /* a neighbour's, not the last */
} table;

static const federation_spec six = {.device_count = N, .max_dropout = 170, .n_lo = N};

static void table_make(table *t, const federation_spec *spec) {
    *t = (table){0};
    federation_init_devices(&t->f, spec);
    attack_roster_make(&t->roster, &t->f, 0, t->f.device_count);
    t->victim = &t->f.devices[2];
    t->index = attack_roster_index(&t->roster, t->victim);
    t->other = t->index == 1 ? 2 : 1;
    attack_roster_answer(&t->roster, &t->m, &t->f, t->victim);
}

static void table_again(table *t) {
    attack_roster_answer(&t->roster, &t->m, &t->f, t->victim);
    t->index = attack_roster_index(&t->roster, t->victim);
}

static void table_free(table *t) {
    attack_messages_free(&t->m);
    attack_roster_free(&t->roster);
    federation_free(&t->f);
}

static void refused(table *t, uint32_t at, tacit_status status) {
    attack_refused(t->victim, &t->m, t->f.now_s, at, status);
    table_free(t);
}

static tacit_RosterHeader *header(table *t) { return &t->m.items[AT_HEADER].body.roster; }
static uint8_t *listed(table *t, uint32_t i) {
    return t->m.items[AT_IDS].body.roster_ids.ids.bytes + (size_t)i * TACIT_HASH_LEN;
}
static tacit_RosterEntry *entry(table *t, uint32_t i) {
    return &t->m.items[AT_ENTRY + i].body.roster_entry;
}

/* The header again after the listed ids were changed. */
static void digest_again(table *t) {
    const tacit_RosterIds *ids = &t->m.items[AT_IDS].body.roster_ids;
    tacit_hash_of(header(t)->ids_digest, TACIT_LABEL_ROSTER_IDS, ids->ids.bytes, ids->ids.size);
    attack_sign_header(&t->f, t->victim, header(t));
}

/* ---- what is right is taken ------------------------------------------------------------------ */

static void test_honest_roster_is_taken(void **state) {
    (void)state;
    table t;
    uint32_t at;
    table_make(&t, &six);
    assert_int_equal(attack_deliver(t.victim, &t.m, t.f.now_s, &at), TACIT_OK);
    assert_int_equal(tacit_secagg_phase(t.victim->machine), TACIT_PHASE_SHARE);
    assert_false(tacit_secagg_waiting(t.victim->machine));
    assert_int_equal(tacit_secagg_roster_count(t.victim->machine), N);
    assert_int_equal(tacit_secagg_neighbour_count(t.victim->machine), N - 1);
    assert_int_equal(tacit_secagg_index(t.victim->machine), t.index);
    assert_true(federation_secrets_left(t.victim)); /* the wiping tests do look at something */
    table_free(&t);
}

/* ---- header ---------------------------------------------------------------------------------- */

/* H2: the answer carries the phase key's signature. */
static void test_forged_header(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    header(&t)->signature[3] ^= 1;
    refused(&t, AT_HEADER, TACIT_BAD_SIGNATURE);
    table_make(&t, &six); /* signed, but not by the key the plan names */
    memcpy(t.f.phase_secret, t.f.authority_secret, sizeof t.f.phase_secret);
    attack_sign_header(&t.f, t.victim, header(&t));
    refused(&t, AT_HEADER, TACIT_BAD_SIGNATURE);
    table_make(&t, &six); /* signed for another device */
    attack_sign_header(&t.f, &t.f.devices[0], header(&t));
    refused(&t, AT_HEADER, TACIT_BAD_SIGNATURE);
}

/* H2, C3: n, list digest and tree are all under the signature. */
static void test_header_fields_are_signed(void **state) {
    (void)state;
    for (int field = 0; field < 3; field++) {
        table t;
        table_make(&t, &six);
        if (field == 0) header(&t)->ids_digest[0] ^= 1;
        if (field == 1) header(&t)->merkle_root[31] ^= 1;
        if (field == 2) header(&t)->count++;
        refused(&t, AT_HEADER, TACIT_BAD_SIGNATURE);
    }
}

/* H2: a header signed for another plan or model is not this round's. */
static void test_header_of_another_plan(void **state) {
    (void)state;
    for (int field = 0; field < 2; field++) {
        table t;
        table_make(&t, &six);
        federation other = t.f;
        if (field == 0) other.plan_digest[0] ^= 1;
        if (field == 1) other.plan.model_digest[0] ^= 1;
        attack_sign_header(&other, t.victim, header(&t));
        refused(&t, AT_HEADER, TACIT_BAD_SIGNATURE);
    }
}

/* C2: only the cohort the device's own id belongs to. */
static void test_other_cohort(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    header(&t)->cohort = 1;
    refused(&t, AT_HEADER, TACIT_BAD_ROSTER);
}

/* C3: n within [n_lo, n_hi]. */
static void test_roster_size(void **state) {
    (void)state;
    table t;
    federation_spec more = six;
    more.device_count = N + 1;
    more.n_hi = N;
    table_make(&t, &more);
    refused(&t, AT_HEADER, TACIT_BAD_ROSTER);
    federation_spec fewer = six;
    fewer.device_count = N - 1;
    fewer.n_hi = N;
    table_make(&t, &fewer);
    refused(&t, AT_HEADER, TACIT_BAD_ROSTER);
}

/* C5: h and n_min are computed at the n seen, and the device's floors hold there. */
static void test_floors_at_the_size_seen(void **state) {
    (void)state;
    for (int floor = 0; floor < 3; floor++) {
        table t = {0};
        federation_init_plan(&t.f, &six);
        if (floor == 0) t.f.floors.honest = N; /* h is 5 */
        if (floor == 1) t.f.floors.n_min = N;
        if (floor == 2) t.f.floors.max_colluding = 50;
        t.f.device_count = N;
        t.f.devices = calloc(N, sizeof *t.f.devices);
        assert_non_null(t.f.devices);
        for (uint32_t i = 0; i < N; i++) {
            federation_device_enrol(&t.f, &t.f.devices[i], TACIT_CLASS_ACCOUNT, UINT64_MAX);
            assert_int_equal(federation_device_start(&t.f, &t.f.devices[i]), TACIT_OK);
        }
        attack_roster_make(&t.roster, &t.f, 0, N);
        t.victim = &t.f.devices[2];
        table_again(&t);
        refused(&t, AT_HEADER, TACIT_BELOW_FLOOR);
    }
}

/* C6: t_v > t2 means too few could be left; such a device leaves. One of six colludes, two may
 * drop: t_v = 4, t2 = 3. */
static void test_threshold_above_t2(void **state) {
    (void)state;
    table t;
    federation_spec spec = six;
    spec.max_colluding = 170;
    spec.max_dropout = 340;
    table_make(&t, &spec);
    refused(&t, AT_HEADER, TACIT_TOO_FEW);
}

/* ---- id list (C3) ---------------------------------------------------------------------------- */

static void test_ids_strictly_increase(void **state) {
    (void)state;
    table t;
    table_make(&t, &six); /* one seat twice */
    uint32_t twice = t.index < 3 ? 3 : 0;
    memcpy(listed(&t, twice + 1), listed(&t, twice), TACIT_HASH_LEN);
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* two swapped */
    uint32_t a = t.index < 3 ? 4 : 0;
    uint8_t id[TACIT_HASH_LEN];
    memcpy(id, listed(&t, a), sizeof id);
    memcpy(listed(&t, a), listed(&t, a + 1), sizeof id);
    memcpy(listed(&t, a + 1), id, sizeof id);
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
}

static void test_own_id_once_at_its_place(void **state) {
    (void)state;
    table t;
    table_make(&t, &six); /* the header claims another place */
    header(&t)->index = t.other;
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* not in the list at all; the order is kept */
    listed(&t, t.index)[TACIT_HASH_LEN - 1] ^= 1;
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* there twice */
    memcpy(listed(&t, t.other), listed(&t, t.index), TACIT_HASH_LEN);
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
}

/* C2: every id must belong to the cohort. The plan has two cohorts; one seat is of the other. */
static void test_ineligible_id(void **state) {
    (void)state;
    table t;
    federation_spec spec = six;
    uint32_t at;
    spec.cohort_count = 2;
    table_make(&t, &spec);
    assert_int_equal(attack_deliver(t.victim, &t.m, t.f.now_s, &at), TACIT_OK);
    table_free(&t);
    table_make(&t, &spec);
    uint8_t *id = listed(&t, t.other);
    while (tacit_cohort_of(t.f.plan.beacon, t.f.plan.round, id, 2) == 0) id[TACIT_HASH_LEN - 1]++;
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
}

/* C3: the list is the one whose digest is in the signed root. */
static void test_list_digest(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    listed(&t, t.other)[TACIT_HASH_LEN - 1] ^= 1;
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
}

static void test_list_length(void **state) {
    (void)state;
    table t;
    table_make(&t, &six); /* one id too many */
    t.m.items[AT_IDS].body.roster_ids.ids.size += TACIT_HASH_LEN;
    memset(listed(&t, N), 0xff, TACIT_HASH_LEN);
    digest_again(&t);
    refused(&t, AT_IDS, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* one too few, then the entries */
    t.m.items[AT_IDS].body.roster_ids.ids.size -= TACIT_HASH_LEN;
    refused(&t, AT_ENTRY, TACIT_BAD_MESSAGE);
    table_make(&t, &six); /* a second list behind the first */
    attack_insert(&t.m, AT_ENTRY);
    t.m.items[AT_ENTRY] = t.m.items[AT_IDS];
    refused(&t, AT_ENTRY, TACIT_BAD_MESSAGE);
    table_make(&t, &six); /* the body ends inside the list */
    t.m.count = AT_IDS;
    refused(&t, AT_IDS, TACIT_TRUNCATED);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* C3, C6: own entry and every derived neighbour's, ascending, nothing else. */
static void test_entries_are_exactly_the_neighbours(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    attack_remove(&t.m, AT_ENTRY + t.other);
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* own entry missing */
    attack_remove(&t.m, AT_ENTRY + t.index);
    refused(&t, AT_ENTRY + t.index, t.index == N - 1 ? TACIT_TRUNCATED : TACIT_BAD_ROSTER);
    table_make(&t, &six);
    attack_remove(&t.m, AT_END - 1);
    refused(&t, AT_END - 1, TACIT_TRUNCATED);
    table_make(&t, &six);
    attack_swap(&t.m, AT_ENTRY + 2, AT_ENTRY + 3);
    refused(&t, AT_ENTRY + 2, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* the same one twice */
    attack_insert(&t.m, AT_ENTRY + 1);
    t.m.items[AT_ENTRY + 1] = t.m.items[AT_ENTRY];
    refused(&t, AT_ENTRY + 1, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* the right one under another number */
    entry(&t, t.other)->index++;
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* said to be of another cohort */
    entry(&t, t.other)->join.cohort++;
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_ROSTER);
    table_make(&t, &six); /* one more at the end */
    attack_insert(&t.m, AT_END);
    t.m.items[AT_END] = t.m.items[AT_ENTRY];
    refused(&t, AT_END, TACIT_BAD_MESSAGE);
}

/* C3: proofs lead to the committed tree, own entry included. */
static void test_merkle_proofs(void **state) {
    (void)state;
    table t;
    for (int own = 0; own < 2; own++) {
        table_make(&t, &six);
        uint32_t i = own ? t.index : t.other;
        entry(&t, i)->proof.bytes[5] ^= 1;
        refused(&t, AT_ENTRY + i, TACIT_BAD_PROOF);
        table_make(&t, &six);
        entry(&t, i)->proof.size -= TACIT_HASH_LEN;
        refused(&t, AT_ENTRY + i, TACIT_BAD_PROOF);
    }
    table_make(&t, &six); /* another tree than the entries': signed, but nothing hangs in it */
    header(&t)->merkle_root[0] ^= 1;
    attack_sign_header(&t.f, t.victim, header(&t));
    refused(&t, AT_ENTRY, TACIT_BAD_PROOF);
}

/* C3, C4: a join that hangs in the tree at another place than its own is refused by its id. */
static void test_entry_of_another_device(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    uint32_t i = t.other, j = i == 1 && t.index != 3 ? 3 : 4;
    entry(&t, i)->join = entry(&t, j)->join;
    refused(&t, AT_ENTRY + i, TACIT_BAD_ROSTER);
}

/* C3: the id listed is the hash of the certificate shown: a seat cannot change hands. The tree and
 * all signatures are right; the certificate is valid, but not of that id. */
static void test_id_is_the_certificates(void **state) {
    (void)state;
    table t;
    table_make(&t, &six);
    federation_device stranger = {0};
    federation_device_enrol(&t.f, &stranger, TACIT_CLASS_ACCOUNT, t.f.now_s + 1000);
    tacit_join *join = &t.roster.joins[t.other];
    memcpy(join->certificate, stranger.certificate, TACIT_CERT_LEN);
    attack_sign_join(&t.f, join, stranger.device_secret);
    table_again(&t); /* the list keeps the old ids */
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_ROSTER);
}

/* H2: own entry is what this device sent, byte for byte, even under its own signature. */
static void test_own_entry_is_own_join(void **state) {
    (void)state;
    for (int field = 0; field < 4; field++) {
        table t;
        table_make(&t, &six);
        tacit_join *join = &t.roster.joins[t.index];
        uint8_t *fields[4] = {join->channel_key, join->mask_key, join->commitment,
                              join->checkpoint};
        fields[field][7] ^= 1;
        attack_sign_join(&t.f, join, t.victim->device_secret);
        table_again(&t);
        refused(&t, AT_ENTRY + t.index, TACIT_BAD_ROSTER);
    }
}

/* ---- certificates and signatures ------------------------------------------------------------- */

/* A seventh device takes a neighbour's place with the certificate given; everything else is right.
 */
static void seat(table *t, federation_device *d, uint8_t device_class, uint64_t not_after_s) {
    federation_device_enrol(&t->f, d, device_class, not_after_s);
    uint32_t i = t->other;
    tacit_join *join = &t->roster.joins[i];
    memcpy(join->certificate, d->certificate, TACIT_CERT_LEN);
    t->roster.secrets[i] = d->device_secret;
    attack_sign_join(&t->f, join, d->device_secret);
    attack_roster_sort(&t->roster);
    table_again(t);
    t->other = attack_roster_index(&t->roster, d);
}

/* Section 2.6, Sybil: only the pinned authority's certificates. */
static void test_foreign_authority(void **state) {
    (void)state;
    table t;
    federation_device d = {0};
    table_make(&t, &six);
    memcpy(t.f.authority_secret, t.f.phase_secret, TACIT_SIGN_SECRET_LEN); /* the server's own */
    seat(&t, &d, TACIT_CLASS_ACCOUNT, t.f.now_s + 1000);
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_CERTIFICATE);
}

/* H9: at least the plan's class. */
static void test_weak_class(void **state) {
    (void)state;
    table t;
    federation_device d = {0};
    table_make(&t, &six);
    seat(&t, &d, TACIT_CLASS_NONE, t.f.now_s + 1000);
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_CERTIFICATE);
}

/* C3: validity, at the join and again when the answer is complete. */
static void test_expired_certificate(void **state) {
    (void)state;
    table t;
    federation_device d = {0};
    uint32_t at;
    table_make(&t, &six);
    seat(&t, &d, TACIT_CLASS_ACCOUNT, t.f.now_s - 1);
    refused(&t, AT_ENTRY + t.other, TACIT_BAD_CERTIFICATE);
    table_make(&t, &six);
    seat(&t, &d, TACIT_CLASS_ACCOUNT, t.f.now_s + 10);
    attack_refused(t.victim, &t.m, t.f.now_s + 11, AT_END, TACIT_BAD_CERTIFICATE);
    table_free(&t);
    table_make(&t, &six);
    seat(&t, &d, TACIT_CLASS_ACCOUNT, t.f.now_s + 10);
    assert_int_equal(attack_deliver(t.victim, &t.m, t.f.now_s + 10, &at), TACIT_OK);
    table_free(&t);
}

/* H8, H9: a plan that names another authority than the pinned one. */
static void test_plan_of_another_authority(void **state) {
    (void)state;
    federation f;
    federation_device d = {0};
    federation_init_plan(&f, &six);
    federation_device_enrol(&f, &d, TACIT_CLASS_ACCOUNT, f.now_s + 1000);
    f.plan.authority_key[0] ^= 1;
    assert_int_equal(federation_device_start(&f, &d), TACIT_BAD_PLAN);
    assert_int_equal(d.draw_count, 0);
    federation_device_free(&d);
}

/* H2, C4 (i): a neighbour's join must be signed, for this plan and this model, by its own key. */
static void test_join_signatures(void **state) {
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        table t;
        table_make(&t, &six);
        federation other = t.f;
        tacit_join *join = &t.roster.joins[t.other];
        const uint8_t *secret = t.roster.secrets[t.other];
        if (kind == 0) join->signature[0] ^= 1;
        if (kind == 1) other.plan_digest[0] ^= 1; /* replayed from another round */
        if (kind == 2) other.plan.model_digest[0] ^= 1;
        if (kind == 3) secret = t.f.phase_secret;
        if (kind > 0) attack_sign_join(&other, join, secret);
        table_again(&t);
        refused(&t, AT_ENTRY + t.other, TACIT_BAD_SIGNATURE);
    }
}

/* H2: key substitution; the server swaps a neighbour's keys and keeps its signature. */
static void test_key_substitution(void **state) {
    (void)state;
    for (int field = 0; field < 4; field++) {
        table t;
        table_make(&t, &six);
        tacit_join *join = &t.roster.joins[t.other];
        uint8_t *fields[4] = {join->channel_key, join->mask_key, join->commitment,
                              join->checkpoint};
        fields[field][0] ^= 1;
        table_again(&t);
        refused(&t, AT_ENTRY + t.other, TACIT_BAD_SIGNATURE);
    }
}

/* ---- equal keys (H2) ------------------------------------------------------------------------- */

static uint8_t *key_of(tacit_join *join, int type) {
    uint8_t *keys[3] = {join->channel_key, join->mask_key, join->commitment};
    return keys[type];
}

/* One device copies one of another's three values into one of its own: between two neighbours, from
 * the victim, within one entry; same type or across types. */
static void test_equal_keys(void **state) {
    (void)state;
    for (int whose = 0; whose < 3; whose++) {
        for (int from = 0; from < 3; from++) {
            for (int to = 0; to < 3; to++) {
                if (whose == 2 && from == to) continue;
                table t;
                table_make(&t, &six);
                uint32_t copier = t.index == N - 1 ? N - 2 : N - 1; /* the last neighbour */
                uint32_t source = whose == 0 ? (t.index == 0 ? 1 : 0) : t.index;
                if (whose == 2) source = copier;
                tacit_join *join = &t.roster.joins[copier];
                memcpy(key_of(join, to), key_of(&t.roster.joins[source], from), TACIT_KEY_LEN);
                attack_sign_join(&t.f, join, t.roster.secrets[copier]);
                table_again(&t);
                refused(&t, AT_ENTRY + copier, TACIT_BAD_KEY);
            }
        }
    }
}

/* C3: one device key on two seats, by two certificates of different epochs: a neighbour's key, or
 * the victim's own. */
static void test_one_device_key_on_two_seats(void **state) {
    (void)state;
    for (int own = 0; own < 2; own++) {
        table t;
        table_make(&t, &six);
        const federation_device *twice = own ? t.victim : &t.f.devices[0];
        const federation_device *seated = &t.f.devices[4];
        tacit_cert cert;
        assert_int_equal(tacit_cert_decode(&cert, twice->certificate), TACIT_OK);
        cert.epoch++;
        uint32_t i = attack_roster_index(&t.roster, seated);
        tacit_cert_issue(t.roster.joins[i].certificate, &cert, t.f.authority_secret);
        t.roster.secrets[i] = twice->device_secret;
        attack_sign_join(&t.f, &t.roster.joins[i], twice->device_secret);
        uint8_t id[TACIT_HASH_LEN];
        tacit_cert_id(id, t.roster.joins[i].certificate);
        attack_roster_sort(&t.roster);
        table_again(&t);
        uint32_t first = attack_roster_index(&t.roster, twice), second = 0;
        while (memcmp(t.roster.ids[second], id, sizeof id) != 0) second++;
        refused(&t, AT_ENTRY + (own || second > first ? second : first), TACIT_BAD_KEY);
    }
}

/* ---- time and finality ----------------------------------------------------------------------- */

/* Section B, grinding: at most ten minutes after the join. */
static void test_late_answer(void **state) {
    (void)state;
    table t;
    uint32_t at;
    table_make(&t, &six);
    uint64_t end = t.f.now_s + TACIT_JOIN_ANSWER_MAX_S;
    attack_refused(t.victim, &t.m, end + 1, AT_END, TACIT_LATE);
    table_free(&t);
    table_make(&t, &six);
    assert_int_equal(attack_deliver(t.victim, &t.m, end, &at), TACIT_OK);
    table_free(&t);
    table_make(&t, &six); /* a clock that went back proves nothing */
    attack_refused(t.victim, &t.m, t.f.now_s - 1, AT_END, TACIT_LATE);
    table_free(&t);
}

/* C4: the first signed answer is final; the good one after a bad one is not looked at. */
static void test_no_second_answer(void **state) {
    (void)state;
    table t;
    uint32_t at;
    table_make(&t, &six);
    attack_messages good = {0};
    attack_roster_answer(&t.roster, &good, &t.f, t.victim);
    listed(&t, t.other)[TACIT_HASH_LEN - 1] ^= 1;
    assert_int_equal(attack_deliver(t.victim, &t.m, t.f.now_s, &at), TACIT_BAD_ROSTER);
    assert_int_equal(attack_deliver(t.victim, &good, t.f.now_s, &at), TACIT_LEFT);
    assert_int_equal(at, 0);
    attack_messages_free(&good);
    table_free(&t);
    table_make(&t, &six); /* nor a second header within one answer */
    attack_insert(&t.m, 1);
    t.m.items[1] = t.m.items[0];
    refused(&t, 1, TACIT_BAD_MESSAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_roster_is_taken),
        cmocka_unit_test(test_forged_header),
        cmocka_unit_test(test_header_fields_are_signed),
        cmocka_unit_test(test_header_of_another_plan),
        cmocka_unit_test(test_other_cohort),
        cmocka_unit_test(test_roster_size),
        cmocka_unit_test(test_floors_at_the_size_seen),
        cmocka_unit_test(test_threshold_above_t2),
        cmocka_unit_test(test_ids_strictly_increase),
        cmocka_unit_test(test_own_id_once_at_its_place),
        cmocka_unit_test(test_ineligible_id),
        cmocka_unit_test(test_list_digest),
        cmocka_unit_test(test_list_length),
        cmocka_unit_test(test_entries_are_exactly_the_neighbours),
        cmocka_unit_test(test_merkle_proofs),
        cmocka_unit_test(test_entry_of_another_device),
        cmocka_unit_test(test_id_is_the_certificates),
        cmocka_unit_test(test_own_entry_is_own_join),
        cmocka_unit_test(test_foreign_authority),
        cmocka_unit_test(test_weak_class),
        cmocka_unit_test(test_expired_certificate),
        cmocka_unit_test(test_plan_of_another_authority),
        cmocka_unit_test(test_join_signatures),
        cmocka_unit_test(test_key_substitution),
        cmocka_unit_test(test_equal_keys),
        cmocka_unit_test(test_one_device_key_on_two_seats),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_no_second_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
