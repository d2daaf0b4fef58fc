/* SPDX-License-Identifier: MIT */
#include "base/op.h"
#include "base/platform.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static op_interposer interposer;
static void *interposer_user;

void op_interpose(op_interposer with, void *user)
{
    interposer = with;
    interposer_user = user;
}

const char *op_name(enum op_kind kind)
{
    static const char *const names[OP_KINDS] = {
        [OP_READ] = "read",         [OP_WRITE] = "write",          [OP_SPLICE] = "splice",
        [OP_TEE] = "tee",           [OP_VMSPLICE] = "vmsplice",    [OP_COPY_RANGE] = "copy_file_range",
        [OP_SENDFILE] = "sendfile", [OP_CLONE] = "ioctl(FICLONE)", [OP_PUNCH] = "fallocate",
        [OP_FSYNC] = "fsync",       [OP_TRUNCATE] = "ftruncate",   [OP_LINK] = "link",
        [OP_RENAME] = "rename",     [OP_CLOSE] = "close",
    };
    return names[kind];
}

static struct msghdr message_of(const struct op *op)
{
    return (struct msghdr){.msg_iov = op->iov, .msg_iovlen = (size_t)op->iov_count};
}

static ssize_t read_pieces(const struct op *op)
{
    struct msghdr message = message_of(op);
    if (op->flags & OP_SOCKET)
        return recvmsg(op->fd[0], &message, op->flags & OP_NOWAIT ? MSG_DONTWAIT : 0);
    return readv(op->fd[0], op->iov, op->iov_count);
}

static ssize_t write_pieces(const struct op *op)
{
    struct msghdr message = message_of(op);
    if (op->flags & OP_SOCKET)
        return sendmsg(op->fd[1], &message, MSG_NOSIGNAL | (op->flags & OP_NOWAIT ? MSG_DONTWAIT : 0));
    return writev(op->fd[1], op->iov, op->iov_count);
}

static ssize_t read_fd(const struct op *op)
{
    if (op->iov_count)
        return read_pieces(op);
    if (op->flags & OP_SOCKET)
        return recv(op->fd[0], op->bytes, op->length, op->flags & OP_NOWAIT ? MSG_DONTWAIT : 0);
    if (op->offset[0] >= 0)
        return pread(op->fd[0], op->bytes, op->length, op->offset[0]);
    return read(op->fd[0], op->bytes, op->length);
}

static ssize_t write_fd(const struct op *op)
{
    if (op->iov_count)
        return write_pieces(op);
    if (op->flags & OP_SOCKET)
        return send(op->fd[1], op->bytes, op->length, MSG_NOSIGNAL | (op->flags & OP_NOWAIT ? MSG_DONTWAIT : 0));
    if (op->offset[1] >= 0)
        return pwrite(op->fd[1], op->bytes, op->length, op->offset[1]);
    return write(op->fd[1], op->bytes, op->length);
}

static int directory_of(const struct op *op)
{
    return op->fd[0] >= 0 ? op->fd[0] : AT_FDCWD;
}

/* The calls that POSIX has; the platform makes all others. */
static ssize_t execute_posix(const struct op *op)
{
    switch (op->kind) {
    case OP_READ:
        return read_fd(op);
    case OP_WRITE:
        return write_fd(op);
    case OP_FSYNC:
        return fsync(op->fd[1]);
    case OP_TRUNCATE:
        return ftruncate(op->fd[1], (off_t)op->offset[1]);
    case OP_LINK:
        return linkat(directory_of(op), op->path[0], directory_of(op), op->path[1], 0);
    case OP_RENAME:
        return renameat(directory_of(op), op->path[0], directory_of(op), op->path[1]);
    case OP_CLOSE: /* the descriptor is closed even if the call was interrupted */
        return close(op->fd[1]) < 0 && errno != EINTR ? -1 : 0;
    default:
        errno = ENOSYS;
        return -1;
    }
}

static bool for_the_platform(const struct op *op)
{
    bool moves = op->kind == OP_READ || op->kind == OP_WRITE;
    if (moves && (op->flags & (OP_NOWAIT | OP_DONTCACHE)) && !(op->flags & OP_SOCKET))
        return true;
    if (op->kind == OP_LINK)
        return op->path[0] == NULL;
    if (op->kind == OP_RENAME)
        return op->flags & (OP_NEW | OP_SWAP);
    return op->kind >= OP_SPLICE && op->kind <= OP_PUNCH;
}

bool op_gate(struct op *op, ssize_t *ret_result)
{
    return !interposer || interposer(interposer_user, op, ret_result);
}

ssize_t op_perform(struct op *op)
{
    ssize_t result;
    if (op->call)
        return op->call(op->user, op->bytes, op->length);
    do
        result = for_the_platform(op) ? platform.execute(op) : execute_posix(op);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

ssize_t op_execute(struct op *op)
{
    ssize_t result;
    return op_gate(op, &result) ? op_perform(op) : result;
}

int op_close(int *fd)
{
    struct op op = {.kind = OP_CLOSE, .fd = {-1, *fd}};
    ssize_t result;
    if (*fd < 0)
        return 0;
    if (op_gate(&op, &result))
        result = op_perform(&op);
    else
        close(*fd);
    *fd = -1;
    return (int)result;
}

int op_close_duplicate(int fd)
{
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (duplicate >= 0)
        return op_close(&duplicate);
    if (errno != EMFILE)
        return -errno;
    /* There is no free descriptor for a duplicate. A flush reports the same errors, but not those that only a close
     * reports. A file that can't be flushed has no errors to report. */
    struct op flush = {.kind = OP_FSYNC, .fd = {-1, fd}};
    int r = (int)op_execute(&flush);
    return r == -EINVAL || r == -EROFS ? 0 : r;
}
