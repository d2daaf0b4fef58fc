/* SPDX-License-Identifier: MIT */
#include "base/identity.h"
#include "base/platform.h"
#include <limits.h>

void identity_of_stat(struct identity *ret, const struct stat *st)
{
    *ret = (struct identity){.kind = IDENTITY_INODE, .device = st->st_dev, .inode = st->st_ino};
    if (S_ISBLK(st->st_mode))
        *ret = (struct identity){.kind = IDENTITY_DISK, .device = st->st_rdev};
    else if (S_ISCHR(st->st_mode))
        *ret = (struct identity){.kind = IDENTITY_DEVICE, .device = st->st_rdev};
}

int identity_of_fd(struct identity *ret, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    identity_of_stat(ret, &st);
    return 0;
}

void identity_of_new_name(struct identity *ret, const struct stat *st, const char *name)
{
    *ret = (struct identity){.kind = IDENTITY_NAME, .device = st->st_dev, .inode = st->st_ino, .name = name};
}

int identity_of_path(struct identity *ret, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        identity_of_stat(ret, &st);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (errno != ENOENT || !*name || lstat(path, &st) == 0)
        return -errno;
    char directory[PATH_MAX] = ".";
    size_t n = (size_t)(name - path);
    if (n >= sizeof(directory))
        return -ENAMETOOLONG;
    if (n > 0) {
        memcpy(directory, path, n);
        directory[n] = '\0';
    }
    if (stat(directory, &st) < 0)
        return -errno;
    identity_of_new_name(ret, &st, name);
    return 0;
}

bool identity_is_same(const struct identity *a, const struct identity *b)
{
    if (a->kind == IDENTITY_NONE || a->kind != b->kind || a->device != b->device || a->inode != b->inode)
        return false;
    return a->kind != IDENTITY_NAME || strcmp(a->name, b->name) == 0;
}

int identity_is_same_open_file(int a, int b)
{
    struct identity one = {.kind = IDENTITY_NONE}, other = one;
    int r = identity_of_fd(&one, a);
    if (r == 0)
        r = identity_of_fd(&other, b);
    if (r < 0)
        return r;
    if (a == b)
        return 1;
    return identity_is_same(&one, &other) ? platform.is_same_open_file(a, b) : 0;
}
