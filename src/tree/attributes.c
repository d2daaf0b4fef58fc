/* SPDX-License-Identifier: MIT */
/* The order matters: a change of the owner clears set-user-ID and capabilities, an access control list has a part of
 * the mode, and every change of a file may change its times. */
#include "tree/attributes.h"
#include "base/fd.h"
#include "base/platform.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    WAY_MAX = 64,
};

/* A file whose attributes are being kept. */
struct keeping {
    struct tree_copy *tree;
    const struct tree_dir *dir;
    const char *name;
    const struct stat *st; /* of the source */
    struct stat now;       /* of the target, when that began */
    struct platform_file from, to;
    int at, flags; /* how the path `to` is looked up */
};

static int lose_of(const struct keeping *k, const char *operation, const char *lost)
{
    return ends_lose(k->tree, k->dir, k->name, -errno, operation, lost);
}

static bool keeps_all(const struct tree_copy *tree)
{
    return tree->options.keep == LEAT_TREE_ALL;
}

static mode_t mode_to_keep(const struct keeping *k)
{
    return k->st->st_mode & (keeps_all(k->tree) ? 07777 : 01777);
}

/* ---- the calls: on the open file, or on the path that leads to it ---- */

static int set_owner(const struct keeping *k, uid_t uid, gid_t gid)
{
    return k->to.path ? fchownat(k->at, k->to.path, uid, gid, k->flags) : fchown(k->to.fd, uid, gid);
}

static int set_mode(const struct keeping *k, mode_t mode)
{
    return k->to.path ? fchmodat(k->at, k->to.path, mode, k->flags) : fchmod(k->to.fd, mode);
}

static int set_times(const struct keeping *k)
{
    const struct timespec times[2] = {k->st->st_atim, k->st->st_mtim};
    return k->to.path ? utimensat(k->at, k->to.path, times, k->flags) : futimens(k->to.fd, times);
}

/* ---- each attribute ---- */

/* A file whose owner can't be kept loses set-user-ID, which would give the rights of another owner. Returns 1 if
 * something changed. */
static int keep_owner(const struct keeping *k, mode_t *mode)
{
    bool is_unknown = k->st->st_uid == (uid_t)-1 && k->st->st_gid == (gid_t)-1;
    if (is_unknown || (k->now.st_uid == k->st->st_uid && k->now.st_gid == k->st->st_gid))
        return 0;
    if (set_owner(k, k->st->st_uid, k->st->st_gid) == 0)
        return 1;
    int code = -errno;
    bool is_owned = k->now.st_uid == k->st->st_uid;
    *mode &= 01777;
    if (!is_owned && k->now.st_gid != k->st->st_gid)
        set_owner(k, (uid_t)-1, k->st->st_gid); /* a user may be allowed that much */
    return ends_lose(k->tree, k->dir, k->name, code, "fchown", is_owned ? "its group" : "its owner");
}

struct losing {
    const struct keeping *k;
    int code; /* of a loss that is a problem */
};

/* The rest is copied all the same. */
static int lose_extended(void *user, int code, const char *what)
{
    struct losing *l = user;
    int r = ends_lose(l->k->tree, l->k->dir, l->k->name, code, "fsetxattr", what);
    l->code = r < 0 ? r : l->code;
    return 0;
}

static int keep_extended(const struct keeping *k)
{
    struct losing losing = {.k = k};
    const struct platform_losses losses = {lose_extended, &losing};
    if (k->from.fd < 0 && !k->from.path)
        return 0;
    int r = platform.copy_attributes(&k->from, &k->to, &losses);
    return losing.code < 0 ? losing.code : r;
}

/* Some file systems accept a change and do not make it: vfat, and some servers. */
static int check_kept(const struct keeping *k, mode_t mode, bool has_owner)
{
    struct stat now;
    int r = k->to.path ? fstatat(k->at, k->to.path, &now, k->flags) : fstat(k->to.fd, &now);
    if (r < 0)
        return lose_of(k, "fstat", "its attributes");
    if (has_owner && (now.st_uid != k->st->st_uid || now.st_gid != k->st->st_gid))
        r = ends_lose(k->tree, k->dir, k->name, -EOPNOTSUPP, "fchown",
                      now.st_uid == k->st->st_uid ? "its group" : "its owner");
    if (!S_ISLNK(now.st_mode) && (now.st_mode & 07777) != mode)
        r = ends_lose(k->tree, k->dir, k->name, -EOPNOTSUPP, "fchmod", "its mode");
    return r;
}

