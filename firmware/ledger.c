/* SPDX-License-Identifier: Apache-2.0
 * ledger.c - see ledger.h. Every change is made on a copy, committed, and only then becomes the
 * record in memory, so that memory and store never disagree in the device's favour. It refuses to
 * write without a MAC and to trust what it cannot authenticate. */
#include <math.h>

#include "common/crypto.h"
#include "firmware/ledger_checks.h"

enum {
    CHUNK_LEN = 512,
    CHUNK_COUNT = 7,
    RECORD_LEN = CHUNK_LEN * CHUNK_COUNT,
    MAC_AT = 480,
    SUMS_LEN = TACIT_ORDER_COUNT * 8,
    FLAG_CONSENT = 1,
    FLAG_EXHAUSTED = 2,
    FLAG_EPOCH_KNOWN = 4,
    FLAG_UNSETTLED = 8
};
_Static_assert(CHUNK_LEN + 3 * SUMS_LEN == RECORD_LEN, "three tables behind the header");

static const uint8_t magic[8] = {'T', 'A', 'C', 'I', 'T', 'L', 'G', '1'};

_Static_assert((int)TACIT_LEDGER_MAX_CHARGES == (int)TACIT_PERIOD_COHORTS,
               "device and server keep the same part of delta back");

/* ---- Encoding ---------------------------------------------------------------------------------*/

static void put_sums(uint8_t *out, const uint64_t sums[static TACIT_ORDER_COUNT]) {
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) tacit_put_u64(out + 8 * i, sums[i]);
}

static void get_sums(uint64_t sums[static TACIT_ORDER_COUNT], const uint8_t *in) {
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) sums[i] = tacit_get_u64(in + 8 * i);
}

static void encode(uint8_t out[static RECORD_LEN], const tacit_ledger_record *r) {
    memset(out, 0, RECORD_LEN);
    memcpy(out, magic, sizeof magic);
    uint32_t flags = (r->consent ? FLAG_CONSENT : 0u) | (r->exhausted ? FLAG_EXHAUSTED : 0u) |
                     (r->epoch_known ? FLAG_EPOCH_KNOWN : 0u) |
                     (r->unsettled ? FLAG_UNSETTLED : 0u);
    tacit_put_u64(out + 8, r->counter);
    tacit_put_u32(out + 16, flags);
    tacit_put_u32(out + 20, r->epoch);
    tacit_put_f64(out + 24, r->epsilon);
    tacit_put_f64(out + 32, r->delta);
    tacit_put_u64(out + 40, r->period_s);
    tacit_put_u64(out + 48, r->period_start_s);
    tacit_put_u64(out + 56, r->highest_round);
    tacit_put_u64(out + 64, r->charged_round);
    tacit_put_u64(out + 72, r->last_run);
    tacit_put_u64(out + 80, r->last_s);
    tacit_put_u32(out + 88, r->run_charges);
    tacit_put_u32(out + 92, r->losses);
    tacit_put_u64(out + 96, r->rounds_joined);
    tacit_put_u64(out + 104, r->rounds_charged);
    tacit_put_u32(out + 112, r->period_charges);
    put_sums(out + CHUNK_LEN, r->period);
    put_sums(out + CHUNK_LEN + SUMS_LEN, r->replace);
    put_sums(out + CHUNK_LEN + 2 * SUMS_LEN, r->ever);
}

