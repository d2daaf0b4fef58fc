#include "kernel/files.h"
#include "base/base.h"
#include "base/fd.h"
#include "kernel/libc.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CONFIGFS_MAGIC /* not in every linux/magic.h */
#define CONFIGFS_MAGIC 0x62656570
#endif

bool linux_is_mount_point(const char *path)
{
    struct statx stx;
    return statx(AT_FDCWD, path, 0, 0, &stx) == 0 && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int linux_pin(const char *path)
{
    return fd_open(path, O_PATH, 0);
}

int linux_open_directory(int at, const char *path)
{
    int fd = openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd_above_standard(fd);
}

int linux_path_of_fd(int fd, char *text, size_t size)
{
    snprintf(text, size, "/proc/self/fd/%d", fd);
    struct stat st;
    return lstat(text, &st) < 0 ? -errno : 0; /* procfs may not be mounted */
}

int linux_check_flags(const char *path, bool *ret_appendable)
{
    struct statx stx;
    *ret_appendable = false;
    if (statx(AT_FDCWD, path, 0, 0, &stx) < 0)
        return 0;
    *ret_appendable = (stx.stx_attributes & STATX_ATTR_APPEND) && !(stx.stx_attributes & STATX_ATTR_IMMUTABLE);
    return stx.stx_attributes & (STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE) ? -EPERM : 0;
}

bool linux_takes_no_files(const char *path)
{
    static const unsigned long known[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, TRACEFS_MAGIC,
        DEBUGFS_MAGIC,    SELINUX_MAGIC, SECURITYFS_MAGIC,   CONFIGFS_MAGIC,      BINFMTFS_MAGIC,
    };
    struct statfs s;
    if (statfs(path, &s) < 0)
        return false;
    for (size_t i = 0; i < COUNT(known); i++)
        if ((unsigned long)s.f_type == known[i])
            return true;
    return false;
}

/* It gets its name through /proc/self/fd later, so without procfs it is of no use. */
int linux_open_unnamed(int at, const char *path, unsigned mode)
{
    char text[64];
    int fd = openat(at, path, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0)
        return fd;
    int r = linux_path_of_fd(fd, text, sizeof(text));
    if (r < 0)
        fd_close(fd);
    return r < 0 ? -EOPNOTSUPP : fd;
}
