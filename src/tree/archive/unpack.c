/* SPDX-License-Identifier: MIT */
#include "tree/archive/unpack.h"
#include "tree/ends.h"
#include "tree/select/select.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

int unpack_problem(struct unpack *u, enum leat_side side, int code, const char *operation, const char *text)
{
    return tree_problem(u->tree, u->tree->root, u->path, side, code, operation, text ? "%s" : NULL, text);
}

/* ---- names ---- */

/* Makes a path of clean parts. NULL: it has a part "..", or *ret_code is -ENOMEM. */
static char *clean(const char *raw, int *ret_code)
{
    char *path = malloc(strlen(raw) + 1);
    size_t n = 0;
    *ret_code = path ? -EINVAL : -ENOMEM;
    for (const char *part = raw; path && *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            free(path);
            return NULL;
        }
        if (length && !(length == 1 && part[0] == '.')) {
            if (n)
                path[n++] = '/';
            memcpy(path + n, part, length);
            n += length;
        }
        part += length + (part[length] == '/');
    }
    if (path)
        path[n] = '\0';
    return path;
}

int unpack_take_name(struct unpack *u, struct archive_entry *entry)
{
    const char *raw = archive.entry_pathname(entry);
    int code;
    u->path = clean(raw ? raw : "", &code);
    if (!u->path)
        return code;
    const char *slash = strrchr(u->path, '/');
    u->name = slash ? slash + 1 : u->path;
    return 0;
}

/* Opens the folder of the entry. Returns a descriptor, or a code after it has recorded the problem. */
static int open_folder(struct unpack *u)
{
    unsigned made = 0;
    size_t n = u->name == u->path ? 0 : (size_t)(u->name - u->path) - 1;
    int fd = beneath_open(&u->names, u->path, n, true, &made);
    atomic_fetch_add(&u->tree->counts.directories, made);
    if (fd < 0)
        unpack_problem(u, LEAT_SIDE_SINK, fd, "open",
                       fd == -ENOTDIR ? "The target has something else than a folder on its path; no link is followed"
                                      : NULL);
    return fd;
}

/* ---- folders ---- */

