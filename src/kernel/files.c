/* SPDX-License-Identifier: MIT */
#include "kernel/files.h"
#include "base/base.h"
#include "base/fd.h"
#include "kernel/libc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in every linux/magic.h. */
#define MAGIC_FUSE 0x65735546
#define MAGIC_XFS  0x58465342
#define MAGIC_CIFS 0xFF534D42
#define MAGIC_CEPH 0x00c36400
#define MAGIC_ZFS  0x2fc12fc1
#ifndef CONFIGFS_MAGIC
#define CONFIGFS_MAGIC 0x62656570
#endif

int linux_sync_file_system(int fd)
{
    return syncfs(fd) < 0 ? -errno : 0;
}

int linux_lock_file(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

unsigned linux_path_flags(const char *path)
{
    struct statx stx;
    if (statx(AT_FDCWD, path, 0, 0, &stx) < 0)
        return 0;
    return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT ? PATH_MOUNTED : 0) |
           (stx.stx_attributes & STATX_ATTR_APPEND ? PATH_APPEND_ONLY : 0) |
           (stx.stx_attributes & STATX_ATTR_IMMUTABLE ? PATH_IMMUTABLE : 0);
}

int linux_pin(int at, const char *path, bool follows)
{
    int fd;
    do
        fd = openat(at, path, O_PATH | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW));
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd_above_standard(fd);
}

int linux_open_directory(int at, const char *path)
{
    int fd = openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd_above_standard(fd);
}

int linux_path_of_fd(int fd, char *text, size_t size)
{
    snprintf(text, size, "/proc/self/fd/%d", fd);
    return 0;
}

int linux_file_system(const char *path, struct platform_file_system *ret)
{
    static const struct {
        unsigned long magic;
        struct platform_file_system is;
    } known[] = {
        {EXT4_SUPER_MAGIC, {"ext4", false, false}},
        {MAGIC_XFS, {"xfs", false, false}},
        {BTRFS_SUPER_MAGIC, {"btrfs", false, false}},
        {TMPFS_MAGIC, {"tmpfs", false, false}},
        {OVERLAYFS_SUPER_MAGIC, {"overlay", false, false}},
        {MAGIC_FUSE, {"fuse", false, false}},
        {MAGIC_ZFS, {"zfs", false, false}},
        {F2FS_SUPER_MAGIC, {"f2fs", false, false}},
        {HOSTFS_SUPER_MAGIC, {"hostfs", false, false}},
        {NFS_SUPER_MAGIC, {"nfs", true, false}},
        {SMB_SUPER_MAGIC, {"smb", true, false}},
        {SMB2_SUPER_MAGIC, {"smb2", true, false}},
        {MAGIC_CIFS, {"cifs", true, false}},
        {MAGIC_CEPH, {"ceph", true, false}},
        {PROC_SUPER_MAGIC, {"proc", false, true}},
        {SYSFS_MAGIC, {"sysfs", false, true}},
        {CGROUP_SUPER_MAGIC, {NULL, false, true}},
        {CGROUP2_SUPER_MAGIC, {NULL, false, true}},
        {TRACEFS_MAGIC, {NULL, false, true}},
        {DEBUGFS_MAGIC, {NULL, false, true}},
        {SELINUX_MAGIC, {NULL, false, true}},
        {SECURITYFS_MAGIC, {NULL, false, true}},
        {CONFIGFS_MAGIC, {NULL, false, true}},
        {BINFMTFS_MAGIC, {NULL, false, true}},
    };
    struct statfs s;
    *ret = (struct platform_file_system){.name = NULL};
    if (statfs(path, &s) < 0)
        return -errno;
    for (size_t i = 0; i < COUNT(known); i++)
        if ((unsigned long)s.f_type == known[i].magic)
            *ret = known[i].is;
    return 0;
}

int linux_open_unnamed(int at, const char *path, unsigned mode)
{
    int fd = openat(at, path, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode);
    return fd < 0 ? -errno : fd_above_standard(fd);
}