static int keep(const struct keeping *k)
{
    mode_t before = k->now.st_mode & 07777, mode = k->st->st_mode ? mode_to_keep(k) : before;
    int owner = 0, extended = 0;
    if (keeps_all(k->tree)) {
        owner = keep_owner(k, &mode);
        extended = keep_extended(k);
    }
    /* A symbolic link has no mode of its own. */
    int r = MIN(MIN(owner, extended), 0);
    bool has_mode = !S_ISLNK(k->st->st_mode), changed = owner != 0 || extended != 0;
    bool sets_mode = has_mode && (changed || mode != before);
    int kept = 0;
    if (sets_mode && set_mode(k, mode) < 0)
        kept = lose_of(k, "fchmod", "its mode");
    else if (sets_mode || owner > 0)
        kept = check_kept(k, mode, owner > 0);
    r = r < 0 ? r : kept;
    if (set_times(k) < 0)
        r = lose_of(k, "futimens", "its times");
    return r;
}

/* ---- open files ---- */

int attributes_of_new_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from,
                           const struct stat *st, int to, ino_t *ret_inode)
{
    struct keeping k = {.tree = tree, .dir = dir, .name = name, .st = st, .from.fd = from, .to.fd = to};
    if (fstat(to, &k.now) < 0)
        return lose_of(&k, "fstat", "its attributes");
    *ret_inode = k.now.st_ino;
    return keep(&k);
}

int attributes_of_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from,
                       const struct stat *st, int to)
{
    ino_t inode;
    return attributes_of_new_file(tree, dir, name, from, st, to, &inode);
}

int attributes_of_dir(struct tree_copy *tree, struct tree_dir *dir)
{
    if (!dir->st.st_mode)
        return 0;
    return attributes_of_file(tree, dir, NULL, dir->fd[SOURCE], &dir->st, dir->fd[TARGET]);
}

/* ---- names that are not opened, because that may wait or do something ---- */

/* Pins what has the name, which must be of the kind of the source, and makes a path that leads to it whatever happens
 * to the name. Gives a descriptor, or returns a negative errno; -ENOSYS: there are no such paths. */
static int pin(const struct keeping *k, int side, const char *name, struct stat *ret, char way[WAY_MAX])
{
    int fd = platform.pin(k->dir->fd[side], name, false);
    if (fd < 0)
        return fd;
    int r = platform.path_of_fd(fd, way, WAY_MAX);
    if (r < 0 || access(way, F_OK) < 0)
        r = -ENOSYS;
    else if (fstat(fd, ret) < 0)
        r = -errno;
    else if ((ret->st_mode & S_IFMT) != (k->st->st_mode & S_IFMT))
        r = -ESTALE;
    if (r == 0)
        return fd;
    fd_close(fd);
    return r;
}

/* Keeps what it can, if there is no `way`: of the name, which is not followed. */
static int keep_of_name(struct keeping *k, const char *name_now, const char *way)
{
    k->to.path = way ? way : name_now;
    k->at = way ? AT_FDCWD : k->dir->fd[TARGET];
    k->flags = way ? 0 : AT_SYMLINK_NOFOLLOW;
    if (!way && fstatat(k->at, name_now, &k->now, k->flags) < 0)
        return lose_of(k, "stat", "its attributes");
    return keep(k);
}

/* Pins the name in the source as well, for its extended attributes. */
static int keep_of_pinned(struct keeping *k, const char *name_now, const char *way)
{
    char from_way[WAY_MAX];
    struct stat st;
    int from CLEANUP_FD = keeps_all(k->tree) ? pin(k, SOURCE, k->name, &st, from_way) : -ENOSYS;
    bool is_same = from >= 0 && st.st_dev == k->st->st_dev && st.st_ino == k->st->st_ino;
    k->from.path = is_same ? from_way : NULL;
    int r = keep_of_name(k, name_now, way);
    if (is_same || from == -ENOSYS)
        return r;
    return ends_lose(k->tree, k->dir, k->name, from < 0 ? from : -ESTALE, "open", "its extended attributes");
}

int attributes_of_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const char *name_now,
                       const struct stat *st)
{
    struct keeping k = {.tree = tree, .dir = dir, .name = name, .st = st, .from.fd = -1, .to.fd = -1};
    char way[WAY_MAX];
    int to CLEANUP_FD = pin(&k, TARGET, name_now, &k.now, way);
    if (to == -ENOSYS)
        return keep_of_name(&k, name_now, NULL);
    return to < 0 ? ends_lose(tree, dir, name, to, "open", "its attributes") : keep_of_pinned(&k, name_now, way);
}
