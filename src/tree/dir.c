/* SPDX-License-Identifier: MIT */
#include "tree/dir.h"
#include "base/fd.h"
#include "tree/journal/leftover.h"
#include "tree/share/shard.h"
#include "tree/target/change.h"
#include "tree/target/extra.h"
#include "tree/target/letters.h"
#include "tree/tree.h"

enum {
    OPEN_MAX_DIRS = 128 /* folders with descriptors, if some of them are idle and each has two */
};

void dirs_init(struct tree_dirs *dirs)
{
    pthread_mutex_init(&dirs->lock, NULL);
    dirs->most = OPEN_MAX_DIRS;
}

void dirs_limit(struct tree_dirs *dirs, unsigned descriptors)
{
    dirs->most = SIDES * OPEN_MAX_DIRS / MAX(descriptors, (unsigned)SIDES);
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

static void close_all(struct tree_dir *dir)
{
    for (int side = 0; side < SIDES; side++)
        dir->fd[side] = fd_close(dir->fd[side]);
    for (struct tree_dir **at = dir->branch; at && *at; at++) {
        (*at)->fd[SOURCE] = -1; /* it was that of the pair */
        (*at)->fd[TARGET] = fd_close((*at)->fd[TARGET]);
    }
}

static void close_both(struct tree_dirs *dirs, struct tree_dir *dir)
{
    dirs->open -= dir->is_open;
    dir->is_open = false;
    close_all(dir);
}

static void close_some(struct tree_dirs *dirs)
{
    while (dirs->open > dirs->most && dirs->oldest) {
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

struct tree_dir *dir_root(struct tree_copy *tree)
{
    struct tree_dir *dir = make("");
    if (!dir)
        return NULL;
    dir->hash = SHARD_HASH_FIRST;
    dir->refs++;      /* of the copy itself */
    dir->holders = 2; /* the walker, and the copy itself: the root has no name to open it by again */
    dir->is_open = true;
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
    dir->depth = parent->depth + 1;
    pthread_mutex_lock(&tree->dirs.lock);
    parent->refs++;
    parent->work++;
    pthread_mutex_unlock(&tree->dirs.lock);
    return dir;
}

struct tree_dir *dir_branch(struct tree_dir *above, const char *name)
{
    struct tree_dir *branch = make(name);
    if (branch)
        branch->parent = above;
    return branch;
}

static void free_branches(struct tree_dir *dir)
{
    for (struct tree_dir **at = dir->branch; at && *at; at++) {
        letters_free(*at);
        free(*at);
    }
    free(dir->branch);
}

/* ---- opening ---- */

static bool is_target(const struct tree_copy *tree, const struct identity *identity)
{
    bool is_one = identity_is_same(identity, &tree->root->identity[TARGET]);
    for (struct tree_dir **at = tree->root->branch; at && *at; at++)
        is_one |= (*at)->is_entered && identity_is_same(identity, &(*at)->identity[TARGET]);
    return is_one;
}

static int open_source(struct tree_copy *tree, struct tree_dir *dir)
{
    if (!tree->source->dir_open)
        return 0;
    int r = tree->source->dir_open(dir, &dir->st);
    if (r < 0)
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, r, "open", NULL);
    identity_of_stat(&dir->identity[SOURCE], &dir->st);
    if (!tree->pass->sink && is_target(tree, &dir->identity[SOURCE]))
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, -EINVAL, "open",
                            "It is the target of the copy, and is not copied into itself");
    return 0;
}

int dir_problem_of_target(struct tree_copy *tree, const struct tree_dir *dir, int code, const char *operation)
{
    const char *text = code == -ENOTDIR  ? "A folder can't replace what has this name and is no folder"
                       : code == -EEXIST ? TREE_NAME_TAKEN
                                         : NULL;
    return tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, code, operation, text ? "%s" : NULL, text);
}

static int open_target(struct tree_copy *tree, struct tree_dir *dir)
{
    const char *operation = "open";
    struct stat st;
    if (!tree->sink->dir_open)
        return 0;
    int r = tree->sink->dir_open(tree, dir, false, &st, &operation);
    if (r < 0 && tree->pass->missing)
        return tree->pass->missing(tree, dir, r);
    if (r != 0)
        return r < 0 ? dir_problem_of_target(tree, dir, r, operation) : r;
    identity_of_stat(&dir->identity[TARGET], &st);
    dir->existed |= tree_is_shared(tree);
    leftover_clear(tree, dir);
    return 0;
}

