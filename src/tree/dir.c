/* SPDX-License-Identifier: MIT */
#include "tree/dir.h"
#include "base/fd.h"
#include "base/platform.h"
#include "tree/attributes.h"
#include "tree/shard.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

enum {
    OPEN_MAX_DIRS = 128 /* folders with descriptors, if some of them are idle: two descriptors each */
};

static const int open_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

void dirs_init(struct tree_dirs *dirs)
{
    pthread_mutex_init(&dirs->lock, NULL);
}

void dirs_clear(struct tree_dirs *dirs)
{
    pthread_mutex_destroy(&dirs->lock);
}

/* ---- the list of idle folders: no thread uses their descriptors ---- */

static void add_idle(struct tree_dirs *dirs, struct tree_dir *dir)
{
    dir->older = dirs->newest;
    dir->newer = NULL;
    *(dirs->newest ? &dirs->newest->newer : &dirs->oldest) = dir;
    dirs->newest = dir;
}

static void remove_idle(struct tree_dirs *dirs, struct tree_dir *dir)
{
    *(dir->older ? &dir->older->newer : &dirs->oldest) = dir->newer;
    *(dir->newer ? &dir->newer->older : &dirs->newest) = dir->older;
    dir->older = dir->newer = NULL;
}

static void close_both(struct tree_dirs *dirs, struct tree_dir *dir)
{
    dirs->open -= dir->fd[SOURCE] >= 0;
    for (int side = 0; side < SIDES; side++)
        dir->fd[side] = fd_close(dir->fd[side]);
}

static void close_some(struct tree_dirs *dirs)
{
    while (dirs->open > OPEN_MAX_DIRS && dirs->oldest) {
        struct tree_dir *dir = dirs->oldest;
        remove_idle(dirs, dir);
        close_both(dirs, dir);
    }
}

/* ---- making ---- */

static struct tree_dir *make(const char *name)
{
    struct tree_dir *dir = calloc(1, sizeof(*dir) + strlen(name) + 1);
    if (!dir)
        return NULL;
    strcpy(dir->name, name);
    dir->fd[SOURCE] = dir->fd[TARGET] = -1;
    dir->refs = dir->work = 1;
    return dir;
}

struct tree_dir *dir_root(struct tree_copy *tree, int source, int target, bool existed)
{
    struct tree_dir *dir = make("");
    if (!dir) {
        fd_close(source);
        fd_close(target);
        return NULL;
    }
    dir->fd[SOURCE] = source;
    dir->fd[TARGET] = target;
    dir->existed = existed;
    dir->hash = SHARD_HASH_FIRST;
    dir->refs++;      /* of the copy itself */
    dir->holders = 2; /* the walker, and the copy itself: the root has no name to open it by again */
    tree->dirs.open++;
    return dir;
}

struct tree_dir *dir_new(struct tree_copy *tree, struct tree_dir *parent, const char *name)
{
    struct tree_dir *dir = make(name);
    if (!dir)
        return NULL;
    dir->parent = parent;
    dir->hash = shard_hash(shard_hash(parent->hash, name, strlen(name)), "/", 1);
    pthread_mutex_lock(&tree->dirs.lock);
    parent->refs++;
    parent->work++;
    pthread_mutex_unlock(&tree->dirs.lock);
    return dir;
}

/* Opens a folder by its name in the folder above; the descriptor is above those of standard input and output. */
static int open_below(const struct tree_dir *dir, int side)
{
    int fd = openat(dir->parent->fd[side], dir->name, open_flags);
    return fd < 0 ? -errno : fd_above_standard(fd);
}

/* Other file systems than these are asked: network file systems, FUSE and those that stand on others. */
bool dir_closes_late(int fd)
{
    static const char *const prompt[] = {"ext4", "xfs", "btrfs", "tmpfs"};
    struct platform_file_system system;
    char way[64];
    if (platform.path_of_fd(fd, way, sizeof(way)) < 0 || platform.file_system(way, &system) < 0 || !system.name)
        return true;
    for (size_t i = 0; i < COUNT(prompt); i++)
        if (strcmp(system.name, prompt[i]) == 0)
            return false;
    return true;
}

