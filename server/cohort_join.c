/* SPDX-License-Identifier: Apache-2.0
 * cohort_join.c - who may sit in the roster, and the roster itself (security C2, C3, H2, M12).
 *
 * Devices leave when they find one bad neighbour, so a bad join that got in would cost the cohort
 * more than one seat. Therefore everything a device will check is checked here first: certificate,
 * signature, eligibility, keys of low order, keys seen twice, and that the certificate still holds
 * when the roster is looked at. The order is cheap things first, and what hangs on the id alone
 * before any signature: an id has one seat, and a limited number of attempts. */
#include <stdlib.h>

#include "common/cert.h"
#include "common/merkle.h"
#include "server/cohort_checks.h"

/* ---- joins ----------------------------------------------------------------------------------- */

static tacit_status refuse(const cohort_request *r, tacit_status status, const char *what) {
    cohort_note(r->note, "join: %s", what);
    return status;
}

/* A join under an id that has a seat. The same bytes, or others under the same key: that device
 * again. Everything else is somebody who knows the certificate. */
static tacit_status take_again(cohort_request *r, cohort_seat *seat, const tacit_join *join) {
    if (memcmp(join, &seat->join, sizeof *join) != 0) {
        if (!cohort_attempts_left(seat->attempts))
            return refuse(r, TACIT_BUSY, "too many attempts with this certificate");
        if (cohort_verify_join(r->c, join, seat->id, seat->device_key) != TACIT_OK) {
            seat->attempts++;
            return refuse(r, TACIT_BAD_SIGNATURE, "the signature is not the device's");
        }
    }
    return refuse(r, TACIT_DUPLICATE, "this device has joined");
}

/* Notes `attempts` failed joins of a genuine certificate without a seat. When there is no room for
 * another such id, it is not remembered: each attempt then costs two verifications. */
static void remember(cohort *c, const uint8_t *id, uint32_t attempts) {
    uint32_t *known = key_table_find(&c->strangers, id);
    if (known != NULL)
        *known += attempts;
    else if (key_table_add(&c->strangers, id, attempts) != TACIT_OK)
        return;
}

static tacit_status admit(cohort *c, uint32_t *slot, const tacit_join *join, const uint8_t *id,
                          const uint8_t *device_key) {
    cohort_seat *seat = &c->seats[c->joined];
    *seat = (cohort_seat){.join = *join, .index = UINT32_MAX, .sent = 1u << COHORT_JOIN};
    memcpy(seat->id, id, TACIT_HASH_LEN);
    memcpy(seat->device_key, device_key, TACIT_KEY_LEN);
    if (key_table_add(&c->ids, id, c->joined) != TACIT_OK ||
        key_table_add(&c->round_keys, join->channel_key, c->joined) != TACIT_OK ||
        key_table_add(&c->round_keys, join->mask_key, c->joined) != TACIT_OK ||
        key_table_add(&c->round_keys, join->commitment, c->joined) != TACIT_OK)
        return TACIT_INTERNAL;
    *slot = c->joined++;
    c->report.joined = c->joined;
    c->report.sent[COHORT_JOIN]++;
    return TACIT_OK;
}

static tacit_status take_new(cohort_request *r, uint32_t *slot, const tacit_join *join,
                             const uint8_t *id, uint64_t now_s) {
    cohort *c = r->c;
    if (c->joined >= c->target) return refuse(r, TACIT_LATE, "the roster is full");
    const uint32_t *attempts = key_table_find(&c->strangers, id);
    if (attempts != NULL && !cohort_attempts_left(*attempts))
        return refuse(r, TACIT_BUSY, "too many attempts with this certificate");
    tacit_cert cert;
    tacit_status st =
        tacit_cert_verify(&cert, join->certificate, c->params.plan.authority_key,
                          cohort_certificate_until(c, now_s), c->params.plan.least_class);
    if (st != TACIT_OK)
        return refuse(r, st, "the certificate is not the authority's, too weak or ends too early");
    if (key_table_find(&c->banned, cert.device_key) != NULL)
        return refuse(r, TACIT_BAD_CERTIFICATE, "this device broke the protocol in a round before");
    st = cohort_verify_join(c, join, id, cert.device_key);
    if (st != TACIT_OK) {
        remember(c, id, 1);
        return refuse(r, st, "the signature is not the device's");
    }
    const char *bad = cohort_find_bad_key(c, join);
    if (bad == NULL && !cohort_claim_device_key(c, cert.device_key))
        bad = "this device key has a seat under another certificate";
    if (bad != NULL) {
        remember(c, id, COHORT_JOIN_ATTEMPTS);
        c->report.refused[COHORT_JOIN]++;
        return refuse(r, TACIT_BAD_KEY, bad);
    }
    return admit(c, slot, join, id, cert.device_key);
}

tacit_status cohort_take_join(cohort_request *r, uint32_t *slot, uint64_t now_s) {
    cohort *c = r->c;
    tacit_status st = cohort_request_next(r, tacit_Message_join_tag);
    if (st == TACIT_OK) st = cohort_request_end(r);
    if (st != TACIT_OK) return st;
    const tacit_JoinRequest *m = &r->message.body.join;
    if (m->version < TACIT_PROTOCOL_VERSION_MIN || m->version_min > TACIT_PROTOCOL_VERSION)
        return refuse(r, TACIT_BAD_VERSION, "no protocol version in common");

    tacit_join join;
    uint8_t id[TACIT_HASH_LEN];
    const tacit_plan *plan = &c->params.plan;
    tacit_wire_join_get(&join, m);
    tacit_cert_id(id, join.certificate);
    if (m->cohort != c->params.cohort ||
        tacit_cohort_of(plan->beacon, plan->round, id, plan->cohort_count) != c->params.cohort)
        return refuse(r, TACIT_BAD_ROSTER, "this id belongs to another cohort");
    const uint32_t *taken = key_table_find(&c->ids, id);
    if (taken == NULL) return take_new(r, slot, &join, id, now_s);
    st = take_again(r, &c->seats[*taken], &join);
    if (st == TACIT_DUPLICATE) *slot = *taken;
    return st;
}

