/* SPDX-License-Identifier: MIT */
/* leat_tree_verify: the pass that compares. The walker reads the folders of the source. When all in a folder is done,
 * its folder of the target is read as well, for the names that the source does not have. */
#include "tree/verify/verify.h"
#include "base/fd.h"
#include "tree/ends/folder.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void verify_difference(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                       enum leat_tree_difference_kind kind, uint64_t offset, const char *format, ...)
{
    struct tree_comparison *comparison = tree->sink_state;
    char text[sizeof(comparison->first.text)];
    char *path CLEANUP_FREE = dir_path(dir, name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct leat_tree_difference difference = {
        .kind = kind, .name = path && path[0] ? path : ".", .offset = offset, .text = text};
    if (!path) {
        tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "verify", NULL);
        return;
    }
    atomic_fetch_add(&tree->counts.differences, 1);
    atomic_fetch_add(&tree->counts.differing[kind], 1);
    pthread_mutex_lock(&tree->lock);
    error_place(&comparison->first, 0, offset);
    error_at(&comparison->first, -EBADMSG, LEAT_SIDE_SINK, difference.name, "verify", "%s", text);
    if (tree->options.difference)
        tree->options.difference(tree->options.user, &difference);
    pthread_mutex_unlock(&tree->lock);
}

static bool compares_all(const struct tree_copy *tree)
{
    return tree->options.keep == LEAT_TREE_ALL;
}

static const char *kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a file";
    case S_IFDIR:
        return "a folder";
    case S_IFLNK:
        return "a symbolic link";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

/* ---- a name ---- */

/* Gives the text of a link, which may be as long as the folder's file system allows. The caller frees it. */
static char *read_link(const struct verify_name *n, int side)
{
    char text[PATH_MAX + 1];
    ssize_t length = readlinkat(n->dir->fd[side], n->name, text, sizeof(text) - 1);
    if (length < 0) {
        tree_problem(n->tree, n->dir, n->name, side == SOURCE ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, -errno, "readlink",
                     NULL);
        return NULL;
    }
    text[length] = '\0';
    return strdup(text);
}

static void verify_link(const struct verify_name *n)
{
    char *a CLEANUP_FREE = read_link(n, SOURCE), *b CLEANUP_FREE = a ? read_link(n, TARGET) : NULL;
    if (a && b && strcmp(a, b) != 0)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_LINK, 0, "it leads to '%.60s', in the target to '%.60s'",
                          a, b);
}

/* Returns whether it was compared under another name. */
static bool verify_hard_links(const struct verify_name *n)
{
    if (!compares_all(n->tree) || (n->st[SOURCE].st_nlink < 2 && n->st[TARGET].st_nlink < 2))
        return false;
    struct tree_comparison *comparison = n->tree->sink_state;
    int r = pairs_meet(&comparison->pairs, &n->st[SOURCE], &n->st[TARGET]);
    if (r < 0)
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_NONE, r, "verify", NULL);
    else if (r == PAIRS_OTHER)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_HARD_LINKS, 0,
                          "it is a hard link of another file than in the target, or in one tree alone");
    return r == PAIRS_SAME;
}

static void verify_special(const struct verify_name *n)
{
    bool is_device = S_ISCHR(n->st[SOURCE].st_mode) || S_ISBLK(n->st[SOURCE].st_mode);
    if (is_device && n->st[SOURCE].st_rdev != n->st[TARGET].st_rdev)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_DEVICE, 0, "it is another device than in the target");
}

/* Compares what is under the name, and counts it. */
static void verify_kind(const struct verify_name *n, struct verify_worker *worker)
{
    struct tree_counts *counts = &n->tree->counts;
    mode_t mode = n->st[SOURCE].st_mode;
    bool is_done = verify_hard_links(n);
    if (is_done)
        atomic_fetch_add(&counts->hard_links, 1);
    else if (S_ISREG(mode)) {
        verify_contents(n, worker);
        atomic_fetch_add(&counts->files, 1);
    } else if (S_ISLNK(mode)) {
        verify_link(n);
        atomic_fetch_add(&counts->symlinks, 1);
    } else {
        verify_special(n);
        atomic_fetch_add(&counts->specials, 1);
    }
}

