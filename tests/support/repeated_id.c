/* SPDX-License-Identifier: Apache-2.0
 * repeated_id.c - see repeated_id.h. Devices that happen to be neighbours of both seats see the one
 * device key twice and leave; at .02/.05 that is a few of 513, and 25 may. */
#include "tests/support/repeated_id.h"

#include "common/mask.h"

enum { N = 513, COLLUDER = 1, SECOND = N - 1, MAY_LEAVE = 25 };

/* The next (or last) id in the order of byte strings. */
static void step_id(uint8_t *id, bool up) {
    for (int at = TACIT_HASH_LEN - 1; at >= 0; at--) {
        id[at] = (uint8_t)(id[at] + (up ? 1 : -1));
        if (id[at] != (up ? 0 : UINT8_MAX)) return;
    }
}

/* Seats `first` and first + 1 have one id; hides it in the list of this answer where it can. */
static void forge_list(attack_messages *m, uint32_t first) {
    bool second_shown = false;
    for (uint32_t i = 1; i < m->count; i++)
        second_shown |= m->items[i].which_body == tacit_Message_roster_entry_tag &&
                        m->items[i].body.roster_entry.index == first + 1;
    uint32_t seat = second_shown ? first : first + 1;
    uint8_t *ids = m->items[1 + seat / TACIT_IDS_PER_MESSAGE].body.roster_ids.ids.bytes;
    step_id(ids + (size_t)(seat % TACIT_IDS_PER_MESSAGE) * TACIT_HASH_LEN, !second_shown);
}

static tacit_status tell_roster(rogue_server *r, uint32_t seat, uint32_t first, bool forge) {
    attack_messages m = {0};
    uint32_t at;
    attack_roster_answer(&r->roster, &m, &r->f, r->devices[seat]);
    attack_session(&r->f, r->session, &m.items[0].body.roster);
    if (forge) forge_list(&m, first);
    tacit_status st = attack_deliver(r->devices[seat], &m, r->f.now_s, &at);
    attack_messages_free(&m);
    return st;
}

/* The attacker speaks for this seat itself. */
static void take_seat(rogue_server *r, uint32_t seat) {
    uint8_t sk[TACIT_KEY_LEN], image[TACIT_KEY_LEN];
    tacit_mask_secret_key(sk, r->f.devices[COLLUDER].draws[0]);
    tacit_x25519_public(image, sk);
    bool its_own = memcmp(image, r->roster.joins[seat].mask_key, sizeof image) == 0;
    r->own[seat] = &r->f.devices[its_own ? COLLUDER : SECOND];
    r->devices[seat] = NULL;
}

/* Seats the colluder twice, side by side; the first of the two. */
static uint32_t seat_twice(rogue_server *r) {
    tacit_cert cert;
    const federation_device *colluder = &r->f.devices[COLLUDER];
    rogue_seat(r, N);
    if (tacit_cert_decode(&cert, colluder->certificate) != TACIT_OK) return 0;
    rogue_certify(r, SECOND, &cert, r->f.authority_secret, colluder->device_secret);
    rogue_settle(r);
    uint32_t first = rogue_seat_of(r, colluder);
    take_seat(r, first);
    take_seat(r, first + 1);
    return first;
}

bool repeated_id_sums_too_few(bool forge_lists, const char **why) {
    rogue_server r;
    uint8_t u2[TACIT_MAX_BITMAP_LEN] = {0}, summed[TACIT_MAX_BITMAP_LEN] = {0};
    rogue_init(&r, &(federation_spec){
                       .device_count = N, .max_colluding = 50, .max_dropout = 50, .seed = 30});
    uint32_t first = seat_twice(&r), left = 0, live = 2, n_min = N - N * 50 / 1000;
    tacit_status refused = TACIT_OK, st = TACIT_OK;
    for (uint32_t i = 0; i < N && left <= MAY_LEAVE; i++) {
        if (r.devices[i] == NULL) continue;
        tacit_status said = tell_roster(&r, i, first, forge_lists);
        if (said == TACIT_OK) said = rogue_take_shares(&r, i);
        if (said == TACIT_OK) continue;
        if (left++ == 0) refused = said;
        r.devices[i] = NULL;
    }
    *why = tacit_status_name(refused);
    tacit_bit_set(u2, first);
    tacit_bit_set(u2, first + 1);
    for (uint32_t i = 0; i < N; i++) {
        if (r.devices[i] == NULL) continue;
        if (live == n_min) r.devices[i] = NULL; /* as many as n_min asks for */
        if (live < n_min) tacit_bit_set(u2, i);
        if (live < n_min) tacit_bit_set(summed, i);
        live += live < n_min;
    }
    for (uint32_t i = 0; i < N && left <= MAY_LEAVE && st == TACIT_OK; i++)
        if (r.devices[i] != NULL) st = rogue_tell_u2(&r, i, u2);
    bool won = left <= MAY_LEAVE && st == TACIT_OK && rogue_all_masked(&r) == TACIT_OK &&
               rogue_all_reveal(&r, u2) == TACIT_OK && tacit_bitmap_count(summed, N) + 1 < n_min &&
               rogue_sums(&r, summed);
    rogue_free(&r);
    return won;
}
