/* SPDX-License-Identifier: MIT */
/* The platform on Linux: its system calls as ops, private pipes, files without a name, holes. */
#include "base/errno_name.h"
#include "base/fd.h"
#include "base/platform.h"
#include "kernel/files.h"
#include "kernel/libc.h"
#include "kernel/processes.h"
#include "kernel/sharing.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_DUPFD_QUERY /* since Linux 6.10 */
#define F_DUPFD_QUERY (1024 + 3)
#endif

#define PROCESSORS_MAX 8192 /* no kernel is built for more; with too small a set, sched_getaffinity fails */

#ifndef RWF_DONTCACHE /* not in every linux/fs.h */
#define RWF_DONTCACHE 0x80
#endif

/* If the call is unknown or forbidden, the result is as if the descriptor did not support the flag: the caller polls
 * from now on. If the error had another cause, the call without the flag shows it. */
static ssize_t flagged_result(ssize_t result)
{
    if (result < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EINVAL))
        errno = EOPNOTSUPP;
    return result;
}

static int flags_of(const struct op *op)
{
    return (op->flags & OP_NOWAIT ? RWF_NOWAIT : 0) | (op->flags & OP_DONTCACHE ? RWF_DONTCACHE : 0);
}

static ssize_t read_flagged(struct op *op)
{
    struct iovec iov = {op->bytes, op->length};
    return flagged_result(preadv2(op->fd[0], &iov, 1, op->offset[0], flags_of(op)));
}

static ssize_t write_flagged(struct op *op)
{
    struct iovec iov = {op->bytes, op->length};
    return flagged_result(pwritev2(op->fd[1], &iov, 1, op->offset[1], flags_of(op)));
}

/* The offsets in the form that these calls need: a pointer, or NULL for the descriptor's own position. */
struct offsets {
    loff_t value[2];
    loff_t *in, *out;
};

static void offsets_of(const struct op *op, struct offsets *o)
{
    o->value[0] = op->offset[0];
    o->value[1] = op->offset[1];
    o->in = op->offset[0] >= 0 ? &o->value[0] : NULL;
    o->out = op->offset[1] >= 0 ? &o->value[1] : NULL;
}

static unsigned splice_flags(const struct op *op)
{
    return SPLICE_F_MOVE | (op->flags & OP_NOWAIT ? SPLICE_F_NONBLOCK : 0) | (op->flags & OP_MORE ? SPLICE_F_MORE : 0);
}

static ssize_t link_unnamed(struct op *op)
{
    char path[64];
    int directory = op->fd[0] >= 0 ? op->fd[0] : AT_FDCWD;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", op->fd[1]);
    return linkat(AT_FDCWD, path, directory, op->path[1], AT_SYMLINK_FOLLOW);
}

static ssize_t rename_carefully(struct op *op)
{
    int directory = op->fd[0] >= 0 ? op->fd[0] : AT_FDCWD;
    unsigned flags = op->flags & OP_SWAP ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    return syscall(SYS_renameat2, directory, op->path[0], directory, op->path[1], flags);
}

static ssize_t execute(struct op *op)
{
    struct offsets o;
    switch (op->kind) {
    case OP_READ:
        return read_flagged(op);
    case OP_WRITE:
        return write_flagged(op);
    case OP_SPLICE:
        offsets_of(op, &o);
        return splice(op->fd[0], o.in, op->fd[1], o.out, op->length, splice_flags(op));
    case OP_TEE:
        return tee(op->fd[0], op->fd[1], op->length, splice_flags(op) & ~(unsigned)SPLICE_F_MORE);
    case OP_VMSPLICE:
        return vmsplice(op->fd[1], &(struct iovec){op->bytes, op->length}, 1, splice_flags(op));
    case OP_COPY_RANGE:
        offsets_of(op, &o);
        return copy_file_range(op->fd[0], o.in, op->fd[1], o.out, op->length, 0);
    case OP_SENDFILE:
        offsets_of(op, &o);
        return sendfile(op->fd[1], op->fd[0], o.in, op->length);
    case OP_CLONE:
        return ioctl(op->fd[1], FICLONE, op->fd[0]);
    case OP_PUNCH:
        return fallocate(op->fd[1], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, op->offset[1], (off_t)op->length) < 0
                   ? -1
                   : (ssize_t)op->length;
    case OP_LINK:
        return link_unnamed(op);
    case OP_RENAME:
        return rename_carefully(op);
    default:
        errno = ENOSYS;
        return -1;
    }
}

static int reopen(int fd, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd_open(path, flags | O_NOCTTY | O_NONBLOCK, 0);
}

static bool is_direct(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT);
}

/* If the kernel does not report the alignment, uses a page, which is enough for all but few file systems and disks. */
static int direct_alignment(int fd, size_t *ret)
{
    *ret = PAGE;
#ifdef STATX_DIOALIGN
    struct statx stx;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 || !(stx.stx_mask & STATX_DIOALIGN))
        return 0;
    if (stx.stx_dio_offset_align == 0)
        return -EOPNOTSUPP;
    *ret = MAX(PAGE, MAX(stx.stx_dio_offset_align, stx.stx_dio_mem_align));
#endif
    return 0;
}

static int open_direct(int fd, enum leat_direction direction, size_t *ret_alignment)
{
    char path[64];
    size_t alignment;
    int r = direct_alignment(fd, &alignment);
    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    r = fd_open(path, O_DIRECT | (direction == LEAT_READ ? O_RDONLY : O_WRONLY), 0);
    if (r >= 0)
        *ret_alignment = alignment;
    return r;
}

static int allocate(int fd, uint64_t length)
{
    return fallocate(fd, 0, 0, (off_t)length) < 0 ? -errno : 0;
}

