/* SPDX-License-Identifier: Apache-2.0
 * files.h - temporary folders and captured text for tests of file readers. */
#ifndef TACIT_TESTS_FILES_H
#define TACIT_TESTS_FILES_H

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES_PATH = 512 };

/* A fresh folder under TMPDIR or /tmp. */
static inline void files_folder(char path[FILES_PATH]) {
    const char *base = getenv("TMPDIR");
    snprintf(path, FILES_PATH, "%s/tacit-test-XXXXXX", base && base[0] ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline void files_path(char path[FILES_PATH], const char *folder, const char *name) {
    assert_true(snprintf(path, FILES_PATH, "%s/%s", folder, name) < FILES_PATH);
}

static inline void files_write(const char *folder, const char *name, const void *data, size_t len) {
    char path[FILES_PATH];
    files_path(path, folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline void files_text(const char *folder, const char *name, const char *text) {
    files_write(folder, name, text, strlen(text));
}

/* From now on writes beyond this many bytes of a file fail with EFBIG, as they do on a full disk;
 * RLIM_INFINITY ends it. */
static inline void files_limit(rlim_t bytes) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Removes a folder of plain files. */
static inline void files_remove(const char *folder) {
    DIR *d = opendir(folder);
    if (d == NULL) return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[FILES_PATH + 256];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(folder);
}

/* A FILE that writes into memory; files_captured closes it and gives the text (free it). */
typedef struct {
    FILE *file;
    char *text;
    size_t len;
} files_capture;

static inline files_capture *files_listen(void) {
    files_capture *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->file = open_memstream(&c->text, &c->len);
    assert_non_null(c->file);
    return c;
}

static inline char *files_captured(files_capture *c) {
    assert_int_equal(fclose(c->file), 0);
    char *text = c->text;
    free(c);
    return text;
}

#endif
