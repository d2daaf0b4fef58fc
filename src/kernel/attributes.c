/* SPDX-License-Identifier: MIT */
/* Copies what a file has besides bytes, owner, mode and times to another file. Its access control list is the extended
 * attribute system.posix_acl_access. */
#include "base/base.h"
#include "base/fd.h"
#include "kernel/files.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    FIRST_MAX = 1024 /* bytes of names, or of a value, that most files do not exceed */
};

static const char access_list[] = "system.posix_acl_access";
static const char default_list[] = "system.posix_acl_default"; /* of a folder: what new files in it get */

/* Flags that say how the file is to be stored; the other flags belong to the file system. */
const int linux_kept_flags = FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL |
                             FS_NOCOMP_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_NOCOW_FL;

/* Is the attribute about the contents? It does not fit the new contents. */
static bool is_of_contents(const char *name)
{
    return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* Is the attribute a view that the file system makes of other data? All names of "system." are, except these; xfs shows
 * the lists once more under its own names. */
static bool is_view(const char *name)
{
    if (strncmp(name, "trusted.SGI_ACL_", 16) == 0)
        return true;
    return strncmp(name, "system.", 7) == 0 && strcmp(name, access_list) != 0 && strcmp(name, default_list) != 0 &&
           strncmp(name, "system.nfs4", 11) != 0;
}

bool linux_keeps_attribute(const char *name)
{
    return !is_of_contents(name) && !is_view(name);
}

/* ---- the calls: on the open file, or on the path that leads to it ---- */

static ssize_t list(const struct platform_file *file, char *names, size_t size)
{
    return file->path ? listxattr(file->path, names, size) : flistxattr(file->fd, names, size);
}

static ssize_t get(const struct platform_file *file, const char *name, void *value, size_t size)
{
    return file->path ? getxattr(file->path, name, value, size) : fgetxattr(file->fd, name, value, size);
}

static int set(const struct platform_file *file, const char *name, const void *value, size_t size)
{
    return file->path ? setxattr(file->path, name, value, size, 0) : fsetxattr(file->fd, name, value, size, 0);
}

static int drop(const struct platform_file *file, const char *name)
{
    return file->path ? removexattr(file->path, name) : fremovexattr(file->fd, name);
}

/* ---- extended attributes ---- */

/* Reads names (`name` NULL) or a value. Most have room in `first`, so that one call is enough; if not, *ret_more is
 * memory that the caller frees. Returns the bytes, or -errno. */
static ssize_t read_bytes(const struct platform_file *file, const char *name, char first[FIRST_MAX], char **ret_more)
{
    ssize_t n = name ? get(file, name, first, FIRST_MAX) : list(file, first, FIRST_MAX);
    if (n >= 0 || errno != ERANGE)
        return n < 0 ? -errno : n;
    char *more = malloc(XATTR_SIZE_MAX);
    if (!more)
        return -ENOMEM;
    n = name ? get(file, name, more, XATTR_SIZE_MAX) : list(file, more, XATTR_LIST_MAX);
    if (n >= 0) {
        *ret_more = more;
        return n;
    }
    int code = errno;
    free(more);
    return -code;
}

static bool is_there(const struct platform_file *file, const char *name, const char *value, size_t n)
{
    char first[FIRST_MAX], *more CLEANUP_FREE = NULL;
    return read_bytes(file, name, first, &more) == (ssize_t)n && memcmp(value, more ? more : first, n) == 0;
}

/* Copies one attribute. `is_bare`: the new file has none. Returns 1 if the new file did not have it with this value, 0
 * if nothing had to change, or -errno. */
static int copy_one(const struct platform_file *from, const struct platform_file *to, const char *name, bool is_bare)
{
    char first[FIRST_MAX], *more CLEANUP_FREE = NULL;
    ssize_t n = read_bytes(from, name, first, &more);
    if (n == -ENODATA)
        return 0; /* removed in the meantime */
    if (n < 0)
        return (int)n;
    const char *value = more ? more : first;
    if (!is_bare && is_there(to, name, value, (size_t)n))
        return 0;
    return set(to, name, value, (size_t)n) < 0 ? -errno : 1;
}

/* Lists the names of the attributes, as read_bytes does. 0: there are none. */
static ssize_t list_names(const struct platform_file *file, char first[FIRST_MAX], char **ret_more)
{
    ssize_t n = read_bytes(file, NULL, first, ret_more);
    return n == -EOPNOTSUPP || n == -ENOSYS ? 0 : n;
}

/* The folder may have given the new file a flag that excludes one of the old file's flags: btrfs has no file that is
 * both compressed and not copy-on-write. So the flags that the old file lacks are removed first. */
static int change_flags(int old, int to)
{
    int new = 0;
    if (!(old & linux_kept_flags) || ioctl(to, FS_IOC_GETFLAGS, &new) < 0)
        return 0; /* this file system has no flags */
    int missing = old & linux_kept_flags & ~new;
    int fewer = new & ~(linux_kept_flags & ~old), want = fewer | missing;
    if (!missing)
        return 0;
    if (fewer != new &&ioctl(to, FS_IOC_SETFLAGS, &fewer) < 0)
        return -errno;
    return ioctl(to, FS_IOC_SETFLAGS, &want) < 0 ? -errno : 1;
}

static int copy_flags(const struct platform_file *from, const struct platform_file *to)
{
    int old = 0;
    if (to->path)
        return 0; /* it is not open */
    int fd = from->path ? fd_open(from->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0) : from->fd;
    bool has_flags = fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &old) == 0;
    if (from->path)
        fd_close(fd);
    return has_flags ? change_flags(old, to->fd) : 0;
}

