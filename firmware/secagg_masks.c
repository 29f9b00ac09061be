/* SPDX-License-Identifier: Apache-2.0
 * secagg_masks.c - the mask step: self mask, one pair mask towards EVERY neighbour in U2 whether or
 * not its ciphertext came or opened (security H1), keyed with session2 so that two views of U2 do
 * not cancel (H3); then the server's U3. The keys of the masks live for this one call. */
#include "common/mask.h"
#include "common/ring.h"
#include "firmware/secagg_checks.h"

tacit_status tacit_secagg_noise_share(const tacit_secagg *s, uint64_t *variance) {
    if (s->phase == TACIT_PHASE_LEFT) return TACIT_LEFT;
    if (s->phase != TACIT_PHASE_MASK || s->waiting) return TACIT_WRONG_PHASE;
    *variance = tacit_plan_noise_share(&s->params.plan, &s->rule);
    return TACIT_OK;
}

/* The keys of the masks lie where the dealt shares were. */
enum { MASK_ENTRY_LEN = TACIT_KEY_LEN + 1 }; /* key, subtract */
_Static_assert((int)MASK_ENTRY_LEN <= (int)TACIT_SHARE_LEN, "dealt has room for a key a neighbour");

static tacit_status derive_pair_keys(tacit_secagg *s, uint32_t *count) {
    const tacit_plan *plan = &s->params.plan;
    uint8_t secret[TACIT_KEY_LEN], shared[TACIT_KEY_LEN];
    tacit_status st = TACIT_OK;
    tacit_mask_secret_key(secret, s->secrets.s);
    *count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const tacit_secagg_neighbour *v = &s->neighbours[i];
        if (!tacit_secagg_mask_due(s, i)) continue;
        st = tacit_x25519(shared, secret, v->mask_key);
        if (st != TACIT_OK) break;
        uint8_t *entry = s->dealt + (size_t)(*count)++ * MASK_ENTRY_LEN;
        tacit_mask_pair_key(entry, shared, s->session2, s->id, v->id, s->join.mask_key, v->mask_key,
                            plan->bits, plan->dims);
        entry[TACIT_KEY_LEN] = !tacit_mask_adds(s->id, v->id);
    }
    tacit_wipe(secret, sizeof secret);
    tacit_wipe(shared, sizeof shared);
    return st;
}

/* Through all masks range by range: a range stays in the nearest caches however long the vector is.
 */
static void add_masks(const tacit_secagg *s, uint32_t *words, uint32_t count,
                      const uint8_t *self_key) {
    enum { RANGE = 16 * TACIT_MASK_BLOCK };
    const tacit_plan *plan = &s->params.plan;
    for (size_t first = 0; first < plan->dims; first += RANGE) {
        size_t some = plan->dims - first < RANGE ? plan->dims - first : RANGE;
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t *entry = s->dealt + (size_t)i * MASK_ENTRY_LEN;
            tacit_mask_apply(words + first, first, some, plan->bits, entry,
                             entry[TACIT_KEY_LEN] != 0);
        }
        tacit_mask_apply(words + first, first, some, plan->bits, self_key, false);
    }
}

static tacit_status mask(tacit_secagg *s, uint32_t *words) {
    uint8_t self_key[TACIT_KEY_LEN];
    uint32_t count;
    tacit_status st = derive_pair_keys(s, &count);
    if (st == TACIT_OK) {
        tacit_mask_self_key(self_key, s->secrets.b, s->session2, s->id);
        add_masks(s, words, count, self_key);
        tacit_wipe(self_key, sizeof self_key);
    }
    tacit_wipe(s->dealt, (size_t)s->count * MASK_ENTRY_LEN);
    tacit_wipe(&s->secrets, sizeof s->secrets); /* shares of them live on at the neighbours only */
    return st;
}

tacit_status tacit_secagg_mask(tacit_secagg *s, uint32_t *words, uint8_t *packed, tacit_sink *out) {
    const tacit_plan *plan = &s->params.plan;
    tacit_status st = tacit_secagg_begin(s, TACIT_PHASE_MASK);
    if (st != TACIT_OK) return st;
    st = mask(s, words);
    if (st != TACIT_OK) return tacit_secagg_fail(s, st);

    size_t len = tacit_ring_packed_len(plan->dims, plan->bits);
    tacit_ring_pack(packed, words, plan->dims, plan->bits);
    tacit_secagg_message(s, tacit_Message_mask_tag);
    tacit_MaskRequest *m = &s->message.body.mask;
    m->index = s->index;
    m->vector_len = (uint32_t)len;
    tacit_hash_of(m->vector_digest, TACIT_LABEL_VECTOR, packed, len);
    st = tacit_secagg_sign(s, m->signature, TACIT_LABEL_MASK, s->session2, m->vector_digest);
    if (st == TACIT_OK) st = tacit_wire_write(&s->message, out);
    if (st == TACIT_OK) st = out->write(out->self, packed, len);
    return tacit_secagg_sent(s, st);
}

/* U3: the server's signature first, then the same rules as U2, and nobody new. */
tacit_status tacit_secagg_take_survivors(tacit_secagg *s) {
    const tacit_MaskAnswer *m = &s->message.body.mask_answer;
    uint32_t n = s->rule.n;
    if (s->want != SECAGG_WANT_HEADER || s->message.which_body != tacit_Message_mask_answer_tag)
        return TACIT_BAD_MESSAGE;
    if (m->u3.size != tacit_bitmap_len(n)) return TACIT_BAD_BITMAP;
    tacit_bitmap_digest(s->u3_digest, m->u3.bytes, n);
    tacit_status st =
        tacit_secagg_verify(s, m->signature, TACIT_LABEL_MASK_ANSWER, s->session2, s->u3_digest);
    if (st != TACIT_OK) return st;
    if (!tacit_secagg_check_subset(m->u3.bytes, s->u2, n)) return TACIT_BAD_BITMAP;
    st = tacit_secagg_bitmap_check(s, m->u3.bytes, m->u3.size);
    if (st != TACIT_OK) return st;
    memcpy(s->u3, m->u3.bytes, m->u3.size);
    s->want = SECAGG_WANT_END;
    return TACIT_OK;
}
