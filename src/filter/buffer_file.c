/* SPDX-License-Identifier: MIT */
#include "filter/buffer_file.h"
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include <errno.h>
#include <leat/base.h>

void buffer_file_init(struct buffer_file *file)
{
    file->fd = -1;
    file->direct[LEAT_READ] = file->direct[LEAT_WRITE] = -1;
}

static int open_direct(int fd, enum leat_direction direction)
{
    size_t alignment;
    int direct = platform.open_direct(fd, direction, &alignment);
    if (direct >= 0 && (alignment > PAGE || PAGE % alignment)) /* chunks have whole pages */
        return fd_close(direct);
    return direct < 0 ? -1 : direct;
}

int buffer_file_open(struct buffer_file *file, const char *folder)
{
    file->keeps = false;
    file->fd = fd_unnamed_in(folder);
    if (file->fd < 0) {
        int r = file->fd;
        file->fd = -1;
        return r == -EAGAIN ? -EBUSY : r;
    }
    file->direct[LEAT_READ] = open_direct(file->fd, LEAT_READ);
    file->direct[LEAT_WRITE] = open_direct(file->fd, LEAT_WRITE);
    return 0;
}

void buffer_file_close(struct buffer_file *file)
{
    for (int i = LEAT_READ; i <= LEAT_WRITE; i++)
        file->direct[i] = fd_close(file->direct[i]);
    file->fd = fd_close(file->fd);
}

/* Moves all bytes. If the file can't be used past the cache after all, or comes short, the rest goes through it. */
static int move(struct buffer_file *file, enum leat_direction direction, struct op op)
{
    bool direct = file->direct[direction] >= 0;
    while (op.length) {
        op.fd[direction] = direct ? file->direct[direction] : file->fd;
        struct op once = op;
        ssize_t r = op_execute(&once);
        if (r == -EAGAIN)
            continue;
        if (direct && (r == -EINVAL || (r > 0 && (size_t)r % PAGE))) {
            direct = false;
            r = MAX(r, 0);
        } else if (r <= 0)
            return r < 0 ? (int)r : -EIO;
        op.bytes = (uint8_t *)op.bytes + r;
        op.length -= (size_t)r;
        op.offset[direction] += r;
    }
    return 0;
}

static int write_all(void *user, const void *bytes, size_t n, uint64_t at)
{
    struct iovec from = iov_of(bytes, n);
    return move(
        user, LEAT_WRITE,
        (struct op){
            .kind = OP_WRITE, .fd = {-1, -1}, .offset = {-1, (int64_t)at}, .bytes = from.iov_base, .length = n});
}

static int read_all(void *user, void *bytes, size_t n, uint64_t at)
{
    return move(user, LEAT_READ,
                (struct op){.kind = OP_READ, .fd = {-1, -1}, .offset = {(int64_t)at, -1}, .bytes = bytes, .length = n});
}

/* If the file system can't do that, it is not asked again. */
static void discard(void *user, size_t n, uint64_t at)
{
    struct buffer_file *file = user;
    struct op op = {.kind = OP_PUNCH, .fd = {-1, file->fd}, .offset = {-1, (int64_t)at}, .length = n};
    ssize_t r = file->keeps ? 0 : op_execute(&op);
    file->keeps |= r < 0 && r != -EAGAIN && r != -EINTR;
}

const struct hold_file buffer_file_calls = {.write = write_all, .read = read_all, .discard = discard};
