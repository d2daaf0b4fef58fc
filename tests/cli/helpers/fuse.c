/* SPDX-License-Identifier: MIT */
/* A file system in memory that misbehaves: `flush` is what close(2) calls, and says ENOSPC while a file "broken" is
 * there; a file called "stream" can't seek; owners can't be changed, nor modes while a file "fixed" is there. While
 * there is a file of the name that FUSE_HELD has, elsewhere, a read of the file "slow" makes one called so with ".read"
 * behind it, and waits. FOLDER -f -s */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES 32

static struct entry {
    char name[256];
    char *bytes;
    size_t size;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec times[2];
} files[FILES];

static struct entry *find(const char *path)
{
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0] && strcmp(files[i].name, path + 1) == 0)
            return &files[i];
    return NULL;
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
    (void)info;
    memset(st, 0, sizeof(*st));
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0777;
        st->st_nlink = 2;
        return 0;
    }
    const struct entry *e = find(path);
    if (!e)
        return -ENOENT;
    st->st_mode = e->mode;
    st->st_nlink = 1;
    st->st_size = (off_t)e->size;
    st->st_uid = e->uid;
    st->st_gid = e->gid;
    st->st_atim = e->times[0];
    st->st_mtim = e->times[1];
    return 0;
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)info, (void)flags;
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0])
            fill(buffer, files[i].name, NULL, 0, 0);
    return 0;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
    (void)info;
    struct entry *e = find(path);
    if (!e)
        return -ENOENT;
    char *bytes = realloc(e->bytes, (size_t)size + 1);
    if (!bytes)
        return -ENOSPC;
    if ((size_t)size > e->size)
        memset(bytes + e->size, 0, (size_t)size - e->size);
    e->bytes = bytes;
    e->size = (size_t)size;
    return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
    info->fh = (info->flags & O_ACCMODE) != O_RDONLY; /* for flush */
    info->direct_io = info->nonseekable = strcmp(path, "/stream") == 0;
    return !find(path) ? -ENOENT : info->flags & O_TRUNC ? fs_truncate(path, 0, info) : 0;
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
    for (int i = 0; i < FILES; i++)
        if (!files[i].name[0]) {
            files[i] =
                (struct entry){.mode = S_IFREG | mode, .uid = fuse_get_context()->uid, .gid = fuse_get_context()->gid};
            snprintf(files[i].name, sizeof(files[i].name), "%s", path + 1);
            return fs_open(path, info);
        }
    return -ENOSPC;
}

static void wait_while_held(void)
{
    const char *held = getenv("FUSE_HELD");
    char begun[4200];
    if (!held || access(held, F_OK) < 0)
        return;
    snprintf(begun, sizeof(begun), "%s.read", held);
    close(open(begun, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    while (access(held, F_OK) == 0)
        usleep(10000);
}

static int fs_read(const char *path, char *to, size_t n, off_t offset, struct fuse_file_info *info)
{
    (void)info;
    const struct entry *e = find(path);
    if (!e)
        return -ENOENT;
    if (strcmp(path, "/slow") == 0)
        wait_while_held();
    if ((size_t)offset >= e->size)
        return 0;
    n = n < e->size - (size_t)offset ? n : e->size - (size_t)offset;
    memcpy(to, e->bytes + offset, n);
    return (int)n;
}

static int fs_write(const char *path, const char *from, size_t n, off_t offset, struct fuse_file_info *info)
{
    struct entry *e = find(path);
    if (!e)
        return -ENOENT;
    if ((size_t)offset + n > e->size && fs_truncate(path, offset + (off_t)n, info) < 0)
        return -ENOSPC;
    memcpy(e->bytes + offset, from, n);
    return (int)n;
}

static int fs_flush(const char *path, struct fuse_file_info *info)
{
    bool written = info->fh && strcmp(path, "/broken") != 0;
    return written && find("/broken") ? -ENOSPC : 0;
}

static int fs_unlink(const char *path)
{
    struct entry *e = find(path);
    if (!e)
        return -ENOENT;
    free(e->bytes);
    *e = (struct entry){.name = ""};
    return 0;
}

static int fs_rename(const char *from, const char *to, unsigned flags)
{
    struct entry *e = find(from);
    if (!e)
        return -ENOENT;
    if (find(to) && flags)
        return -EEXIST;
    if (find(to))
        fs_unlink(to);
    snprintf(e->name, sizeof(e->name), "%s", to + 1);
    return 0;
}

static int fs_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
    (void)info;
    struct entry *e = find(path);
    if (find("/fixed"))
        return -EPERM;
    if (e)
        e->mode = mode;
    return e ? 0 : -ENOENT;
}

static int fs_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
    (void)info, (void)uid, (void)gid;
    return find(path) ? -EPERM : -ENOENT;
}

static int fs_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *info)
{
    (void)info;
    struct entry *e = find(path);
    if (e)
        memcpy(e->times, times, sizeof(e->times));
    return e ? 0 : -ENOENT;
}

int main(int argc, char **argv)
{
    static const struct fuse_operations operations = {
        .getattr = fs_getattr,
        .readdir = fs_readdir,
        .open = fs_open,
        .create = fs_create,
        .truncate = fs_truncate,
        .read = fs_read,
        .write = fs_write,
        .flush = fs_flush,
        .unlink = fs_unlink,
        .rename = fs_rename,
        .chmod = fs_chmod,
        .chown = fs_chown,
        .utimens = fs_utimens,
    };
    return fuse_main(argc, argv, &operations, NULL);
}