static bool decode(tacit_ledger_record *r, const uint8_t in[static RECORD_LEN]) {
    uint32_t flags = tacit_get_u32(in + 16);
    memset(r, 0, sizeof *r);
    r->counter = tacit_get_u64(in + 8);
    r->consent = flags & FLAG_CONSENT;
    r->exhausted = flags & FLAG_EXHAUSTED;
    r->epoch_known = flags & FLAG_EPOCH_KNOWN;
    r->unsettled = flags & FLAG_UNSETTLED;
    r->epoch = tacit_get_u32(in + 20);
    r->epsilon = tacit_get_f64(in + 24);
    r->delta = tacit_get_f64(in + 32);
    r->period_s = tacit_get_u64(in + 40);
    r->period_start_s = tacit_get_u64(in + 48);
    r->highest_round = tacit_get_u64(in + 56);
    r->charged_round = tacit_get_u64(in + 64);
    r->last_run = tacit_get_u64(in + 72);
    r->last_s = tacit_get_u64(in + 80);
    r->run_charges = tacit_get_u32(in + 88);
    r->losses = tacit_get_u32(in + 92);
    r->rounds_joined = tacit_get_u64(in + 96);
    r->rounds_charged = tacit_get_u64(in + 104);
    r->period_charges = tacit_get_u32(in + 112);
    get_sums(r->period, in + CHUNK_LEN);
    get_sums(r->replace, in + CHUNK_LEN + SUMS_LEN);
    get_sums(r->ever, in + CHUNK_LEN + 2 * SUMS_LEN);
    return memcmp(in, magic, sizeof magic) == 0 &&
           tacit_ledger_policy_check(r->epsilon, r->delta, r->period_s, 1);
}

