/* SPDX-License-Identifier: Apache-2.0
 * progress.c - see progress.h. */
#include "tools/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct timespec last_shown; /* tools have one progress line per process */
static bool visible;

void progress_show(const char *label, size_t done, size_t total) {
    struct timespec now;
    if (!isatty(STDERR_FILENO)) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms =
        (now.tv_sec - last_shown.tv_sec) * 1000 + (now.tv_nsec - last_shown.tv_nsec) / 1000000;
    if (visible && ms < 100 && done != total) return;
    last_shown = now;
    visible = true;
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s %zu", label, done);
    } else {
        char bar[31];
        size_t full = done >= total ? 30 : done * 30 / total;
        for (size_t i = 0; i < 30; i++) bar[i] = i < full ? '#' : '.';
        bar[30] = 0;
        fprintf(stderr, "\r\033[K%s [%s] %zu/%zu", label, bar, done, total);
    }
    fflush(stderr);
}

void progress_end(void) {
    if (visible) fputs("\r\033[K", stderr);
    visible = false;
}
