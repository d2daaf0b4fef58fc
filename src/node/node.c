/* SPDX-License-Identifier: MIT */
#include "node/node.h"
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[NODE_KINDS] = {
        [NODE_FILE] = "file",     [NODE_BLOCK] = "block device", [NODE_PIPE] = "pipe",
        [NODE_SOCKET] = "socket", [NODE_TTY] = "terminal",       [NODE_NULL] = "null",
        [NODE_ZERO] = "zero",     [NODE_DEVICE] = "device",      [NODE_CALL] = "memory",
    };
    return names[kind];
}

void node_set_fd(struct node *node, int fd, int64_t position, enum node_wait wait)
{
    node->fd = fd;
    node->position = position;
    node->wait = wait;
    port_init(&node->port, fd, node->direction == LEAT_READ ? POLLIN : POLLOUT);
    node->port.blocked = wait == NODE_WAIT_POLL;
}

struct node node_of_calls(const struct node_ops *ops, const char *name, enum leat_direction direction, void *user)
{
    return (struct node){.ops = ops,
                         .name = name,
                         .direction = direction,
                         .kind = NODE_CALL,
                         .wait = NODE_WAIT_OWN,
                         .port.fd = -1,
                         .fd = -1,
                         .seek_fd = -1,
                         .position = -1,
                         .call_user = user};
}

/* Tells /dev/null and /dev/zero from other devices by comparing device numbers with those of the two paths, because the
 * numbers differ from system to system. */
static enum node_kind character_kind(const struct stat *st)
{
    struct stat known;
    if (stat("/dev/null", &known) == 0 && known.st_rdev == st->st_rdev)
        return NODE_NULL;
    if (stat("/dev/zero", &known) == 0 && known.st_rdev == st->st_rdev)
        return NODE_ZERO;
    return NODE_DEVICE;
}

void node_set_stat(struct node *node, const struct stat *st)
{
    node->kind = S_ISREG(st->st_mode)    ? NODE_FILE
                 : S_ISBLK(st->st_mode)  ? NODE_BLOCK
                 : S_ISFIFO(st->st_mode) ? NODE_PIPE
                 : S_ISSOCK(st->st_mode) ? NODE_SOCKET
                                         : character_kind(st);
    node->mode = st->st_mode & 07777;
    identity_of_stat(&node->identity, st);
    node->times[0] = st->st_atim;
    node->times[1] = st->st_mtim;
    if (node->kind == NODE_FILE) {
        node->device = st->st_dev;
        node->inode = st->st_ino;
        /* Size 0 is not trusted: files of procfs have it and are not empty. */
        node->has_size = st->st_size > 0;
        node->size = (uint64_t)st->st_size;
        node->sparse = (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size;
    }
}
