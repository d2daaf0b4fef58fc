/* SPDX-License-Identifier: MIT */
/* fd:N, - and leat_endpoint_from_fd: a descriptor that is open already and that other processes may share. Its flags
 * are never changed. The position of a shared regular file is moved once, at the end, to where the delivered bytes
 * end. */
#include "base/fd.h"
#include "base/platform.h"
#include "endpoint/endpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct descriptor_endpoint {
    leat_endpoint endpoint;
    int fd;      /* The descriptor of the caller. */
    int private; /* A descriptor of ours on the same file, with flags of ours; or -1. */
    bool owned;
    bool sync;
};

/* Checks the access mode and, for a sink, whether it appends. Only now is the direction certain. */
static int check_access(struct descriptor_endpoint *d, struct leat_error *error)
{
    struct node *node = &d->endpoint.node;
    int flags = fcntl(d->fd, F_GETFL);
    if (flags < 0)
        return endpoint_error(node, error, -errno, "fcntl", "no such descriptor is open");
    int wrong = node->direction == LEAT_READ ? O_WRONLY : O_RDONLY;
    if ((flags & O_ACCMODE) == wrong)
        return endpoint_error(node, error, -EBADF, "fcntl",
                              node->direction == LEAT_READ ? "the descriptor is not open for reading"
                                                           : "the descriptor is not open for writing");
    node->append = node->direction == LEAT_WRITE && node->kind == NODE_FILE && (flags & O_APPEND);
    return 0;
}

/* Other programs may share a terminal and need it blocking, so we open a non-blocking descriptor of our own; if that
 * fails, we poll before each call. Other devices are not opened twice, because a second open of a tape or a tunnel is
 * something else. O_DIRECT needs aligned lengths, which the last block seldom has, so such a file is opened anew. */
static enum node_wait choose_descriptor(struct descriptor_endpoint *d)
{
    struct node *node = &d->endpoint.node;
    int access = node->direction == LEAT_READ ? O_RDONLY : O_WRONLY;
    if (node->kind == NODE_TTY)
        d->private = platform.reopen(d->fd, access);
    else if (node->kind == NODE_FILE && platform.is_direct(d->fd))
        d->private = platform.reopen(d->fd, access | (node->append ? O_APPEND : 0));
    switch (node->kind) {
    case NODE_PIPE:
    case NODE_SOCKET:
        return NODE_WAIT_ASK;
    case NODE_TTY:
        return d->private >= 0 ? NODE_WAIT_OWN : NODE_WAIT_POLL;
    case NODE_DEVICE:
        return NODE_WAIT_POLL;
    default:
        return NODE_WAIT_NEVER;
    }
}

static int descriptor_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct descriptor_endpoint *d = (struct descriptor_endpoint *)node;
    int r = check_access(d, error);
    if (r < 0)
        return r;
    struct stat st;
    if (node->direction == LEAT_READ && node->kind == NODE_FILE && fstat(d->fd, &st) == 0)
        node_set_stat(node, &st); /* The file may have grown since it was resolved. */
    enum node_wait wait = choose_descriptor(d);
    int64_t position = -1;
    bool seekable = node->kind == NODE_FILE || node->kind == NODE_BLOCK;
    /* A shared sink is written at its own position, so that programs that write to it in turn find the end. A private
     * descriptor has a position of its own. */
    if (seekable && !node->append && (node->direction == LEAT_READ || d->private >= 0))
        position = lseek(d->fd, 0, SEEK_CUR);
    node_set_fd(node, d->private >= 0 ? d->private : d->fd, position, wait);
    if (node->direction == LEAT_READ && node->kind == NODE_FILE)
        node->seek_fd = platform.reopen(d->fd, O_RDONLY);
    return 0;
}

static void leave_position(struct descriptor_endpoint *d, uint64_t delivered)
{
    if (d->endpoint.node.position >= 0)
        lseek(d->fd, d->endpoint.node.position + (off_t)delivered, SEEK_SET);
}

/* Does closing a duplicate report errors that closing the descriptor would? It also drops the fcntl(2) locks that this
 * process has on the file. So it is not done to a borrowed descriptor unless it may report something. */
