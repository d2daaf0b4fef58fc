/* SPDX-License-Identifier: MIT */
#include "tree/unpack.h"
#include "tree/ends.h"
#include "tree/select.h"
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

/* Takes over the name of the entry. Returns 0, or a code after it has recorded the problem. */
static int set_path(struct unpack *u, const char *raw)
{
    int code;
    u->path = clean(raw, &code);
    if (!u->path)
        return tree_problem(u->tree, u->tree->root, raw, LEAT_SIDE_SOURCE, code, "read",
                            code == -EINVAL ? "Its name leads out of the tree" : NULL);
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

/* Keeps what the folder gets at the end. */
static int keep_folder(struct unpack *u)
{
    if (u->folders == u->capacity) {
        size_t capacity = u->capacity ? 2 * u->capacity : 64;
        struct unpack_folder *grown = realloc(u->folder, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        u->folder = grown;
        u->capacity = capacity;
    }
    struct unpack_folder *folder = &u->folder[u->folders];
    *folder = (struct unpack_folder){.path = u->path, .number = u->folders, .given = u->given};
    if (!u->given.attributes)
        folder->given.last = NULL; /* nothing is added any more */
    u->folders++;
    u->path = NULL;
    given_init(&u->given);
    return 0;
}

static int make_folder(struct unpack *u, int parent)
{
    struct stat st;
    if (!u->path[0])
        return keep_folder(u);
    if (mkdirat(parent, u->name, 0700) == 0 || errno == EEXIST) {
        if (fstatat(parent, u->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            atomic_fetch_add(&u->tree->counts.directories, 1);
            return keep_folder(u);
        }
        unpack_problem(u, LEAT_SIDE_SINK, -ENOTDIR, "mkdir",
                       "A folder can't replace what has this name and is no folder");
        return 0;
    }
    unpack_problem(u, LEAT_SIDE_SINK, -errno, "mkdir", NULL);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct unpack_folder *x = a, *y = b;
    int r = strcmp(x->path, y->path);
    return r ? r : (x->number > y->number) - (x->number < y->number);
}

/* The deepest first: a path sorts behind those of the folders above it. */
static void end_folders(struct unpack *u)
{
    if (u->folders)
        qsort(u->folder, u->folders, sizeof(*u->folder), by_path);
    for (size_t i = u->folders; i-- > 0;) {
        struct unpack_folder *folder = &u->folder[i];
        unsigned made = 0;
        if (tree_is_canceled(u->tree) || (i + 1 < u->folders && strcmp(folder->path, u->folder[i + 1].path) == 0))
            continue;
        int fd = beneath_open(&u->names, folder->path, strlen(folder->path), false, &made);
        if (fd < 0)
            tree_problem(u->tree, u->tree->root, folder->path, LEAT_SIDE_SINK, fd, "open", NULL);
        else
            given_to_file(u->tree, folder->path, &folder->given, fd);
    }
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

/* Makes what an entry says. Returns 0 or a negative errno: the archive can't be read on, or there is no memory. */
static int unpack_entry(struct unpack *u, struct archive_entry *entry, const char *warning, struct leat_error *error)
{
    const char *raw = archive.entry_pathname(entry);
    if (set_path(u, raw ? raw : "") < 0)
        return 0;
    bool is_folder = S_ISDIR(archive.entry_filetype(entry)) && !archive.entry_hardlink(entry);
    int taken = u->path[0] ? select_path(u->tree, u->path, is_folder) : 1;
    if (taken <= 0)
        return taken < 0 ? error_set(error, taken, "out of memory") : 0;
    if (warning)
        unpack_problem(u, LEAT_SIDE_SOURCE, -EBADMSG, "read", warning);
    int folder = u->path[0] ? open_folder(u) : u->names.level[0].fd;
    int r = folder < 0 ? 0 : unpack_given(&u->given, entry);
    if (folder >= 0 && r == 0)
        r = unpack_kind(u, entry, folder, error);
    return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
}

static void forget_entry(struct unpack *u)
{
    free(u->path);
    u->path = NULL;
    given_clear(&u->given);
}

static int unpack_all(struct unpack *u, struct leat_error *error)
{
    struct archive_entry *entry;
    const char *warning;
    int r;
    while ((r = unpack_reader_next(&u->reader, &entry, &warning, error)) > 0) {
        r = unpack_entry(u, entry, warning, error);
        forget_entry(u);
        if (r < 0)
            break;
    }
    return r;
}

/* ---- the whole ---- */

/* The root has no entry in most archives, so the umask says its mode. */
static int open_target(struct tree_copy *tree, const char *path, struct leat_error *error)
{
    bool made = mkdir(path, 0777) == 0;
    tree->root = dir_root(tree);
    if (!tree->root)
        return error_set(error, -ENOMEM, "out of memory");
    int r = tree->sink->open(tree, path, path, error);
    tree->root->existed = !made;
    return r < 0 ? r : tree->root->fd[TARGET];
}

static void clear(struct unpack *u)
{
    for (size_t i = 0; i < u->folders; i++) {
        free(u->folder[i].path);
        given_clear(&u->folder[i].given);
    }
    free(u->folder);
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

static int run(struct unpack *u, const char *name, struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    atomic_fetch_add(&u->tree->counts.directories, 1);
    int r = unpack_all(u, &own);
    if (r < 0)
        tell(u, name, &own);
    if (r == -ECANCELED)
        *error = own;
    end_folders(u); /* also of what was unpacked of an archive that is cut off */
    return r;
}

int unpack_tar(struct tree_copy *tree, leat_endpoint *source, const char *name, const char *target,
               struct leat_error *error)
{
    struct unpack u = {.tree = tree};
    given_init(&u.given);
    int root = open_target(tree, target, error);
    if (root < 0) {
        leat_endpoint_close(source);
        return root;
    }
    int r = unpack_reader_open(&u.reader, tree, source, error);
    if (r < 0)
        error_node(error, name);
    if (r == 0 && (beneath_init(&u.names, root) < 0 || beneath_init(&u.links, root) < 0))
        r = error_set(error, -ENOMEM, "out of memory");
    if (r == 0)
        r = run(&u, name, error);
    clear(&u);
    unpack_reader_close(&u.reader);
    return r;
}