/* ---- the roster ------------------------------------------------------------------------------ */

static int compare_seats(const void *a, const void *b) {
    const cohort_seat *const *x = a;
    const cohort_seat *const *y = b;
    return memcmp((*x)->id, (*y)->id, TACIT_HASH_LEN);
}

static void sort_roster(cohort *c) {
    uint32_t n = c->joined;
    for (uint32_t i = 0; i < n; i++) c->roster[i] = &c->seats[i];
    qsort(c->roster, n, sizeof(cohort_seat *), compare_seats);
    for (uint32_t i = 0; i < n; i++) c->roster[i]->index = i;
}

static void commit_roster(cohort *c) {
    uint32_t n = c->joined;
    tacit_hash h;
    tacit_hash_init(&h, TACIT_LABEL_ROSTER_IDS);
    for (uint32_t i = 0; i < n; i++) {
        tacit_hash_add(&h, c->roster[i]->id, TACIT_HASH_LEN);
        tacit_join_leaf(c->nodes + (size_t)i * TACIT_HASH_LEN, &c->roster[i]->join);
    }
    tacit_hash_end(&h, c->ids_digest);
    tacit_merkle_levels(c->nodes, n);
    memcpy(c->merkle_root, c->nodes + (tacit_merkle_node_count(n) - 1) * TACIT_HASH_LEN,
           TACIT_HASH_LEN);
    tacit_roster_root(c->report.root, n, c->ids_digest, c->merkle_root);
    tacit_session(c->session, c->params.plan_digest, c->params.plan.model_digest, c->params.cohort,
                  c->report.root, n);
}

/* The graph everyone will derive, and each device's t_v. */
static tacit_status build_graph(cohort *c) {
    uint32_t n = c->joined;
    size_t edges_max = tacit_graph_edges_max(&c->rule);
    uint16_t *scratch = calloc(tacit_graph_scratch_count(n), sizeof *scratch);
    c->offsets = calloc((size_t)n + 1, sizeof *c->offsets);
    c->adjacent = calloc(edges_max, sizeof *c->adjacent);
    c->thresholds = calloc(n, sizeof *c->thresholds);
    tacit_status st = TACIT_NO_SPACE;
    if (scratch != NULL && c->offsets != NULL && c->adjacent != NULL && c->thresholds != NULL) {
        uint8_t seed[TACIT_HASH_LEN] = {0};
        if (c->rule.cycles > 0) tacit_graph_seed(seed, c->session);
        st = tacit_graph_build(c->offsets, c->adjacent, edges_max, &c->rule, seed, scratch);
    }
    free(scratch);
    for (uint32_t v = 0; v < n && st == TACIT_OK; v++) {
        uint32_t degree = cohort_degree(c, v), threshold;
        if (degree > c->degree_max) c->degree_max = degree;
        if (tacit_graph_threshold(&c->rule, degree, &threshold) == TACIT_OK)
            c->thresholds[v] = (uint16_t)threshold;
    }
    return st;
}

/* calloc: pages nobody writes to cost nothing. */
static tacit_status make_room(cohort *c) {
    uint32_t n = c->joined;
    for (int phase = COHORT_SHARE; phase <= COHORT_REVEAL; phase++) {
        c->sets[phase] = calloc(tacit_bitmap_len(n), 1);
        if (c->sets[phase] == NULL) return TACIT_NO_SPACE;
    }
    c->stage = calloc(c->degree_max, COHORT_PAIR_LEN);
    c->boxes = calloc(c->offsets[n], COHORT_PAIR_LEN);
    c->blames = calloc(2 * (size_t)n, sizeof *c->blames);
    bool room = c->stage != NULL && c->boxes != NULL && c->blames != NULL;
    return room ? TACIT_OK : TACIT_NO_SPACE;
}

/* The server adds no floors of its own: what the plan says is what it runs. */
static const tacit_floors no_floors = {.max_delta = 1.0, .max_dims = TACIT_MAX_DIMS};

static tacit_status find_rule(cohort *c) {
    const tacit_plan *plan = &c->params.plan;
    if (c->params.complete_graph)
        return tacit_graph_rule_complete(&c->rule, c->joined, plan->max_colluding,
                                         plan->max_dropout, plan->n_min_floor);
    return tacit_plan_rule(&c->rule, plan, c->joined, &no_floors);
}

tacit_status cohort_close_join(cohort *c) {
    uint32_t n = c->joined, n_lo = c->params.plan.n_lo;
    if (n < n_lo) return cohort_fail(c, TACIT_TOO_FEW, "join: %u devices, %u needed", n, n_lo);
    tacit_status st = find_rule(c);
    if (st != TACIT_OK) return cohort_fail(c, st, "join: the graph rule refuses a roster of %u", n);
    c->report.rule = c->rule;
    c->roster = calloc(n, sizeof(cohort_seat *));
    c->nodes = calloc(tacit_merkle_node_count(n), TACIT_HASH_LEN);
    if (c->roster == NULL || c->nodes == NULL)
        return cohort_fail(c, TACIT_NO_SPACE, "join: no memory for a roster of %u", n);
    sort_roster(c);
    commit_roster(c);
    st = build_graph(c);
    if (st == TACIT_OK) st = make_room(c);
    if (st != TACIT_OK)
        return cohort_fail(c, st, "join: no memory for the graph of a roster of %u", n);
    c->waiting = n;
    return TACIT_OK;
}