/* Looks the name up in both folders. Returns whether both have it, as the same kind. */
static bool look(struct verify_name *n)
{
    if (fstatat(n->dir->fd[SOURCE], n->name, &n->st[SOURCE], AT_SYMLINK_NOFOLLOW) < 0) {
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
        return false;
    }
    if (fstatat(n->dir->fd[TARGET], n->name, &n->st[TARGET], AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            verify_difference(n->tree, n->dir, n->name, LEAT_TREE_ONLY_SOURCE, 0, "the target does not have it");
        else
            tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_SINK, -errno, "stat", NULL);
        return false;
    }
    if ((n->st[SOURCE].st_mode & S_IFMT) == (n->st[TARGET].st_mode & S_IFMT))
        return true;
    verify_difference(n->tree, n->dir, n->name, LEAT_TREE_KIND, 0, "it is %s, in the target %s",
                      kind_name(n->st[SOURCE].st_mode), kind_name(n->st[TARGET].st_mode));
    return false;
}

static void verify_one(struct tree_copy *tree, struct verify_worker *worker, const struct tree_dir *dir,
                       const char *name)
{
    struct verify_name n = {.tree = tree, .dir = dir, .name = name};
    if (!look(&n))
        return;
    if (S_ISDIR(n.st[SOURCE].st_mode))
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -ESTALE, "stat", "It became a folder meanwhile");
    else
        verify_kind(&n, worker);
    if (compares_all(tree))
        verify_attributes(&n);
}

static void verify_batch(struct tree_copy *tree, void *worker, struct tree_batch *batch)
{
    const char *name = batch->bytes;
    for (unsigned i = 0; i < batch->count && !tree_is_canceled(tree); i++, name += strlen(name) + 1)
        verify_one(tree, worker, batch->dir, name);
}

/* ---- folders ---- */

int verify_open_folder(struct tree_copy *tree UNUSED, struct tree_dir *dir, bool again UNUSED, struct stat *ret,
                       const char **ret_operation)
{
    *ret_operation = "open";
    int fd = tree_folder_open_below(dir, TARGET, ret);
    if (fd >= 0)
        dir->fd[TARGET] = fd;
    return fd < 0 ? fd : 0;
}

static int missing(struct tree_copy *tree, struct tree_dir *dir, int code)
{
    struct stat st;
    if (code == -ENOENT)
        verify_difference(tree, dir, NULL, LEAT_TREE_ONLY_SOURCE, 0, "the target does not have it");
    else if (code == -ENOTDIR || code == -ELOOP) {
        bool is_known = fstatat(dir->parent->fd[TARGET], dir->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        verify_difference(tree, dir, NULL, LEAT_TREE_KIND, 0, "it is a folder, in the target %s",
                          is_known ? kind_name(st.st_mode) : "something else");
    } else
        tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, code, "open", NULL);
    return code;
}

/* Do the rules leave out a name that the target alone has? */
static bool is_excluded(struct tree_copy *tree, const struct tree_dir *dir, const char *name)
{
    struct stat st;
    bool is_folder = fstatat(dir->fd[TARGET], name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    return select_takes(tree, dir, name, is_folder) == 0;
}

/* Tells the name of the target, if the source does not have it. */
static void verify_extra(struct tree_copy *tree, const struct tree_dir *dir, const char *name)
{
    struct stat st;
    if (fstatat(dir->fd[SOURCE], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    if (errno == ENOENT) {
        if (!is_excluded(tree, dir, name))
            verify_difference(tree, dir, name, LEAT_TREE_ONLY_TARGET, 0, "the source does not have it");
    } else
        tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, -errno, "stat", NULL);
}

static void verify_extras(struct tree_copy *tree, const struct tree_dir *dir)
{
    int fd = openat(dir->fd[TARGET], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int code = fd < 0 ? fd : -errno;
        fd_close(fd);
        tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, code, "open", NULL);
        return;
    }
    const struct dirent *entry;
    while (!tree_is_canceled(tree) && (entry = dir_next(stream)))
        verify_extra(tree, dir, entry->d_name);
    if (!tree_is_canceled(tree) && errno)
        tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -errno, "readdir", NULL);
    closedir(stream);
}

