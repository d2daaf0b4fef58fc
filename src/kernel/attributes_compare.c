/* SPDX-License-Identifier: MIT */
/* Compares what two files have besides bytes, owner, mode and times. The names are looked up through /proc, because no
 * call on attributes takes a folder and a name in it. */
#include "base/base.h"
#include "base/fd.h"
#include "kernel/files.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum {
    PATH_ROOM = NAME_MAX + 64
};

/* Gives the names of the attributes and their bytes; 0: there are none. Or -errno. */
static ssize_t list_names(const char *path, char **ret)
{
    ssize_t n = llistxattr(path, NULL, 0);
    if (n <= 0)
        return n == 0 || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
    char *names = malloc((size_t)n + 1);
    if (!names)
        return -ENOMEM;
    n = llistxattr(path, names, (size_t)n);
    int code = errno;
    if (n < 0)
        free(names);
    else
        *ret = names;
    return n < 0 ? -code : n;
}

/* Gives the value and its bytes, or -errno. */
static ssize_t read_value(const char *path, const char *name, char **ret)
{
    ssize_t n = lgetxattr(path, name, NULL, 0);
    if (n < 0)
        return -errno;
    char *value = *ret = malloc((size_t)n + 1);
    if (!value)
        return -ENOMEM;
    n = lgetxattr(path, name, value, (size_t)n);
    return n < 0 ? -errno : n;
}

/* Returns 1: it differs, 0 or -errno. */
static int compare_one(const char *const path[2], const char *name)
{
    char *value[2] = {NULL, NULL};
    ssize_t n[2];
    for (int side = 0; side < 2; side++)
        n[side] = read_value(path[side], name, &value[side]);
    int r = n[0] != n[1] || (n[0] > 0 && memcmp(value[0], value[1], (size_t)n[0]) != 0);
    for (int side = 0; side < 2; side++) {
        free(value[side]);
        if (n[side] < 0 && n[side] != -ENODATA)
            r = (int)n[side];
    }
    return r;
}

static void say(const char *name, char *ret, size_t size)
{
    if (strcmp(name, "system.posix_acl_access") == 0)
        snprintf(ret, size, "the access control list");
    else if (strcmp(name, "system.posix_acl_default") == 0)
        snprintf(ret, size, "the default access control list");
    else if (strcmp(name, "security.capability") == 0)
        snprintf(ret, size, "the capabilities");
    else
        snprintf(ret, size, "the attribute '%s'", name);
}

/* Compares the attributes that are among these names. */
static int compare_names(const char *const path[2], const char *names, ssize_t n, char *ret, size_t size)
{
    for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
        int r = linux_keeps_attribute(name) ? compare_one(path, name) : 0;
        if (r > 0)
            say(name, ret, size);
        if (r != 0)
            return r;
    }
    return 0;
}

static int flags_of(int folder, const char *name)
{
    int flags = 0, fd CLEANUP_FD = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return 0; /* this file system has no flags */
    return flags & linux_kept_flags;
}

int linux_differing_attributes(const int folder[2], const char *name, mode_t kind, char *ret, size_t size)
{
    char text[2][PATH_ROOM];
    char *names[2] = {NULL, NULL};
    int r = 0;
    for (int side = 0; side < 2; side++)
        snprintf(text[side], sizeof(text[side]), "/proc/self/fd/%d/%s", folder[side], name);
    const char *const path[2] = {text[0], text[1]};
    for (int side = 0; side < 2 && r == 0; side++) {
        ssize_t n = list_names(path[side], &names[side]);
        r = n < 0 ? (int)n : compare_names(path, names[side], n, ret, size);
    }
    free(names[0]);
    free(names[1]);
    if (r == 0 && (S_ISREG(kind) || S_ISDIR(kind)) && flags_of(folder[0], name) != flags_of(folder[1], name)) {
        snprintf(ret, size, "the flags (see chattr)");
        r = 1;
    }
    return r;
}
