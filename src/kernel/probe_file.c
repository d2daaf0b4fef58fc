/* SPDX-License-Identifier: MIT */
/* Probes of files in one directory. */
#include "kernel/libc.h"
#include "kernel/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

/* Not in every linux/fs.h. */
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x00000080
#endif

int probe_directory(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = probe_file(run);
    if (fd < 0)
        return fd;
    int code = probe_put(fd);
    if (code == 0 && run->file_system)
        probe_say(run, "Files can be made here, on %s.", run->file_system);
    return code;
}

static int unnamed(struct probe_run *run)
{
    int fd = openat(run->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

int probe_unnamed(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = unnamed(run);
    return fd < 0 ? fd : 0;
}

int probe_link(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = unnamed(run);
    if (fd < 0)
        return fd;
    char path[64], name[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    probe_hidden_name(name, sizeof(name));
    if (linkat(AT_FDCWD, path, run->directory, name, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    return unlinkat(run->directory, name, 0) < 0 && errno == ENOENT ? -EOPNOTSUPP : 0;
}

/* Opens two files: the source with the known bytes and position 0, and an empty file. */
static int two_files(struct probe_run *run, int (*open_file)(struct probe_run *), int ret[2])
{
    for (int i = 0; i < 2; i++) {
        ret[i] = open_file(run);
        if (ret[i] < 0)
            return ret[i];
    }
    int code = probe_put(ret[0]);
    lseek(ret[0], 0, SEEK_SET);
    return code;
}

int probe_reflink(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int fd[2] = {-1, -1};
    int code = two_files(run, probe_file, fd);
    if (code < 0)
        return code;
    return ioctl(fd[1], FICLONE, fd[0]) < 0 ? -errno : probe_check(fd[1]);
}

int probe_copy_range(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int fd[2] = {-1, -1};
    int code = two_files(run, probe_any_file, fd);
    if (code == 0)
        code = probe_moved(copy_file_range(fd[0], NULL, fd[1], NULL, PROBE_BYTES, 0), PROBE_BYTES);
    return code == 0 ? probe_check(fd[1]) : code;
}

int probe_sendfile_to_file(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int fd[2] = {-1, -1};
    int code = two_files(run, probe_any_file, fd);
    if (code == 0)
        code = probe_moved(sendfile(fd[1], fd[0], NULL, PROBE_BYTES), PROBE_BYTES);
    return code == 0 ? probe_check(fd[1]) : code;
}

int probe_sendfile_to_socket(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int socket[2] = {-1, -1};
    CLEANUP_FD int fd = probe_any_file(run);
    if (fd < 0)
        return fd;
    int code = probe_socket_pair(socket);
    if (code == 0)
        code = probe_put(fd);
    if (code == 0)
        code = probe_moved(sendfile(socket[1], fd, &(off_t){0}, PROBE_BYTES), PROBE_BYTES);
    return code == 0 ? probe_check(socket[0]) : code;
}

/* Sets O_DIRECT on a descriptor that only the probe has. Reports the smallest alignment that works. */
static int direct_with(struct probe_run *run, int fd, char *page)
{
    int code = probe_moved(pwrite(fd, page, PAGE, 0), PAGE);
    if (code < 0)
        return code;
    if (fcntl(fd, F_SETFL, O_DIRECT) < 0)
        return -errno;
    const size_t sizes[] = {512, PAGE};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        code = probe_moved(pread(fd, page, sizes[i], 0), sizes[i]);
        if (code == 0)
            code = probe_moved(pwrite(fd, page, sizes[i], 0), sizes[i]);
        if (code == 0) {
            probe_say(run, "Files can be read and written past the page cache, in multiples of %zu bytes.", sizes[i]);
            break;
        }
    }
    return code;
}

int probe_direct(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = probe_file(run);
    if (fd < 0)
        return fd;
    CLEANUP_FREE char *page = aligned_alloc(PAGE, PAGE);
    if (!page)
        return -ENOMEM;
    memset(page, 0, PAGE);
    return direct_with(run, fd, page);
}

int probe_dontcache(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = probe_file(run);
    if (fd < 0)
        return fd;
    char bytes[PROBE_BYTES] = {0};
    struct iovec iov = {bytes, sizeof(bytes)};
    int code = probe_moved(pwritev2(fd, &iov, 1, 0, RWF_DONTCACHE), sizeof(bytes));
    return code == 0 ? probe_moved(preadv2(fd, &iov, 1, 0, RWF_DONTCACHE), sizeof(bytes)) : code;
}

#define SPARSE_BYTES (4 << 20) /* larger than any block or huge page that a hole is rounded to */

/* A file system without holes reports the end of the file as the first hole. */
int probe_holes(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = probe_file(run);
    if (fd < 0)
        return fd;
    int code = probe_file_limit(SPARSE_BYTES);
    if (code == 0)
        code = probe_put(fd);
    if (code < 0)
        return code;
    if (ftruncate(fd, SPARSE_BYTES) < 0)
        return -errno;
    off_t hole = lseek(fd, 0, SEEK_HOLE);
    if (hole < 0)
        return -errno;
    return hole < SPARSE_BYTES ? 0 : -EOPNOTSUPP;
}
