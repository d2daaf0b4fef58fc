/* SPDX-License-Identifier: MIT */
/* A branch whose is_entered is not set has no folder in its target: the problem is recorded. It is set and cleared only
 * while the pair is opened, before a worker can hold it. */
#include "base/fd.h"
#include "tree/attributes.h"
#include "tree/ends/folder.h"
#include "tree/ends/several.h"
#include "tree/tree.h"

/* ---- folders ---- */

/* The rest of them is NULL, if there is no memory. */
static int make_branches(const struct tree_copy *tree, struct tree_dir *dir, const char *const *names)
{
    dir->branch = calloc(tree->targets + 1, sizeof(struct tree_dir *));
    for (unsigned i = 0; dir->branch && i < tree->targets; i++) {
        struct tree_dir *above = dir->parent ? dir->parent->branch[i] : NULL;
        dir->branch[i] = dir_branch(above, names ? names[i] : dir->name);
        if (!dir->branch[i])
            return -ENOMEM;
    }
    return dir->branch ? 0 : -ENOMEM;
}

/* The pair may also be opened again, or be a folder whose attributes became known later. */
static void give_source(const struct tree_dir *dir, struct tree_dir *branch)
{
    branch->st = dir->st;
    branch->depth = dir->depth;
    branch->fd[SOURCE] = dir->fd[SOURCE];
}

static bool is_taken(const struct tree_copy *tree, const struct tree_dir *branch)
{
    const struct tree_dir *root = tree->root;
    bool is_one = identity_is_same(&branch->identity[TARGET], &root->identity[SOURCE]);
    for (unsigned i = 0; root->branch[i] != branch; i++)
        is_one |= root->branch[i]->is_entered &&
                  identity_is_same(&branch->identity[TARGET], &root->branch[i]->identity[TARGET]);
    return is_one;
}

/* A root that can't be opened is a problem of its target alone. Two that are one folder, by a mount, are none of this
 * copy. */
static int open_root(struct tree_copy *tree, struct tree_dir *branch, const char *path, struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    give_source(tree->root, branch);
    int r = tree_folder_make_root(branch, path, &own);
    if (r == 0 && is_taken(tree, branch))
        return error_at(error, -EINVAL, LEAT_SIDE_SINK, path, "open",
                        "It is the same folder as the source or another target");
    branch->is_entered = r == 0;
    if (r < 0)
        tree_problem(tree, branch, NULL, LEAT_SIDE_SINK, r, own.operation, "%s", own.text);
    return 0;
}

static int open_roots(struct tree_copy *tree, const char *spec, const char *path, struct leat_error *error)
{
    const char *names[LEAT_TREE_TARGETS_MAX] = {spec};
    struct tree_dir *root = tree->root;
    unsigned open = 0;
    for (unsigned i = 1; i < tree->targets; i++)
        names[i] = tree->options.more_targets[i - 1];
    dirs_limit(&tree->dirs, tree->targets + 1);
    int r = make_branches(tree, root, names);
    if (r < 0)
        return error_set(error, r, "out of memory");
    root->existed = true;
    for (unsigned i = 0; r == 0 && i < tree->targets; i++) {
        const struct tree_sink *sink;
        if (i > 0)
            r = ends_find_sink(names[i], &sink, &path, error);
        if (r == 0)
            r = open_root(tree, root->branch[i], path, error);
        root->existed &= root->branch[i]->existed;
        open += root->branch[i]->is_entered;
    }
    return r < 0 || open > 0 ? r : tree->error->code;
}

static bool enter(struct tree_copy *tree, struct tree_dir *dir, struct tree_dir *branch)
{
    const char *operation;
    struct stat st;
    if (!branch->parent->is_entered)
        return false;
    give_source(dir, branch);
    int r = sink_folder.dir_open(tree, branch, false, &st, &operation);
    if (r < 0) {
        dir_problem_of_target(tree, branch, r, operation);
        return false;
    }
    identity_of_stat(&branch->identity[TARGET], &st);
    dir->existed &= branch->existed;
    return branch->is_entered = true;
}

static bool enter_again(struct tree_copy *tree, const struct tree_dir *dir, struct tree_dir *branch)
{
    const char *operation = "open";
    struct identity now;
    struct stat st;
    if (!branch->is_entered)
        return false;
    give_source(dir, branch);
    branch->is_entered = branch->parent->is_entered;
    int r = branch->is_entered ? sink_folder.dir_open(tree, branch, true, &st, &operation) : -ESTALE;
    if (r == 0) {
        identity_of_stat(&now, &st);
        r = identity_is_same(&now, &branch->identity[TARGET]) ? 0 : -ESTALE;
    }
    if (r < 0) {
        branch->fd[TARGET] = fd_close(branch->fd[TARGET]);
        branch->is_entered = false;
        dir_problem_of_target(tree, branch, r, operation);
    }
    return r == 0;
}

