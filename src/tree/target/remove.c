/* SPDX-License-Identifier: MIT */
/* One descriptor is open at a time, whatever the depth. The way up is "..", which must be the folder that the way down
 * came from: it may have been moved meanwhile. What is in a folder that can't be left so stays. */
#include "tree/target/remove.h"
#include "base/fd.h"
#include "tree/target/change.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A folder on the way down. */
struct removal_level {
    struct removal_level *above;    /* NULL: the folder of the tree */
    struct removal_folder *folders; /* in it, still to be deleted */
    struct identity identity;
    size_t path; /* the length of the path up to its name */
    bool keeps;  /* something in it stays */
};

struct removal_folder {
    struct removal_folder *next;
    char name[];
};

struct tree_removal {
    struct tree_copy *tree;
    struct tree_dir *dir;
    struct removal_level *at;
    int fd;     /* of the folder `at` */
    char *path; /* of what is looked at, relative to `dir` */
    size_t room;
};

static int fail(const struct tree_removal *m, int code, const char *operation, const char *text)
{
    m->at->keeps = true;
    return tree_problem(m->tree, m->dir, m->path, LEAT_SIDE_SINK, code, operation, text ? "%s" : NULL, text);
}

/* ---- the path ---- */

static int set_path(struct tree_removal *m, size_t length, const char *name)
{
    size_t need = length + strlen(name) + 2;
    char *path = need > m->room ? realloc(m->path, 2 * need) : m->path;
    if (!path)
        return -ENOMEM;
    m->room = need > m->room ? 2 * need : m->room;
    m->path = path;
    sprintf(path + length, "%s%s", length ? "/" : "", name);
    return 0;
}

/* ---- names ---- */

static void tell(const struct tree_removal *m)
{
    atomic_fetch_add(&m->tree->counts.deleted, 1);
    change_tell(m->tree, m->dir, m->path, LEAT_TREE_DELETED);
}

/* Deletes the name that the path ends with. */
static void drop(struct tree_removal *m, const char *name, int flags)
{
    if (!m->tree->options.dry_run && unlinkat(m->fd, name, flags) < 0 && errno != ENOENT)
        fail(m, -errno, flags ? "rmdir" : "unlink", NULL);
    else
        tell(m);
}

static int add_pending(struct tree_removal *m, const char *name)
{
    struct removal_folder *folder = malloc(sizeof(*folder) + strlen(name) + 1);
    if (!folder)
        return -ENOMEM;
    strcpy(folder->name, name);
    folder->next = m->at->folders;
    m->at->folders = folder;
    return 0;
}

static bool is_journal(const struct tree_removal *m, const struct stat *st)
{
    struct identity identity;
    identity_of_stat(&identity, st);
    return m->tree->journal.fd >= 0 && identity_is_same(&identity, &m->tree->journal.identity);
}

