/* SPDX-License-Identifier: MIT */
/* What a worker does with the names of a batch: looks at each, and copies it as what it is. */
#include "tree/ends.h"
#include "tree/file.h"
#include "tree/journal/resume.h"
#include "tree/select/update.h"
#include "tree/share/range.h"
#include "tree/share/shard.h"
#include "tree/target/change.h"
#include "tree/tree.h"
#include <limits.h>

/* ---- names that are no files ---- */

static int copy_symlink(struct tree_copy *tree, struct tree_dir *dir, const char *name, void *mark,
                        const struct stat *st)
{
    char text[PATH_MAX];
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .st = st, .text = text};
    int r = tree->sink->symlink ? tree->source->link_read(tree, dir, name, mark, text, sizeof(text)) : 1;
    if (r == 0 && update_leaves_symlink(tree, dir, name, text))
        return 0;
    if (r == 0)
        r = tree->sink->symlink(&m);
    if (r > 0)
        return ends_lose(tree, dir, name, -EOPNOTSUPP, "symlink", "symbolic links");
    if (r == 0) {
        atomic_fetch_add(&tree->counts.symlinks, 1);
        change_tell(tree, dir, name, LEAT_TREE_COPIED);
    }
    return r;
}

static int copy_special(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st)
{
    if (tree->options.keep != LEAT_TREE_ALL)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -EOPNOTSUPP, "stat",
                            "It is a FIFO, a socket or a device, which only a copy of all attributes copies");
    if (update_leaves_special(tree, dir, name, st))
        return 0;
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .st = st};
    int r = tree->sink->special ? tree->sink->special(&m) : 1;
    if (r > 0)
        return ends_lose(tree, dir, name, -EOPNOTSUPP, "mknod", "FIFOs, sockets and devices");
    if (r == 0) {
        atomic_fetch_add(&tree->counts.specials, 1);
        change_tell(tree, dir, name, LEAT_TREE_COPIED);
    }
    return r;
}

/* ---- files ---- */

/* Returns 0; 1: the target can't have this link; or a code after it has recorded the problem. `st`: of the file, when
 * this name or the first one was met. */
static int link_name(struct tree_copy *tree, struct tree_worker *worker, const struct tree_link *link,
                     struct tree_dir *dir, const char *name, const struct stat *st)
{
    enum leat_side side;
    const struct tree_name *first = &link->first;
    int r = dir_hold(tree, first->dir, &side);
    if (r < 0)
        return tree_problem(tree, dir, name, side, r, "open", NULL);
    struct tree_making m = {.tree = tree, .dir = dir, .name = name, .from = first->dir, .first = first->name};
    bool is_left = update_leaves_link(tree, dir, name, first->dir, first->name) ||
                   resume_has_link(tree, dir, name, first->dir, first->name);
    r = is_left ? 0 : tree->sink->hard_link(&m);
    dir_release(tree, first->dir);
    if (r == 0 && !is_left) {
        atomic_fetch_add(&tree->counts.hard_links, 1);
        change_tell(tree, dir, name, LEAT_TREE_LINKED);
    }
    if (r == 0)
        resume_add_link(tree, worker, link, dir, name, st);
    return r;
}

/* A further name that can't be a hard link becomes a file of its own. */
static void copy_unlinked(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                          struct tree_input *input)
{
    if (file_copy(tree, worker, dir, name, input) == 0)
        ends_lose(tree, dir, name, -EOPNOTSUPP, "link", "its other names as hard links");
}

static void link_or_copy(struct tree_copy *tree, struct tree_worker *worker, const struct tree_link *link,
                         struct tree_dir *dir, const char *name, const struct stat *st)
{
    struct tree_input input = {.fd = -1};
    if (link_name(tree, worker, link, dir, name, st) <= 0 || tree->source->file_open(tree, dir, name, &input) < 0)
        return;
    copy_unlinked(tree, worker, dir, name, &input);
    tree->source->file_close(tree, &input);
}

/* Makes the links that other workers left. If there is no first name to link to, the names are met again. */
static void end_first(struct tree_copy *tree, struct tree_worker *worker, struct tree_link *link, bool is_copied,
                      const struct stat *st);

/* Returns true: the target has the file, and so other names can become links to it. */
static bool copy_first(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                       struct tree_input *input)
{
    enum tree_update update = update_of_file(tree, dir, name, &input->st);
    return update == UPDATE_COPY ? file_copy(tree, worker, dir, name, input) == 0 : update == UPDATE_SAME;
}

/* A file with several names, of which other processes may make some. */
struct shared_file {
    struct tree_copy *tree;
    struct tree_worker *worker;
    struct tree_dir *dir;
    const char *name;
    struct tree_input *input;
};

