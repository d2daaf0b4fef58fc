/* SPDX-License-Identifier: MIT */
/* The walker of a source that gives paths: makes the folders above each name, and batches of names that follow each
 * other in one folder. No more is kept than the folders above the last name, so the tree may be of any size; a source
 * that comes back to a folder opens it again. A path is never used as one: each part of it is a name in the folder
 * before, so it can't lead out of the tree. */
#include "tree/flat.h"
#include "tree/share/shard.h"
#include "tree/tree.h"

struct tree_flat {
    struct tree_dir *at; /* the folder of the last name; it and those above it have a piece of work of the walker */
    char *path;          /* of `at`, with a slash at its end; "": the root */
    size_t length, room;
    struct tree_found found; /* the next name */
    bool has_found, has_begun, has_ended;
};

/* ---- folders ---- */

static void leave(struct tree_copy *tree, struct tree_flat *flat)
{
    struct tree_dir *dir = flat->at;
    flat->at = dir->parent;
    flat->length -= strlen(dir->name) + 1;
    dir_end_work(tree, dir);
}

static int add_path(struct tree_flat *flat, const char *name, size_t n)
{
    size_t need = flat->length + n + 1;
    char *path = need > flat->room ? realloc(flat->path, 2 * need) : flat->path;
    if (!path)
        return -ENOMEM;
    flat->room = need > flat->room ? 2 * need : flat->room;
    flat->path = path;
    memcpy(path + flat->length, name, n); /* it is no string: a slash ends it */
    path[flat->length + n] = '/';
    flat->length += n + 1;
    return 0;
}

