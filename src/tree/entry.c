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

/* A name, and what the source says of it. */
struct entry {
    struct tree_copy *tree;
    struct tree_worker *worker;
    struct tree_dir *dir;
    const char *name;
    void *mark;
    const struct stat *st;
    struct tree_input *input; /* a regular file that is open; NULL: any other name */
};

/* ---- names that are no files. Each call returns 0: the target has the name now; or something else ---- */

static int lose_name(const struct entry *e, const char *operation, const char *lost)
{
    ends_lose(e->tree, e->dir, e->name, -EOPNOTSUPP, operation, lost);
    return 1;
}

static int copy_symlink(const struct entry *e)
{
    struct tree_copy *tree = e->tree;
    char text[PATH_MAX];
    struct tree_making m = {.tree = tree, .dir = e->dir, .name = e->name, .st = e->st, .text = text};
    int r = tree->sink->symlink ? tree->source->link_read(tree, e->dir, e->name, e->mark, text, sizeof(text)) : 1;
    if (r == 0 && update_leaves_symlink(tree, e->dir, e->name, text))
        return 0;
    if (r == 0)
        r = tree->sink->symlink(&m);
    if (r > 0)
        return lose_name(e, "symlink", "symbolic links");
    if (r == 0) {
        atomic_fetch_add(&tree->counts.symlinks, 1);
        change_tell(tree, e->dir, e->name, LEAT_TREE_COPIED);
    }
    return r;
}

static int copy_special(const struct entry *e)
{
    struct tree_copy *tree = e->tree;
    if (tree->options.keep != LEAT_TREE_ALL)
        return tree_problem(tree, e->dir, e->name, LEAT_SIDE_SOURCE, -EOPNOTSUPP, "stat",
                            "It is a FIFO, a socket or a device, which only a copy of all attributes copies");
    if (update_leaves_special(tree, e->dir, e->name, e->st))
        return 0;
    struct tree_making m = {.tree = tree, .dir = e->dir, .name = e->name, .st = e->st};
    int r = tree->sink->special ? tree->sink->special(&m) : 1;
    if (r > 0)
        return lose_name(e, "mknod", "FIFOs, sockets and devices");
    if (r == 0) {
        atomic_fetch_add(&tree->counts.specials, 1);
        change_tell(tree, e->dir, e->name, LEAT_TREE_COPIED);
    }
    return r;
}

static int copy_other(const struct entry *e)
{
    unsigned long problems = tree_problems_here();
    if (resume_has_name(e->tree, e->dir, e->name, e->st))
        return 0;
    bool is_link = S_ISLNK(e->st->st_mode);
    int r = is_link ? copy_symlink(e) : copy_special(e);
    if (r == 0 && tree_problems_here() == problems)
        resume_add_name(e->tree, e->worker, e->dir, e->name, e->st, is_link ? RECORD_SYMLINK : RECORD_SPECIAL);
    return r;
}

/* ---- one of several names ---- */

/* Returns 0; 1: the target can't have this link; or a code after it has recorded the problem. `e->st` is of when this
 * name or the first one was met. */
static int link_name(const struct entry *e, const struct tree_link *link)
{
    enum leat_side side;
    struct tree_copy *tree = e->tree;
    const struct tree_name *first = &link->first;
    int r = dir_hold(tree, first->dir, &side);
    if (r < 0)
        return tree_problem(tree, e->dir, e->name, side, r, "open", NULL);
    struct tree_making m = {.tree = tree, .dir = e->dir, .name = e->name, .from = first->dir, .first = first->name};
    bool is_left = update_leaves_link(tree, e->dir, e->name, first->dir, first->name) ||
                   resume_has_link(tree, e->dir, e->name, first->dir, first->name);
    r = is_left ? 0 : tree->sink->hard_link(&m);
    dir_release(tree, first->dir);
    if (r == 0 && !is_left) {
        atomic_fetch_add(&tree->counts.hard_links, 1);
        change_tell(tree, e->dir, e->name, LEAT_TREE_LINKED);
    }
    if (r == 0)
        resume_add_link(tree, e->worker, link, e->dir, e->name, e->st);
    return r;
}

/* A further name that can't be a hard link becomes a file of its own. */
static void copy_unlinked(const struct entry *e)
{
    int r = e->input ? file_copy(e->tree, e->worker, e->dir, e->name, e->input) : copy_other(e);
    if (r == 0)
        ends_lose(e->tree, e->dir, e->name, -EOPNOTSUPP, "link", "its other names as hard links");
}

