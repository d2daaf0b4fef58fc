/* SPDX-License-Identifier: MIT */
/* What waits for the end of an archive. Folders get their attributes then, because more may come into them, and because
 * some may not be written to. The digests of an image wait, because a layer may replace files of another one. */
#include "tree/archive/unpack.h"
#include "tree/tree.h"

static int keep(struct unpack *u, struct unpack_kept kept)
{
    if (u->kept_count == u->kept_room) {
        size_t room = u->kept_room ? 2 * u->kept_room : 64;
        struct unpack_kept *grown = realloc(u->kept, room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        u->kept = grown;
        u->kept_room = room;
    }
    kept.number = u->entries;
    u->kept[u->kept_count++] = kept;
    return 0;
}

int unpack_keep_folder(struct unpack *u)
{
    int r = keep(u, (struct unpack_kept){.path = u->path, .given = u->given});
    if (r < 0)
        return r;
    u->path = NULL;
    given_init(&u->given);
    return 0;
}

int unpack_keep_digest(struct unpack *u, const char *hex)
{
    struct unpack_kept kept = {.path = strdup(u->path), .hex = strdup(hex)};
    int r = kept.path && kept.hex ? keep(u, kept) : -ENOMEM;
    if (r < 0) {
        free(kept.path);
        free(kept.hex);
    }
    return r;
}

static void clear_one(struct unpack_kept *kept)
{
    free(kept->path);
    free(kept->hex);
    given_clear(&kept->given);
}

void unpack_forget(struct unpack *u, const char *path, bool below)
{
    size_t n = strlen(path), left = 0;
    for (size_t i = 0; i < u->kept_count; i++) {
        const char *at = u->kept[i].path;
        bool is_below = n == 0 ? at[0] : strncmp(at, path, n) == 0 && at[n] == '/';
        if (is_below || (!below && strcmp(at, path) == 0))
            clear_one(&u->kept[i]);
        else
            u->kept[left++] = u->kept[i];
    }
    u->kept_count = left;
}

static int by_path(const void *a, const void *b)
{
    const struct unpack_kept *x = a, *y = b;
    int r = strcmp(x->path, y->path);
    return r ? r : (x->number > y->number) - (x->number < y->number);
}

static void end_folder(struct unpack *u, const struct unpack_kept *kept)
{
    unsigned made = 0;
    int fd = beneath_open(&u->names, kept->path, strlen(kept->path), false, &made);
    if (fd < 0)
        tree_problem(u->tree, u->tree->root, kept->path, LEAT_SIDE_SINK, fd, "open", NULL);
    else
        given_to_file(u->tree, kept->path, &kept->given, fd);
}

static void tell_digest(struct tree_copy *tree, const struct unpack_kept *kept)
{
    pthread_mutex_lock(&tree->lock);
    tree->options.listed(tree->options.user, kept->path, kept->hex);
    pthread_mutex_unlock(&tree->lock);
}

/* A path sorts behind those of the folders above it. */
void unpack_end_kept(struct unpack *u)
{
    if (u->kept_count)
        qsort(u->kept, u->kept_count, sizeof(*u->kept), by_path);
    for (size_t i = u->kept_count; i-- > 0 && !tree_is_canceled(u->tree);) {
        const struct unpack_kept *kept = &u->kept[i];
        if (i + 1 < u->kept_count && strcmp(kept->path, u->kept[i + 1].path) == 0)
            continue;
        if (kept->hex)
            tell_digest(u->tree, kept);
        else
            end_folder(u, kept);
    }
}

void unpack_clear_kept(struct unpack *u)
{
    for (size_t i = 0; i < u->kept_count; i++)
        clear_one(&u->kept[i]);
    free(u->kept);
    u->kept = NULL;
    u->kept_count = u->kept_room = 0;
}
