/* SPDX-License-Identifier: MIT */
#include "tree/beneath.h"
#include "base/fd.h"
#include <fcntl.h>
#include <sys/stat.h>

enum {
    OPEN_LEVELS = 32 /* descriptors that stay open */
};

int beneath_init(struct beneath *f, int root)
{
    *f = (struct beneath){.level = calloc(8, sizeof(*f->level)), .capacity = 8};
    if (!f->level)
        return -ENOMEM;
    f->level[0].fd = root;
    return 0;
}

static void shorten(struct beneath *f, size_t depth)
{
    for (; f->depth > depth; f->depth--)
        fd_close(f->level[f->depth].fd);
}

void beneath_forget(struct beneath *f)
{
    shorten(f, 0);
}

void beneath_clear(struct beneath *f)
{
    shorten(f, 0);
    free(f->level);
    free(f->path);
    *f = (struct beneath){.path = NULL};
}

static int make_room(struct beneath *f, size_t n)
{
    size_t parts = 2;
    if (n + 1 > f->room) {
        char *path = realloc(f->path, 2 * n + 256);
        if (!path)
            return -ENOMEM;
        f->path = path;
        f->room = 2 * n + 256;
    }
    parts += n / 2;
    if (parts > f->capacity) {
        struct beneath_level *level = realloc(f->level, 2 * parts * sizeof(*level));
        if (!level)
            return -ENOMEM;
        f->level = level;
        f->capacity = 2 * parts;
    }
    return 0;
}

/* How many levels of those that are there lead to this path? */
static size_t common(const struct beneath *f, const char *path, size_t n)
{
    size_t depth = 0;
    for (size_t i = 1; i <= f->depth; i++) {
        size_t end = f->level[i].end;
        if (end > n || memcmp(f->path, path, end) != 0 || (end < n && path[end] != '/'))
            break;
        depth = i;
    }
    return depth;
}

static int open_part(int folder, const char *part, bool makes, unsigned *made)
{
    static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int fd = openat(folder, part, flags);
    if (fd < 0 && errno == ENOENT && makes) {
        if (mkdirat(folder, part, 0777) == 0)
            ++*made;
        else if (errno != EEXIST)
            return -errno;
        fd = openat(folder, part, flags);
    }
    if (fd < 0)
        return errno == ELOOP ? -ENOTDIR : -errno;
    return fd_above_standard(fd);
}

/* Opens level i, whose part of the path is there. */
static int open_level(struct beneath *f, size_t i, bool makes, unsigned *made)
{
    size_t start = i == 1 ? 0 : f->level[i - 1].end + 1;
    f->path[f->level[i].end] = '\0';
    int fd = open_part(f->level[i - 1].fd, f->path + start, makes, made);
    f->path[f->level[i].end] = '/';
    if (fd < 0)
        return fd;
    f->level[i].fd = fd;
    if (i > OPEN_LEVELS)
        f->level[i - OPEN_LEVELS].fd = fd_close(f->level[i - OPEN_LEVELS].fd);
    return 0;
}

int beneath_open(struct beneath *f, const char *path, size_t n, bool makes, unsigned *made)
{
    int r = make_room(f, n);
    if (r < 0)
        return r;
    shorten(f, common(f, path, n));
    size_t known = f->depth, i = known;
    if (n)
        memcpy(f->path, path, n);
    while (f->level[i].fd < 0)
        i--;
    for (i++; i <= known && r == 0; i++)
        r = open_level(f, i, false, made);
    while (r == 0 && f->level[f->depth].end < n) {
        size_t start = f->depth ? f->level[f->depth].end + 1 : 0;
        const char *slash = memchr(f->path + start, '/', n - start);
        f->level[++f->depth] = (struct beneath_level){.end = slash ? (size_t)(slash - f->path) : n, .fd = -1};
        r = open_level(f, f->depth, makes, made);
    }
    if (r < 0)
        shorten(f, 0); /* the next call opens again what can be opened */
    return r < 0 ? r : f->level[f->depth].fd;
}
