/* SPDX-License-Identifier: Apache-2.0
 * client_model.c - the model slot: staged, verified, committed, loaded. A file is looked at in full
 * under the pinned key before it may replace another, and again each time it is mapped. It refuses
 * models that do not fit the workspace and models older than the one at hand. */
#include "firmware/client.h"

#include "common/crypto.h"

size_t tacit_client_model_max(const tacit_options *o) {
    uint32_t k = o->max_factor < TACIT_MAX_FACTOR ? o->max_factor : TACIT_MAX_FACTOR;
    return tacit_model_len(o->max_items, k, o->max_factor - k);
}

/* Opens a file and checks that it fits this device. */
static tacit_status open_model(const tacit *t, tacit_model *model, const uint8_t *data,
                               size_t len) {
    if (((uintptr_t)data & 7) != 0) return TACIT_STORAGE;
    tacit_status st = tacit_model_open(model, NULL, data, len, t->options.model_key);
    if (st != TACIT_OK) return st;
    bool fits = model->item_count <= t->options.max_items &&
                model->factor + model->features <= t->options.max_factor;
    return fits ? TACIT_OK : TACIT_NO_SPACE;
}

static tacit_status map_model(const tacit *t, tacit_model *model) {
    const uint8_t *data;
    size_t len;
    tacit_status st = t->platform.model_map(t->platform.self, &data, &len);
    if (st != TACIT_OK) return st == TACIT_NOT_FOUND ? st : TACIT_STORAGE;
    return open_model(t, model, data, len);
}

tacit_status tacit_model_load(tacit *t) {
    tacit_participation_leave(&t->participation); /* its statistics belong to the old model */
    t->loaded = false;
    tacit_status st = map_model(t, &t->model);
    if (st == TACIT_OK) st = tacit_factor_begin(&t->final, &t->model, true);
    if (st == TACIT_OK && t->options.max_dims > 0) {
        st = tacit_factor_begin(&t->training, &t->model, false);
    }
    if (st != TACIT_OK) {
        t->final.model = t->training.model = NULL;
        tacit_history_index(&t->history, NULL);
        return st;
    }
    t->loaded = true;
    tacit_history_index(&t->history, &t->model);
    tacit_client_solve(t);
    return TACIT_OK;
}

tacit_status tacit_client_adopt(tacit *t, const uint8_t *digest) {
    const tacit_platform *p = &t->platform;
    tacit_model staged, current;
    const uint8_t *data;
    size_t len;
    if (p->model_staged(p->self, &data, &len) != TACIT_OK) return TACIT_STORAGE;
    tacit_status st = open_model(t, &staged, data, len);
    if (st != TACIT_OK) return st;
    if (digest != NULL && !tacit_equal(staged.digest, digest, TACIT_HASH_LEN)) {
        return TACIT_BAD_MODEL;
    }
    /* A committed file that no longer opens is no reason to keep it. */
    if (map_model(t, &current) == TACIT_OK && staged.number < current.number) {
        return TACIT_BAD_MODEL;
    }
    t->loaded = false;
    if (p->model_commit(p->self) != TACIT_OK) {
        (void)!tacit_model_load(t); /* the old one, if it is still there */
        return TACIT_STORAGE;
    }
    return tacit_model_load(t);
}

tacit_status tacit_model_install(tacit *t, const uint8_t *file, size_t len) {
    if (len > tacit_client_model_max(&t->options)) return TACIT_NO_SPACE;
    if (t->platform.model_write(t->platform.self, 0, file, len) != TACIT_OK) return TACIT_STORAGE;
    return tacit_client_adopt(t, NULL);
}