static int open_target(struct tree_copy *tree, struct tree_dir *dir)
{
    if (mkdirat(dir->parent->fd[TARGET], dir->name, 0700) < 0) {
        dir->existed = errno == EEXIST;
        if (!dir->existed)
            return tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -errno, "mkdir", NULL);
    }
    int fd = open_below(dir, TARGET);
    struct stat st;
    if (fd == -ENOTDIR || fd == -ELOOP)
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -ENOTDIR, "open",
                            "A folder can't replace what has this name and is no folder");
    if (fd < 0 || fstat(fd, &st) < 0)
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, fd < 0 ? fd : -errno, "open", NULL);
    identity_of_stat(&dir->identity[TARGET], &st);
    dir->fd[TARGET] = fd;
    bool is_same = st.st_dev == dir->parent->identity[TARGET].device;
    dir->closes_late = is_same ? dir->parent->closes_late : dir_closes_late(fd);
    return 0;
}

static int enter(struct tree_copy *tree, struct tree_dir *dir)
{
    int fd = open_below(dir, SOURCE);
    if (fd < 0 || fstat(fd, &dir->st) < 0) {
        int code = fd < 0 ? fd : -errno;
        fd_close(fd);
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, code, "open", NULL);
    }
    dir->fd[SOURCE] = fd;
    identity_of_stat(&dir->identity[SOURCE], &dir->st);
    if (shard_leaves_dir(tree, dir))
        return DIR_LEFT;
    if (identity_is_same(&dir->identity[SOURCE], &tree->root->identity[TARGET]))
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, -EINVAL, "open",
                            "It is the target of the copy, and is not copied into itself");
    return open_target(tree, dir);
}

int dir_enter(struct tree_copy *tree, struct tree_dir *dir)
{
    enum leat_side side;
    int r = dir_hold(tree, dir->parent, &side);
    if (r < 0)
        return tree_problem(tree, dir, NULL, side, r, "open", NULL);
    r = enter(tree, dir);
    pthread_mutex_lock(&tree->dirs.lock);
    if (r != 0)
        for (int i = 0; i < SIDES; i++)
            dir->fd[i] = fd_close(dir->fd[i]);
    else {
        tree->dirs.open++;
        dir->holders = 1;
        close_some(&tree->dirs);
    }
    pthread_mutex_unlock(&tree->dirs.lock);
    dir_release(tree, dir->parent);
    return r;
}

/* ---- holding ---- */

static int open_side_again(struct tree_dir *dir, int side)
{
    struct identity now;
    int fd = open_below(dir, side);
    int r = fd < 0 ? fd : identity_of_fd(&now, fd);
    if (r == 0 && !identity_is_same(&now, &dir->identity[side]))
        r = -ESTALE; /* another folder has the name now */
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    dir->fd[side] = fd;
    return 0;
}

static int open_both_again(struct tree_dirs *dirs, struct tree_dir *dir, enum leat_side *ret_side)
{
    int r = open_side_again(dir, SOURCE);
    *ret_side = r < 0 ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
    if (r == 0)
        r = open_side_again(dir, TARGET);
    if (r < 0) {
        dir->fd[SOURCE] = fd_close(dir->fd[SOURCE]);
        return r;
    }
    dirs->open++;
    return 0;
}

/* Opens what is closed between the folder and the next open one above it, from there down. */
static int open_again(struct tree_dirs *dirs, struct tree_dir *dir, enum leat_side *ret_side)
{
    int r = 0;
    struct tree_dir *at = dir;
    dir->below = NULL;
    while (at->fd[SOURCE] < 0) {
        at->parent->below = at;
        at = at->parent;
    }
    while (at != dir && r == 0) {
        at = at->below;
        r = open_both_again(dirs, at, ret_side);
        if (r == 0 && at != dir)
            add_idle(dirs, at);
        close_some(
            dirs); /* not this one, which is the newest: a path may have more folders than there are descriptors */
    }
    return r;
}

