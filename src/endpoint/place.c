/* SPDX-License-Identifier: MIT */
/* Links are followed step by step here only to learn where a name lies. The kernel decides whether they may be followed
 * at all: an existing file is opened by its path first, and what is found here must be the same file. */
#include "endpoint/place.h"
#include "base/fd.h"
#include "base/platform.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define LINKS_MAX 40

/* The state of the walk. `path` is relative to `at`, or to the working directory. */
struct place_walk {
    int at;
    char path[PATH_MAX + 1];
    bool foreign; /* A link was followed that the kernel might refuse to follow. */
    bool found;   /* A file has the name at the end: `end`. */
    struct stat end;
};

/* Opens the directory of walk->path, and reduces the path to its last part. */
static int enter(struct place_walk *walk)
{
    char *slash = strrchr(walk->path, '/');
    char name[PATH_MAX + 1];
    snprintf(name, sizeof(name), "%s", slash ? slash + 1 : walk->path);
    if (slash)
        slash[slash == walk->path] = '\0';
    int fd = platform.open_directory(walk->at, slash ? walk->path : ".");
    if (fd < 0)
        return fd;
    if (walk->at != AT_FDCWD)
        fd_close(walk->at);
    walk->at = fd;
    memcpy(walk->path, name, sizeof(name));
    return name[0] ? 0 : -ENOTDIR;
}

/* The rule of the kernel where fs.protected_symlinks is on. */
static bool is_foreign(const struct stat *link, const struct stat *directory)
{
    unsigned shared = S_ISVTX | S_IWOTH;
    return (directory->st_mode & shared) == shared && link->st_uid != geteuid() && link->st_uid != directory->st_uid;
}

/* Returns 1: it was a link, and walk->path is its text. 0: it is no link, or there is nothing. Otherwise a negative
 * errno. */
static int follow(struct place_walk *walk)
{
    struct stat before, after, directory;
    char text[PATH_MAX + 1];
    walk->found = false;
    if (fstatat(walk->at, walk->path, &before, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISLNK(before.st_mode)) {
        walk->found = true;
        walk->end = before;
        return 0;
    }
    ssize_t n = readlinkat(walk->at, walk->path, text, PATH_MAX);
    if (n < 0 || fstat(walk->at, &directory) < 0 || fstatat(walk->at, walk->path, &after, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (after.st_ino != before.st_ino || after.st_dev != before.st_dev)
        return -ESTALE;
    walk->foreign |= is_foreign(&after, &directory);
    memcpy(walk->path, text, (size_t)n);
    walk->path[n] = '\0';
    return 1;
}

/* Stops early at a path that stands for a descriptor. */
static int walk_on(struct place_walk *walk, const char *path, int *ret_descriptor)
{
    if (strlen(path) > PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(walk->path, path, strlen(path) + 1);
    for (int links = 0; links <= LINKS_MAX; links++) {
        *ret_descriptor = platform.path_to_fd(walk->path);
        int r = *ret_descriptor < 0 ? enter(walk) : 0;
        if (r == 0 && *ret_descriptor < 0)
            r = follow(walk);
        if (r <= 0)
            return r;
    }
    return -ELOOP;
}

static void walk_end(struct place_walk *walk)
{
    if (walk->at != AT_FDCWD)
        walk->at = fd_close(walk->at);
}

static int identify(const struct place *place, const struct stat *found, struct identity *ret)
{
    struct stat directory;
    if (found) {
        identity_of_stat(ret, found);
        return 0;
    }
    if (fstat(place->directory, &directory) < 0)
        return -errno;
    identity_of_new_name(ret, &directory, place->name);
    return 0;
}

int place_find(struct place *ret, const char *path, struct identity *ret_now)
{
    struct place_walk walk = {.at = AT_FDCWD};
    int descriptor;
    *ret = (struct place){.directory = -1};
    int r = walk_on(&walk, path, &descriptor);
    if (r == 0 && descriptor >= 0)
        r = -ENOENT;
    if (r == 0 && walk.foreign && !walk.found)
        r = -EACCES;
    struct place place = {.directory = walk.at, .name = r == 0 ? strdup(walk.path) : NULL};
    if (r == 0 && !place.name)
        r = -ENOMEM;
    if (r == 0 && ret_now)
        r = identify(&place, walk.found ? &walk.end : NULL, ret_now);
    if (r < 0) {
        free(place.name);
        walk_end(&walk);
        return r;
    }
    *ret = place;
    return 0;
}

void place_clear(struct place *place)
{
    place->directory = fd_close(place->directory);
    free(place->name);
    place->name = NULL;
}

int place_stat(const struct place *place, struct stat *ret)
{
    return fstatat(place->directory, place->name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The kernel decides: the path must lead to the file that the descriptor is open on. */
int place_descriptor(const char *path)
{
    struct place_walk walk = {.at = AT_FDCWD};
    struct identity by_path, by_fd;
    struct stat st;
    int descriptor = platform.path_to_fd(path);
    if (descriptor >= 0 || lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
        return descriptor;
    int r = walk_on(&walk, path, &descriptor);
    walk_end(&walk);
    if (r < 0 || descriptor < 0)
        return -1;
    if (stat(path, &st) < 0 || identity_of_fd(&by_fd, descriptor) < 0)
        return -1;
    identity_of_stat(&by_path, &st);
    return identity_is_same(&by_path, &by_fd) ? descriptor : -1;
}
