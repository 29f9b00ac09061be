/* SPDX-License-Identifier: Apache-2.0
 * service_model.c - model files in memory: the few that devices ask for, each once, however many
 * download it at the same time. Files are immutable, so there is nothing to refresh. */
#include <stdio.h>
#include <stdlib.h>

#include "server/service_internal.h"

static void drop(model_file *m) {
    free(m->file);
    free(m);
}

/* Forgets the oldest files nobody is downloading, down to SERVICE_MODELS. */
static void trim(service *s) {
    uint32_t kept = 0;
    for (model_file **at = &s->models; *at != NULL;) {
        model_file *m = *at;
        if (kept >= SERVICE_MODELS && m->users == 0) {
            *at = m->next;
            drop(m);
        } else {
            kept++;
            at = &m->next;
        }
    }
}

static void to_front(service *s, model_file *m) {
    model_file **at = &s->models;
    while (*at != m) at = &(*at)->next;
    *at = m->next;
    m->next = s->models;
    s->models = m;
}

tacit_status model_get(service *s, model_file **out, const uint8_t digest[static TACIT_HASH_LEN]) {
    for (model_file *m = s->models; m != NULL; m = m->next) {
        if (memcmp(m->digest, digest, TACIT_HASH_LEN) != 0) continue;
        to_front(s, m);
        m->users++;
        *out = m;
        return TACIT_OK;
    }
    model_file *m = calloc(1, sizeof *m);
    if (m == NULL) return TACIT_NO_SPACE;
    tacit_status st = s->host.model_file(s->host.self, &m->file, &m->len, digest);
    if (st != TACIT_OK) {
        free(m);
        return st;
    }
    memcpy(m->digest, digest, TACIT_HASH_LEN);
    m->etag[0] = '"';
    for (size_t i = 0; i < TACIT_HASH_LEN; i++)
        snprintf(m->etag + 1 + 2 * i, 3, "%02x", (unsigned)digest[i]);
    m->etag[1 + 2 * TACIT_HASH_LEN] = '"';
    m->users = 1;
    m->next = s->models;
    s->models = m;
    trim(s);
    *out = m;
    return TACIT_OK;
}

void model_put(service *s, model_file *m) {
    m->users--;
    trim(s);
}

void model_free_all(service *s) {
    while (s->models != NULL) {
        model_file *m = s->models;
        s->models = m->next;
        drop(m);
    }
}