int dir_hold(struct tree_copy *tree, struct tree_dir *dir, enum leat_side *ret_side)
{
    struct tree_dirs *dirs = &tree->dirs;
    int r = 0;
    pthread_mutex_lock(&dirs->lock);
    if (dir->fd[SOURCE] < 0)
        r = open_again(dirs, dir, ret_side);
    else if (dir->holders == 0)
        remove_idle(dirs, dir);
    if (r == 0)
        dir->holders++;
    close_some(dirs);
    pthread_mutex_unlock(&dirs->lock);
    return r;
}

void dir_release(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_dirs *dirs = &tree->dirs;
    pthread_mutex_lock(&dirs->lock);
    if (--dir->holders == 0) {
        add_idle(dirs, dir);
        close_some(dirs);
    }
    pthread_mutex_unlock(&dirs->lock);
}

/* ---- the end of a folder ---- */

void dir_ref(struct tree_copy *tree, struct tree_dir *dir)
{
    pthread_mutex_lock(&tree->dirs.lock);
    dir->refs++;
    pthread_mutex_unlock(&tree->dirs.lock);
}

void dir_unref(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_dirs *dirs = &tree->dirs;
    pthread_mutex_lock(&dirs->lock);
    while (dir && --dir->refs == 0) {
        struct tree_dir *parent = dir->parent;
        if (dir->fd[SOURCE] >= 0 && dir->holders == 0)
            remove_idle(dirs, dir);
        close_both(dirs, dir);
        free(dir);
        dir = parent;
    }
    pthread_mutex_unlock(&dirs->lock);
}

void dir_add_work(struct tree_copy *tree, struct tree_dir *dir)
{
    pthread_mutex_lock(&tree->dirs.lock);
    dir->refs++;
    dir->work++;
    pthread_mutex_unlock(&tree->dirs.lock);
}

static bool is_last_work(struct tree_copy *tree, struct tree_dir *dir)
{
    pthread_mutex_lock(&tree->dirs.lock);
    bool is_last = --dir->work == 0;
    pthread_mutex_unlock(&tree->dirs.lock);
    return is_last;
}

/* Goes up for as long as the work of the folder above ends with it, so the deepest folders come first. */
void dir_end_work(struct tree_copy *tree, struct tree_dir *dir)
{
    enum leat_side side;
    while (dir) {
        struct tree_dir *parent = dir->parent;
        bool is_last = is_last_work(tree, dir);
        if (is_last && dir->identity[TARGET].kind != IDENTITY_NONE && !tree_is_canceled(tree)) {
            int r = dir_hold(tree, dir, &side);
            if (r < 0)
                tree_problem(tree, dir, NULL, side, r, "open", NULL);
            else {
                attributes_of_dir(tree, dir);
                dir_release(tree, dir);
            }
        }
        if (is_last && parent)
            dir_ref(tree, parent); /* dir_unref may drop the last one */
        dir_unref(tree, dir);
        dir = is_last ? parent : NULL;
    }
}

char *dir_path(const struct tree_dir *dir, const char *name)
{
    size_t n = name ? strlen(name) + 1 : 1;
    for (const struct tree_dir *at = dir; at->parent; at = at->parent)
        n += strlen(at->name) + 1;
    char *path = malloc(n + 1), *end = path ? path + n : NULL;
    if (!path)
        return NULL;
    *end = '\0';
    const char *part = name ? name : dir->name;
    const struct tree_dir *at = name ? dir : dir->parent;
    for (;;) {
        size_t length = strlen(part);
        end -= length;
        memcpy(end, part, length);
        if (!at || !at->parent)
            break;
        *--end = '/';
        part = at->name;
        at = at->parent;
    }
    return memmove(path, end, strlen(end) + 1);
}
