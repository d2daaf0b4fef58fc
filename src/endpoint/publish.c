/* SPDX-License-Identifier: MIT */
#include "endpoint/publish.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define HIDDEN_AROUND 14 /* "." before the name, ".leat-XXXXXX" behind it, and the NUL. */

/* ---- the hidden name ---- */

/* How many bytes of the name there is room for. Cuts at whole UTF-8 characters, because some file systems accept
 * nothing else. `asks`: asks the file system for its limit, because a shorter name was too long. */
static size_t shortened(const struct place *place, bool asks)
{
    long max = asks ? fpathconf(place->directory, _PC_NAME_MAX) : 0;
    size_t room = max <= 0 ? PUBLISH_HIDDEN_MAX - 56 : MIN((size_t)max, PUBLISH_HIDDEN_MAX - 56);
    room = room > HIDDEN_AROUND ? room - HIDDEN_AROUND : 0;
    size_t n = strlen(place->name);
    if (n <= room)
        return n;
    for (n = room; n > 0 && ((unsigned char)place->name[n] & 0xC0) == 0x80; n--)
        ;
    return n;
}

static void hidden_name(const struct place *place, unsigned try, bool asks, char text[PUBLISH_HIDDEN_MAX])
{
    uint64_t mix = ((uint64_t)clock_ns() ^ ((uint64_t)getpid() << 32)) + try * UINT64_C(0x9E3779B97F4A7C15);
    mix = (mix ^ (mix >> 31)) * UINT64_C(0xBF58476D1CE4E5B9);
    snprintf(text, PUBLISH_HIDDEN_MAX, ".%.*s.leat-%06x", (int)shortened(place, asks), place->name,
             (unsigned)(mix >> 40));
}

int publish_make_hidden(const struct place *place, int (*make)(void *user, const char *name), void *user,
                        char name[PUBLISH_HIDDEN_MAX])
{
    int r = -EEXIST;
    bool asks = false;
    for (unsigned try = 0; try < PUBLISH_HIDDEN_TRIES && (r == -EEXIST || r == -EINTR); try++) {
        hidden_name(place, try, asks, name);
        r = make(user, name);
        if (r == -ENAMETOOLONG && !asks) {
            asks = true;
            r = -EEXIST;
        }
    }
    return r;
}

static int keep_hidden(struct publish *publish, const char *name)
{
    publish->hidden = strdup(name);
    if (publish->hidden)
        return 0;
    unlinkat(publish->place.directory, name, 0);
    return -ENOMEM;
}

/* ---- opening ---- */

struct publish_opening {
    const struct publish *publish;
    mode_t mode;
};

static int open_as(void *user, const char *name)
{
    const struct publish_opening *opening = user;
    int fd = openat(opening->publish->place.directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, opening->mode);
    return fd < 0 ? -errno : fd;
}

static int open_hidden(struct publish *publish, unsigned mode)
{
    char name[PUBLISH_HIDDEN_MAX];
    struct publish_opening opening = {publish, (mode_t)mode};
    int fd = publish_make_hidden(&publish->place, open_as, &opening, name);
    if (fd < 0)
        return fd;
    int r = keep_hidden(publish, name);
    if (r == 0)
        return fd_above_standard(fd);
    fd_close(fd);
    return r;
}

static int link_at(void *user, const char *name)
{
    const struct publish *publish = user;
    struct op op = {.kind = OP_LINK, .fd = {publish->place.directory, publish->fd}, .path = {NULL, name}};
    return (int)op_execute(&op);
}

/* A policy may forbid the link(2) that names the file in the end. Linking to ".", a name that always exists, tells:
 * -EEXIST means that it is allowed. */
static bool can_be_linked(struct publish *publish)
{
    return link_at(publish, ".") == -EEXIST;
}

/* Not every file system has files without a name, and some report that in odd ways. So after any failure a hidden name
 * is tried, and the errno of that counts. */
