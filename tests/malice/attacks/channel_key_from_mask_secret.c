/* SPDX-License-Identifier: Apache-2.0
 * channel_key_from_mask_secret.c - a curious server and one late vector. It says that a device
 * dropped out, though its vector is there; so the others rightly reveal the shares of its s, and s
 * is rebuilt. If the channel key c could be had from s, the server would open the boxes with the
 * shares of b, which it has kept, and read the vector in clear. */
#include "common/mask.h"
#include "tests/malice/malice.h"
#include "tests/support/rogue_server.h"

enum { N = 9 };

/* Ways a careless device might get c from s. True when one gives the victim's channel key. */
static bool guess_channel_secret(uint8_t c[TACIT_KEY_LEN], const rogue_server *r, uint32_t victim,
                                 const uint8_t *s) {
    uint8_t image[TACIT_KEY_LEN];
    for (int way = 0; way < 4; way++) {
        memset(c, 0, TACIT_KEY_LEN);
        if (way == 0) memcpy(c, s, TACIT_SECRET_LEN);
        if (way == 1) tacit_mask_secret_key(c, s);
        if (way == 2) tacit_mask_commit(c, s);
        if (way == 3) tacit_hash_of(c, TACIT_LABEL_BODY, s, TACIT_SECRET_LEN);
        tacit_x25519_public(image, c);
        if (memcmp(image, r->roster.joins[victim].channel_key, sizeof image) == 0) return true;
    }
    return false;
}

static bool wins(const char **why) {
    rogue_server r;
    uint8_t u2[TACIT_MAX_BITMAP_LEN], u3[TACIT_MAX_BITMAP_LEN];
    uint8_t s[TACIT_SECRET_LEN], c[TACIT_KEY_LEN];
    rogue_init(&r, &(federation_spec){.device_count = N, .max_dropout = 200, .seed = 11});
    rogue_seat(&r, N);
    rogue_settle(&r);
    uint32_t victim = rogue_seat_of(&r, &r.f.devices[0]);
    rogue_everyone(&r, u2);
    rogue_everyone(&r, u3);
    rogue_without(u3, victim);
    tacit_status st = rogue_all_shared(&r, u2);
    if (st == TACIT_OK) st = rogue_all_masked(&r);
    if (st == TACIT_OK) st = rogue_all_reveal(&r, u3);
    *why = tacit_status_name(st);
    if (st == TACIT_OK && rogue_rebuild(&r, s, victim, TACIT_KIND_S)) {
        *why = "s was rebuilt, as it should be, and says nothing about c";
        if (guess_channel_secret(c, &r, victim, s))
            for (uint32_t i = 0; i < N; i++) rogue_open(&r, victim, i, victim, c);
    }
    bool won = rogue_reads_with_both(&r, victim);
    rogue_free(&r);
    return won;
}

const malice_attack malice_channel_key_from_mask_secret = {
    .finding = "C1",
    .attack = "the server calls a late device dropped, rebuilds its s and gets at its channel key",
    .check = "tacit_secagg_draw_secrets",
    .wins = wins,
};
