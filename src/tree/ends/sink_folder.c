/* SPDX-License-Identifier: MIT */
/* A folder as the target of a tree. A file is written without a name and gets one at the end (publish.c). Other names
 * are made at once, or beside what has the name, which they then replace. */
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include "tree/attributes.h"
#include "tree/ends/folder.h"
#include "tree/target/letters.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* ---- folders ---- */

/* Other file systems than these are asked at close(2): network file systems, FUSE and those that stand on others. */
static bool closes_late(int fd)
{
    static const char *const prompt[] = {"ext4", "xfs", "btrfs", "tmpfs"};
    struct platform_file_system system;
    char way[64];
    if (platform.path_of_fd(fd, way, sizeof(way)) < 0 || platform.file_system(way, &system) < 0 || !system.name)
        return true;
    for (size_t i = 0; i < COUNT(prompt); i++)
        if (strcmp(system.name, prompt[i]) == 0)
            return false;
    return true;
}

/* What has no mode in the source has that of any new folder. */
static mode_t mode_of_new(const struct tree_dir *dir)
{
    return dir->st.st_mode ? 0700 : 0777;
}

int tree_folder_make_root(struct tree_dir *root, const char *path, struct leat_error *error)
{
    struct stat st;
    char text[128];
    root->existed = mkdir(path, mode_of_new(root)) < 0;
    int r = root->existed && errno != EEXIST ? -errno : 0;
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_SINK, path, "mkdir", "%s", error_text(r, text, sizeof(text)));
    int fd = tree_folder_open(path, LEAT_SIDE_SINK, &st, error);
    if (fd < 0)
        return fd;
    root->fd[TARGET] = fd;
    root->closes_late = closes_late(fd);
    identity_of_stat(&root->identity[TARGET], &st);
    return 0;
}

static int open_root(struct tree_copy *tree, const char *spec UNUSED, const char *path, struct leat_error *error)
{
    return tree_folder_make_root(tree->root, path, error);
}

/* Where upper and lower case are the same, a name that is taken may be another one. */
static bool has_exact_name(int at, const char *name)
{
    const struct dirent *entry;
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        fd_close(fd);
        return true; /* for all that is known */
    }
    while ((entry = dir_next(stream)) && strcmp(entry->d_name, name) != 0)
        ;
    closedir(stream);
    return entry;
}

static int dir_open(struct tree_copy *tree UNUSED, struct tree_dir *dir, bool again, struct stat *ret,
                    const char **ret_operation)
{
    if (!again && mkdirat(dir->parent->fd[TARGET], dir->name, mode_of_new(dir)) < 0) {
        *ret_operation = "mkdir";
        dir->existed = errno == EEXIST;
        bool is_new = !dir->parent->existed;
        if (dir->existed &&
            (is_new ? !has_exact_name(dir->parent->fd[TARGET], dir->name) : letters_clash(dir->parent, dir->name)))
            return -EEXIST;
        if (!dir->existed)
            return -errno;
    }
    *ret_operation = "open";
    int fd = tree_folder_open_below(dir, TARGET, ret);
    if (fd < 0)
        return fd == -ELOOP ? -ENOTDIR : fd;
    dir->fd[TARGET] = fd;
    bool is_same = ret->st_dev == dir->parent->identity[TARGET].device;
    if (!again)
        dir->closes_late = is_same ? dir->parent->closes_late : closes_late(fd);
    return 0;
}

/* ---- files ---- */

/* Looks at what has the name in the target. Returns 0, or a code after it has recorded the problem. */
static int look_at_old(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *source,
                       struct tree_output *ret)
{
    struct publish *publish = &ret->publish;
    struct stat st;
    if (!dir->existed)
        return 0;
    int r = place_stat(&publish->place, &st);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, r, "stat", NULL);
    if (S_ISDIR(st.st_mode))
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, -EISDIR, "stat", "A file can't replace a folder");
    if (source->st_ino && st.st_dev == source->st_dev && st.st_ino == source->st_ino)
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, -EINVAL, "stat",
                            "It is the same file as that of the source");
    if (letters_clash(dir, name))
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, -EEXIST, "stat", TREE_NAME_TAKEN);
    publish->replaces = true;
    identity_of_stat(&publish->old, &st);
    ret->mode = st.st_mode & 0777;
    return 0;
}

static int file_open(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                     struct tree_output *ret)
{
    struct publish *publish = &ret->publish;
    char *own = strdup(name);
    *publish = (struct publish){.place = {.directory = dir->fd[TARGET], .name = own}, .fd = -1};
    publish->is_linkable = atomic_load_explicit(&dir->is_linkable, memory_order_relaxed);
    int r = own ? look_at_old(tree, dir, name, &input->st, ret)
                : tree_problem(tree, dir, name, LEAT_SIDE_NONE, -ENOMEM, "open", NULL);
    if (r == 0) {
        publish->is_completed = input->st.st_mode != 0;
        ret->fd = publish_open(publish, input->st.st_mode ? input->st.st_mode & 0777 : 0666);
        if (ret->fd < 0)
            r = tree_problem(tree, dir, name, LEAT_SIDE_SINK, ret->fd, "open", NULL);
    }
    if (r < 0)
        free(own);
    else if (publish->unnamed)
        atomic_store_explicit(&dir->is_linkable, true, memory_order_relaxed);
    return r;
}

