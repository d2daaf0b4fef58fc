/* SPDX-License-Identifier: MIT */
/* Resolves a path: looks, changes nothing, and refuses what cannot end well. */
#include "base/fd.h"
#include "base/platform.h"
#include "base/quote.h"
#include "endpoint/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int refuse(struct file *f, struct leat_error *error, int code, const char *operation, enum leat_advice advice,
                  const char *why)
{
    error_advise(error, advice);
    return error_at(error, code, LEAT_SIDE_SINK, f->endpoint.node.name, operation, "%s", why);
}

int file_would_lose(struct file *f, struct leat_error *error, int code, const char *operation, const char *lost)
{
    char buffer[128];
    error_advise(error, LEAT_ADVICE_DROP_ATTRIBUTES);
    return error_at(error, code, LEAT_SIDE_SINK, f->endpoint.node.name, operation,
                    "A new file in its place can't have %s: %s", lost, error_text(code, buffer, sizeof(buffer)));
}

/* ---- what is there ---- */

static int pin(struct file *f, bool follows)
{
    fd_close(f->pinned);
    f->pinned = platform.pin(AT_FDCWD, f->path, follows);
    if (f->pinned < 0)
        return f->pinned;
    return fstat(f->pinned, &f->st) < 0 ? -errno : 0;
}

/* The file is held by a descriptor and not by its name. If the system cannot do that, it is looked at by name, and
 * again when it is open. Only a symbolic link may stand for a descriptor without looking like one. */
int file_look(struct file *f)
{
    int fd = platform.path_to_fd(f->path);
    if (fd >= 0)
        return fd;
    f->found = pin(f, false);
    if (f->found == -ENOENT || (f->found == 0 && !S_ISLNK(f->st.st_mode)))
        return -1;
    fd = place_descriptor(f->path);
    if (fd >= 0)
        return fd;
    f->found = pin(f, true);
    if (f->found == -ENOSYS)
        f->found = stat(f->path, &f->st) < 0 ? -errno : 0;
    return -1;
}

/* procfs, which has the path to the file of `pinned`, may not be mounted. */
static void find_file_system(struct file *f, struct platform_file_system *ret)
{
    bool has_way = f->pinned >= 0 && platform.path_of_fd(f->pinned, f->way, sizeof(f->way)) == 0;
    if (has_way && platform.file_system(f->way, ret) == 0)
        return;
    f->way[0] = '\0';
    platform.file_system(f->path, ret);
}

/* Only a file that will be replaced needs a place: the one where the kernel found it. */
static int find_place(struct file *f, const struct stat *st, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct identity there;
    int r = place_find(&f->publish.place, f->path, &there);
    if (r == 0 && !identity_is_same(&there, &node->identity))
        r = -ESTALE;
    if (r < 0 && st->st_nlink == 0)
        return refuse(f, error, -ENOENT, "stat", LEAT_ADVICE_IN_PLACE,
                      "It was deleted, and has no name that a new file could take");
    if (r == -ESTALE)
        return refuse(f, error, r, "stat", LEAT_ADVICE_NONE, "Its name was given to another file meanwhile");
    return r < 0 ? endpoint_error(node, error, r, "open", NULL) : 0;
}

/* ---- what may not be replaced ---- */

static int check_flags(struct file *f, unsigned flags, struct leat_error *error)
{
    if (flags & PATH_IMMUTABLE)
        return refuse(f, error, -EPERM, "statx", LEAT_ADVICE_NONE, "It is immutable (chattr +i)");
    if ((flags & PATH_APPEND_ONLY) && f->mode != LEAT_WRITE_APPEND)
        return refuse(f, error, -EPERM, "statx", LEAT_ADVICE_NONE, "It can only be appended to (chattr +a)");
    return 0;
}

/* A user that may not write to a file shall not replace it by accident. */
static int check_rights(struct file *f, struct leat_error *error)
{
    if (faccessat(AT_FDCWD, file_way(f), W_OK, AT_EACCESS) == 0 || (errno == EACCES && f->force))
        return 0;
    if (errno == EACCES)
        return refuse(f, error, -EACCES, "access", LEAT_ADVICE_FORCE, "It is write-protected: permission denied");
    return errno == EROFS ? endpoint_error(&f->endpoint.node, error, -errno, "access", NULL) : 0;
}

/* In a sticky directory such as /tmp, only the owner of a file, the owner of the directory and root can replace the
 * file. */
static int check_folder(struct file *f, const struct stat *st, struct leat_error *error)
{
    struct stat folder;
    char way[64];
    unsigned flags = 0;
    uid_t self = geteuid();
    if (fstat(f->publish.place.directory, &folder) < 0)
        return endpoint_error(&f->endpoint.node, error, -errno, "fstat", NULL);
    if ((folder.st_mode & S_ISVTX) && self != 0 && self != st->st_uid && self != folder.st_uid)
        return refuse(f, error, -EPERM, "stat", LEAT_ADVICE_IN_PLACE,
                      "It belongs to another user, and its folder lets nobody else replace it");
    if (platform.path_of_fd(f->publish.place.directory, way, sizeof(way)) == 0)
        flags = platform.path_flags(way);
    if (flags & (PATH_IMMUTABLE | PATH_APPEND_ONLY))
        return refuse(f, error, -EPERM, "statx", LEAT_ADVICE_IN_PLACE,
                      flags & PATH_IMMUTABLE ? "Its folder is immutable (chattr +i)"
                                             : "Files of its folder can't be replaced (chattr +a)");
    return 0;
}