static int dir_end(struct tree_copy *tree, struct tree_dir *dir)
{
    struct verify_name n = {.tree = tree, .dir = dir, .st[SOURCE] = dir->st};
    if (compares_all(tree)) {
        if (fstat(dir->fd[TARGET], &n.st[TARGET]) < 0)
            tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, -errno, "stat", NULL);
        else
            verify_attributes(&n);
    }
    if (select_reads(tree, dir))
        verify_extras(tree, dir);
    return 0;
}

/* ---- the target as a sink that is only looked at ---- */

int verify_open_target(struct tree_copy *tree, const char *spec UNUSED, const char *path, struct leat_error *error)
{
    struct stat st;
    struct tree_comparison *comparison = calloc(1, sizeof(*comparison));
    if (!comparison)
        return error_set(error, -ENOMEM, "out of memory");
    comparison->first.size = sizeof(comparison->first);
    pairs_init(&comparison->pairs);
    tree->sink_state = comparison;
    int fd = tree_folder_open(path, LEAT_SIDE_SINK, &st, error);
    if (fd < 0)
        return fd;
    tree->root->fd[TARGET] = fd;
    identity_of_stat(&tree->root->identity[TARGET], &st);
    return 0;
}

int verify_finish_target(struct tree_copy *tree, struct leat_error *error)
{
    const struct tree_comparison *comparison = tree->sink_state;
    return error->code ? 0 : error_hand_on(error, &comparison->first);
}

void verify_close_target(struct tree_copy *tree)
{
    struct tree_comparison *comparison = tree->sink_state;
    if (comparison)
        pairs_clear(&comparison->pairs);
    free(comparison);
}

static const struct tree_sink sink_verify = {
    .scheme = "",
    .open = verify_open_target,
    .finish = verify_finish_target,
    .close = verify_close_target,
    .dir_open = verify_open_folder,
    .dir_end = dir_end,
};

/* ---- the pass ---- */

void verify_worker_close(void *user UNUSED, void *given)
{
    struct verify_worker *worker = given;
    for (int side = 0; side < SIDES; side++)
        free(worker->buffer[side]);
    free(worker);
}

int verify_worker_open(void *user UNUSED, void **ret_worker)
{
    struct verify_worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return -ENOMEM;
    for (int side = 0; side < SIDES; side++)
        worker->buffer[side] = malloc(VERIFY_BYTES);
    if (!worker->buffer[SOURCE] || !worker->buffer[TARGET]) {
        verify_worker_close(NULL, worker);
        return -ENOMEM;
    }
    *ret_worker = worker;
    return 0;
}

int tree_check_only_reads(struct tree_copy *tree, struct leat_error *error)
{
    const struct leat_tree_options *o = &tree->options;
    if (o->digest || o->listed)
        return error_set(error, -EINVAL, "A comparison compares bytes, and gives no digests");
    if (o->shards > 1 || o->claims)
        return error_set(error, -EINVAL, "A comparison has no shards");
    if (o->names)
        return error_set(error, -EINVAL, "A comparison has no list of names");
    if (o->delete_extra || o->dry_run || o->changed || o->publish || o->sync)
        return error_set(error, -EINVAL, "A comparison changes nothing");
    if (o->update)
        return error_set(error, -EINVAL, "A comparison compares all, also what is unchanged by size and time");
    if (o->journal)
        return error_set(error, -EINVAL, "A comparison has no journal");
    if (o->drop_attributes)
        return error_set(error, -EINVAL, "A comparison has no attributes to drop");
    return 0;
}

static const struct tree_pass comparing = {
    .name = "verify",
    .sink = &sink_verify,
    .check = tree_check_only_reads,
    .missing = missing,
    .batch = verify_batch,
    .worker_open = verify_worker_open,
    .worker_close = verify_worker_close,
};

int leat_tree_verify(const char *source, const char *target, const struct leat_tree_options *options,
                     struct leat_tree_result *ret_result, struct leat_error *ret_error)
{
    return tree_run(&comparing, NULL, source, target, options, ret_result, ret_error);
}
