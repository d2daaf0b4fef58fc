/* SPDX-License-Identifier: MIT */
/* The order matters: a change of the owner clears set-user-ID and capabilities, an access control list has a part of
 * the mode, and every change of a file may change its times. */
#include "tree/attributes.h"
#include "base/platform.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LOST_MAX = 96,
    WAY_MAX = 64,
};

/* Records that something was not kept. Returns `code`, or 0 if the caller does not mind. */
static int lose(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code, const char *operation,
                const char *lost)
{
    char text[128];
    if (tree->options.drop_attributes) {
        atomic_fetch_add(&tree->counts.dropped, 1);
        return 0;
    }
    return tree_problem(tree, dir, name, LEAT_SIDE_SINK, code, operation, "The copy can't have %s: %s", lost,
                        error_text(code, text, sizeof(text)));
}

static bool keeps_all(const struct tree_copy *tree)
{
    return tree->options.keep == LEAT_TREE_ALL;
}

static mode_t mode_to_keep(const struct tree_copy *tree, const struct stat *st)
{
    return st->st_mode & (keeps_all(tree) ? 07777 : 01777);
}

/* A file whose owner can't be kept gives nobody the rights of its set-user-ID. */
static int keep_owner(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct stat *st,
                      int to, mode_t *mode)
{
    struct stat now;
    if (fstat(to, &now) < 0)
        return lose(tree, dir, name, -errno, "fstat", "its owner");
    if (now.st_uid == st->st_uid && now.st_gid == st->st_gid)
        return 0;
    if (fchown(to, st->st_uid, st->st_gid) == 0)
        return 0;
    int code = -errno;
    *mode &= 01777;
    return lose(tree, dir, name, code, "fchown", now.st_uid == st->st_uid ? "its group" : "its owner");
}

static int keep_extended(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from, int to)
{
    char way[WAY_MAX], lost[LOST_MAX] = "";
    int r = platform.path_of_fd(from, way, sizeof(way));
    if (r == 0)
        r = platform.copy_attributes(way, to, tree->options.drop_attributes, lost, sizeof(lost));
    return r < 0 ? lose(tree, dir, name, r, "fsetxattr", lost[0] ? lost : "its extended attributes") : 0;
}

int attributes_of_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int from,
                       const struct stat *st, int to)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    mode_t mode = mode_to_keep(tree, st);
    int r = 0;
    if (keeps_all(tree)) {
        r = keep_owner(tree, dir, name, st, to, &mode);
        int extended = keep_extended(tree, dir, name, from, to);
        r = r < 0 ? r : extended;
    }
    if (fchmod(to, mode) < 0)
        r = lose(tree, dir, name, -errno, "fchmod", "its mode");
    if (futimens(to, times) < 0)
        r = lose(tree, dir, name, -errno, "futimens", "its times");
    return r;
}

int attributes_of_dir(struct tree_copy *tree, const struct tree_dir *dir)
{
    return attributes_of_file(tree, dir, NULL, dir->fd[SOURCE], &dir->st, dir->fd[TARGET]);
}

int attributes_of_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const char *name_now,
                       const struct stat *st)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    int at = dir->fd[TARGET], r = 0;
    mode_t mode = mode_to_keep(tree, st);
    if (keeps_all(tree) && fchownat(at, name_now, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
        r = lose(tree, dir, name, -errno, "fchownat", "its owner");
        mode &= 01777;
    }
    /* A symbolic link has no mode of its own. */
    if (!S_ISLNK(st->st_mode) && fchmodat(at, name_now, mode, 0) < 0)
        r = lose(tree, dir, name, -errno, "fchmodat", "its mode");
    if (utimensat(at, name_now, times, AT_SYMLINK_NOFOLLOW) < 0)
        r = lose(tree, dir, name, -errno, "utimensat", "its times");
    return r;
}