/* Returns 0; DIR_LEFT; or a code after it has recorded the problem. */
static int enter(struct tree_copy *tree, struct tree_flat *flat, const char *part, size_t n, const struct stat *st)
{
    char name[BATCH_NAME_MAX];
    memcpy(name, part, n);
    name[n] = '\0';
    struct tree_dir *dir = dir_new(tree, flat->at, name);
    if (!dir)
        return tree_problem(tree, flat->at, NULL, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
    flat->at->has_names = true;
    dir->st = *st;
    int r = dir_enter(tree, dir);
    if (r == 0) {
        dir_release(tree, dir);
        r = add_path(flat, name, n);
    }
    if (r != 0) {
        dir_end_work(tree, dir);
        return r;
    }
    flat->at = dir;
    atomic_fetch_add(&tree->counts.directories, 1);
    return 0;
}

static bool is_name(const char *part, size_t n)
{
    return n > 0 && n < BATCH_NAME_MAX && !(part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.')));
}

static bool is_path(const char *path)
{
    for (;;) {
        size_t n = strcspn(path, "/");
        if (!is_name(path, n))
            return false;
        if (!path[n])
            return true;
        path += n + 1;
    }
}

/* Is the folder of the last name above this path, or the path itself? */
static bool is_below(const struct tree_flat *flat, const char *path)
{
    size_t n = flat->length;
    return n == 0 || (strncmp(path, flat->path, n - 1) == 0 && (path[n - 1] == '/' || path[n - 1] == '\0'));
}

/* Enters the folders above a name, and the folder that it is itself. *ret_name is the last part of the name. Returns 0;
 * DIR_LEFT: the name is left to another shard; or a code after it has recorded the problem. */
static int go_to(struct tree_copy *tree, struct tree_flat *flat, const struct tree_found *found, const char **ret_name)
{
    const struct stat unknown = {.st_mode = 0};
    bool is_folder = S_ISDIR(found->kind);
    if (!is_path(found->name))
        return tree_problem(tree, tree->root, found->name, LEAT_SIDE_SOURCE, -EINVAL, "list",
                            "It can't be the name of a file");
    while (!is_below(flat, found->name))
        leave(tree, flat);
    bool is_here = flat->length > strlen(found->name);
    if (is_here && is_folder && found->st.st_mode)
        flat->at->st = found->st;
    if (is_here)
        return is_folder ? 0
                         : tree_problem(tree, tree->root, found->name, LEAT_SIDE_SOURCE, -EISDIR, "list",
                                        "The source has a folder of the same name, too");
    const char *part = found->name + flat->length;
    for (size_t n = strcspn(part, "/"); part[n] || is_folder; n = strcspn(part, "/")) {
        int r = enter(tree, flat, part, n, part[n] ? &unknown : &found->st);
        if (r != 0 || !part[n])
            return r;
        part += n + 1;
    }
    *ret_name = part;
    return 0;
}

/* A folder for a sink of keys, which has no other folders. */
static int make_folder(struct tree_copy *tree, struct tree_flat *flat, const struct tree_found *found)
{
    struct tree_dir *dir = dir_new(tree, flat->at, found->name);
    if (!dir)
        return tree_problem(tree, flat->at, NULL, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
    dir->st = found->st;
    int r = dir_enter(tree, dir);
    if (r == 0) {
        dir_release(tree, dir);
        atomic_fetch_add(&tree->counts.directories, 1);
    }
    dir_end_work(tree, dir);
    return r;
}

/* ---- names ---- */

/* Returns 1: there is a next name; 0: there is none. */
static int look_ahead(struct tree_copy *tree, struct tree_flat *flat)
{
    if (flat->has_found)
        return 1;
    if (!flat->has_begun && !flat->has_ended) {
        flat->has_begun = tree->source->begin(tree, tree->root) == 0;
        flat->has_ended = !flat->has_begun;
    }
    flat->found = (struct tree_found){.name = NULL};
    if (!flat->has_ended && !tree_is_canceled(tree))
        flat->has_found = tree->source->next(tree, tree->root, &flat->found) > 0;
    flat->has_ended |= !flat->has_found;
    return flat->has_found;
}

/* Can the next name join a batch of the folder that the last name is in? */
static bool is_here(const struct tree_copy *tree, const struct tree_flat *flat)
{
    const struct tree_found *found = &flat->found;
    if (S_ISDIR(found->kind))
        return false;
    return tree->sink->has_keys || (strncmp(found->name, flat->path ? flat->path : "", flat->length) == 0 &&
                                    !strchr(found->name + flat->length, '/'));
}

/* Adds the next name to the batch, or to a new one. Returns 0; a name that has a problem is passed over. -ENOMEM. */
static int take(struct tree_copy *tree, struct tree_flat *flat, struct tree_batch **batch)
{
    struct tree_found *found = &flat->found;
    const char *name = found->name;
    int taken = select_path(tree, found->name, S_ISDIR(found->kind));
    int r = taken <= 0              ? MIN(taken, 0)
            : !tree->sink->has_keys ? go_to(tree, flat, found, &name)
            : S_ISDIR(found->kind)  ? make_folder(tree, flat, found)
                                    : 0;
    bool is_wanted =
        r == 0 && taken > 0 && !S_ISDIR(found->kind) && !shard_leaves_name(tree, flat->at, name, found->kind);
    flat->has_found = false;
    if (is_wanted && !*batch)
        r = batch_new(tree, flat->at, batch);
    if (is_wanted && r == 0) {
        batch_add(*batch, name, strlen(name), S_ISREG(found->kind), found->mark);
        batch_count(tree, found);
    } else if (found->mark && tree->source->drop)
        tree->source->drop(tree, found->mark);
    return r == -ENOMEM ? r : 0;
}

int flat_next(struct tree_copy *tree, struct tree_batch **ret_batch)
{
    struct tree_flat *flat = tree->flat;
    struct tree_batch *batch = NULL;
    int r = 0;
    while (r == 0 && look_ahead(tree, flat)) {
        if (batch && (batch_is_full(tree, batch) || tree->source->is_sequence || !is_here(tree, flat)))
            break;
        r = take(tree, flat, &batch);
        if (batch && tree->source->is_sequence)
            break; /* the source waits for the end of this name */
    }
    if (batch && r < 0)
        batch_free(tree, batch);
    if (r < 0)
        return r;
    *ret_batch = batch;
    if (!batch)
        atomic_store(&tree->counts.has_found_all, 1);
    return batch ? 0 : LEAT_STAGES_END;
}

int flat_begin(struct tree_copy *tree)
{
    tree->flat = calloc(1, sizeof(*tree->flat));
    if (!tree->flat)
        return -ENOMEM;
    tree->pending = NULL; /* the root is not read as a folder */
    tree->flat->at = tree->root;
    atomic_fetch_add(&tree->counts.directories, 1);
    return 0;
}

void flat_end(struct tree_copy *tree)
{
    struct tree_flat *flat = tree->flat;
    if (!flat)
        return;
    if (flat->has_found && flat->found.mark && tree->source->drop)
        tree->source->drop(tree, flat->found.mark);
    if (flat->has_begun)
        tree->source->end(tree);
    while (flat->at != tree->root)
        leave(tree, flat);
    dir_release(tree, tree->root);
    dir_end_work(tree, tree->root);
    free(flat->path);
    free(flat);
    tree->flat = NULL;
}
