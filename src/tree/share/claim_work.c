/* SPDX-License-Identifier: MIT */
/* What is claimed: batches, and files with several names. */
#include "tree/share/claim.h"
#include "tree/share/shard.h"
#include "tree/tree.h"
#include <stdio.h>

/* ---- batches ---- */

/* 128 bits, so that no two batches of a tree have the same. */
static void name_unit(char kind, const char *const *texts, const size_t *lengths, size_t count, char *ret)
{
    uint64_t first = SHARD_HASH_FIRST, second = ~SHARD_HASH_FIRST;
    for (size_t i = 0; i < count; i++) {
        first = shard_hash(first, texts[i], lengths[i]);
        second = shard_hash(second * UINT64_C(0x9E3779B97F4A7C15) + lengths[i], texts[i], lengths[i]);
    }
    snprintf(ret, CLAIM_UNIT_MAX, "%c%016llx%016llx", kind, (unsigned long long)first, (unsigned long long)second);
}

static int name_batch(const struct tree_batch *batch, char *ret)
{
    char *path CLEANUP_FREE = dir_path(batch->dir, NULL);
    if (!path)
        return -ENOMEM;
    const char *const texts[] = {path, batch->bytes};
    const size_t lengths[] = {strlen(path) + 1, batch->used};
    name_unit('b', texts, lengths, COUNT(texts), ret);
    return 0;
}

void claim_batch(struct tree_copy *tree, void *worker, struct tree_batch *batch)
{
    struct tree_claims *claims = tree->claims;
    char unit[CLAIM_UNIT_MAX];
    if (claims->is_last)
        return;
    atomic_fetch_add(&claims->units, 1);
    int r = name_batch(batch, unit);
    if (r == 0)
        r = claim_take(claims, unit);
    if (r == UNIT_HELD)
        r = claim_add_held(claims, unit);
    else if (r == UNIT_TAKEN) {
        unsigned long before = tree_problems_here();
        tree->pass->batch(tree, worker, batch);
        bool is_copied = !tree_is_canceled(tree) && tree_problems_here() == before;
        r = is_copied ? claim_end(claims, unit, "") : 0;
    }
    if (r < 0)
        claim_problem(tree, batch->dir, NULL, r);
}

/* ---- files with several names ---- */

/* Enters a folder by the first n bytes of `part`, in one that is held and has a piece of work, and ends both there. */
static int enter_part(struct tree_copy *tree, struct tree_dir *above, const char *part, size_t n, struct tree_dir **ret)
{
    char *name = strndup(part, n);
    struct tree_dir *dir = name ? dir_new(tree, above, name) : NULL;
    int r = dir ? dir_enter(tree, dir) : -ENOMEM;
    free(name);
    dir_release(tree, above);
    dir_end_work(tree, above);
    if (r == 0)
        *ret = dir;
    else if (dir)
        dir_end_work(tree, dir);
    return r;
}

/* Enters the folder of a path, which this process may not have met yet, and holds it; it has one piece of work. */
static int enter_above(struct tree_copy *tree, const char *path, struct tree_dir **ret, const char **ret_name)
{
    enum leat_side side;
    struct tree_dir *dir = tree->root;
    int r = dir_hold(tree, dir, &side);
    dir_add_work(tree, dir);
    for (const char *slash; r == 0 && (slash = strchr(path, '/')); path = slash + 1)
        r = enter_part(tree, dir, path, (size_t)(slash - path), &dir);
    *ret = dir;
    *ret_name = path;
    return r;
}

/* Makes the name a link to another one of the target, given by its path. Returns 0; 1: it can't be a link; or a code
 * after it has recorded the problem. */
static int link_to(struct tree_copy *tree, struct tree_dir *dir, const char *name, const char *path)
{
    struct tree_making m = {.tree = tree, .dir = dir, .name = name};
    struct tree_dir *from = NULL;
    int r = enter_above(tree, path, &from, &m.first);
    if (r != 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, r < 0 ? r : -ESTALE, "link", NULL);
    m.from = from;
    r = tree->sink->hard_link(&m);
    dir_release(tree, from);
    dir_end_work(tree, from);
    if (r == 0)
        atomic_fetch_add(&tree->counts.hard_links, 1);
    return r;
}

/* The number alone is not enough: a tree may have several file systems. */
static void name_link(const struct stat *st, char *ret)
{
    char text[128];
    int n = snprintf(text, sizeof(text), "%llu %lld %lld %ld %lld %ld", (unsigned long long)st->st_ino,
                     (long long)st->st_size, (long long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec,
                     (long long)st->st_ctim.tv_sec, (long)st->st_ctim.tv_nsec);
    const char *const texts[] = {text};
    const size_t lengths[] = {(size_t)n};
    name_unit('l', texts, lengths, 1, ret);
}

/* Makes the name a link to that under which the file was copied. Returns 0 or a negative errno. */
static int link_to_done(struct tree_copy *tree, struct tree_dir *dir, const char *name, const char *unit,
                        claim_copy_fn *copy, void *user)
{
    char first[CLAIM_RECORD_MAX], *path CLEANUP_FREE = dir_path(dir, name);
    ssize_t n = path ? claim_read_done(tree->claims, unit, first, sizeof(first)) : -ENOMEM;
    if (n < 0)
        return (int)n;
    if (strcmp(first, path) != 0 && link_to(tree, dir, name, first) > 0)
        copy(user, false);
    return 0;
}

/* If this process was slow, another one may have copied the file under another name. */
static int copy_first(struct tree_copy *tree, struct tree_dir *dir, const char *name, const char *unit,
                      claim_copy_fn *copy, void *user)
{
    char *path CLEANUP_FREE = dir_path(dir, name);
    if (!path)
        return -ENOMEM;
    if (!copy(user, true))
        return 0;
    int r = claim_end(tree->claims, unit, path);
    return r == 1 ? link_to_done(tree, dir, name, unit, copy, user) : r;
}

void claim_link(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st,
                claim_copy_fn *copy, void *user)
{
    struct tree_claims *claims = tree->claims;
    char unit[CLAIM_UNIT_MAX];
    int r;
    name_link(st, unit);
    pthread_mutex_lock(&claims->links);
    while ((r = claim_take(claims, unit)) == UNIT_HELD && !tree_is_canceled(tree))
        claim_rest(tree);
    if (r == UNIT_TAKEN || r == UNIT_OWN) /* its own: it could not be copied under the first name */
        r = copy_first(tree, dir, name, unit, copy, user);
    else if (r == UNIT_DONE)
        r = link_to_done(tree, dir, name, unit, copy, user);
    pthread_mutex_unlock(&claims->links);
    if (r < 0)
        claim_problem(tree, dir, name, r);
}