/* MAC of the platform over len(label) | label | BLAKE2b(LEDGER, record without the MAC). */
static tacit_status record_mac(const tacit_ledger *l, uint8_t mac[static TACIT_HASH_LEN],
                               const uint8_t in[static RECORD_LEN]) {
    tacit_hash h;
    uint8_t message[64 + TACIT_HASH_LEN];
    const char *label = tacit_label_text(TACIT_LABEL_LEDGER);
    size_t label_len = strlen(label);
    assert(label_len < 64);
    message[0] = (uint8_t)label_len;
    /* Length-prefixed, no string. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
    memcpy(message + 1, label, label_len);
    tacit_hash_init(&h, TACIT_LABEL_LEDGER);
    tacit_hash_add(&h, in, MAC_AT);
    tacit_hash_add(&h, in + CHUNK_LEN, RECORD_LEN - CHUNK_LEN);
    tacit_hash_end(&h, message + 1 + label_len);
    return l->platform->mac(l->platform->self, mac, message, 1 + label_len + TACIT_HASH_LEN);
}

/* ---- The store --------------------------------------------------------------------------------*/

/* Writes `next` with the following counter and makes it the record; then raises the platform's
 * counter. STORAGE after a failed raise too (when `must_raise`): the record stands, but nothing may
 * be sent on it. A keystore that makes no MAC seals the ledger until the next open. */
static tacit_status commit(tacit_ledger *l, tacit_ledger_record *next, bool must_raise) {
    const tacit_platform *p = l->platform;
    uint8_t bytes[RECORD_LEN], keys[CHUNK_COUNT][2];
    tacit_write writes[CHUNK_COUNT];
    if (l->sealed) return TACIT_STORAGE;
    next->counter = l->record.counter + 1;
    encode(bytes, next);
    if (record_mac(l, bytes + MAC_AT, bytes) != TACIT_OK) {
        l->sealed = true;
        return TACIT_STORAGE;
    }
    for (size_t i = 0; i < CHUNK_COUNT; i++) {
        keys[i][0] = 'l';
        keys[i][1] = (uint8_t)('0' + i);
        writes[i] = (tacit_write){keys[i], sizeof keys[i], bytes + i * CHUNK_LEN, CHUNK_LEN};
    }
    tacit_status st = tacit_platform_commit(p, writes, CHUNK_COUNT);
    if (st != TACIT_OK) return st;
    l->record = *next;
    if (p->counter_read == NULL || p->counter_raise == NULL) return TACIT_OK;
    st = p->counter_raise(p->self, next->counter);
    return st == TACIT_OK || !must_raise ? TACIT_OK : TACIT_STORAGE;
}

/* OK, NOT_FOUND (no header value), CORRUPT (unreadable or not ours), STORAGE. */
static tacit_status read_record(tacit_ledger *l, tacit_ledger_record *record) {
    uint8_t bytes[RECORD_LEN], mac[TACIT_HASH_LEN], key[2] = {'l', '0'};
    for (size_t i = 0; i < CHUNK_COUNT; i++) {
        size_t len;
        key[1] = (uint8_t)('0' + i);
        tacit_status st = tacit_platform_get(l->platform, bytes + i * CHUNK_LEN, CHUNK_LEN, &len,
                                             key, sizeof key);
        if (st == TACIT_NOT_FOUND && i == 0) return st;
        if (st == TACIT_STORAGE) return st;
        if (st != TACIT_OK || len != CHUNK_LEN) return TACIT_CORRUPT;
    }
    if (record_mac(l, mac, bytes) != TACIT_OK) {
        l->sealed = true;
        return TACIT_CORRUPT;
    }
    bool ours = tacit_equal(mac, bytes + MAC_AT, sizeof mac);
    return ours && decode(record, bytes) ? TACIT_OK : TACIT_CORRUPT;
}

/* ---- Periods and epochs -----------------------------------------------------------------------*/

bool tacit_ledger_policy_check(double epsilon, double delta, uint64_t period_s, double max_delta) {
    return epsilon > 0 && epsilon <= 100 && delta <= max_delta &&
           delta > 2 * TACIT_PROTOCOL_DELTA && period_s >= TACIT_LEDGER_MIN_PERIOD_S &&
           period_s <= UINT64_C(1) << 40;
}

double tacit_ledger_caps_delta(const tacit_ledger_record *r) {
    return r->delta - TACIT_PROTOCOL_DELTA;
}

static void begin_period(tacit_ledger_record *r, const tacit_ledger *l, uint64_t start_s) {
    r->period_start_s = start_s;
    r->epsilon = l->epsilon;
    r->delta = l->delta;
    r->period_s = l->period_s;
    r->losses = r->period_charges = 0;
    memset(r->period, 0, sizeof r->period);
    memset(r->replace, 0, sizeof r->replace);
}

/* Moves to the period that holds now_s; a clock that went back changes nothing. */
static void roll(tacit_ledger_record *r, const tacit_ledger *l, uint64_t now_s) {
    if (r->period_s == 0) return; /* no period was begun */
    if (now_s < r->period_start_s || now_s - r->period_start_s < r->period_s) return;
    uint64_t passed = (now_s - r->period_start_s) / r->period_s * r->period_s;
    begin_period(r, l, r->period_start_s + passed);
}

/* Takes note of a verified certificate's epoch; a newer one ends an exhaustion. */
static void note_epoch(tacit_ledger_record *r, const tacit_ledger *l, uint32_t epoch,
                       uint64_t now_s) {
    bool newer = r->epoch_known && epoch > r->epoch;
    if (newer && r->exhausted) {
        r->exhausted = false;
        begin_period(r, l, now_s);
    }
    if (newer || !r->epoch_known) r->epoch = epoch;
    r->epoch_known = true;
}

/* What the store and the keystore said at open. */
typedef struct {
    tacit_status read; /* OK, NOT_FOUND or CORRUPT */
    bool counts;       /* the platform has a counter */
    uint64_t counter;
} findings;

/* The record to go on with, from the one that was read. */
static void judge(tacit_ledger *l, tacit_ledger_record *next, const findings *f,
                  const uint32_t *epoch, uint64_t now_s) {
    bool first =
        f->read == TACIT_NOT_FOUND && !l->sealed && (f->counts ? f->counter == 0 : epoch == NULL);
    bool kept =
        f->read == TACIT_OK && !l->sealed && tacit_ledger_check_counter(next->counter, f->counter);
    if (f->read != TACIT_OK) begin_period(next, l, now_s);
    if (!first && !kept) {
        next->exhausted = true;
        next->consent = false;
        /* The epoch at hand is one that the lost ledger may have seen. */
        if (epoch != NULL && !(next->epoch_known && next->epoch > *epoch)) {
            next->epoch = *epoch;
            next->epoch_known = true;
        }
    }
    if (epoch != NULL) note_epoch(next, l, *epoch, now_s);
    if (next->unsettled) {
        next->unsettled = false;
        next->losses++;
    }
    roll(next, l, now_s);
}

tacit_status tacit_ledger_open(tacit_ledger *l, const tacit_platform *platform,
                               const tacit_options *options, const uint32_t *epoch,
                               uint64_t now_s) {
    memset(l, 0, sizeof *l);
    l->platform = platform;
    l->epsilon = options->epsilon;
    l->delta = options->delta;
    l->period_s = options->period_s;

    findings f = {TACIT_OK, platform->counter_read != NULL && platform->counter_raise != NULL, 0};
    if (f.counts && platform->counter_read(platform->self, &f.counter) != TACIT_OK) {
        l->sealed = true;
    }
    tacit_ledger_record next;
    memset(&next, 0, sizeof next);
    f.read = read_record(l, &next);
    if (f.read == TACIT_STORAGE) return f.read;
    if (f.read != TACIT_OK) memset(&next, 0, sizeof next);
    l->record = next;
    judge(l, &next, &f, epoch, now_s);
    bool same = f.read == TACIT_OK && next.counter >= f.counter &&
                /* Both were zeroed whole, so padding agrees; if it did not, one commit more.
                 * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
                memcmp(&next, &l->record, sizeof next) == 0;
    if (next.counter < f.counter) next.counter = f.counter;
    l->record.counter = next.counter; /* the next commit is above both */
    if (l->sealed || same) {
        l->record = next;
        /* Stopped between commit and raise? Nothing rests on this one: every commit raises. */
        if (!l->sealed && f.counts && f.counter < next.counter) {
            (void)platform->counter_raise(platform->self, next.counter);
        }
        return TACIT_OK;
    }
    tacit_status st = commit(l, &next, false);
    if (st == TACIT_OK || !l->sealed) return st;
    l->record = next; /* the keystore failed: budget and journal stay shut, the rest works */
    return TACIT_OK;
}

tacit_status tacit_ledger_consent(tacit_ledger *l, bool consent) {
    tacit_ledger_record next = l->record;
    if (next.consent == consent) return TACIT_OK;
    next.consent = consent;
    if (!consent) l->record.consent = false; /* at once, even if the store fails now */
    return commit(l, &next, true);
}

/* ---- The filter -------------------------------------------------------------------------------*/

/* Adds one curve, rounding up and saturating. */
static void add_curve(uint64_t sums[static TACIT_ORDER_COUNT],
                      const double rdp[static TACIT_ORDER_COUNT]) {
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) {
        double units = ceil(rdp[i] * TACIT_LEDGER_UNIT);
        uint64_t add = units < 9e18 ? (uint64_t)units : UINT64_MAX; /* NaN: all of it */
        sums[i] = add > UINT64_MAX - sums[i] ? UINT64_MAX : sums[i] + add;
    }
}

