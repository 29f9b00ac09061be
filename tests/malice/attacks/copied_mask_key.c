/* SPDX-License-Identifier: Apache-2.0
 * copied_mask_key.c - a colluder joins with another device's mask key. Copied byte for byte it is
 * noticed, but X25519 ignores the top bit of a key: with that bit set it is another string and the
 * same key. The victim then has the same Diffie-Hellman secret with both, and if its id lies
 * between theirs it adds one mask and subtracts the other. Made from that secret and the session
 * alone the masks are equal and cancel; here, in the smallest cohort, nothing but the self mask is
 * left, and that the server opens in every round. Ids and key bytes are in the mask's key, so the
 * two masks differ. */
#include "common/mask.h"
#include "common/ring.h"
#include "firmware/secagg_internal.h"
#include "server/rebuild.h"
#include "tests/malice/malice.h"
#include "tests/support/server_attack.h"

enum { N = 3 };

/* Devices in the order of their ids: the copied one, the victim, the colluder. */
static void sort_devices(const federation *f, uint32_t order[static N]) {
    for (uint32_t i = 0; i < N; i++) {
        uint32_t place = 0;
        for (uint32_t j = 0; j < N; j++)
            place += memcmp(f->devices[j].id, f->devices[i].id, TACIT_HASH_LEN) < 0;
        order[place] = i;
    }
}

/* The colluder's join with the key of `copied`; its machine goes on as if it were its own. */
static void join_with_copy(rig *r, uint32_t colluder, const tacit_secagg *copied) {
    rig_request(r, colluder);
    tacit_JoinRequest *m = &r->m.items[0].body.join;
    memcpy(m->mask_key, copied->join.mask_key, TACIT_KEY_LEN);
    m->mask_key[TACIT_KEY_LEN - 1] ^= 0x80;
    rig_sign(r);
    tacit_wire_join_get(&r->d->machine->join, m);
    assert_int_equal(rig_send(r), TACIT_OK);
}

/* The victim's masked vector without its self mask, which the server may rebuild. */
static bool reads_vector(rig *r, const uint8_t *packed, const federation_device *victim) {
    const tacit_plan *plan = &r->f.plan;
    uint8_t b[TACIT_SECRET_LEN], key[TACIT_KEY_LEN];
    uint32_t *words = calloc(plan->dims, sizeof *words), low = (1u << plan->bits) - 1;
    rebuild_count count;
    rebuild *shares;
    assert_non_null(words);
    assert_int_equal(rebuild_new(&shares, r->f.cohort, 0), TACIT_OK);
    assert_int_equal(rebuild_secret(shares, b, &count, rig_index(r, victim), TACIT_KIND_B),
                     TACIT_OK);
    rebuild_free(shares);
    tacit_mask_self_key(key, b, r->f.cohort->session2, victim->id);
    tacit_ring_unpack(words, packed, plan->dims, plan->bits);
    tacit_mask_apply(words, 0, plan->dims, plan->bits, key, true);
    bool equal = true;
    for (uint32_t i = 0; i < plan->dims; i++) equal &= ((words[i] - victim->update[i]) & low) == 0;
    free(words);
    return equal;
}

static bool wins(const char **why) {
    rig r;
    const federation_spec spec = {.device_count = N, .seed = 46};
    uint32_t order[N];
    rig_make(&r, &spec, TACIT_PHASE_JOIN);
    sort_devices(&r.f, order);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(federation_send(&r.f, &r.f.devices[order[i]]), TACIT_OK);
    join_with_copy(&r, order[2], r.f.devices[order[0]].machine);
    rig_finish_until(&r, COHORT_MASK);
    rig_request(&r, order[1]);
    assert_int_equal(rig_send(&r), TACIT_OK); /* the vector stays in r.tail */
    rig_finish_until(&r, COHORT_REVEAL);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(federation_send(&r.f, &r.f.devices[i]), TACIT_OK);
    *why = "the two masks differ and stay on the vector";
    bool won = reads_vector(&r, r.tail.data, &r.f.devices[order[1]]);
    rig_free(&r);
    return won;
}

const malice_attack malice_copied_mask_key = {
    .finding = "H3",
    .attack = "a colluder joins with a neighbour's mask key; two masks of a device cancel",
    .check = "tacit_mask_pair_key",
    .wins = wins,
};