/* A name that waited: nothing of it is open. */
static void link_or_copy(const struct entry *e, const struct tree_link *link)
{
    struct tree_input input = {.fd = -1};
    struct entry opened = *e;
    if (link_name(e, link) <= 0)
        return;
    if (!S_ISREG(e->st->st_mode)) {
        copy_unlinked(e);
        return;
    }
    if (e->tree->source->file_open(e->tree, e->dir, e->name, &input) < 0)
        return;
    opened.input = &input;
    copy_unlinked(&opened);
    e->tree->source->file_close(e->tree, &input);
}

static void copy_name(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      void *mark);

/* Makes the links that other workers left. If there is no first name to link to, the names are met again. */
static void end_first(const struct entry *e, struct tree_link *link, bool is_copied)
{
    struct tree_copy *tree = e->tree;
    struct tree_name *name = links_copied(tree, link, is_copied);
    while (name) {
        enum leat_side side;
        struct tree_name *next = name->next;
        struct entry other = {.tree = tree, .worker = e->worker, .dir = name->dir, .name = name->name, .st = e->st};
        int r = dir_hold(tree, name->dir, &side);
        if (r < 0)
            tree_problem(tree, name->dir, name->name, side, r, "open", NULL);
        else {
            if (is_copied)
                link_or_copy(&other, link);
            else
                copy_name(tree, e->worker, name->dir, name->name, NULL);
            dir_release(tree, name->dir);
        }
        links_free_name(tree, name);
        name = next;
    }
}

/* Returns true: the target has it, and so other names can become links to it. */
static bool copy_first(const struct entry *e)
{
    if (!e->input)
        return copy_other(e) == 0;
    enum tree_update update = update_of_file(e->tree, e->dir, e->name, e->st);
    return update == UPDATE_COPY ? file_copy(e->tree, e->worker, e->dir, e->name, e->input) == 0
                                 : update == UPDATE_SAME;
}

/* Other processes may make some of the names. */
static bool copy_shared(void *user, bool is_first)
{
    const struct entry *e = user;
    if (is_first)
        return copy_first(e);
    copy_unlinked(e);
    return false;
}

static bool is_one_of_several(const struct entry *e)
{
    return e->st->st_nlink > 1 && e->tree->options.keep == LEAT_TREE_ALL;
}

static void copy_one_of_several(struct entry *e)
{
    struct tree_copy *tree = e->tree;
    struct tree_link *link;
    if (!tree->sink->hard_link) {
        copy_unlinked(e);
        return;
    }
    if (tree->claims) {
        claim_link(tree, e->dir, e->name, e->st, copy_shared, e);
        return;
    }
    int answer = links_meet(tree, e->dir, e->name, e->st, &link);
    if (answer < 0)
        tree_problem(tree, e->dir, e->name, LEAT_SIDE_NONE, answer, "link", NULL);
    else if (answer == LINKS_COPY)
        end_first(e, link, copy_first(e));
    else if (answer == LINKS_LINK && link_name(e, link) > 0)
        copy_unlinked(e);
    if (answer == LINKS_COPY || answer == LINKS_LINK)
        links_end(tree, link, e->st->st_nlink);
}

/* ---- files ---- */

static void copy_file(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      void *mark)
{
    struct tree_input input = {.fd = -1, .mark = mark};
    struct entry e = {tree, worker, dir, name, mark, &input.st, &input};
    if (shard_leaves_looked_at(tree, dir, name) || update_leaves_file(tree, dir, name, mark))
        return;
    if (tree->source->file_open(tree, dir, name, &input) < 0)
        return;
    if (range_is_split(tree, dir, &input.st))
        range_copy(tree, worker, dir, name, &input);
    else if (is_one_of_several(&e))
        copy_one_of_several(&e);
    else
        file_copy(tree, worker, dir, name, &input);
    tree->source->file_close(tree, &input);
}

/* ---- a batch ---- */

static void copy_name(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
                      void *mark)
{
    struct stat st;
    struct entry e = {tree, worker, dir, name, mark, &st, NULL};
    if (shard_leaves_looked_at(tree, dir, name) || tree->source->look(tree, dir, name, mark, &st) < 0)
        return;
    if (S_ISREG(st.st_mode))
        copy_file(tree, worker, dir, name, mark);
    else if (S_ISDIR(st.st_mode))
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -ESTALE, "stat", "It became a folder meanwhile");
    else if (is_one_of_several(&e))
        copy_one_of_several(&e);
    else
        copy_other(&e);
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