int dir_enter(struct tree_copy *tree, struct tree_dir *dir)
{
    enum leat_side side;
    int r = dir_hold(tree, dir->parent, &side);
    if (r < 0)
        return tree_problem(tree, dir, NULL, side, r, "open", NULL);
    r = open_source(tree, dir);
    if (r == 0 && shard_leaves_dir(tree, dir))
        r = DIR_LEFT;
    if (r == 0)
        r = open_target(tree, dir);
    if (r == 0)
        r = extra_begin(tree, dir);
    pthread_mutex_lock(&tree->dirs.lock);
    if (r != 0)
        close_all(dir);
    else {
        tree->dirs.open++;
        dir->is_open = dir->is_entered = true;
        dir->holders = 1;
        close_some(&tree->dirs);
    }
    pthread_mutex_unlock(&tree->dirs.lock);
    dir_release(tree, dir->parent);
    if (r == 0 && tree->sink->dir_open && !dir->existed)
        change_tell(tree, dir, NULL, LEAT_TREE_MADE);
    return r;
}

/* ---- holding ---- */

/* Another folder may have the name now. */
static int open_side_again(struct tree_copy *tree, struct tree_dir *dir, int side)
{
    const char *operation;
    struct identity now;
    struct stat st;
    int r;
    if (side == SOURCE ? !tree->source->dir_open : !tree->sink->dir_open)
        return 0;
    r = side == SOURCE ? tree->source->dir_open(dir, &st) : tree->sink->dir_open(tree, dir, true, &st, &operation);
    if (r < 0)
        return r;
    identity_of_stat(&now, &st);
    return identity_is_same(&now, &dir->identity[side]) ? 0 : -ESTALE;
}

static int open_both_again(struct tree_copy *tree, struct tree_dir *dir, enum leat_side *ret_side)
{
    int r = open_side_again(tree, dir, SOURCE);
    *ret_side = r < 0 ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
    if (r == 0)
        r = open_side_again(tree, dir, TARGET);
    if (r < 0) {
        close_all(dir);
        return r;
    }
    tree->dirs.open++;
    dir->is_open = true;
    return 0;
}

/* Opens what is closed between the folder and the next open one above it, from there down. */
static int open_again(struct tree_copy *tree, struct tree_dir *dir, enum leat_side *ret_side)
{
    int r = 0;
    struct tree_dir *at = dir;
    dir->below = NULL;
    while (!at->is_open) {
        at->parent->below = at;
        at = at->parent;
    }
    while (at != dir && r == 0) {
        at = at->below;
        r = open_both_again(tree, at, ret_side);
        if (r == 0 && at != dir)
            add_idle(&tree->dirs, at);
        /* Not this one, which is the newest: a path may have more folders than there are descriptors. */
        close_some(&tree->dirs);
    }
    return r;
}

int dir_hold(struct tree_copy *tree, struct tree_dir *dir, enum leat_side *ret_side)
{
    struct tree_dirs *dirs = &tree->dirs;
    int r = 0;
    pthread_mutex_lock(&dirs->lock);
    if (!dir->is_open)
        r = open_again(tree, dir, ret_side);
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
        if (dir->is_open && dir->holders == 0)
            remove_idle(dirs, dir);
        close_both(dirs, dir);
        free_branches(dir);
        free(dir->extra);
        letters_free(dir);
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
        bool is_wanted = dir->is_entered && !tree_is_canceled(tree) && !(tree->claims && !tree->claims->is_last);
        if (is_last && is_wanted && tree->sink->dir_end) {
            int r = dir_hold(tree, dir, &side);
            if (r < 0)
                tree_problem(tree, dir, NULL, side, r, "open", NULL);
            else {
                extra_delete(tree, dir);
                tree->sink->dir_end(tree, dir);
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

const struct dirent *dir_next(DIR *stream)
{
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(stream);
    } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry;
}
