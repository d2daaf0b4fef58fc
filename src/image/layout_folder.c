/* SPDX-License-Identifier: MIT */
#include "image/layout_folder.h"
#include "base/fd.h"
#include "base/platform.h"
#include "base/text.h"
#include "node/endpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct {
    const char *name; /* its name in the folder `in` */
    enum folder in;
    const char *path; /* the path from the layout on, for messages */
} folders[FOLDERS] = {
    [FOLDER_ROOT] = {"", FOLDER_ROOT, ""},
    [FOLDER_BLOBS] = {"blobs", FOLDER_ROOT, "/blobs"},
    [FOLDER_SHA256] = {"sha256", FOLDER_BLOBS, "/blobs/sha256"},
    [FOLDER_SHA512] = {"sha512", FOLDER_BLOBS, "/blobs/sha512"},
};

/* ---- the folders ---- */

static int open_root(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    return fd_open(path, O_RDONLY | O_DIRECTORY, 0);
}

static int open_below(int at, const char *name)
{
    struct stat st;
    if (mkdirat(at, name, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        return fd_above_standard(fd);
    int r = -errno;
    return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? -ELOOP : r;
}

int folder_open(struct layout_folder *ret, const char *path, struct leat_error *error)
{
    char buffer[128];
    *ret = LAYOUT_FOLDER_CLOSED;
    ret->path = path;
    for (int i = 0; i < FOLDERS; i++) {
        int fd = i == FOLDER_ROOT ? open_root(path) : open_below(ret->fd[folders[i].in], folders[i].name);
        ret->fd[i] = MAX(fd, -1);
        if (fd < 0)
            return error_set(error, fd, "%.160s%s%s%s", path, folders[i].path,
                             fd == -ELOOP && i != FOLDER_ROOT ? " is a symbolic link" : ": ",
                             fd == -ELOOP && i != FOLDER_ROOT ? "" : error_text(fd, buffer, sizeof(buffer)));
    }
    return 0;
}

void folder_close(struct layout_folder *folder)
{
    for (int i = 0; i < FOLDERS; i++)
        folder->fd[i] = fd_close(folder->fd[i]);
}

enum folder folder_of(const char *digest, const char **ret_name)
{
    *ret_name = digest + strcspn(digest, ":") + 1;
    return strncmp(digest, "sha512:", 7) == 0 ? FOLDER_SHA512 : FOLDER_SHA256;
}

/* ---- files ---- */

int folder_look(const struct layout_folder *folder, enum folder in, const char *name, struct stat *ret,
                struct leat_error *error)
{
    char buffer[128];
    const char *path = folder->path, *below = folders[in].path;
    memset(ret, 0, sizeof(*ret));
    if (fstatat(folder->fd[in], name, ret, AT_SYMLINK_NOFOLLOW) < 0) {
        int r = -errno;
        memset(ret, 0, sizeof(*ret));
        return r == -ENOENT ? 0
                            : error_set(error, r, "%.100s%s/%.64s: %s", path, below, name,
                                        error_text(r, buffer, sizeof(buffer)));
    }
    if (S_ISLNK(ret->st_mode))
        return error_set(error, -ELOOP, "%.90s%s/%.64s is a symbolic link", path, below, name);
    return S_ISREG(ret->st_mode) ? 0 : error_set(error, -EINVAL, "%.90s%s/%.64s is no regular file", path, below, name);
}

/* Through the folder's descriptor if that is possible, else by its path. */
static char *spec_of(const struct layout_folder *folder, enum folder in, const char *name)
{
    char way[64];
    char *shown = text_join(folder->path, folders[in].path, "");
    bool by_fd = platform.path_of_fd(folder->fd[in], way, sizeof(way)) == 0 && access(way, F_OK) == 0;
    char *file = shown ? text_join(by_fd ? way : shown, "/", name) : NULL;
    char *spec = file ? text_join("file:", file, "") : NULL;
    free(shown);
    free(file);
    return spec;
}

/* Before publishing: a file that existed must still be the same, and one that did not exist must not exist now. */
static int open_sink(const char *spec, const struct stat *st, leat_endpoint **ret, struct leat_error *error)
{
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    options.no_clobber = st->st_nlink == 0;
    int r = leat_endpoint_open(ret, spec, LEAT_WRITE, &options, error);
    if (r < 0 || options.no_clobber || ((*ret)->node.device == st->st_dev && (*ret)->node.inode == st->st_ino))
        return r;
    leat_endpoint_close(*ret);
    return error_set(error, -ESTALE, "it was replaced meanwhile");
}

int folder_sink(const struct layout_folder *folder, enum folder in, const char *name, leat_endpoint **ret,
                struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    struct stat st;
    int r = folder_look(folder, in, name, &st, error);
    char *spec = r == 0 ? spec_of(folder, in, name) : NULL;
    if (r == 0 && !spec)
        return error_set(error, -ENOMEM, "out of memory");
    if (r == 0 && (r = open_sink(spec, &st, ret, &own)) < 0)
        error_set(error, r, "%.60s%s/%.64s: %s", folder->path, folders[in].path, name, own.text);
    free(spec);
    return r;
}
