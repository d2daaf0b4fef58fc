/* SPDX-License-Identifier: MIT */
/* A layer says what it removes by empty files: ".wh.NAME" removes NAME, and ".wh..wh..opq" all that is in its folder.
 * That is about the layers below alone, wherever in the layer the file stands. So each layer but the lowest is read
 * twice: for what it removes, and for what it adds. */
#include "tree/archive/unpack_layers.h"
#include "base/fd.h"
#include "image/layers.h"
#include "tree/ends.h"
#include "tree/tree.h"
#include <unistd.h>

#define REMOVES     ".wh."
#define REMOVES_ALL ".wh..wh..opq"

static bool is_removal(const char *name)
{
    return strncmp(name, REMOVES, sizeof(REMOVES) - 1) == 0;
}

/* ---- what a layer removes ---- */

static int remove_all(struct unpack *u, int folder, size_t n)
{
    int r = unpack_remove_all(folder);
    u->path[n] = '\0';
    unpack_forget(u, u->path, true);
    return r;
}

static int remove_one(struct unpack *u, int folder, size_t n)
{
    const char *name = u->name + sizeof(REMOVES) - 1;
    if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_removal(name))
        return 0; /* names that other tools keep for themselves */
    int r = unpack_remove(folder, name);
    memmove(u->path + (n ? n + 1 : 0), name, strlen(name) + 1);
    unpack_forget(u, u->path, false);
    return r == -ENOENT ? 0 : r;
}

static int take_removal(struct unpack *u, struct archive_entry *entry, struct leat_error *error)
{
    unsigned made = 0;
    int r = unpack_take_name(u, entry);
    if (r < 0 || !is_removal(u->name))
        return r == -ENOMEM ? error_set(error, r, "out of memory") : 0;
    size_t n = u->name == u->path ? 0 : (size_t)(u->name - u->path) - 1;
    int folder = beneath_open(&u->names, u->path, n, false, &made);
    if (folder < 0)
        return 0; /* the layers below have no such folder */
    r = strcmp(u->name, REMOVES_ALL) == 0 ? remove_all(u, folder, n) : remove_one(u, folder, n);
    if (r < 0)
        unpack_problem(u, LEAT_SIDE_SINK, r, "unlink", NULL);
    beneath_forget(&u->names);
    beneath_forget(&u->links);
    return 0;
}

/* ---- what it adds ---- */

static int take_addition(struct unpack *u, struct archive_entry *entry, struct leat_error *error)
{
    const char *raw = archive.entry_pathname(entry), *slash = raw ? strrchr(raw, '/') : NULL;
    return raw && is_removal(slash ? slash + 1 : raw) ? 0 : unpack_entry(u, entry, error);
}

/* ---- layers ---- */

static int read_layer(struct unpack *u, int fd,
                      int (*take)(struct unpack *, struct archive_entry *, struct leat_error *),
                      struct leat_error *error)
{
    leat_endpoint *source;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return error_set(error, -errno, "The layer can't be read");
    int r = leat_endpoint_from_fd(&source, fd, LEAT_BORROW);
    if (r < 0)
        return error_set(error, r, "out of memory");
    r = unpack_reader_open(&u->reader, u->tree, source, error);
    if (r == 0)
        r = unpack_entries(u, take, error);
    unpack_reader_close(&u->reader);
    return r;
}

static int take_layer(struct unpack *u, struct image_layers *layers, size_t i, struct leat_error *error)
{
    int fd CLEANUP_FD = image_layers_take(layers, i, error);
    if (fd < 0)
        return fd;
    int r = i > 0 ? read_layer(u, fd, take_removal, error) : 0;
    return r < 0 ? r : read_layer(u, fd, take_addition, error);
}

static int take_all(struct unpack *u, struct leat_error *error)
{
    struct image_layers *layers = u->layers;
    int r = 0;
    for (size_t i = 0; i < image_layers_count(layers) && r == 0; i++)
        r = take_layer(u, layers, i, error);
    return r;
}

int unpack_layers(struct tree_copy *tree, struct image_layers *layers, const char *name, const char *target,
                  struct leat_error *error)
{
    struct unpack u = {.tree = tree, .layers = layers};
    int r = unpack_begin(&u, target, error);
    if (r == 0 && !unpack_is_empty(tree->root->fd[TARGET]))
        r = error_at(error, -ENOTEMPTY, LEAT_SIDE_SINK, target, "open", "An image is unpacked into an empty folder");
    if (r == 0)
        r = unpack_run(&u, take_all, name, error);
    unpack_end(&u);
    return r;
}