/* Removes a list that the new file has and the old file has not: the folder may have given it one. */
static int drop_list(const struct platform_file *to, const char *name)
{
    if (get(to, name, NULL, 0) < 0)
        return 0; /* there is no list; servers differ in the error for that */
    return drop(to, name) < 0 ? -errno : 1;
}

/* `had`: which of the two lists the old file has. */
static int drop_lists(const struct platform_file *to, const bool had[2])
{
    const char *const lists[2] = {access_list, default_list};
    int changed = 0;
    for (int i = 0; i < 2; i++) {
        int r = had[i] ? 0 : drop_list(to, lists[i]);
        if (r < 0)
            return r;
        changed |= r;
    }
    return changed;
}

/* A copy of all attributes. */
struct attributes {
    const struct platform_file *from, *to;
    const struct platform_losses *losses;
    bool is_bare; /* `to` has none */
    bool had[2];  /* has `from` the access list and the default list? */
};

/* Returns 0 if the copy goes on without it, or a code. */
static int lose(const struct attributes *a, int code, const char *what)
{
    return a->losses->lose(a->losses->user, code, what);
}

static int lose_attribute(const struct attributes *a, int code, const char *name)
{
    char what[300];
    if (strcmp(name, access_list) == 0)
        return lose(a, code, "its access control list");
    snprintf(what, sizeof(what), "its attribute '%.255s'", name);
    return lose(a, code, what);
}

/* Returns 1 if something changed, 0, or -errno. */
static int copy_each(struct attributes *a, const char *names, ssize_t n)
{
    bool changed = false;
    for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
        a->had[0] |= strcmp(name, access_list) == 0;
        a->had[1] |= strcmp(name, default_list) == 0;
        if (!linux_keeps_attribute(name))
            continue;
        int r = copy_one(a->from, a->to, name, a->is_bare);
        int lost = r < 0 ? lose_attribute(a, r, name) : 0;
        if (lost < 0)
            return lost;
        changed |= r != 0;
    }
    return changed;
}

static int copy_extended(struct attributes *a)
{
    char first[FIRST_MAX], *more CLEANUP_FREE = NULL;
    ssize_t there = list(a->to, NULL, 0);
    a->is_bare = there == 0 || (there < 0 && errno == EOPNOTSUPP); /* then there is nothing to compare and to remove */
    ssize_t n = list_names(a->from, first, &more);
    int lost = n < 0 ? lose(a, (int)n, "its extended attributes") : 0;
    int changed = lost < 0 ? lost : copy_each(a, more ? more : first, n);
    if (changed < 0)
        return changed;
    int r = a->is_bare ? 0 : drop_lists(a->to, a->had);
    lost = r < 0 ? lose(a, r, "its access rights: the folder adds a list") : 0;
    return lost < 0 ? lost : changed || n < 0 || r != 0;
}

int linux_copy_attributes(const struct platform_file *from, const struct platform_file *to,
                          const struct platform_losses *losses)
{
    struct attributes a = {.from = from, .to = to, .losses = losses};
    int changed = copy_extended(&a);
    if (changed < 0)
        return changed;
    int r = copy_flags(from, to);
    int lost = r < 0 ? lose(&a, r, "its flags (see chattr)") : 0;
    return lost < 0 ? lost : changed || r != 0;
}

/* ---- attributes as values ---- */

int linux_attribute_set(const struct platform_file *file, const char *name, const void *value, size_t n)
{
    if (value)
        return set(file, name, value, n) < 0 ? -errno : 0;
    return drop(file, name) < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ENOSYS ? -errno : 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Makes the sorted list of the names that are copied. Returns their number, or -ENOMEM. */
static ssize_t sort_names(const char *names, ssize_t n, const char ***ret)
{
    size_t count = 0;
    const char **sorted = malloc(((size_t)n / 2 + 1) * sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (const char *name = names; name < names + n; name += strlen(name) + 1)
        if (linux_keeps_attribute(name))
            sorted[count++] = name;
    qsort(sorted, count, sizeof(*sorted), compare_names);
    *ret = sorted;
    return (ssize_t)count;
}

int linux_attributes_each(const struct platform_file *file,
                          int (*add)(void *user, const char *name, const void *value, size_t n), void *user)
{
    char first[FIRST_MAX], *more CLEANUP_FREE = NULL;
    const char **sorted = NULL;
    ssize_t n = list_names(file, first, &more);
    ssize_t count = n > 0 ? sort_names(more ? more : first, n, &sorted) : n;
    int r = count < 0 ? (int)count : 0;
    for (ssize_t i = 0; i < count && r == 0; i++) {
        char value[FIRST_MAX], *longer CLEANUP_FREE = NULL;
        ssize_t size = read_bytes(file, sorted[i], value, &longer);
        if (size != -ENODATA) /* not removed in the meantime */
            r = size < 0 ? (int)size : add(user, sorted[i], longer ? longer : value, (size_t)size);
    }
    free(sorted);
    return r;
}

int linux_flags_get(int fd, unsigned *ret)
{
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return -EOPNOTSUPP;
    *ret = (unsigned)(flags & linux_kept_flags);
    return 0;
}

int linux_flags_set(int fd, unsigned flags)
{
    int now = 0;
    if (!flags)
        return 0;
    return ioctl(fd, FS_IOC_GETFLAGS, &now) < 0 ? -EOPNOTSUPP : MIN(change_flags((int)flags, fd), 0);
}

mode_t linux_entry_kind(const struct dirent *entry)
{
    return DTTOIF(entry->d_type);
}