static bool reports_errors_on_close(const struct descriptor_endpoint *d)
{
    const struct node *node = &d->endpoint.node;
    const char *name = node->file_system;
    if (node->direction == LEAT_READ || node->kind != NODE_FILE)
        return false;
    return d->owned || node->network || !name || strcmp(name, "fuse") == 0 || strcmp(name, "overlay") == 0;
}

static int descriptor_finish(struct node *node, uint64_t delivered, struct leat_error *error)
{
    struct descriptor_endpoint *d = (struct descriptor_endpoint *)node;
    leave_position(d, delivered);
    if (d->sync && node->direction == LEAT_WRITE) {
        struct op op = {.kind = OP_FSYNC, .fd = {-1, node->fd}};
        ssize_t r = op_execute(&op);
        if (r < 0 && r != -EINVAL && r != -EROFS) /* Pipes and sockets cannot be synced. */
            return endpoint_error(node, error, (int)r, "fsync", "the data may not be on the disk");
    }
    int closed = reports_errors_on_close(d) ? op_close_duplicate(d->fd) : 0;
    if (closed < 0)
        return endpoint_error(node, error, closed, op_name(OP_CLOSE), "what was written may be lost");
    return 0;
}

/* A socket that was given to us is reset. A borrowed one is for its owner to reset. */
static void descriptor_abort(struct node *node, int code UNUSED, uint64_t delivered)
{
    struct descriptor_endpoint *d = (struct descriptor_endpoint *)node;
    leave_position(d, delivered);
    if (d->owned && node->kind == NODE_SOCKET && node->direction == LEAT_WRITE)
        fd_reset_on_close(d->fd);
}

static void descriptor_close(struct node *node)
{
    struct descriptor_endpoint *d = (struct descriptor_endpoint *)node;
    node->seek_fd = fd_close(node->seek_fd);
    d->private = fd_close(d->private);
    if (d->owned)
        d->fd = fd_close(d->fd);
    node->fd = node->port.fd = -1;
}

static void descriptor_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops descriptor_ops = {
    .name = "descriptor",
    .open = descriptor_open,
    .finish = descriptor_finish,
    .abort = descriptor_abort,
    .close = descriptor_close,
};

int endpoint_descriptor(leat_endpoint **ret, const char *spec, int fd, enum leat_direction direction,
                        enum leat_ownership ownership, const struct leat_endpoint_options *options,
                        struct leat_error *error)
{
    struct stat st;
    struct descriptor_endpoint *d = calloc(1, sizeof(*d));
    if (!d || endpoint_init(&d->endpoint, &descriptor_ops, spec, direction, descriptor_free) < 0) {
        free(d);
        if (ownership == LEAT_TAKE)
            fd_close(fd);
        return error_set(error, -ENOMEM, "out of memory");
    }
    d->fd = fd;
    d->private = -1;
    d->owned = ownership == LEAT_TAKE;
    d->sync = options && options->sync;
    struct node *node = &d->endpoint.node;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = endpoint_error(node, error, -errno, "fstat", "no such descriptor is open");
    else if (S_ISDIR(st.st_mode))
        r = endpoint_error(node, error, -EISDIR, "fstat", NULL);
    if (r < 0) {
        leat_endpoint_close(&d->endpoint);
        return r;
    }
    node_set_stat(node, &st);
    if (node->kind == NODE_DEVICE && isatty(fd))
        node->kind = NODE_TTY;
    if (node->kind == NODE_FILE) {
        struct platform_file_system system;
        char path[64];
        snprintf(path, sizeof(path), "/dev/fd/%d", fd);
        platform.file_system(path, &system);
        node->file_system = system.name;
        node->network = system.network;
    }
    *ret = &d->endpoint;
    return 0;
}

int leat_endpoint_from_fd(leat_endpoint **ret_endpoint, int fd, enum leat_ownership ownership)
{
    char spec[32];
    if (enum_check(ownership, LEAT_TAKE) < 0)
        return -EINVAL;
    snprintf(spec, sizeof(spec), "fd:%d", fd);
    return endpoint_descriptor(ret_endpoint, spec, fd, LEAT_READ, ownership, NULL, NULL);
}