static tacit_status add_plan(tacit_ledger_record *r, const tacit_plan *plan) {
    tacit_mechanism m;
    if (tacit_plan_mechanism(&m, plan) != TACIT_OK) return TACIT_BAD_PLAN;
    double one[TACIT_ORDER_COUNT] = {0}, two[TACIT_ORDER_COUNT] = {0};
    tacit_mechanism_charge(one, &m, 1);
    tacit_mechanism_charge(two, &m, 2);
    add_curve(r->period, one);
    add_curve(r->replace, two);
    add_curve(r->ever, one);
    return TACIT_OK;
}

/* What no plan can change. */
static tacit_status check_standing(const tacit_ledger_record *r) {
    if (r->exhausted) return TACIT_BUDGET_SPENT;
    return tacit_ledger_check_losses(r) ? TACIT_OK : TACIT_PAUSED;
}

/* The budget part of a check; `next` receives the record after the charge. */
static tacit_status try_charge(tacit_ledger_record *next, const tacit_plan *plan) {
    if (next->period_charges >= TACIT_LEDGER_MAX_CHARGES) return TACIT_BUDGET_SPENT;
    tacit_status st = add_plan(next, plan);
    if (st != TACIT_OK) return st;
    return tacit_ledger_check_caps(next) ? TACIT_OK : TACIT_BUDGET_SPENT;
}