static int check_replaceable(struct file *f, const struct stat *st, unsigned flags, struct leat_error *error)
{
    if (st->st_nlink > 1) {
        error_advise(error, LEAT_ADVICE_IN_PLACE);
        return error_at(error, -EMLINK, LEAT_SIDE_SINK, f->endpoint.node.name, "stat",
                        "It has %u hard links, and replacing it would part them", (unsigned)st->st_nlink);
    }
    if (flags & PATH_MOUNTED) {
        error_advise(error, LEAT_ADVICE_IN_PLACE);
        return endpoint_error(&f->endpoint.node, error, -EBUSY, "statx", "it is a mount point and can't be replaced");
    }
    int r = find_place(f, st, error);
    if (r == 0)
        r = check_rights(f, error);
    return r == 0 ? check_folder(f, st, error) : r;
}

static void remember_old(struct file *f, const struct stat *st)
{
    bool drops = f->carried.drops;
    f->publish.replaces = true;
    f->publish.old = f->endpoint.node.identity;
    f->carried = (struct carried){.mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid, .drops = drops};
}

/* ---- the two cases ---- */

static int resolve_existing(struct file *f, const struct stat *st, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct platform_file_system system;
    bool reads = node->direction == LEAT_READ;
    if (S_ISDIR(st->st_mode))
        return endpoint_error(node, error, -EISDIR, "stat",
                              reads ? "a directory is no stream of bytes"
                                    : "name the file in it that is to be written");
    if (S_ISSOCK(st->st_mode))
        return endpoint_error(node, error, -ENXIO, "stat", "to connect to a socket write unix: before its path");
    node_set_stat(node, st);
    find_file_system(f, &system);
    node->file_system = node->kind == NODE_FILE ? system.name : NULL;
    node->network = node->kind == NODE_FILE && system.network;
    if (reads)
        return 0;
    if (node->kind == NODE_BLOCK && f->mode == LEAT_WRITE_APPEND)
        return refuse(f, error, -ESPIPE, "stat", LEAT_ADVICE_NONE, "A block device has no end to append to");
    if (node->kind != NODE_FILE)
        return 0;
    if (f->no_clobber)
        return refuse(f, error, -EEXIST, "stat", LEAT_ADVICE_REPLACE, "It exists already: file exists");
    f->is_fixed = system.is_fixed;
    if (f->is_fixed && f->mode == LEAT_WRITE_PUBLISH)
        f->mode = LEAT_WRITE_IN_PLACE;
    unsigned flags = platform.path_flags(file_way(f));
    int r = check_flags(f, flags, error);
    if (r < 0 || f->mode != LEAT_WRITE_PUBLISH)
        return r;
    remember_old(f, st);
    return check_replaceable(f, st, flags, error);
}

/* Names the missing directory: the one in the path, or the one to which its link leads. */
static int refuse_directory(struct file *f, struct leat_error *error)
{
    char *directory = strdup(f->path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    struct stat st;
    if (slash)
        slash[slash == directory] = '\0';
    int r = -ENOENT;
    if (slash && stat(directory, &st) < 0)
        error_at(error, r, LEAT_SIDE_SINK, f->endpoint.node.name, "stat", "There is no directory '%s' to put it in",
                 quote_without_login(directory));
    else
        r = refuse(f, error, r, "stat", LEAT_ADVICE_NONE,
                   "It is a symbolic link, and there is no directory where it leads");
    free(directory);
    return r;
}

/* A sink that does not exist yet has the file system and the device of its directory. */
static int resolve_missing(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct platform_file_system system;
    char way[64];
    int r = place_find(&f->publish.place, f->path, &node->identity);
    if (r == -EACCES)
        return refuse(f, error, r, "open", LEAT_ADVICE_NONE,
                      "It can't be looked up, or is a symbolic link of another user in a shared folder: "
                      "permission denied");
    if (r == -ENOENT)
        return refuse_directory(f, error);
    if (r < 0)
        return endpoint_error(node, error, r, "stat", NULL);
    if (node->identity.kind != IDENTITY_NAME)
        return refuse(f, error, -ESTALE, "stat", LEAT_ADVICE_NONE, "Its name was given to another file meanwhile");
    node->kind = NODE_FILE;
    if (platform.path_of_fd(f->publish.place.directory, way, sizeof(way)) == 0 &&
        platform.file_system(way, &system) == 0) {
        node->file_system = system.name;
        node->network = system.network;
    }
    return 0;
}

int file_resolve(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    int r = f->found;
    f->exists = r == 0;
    f->deleted = f->exists && f->st.st_nlink == 0;
    f->type = f->exists ? f->st.st_mode & S_IFMT : 0;
    if (f->exists)
        r = resolve_existing(f, &f->st, error);
    else if (node->direction == LEAT_READ || r != -ENOENT)
        r = endpoint_error(node, error, r, "stat", NULL);
    else
        r = resolve_missing(f, error);
    if (r < 0)
        return r;
    if (node->direction == LEAT_WRITE && node->kind == NODE_FILE) {
        node->fresh = f->mode == LEAT_WRITE_PUBLISH;
        node->append = f->mode == LEAT_WRITE_APPEND;
        node->punches = f->mode == LEAT_WRITE_IN_PLACE;
    }
    return 0;
}