static bool copy_shared(void *user, bool is_first)
{
    const struct shared_file *f = user;
    if (is_first)
        return copy_first(f->tree, f->worker, f->dir, f->name, f->input);
    copy_unlinked(f->tree, f->worker, f->dir, f->name, f->input);
    return false;
}

static void copy_open(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      struct tree_input *input)
{
    struct tree_link *link;
    if (range_is_split(tree, dir, &input->st)) {
        range_copy(tree, worker, dir, name, input);
        return;
    }
    if (input->st.st_nlink < 2 || tree->options.keep != LEAT_TREE_ALL) {
        file_copy(tree, worker, dir, name, input);
        return;
    }
    if (!tree->sink->hard_link) {
        copy_unlinked(tree, worker, dir, name, input);
        return;
    }
    if (tree->claims) {
        struct shared_file file = {tree, worker, dir, name, input};
        claim_link(tree, dir, name, &input->st, copy_shared, &file);
        return;
    }
    int answer = links_meet(tree, dir, name, &input->st, &link);
    if (answer < 0)
        tree_problem(tree, dir, name, LEAT_SIDE_NONE, answer, "link", NULL);
    else if (answer == LINKS_COPY)
        end_first(tree, worker, link, copy_first(tree, worker, dir, name, input), &input->st);
    else if (answer == LINKS_LINK && link_name(tree, worker, link, dir, name, &input->st) > 0)
        copy_unlinked(tree, worker, dir, name, input);
    if (answer == LINKS_COPY || answer == LINKS_LINK)
        links_end(tree, link, input->st.st_nlink);
}

static void copy_file(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      void *mark)
{
    struct tree_input input = {.fd = -1, .mark = mark};
    if (shard_leaves_file(tree, dir, name) || update_leaves_file(tree, dir, name, mark))
        return;
    if (tree->source->file_open(tree, dir, name, &input) < 0)
        return;
    copy_open(tree, worker, dir, name, &input);
    tree->source->file_close(tree, &input);
}

static void end_first(struct tree_copy *tree, struct tree_worker *worker, struct tree_link *link, bool is_copied,
                      const struct stat *st)
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
                link_or_copy(tree, worker, link, name->dir, name->name, st);
            else
                copy_file(tree, worker, name->dir, name->name, NULL);
            dir_release(tree, name->dir);
        }
        links_free_name(tree, name);
        name = next;
    }
}

/* ---- a batch ---- */

/* What is no file and no folder. */
static void copy_other(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                       void *mark, const struct stat *st)
{
    unsigned long problems = tree_problems_here();
    bool is_link = S_ISLNK(st->st_mode);
    int r = is_link ? copy_symlink(tree, dir, name, mark, st) : copy_special(tree, dir, name, st);
    if (r == 0 && tree_problems_here() == problems)
        resume_add_name(tree, worker, dir, name, st, is_link ? RECORD_SYMLINK : RECORD_SPECIAL);
}

static void copy_name(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      void *mark)
{
    struct stat st;
    if (tree->source->look(tree, dir, name, mark, &st) < 0)
        return;
    if (S_ISREG(st.st_mode))
        copy_file(tree, worker, dir, name, mark);
    else if (S_ISDIR(st.st_mode))
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -ESTALE, "stat", "It became a folder meanwhile");
    else if (!resume_has_name(tree, dir, name, &st))
        copy_other(tree, worker, dir, name, mark, &st);
}

void entry_copy_batch(struct tree_copy *tree, void *worker, struct tree_batch *batch)
{
    const char *name = batch->bytes;
    if (batch->large)
        pieces_help(tree, worker, batch->large);
    for (unsigned i = 0; i < batch->count && !tree_is_canceled(tree); i++, name += strlen(name) + 1) {
        (batch->is_file[i] ? copy_file : copy_name)(tree, worker, batch->dir, name, batch->mark[i]);
        batch_drop_mark(tree, batch, i);
    }
}

/* ---- workers ---- */

int entry_worker_open(void *user, void **ret_worker)
{
    struct tree_worker *worker = calloc(1, sizeof(*worker));
    if (worker && (worker->buffer = malloc(FILE_SMALL + 1)) && resume_worker_open(user, worker) == 0) {
        *ret_worker = worker;
        return 0;
    }
    if (worker)
        free(worker->buffer);
    free(worker);
    return -ENOMEM;
}

void entry_worker_close(void *user UNUSED, void *worker)
{
    free(((struct tree_worker *)worker)->buffer);
    free(worker);
}