static int dir_open(struct tree_copy *tree, struct tree_dir *dir, bool again, struct stat *ret,
                    const char **ret_operation)
{
    unsigned open = 0;
    *ret_operation = "open";
    *ret = (struct stat){.st_mode = S_IFDIR};
    if (!again && make_branches(tree, dir, NULL) < 0)
        return -ENOMEM;
    dir->existed |= !again;
    for (unsigned i = 0; i < tree->targets; i++)
        open += again ? enter_again(tree, dir, dir->branch[i]) : enter(tree, dir, dir->branch[i]);
    return open > 0 ? 0 : again ? -ESTALE : DIR_LEFT;
}

static int dir_end(struct tree_copy *tree, struct tree_dir *dir)
{
    for (struct tree_dir **at = dir->branch; *at; at++)
        if ((*at)->is_entered) {
            give_source(dir, *at);
            attributes_of_dir(tree, *at); /* records problems */
        }
    return 0;
}

/* ---- files ---- */

static int file_open(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                     struct tree_output *ret)
{
    int r = -ESTALE;
    ret->each = calloc(tree->targets, sizeof(*ret->each));
    if (!ret->each)
        return tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
    for (struct tree_dir **at = dir->branch; *at; at++) {
        struct tree_output *output = &ret->each[ret->count];
        *output = (struct tree_output){.fd = -1, .dir = *at};
        int one = (*at)->is_entered ? sink_folder.file_open(tree, *at, name, input, output) : -ESTALE;
        ret->count += one == 0;
        r = one < 0 && (*at)->is_entered ? one : r;
    }
    if (ret->count > 0)
        return 0;
    free(ret->each);
    return r;
}

static int file_end(struct tree_copy *tree, struct tree_dir *dir UNUSED, const char *name,
                    const struct tree_input *input, struct tree_output *output, int code)
{
    unsigned ended = 0;
    int r = code;
    for (unsigned i = 0; i < output->count; i++) {
        struct tree_output *one = &output->each[i];
        int now = sink_folder.file_end(tree, one->dir, name, input, one, code < 0 ? code : one->code);
        ended += now == 0;
        r = now < 0 ? now : r;
    }
    free(output->each);
    return ended > 0 ? 0 : r;
}

/* ---- other names ---- */

typedef int make_fn(const struct tree_making *making);

/* What is made in the branch of a target. Returns false: the target has no such folder. */
static bool set_branch(const struct tree_making *m, unsigned i, struct tree_making *ret)
{
    *ret = *m;
    ret->dir = m->dir->branch[i];
    ret->from = m->from ? m->from->branch[i] : NULL;
    return ret->dir->is_entered && (!ret->from || ret->from->is_entered);
}

/* Makes a name in each target. `lose` is for those that can't have such names. If no target can, that is said once, by
 * the caller. */
static int make_each(const struct tree_making *m, make_fn *make, make_fn *lose)
{
    bool is_lost[LEAT_TREE_TARGETS_MAX] = {false};
    struct tree_making one;
    unsigned made = 0, lost = 0;
    int code = 0;
    for (unsigned i = 0; i < m->tree->targets; i++) {
        int r = set_branch(m, i, &one) ? make(&one) : -ESTALE;
        code = r < 0 ? r : code;
        made += r == 0;
        lost += is_lost[i] = r > 0;
    }
    if (lost > 0 && made == 0 && code == 0)
        return 1;
    for (unsigned i = 0; i < m->tree->targets; i++)
        if (is_lost[i] && set_branch(m, i, &one) && lose(&one) == 0)
            made++;
    return made > 0 ? 0 : code;
}

static int lose_symlink(const struct tree_making *m)
{
    return ends_lose(m->tree, m->dir, m->name, -EOPNOTSUPP, "symlink", "symbolic links");
}

static int lose_special(const struct tree_making *m)
{
    return ends_lose(m->tree, m->dir, m->name, -EOPNOTSUPP, "mknod", "FIFOs, sockets and devices");
}

static int make_symlink(const struct tree_making *m)
{
    return make_each(m, sink_folder.symlink, lose_symlink);
}

static int make_special(const struct tree_making *m)
{
    return make_each(m, sink_folder.special, lose_special);
}

static int make_hard_link(const struct tree_making *m)
{
    return make_each(m, sink_folder.hard_link, several_copy_link);
}

const struct tree_sink sink_several = {
    .scheme = "",
    .open = open_roots,
    .dir_open = dir_open,
    .dir_end = dir_end,
    .file_open = file_open,
    .file_end = file_end,
    .symlink = make_symlink,
    .special = make_special,
    .hard_link = make_hard_link,
};
