/* SPDX-License-Identifier: Apache-2.0
 * lossy_disk.h - what would be left on a disk if the power went now: of a watched folder and those
 * in it, only names and bytes that were synced. The program that includes it has its own fsync,
 * fdatasync and pwrite, which the C library's callers (LMDB, the POSIX port) find first.
 *
 * A file's bytes are safe as of its last fsync or fdatasync, or when written through a descriptor
 * opened with O_DSYNC (LMDB's meta page); a folder's names as of its last fsync. Everything else
 * counts as lost, which is the worst that a cut can do to writes that were not ordered; what a
 * killed process leaves (all of it) is the folder itself. Memory-mapped writing (msync) is not
 * followed: a store that relied on it would count as lost.
 *
 * Nothing is synced in earnest. One file of a program includes it; not thread-safe. */
#ifndef TACIT_TESTS_LOSSY_DISK_H
#define TACIT_TESTS_LOSSY_DISK_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOSSY_FOLDERS = 8, LOSSY_NAMES = 16, LOSSY_FILES = 128 };

typedef struct {
    ino_t inode;
    uint8_t *data; /* as synced */
    size_t len;
} lossy_file;

typedef struct {
    ino_t inode;
    struct {
        char name[32];
        ino_t inode;
        bool is_folder;
    } names[LOSSY_NAMES]; /* as synced */
    size_t count;
} lossy_folder;

static struct {
    lossy_folder folders[LOSSY_FOLDERS];
    lossy_file files[LOSSY_FILES];
    size_t folder_count, file_count;
    void (*step)(void); /* called before and after each sync; NULL: none */
} lossy;

/* abort: scaffolding that cannot go on. */
static void lossy_need(bool ok) {
    if (!ok) abort();
}

static lossy_file *lossy_file_of(ino_t inode) {
    for (size_t i = 0; i < lossy.file_count; i++) {
        if (lossy.files[i].inode == inode) return &lossy.files[i];
    }
    lossy_need(lossy.file_count < LOSSY_FILES);
    lossy_file *f = &lossy.files[lossy.file_count++];
    *f = (lossy_file){.inode = inode};
    return f;
}

/* fd: readable. */
static void lossy_take_file(int fd, const struct stat *info) {
    lossy_file *f = lossy_file_of(info->st_ino);
    free(f->data);
    f->len = (size_t)info->st_size;
    f->data = malloc(f->len + 1);
    lossy_need(f->data != NULL && pread(fd, f->data, f->len, 0) == (ssize_t)f->len);
}

static lossy_folder *lossy_folder_of(ino_t inode) {
    for (size_t i = 0; i < lossy.folder_count; i++) {
        if (lossy.folders[i].inode == inode) return &lossy.folders[i];
    }
    return NULL;
}

/* A folder that is not known is new: made since the watch began. */
static void lossy_take_names(int fd, ino_t inode) {
    lossy_folder *folder = lossy_folder_of(inode);
    if (folder == NULL) {
        lossy_need(lossy.folder_count < LOSSY_FOLDERS);
        folder = &lossy.folders[lossy.folder_count++];
        folder->inode = inode;
    }
    DIR *d = fdopendir(dup(fd));
    lossy_need(d != NULL);
    rewinddir(d);
    folder->count = 0;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] == '.') continue;
        lossy_need(folder->count < LOSSY_NAMES);
        snprintf(folder->names[folder->count].name, 32, "%.31s", e->d_name);
        folder->names[folder->count].is_folder = e->d_type == DT_DIR;
        folder->names[folder->count++].inode = e->d_ino;
    }
    closedir(d);
}

/* What is behind fd now is safe. */
static void lossy_synced(int fd) {
    char path[32];
    struct stat info;
    if (lossy.folder_count == 0) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC); /* fd itself may be for writing only */
    lossy_need(again >= 0 && fstat(again, &info) == 0);
    if (S_ISREG(info.st_mode)) lossy_take_file(again, &info);
    if (S_ISDIR(info.st_mode)) lossy_take_names(again, info.st_ino);
    close(again);
}

static void lossy_step(void) {
    if (lossy.step != NULL) lossy.step();
}

#define LOSSY_EXPORT __attribute__((visibility("default")))

LOSSY_EXPORT int fsync(int fd) {
    lossy_step();
    lossy_synced(fd);
    lossy_step();
    return 0;
}

LOSSY_EXPORT int fdatasync(int fd) { return fsync(fd); }

LOSSY_EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    struct stat info;
    bool safe = lossy.folder_count > 0 && (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    if (safe) lossy_step();
    ssize_t n = syscall(SYS_pwrite64, fd, data, len, offset);
    if (!safe || n <= 0) return n;
    lossy_need(fstat(fd, &info) == 0);
    lossy_file *f = lossy_file_of(info.st_ino);
    size_t end = (size_t)offset + (size_t)n;
    if (end > f->len) {
        f->data = realloc(f->data, end);
        lossy_need(f->data != NULL);
        memset(f->data + f->len, 0, end - f->len);
        f->len = end;
    }
    memcpy(f->data + offset, data, (size_t)n);
    lossy_step();
    return n;
}

/* From now on the folder and what is in it are watched; what they hold is safe. */
static void lossy_watch(const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    lossy_need(fd >= 0 && fstat(fd, &info) == 0);
    if (S_ISDIR(info.st_mode)) {
        lossy_take_names(fd, info.st_ino);
        const lossy_folder *folder = lossy_folder_of(info.st_ino);
        for (size_t i = 0; i < folder->count; i++) {
            char inner[512];
            snprintf(inner, sizeof inner, "%s/%s", path, folder->names[i].name);
            lossy_watch(inner);
        }
    } else {
        lossy_take_file(fd, &info);
    }
    close(fd);
}

static void lossy_put_file(const char *path, ino_t inode) {
    const lossy_file *f = lossy_file_of(inode);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    lossy_need(fd >= 0 && write(fd, f->data, f->len) == (ssize_t)f->len);
    close(fd);
}

/* NULL: one that was never synced, of which only the name is there. */
static void lossy_put_folder(const char *path, const lossy_folder *folder) {
    lossy_need(mkdir(path, 0700) == 0);
    for (size_t i = 0; folder != NULL && i < folder->count; i++) {
        char inner[512];
        ino_t inode = folder->names[i].inode;
        snprintf(inner, sizeof inner, "%s/%s", path, folder->names[i].name);
        if (folder->names[i].is_folder) {
            lossy_put_folder(inner, lossy_folder_of(inode));
        } else {
            lossy_put_file(inner, inode);
        }
    }
}

/* Makes `path` as the watched folder would be found after a cut now. */
static void lossy_cut(const char *path) { lossy_put_folder(path, &lossy.folders[0]); }

/* Forgets all folders. */
static void lossy_end(void) {
    for (size_t i = 0; i < lossy.file_count; i++) free(lossy.files[i].data);
    memset(&lossy, 0, sizeof lossy);
}

#endif