static int make_folder(struct unpack *u, int parent)
{
    struct stat st;
    if (!u->path[0])
        return unpack_keep_folder(u);
    if (mkdirat(parent, u->name, 0700) == 0 || errno == EEXIST) {
        if (fstatat(parent, u->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            atomic_fetch_add(&u->tree->counts.directories, 1);
            return unpack_keep_folder(u);
        }
        unpack_problem(u, LEAT_SIDE_SINK, -ENOTDIR, "mkdir",
                       "A folder can't replace what has this name and is no folder");
        return 0;
    }
    unpack_problem(u, LEAT_SIDE_SINK, -errno, "mkdir", NULL);
    return 0;
}

/* ---- entries ---- */

static int link_to(struct unpack *u, int folder, const char *raw)
{
    int code;
    char *to CLEANUP_FREE = clean(raw, &code);
    if (to)
        unpack_link(u, folder, to);
    else
        unpack_problem(u, LEAT_SIDE_SOURCE, code, "read",
                       code == -EINVAL ? "It is a link that leads out of the tree" : NULL);
    return 0;
}

static int unpack_kind(struct unpack *u, struct archive_entry *entry, int folder, struct leat_error *error)
{
    const char *hard = archive.entry_hardlink(entry), *text = archive.entry_symlink(entry);
    if (!hard && S_ISDIR(u->given.mode))
        return make_folder(u, folder);
    if (!u->path[0]) {
        unpack_problem(u, LEAT_SIDE_SOURCE, -EINVAL, "read", "It has the name of the tree, and is no folder");
        return 0;
    }
    if (hard)
        return link_to(u, folder, hard);
    if (S_ISREG(u->given.mode))
        return unpack_file(u, entry, folder, error);
    if (S_ISLNK(u->given.mode))
        unpack_symlink(u, folder, text ? text : "");
    else
        unpack_special(u, folder);
    return 0;
}

/* In an image a folder replaces anything else, and anything else a folder. */
static int clear_name(struct unpack *u, int folder)
{
    struct stat st;
    if (!u->layers || !u->path[0] || fstatat(folder, u->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(st.st_mode) == !S_ISDIR(u->given.mode))
        return 0;
    int r = unpack_remove(folder, u->name);
    unpack_forget(u, u->path, false);
    beneath_forget(&u->links); /* what `names` has open is above it */
    return r < 0 ? unpack_problem(u, LEAT_SIDE_SINK, r, "unlink", NULL) : 0;
}

/* Is the entry copied? Returns 1, 0, or -ENOMEM. */
static int take_name(struct unpack *u, struct archive_entry *entry)
{
    const char *raw = archive.entry_pathname(entry);
    int r = unpack_take_name(u, entry);
    if (r == -EINVAL)
        tree_problem(u->tree, u->tree->root, raw, LEAT_SIDE_SOURCE, r, "read", "Its name leads out of the tree");
    if (r < 0)
        return r == -EINVAL ? 0 : r;
    bool is_folder = S_ISDIR(archive.entry_filetype(entry)) && !archive.entry_hardlink(entry);
    return u->path[0] ? select_path(u->tree, u->path, is_folder) : 1;
}

int unpack_entry(struct unpack *u, struct archive_entry *entry, struct leat_error *error)
{
    int r = u->path ? 1 : take_name(u, entry);
    if (r > 0 && u->warning)
        unpack_problem(u, LEAT_SIDE_SOURCE, -EBADMSG, "read", u->warning);
    if (r > 0)
        r = unpack_given(&u->given, entry) < 0 ? -ENOMEM : 1;
    int folder = r <= 0 ? -1 : u->path[0] ? open_folder(u) : u->names.level[0].fd;
    if (folder >= 0 && clear_name(u, folder) == 0)
        r = unpack_kind(u, entry, folder, error);
    return r == -ENOMEM ? error_set(error, r, "out of memory") : MIN(r, 0);
}

int unpack_entries(struct unpack *u, int (*take)(struct unpack *, struct archive_entry *, struct leat_error *),
                   struct leat_error *error)
{
    struct archive_entry *entry;
    int r;
    while ((r = unpack_reader_next(&u->reader, &entry, &u->warning, error)) > 0) {
        u->entries++;
        r = take(u, entry, error);
        free(u->path);
        u->path = NULL;
        given_clear(&u->given);
        if (r < 0)
            break;
    }
    return r;
}

/* ---- the whole ---- */

int unpack_begin(struct unpack *u, const char *target, struct leat_error *error)
{
    struct tree_copy *tree = u->tree;
    given_init(&u->given);
    bool made = mkdir(target, 0777) == 0; /* the root has no entry in most archives, so the umask says its mode */
    tree->root = dir_root(tree);
    if (!tree->root)
        return error_set(error, -ENOMEM, "out of memory");
    int r = tree->sink->open(tree, target, target, error);
    tree->root->existed = !made;
    if (r < 0)
        return r;
    atomic_fetch_add(&tree->counts.directories, 1);
    int root = tree->root->fd[TARGET];
    return beneath_init(&u->names, root) < 0 || beneath_init(&u->links, root) < 0
               ? error_set(error, -ENOMEM, "out of memory")
               : 0;
}

void unpack_end(struct unpack *u)
{
    unpack_clear_kept(u);
    beneath_clear(&u->names);
    beneath_clear(&u->links);
}

/* Tells that the archive can't be read on. */
static void tell(struct unpack *u, const char *name, struct leat_error *failure)
{
    if (failure->code == -ECANCELED && tree_is_canceled(u->tree))
        return;
    error_node(failure, name);
    tree_tell(u->tree, failure);
}

int unpack_run(struct unpack *u, int (*take_all)(struct unpack *u, struct leat_error *error), const char *name,
               struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    int r = take_all(u, &own);
    if (r < 0)
        tell(u, name, &own);
    if (r == -ECANCELED)
        *error = own;
    unpack_end_kept(u); /* also of what was unpacked of an archive that is cut off */
    return r;
}

static int take_all(struct unpack *u, struct leat_error *error)
{
    return unpack_entries(u, unpack_entry, error);
}

int unpack_tar(struct tree_copy *tree, leat_endpoint *source, const char *name, const char *target,
               struct leat_error *error)
{
    struct unpack u = {.tree = tree};
    int r = unpack_begin(&u, target, error);
    if (r < 0)
        leat_endpoint_close(source);
    else if ((r = unpack_reader_open(&u.reader, tree, source, error)) < 0)
        error_node(error, name);
    if (r == 0)
        r = unpack_run(&u, take_all, name, error);
    unpack_end(&u);
    unpack_reader_close(&u.reader);
    return r;
}
