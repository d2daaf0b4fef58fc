/* SPDX-License-Identifier: MIT */
/* Which targets and options go together, looked at before anything is made. */
#include "base/text.h"
#include "tree/ends/several.h"
#include "tree/tree.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

static const char *refused_of(const struct tree_copy *tree)
{
    const struct leat_tree_options *o = &tree->options;
    if (tree->pass->sink)
        return "only a copy has several targets";
    if (tree_is_shared(tree))
        return "shards and claims have one target";
    if (o->resume || (o->journal && !o->journal_optional))
        return "a journal is that of one target";
    if (o->update || o->delete_extra || o->dry_run)
        return "`update`, `delete_extra` and `dry_run` look at one target";
    if (o->publish || o->sync)
        return "`publish` and `sync` are for one target";
    return NULL;
}

int several_check(struct tree_copy *tree, struct leat_error *error)
{
    const char *const *more = tree->options.more_targets;
    unsigned count = 1;
    while (more && more[count - 1] && count <= LEAT_TREE_TARGETS_MAX)
        count++;
    if (count == 1)
        return 0;
    const char *refused = refused_of(tree);
    if (refused)
        return error_set(error, -EINVAL, "With `more_targets` this is not possible: %s", refused);
    if (count > LEAT_TREE_TARGETS_MAX)
        return error_set(error, -EINVAL, "There are too many targets: up to %d are possible", LEAT_TREE_TARGETS_MAX);
    tree->options.journal = NULL;
    tree->targets = count;
    return 0;
}

/* ---- places ---- */

/* Cuts parts off the path in `text` until it leads to a folder that exists, and appends them to the path of that. */
static char *resolve(char *text, const char *path)
{
    size_t n = strlen(path);
    char *full CLEANUP_FREE = NULL;
    while (!(full = realpath(n > 0 ? text : path[0] == '/' ? "/" : ".", NULL)) && n > 0 && errno != ENOMEM) {
        while (n > 0 && text[n - 1] == '/')
            n--;
        while (n > 0 && text[n - 1] != '/')
            n--;
        text[n] = '\0';
    }
    return full ? text_join(full, "/", path + n) : NULL;
}

/* Returns the path without links and dots, also of what does not exist yet. NULL: no memory, or the working folder is
 * gone; errno says which. */
static char *full_path(const char *path)
{
    char *text CLEANUP_FREE = strdup(path);
    return text ? resolve(text, path) : NULL;
}

static const char *next_part(const char *at, size_t *ret_n)
{
    at += strspn(at, "/");
    *ret_n = strcspn(at, "/");
    return at;
}

/* Is `inner` the folder `outer`, or in it? */
static bool is_in(const char *inner, const char *outer)
{
    size_t n, m;
    for (;;) {
        outer = next_part(outer, &n);
        inner = next_part(inner, &m);
        if (n == 0)
            return true;
        if (n != m || memcmp(inner, outer, n) != 0)
            return false;
        inner += m;
        outer += n;
    }
}

/* The first path is that of the source; NULL: it is no folder. */
static int check_paths(char *const *full, const char *const *name, unsigned count, struct leat_error *error)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned j = 0; j < count; j++) {
            if (i == j || !full[j] || !is_in(full[i], full[j]))
                continue;
            return error_at(error, -EINVAL, LEAT_SIDE_SINK, name[i], "open", "%s %s",
                            is_in(full[j], full[i]) ? "It is the same folder as" : "It is in the folder of",
                            j == 0 ? "the source" : "another target");
        }
    return 0;
}

static int find_more(struct tree_copy *tree, const char **name, struct leat_error *error)
{
    const struct tree_sink *sink = tree->sink;
    for (unsigned i = 0;; i++) {
        if (sink != &sink_folder)
            return error_at(error, -EINVAL, LEAT_SIDE_SINK, i ? tree->options.more_targets[i - 1] : name[1], "open",
                            "If there are several targets, each is a folder");
        if (i + 1 == tree->targets)
            return 0;
        int r = ends_find_sink(tree->options.more_targets[i], &sink, &name[i + 2], error);
        if (r < 0)
            return r;
    }
}

int several_replace_sink(struct tree_copy *tree, const char *from, const char *to, struct leat_error *error)
{
    const char *name[LEAT_TREE_TARGETS_MAX + 1] = {from, to};
    char *full[LEAT_TREE_TARGETS_MAX + 1] = {NULL};
    unsigned count = tree->targets + 1;
    if (!tree->targets)
        return 0;
    if (tree->source->copy)
        return error_set(error, -EINVAL, "An archive is unpacked into one target");
    int r = find_more(tree, name, error);
    for (unsigned i = tree->source->dir_open ? 0 : 1; r == 0 && i < count; i++)
        if (!(full[i] = full_path(name[i])))
            r = error_set(error, -errno, "Can't tell where the folders are");
    if (r == 0)
        r = check_paths(full, name, count, error);
    for (unsigned i = 0; i < count; i++)
        free(full[i]);
    if (r == 0)
        tree->sink = &sink_several;
    return r;
}