/* Has another process made the same file since this one has looked? Its file stays, because it may have more names. */
static bool is_the_same(const struct place *place, const struct stat *source)
{
    struct stat st;
    return place_stat(place, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == source->st_size &&
           st.st_mtim.tv_sec == source->st_mtim.tv_sec && st.st_mtim.tv_nsec == source->st_mtim.tv_nsec;
}

static int commit(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                  struct tree_output *output)
{
    const char *operation;
    if (!input->st.st_mode && output->mode && fchmod(output->fd, output->mode) < 0)
        ends_lose(tree, dir, name, -errno, "fchmod", "its mode");
    attributes_of_new_file(tree, dir, name, input->fd, &input->st, output->fd, &output->inode); /* records problems */
    int r = dir->closes_late ? op_close_duplicate(output->fd) : 0;
    if (r < 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SINK, r, op_name(OP_CLOSE), NULL);
    r = publish_commit(&output->publish, false, &operation);
    if (r == -EEXIST && tree_is_shared(tree) && is_the_same(&output->publish.place, &input->st))
        r = 0;
    if (r == 0)
        return 0;
    return tree_problem(tree, dir, name, LEAT_SIDE_SINK, r, operation, r == -EEXIST ? TREE_NAME_TAKEN : NULL);
}

static int file_end(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                    struct tree_output *output, int code)
{
    int r = code < 0 ? code : commit(tree, dir, name, input, output);
    publish_abort(&output->publish);
    output->fd = fd_close(output->fd);
    free(output->publish.place.name);
    return r;
}

/* ---- other names ---- */

typedef int make_fn(const struct tree_making *m, const char *as);

static int make_symlink(const struct tree_making *m, const char *as)
{
    return symlinkat(m->text, m->dir->fd[TARGET], as) < 0 ? -errno : 0;
}

static int make_special(const struct tree_making *m, const char *as)
{
    return mknodat(m->dir->fd[TARGET], as, (m->st->st_mode & S_IFMT) | 0600, m->st->st_rdev) < 0 ? -errno : 0;
}

static int make_link(const struct tree_making *m, const char *as)
{
    return linkat(m->from->fd[TARGET], m->first, m->dir->fd[TARGET], as, 0) < 0 ? -errno : 0;
}

struct folder_making {
    const struct tree_making *making;
    make_fn *make;
};

static int make_as(void *user, const char *name)
{
    const struct folder_making *one = user;
    return one->make(one->making, name);
}

/* Makes it under a hidden name beside the old file. Returns 0 or a negative errno. */
static int make_hidden(const struct tree_making *m, make_fn *make, char hidden[PUBLISH_HIDDEN_MAX])
{
    struct folder_making one = {m, make};
    char *name CLEANUP_FREE = strdup(m->name);
    const struct place place = {.directory = m->dir->fd[TARGET], .name = name};
    return name ? publish_make_hidden(&place, make_as, &one, hidden) : -ENOMEM;
}

/* Does the file system have no such names? Some say it by EPERM. A file also has a limit of its links. */
static bool is_lacking(int code)
{
    return code == -EPERM || code == -EOPNOTSUPP || code == -ENOSYS || code == -EMLINK;
}

/* Gives the name to what `make` makes. Returns 0, or a code after it has recorded the problem; 1: there can't be such
 * names. */
static int make_name(const struct tree_making *m, make_fn *make, const char *operation)
{
    char hidden[PUBLISH_HIDDEN_MAX];
    int r = make(m, m->name);
    const char *now = m->name;
    if (r == -EEXIST && m->dir->existed && !letters_clash(m->dir, m->name)) {
        now = hidden;
        r = make_hidden(m, make, hidden);
    }
    if (is_lacking(r))
        return 1;
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, operation,
                            r == -EEXIST ? TREE_NAME_TAKEN : NULL);
    if (m->st)
        attributes_of_name(m->tree, m->dir, m->name, now, m->st);
    if (now == m->name)
        return 0;
    r = renameat(m->dir->fd[TARGET], now, m->dir->fd[TARGET], m->name) < 0 ? -errno : 0;
    unlinkat(m->dir->fd[TARGET], now, 0); /* also if both were names of one file: then rename(2) does nothing */
    return r < 0 ? tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, "rename", NULL) : 0;
}

static int copy_symlink(const struct tree_making *m)
{
    return make_name(m, make_symlink, "symlink");
}

static int copy_special(const struct tree_making *m)
{
    return make_name(m, make_special, "mknod");
}

static int copy_link(const struct tree_making *m)
{
    return make_name(m, make_link, "link");
}

const struct tree_sink sink_folder = {
    .scheme = "",
    .open = open_root,
    .dir_open = dir_open,
    .dir_end = attributes_of_dir,
    .file_open = file_open,
    .file_end = file_end,
    .symlink = copy_symlink,
    .special = copy_special,
    .hard_link = copy_link,
};
