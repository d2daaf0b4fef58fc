/* SPDX-License-Identifier: MIT */
/* What a worker does with the names of a batch: looks at each, and copies it as what it is. */
#include "base/fd.h"
#include "endpoint/publish.h"
#include "tree/attributes.h"
#include "tree/ends.h"
#include "tree/file.h"
#include "tree/shard.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* ---- names that are no files: made at once, or beside what has the name, which they then replace ---- */

static int make_symlink(const struct tree_making *m, const char *as)
{
    return symlinkat(m->text, m->dir->fd[TARGET], as) < 0 ? -errno : 0;
}

static int make_special(const struct tree_making *m, const char *as)
{
    return mknodat(m->dir->fd[TARGET], as, (m->st->st_mode & S_IFMT) | 0600, m->st->st_rdev) < 0 ? -errno : 0;
}

static int make_link(const struct tree_making *m, const char *as)
{
    return linkat(m->from->fd[TARGET], m->first, m->dir->fd[TARGET], as, 0) < 0 ? -errno : 0;
}

/* Makes it under a hidden name beside the old file. Returns 0 or a negative errno. */
static int make_hidden(const struct tree_making *m, int (*make)(const struct tree_making *, const char *as), char *name,
                       char hidden[PUBLISH_HIDDEN_MAX])
{
    const struct place place = {.directory = m->dir->fd[TARGET], .name = name};
    int r = -EEXIST;
    bool asks = false;
    for (unsigned try = 0; try < PUBLISH_HIDDEN_TRIES && r == -EEXIST; try++) {
        publish_hidden_name(&place, try, asks, hidden);
        r = make(m, hidden);
        if (r == -ENAMETOOLONG && !asks) {
            asks = true;
            r = -EEXIST;
        }
    }
    return r;
}

/* Gives the name to what `make` makes. Returns 0, or a code after it has recorded the problem. */
static int make_name(const struct tree_making *m, int (*make)(const struct tree_making *, const char *as),
                     const char *operation)
{
    char hidden[PUBLISH_HIDDEN_MAX];
    int r = make(m, m->name);
    const char *now = m->name;
    if (r == -EEXIST && m->dir->existed) {
        char *own CLEANUP_FREE = strdup(m->name);
        now = hidden;
        r = own ? make_hidden(m, make, own, hidden) : -ENOMEM;
    }
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, operation, NULL);
    if (make != make_link)
        attributes_of_name(m->tree, m->dir, m->name, now, m->st);
    if (now == m->name)
        return 0;
    r = renameat(m->dir->fd[TARGET], now, m->dir->fd[TARGET], m->name) < 0 ? -errno : 0;
    unlinkat(m->dir->fd[TARGET], now, 0); /* also if both were names of one file: then rename(2) does nothing */
    return r < 0 ? tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, "rename", NULL) : 0;
}

static int copy_symlink(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st)
{
    char text[PATH_MAX];
    ssize_t n = readlinkat(dir->fd[SOURCE], name, text, sizeof(text));
    if (n < 0 || (size_t)n == sizeof(text))
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, n < 0 ? -errno : -ENAMETOOLONG, "readlink", NULL);
    text[n] = '\0';
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .st = st, .text = text};
    int r = make_name(&m, make_symlink, "symlink");
    if (r == 0)
        atomic_fetch_add(&tree->counts.symlinks, 1);
    return r;
}

static int copy_special(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st)
{
    if (tree->options.keep != LEAT_TREE_ALL)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -EOPNOTSUPP, "stat",
                            "It is a FIFO, a socket or a device, which only a copy of all attributes copies");
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .st = st};
    int r = make_name(&m, make_special, "mknod");
    if (r == 0)
        atomic_fetch_add(&tree->counts.specials, 1);
    return r;
}

/* ---- files ---- */

static int link_name(struct tree_copy *tree, const struct tree_name *first, struct tree_dir *dir, const char *name)
{
    enum leat_side side;
    int r = dir_hold(tree, first->dir, &side);
    if (r < 0)
        return tree_problem(tree, dir, name, side, r, "open", NULL);
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .from = first->dir, .first = first->name};
    r = make_name(&m, make_link, "link");
    dir_release(tree, first->dir);
    if (r == 0)
        atomic_fetch_add(&tree->counts.hard_links, 1);
    return r;
}

/* Makes the links that other workers left. If there is no first name to link to, the names are met again. */
static void end_first(struct tree_copy *tree, struct tree_worker *worker, struct tree_link *link, bool is_copied);

static void copy_file(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name)
{
    struct tree_link *link;
    struct stat st;
    if (shard_leaves_file(tree, dir, name))
        return;
    int in CLEANUP_FD = file_open(tree, dir, name, &st);
    if (in < 0)
        return;
    if (st.st_nlink < 2 || tree->options.keep != LEAT_TREE_ALL) {
        file_copy(tree, worker, dir, name, in, &st);
        return;
    }
    int answer = links_meet(tree, dir, name, &st, &link);
    if (answer < 0)
        tree_problem(tree, dir, name, LEAT_SIDE_NONE, answer, "link", NULL);
    else if (answer == LINKS_LINK)
        link_name(tree, &link->first, dir, name);
    else if (answer == LINKS_COPY)
        end_first(tree, worker, link, file_copy(tree, worker, dir, name, in, &st) == 0);
}

static void end_first(struct tree_copy *tree, struct tree_worker *worker, struct tree_link *link, bool is_copied)
{
    struct tree_name *name = links_copied(tree, link, is_copied);
    while (name) {
        enum leat_side side;
        struct tree_name *next = name->next;
        int r = dir_hold(tree, name->dir, &side);
        if (r < 0)
            tree_problem(tree, name->dir, name->name, side, r, "open", NULL);
        else {
            if (is_copied)
                link_name(tree, &link->first, name->dir, name->name);
            else
                copy_file(tree, worker, name->dir, name->name);
            dir_release(tree, name->dir);
        }
        links_free_name(tree, name);
        name = next;
    }
}

/* ---- a batch ---- */

static void copy_name(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name)
{
    struct stat st;
    if (fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
    else if (S_ISREG(st.st_mode))
        copy_file(tree, worker, dir, name);
    else if (S_ISLNK(st.st_mode))
        copy_symlink(tree, dir, name, &st);
    else if (S_ISDIR(st.st_mode))
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -ESTALE, "stat", "It became a folder meanwhile");
    else
        copy_special(tree, dir, name, &st);
}

void entry_copy_batch(struct tree_copy *tree, struct tree_worker *worker, const struct tree_batch *batch)
{
    const char *name = batch->bytes;
    for (unsigned i = 0; i < batch->count && !tree_is_canceled(tree); i++, name += strlen(name) + 1)
        (batch->is_file[i] ? copy_file : copy_name)(tree, worker, batch->dir, name);
}

/* ---- workers ---- */

int entry_worker_open(void *user UNUSED, void **ret_worker)
{
    struct tree_worker *worker = calloc(1, sizeof(*worker));
    if (worker && (worker->buffer = malloc(FILE_SMALL + 1))) {
        *ret_worker = worker;
        return 0;
    }
    free(worker);
    return -ENOMEM;
}

void entry_worker_close(void *user UNUSED, void *worker)
{
    free(((struct tree_worker *)worker)->buffer);
    free(worker);
}