/* Did the call fail because it is missing, forbidden, or lacks memory? Then the error says nothing about the bytes. Any
 * other error comes from the disk. */
static bool says_nothing_of_the_disk(int code)
{
    return code == ENOSYS || code == EPERM || code == EACCES || code == EINVAL || code == ESPIPE || code == ENOMEM;
}

static int write_back(int fd, int64_t offset, uint64_t length, bool wait)
{
    unsigned waits = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (sync_file_range(fd, offset, (off_t)length, SYNC_FILE_RANGE_WRITE | (wait ? waits : 0)) == 0)
        return 0;
    if (!says_nothing_of_the_disk(errno))
        return -errno;
    return wait && fdatasync(fd) < 0 ? -errno : 0;
}

static int two_ends(int ret[2])
{
    return pipe2(ret, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0; /* on failure pipe2 leaves `ret` unchanged */
}

/* Asks for `size`, then for half of it, and so on down to a page: above the soft limit of its user a pipe can't grow,
 * and a new pipe has only two pages. The result is the size that the kernel reports. */
static int pipe_make(int ret[2], size_t size, size_t *ret_size)
{
    int fd[2];
    int r = two_ends(fd);
    if (r < 0)
        return r;
    int real = -1;
    for (size_t want = size; real < 0 && want >= PAGE; want /= 2) {
        real = fcntl(fd[1], F_SETPIPE_SZ, (int)want);
        if (real < 0 && errno != EPERM)
            break;
    }
    if (real < 0)
        real = fcntl(fd[1], F_GETPIPE_SZ);
    if (real < 0 || (size_t)real > MAX(size, PAGE)) {
        int code = real < 0 ? -errno : -ENOBUFS;
        fd_close(fd[0]);
        fd_close(fd[1]);
        return code;
    }
    ret[0] = fd[0];
    ret[1] = fd[1];
    *ret_size = (size_t)real;
    return 0;
}

static size_t pipe_size(int fd)
{
    int size = fcntl(fd, F_GETPIPE_SZ);
    return size > 0 ? (size_t)size : 0;
}

static size_t pipe_unread(int fd)
{
    int n;
    return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

static int open_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return fd < 0 ? -errno : fd;
}

static int accept_peer(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int find_data(int fd, uint64_t offset, uint64_t *ret_start, uint64_t *ret_end)
{
    off_t start = lseek(fd, (off_t)offset, SEEK_DATA);
    if (start < 0)
        return -errno;
    off_t end = lseek(fd, start, SEEK_HOLE);
    if (end < 0)
        return -errno;
    *ret_start = (uint64_t)start;
    *ret_end = (uint64_t)end;
    return 0;
}

static const char *errno_name(int code)
{
#ifdef LEAT_HAVE_STRERRORNAME_NP
    return code ? strerrorname_np(code) : NULL; /* glibc's name of 0 is "0" */
#else
    return errno_name_posix(code);
#endif
}

static int path_to_fd(const char *path)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int i = 0; i < 3; i++)
        if (strcmp(path, names[i]) == 0)
            return i;
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        size_t n = strlen(folders[i]);
        char *end;
        if (strncmp(path, folders[i], n) != 0 || !isdigit((unsigned char)path[n]))
            continue;
        unsigned long fd = strtoul(path + n, &end, 10);
        return *end || fd > INT_MAX ? -1 : (int)fd;
    }
    return -1;
}

/* fcntl needs a newer kernel; kcmp needs a kernel that is built with it, and a policy that allows it. */
static int is_same_open_file(int a, int b)
{
    int r = fcntl(a, F_DUPFD_QUERY, b);
    if (r >= 0)
        return r;
    long order = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, (unsigned long)a, (unsigned long)b);
    return order < 0 ? -EOPNOTSUPP : order == 0;
}

/* A filter of system calls may forbid the question; then the processors that are online count. */
static unsigned processors(void)
{
    cpu_set_t set[PROCESSORS_MAX / CPU_SETSIZE];
    if (sched_getaffinity(0, sizeof(set), set) == 0)
        return (unsigned)MAX(CPU_COUNT_S(sizeof(set), set), 1);
    return (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

static bool has_arm_crc(void)
{
#ifdef HWCAP_CRC32
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
#else
    return false;
#endif
}

static void consume_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigtimedwait(&set, NULL, &(struct timespec){0, 0});
}

const struct platform platform = {
    .name = "linux",
    .processes = &linux_processes,
    .sharing = &linux_sharing,
    .execute = execute,
    .reopen = reopen,
    .is_direct = is_direct,
    .open_direct = open_direct,
    .allocate = allocate,
    .write_back = write_back,
    .sync_file_system = linux_sync_file_system,
    .lock_file = linux_lock_file,
    .path_flags = linux_path_flags,
    .pin = linux_pin,
    .open_directory = linux_open_directory,
    .path_of_fd = linux_path_of_fd,
    .copy_attributes = linux_copy_attributes,
    .differing_attributes = linux_differing_attributes,
    .attribute_set = linux_attribute_set,
    .attributes_each = linux_attributes_each,
    .flags_get = linux_flags_get,
    .flags_set = linux_flags_set,
    .entry_kind = linux_entry_kind,
    .open_unnamed = linux_open_unnamed,
    .pipe = two_ends,
    .pipe_make = pipe_make,
    .pipe_size = pipe_size,
    .pipe_grow = linux_pipe_grow,
    .pipe_unread = pipe_unread,
    .socket = open_socket,
    .accept = accept_peer,
    .find_data = find_data,
    .file_system = linux_file_system,
    .errno_name = errno_name,
    .path_to_fd = path_to_fd,
    .is_same_open_file = is_same_open_file,
    .processors = processors,
    .has_arm_crc = has_arm_crc,
    .consume_sigpipe = consume_sigpipe,
};