tacit_status tacit_ledger_check(const tacit_ledger *l, const tacit_plan *plan,
                                const tacit_floors *floors, uint64_t now_s) {
    tacit_ledger_record next = l->record;
    if (!next.consent) return TACIT_NO_CONSENT;
    roll(&next, l, now_s);
    tacit_status st = check_standing(&next);
    if (st != TACIT_OK) return st;
    if (!tacit_ledger_check_round(plan->round, next.highest_round)) return TACIT_ROUND_USED;
    if (!tacit_ledger_check_separation(&next, plan, floors, now_s)) return TACIT_TOO_SOON;
    return try_charge(&next, plan);
}

tacit_status tacit_ledger_join(tacit_ledger *l, const tacit_plan *plan, const tacit_floors *floors,
                               uint64_t now_s) {
    tacit_status st = tacit_ledger_check(l, plan, floors, now_s);
    if (st != TACIT_OK) return st;
    tacit_ledger_record next = l->record;
    roll(&next, l, now_s);
    next.highest_round = plan->round;
    next.rounds_joined++;
    return commit(l, &next, true);
}

tacit_status tacit_ledger_charge(tacit_ledger *l, const tacit_plan *plan, uint64_t now_s) {
    tacit_ledger_record next = l->record;
    if (!next.consent) return TACIT_NO_CONSENT;
    if (plan->round != next.highest_round ||
        !tacit_ledger_check_round(plan->round, next.charged_round)) {
        return TACIT_ROUND_USED;
    }
    roll(&next, l, now_s);
    tacit_status st = check_standing(&next);
    if (st == TACIT_OK) st = try_charge(&next, plan);
    if (st != TACIT_OK) return st;
    next.charged_round = plan->round;
    next.run_charges =
        plan->run == next.last_run && next.rounds_charged > 0 ? next.run_charges + 1 : 1;
    next.last_run = plan->run;
    next.last_s = now_s;
    next.period_charges++;
    next.rounds_charged++;
    next.unsettled = true;
    return commit(l, &next, true);
}

tacit_status tacit_ledger_settle(tacit_ledger *l, bool lost) {
    tacit_ledger_record next = l->record;
    if (!next.unsettled) return TACIT_OK;
    next.unsettled = false;
    if (lost) next.losses++;
    return commit(l, &next, true);
}

/* ---- What a person sees -----------------------------------------------------------------------*/

static double spent(const uint64_t sums[static TACIT_ORDER_COUNT], double delta) {
    double rdp[TACIT_ORDER_COUNT];
    for (size_t i = 0; i < TACIT_ORDER_COUNT; i++) rdp[i] = (double)sums[i] / TACIT_LEDGER_UNIT;
    return tacit_grid_epsilon(rdp, delta, NULL);
}

void tacit_ledger_status(const tacit_ledger *l, tacit_privacy *out, uint64_t now_s) {
    tacit_ledger_record r = l->record;
    roll(&r, l, now_s);
    double delta = tacit_ledger_caps_delta(&r);
    memset(out, 0, sizeof *out);
    out->consent = r.consent;
    out->paused = !tacit_ledger_check_losses(&r);
    out->epsilon_budget = r.epsilon;
    out->delta = r.delta;
    out->epsilon_spent = spent(r.period, delta);
    out->epsilon_spent_replace = spent(r.replace, delta);
    out->epsilon_spent_ever = spent(r.ever, delta);
    if (r.exhausted) { /* what was spent is not known: all of it */
        out->epsilon_spent = fmax(out->epsilon_spent, r.epsilon);
        out->epsilon_spent_replace = fmax(out->epsilon_spent_replace, r.epsilon);
        out->epsilon_spent_ever = fmax(out->epsilon_spent_ever, r.epsilon);
    }
    out->period_start_s = r.period_start_s;
    out->period_s = r.period_s;
    out->rounds_joined = r.rounds_joined;
    out->rounds_charged = r.rounds_charged;
    out->highest_round = r.highest_round;
    out->losses = r.losses;
}
