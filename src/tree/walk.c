/* SPDX-License-Identifier: MIT */
/* The walker: reads one folder after the other and makes batches of the names in it. It runs on one thread, the source
 * of the stages, and is never far ahead of the workers, since their queue is short. */
#include "base/fd.h"
#include "base/platform.h"
#include "tree/shard.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

void batch_free(struct tree_copy *tree, struct tree_batch *batch)
{
    dir_release(tree, batch->dir);
    dir_end_work(tree, batch->dir);
    free(batch);
}

/* The batch holds the folder. */
static struct tree_batch *batch_new(struct tree_copy *tree, struct tree_dir *dir)
{
    enum leat_side side;
    struct tree_batch *batch = malloc(sizeof(*batch));
    if (!batch)
        return NULL;
    batch->dir = dir;
    batch->count = 0;
    batch->used = 0;
    dir_add_work(tree, dir);
    dir_hold(tree, dir, &side); /* it is held, so this can't fail */
    return batch;
}

static void add_name(struct tree_batch *batch, const char *name, size_t n, bool is_file)
{
    batch->is_file[batch->count] = is_file;
    memcpy(batch->bytes + batch->used, name, n + 1);
    batch->used += n + 1;
    batch->count++;
}

static int add_pending(struct tree_copy *tree, struct tree_dir *dir, const char *name)
{
    struct tree_dir *child = dir_new(tree, dir, name);
    if (!child)
        return -ENOMEM;
    child->next = tree->pending;
    tree->pending = child;
    return 0;
}

/* What is it? Not every file system says so while it is read. 0: the worker will find out why that is not known. */
static mode_t kind_of(const struct tree_dir *dir, const struct dirent *entry)
{
    struct stat st;
    mode_t kind = platform.entry_kind(entry);
    if (kind || fstatat(dir->fd[SOURCE], entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return kind;
    return st.st_mode & S_IFMT;
}

/* What the walker is in the middle of. */
struct tree_reading {
    struct tree_dir *dir;
    DIR *stream;
};

static int begin(struct tree_copy *tree, struct tree_reading *reading, struct tree_dir *dir)
{
    int fd = openat(dir->fd[SOURCE], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    reading->stream = fd < 0 ? NULL : fdopendir(fd);
    if (!reading->stream) {
        int code = fd < 0 ? fd : -errno;
        fd_close(fd);
        return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, code, "open", NULL);
    }
    reading->dir = dir;
    return 0;
}

static void end(struct tree_copy *tree, struct tree_reading *reading)
{
    if (!reading->dir)
        return;
    closedir(reading->stream);
    dir_release(tree, reading->dir);
    dir_end_work(tree, reading->dir);
    *reading = (struct tree_reading){NULL, NULL};
}

static bool is_elsewhere(const struct tree_copy *tree, const struct tree_dir *dir)
{
    return tree->options.one_file_system && dir->st.st_dev != tree->root->st.st_dev;
}

/* Takes the folder that was found last. Returns 1, or 0: there is none. */
static int begin_next(struct tree_copy *tree, struct tree_reading *reading)
{
    while (tree->pending && !tree_is_canceled(tree)) {
        struct tree_dir *dir = tree->pending;
        tree->pending = dir->next;
        if (dir != tree->root && dir_enter(tree, dir) != 0) {
            dir_end_work(tree, dir);
            continue;
        }
        atomic_fetch_add(&tree->counts.directories, 1);
        if (!is_elsewhere(tree, dir) && begin(tree, reading, dir) == 0)
            return 1;
        dir_release(tree, dir);
        dir_end_work(tree, dir);
    }
    return 0;
}

/* Adds the next name. Returns 1: it was added to the batch, is a folder, or is left to another shard; 0: the folder has
 * ended; -ENOMEM. */
static int read_name(struct tree_copy *tree, struct tree_reading *reading, struct tree_batch *batch)
{
    errno = 0;
    const struct dirent *entry = readdir(reading->stream);
    if (!entry && errno)
        tree_problem(tree, reading->dir, NULL, LEAT_SIDE_SOURCE, -errno, "readdir", NULL);
    if (!entry)
        return 0;
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 1;
    mode_t kind = kind_of(reading->dir, entry);
    if (S_ISDIR(kind))
        return add_pending(tree, reading->dir, name) < 0 ? -ENOMEM : 1;
    if (!shard_leaves_name(tree, reading->dir, name, kind))
        add_name(batch, name, strlen(name), S_ISREG(kind));
    return 1;
}

static bool is_full(const struct tree_batch *batch)
{
    return batch->count == BATCH_NAMES || batch->used + NAME_MAX + 1 > BATCH_BYTES;
}

/* Fills a batch from the folder that is being read. */
static int fill(struct tree_copy *tree, struct tree_reading *reading, struct tree_batch *batch)
{
    int r = 1;
    while (r > 0 && !is_full(batch))
        r = read_name(tree, reading, batch);
    return r;
}

int walk_next(void *user, void **ret_batch)
{
    struct tree_copy *tree = user;
    struct tree_reading *reading = tree->reading;
    while (reading->dir || begin_next(tree, reading)) {
        struct tree_batch *batch = batch_new(tree, reading->dir);
        int r = batch ? fill(tree, reading, batch) : -ENOMEM;
        if (r <= 0)
            end(tree, reading);
        if (r >= 0 && batch->count > 0) {
            *ret_batch = batch;
            return 0;
        }
        if (batch)
            batch_free(tree, batch);
        if (r < 0)
            return r;
    }
    return LEAT_STAGES_END;
}

int walk_begin(struct tree_copy *tree)
{
    tree->reading = calloc(1, sizeof(*tree->reading));
    return tree->reading ? 0 : -ENOMEM;
}

void walk_end(struct tree_copy *tree)
{
    if (tree->reading)
        end(tree, tree->reading);
    free(tree->reading);
    while (tree->pending) {
        struct tree_dir *dir = tree->pending;
        tree->pending = dir->next;
        dir_end_work(tree, dir);
    }
}
