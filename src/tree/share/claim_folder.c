/* SPDX-License-Identifier: MIT */
/* Claims in a folder that all hosts see. A record is a file that gets its name by link(2), or by a rename that replaces
 * nothing. Its time is that of the file, which the server of the folder sets. */
#include "base/fd.h"
#include "endpoint/publish.h"
#include "tree/ends/folder.h"
#include "tree/share/claim.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct claim_folder {
    int fd;
};

static int folder_open(const char *spec, void **ret, struct leat_error *error)
{
    char text[128];
    struct stat st;
    if (mkdir(spec, 0777) < 0 && errno != EEXIST) {
        int code = -errno;
        return error_at(error, code, LEAT_SIDE_NONE, spec, "mkdir", "%s", error_text(code, text, sizeof(text)));
    }
    int fd = tree_folder_open(spec, LEAT_SIDE_NONE, &st, error);
    if (fd < 0)
        return fd;
    struct claim_folder *folder = calloc(1, sizeof(*folder));
    if (!folder) {
        fd_close(fd);
        return error_set(error, -ENOMEM, "out of memory");
    }
    folder->fd = fd;
    *ret = folder;
    return 0;
}

static void folder_close(void *place)
{
    struct claim_folder *folder = place;
    fd_close(folder->fd);
    free(folder);
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, bytes, n);
        if (r < 0 && errno != EINTR)
            return -errno;
        bytes += r > 0 ? r : 0;
        n -= r > 0 ? (size_t)r : 0;
    }
    return 0;
}

static ssize_t folder_read(void *place, const char *name, void *bytes, size_t size)
{
    const struct claim_folder *folder = place;
    int fd CLEANUP_FD = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, bytes, size);
    return n < 0 ? -errno : n;
}

/* A server may have made the link though its answer was lost, and the second request found it. */
static bool is_own(void *place, const char *name, const void *bytes, size_t n)
{
    char there[CLAIM_RECORD_MAX];
    return folder_read(place, name, there, sizeof(there)) == (ssize_t)n && memcmp(there, bytes, n) == 0;
}

static int folder_create(void *place, const char *name, const void *bytes, size_t n)
{
    const struct claim_folder *folder = place;
    const char *operation;
    char own[CLAIM_NAME_MAX];
    snprintf(own, sizeof(own), "%s", name);
    struct publish publish = {.place = {.directory = folder->fd, .name = own}, .fd = -1};
    int fd = publish_open(&publish, 0666);
    if (fd < 0)
        return fd;
    int r = write_all(fd, bytes, n);
    r = r == 0 ? publish_commit(&publish, false, &operation) : r;
    publish_abort(&publish);
    fd_close(fd);
    return r == -EEXIST && is_own(place, name, bytes, n) ? 0 : r;
}

static int folder_renew(void *place, const char *name, const void *bytes UNUSED, size_t n UNUSED)
{
    const struct claim_folder *folder = place;
    return utimensat(folder->fd, name, NULL, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int folder_time(void *place, const char *name, int64_t *ret)
{
    const struct claim_folder *folder = place;
    struct stat st;
    if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    *ret = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return 0;
}

static int folder_remove(void *place, const char *name)
{
    const struct claim_folder *folder = place;
    return unlinkat(folder->fd, name, 0) < 0 ? -errno : 0;
}

const struct claim_place claim_folder = {
    .scheme = "",
    .open = folder_open,
    .close = folder_close,
    .create = folder_create,
    .read = folder_read,
    .renew = folder_renew,
    .time = folder_time,
    .remove = folder_remove,
};
