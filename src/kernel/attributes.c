/* SPDX-License-Identifier: MIT */
/* Copies what a file has besides bytes, owner, mode and times to another file. Its access control list is the extended
 * attribute system.posix_acl_access. */
#include "base/base.h"
#include "base/fd.h"
#include "kernel/files.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char access_list[] = "system.posix_acl_access";
static const char default_list[] = "system.posix_acl_default"; /* of a folder: what new files in it get */

/* Flags that say how the file is to be stored; the other flags belong to the file system. */
static const int kept_flags = FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL |
                              FS_NOCOMP_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_NOCOW_FL;

/* Is the attribute about the contents? It does not fit the new contents. */
static bool is_of_contents(const char *name)
{
    return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* Is the attribute a view that the file system makes of other data? All names of "system." are, except these. */
static bool is_view(const char *name)
{
    return strncmp(name, "system.", 7) == 0 && strcmp(name, access_list) != 0 && strcmp(name, default_list) != 0 &&
           strncmp(name, "system.nfs4", 11) != 0;
}

static ssize_t read_value(const char *path, int fd, const char *name, char **ret)
{
    ssize_t n = path ? getxattr(path, name, NULL, 0) : fgetxattr(fd, name, NULL, 0);
    if (n < 0)
        return -errno;
    char *value = malloc((size_t)n + 1);
    if (!value)
        return -ENOMEM;
    n = path ? getxattr(path, name, value, (size_t)n) : fgetxattr(fd, name, value, (size_t)n);
    if (n < 0) {
        int code = errno;
        free(value);
        return -code;
    }
    *ret = value;
    return n;
}

/* Copies one attribute. Returns 1 if the new file did not have it with this value, 0 if nothing had to change, or
 * -errno. */
static int copy_one(const char *from, int to, const char *name)
{
    char *value CLEANUP_FREE = NULL, *there CLEANUP_FREE = NULL;
    ssize_t n = read_value(from, -1, name, &value);
    if (n == -ENODATA)
        return 0; /* removed in the meantime */
    if (n < 0)
        return (int)n;
    if (read_value(NULL, to, name, &there) == n && value && there && memcmp(value, there, (size_t)n) == 0)
        return 0;
    return fsetxattr(to, name, value, (size_t)n, 0) < 0 ? -errno : 1;
}

/* Lists the names of the attributes. Returns their bytes, or -errno. 0, and *ret unchanged: there are none. */
static ssize_t list_names(const char *path, char **ret)
{
    ssize_t n = listxattr(path, NULL, 0);
    if (n <= 0)
        return n == 0 || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
    char *names = malloc((size_t)n + 1);
    if (!names)
        return -ENOMEM;
    n = listxattr(path, names, (size_t)n);
    if (n < 0) {
        int code = errno;
        free(names);
        return -code;
    }
    *ret = names;
    return n;
}

/* The folder may have given the new file a flag that excludes one of the old file's flags: btrfs has no file that is
 * both compressed and not copy-on-write. So the flags that the old file lacks are removed first. */
static int copy_flags(const char *from, int to)
{
    int fd CLEANUP_FD = fd_open(from, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    int old = 0, new = 0;
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &old) < 0 || ioctl(to, FS_IOC_GETFLAGS, &new) < 0)
        return 0; /* this file system has no flags */
    int missing = old & kept_flags & ~new;
    int fewer = new & ~(kept_flags & ~old), want = fewer | missing;
    if (!missing)
        return 0;
    if (fewer != new &&ioctl(to, FS_IOC_SETFLAGS, &fewer) < 0)
        return -errno;
    return ioctl(to, FS_IOC_SETFLAGS, &want) < 0 ? -errno : 1;
}

/* Removes a list that the new file has and the old file has not: the folder may have given it one. */
static int drop_list(int to, const char *name)
{
    if (fgetxattr(to, name, NULL, 0) < 0)
        return 0; /* there is no list; servers differ in the error for that */
    return fremovexattr(to, name) < 0 ? -errno : 1;
}

/* `had`: which of the two lists the old file has. Most files have no attribute, which one call tells. */
static int drop_lists(int to, const bool had[2])
{
    const char *const lists[2] = {access_list, default_list};
    int changed = 0;
    if (flistxattr(to, NULL, 0) == 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        int r = had[i] ? 0 : drop_list(to, lists[i]);
        if (r < 0)
            return r;
        changed |= r;
    }
    return changed;
}

static int lose(const char *what, int code, char *lost, size_t size)
{
    snprintf(lost, size, "%s", what);
    return code;
}

static int lose_attribute(const char *name, int code, char *lost, size_t size)
{
    if (strcmp(name, access_list) == 0)
        return lose("its access control list", code, lost, size);
    snprintf(lost, size, "its attribute '%s'", name);
    return code;
}

/* Copies all attributes. `had`: for the access list and the default list, whether the old file has it. Returns 1 if
 * something changed, 0, or -errno. */
static int copy_all(const char *from, int to, const char *names, ssize_t n, bool tries, bool had[2], char *lost,
                    size_t size)
{
    bool changed = false;
    for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
        bool is_list = strcmp(name, access_list) == 0;
        had[0] |= is_list;
        had[1] |= strcmp(name, default_list) == 0;
        if (is_of_contents(name) || is_view(name))
            continue;
        int r = copy_one(from, to, name);
        if (r < 0 && (is_list || !tries))
            lose_attribute(name, r, lost, size);
        if (r < 0 && !tries)
            return r;
        changed |= r != 0;
    }
    return changed;
}

int linux_copy_attributes(const char *from, int to, bool tries, char *lost, size_t size)
{
    char *names = NULL;
    bool had[2] = {false, false};
    ssize_t n = list_names(from, &names);
    if (n < 0 && !tries)
        return lose("its extended attributes", (int)n, lost, size);
    int r = copy_all(from, to, names, n, tries, had, lost, size);
    free(names);
    if (r < 0)
        return r;
    bool changed = r != 0 || n < 0;
    r = drop_lists(to, had);
    if (r < 0 && !tries)
        return lose("its access rights: the folder adds a list", r, lost, size);
    changed |= r != 0;
    r = copy_flags(from, to);
    if (r < 0 && !tries)
        return lose("its flags (see chattr)", r, lost, size);
    return changed || r != 0;
}

mode_t linux_entry_kind(const struct dirent *entry)
{
    return DTTOIF(entry->d_type);
}