int publish_open(struct publish *publish, unsigned mode)
{
    if (publish->replaces)
        mode = 0600; /* Until it gets the mode of the old file. */
    publish->fd = platform.open_unnamed(publish->place.directory, ".", mode);
    publish->unnamed = publish->fd >= 0 && (publish->is_linkable || can_be_linked(publish));
    if (!publish->unnamed) {
        fd_close(publish->fd);
        int fd = open_hidden(publish, publish->is_completed ? 0600 : mode);
        publish->fd = fd >= 0 ? fd : -1;
        return fd;
    }
    return publish->fd;
}

/* ---- the end ---- */

/* link(2) does not replace an existing name, so the file is linked to a hidden name first. */
static int link_hidden(struct publish *publish)
{
    char name[PUBLISH_HIDDEN_MAX];
    int r = publish_make_hidden(&publish->place, link_at, publish, name);
    if (r < 0)
        return r;
    publish->unnamed = false;
    return keep_hidden(publish, name);
}

/* A directory that may not be read cannot be opened for syncing. Then its whole file system is synced through the
 * file. */
static int sync_directory(const struct place *place, int file)
{
    int fd CLEANUP_FD = openat(place->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? platform.sync_file_system(file) : -errno;
    struct op op = {.kind = OP_FSYNC, .fd = {-1, fd}};
    int r = (int)op_execute(&op);
    return r == -EINVAL ? 0 : r; /* Not every file system can sync a directory. */
}

/* Returns 0: the old file still has the name. -ENOENT: no file has it. -EEXIST: another file has it. Otherwise a
 * negative errno. */
static int check_place(const struct publish *publish)
{
    struct identity now;
    struct stat st;
    int r = place_stat(&publish->place, &st);
    if (r < 0)
        return r;
    identity_of_stat(&now, &st);
    return publish->replaces && identity_is_same(&now, &publish->old) ? 0 : -EEXIST;
}

static int rename_hidden(struct publish *publish, unsigned flags)
{
    struct op op = {.kind = OP_RENAME,
                    .fd = {publish->place.directory, -1},
                    .flags = flags,
                    .path = {publish->hidden, publish->place.name}};
    int r = (int)op_execute(&op);
    if (r == 0) {
        free(publish->hidden);
        publish->hidden = NULL;
    }
    return r;
}

/* Takes a name that was free, only if it still is. Not every file system can do that in one rename. Then a second link
 * is tried, which fails if the name is taken. If the file system has no links either, a look just before the rename has
 * to do. */
static int take_free_name(struct publish *publish)
{
    int r = rename_hidden(publish, OP_NEW);
    if (r != -EINVAL && r != -ENOSYS && r != -EOPNOTSUPP)
        return r;
    struct op op = {
        .kind = OP_LINK, .fd = {publish->place.directory, -1}, .path = {publish->hidden, publish->place.name}};
    r = (int)op_execute(&op);
    if (r == 0 || r == -EEXIST)
        return r; /* publish_abort removes the hidden name. */
    r = check_place(publish);
    return r == -ENOENT ? rename_hidden(publish, 0) : r < 0 ? r : -EEXIST;
}

static int give_name(struct publish *publish, const char **ret_operation)
{
    *ret_operation = op_name(OP_LINK);
    if (publish->unnamed && !publish->replaces)
        return link_at(publish, publish->place.name);
    int r = publish->unnamed ? link_hidden(publish) : 0;
    if (r < 0)
        return r;
    *ret_operation = op_name(OP_RENAME);
    r = check_place(publish);
    if (r == -ENOENT) /* This includes an old file that was removed meanwhile. */
        return take_free_name(publish);
    return r < 0 ? r : rename_hidden(publish, 0);
}

int publish_commit(struct publish *publish, bool sync, const char **ret_operation)
{
    int r = give_name(publish, ret_operation);
    if (r < 0)
        return r;
    publish_abort(publish); /* Removes the hidden name, if the file has a second one. */
    if (!sync)
        return 0;
    *ret_operation = op_name(OP_FSYNC);
    return sync_directory(&publish->place, publish->fd);
}

void publish_abort(struct publish *publish)
{
    if (publish->hidden)
        unlinkat(publish->place.directory, publish->hidden, 0);
    free(publish->hidden);
    publish->hidden = NULL;
}

void publish_close(struct publish *publish)
{
    publish_abort(publish);
    place_clear(&publish->place);
}