/* Deletes a name of the folder `at`; a folder becomes pending. Returns 0 or -ENOMEM. */
static int drop_name(struct tree_removal *m, const char *name)
{
    struct stat st;
    if (set_path(m, m->at->path, name) < 0)
        return -ENOMEM;
    if (fstatat(m->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            fail(m, -errno, "stat", NULL);
        return 0;
    }
    int taken = select_takes(m->tree, m->dir, m->path, S_ISDIR(st.st_mode));
    if (taken < 0)
        return taken;
    if (taken == 0 || is_journal(m, &st))
        m->at->keeps = true;
    else if (S_ISDIR(st.st_mode))
        return add_pending(m, name);
    else
        drop(m, name, 0);
    return 0;
}

/* ---- folders ---- */

/* Deletes what is no folder in the folder `at`. Returns 0 or -ENOMEM. */
static int drop_names(struct tree_removal *m)
{
    const struct dirent *entry;
    int r = 0, fd = openat(m->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        fail(m, fd < 0 ? fd : -errno, "open", NULL);
        fd_close(fd);
        return 0;
    }
    while (r == 0 && !tree_is_canceled(m->tree) && (entry = dir_next(stream)))
        r = drop_name(m, entry->d_name);
    if (r == 0 && !tree_is_canceled(m->tree) && errno)
        fail(m, -errno, "readdir", NULL);
    closedir(stream);
    return r;
}

static void free_level(struct tree_removal *m)
{
    struct removal_level *level = m->at;
    m->at = level->above;
    for (struct removal_folder *next; level->folders; level->folders = next) {
        next = level->folders->next;
        free(level->folders);
    }
    free(level);
}

/* Opens the folder that the path ends with, and deletes what is in it. Returns 0 or -ENOMEM. */
static int go_down(struct tree_removal *m, const char *name)
{
    struct stat st;
    int fd = openat(m->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : 0;
    bool is_elsewhere = r == 0 && st.st_dev != m->at->identity.device;
    struct removal_level *level = r < 0 || is_elsewhere ? NULL : calloc(1, sizeof(*level));
    if (!level) {
        fd_close(fd);
        if (is_elsewhere)
            fail(m, -EBUSY, "open", "Another file system is mounted there, and is not deleted");
        else if (r < 0 && r != -ENOENT)
            fail(m, r, "open", NULL);
        return r == 0 && !is_elsewhere ? -ENOMEM : 0;
    }
    level->above = m->at;
    level->path = strlen(m->path);
    identity_of_stat(&level->identity, &st);
    if (m->at->above)
        fd_close(m->fd);
    m->fd = fd;
    m->at = level;
    return drop_names(m);
}

/* Goes back to the folder above, and deletes the folder that is empty now. Returns 0, or a code: all ends there. */
static int go_up(struct tree_removal *m)
{
    struct removal_level *above = m->at->above;
    struct identity now;
    bool keeps = m->at->keeps;
    m->path[m->at->path] = '\0';
    int fd = above->above ? openat(m->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : m->dir->fd[TARGET];
    fd = fd < 0 ? -errno : above->above ? fd_above_standard(fd) : fd;
    int r = fd < 0 ? fd : identity_of_fd(&now, fd);
    if (r == 0 && !identity_is_same(&now, &above->identity))
        r = -ESTALE;
    fd_close(m->fd);
    m->fd = fd;
    free_level(m);
    if (r < 0)
        return fail(m, r, "open", r == -ESTALE ? "It was moved meanwhile" : NULL);
    const char *slash = strrchr(m->path, '/');
    m->at->keeps |= keeps;
    if (!keeps)
        drop(m, slash ? slash + 1 : m->path, AT_REMOVEDIR);
    return 0;
}

/* Takes the next pending folder of `at`, or leaves it. Returns 0, or a code: all ends there. */
static int step(struct tree_removal *m)
{
    struct removal_folder *folder = m->at->folders;
    if (!folder)
        return go_up(m);
    m->at->folders = folder->next;
    int r = set_path(m, m->at->path, folder->name);
    if (r == 0)
        r = go_down(m, folder->name);
    free(folder);
    return r;
}

void remove_name(struct tree_copy *tree, struct tree_dir *dir, const char *name)
{
    struct removal_level *base = calloc(1, sizeof(*base));
    struct tree_removal m = {.tree = tree, .dir = dir, .at = base, .fd = dir->fd[TARGET]};
    int r = base ? 0 : -ENOMEM;
    if (base)
        base->identity = dir->identity[TARGET];
    if (r == 0)
        r = drop_name(&m, name);
    while (r == 0 && (m.at != base || base->folders) && !tree_is_canceled(tree))
        r = step(&m);
    if (r == -ENOMEM)
        tree_problem(tree, dir, name, LEAT_SIDE_NONE, r, "delete", NULL);
    if (m.fd != dir->fd[TARGET])
        fd_close(m.fd);
    while (m.at)
        free_level(&m);
    free(m.path);
}
